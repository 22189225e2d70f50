"""A forecast against what its months come to when they are summed one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from math import exp, log
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_plan.choosing import widening
from cascade_plan.choosing.forecast import forecast, with_band
from cascade_plan.choosing.paid import Ledger
from cascade_plan.errors import InfeasibleError, UsageError
from cascade_plan.formulas.accumulation import held, held_of
from cascade_plan.inputs.scenarios import Given, read
from cascade_plan.model.forecast import Forecast
from cascade_plan.model.growth import Connected, Growth
from cascade_plan.model.plan import Plan
from cascade_plan.model.scenario import Scenario, with_values
from cascade_plan.planning.pipeline import plan
from cascade_plan.planning.traffic import traffic_of
from cascade_plan.units import GIB, SECONDS_PER_MONTH

JANUARY = date(2027, 1, 1)


def made(name: str = "cascade", months: int = 36, growth: dict[str, Any] | None = None, **set_: object) -> Forecast:
    given = read(name)
    return forecast(scenario(given, growth, set_), given.book, given.origins, JANUARY, months)


def scenario(given: Given, growth: dict[str, Any] | None, set_: dict[str, object]) -> Scenario:
    found = with_values(given.scenario, {path.replace("__", "."): value for path, value in set_.items()})
    return found.model_copy(update={"growth": Growth.model_validate(growth or {})})


# ------------------------------------------------------------------------------------------------- what accumulates


def summed(added: list[float], kept: float | None, parts: int = 200) -> float:
    """Return what is there in the mean of the last month, of many small parts that each month adds evenly."""
    total, last = 0.0, len(added) - 1
    for month, amount in enumerate(added):
        for part in range(parts):
            begins = month + (part + 0.5) / parts
            ends = begins + (kept if kept is not None else len(added))
            total += amount / parts * max(0.0, min(ends, last + 1) - max(begins, last))
    return total


@given(
    st.lists(st.floats(0.01, 10), min_size=1, max_size=8),
    st.none() | st.floats(0.2, 10),
)
def test_what_is_there_is_what_each_month_added_and_kept(added: list[float], kept: float | None) -> None:
    assert held_of(added, kept) == pytest.approx(summed(added, kept), rel=0.01, abs=0.01)


@given(st.integers(1, 40), st.none() | st.floats(0.2, 50))
def test_as_much_every_month_is_the_constant_stream(month: int, kept: float | None) -> None:
    assert held_of([1.0] * month, kept) == pytest.approx(held(month, kept))


def test_no_month_holds_nothing() -> None:
    with pytest.raises(ValueError, match="at least one month"):
        held_of([])


def test_objects_and_rows_are_what_each_month_added_at_its_own_users() -> None:
    found = made(growth={"percent_per_month": 8.0}, tiers__objects__deleted_after_months=6)
    objects, rows = [], []
    for month in found.months:
        traffic = traffic_of(month.plan.scenario)
        objects.append(traffic.object_growth_bytes_per_s.average * SECONDS_PER_MONTH / GIB)
        rows.append(traffic.database_growth_bytes_per_s["database"].average * SECONDS_PER_MONTH / GIB)
        figures = month.plan.figures
        # Of the month six before, what its second half added is there in the mean of this one for half of it.
        kept = objects[-1] / 2 + sum(objects[-6:-1]) + (objects[-7] / 2 if len(objects) > 6 else 0)
        assert float(figures["objects.stored_gib"].value) == pytest.approx(kept, rel=2e-3)
        assert float(figures["database.storage_gib"].value) >= sum(rows) / 0.9 - 1e-6
    last = float(found.months[-1].plan.figures["database.storage_gib"].value)
    assert sum(rows) / 0.9 <= last <= 1.1 * sum(rows) / 0.9 + 10


def test_a_database_disk_never_shrinks_though_its_rows_are_fewer() -> None:
    found = made(growth={"percent_per_month": -10.0}, tiers__database__retention_months=3)
    sizes = [float(month.plan.figures["database.storage_gib"].value) for month in found.months]
    assert sizes == sorted(sizes)
    assert sizes[-1] > 100


def test_without_growth_a_month_is_the_month_of_a_plan_by_itself() -> None:
    """The 36th month of a forecast is `size` of month 36 with that month's hours."""
    found, given_ = made(), read("cascade")
    for month in (found.months[0], found.months[20], found.months[35]):
        alone = given_.scenario.model_copy(update={"month": month.number, "hours_per_month": month.hours})
        expected = plan(alone, given_.book, given_.origins, month.start, predicted=False)
        assert month.effective_usd == expected.bill.effective_usd.average
        assert month.list_usd == expected.bill.list_usd.average


