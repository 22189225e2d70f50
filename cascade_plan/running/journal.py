"""The rows so far of a portfolio, in a file beside the one they are for: what was planned is planned once."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final

from cascade_plan.errors import UsageError
from cascade_plan.files.disk import reason

ENDING: Final = ".journal"
_FORMAT: Final = "cascade-plan portfolio journal 1"


class Journal:
    """A file of lines: what they are of, then the lines of each system in order.

    A process that is killed leaves all lines it wrote, the last of them perhaps in part: that one is cut off.
    """

    def __init__(self, path: str, digest: str) -> None:
        """Open the journal for what the digest is of. Raises UsageError for one of something else, or in use."""
        self.path = path
        self.done = 0
        """Systems whose lines it holds."""
        try:
            self._file = self._opened(digest)
        except OSError as error:
            raise UsageError(f"cannot write {path!r}: {reason(error)}") from None

    def _opened(self, digest: str) -> BinaryIO:
        file = Path(self.path).open("a+b")  # noqa: SIM115
        try:
            _lock(file, self.path)
            self.done = _kept(file, self.path, digest)
        except BaseException:
            file.close()
            raise
        return file

    def lines(self) -> Iterator[str]:
        """Yield the line of each system that it holds, in order."""
        with Path(self.path).open("rb") as file:
            file.readline()
            for line in file:
                yield line[65:-1].decode()

    def add(self, line: str) -> None:
        """Write the line of the next system."""
        data = line.encode()
        self._file.write(b"%b %b\n" % (sha256(data).hexdigest().encode(), data))
        # What the system has stays, should this process be killed.
        self._file.flush()
        self.done += 1

    def close(self) -> None:
        """Close it; what it holds stays."""
        self._file.close()

    def remove(self) -> None:
        """Take it away, now that all its rows stand elsewhere."""
        with suppress(OSError):
            Path(self.path).unlink()


def _kept(file: BinaryIO, path: str, digest: str) -> int:
    """Return how many whole lines a file holds below its first one, which is written where it is not there.

    What is not whole is cut off. Raises UsageError where it is of something else.
    """
    header = json.dumps({"format": _FORMAT, "of": digest}).encode() + b"\n"
    file.seek(0)
    first = file.readline()
    if not first.endswith(b"\n") and header.startswith(first):
        file.truncate(0)
        file.write(header)
        file.flush()
        return 0
    if first != header:
        raise UsageError(
            f"{path} holds rows of other systems, prices, options or another version: nothing was changed; "
            f"remove it to begin anew, or name another file with --rows"
        )
    done, whole = 0, len(header)
    for line in file:
        if not _is_whole(line):
            break
        done, whole = done + 1, whole + len(line)
    file.truncate(whole)
    return done


def _is_whole(line: bytes) -> bool:
    return line.endswith(b"\n") and line[:64] == sha256(line[65:-1]).hexdigest().encode()


def _lock(file: BinaryIO, path: str) -> None:
    """Hold a file for this process alone, until it ends. Raises UsageError where another one holds it."""
    if os.name == "nt":
        return
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise UsageError(f"{path}: another run is writing it") from None
