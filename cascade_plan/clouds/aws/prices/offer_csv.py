"""The rates in an offer file's CSV layout."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from cascade_plan.clouds.aws.prices.offer_table import Table
from cascade_plan.clouds.aws.prices.offers import Dimension, Found, Wanted, key_in, rate_of
from cascade_plan.model.price import PriceKey
from cascade_plan.prices.rates import Rate, Request

HEADINGS: Final = {
    "capacitystatus": "CapacityStatus",
    "operation": "operation",
    "preInstalledSw": "Pre Installed S/W",
    "usagetype": "usageType",
    "volumeApiName": "Volume API Name",
}
"""An attribute, by its name in the query API -> the heading of its column, where it is not the name's words."""
_PRICE: Final = (
    "OfferTermCode", "EffectiveDate", "Unit", "PricePerUnit", "Currency", "StartingRange", "EndingRange",
    "PriceDescription", "RateCode",
)  # fmt: skip
"""In the order of `Dimension`."""
_TERM: Final = ("LeaseContractLength", "PurchaseOption", "OfferingClass")
"""Only offers that have reservations have these."""


def heading(attribute: str) -> str:
    """Return the heading of an attribute's column.

    >>> heading("fromRegionCode"), heading("usagetype")
    ('From Region Code', 'usageType')
    """
    return HEADINGS.get(attribute) or re.sub("(?<=[a-z])(?=[A-Z])", " ", attribute[:1].upper() + attribute[1:])


def rates(lines: Iterable[str], request: Request, offer: str) -> Iterator[Rate]:
    """Yield the rates of an offer that a request wants, in the file's order; memory does not grow with the file.

    Raises CloudError for a file that is cut short, of another offer, or without a heading that is needed.
    """
    wanted = Wanted(request, offer)
    if not wanted:
        return
    table = Table(lines, offer, offer)
    wanted.keep_known({name for name in wanted.attributes if heading(name) in table.headings}, heading)
    columns = table.columns(["SKU", "TermType", *_PRICE, *(heading(name) for name in sorted(wanted.attributes))])
    attributes = [(name, columns[heading(name)]) for name in wanted.attributes]
    price = [columns[name] for name in _PRICE]
    sku, term_type = columns["SKU"], columns["TermType"]
    for row in table.rows(wanted.marks()):
        found = wanted.find({name: row[index] for name, index in attributes}, row[sku])
        if found and (key := _key(table, found, row, row[term_type])):
            yield rate_of(table.edition, found, key, Dimension(*(row[index] for index in price)))


def _key(table: Table, found: Found, row: list[str], term_type: str) -> PriceKey | None:
    """Return the key with the record's term, or None when the book has no such term."""
    if term_type == "OnDemand":
        return found.key
    if term_type != "Reserved":
        return None
    return key_in(found, *(row[index] for index in table.columns(_TERM).values()))
