"""What a grid comes to in words, and its points as rows, the same in every format."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from math import isfinite
from typing import Any

from cascade_plan.model.sweep import Sweep
from cascade_plan.reports._words import count, one_line, usd


def headline(sweep: Sweep) -> str:
    """Return what was planned where."""
    return f"{sweep.scenario} at {sweep.point_count:,} points of {', '.join(sweep.axes)}, sized by its rules"


def sentences(sweep: Sweep) -> Iterator[str]:
    """Yield what to know of all points."""
    for called, point in (("least", sweep.cheapest), ("most", sweep.dearest)):
        if point is not None:
            yield f"A month costs {called}, {cost(sweep, point.number)}, at {where(sweep, point.number)}."
    yield (
        f"{sweep.over_budget_count:,} over budget, {sweep.failed_count:,} without a plan. "
        f"{sweep.checked_count:,} were planned by themselves too, to the same cent, and {sweep.alone_count:,} only so."
    )


def where(sweep: Sweep, point: int) -> str:
    """Return where a point is."""
    return ", ".join(f"{path} {plain(sweep.columns[path][point])}" for path in sweep.axes)


def cost(sweep: Sweep, point: int) -> str:
    """Return what a month costs at a point, as its budget judges it."""
    return usd(Decimal(str(sweep.columns[sweep.judged][point])))


def plain(value: Any) -> str:
    """Return a number or a word as it is read; nothing for what is not a number."""
    if isinstance(value, str):
        return one_line(value)
    return count(float(value)) if isfinite(value) else ""


def failure_lines(sweep: Sweep) -> Iterator[str]:
    """Yield the first points without a plan, and why."""
    for place, why in sweep.failures:
        yield one_line(f"{place}: {why}")
    if (more := sweep.failed_count - len(sweep.failures)) > 0:
        yield f"and {more:,} more"


def sampled(sweep: Sweep, most: int) -> list[int]:
    """Return at most so many points, evenly from the first to the last."""
    if sweep.point_count <= most:
        return list(range(sweep.point_count))
    return [round(step * (sweep.point_count - 1) / (most - 1)) for step in range(most)]


def headers(sweep: Sweep) -> list[str]:
    """Return the columns that a page has."""
    counts = [name for name in sweep.columns if name.endswith("node_count")]
    return [*sweep.axes, *counts, sweep.judged, "budget"]


def row(sweep: Sweep, point: int) -> list[str]:
    """Return a point as these columns have it."""
    names = headers(sweep)[:-2]
    over = float(sweep.columns["is_over_budget"][point])
    has_plan = isfinite(sweep.columns[sweep.judged][point])
    judged = {1.0: "over", 0.0: "within"}.get(over, "")
    return [*(plain(sweep.columns[name][point]) for name in names), cost(sweep, point) if has_plan else "", judged]
