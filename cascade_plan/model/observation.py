"""What monitoring tells of a running system: series over windows of time, and what was counted over a whole run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import isfinite, sqrt
from typing import Final, NamedTuple

CORES: Final = "cores"
BUSY_SHARE: Final = "busy_share"
ENGINE_SHARE: Final = "engine_share"
THROTTLED_SHARE: Final = "throttled_share"
PODS: Final = "pods"
REQUESTS_PER_S: Final = "requests_per_s"
TARGET_REQUESTS_PER_S: Final = "target_requests_per_s"
ROUTE_REQUESTS_PER_S: Final = "route_requests_per_s"
RESPONSE_MS_MEAN: Final = "response_ms_mean"
RESPONSE_MS_P50: Final = "response_ms_p50"
RESPONSE_MS_P95: Final = "response_ms_p95"
RESPONSE_MS_P99: Final = "response_ms_p99"
CACHE_HITS_PER_S: Final = "cache_hits_per_s"
CACHE_MISSES_PER_S: Final = "cache_misses_per_s"
QUERIES_PER_S: Final = "queries_per_s"
TRANSACTIONS_PER_S: Final = "transactions_per_s"
POOL_CONNECTIONS_USED: Final = "pool_connections_used"
POOL_WAITING: Final = "pool_waiting"
CONNECTIONS: Final = "connections"
CPU_CREDITS: Final = "cpu_credits"

SERIES: Final[Mapping[str, str]] = {
    CORES: "CPU cores in use by all of a tier",
    BUSY_SHARE: "share of a tier's CPU that is in use, 0 to 1, the mean of its nodes",
    ENGINE_SHARE: "share of the one thread that executes a cache's commands, 0 to 1, the mean of its nodes",
    THROTTLED_SHARE: "share of the scheduler's periods in which a tier's pods were throttled, 0 to 1",
    PODS: "pods of a tier that run",
    REQUESTS_PER_S: "requests a second: of a service, or with no subject of all",
    TARGET_REQUESTS_PER_S: "requests a second and target, by a balancer: of a service, or with no subject of all",
    ROUTE_REQUESTS_PER_S: "requests a second of a route or an action, which is the subject",
    RESPONSE_MS_MEAN: "mean response time in ms: of a service, or with no subject of all",
    RESPONSE_MS_P50: "median of the response time in ms: of a service, or with no subject of all",
    RESPONSE_MS_P95: "95th percentile of the response time in ms: of a service, or with no subject of all",
    RESPONSE_MS_P99: "99th percentile of the response time in ms: of a service, or with no subject of all",
    CACHE_HITS_PER_S: "lookups a second that a cache answered",
    CACHE_MISSES_PER_S: "lookups a second that a cache could not answer",
    QUERIES_PER_S: "queries a second that a database is asked",
    TRANSACTIONS_PER_S: "transactions a second through a pool",
    POOL_CONNECTIONS_USED: "connections of a pool that are held",
    POOL_WAITING: "clients that wait for a connection of a pool",
    CONNECTIONS: "connections that a database has",
    CPU_CREDITS: "CPU credits that a burstable tier has left",
}
"""What a series may be of, and what it then says. A subject is a tier's name unless the words say otherwise."""

STATEMENTS_READ: Final = "statements_read"
STATEMENTS_WRITE: Final = "statements_write"
STATEMENTS_CONTROL: Final = "statements_control"
STATEMENTS_OTHER: Final = "statements_other"
PLANS_READ: Final = "plans_read"
PLANS_WRITE: Final = "plans_write"
POOL_TRANSACTIONS: Final = "pool_transactions"
POOL_QUERIES: Final = "pool_queries"
POOL_WAITS: Final = "pool_waits"

COUNTED: Final[Mapping[str, str]] = {
    STATEMENTS_READ: "executions of statements that read, with their time (of waits for disk and locks too)",
    STATEMENTS_WRITE: "executions of statements that write, with their time (of waits for disk and locks too)",
    STATEMENTS_CONTROL: "BEGIN, COMMIT, SET and their like, set_config too: round trips that answer no query",
    STATEMENTS_OTHER: "executions of all other statements, such as DDL and VACUUM",
    PLANS_READ: "plans made for statements that read, with the time of planning",
    PLANS_WRITE: "plans made for statements that write, with the time of planning",
    POOL_TRANSACTIONS: "transactions through a pool, with the time a connection of the server was held",
    POOL_QUERIES: "queries through a pool, with the time the server took",
    POOL_WAITS: "transactions through a pool, with the time a client waited for a connection",
}
"""What may be counted over a run, and what it then says. A subject is the name of the database or of the pool."""


LABEL: Final = "measure"
"""The label of a series of Prometheus that says what it measures, such as cores:api."""


