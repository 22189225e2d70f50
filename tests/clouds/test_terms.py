"""By which terms AWS sells instances, and what it says of the others."""

from __future__ import annotations

import re

import pytest

from cascade_plan import registry
from cascade_plan.clouds.aws.cloud import sells
from cascade_plan.clouds.aws.terms import CALLED, RULES, payable, terms, unfit
from cascade_plan.model.offer import Offer
from cascade_plan.model.terms import commitment_of


def test_each_kind_of_instance_has_its_terms() -> None:
    assert registry.load("clouds", "aws", "terms").terms is terms
    assert terms("vm")[0] == terms("database")[0] == terms("cache")[0] == "on_demand"
    assert "spot" in terms("vm")
    assert "spot" not in (*terms("database"), *terms("cache"))
    kinds = {what: {c.kind for term in terms(what) if (c := commitment_of(term))} for what in ("vm", "database")}
    assert kinds == {"vm": {"reserved", "compute_sp", "ec2_instance_sp"}, "database": {"reserved", "database_sp"}}
    for what, count in (("vm", 20), ("database", 7), ("cache", 8)):
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
        ("cache", "compute_sp_1y_no_upfront", "Compute Savings Plans are for EC2 instances; take reserved_1y_no"),
        ("cache", "reserved_2y", "known are on_demand, reserved_{1,3}y_{no,partial,all}_upfront, database_sp_1y"),
        (
            "database",
            "reserved_3y_no_upfront",
            "AWS sells reserved RDS instances with nothing upfront for one year only: take reserved_1y_no_upfront or "
            "reserved_3y_partial_upfront",
        ),
        *(
            (what, f"database_sp_{way}_upfront", "for one year with nothing upfront only: take database_sp_1y_no_upf")
            for what in ("database", "cache")
            for way in ("1y_partial", "1y_all", "3y_no", "3y_all")
        ),
    ],
)
def test_what_is_not_sold_is_refused_with_what_is(what: str, given: object, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        payable(what, given)


PLAN = "database_sp_1y_no_upfront"
RESERVED = "reserved_1y_no_upfront"


@pytest.mark.parametrize(
    ("what", "engine", "shape", "term", "words"),
    [
        # Every family of PostgreSQL and Valkey in AWS's file of Database Savings Plans, ap-south-2, 2026-04-22.
        *(("database", "postgres", f"db.{family}.xlarge", PLAN, "") for family in
          ("m7g", "m8g", "m8i", "r7g", "r7i", "r8g", "r8i", "m7i", "r7gd", "r10g")),
        *(("cache", "valkey", f"cache.{family}.large", PLAN, "") for family in ("m7g", "r7g")),
        *(("database", "postgres", f"db.{family}.xlarge", PLAN, f"7 and newer, not db.{family}") for family in
          ("r5", "m5", "r6g", "r6i", "m6gd", "t3", "t4g", "x2g", "r4", "t7g")),
        *(("cache", "valkey", f"cache.{family}.large", PLAN, f"cache.m7g and cache.r7g, not cache.{family}") for family
          in ("r6g", "m5", "t4g", "r5", "c7gn")),
        ("cache", "redis", "cache.r7g.large", PLAN, "not Redis: set engine to valkey, or take reserved_1y_no_upfront"),
        ("cache", "redis", "", PLAN, "not Redis: set engine to valkey"),
        ("cache", "valkey", "", PLAN, ""),
        ("database", "", "", PLAN, ""),
        ("database", "", "db.r5.xlarge", PLAN, "take reserved_1y_no_upfront, or a db.r7g shape"),
        ("database", "", "db.t4g.medium", PLAN, "take reserved_1y_no_upfront, or a db.m7g shape"),
        ("database", "aurora", "db.r6g.large", PLAN, "not db.r6g"),
        ("cache", "redis", "cache.t4g.micro", RESERVED, ""),
        ("database", "postgres", "db.t4g.medium", RESERVED, ""),
        *(("vm", "", "c6g.xlarge", term, "") for term in terms("vm")),
    ],
)  # fmt: skip
def test_what_a_term_covers(what: str, engine: str, shape: str, term: str, words: str) -> None:
    reason = unfit(what, engine, shape, (term,))
    assert (words in reason) if words else not reason
    if shape:
        options = (engine or "postgres", "single_zone") if what == "database" else (engine,) if engine else ()
        assert sells(Offer(what, shape, options), term) is not bool(words)


@pytest.mark.parametrize(("what", "term"), [(what, term) for what in CALLED for term in terms(what)])
def test_what_a_refusal_offers_instead_is_sold(what: str, term: str) -> None:
    shape = {"vm": "t3.nano", "database": "db.t3.micro", "cache": "cache.t3.micro"}[what]
    reason = unfit(what, "", shape, (term,))
    offered = re.findall(r"take (\w+)", reason)
    assert bool(offered) is bool(reason)
    assert all(each in terms(what) and not unfit(what, "", shape, (each,)) for each in offered)


def test_every_rule_has_a_source() -> None:
    assert all(rule.source.startswith("https://docs.aws.amazon.com/") for rule in RULES)
