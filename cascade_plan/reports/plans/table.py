"""A plan on a terminal: the first screen, everything, or its verdict alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from cascade_plan.model.plan import Plan, Verdict
from cascade_plan.reports import _words as words
from cascade_plan.reports._fitting import folded
from cascade_plan.reports.columns import WIDTH, aligned
from cascade_plan.reports.plans._screen import all_folded, bill, closing, screen, title
from cascade_plan.reports.plans._sections import Section, prices, sections
from cascade_plan.reports.plans._tiers import cells

NOT_MET: Final = ("fail", "unjudged")
FORMAT: str = "plain text for a terminal: cost by tier, what is missed, findings and the verdict"


def render(plan: Plan, width: int = WIDTH, full: bool = False, command: str = "") -> str:
    """Return a plan as plain text: 24 lines at most on a page of 80 columns, or with `full` all that it says.

    The verdict stands last, followed by the `command` to go on with, where there is one.
    """
    if not full:
        return screen(plan, width, command)
    lines = [*folded(title(plan, width), width), *folded(prices(plan), width), "", bill(plan, width)]
    for section in sections(plan):
        if section.rows:
            lines += ["", *folded(section.title, width), *_table(section, width)]
    return "\n".join([*lines, "", *all_folded(closing(plan, command), width)]) + "\n"


def verdict(plan: Plan, width: int = WIDTH, listed: Collection[str] = NOT_MET) -> str:
    """Return how the gates end, those that end as in `listed` (fail, unjudged), and what the plan costs."""
    return "\n".join(all_folded(_verdict(plan, listed), width)) + "\n"


def _verdict(plan: Plan, listed: Collection[str]) -> Iterator[str]:
    missed, unjudged = failures(plan), [each for each in plan.verdicts if each.status == "unjudged"]
    count = len(plan.verdicts)
    ends = [f"{len(missed)} of {count} gates missed"] if missed else [] if unjudged else [f"all {count} gates met"]
    ends += [f"{len(unjudged)} of {count} gates not judged"] if unjudged and not missed else []
    ends += [f"{len(unjudged)} not judged"] if unjudged and missed else []
    mark = words.MARKS["fail" if missed else "unjudged" if unjudged else "pass"]
    name = words.one_line(plan.scenario.name)
    yield f"{mark} {name}: {', '.join(ends)}" if count else f"{name}: no gates"
    for status in NOT_MET:
        if status in listed:
            yield from (f"  {gate(each)}" for each in plan.verdicts if each.status == status)
    *_, (_, (spread, *_), _, amount, _) = cells(plan)
    yield f"  total {amount} USD a month" + (f", {spread}" if spread else "")
    yield from closing(plan, "")


def failures(plan: Plan) -> list[str]:
    """Return the lines of the gates that failed, in the plan's order."""
    return [gate(verdict) for verdict in plan.verdicts if verdict.status == "fail"]


def gate(verdict: Verdict) -> str:
    """Return a gate and how it ended, on one line."""
    return words.gate_line(verdict)


def _table(section: Section, width: int) -> list[str]:
    """Return a section's lines; one without headers is a list."""
    if section.headers:
        return aligned(section.headers, section.rows, section.right, width, section.dropped).split("\n")
    return [line for row in section.rows for line in folded(row[0], width, "    ")]
