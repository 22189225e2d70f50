"""FOCUS, the open specification of bills, 1.0 to 1.4; with AWS's own columns, or without.

Columns: https://focus.finops.org/focus-specification/. Those that only name provider and publisher changed between the
versions; they are not read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from cascade_plan.errors import UsageError
from cascade_plan.evidence.bill_file import BillFile, Group, Layout
from cascade_plan.evidence.bills._rows import line_of
from cascade_plan.model.actuals import NOTHING, Line

READS: str = "FOCUS 1.0 to 1.4"
NEEDED: Final = frozenset({"BilledCost", "EffectiveCost", "ChargeCategory"})
USAGE_TYPE: Final = "x_UsageType"
FORECAST: Final = "x_Forecast"
_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "category": ("ChargeCategory",),
    "class": ("ChargeClass",),
    "month": ("BillingPeriodStart",),
    "service": ("x_ServiceCode",),
    "usage_type": (USAGE_TYPE,),
    "operation": ("x_Operation",),
    "region": ("RegionId",),
    "unit": ("PricingUnit", "ConsumedUnit"),
    "currency": ("BillingCurrency",),
    "account": ("SubAccountId",),
    "sku": ("SkuId",),
    "pricing": ("PricingCategory",),
    "commitment": ("CommitmentDiscountId",),
    "status": ("CommitmentDiscountStatus",),
    "invoice": ("InvoiceId",),
    "forecast": (FORECAST,),
}
_AMOUNTS: Final[Mapping[str, tuple[str, ...]]] = {
    "quantity": ("PricingQuantity", "ConsumedQuantity"),
    "billed": ("BilledCost",),
    "effective": ("EffectiveCost",),
    "listed": ("ListCost",),
}
DESCRIPTION: Final[Mapping[str, tuple[str, ...]]] = {"description": ("ChargeDescription",)}
"""Read only where nothing else says what a row is: descriptions differ by price, and of some rows by more."""
KINDS: Final = {"Usage": "usage", "Purchase": "purchase", "Tax": "tax", "Credit": "credit"}


def claims(file: BillFile) -> bool:
    """Return whether a file's columns are those of FOCUS."""
    return frozenset(file.columns) >= NEEDED


def read(file: BillFile, tags: Sequence[str]) -> Iterator[Line]:
    """Yield the lines of the bill with those of their tags.

    Raises UsageError for rows that are none, and for those of a forecast: they are what a plan expects.
    """
    words = _WORDS if USAGE_TYPE in file.columns else {**_WORDS, **DESCRIPTION}
    layout = Layout(words, _AMOUNTS, ("ChargePeriodEnd",), ("Tags",))
    for group in file.groups(layout, tags):
        if group.words.get("forecast", "").lower() == "true":
            raise UsageError(f"{file.name}: its rows are a forecast ({FORECAST} is true), not a bill")
        yield _line(group)


def _line(group: Group) -> Line:
    words, amounts = group.words, group.amounts
    kind = _kind(words)
    billed = amounts.get("billed", NOTHING)
    is_committed = kind == "usage" and (words.get("pricing") == "Committed" or bool(words.get("commitment")))
    listed = amounts["listed"] if kind == "usage" and "listed" in amounts else billed
    effective = amounts.get("effective", NOTHING)
    return line_of(group, kind, billed, effective, listed, is_committed, words.get("description", ""))


def _kind(words: Mapping[str, str]) -> str:
    if words.get("class") == "Correction":
        return "refund"
    kind = KINDS.get(words.get("category", ""), "adjustment")
    if kind == "usage" and words.get("status") == "Unused":
        return "unused"
    return "fee" if kind == "purchase" and not words.get("commitment") else kind
