"""Until when AWS supports a version for nothing, from when it costs more, and when it ends.

EKS: https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html, by public copies of its table and of
DescribeClusterVersions (endoflife-date/endoflife.date products/amazon-eks.md to 1.34; 1.35 and 1.36 as seen in 2026):
standard support for 14 months, then extended support for 12 more.
RDS for PostgreSQL: the release calendar in
https://docs.aws.amazon.com/AmazonRDS/latest/PostgreSQLReleaseNotes/: standard support ends with the February after the
community's end of life in November (https://www.postgresql.org/support/versioning/), as it did for 11 to 13; the price
of extended support doubles with its third year.
ElastiCache: https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/engine-versions.html and extended-support-charges
there, by endoflife-date/endoflife.date products/amazon-elasticache-redis.md: charged from the day after standard
support ends. No end of Redis 7, or of any Valkey, is announced (autumn 2026).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from cascade_plan.model.support import Rate, Support

_EKS: Final = {
    "1.30": date(2025, 7, 23),
    "1.31": date(2025, 11, 26),
    "1.32": date(2026, 3, 23),
    "1.33": date(2026, 7, 29),
    "1.34": date(2026, 12, 2),
    "1.35": date(2027, 3, 27),
    "1.36": date(2027, 8, 2),
}
"""Version -> the day standard support ends."""
_POSTGRES: Final = {"12": 2025, "13": 2026, "14": 2027, "15": 2028, "16": 2029, "17": 2030, "18": 2031}
"""Major version -> the year in whose February standard support ends."""
_REDIS: Final = {"4": 2026, "5": 2026, "6": 2027}
"""Major version -> the year in whose January standard support ends."""


def _kubernetes(until: date) -> Support:
    return Support(until, (Rate(until, ""),), until.replace(year=until.year + 1))


def _in_three_years(first: date) -> Support:
    """Return the support of what is charged from a day on, more from the third year, and not run after it."""
    rates = (Rate(first, "year1-2"), Rate(first.replace(year=first.year + 2), "year3"))
    return Support(first, rates, first.replace(year=first.year + 3))


SUPPORT: Final[Mapping[str, Mapping[str, Support]]] = {
    "kubernetes": {version: _kubernetes(until) for version, until in _EKS.items()},
    "postgres": {version: _in_three_years(date(year, 3, 1)) for version, year in _POSTGRES.items()},
    "redis": {version: _in_three_years(date(year, 2, 1)) for version, year in _REDIS.items()},
}
"""What -> version -> its support."""
