"""Laws of a service time, and distributions on a grid: percentiles of sums of delays, never sums of percentiles.

A sum of percentiles overstates the percentile of a sum by 28 to 63 % on chains of queues, so delays are added as
distributions: by convolution of their probability masses, with the fast Fourier transform.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Law = Literal["deterministic", "gamma", "lognormal", "hyperexponential"]

SCV_LEAST: Final = 1e-4
"""A squared coefficient of variation below this is taken as none: a spread of one per cent of the mean."""
_NORMAL_END: Final = 9
"""Standard deviations beyond which the normal distribution function is 0 or 1."""
_NORMAL_POINTS: Final = 512
"""Points of its table in a standard deviation."""
_TILT: Final = 20.0
"""What wraps around the end of a tilted grid is damped by exp(-20): Grübel and Hermesmeier's choice."""


# -------------------------------------------------------------------------------------------------- laws of a service


@dataclass(frozen=True, slots=True)
class ServiceTime:
    """The law of a service time by its mean, its squared coefficient of variation (SCV) and its family.

    Without a family: deterministic at SCV 0, gamma up to 1 (exponential at 1), lognormal above, as measured response
    times of web services are. `hyperexponential` is two exponentials with balanced means.

    Raises ValueError when the mean is not positive, the SCV negative, or the family cannot have the SCV.
    """

    mean_s: float
    scv: float = 1.0
    law: Law | None = None

    def __post_init__(self) -> None:
        if not 0 < self.mean_s < math.inf or not 0 <= self.scv < math.inf:
            raise ValueError(f"a service time needs a mean above 0 and an SCV of at least 0, got {self}")
        if self.law == "deterministic" and self.scv > SCV_LEAST:
            raise ValueError(f"a deterministic service time has SCV 0, not {self.scv:g}")
        if self.law == "hyperexponential" and self.scv < 1:
            raise ValueError(f"a hyperexponential service time has an SCV of at least 1, not {self.scv:g}")

    @property
    def family(self) -> Law:
        """The family: as given, or the usual one for the SCV."""
        if self.scv < SCV_LEAST:
            return "deterministic"
        return self.law or ("gamma" if self.scv <= 1 else "lognormal")

    @property
    def phases(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """The (share, mean in s) of the two exponentials of the hyperexponential law with balanced means.

        Source: Whitt, Approximating a point process by a renewal process, Operations Research 30 (1982).
        """
        share = (1 + math.sqrt((self.scv - 1) / (self.scv + 1))) / 2
        return (share, self.mean_s / (2 * share)), (1 - share, self.mean_s / (2 * (1 - share)))

    def third_moment_s3(self) -> float:
        """Return E[S^3] in s^3."""
        if self.family == "deterministic":
            return self.mean_s**3
        if self.family == "gamma":
            return self.mean_s**3 * (1 + self.scv) * (1 + 2 * self.scv)
        if self.family == "lognormal":
            return self.mean_s**3 * (1 + self.scv) ** 3
        return sum(6 * share * mean_s**3 for share, mean_s in self.phases)

    def lesser_ratio(self) -> float:
        """Return E[min(S, S')] / E[S] of two independent services: 1 for constant, 1/2 for exponential service."""
        if self.family == "deterministic":
            return 1.0
        if self.family == "gamma":
            shape = 1 / self.scv
            return 1 - math.exp(math.lgamma(shape + 0.5) - math.lgamma(shape + 1)) / math.sqrt(math.pi)
        if self.family == "lognormal":
            return math.erfc(math.sqrt(math.log1p(self.scv)) / 2)
        pairs = [(p * q, m * n / (m + n)) for p, m in self.phases for q, n in self.phases]
        return sum(share * lesser_s for share, lesser_s in pairs) / self.mean_s

    def upper_moments(self, x_s: Array) -> tuple[Array, Array, Array]:
        """Return E[S^k; S > x] for k = 0, 1, 2 at each x >= 0, in s^k; each of the shape of x.

        Of what lies above x, not below: far out both are differences of nearly equal numbers, and these stay exact.
        """
        import numpy as np

        if self.family == "deterministic":
            above = (x_s < self.mean_s).astype(float)
            return above, above * self.mean_s, above * self.mean_s**2
        if self.family == "gamma":
            return _gamma_moments(self.mean_s, 1 / self.scv, x_s)
        if self.family == "lognormal":
            return _lognormal_moments(self.mean_s, self.scv, x_s)
        (share, mean_s), (other_share, other_mean_s) = self.phases
        one, other = _gamma_moments(mean_s, 1.0, x_s), _gamma_moments(other_mean_s, 1.0, x_s)
        first, second, third = (share * a + other_share * b for a, b in zip(one, other, strict=True))
        return np.asarray(first), np.asarray(second), np.asarray(third)

    def mean_excess(self, x_s: Array) -> Array:
        """Return E[max(0, S - x)] in s at each x >= 0; of the shape of x."""
        above, moment_s, _ = self.upper_moments(x_s)
        excess_s: Array = moment_s - x_s * above
        return excess_s


def upper_gamma(shape: float, x: Array) -> Array:
    """Return Q(shape, x), the share of a gamma law of scale 1 above each x >= 0.

    A power series below shape + 1 and Lentz's continued fraction above, to about 1e-14 (1e-11 at a shape of 10,000).
    Source: Press et al., Numerical Recipes, 3rd ed., section 6.2; DLMF 8.7.1 and 8.9.2.
    """
    import numpy as np

    x = np.asarray(x, dtype=float)
    result = np.ones_like(x)
    positive = x > 0
    front = np.zeros_like(x)
    front[positive] = np.exp(shape * np.log(x[positive]) - x[positive] - math.lgamma(shape + 1))
    low = positive & (x < shape + 1)
    if low.any():
        result[low] = 1 - front[low] * _gamma_series(shape, x[low])
    high = positive & ~low
    if high.any():
        result[high] = front[high] * shape * _gamma_fraction(shape, x[high])
    return result


def _gamma_series(shape: float, x: Array) -> Array:
    """Return the sum of x^n / ((shape + 1) ... (shape + n)) over n >= 0."""
    import numpy as np

    term, total = np.ones_like(x), np.ones_like(x)
    top = float(x.max())
    ratio, n = 1.0, 0
    while ratio > 1e-17:
        n += 1
        term *= x / (shape + n)
        total += term
        ratio *= top / (shape + n)
    return total


def _gamma_fraction(shape: float, x: Array) -> Array:
    """Return the continued fraction 1/(x+1-a- (1-a)/(x+3-a- ...)) of the upper function, for x >= a + 1."""
    import numpy as np

    b = x + 1 - shape
    c = np.full_like(x, 1e300)
    d = 1 / b
    result = d.copy()
    for n in range(1, 10_000):
        a = -n * (n - shape)
        b = b + 2
        d = 1 / (a * d + b)
        c = b + a / c
        change = c * d
        result *= change
        if float(np.abs(change - 1).max()) < 1e-15:
            break
    return result


def _gamma_moments(mean_s: float, shape: float, x_s: Array) -> tuple[Array, Array, Array]:
    """Return the upper moments of a gamma law: those of order k are the share above x at shape + k."""
    import numpy as np

    scale_s = mean_s / shape
    x = np.asarray(x_s, dtype=float) / scale_s
    if shape == 1:
        zeroth = step = np.exp(-x)
    else:
        zeroth = upper_gamma(shape, x)
        step = np.zeros_like(x)
        seen = x > 0
        step[seen] = np.exp((shape - 1) * np.log(x[seen]) - x[seen] - math.lgamma(shape))
    first = zeroth + x * step / shape
    second = first + x * x * step / (shape * (shape + 1))
    return zeroth, first * mean_s, second * (shape + 1) * scale_s * mean_s


def _lognormal_moments(mean_s: float, scv: float, x_s: Array) -> tuple[Array, Array, Array]:
    """Return the upper moments of a lognormal law: E[S^k] times the normal function shifted by k sigma."""
    import numpy as np

    sigma = math.sqrt(math.log1p(scv))
    with np.errstate(divide="ignore"):
        z = (np.log(np.asarray(x_s, dtype=float) / mean_s) + sigma**2 / 2) / sigma
    moments = (1.0, mean_s, mean_s**2 * (1 + scv))
    zeroth, first, second = (moment * _normal(k * sigma - z) for k, moment in enumerate(moments))
    return zeroth, first, second


def _normal(z: Array) -> Array:
    """Return the standard normal distribution function at each z, to 1e-14.

    numpy has no error function, and math's takes one number at a time: a table of it with cubic Hermite pieces is ten
    times as fast.
    """
    import numpy as np

    values, slopes = _normal_table()
    place = (np.clip(z, -_NORMAL_END, _NORMAL_END) + _NORMAL_END) * _NORMAL_POINTS
    index = np.minimum(place.astype(np.int64), values.size - 2)
    part = place - index
    rest = 1 - part
    left = (1 + 2 * part) * values[index] + part * slopes[index]
    right = (1 + 2 * rest) * values[index + 1] - rest * slopes[index + 1]
    result: Array = left * rest**2 + right * part**2
    return result


@cache
def _normal_table() -> tuple[Array, Array]:
    """Return the normal distribution function at the table's points, and its rise per point."""
    import numpy as np

    z = np.arange(-_NORMAL_END * _NORMAL_POINTS, _NORMAL_END * _NORMAL_POINTS + 1, dtype=float) / _NORMAL_POINTS
    values = np.array([math.erfc(-point / math.sqrt(2)) / 2 for point in z.tolist()])
    return values, np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi) / _NORMAL_POINTS