class Measure(NamedTuple):
    """What is measured, and of which part of the system."""

    what: str
    """One of SERIES or of COUNTED."""
    subject: str = ""
    """A tier's name, a route or an action as the words of `what` say; "" where it is of the whole system."""

    @property
    def label(self) -> str:
        """What a label, a column or a command line calls it: WHAT, or WHAT:SUBJECT."""
        return f"{self.what}:{self.subject}" if self.subject else self.what

    def __str__(self) -> str:
        return f"{self.what} of {self.subject}" if self.subject else self.what


@dataclass(frozen=True, slots=True)
class Statistic:
    """How often something happened in a run, and how long it took each time."""

    count: float
    mean_ms: float
    """0.0 where nothing happened."""
    stddev_ms: float | None = None
    """Standard deviation of the whole population; None where it is not told."""

    @property
    def scv(self) -> float | None:
        """The squared coefficient of variation of the time; None where it is not told, or nothing took any time."""
        return None if self.stddev_ms is None or not self.mean_ms else (self.stddev_ms / self.mean_ms) ** 2

    def plus(self, other: Statistic) -> Statistic:
        """Return the statistic of what both counted."""
        return _of_sums(self, other, 1.0)

    def minus(self, before: Statistic) -> Statistic:
        """Return the statistic of what happened since `before`, an earlier reading of the same counters.

        Of n values with mean m and standard deviation s (of the population) the sum is n m and the sum of squares
        n (m^2 + s^2). Both only add up, so what happened between two readings is the difference of each.
        Raises ValueError when the counters fell: they were set back between the readings.
        """
        if self.count < before.count or self.count * self.mean_ms < before.count * before.mean_ms * (1 - ROUNDING):
            raise ValueError("the counters fell")
        return _of_sums(self, before, -1.0)


ROUNDING: Final = 1e-9
"""By how much of it a sum of times may seem to fall: a mean was rounded when it was written."""


def _of_sums(one: Statistic, other: Statistic, sign: float) -> Statistic:
    count = one.count + sign * other.count
    if not count:
        return Statistic(0.0, 0.0, None)
    mean_ms = max(0.0, (one.count * one.mean_ms + sign * other.count * other.mean_ms) / count)
    told = [each.stddev_ms if each.count else 0.0 for each in (one, other)]
    if told[0] is None or told[1] is None:
        return Statistic(count, mean_ms, None)
    squares = one.count * (one.mean_ms**2 + told[0] ** 2) + sign * other.count * (other.mean_ms**2 + told[1] ** 2)
    return Statistic(count, mean_ms, sqrt(max(0.0, squares / count - mean_ms**2)))


@dataclass(frozen=True, slots=True)
class Metrics:
    """What monitoring told: series on one clock of equal windows, and what was counted from its start to its end."""

    starts_s: tuple[float, ...] = ()
    """When each window starts, in seconds since 1970 (UTC), ascending. Windows may be missing."""
    window_s: float = 0.0
    """How long each window is; 0.0 where there are no series."""
    series: Mapping[Measure, tuple[float, ...]] = field(default_factory=dict)
    """A value for each window; NaN where nothing was measured in it."""
    counters: Mapping[Measure, Statistic] = field(default_factory=dict)
    counted_from_s: float | None = None
    """When counting began, in seconds since 1970; None where the files do not tell."""
    counted_to_s: float | None = None
    """When counting ended, in seconds since 1970; None where the files do not tell."""
    sources: Mapping[Measure, str] = field(default_factory=dict)
    """The file or the address that each measure is from."""
    remarks: tuple[str, ...] = ()
    """What else is to be known of them: warnings of the server, what was left out, what was added up."""

    def within(self, from_s: float, to_s: float) -> Metrics:
        """Return the metrics with those windows only that lie wholly between two times, both in seconds since 1970."""
        kept = [index for index, start in enumerate(self.starts_s) if from_s <= start and start + self.window_s <= to_s]
        series = {measure: tuple(values[index] for index in kept) for measure, values in self.series.items()}
        return replace(self, starts_s=tuple(self.starts_s[index] for index in kept), series=series)

    def of(self, what: str) -> Mapping[str, tuple[float, ...]]:
        """Return subject -> series of all that is measured of a kind."""
        return {measure.subject: values for measure, values in self.series.items() if measure.what == what}

    def together(self, *measures: Measure) -> tuple[tuple[float, ...], ...]:
        """Return the values of each measure in the windows in which all of them were measured; () for none at all.

        Raises KeyError for a measure that there is no series of.
        """
        rows = zip(*(self.series[measure] for measure in measures), strict=True)
        return tuple(zip(*(row for row in rows if all(map(isfinite, row))), strict=True))

    def with_cores(self, cores: Mapping[str, float]) -> Metrics:
        """Return the metrics with cores in use beside each busy share of a tier whose CPU cores are given."""
        added = {
            Measure(CORES, subject): tuple(share * cores[subject] for share in values)
            for subject, values in self.of(BUSY_SHARE).items()
            if subject in cores and Measure(CORES, subject) not in self.series
        }
        sources = {each: self.sources.get(Measure(BUSY_SHARE, each.subject), "") for each in added}
        return replace(self, series={**self.series, **added}, sources={**self.sources, **sources})
