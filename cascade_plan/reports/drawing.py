"""A simulated day as a picture (SVG) and as text: load and capacity, nodes, latency, on one axis of time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from math import ceil, floor, isfinite, log10
from sys import float_info
from typing import Final, NamedTuple

from cascade_plan.errors import UsageError, did_you_mean
from cascade_plan.model.replay import Replay, Simulation, Timeline
from cascade_plan.reports._fitting import fitted
from cascade_plan.reports._words import count, one_line

POINTS: Final = 1500
"""Points a line of the picture has at most."""
LOG_FROM: Final = 20
"""Latency is drawn on a logarithmic scale when its maximum is more than so many times the SLO."""
DECADES: Final = 6
"""A logarithmic scale reaches so many powers of ten down at most."""
OFF_SCALE: Final = 1e15
"""Values from here on, and what is no number, have no place on a scale and are drawn at its upper edge."""
MINUTE: Final = 60
HOUR: Final = 3600
DAY: Final = 86_400
STEPS_S: Final = (
    1, 5, 15, 30, MINUTE, 5 * MINUTE, 10 * MINUTE, 30 * MINUTE,
    HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY,
)  # fmt: skip
"""Distances of the marks on the axis of time; above the last, its multiples."""
SUFFIXES: Final = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k"))


# Scales


class Scale(NamedTuple):
    """An axis of values, linear from 0 or logarithmic."""

    low: float
    high: float
    logarithmic: bool
    marks: tuple[float, ...]
    """Values that are labelled, rising."""

    def share(self, value: float) -> float:
        """Return where a value stands, 0 at the lower edge to 1 at the upper; what is beyond an edge is at it."""
        if not value < self.high:
            return 1.0
        if value <= self.low:
            return 0.0
        if self.logarithmic:
            return log10(value / self.low) / log10(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def off_scale(value: float) -> bool:
    """Return whether a value has no place on a scale: infinite, no number, or 1e15 and above."""
    return not value < OFF_SCALE


TINY: Final = 1e-300
"""Below this a value is 0 on any scale: its parts would be smaller than floats can be."""


def linear_scale(values: Sequence[float], mark_count: int = 5, whole: bool = False) -> Scale:
    """Return a scale from 0 to a round number not below any finite value; `whole` keeps its marks whole."""
    top = max((value for value in values if not off_scale(value)), default=0.0)
    top = top if top > TINY else 1.0
    step = _round_up(top / mark_count)
    step = max(1.0, step) if whole else step
    marks = tuple(index * step for index in range(ceil(top / step * (1 - 1e-9)) + 1))
    return Scale(0.0, marks[-1], False, marks)


def latency_scale(values: Sequence[float], slo: float, mark_count: int = 4) -> Scale:
    """Return a scale for latencies that shows the SLO too, logarithmic when they exceed 20 times the SLO."""
    finite = [value for value in (*values, slo) if not off_scale(value)]
    positive = [value for value in finite if value > 0]
    if not positive or max(positive) <= LOG_FROM * slo:
        # Without headroom a latency without an end would look like the largest finite one.
        beyond = [1.25 * max(finite)] if len(finite) <= len(values) and positive else []
        return linear_scale([*finite, *beyond], mark_count)
    high = _round_up(max(positive))
    low = max(10.0 ** floor(log10(min(positive))), 10.0 ** (ceil(log10(high)) - DECADES))
    powers = [10.0**power for power in range(round(log10(low)), ceil(log10(high) - 1e-9))]
    return Scale(low, high, True, (*powers, high))


def _round_up(value: float) -> float:
    """Return the least of 1, 2 and 5 times a power of ten that is not below a positive value."""
    # Below the least normal number a power of ten is rounded to nothing.
    value = max(value, float_info.min)
    power: float = 10.0 ** floor(log10(value))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= value * (1 - 1e-9))


def axis_label(value: float) -> str:
    """Return a value as an axis shows it, with four significant digits at most.

    >>> axis_label(0), axis_label(2500), axis_label(12_500), axis_label(0.05)
    ('0', '2,500', '12.5k', '0.05')
    """
    for size, suffix in SUFFIXES:
        if value >= size:
            unit = 1000.0 if suffix == "k" else size
            return f"{value / unit:.4g}{suffix}"
    return f"{value:,.4g}" if value < 1000 else f"{value:,.0f}"


def time_marks(duration_s: float, mark_count: int) -> list[tuple[float, str]]:
    """Return (seconds, label) of marks in an even number of seconds, minutes, hours or days, about `mark_count`."""
    wanted = duration_s / max(mark_count, 1)
    week = STEPS_S[-1]
    step = next((step for step in STEPS_S if step >= wanted), week * ceil(wanted / week))
    marks = [index * step for index in range(int(duration_s / step + 1e-9) + 1)]
    return [(mark, label) for mark in marks if (label := _time_label(mark, step, duration_s))]


def _time_label(mark_s: int, step_s: int, duration_s: float) -> str:
    if duration_s > DAY * 1.5:
        if mark_s % DAY:
            return f"{mark_s % DAY // HOUR} h"
        # The end of the last day is not the beginning of another.
        return f"day {mark_s // DAY + 1}" if mark_s < duration_s else ""
    unit, name = (HOUR, "h") if step_s >= HOUR else (MINUTE, "min") if step_s >= MINUTE else (1, "s")
    return f"{mark_s // unit} {name}"


def decimated(values: Sequence[float], point_count: int) -> list[tuple[int, float]]:
    """Return (index, value) of at most `point_count` values, in order: all, or the first, the last and of each of
    equally many neighbours the least and the greatest.

    Raises ValueError for fewer than 4 points.
    """
    if point_count < 4:
        raise ValueError("a line needs 4 points at least")
    size = len(values)
    if size <= point_count:
        return list(enumerate(values))
    buckets = (point_count - 2) // 2
    kept = {0, size - 1}
    for bucket in range(buckets):
        indexes = range(bucket * size // buckets, (bucket + 1) * size // buckets)
        kept |= {min(indexes, key=values.__getitem__), max(indexes, key=values.__getitem__)}
    return [(index, values[index]) for index in sorted(kept)]


# What is shown


@dataclass(frozen=True, slots=True)
class Story:
    """One policy's timeline with its scales and the words above it."""

    timeline: Timeline
    requests: Scale
    nodes: Scale
    latency: Scale
    title: str
    subtitle: str
    source: str
    nodes_name: str

    @property
    def size(self) -> int:
        """The number of ticks."""
        return len(self.timeline.requests_per_s)

    @property
    def duration_s(self) -> float:
        """Seconds from the first tick's beginning to the last one's end; 1 when there is none."""
        duration = self.size * self.timeline.tick_s
        return duration if isfinite(duration) and duration > 0 else 1.0

    @property
    def load_title(self) -> str:
        """The heading of the first panel."""
        return "Load and capacity (requests/s)"

    @property
    def nodes_title(self) -> str:
        """The heading of the second panel, with the least and the greatest number."""
        counts = self.timeline.node_count
        if not counts:
            return self.nodes_name
        low, high = min(counts), max(counts)
        return f"{self.nodes_name} ({low:,})" if low == high else f"{self.nodes_name} ({low:,} to {high:,})"

    @property
    def latency_title(self) -> str:
        """The heading of the third panel, which says what its scale does."""
        notes = ["ms"]
        if self.latency.logarithmic:
            notes.append("logarithmic")
        if any(map(off_scale, self.timeline.latency_ms_p95)):
            notes.append("off the scale where overloaded")
        return f"Latency p95 ({', '.join(notes)})"

    @property
    def slo_title(self) -> str:
        """The SLO in words."""
        return f"SLO {count(self.timeline.slo_latency_ms_p95)} ms" if self.has_slo else "no SLO"

    @property
    def has_slo(self) -> bool:
        """Whether the SLO has a place on the scale."""
        return 0 < self.timeline.slo_latency_ms_p95 < OFF_SCALE


