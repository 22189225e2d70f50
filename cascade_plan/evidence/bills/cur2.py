"""AWS's Cost and Usage Report 2.0, and the older one as Athena writes its columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from cascade_plan.evidence.bill_file import BillFile, Layout
from cascade_plan.evidence.bills import _cur
from cascade_plan.model.actuals import Line

READS: str = "AWS's Cost and Usage Report 2.0"
COST: Final = "line_item_unblended_cost"

LAYOUT: Final = Layout(
    words={
        "kind": ("line_item_line_item_type",),
        "month": ("bill_billing_period_start_date", "line_item_usage_start_date"),
        "service": ("line_item_product_code",),
        "usage_type": ("line_item_usage_type",),
        "operation": ("line_item_operation",),
        "region": ("product_region_code", "product_region"),
        "unit": ("pricing_unit",),
        "currency": ("line_item_currency_code",),
        "account": ("line_item_usage_account_id",),
        "sku": ("product_sku",),
        "reservation": ("reservation_reservation_a_r_n", "reservation_reservation_arn"),
        "invoice": ("bill_invoice_id",),
    },
    amounts={
        "quantity": ("line_item_usage_amount",),
        "cost": (COST,),
        "net": ("line_item_net_unblended_cost",),
        "listed": ("pricing_public_on_demand_cost",),
        "reserved": ("reservation_effective_cost",),
        "net_reserved": ("reservation_net_effective_cost",),
        "unused_upfront": ("reservation_unused_amortized_upfront_fee_for_billing_period",),
        "net_unused_upfront": ("reservation_net_unused_amortized_upfront_fee_for_billing_period",),
        "unused_recurring": ("reservation_unused_recurring_fee",),
        "net_unused_recurring": ("reservation_net_unused_recurring_fee",),
        "plan": ("savings_plan_savings_plan_effective_cost",),
        "net_plan": ("savings_plan_net_savings_plan_effective_cost",),
        "plan_total": ("savings_plan_total_commitment_to_date",),
        "plan_used": ("savings_plan_used_commitment",),
    },
    until=("line_item_usage_end_date",),
    tags=("resource_tags",),
    tag_columns=("resource_tags_user_",),
)


def claims(file: BillFile) -> bool:
    """Return whether a file's columns are those of CUR 2.0."""
    return COST in file.columns


def read(file: BillFile, tags: Sequence[str]) -> Iterator[Line]:
    """Yield the lines of the bill with those of their tags. Raises UsageError for rows that are none."""
    return _cur.lines(file, LAYOUT, tags)
