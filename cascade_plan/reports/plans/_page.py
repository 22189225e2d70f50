"""A plan as a page shows it: words as every report has them, beside numbers that can be drawn and compared."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from cascade_plan.model.derivation import Derivation
from cascade_plan.model.plan import Plan, Verdict
from cascade_plan.model.scenario import USERS_PEAK
from cascade_plan.reports import _names as names
from cascade_plan.reports import _words as words
from cascade_plan.reports._fitting import fitted
from cascade_plan.reports.plans import _facts as facts
from cascade_plan.reports.plans._answer import sentence
from cascade_plan.reports.plans._screen import title
from cascade_plan.reports.plans._tiers import NAME, cells, tiers

WIDE: Final = 2**16
"""Columns of a page that folds its lines itself."""
BUSY: Final = ".busy_ratio"
LATENCY: Final = re.compile(r"latency_ms_(p95|p99)\.(\w+)")
MONEY: Final = "USD"


def page(plan: Plan) -> dict[str, Any]:
    """Return what a page shows of a plan, as JSON has it: every number beside the name of the figure that explains it.

    Amounts of money are numbers of US dollars, to be drawn and compared: what is shown of them is beside them in words.
    """
    level = plan.scenario.budget.level
    found = plan.answer
    return {
        "title": title(plan, WIDE),
        "name": words.one_line(plan.scenario.name),
        "sentence": sentence(plan),
        "status": "fail" if plan.failed or found.status == "over_budget" else "pass" if plan.verdicts else "none",
        "cost_figure": f"cost_usd_per_month.{level}",
        "cost_usd": float(found.cost_usd_per_month),
        "budget_usd": None if found.budget_usd_per_month is None else float(found.budget_usd_per_month),
        "is_complete": plan.bill.complete,
        "headline": [_headline(plan, name) for name in _headlines(plan)],
        "tiers": list(_tiers(plan)),
        "total": cells(plan)[-1][3],
        "range": "".join(cells(plan)[-1][1]),
        "gates": [_gate(plan, verdict) for verdict in plan.verdicts],
        "gate_counts": facts.gate_counts(plan),
        "latencies": list(_latencies(plan)),
        "busy": _busy(plan),
        "bottleneck": _bottleneck(plan),
        "said": [*facts.margin(plan), *facts.growth(plan)],
        "findings": [
            {
                "severity": each.severity,
                "code": each.code,
                "words": words.one_line(each.words),
                "where": words.one_line(each.where),
            }
            for each in facts.warnings_first(plan)
        ],
        "figures": [_figure(figure) for _, figure in sorted(plan.figures.items())],
    }


def _headlines(plan: Plan) -> Iterator[str]:
    """Yield the figures that a page has on top, those of them that there are."""
    wanted = (
        f"cost_usd_per_month.{plan.scenario.budget.level}",
        facts.UNIT_COST,
        f"latency_ms_p95.{USERS_PEAK}",
        f"requests_per_s.{USERS_PEAK}",
    )
    yield from (name for name in wanted if name in plan.figures)


def _headline(plan: Plan, name: str) -> dict[str, Any]:
    return {**_figure(plan.figures[name]), "called": names.spoken(name)}


def _figure(figure: Derivation) -> dict[str, Any]:
    """Return a figure in words and, where one number says it, as one."""
    is_money = figure.unit.startswith(MONEY)
    shown = words.usd(facts.money(figure.value)) if is_money else words.ends(figure)
    number = float(figure.value)
    return {
        "figure": figure.figure,
        "shown": shown,
        "unit": words.one_line(figure.unit.removeprefix(MONEY).replace("/", "a ", 1) if is_money else figure.unit),
        "value": number if abs(number) < float("inf") else None,
    }


def _tiers(plan: Plan) -> Iterator[dict[str, Any]]:
    known = {fitted(words.one_line(name), NAME): name for name in plan.fleet.tiers}
    for tier, (name, fleet, nodes, amount, share) in zip(tiers(plan), cells(plan)[:-1], strict=True):
        yield {
            "name": name,
            "tier": known.get(name, name),
            "fleet": ", ".join(fleet),
            "nodes": nodes,
            "amount": amount,
            "share": share,
            "usd": float(tier.cost_usd),
        }


def _gate(plan: Plan, verdict: Verdict) -> dict[str, Any]:
    """Return a gate, how it ended, and the line that every report has of it."""
    return {
        "status": verdict.status,
        "called": names.spoken(verdict.figure),
        "line": words.gate_line(verdict)[2:],
        "figure": verdict.figure if verdict.figure in plan.figures else "",
    }


def _latencies(plan: Plan) -> Iterator[dict[str, Any]]:
    """Yield the latency of each load, at the percentiles that it has limits for, beside these."""
    for name, load in plan.scenario.driven.items():
        for percentile, limit in (("p95", load.latency_ms_p95), ("p99", load.latency_ms_p99)):
            figure = plan.figures.get(f"latency_ms_{percentile}.{name}")
            if figure is None or limit is None:
                continue
            yield {
                **_figure(figure),
                "load": words.one_line(name),
                "users": words.count(load.users),
                "percentile": percentile,
                "limit_ms": limit,
                "is_kept": float(figure.value) < limit,
            }


def _busy(plan: Plan) -> list[dict[str, Any]]:
    """Return how busy each tier's fullest place is when all users at peak act, the fullest first."""
    found = [
        {**_figure(figure), "name": words.one_line(name.partition(".")[0]), "share": words.percent(float(figure.value))}
        for name, figure in plan.figures.items()
        if BUSY in name
    ]
    return sorted(found, key=lambda each: (-(each["value"] or 0), each["name"]))


def _bottleneck(plan: Plan) -> str:
    """Return which place is fullest when all users at peak act, in the words of the latency's note."""
    figure = plan.figures.get(f"latency_ms_p95.{USERS_PEAK}")
    return "" if figure is None else words.one_line(figure.note)
