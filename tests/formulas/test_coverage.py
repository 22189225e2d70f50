"""The cheapest commitment of a day: no other one costs less, and one for all never costs more than one each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.formulas.coverage import Use, least

COUNTS = st.lists(st.one_of(st.just(0.0), st.floats(0.1, 20)), min_size=4, max_size=4)
PRICE = st.floats(0.05, 2)
USES = st.lists(st.builds(lambda counts, usd, off: Use(counts, usd, usd * off), COUNTS, PRICE, st.floats(0.3, 0.99)),
                min_size=1, max_size=4)  # fmt: skip


def paid(uses: list[Use], committed: float) -> float:
    """Return what an hour costs, hour by hour: the dearest dollar on demand is covered first."""
    hours = len(uses[0].hourly_count)
    total = 0.0
    for hour in range(hours):
        left = committed
        for use in sorted(uses, key=lambda use: -use.on_demand_usd / use.plan_usd):
            covered = min(use.hourly_count[hour], left / use.plan_usd)
            left -= covered * use.plan_usd
            total += (use.hourly_count[hour] - covered) * use.on_demand_usd
    return committed + total / hours


@given(uses=USES)
def test_no_other_commitment_costs_less(uses: list[Use]) -> None:
    found = least(uses)
    assert found.usd == pytest.approx(paid(uses, found.committed_usd))
    assert found.on_demand_usd == pytest.approx(paid(uses, 0.0))
    most = max(sum(use.hourly_count[hour] * use.plan_usd for use in uses) for hour in range(4))
    tried = [most * step / 200 for step in range(201)]
    assert found.usd <= min(paid(uses, each) for each in tried) + 1e-9


@given(counts=COUNTS, usd=PRICE, off=st.floats(0.3, 0.99))
def test_no_other_number_of_whole_instances_costs_less(counts: list[float], usd: float, off: float) -> None:
    use = Use(counts, usd, usd * off)
    found = least([use], step_usd=use.plan_usd)
    whole = found.committed_usd / use.plan_usd
    assert whole == pytest.approx(round(whole))
    assert found.usd == pytest.approx(min(paid([use], count * use.plan_usd) for count in range(22)))


@given(one=USES, other=USES)
def test_together_costs_no_more_than_each_alone(one: list[Use], other: list[Use]) -> None:
    assert least([*one, *other]).usd <= least(one).usd + least(other).usd + 1e-9


def test_two_that_are_busy_at_other_hours_buy_together_what_neither_would_alone() -> None:
    day, night = Use([4.0, 0.0], 1.0, 0.6), Use([0.0, 4.0], 1.0, 0.6)
    assert [least([each]).committed_usd for each in (day, night)] == [0.0, 0.0]
    assert least([day, night]) == (2.4, 2.4, 4.0)


def test_twice_the_same_system_saves_nothing_more() -> None:
    one = Use([1.0, 2.0, 4.0, 4.0], 1.0, 0.6)
    alone, both = least([one]), least([one, one])
    assert (both.committed_usd, both.usd) == (2 * alone.committed_usd, 2 * alone.usd)