def _stories(simulation: Simulation, policy: str) -> list[Story]:
    """Return what is shown of a policy, service by service. Raises UsageError for a policy without a timeline."""
    return [_story(simulation, replay, policy) for replay in simulation.replays]


def _story(simulation: Simulation, replay: Replay, policy: str) -> Story:
    timelines = dict(replay.timelines)
    if policy not in timelines:
        known = [name for name, _ in replay.timelines]
        raise UsageError(
            f"no timeline of a policy {policy!r}{did_you_mean(policy, known)}; "
            f"policies are {', '.join(known) or 'none at all'}"
        )
    timeline = timelines[policy]
    described = next((outcome.description for outcome in replay.outcomes if outcome.policy == policy), "")
    runs = f"run 1 of {simulation.run_count:,}, " if simulation.run_count > 1 else ""
    service = one_line(replay.service) if len(simulation.replays) > 1 else ""
    return Story(
        timeline,
        requests=linear_scale((*timeline.requests_per_s, *timeline.capacity_requests_per_s)),
        nodes=linear_scale(timeline.node_count, mark_count=4, whole=True),
        latency=latency_scale(timeline.latency_ms_p95, timeline.slo_latency_ms_p95),
        title=f"{', '.join(filter(None, (one_line(simulation.scenario), service)))}: {one_line(policy)}",
        subtitle=" · ".join(part for part in (_missed_words(timeline), one_line(described)) if part),
        source=f"{one_line(simulation.traffic)} · {runs}seed {simulation.seed}",
        nodes_name=f"{service or 'API'} nodes",
    )


