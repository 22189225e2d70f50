"""What each month of a forecast costs, tier by tier, beside the budget and between what it may be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, Final

from cascade_plan.model.forecast import Forecast
from cascade_plan.model.titles import title
from cascade_plan.reports._marks import (
    INK,
    NEIGHBOURS,
    PAPER,
    VERMILION,
    Spec,
    axis,
    chart,
    data,
    legend,
    name,
    number,
    view,
)
from cascade_plan.reports._words import dollars

CHART: str = "cost by tier over the months of a forecast, with the budget, what it may be and the commitments"
OF: str = "forecast"
OWN: Final = 5
LEAST: Final = Decimal("0.02")
"""Tiers with an area of their own, and the least share of all that one has; the others are one together."""
TALL: Final = 330
REST: Final = "Rest"


def draw(forecast: Forecast, effective_usd: Sequence[Decimal] = ()) -> Spec:
    """Return the months' costs as areas one above the other, the dearest tier lowest.

    The budget is what the month's users may cost. The band is between what one of ten worlds costs less than and one
    more, where it is known. `effective_usd` is what each month costs with commitments: a line.
    """
    names = _names(forecast)
    colours = dict(zip((*names, REST), NEIGHBOURS, strict=False))
    rows = list(_areas(forecast, names))
    first, last = forecast.months[0], forecast.months[-1]
    words = (
        f"{_usd(first.effective_usd)} in {first.start:%B %Y}, {_usd(last.effective_usd)} in {last.start:%B %Y}; "
        f"{_usd(forecast.effective_usd)} in all {len(forecast.months)} months"
    )
    shown = [each for each in (*names, REST) if any(row["tier"] == each for row in rows)]
    marked = [*reversed([(each, colours[each]) for each in shown]), *_lines(forecast, effective_usd)]
    return chart(
        f"{forecast.scenario.name}: cost over the months",
        [words, "US dollars a month; the areas stand one above the other, in the order of the legend"],
        f"{forecast.scenario.name}, stacked areas of the monthly cost by tier. {words}.",
        [view("", TALL, [*_layers(forecast, rows, colours, effective_usd), legend(marked)])],
    )


def _usd(amount: Decimal) -> str:
    return dollars(f"{amount:z,.0f}")


def _names(forecast: Forecast) -> list[str]:
    least = LEAST * forecast.effective_usd
    return [name(title(tier)) for tier, usd in forecast.tier_usd.items() if usd >= least][:OWN]


def _areas(forecast: Forecast, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield where each tier's area begins and ends in each month: at the first day of it."""
    tiers = list(forecast.tier_usd)[: len(names)]
    for month in forecast.months:
        base = Decimal(0)
        own = [(label, month.tier_usd.get(tier, Decimal(0))) for tier, label in zip(tiers, names, strict=True)]
        rest = month.effective_usd - sum((usd for _, usd in own), Decimal(0))
        if len(forecast.tier_usd) > len(names):
            own.append((REST, rest))
        for label, usd in own:
            yield {
                "month": f"{month.start:%Y-%m-%d}",
                "tier": label,
                "usd": number(usd),
                "from": number(base),
                "to": number(base + usd),
            }
            base += usd


def _lines(forecast: Forecast, effective_usd: Sequence[Decimal]) -> Iterator[tuple[str, str]]:
    if effective_usd:
        yield "with commitments", INK
    if any(row["usd"] is not None for row in _budget(forecast)):
        yield "budget", VERMILION
    if forecast.band is not None:
        yield "eight of ten cases", "#7f7f7f"


def _budget(forecast: Forecast) -> list[dict[str, Any]]:
    found = []
    for month in forecast.months:
        scenario = month.plan.scenario
        most = scenario.budget.usd_per_month_most(scenario.users)
        if most is not None:
            found.append({"month": f"{month.start:%Y-%m-%d}", "usd": number(most)})
    return found


def _layers(
    forecast: Forecast, rows: Sequence[dict[str, Any]], colours: dict[str, str], effective_usd: Sequence[Decimal]
) -> Iterator[Spec]:
    x: Spec = {"field": "month", "type": "temporal", "title": None, "axis": {"format": "%Y-%m", "tickCount": 7}}
    x |= {"scale": {"type": "utc"}}
    y = axis("from", title=None, axis={"format": "$,~r", "tickCount": 6})
    for tier, colour in colours.items():
        if own := [row for row in rows if row["tier"] == tier]:
            yield {
                "data": data(own),
                "mark": {"type": "area", "color": colour, "line": {"color": PAPER, "strokeWidth": 0.8}},
                "encoding": {"x": x, "y": y, "y2": {"field": "to"}},
            }
    starts = [f"{month.start:%Y-%m-%d}" for month in forecast.months]
    if forecast.band is not None:
        ends = zip(starts, forecast.band.monthly_usd, strict=True)
        between = [{"month": start, "from": number(low), "to": number(high)} for start, (low, _, high) in ends]
        for end in ("from", "to"):
            mark = {"type": "line", "color": "#7f7f7f", "strokeDash": [2, 2], "strokeWidth": 1.6}
            yield {"data": data(between), "mark": mark, "encoding": {"x": x, "y": axis(end)}}
    if effective_usd:
        paid = [{"month": start, "usd": number(usd)} for start, usd in zip(starts, effective_usd, strict=True)]
        yield {
            "data": data(paid),
            "mark": {"type": "line", "color": INK, "strokeWidth": 2.2},
            "encoding": {"x": x, "y": axis("usd")},
        }
    if budget := _budget(forecast):
        yield {
            "data": data(budget),
            "mark": {"type": "line", "color": VERMILION, "strokeDash": [7, 4], "strokeWidth": 2},
            "encoding": {"x": x, "y": axis("usd")},
        }
