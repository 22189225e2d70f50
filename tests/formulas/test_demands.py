"""Demands are found within their intervals as often as these say, and not at all where the data do not tell them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from math import inf, isinf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import Generator, default_rng
from numpy.typing import NDArray

from cascade_plan.formulas.demands import (
    CONDITION_MOST,
    Estimate,
    Trend,
    by_kind,
    condition,
    nonnegative,
    ratio,
    student975,
    think_time_s,
    trend,
)

Array = NDArray[np.float64]
Law = Callable[[Generator, int], Array]


def served(rng: Generator, seconds: int, rate: float, law: Law) -> tuple[Array, Array]:
    """Return (requests that ended, seconds of work done) of each second of one server, first come first served.

    An independent account of what monitoring sees: arrivals are Poisson, and a request's work may lie in another
    second than its end.
    """
    count = int(rng.poisson(rate * (seconds + 2)))
    arrivals = np.sort(rng.uniform(0, seconds + 2, count))
    work = law(rng, count)
    ends, free = np.empty(count), 0.0
    for index in range(count):
        free = max(free, arrivals[index]) + work[index]
        ends[index] = free
    edges = np.arange(1.0, seconds + 2)
    done = np.searchsorted(ends, edges)
    before = np.concatenate(([0.0], np.cumsum(work)))[done]
    started = np.where(done < count, ends[np.minimum(done, count - 1)] - work[np.minimum(done, count - 1)], np.inf)
    worked = before + np.clip(edges - started, 0.0, None)
    return np.diff(done).astype(float), np.diff(worked)


def exponential(mean_s: float) -> Law:
    return lambda rng, count: rng.exponential(mean_s, count)


def nearly_constant(mean_s: float) -> Law:
    return lambda rng, count: rng.gamma(100.0, mean_s / 100.0, count)


def heavy(mean_s: float) -> Law:
    """Return a law of SCV 4: lognormal."""
    sigma2 = np.log(5.0)
    return lambda rng, count: rng.lognormal(np.log(mean_s) - sigma2 / 2, np.sqrt(sigma2), count)


@pytest.mark.parametrize("law", [nearly_constant, exponential, heavy])
@pytest.mark.parametrize(("rate", "seconds"), [(70.0, 47), (200.0, 30), (300.0, 47), (200.0, 200)])
def test_the_interval_of_a_demand_covers_it_in_95_of_100_data_sets(
    law: Callable[[float], Law], rate: float, seconds: int
) -> None:
    mean_s, sets = 0.003, 200
    rng = default_rng([int(rate), seconds, len(law.__name__)])
    covered = 0
    for _ in range(sets):
        rates, cores = served(rng, seconds, rate, law(mean_s))
        found = ratio([float(x) for x in cores], [float(x) for x in rates])
        covered += found.low <= mean_s <= found.high
    # Binomial: 95 of 100 less three standard deviations of 200 draws; 100 of 100 would be as wrong as 80.
    assert 0.90 <= covered / sets <= 0.995


def test_of_few_windows_the_value_is_told_and_no_interval() -> None:
    found = ratio([0.3, 0.3], [100.0, 100.0])
    assert found.value == pytest.approx(0.003)
    assert isinf(found.low)
    assert isinf(found.high)


@pytest.mark.parametrize(("above", "below"), [([], []), ([1.0], [0.0]), ([1.0, 2.0], [1.0])])
def test_a_ratio_of_nothing_is_refused(above: list[float], below: list[float]) -> None:
    with pytest.raises(ValueError, match="a ratio needs"):
        ratio(above, below)


@given(
    st.lists(st.tuples(st.floats(0, 4), st.floats(1, 1000)), min_size=6, max_size=40),
    st.floats(0.01, 100),
)
def test_a_ratio_scales_with_what_is_above(windows: list[tuple[float, float]], factor: float) -> None:
    above, below = [a for a, _ in windows], [b for _, b in windows]
    one, other = ratio(above, below), ratio([a * factor for a in above], below)
    assert other.value == pytest.approx(one.value * factor)
    assert other.high - other.low == pytest.approx((one.high - one.low) * factor, abs=1e-12)
    assert one.low <= one.value <= one.high
    assert one.value == pytest.approx(sum(above) / sum(below))


def test_a_demand_that_never_varies_has_an_interval_of_no_width() -> None:
    found = ratio([0.003 * rate for rate in range(100, 150)], [float(rate) for rate in range(100, 150)])
    assert found.high - found.low < 1e-12


# ---------------------------------------------------------------------------------------------------------- by kind


def best_of_all_subsets(design: Array, target: Array) -> float:
    """Return the least distance of all non-negative solutions, by trying every set of columns."""
    columns, best = range(design.shape[1]), float(np.linalg.norm(target))
    for size in range(1, design.shape[1] + 1):
        for chosen in combinations(columns, size):
            found = np.linalg.lstsq(design[:, chosen], target, rcond=None)[0]
            if (found >= 0).all():
                best = min(best, float(np.linalg.norm(design[:, chosen] @ found - target)))
    return best


@given(st.integers(1, 5), st.integers(0, 10_000))
def test_nonnegative_least_squares_is_the_best_of_all_sets_of_columns(columns: int, seed: int) -> None:
    rng = default_rng(seed)
    design = rng.normal(0.3, 1.0, (12, columns)) * 10.0 ** rng.integers(-3, 3, columns)
    target = rng.normal(0.0, 1.0, 12)
    found = nonnegative(design, target)
    assert (found >= 0).all()
    assert np.linalg.norm(design @ found - target) == pytest.approx(best_of_all_subsets(design, target), abs=1e-9)


def mixed_windows(rng: Generator, costs: Array, spread: float, count: int = 60) -> tuple[Array, Array]:
    """Return (rates by kind, cores) of windows whose mix varies by `spread` around 3 : 2 : 1, with 0.05 cores more."""
    shares = np.array([0.5, 0.33, 0.17]) * np.exp(rng.normal(0.0, spread, (count, 3)))
    totals = rng.uniform(40.0, 160.0, (count, 1))
    rates = rng.poisson(totals * shares / shares.sum(axis=1, keepdims=True)).astype(float)
    cores = rates @ costs + 0.05 + rng.normal(0.0, 0.004, count)
    return rates, cores


def test_kinds_whose_mix_varies_are_told_apart_within_their_intervals() -> None:
    costs, sets = np.array([0.002, 0.004, 0.006]), 120
    rng = default_rng(11)
    covered = np.zeros(3)
    for _ in range(sets):
        rates, cores = mixed_windows(rng, costs, 0.6)
        kinds, background, number = by_kind(rates.tolist(), cores.tolist())
        assert number < CONDITION_MOST
        assert background.value == pytest.approx(0.05, abs=0.03)
        covered += [each.low <= cost <= each.high for each, cost in zip(kinds, costs, strict=True)]
    assert (covered / sets >= 0.88).all()


@pytest.mark.parametrize("spread", [0.0, 0.05])
def test_kinds_that_rise_and_fall_together_have_a_condition_number_that_says_so(spread: float) -> None:
    rng = default_rng(12)
    total = rng.uniform(50, 400, 80)
    shares = np.array([0.5, 0.33, 0.17]) * np.exp(rng.normal(0.0, spread, (80, 3)))
    rates = total[:, None] * shares
    *_, number = by_kind(rates.tolist(), (rates @ np.array([0.002, 0.004, 0.006])).tolist())
    assert number > CONDITION_MOST


def test_a_kind_that_never_came_has_no_condition_number() -> None:
    assert condition(np.array([[1.0, 0.0], [2.0, 0.0]])) == inf


def test_fewer_windows_than_values_are_refused() -> None:
    with pytest.raises(ValueError, match="do not tell"):
        by_kind([[1.0, 2.0]] * 3, [0.1] * 3)


# ------------------------------------------------------------------------------------------------------------ the rest


@given(st.floats(1e-4, 0.1), st.floats(-0.5, 0.9), st.lists(st.floats(0.05, 0.95), min_size=2, max_size=6, unique=True))
def test_the_trend_of_demands_on_a_line_is_that_line(idle: float, share: float, busy: list[float]) -> None:
    line = Trend(idle, idle * share)
    found = trend(busy, [line.at(each) for each in busy])
    if max(busy) - min(busy) > 1e-3:
        for each in (0.0, 0.5, 1.0):
            assert found.at(each) == pytest.approx(line.at(each), rel=1e-6)


def test_the_trend_of_one_load_is_level() -> None:
    assert trend([0.5], [0.003]) == Trend(0.003, 0.0)
    assert Trend(4.0, 1.0).at(1.4) == Trend(4.0, 1.0).at(1.0) == 3.0


def test_think_time_follows_from_users_rate_and_response() -> None:
    assert think_time_s(1000, 400.0, 0.5) == pytest.approx(2.0)


@pytest.mark.parametrize(("freedom", "value"), [(2, 4.303), (3, 3.182), (5, 2.571), (9, 2.262), (40, 2.021)])
def test_students_t_is_that_of_the_tables(freedom: int, value: float) -> None:
    assert student975(freedom) == pytest.approx(value, rel=0.01)


def test_an_estimate_is_scaled_with_its_interval() -> None:
    assert Estimate(1.0, 0.5, 2.0).scaled(1000) == Estimate(1000.0, 500.0, 2000.0)
