"""The report: finance's page first, then what engineers and auditors read."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from cascade_plan.model.paper import Paper
from cascade_plan.model.plan import Plan
from cascade_plan.model.titles import title
from cascade_plan.reports import _words as words
from cascade_plan.reports._causes import by_tier
from cascade_plan.reports._marked import code, escaped, paragraph, table, xychart
from cascade_plan.reports.plans import _facts as facts
from cascade_plan.reports.plans._answer import sentence
from cascade_plan.reports.plans._appendix import appendix
from cascade_plan.reports.plans._finance import MONTHS, WATERFALL, page
from cascade_plan.reports.plans._tiers import HEADERS, NUMBERS, cells

FORMAT: str = "Markdown: a page for finance, then cost, commitments, assumptions, requirements, prices and rollout"
FIRST_FINDINGS: Final = 3


def render(plan: Plan, paper: Paper | None = None) -> str:
    """Return the report as GitHub-flavoured Markdown with Mermaid charts: the page for finance, then the appendix.

    Without a `paper` it is what the appendix has.
    """
    lines = [*page(plan, paper, lambda name: _drawn_page(name, paper)), "---", ""] if paper is not None else []
    return "\n".join([*lines, *appendix(plan, paper)]).rstrip("\n") + "\n"


def _drawn_page(name: str, paper: Paper) -> Iterator[str]:
    """Yield a chart of the first page in Mermaid: the months by quarter, and the users as in the appendix."""
    if name == MONTHS:
        quarters = paper.months[::3]
        lines = [[month.effective_usd for month in quarters]]
        named = "with commitments"
        if all(month.budget_usd is not None for month in quarters):
            lines.append([month.budget_usd or Decimal(0) for month in quarters])
            named = f"{named}, and the budget as the lower line" if lines[0] >= lines[1] else f"{named}, and the budget"
        axis = ("every third month", [f"{month.start:%Y-%m}" for month in quarters])
        if len(quarters) > 1:
            yield from xychart(f"Cost a month {named}", axis, "USD a month", lines)
    elif name == WATERFALL and paper.saving is not None:
        rows = [(title(tier), words.usd(-usd)) for tier, usd in by_tier(paper.saving) if usd]
        old, new = (words.usd(each) for each in (paper.saving.cost_usd_before, paper.saving.cost_usd_after))
        yield from (escaped(f"From {old} a month today to {new} with the cheapest system:"), "")
        yield from table(("Part", "Saves a month"), rows, (1,))


def summary(plan: Plan) -> str:
    """Return the report's first page: the verdict, cost by tier, the gates that are missed and the first findings."""
    users = plan.scenario.users
    planned = f"{words.count(users.peak)} users at peak, {words.count(users.average)} on average"
    lines = [f"## {escaped(plan.scenario.name)}: {escaped(sentence(plan))}", ""]
    lines += [f"{planned}; gates: {facts.gate_counts(plan)}.", ""]
    rows = [(name, ", ".join(fleet), *rest) for name, fleet, *rest in cells(plan)]
    lines += table([header[:1].upper() + header[1:] for header in HEADERS], rows, NUMBERS)
    missed = [verdict for verdict in plan.verdicts if verdict.status == "fail"]
    lines += [
        f"- ✗ {code(f'{verdict.figure} {words.limit_text(verdict)}')} = {words.measured(verdict)}" for verdict in missed
    ]
    lines += [f"- {paragraph(finding.words)}" for finding in facts.first_findings(plan)[:FIRST_FINDINGS]]
    return "\n".join(lines).rstrip("\n") + "\n\n"
