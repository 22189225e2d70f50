"""How long requests take over users who act, with the limits of the loads and where they are broken."""

from __future__ import annotations

from typing import Any, Final

from cascade_plan.model.latency_curve import LatencyCurve
from cascade_plan.reports._marks import (
    BLUE,
    GREY,
    INK,
    SKY,
    VERMILION,
    Spec,
    axis,
    chart,
    data,
    legend,
    number,
    off_scale,
    view,
)
from cascade_plan.reports._words import count

CHART: str = "latency over the users who act, with the limits and the users from where on they are broken"
OF: str = "latency-curve"
HEADROOM: Final = 4
"""Up to so many times the limit is drawn."""


def draw(curve: LatencyCurve) -> Spec:
    """Return p95 and p99 over users. What takes more than four times the limit stands at the upper edge."""
    highest = max((limit.latency_ms_p99 or limit.latency_ms_p95 for limit in curve.limits), default=0.0)
    top = max(curve.slo_latency_ms_p95 * HEADROOM, 1.2 * highest)
    words = _words(curve)
    lines = {
        "p95": [_row(point.users, point.latency_ms_p95, top) for point in curve.points],
        "p99": [_row(point.users, point.latency_ms_p99, top) for point in curve.points],
    }
    x = axis("users", title="users who act", scale={"nice": False, "zero": True}, axis={"format": ",d", "tickCount": 6})
    y = axis(
        "ms",
        title=None,
        scale={"domain": [0, top], "nice": False, "clamp": True},
        axis={"format": ",~r", "tickCount": 6},
    )
    layers: list[Spec] = [
        {
            "data": data(lines[name]),
            "mark": {"type": "line", "strokeWidth": width, "strokeDash": dash, "clip": True, "color": colour},
            "encoding": {"x": x, "y": y},
        }
        for name, width, dash, colour in (("p99", 1.6, [2, 2], SKY), ("p95", 2.4, [1, 0], BLUE))
    ]
    layers.append(legend((("p95", BLUE), ("p99", SKY))))
    layers += _limits(curve, x, y)
    title = "Latency (ms), the fleet as it is, with the instances that the autoscaler holds"
    return chart(
        f"{curve.scenario}: latency over users",
        [words],
        f"{curve.scenario}, p95 and p99 of the latency over users who act. {words}",
        [view(title, 330, layers)],
    )


def _row(users: int, ms: float, top: float) -> dict[str, Any]:
    return {"users": users, "ms": top if off_scale(ms) else number(ms)}


def _words(curve: LatencyCurve) -> str:
    limit = f"{count(curve.slo_latency_ms_p95)} ms"
    if not curve.points:
        return "No service answers requests: no latency is predicted."
    if (most := curve.user_count_max) is None:
        return f"p95 is below {limit} up to {count(curve.points[-1].users)} users who act, the most looked at."
    if not most:
        return f"p95 is above {limit} at every number of users."
    return f"p95 is below {limit} up to {count(most)} users who act, {most / curve.users_peak:.2g} times the peak."


def _limits(curve: LatencyCurve, x: Spec, y: Spec) -> list[Spec]:
    """Return the limit's line, the peak's, the point where p95 meets the limit, and what each load is limited to."""
    slo: list[Spec] = [{"ms": number(curve.slo_latency_ms_p95), "words": f"limit {count(curve.slo_latency_ms_p95)} ms"}]
    peak = [{"users": curve.users_peak, "words": f"peak: {count(curve.users_peak)}"}]
    loads = [
        {
            "users": limit.users,
            "ms": number(limit.latency_ms_p95),
            "words": f"{limit.load} < {count(limit.latency_ms_p95)}",
        }
        for limit in curve.limits
    ]
    most = curve.user_count_max
    met = [{"users": most, "ms": slo[0]["ms"], "words": f"{count(most)} users"}] if most else []
    text: Spec = {"type": "text", "align": "left", "color": INK}
    red: Spec = {**text, "color": VERMILION, "fontWeight": "bold"}
    dashed = {"type": "rule", "strokeWidth": 2, "strokeDash": [7, 4]}
    point = {"type": "point", "size": 260, "color": INK}
    words = {"text": {"field": "words"}}
    layers: list[Spec] = [
        {"data": data(slo), "mark": {**dashed, "color": VERMILION}, "encoding": {"y": y}},
        {"data": data(slo), "mark": {**red, "dx": 4, "dy": -8}, "encoding": {"y": y, "x": {"value": 0}, **words}},
        {"data": data(peak), "mark": {"type": "rule", "color": GREY, "strokeDash": [2, 3]}, "encoding": {"x": x}},
        {"data": data(peak), "mark": {**text, "baseline": "top", "dx": 5, "dy": 4},
         "encoding": {"x": x, "y": {"value": 0}, **words}},
        {"data": data(loads), "mark": {**point, "shape": "stroke", "strokeWidth": 3}, "encoding": {"x": x, "y": y}},
        {"data": data(loads), "mark": {**text, "dx": 8, "dy": 11}, "encoding": {"x": x, "y": y, **words}},
        {"data": data(met), "mark": {**point, "shape": "diamond", "filled": True, "size": 140, "color": VERMILION},
         "encoding": {"x": x, "y": y}},
        {"data": data(met), "mark": {**red, "align": "right", "dx": -9, "dy": -10},
         "encoding": {"x": x, "y": y, **words}},
    ]  # fmt: skip
    # Of no rows at all a scale has no extent, which what draws it complains of.
    return [layer for layer in layers if layer["data"]["values"]]
