"""What changed from one price book of a region to another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from typing import Final

from cascade_plan.errors import PriceError
from cascade_plan.model.price import Book, Price, PriceKey

KINDS: Final = ("new", "gone", "dearer", "cheaper", "counted differently")
UNCHANGED: Final = "unchanged"


@dataclass(frozen=True, slots=True)
class Change:
    """One key whose price is not the same in both books."""

    key: PriceKey
    kind: str
    """One of KINDS. "counted differently": per another unit, so that the two prices do not compare."""
    before: Price | None
    """None for a new key."""
    after: Price | None
    """None for one that is gone."""

    @property
    def change_percent(self) -> Decimal | None:
        """The move relative to the price before; None where there are not two prices per one unit."""
        return change_percent(self.before, self.after)


@dataclass(frozen=True, slots=True)
class Changes:
    """Everything that two books of a region do not agree about."""

    entries: tuple[Change, ...]
    """In the order of their keys."""
    unchanged: tuple[PriceKey, ...]
    """Keys with the same price per the same unit in both, whatever their dates and sources."""

    def __bool__(self) -> bool:
        return bool(self.entries)

    def of(self, services: Collection[str]) -> Changes:
        """Return what changed or stayed of some services."""
        entries = tuple(entry for entry in self.entries if entry.key.service in services)
        return Changes(entries, tuple(key for key in self.unchanged if key.service in services))


def changes(before: Book | None, after: Book) -> Changes:
    """Return what changed from one book to another; no book before is one without rows.

    Prices are compared as exact decimals: 0.10 is 0.1. A commitment's is its effective rate, its upfront included.
    Raises PriceError when the books are of different regions or currencies, whose prices do not compare.
    """
    if before is not None:
        require_same_region(before, after)
    old = {price.key: price for price in before or ()}
    new = {price.key: price for price in after}
    entries, unchanged = [], []
    for key in sorted(old.keys() | new.keys()):
        if kind := _kind(old.get(key), new.get(key)):
            entries.append(Change(key, kind, old.get(key), new.get(key)))
        else:
            unchanged.append(key)
    return Changes(tuple(entries), tuple(unchanged))


def require_same_region(first: Book, second: Book) -> None:
    """Return when two books are of one region and currency.

    Raises PriceError when they are not.
    """
    places = [f"{book.cloud}/{book.region} in {book.currency}" for book in (first, second)]
    if places[0] != places[1]:
        raise PriceError(
            f"{first.name} ({places[0]}) and {second.name} ({places[1]}) do not compare: choose books of one region"
        )


def change_percent(before: Price | None, after: Price | None) -> Decimal | None:
    """Return the move relative to the price before, to 28 digits; None without two prices per one unit."""
    if before is None or after is None or before.unit != after.unit:
        return None
    return (after.usd - before.usd) * 100 / before.usd


def _kind(before: Price | None, after: Price | None) -> str:
    """Return one of KINDS, or "" when the price is the same."""
    if before is None or after is None:
        return "new" if before is None else "gone"
    if before.unit != after.unit:
        return "counted differently"
    if before.usd == after.usd:
        return ""
    return "dearer" if after.usd > before.usd else "cheaper"


# ---------------------------------------------------------------------------------------------------------- rendering


def render(found: Changes, limit: int) -> str:
    """Return the changes as text: counts by service, then at most `limit` of the price moves, the largest first."""
    if not found and not found.unchanged:
        return "no prices\n"
    parts = [_summary(found)]
    moves = sorted((entry for entry in found.entries if entry.change_percent is not None), key=_largest_first)
    recounted = [entry for entry in found.entries if entry.kind == "counted differently"]
    if listed := [*recounted, *moves][:limit]:
        parts.append(_table(listed))
        if left := len(recounted) + len(moves) - len(listed):
            parts.append(f"and {left} more")
    return "\n\n".join(parts) + "\n"


def _summary(found: Changes) -> str:
    """Return the table of counts: a line for each service."""
    from tabulate import tabulate

    keyed = chain(((entry.key, entry.kind) for entry in found.entries), ((key, UNCHANGED) for key in found.unchanged))
    counts = Counter((key.service, kind) for key, kind in keyed)
    columns = (*KINDS, UNCHANGED)
    services = sorted({service for service, _ in counts})
    rows = [(service, *(counts[service, kind] for kind in columns)) for service in services]
    align = ("left", *("right" for _ in columns))
    return tabulate(rows, ("service", *columns), tablefmt="simple", colalign=align, disable_numparse=True)


def _table(entries: Iterable[Change]) -> str:
    from tabulate import tabulate

    headers = ("price for", "USD before", "USD after", "change", "per")
    align = ("left", "right", "right", "right", "left")
    rows = [
        (str(entry.key), usd(entry.before), usd(entry.after), percent(entry.change_percent), _units(entry))
        for entry in entries
    ]
    return tabulate(rows, headers, tablefmt="simple", colalign=align, disable_numparse=True)


def _units(entry: Change) -> str:
    return ", then ".join(dict.fromkeys(price.unit for price in (entry.before, entry.after) if price is not None))


def usd(price: Price | None) -> str:
    """Return a price's amount in plain digits, "" for none."""
    return "" if price is None else f"{price.usd:f}"


def percent(change_percent: Decimal | None) -> str:
    """Return a relative move as people read it, +1.25 %, or "" where there is none.

    >>> percent(Decimal("-1.25")), percent(Decimal("100")), percent(Decimal("0.001")), percent(None)
    ('-1.25%', '+100.00%', '+<0.01%', '')
    """
    if change_percent is None:
        return ""
    if 0 < abs(change_percent) < Decimal("0.01"):
        return f"{'+' if change_percent > 0 else '-'}<0.01%"
    return f"{change_percent:+.2f}%"


def _largest_first(entry: Change) -> tuple[Decimal, PriceKey]:
    return -abs(entry.change_percent or Decimal(0)), entry.key
