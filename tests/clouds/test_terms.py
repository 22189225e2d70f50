"""By which terms AWS sells instances, and what it says of the others."""

from __future__ import annotations

import re

import pytest

from cascade_plan import registry
from cascade_plan.clouds.aws.terms import payable, terms, unfit
from cascade_plan.model.terms import commitment_of


def test_each_kind_of_instance_has_its_terms() -> None:
    assert registry.load("clouds", "aws", "terms").terms is terms
    assert terms("vm")[0] == terms("database")[0] == terms("cache")[0] == "on_demand"
    assert "spot" in terms("vm")
    assert "spot" not in (*terms("database"), *terms("cache"))
    kinds = {what: {c.kind for term in terms(what) if (c := commitment_of(term))} for what in ("vm", "database")}
    assert kinds == {"vm": {"reserved", "compute_sp", "ec2_instance_sp"}, "database": {"reserved", "database_sp"}}
    for what, count in (("vm", 20), ("database", 8), ("cache", 8)):
        assert len({*terms(what)}) == len(terms(what)) == count
        assert all(term in ("on_demand", "spot") or commitment_of(term) for term in terms(what))


@pytest.mark.parametrize("what", ["vm", "database", "cache"])
def test_what_is_sold_is_returned_as_given(what: str) -> None:
    for term in terms(what):
        assert payable(what, term) == term
    mix = {"reserved_1y_no_upfront": 0.5, "reserved_3y_all_upfront": 0.5}
    assert payable(what, mix) is mix


@pytest.mark.parametrize(
    ("what", "given", "words"),
    [
        ("vm", 3, "must be a term such as on_demand, or a mapping of terms to their shares"),
        ("vm", {}, "must map at least one term to its share"),
        ("vm", {"on_demand": 0.5}, "on_demand is what the other shares leave"),
        ("vm", {"spot": 0.6, "reserved_1y_no_upfront": 0.5}, "the shares sum to 1.1: at most 1"),
        ("vm", "reserved_1y_al_upfront", "did you mean 'reserved_1y_all_upfront'?"),
        ("vm", "database_sp_1y_no_upfront", "Database Savings Plans are for databases and caches"),
        ("database", "spot", "databases and caches cannot be bought on spot"),
        ("cache", "compute_sp_1y_no_upfront", "Compute Savings Plans are for"),
        ("database", "reserved_2y", "known are on_demand, reserved_{1,3}y_{no,partial,all}_upfront, database_sp_1y"),
    ],
)
def test_what_is_not_sold_is_refused_with_what_is(what: str, given: object, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        payable(what, given)


def test_database_savings_plans_are_for_valkey() -> None:
    plan = ("database_sp_1y_no_upfront",)
    assert "cover Valkey, not Redis: set engine to valkey" in unfit("cache", "redis", plan)
    assert not unfit("cache", "valkey", plan)
    assert not unfit("cache", "redis", ("reserved_1y_no_upfront",))
    assert not unfit("database", "postgres", plan)
