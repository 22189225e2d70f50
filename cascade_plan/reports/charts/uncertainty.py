"""How sure a fleet is: in how many worlds what costs and what latency, and what drives both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from cascade_plan.model.risk import Driver, PromiseRisk, Risk
from cascade_plan.reports._marks import (
    BLUE,
    INK,
    ORANGE,
    SKY,
    VERMILION,
    WIDTH,
    Spec,
    axis,
    chart,
    data,
    name,
    number,
    view,
)
from cascade_plan.reports._words import count

CHART: str = "how sure a plan is: histograms of cost and of p95, and what of both each unsure number drives"
OF: str = "risk"
LISTED: Final = 8
"""Unsure numbers that are drawn, those that matter most."""
AWAY: Final = 0.1
"""What is farther from the histogram than it is wide stands so near, with an arrow."""
BAR: Final = 30
NAMES: Final = 190
WIDE: Final = WIDTH - NAMES + 60
"""Pixels of a panel: names stand at the left of the bars."""
KINDS: Final = {"of the cost": BLUE, "of what is missed": ORANGE}
Counted = tuple[Sequence[float], Sequence[int]]
"""Edges, and how many worlds lie between them."""
Line = tuple[float, str, str]
"""Where a line stands, its words and its colour."""


def draw(risk: Risk) -> Spec:
    """Return both histograms and the bars. The latency is that of the limit that is missed most often."""
    low, middle, high = risk.cost_usd_per_month
    cost = (
        f"a month costs ${low:,.0f} to ${high:,.0f} in eight of ten worlds (half of them below ${middle:,.0f}); "
        f"every limit is kept in {risk.kept_ratio:.0%}"
    )
    panels = [*_histograms(risk)]
    if rows := list(_drivers(risk.drivers)):
        panels.append(_bars(rows))
    return chart(
        f"{risk.scenario}: how sure",
        [cost, f"{risk.users_peak:,} users at peak, {risk.draw_count:,} worlds, seed {risk.seed}"],
        f"{risk.scenario}, histograms of cost and latency, and bars of what drives them: {cost}.",
        panels,
        usermeta={"names": NAMES},
        resolve={"scale": {"color": "independent"}},
    )


def _histograms(risk: Risk) -> Iterator[Spec]:
    lines: list[Line] = [(risk.plan_usd_per_month, f"the plan says ${risk.plan_usd_per_month:,.0f}", INK)]
    if risk.budget_usd_per_1000_users_month is not None:
        ratio = risk.cost_usd_per_month[1] / risk.cost_usd_per_1000_users_month[1]
        budget = risk.budget_usd_per_1000_users_month * ratio
        lines.append((budget, f"budget ${budget:,.0f}", VERMILION))
    cost = risk.cost_histogram
    yield _histogram(
        "Cost a month (US dollars): worlds in which it is what", (cost.edges_usd, cost.world_count), lines, "$,~r"
    )
    worst = _worst(risk.promises)
    if worst is not None and worst.latency_histogram is not None:
        limit = (worst.limit_ms, f"limit {count(worst.limit_ms)} ms, missed in {worst.missed_ratio:.1%}", VERMILION)
        words = f"{worst.limit} of {worst.load.removeprefix('users.')}, {worst.counts} (ms): worlds in which it is what"
        yield _histogram(words, (worst.latency_histogram.edges_ms, worst.latency_histogram.world_count), [limit], ",~r")


def _worst(promises: Sequence[PromiseRisk]) -> PromiseRisk | None:
    """Return the limit of a p95 that is missed most often, of those that are missed alike the nearest one."""
    asked = [each for each in promises if each.latency_histogram is not None and each.latency_ms is not None]
    p95 = [each for each in asked if each.limit == "p95"] or asked

    def near(each: PromiseRisk) -> tuple[float, float]:
        return each.missed_ratio, (each.latency_ms or (0.0, 0.0, 0.0))[2] / each.limit_ms

    return max(p95, key=near, default=None)


def _histogram(title: str, histogram: Counted, lines: Sequence[Line], form: str) -> Spec:
    edges, counts = histogram
    rows = [
        {"from": number(low), "to": number(high), "worlds": worlds}
        for low, high, worlds in zip(edges, edges[1:], counts, strict=False)
    ]
    x = axis(
        "from", title=None, scale={"zero": False, "nice": True}, axis={"format": form, "grid": False, "tickCount": 8}
    )
    layers: list[Spec] = [
        {
            "data": data(rows),
            "mark": {"type": "bar", "color": SKY, "stroke": BLUE, "strokeWidth": 0.7},
            "encoding": {
                "x": {**x, "bin": "binned"},
                "x2": {"field": "to"},
                "y": axis("worlds", title=None, axis={"tickCount": 4}),
            },
        }
    ]
    span = edges[-1] - edges[0]
    for index, (there, said, colour) in enumerate(lines):
        at, words = min(max(there, edges[0] - span), edges[-1] + span), said
        if at != there:
            # A line that is far away would leave no room for what is drawn.
            at, words = (
                (edges[0] - AWAY * span, f"← {said}") if there < edges[0] else (edges[-1] + AWAY * span, f"{said} →")
            )
        row = [{"at": number(at), "words": words}]
        far = at - edges[0] > 0.6 * span
        word = {"type": "text", "align": "right" if far else "left", "dx": -6 if far else 6, "color": colour}
        layers += [
            {"data": data(row), "mark": {"type": "rule", "color": colour, "strokeWidth": 2, "strokeDash": [7, 4]},
             "encoding": {"x": axis("at")}},
            {"data": data(row), "mark": {**word, "fontWeight": "bold"},
             "encoding": {"x": axis("at"), "y": {"value": 8 + 16 * index}, "text": {"field": "words"}}},
        ]  # fmt: skip
    return view(title, 130, layers, width=WIDE)


def _drivers(drivers: Sequence[Driver]) -> Iterator[dict[str, Any]]:
    for driver in drivers[:LISTED]:
        label = name(driver.name.removeprefix("behaviour.").removeprefix("tiers."))
        for kind, share in zip(KINDS, (driver.cost_share, driver.broken_share), strict=True):
            yield {"name": label, "kind": kind, "share": number(max(0.0, share))}


def _bars(rows: Sequence[Spec]) -> Spec:
    names = [*dict.fromkeys(row["name"] for row in rows)]
    y: Spec = {
        "field": "name",
        "type": "nominal",
        "sort": names,
        "title": None,
        "axis": {"labelLimit": NAMES, "labelColor": INK},
    }
    colour = {"field": "kind", "type": "nominal", "scale": {"domain": [*KINDS], "range": [*KINDS.values()]},
              "legend": {"symbolType": "square", "offset": 6}}  # fmt: skip
    bars = {
        "data": data(rows),
        "mark": "bar",
        "encoding": {
            "y": y,
            "yOffset": {"field": "kind", "type": "nominal", "sort": [*KINDS]},
            "x": axis("share", title=None, axis={"format": ".0%"}, scale={"domain": [0, 1]}),
            "color": colour,
            "tooltip": [{"field": "name"}, {"field": "kind"}, axis("share", format=".1%")],
        },
    }
    title = "What drives them: share of the variance that each unsure number explains alone"
    return view(title, BAR * len(names), [bars], width=WIDE)