# ------------------------------------------------------------------------------------------- distributions on a grid


@dataclass(frozen=True, slots=True, eq=False)
class Distribution:
    """The law of a delay as probability masses at 0, 1, 2, ... steps.

    A continuous law is spread so that the mean is kept: what lies between two points is shared by its distance to
    them. Masses may sum to less than 1: the rest lies beyond the grid, where `percentile` answers infinity.

    Raises ValueError when the step is not positive, or the masses are none, negative or sum to more than 1.
    """

    step_s: float
    mass: Array
    """Shape (points,); read-only."""

    def __post_init__(self) -> None:
        if not 0 < self.step_s < math.inf or self.mass.ndim != 1 or not self.mass.size:
            raise ValueError("a distribution needs a step above 0 and a one-dimensional array of masses")
        if not (float(self.mass.min()) >= 0 and float(self.mass.sum()) <= 1 + 1e-6):
            raise ValueError("masses must not be negative nor sum to more than 1")
        self.mass.setflags(write=False)

    @classmethod
    def from_mean_excess(cls, excess_s: Array, step_s: float) -> Distribution:
        """Return the law with E[max(0, X - i * step)] = excess_s[i], for i = 0 ... points; one point fewer than given.

        The mass at a point is the second difference of that function, which keeps the mean whatever the step.
        Source: Klugman, Panjer, Willmot, Loss Models, 4th ed., section 9.6.5 (the first moment matched locally).
        """
        import numpy as np

        slopes = np.diff(excess_s, prepend=excess_s[0] + step_s) / step_s
        mass = np.clip(np.diff(slopes), 0.0, None)
        return cls(step_s, mass / max(1.0, float(mass.sum())))

    @classmethod
    def from_service(cls, service: ServiceTime, step_s: float, points: int) -> Distribution:
        """Return the law of a service time on a grid of so many points."""
        import numpy as np

        x_s: Array = np.arange(points + 1, dtype=float) * step_s
        return cls.from_mean_excess(service.mean_excess(x_s), step_s)

    @classmethod
    def from_gamma(cls, mean_s: float, scv: float, step_s: float, points: int) -> Distribution:
        """Return the gamma law of a mean and a squared coefficient of variation (none spread at 0)."""
        return cls.from_service(ServiceTime(mean_s, scv, "gamma"), step_s, points)

    @classmethod
    def from_atom_and_exponential(cls, atom: float, mean_s: float, step_s: float, points: int) -> Distribution:
        """Return the law that is 0 with probability `atom` and else exponential with the mean `mean_s`."""
        return mixture((atom, 1 - atom), (nothing(step_s), cls.from_gamma(mean_s, 1.0, step_s, points)))

    @property
    def mean_s(self) -> float:
        """The mean in s of what lies on the grid."""
        import numpy as np

        return float(self.mass @ np.arange(self.mass.size)) * self.step_s / float(self.mass.sum())

    @property
    def scv(self) -> float:
        """The squared coefficient of variation of what lies on the grid; 0 for no delay at all."""
        import numpy as np

        index = np.arange(self.mass.size)
        total = float(self.mass.sum())
        mean = float(self.mass @ index) / total
        return (float(self.mass @ (index - mean) ** 2) / total / mean**2) if mean else 0.0

    def percentile(self, share: float) -> float:
        """Return the delay in s that the share of all does not exceed; infinity when it lies beyond the grid.

        Masses stand for the half step on either side, so between points the value is interpolated.
        Raises ValueError unless 0 <= share < 1.
        """
        import numpy as np

        if not 0 <= share < 1:
            raise ValueError(f"a share lies in [0, 1), got {share}")
        reached = np.cumsum(self.mass)
        if share <= reached[0]:
            return 0.0
        above = int(np.searchsorted(reached, share))
        if above == reached.size:
            return math.inf
        part = (share - reached[above - 1]) / (reached[above] - reached[above - 1])
        return float(above - 0.5 + part) * self.step_s

    def convolve(self, *others: Distribution) -> Distribution:
        """Return the law of the sum of independent delays on the same step, on a grid long enough for all of it."""
        return convolution((self, *others))


