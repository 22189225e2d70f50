"""AWS's legacy Cost and Usage Report, whose columns are called lineItem/UsageType."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from cascade_plan.evidence.bill_file import BillFile, Layout
from cascade_plan.evidence.bills import _cur
from cascade_plan.model.actuals import Line

READS: str = "AWS's legacy Cost and Usage Report"
COST: Final = "lineItem/UnblendedCost"
_UNUSED: Final = "UnusedAmortizedUpfrontFeeForBillingPeriod"

LAYOUT: Final = Layout(
    words={
        "kind": ("lineItem/LineItemType",),
        "month": ("bill/BillingPeriodStartDate", "lineItem/UsageStartDate"),
        "service": ("lineItem/ProductCode",),
        "usage_type": ("lineItem/UsageType",),
        "operation": ("lineItem/Operation",),
        "region": ("product/regionCode", "product/region"),
        "unit": ("pricing/unit",),
        "currency": ("lineItem/CurrencyCode",),
        "account": ("lineItem/UsageAccountId",),
        "sku": ("product/sku",),
        "reservation": ("reservation/ReservationARN",),
        "invoice": ("bill/InvoiceId",),
    },
    amounts={
        "quantity": ("lineItem/UsageAmount",),
        "cost": (COST,),
        "net": ("lineItem/NetUnblendedCost",),
        "listed": ("pricing/publicOnDemandCost",),
        "reserved": ("reservation/EffectiveCost",),
        "net_reserved": ("reservation/NetEffectiveCost",),
        "unused_upfront": (f"reservation/{_UNUSED}",),
        "net_unused_upfront": (f"reservation/Net{_UNUSED}",),
        "unused_recurring": ("reservation/UnusedRecurringFee",),
        "net_unused_recurring": ("reservation/NetUnusedRecurringFee",),
        "plan": ("savingsPlan/SavingsPlanEffectiveCost",),
        "net_plan": ("savingsPlan/NetSavingsPlanEffectiveCost",),
        "plan_total": ("savingsPlan/TotalCommitmentToDate",),
        "plan_used": ("savingsPlan/UsedCommitment",),
    },
    until=("lineItem/UsageEndDate",),
    tag_columns=("resourceTags/user:", "resourceTags/"),
)


def claims(file: BillFile) -> bool:
    """Return whether a file's columns are those of the legacy report."""
    return COST in file.columns


def read(file: BillFile, tags: Sequence[str]) -> Iterator[Line]:
    """Yield the lines of the bill with those of their tags. Raises UsageError for rows that are none."""
    return _cur.lines(file, LAYOUT, tags)
