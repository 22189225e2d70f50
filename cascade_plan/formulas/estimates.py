"""Estimates from a sample, each with a 95 % interval: no value is left out, however far out it lies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, exp, lgamma, log
from typing import TYPE_CHECKING, Final

from cascade_plan.formulas.demands import Estimate

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

RESAMPLES: Final = 1000
"""Draws of a bootstrap: the ends of a 95 % interval rest on 25 each (Efron, Tibshirani 1993, chapter 14)."""
OUTSIDE: Final = 0.025
"""Chance that the truth lies beyond one end of an interval."""


def mean(sample: Sequence[float], seed: int = 1) -> Estimate:
    """Return the mean of a sample. Its interval is of a block bootstrap: neighbours may depend on each other.

    Raises ValueError for an empty sample.
    """
    return _resampled(sample, lambda sums, squares, count: sums / count, True, seed)


def scv(sample: Sequence[float], seed: int = 1) -> Estimate:
    """Return the squared coefficient of variation, the variance over the mean squared; 0 where the mean is 0.

    Raises ValueError for an empty sample.
    """

    def ratio(sums: Array, squares: Array, count: int) -> Array:
        import numpy as np

        means = sums / count
        spreads = np.maximum(0.0, squares / count - means**2)
        return np.divide(spreads, means**2, out=np.zeros_like(means), where=means > 0)

    return _resampled(sample, ratio, False, seed)


def median(sample: Sequence[float]) -> Estimate:
    """Return the median of a sample, its interval between two order statistics, which no law is assumed for.

    Below six values no two of them are 95 % apart: the interval is all there is then.
    Source: Conover, Practical Nonparametric Statistics (1999), section 3.2: the number of values below the median is
    binomial. Raises ValueError for an empty sample.

    >>> median([3, 1, 2])
    Estimate(value=2.0, low=1.0, high=3.0)
    """
    rising = _checked(sample)
    count = len(rising)
    middle = (rising[(count - 1) // 2] + rising[count // 2]) / 2
    rank = _rank_below(count)
    return Estimate(middle, rising[rank], rising[count - 1 - rank])


def percentile(sample: Sequence[float], share: float) -> float:
    """Return the value below which, or at which, a share of the sample lies: the nearest rank.

    Raises ValueError for an empty sample.

    >>> percentile([1, 2, 3, 4], 0.5), percentile([1, 2, 3, 4], 0.95)
    (2.0, 4.0)
    """
    rising = _checked(sample)
    return rising[max(0, ceil(round(share * len(rising), 9)) - 1)]


def at_least(least: float, found: Estimate) -> Estimate:
    """Return an estimate of which nothing lies below the least."""
    return Estimate(*(max(least, each) for each in found))


def _checked(sample: Sequence[float]) -> list[float]:
    if not sample:
        raise ValueError("an empty sample tells nothing")
    return sorted(map(float, sample))


def _rank_below(count: int) -> int:
    """Return the largest rank from either end (from 0) outside which the median lies with at most 2.5 %; at least 0."""
    below, rank = 0.0, 0
    for number in range(count):
        below += exp(lgamma(count + 1) - lgamma(number + 1) - lgamma(count - number + 1) - count * log(2))
        if below > OUTSIDE:
            break
        rank = number
    return rank


def _resampled(
    sample: Sequence[float], statistic: Callable[[Array, Array, int], Array], has_unit: bool, seed: int
) -> Estimate:
    """Return a statistic of sum, sum of squares and count, with the percentiles of a circular block bootstrap.

    `has_unit` says whether it is in the sample's unit, or a ratio. Blocks are as long as the cube root of the sample.
    Source: Politis, Romano 1992; Künsch 1989 for the length's order.
    """
    import numpy as np

    if not len(sample):
        raise ValueError("an empty sample tells nothing")
    values = np.asarray(sample, dtype=float)
    # Sums of squares lose digits where the mean is large against the spread; of values near 1 they do least.
    scale = float(values.mean()) or 1.0
    values = values / scale
    count = len(values)
    length = max(1, round(count ** (1 / 3)))
    wrapped = np.concatenate((values, values[: length - 1]))
    sums = np.convolve(wrapped, np.ones(length), "valid")
    squares = np.convolve(wrapped**2, np.ones(length), "valid")
    starts = np.random.default_rng(seed).integers(0, count, (RESAMPLES, ceil(count / length)))
    drawn = starts.shape[1] * length
    draws = statistic(sums[starts].sum(axis=1), squares[starts].sum(axis=1), drawn)
    own = statistic(np.array([values.sum()]), np.array([(values**2).sum()]), count)
    unit = scale if has_unit else 1.0
    low, high = np.quantile(draws, [OUTSIDE, 1 - OUTSIDE])
    value = float(own[0]) * unit
    return Estimate(value, min(value, float(low) * unit), max(value, float(high) * unit))
