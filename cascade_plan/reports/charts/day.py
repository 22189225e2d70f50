"""A simulated day: load and capacity, nodes and latency, one below the other on one axis of time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from cascade_plan.model.replay import Simulation
from cascade_plan.reports._marks import (
    BLUE,
    INK,
    SKY,
    VERMILION,
    WIDTH,
    Spec,
    axis,
    chart,
    data,
    legend,
    off_scale,
    view,
)
from cascade_plan.reports._story import (
    DAY,
    HOUR,
    MINUTE,
    POINTS,
    Scale,
    Story,
    axis_label,
    decimated,
    stories,
    time_marks,
)
from cascade_plan.reports._words import one_line

CHART: str = "a simulated day: load and capacity, nodes and latency on one axis, minutes beyond the SLO shaded"
OF: str = "simulation"
TALL: Final = (190, 80, 150)
"""Pixels of the panels."""
RUG: Final = 6
"""Pixels of the strip of missed ticks below the last panel."""
APART: Final = {"scale": {"color": "independent"}}
THIN: Final = 1.2
WIDE: Final = 2.2


def draw(simulation: Simulation, policy: str = "") -> Spec:
    """Return a policy's first run, of each service three panels; the scenario's own policy where none is named.

    Of a line at most 1500 points are kept, of equally many neighbours the least and the greatest. What has no place on
    a scale, such as a latency without end, stands at its upper edge. Raises UsageError for a policy without a timeline.
    """
    told = stories(simulation, policy or (simulation.replays[0].own if simulation.replays else ""))
    panels = [panel for story in told for panel in _panels(story, len(told) > 1)]
    first = told[0]
    shares = [sum(story.timeline.missed) / max(1, story.size) for story in told]
    description = "; ".join(f"{story.title}. {story.subtitle}" for story in told)
    lines = [first.subtitle, first.source] if len(told) == 1 else [first.source]
    title = first.title if len(told) == 1 else f"{one_line(simulation.scenario)}: {first.policy}"
    return chart(
        title,
        lines,
        f"{description}. At worst {max(shares):.1%} of the time is beyond the SLO.",
        panels,
        spacing=12,
        resolve=APART,
    )


def _panels(story: Story, is_named: bool) -> Iterator[Spec]:
    """Yield the three panels of a service, the first with its name where there are several."""
    timeline = story.timeline
    lead = f"{story.service}: " if is_named else ""
    shade = _shade(story)
    load = {
        "type": "area",
        "interpolate": "step-after",
        "color": SKY,
        "opacity": 0.6,
        "line": {"color": BLUE, "strokeWidth": THIN},
    }
    names = (("load", SKY), (READY, INK), *([(MISSED, VERMILION)] if shade else []))
    yield view(
        lead + story.load_title,
        TALL[0],
        [
            *shade,
            _series(story, timeline.requests_per_s, story.requests, load),
            _series(story, timeline.capacity_requests_per_s, story.requests, _line(WIDE, INK)),
            legend(names),
        ],
    )
    yield view(
        story.nodes_title, TALL[1], [*shade, _series(story, timeline.node_count, story.nodes, _line(WIDE, BLUE))]
    )
    yield view(story.latency_title, TALL[2], [*shade, *_rug(story), *_latency(story)])


READY: Final = "capacity of ready pods"
MISSED: Final = "SLO missed"


def _latency(story: Story) -> Iterator[Spec]:
    yield _series(story, story.timeline.latency_ms_p95, story.latency, _line(THIN, INK), is_last=True)
    if story.has_slo:
        limit = {"value": _placed(story.timeline.slo_latency_ms_p95, story.latency), "words": story.slo_title}
        y = axis("value", scale=_scale(story.latency))
        yield {
            "data": data([limit]),
            "mark": {"type": "rule", "color": VERMILION, "strokeWidth": 2, "strokeDash": [7, 4]},
            "encoding": {"y": y},
        }
        words = {"type": "text", "align": "right", "dy": -7, "color": VERMILION, "fontWeight": "bold"}
        yield {
            "data": data([limit]),
            "mark": words,
            "encoding": {"y": y, "x": {"value": WIDTH}, "text": {"field": "words"}},
        }


def _line(width: float, colour: str) -> Spec:
    return {"type": "line", "interpolate": "step-after", "strokeWidth": width, "strokeJoin": "round", "color": colour}


def _series(story: Story, values: Sequence[float], scale: Scale, mark: Spec, is_last: bool = False) -> Spec:
    """Return a line or an area of a value that holds from its tick to the next one."""
    unit_s, _ = _unit(story)
    rows = [
        {"t": index * story.timeline.tick_s / unit_s, "value": _placed(value, scale)}
        for index, value in decimated([scale.high if off_scale(value) else value for value in values], POINTS)
    ]
    if rows:
        rows.append({"t": story.duration_s / unit_s, "value": rows[-1]["value"]})
    encoding: dict[str, Any] = {
        "x": _time(story, is_last),
        "y": axis("value", title=None, scale=_scale(scale), axis=_marks(scale)),
    }
    return {"data": data(rows), "mark": mark, "encoding": encoding}


def _placed(value: float, scale: Scale) -> float:
    """Return where a value stands on a scale: itself, or the edge that it is beyond."""
    return float(min(max(value, scale.low), scale.high)) if scale.logarithmic else float(min(value, scale.high))


def _scale(scale: Scale) -> Spec:
    kind: Spec = {"type": "log"} if scale.logarithmic else {"zero": True}
    return {"domain": [scale.low, scale.high], "nice": False, **kind}


def _marks(scale: Scale) -> Spec:
    labels = {mark: axis_label(mark) for mark in scale.marks}
    return {"values": [*labels], "labelExpr": _named(labels), "labelOverlap": "greedy"}


def _named(labels: dict[float, str]) -> str:
    """Return an expression that names numbers: both are made here, never of what a scenario says."""
    return (
        "".join(f"abs(datum.value-{mark!r})<={abs(mark) * 1e-9!r}?'{label}':" for mark, label in labels.items()) + "''"
    )


def _unit(story: Story) -> tuple[int, str]:
    """Return what the axis counts in: seconds of it and its name."""
    if story.duration_s > DAY * 1.5:
        return DAY, "days"
    return (
        (HOUR, "hours") if story.duration_s > 2 * HOUR else (MINUTE, "minutes") if story.duration_s > 120 else (1, "s")
    )


def _time(story: Story, is_last: bool) -> Spec:
    unit_s, name = _unit(story)
    labels = {at / unit_s: label for at, label in time_marks(story.duration_s, WIDTH // 56)}
    shown: Spec = {"values": [*labels], "title": None, "grid": True, "domain": True}
    shown |= {"labelExpr": _named(labels), "offset": RUG + 2} if is_last else {"labels": False, "ticks": False}
    return axis("t", title=name, scale={"domain": [0, story.duration_s / unit_s], "nice": False}, axis=shown)


def _runs(story: Story) -> list[Spec]:
    """Return from when to when ticks are beyond the SLO, one after the other."""
    unit_s, _ = _unit(story)
    tick = story.timeline.tick_s / unit_s
    runs: list[list[int]] = []
    for index, late in enumerate(story.timeline.missed):
        if not late:
            continue
        if runs and runs[-1][1] == index:
            runs[-1][1] = index + 1
        else:
            runs.append([index, index + 1])
    return [{"from": first * tick, "to": end * tick} for first, end in runs]


def _shade(story: Story) -> list[Spec]:
    """Return the shade of what is beyond the SLO, as high as the panel and a pixel wide at least."""
    mark = {"type": "rect", "color": VERMILION, "opacity": 0.16, "stroke": VERMILION, "strokeWidth": 1}
    return (
        [{"data": data(_runs(story)), "mark": mark, "encoding": _across(story)}] if any(story.timeline.missed) else []
    )


def _rug(story: Story) -> list[Spec]:
    """Return the same as a strip below the panel."""
    mark = {"type": "rect", "color": VERMILION, "stroke": VERMILION, "strokeWidth": 1}
    edges = {"y": {"value": TALL[2] + 2}, "y2": {"value": TALL[2] + 2 + RUG}}
    is_missed = any(story.timeline.missed)
    return [{"data": data(_runs(story)), "mark": mark, "encoding": {**_across(story), **edges}}] if is_missed else []


def _across(story: Story) -> Spec:
    return {"x": axis("from"), "x2": {"field": "to"}}