# --------------------------------------------------------------------------------------------------- the two views


TERMS = ("reserved_1y_no_upfront", "reserved_1y_partial_upfront", "reserved_1y_all_upfront", "reserved_3y_all_upfront")


@given(
    st.sampled_from(TERMS),
    st.floats(0.2, 1.0).map(lambda share: round(share, 2)),
    st.floats(-15, 25).map(lambda percent: round(percent, 1)),
    st.integers(1, 30),
    st.sampled_from([None, {"nov": 1.6, "mar": 0.7}]),
)
def test_effective_cost_and_what_is_prepaid_at_the_end_are_the_cash_to_the_cent(
    term: str, share: float, percent: float, months: int, season: dict[str, float] | None
) -> None:
    growth = {"percent_per_month": percent, "seasonality": season or {}}
    found = made("cascade", months, growth, tiers__cache__purchase={term: share})
    for number in range(1, months + 1):
        so_far = found.months[:number]
        effective = sum((month.effective_usd for month in so_far), Decimal(0))
        cash = sum((month.cash_usd for month in so_far), Decimal(0))
        assert effective + so_far[-1].prepaid_usd == cash
    assert all(month.prepaid_usd >= 0 for month in found.months)
    for month in found.months:
        assert sum(month.tier_usd.values(), Decimal(0)) == month.effective_usd


def test_a_whole_term_costs_what_is_paid_for_it() -> None:
    """Three nodes for a year: what is paid upfront is used up when the year is over, and is bought again."""
    found = made(months=24, tiers__cache__purchase="reserved_1y_all_upfront")
    item = next(item for item in found.months[0].plan.bill.items if item.key.term == "reserved_1y_all_upfront")
    assert item.upfront_total_usd is not None
    on_demand = made(months=24)
    difference = [one.cash_usd - other.cash_usd for one, other in zip(found.months, on_demand.months, strict=True)]
    cache = [month.tier_usd["cache"] for month in on_demand.months]
    assert difference[0] == pytest.approx(item.upfront_total_usd - cache[0], abs=Decimal("0.01"))
    assert difference[12] == pytest.approx(item.upfront_total_usd - cache[12], abs=Decimal("0.01"))
    assert all(difference[month] == -cache[month] for month in range(24) if month not in (0, 12))
    assert found.months[11].prepaid_usd == found.months[23].prepaid_usd == 0
    used = sum((month.tier_usd["cache"] for month in found.months[:12]), Decimal(0))
    assert used == pytest.approx(item.upfront_total_usd, abs=Decimal("0.01"))


def test_a_commitment_that_nothing_needs_any_more_is_paid_until_its_term_ends() -> None:
    shrinking = made(months=24, growth={"percent_per_month": -10.0}, tiers__cache__purchase="reserved_3y_no_upfront",
                     tiers__cache__minimum_nodes=1, users__peak=80_000, users__average=24_000)  # fmt: skip
    cache = [month.tier_usd["cache"] / month.hours for month in shrinking.months]
    assert cache[0] > 0
    assert all(each == pytest.approx(cache[0]) for each in cache)
    assert shrinking.owed_usd > 0
    counts = [month.plan.figures["cache.node_count"].value for month in shrinking.months]
    assert counts[-1] < counts[0]


def test_a_ledger_of_nothing_owes_nothing() -> None:
    assert Ledger((744,), "average").owed_usd(0) == 0


@given(st.floats(-10, 15).map(lambda percent: round(percent, 1)), st.integers(2, 40))
@settings(max_examples=15)
def test_with_purchases_too_the_views_differ_by_what_is_prepaid_at_the_end(percent: float, months: int) -> None:
    found = made("cascade", months, {"percent_per_month": percent})
    assert found.schedule is not None
    effective, cash = found.with_purchases
    prepaid = found.schedule.liability_usd - found.schedule.owed_usd_after
    assert cash - effective == pytest.approx(prepaid + found.prepaid_usd, abs=Decimal("0.01"))
    assert found.effective_usd - effective == pytest.approx(found.schedule.saves_usd, abs=Decimal("0.01"))
    assert sum((year.with_purchases.cash_usd for year in found.fiscal_years), Decimal(0)) == cash


