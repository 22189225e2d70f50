"""A verified run for a page: its gates, and the plan's predictions beside what was measured."""

from __future__ import annotations

from cascade_plan.model.measurement import Verification
from cascade_plan.reports._marked import escaped, table
from cascade_plan.reports._words import gate_line
from cascade_plan.reports.verifications._comparisons import HEADERS, NUMBERS, TITLE, finding_line, headline, row

FORMAT: str = "Markdown: gates, predictions beside measurements, findings"


def render(verification: Verification) -> str:
    """Return the run as GitHub-flavoured Markdown."""
    lines = [f"# {escaped(headline(verification))}", "", "## Gates", ""]
    lines += [f"- {escaped(gate_line(verdict))}" for verdict in verification.verdicts]
    if verification.comparisons:
        lines += ["", f"## {TITLE}", "", *table(HEADERS, map(row, verification.comparisons), NUMBERS)]
    if verification.findings:
        lines += ["", "## Findings", ""]
        lines += [f"- {escaped(finding_line(finding))}" for finding in verification.findings]
    return "\n".join(lines).rstrip("\n") + "\n"
