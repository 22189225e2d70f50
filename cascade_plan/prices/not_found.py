"""What an update looked for and did not find, and the prices that stand in for it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Set
from dataclasses import dataclass
from itertools import groupby
from typing import Final, NamedTuple

from cascade_plan.model.price import Book, Price, PriceKey
from cascade_plan.model.terms import commitment_of
from cascade_plan.prices.products import Product
from cascade_plan.prices.rates import Request

LINES: Final = 20
"""The most lines that a list of them has on a screen."""
_ORDER: Final = ("metered", "on demand", "spot", "reserved", "savings plans")


@dataclass(frozen=True, slots=True)
class NotFound:
    """A price that a source was asked for and does not have."""

    key: PriceKey
    """Of a tiered price without the range."""
    stand_ins: tuple[Price, ...]
    """What plans use in its place, of a tiered price each tier; empty where there is nothing."""


def not_found(
    request: Request, listed: Iterable[Product], sections: Set[str], found: Collection[PriceKey], held: Book | None
) -> tuple[NotFound, ...]:
    """Return what a request's update looked for and is not in `found`, in the order of its keys.

    Looked for are everything metered of the `listed` products of the request's services, and each price of an instance
    that the region's book `held` until now in one of the update's `sections`, by a term that sources are read for: a
    type that AWS sells nowhere near is not missed, one that it no longer sells is.
    """
    products = [product for product in listed if product.service in request.services]
    metered = {PriceKey(product.service, product.item, _variant(product)): product for product in products}
    variants = {(product.service, product.variant) for product in listed if not product.item}
    items = {key[:2] for key in found}
    missing = [
        NotFound(key, _stand_ins(key, product, held))
        for key, product in metered.items()
        if key.item and (key[:2] not in items if product.is_tiered else key not in found)
    ]
    missing += [
        NotFound(price.key, (price,))
        for price in held or ()
        if (price.key.service, price.key.variant) in variants
        and request.prices.is_instance(price.key)
        and price.key.item in request.items.get(price.key.service, ())
        and request.prices.section_of(price.key) in sections
        and _is_read(price.key.term)
        and price.key not in found
    ]
    return tuple(sorted(missing, key=lambda entry: entry.key))


def _is_read(term: str) -> bool:
    """Return whether sources are read for a term; a book may have others, such as convertible reservations."""
    return term in ("on_demand", "spot") or commitment_of(term) is not None


def _variant(product: Product) -> str:
    return "" if product.is_tiered else product.variant


def _stand_ins(key: PriceKey, product: Product, held: Book | None) -> tuple[Price, ...]:
    if held is None:
        return ()
    if product.is_tiered:
        return tuple(held.variants(key.service, key.item))
    price = held.find(*key)
    return () if price is None else (price,)


# ---------------------------------------------------------------------------------------------------------- rendering


class _Line(NamedTuple):
    """Some prices that one line tells of: a metered one, or those of a family of instances."""

    kind: int
    """Index in _ORDER."""
    name: str


def render(missing: Iterable[NotFound]) -> str:
    """Return what was not found as a table, a line for each metered price and each family of instances."""
    from tabulate import tabulate

    lines = _lines(missing)
    rows = [
        (_plain(of[0].key) if len(of) == 1 else f"{line.name} ({len(of)})", _in_place(of)) for line, of in lines.items()
    ]
    table = tabulate(
        rows[:LINES], ("looked for and not found", "in its place"), tablefmt="simple", disable_numparse=True
    )
    left = sum(len(of) for of in list(lines.values())[LINES:])
    return f"{table}\nand {left:,} prices more; --format json lists each\n" if left else f"{table}\n"


def words(missing: Collection[NotFound]) -> str:
    """Return how much was not found, and how much of it has a price in its place."""
    count, replaced = len(missing), sum(bool(entry.stand_ins) for entry in missing)
    of_them = "each" if replaced == count else f"{replaced:,} of them"
    stands_in = f"an older one stands in for {of_them}" if replaced else "nothing stands in"
    return f"{count:,} price{'s were' if count != 1 else ' was'} looked for and not found: {stands_in}"


def _lines(missing: Iterable[NotFound]) -> Mapping[_Line, list[NotFound]]:
    ordered = sorted(missing, key=lambda entry: (_line(entry), entry.key))
    return {line: list(of) for line, of in groupby(ordered, _line)}


def _line(entry: NotFound) -> _Line:
    family, _, size = entry.key.item.rpartition(".")
    if not (family and size):
        return _Line(0, _plain(entry.key))
    kind = _kind(entry.key.term)
    return _Line(_ORDER.index(kind), f"{entry.key.service} {family}.* {kind}")


def _plain(key: PriceKey) -> str:
    return str(key._replace(term="") if key.term == "on_demand" else key)


def _kind(term: str) -> str:
    if (commitment := commitment_of(term)) is None:
        return "spot" if term == "spot" else "on demand"
    return "reserved" if commitment.kind == "reserved" else "savings plans"


def _in_place(of: Iterable[NotFound]) -> str:
    prices = [price for entry in of for price in entry.stand_ins]
    if not prices:
        return "nothing"
    dates = sorted({price.as_of for price in prices})
    when = f"of {dates[0]}" if len(dates) == 1 else f"of {dates[0]} to {dates[-1]}"
    what = f"{prices[0].usd:f}" if len(prices) == 1 else f"{len(prices)} prices"
    return f"{what} {when} ({', '.join(sorted({price.origin for price in prices}))})"
