"""How sure a fleet is: what it misses in how many worlds, what drives that, and what it is worth to measure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

RISK_SCHEMA_VERSION: Final = 1
Three = tuple[float, float, float]
"""What one of ten worlds is below, half of them, and nine of ten."""


@dataclass(frozen=True, slots=True)
class CostHistogram:
    """In how many worlds a month's cost lies between two edges."""

    edges_usd: tuple[float, ...]
    """Rising, one more than counts. What lies outside is counted in the first or the last."""
    world_count: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LatencyHistogram:
    """In how many worlds a percentile of the latency lies between two edges."""

    edges_ms: tuple[float, ...]
    """Rising, one more than counts. What lies outside is counted in the first or the last."""
    world_count: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PromiseRisk:
    """A limit on a load's latency."""

    load: str
    limit: str
    """p95 or p99."""
    limit_ms: float
    counts: str
    """Which of the fleet's counts must keep it: peak or scaled in, after a zone and a node are lost, or as scaled."""
    missed_ratio: float
    """Share of the worlds in which it is missed."""
    latency_ms: Three | None
    """The percentile itself; None where it was not asked."""
    latency_histogram: LatencyHistogram | None
    """Of the percentile, in ms, in the worlds in which it was asked."""


@dataclass(frozen=True, slots=True)
class CeilingRisk:
    """What instances do at most of one thing."""

    figure: str
    broken_ratio: float
    """Share of the worlds in which more is asked."""


@dataclass(frozen=True, slots=True)
class Driver:
    """A number that is unsure, and what hangs on it."""

    name: str
    """Its dotted path, or a pattern of several that are off together."""
    kind: str
    """Where what is known of it comes from."""
    low_ratio: float
    high_ratio: float
    """Of ten worlds one has less than so many times the scenario's value, and one more than the other."""
    cost_share: float
    """Of the cost's variance, what it explains alone."""
    broken_share: float
    """Of whether a promise is broken, what it explains alone."""
    cost_total_share: float | None
    """Of the cost's variance, what is gone once all others are known; None unless it was asked for."""
    broken_total_share: float | None
    cost_error_share: float | None
    """Half of the 95 % interval of the total."""
    broken_error_share: float | None
    worth_usd_per_month: float
    """What knowing it would be worth: with it a better fleet could be chosen."""
    measured_by: str
    """How it is measured."""


@dataclass(frozen=True, slots=True)
class Risk:
    """How sure a fleet is."""

    schema_version: int
    scenario: str
    region: str
    prices: str
    users_peak: int
    level: str
    """The point of the band that is judged."""
    draw_count: int
    """Worlds that the fleet was asked in."""
    seed: int
    kept_ratio: float
    """Share of the worlds in which every promise is kept and no ceiling broken."""
    over_budget_ratio: float | None
    """Share of the worlds in which it costs more than the budget; None without one."""
    budget_usd_per_1000_users_month: float | None
    plan_usd_per_month: float
    """What the plan itself says that it costs."""
    cost_usd_per_month: Three
    cost_usd_per_1000_users_month: Three
    cost_histogram: CostHistogram
    """Of the month's cost, in dollars."""
    promises: tuple[PromiseRisk, ...]
    ceilings: tuple[CeilingRisk, ...]
    drivers: tuple[Driver, ...]
    """Those that matter most first."""
    loss_usd_per_month: float
    """What a month is taken to lose in a world in which a promise is broken."""
    fleet_count: int
    """Fleets that could be chosen instead, this one among them."""
    best_fleet: str
    """Which of these is best on the mean of the worlds, in words."""
    knowing_all_usd_per_month: float
    """What it would be worth to know everything."""
    one_by_one: tuple[str, ...]
    """What could only be asked world by world, which is slow."""


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a risk as it is written."""
    from pydantic import TypeAdapter

    schema: dict[str, Any] = TypeAdapter(Risk).json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "cascade-plan risk"}
