"""Where no count helps a larger shape is taken, the cheapest that does, or the one that would do is named."""

from __future__ import annotations

from functools import cache

import pytest

from cascade_plan.errors import InfeasibleError
from cascade_plan.inputs.scenarios import read
from cascade_plan.model.plan import Plan
from cascade_plan.planning.pipeline import plan

MANY = ("users.peak=100000", "users.average=30000")
OPEN = "tiers.database.shape={memory_gib: 16}"


@cache
def planned(*changes: str) -> Plan:
    given = read("cascade", [(f"--set {each}", *each.split("=", 1)) for each in changes])  # type: ignore[misc]
    return plan(given.scenario, given.book, with_margins=False, by_action=False)


def shape(made: Plan, tier: str) -> str:
    return made.fleet.tiers[tier].groups[0].shape.name


def said(made: Plan) -> list[str]:
    return [finding.message for finding in made.findings if finding.code == "larger-shape"]


def test_a_primary_that_is_too_small_is_taken_larger_and_everything_is_kept() -> None:
    small, large = planned("method=slo", OPEN), planned("method=slo", OPEN, *MANY)
    assert shape(small, "database") != shape(large, "database")
    assert not said(small)
    assert any(f"database gets {shape(large, 'database')}" in words for words in said(large))
    ceilings = {ceiling.code for ceiling in large.fleet.ceilings}
    assert not [finding.message for finding in large.findings if finding.is_broken and finding.code in ceilings]
    latencies = [each for each in large.verdicts if each.figure.startswith("latency_ms_")]
    assert latencies
    assert all(each.status == "pass" for each in latencies)


def test_a_named_shape_stays_and_the_one_that_would_do_is_said_and_does() -> None:
    with pytest.raises(InfeasibleError, match=r"database.shape: db.r5.xlarge is too small; db\S+ would do: ") as error:
        planned("method=slo", *MANY)
    named = str(error.value).partition("too small; ")[2].partition(" would do")[0]
    assert shape(planned("method=slo", *MANY, f"tiers.database.shape={named}"), "database") == named


@pytest.mark.parametrize("method", ["rules", "slo"])
def test_a_node_on_which_no_pod_fits_is_taken_larger(method: str) -> None:
    pod = "tiers.api.pod.memory_mib=3000"
    made = planned(f"method={method}", "tiers.api.shape={memory_gib: 2}", pod)
    assert made.fleet.tiers["api"].workloads[0].pod_count_per_node >= 1
    assert any(words.startswith("api gets ") for words in said(made))
    with pytest.raises(InfeasibleError, match=r"does not fit a c6g.medium.* would do, tiers.api.shape"):
        planned(f"method={method}", "tiers.api.shape=c6g.medium", pod)


def test_what_no_shape_does_is_said_with_what_binds() -> None:
    with pytest.raises(InfeasibleError, match=r"no shape that database may have; .*disk operations/s"):
        planned("method=slo", OPEN, "users.peak=2000000", "users.average=600000")
    with pytest.raises(InfeasibleError, match=r"normal: p95 .* ms is not below 1 ms"):
        planned("method=slo", OPEN, "loads.normal.latency_ms_p95=1")
