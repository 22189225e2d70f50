"""Steps, ends and cuts of intervals."""

from __future__ import annotations

from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.formulas.intervals import cut, ends_of, step_of


@pytest.mark.parametrize(
    ("times", "step"),
    [
        ((0, 300, 600, 21_600, 21_900), 300),
        ((0, 3600, 7200, 10_800, 11_100, 11_400, 11_700, 12_000), 300),
        ((0, 60, 121, 181, 240, 300), 60),
        ((0, 600, 1500, 2700), 300),
        ((0, 5, 11, 15, 20), 5),
        ((0, 7), 7),
    ],
)
def test_a_step(times: tuple[int, ...], step: int) -> None:
    assert step_of(times) == step


@given(st.integers(1, 10_000), st.lists(st.integers(0, 500), min_size=2, max_size=60, unique=True).map(sorted))
def test_a_step_of_a_grid_with_two_neighbours_is_the_grids(step: int, places: list[int]) -> None:
    grid = sorted({*places, places[0] + 1})
    assert step_of([step * place for place in grid]) == step


def test_a_late_timer_leaves_no_gap_and_two_steps_do() -> None:
    assert ends_of([0, 60, 121, 241], 60) == [60, 121, 181, 301]


WIDTHS = st.floats(0.5, 500, allow_nan=False)
SPANS = st.lists(
    st.tuples(st.integers(0, 100), st.integers(1, 100), st.integers(0, 10**6)), min_size=1, max_size=30
).map(lambda spans: _laid_out(spans))


def _laid_out(spans: list[tuple[int, int, int]]) -> tuple[list[int], list[int], list[int]]:
    """Return starts, ends and amounts of (gap before, length, amount)."""
    ends = list(accumulate(gap + length for gap, length, _ in spans))
    return [end - length for end, (_, length, _) in zip(ends, spans, strict=True)], ends, [each[2] for each in spans]


@given(SPANS, WIDTHS)
def test_nothing_is_lost_or_made_up(spans: tuple[list[int], list[int], list[int]], width: float) -> None:
    starts, ends, amounts = spans
    found = cut(starts, ends, amounts, width)
    assert found.sum() == pytest.approx(sum(amounts))
    assert (found >= 0).all()
    assert (len(found) - 1) * width < ends[-1] <= len(found) * width * (1 + 1e-9)


@given(SPANS, st.integers(1, 50))
def test_each_cut_has_its_part_of_every_interval(spans: tuple[list[int], list[int], list[int]], width: int) -> None:
    """By adding up second by second: all ends are whole seconds."""
    starts, ends, amounts = spans
    seconds = np.zeros(-(-ends[-1] // width) * width)
    for start, end, amount in zip(starts, ends, amounts, strict=True):
        seconds[start:end] += amount / (end - start)
    assert cut(starts, ends, amounts, width) == pytest.approx(seconds.reshape(-1, width).sum(axis=1), abs=1e-6)
