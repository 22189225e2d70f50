"""A line of AWS's Cost and Usage Report, whichever way its columns are written.

Accrual is what AWS's own queries take: https://catalog.workshops.aws/cur-query-library (amortized cost). Columns:
https://docs.aws.amazon.com/cur/latest/userguide/table-dictionary-cur2.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

from cascade_plan.evidence.bill_file import BillFile, Group, Layout
from cascade_plan.evidence.bills._rows import line_of
from cascade_plan.model.actuals import NOTHING, Line

KINDS: Final[Mapping[str, str]] = {
    "Usage": "usage",
    "DiscountedUsage": "usage",
    "SavingsPlanCoveredUsage": "usage",
    "RIFee": "unused",
    "SavingsPlanRecurringFee": "unused",
    "SavingsPlanNegation": "purchase",
    "SavingsPlanUpfrontFee": "purchase",
    "Fee": "fee",
    "Tax": "tax",
    "Credit": "credit",
    "Refund": "refund",
    "SavingsPlanRefund": "refund",
    "EdpDiscount": "discount",
    "BundledDiscount": "discount",
    "PrivateRateDiscount": "discount",
    "RiVolumeDiscount": "discount",
    "DistributorDiscount": "discount",
    "SppDiscount": "discount",
}
"""line_item_line_item_type -> what it is. Another one is an adjustment: shown, and held against nothing."""


def lines(file: BillFile, layout: Layout, tags: Sequence[str]) -> Iterator[Line]:
    """Yield the lines of a report. Raises UsageError as `groups` does."""
    return map(_line, file.groups(layout, tags))


def _line(group: Group) -> Line:
    words, amounts = group.words, group.amounts
    item = words.get("kind", "")
    kind = "purchase" if item == "Fee" and words.get("reservation") else KINDS.get(item, "adjustment")
    billed = _amount(amounts, "net", "cost")
    effective = _effective(item, kind, billed, amounts)
    listed = amounts.get("listed", NOTHING) or (billed if kind == "usage" else NOTHING)
    is_committed = item in ("DiscountedUsage", "SavingsPlanCoveredUsage")
    return line_of(group, kind, billed, effective, listed, is_committed)


def _effective(item: str, kind: str, billed: Decimal, amounts: Mapping[str, Decimal]) -> Decimal:
    """Return what a line costs when commitments are spread over what they pay for."""
    if item == "SavingsPlanCoveredUsage":
        return _amount(amounts, "net_plan", "plan")
    if item == "DiscountedUsage":
        return _amount(amounts, "net_reserved", "reserved")
    if item == "RIFee":
        return _amount(amounts, "net_unused_upfront", "unused_upfront") + _amount(
            amounts, "net_unused_recurring", "unused_recurring"
        )
    if item == "SavingsPlanRecurringFee":
        return amounts.get("plan_total", NOTHING) - amounts.get("plan_used", NOTHING)
    return NOTHING if kind == "purchase" else billed


def _amount(amounts: Mapping[str, Decimal], *names: str) -> Decimal:
    """Return the first of some amounts that the report has a column for: with a contract the net one is the truth."""
    return next((amounts[name] for name in names if name in amounts), NOTHING)
