"""A verified run on one screen: its gates, and the plan's predictions beside what was measured."""

from __future__ import annotations

from cascade_plan.model.measurement import Verification
from cascade_plan.reports._words import gate_line
from cascade_plan.reports.columns import WIDTH, aligned
from cascade_plan.reports.verifications._comparisons import HEADERS, NUMBERS, TITLE, finding_line, headline, row

FORMAT: str = "plain text for a terminal: gates, predictions beside measurements, findings"


def render(verification: Verification, width: int = WIDTH) -> str:
    """Return the run as plain text of `width` columns."""
    parts = [headline(verification), "\n".join(["Gates", *map(gate_line, verification.verdicts)])]
    if verification.comparisons:
        rows = [row(comparison) for comparison in verification.comparisons]
        parts.append(f"{TITLE}\n{aligned(HEADERS, rows, NUMBERS, width)}")
    if verification.findings:
        parts.append("\n".join(["Findings", *map(finding_line, verification.findings)]))
    return "\n\n".join(parts) + "\n"
