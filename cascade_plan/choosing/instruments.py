"""A number of a scenario -> how it is measured."""

from __future__ import annotations

from typing import Final

from cascade_plan.model.uncertainty import matches

POSTGRES: Final = "cascade-plan measure --postgres postgresql://..."
REDIS: Final = "cascade-plan measure --redis redis://..."
HTTP: Final = "cascade-plan measure --http https://..."
CALIBRATE: Final = "cascade-plan calibrate runs/*"
EXPLAIN: Final = "EXPLAIN (ANALYZE) of its queries on your data"
COUNT: Final = "count it in the running system's logs"
BY: Final = (
    ("behaviour.actions.*.cpu_ms", CALIBRATE),
    ("behaviour.actions.*.read_ms", EXPLAIN),
    ("behaviour.actions.*.write_ms", EXPLAIN),
    ("tiers.cache.round_trip_ms", REDIS),
    ("tiers.cache.round_trip_scv", REDIS),
    ("tiers.*.command_ms", REDIS),
    ("tiers.*.response_ms", HTTP),
    ("tiers.*.response_scv", HTTP),
    *((f"tiers.database.{leaf}", POSTGRES) for leaf in (
        "round_trip_ms", "round_trip_scv", "read_ms", "service_scv", "parse_ms", "write_ms", "commit_ms",
    )),
    ("tiers.*.round_trip_ms", CALIBRATE),
    ("tiers.*.hit_ratio", CALIBRATE),
    ("tiers.*.transaction_ms", CALIBRATE),
    ("tiers.*.read_ms", POSTGRES),
    ("tiers.*.write_ms", POSTGRES),
    ("tiers.*.commit_ms", POSTGRES),
    ("tiers.*.cpu_ms", CALIBRATE),
)  # fmt: skip
"""Pattern -> what measures it, the first that fits: docs/measure.md and docs/calibrate.md."""


def instrument(path: str) -> str:
    """Return how a number is measured: the command that does, or else what to count.

    >>> instrument("tiers.database.commit_ms")
    'cascade-plan measure --postgres postgresql://...'
    """
    return next((words for pattern, words in BY if pattern == path or matches(pattern, path)), COUNT)
