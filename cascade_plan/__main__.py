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
    from cascade_plan.cli.app import run

    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


if __name__ == "__main__":
    main()
