"""What finance reads adds up: months to years, both views of money, and decisions that save what they say."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from papers import GROWING, made

from cascade_plan.choosing.forecast import forecast
from cascade_plan.inputs.choice import chosen
from cascade_plan.model.paper import CHANGE, COMMIT, KEEP_LESS
from cascade_plan.model.scenario import with_values


def test_years_are_their_months_and_all_is_its_years() -> None:
    _, paper = made()
    assert [(year.year, year.month_count) for year in paper.years] == [(2027, 12), (2028, 2)]
    for name in ("without_usd", "effective_usd", "cash_usd", "budget_usd"):
        months = [getattr(month, name) for month in paper.months]
        assert getattr(paper.years[0], name) == sum(months[:12])
        assert getattr(paper.years[1], name) == sum(months[12:])
        assert getattr(paper.total, name) == sum(months)
    assert paper.total.users_peak == paper.months[-1].users_peak == paper.forecast.months[-1].users_peak


def test_with_nothing_bought_it_is_the_forecast_and_with_the_schedule_what_that_says() -> None:
    _, paper = made()
    assert [month.without_usd for month in paper.months] == [each.effective_usd for each in paper.forecast.months]
    assert [month.tier_usd for month in paper.months] == [each.tier_usd for each in paper.forecast.months]
    saved = sum(month.without_usd - month.effective_usd for month in paper.months)
    assert saved == paper.schedule.saves_usd
    outlays = paper.schedule.months
    assert [month.cash_usd - month.effective_usd for month in paper.months] == [
        each.cash_usd - each.effective_usd for each in outlays
    ]


def test_the_budget_follows_the_users() -> None:
    _, paper = made()
    assert [month.budget_usd for month in paper.months] == [
        Decimal(month.users_peak) * 50 / 1000 for month in paper.months
    ]


def test_decisions_save_what_they_say_the_largest_first() -> None:
    _, paper = made()
    found = {each.kind: each for each in paper.decisions}
    savings = [each.saves_usd for each in paper.decisions]
    assert savings == sorted(savings, reverse=True)
    assert found[COMMIT].cash_usd == sum(order.upfront_usd for order in paper.schedule.orders)
    assert paper.saving is not None
    assert found[CHANGE].saves_usd == -paper.saving.change_usd * 14


def test_keeping_less_saves_what_the_forecast_that_keeps_less_says() -> None:
    longer = tuple("forecast.months=26" if each.startswith("forecast.months") else each for each in GROWING)
    _, paper = made("cascade", longer)
    (kept,) = (each for each in paper.decisions if each.kind == KEEP_LESS)
    given = chosen({"scenario": "cascade", "set_": list(longer)}, None, lambda note: None).read()
    less = forecast(with_values(given.scenario, kept.overrides or {}), given.book, given.origins)
    assert kept.saves_usd == paper.forecast.effective_usd - less.effective_usd > 0
    assert f"{kept.by:%Y-%m}" == "2028-01"


def test_what_saves_nothing_is_no_decision() -> None:
    _, paper = made("cascade", (*GROWING, "tiers.database.retention_months=12", "forecast.months=1"))
    assert KEEP_LESS not in {each.kind for each in paper.decisions}
    assert all(each.saves_usd > 0 for each in paper.decisions)


def test_how_sure_it_is_lies_around_the_plan() -> None:
    plan, paper = made()
    assert paper.month_usd is not None
    low, middle, high = paper.month_usd
    assert low < middle < high
    assert low * Decimal("0.8") < plan.answer.cost_usd_per_month < high * Decimal("1.2")
    assert paper.kept_ratio is not None
    assert 0 <= paper.kept_ratio <= 1
    first = paper.months[0]
    assert first.low_usd is not None
    assert first.high_usd is not None
    assert first.low_usd <= first.without_usd * Decimal("1.1")


def test_the_identifier_is_of_scenario_prices_and_program(monkeypatch: pytest.MonkeyPatch) -> None:
    plan, paper = made()
    assert paper.identifier == plan.identifier
    assert len(plan.identifier.replace("-", "")) == 12
    assert replace(plan, outlook=None).identifier == plan.identifier
    other = replace(plan, scenario=plan.scenario.with_users(10_001, 3_000))
    item = replace(plan.bill.items[0], price_usd=plan.bill.items[0].price_usd + 1)
    dearer = replace(plan, bill=replace(plan.bill, items=(item, *plan.bill.items[1:])))
    monkeypatch.setattr("cascade_plan.model.plan.__version__", "9.9.9")
    assert len({paper.identifier, other.identifier, dearer.identifier, plan.identifier}) == 4
