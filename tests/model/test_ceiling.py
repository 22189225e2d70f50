"""What instances do at most: who has what part, and where it binds."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cascade_plan.model.ceiling import BurstRate, Ceiling, Demand

AMOUNT = st.floats(0, 1000)
DEMANDS = st.builds(Demand, AMOUNT, AMOUNT, st.floats(0, 10), AMOUNT, st.none() | st.floats(1, 1e6))
LEVER = "database.replica_count"


def ceiling(demand: Demand, limit: float = 100.0, *, count: int = 2, stands_in: bool = False) -> Ceiling:
    return Ceiling(
        "database.x", "slow", "it is asked", "it does", "things/s", demand, limit, "buy more", LEVER, count, stands_in
    )


def test_the_primary_answers_reads_only_while_nobody_else_does() -> None:
    demand = Demand(each_units_per_request=1, shared_units_per_request=6)
    primary, replicas = ceiling(demand, stands_in=True), ceiling(demand)
    assert [primary.asked(10, {LEVER: count}) for count in (0, 1, 3)] == [70, 10, 10]
    assert [replicas.asked(10, {LEVER: count}) for count in (0, 1, 3)] == [0, 70, 30]
    assert replicas.asked(10, {}) == 40


def test_what_saves_is_asked_no_more_often_than_its_most() -> None:
    demand = Demand(1, saving_units_per_request=2, saving_units_per_s_max=50)
    assert [demand.at(rate, 1) for rate in (10, 25, 100)] == [30, 75, 150]
    assert [demand.requests_per_s(limit, 1) for limit in (30, 75, 150)] == [10, 25, 100]


@given(DEMANDS, st.floats(20, 1e6), st.integers(0, 9), st.booleans())
def test_it_breaks_above_the_rate_at_which_it_binds_and_not_below(
    demand: Demand, limit: float, count: int, stands_in: bool
) -> None:
    held = ceiling(demand, limit, stands_in=stands_in)
    most = held.requests_per_s_most({LEVER: count})
    assume(1e-6 < most < 1e9)
    # What a request more asks there is more than rounding.
    part = 1 / max(1, count)
    assume(held.demand.at(most * 1.001, part) - held.demand.at(most, part) > 1e-9 * limit)
    assume(held.demand.at(most, part) - held.demand.at(most * 0.999, part) > 1e-9 * limit)
    assert held.broken(most * 1.001, {LEVER: count})
    assert not held.broken(most * 0.999, {LEVER: count})


@given(DEMANDS, st.floats(0, 1e6), st.integers(1, 9))
def test_more_instances_are_never_asked_more_each(demand: Demand, rate: float, count: int) -> None:
    held = ceiling(demand)
    assert held.asked(rate, {LEVER: count + 1}) <= held.asked(rate, {LEVER: count})


@pytest.mark.parametrize(
    ("rate", "severity", "words"),
    [
        (79, None, ""),
        (80, "info", "it is asked 80 things/s; it does 100: 80% of it"),
        (100, "info", "it is asked 100 things/s; it does 100: 100% of it"),
        (1234, "warning", "it is asked 1,234 things/s; it does 100: buy more"),
    ],
)
def test_it_is_said_when_it_is_near_and_when_it_is_broken(rate: float, severity: str | None, words: str) -> None:
    finding = ceiling(Demand(1)).finding(rate, {})
    said = (None, "") if finding is None else (finding.severity, finding.message)
    assert said == (severity, words)


HALF_AN_HOUR = BurstRate(300, 1800)


@pytest.mark.parametrize(
    ("rate", "above", "words"),
    [
        (
            200,
            {"load a": 60, "load b": 1800},
            "; a burst of 300 lasts 30 minutes, load b 30 minutes: once it has rested, that carries it",
        ),
        (
            200,
            {"load a": 60, "the day's peak": 5 * 3600},
            "; a burst of 300 lasts 30 minutes, the day's peak 5 hours: then it is slowed",
        ),
        (301, {"load a": 60}, "; even in a burst it does 300"),
        (200, {}, ""),
    ],
)
def test_it_is_said_for_how_long_a_burst_carries_what_is_above(
    rate: float, above: dict[str, float], words: str
) -> None:
    finding = replace(ceiling(Demand(1)), burst=HALF_AN_HOUR).finding(rate, above)
    assert finding is not None
    assert finding.is_broken
    assert finding.message == f"it is asked {rate} things/s; it does 100: buy more{words}"


@given(st.floats(1, 1e9), st.none() | st.floats(1, 1e9), st.none() | st.floats(1, 1e5))
def test_there_is_a_burst_only_above_what_is_done_all_the_time(
    sustained: float, limit: float | None, lasting_s: float | None
) -> None:
    burst = BurstRate.above(sustained, limit, lasting_s)
    is_known = limit is not None and lasting_s is not None
    assert (burst is not None) == (is_known and limit > sustained)
    assert burst is None or burst == (limit, lasting_s)


@given(DEMANDS, st.floats(0, 1e6), st.floats(1, 1e6))
def test_a_burst_excuses_nothing(demand: Demand, rate: float, limit: float) -> None:
    plain, bursting = ceiling(demand, limit), replace(ceiling(demand, limit), burst=BurstRate(2 * limit, 1800))
    assert bursting.broken(rate, {}) == plain.broken(rate, {})
    assert bursting.requests_per_s_most({}) == plain.requests_per_s_most({})
