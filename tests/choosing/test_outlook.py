"""The outlook: what users, assumptions and choices do to the cost."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace
from decimal import Decimal
from typing import Any

import jsonschema
import pytest
from factories import make_book, make_outlook, make_plan, make_scenario, make_why_not
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_plan.choosing.replanning import changed
from cascade_plan.choosing.sensitivities import KEPT
from cascade_plan.errors import InfeasibleError, UsageError
from cascade_plan.model.outlook import Outlook, Sensitivity
from cascade_plan.model.plan import from_json, to_json
from cascade_plan.model.scenario import Scenario, value_at
from cascade_plan.model.schemas import plan_schema

UNIT_COST = "cost_usd_per_1000_users_month"


def explored(missing: Collection[str] = (), **overrides: Any) -> Outlook:
    return make_outlook(missing=missing, **overrides)


def cost_of(scenario: Scenario, missing: Collection[str] = ()) -> Decimal:
    return Decimal(make_plan(scenario, make_book(missing=missing)).figure(UNIT_COST))


# The curve


@settings(max_examples=8)
@given(st.integers(1, 10**9).flatmap(lambda peak: st.tuples(st.just(peak), st.integers(1, peak))))
def test_the_curve_is_sorted_distinct_and_has_the_own_peak(users: tuple[int, int]) -> None:
    peak, average = users
    curve = explored(users__peak=peak, users__average=average).curve
    peaks = [point.users_peak for point in curve]
    assert peaks == sorted({*peaks})
    assert peak in peaks
    assert len(peaks) <= 25
    assert all(isinstance(point.users_peak, int) and 1 <= point.users_average <= point.users_peak for point in curve)
    assert next(point for point in curve if point.users_peak == peak).users_average == average


def test_the_curve_goes_from_an_eighth_to_eight_times_the_users() -> None:
    peaks = [point.users_peak for point in explored().curve]
    assert len(peaks) == 25
    assert peaks[::4] == [1250, 2500, 5000, 10_000, 20_000, 40_000, 80_000]


def test_a_point_of_the_curve_is_the_plan_at_its_users() -> None:
    for point in explored().curve[::7]:
        other = make_scenario().with_users(point.users_peak, point.users_average)
        made = make_plan(other)
        assert point.cost_usd_per_1000_users_month == made.figure(UNIT_COST)
        assert point.cost_usd_per_month == made.bill.effective_usd.average
        assert point.complete


def test_the_curve_follows_the_budget_s_level_and_users() -> None:
    scenario: dict[str, Any] = {"budget.level": "ceiling", "budget.users": "registered", "users.registered": 50_000}
    point = next(point for point in explored(**scenario).curve if point.users_peak == 10_000)
    made = make_plan(**scenario)
    assert point.cost_usd_per_month == made.bill.effective_usd.ceiling
    assert point.cost_usd_per_1000_users_month == made.bill.effective_usd.ceiling / 50


def test_a_missing_price_marks_the_curve() -> None:
    assert not any(point.complete for point in explored(missing=["nat-gateway"]).curve)


def test_users_beyond_the_schema_are_left_out() -> None:
    assert max(point.users_peak for point in explored(users__peak=10**9, users__average=10**9).curve) == 10**9


def test_points_without_a_plan_are_left_out() -> None:
    # A Prometheus for the largest fleets needs more memory than the largest shape has.
    curve = explored(tiers__monitoring__series_per_node=100_000_000, users__tenants=2000).curve
    assert 0 < len(curve) < 25


# The values that change the cost most


def test_the_largest_swings_come_first_and_none_is_nothing() -> None:
    swings = [row.swing_usd_per_1000_users_month for row in explored().sensitivities]
    assert swings == sorted(swings, reverse=True)
    assert all(swing > 0 for swing in swings)
    assert len(swings) == KEPT


def sides(row: Sensitivity) -> list[tuple[Any, Decimal | None]]:
    return [
        (row.value_halved, row.cost_usd_per_1000_users_month_halved),
        (row.value_doubled, row.cost_usd_per_1000_users_month_doubled),
    ]


def test_each_side_is_the_plan_with_that_value() -> None:
    for row in explored().sensitivities:
        costs = [cost_of(make_scenario())]
        for value, cost in sides(row):
            assert (value is None) == (cost is None)
            if value is not None:
                assert isinstance(value, type(row.value))
                other = changed(make_scenario(), {row.path: value})
                assert other is not None
                assert cost_of(other) == cost
                costs.append(cost_of(other))
        assert row.swing_usd_per_1000_users_month == max(costs) - min(costs)


def test_a_side_the_schema_refuses_is_left_out() -> None:
    rows = {row.path: row for row in explored(users__active_share=0.9).sensitivities}
    share = rows["users.active_share"]
    assert share.value_doubled is None
    assert share.cost_usd_per_1000_users_month_doubled is None
    assert share.value_halved == 0.45


def test_a_side_whose_bill_would_lack_a_price_is_left_out() -> None:
    def doubled(term: str) -> list[Decimal | None]:
        found = explored(
            **{"tiers.api.shape": {"vcpu": 4, "memory_gib": 16.0}, "tiers.api.purchase": term}
        ).sensitivities
        return [row.cost_usd_per_1000_users_month_doubled for row in found if row.path == "tiers.api.shape.vcpu"]

    assert doubled("on_demand") != []
    # The book has this term for the present shape and not for the next larger one, which no reservation is needed for.
    assert doubled("spot") == []


def test_a_side_that_reservations_of_the_smaller_shape_pay_for_is_there() -> None:
    found = explored(
        **{"tiers.api.shape": {"vcpu": 4, "memory_gib": 16.0}, "tiers.api.purchase": "reserved_1y_all_upfront"}
    ).sensitivities
    assert [row.path for row in found if row.path == "tiers.api.shape.vcpu"] == ["tiers.api.shape.vcpu"]


@pytest.mark.parametrize(
    ("overrides", "origins", "path", "kind", "source"),
    [
        ({}, {}, "tiers.database.users_per_replica", "plan", "max(1, peak / 10000)"),
        ({}, {"tiers.cache.minimum_nodes": "--set x"}, "tiers.cache.minimum_nodes", "scenario", "--set x"),
        ({"users.active_share": 0.5}, {}, "users.active_share", "scenario", "given in the scenario"),
        ({"users.active_share": 0.5}, {"users.active_share": "x.yaml:7"}, "users.active_share", "scenario", "x.yaml:7"),
        ({"users.active_share": 0.5}, {}, "behaviour.actions.read.response_bytes", "scenario", "given"),
        ({"users.active_share": None}, {}, "users.active_share", "plan", "every simulated user"),
        ({}, {}, "tiers.cache.shape.memory_gib", "plan", "memory_per_node 8GB"),
    ],
)
def test_a_value_says_where_it_comes_from(
    overrides: dict[str, Any], origins: dict[str, str], path: str, kind: str, source: str
) -> None:
    found = make_outlook(make_scenario(**overrides), origins=origins).sensitivities
    row = next(row for row in found if row.path == path)
    assert row.kind == kind
    assert source in row.source


# The whole


def test_a_scenario_without_a_plan_raises() -> None:
    with pytest.raises(InfeasibleError):
        explored(tiers__api__shape={"vcpu": 4000, "memory_gib": 8.0})
    with pytest.raises(UsageError):
        explored(tiers__api__shape="none.such")


def test_the_same_scenario_has_the_same_outlook() -> None:
    assert explored() == explored()


def test_a_trace_that_was_read_is_no_obstacle() -> None:
    scenario = make_scenario(users__trace="day.csv")
    users = scenario.users.model_copy(update={"profile": [1.0] * 23 + [2.0], "trace": None})
    found = make_outlook(scenario.model_copy(update={"users": users}))
    assert len(found.curve) == 25
    assert found.sensitivities


def test_a_changed_scenario_keeps_all_else() -> None:
    scenario = make_scenario()
    other = changed(scenario, {"tiers.api.shape.vcpu": 8, "behaviour.actions.read.weight": 6.0})
    assert other is not None
    same = "tiers.api.shape.memory_gib"
    assert value_at(other, same) == value_at(scenario, same)
    assert other.behaviour.actions["read"].weight == 6
    assert changed(other, {"tiers.api.shape.vcpu": 4, "behaviour.actions.read.weight": 3.0}) == scenario
    assert changed(scenario, {"users.peak": 0}) is None


def test_a_change_of_a_tier_leaves_the_standard_ones_that_no_one_named() -> None:
    scenario = make_scenario(tiers=None)
    other = changed(scenario, {"tiers.cache.engine": "valkey", "availability.multi_az": False})
    assert other is not None
    assert [*other.tiers] == [*scenario.tiers]
    assert value_at(other, "tiers.cache.engine") == "valkey"
    assert other.availability.level == scenario.availability.level


def test_a_change_brings_back_nothing_that_is_off() -> None:
    other = changed(make_scenario(tiers__websocket="off"), {"tiers.cache.engine": "valkey"})
    assert other is not None
    assert "websocket" not in other.tiers


# Instances


def test_what_is_off_is_in_no_part_of_the_outlook() -> None:
    found = explored(tiers__websocket="off", tiers__cache="off", gates={})
    said = repr(found).lower()
    assert found.sensitivities
    assert not any(word in said for word in ("websocket", "cache", "redis", "valkey"))


@settings(max_examples=5)
@given(st.integers(1, 100_000), st.sampled_from([(), ("nat-gateway",), ("cluster", "alb")]))
def test_a_plan_with_its_outlook_survives_json(peak: int, missing: tuple[str, ...]) -> None:
    made = make_plan(users__peak=peak, users__average=peak, missing=missing, outlook=True)
    made = replace(made, why_not=make_why_not())
    text = to_json(made)
    assert from_json(text) == made
    assert to_json(from_json(text)) == text


def test_a_plan_without_outlook_survives_json() -> None:
    made = replace(make_plan(), outlook=None)
    assert from_json(to_json(made)) == made


def test_the_json_schema_describes_the_outlook() -> None:
    schema = plan_schema()
    assert "Outlook" in schema["$defs"]
    for wanted in (False, True):
        jsonschema.validate(json.loads(to_json(make_plan(outlook=wanted))), schema)
