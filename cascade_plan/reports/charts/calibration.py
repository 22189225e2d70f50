"""What was predicted against what was measured, a panel for each kind of figure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from cascade_plan.model.calibrating import Calibrating
from cascade_plan.model.measurement import Verification
from cascade_plan.reports._marks import BLUE, GREY, ORANGE, Spec, axis, chart, data, name, number

CHART: str = "predicted against measured, of a verified load test or of the runs of a calibration"
OF: str = "measured"
SIDE: Final = 270
"""Pixels of a panel's sides."""
KINDS: Final = {"it took part": BLUE, "predicted from the others": ORANGE}
FIGURES: Final = {
    "requests_per_s": "requests/s",
    "latency_ms_p50": "p50 (ms)",
    "latency_ms_p95": "p95 (ms)",
    "latency_ms_p99": "p99 (ms)",
}


class Pair(NamedTuple):
    """A figure as predicted and as measured."""

    figure: str
    what: str
    """The run, or the figure's whole name."""
    kind: str
    predicted: float
    low: float
    high: float
    measured: float


def draw(found: Verification | Calibrating) -> Spec:
    """Return points that lie on the line where both are equal; of a calibration with what the prediction moves by."""
    pairs = [*(_trials(found) if isinstance(found, Calibrating) else _compared(found))]
    scenario = found.calibration.scenario if isinstance(found, Calibrating) else found.scenario
    figures = dict.fromkeys(pair.figure for pair in pairs)
    off = max((abs(pair.predicted / pair.measured - 1) for pair in pairs if pair.measured), default=0.0)
    words = f"{len(pairs)} figures; the farthest prediction is off by {off:.0%}" if pairs else "nothing was compared"
    panels = [_panel(figure, [pair for pair in pairs if pair.figure == figure]) for figure in figures]
    return chart(
        f"{scenario}: predicted against measured",
        [words],
        f"{scenario}, predicted against measured figures in {len(panels)} panels; {words}.",
        [{"concat": panels, "columns": 2, "spacing": 24}],
    )


def _trials(found: Calibrating) -> Iterator[Pair]:
    taken, held = KINDS
    for trial in found.trials:
        yield Pair(
            FIGURES[trial.figure],
            trial.run,
            held if trial.is_held_out else taken,
            trial.value_predicted,
            trial.value_min,
            trial.value_max,
            trial.value_measured,
        )


def _compared(found: Verification) -> Iterator[Pair]:
    _, predicted = KINDS
    for each in found.comparisons:
        value = each.value_predicted
        yield Pair(each.unit, each.figure, predicted, value, value, value, each.value_measured)


def _panel(figure: str, pairs: list[Pair]) -> Spec:
    values = [value for pair in pairs for value in (pair.measured, pair.low, pair.high, pair.predicted)]
    top = max(values) * 1.08 or 1.0
    rows: list[dict[str, Any]] = [
        {
            "what": name(pair.what),
            "kind": pair.kind,
            "predicted": number(pair.predicted),
            "low": number(pair.low),
            "high": number(pair.high),
            "measured": number(pair.measured),
        }
        for pair in pairs
    ]
    scale = {"domain": [0, number(top)], "nice": False}
    ticks = {"tickCount": 5, "format": ",~r"}
    x = axis("measured", title="measured", scale=scale, axis=ticks)
    y = axis("predicted", title="predicted", scale=scale, axis=ticks)
    colour = {
        "field": "kind",
        "type": "nominal",
        "scale": {"domain": [*KINDS], "range": [*KINDS.values()]},
    }
    shape = {"field": "kind", "type": "nominal", "scale": {"domain": [*KINDS], "range": ["circle", "diamond"]}}
    hover = [
        {"field": "what", "title": "of"},
        axis("predicted", format=",.4~g"),
        axis("measured", format=",.4~g"),
    ]
    line = data([{"at": 0.0}, {"at": number(top)}])
    layers = [
        {
            "data": line,
            "mark": {"type": "line", "color": GREY, "strokeDash": [4, 3], "strokeWidth": 1.2},
            "encoding": {"x": axis("at"), "y": axis("at")},
        },
        {
            "data": data(rows),
            "mark": {"type": "rule", "strokeWidth": 1.2},
            "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}, "color": colour},
        },
        {
            "data": data(rows),
            "mark": {"type": "point", "filled": True, "size": 80},
            "encoding": {"x": x, "y": y, "color": colour, "shape": shape, "tooltip": hover},
        },
    ]
    return {
        "title": {"text": name(figure), "fontSize": 13},
        "width": SIDE,
        "height": SIDE,
        "layer": layers,
    }
