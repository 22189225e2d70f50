"""A chart's specification as a picture (SVG, PNG, PDF), as a page that draws it, or as it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import ModuleType
from typing import Final

from cascade_plan import registry
from cascade_plan.errors import UsageError
from cascade_plan.languages.json import dump
from cascade_plan.reports._fitting import hanging
from cascade_plan.reports._marks import Spec
from cascade_plan.reports._portable import ordered

SCALE: Final = 2.0
"""Dots of a PNG to a pixel of the chart."""
EXTRA: Final = "pip install 'cascade-plan[charts]'"
NO_NETWORK: Final[list[str]] = []
"""Addresses that a chart may load something from."""


def svg(spec: Spec) -> str:
    """Return a chart as SVG, the same for the same specification. Raises UsageError where the extra is missing."""
    text: str = _drawer("SVG").vegalite_to_svg(spec, allowed_base_urls=NO_NETWORK)
    text = _renamed(text)
    return text if text.endswith("\n") else text + "\n"


def _renamed(svg: str) -> str:
    """Return a picture whose clips are numbered from 1: what draws them counts on from picture to picture."""
    found = {name: f"clip{index}" for index, name in enumerate(dict.fromkeys(re.findall(r'id="(clip\d+)"', svg)), 1)}
    return re.sub(r'(id="|url\(#)(clip\d+)(?=["\)])', lambda each: each[1] + found.get(each[2], each[2]), svg)


def png(spec: Spec) -> bytes:
    """Return a chart as PNG with two dots to a pixel. Raises UsageError where the extra is missing."""
    found: bytes = _drawer("PNG").vegalite_to_png(spec, scale=SCALE, allowed_base_urls=NO_NETWORK)
    return found


def pdf(spec: Spec) -> bytes:
    """Return a chart as PDF. Raises UsageError where the extra is missing."""
    found: bytes = _drawer("PDF").svg_to_pdf(svg(spec))
    return ordered(found)


def json(spec: Spec) -> str:
    """Return a chart's specification as JSON."""
    return dump(spec)


def html(spec: Spec, scripts: Sequence[str]) -> str:
    """Return a page that draws a chart by these scripts: one file, which loads nothing."""
    from cascade_plan.reports.pages import page

    return page(
        str(spec["title"]["text"]), '<main><figure data-chart="chart"></figure></main>', {"chart": spec}, scripts
    )


def listed(width: int) -> str:
    """Return the charts there are, one after the other, in lines of so many columns."""
    names = registry.names("reports/charts")
    longest = max(map(len, names))
    lines = (f"{name:<{longest}}  {registry.load('reports/charts', name).CHART}" for name in names)
    return "\n".join(part for line in lines for part in hanging(line, width, " " * (longest + 2))) + "\n"


def _drawer(format_: str) -> ModuleType:
    """Return what draws, imported when it is needed: it takes a while and is an extra."""
    try:
        import vl_convert
    except ImportError:
        raise UsageError(
            f"{format_} charts are drawn by vl-convert-python, which is not installed: {EXTRA}; "
            "html and json need nothing more"
        ) from None
    drawer: ModuleType = vl_convert
    return drawer
