"""The prices an update has retrieved: one book a region in the user's cache directory, found whole or not at all.

A file is replaced under its region's lock and in one step, and its first line holds a checksum of all the others, so
that neither two updates at once, a full disk nor a killed process leaves half of a book to calculate with.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from cascade_plan import __version__
from cascade_plan.errors import PriceError, UsageError
from cascade_plan.files.disk import write_atomically
from cascade_plan.model.price import Book, Price, PriceKey, Row
from cascade_plan.prices.layout import FORMAT
from cascade_plan.prices.products import PriceList, price_list
from cascade_plan.prices.reading import parse_book

VARIABLE: Final = "CASCADE_PLAN_CACHE_DIR"
LOCK_TIMEOUT_S: Final = 30.0
STALE_S: Final = 3600
"""Age of a temporary file nobody will finish: writing one takes milliseconds."""
_CHECKSUM: Final = re.compile(rb"# sha256 of all that follows this line: ([0-9a-f]{64})\n")
_REGION: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Stored:
    """What an update did to a region's file."""

    before: Book | None
    """What the file held; None when there was none, or a damaged one."""
    after: Book
    path: Path
    damage: str
    """What was wrong with the file that was replaced, and all its rows with it; empty when nothing was."""


def directory() -> Path:
    """Return the directory of everything cached: $CASCADE_PLAN_CACHE_DIR, or the user's own for this program."""
    if chosen := os.environ.get(VARIABLE):
        return Path(chosen)
    try:
        if sys.platform != "linux":
            from platformdirs import user_cache_path

            return user_cache_path("cascade-plan", appauthor=False)
        # What platformdirs answers there (a test compares), without the 2 ms that importing it would cost every start.
        base = os.environ.get("XDG_CACHE_HOME", "")
        return Path(base if base.startswith("/") else "~/.cache").expanduser() / "cascade-plan"
    except RuntimeError:  # a user without a home: there is no cache to read, and none can be written
        return Path(os.devnull) / "cascade-plan"


def path_of(cloud: str, region: str) -> Path:
    """Return the file that holds the retrieved prices of a cloud's region, be it there or not.

    Raises UsageError for what cannot be the name of a region.
    """
    if not _REGION.fullmatch(region):
        raise UsageError(f"{region!r} is no region: its name has lower-case letters, digits and hyphens")
    return directory() / "prices" / f"v{FORMAT}" / cloud / f"{region}.yaml"


def regions(cloud: str) -> tuple[str, ...]:
    """Return the sorted names of the regions of a cloud that have retrieved prices."""
    folder = directory() / "prices" / f"v{FORMAT}" / cloud
    try:
        names = sorted(entry.stem for entry in folder.iterdir() if entry.suffix == ".yaml")
    except OSError:
        return ()
    return tuple(name for name in names if _REGION.fullmatch(name))


def read(cloud: str, region: str) -> Book | None:
    """Return the retrieved prices of a cloud's region, or None when there are none.

    Raises PriceError, with the ways out, when the file cannot be read or is not what an update wrote.
    """
    path = path_of(cloud, region)
    data = _bytes_of(path, region)
    return None if data is None else _book(data, path, cloud, region)


def kept(cloud: str, region: str) -> Book | None:
    """Return the retrieved prices that an update would keep or replace: None of a damaged file, whose rows are lost.

    Raises PriceError when the file cannot be read.
    """
    return _present(path_of(cloud, region), cloud, region)[0]


def store(cloud: str, region: str, rows: Mapping[PriceKey, Row], retrieved: str, retrieved_from: str) -> Stored:
    """Return the region's books before and after `rows` were written into it.

    A row takes the place of the one its key had, and a tiered price that of all its ranges, which may have moved.
    Nothing else goes: what a source does not carry, does not have today or has no one price for stays as it was, with
    its own date and source. `retrieved` is a day, YYYY-MM-DD; `retrieved_from` says where the rows are from, such as
    bulk. A damaged file is replaced, and what was wrong with it returned.
    Raises UsageError when the file cannot be written or another update holds it, PriceError when the present file
    cannot be read or the rows make no book; the present file is then as it was.
    """
    prices = price_list(cloud)
    if strange := [str(key) for key in rows if not prices.section_of(key)]:
        raise ValueError(f"rows of no service of {cloud}: {strange}")
    replaced = {(key.service, key.item, key.term) for key in rows if prices.is_tiered(key)}
    path = path_of(cloud, region)
    with _locked(path, region):
        _remove_stale(path.parent)
        before, damage = _present(path, cloud, region)
        old = {
            price.key: _row(price)
            for price in before or ()
            if (price.key.service, price.key.item, price.key.term) not in replaced
        }
        text, after = _rendered(prices, region, {**old, **rows}, retrieved, retrieved_from)
        write_atomically(path, text)
    return Stored(before, after, path, damage)


