"""Old versions cost: by the day, the version, the engine, and who stands by."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from cascade_plan.clouds.aws.support import SUPPORT
from cascade_plan.inputs.scenarios import read
from cascade_plan.model.plan import Plan
from cascade_plan.planning.pipeline import plan


def planned(day: str | None, *changes: tuple[str, str]) -> Plan:
    made = read("cascade", [(f"--set {path}", path, value) for path, value in changes])
    return plan(made.scenario, made.book, as_of=date.fromisoformat(day) if day else None, predicted=False)


def cost(made: Plan, words: str) -> Decimal:
    return sum((item.cost_usd.average for item in made.bill.items if words in item.name), Decimal(0))


def said(made: Plan, code: str) -> list[str]:
    return [finding.message for finding in made.findings if finding.code == code]


def test_an_old_kubernetes_costs_six_times_as_much() -> None:
    """0.60 an hour in all, $438.00 a month; the day before it is 0.10."""
    before, after = (planned(day, ("tiers.cluster.version", '"1.34"')) for day in ("2026-12-01", "2026-12-02"))
    assert cost(before, "EKS control plane") == 73
    assert not cost(before, "extended support")
    assert cost(after, "EKS control plane") + cost(after, "extended support of Kubernetes") == 438
    (words,) = said(after, "extended-support")
    assert words == (
        "Kubernetes 1.34 is in extended support since 2026-12-02: the control plane costs $438.00 a month instead of "
        "$73.00, until 2027-12-02"
    )


def test_what_ends_within_a_year_is_said_with_its_cost() -> None:
    (words,) = said(planned("2026-11-26"), "support-ends")
    assert words.startswith(
        "standard support of Kubernetes 1.36 ends on 2027-08-02: from then on the control plane costs $438.00"
    )
    assert not said(planned("2026-08-01"), "support-ends")


OLD = {"kubernetes": ("cluster", '"1.34"'), "postgres": ("database", '"14"'), "redis": ("cache", '"6.2"')}


@pytest.mark.parametrize("what", OLD)
def test_what_ends_within_ninety_days_is_a_warning(what: str) -> None:
    tier, version = OLD[what]
    ends = SUPPORT[what][version.strip('"').partition(".")[0] if what == "redis" else version.strip('"')].standard_end

    def severities(days_before: int) -> list[str]:
        made = planned((ends - timedelta(days_before)).isoformat(), (f"tiers.{tier}.version", version))
        where = f"tiers.{tier}.version"
        return [each.severity for each in made.findings if (each.code, each.where) == ("support-ends", where)]

    assert [severities(days) for days in (366, 365, 91, 90, 1, 0)] == [[], ["info"], ["info"], *[["warning"]] * 2, []]


def test_an_old_redis_is_charged_for_by_a_price_that_is_not_known() -> None:
    """Standard support of 6 ends with January 2027."""
    before, after = (planned(day, ("tiers.cache.version", '"6.2"')) for day in ("2027-01-31", "2027-02-01"))
    assert not [words for words in before.bill.not_priced if "extended support of Redis" in words]
    assert [words for words in after.bill.not_priced if "extended support of Redis 6.2" in words]
    assert said(after, "extended-support")
    assert said(after, "no-sharded-channels")
    for changes in ((), (("tiers.cache.version", '"6.2"'), ("emit.cache", "self"))):
        assert not [words for words in planned("2027-02-01", *changes).bill.not_priced if "support of Redis" in words]


@pytest.mark.parametrize(
    ("day", "usd"), [("2027-02-28", 0), ("2027-03-01", 876), ("2029-02-28", 876), ("2029-03-01", 1752)]
)
def test_an_old_postgresql_costs_by_the_vcpu_and_the_standby_counts(day: str, usd: int) -> None:
    """(4 x 2 + 4) vCPU x 0.10 x 730 h; twice as much from the third year on."""
    made = planned(day, ("tiers.database.version", '"14"'))
    assert cost(made, "extended support of PostgreSQL 14") == usd


def test_without_a_standby_it_is_half_of_the_primary() -> None:
    changes = (
        ("tiers.database.version", '"14"'),
        ("availability", "{level: critical, multi_az: false}"),
        ("tiers.database.replicas", "0"),
    )
    assert cost(planned("2027-04-01", *changes), "extended support of PostgreSQL") == Decimal("0.1") * 4 * 730


def test_a_version_that_ended_is_said_to_be_upgraded() -> None:
    assert said(planned("2027-12-02", ("tiers.cluster.version", '"1.34"')), "version-ended")


def test_a_version_that_nobody_knows_is_said() -> None:
    assert said(planned(None, ("tiers.cluster.version", '"1.99"')), "version-unknown") == [
        "until when Kubernetes 1.99 is supported is not known"
    ]


def test_without_a_day_it_is_that_of_the_newest_price() -> None:
    made = read("cascade")
    assert made.book.day is not None
    old = planned(None, ("tiers.cluster.version", '"1.30"'))
    assert cost(old, "extended support of Kubernetes") > 0


@pytest.mark.parametrize("what", sorted(SUPPORT))
def test_each_table_is_in_order(what: str) -> None:
    versions = SUPPORT[what]
    ends = [support.standard_end for support in versions.values()]
    assert ends == sorted(ends)
    for support in versions.values():
        assert support.standard_end == support.rates[0].begin < support.extended_end
        assert [rate.begin for rate in support.rates] == sorted(rate.begin for rate in support.rates)
