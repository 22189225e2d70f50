"""A verified run on one screen: its gates, and the plan's predictions beside what was measured."""

from __future__ import annotations

from cascade_plan.model.measurement import Verification
from cascade_plan.reports._words import gate_line
from cascade_plan.reports.verifications._comparisons import HEADERS, NUMBERS, TITLE, finding_line, headline, row

FORMAT: str = "plain text for a terminal: gates, predictions beside measurements, findings"


def render(verification: Verification) -> str:
    """Return the run as plain text."""
    from tabulate import tabulate

    parts = [headline(verification), "\n".join(["Gates", *map(gate_line, verification.verdicts)])]
    if verification.comparisons:
        rows = [row(comparison) for comparison in verification.comparisons]
        align = ["right" if index in NUMBERS else "left" for index in range(len(HEADERS))]
        table = tabulate(rows, HEADERS, tablefmt="simple", colalign=align, disable_numparse=True)
        parts.append(f"{TITLE}\n{table}")
    if verification.findings:
        parts.append("\n".join(["Findings", *map(finding_line, verification.findings)]))
    return "\n\n".join(parts) + "\n"