# ------------------------------------------------------------------------------------------------------------ reading


def _bytes_of(path: Path, region: str) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):  # a user without a home may have /dev/null/.cache
        return None
    except OSError as error:
        raise PriceError(_unusable(path, region, f"cannot be read: {_reason(error)}")) from None


def _book(data: bytes, path: Path, cloud: str, region: str) -> Book:
    """Return the book that a cached file's bytes hold. Raises PriceError when they are not what an update wrote."""
    first = _CHECKSUM.match(data)
    if first is None:
        raise PriceError(_unusable(path, region, "are damaged: the first line holds no checksum"))
    if sha256(memoryview(data)[first.end() :]).hexdigest().encode() != first[1]:
        raise PriceError(_unusable(path, region, "are damaged: the checksum does not match"))
    if (written := re.search(rb"^format: ([0-9]{1,9})$", data, re.MULTILINE)) and int(written[1]) > FORMAT:
        raise PriceError(
            _unusable(path, region, f"have format {int(written[1])} of a newer cascade-plan; this one reads {FORMAT}")
        )
    try:
        book = parse_book(data.decode(), str(path), origin="cache")
    except UnicodeDecodeError:
        raise PriceError(_unusable(path, region, "are damaged: not UTF-8 text")) from None
    except PriceError as error:
        raise PriceError(f"{error}\n{_unusable(path, region, 'cannot be used')}") from None
    if (book.cloud, book.region) != (cloud, region):
        raise PriceError(_unusable(path, region, f"are those of {book.cloud}/{book.region}"))
    return book


def _unusable(path: Path, region: str, reason: str) -> str:
    return (
        f"the cached prices {str(path)!r} {reason}; run `cascade-plan prices update --region {region}`, "
        "or remove the file, or plan with --no-price-cache"
    )


def _present(path: Path, cloud: str, region: str) -> tuple[Book | None, str]:
    """Return the book in the file, if there is one, and what is wrong with the file, if something is."""
    if (data := _bytes_of(path, region)) is None:
        return None, ""
    try:
        return _book(data, path, cloud, region), ""
    except PriceError as error:
        return None, str(error)


# ------------------------------------------------------------------------------------------------------------ writing


def _row(price: Price) -> Row:
    upfront = "" if price.upfront_usd is None else f"{price.upfront_usd:f}"
    about = price.as_of, price.source, price.sku, price.confirmed_by, price.note, price.origin
    return price.unit, f"{price.usd:f}", upfront, *about


def _rendered(
    prices: PriceList, region: str, rows: Mapping[PriceKey, Row], retrieved: str, retrieved_from: str
) -> tuple[str, Book]:
    """Return a file's text and the book it will be read back as. Raises PriceError when it would be refused."""
    from cascade_plan.languages.yaml import literal
    from cascade_plan.prices.writing import render_book

    comment = f"# Written by cascade-plan {__version__}; do not edit by hand.\n"
    origin = f"retrieved: {literal(retrieved)}\nretrieved_from: {literal(retrieved_from)}\n"
    text = render_book(prices, region, rows, comment, origin)
    refusal = f"the prices retrieved for {region} are not stored, the cache is as it was"
    try:
        digest = sha256(text.encode()).hexdigest()
        book = parse_book(text, f"<new prices of {region}>", origin="cache")
    except UnicodeEncodeError:
        raise PriceError(f"{refusal}: a text in them is not Unicode") from None
    except PriceError as error:
        raise PriceError(f"{refusal}: {error}") from None
    return f"# sha256 of all that follows this line: {digest}\n{text}", book


@contextmanager
def _locked(path: Path, region: str) -> Iterator[None]:
    """Hold a region's lock, which ends with the process that holds it. Raises UsageError when it cannot be had."""
    from filelock import FileLock, Timeout

    lock = path.with_suffix(".lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        held = FileLock(lock, timeout=LOCK_TIMEOUT_S)
        held.acquire()
    except Timeout:
        raise UsageError(
            f"another update of {region} is running and has held {str(lock)!r} for {LOCK_TIMEOUT_S:g} s; "
            "wait for it to end, or end it"
        ) from None
    except (OSError, NotImplementedError) as error:
        raise UsageError(
            f"cannot write the price cache in {str(path.parent)!r}: {_reason(error)}; "
            f"set {VARIABLE} to a directory that can be written"
        ) from None
    try:
        yield
    finally:
        held.release()


def _remove_stale(folder: Path) -> None:
    """Remove what killed updates left; a young file may be another region's, being written now."""
    for left in folder.glob(".cascade-plan-*.tmp"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > STALE_S:
                left.unlink()


def _reason(error: OSError | NotImplementedError) -> str:
    reason = (isinstance(error, OSError) and error.strerror) or str(error)
    return reason[:1].lower() + reason[1:]
