"""The entry point: every failure becomes one message on stderr and the exit code of its kind."""

from __future__ import annotations

import gc
import os
import sys


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit status."""
    # A start allocates much and frees nothing: collecting meanwhile costs a tenth of it.
    gc.disable()
    # Looking for plug-ins of pydantic reads the metadata of every installed package, for another tenth.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    try:
        from cascade_plan.cli.app import run

        status = run(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:  # before there is a command, or while its end is said
        sys.stderr.write("interrupted\n")
        status = 130
    if status == 130:
        import signal

        # Who presses the keys once more is not answered with a trace of Python's own end.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(status)


if __name__ == "__main__":
    main()
