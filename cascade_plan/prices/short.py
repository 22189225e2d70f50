"""Short prices: those of a file laid over a book that gives each by its words, its figure and its unit alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from cascade_plan.model.bill import Item, Unpriced
from cascade_plan.model.price import UNITS, Book, PriceKey
from cascade_plan.prices.layout import FORMAT, SHORT, UNKNOWN
from cascade_plan.prices.products import price_list
from cascade_plan.prices.selling import ON_DEMAND, Sold

NO_UNIT = "hour"
"""Of what is not sold, which is refused anyway."""


class Wanted(NamedTuple):
    """A price that a file is to have."""

    key: PriceKey
    unit: str
    usd: Decimal | None
    """None where it is still to be written."""
    what: str
    """What it is for, in words."""


def wanted(line: Item | Unpriced, usd: Decimal | None) -> Wanted:
    """Return the price of a line of a bill, None where it is still to be written."""
    return Wanted(line.key, line.unit, usd, what(line.name, line.quantity.average, line.unit))


def render(book: Book, prices: Sequence[Wanted], why: str, source: str, today: date) -> str:
    """Return the text of a file of short prices, which `--prices` reads once every figure is there."""
    lines = [
        f"# {why}",
        f'# Write the price in US dollars in place of each "{UNKNOWN}", and correct source and as_of; then give the',
        "# file with --prices: its prices go before all others.",
        f"format: {FORMAT}",
        f"cloud: {book.cloud}",
        f"region: {book.region}",
        f"source: {source}",
        f"as_of: {today.isoformat()}",
        f"{SHORT}:",
    ]
    sold = Sold(book)
    written: dict[str, list[str]] = {}
    for each in prices:
        products = sold.products_of(each.key.service, each.key.item)
        # One price of any amount, where the book has none of its tiers.
        is_bare = bool(products) and products[0].is_tiered and not each.key.variant
        words = _words(each.key._replace(variant="0-") if is_bare else each.key)
        usd = f'"{UNKNOWN}"' if each.usd is None else f"{round(each.usd, 12).normalize():f}"
        written.setdefault(f"  {words}: {{usd: {usd}, per: {each.unit}}}", []).append(f"  # {each.what}")
    for price, comments in written.items():
        lines += [*comments, price]
    return "\n".join(lines) + "\n"


def what(name: str, quantity: Decimal, unit: str) -> str:
    """Return what a price is for in words: a line of the bill, and how much of it a month has.

    >>> what("public IPv4 addresses", Decimal("2190.000000"), "hour")
    'public IPv4 addresses: 2,190 hours in an average month'
    """
    amount = f"{quantity:,.6f}".rstrip("0").rstrip(".")
    return f"{name}: {amount} {UNITS[unit]} in an average month"


def key(words: str, cloud: str) -> PriceKey | None:
    """Return the key that the words of a short price name, such as "rds storage-gp3 multi_az"; None for no service."""
    service, *rest = words.split() or [""]
    if service not in price_list(cloud).services or not 1 <= len(rest) <= 3:
        return None
    # A term ends in its upfront, or is on_demand or spot; a variant never does.
    has_term = len(rest) > 1 and (rest[-1] in (ON_DEMAND, "spot") or rest[-1].endswith("_upfront"))
    term = rest.pop() if has_term else ON_DEMAND
    return PriceKey(service, rest[0], rest[1] if len(rest) > 1 else "", term) if len(rest) <= 2 else None


def cells(key: PriceKey, given: Mapping[str, Any], book: Book, as_of: str, source: str) -> tuple[str, ...]:
    """Return the cells of a row after its term: unit, price, no upfront, date, source, and nothing else."""
    products = Sold(book).products_of(key.service, key.item)
    unit = given.get("per", products[0].unit if products else NO_UNIT)
    return str(unit), _digits(given["usd"]), "", as_of, source, "", "", ""


def rows(
    document: Mapping[str, Any], book: Book
) -> Iterator[tuple[PriceKey, tuple[str, str, str, str, str, str, str, str]]]:
    """Yield (key, a row without its origin) of the short prices of a document without problems."""
    for words, given in (document.get(SHORT) or {}).items():
        found = key(words, book.cloud)
        assert found is not None
        unit, usd, *_ = cells(found, given, book, "", "")
        yield found, (unit, usd, "", str(document["as_of"]), str(document["source"]), "", "", "")


def _words(key: PriceKey) -> str:
    kept = [part for part in key[:3] if part]
    return " ".join(kept if key.term == ON_DEMAND else [*kept, key.term])


def _digits(value: object) -> str:
    """Return a price as plain digits; text and whatever else is no number as it is."""
    return f"{Decimal(repr(value)):f}" if isinstance(value, float) else str(value)
