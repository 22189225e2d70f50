"""What one request costs a server, from how busy it was and how many requests came: operational laws, no queueing."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, sqrt
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BLOCK: Final = 5
"""Windows that are drawn together: what a queue carries over from one window is then in the same draw."""
DRAWS: Final = 1000
SEED: Final = 20071
"""Of the draws, so that the same data give the same interval."""
Z975: Final = 1.959963984540054
FEWEST: Final = 6
"""Windows below which there is no interval."""
CONDITION_MOST: Final = 30.0
"""A condition number of the scaled rates above this says that they rose and fell together: only their sum is known.
Source: Belsley, Kuh and Welsch, Regression Diagnostics (1980), section 3.2: 30 and more is strong collinearity."""


class Estimate(NamedTuple):
    """A value and its 95 % interval of chance: infinite where the data do not tell it."""

    value: float
    low: float
    high: float

    def scaled(self, factor: float) -> Estimate:
        """Return the estimate of so many times what this one is of."""
        return Estimate(self.value * factor, self.low * factor, self.high * factor)


def ratio(above: Sequence[float], below: Sequence[float]) -> Estimate:
    """Return the ratio of two sums over windows: cores over requests/s is CPU seconds a request, hits over lookups.

    The utilisation law U = X D holds whatever the queue does. The interval is the spread of the ratio over moving
    blocks of windows drawn again (circular), widened by Student's t for the number of blocks: percentiles of the draws
    themselves cover the truth in 86 to 91 of 100 data sets of 20 to 47 windows, these in 93 to 97.
    Sources: Denning and Buzen, The operational analysis of queueing network models, Computing Surveys 10 (1978);
    Kuensch, The jackknife and the bootstrap for general stationary observations, Annals of Statistics 17 (1989).
    Raises ValueError where the sum below is 0 or the lengths differ.

    >>> ratio([0.25, 0.5, 0.75], [100.0, 200.0, 300.0]).value
    0.0025
    """
    import numpy as np

    tops, bottoms = np.asarray(above, dtype=float), np.asarray(below, dtype=float)
    if tops.shape != bottoms.shape or not len(bottoms) or bottoms.sum() <= 0:
        raise ValueError("a ratio needs as many windows above as below, and something below")
    value = float(tops.sum() / bottoms.sum())
    if len(tops) < FEWEST:
        return Estimate(value, -inf, inf)
    picks = _drawn(len(tops), DRAWS)
    sums = bottoms[picks].sum(axis=1)
    kept = sums > 0
    found = tops[picks].sum(axis=1)[kept] / sums[kept]
    return _around(value, float(found.std()), len(tops))


def by_kind(rates: Sequence[Sequence[float]], cores: Sequence[float]) -> tuple[list[Estimate], Estimate, float]:
    """Return (CPU seconds a request of each kind, cores that are busy without requests, condition number).

    `rates` has a row for each window and a column for each kind. Non-negative least squares of the cores on the rates,
    with an intercept; intervals as in `ratio`. It tells the kinds apart only where their rates do not move together:
    above CONDITION_MOST the values are of chance, and nobody should use them.
    Source: Zhang, Cherkasova and Smirni, A regression-based analytic model (ICAC 2007).
    Raises ValueError for fewer windows than FEWEST or than kinds.
    """
    import numpy as np

    busy = np.asarray(cores, dtype=float)
    design = np.column_stack([np.asarray(rates, dtype=float), np.ones(len(busy))])
    if len(busy) < max(FEWEST, design.shape[1] + 1):
        raise ValueError(f"{len(busy)} windows do not tell {design.shape[1]} values apart")
    values = nonnegative(design, busy)
    found = np.array([nonnegative(design[pick], busy[pick]) for pick in _drawn(len(busy), DRAWS // 4)])
    spread = found.std(axis=0)
    estimates = [_around(float(value), float(sd), len(busy)) for value, sd in zip(values, spread, strict=True)]
    kinds = [each._replace(low=max(0.0, each.low)) for each in estimates]
    return kinds[:-1], kinds[-1], condition(design)


def condition(design: NDArray[np.float64]) -> float:
    """Return the condition number of a design whose columns are brought to length 1; infinite for a column of zeros.

    A kind that never came, or that always came with another, makes it infinite or huge.
    """
    import numpy as np

    lengths = np.linalg.norm(design, axis=0)
    return inf if not lengths.all() else float(np.linalg.cond(design / lengths))


def nonnegative(design: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the x >= 0 that makes design @ x nearest to target.

    Source: Lawson and Hanson, Solving Least Squares Problems (1974), chapter 23: the active set.

    >>> import numpy as np
    >>> [float(x) for x in nonnegative(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([2.0, -1.0]))]
    [2.0, 0.0]
    """
    import numpy as np

    # Columns of one length: which of them enters next must not hang on the unit they are in.
    lengths = np.linalg.norm(design, axis=0)
    matrix = design / np.where(lengths > 0, lengths, 1.0)
    count = matrix.shape[1]
    found, passive = np.zeros(count), np.zeros(count, dtype=bool)
    small = 1e-12 * max(1.0, float(np.abs(matrix.T @ target).max(initial=0.0)))
    for _ in range(3 * count + 10):
        gradient = matrix.T @ (target - matrix @ found)
        if passive.all() or gradient[~passive].max() <= small:
            break
        passive[np.argmax(np.where(passive, -np.inf, gradient))] = True
        found = _feasible(matrix, target, found, passive)
    return found / np.where(lengths > 0, lengths, 1.0)


