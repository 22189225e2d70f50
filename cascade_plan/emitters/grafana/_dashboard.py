"""grafana-dashboard.json: each success metric against its target, and what explains it."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final

from cascade_plan.emitters._heading import price_dates
from cascade_plan.emitters._watches.collected import groups, unmeasured
from cascade_plan.languages.json import dump
from cascade_plan.languages.promql import NEGATED
from cascade_plan.model.plan import Plan
from cascade_plan.model.watch import Chart

SCHEMA_VERSION: Final = 39
"""Of Grafana 10.4 and newer, which migrate it; panels use nothing that came later."""
WIDTH: Final = 24
DATASOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
VARIABLE: Final = {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def dashboard(plan: Plan) -> str:
    """Return the dashboard as JSON, the same for the same plan: ids count from 1, the uid is of the application."""
    name = plan.application
    watched = groups(plan)
    charts = [chart for watches in watched.values() for watch in watches for chart in watch.charts]
    goals, lines = ([chart for chart in charts if chart.is_number is number] for number in (True, False))
    panels = [_row("Gates", 0)]
    panels += [_placed(chart, 1 + index // 6 * 4, index % 6 * 4, 4, 4) for index, chart in enumerate(goals)]
    top = 1 + -(-len(goals) // 6) * 4
    panels.append(_row("What explains them", top))
    panels += [_placed(chart, top + 1 + index // 2 * 8, index % 2 * 12, 12, 8) for index, chart in enumerate(lines)]
    below = top + 1 + -(-len(lines) // 2) * 8
    panels += [_row("Cost", below), _text(_cost(plan, unmeasured(plan, watched)), below + 1)]
    document = {
        "uid": sha256(f"cascade-plan {name}".encode()).hexdigest()[:32],
        "title": f"{name}: gates and capacity",
        "description": (
            f"cascade-plan: scenario {plan.scenario.name}, {plan.scenario.users.peak} users at peak, "
            f"{plan.scenario.users.average} on average; prices {plan.book}, {price_dates(plan)}"
        ),
        "tags": ["cascade-plan", name],
        "schemaVersion": SCHEMA_VERSION,
        "editable": True,
        "timezone": "utc",
        "time": {"from": "now-6h", "to": "now"},
        "refresh": "1m",
        "templating": {"list": [VARIABLE]},
        "annotations": {"list": []},
        "panels": [{"id": number, **panel} for number, panel in enumerate(panels, 1)],
    }
    return dump(document)


def _cost(plan: Plan, names: Sequence[str]) -> str:
    budget = plan.scenario.budget
    levels = "".join(
        f"| {level} | ${plan.figure(f'cost_usd_per_month.{level}'):,.2f} |\n"
        for level in ("floor", "average", "peak", "ceiling")
    )
    most = budget.usd_per_month_most(plan.scenario.users)
    limit = "" if most is None else f"; budget ${most:,.2f} a month"
    others = f"\n\nGated and not measured here: {', '.join(names)}." if names else ""
    return (
        f"Planned at prices {price_dates(plan)}, not measured:\n\n| level | USD a month |\n|---|---:|\n{levels}\n"
        f"**${plan.figure('cost_usd_per_1000_users_month'):,.2f}** per 1000 {budget.users} users{limit}.{others}"
    )


def _row(title: str, y: int) -> dict[str, Any]:
    return {"type": "row", "title": title, "collapsed": False, "gridPos": _at(y, 0, WIDTH, 1), "panels": []}


def _text(content: str, y: int) -> dict[str, Any]:
    options = {"mode": "markdown", "content": content}
    return {"type": "text", "title": "Planned cost", "gridPos": _at(y, 0, WIDTH, 8), "options": options}


def _at(y: int, x: int, width: int, height: int) -> dict[str, int]:
    return {"x": x, "y": y, "w": width, "h": height}


def _placed(chart: Chart, y: int, x: int, width: int, height: int) -> dict[str, Any]:
    """Return a panel: one number for a success metric, lines for everything else."""
    targets = [
        {"refId": chr(ord("A") + index), "datasource": DATASOURCE, "expr": line.expression, "legendFormat": line.legend}
        for index, line in enumerate(chart.lines)
    ]
    defaults: dict[str, Any] = {"unit": chart.unit, "color": {"mode": "palette-classic"}}
    if chart.operator:
        defaults["thresholds"] = _thresholds(chart)
        defaults["custom"] = {"thresholdsStyle": {"mode": "line"}}
    if chart.is_number:
        defaults["color"] = {"mode": "thresholds"}
        defaults.pop("custom", None)
    return {
        "type": "stat" if chart.is_number else "timeseries",
        "title": chart.title,
        "description": chart.description,
        "datasource": DATASOURCE,
        "gridPos": _at(y, x, width, height),
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "targets": targets,
    }


def _thresholds(chart: Chart) -> dict[str, Any]:
    """Return a limit drawn into a panel: red on the side of it that misses."""
    below, above = ("green", "red") if NEGATED[chart.operator].startswith(">") else ("red", "green")
    return {"mode": "absolute", "steps": [{"color": below, "value": None}, {"color": above, "value": chart.limit}]}
