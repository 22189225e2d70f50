"""The cheapest fleet on a terminal: what it is, what is next, and why not one less."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.model.optimum import Optimum, Part
from cascade_plan.reports._fitting import fitted, folded
from cascade_plan.reports._words import one_line
from cascade_plan.reports.columns import WIDTH, aligned
from cascade_plan.reports.optima._parts import (
    COSTS,
    HEADERS,
    LADDER,
    MONTHS,
    WAYS,
    decides,
    gaps,
    headline,
    ladder,
    months,
    requirements,
    rows,
    sureness,
    title,
    verdict,
    ways_out,
    why_infeasible,
)

FORMAT: str = "plain text for a terminal: the fleet by tier, the next best of each, why not one less, the verdict"


SHOWN = 6
"""Requirements on a terminal; a page has all."""


def render(optimum: Optimum, width: int = WIDTH, written: str = "") -> str:
    """Return the optimum as plain text; `written` is the file that has the scenario which pins it."""
    after = f"cascade-plan check {written}" if written else "the same with -o best.yaml, then check best.yaml"
    parts = [
        _folded([title(optimum), "", *headline(optimum)], width),
        [aligned(HEADERS, list(rows(optimum)), (2, 4), width, (3,), ruled=False)],
        [aligned(MONTHS, list(months(optimum)), (0, 1, 2), width, ruled=False)] if optimum.months else [],
        [aligned(LADDER, list(ladder(optimum)), (0, 1, 2), width, ruled=False)] if optimum.ladder else [],
        _why_not_less(optimum, width) if not optimum.is_over_budget else [],
        [aligned(COSTS, costs, (1,), width, ruled=False)] if (costs := list(requirements(optimum))[:SHOWN]) else [],
        [aligned(WAYS, ways, (1, 2), width, ruled=False)] if (ways := list(ways_out(optimum))[:3]) else [],
        _folded(list(why_infeasible(optimum)), width),
        [
            *_decides(optimum, width),
            *_folded(
                [*sureness(optimum), *gaps(optimum), *filter(None, [verdict(optimum)]), f"  next: {after}"], width
            ),
        ],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _folded(lines: list[str], width: int) -> list[str]:
    return [part for line in lines for part in folded(line, width, "  ")]


def _why_not_less(optimum: Optimum, width: int) -> list[str]:
    lines = [fitted(line, width) for part in optimum.parts for line in _rejected(part)]
    return ["one less fails", *lines] if lines else []


def _decides(optimum: Optimum, width: int) -> list[str]:
    """Return the two ways that most hangs on."""
    lines = [part for line in list(decides(optimum))[:2] for part in folded(f"  {one_line(line)}", width, "    ")]
    return ["decides the answer", *lines] if lines else []


def _rejected(part: Part) -> Iterator[str]:
    for each in part.rejected[:1]:
        yield f"  {each.words}: {one_line(each.reason)}"