def nothing(step_s: float) -> Distribution:
    """Return the law of no delay."""
    import numpy as np

    return Distribution(step_s, np.ones(1))


def convolution(delays: Sequence[Distribution]) -> Distribution:
    """Return the law of the sum of independent delays.

    The spectra of the masses are multiplied, with zeros enough that nothing wraps around.
    Raises ValueError when there is none, or the steps differ.
    """
    import numpy as np

    step_s = _common_step_s(delays)
    points = sum(delay.mass.size - 1 for delay in delays) + 1
    length = 1 << (points - 1).bit_length()
    spectrum: Any = 1.0
    for delay in delays:
        spectrum = spectrum * np.fft.rfft(delay.mass, length)
    return Distribution(step_s, np.clip(np.fft.irfft(spectrum, length)[:points], 0.0, None))


def mixture(shares: Sequence[float], delays: Sequence[Distribution]) -> Distribution:
    """Return the law of a delay drawn from one of several, each with its share.

    Raises ValueError when the steps differ, a share is negative, or they do not sum to 1.
    """
    import numpy as np

    step_s = _common_step_s(delays)
    if min(shares) < 0 or abs(math.fsum(shares) - 1) > 1e-9:
        raise ValueError(f"shares must not be negative and must sum to 1, got {tuple(shares)}")
    mass = np.zeros(max(delay.mass.size for delay in delays))
    for share, delay in zip(shares, delays, strict=True):
        mass[: delay.mass.size] += share * delay.mass
    return Distribution(step_s, mass)


