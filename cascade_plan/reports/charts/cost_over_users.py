"""The cost a month and for 1000 users, over users, with the budget and where the cost crosses it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import exp, log
from typing import Any, Final

from cascade_plan.model.outlook import Point
from cascade_plan.model.plan import Plan
from cascade_plan.reports._marks import BLUE, INK, VERMILION, Spec, axis, chart, data, decades, number, view
from cascade_plan.reports._words import count, usd

CHART: str = "cost a month and for 1000 users over the number of users, with the budget and where it is crossed"
OF: str = "plan"
TALL: Final = (210, 210)
FIGURES: Final = {"month": "Cost a month (US dollars)", "per_1000": "Cost a month for 1000 {users} (US dollars)"}


def draw(plan: Plan) -> Spec:
    """Return the cost over users of a plan whose outlook is known, on logarithmic axes of users.

    The budget's line follows the users where it is for 1000 of them. Between two numbers of users that were planned the
    crossing is where the line between them meets it. Raises ValueError for a plan without an outlook.
    """
    if plan.outlook is None:
        raise ValueError("the plan has no outlook: it was not explored")
    rows = [_row(plan, point) for point in plan.outlook.curve]
    crossings = list(crossed(rows))
    words = _words(plan, crossings)
    own = [row for row in rows if row["users"] == plan.scenario.users.peak]
    panels = [_panel(plan, figure, tall, rows, own, crossings) for figure, tall in zip(FIGURES, TALL, strict=True)]
    return chart(
        f"{plan.scenario.name}: cost over users",
        [
            words,
            f"at the {plan.scenario.budget.level} level, in month {plan.scenario.month} of its life; prices as today",
        ],
        f"{plan.scenario.name}, cost a month over users at peak, two panels. {words}",
        panels,
    )


def _row(plan: Plan, point: Point) -> dict[str, Any]:
    most = plan.scenario.budget.usd_per_month_most(
        plan.scenario.with_users(point.users_peak, point.users_average).users
    )
    per = (
        point.cost_usd_per_month / point.cost_usd_per_1000_users_month if point.cost_usd_per_1000_users_month else None
    )
    row: dict[str, Any] = {
        "users": point.users_peak,
        "month": number(point.cost_usd_per_month),
        "per_1000": number(point.cost_usd_per_1000_users_month),
    }
    if most is not None:
        row["budget_month"] = number(most)
        if per:
            row["budget_per_1000"] = number(most / per)
    return row


def crossed(rows: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield where the cost meets the budget between two of the rows, on axes of logarithms, with both figures there."""
    for one, other in pairwise(rows):
        if not all(row.get("budget_month") and row["month"] > 0 for row in (one, other)):
            continue
        before, after = (log(row["month"] / row["budget_month"]) for row in (one, other))
        if (before < 0) == (after < 0):
            continue
        share = before / (before - after)
        met = {
            key: exp(log(one[key]) + share * (log(other[key]) - log(one[key])))
            for key in ("users", "budget_month", "budget_per_1000")
        }
        yield {
            "users": round(met["users"]),
            "month": met["budget_month"],
            "per_1000": met["budget_per_1000"],
            "words": f"{_about(met['users'])} users",
            "within": "below" if before < 0 else "above",
        }


def _about(users: float) -> str:
    """Return a number to two digits.

    >>> _about(14_632), _about(980)
    ('15,000', '980')
    """
    return f"{float(f'{users:.2g}'):,.0f}"


def _words(plan: Plan, crossings: Sequence[dict[str, Any]]) -> str:
    answer = plan.answer
    here = f"{count(plan.scenario.users.peak)} users at peak cost {usd(answer.cost_usd_per_month)} a month"
    if answer.budget_usd_per_month is None:
        return f"{here}; there is no budget."
    met = "; ".join(f"the budget is kept {each['within']} about {each['words']}" for each in crossings)
    side = "above" if answer.cost_usd_per_month >= answer.budget_usd_per_month else "within"
    ends = f"; {met}" if met else ", at every number of users"
    return f"{here}, {side} the budget of {usd(answer.budget_usd_per_month)}{ends}."


def _panel(
    plan: Plan, figure: str, tall: int, rows: Sequence[Spec], own: Sequence[Spec], crossings: Sequence[Spec]
) -> Spec:
    users = f"{plan.scenario.budget.users} users"
    last = figure == "per_1000"
    x = axis(
        "users",
        title="users at peak" if last else None,
        scale={"type": "log", "nice": False},
        axis={"values": decades(rows[0]["users"], rows[-1]["users"]), "format": ",d", "labels": last, "ticks": last},
    )
    costs = [row[key] for row in rows for key in (figure, f"budget_{figure}") if row.get(key)]
    kind: Spec = {"zero": True}
    marks: Spec = {"format": "$,~r", "tickCount": 5}
    if figure == "month" and min(costs, default=0.0) > 0:
        kind = {"type": "log", "domain": [0.7 * min(costs), 1.4 * max(costs)], "nice": False}
        marks["values"] = decades(*kind["domain"])
    y = axis(figure, title=None, scale=kind, axis=marks)
    hover = [
        axis("users", title="users at peak", format=","),
        axis(figure, title="cost, USD a month", format=",.2f"),
    ]
    word: Spec = {"type": "text", "align": "left", "baseline": "bottom", "color": INK, "dx": 8, "dy": -5}
    there: Spec = {"x": x, "y": y}
    said: Spec = {"text": {"field": "words"}}
    points = {"color": BLUE, "size": 22}
    layers: list[Spec] = [
        {"data": data(rows), "mark": {"type": "line", "color": BLUE, "strokeWidth": 2.2, "point": points},
         "encoding": {**there, "tooltip": hover}},
        {"data": data(own), "mark": {"type": "point", "filled": True, "size": 110, "color": INK},
         "encoding": {**there, "tooltip": hover}},
        {"data": data([{**row, "words": "this plan"} for row in own]), "mark": word, "encoding": {**there, **said}},
    ]  # fmt: skip
    if any(row.get(f"budget_{figure}") for row in rows):
        red = {**word, "color": VERMILION, "fontWeight": "bold"}
        most: Spec = {"x": x, "y": axis(f"budget_{figure}", title=None, scale=kind)}
        layers += [
            {"data": data(rows), "mark": {"type": "line", "color": VERMILION, "strokeWidth": 2, "strokeDash": [7, 4]},
             "encoding": most},
            {"data": data([{**rows[0], "words": "budget"}]), "mark": red, "encoding": {**most, **said}},
        ]  # fmt: skip
        # Of no rows at all a scale has no extent, which what draws it complains of.
        layers += [
            {"data": data(crossings), "mark": {"type": "point", "shape": "diamond", "filled": True, "size": 130,
                                               "color": VERMILION}, "encoding": there},
            {"data": data(crossings), "mark": {**red, "baseline": "top", "dy": 8}, "encoding": {**there, **said}},
        ] if crossings else []  # fmt: skip
    return view(FIGURES[figure].format(users=users), tall, layers)