def _missed_words(timeline: Timeline) -> str:
    ticks = sum(timeline.missed)
    if not timeline.missed:
        return "no ticks were simulated"
    if not ticks:
        return "SLO never missed"
    minutes = ticks * timeline.tick_s / MINUTE
    return f"SLO missed {minutes:,.1f} min, {ticks / len(timeline.missed):.2%} of the time"


# The picture

FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"
INK: Final = "#1a1a1a"
GREY: Final = "#5c5c5c"
GRID: Final = "#e3e3e3"
LOAD: Final = "#56b4e9"
LOAD_EDGE: Final = "#2a7fb5"
NODES: Final = "#44546a"
MISSED: Final = "#d55e00"
"""Blue and vermilion are Okabe and Ito's, told apart by every kind of colour vision; ink and shade differ in grey."""
LEFT: Final = 74
RIGHT: Final = 28
TOP: Final = 104
BOTTOM: Final = 44
HEADING: Final = 30
"""Pixels above a panel, for its heading."""
RUG: Final = 6
"""Height of the strip of missed ticks under the last panel."""
SWATCH: Final = 28
"""Pixels from the left of a legend's swatch to its words."""
GAP: Final = 18
LINE: Final = 15
"""Least pixels between two labels of a scale."""
SMALLEST: Final = (480, 360)


class Panel(NamedTuple):
    """A rectangle of the picture, in pixels."""

    top: float
    width: float
    height: float

    def x(self, share: float) -> str:
        """Return the abscissa at a share of the time."""
        return _pixels(LEFT + share * self.width)

    def y(self, share: float) -> str:
        """Return the ordinate at a share of the scale."""
        return _pixels(self.top + (1 - share) * self.height)


