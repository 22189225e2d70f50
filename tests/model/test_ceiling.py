"""What instances do at most: who has what part, and where it binds."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cascade_plan.model.ceiling import Ceiling, Demand

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
    finding = ceiling(Demand(1)).finding(rate)
    said = (None, "") if finding is None else (finding.severity, finding.message)
    assert said == (severity, words)
