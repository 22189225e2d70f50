"""What is bought is proved the least, adds up, keeps its limits, and is bought once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache

import pytest
from horizons import Month, book, months, of_plans, planned, scenario, users
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.choosing.buying import Market
from cascade_plan.choosing.forecast import forecast
from cascade_plan.choosing.pools import Former, later, usd
from cascade_plan.choosing.purchases import NO_LIMITS, schedule
from cascade_plan.inputs.scenarios import read
from cascade_plan.model.plan import Plan
from cascade_plan.model.price import Book, PriceKey, Row
from cascade_plan.model.purchases import Limits, Owned, Purchase, Schedule, in_cents
from cascade_plan.model.terms import commitment_of
from cascade_plan.planning.pipeline import plan

GROWTHS = (-4.0, 0.0, 8.0)
NONE = Decimal(0)
CENT = Decimal("0.01")


@cache
def found(growth_percent: float, limits: Limits = NO_LIMITS) -> Schedule:
    """Return what is bought for `cascade` over 36 months."""
    return schedule(months(growth_percent), book(), limits)


def total(amounts: Iterator[Decimal]) -> Decimal:
    """Return the sum of amounts of money."""
    return sum(amounts, NONE)


def upfront_by_month(of: Schedule) -> dict[int, Decimal]:
    """Return what is paid upfront in each month that something is bought in."""
    paid: dict[int, Decimal] = {}
    for each in of.purchases:
        paid[each.month] = paid.get(each.month, NONE) + each.upfront_usd
    return paid


# ------------------------------------------------------------------------------------------------------- adding up


@pytest.mark.parametrize("growth", GROWTHS)
def test_the_bound_proves_the_cost_to_the_last_digit(growth: float) -> None:
    assert found(growth).gap_usd == 0
    assert found(growth).zero.cost_usd == found(growth).zero.bound_usd


@pytest.mark.parametrize("growth", GROWTHS)
def test_purchases_and_months_add_up_to_the_total(growth: float) -> None:
    adds_up(found(growth))


def adds_up(of: Schedule) -> None:
    """Hold a schedule's purchases, pools and months to its totals."""
    on_demand = total(month.on_demand_usd for month in of.months)
    assert total(month.effective_usd for month in of.months) == of.cost_usd
    assert total(each.effective_usd for each in of.purchases) + on_demand == of.cost_usd
    assert total(month.all_on_demand_usd for month in of.months) == of.on_demand_usd
    assert total(each.saves_usd for each in of.purchases) == of.saves_usd
    for at, month in enumerate(of.months):
        replaced = total(each.replaced_usd_monthly[at] for each in of.purchases)
        assert month.on_demand_usd + replaced == month.all_on_demand_usd
        assert month.all_on_demand_usd == total(pool.on_demand_usd_monthly[at] for pool in of.pools)


@pytest.mark.parametrize("growth", GROWTHS)
def test_a_whole_term_costs_what_is_paid_for_it(growth: float) -> None:
    of = found(growth)
    for each in of.purchases:
        assert each.effective_usd + each.after_usd == total(iter(each.cash_usd_monthly)) + each.owed_usd_after
        assert each.cash_usd_monthly[each.month - 1] >= each.upfront_usd
        assert not any(each.effective_usd_monthly[: each.month - 1])
    assert of.liability_usd == total(each.after_usd for each in of.purchases)
    cash = total(month.cash_usd for month in of.months)
    assert cash + of.owed_usd_after == of.cost_usd + of.liability_usd


@pytest.mark.parametrize("growth", GROWTHS)
def test_what_is_printed_in_cents_adds_up_to_the_cent(growth: float) -> None:
    of = found(growth)
    for amounts, sums_to in (
        ([month.effective_usd for month in of.months], of.cost_usd),
        ([month.all_on_demand_usd for month in of.months], of.on_demand_usd),
        ([each.after_usd for each in of.purchases], of.liability_usd),
        ([each.saves_usd for each in of.purchases], of.saves_usd),
    ):
        assert total(iter(in_cents(amounts))) == sums_to.quantize(CENT)
    assert of.bound_usd.quantize(CENT) == of.cost_usd.quantize(CENT)


@given(st.lists(st.decimals(-(10**9), 10**9, places=12)))
def test_no_amount_in_cents_is_a_cent_off(amounts: list[Decimal]) -> None:
    cents = in_cents(amounts)
    for at, (exact, rounded) in enumerate(zip(amounts, cents, strict=True), 1):
        assert abs(exact - rounded) <= CENT
        assert total(iter(cents[:at])) == total(iter(amounts[:at])).quantize(CENT)


