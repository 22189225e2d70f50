"""Estimates from a sample: known laws recovered, intervals that cover, and nothing left out."""

from __future__ import annotations

from itertools import pairwise
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.formulas.demands import Estimate
from cascade_plan.formulas.estimates import at_least, mean, median, percentile, scv

SAMPLES = st.lists(st.floats(0.001, 1000), min_size=1, max_size=60)


def gamma(seed: int, mean_ms: float, scv_: float, count: int = 1000) -> list[float]:
    """Return a sample of a gamma law with a mean and an SCV."""
    return list(np.random.default_rng(seed).gamma(1 / scv_, mean_ms * scv_, count))


@given(st.integers(0, 10_000), st.floats(0.01, 100), st.floats(0.05, 2))
def test_a_known_law_is_recovered(seed: int, mean_ms: float, spread: float) -> None:
    """Within six standard errors: of the mean sqrt(c/n), of the SCV by its delta method for a gamma law."""
    sample = gamma(seed, mean_ms, spread)
    found, law = mean(sample), scv(sample)
    assert found.value == pytest.approx(mean_ms, rel=6 * (spread / 1000) ** 0.5)
    # Var of the sample's SCV of a gamma law, to first order in 1/n: (2 c^2 + 2 c^3) / n.
    assert law.value == pytest.approx(spread, abs=6 * ((2 * spread**2 + 2 * spread**3) / 1000) ** 0.5)
    for each in (found, law, median(sample)):
        assert each.low <= each.value <= each.high


@pytest.mark.parametrize("spread", [0.1, 1.0])
def test_intervals_cover_the_truth_as_often_as_they_say(spread: float) -> None:
    middle = percentile(gamma(99, 3.0, spread, 1_000_000), 0.5)
    truths = ((mean, 3.0), (scv, spread), (median, middle))
    for statistic, truth in truths:
        covered = 0
        for seed in range(200):
            found = statistic(gamma(seed, 3.0, spread, 300))
            covered += found.low <= truth <= found.high
        # 95 % of 200 is 190 +- 3; of the SCV of an exponential law a bootstrap covers somewhat less.
        assert covered >= (170 if statistic is scv else 180), statistic.__name__


def test_an_interval_is_wider_where_neighbours_move_together() -> None:
    """Values that come in runs of ten tell a tenth as much: taken as independent, the interval is a third as wide."""
    levels = np.random.default_rng(4).exponential(1.0, 100)
    apart, runs = mean(list(np.random.default_rng(5).exponential(1.0, 1000))), mean(list(np.repeat(levels, 10)))
    assert runs.high - runs.low > 2 * (apart.high - apart.low)


@given(SAMPLES, st.floats(0.001, 1000))
def test_units_change_nothing(sample: list[float], unit: float) -> None:
    scaled = [each * unit for each in sample]
    for statistic, factor in ((mean, unit), (median, unit), (scv, 1.0)):
        assert statistic(scaled) == pytest.approx([each * factor for each in statistic(sample)], rel=1e-6, abs=1e-9)


@given(SAMPLES)
def test_no_value_is_left_out(sample: list[float]) -> None:
    assert mean(sample).value == pytest.approx(sum(sample) / len(sample))
    variance = sum((each - sum(sample) / len(sample)) ** 2 for each in sample) / len(sample)
    assert scv(sample).value == pytest.approx(variance / mean(sample).value ** 2, abs=1e-9)
    assert median(sample).value == pytest.approx(float(np.median(sample)))
    assert mean([*sample, 1e6]).high > mean(sample).high


@given(st.integers(6, 300))
def test_the_interval_of_a_median_is_the_narrowest_that_covers(count: int) -> None:
    """Exactly, in whole numbers: the chance that fewer than rank + 1 values lie below the median."""
    rank = int(median(list(range(count))).low)
    chances = [sum(comb(count, below) for below in range(each + 1)) for each in range(rank + 2)]
    assert chances[rank] <= 0.025 * 2**count < chances[rank + 1]
    assert all(later > earlier for earlier, later in pairwise(chances))


def test_a_few_values_have_all_of_them_for_an_interval() -> None:
    assert median([5.0, 1.0, 2.0, 9.0, 4.0]) == Estimate(4.0, 1.0, 9.0)


def test_what_does_not_vary_has_no_interval() -> None:
    assert mean([0.25] * 50) == Estimate(0.25, 0.25, 0.25)
    assert scv([0.25] * 50) == pytest.approx((0, 0, 0), abs=1e-12)
    assert scv([0.0] * 5) == Estimate(0.0, 0.0, 0.0)


def test_nothing_tells_nothing() -> None:
    for statistic in (mean, median, scv):
        with pytest.raises(ValueError, match="empty"):
            statistic([])


def test_an_estimate_keeps_to_what_may_be() -> None:
    assert at_least(0.001, Estimate(0.0005, -1.0, 2.0)) == Estimate(0.001, 0.001, 2.0)
