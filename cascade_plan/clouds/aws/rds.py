"""What RDS leaves of a class's memory to PostgreSQL, and how many connections it allows unless it is told otherwise."""

from __future__ import annotations

from typing import Final

BYTES_PER_CONNECTION: Final = 9_531_392
CONNECTIONS_MOST: Final = 5000
"""max_connections = LEAST({DBInstanceClassMemory/9531392},5000), of RDS and of Aurora,
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html#RDS_Limits.MaxConnections"""
OBSERVED: Final = {"db.t4g.small": 181}
"""Class -> the max_connections that one answered (PostgreSQL 18.6, 2026-08-30,
https://github.com/kirill-markin/flashcards-open-source-app/pull/1657)."""
LEFT_SHARE: Final = 0.91
TAKEN_MIB: Final = 403
"""The fit for other classes: RDS leaves the lesser of 0.91 of the memory and all but 403 MiB. AWS does not publish
DBInstanceClassMemory. Older classes answered 198 (2 GiB), 413 (4), 856 (8) and 1,660 (15.25 GiB) connections,
https://gist.github.com/guizmaii/1cacffef793c2ba9645083c3e18b3d8c: the fit is above none of them, and at most 9.1 %
below."""
_GIB: Final = 2**30


def usable_memory_gib(name: str, memory_gib: float) -> float:
    """Return DBInstanceClassMemory in GiB: what a class was seen to have, else the fit, at least half.

    >>> round(usable_memory_gib("db.t4g.small", 2), 3), usable_memory_gib("db.r5.xlarge", 32)
    (1.607, 29.12)
    """
    if (seen := OBSERVED.get(name)) is not None:
        return seen * BYTES_PER_CONNECTION / _GIB
    return max(memory_gib / 2, min(memory_gib * LEFT_SHARE, memory_gib - TAKEN_MIB / 1024))


def connection_count_max(name: str, memory_gib: float) -> int:
    """Return the connections that RDS allows on a class by default: as seen, or by the formula.

    >>> connection_count_max("db.t4g.small", 2), connection_count_max("db.r5.xlarge", 32)
    (181, 3280)
    """
    usable_bytes = usable_memory_gib(name, memory_gib) * _GIB
    return OBSERVED.get(name, min(CONNECTIONS_MOST, int(usable_bytes // BYTES_PER_CONNECTION)))