def _pixels(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


def svg(simulation: Simulation, policy: str, width: int = 1200, height: int = 720) -> str:
    """Return a policy's first run as an SVG document: for each service three panels on one axis of time.

    A picture has so many pixels; those of several services stand one below the other. Load is an area, capacity a line
    in steps; ticks that missed the SLO are shaded in every panel. Of each line at most 1500 points are drawn, every
    bucket's least and greatest. The document refers to nothing outside it, has no script, style sheet or ids, and is
    the same for the same simulation.
    Raises UsageError for a policy without a timeline and for a picture below 480 x 360.
    """
    if width < SMALLEST[0] or height < SMALLEST[1]:
        raise UsageError(f"a picture is at least {SMALLEST[0]} by {SMALLEST[1]} pixels, not {width} by {height}")
    pictures = [_picture(story, width, height) for story in _stories(simulation, policy)]
    if len(pictures) == 1:
        return pictures[0]
    whole = height * len(pictures)
    below = (f'<g transform="translate(0 {index * height})">\n{each}</g>' for index, each in enumerate(pictures))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{whole}" viewBox="0 0 {width} {whole}">'
    return "\n".join([head, *below, "</svg>"]) + "\n"


def _picture(story: Story, width: int, height: int) -> str:
    panels = _panels(width, height)
    missed = _missed_columns(story.timeline.missed, round(panels[0].width))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'role="img" font-family="{FONT}" font-size="14" fill="{INK}">',
        f"<title>{escape(story.title)}</title>",
        f"<desc>{escape(f'{story.subtitle}. {story.source}')}</desc>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        *_headlines(story, width),
        *_shading(panels, missed),
        *_load(story, panels[0]),
        *_nodes(story, panels[1]),
        *_latency(story, panels[2]),
        *_time_axis(story, panels),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _panels(width: int, height: int) -> tuple[Panel, Panel, Panel]:
    free = height - TOP - BOTTOM - 2 * HEADING - RUG
    first, second = round(free * 0.46), round(free * 0.18)
    across = width - LEFT - RIGHT
    second_top = TOP + first + HEADING
    third_top = second_top + second + HEADING
    return (
        Panel(TOP, across, first),
        Panel(second_top, across, second),
        Panel(third_top, across, free - first - second),
    )


def _headlines(story: Story, width: int) -> Iterator[str]:
    room = width - 2 * RIGHT
    for y, size, colour, weight, text in (
        (32, 22, INK, 600, story.title),
        (53, 14, INK, 400, story.subtitle),
        (71, 12, GREY, 400, story.source),
    ):
        shown = escape(fitted(text, int(room / (size * 0.56))))
        yield f'<text x="{RIGHT}" y="{y}" font-size="{size}" font-weight="{weight}" fill="{colour}">{shown}</text>'


def _missed_columns(missed: Sequence[bool], column_count: int) -> list[tuple[int, int]]:
    """Return (first, last + 1) of the runs of columns that hold a missed tick."""
    size, columns = len(missed), set()
    for tick, late in enumerate(missed):
        if late:
            first = tick * column_count // size
            columns |= {*range(first, max(first + 1, -(-(tick + 1) * column_count // size)))}
    runs: list[tuple[int, int]] = []
    for column in sorted(columns):
        if runs and runs[-1][1] == column:
            runs[-1] = (runs[-1][0], column + 1)
        else:
            runs.append((column, column + 1))
    return runs


def _shading(panels: Sequence[Panel], runs: Sequence[tuple[int, int]]) -> Iterator[str]:
    if not runs:
        return
    for panel in panels:
        yield f'<path fill="{MISSED}" fill-opacity=".16" d="{_strips(runs, panel.top, panel.height)}"/>'
    last = panels[-1]
    yield f'<path fill="{MISSED}" d="{_strips(runs, last.top + last.height + 1, RUG - 1)}"/>'


def _strips(runs: Sequence[tuple[int, int]], top: float, height: float) -> str:
    return "".join(
        f"M{LEFT + first},{_pixels(top)}h{end - first}v{_pixels(height)}h{first - end}z" for first, end in runs
    )


def _load(story: Story, panel: Panel) -> Iterator[str]:
    swatch = f'<rect y="-9" width="22" height="10" fill="{LOAD}" fill-opacity=".55" stroke="{LOAD_EDGE}"/>'
    bar = f'<path stroke="{INK}" stroke-width="2.2" d="M0-4h22"/>'
    yield from _frame(panel, story.requests, story.load_title, ((swatch, "load"), (bar, "capacity of ready pods")))
    load = _stepped(story.timeline.requests_per_s, story.requests, panel)
    if load:
        ground = f"M{panel.x(0)},{panel.y(0)}V{load.removeprefix('M').partition(',')[2]}V{panel.y(0)}z"
        yield f'<path fill="{LOAD}" fill-opacity=".55" d="{ground}"/>'
        yield f'<path fill="none" stroke="{LOAD_EDGE}" d="{load}"/>'
    yield from _line(story.timeline.capacity_requests_per_s, story.requests, panel, INK, 2.2)


def _nodes(story: Story, panel: Panel) -> Iterator[str]:
    yield from _frame(panel, story.nodes, story.nodes_title, ())
    yield from _line(story.timeline.node_count, story.nodes, panel, NODES, 2.2)


def _latency(story: Story, panel: Panel) -> Iterator[str]:
    dashes = f'stroke="{MISSED}" stroke-width="2" stroke-dasharray="7 4"'
    shade = f'<rect y="-9" width="22" height="10" fill="{MISSED}" fill-opacity=".16"/>'
    rug = f'<rect y="-2" width="22" height="4" fill="{MISSED}"/>'
    legend = [(f'<path stroke="{INK}" stroke-width="1.3" d="M0-4h22"/>', "p95"), (shade + rug, "SLO missed")]
    if story.has_slo:
        legend.insert(1, (f'<path {dashes} d="M0-4h22"/>', story.slo_title))
    yield from _frame(panel, story.latency, story.latency_title, legend)
    yield from _line(story.timeline.latency_ms_p95, story.latency, panel, INK, 1.3)
    if story.has_slo:
        y = panel.y(story.latency.share(story.timeline.slo_latency_ms_p95))
        yield f'<path {dashes} d="M{panel.x(0)},{y}H{panel.x(1)}"/>'


def _frame(panel: Panel, scale: Scale, title: str, legend: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Yield a panel's heading, its legend of swatches and words, and the lines and labels of its scale."""
    y = _pixels(panel.top - 9)
    x = LEFT + panel.width - sum(SWATCH + len(text) * 6.8 for _, text in legend) - GAP * max(len(legend) - 1, 0)
    heading = escape(fitted(title, int((x - LEFT - GAP) / 8.2)))
    yield f'<text x="{LEFT}" y="{y}" font-weight="600">{heading}</text>'
    for swatch, text in legend:
        yield f'<g transform="translate({_pixels(x)} {y})">{swatch}'
        yield f'<text x="{SWATCH}" font-size="12">{escape(text)}</text></g>'
        x += SWATCH + len(text) * 6.8 + GAP
    heights = list(_readable(panel, scale))
    lines = "".join(f"M{panel.x(0)},{_pixels(height)}H{panel.x(1)}" for _, height in heights)
    yield f'<path stroke="{GRID}" d="{lines}"/>'
    yield f'<g font-size="12" fill="{GREY}" text-anchor="end">'
    for mark, height in heights:
        yield f'<text x="{LEFT - 8}" y="{_pixels(height + 4)}">{axis_label(mark)}</text>'
    yield "</g>"


def _readable(panel: Panel, scale: Scale) -> Iterator[tuple[float, float]]:
    """Yield (value, ordinate) of the marks that leave room for each other's labels."""
    room = panel.top + panel.height + LINE
    for mark in scale.marks:
        height = panel.top + (1 - scale.share(mark)) * panel.height
        if room - height >= LINE:
            yield mark, height
            room = height


def _line(values: Sequence[float], scale: Scale, panel: Panel, colour: str, thickness: float) -> Iterator[str]:
    path = _stepped(values, scale, panel)
    if path:
        yield f'<path fill="none" stroke="{colour}" stroke-width="{thickness}" stroke-linejoin="round" d="{path}"/>'


def _stepped(values: Sequence[float], scale: Scale, panel: Panel) -> str:
    """Return the path of values that hold from their tick to the next; "" for none."""
    size = len(values)
    # Comparing what is no number has no order: it stands at the upper edge like what is infinite.
    clamped = [scale.high if off_scale(value) else value for value in values]
    path, height = "", ""
    for index, value in decimated(clamped, POINTS):
        y = panel.y(scale.share(value))
        if y != height:
            x = panel.x(index / size)
            path += f"H{x}V{y}" if path else f"M{x},{y}"
            height = y
    return f"{path}H{panel.x(1)}" if path else ""


def _time_axis(story: Story, panels: Sequence[Panel]) -> Iterator[str]:
    """Yield light lines through every panel, the line below the last one and the labels of time."""
    last = panels[-1]
    ground = last.top + last.height
    marks = time_marks(story.duration_s, int(last.width / 80))
    lines = "".join(
        f"M{last.x(at / story.duration_s)},{_pixels(panel.top)}v{_pixels(panel.height)}"
        for panel in panels
        for at, _ in marks
    )
    yield f'<path stroke="{INK}" stroke-opacity=".08" d="{lines}"/>'
    for panel in panels:
        yield f'<path stroke="{GREY}" d="M{panel.x(0)},{panel.y(0)}H{panel.x(1)}"/>'
    yield f'<g font-size="12" fill="{GREY}" text-anchor="middle">'
    for at, label in marks:
        yield f'<text x="{last.x(at / story.duration_s)}" y="{_pixels(ground + RUG + 16)}">{label}</text>'
    yield "</g>"


# Text

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
    return "\n".join(_chart(story, width, height) for story in _stories(simulation, policy))


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
