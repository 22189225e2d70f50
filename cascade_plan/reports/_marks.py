"""What all charts have in common: the frame of a specification, its colours, and how numbers and words enter it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from math import ceil, floor, isfinite, log10
from typing import Any, Final, TypeAlias

from cascade_plan.reports._words import one_line

Spec: TypeAlias = dict[str, Any]
SCHEMA: Final = "https://vega.github.io/schema/vega-lite/v6.json"
WIDTH: Final = 700
"""Pixels of a view: with its labels a chart is 800 wide at most."""
INK: Final = "#1a1a1a"
GREY: Final = "#5c5c5c"
GRID: Final = "#e3e3e3"
PAPER: Final = "#ffffff"
"""What a page replaces by its own colours, so that a chart can be read on a dark one."""
BLUE: Final = "#0072b2"
SKY: Final = "#56b4e9"
VERMILION: Final = "#d55e00"
GREEN: Final = "#009e73"
ORANGE: Final = "#e69f00"
YELLOW: Final = "#f0e442"
"""Okabe and Ito's colours, told apart by every kind of colour vision (https://jfly.uni-koeln.de/color/)."""
NEIGHBOURS: Final = (BLUE, ORANGE, GREEN, YELLOW, VERMILION, SKY, "#5b3a70", "#c2c2c2")
"""In an order in which neighbours differ in grey too: dark and light by turns."""
FONT: Final = "Liberation Sans, Arial, Helvetica, sans-serif"
MARGIN: Final = 14
LONGEST: Final = 100
"""Characters of a name in a chart."""
FEW: Final = 2.6
"""Decades below which a logarithmic axis has three marks in each."""
MOST: Final = 1e15
"""Values from here on, and what is no number, have no place on a scale."""

CONFIG: Final[Mapping[str, Any]] = {
    "background": PAPER,
    "padding": MARGIN,
    "font": FONT,
    "view": {"stroke": None},
    "title": {
        "anchor": "start",
        "frame": "group",
        "color": INK,
        "fontSize": 17,
        "subtitleColor": GREY,
        "subtitleFontSize": 12.5,
        "subtitlePadding": 5,
        "offset": 12,
    },
    "axis": {
        "labelColor": GREY,
        "titleColor": INK,
        "labelFontSize": 12,
        "titleFontSize": 12.5,
        "titleFontWeight": "normal",
        "gridColor": GRID,
        "domainColor": GREY,
        "tickColor": GREY,
    },
    "axisY": {"domain": False, "ticks": False, "labelPadding": 6},
    "legend": {
        "orient": "top",
        "title": None,
        "labelColor": INK,
        "labelFontSize": 12,
        "labelLimit": 220,
        "symbolStrokeWidth": 3,
        "symbolSize": 130,
    },
    "text": {"color": INK, "fontSize": 12},
    "rule": {"color": INK},
}


def chart(title: str, subtitles: Iterable[str], description: str, panels: Sequence[Spec], **more: Any) -> Spec:
    """Return a specification: a title, lines below it, panels, and what a reader who does not see them is told."""
    lines = [one_line(line) for line in subtitles if line]
    return {
        "$schema": SCHEMA,
        "description": one_line(description),
        "title": {"text": name(title), "subtitle": lines, "frame": "bounds"},
        **({"spacing": 16, "vconcat": [*panels]} | more),
        "config": {**CONFIG},
    }


def view(title: str, height: int, layers: Sequence[Mapping[str, Any]], **more: Any) -> Spec:
    """Return one panel of a chart: layers on common axes below a heading of its own."""
    heading = {"text": title, "fontSize": 13, "offset": 6} if title else None
    found = {"title": heading, "width": WIDTH, "height": height, "layer": list(layers), **more}
    return {key: value for key, value in found.items() if value is not None}


def legend(names: Sequence[tuple[str, str]]) -> Spec:
    """Return a layer that shows nothing and whose legend says which colour is what."""
    colours = {"domain": [name for name, _ in names], "range": [colour for _, colour in names]}
    shown = {"symbolType": "stroke", "symbolOpacity": 1, "offset": 6}
    colour = {"field": "name", "type": "nominal", "scale": colours, "legend": shown}
    return {
        "data": data({"name": each} for each, _ in names),
        "mark": {"type": "point", "opacity": 0},
        "encoding": {"color": colour},
    }


def data(rows: Iterable[Mapping[str, Any]]) -> Spec:
    """Return rows as the data of a layer; words in them are on one line."""
    return {"values": [{key: _cell(value) for key, value in row.items()} for row in rows]}


def _cell(value: Any) -> Any:
    return name(value) if isinstance(value, str) else value


def axis(field: str, **more: Any) -> Spec:
    """Return a channel that shows a number."""
    return {"field": field, "type": "quantitative", **more}


def number(value: float | Decimal) -> float:
    """Return a number as a specification holds it. Raises ValueError for one that JSON has no word for.

    >>> number(Decimal("2839.10")), number(3)
    (2839.1, 3.0)
    """
    found = float(value)
    if not isfinite(found):
        raise ValueError(f"{value} has no place in a chart")
    return found


def decades(low: float, high: float) -> list[float]:
    """Return round numbers for the marks of a logarithmic axis: 1, 2 and 5 times powers of ten, or 1 alone of many.

    >>> decades(60, 900), decades(2, 90_000)
    ([100.0, 200.0, 500.0], [10.0, 100.0, 1000.0, 10000.0])
    """
    powers = range(floor(log10(low)), ceil(log10(high)) + 1)
    factors = (1, 2, 5) if log10(high / low) < FEW else (1,)
    return [mark for power in powers for factor in factors if low <= (mark := factor * 10.0**power) <= high]


def name(text: str) -> str:
    """Return words from a scenario on one line and of a length that a chart has room for."""
    line = one_line(text)
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def off_scale(value: float) -> bool:
    """Return whether a value has no place on a scale: infinite, no number, or 1e15 and above."""
    return not value < MOST
