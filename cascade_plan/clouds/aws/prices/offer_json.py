"""The rates in an offer file's JSON layout, in one pass: of the products, which come first, only the wanted stay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import IO, Any, Final

from cascade_plan.clouds.aws.prices.offers import (
    Dimension,
    Edition,
    Found,
    Wanted,
    edition_of,
    key_in,
    rate_of,
)
from cascade_plan.errors import CloudError, UsageError
from cascade_plan.model.price import PriceKey
from cascade_plan.prices.layout import CURRENCY
from cascade_plan.prices.rates import Rate, Request

Events = Iterator[tuple[str, Any]]
"""The parser's: start_map, map_key, string and so on, each with its value."""
_BUFFER: Final = 1 << 16


def rates(stream: IO[bytes], request: Request, offer: str) -> Iterator[Rate]:
    """Yield the rates of an offer that a request wants; memory grows with the wanted products, not with the file.

    Raises CloudError for a file that is cut short, of another offer, or without an attribute that is needed, and
    UsageError when the parser is not installed.
    """
    try:
        import ijson
    except ImportError as error:
        raise UsageError("reading offer files in JSON needs ijson: pip install 'cascade-plan[aws]'") from error

    wanted = Wanted(request, offer)
    if not wanted:
        return
    try:
        yield from _rates(ijson.basic_parse(stream, buf_size=_BUFFER), wanted, offer)
    except (ijson.JSONError, UnicodeDecodeError) as error:
        raise CloudError(f"{offer}: the file is damaged or cut short: {_first_line(error)}; try again") from error


def _rates(events: Events, wanted: Wanted, offer: str) -> Iterator[Rate]:
    said: dict[str, str] = {}
    products: dict[str, Found] | None = None
    has_terms = False
    depth, key = 0, ""
    for event, value in events:
        if event == "map_key":
            key = value
            if depth == 1 and key == "products":
                products = _products(events, wanted, offer)
            elif depth == 1 and key == "terms":
                if products is None:
                    raise CloudError(f"{offer}: the layout has changed, the terms come before the products")
                has_terms = True
                yield from _terms(events, products, edition_of(offer, offer, said))
        elif event == "string" and depth == 1:
            said[key] = value
        else:
            depth += _step(event)
    if not has_terms:
        edition_of(offer, offer, said)  # says what is wrong with a file that is something else
        raise CloudError(f"{offer}: the layout has changed, there are no products with terms")


def _products(events: Events, wanted: Wanted, offer: str) -> dict[str, Found]:
    """Return SKU -> product for the wanted products.

    Raises CloudError when no product could be told, and for one that says it is another.
    """
    found: dict[str, Found] = {}
    fields: dict[str, str] = {}
    names: set[str] = set()
    depth, key, listed = 0, "", ""
    for event, value in events:
        if event == "map_key":
            key = value
            listed = value if depth == 1 else listed
        elif event == "string":
            # A product's own fields and its attributes have no name in common.
            fields[key] = value
        else:
            depth += _step(event)
            if event == "end_map" and depth == 1:
                names.update(fields)
                if fields.get("sku", listed) != listed:
                    raise CloudError(
                        f"{offer}: the file is damaged: the product {listed!r} says it is {fields['sku']!r}; try again"
                    )
                if product := wanted.find(fields, listed):
                    found[listed] = product
                fields = {}
            elif not depth:
                break
    wanted.keep_known(names)
    return found


def _terms(events: Events, products: Mapping[str, Found], edition: Edition) -> Iterator[Rate]:
    """Yield the rates of the wanted products from kind of term -> SKU -> the SKU's terms."""
    depth, kind = 0, ""
    for event, value in events:
        if event == "map_key" and depth == 1:
            kind = value
        elif event == "map_key":
            if value in products:
                yield from _terms_of(products[value], kind, events, edition)
            else:
                _skip(events)
        else:
            depth += _step(event)
            if not depth:
                return


def _terms_of(found: Found, kind: str, events: Events, edition: Edition) -> Iterator[Rate]:
    """Yield the rates of one product from term -> its fields, its prices and its attributes."""
    fields: dict[str, str] = {}
    prices: list[Dimension] = []
    depth, key = 0, ""
    for event, value in events:
        if event == "map_key":
            key = value
            if key == "priceDimensions":
                prices = _prices(events)
        elif event == "string":
            fields[key] = value
        else:
            depth += _step(event)
            if event == "end_map" and depth == 1:
                if priced := _key(found, kind, fields):
                    for price in prices:
                        yield rate_of(edition, found, priced, _of_term(price, fields))
                fields, prices = {}, []
            elif not depth:
                return


def _key(found: Found, kind: str, term: Mapping[str, str]) -> PriceKey | None:
    """Return the key with a term, or None when the book has no such term."""
    if kind == "OnDemand":
        return found.key
    if kind != "Reserved":
        return None
    names = ("LeaseContractLength", "PurchaseOption", "OfferingClass")
    return key_in(found, *(term.get(name, "") for name in names))


def _of_term(price: Dimension, term: Mapping[str, str]) -> Dimension:
    return price._replace(offer_term=term.get("offerTermCode", ""), effective=term.get("effectiveDate", ""))


def _prices(events: Events) -> list[Dimension]:
    """Return the prices of one term, without what the term says."""
    prices: list[Dimension] = []
    fields: dict[str, str] = {}
    amounts: dict[str, str] = {}
    depth, key = 0, ""
    for event, value in events:
        if event == "map_key":
            key = value
        elif event == "string":
            (amounts if depth == 3 else fields)[key] = value
        else:
            depth += _step(event)
            if event == "end_map" and depth == 1:
                currency = CURRENCY if CURRENCY in amounts else next(iter(amounts), "")
                rest = (fields.get(name, "") for name in ("beginRange", "endRange", "description", "rateCode"))
                amount = amounts.get(currency, "")
                prices.append(Dimension("", "", fields.get("unit", ""), amount, currency, *rest))
                fields, amounts = {}, {}
            elif not depth:
                break
    return prices


def _skip(events: Events) -> None:
    """Read past one value."""
    depth = 0
    for event, _ in events:
        if event != "map_key":
            depth += _step(event)
            if not depth:
                return


def _step(event: str) -> int:
    """Return by how much an event goes deeper."""
    return event.startswith("start_") - event.startswith("end_")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
