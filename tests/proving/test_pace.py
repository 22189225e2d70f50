"""Sliding windows and forgotten events, each against the plain way of computing them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.formulas.hpa_behavior import Policy, Rules, ScaleEvent, replicas_changed, store_event
from cascade_plan.proving.pace import Ledger
from cascade_plan.proving.windows import Window, ticks_within

TICK_S = 15
RUNS = 3


@given(st.integers(1, 9), st.sampled_from((np.minimum, np.maximum)), st.integers(0, 99), st.integers(1, 40))
def test_a_window_is_the_extreme_of_its_last_rows(length: int, pick: np.ufunc, seed: int, pushed: int) -> None:
    fill = 4.0
    window, out = Window(length, RUNS, fill, pick), np.empty(RUNS)
    rows = np.random.default_rng(seed).integers(0, 9, (pushed, RUNS)).astype(np.float64)
    past = np.concatenate([np.full((length, RUNS), fill), rows])
    for place, row in enumerate(rows):
        window.push(row, out)
        assert (out == pick.reduce(past[place + 1 : place + 1 + length], axis=0)).all()


@pytest.mark.parametrize(
    ("seconds", "ticks"), [(0, 0), (1, 1), (14.5, 1), (15, 1), (15.1, 2), (60, 4), (61, 5), (300, 20)]
)
def test_ticks_are_counted_until_the_time_has_passed(seconds: float, ticks: int) -> None:
    assert ticks_within(seconds, TICK_S) == ticks


@given(
    period_s=st.sampled_from((1, 15, 20, 30, 45, 60)),
    spans=st.sets(st.integers(1, 14), min_size=1, max_size=3),
    changes=st.lists(st.tuples(*[st.sampled_from((0, 0, 1, 2, 7))] * RUNS), min_size=5, max_size=60),
)
def test_a_ledger_knows_what_the_controller_forgot(
    period_s: int, spans: set[int], changes: list[tuple[int, ...]]
) -> None:
    rules = Rules((Policy("Pods", 1, 1), Policy("Pods", 1, period_s)))
    ledger = Ledger(rules, spans, TICK_S, RUNS)
    kept: list[tuple[ScaleEvent, ...]] = [()] * RUNS
    for tick, amounts in enumerate(changes):
        ledger.expire(tick)
        for span in spans:
            for run in range(RUNS):
                made = sum(past[run] for past in changes[max(0, tick - span + 1) : tick])
                lost = made - replicas_changed(span * TICK_S, kept[run], tick * TICK_S)
                assert (ledger.lost[span][run] if span in ledger.lost else 0) == lost
                assert not lost or ledger.last_due[span] > tick
        moved = np.flatnonzero(amounts)
        if moved.size:
            ledger.record(tick, moved, np.array(amounts, dtype=np.float64)[moved])
        for run in moved:
            kept[run] = store_event(amounts[run], kept[run], rules, tick * TICK_S)
