"""The cheapest fleet on a terminal: what it is, what is next, and why not one less."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.model.optimum import Optimum, Part
from cascade_plan.reports._fitting import fitted, folded
from cascade_plan.reports._words import one_line
from cascade_plan.reports.columns import WIDTH, aligned
from cascade_plan.reports.optima._parts import HEADERS, MONTHS, decides, gaps, headline, months, rows, title, verdict

FORMAT: str = "plain text for a terminal: the fleet by tier, the next best of each, why not one less, the verdict"


def render(optimum: Optimum, width: int = WIDTH, written: str = "") -> str:
    """Return the optimum as plain text; `written` is the file that has the scenario which pins it."""
    after = f"cascade-plan check {written}" if written else "the same with -o best.yaml, then check best.yaml"
    lines = [
        *_folded([title(optimum), "", *headline(optimum)], width),
        "",
        aligned(HEADERS, list(rows(optimum)), (2, 4), width, (3,), ruled=False),
        "",
        *([aligned(MONTHS, list(months(optimum)), (0, 1, 2), width, ruled=False), ""] if optimum.months else []),
        *_why_not_less(optimum, width),
        *_decides(optimum, width),
        *_folded([*gaps(optimum), *filter(None, [verdict(optimum)]), f"  next: {after}"], width),
    ]
    return "\n".join(lines) + "\n"


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
