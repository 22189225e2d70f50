"""What a provider limits is rounded to the safe side, and a limit that binds is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.clouds.aws import cloud, eks, rds
from cascade_plan.formulas import postgres
from cascade_plan.inputs.scenarios import read
from cascade_plan.model.catalogue import Shape
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
    """0 to 9.1 % fewer, as the catalogue says of its fit."""
    assert (1 - 0.091) * count - 1 < rds.connection_count_max("db.none", gib) <= count


def test_a_class_that_was_seen_accepts_what_it_answered() -> None:
    shape = cloud.catalogue().find("database", "db.t4g.small")
    assert shape is not None
    assert shape.connection_count_max == 181
    # DBInstanceClassMemory / 9531392 is 181 and less than 182.
    assert 181 * 9_531_392 - 2**30 / 10_000 <= shape.program_gib * 2**30 < 182 * 9_531_392


@given(st.floats(0.5, 4096), st.floats(0.5, 4096))
def test_more_memory_never_leaves_less(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0 < rds.usable_memory_gib("db.none", low) <= rds.usable_memory_gib("db.none", high) <= high
    assert rds.connection_count_max("db.none", low) <= rds.connection_count_max("db.none", high) <= 5000


def test_a_pool_is_held_against_the_class_with_all_that_connect_beside_it() -> None:
    """150 alone would fit the 181 of a db.t4g.small: with 20 others and five reserved 156 still do, 157 do not."""
    fits = planned(tiers__database__shape="db.t4g.small", tiers__pool__connections="156")
    over = planned(tiers__database__shape="db.t4g.small", tiers__pool__connections="157")
    assert not said(fits, "max-connections")
    (message,) = said(over, "max-connections")
    assert message.startswith(
        "182 connections, with those of others and those reserved; db.t4g.small accepts 181 by default: set max_conn"
    )


def test_pools_of_one_database_are_held_against_its_class_together() -> None:
    """Each of two pools of 100 fits a db.t4g.small, both with 20 others and five reserved do not."""
    two = planned(
        tiers__database__shape="db.t4g.small",
        tiers__pool__connections="100",
        tiers__second="{kind: pool, connections: 100}",
    )
    (message,) = said(two, "max-connections")
    assert message.startswith("225 connections, ")
    assert not said(planned(tiers__database__shape="db.t4g.small", tiers__pool__connections="100"), "max-connections")


def test_pods_without_a_pool_are_held_against_the_class() -> None:
    """35 pods and the 9 that a rollout adds open 15 connections each, where 12 nodes... the plan says how many."""
    made = planned(tiers__pool="off", tiers__database__shape="db.t4g.medium")
    (workload,) = [each for each in made.fleet.workloads if each.connection_count_per_pod]
    opened = made.figure("database.client_connection_count_max")
    assert opened == workload.running_count_max * workload.connection_count_per_pod > 406
    (message,) = said(made, "max-connections")
    assert message.startswith(f"{opened + 20 + 5:,.0f} connections, ")
    assert "db.t4g.medium accepts 406" in message
    assert not said(planned(tiers__pool="off"), "max-connections")
    assert "database.client_connection_count_max" not in planned().figures


def test_connections_that_the_memory_does_not_hold_are_broken() -> None:
    """A quarter of 1,645 MiB, three vacuums of 102, six sorts of 4 MiB of each of five: room for 161 of 5 MiB."""
    held, over = (
        planned(tiers__database__shape="db.t4g.small", tiers__pool__connections=str(count)) for count in (136, 137)
    )
    assert held.figure("pool.database_memory_mib") == 1645 // 4 + 3 * (1645 // 16) + 5 * 6 * 4 + (136 + 25) * 5
    assert not said(held, "database-memory")
    (broken,) = [finding for finding in over.findings if finding.code == "database-memory"]
    assert broken.is_broken
    assert "take 1,647 MiB; a db.t4g.small leaves PostgreSQL 1,645: take a larger one" in broken.message
    # A db.t4g.micro has 621 MiB, whoever holds them.
    for changes in ({"tiers__pool__connections": "100"}, {"tiers__pool": "off"}):
        micro = planned(tiers__database__shape="db.t4g.micro", **changes)
        assert [finding.is_broken for finding in micro.findings if finding.code == "database-memory"] == [True]
    assert not said(
        planned(
            tiers__database__shape="db.t4g.micro", tiers__pool__connections="100",
            tiers__database__memory_mib_per_connection="1.2",
        ),
        "database-memory",
    )  # fmt: skip


NODES = st.builds(
    Shape,
    what=st.just("vm"),
    name=st.just("x"),
    vcpu=st.integers(1, 448),
    memory_gib=st.floats(0.5, 4096),
    interface_count=st.integers(2, 16),
    address_count_per_interface=st.integers(2, 50),
    takes_prefixes=st.booleans(),
)


@given(NODES, st.booleans(), st.integers(0, 20))
def test_a_managed_node_runs_no_more_pods_than_its_group_sets(shape: Shape, prefixes: bool, agents: int) -> None:
    """Addresses counted one by one: each interface's first is the node's own, a prefix has sixteen."""
    held = range(shape.interface_count * (shape.address_count_per_interface - 1))
    addresses = [host for _ in held for host in range(16 if prefixes and shape.takes_prefixes else 1)]
    pods = eks.allocatable(shape, 0.075, 0, 0, agents, prefixes).pods
    assert pods == max(0, min(len(addresses) + 2, 110 if shape.vcpu < 30 else 250) - agents)


@given(NODES)
def test_prefixes_never_run_fewer_pods_and_never_leave_more_memory(shape: Shape) -> None:
    single, blocks = (eks.allocatable(shape, 0.075, 0, 0, 4, prefixes) for prefixes in (False, True))
    assert blocks.pods >= single.pods
    assert blocks.memory_mib <= single.memory_mib
    assert blocks.cpu_m == single.cpu_m


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


# ----------------------------------------------------------------------------------------------------------------- pods

SMALL = {"tiers__api__pod__cpu_cores": "0.05", "tiers__api__pod__memory_mib": "64"}


def test_addresses_that_hold_fewer_pods_than_the_node_are_said_with_what_holds_more() -> None:
    """A t3.medium has 3 x (6 - 1) + 2 addresses; 110 pods with prefixes, of which kubelet takes 11 MiB each."""
    made = planned(**SMALL, tiers__api__shape="t3.medium")
    assert made.figure("api.pod_count_per_node") == 17 - 4
    (message,) = said(made, "pod-limit")
    assert message == (
        "a t3.medium runs at most 13 pods beside its agents; its CPU and memory hold 34: 32 with addresses in blocks, "
        "set tiers.cluster.prefix_delegation"
    )
    blocks = planned(**SMALL, tiers__api__shape="t3.medium", tiers__cluster__prefix_delegation="true")
    assert blocks.figure("api.pod_count_per_node") == 32
    assert not said(blocks, "pod-limit")


def test_prefixes_do_not_lift_the_limit_of_a_managed_group() -> None:
    """An m7g.4xlarge is told to run 110 pods in both cases: nothing is proposed that would not help."""
    tiny = {"tiers__api__pod__cpu_cores": "0.05", "tiers__api__pod__memory_mib": "128"}
    for prefixes in ("false", "true"):
        made = planned(**tiny, tiers__api__shape="m7g.4xlarge", tiers__cluster__prefix_delegation=prefixes)
        assert made.figure("api.pod_count_per_node") == 110 - 4
        (message,) = said(made, "pod-limit")
        assert message.endswith("its CPU and memory hold 313")


def test_a_node_that_is_full_by_its_cpu_has_no_limit_of_pods_to_be_said() -> None:
    assert not said(planned(), "pod-limit")


# ------------------------------------------------------------------------------------------------- network of the nodes


def test_nodes_send_what_the_arithmetic_says() -> None:
    """5,000 requests/s to three nodes: 3 lists of 2,000 bytes, 2 messages and an upload of 300, 400 bytes of headers
    each, and the 102,400 bytes of the upload once more to the object store.
    """
    each = (3 * 2000 + 2 * 300 + 300 + 6 * 400 + 102_400) / 6
    assert planned().figure("api.network_bytes_per_s_peak") == pytest.approx(5000 * each / 3)
    # The WebSocket nodes send what leaves to the internet by the bill.
    made = planned()
    (streams,) = [sized.streams for sized in made.fleet.tiers.values() if sized.streams]
    sent = streams.out_bytes_per_s.peak
    per_s = made.traffic.requests_per_s.peak
    (ceiling,) = [each for each in made.fleet.ceilings if each.figure == "websocket.network_bytes_per_s_peak"]
    assert ceiling.asked(per_s, {}) == pytest.approx(sent / 3)


def test_nodes_that_send_more_than_their_baseline_are_said_and_more_nodes_share_it() -> None:
    """A t3.medium sends 0.256 Gbit/s, 30.5 MiB/s: three send 29.6 each, two 44.4."""
    values = {"tiers__api__shape": "t3.medium", "tiers__api__pod__cpu_cores": "0.25"}
    (near,) = said(planned(**values), "node-network-near")
    assert near.startswith("each node of api sends 29.6 MiB/s; t3.medium sends all the time 30.5")
    two = planned(**values, tiers__api__nodes="{min: 2, base: 2, max: 2}")
    (message,) = said(two, "node-network")
    assert message == (
        "each node of api sends 44.4 MiB/s; t3.medium sends all the time 30.5: more nodes share it, or a larger one "
        "does more, set tiers.api.shape; a burst of 596 lasts 5 minutes, load peak 5 minutes: once it has rested, that "
        "carries it"
    )
    (ceiling,) = [each for each in two.fleet.ceilings if each.figure == "api.network_bytes_per_s_peak"]
    assert ceiling.broken(5000, {"api.node_count": 2})
    assert not ceiling.broken(5000, {"api.node_count": 3})


def test_services_on_one_node_send_over_one_network() -> None:
    """Half of what is asked for is answered by another service whose pods stand on the nodes of the first."""
    alone, shared = (
        planned(),
        planned(tiers__search="{kind: api, nodes_of: api}", behaviour__actions__list_workrooms__at="search"),
    )
    nodes = [made.figure("api.node_count.base") for made in (alone, shared)]
    sent = [
        made.figure("api.network_bytes_per_s_peak") * count for made, count in zip((alone, shared), nodes, strict=True)
    ]
    assert sent[0] == pytest.approx(sent[1])
    assert "search.network_bytes_per_s_peak" not in shared.figures