def test_nothing_is_bought_where_nothing_may_be() -> None:
    given_ = read("cascade")
    free = given_.scenario.optimize.model_copy(update={"commitment_years_max": 0})
    kept = forecast(given_.scenario.model_copy(update={"optimize": free}), given_.book, {}, JANUARY, 2)
    assert kept.schedule is None
    assert kept.with_purchases == (kept.effective_usd, kept.cash_usd)


# --------------------------------------------------------------------------------------------------------- the band


def test_a_band_is_read_off_as_what_is_planned_costs() -> None:
    """Users that grow by another percentage cost what a forecast of that percentage does."""
    given_, months = read("cascade"), 24
    found = made(months=months, growth={"percent_per_month": 6.0})
    grown = made(months=months, growth={"percent_per_month": 7.0})

    def planner(users: Sequence[Connected], looked: Sequence[int]) -> Sequence[Plan]:
        planned = forecast(found.scenario, given_.book, given_.origins, JANUARY, months, users)
        return [planned.months[index].plan for index in looked]

    chance = widening._Chance(found, given_.origins, 1, 1)
    chance.off = np.array([[log(b.users_peak / a.users_peak) for a, b in zip(found.months, grown.months, strict=True)]])
    off = widening._followed(found, planner, chance)
    costs = [float(month.effective_usd) * exp(off[0, index]) for index, month in enumerate(found.months)]
    planned = [float(month.effective_usd) for month in grown.months]
    # Between two paths a replica or a larger disk comes in one step, and is read off as a slope.
    assert costs == pytest.approx(planned, rel=0.12)
    assert sum(costs) == pytest.approx(sum(planned), rel=0.02)


def test_the_same_seed_gives_the_same_band_and_certain_users_a_narrower_one() -> None:
    given_ = read("saas-300")
    found = made("saas-300", 6, {"percent_per_month": 5.0})
    one, again, other = (with_band(found, given_.book, given_.origins, 200, seed).band for seed in (1, 1, 2))
    assert one == again != other
    assert one is not None
    for low, middle, high in (*one.monthly_usd, *one.fiscal_years_usd, one.total_usd):
        assert low <= middle <= high
    sure = made("saas-300", 6, {"percent_per_month": 5.0, "deviation_percent": 0.0, "noise_percent": 0.0})
    narrow = with_band(sure, given_.book, given_.origins, 200, 1).band
    assert narrow is not None
    assert narrow.monthly_usd[-1][2] - narrow.monthly_usd[-1][0] < one.monthly_usd[-1][2] - one.monthly_usd[-1][0]


# ------------------------------------------------------------------------------------------------ growth, and events


def test_a_launch_multiplies_from_its_month_on_and_a_season_only_in_its_own() -> None:
    growth = {
        "seasonality": {"nov": 1.3},
        "steps": [
            {"month": "2027-09", "factor": 1.4, "note": "launch in Japan"},
            {"month": "2027-12", "users": 20_000},
        ],
    }
    found = made(months=14, growth=growth)
    peaks = [month.users_peak for month in found.months]
    assert peaks == [10_000] * 8 + [14_000, 14_000, 18_200, 20_000, 20_000, 20_000]
    steps = [(f"{event.start:%Y-%m}", event.words) for event in found.events if event.kind == "step"]
    assert steps == [("2027-09", "launch in Japan: users x 1.4"), ("2027-12", "20,000 users at peak")]


def test_by_the_rules_too_a_primary_that_is_too_small_is_replaced() -> None:
    found = made(growth={"percent_per_month": 8.0})
    grown = {event.start: event for event in found.events if event.kind == "grown" and event.tier == "database"}
    first = min(grown)
    assert "db.r5.xlarge to db." in grown[first].words
    before = found.months[[month.start for month in found.months].index(first) - 1]
    given_ = read("cascade")
    slo = given_.scenario.model_copy(update={"method": "slo"})
    # The method slo has a fleet on the smaller one for the users of the month before, and none for those of the month.
    plan(slo.with_users(before.users_peak, before.plan.scenario.users.average), given_.book, predicted=False)
    shapes = {group.shape.name for group in before.plan.groups if group.tier == "database"}
    assert shapes == {"db.r5.xlarge"}
    assert any("rules" in note for note in found.notes)


