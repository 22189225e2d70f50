"""What a cache can do at most, by hand, and what the method slo does about it."""

from __future__ import annotations

import pytest

from cascade_plan.errors import InfeasibleError
from cascade_plan.inputs.scenarios import read
from cascade_plan.model.plan import Plan
from cascade_plan.planning.pipeline import plan


def planned(name: str = "cascade", **values: object) -> Plan:
    given = [(f"--set {path}", path.replace("__", "."), str(value)) for path, value in values.items()]
    made = read(name, given)
    return plan(made.scenario, made.book, predicted=False)


def said(made: Plan, code: str) -> list[str]:
    return [finding.message for finding in made.findings if finding.code == code]


SLOW = {"tiers__cache__command_ms": 0.4, "tiers__database__data_gib": 10}
"""A thread does 2,500 commands/s. The busiest load asks 9,667: 7,500 look-ups, 1,667 messages, 500 heartbeats."""


def test_one_thread_is_held_against_the_commands_of_its_master() -> None:
    made = planned(**SLOW)
    assert made.figure("cache.commands_per_s_peak") == pytest.approx(5000 * (1.5 + 2 / 6) + 10_000 / 20)
    (message,) = said(made, "cache-commands")
    assert message == (
        "each master of cache is asked 3,222 commands/s; one thread does 2,500: more masters share them, set "
        "tiers.cache.minimum_nodes"
    )
    assert not said(planned(**SLOW, tiers__cache__minimum_nodes=4), "cache-commands")


def test_what_is_kept_is_held_against_the_memory_of_the_masters() -> None:
    """A cache.r6g.large leaves 13.07 GiB x 0.75 for data: three hold 29.4 GiB."""
    assert not said(planned(tiers__cache__data_gib=29), "cache-memory")
    (message,) = said(planned(tiers__cache__data_gib=30), "cache-memory")
    assert message.startswith("each master of cache is to keep 10 GiB; maxmemory of cache.r6g.large is 9.8: keys are")


def test_the_network_of_a_master_is_held_against_its_baseline() -> None:
    """A cache.r6g.large sends 0.75 Gbit/s, 89.4 MiB/s, all the time.

    0.9 of 5,000 requests/s, a half of them lists of 100 kB, the others 300 bytes; 1,667 messages/s of 300 bytes to
    three nodes: 227 MB/s from three masters.
    """
    listed = "behaviour__actions__list_workrooms__response_bytes"
    (near,) = said(planned(**{listed: 100_000}), "cache-network-near")
    assert "each master of cache sends 72.2 MiB/s; cache.r6g.large sends all the time 89.4" in near
    assert said(planned(**{listed: 200_000}), "cache-network")


def test_credits_of_a_node_are_held_against_the_average() -> None:
    """A cache.t4g.micro earns a tenth of 2 vCPU, and is slowed without credits: 0.2 of its thread's commands."""
    values = {"tiers__cache__shape": "cache.t4g.micro", "tiers__cache__command_ms": 1.0}
    average = 150 * (1.5 + 2 / 6) + 10_000 / 20
    (message,) = said(planned(**values, tiers__cache__minimum_nodes=1, tiers__cache__nodes=2), "cpu-credits")
    assert message.startswith(f"each master of cache is asked on average {average / 2:,.0f} commands/s; without")
    assert "it is slowed until cache.t4g.micro does 200" in message
    assert not said(planned(**values, tiers__cache__nodes=4), "cpu-credits")


def test_connections_are_held_against_what_a_node_accepts() -> None:
    (message,) = said(planned(tiers__cache__connections_per_pod=5000), "cache-connections")
    assert "cache.r6g.large accepts 65,000" in message


def test_a_small_node_accepts_fewer_connections() -> None:
    """maxclients of a cache.t3.micro is 20,000, of a cache.t3.small 46,000."""
    values = {"tiers__cache__connections_per_pod": 1000, "tiers__cache__data_gib": 0.1}
    micro, small = (planned(**values, tiers__cache__shape=f"cache.t3.{size}") for size in ("micro", "small"))
    (message,) = said(micro, "cache-connections")
    assert "cache.t3.micro accepts 20,000" in message
    assert not said(small, "cache-connections")


# ---------------------------------------------------------------------------------------------------------- the method


def test_the_method_takes_the_masters_that_are_needed_and_says_why() -> None:
    made = planned(**SLOW, method="slo")
    # 9,667 / (0.8 x 2,500) is 4.8.
    assert made.figure("cache.master_count") == 5
    assert not said(made, "cache-commands")
    assert "at most 80% busy" in made.figures["cache.master_count"].formula


def test_the_method_takes_no_two_masters() -> None:
    made = planned(**SLOW, method="slo", tiers__cache__minimum_nodes=1, users__peak=3000, users__average=1000)
    assert made.figure("cache.master_count") == 3


def test_the_method_says_what_binds_where_the_masters_are_pinned() -> None:
    with pytest.raises(InfeasibleError, match=r"each master of cache is asked 3,222 commands/s; one thread does 2,500"):
        planned(**SLOW, method="slo", tiers__cache__nodes=3)
