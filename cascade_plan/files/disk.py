"""Text read whole, files written whole or not at all."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, BinaryIO, Final

from cascade_plan.errors import UsageError

MAX_BYTES: Final = 2**20
KNOWN: Final = (
    (b"\xff\xfe", "UTF-16 text: save it as UTF-8"),
    (b"\xfe\xff", "UTF-16 text: save it as UTF-8"),
    (b"\x1f\x8b", "compressed with gzip: unpack it first"),
    (b"PK\x03\x04", "a workbook or a zip archive: save its sheet as CSV, or unpack it first"),
)
"""How files start that are no UTF-8 text, and what to do with them."""


def read_text(path_or_dash: str, limit: int = MAX_BYTES) -> tuple[str, str]:
    """Return (text, display name) of a UTF-8 file of at most `limit` bytes; "-" is standard input. A BOM is dropped.

    Raises UsageError, in one line, when it cannot be read, is larger, or is not UTF-8.
    """
    name = "<stdin>" if path_or_dash == "-" else path_or_dash
    try:
        raw = _bytes_of(path_or_dash, limit + 1)
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {name!r}: {reason(error)}") from None
    if len(raw) > limit:
        raise UsageError(f"cannot read {name!r}: it is larger than the {limit:,} bytes allowed")
    try:
        return raw.decode("utf-8-sig"), name
    except UnicodeDecodeError as error:
        if what := next((what for start, what in KNOWN if raw.startswith(start)), ""):
            raise UsageError(f"cannot read {name!r}: it is {what}") from None
        raise UsageError(
            f"cannot read {name!r}: it is not UTF-8 text (byte 0x{raw[error.start]:02x} at offset {error.start})"
        ) from None


def opened(path: str) -> BinaryIO:
    """Return a file of bytes to be read from its start. Raises UsageError, in one line, when it cannot be read."""
    try:
        return Path(path).open("rb")
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {path!r}: {reason(error)}") from None


def listed(path: str) -> list[str] | None:
    """Return the names in a directory, sorted, or None when it is none. Raises UsageError when it cannot be read."""
    try:
        return sorted(entry.name for entry in Path(path).iterdir()) if Path(path).is_dir() else None
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {path!r}: {reason(error)}") from None


def write_output(path_or_dash: str | Path, text: str | bytes) -> None:
    """Write text, or what is none, to a file atomically, or to standard output for "-": text always as UTF-8, so that
    the same text is the same bytes everywhere.

    Raises UsageError when it cannot be written; BrokenPipeError as it is when the reader of standard output has gone.
    """
    if str(path_or_dash) != "-":
        write_atomically(Path(path_or_dash), text)
        return
    if sys.stdout is None:
        raise UsageError("cannot write to standard output: it is closed")
    try:
        if (binary := getattr(sys.stdout, "buffer", None)) is None:
            sys.stdout.write(text if isinstance(text, str) else text.decode())
        else:
            sys.stdout.flush()
            binary.write(_encoded(text))
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot write to standard output: {reason(error)}") from None


def _encoded(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def write_atomically(path: Path, text: str | bytes) -> None:
    """Write UTF-8 text, or bytes: a reader finds the old file or the new one whole, also after a crash or a full disk.

    A link is followed, the permissions of an existing file are kept, a new one follows the umask. What is no regular
    file (a pipe, /dev/null) cannot be replaced and is written to instead.
    Raises UsageError, in one line, when it cannot be written; the old file is then untouched and nothing is left over.
    """
    try:
        target = os.path.realpath(path)
        data = _encoded(text)
        mode = _mode(target)
        if mode is not None and not stat.S_ISREG(mode):
            _write_in_place(target, data)
        else:
            _replace(target, data, mode)
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot write {str(path)!r}: {reason(error)}") from None


@contextmanager
def replacing(path: str) -> Iterator[Path]:
    """Yield a new file's name beside a path, which takes its place once the caller is done, and is gone otherwise.

    For what is too large to be held as one text. Raises UsageError, in one line, when it cannot be written.
    """
    try:
        beside = Path(os.path.realpath(path)).parent / f".cascade-plan-{os.urandom(8).hex()}.tmp"
        try:
            yield beside
            with beside.open("rb") as file:
                os.fsync(file.fileno())
            beside.replace(os.path.realpath(path))
        finally:
            with suppress(OSError):
                beside.unlink()
    except OSError as error:
        raise UsageError(f"cannot write {path!r}: {reason(error)}") from None


def _bytes_of(path_or_dash: str, count: int) -> bytes:
    if path_or_dash != "-":
        with Path(path_or_dash).open("rb") as file:
            return file.read(count)
    if sys.stdin is None:
        raise ValueError("it is closed")
    return _bytes_once(getattr(sys.stdin, "buffer", sys.stdin), count)


@lru_cache(maxsize=1)
def _bytes_once(stream: IO[Any], count: int) -> bytes:
    """Return what a stream that can be read once holds, as often as it is asked for."""
    data: str | bytes = stream.read(count)
    return data.encode() if isinstance(data, str) else data


def _mode(target: str) -> int | None:
    try:
        return Path(target).stat().st_mode
    except FileNotFoundError:
        return None


def _write_in_place(target: str, data: bytes) -> None:
    descriptor = os.open(target, os.O_WRONLY)
    try:
        _write_all(descriptor, data)
    finally:
        os.close(descriptor)


def _replace(target: str, data: bytes, mode: int | None) -> None:
    """Put data where target is by way of a new file beside it; remove that file on any failure, also Ctrl-C."""
    # Not tempfile: importing it costs more than the write, and it would create 0600 whatever the umask says.
    beside = Path(target).parent / f".cascade-plan-{os.urandom(8).hex()}.tmp"
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o666)
    try:
        try:
            if mode is not None:
                beside.chmod(mode & 0o777)  # before the first byte: the old file may have been private
            _write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        beside.replace(target)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def reason(error: OSError | ValueError) -> str:
    """Return why a file cannot be read or written, as a part of a sentence."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[:1].lower() + error.strerror[1:]
    return str(error)
