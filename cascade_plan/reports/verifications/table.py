"""A verified run on one screen: its load, its gates, and the plan's predictions beside what was measured."""

from __future__ import annotations

from collections.abc import Iterable

from cascade_plan.model.measurement import Verification
from cascade_plan.reports._fitting import folded
from cascade_plan.reports._words import gate_line
from cascade_plan.reports.columns import WIDTH, aligned
from cascade_plan.reports.verifications._comparisons import (
    HEADERS,
    NUMBERS,
    TITLE,
    applied_line,
    finding_line,
    gates_title,
    headline,
    reasons,
    row,
)

FORMAT: str = "plain text for a terminal: load, gates, predictions beside measurements, findings"


def render(verification: Verification, width: int = WIDTH) -> str:
    """Return the run as plain text of `width` columns."""
    applied = [applied_line(each.verdict) for each in verification.applied]
    parts = [
        _lines((headline(verification), *reasons(verification)), width),
        _lines(("Load", *applied), width),
        _lines((gates_title(verification), *map(gate_line, verification.verdicts)), width),
    ]
    if verification.comparisons:
        rows = [row(comparison) for comparison in verification.comparisons]
        parts.append(f"{TITLE}\n{aligned(HEADERS, rows, NUMBERS, width)}")
    if verification.findings:
        parts.append(_lines(("Findings", *map(finding_line, verification.findings)), width))
    return "\n\n".join(parts) + "\n"


def _lines(lines: Iterable[str], width: int) -> str:
    return "\n".join(part for line in lines for part in folded(line, width, "  "))