@pytest.mark.parametrize("growth", GROWTHS)
def test_nothing_bought_costs_what_the_bills_say(growth: float) -> None:
    of, horizon = found(growth), months(growth)
    for outlay, month in zip(of.months, horizon, strict=True):
        groups = {group.name for group in month.plan.groups}
        lines = [item for item in month.plan.bill.items if item.group in groups and item.unit == "hour"]
        billed = total(item.cost_usd.average for item in lines) * month.hours / 730
        assert abs(outlay.all_on_demand_usd - billed) < CENT


@pytest.mark.parametrize("level", ["floor", "peak", "ceiling"])
def test_another_level_that_the_budget_judges_runs_all_month(level: str) -> None:
    budget = scenario().budget.model_copy(update={"level": level})
    judged = scenario().model_copy(update={"budget": budget})
    each = plan(judged, book(), predicted=False, with_margins=False)
    of = schedule([*of_plans([each])], book())
    lines = [item for item in each.bill.items if item.unit == "hour" and item.group]
    billed = total(getattr(item.cost_usd, level) for item in lines) * 744 / 730
    assert abs(of.on_demand_usd - billed) < CENT


@pytest.mark.parametrize("name", ["api-batch", "growth-100k", "saas-300", "serverless-500"])
def test_of_any_system_what_it_runs_on_demand_is_looked_at_and_no_more(name: str) -> None:
    system = read(name)
    each = plan(system.scenario, system.book, predicted=False, with_margins=False)
    of = schedule([*of_plans([each] * 2)], system.book)
    lines = [item for item in each.bill.items if item.unit == "hour" and item.key.term == "on_demand" and item.group]
    for outlay in of.months:
        billed = total(item.cost_usd.average for item in lines) * outlay.hours / 730
        assert abs(outlay.all_on_demand_usd - billed) < CENT
    assert of.gap_usd == 0
    assert of.pools or of.not_offered


def test_no_other_way_to_buy_costs_less() -> None:
    for growth in GROWTHS:
        of = found(growth)
        assert set(of.rules_usd) == {
            "on demand", "all now, deepest discount", "look back each year", "look back each month", "ski rental",
        }  # fmt: skip
        assert of.cost_usd <= min(of.rules_usd.values())


def test_what_is_bought_under_growth_is_less_than_the_clouds_rules_by_far() -> None:
    of = found(8.0)
    assert of.cost_usd < Decimal("0.5") * of.on_demand_usd
    assert of.cost_usd < Decimal("0.9") * of.rules_usd["look back each month"]


# --------------------------------------------------------------------------------------------------- what is decided


def test_only_the_first_months_purchases_are_orders() -> None:
    of = found(8.0)
    assert of.orders
    assert {each.start for each in of.orders} == {date(2027, 1, 1)}
    assert all(each.month > 1 for each in of.purchases if each not in of.orders)


def test_a_change_of_family_strands_nothing() -> None:
    # The primary leaves db.r5 in month 23: no reservation of it that is bought at once lasts three years.
    of = found(8.0)
    first = [each for each in of.orders if each.offer.name.startswith("db.r5.")]
    assert first
    assert all(each.term.startswith("reserved_1y") for each in first)
    assert all(each.after_usd == 0 for each in first)
    # Were there no growth, three years would be right.
    still = [each for each in found(0.0).orders if each.offer.name.startswith("db.r5.")]
    assert all(each.term.startswith("reserved_3y") for each in still)


def test_a_standby_counts_twice() -> None:
    of = found(0.0)
    bought = next(each for each in of.orders if each.offer.name == "db.r5.xlarge")
    assert bought.offer.options == ("postgres", "single_zone")
    assert bought.count == 3  # the primary, its standby, and one replica


def test_the_end_of_the_horizon_is_valued_both_ways() -> None:
    of = found(8.0)
    assert of.cost_usd < of.zero.cost_usd <= of.cost_usd + of.liability_usd
    assert total(each.effective_usd + each.after_usd for each in of.zero.purchases) < of.zero.cost_usd
    assert 0 < of.owed_usd_after < of.liability_usd


def test_growth_that_stops_is_worst_bought_blindly() -> None:
    stopped = found(8.0).stopped
    assert stopped.least_usd < stopped.orders_usd < stopped.on_demand_usd < stopped.blindly_usd
    still = found(0.0).stopped
    assert still.least_usd == still.orders_usd == found(0.0).cost_usd


def test_months_until_paid_back_are_counted() -> None:
    # 3 x 0.206 an hour on demand for 744, 672, 744, ... hours; 7,302 upfront and nothing after it.
    of = next(each for each in found(0.0).orders if each.offer.name == "cache.r6g.large")
    assert (of.count, of.term, of.upfront_usd) == (3, "reserved_3y_all_upfront", Decimal(7302))
    paid_back = next(n for n in range(36) if sum(m.hours for m in months(0.0)[:n]) * Decimal("0.618") >= 7302)
    assert of.paid_back_months == paid_back == 17
    assert of.less_usd_per_month == Decimal("0.618") * 744
    nothing_upfront = found(0.0, Limits(upfront_usd_per_month=NONE)).orders
    assert {each.paid_back_months for each in nothing_upfront} == {0}


