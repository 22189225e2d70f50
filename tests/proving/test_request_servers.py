"""What requests meet: order, work that is neither lost nor made, limits that hold, servers that are given back."""

from __future__ import annotations

import math
from heapq import heappop, heapreplace
from itertools import count, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.model.place import Quota
from cascade_plan.proving.servers import NEVER, Events, Go, Held, Limited, Servers, Shared

Jobs = list[tuple[float, float]]
"""(time since the one before, CPU time)."""
JOBS = st.lists(st.tuples(st.floats(0, 0.3), st.floats(1e-6, 0.2)), min_size=1, max_size=40)


def played(events: Events) -> None:
    """Let everything happen that is due."""
    while events.due:
        now_s, _, go = events.due[0]
        until_s = go(now_s)
        if until_s < NEVER:
            heapreplace(events.due, (until_s, next(events.numbers), go))
        else:
            heappop(events.due)


def shared(jobs: Jobs, servers: int, quota: Quota | None = None) -> tuple[list[float], Shared, float]:
    """Return when each of the jobs is done, the servers, and when the last is."""
    events, done = Events(), [math.inf] * len(jobs)
    station = Shared(servers, events, quota)

    def come(number: int, work_s: float) -> Go:
        def ended(now_s: float) -> float:
            done[number] = now_s
            return NEVER

        def come_(now_s: float) -> float:
            station.enter(now_s, work_s, ended)
            return NEVER

        return come_

    at_s = 0.0
    for number, (gap_s, work_s) in zip(count(), jobs, strict=False):
        events.at(at_s := at_s + gap_s, come(number, work_s))
    played(events)
    return done, station, max(done)


def times(jobs: Jobs) -> list[tuple[float, float]]:
    """Return (moment of coming, CPU time) of each."""
    found, at_s = [], 0.0
    for gap_s, work_s in jobs:
        found.append((at_s := at_s + gap_s, work_s))
    return found


@given(JOBS, st.integers(1, 4))
def test_servers_are_never_idle_while_somebody_waits_and_never_more_than_there_are(jobs: Jobs, servers: int) -> None:
    station = Servers(servers)
    comings = times(jobs)
    spans = [(come_s, station.served(come_s, work_s), work_s) for come_s, work_s in comings]
    starts = [end_s - work_s for _, end_s, work_s in spans]
    assert all(later >= before - 1e-9 for before, later in pairwise(starts)), "first come, first served"
    for (come_s, _, _), start_s in zip(spans, starts, strict=True):
        others = [each for each, start in zip(spans, starts, strict=True) if start < start_s - 1e-9]
        busy = sum(end_s > start_s + 1e-9 for _, end_s, _ in others)
        assert busy < servers
        if start_s > come_s + 1e-9:
            before = (come_s + start_s) / 2
            assert sum(start <= before < end_s for (_, end_s, _), start in zip(spans, starts, strict=True)) == servers
    middle_s = comings[-1][0]
    done_s = sum(max(0.0, min(middle_s, end_s) - (end_s - work_s)) for _, end_s, work_s in spans)
    assert station.busy_s(middle_s) == pytest.approx(done_s, abs=1e-9)
    assert station.busy_s(math.inf) == pytest.approx(sum(work_s for _, work_s in jobs))


def test_two_who_share_are_half_as_fast() -> None:
    """The first is alone for 1 s, then both are served at half the rate: it has 2 s left, the other 1 s."""
    done, station, _ = shared([(0.0, 3.0), (1.0, 1.0)], 1)
    assert done == pytest.approx([4.0, 3.0])
    assert station.busy_s(10.0) == pytest.approx(4.0)


def test_two_servers_are_shared_by_three() -> None:
    """From 0 to 1.5 s each of three gets two thirds of a server; the two that are left get one each."""
    done, _, _ = shared([(0.0, 1.0), (0.0, 2.0), (0.0, 3.0)], 2)
    assert done == pytest.approx([1.5, 2.5, 3.5])


@given(JOBS, st.integers(1, 4))
def test_sharing_loses_no_work_and_serves_nobody_faster_than_a_core(jobs: Jobs, servers: int) -> None:
    done, station, last_s = shared(jobs, servers)
    assert station.busy_s(last_s) == pytest.approx(sum(work_s for _, work_s in jobs), rel=1e-6)
    for (come_s, work_s), end_s in zip(times(jobs), done, strict=True):
        assert end_s >= come_s + work_s - 1e-9


