"""A month's bill beside the plan for programs."""

from __future__ import annotations

from dataclasses import asdict

from cascade_plan.model.actuals import Actuals
from cascade_plan.reports._document import written

FORMAT: str = "JSON: every line with its amounts and causes, the sums, the way to the invoice, verdicts"


def render(actuals: Actuals) -> str:
    """Return the month as JSON; amounts of money and of use are decimal text, unrounded."""
    document = asdict(actuals)
    for line in document["variances"]:
        line["items"] = sorted(" ".join(item) for item in line["items"])
    document |= {
        "schema_version": 1,
        "status": actuals.status,
        "difference_usd": actuals.difference_usd,
        "variance_percent": actuals.percent,
        "is_within_gates": actuals.is_within_gates,
        "invoice": [{"what": words, "usd": usd} for words, usd in actuals.invoice_usd],
        "planned_users": dict(zip(("peak", "average"), actuals.planned_users, strict=True)),
        "actual_users": dict(zip(("peak", "average"), actuals.actual_users, strict=True)),
        "unit_cost_usd": dict(zip(("planned", "actual"), actuals.unit_cost_usd, strict=True)),
        "set": [each.assignment for each in actuals.suggestions],
    }
    for line, each in zip(document["variances"], actuals.variances, strict=True):
        line["difference_usd"] = each.difference_usd
    return written(document)
