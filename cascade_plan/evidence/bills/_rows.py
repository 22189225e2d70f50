"""Rows of a bill that say the same -> its line, for the forms that have a row for each charge."""

from __future__ import annotations

from decimal import Decimal

from cascade_plan.evidence.bill_file import Group
from cascade_plan.model.actuals import NOTHING, Line


def line_of(
    group: Group,
    kind: str,
    billed_usd: Decimal,
    effective_usd: Decimal,
    listed_usd: Decimal,
    is_committed: bool,
    description: str = "",
) -> Line:
    """Return the line that rows with their own amounts are; only usage has a quantity, and can be final."""
    words, amounts = group.words, group.amounts
    return Line(
        kind=kind,
        month=words.get("month", "")[:7],
        service=words.get("service", ""),
        usage_type=words.get("usage_type", ""),
        operation=words.get("operation", ""),
        region=words.get("region", ""),
        unit=words.get("unit", ""),
        currency=words.get("currency", ""),
        account=words.get("account", ""),
        sku=words.get("sku", ""),
        description=description,
        is_committed=is_committed,
        tags=group.tags,
        quantity=amounts.get("quantity", NOTHING) if kind == "usage" else NOTHING,
        billed_usd=billed_usd,
        effective_usd=effective_usd,
        listed_usd=listed_usd,
        row_count=group.row_count,
        until=group.until,
        is_final=bool(words["invoice"]) if "invoice" in words and kind == "usage" else None,
    )