@pytest.mark.parametrize("name", ["cascade", "startup-1k"])
def test_by_the_method_slo_a_month_between_two_alike_is_the_one_that_is_searched(name: str) -> None:
    given_ = read(name)
    scenario = given_.scenario.model_copy(update={"method": "slo"})
    found = forecast(scenario, given_.book, given_.origins, JANUARY, 12)
    for month in (found.months[3], found.months[7]):
        own = scenario.model_copy(update={"month": month.number, "hours_per_month": month.hours})
        searched = plan(own, given_.book, given_.origins, month.start, predicted=False)
        assert month.effective_usd == searched.bill.effective_usd.average
        assert [lever.base_count for lever in month.plan.fleet.levers] == [
            lever.base_count for lever in searched.fleet.levers
        ]


def test_the_most_replicas_of_a_primary_are_said() -> None:
    found = made(growth={"percent_per_month": 8.0}, users__peak=60_000, users__average=18_000, months=14)
    limits = [event for event in found.events if event.kind == "limit"]
    assert [event.words for event in limits] == ["16 read replicas, more than the 15 that one primary may have"]
    before = found.months[limits[0].number - 2].plan.figures["database.replica_count"].value
    assert before < 15


def test_a_budget_of_a_fiscal_year_is_used_up_in_a_month() -> None:
    given_ = read("cascade")
    budget = given_.scenario.budget.model_copy(update={"usd_per_fiscal_year": 30_000.0})
    found = forecast(given_.scenario.model_copy(update={"budget": budget}), given_.book, {}, JANUARY, 12)
    (year,) = [each for each in found.broken if each.fiscal_year]
    before = [month for month in found.months if month.start < year.start]
    assert sum(month.effective_usd for month in before) < 30_000
    assert sum(month.effective_usd for month in before) + found.months[len(before)].effective_usd >= 30_000
    assert (year.fiscal_year, year.value) == (2027, found.effective_usd)


def test_a_season_without_a_first_month_is_refused() -> None:
    growth = Growth.model_validate({"seasonality": {"nov": 1.3}})
    with pytest.raises(UsageError, match=r"give forecast\.start"):
        growth.months(2, 10, 5)


def test_more_users_than_a_scenario_may_have_are_refused() -> None:
    with pytest.raises(UsageError, match=r"in month 14 there are 1,061,\d+,\d+ users at peak, more than 1,000,000,000"):
        Growth(percent_per_month=200.0).months(20, 666, 5)
    assert len(Growth(percent_per_month=200.0).months(13, 666, 5)) == 13


def test_a_month_that_has_no_plan_is_named() -> None:
    given_ = read("cascade-as-written")
    scenario = given_.scenario.model_copy(
        update={"method": "slo", "growth": Growth.model_validate({"percent_per_month": 200.0})}
    )
    with pytest.raises(InfeasibleError, match=r"^in 2027-0\d, month \d, with [\d,]+ users at peak, there is no plan: "):
        forecast(scenario, given_.book, given_.origins, JANUARY, 6)


def test_more_users_never_cost_less_month_by_month_without_a_season() -> None:
    one, more = made(), made(growth={"percent_per_month": 3.0})
    assert all(a.list_usd <= b.list_usd for a, b in zip(one.months, more.months, strict=True))


def test_more_of_a_size_is_bought_and_not_all_of_it_again() -> None:
    """The name of a line that smaller sizes pay for says how many they are: it changes as there are more."""
    own = read("growth-100k")
    first = plan(own.scenario, own.book, predicted=False).bill
    (line,) = [item for item in first.items if item.tier == "api" and item.bought_count]
    more = replace(line, name=f"{line.name}, and more", bought_count=line.bought_count + 2)
    second = replace(first, items=tuple(more if item is line else item for item in first.items))
    ledger = Ledger((744,) * 40, "average")
    ledger.month(0, first)
    counts = [each.count for each in ledger.month(1, second).held if each.item.tier == "api"]
    assert counts == [line.bought_count, 2]
