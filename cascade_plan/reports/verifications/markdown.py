"""A verified run for a page: its load, its gates, and the plan's predictions beside what was measured."""

from __future__ import annotations

from cascade_plan.model.measurement import Verification
from cascade_plan.reports._marked import escaped, table
from cascade_plan.reports._words import gate_line
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

FORMAT: str = "Markdown: load, gates, predictions beside measurements, findings"


def render(verification: Verification) -> str:
    """Return the run as GitHub-flavoured Markdown."""
    lines = [f"# {escaped(headline(verification))}", ""]
    if why := reasons(verification):
        lines += [*(f"- **{escaped(reason)}**" for reason in why), ""]
    lines += ["## Load", "", *(f"- {escaped(applied_line(each.verdict))}" for each in verification.applied), ""]
    lines += [f"## {gates_title(verification)}", ""]
    lines += [f"- {escaped(gate_line(verdict))}" for verdict in verification.verdicts]
    if verification.comparisons:
        lines += ["", f"## {TITLE}", "", *table(HEADERS, map(row, verification.comparisons), NUMBERS)]
    if verification.findings:
        lines += ["", "## Findings", ""]
        lines += [f"- {escaped(finding_line(finding))}" for finding in verification.findings]
    return "\n".join(lines).rstrip("\n") + "\n"