# ---------------------------------------------------------------------------------------------------------- limits


@pytest.mark.parametrize("most", [0, 1000, 5000, 20_000])
def test_no_month_pays_more_upfront_than_it_may(most: int) -> None:
    of = found(8.0, Limits(upfront_usd_per_month=Decimal(most)))
    assert max(upfront_by_month(of).values()) <= most
    assert found(8.0).cost_usd <= of.bound_usd <= of.cost_usd <= of.on_demand_usd
    assert of.zero.bound_usd <= of.zero.cost_usd


def test_a_most_upfront_that_does_not_bind_changes_nothing() -> None:
    most = max(upfront_by_month(found(8.0)).values())
    assert found(8.0, Limits(upfront_usd_per_month=most)).purchases == found(8.0).purchases


def test_no_term_is_longer_than_it_may_be() -> None:
    of = found(8.0, Limits(term_years_max=1))
    years = {commitment.years for each in of.purchases if (commitment := commitment_of(each.term))}
    assert years == {1}
    assert of.gap_usd == 0
    assert of.cost_usd > found(8.0).cost_usd


def test_a_share_stays_on_demand() -> None:
    assert not found(0.0, Limits(on_demand_share=1.0)).purchases
    half, all_of_it = found(0.0, Limits(on_demand_share=0.5)), found(0.0)
    assert half.on_demand_usd == all_of_it.on_demand_usd
    assert all_of_it.cost_usd < half.cost_usd < half.on_demand_usd
    # Of 3 cache nodes 2 at least are half of them.
    assert [each.count for each in half.orders if each.offer.name == "cache.r6g.large"] == [1]


def test_buying_for_less_growth_says_what_the_caution_costs() -> None:
    of = schedule(months(8.0), book(), bought_for=months(4.0))
    assert found(8.0).cost_usd == of.bound_usd < of.cost_usd < of.on_demand_usd
    assert of.gap_usd == of.cost_usd - of.bound_usd
    assert total(month.effective_usd for month in of.months) == of.cost_usd


# ------------------------------------------------------------------------------------------------- bought already


def committed(**purchases: object) -> list[Month]:
    """Return a year of `cascade` without growth, with some tiers' instances committed to."""
    tiers = {
        name: settings.model_copy(update={"purchase": purchases[name]}) if name in purchases else settings
        for name, settings in scenario().tiers.items()
    }
    each = plan(scenario().model_copy(update={"tiers": tiers}), book(), predicted=False, with_margins=False)
    return [*of_plans([each] * 12)]


def bought(of: Schedule, name: str) -> int:
    """Return how many of an instance are bought."""
    return sum(each.count for each in of.purchases if each.offer.name == name)


def test_what_the_scenario_commits_to_is_not_bought_again() -> None:
    assert bought(schedule(committed(), book()), "cache.r6g.large") == 3
    of = schedule(committed(cache="reserved_1y_no_upfront"), book())
    assert bought(of, "cache.r6g.large") == 0
    two = schedule(committed(cache={"reserved_1y_no_upfront": 0.67}), book())
    assert bought(two, "cache.r6g.large") == 1


def test_what_runs_on_spot_is_not_bought() -> None:
    assert bought(schedule(committed(), book()), "m6g.large") == 4
    assert bought(schedule(committed(websocket="spot"), book()), "m6g.large") == 1


def owned(of: Schedule) -> list[Owned]:
    """Return what a schedule's orders are afterwards."""
    return [Owned(each.start, each.offer, each.term, each.count) for each in of.orders]


def test_what_was_bought_before_is_not_bought_again() -> None:
    first = found(0.0)
    horizon = months(0.0, start=date(2027, 2, 1), count=11)
    assert not schedule(horizon, book(), owned=owned(first)).purchases
    # A year later the orders for one year have ended.
    after = schedule(months(8.0, start=date(2028, 1, 1)), book(), owned=owned(found(8.0)))
    assert {each.offer.name for each in after.orders} >= {"db.r5.xlarge"}


# ------------------------------------------------------------------------------------------------ prices and plans


def without(name: str, prices: Book) -> Book:
    """Return a book without the prices of terms by name."""
    terms = {key.term for key in prices.rows if key.term.startswith(name)}
    return prices.without([(key.service, key.item, key.term) for key in prices.rows if key.term in terms])


