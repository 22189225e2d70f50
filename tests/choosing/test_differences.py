"""What differs between two plans: causes add up, the two directions mirror each other, and nothing is nothing."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from factories import make_book, make_plan
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_plan.choosing.differences import compare
from cascade_plan.model.difference import Cause, Differences
from cascade_plan.model.plan import Plan, from_json, to_json

CHANGES: tuple[dict[str, Any], ...] = (
    {},
    {"users.peak": 40_000, "users.average": 9000},
    {"tiers.cache.engine": "valkey"},
    {"tiers.api.shape": "test.2xlarge"},
    {"tiers.api.purchase": "spot"},
    {"tiers.websocket": "off", "gates": {}},
    {"tiers.database.replicas": 0, "tiers.database.storage_gib": 500},
    {"availability": "minimal", "budget.level": "peak"},
    {"tiers.search": {"kind": "api"}},
    {"tiers.network.nat": False},
)
MISSING: tuple[tuple[str, ...], ...] = ((), ("nat-gateway",), ("db.r5.xlarge",), ("cluster", "alb"))


@cache
def made(change: int, missing: int) -> Plan:
    return make_plan(missing=MISSING[missing], **CHANGES[change])


plans = st.builds(made, st.integers(0, len(CHANGES) - 1), st.integers(0, len(MISSING) - 1))


def cause(differences: Differences, subject: str) -> Cause:
    return next(each for each in differences.causes if each.subject == subject)


# Laws


@given(plans)
def test_a_plan_and_itself_differ_in_nothing(plan: Plan) -> None:
    found = compare(plan, plan)
    assert (found.causes, found.inputs, found.figures, found.gates) == ((), (), (), ())
    assert (found.findings_new, found.findings_gone) == ((), ())
    assert found.change_usd == 0
    assert found.is_exact


@given(plans)
def test_a_plan_that_was_saved_differs_in_nothing(plan: Plan) -> None:
    found = compare(from_json(to_json(plan)), plan)
    assert (found.causes, found.inputs, found.figures, found.gates) == ((), (), (), ())


@settings(max_examples=60)
@given(plans, plans)
def test_the_causes_add_up_exactly(before: Plan, after: Plan) -> None:
    found = compare(before, after)
    assert sum((each.change_usd for each in found.causes), Decimal(0)) == found.change_usd
    level = found.level
    assert found.change_usd == getattr(after.bill.effective_usd, level) - getattr(before.bill.effective_usd, level)
    sizes = [abs(each.change_usd) for each in found.causes]
    assert sizes == sorted(sizes, reverse=True)


@settings(max_examples=60)
@given(plans, plans)
def test_seen_from_the_other_plan_all_is_reversed(before: Plan, after: Plan) -> None:
    there, back = compare(before, after), compare(after, before)
    assert back.change_usd == -there.change_usd
    assert [(each.subject, -each.change_usd) for each in back.causes] == [
        (each.subject, each.change_usd) for each in there.causes
    ]
    assert {each.reversed for each in back.figures} == {*there.figures}
    assert {each.reversed for each in back.inputs} == {*there.inputs}
    assert back.findings_new == there.findings_gone
    assert {(each.figure, each.operator, each.limit) for each in back.gates} == {
        (each.figure, each.operator, each.limit) for each in there.gates
    }
    assert back.is_exact == there.is_exact


# Cases


def test_a_replica_is_one_cause_with_its_storage() -> None:
    found = compare(make_plan(), make_plan(tiers__database__replicas=2))
    (only,) = found.causes
    assert (only.tier, only.subject, only.what) == ("database", "read replicas", "group")
    # An instance at 1 USD an hour and 100 GiB at 0.1 USD.
    assert only.change_usd == found.change_usd == 730 + 10
    assert [each.name for each in only.features] == ["count", "storage_gib"]


def test_a_tier_that_only_one_plan_has_is_one_cause() -> None:
    before = make_plan()
    found = compare(before, make_plan(tiers__websocket="off", gates={}))
    tier = cause(found, "websocket")
    lines = [item.cost_usd.average for item in before.bill.items if item.tier == "websocket"]
    assert len(lines) == 2
    assert (tier.cost_usd_before, tier.cost_usd_after) == (sum(lines), None)


def test_tiers_of_a_price_are_one_cause() -> None:
    found = compare(make_plan(), make_plan(users__average=10_000, users__active_share=1.0))
    traffic = cause(found, "traffic to the internet")
    assert traffic.what == "use"
    amount = traffic.feature("amount")
    assert amount is not None
    assert amount.unit == "GiB"
    assert isinstance(amount.value_after, Decimal)
    assert amount.value_after > 10_240


def test_a_price_that_changed_is_a_feature() -> None:
    before = make_plan()
    doubled = {
        key: (row[0], "0.2" if key.item == "nat-gateway" else row[1], *row[2:]) for key, row in make_book().rows.items()
    }
    after = make_plan(book=make_book().overridden(doubled, "dearer"))
    (only,) = compare(before, after).causes
    assert [(each.name, each.value_before, each.value_after) for each in only.features] == [
        ("price_usd", Decimal("0.1"), Decimal("0.2"))
    ]


def test_a_missing_price_makes_the_difference_inexact() -> None:
    whole, lacking = make_plan(), make_plan(missing=["nat-gateway"])
    found = compare(whole, lacking)
    assert [*found.lacking] == [("after", "NAT gateways")]
    assert not found.is_exact
    assert cause(found, "NAT gateways").unpriced == ("after",)


def test_a_price_that_both_bills_miss_alike_leaves_the_difference_exact() -> None:
    found = compare(make_plan(missing=["nat-gateway"]), make_plan(missing=["nat-gateway"], tiers__database__replicas=2))
    assert found.is_exact
    assert found.change_usd == 740


def test_different_amounts_of_what_has_no_price_are_not_exact() -> None:
    after = make_plan(missing=["nat-gateway"], tiers__network__nat_gateway_per_zone=False)
    found = compare(make_plan(missing=["nat-gateway"]), after)
    assert not found.is_exact
    assert cause(found, "NAT gateways").unpriced == ("before", "after")


@pytest.mark.parametrize(
    ("levels", "level"),
    [(("peak", "peak"), "peak"), (("average", "average"), "average"), (("floor", "peak"), "average")],
)
def test_the_level_is_that_of_both_budgets(levels: tuple[str, str], level: str) -> None:
    assert compare(*(make_plan(budget__level=each) for each in levels)).level == level


def test_inputs_are_named_by_their_paths() -> None:
    found = compare(make_plan(), make_plan(tiers__cache="off", users__peak=12_000, tiers__api__users_per_node=4000))
    assert {(each.name, each.value_before, each.value_after) for each in found.inputs} == {
        ("users.peak", 10_000, 12_000),
        ("tiers.api.users_per_node", 5000, 4000),
        ("tiers.cache", "on", "off"),
    }


def test_a_gate_that_flips_and_one_that_is_gone() -> None:
    before = make_plan(gates={"api.node_count.base": ["<= 3"], "database.replica_count": ["<= 1"]})
    after = make_plan(gates={"api.node_count.base": ["<= 3"]}, users__peak=40_000)
    flips = {each.figure: each for each in compare(before, after).gates}
    flip, gone = flips["api.node_count.base"], flips["database.replica_count"]
    assert flip.verdict_before is not None
    assert flip.verdict_after is not None
    assert (flip.verdict_before.status, flip.verdict_after.status) == ("pass", "fail")
    assert gone.verdict_after is None
