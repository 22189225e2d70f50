"""The outlook: what users, assumptions and choices do to the cost."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace
from decimal import Decimal
from functools import cache
from typing import Any

import jsonschema
import pytest
import yaml
from factories import make_book, make_outlook, make_plan, make_scenario
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_plan.choosing.outlook import outlook
from cascade_plan.choosing.replanning import changed
from cascade_plan.choosing.sensitivities import KEPT
from cascade_plan.choosing.ways import commitment_ways, own_ways
from cascade_plan.errors import InfeasibleError, UsageError
from cascade_plan.inputs.scenarios import Given, read
from cascade_plan.model.outlook import Alternative, Outlook, Sensitivity
from cascade_plan.model.plan import from_json, to_json
from cascade_plan.model.price import PriceKey, Row
from cascade_plan.model.scenario import Scenario, value_at
from cascade_plan.model.schemas import plan_schema
from cascade_plan.planning.pipeline import plan as planned

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


# Ways down


def by_title(found: Outlook) -> dict[str, Alternative]:
    return {way.title: way for way in found.alternatives}


def test_each_way_saves_what_it_says() -> None:
    present = make_plan()
    for way in explored().alternatives:
        changes = {}
        for assignment in way.overrides:
            path, _, value = assignment.partition("=")
            changes[path] = yaml.safe_load(value)
        other = changed(make_scenario(), changes)
        assert other is not None
        after = make_plan(other)
        assert way.saving_usd_per_month == present.bill.effective_usd.average - after.bill.effective_usd.average > 0
        assert way.cost_usd_per_1000_users_month == after.figure(UNIT_COST)
        assert way.complete


def test_ways_are_sorted_by_saving_and_end_with_the_joined_one() -> None:
    *singles, joined = explored().alternatives
    savings = [way.saving_usd_per_month for way in singles]
    assert savings == sorted(savings, reverse=True)
    assert all(not way.parts for way in singles)
    assert {*joined.parts} <= {way.title for way in singles}
    assert joined.saving_usd_per_month > savings[0]


def test_the_joined_way_sets_nothing_twice() -> None:
    joined = explored().alternatives[-1]
    paths = [assignment.partition("=")[0] for assignment in joined.overrides]
    assert len(paths) == len({*paths})
    assert "tiers.api.purchase" in paths


def test_a_way_whose_price_the_book_lacks_is_no_way() -> None:
    titles = by_title(explored()).keys()
    assert "API nodes reserved for one year, all upfront" in titles
    assert "API nodes reserved for three years, all upfront" not in titles
    assert "API nodes on spot" not in by_title(explored(missing=["ec2 test.xlarge linux spot"]))


def rows_of(tier: str, prices: dict[str, str]) -> dict[PriceKey, Row]:
    item = {"ec2": "test.xlarge", "elasticache": "cache.r7g.large"}[tier]
    variant = {"ec2": "linux", "elasticache": "valkey"}[tier]
    return {
        PriceKey(tier, item, variant, term): ("hour", usd, "", "2020", "synthetic", "", "", "", "bundled")
        for term, usd in prices.items()
    }


def test_of_the_terms_a_book_prices_the_cheapest_of_each_length_and_the_cheapest_without_upfront_are_ways() -> None:
    book = make_book().overridden(
        rows_of(
            "ec2",
            {
                "reserved_1y_all_upfront": "0.15",
                "reserved_1y_no_upfront": "0.17",
                "compute_sp_1y_no_upfront": "0.16",
                "ec2_instance_sp_1y_partial_upfront": "0.14",
                "compute_sp_3y_no_upfront": "0.12",
            },
        )
        | rows_of("elasticache", {"database_sp_1y_no_upfront": "0.14"}),
        "more",
    )
    scenario = make_scenario(
        tiers__cache__engine="valkey", tiers__cache__shape="cache.r7g.large", tiers__api__shape="test.xlarge"
    )
    ways = {way.title: way for way in commitment_ways(make_plan(scenario, book), book)}
    api = [title for title in ways if title.startswith("API")]
    assert api == [
        "API nodes paid by an EC2 Instance Savings Plan for one year, partial upfront",
        "API nodes paid by a Compute Savings Plan for one year, no upfront",
        "API nodes paid by a Compute Savings Plan for three years, no upfront",
    ]
    assert ways[api[0]].overrides == {"tiers.api.purchase": "ec2_instance_sp_1y_partial_upfront"}
    assert ways[api[0]].gives_up == "another instance family or region for one year"
    assert "cache nodes paid by a Database Savings Plan for one year, no upfront" in ways
    # Of those of one tier only the one that saves most is shown.
    found = {way.title for way in make_outlook(scenario, book).alternatives}
    assert {title for title in found & {*ways} if title.startswith(("API", "cache"))} == {
        api[2],
        "cache nodes paid by a Database Savings Plan for one year, no upfront",
    }


def test_what_is_so_already_is_left_out() -> None:
    scenario: dict[str, Any] = {
        "tiers.cache.engine": "valkey",
        "availability.multi_az": False,
        "tiers.cache.minimum_nodes": 1,
        "tiers.database.replicas": 0,
        "tiers.network.nat_gateway_per_zone": False,
        "tiers.monitoring.label_by_tenant": False,
        "tiers.database.shape": {"vcpu": 4, "memory_gib": 32.0},
        "tiers.api.purchase": "spot",
        "tiers.cache.purchase": "reserved_1y_no_upfront",
    }
    assert {*by_title(explored(**scenario))} <= {
        "WebSocket nodes reserved for three years, all upfront",
        "database instances of half the size (db.test.large)",
        "database instances reserved for one year, all upfront",
        "monitoring nodes reserved for three years, all upfront",
        "all of these together",
    }


def test_the_database_way_names_the_shape_and_keeps_vcpu_and_memory() -> None:
    way = by_title(explored())["the cheapest database instance as large (db.test.xlarge)"]
    assert way.overrides == ("tiers.database.shape={vcpu: 4, memory_gib: 32}",)


def test_ways_are_data_that_the_schema_knows() -> None:
    made = make_plan()
    for way in (*own_ways(made), *commitment_ways(made, make_book())):
        assert changed(make_scenario(), dict(way.overrides)) is not None, way.title


def test_an_incomplete_bill_still_has_ways_and_says_so() -> None:
    found = explored(missing=["cluster"]).alternatives
    assert found
    assert not any(way.complete for way in found)


@cache
def of_bundled(name: str) -> tuple[Given, Outlook]:
    given = read(name)
    return given, outlook(given.scenario, given.book, given.origins)


@pytest.mark.parametrize("name", ["cascade", "saas-300", "api-batch", "chat-40k"])
def test_each_way_can_be_had_by_what_stands_beside_it(name: str) -> None:
    given, found = of_bundled(name)
    cost = planned(given.scenario, given.book).bill.effective_usd.average
    assert found.alternatives
    for way in found.alternatives:
        sets = [(f"--set {assignment}", *assignment.split("=", 1)) for assignment in way.overrides]
        again = read(name, [(origin, path, value) for origin, path, value in sets])
        assert cost - planned(again.scenario, again.book).bill.effective_usd.average == way.saving_usd_per_month


@pytest.mark.parametrize("name", ["cascade", "saas-300", "api-batch", "chat-40k", "growth-100k", "startup-1k"])
def test_a_way_is_said_in_few_words(name: str) -> None:
    for way in of_bundled(name)[1].alternatives:
        assert len(way.title) <= 60, way.title
        assert len(way.gives_up) <= 60, way.gives_up


def test_of_a_commitment_one_form_is_shown_and_what_excludes_it_is_named() -> None:
    ways = by_title(of_bundled("cascade")[1])
    reserved = [title for title in ways if "reserved" in title]
    assert len(reserved) == len({title.split(" reserved")[0] for title in reserved}) == 5
    assert ways["API nodes on spot"].excludes == ("API nodes reserved for three years, all upfront",)
    assert ways["API nodes reserved for three years, all upfront"].excludes == ()
    joined = {*of_bundled("cascade")[1].alternatives[-1].parts}
    assert "API nodes on spot" not in joined
    assert "API nodes reserved for three years, all upfront" in joined


def test_cash_on_the_first_day_is_the_bill_s() -> None:
    given, found = of_bundled("cascade")
    way = by_title(found)["API nodes reserved for three years, all upfront"]
    after = read("cascade", [("--set", "tiers.api.purchase", "reserved_3y_all_upfront")])
    assert way.upfront_usd == planned(after.scenario, after.book).bill.upfront_usd > 0
    assert by_title(found)["no multi-AZ standby"].upfront_usd == 0
    assert planned(given.scenario, given.book).bill.upfront_usd == 0


def test_the_obvious_ways_are_among_them() -> None:
    ways = by_title(of_bundled("cascade")[1])
    assert ways["one cache node"].overrides == ("tiers.cache.minimum_nodes=1",)
    assert ways["no read replica"].overrides == ("tiers.database.replicas=0",)
    assert ways["database instances of half the size (db.r6g.large)"].overrides == (
        "tiers.database.shape={vcpu: 2, memory_gib: 16}",
    )
    assert ways["API nodes of half the size (c6g.large)"].overrides == (
        "tiers.api.shape={vcpu: 2, memory_gib: 4}",
        "tiers.api.users_per_node=2500",
    )
    assert by_title(of_bundled("chat-40k")[1])["as few WebSocket nodes as the availability allows (2)"]


def test_copies_and_masters_of_a_cache_can_go() -> None:
    copied = {"tiers.cache.replicas_per_master": 1, "tiers.cache.minimum_nodes": 3}
    ways = by_title(explored(**copied))
    assert ways["no copies of the cache"].overrides == ("tiers.cache.replicas_per_master=0",)
    # One master without a copy and one with it are forms of one way: the one that saves more is shown.
    assert ways["one cache node"].overrides == ("tiers.cache.minimum_nodes=1", "tiers.cache.replicas_per_master=0")
    assert "one cache master" not in ways


@pytest.mark.parametrize(
    ("settings_", "gives_up"),
    [
        ({"connections_per_user": 0.0}, "nothing: no user opens a connection"),
        ({"connections_per_user": 0.5}, "open connections: clients ask for news instead"),
    ],
)
def test_open_connections_that_few_need_can_go(settings_: dict[str, Any], gives_up: str) -> None:
    way = by_title(explored(tiers__websocket=settings_, gates={}))["no WebSocket tier"]
    assert (way.gives_up, way.overrides) == (gives_up, ("tiers.websocket=off",))


def test_what_would_miss_a_gate_is_no_way() -> None:
    # Half the vCPU of the database take a write of 60 ms of CPU longer than its limit.
    slow: dict[str, Any] = {
        "tiers.database.write_ms": 8.0,
        "behaviour.actions.write.write_count": 1,
        "loads.normal": {"users": 2500, "spawn_rate_per_s": 10.0, "duration_s": 600.0, "latency_ms_p95": 60.0},
        "gates": {},
    }
    title = "database instances of half the size (db.test.large)"
    assert title in by_title(explored(gates={}))
    assert title not in by_title(explored(**slow))


def test_what_raises_a_warning_of_another_kind_is_no_way() -> None:
    few = {"tiers.api.minimum_nodes": 4, "tiers.api.minimum_nodes_scaled_in": 4}
    assert "as few API nodes as the availability allows (3)" in by_title(explored(**few))
    pinned = {**few, "tiers.api.replicas": {"min": 4, "max": 37}}
    assert "as few API nodes as the availability allows (3)" not in by_title(explored(**pinned))


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
    assert found.alternatives


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
    assert found.alternatives
    assert not any(word in said for word in ("websocket", "cache", "redis", "valkey"))


def test_each_of_several_instances_has_ways_of_its_own() -> None:
    made = make_plan(
        tiers__search={"kind": "api", "shape": "test.xlarge"},
        tiers__sessions={"kind": "cache"},
        tiers__reports={"kind": "database", "shape": "db.r5.xlarge"},
        behaviour__actions__find={"weight": 1.0, "request": "GET /found", "at": "search", "reads": {"reports": 1}},
    )
    ways = {way.title: way for way in (*own_ways(made), *commitment_ways(made, make_book()))}
    assert ways["Valkey instead of Redis (sessions)"].overrides == {"tiers.sessions.engine": "valkey"}
    assert ways["Valkey instead of Redis (cache)"].overrides == {"tiers.cache.engine": "valkey"}
    assert ways["search nodes on spot"].overrides == {"tiers.search.purchase": "spot"}
    assert ways["search nodes reserved for one year, all upfront"].overrides == {
        "tiers.search.purchase": "reserved_1y_all_upfront"
    }
    shape = "instance as large ({shape})"
    assert ways[f"the cheapest reports {shape}"].group == "reports primary"
    assert ways[f"the cheapest database {shape}"].group == "database primary"
    # Both databases have a standby, which one value of the scenario takes away.
    assert list(ways).count("no multi-AZ standby") == 1


def test_a_way_of_one_instance_changes_only_that_one() -> None:
    found = by_title(explored(tiers__sessions={"kind": "cache"}))
    way = found["Valkey instead of Redis (sessions)"]
    assert way.overrides == ("tiers.sessions.engine=valkey",)
    after = make_plan(tiers__sessions={"kind": "cache", "engine": "valkey"})
    assert way.cost_usd_per_1000_users_month == after.figure(UNIT_COST)


def test_what_gives_nothing_up_any_more_is_no_way() -> None:
    made = make_plan(availability="minimal", tiers__database__minimum_replicas=0, tiers__cache__engine="valkey")
    titles = {way.title for way in own_ways(made)}
    assert not titles & {"no multi-AZ standby", "one NAT gateway for all zones", "Valkey instead of Redis"}
    lone = next(way for way in own_ways(make_plan(tiers__database__replicas=0)) if "multi-AZ" in way.title)
    assert "read replica" not in lone.gives_up


@settings(max_examples=5)
@given(st.integers(1, 100_000), st.sampled_from([(), ("nat-gateway",), ("cluster", "alb")]))
def test_a_plan_with_its_outlook_survives_json(peak: int, missing: tuple[str, ...]) -> None:
    made = make_plan(users__peak=peak, users__average=peak, missing=missing, outlook=True)
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