def test_a_term_without_a_price_is_not_offered_and_said() -> None:
    of = schedule(months(0.0), without("reserved_3y", book()))
    assert of.purchases
    assert not any(each.term.startswith("reserved_3y") for each in of.purchases)
    terms = "reserved_3y_no_upfront, reserved_3y_partial_upfront, reserved_3y_all_upfront"
    assert f"cache.r6g.large: no price by {terms}" in of.not_offered
    nothing = schedule(months(0.0), without("reserved", book()))
    assert not nothing.purchases
    assert nothing.cost_usd == nothing.bound_usd == nothing.on_demand_usd


def with_plans() -> Book:
    """Return the book with a savings plan that pays for two families, at a made-up price."""
    rows: dict[PriceKey, Row] = {
        PriceKey("ec2", name, "linux", "compute_sp_1y_no_upfront"): (
            "hour",
            rate,
            "",
            "2027",
            "made up",
            "",
            "",
            "",
            "",
        )
        for name, rate in (("c6g.xlarge", "0.05"), ("m6g.large", "0.04"))
    }
    return book().overridden(rows, "plans")


def test_a_savings_plan_is_bought_as_money_an_hour() -> None:
    of = schedule(committed(), without("reserved", with_plans()))
    plans = {each.offer.name: each for each in of.purchases}
    assert {each.term for each in plans.values()} == {"compute_sp_1y_no_upfront"}
    assert plans["m6g.large"].committed_usd_per_hour == Decimal("0.16")  # four of them
    assert found(0.0).orders[0].committed_usd_per_hour == 0


def test_a_plan_for_several_families_is_bounded_and_not_called_exact() -> None:
    # Nothing moves: each family's own plan is the least, and the bound by the month shows it.
    still = schedule(committed(), with_plans())
    assert still.bound_usd <= still.cost_usd
    assert schedule(committed(), without("reserved", with_plans())).gap_usd <= CENT


def test_one_plan_pays_for_families_that_follow_one_another() -> None:
    # Half a year of c6g.xlarge, then half a year of m6g.large: a plan of a year for either is idle half of it.
    moved = [
        replace(month, plan=_without(month.plan, "api" if at >= 6 else "websocket"))
        for at, month in enumerate(committed())
    ]
    prices = without("reserved", with_plans())
    of = schedule(moved, prices)
    joint = [each for each in of.purchases if each.offer.what == "savings_plan"]
    assert joint == list(of.purchases)
    # Two c6g.xlarge at 0.05 an hour run all day, and four m6g.large at 0.04 afterwards.
    assert joint[0].committed_usd_per_hour >= Decimal("0.1")
    stocks = Former(moved, prices, NO_LIMITS).stocks()
    apart = Market(stocks, tuple(stock.held for stock in stocks)).deal(joins=False)
    assert of.bound_usd <= of.cost_usd < usd(apart.cost)
    adds_up(of)


def _without(of: Plan, tier: str) -> Plan:
    """Return a plan in which a tier does not run."""
    tiers = {name: sized for name, sized in of.fleet.tiers.items() if name != tier}
    return replace(of, fleet=replace(of.fleet, tiers=tiers))


# ------------------------------------------------------------------------------------------------ made again monthly


def remade(real: float, assumed: float = 8.0, count: int = 36) -> Decimal:
    """Return what instances cost where each month only that month's orders are made, for a growth that is assumed."""
    orders: list[Owned] = []
    spent: list[Purchase] = []
    for now in range(count):
        ahead = months(assumed, count - now, users(real, now), later(date(2027, 1, 1), now))
        of = schedule(ahead, book(), owned=orders)
        orders += owned(of)
        spent += of.orders
    left = schedule(months(real, count), book(), Limits(term_years_max=0), owned=orders)
    return left.cost_usd + total(each.effective_usd for each in spent)


@pytest.mark.parametrize("real", [0.0, 8.0])
def test_orders_made_again_each_month_are_near_perfect_foresight(real: float) -> None:
    least, cost = found(real).cost_usd, remade(real)
    assert least <= cost <= Decimal("1.12") * least


def test_a_forecast_s_months_are_what_is_bought_for() -> None:
    grown = scenario().growth.model_copy(update={"percent_per_month": 8.0})
    ahead = forecast(scenario().model_copy(update={"growth": grown}), book(), start=date(2027, 1, 1))
    of = schedule(ahead.months, book())
    assert of.gap_usd == 0
    assert total(each.upfront_usd for each in of.orders) == Decimal("15902.96")
    for outlay, month in zip(of.months, ahead.months, strict=True):
        assert outlay.hours == month.hours
        assert outlay.all_on_demand_usd < month.effective_usd


def test_a_year_before_february_has_its_own_hours() -> None:
    assert [month.hours for month in of_plans([planned(10_000)] * 2)] == [744, 672]
