"""Where a price is from, in words. Which copy of a price list it was read in belongs to an appendix, not in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from cascade_plan.model.bill import Item
from cascade_plan.model.price import OVERRIDE, Price
from cascade_plan.reports import _words as words

BUNDLED: Final = "bundled"
CACHE: Final = "cache"
GIVEN: Final = "scenario"
SPOT: Final = "spot"


def where_from(price: Item | Price, cloud: str) -> str:
    """Return where a price is from and how many other sources give the same figure.

    >>> from decimal import Decimal
    >>> from cascade_plan.model.price import PriceKey
    >>> key = PriceKey("ec2", "m7g.large", "linux")
    >>> where_from(Price(key, "hour", Decimal("0.0816"), "2026-02-17", "a/b@1 c.json", "d/e@2; f/g@3"), "aws")
    'AWS price list of 2026-02-17, collected from public copies; confirmed by 2 sources'
    >>> where_from(Price(key, "hour", Decimal("0.0816"), "undated", "a/b@1 c.json"), "aws")
    'AWS price list, quoted without a date, collected from public copies; one source'
    >>> where_from(Price(key, "hour", Decimal("0.0816"), "2026-11-01", "aws-query-api", origin="cache"), "aws")
    'AWS price list of 2026-11-01, fetched from AWS'
    >>> where_from(Price(key, "hour", Decimal("0.07"), "2026-11-01", "our contract", origin="override"), "aws")
    'our contract, of 2026-11-01'
    """
    if price.origin not in (BUNDLED, CACHE):
        return _given(price)
    name, dated = called(cloud), _is_dated(price.as_of)
    listed = f"{name} {'spot prices' if price.key.term == SPOT else 'price list'}"
    listed += f" of {words.one_line(price.as_of)}" if dated else ", quoted without a date"
    if price.origin == CACHE:
        return f"{listed}, fetched from {name}"
    return f"{listed}, collected from public copies; {_confirmed(confirmations(price))}"


def confirmations(price: Item | Price) -> int:
    """Return how many independent sources give a price's figure beside its own."""
    return sum(bool(part.strip()) for part in price.confirmed_by.split(";"))


def called(cloud: str) -> str:
    """Return how a cloud's name is written.

    >>> called("aws"), called("harbour")
    ('AWS', 'Harbour')
    """
    return cloud.upper() if len(cloud) <= 3 else cloud.capitalize()


def overall(items: Sequence[Item], cloud: str) -> str:
    """Return in one sentence's words where the prices of a bill are from, by how many of its lines."""
    counts = Counter(item.origin for item in items)
    name, parts = called(cloud), []
    if bundled := [item for item in items if item.origin == BUNDLED]:
        confirmed = sum(confirmations(item) > 0 for item in bundled)
        share = "all" if confirmed == len(bundled) else str(confirmed)
        parts.append(
            f"{counts.pop(BUNDLED)} from {name} price lists collected from public copies, "
            f"{share} of them confirmed by other sources"
        )
    if fetched := counts.pop(CACHE, 0):
        parts.append(f"{fetched} fetched from {name}")
    if agreed := counts.pop(OVERRIDE, 0):
        parts.append(f"{agreed} given with --prices")
    if given := counts.pop(GIVEN, 0):
        parts.append(f"{given} given by the scenario")
    parts += [f"{count} {words.one_line(origin)}" for origin, count in sorted(counts.items())]
    return "; ".join(parts)


def _given(price: Item | Price) -> str:
    source = words.one_line(price.source)
    if price.origin == GIVEN and source == GIVEN:
        return "given by the scenario"
    return f"{source}, of {words.one_line(price.as_of)}" if _is_dated(price.as_of) else source


def _is_dated(as_of: str) -> bool:
    return as_of[:1].isdigit()


def _confirmed(count: int) -> str:
    if not count:
        return "one source"
    return f"confirmed by {count} source{'' if count == 1 else 's'}"