@given(st.lists(st.floats(1e-3, 1.0), min_size=1, max_size=20), st.integers(1, 4))
def test_of_those_who_share_from_the_beginning_the_shortest_is_done_first(work_s: list[float], servers: int) -> None:
    done, _, _ = shared([(0.0, each) for each in work_s], servers)
    assert [end_s for _, end_s in sorted(zip(work_s, done, strict=True))] == sorted(done)


@given(JOBS)
def test_one_shared_server_is_done_with_all_when_one_queue_would_be(jobs: Jobs) -> None:
    """The order changes who waits, not how much work there is."""
    queue = Servers(1)
    ends = [queue.served(come_s, work_s) for come_s, work_s in times(jobs)]
    assert shared(jobs, 1)[2] == pytest.approx(max(ends))


QUOTA = Quota(0.5, 0.1)


def ended(come_s: float, work_s: float, phase_s: float = 0.0) -> tuple[float, float]:
    """Return when a lone piece of work is done under the limit, in a queue and shared."""
    pod, events, done = Limited(QUOTA, phase_s), Events(), []

    def end(now_s: float) -> float:
        done.append(now_s)
        return NEVER

    station = Shared(1, events, QUOTA, phase_s)

    def come(now_s: float) -> float:
        station.enter(now_s, work_s, end)
        return NEVER

    events.at(come_s, come)
    played(events)
    return pod.served(come_s, work_s), done[0]


@pytest.mark.parametrize(
    ("come_s", "work_s", "end_s"),
    [
        (0.0, 0.04, 0.04),  # within the 50 ms of a period
        (0.0, 0.08, 0.13),  # stopped from 50 to 100 ms
        (0.02, 0.08, 0.13),  # 50 ms until 70 ms, then the other 30 ms from 100 ms on
        (0.06, 0.08, 0.14),  # 40 ms in this period and 40 in the next: never stopped
        (0.08, 0.08, 0.21),  # 20, then 50 ms until 150, stopped until 200, then 10
        (0.0, 0.26, 0.51),  # five whole quotas and 10 ms
    ],
)
def test_a_pod_that_has_used_up_its_quota_is_stopped_until_the_next_period(
    come_s: float, work_s: float, end_s: float
) -> None:
    assert ended(come_s, work_s) == pytest.approx((end_s, end_s))
    assert ended(come_s + 0.07, work_s, 0.03) == pytest.approx((end_s + 0.07, end_s + 0.07))


@given(JOBS, st.floats(0.05, 0.95))
def test_a_limit_holds_over_any_time(jobs: Jobs, cores: float) -> None:
    """In any time t no more than (t / period + 2) quotas are used; and the same work takes as long in a queue."""
    quota = Quota(cores, 0.1)
    pod = Limited(quota, 0.0)
    ends = [pod.served(come_s, work_s) for come_s, work_s in times(jobs)]
    work_s = sum(each for _, each in jobs)
    whole_s = ends[-1] - times(jobs)[0][0]
    assert work_s <= (whole_s / 0.1 + 2) * cores * 0.1 + 1e-9
    assert all(later >= before for before, later in pairwise(ends))
    _, station, last_s = shared(jobs, 1, quota)
    assert last_s == pytest.approx(ends[-1], abs=1e-6)
    assert station.busy_s(last_s) == pytest.approx(work_s, rel=1e-6)
    assert pod.busy_s(last_s + 1) == pytest.approx(work_s)


def test_a_held_server_is_given_to_the_first_who_waits() -> None:
    events = Events()
    held, order = Held(1, events), []

    def task(name: str) -> Go:
        def go(now_s: float) -> float:
            order.append((name, now_s))
            return NEVER

        return go

    tasks = [task(name) for name in "abc"]
    assert [held.taken(0.0, each) for each in tasks] == [True, False, False]
    for moment_s in (2.0, 3.0, 5.0):
        held.give(moment_s)
        played(events)
    assert order == [("b", 2.0), ("c", 3.0)]
    assert held.busy_s(7.0) == 5.0
    assert held.taken(7.0, tasks[0])
    assert held.busy_s(8.0) == 6.0