def random_sum(shares: Sequence[float], each: Distribution) -> Distribution:
    """Return the law of the sum of N independent delays, where N is n with probability shares[n].

    Horner's rule on the spectrum: the generating function of N at the spectrum of one delay.
    Raises ValueError when a share is negative or they do not sum to 1.
    """
    import numpy as np

    if min(shares) < 0 or abs(math.fsum(shares) - 1) > 1e-9:
        raise ValueError(f"shares must not be negative and must sum to 1, got {tuple(shares)}")
    points = (len(shares) - 1) * (each.mass.size - 1) + 1
    length = 1 << (points - 1).bit_length()
    spectrum = np.fft.rfft(each.mass, length)
    total = np.zeros_like(spectrum)
    for share in reversed(shares):
        total = total * spectrum + share
    return Distribution(each.step_s, np.clip(np.fft.irfft(total, length)[:points], 0.0, None))


def geometric_sum(first: Distribution, each: Distribution, ratio: float) -> Distribution:
    """Return the law of `first` plus N times `each`, all independent, with P(N = n) = (1 - ratio) ratio^n.

    On the grid of `first`. The masses are tilted by a falling exponential before the transform and back after it, so
    that the endless sum hardly wraps around.
    Source: Grübel and Hermesmeier, Computation of compound distributions I, ASTIN Bulletin 29 (1999).
    Raises ValueError when the steps differ or the ratio is not in [0, 1).
    """
    import numpy as np

    step_s = _common_step_s((first, each))
    if not 0 <= ratio < 1:
        raise ValueError(f"a ratio lies in [0, 1), got {ratio}")
    points = first.mass.size
    tilt = np.exp(-_TILT / points * np.arange(points))
    here, step = (np.fft.rfft(_fitted(delay.mass, points) * tilt) for delay in (first, each))
    mass = np.fft.irfft(here * (1 - ratio) / (1 - ratio * step), points) / tilt
    mass = np.clip(mass, 0.0, None)
    return Distribution(step_s, mass / max(1.0, float(mass.sum())))


def _fitted(mass: Array, points: int) -> Array:
    """Return the masses cut or filled with zeros to so many points."""
    import numpy as np

    return np.pad(mass[:points], (0, max(0, points - mass.size)))


def _common_step_s(delays: Sequence[Distribution]) -> float:
    """Return the step in s that all the delays have."""
    steps = {delay.step_s for delay in delays}
    if len(steps) != 1:
        raise ValueError(f"delays on one grid are needed, got steps {sorted(steps)}")
    return steps.pop()
