"""Bounds of a latency histogram: the plan's, and every limit that is judged, so that no verdict is interpolated."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

PLAN_BOUNDS_S: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""The performance plan's buckets of the queries' time."""
FINE_BOUNDS_S: Final = (0.001, 0.0025, 0.005)
"""Bounds of requests beside these: an idle service answers within its own CPU time, a few ms, and a quantile in the
first bucket is interpolated from 0."""
BESIDE_BOUNDS: Final = 3
"""Series of a histogram's child beside its bounds: le="+Inf", _sum and _count."""


def bounds_s(limits_ms: Iterable[float]) -> tuple[float, ...]:
    """Return the plan's bounds and every limit, in seconds, ascending.

    A quantile is interpolated within one bucket, so between the plan's 0.1 and 0.25 s it may be off by 75 ms, to
    either side of a limit of 200 ms. With the limit itself a bound, the estimate is below it exactly when the true
    quantile is, and the share of requests within the limit is a quotient of two counters.

    >>> bounds_s([200, 300, 500])
    (0.01, 0.025, 0.05, 0.1, 0.2, 0.25, 0.3, 0.5, 1.0, 2.5, 5.0)

    Source: https://prometheus.io/docs/practices/histograms/#errors-of-quantile-estimation
    """
    return tuple(sorted({*PLAN_BOUNDS_S, *filter(None, map(seconds, limits_ms))}))


def request_bounds_s(limits_ms: Iterable[float]) -> tuple[float, ...]:
    """Return the bounds of the histogram of requests: fine ones below those that queries have too.

    >>> request_bounds_s([200])[:5]
    (0.001, 0.0025, 0.005, 0.01, 0.025)
    """
    return tuple(sorted({*FINE_BOUNDS_S, *bounds_s(limits_ms)}))


def seconds(limit_ms: float | Decimal) -> float:
    """Return milliseconds as the nearest float of seconds: 35.7 is 0.0357, without a binary division's remainder."""
    return float(Decimal(str(limit_ms)) / 1000)


def bound_text(bound_s: float) -> str:
    """Return a bound as Prometheus's Python client writes it into the label le.

    >>> bound_text(0.2), bound_text(1), bound_text(2_500_000)
    ('0.2', '1.0', '2.5e+06')
    """
    text = repr(float(bound_s))
    dot = text.find(".")
    if dot <= 6:
        return text
    mantissa = f"{text[0]}.{text[1:dot]}{text[dot + 1 :]}".rstrip("0.")
    return f"{mantissa}e+0{dot - 1}"
