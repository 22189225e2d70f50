"""What a WebSocket node can do at most, by hand, and what the method slo does about it."""

from __future__ import annotations

import random
from math import ceil

import pytest

from cascade_plan.files.assignments import Assignment
from cascade_plan.inputs.scenarios import read
from cascade_plan.model.derivation import Finding
from cascade_plan.model.plan import Plan
from cascade_plan.planning.pipeline import plan


def planned(**values: object) -> Plan:
    given = [Assignment(f"--set {path}", path.replace("__", "."), str(value)) for path, value in values.items()]
    made = read("cascade", given)
    return plan(made.scenario, made.book, made.origins, predicted=False)


def said(made: Plan, code: str) -> list[Finding]:
    return [finding for finding in made.findings if finding.code == code]


TALK = {"tiers__websocket__recipients_per_message": 60}
"""5,000 requests/s of the busiest load, a third of which publish: 1,667 messages/s to 60 each, 100,000 frames/s."""


def busy(nodes: int) -> float:
    """CPU time a second of each of so many nodes: frames, heartbeats of 10,000 connections each 20 s, the broker's.

    Of 61 readers the chance that none is on a node is (1 - 1/n)^61.
    """
    frames, beats, messages = 5000 / 3 * 60, 10_000 / 20, 5000 / 3
    return (frames * 30e-6 + beats * 45e-6) / nodes + messages * (1 - (1 - 1 / nodes) ** 61) * 30e-6


def test_the_thread_of_a_node_is_held_against_a_core() -> None:
    three, four = planned(**TALK), planned(**TALK, tiers__websocket__nodes=4)
    assert three.figure("websocket.busy_ratio") == pytest.approx(busy(3))
    (broken,) = said(three, "websocket-cpu")
    assert broken.is_broken
    assert "the thread of each node of websocket is busy 1.06 of the time; it is late beyond 0.8" in broken.message
    assert four.figure("websocket.busy_ratio") == pytest.approx(busy(4))
    assert said(four, "websocket-cpu")
    assert not said(planned(**TALK, tiers__websocket__nodes=5), "websocket-cpu")


def test_the_method_takes_nodes_until_those_that_are_left_rest() -> None:
    """Three zones, a zone and a node lost: of nine nodes three and one go, of eight too."""
    made = planned(**TALK, method="slo")
    assert busy(4) > 0.8 > busy(5)
    assert made.figure("websocket.node_count") == 9
    assert not said(made, "websocket-cpu")
    assert not said(made, "websocket-node-loss")
    (pods,) = made.fleet.tiers["websocket"].workloads
    assert pods.cpu_cores == pytest.approx(busy(5), abs=0.01)
    # Eight hold the connections too, but their threads do not rest when four are left.
    (lost,) = said(planned(**TALK, tiers__websocket__nodes=8), "websocket-node-loss")
    assert lost.is_broken
    assert f"4 of 8 nodes are left: their threads would be {busy(4):.0%} busy" in lost.message


def test_a_message_comes_to_the_nodes_that_hold_a_reader() -> None:
    """Readers are thrown on nodes by chance; a tenant of 100 is on all of three."""
    random.seed(7)
    for readers, nodes in ((6, 3), (6, 30)):
        thrown = sum(len({random.randrange(nodes) for _ in range(readers)}) for _ in range(20_000)) / 20_000
        made = planned(tiers__websocket__nodes=nodes)
        (streams,) = [sized.streams for sized in made.fleet.tiers.values() if sized.streams]
        assert streams.listener_count == pytest.approx(thrown, rel=0.01)


def test_the_memory_of_the_process_counts_before_its_first_connection() -> None:
    """10,000 x 72.5 KiB and 51 MiB of an application; 10,000 of 600 KiB are more than the 6,753 MiB of an m6g.large."""
    made = planned()
    assert made.figure("websocket.memory_mib_per_node") == pytest.approx(51 + 50_000 * 72.5 / 1024)
    (pods,) = made.fleet.tiers["websocket"].workloads
    assert pods.memory_mib == ceil(51 + 10_000 * 72.5 / 1024)
    each_kib = (6753 - 51) * 1024 / 10_000 - 4
    fits, full = (planned(tiers__websocket__memory_kib_per_connection=each_kib + more) for more in (-0.1, 0.1))
    assert not any(finding.is_broken for finding in said(fits, "websocket-memory"))
    (broken,) = said(full, "websocket-memory")
    assert broken.is_broken
    assert broken.message.startswith("10,000 connections take 6,754 MiB; an m6g.large leaves 6,753: admit")


@pytest.mark.parametrize(
    ("availability", "nodes", "code", "is_broken"),
    [
        # 10,000 connections at 5,000 a node: two hold them, of which what availability names may be lost.
        ("critical", 5, "websocket-node-loss", False),
        ("critical", 4, "websocket-node-loss", True),
        ("standard", 3, "websocket-node-loss", True),
        ("minimal", 2, "websocket-node-loss", False),
        ("minimal", 1, "websocket-full", True),
    ],
)
def test_what_is_left_holds_every_connection(availability: str, nodes: int, code: str, is_broken: bool) -> None:
    made = planned(
        availability=availability, tiers__websocket__nodes=nodes, tiers__websocket__connections_per_node=5000
    )
    # Of five in three zones two go and one more: two are left, and nothing is said of critical.
    assert [finding.is_broken for finding in said(made, code)] == ([] if nodes == 5 else [is_broken])
