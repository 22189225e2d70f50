"""An event loop's waits: between first come first served and sharing, and the exact values at both ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.formulas.closed_station import NOBODY, closed_station, open_queue
from cascade_plan.formulas.event_loop import Gap, Loop, turns
from cascade_plan.formulas.percentiles import ServiceTime
from cascade_plan.formulas.sharing import lengths, wait_of


def loop(scv: float, await_s: float, awaits: int, gap_s: float = 0.001) -> Loop:
    return Loop((turns(1.0, ServiceTime(0.001, scv), await_s, (Gap(awaits, gap_s),) if awaits else ()),))


@pytest.mark.parametrize("scv", [0.0, 0.25, 1.0, 3.0])
def test_without_awaits_it_is_first_come_first_served(scv: float) -> None:
    alone = loop(scv, 0.0001, 0)
    # Pollaczek and Khinchine: (1 + s) / 2 times the wait for exponential service, which is that of sharing.
    assert alone.spread == pytest.approx((1 + scv) / 2)
    assert alone.alone[0] == pytest.approx((1 + scv) / 2)
    assert alone.factors(0.7, 1)[0] == pytest.approx((1 + scv) / 2)
    (wait,) = alone.waits(open_queue(0.7, 0.7), 0.7, 1, 0.001)
    assert wait.chance == pytest.approx(0.7)
    assert wait.mean_s == pytest.approx((1 + scv) / 2 * 0.001 * 0.7 / 0.3)


@pytest.mark.parametrize("bursts", [2, 3, 10, 200])
def test_equal_bursts_tend_to_sharing_in_heavy_traffic(bursts: int) -> None:
    even = loop(0.0, 1.0, bursts - 1)
    # Round robin of b equal turns: b / (b + 1) of the wait under sharing.
    assert even.spread == pytest.approx(bursts / (bursts + 1))


def test_a_long_burst_at_the_end_waits_as_in_one_piece() -> None:
    assert loop(0.0, 1e-6, 5).spread == pytest.approx(0.5, rel=0.01)
    assert 0.5 < loop(0.0, 0.00007, 5).spread < 0.65


@given(st.floats(0.01, 0.999), st.integers(0, 30), st.floats(0, 2), st.integers(1, 50))
def test_waits_are_longer_with_load_and_never_negative(busy: float, awaits: int, scv: float, servers: int) -> None:
    one = loop(scv, 0.00007, awaits)
    (wait,) = one.waits(open_queue(busy, busy), busy, servers, 0.001)
    (more,) = one.waits(open_queue(min(1, busy * 1.1), (9 * busy + 1) / 10), (9 * busy + 1) / 10, servers, 0.001)
    assert 0 < wait.chance <= 1
    assert 0 < wait.mean_s < more.mean_s


def test_who_comes_more_often_waits_longer() -> None:
    hit, miss = (turns(0.5, ServiceTime(0.001, 0.25), 0.00007, (Gap(awaits, 0.0007),)) for awaits in (2, 10))
    short, long = Loop((hit, miss)).waits(open_queue(0.9, 0.9), 0.9, 1, 0.001)
    assert long.mean_s > 2 * short.mean_s
    assert Loop((hit,)).waits(NOBODY, 0.0, 1, 0.001)[0].mean_s == 0


@pytest.mark.parametrize("scv", [0.0, 0.3, 1.0, 4.0])
def test_lengths_have_the_services_mean_and_most_of_its_variance(scv: float) -> None:
    law = ServiceTime(1.0, scv)
    classes = lengths(scv, law.family)
    assert sum(share for share, _ in classes) == pytest.approx(1, abs=1e-6)
    assert sum(share * mean for share, mean in classes) == pytest.approx(1, rel=1e-6)
    variance = sum(share * mean**2 for share, mean in classes) - 1
    assert 0.7 * scv <= variance <= scv * 1.01 + 1e-9


@given(st.floats(0.1, 10), st.integers(2, 5000), st.integers(1, 20))
def test_sharing_slows_down_in_proportion_whatever_the_law(length: float, users: int, servers: int) -> None:
    per_s, queue = closed_station(users, 2.0, servers, 0.01)
    busy = per_s * 0.01 / servers
    wait, one = (wait_of(each * 0.01, 0.01, queue, busy, servers).mean_s for each in (length, 1.0))
    assert wait == pytest.approx(length * one, rel=1e-9, abs=1e-15)
    assert one == pytest.approx(queue.chance * (queue.mean + 1) * 0.01 / servers, rel=1e-9, abs=1e-15)


@given(st.integers(0, 12), st.floats(1e-5, 0.95), st.floats(0.05, 3))
def test_a_rare_wait_is_no_constant_that_all_would_have(awaits: int, utilisation: float, scv: float) -> None:
    """What is constant of a wait counts for all requests, so only where next to all of them wait there is any."""
    for wait in loop(scv, 0.00002, awaits, 0.0001).waits(
        open_queue(utilisation**3, utilisation), utilisation, 3, 0.001
    ):
        assert wait.constant_s == 0 or wait.chance > 0.9
