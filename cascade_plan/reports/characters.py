"""A simulated day in characters, for a terminal: load and capacity, nodes, latency, on one axis of time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from math import floor
from typing import Final

from cascade_plan.errors import UsageError
from cascade_plan.model.replay import Simulation
from cascade_plan.reports._fitting import fitted
from cascade_plan.reports._story import OFF_SCALE, Scale, Story, axis_label, off_scale, stories, time_marks

GUTTER: Final = 8
"""Columns left of a chart, for the labels of its scale and the axis."""
NARROWEST: Final = 40
LOWEST: Final = 3
BLOCKS: Final = " ▁▂▃▄▅▆▇█"
Rows = list[list[str]]
"""Cells of a chart, top row first."""


def text(simulation: Simulation, policy: str, width: int = 80, height: int = 12) -> str:
    """Return a policy's first run as a chart of at most `width` columns for a terminal, without colour.

    Several services have a chart each. `height` is the rows of the first panel, load and capacity; nodes and latency
    have half of them. A column stands for its ticks' greatest load, nodes and latency and for their least capacity; a
    mark below it for a tick that missed the SLO. Raises UsageError for a policy without a timeline and for a chart
    below 40 columns or 3 rows.
    """
    if width < NARROWEST or height < LOWEST:
        raise UsageError(
            f"a chart is at least {NARROWEST} columns wide and {LOWEST} rows high, not {width} and {height}"
        )
    return "\n".join(_chart(story, width, height) for story in stories(simulation, policy))


def _chart(story: Story, width: int, height: int) -> str:
    across, half, timeline = width - GUTTER, max(2, height // 2), story.timeline
    load = _bars(timeline.requests_per_s, story.requests, across, height)
    _overlay(load, _columns(timeline.capacity_requests_per_s, across, min), story.requests)
    nodes = _bars(timeline.node_count, story.nodes, across, half)
    latency = _bars(timeline.latency_ms_p95, story.latency, across, half)
    _mark_limit(latency, story)
    lines = [
        story.title,
        story.subtitle,
        story.source,
        "",
        f"{story.load_title}: █ load, ─ capacity of ready pods",
        *_labelled(load, story.requests),
        story.nodes_title,
        *_labelled(nodes, story.nodes),
        f"{story.latency_title}; ┄ {story.slo_title}",
        *_labelled(latency, story.latency),
        *_below(story, across),
    ]
    return "\n".join(fitted(line, width).rstrip() for line in lines) + "\n"


def _columns(values: Sequence[float], column_count: int, pick: Callable[[Sequence[float]], float]) -> list[float]:
    """Return one value a column, picked from the ticks that it stands for; nothing when there are no ticks.

    What is off the scale is OFF_SCALE.
    """
    size = len(values)
    if not size:
        return []
    clamped = [OFF_SCALE if off_scale(value) else value for value in values]
    firsts = [column * size // column_count for column in range(column_count + 1)]
    return [pick(clamped[first : max(end, first + 1)]) for first, end in pairwise(firsts)]


def _bars(values: Sequence[float], scale: Scale, column_count: int, row_count: int) -> Rows:
    """Return a column of blocks for each value, an arrow at its head when it is off the scale."""
    rows = [[" "] * column_count for _ in range(row_count)]
    for column, value in enumerate(_columns(values, column_count, max)):
        eighths = round(scale.share(value) * row_count * 8)
        eighths = max(eighths, 1) if value > 0 else eighths
        for row in range(row_count):
            rows[row_count - 1 - row][column] = BLOCKS[min(max(eighths - 8 * row, 0), 8)]
        if off_scale(value):
            rows[0][column] = "↑"
    return rows


def _overlay(rows: Rows, values: Sequence[float], scale: Scale) -> None:
    """Draw a line in steps over a chart."""
    bottom = len(rows) - 1
    heights = [bottom - min(bottom, floor(scale.share(value) * len(rows))) for value in values]
    for column, row in enumerate(heights):
        before = heights[column - 1] if column else row
        for between in range(min(before, row) + 1, max(before, row)):
            rows[between][column] = "│"
        if row == before:
            rows[row][column] = "─"
        else:
            rows[before][column], rows[row][column] = ("╯", "╭") if row < before else ("╮", "╰")


def _mark_limit(rows: Rows, story: Story) -> None:
    """Draw the SLO where no latency hides it."""
    if story.has_slo:
        bottom = len(rows) - 1
        share = story.latency.share(story.timeline.slo_latency_ms_p95)
        row = rows[bottom - min(bottom, floor(share * len(rows)))]
        row[:] = ["┄" if cell == " " else cell for cell in row]


def _labelled(rows: Rows, scale: Scale) -> Iterator[str]:
    """Yield a chart's lines with the ends of its scale at their left."""
    for index, row in enumerate(rows):
        label = axis_label(scale.high) if index == 0 else axis_label(scale.low) if index == len(rows) - 1 else ""
        yield f"{label:>{GUTTER - 2}} │{''.join(row)}"


def _below(story: Story, column_count: int) -> Iterator[str]:
    """Yield the marks of missed ticks, where there are any, the axis of time and its labels."""
    late = _columns(story.timeline.missed, column_count, max)
    if any(late):
        yield f"{'missed':>{GUTTER - 2}} │{''.join('▲' if missed else ' ' for missed in late)}"
    axis, labels = ["─"] * column_count, [" "] * (column_count + GUTTER)
    for at, label in time_marks(story.duration_s, column_count // 10):
        column = min(column_count - 1, int(at / story.duration_s * column_count))
        axis[column] = "┴"
        first = min(GUTTER + column, len(labels) - len(label))
        labels[first : first + len(label)] = label
    yield f"{'':>{GUTTER - 2}} └{''.join(axis)}"
    yield "".join(labels)
