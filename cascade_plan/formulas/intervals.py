"""Amounts in intervals of time, cut into other intervals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from math import gcd
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

JITTER: Final = 1.5
"""A row that comes less than so many steps after the one before follows it without a gap: a timer that is late."""


def step_of(times_ms: Sequence[int]) -> int:
    """Return the step of rising times: what all distances are multiples of, else the most frequent one.

    Of distances of 5, 10 and 360 minutes it is 5 minutes, though rows are missing; of 60, 61 and 59 seconds it is 60,
    as a timer that is late moves its rows a little. A common divisor that no two rows are apart counts when it is at
    least half the most frequent distance: of 10, 15 and 20 minutes it is 5.

    >>> step_of([0, 5, 15, 375]), step_of([0, 60, 121, 181, 240]), step_of([0, 10, 25, 45])
    (5, 60, 5)
    """
    distances = Counter(later - earlier for earlier, later in pairwise(times_ms))
    common = gcd(*distances)
    most = max(distances.values())
    frequent = min(distance for distance, count in distances.items() if count == most)
    return common if common in distances or 2 * common >= frequent else frequent


def ends_of(starts_ms: Sequence[int], step_ms: int) -> list[int]:
    """Return where each interval ends: a step after its start, or where the next one starts if that is near."""
    ends = [
        later if later - earlier < JITTER * step_ms else earlier + step_ms for earlier, later in pairwise(starts_ms)
    ]
    return [*ends, starts_ms[-1] + step_ms]


def cut(
    starts_s: Sequence[float], ends_s: Sequence[float], amounts: Sequence[float], width_s: float
) -> NDArray[np.float64]:
    """Return the amounts in intervals of `width_s` from 0 on, the last of which may reach beyond the end.

    Within an interval its amount comes evenly. The sum stays what it was: nothing is picked, and nothing lost.
    """
    import numpy as np

    edges = np.column_stack((starts_s, ends_s)).ravel()
    sums = np.concatenate(([0.0], np.cumsum(amounts)))
    count = max(1, int(np.ceil(ends_s[-1] / width_s - 1e-9)))
    levels = np.interp(np.arange(count + 1) * width_s, edges, np.column_stack((sums[:-1], sums[1:])).ravel())
    # The last interval may reach beyond the end by less than a rounding: it has what is left.
    levels[-1] = sums[-1]
    return np.diff(levels)
