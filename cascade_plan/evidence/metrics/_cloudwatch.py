"""The metrics of CloudWatch that tell something here: with which statistic, in which unit, and whose they are."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from cascade_plan.model.observation import (
    BUSY_SHARE,
    CACHE_HITS_PER_S,
    CACHE_MISSES_PER_S,
    CONNECTIONS,
    CPU_CREDITS,
    ENGINE_SHARE,
    REQUESTS_PER_S,
    RESPONSE_MS_MEAN,
    RESPONSE_MS_P50,
    RESPONSE_MS_P95,
    RESPONSE_MS_P99,
    TARGET_REQUESTS_PER_S,
)


class Told(NamedTuple):
    """What a statistic of a metric says."""

    what: str
    units: dict[str, float]
    """CloudWatch's units of it, the usual one first -> by how much a value is multiplied."""
    is_sum: bool = False
    """Whether it is of a whole period, which it is then divided by."""


SHARE: Final = {"Percent": 0.01}
PLAIN: Final = {"Count": 1.0, "None": 1.0}
TIME: Final = {"Seconds": 1000.0, "Milliseconds": 1.0, "Microseconds": 0.001}
METRICS: Final[dict[str, dict[str, Told]]] = {
    "CPUUtilization": {"Average": Told(BUSY_SHARE, SHARE)},
    "EngineCPUUtilization": {"Average": Told(ENGINE_SHARE, SHARE)},
    "CPUCreditBalance": {"Average": Told(CPU_CREDITS, PLAIN)},
    "DatabaseConnections": {"Average": Told(CONNECTIONS, PLAIN)},
    "CacheHits": {"Sum": Told(CACHE_HITS_PER_S, PLAIN, True)},
    "CacheMisses": {"Sum": Told(CACHE_MISSES_PER_S, PLAIN, True)},
    "RequestCount": {"Sum": Told(REQUESTS_PER_S, PLAIN, True)},
    "RequestCountPerTarget": {"Sum": Told(TARGET_REQUESTS_PER_S, PLAIN, True)},
    "TargetResponseTime": {
        "Average": Told(RESPONSE_MS_MEAN, TIME),
        "p50": Told(RESPONSE_MS_P50, TIME),
        "p95": Told(RESPONSE_MS_P95, TIME),
        "p99": Told(RESPONSE_MS_P99, TIME),
    },
}
"""Metric -> statistic -> what it says.

Sources: AmazonRDS/latest/UserGuide/rds-metrics.html, AmazonElastiCache/latest/dg/CacheMetrics.html,
elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html.
"""
OF_A_TIER: Final = frozenset({"CPUUtilization", "CPUCreditBalance"})
"""Metrics of databases, caches and nodes alike: which of them must be said."""
STATISTICS: Final = ("Average", "Sum", "SampleCount", "Minimum", "Maximum")
LABEL: Final = re.compile(
    rf"(?:(?P<subject>[\w-]+) )?(?P<metric>{'|'.join(METRICS)})"
    rf"(?: (?P<statistic>{'|'.join(STATISTICS)}|p\d+(?:\.\d+)?))?"
)
"""What the recipes call a series: the tier, the metric, the statistic."""
NAMED: Final = re.compile(rf"\b(?:{'|'.join(METRICS)})\b")


def statistic(text: str) -> str:
    """Return a statistic as METRICS has it.

    >>> statistic("p95.00"), statistic("average"), statistic("TM(10%:90%)")
    ('p95', 'Average', 'TM(10%:90%)')
    """
    if found := re.fullmatch(r"[pP](\d+)(?:\.0+)?", text.strip()):
        return f"p{found[1]}"
    return next((name for name in STATISTICS if name.lower() == text.strip().lower()), text.strip())
