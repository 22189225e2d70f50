"""What a provider limits is rounded to the safe side, and a limit that binds is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.clouds.aws import cloud, eks
from cascade_plan.formulas import postgres
from cascade_plan.inputs.scenarios import read
from cascade_plan.model.plan import Plan
from cascade_plan.planning.pipeline import plan

OBSERVED = {2: 181, 4: 413, 8: 856, 15.25: 1660}
"""GiB of an RDS class -> the max_connections it answered ("show max_connections"): db.t4g.small, t2.medium, t2.large
and m4.large, r4.large."""


def planned(name: str = "cascade", **values: str) -> Plan:
    made = read(name, [(f"--set {path}={value}", path.replace("__", "."), value) for path, value in values.items()])
    return plan(made.scenario, made.book, predicted=False)


def said(made: Plan, code: str) -> list[str]:
    return [finding.message for finding in made.findings if finding.code == code]


@pytest.mark.parametrize(("gib", "count"), OBSERVED.items())
def test_no_class_is_said_to_accept_more_connections_than_were_seen(gib: float, count: int) -> None:
    assert 0.85 * count < postgres.rds_default_connection_count(gib) <= count


@given(st.floats(0.5, 4096), st.floats(0.5, 4096))
def test_more_memory_never_leaves_less(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0 < postgres.memory_mib(low) <= postgres.memory_mib(high) <= high * 1024
    assert postgres.rds_default_connection_count(low) <= postgres.rds_default_connection_count(high) <= 5000


def test_a_pool_is_held_against_the_class_with_all_that_connect_beside_it() -> None:
    """150 alone would fit the 180 of a db.t4g.small: with 20 others and five reserved 175 still do, 156 do not."""
    fits = planned(tiers__database__shape="db.t4g.small", tiers__pool__connections="150")
    over = planned(tiers__database__shape="db.t4g.small", tiers__pool__connections="156")
    assert not said(fits, "pool-exceeds-max-connections")
    (message,) = said(over, "pool-exceeds-max-connections")
    assert message.startswith(
        "181 connections, with those of others and those reserved, exceed the about 180 that db.t4g"
    )


@given(st.integers(1, 448), st.integers(4, 737), st.integers(0, 20))
def test_a_managed_node_runs_no_more_pods_than_its_group_sets(vcpu: int, interfaces: int, agents: int) -> None:
    pods = eks.allocatable(vcpu, 4.0 * vcpu, interfaces, 0.075, 0, 0, agents).pods
    assert pods == max(0, min(interfaces, 110 if vcpu < 30 else 250) - agents)


def test_a_large_node_of_small_pods_holds_what_a_managed_group_lets_it() -> None:
    small = {"tiers__api__pod__cpu_cores": "0.1", "tiers__api__pod__memory_mib": "128"}
    assert planned(tiers__api__shape="m6g.4xlarge", **small).figure("api.pod_count_per_node") == 110 - 4
    assert planned(tiers__api__shape="m6g.8xlarge", **small).figure("api.pod_count_per_node") > 110


@given(st.floats(0, 1e6), st.floats(0, 100))
def test_writes_ask_at_most_a_flush_and_a_page_each_and_never_less_for_more(writes: float, flush_ms: float) -> None:
    asked = postgres.disk_operations_per_s(writes, flush_ms)
    assert 0.46 * writes <= asked <= 1.46 * writes + 1e-6
    assert asked <= postgres.disk_operations_per_s(writes * 1.5, flush_ms) + 1e-6


SLOW = "the primary is asked {:,} disk operations/s; {} GiB of gp3 do {:,}: "
PROVISION = "provision more, tiers.database.provisioned_operations_per_s"


@pytest.mark.parametrize(
    ("peak", "gib", "message"),
    [
        (10_000, 100, None),
        # 12,500 writes/s of 50,000 users: 1,000 flushes and 5,750 pages. All data is in memory.
        (50_000, 100, SLOW.format(6750, 100, 3000) + PROVISION),
        (50_000, 399, SLOW.format(6750, 399, 3000) + PROVISION),
        (50_000, 400, None),
        (200_000, 400, SLOW.format(24_000, 400, 12_000) + PROVISION),
    ],
)
def test_storage_that_is_too_slow_for_the_writes_is_said(peak: int, gib: int, message: str | None) -> None:
    made = planned(
        users__peak=str(peak),
        tiers__database__storage_gib=str(gib),
        tiers__database__data_gib="10",
        tiers__database__commit_ms="1",
        # No more than it includes: left out, as many as are asked would be bought.
        tiers__database__provisioned_operations_per_s="3000",
        # Larger than what its storage does: 20,000 IOPS.
        tiers__database__shape="db.r6g.4xlarge",
    )
    assert said(made, "disk-operations") == ([] if message is None else [message])


def test_storage_is_faster_from_a_size_on() -> None:
    assert cloud.database_storage().of(399) == (3000, 125 * 2**20)
    assert cloud.database_storage().of(400) == (12_000, 500 * 2**20)
