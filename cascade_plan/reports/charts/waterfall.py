"""From one plan's bill to another one's, a bar for each cause, beside the budget."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from cascade_plan.model.difference import Differences
from cascade_plan.model.titles import title
from cascade_plan.reports._causes import by_tier, said
from cascade_plan.reports._marks import BLUE, GREY, INK, VERMILION, WIDTH, Spec, axis, chart, data, number, view
from cascade_plan.reports._words import usd

CHART: str = "from today's bill to that of another plan, cause by cause, beside the budget"
OF: str = "differences"
MOST: Final = 10
"""Causes that have a bar of their own; the smaller ones are one together."""
BAR: Final = 26
"""Pixels of a bar with its gap."""
NAMES: Final = 330
"""Pixels of the names at the left."""
KINDS: Final = {"bill": GREY, "costs less": BLUE, "costs more": VERMILION}


def draw(
    differences: Differences, before: str = "today", after: str = "cheapest plan", is_by_tier: bool = False
) -> Spec:
    """Return the way from one bill to the other, cause by cause or tier by tier.

    The bars' lengths add up to the difference exactly.
    """
    rows = list(_rows(differences, before, after, is_by_tier))
    budget = differences.after.scenario.budget.usd_per_month_most(differences.after.scenario.users)
    old, new = differences.cost_usd_before, differences.cost_usd_after
    change = f"{usd(abs(differences.change_usd))} {'less' if differences.change_usd < 0 else 'more'}"
    words = f"{usd(old)} a month {before}, {usd(new)} with the {after}: {change}"
    judged = "" if budget is None else f"; the budget is {usd(budget)}, {_gap(new, budget)}"
    name = differences.after.scenario.name
    return chart(
        f"{name}: from {before} to the {after}",
        [f"{words}{judged}", "US dollars a month at the " + f"{differences.level} level"],
        f"{name}, waterfall of the monthly cost in {len(rows)} bars. {words}{judged}.",
        [view("", BAR * len(rows), list(_layers(rows, budget)), width=WIDTH - NAMES + 60)],
        usermeta={"names": NAMES},
    )


def _gap(cost: Decimal, budget: Decimal) -> str:
    return f"{usd(cost - budget)} too much" if cost >= budget else f"kept by {usd(budget - cost)}"


def _rows(differences: Differences, before: str, after: str, is_by_tier: bool) -> Iterator[dict[str, Any]]:
    old, new = differences.cost_usd_before, differences.cost_usd_after
    yield _row(before, Decimal(0), old, usd(old), "bill")
    at = old
    steps = [(said(cause), cause.change_usd) for cause in differences.causes]
    if is_by_tier:
        steps = [(title(tier), usd) for tier, usd in by_tier(differences) if usd]
    for words, usd_ in steps[:MOST]:
        yield _change(words, at, usd_)
        at += usd_
    if rest := steps[MOST:]:
        yield _change(f"{len(rest)} smaller ones", at, sum((usd_ for _, usd_ in rest), Decimal(0)))
    yield _row(after, Decimal(0), new, usd(new), "bill")


def _change(label: str, at: Decimal, change: Decimal) -> dict[str, Any]:
    words = usd(change) if change < 0 else f"+{usd(change)}"
    return _row(label, at, at + change, words, "costs less" if change < 0 else "costs more")


def _row(label: str, start: Decimal, end: Decimal, words: str, kind: str) -> dict[str, Any]:
    return {"label": label, "from": number(start), "to": number(end), "words": words, "kind": kind}


def _layers(rows: list[dict[str, Any]], budget: Decimal | None) -> Iterator[Spec]:
    for index, row in enumerate(rows):
        row["index"] = index
        row["right"] = max(row["from"], row["to"])
    y: Spec = {
        "field": "index",
        "type": "ordinal",
        "title": None,
        "axis": None,
        "scale": {"paddingInner": 0.3},
    }
    x = axis("from", title=None, axis={"format": "$,~r", "tickCount": 6}, scale={"zero": True, "nice": True})
    colour = {
        "field": "kind",
        "type": "nominal",
        "scale": {"domain": [*KINDS], "range": [*KINDS.values()]},
        "legend": {"symbolType": "square", "offset": 22},
    }
    hover = [{"field": "label", "title": "cause"}, {"field": "words", "title": "USD a month"}]
    yield {
        "data": data(rows),
        "mark": {"type": "bar", "cornerRadius": 1},
        "encoding": {"y": y, "x": x, "x2": {"field": "to"}, "color": colour, "tooltip": hover},
    }
    label = {"type": "text", "align": "right", "dx": -10, "limit": NAMES, "color": INK}
    yield {"data": data(rows), "mark": label, "encoding": {"y": y, "x": {"value": 0}, "text": {"field": "label"}}}
    amount = {"type": "text", "align": "left", "dx": 6, "color": INK}
    yield {"data": data(rows), "mark": amount, "encoding": {"y": y, "x": axis("right"), "text": {"field": "words"}}}
    if budget is not None:
        limit = [{"usd": number(budget), "words": f"budget {usd(budget)}"}]
        rule = {"type": "rule", "color": VERMILION, "strokeDash": [7, 4], "strokeWidth": 2}
        yield {"data": data(limit), "mark": rule, "encoding": {"x": axis("usd")}}
        word = {
            "type": "text",
            "align": "left",
            "baseline": "bottom",
            "dx": -2,
            "dy": -4,
            "color": VERMILION,
            "fontWeight": "bold",
        }
        yield {
            "data": data(limit),
            "mark": word,
            "encoding": {"x": axis("usd"), "y": {"value": 0}, "text": {"field": "words"}},
        }