def _feasible(
    matrix: NDArray[np.float64], target: NDArray[np.float64], found: NDArray[np.float64], passive: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the least squares of the passive columns; those that would fall below 0 leave them, in `passive` too."""
    import numpy as np

    while passive.any():
        step = np.zeros_like(found)
        step[passive] = np.linalg.lstsq(matrix[:, passive], target, rcond=None)[0]
        if step[passive].min() > 0:
            return step
        falling = passive & (step <= 0)
        gap = found[falling] - step[falling]
        length = float(np.min(np.where(gap > 0, found[falling] / np.where(gap > 0, gap, 1.0), 0.0)))
        found = found + length * (step - found)
        passive &= found > 1e-14 * (1 + float(np.abs(found).max()))
        found = np.where(passive, found, 0.0)
    return np.zeros_like(found)


class Trend(NamedTuple):
    """What a request costs at each busy share: less on a busy server, where it finds caches warm and nobody asleep."""

    idle: float
    """On a server that is never busy."""
    saved: float
    """By so much less on one that always is."""

    def at(self, busy_share: float) -> float:
        """Return what a request costs where the server is busy for such a share of the time."""
        return self.idle - self.saved * min(1.0, max(0.0, busy_share))


def trend(busy_shares: Sequence[float], demands: Sequence[float]) -> Trend:
    """Return the line D = idle - saved x busy share nearest to the demands of several loads; of one load it is level.

    Measured on a real service D is 3.47, 3.18, 2.91, 2.86 ms at 24, 55, 81 and 92 % busy. The line through the ends is
    right within 1.4 % between them; background work, D = b + a / X, through the same ends is 6 % low at 55 %.

    >>> [round(x, 2) for x in trend([0.24, 0.92], [3.47, 2.86])]
    [3.69, 0.9]
    """
    mean_share, mean = sum(busy_shares) / len(busy_shares), sum(demands) / len(demands)
    spread = sum((share - mean_share) ** 2 for share in busy_shares)
    if spread <= 1e-12:
        return Trend(mean, 0.0)
    together = sum((share - mean_share) * (demand - mean) for share, demand in zip(busy_shares, demands, strict=True))
    saved = -together / spread
    return Trend(mean + saved * mean_share, saved)


def think_time_s(users: float, requests_per_s: float, response_s: float) -> float:
    """Return how long users think, Z = N / X - R: the interactive response time law (Denning and Buzen 1978).

    >>> round(think_time_s(140, 69.8, 0.0051), 2)
    2.0
    """
    return users / requests_per_s - response_s


def student975(freedom: float) -> float:
    """Return the 97.5th percentile of Student's t with so many degrees of freedom, at least 1, to 1 % from 2 on.

    Source: Abramowitz and Stegun (1964), 26.7.5.

    >>> [round(student975(n), 2) for n in (3, 10, 1e9)]
    [3.18, 2.23, 1.96]
    """
    z, n = Z975, max(1.0, freedom)
    return (
        z
        + (z**3 + z) / (4 * n)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * n**3)
        + (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * n**4)
    )


def _block(count: int) -> int:
    return max(1, min(BLOCK, count // FEWEST))


def _drawn(count: int, draws: int) -> NDArray[Any]:
    """Return rows of indexes of windows, each a draw of as many as there are, in circular blocks."""
    import numpy as np

    block = _block(count)
    starts = np.random.default_rng(SEED).integers(0, count, (draws, -(-count // block)))
    rows = (starts[:, :, None] + np.arange(block)).reshape(draws, -1)
    return rows[:, :count] % count


def _around(value: float, deviation: float, count: int) -> Estimate:
    blocks = count / _block(count)
    half = student975(blocks - 1) * deviation * sqrt(blocks / (blocks - 1))
    return Estimate(value, value - half, value + half)
