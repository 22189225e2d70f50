"""What a load test measured, and how it compares with the scenario's limits and the plan's predictions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cascade_plan.model.derivation import Finding
from cascade_plan.model.plan import Verdict

PERCENTILES = ("p50", "p95", "p99")
TOLERANCE = 0.2
"""A measurement may differ from its prediction by this share: four times what the model itself is off by
(docs/model.md), as a run has noise, neighbours and a network of its own."""


@dataclass(frozen=True, slots=True)
class Percentile:
    """A percentile as a tool reports it."""

    latency_ms: float
    rounding_ms: float
    """The true value lies within this much of the reported one."""

    @property
    def latency_ms_min(self) -> float:
        """The least the true value can be."""
        return max(0.0, self.latency_ms - self.rounding_ms)

    @property
    def latency_ms_max(self) -> float:
        """The most the true value can be."""
        return self.latency_ms + self.rounding_ms


@dataclass(frozen=True, slots=True)
class Failure:
    """A kind of failure and how often it occurred."""

    what: str
    count: int


@dataclass(frozen=True, slots=True)
class Measurement:
    """The results of one run of a load test. None stands for what the results do not tell."""

    tool: str
    """Locust or k6."""
    source: str
    """The file it was read from."""
    user_count: int | None
    """Most users there at once."""
    held_s: float | None
    """How long that many were there."""
    request_count: int
    failure_count: int
    requests_per_s: float | None
    """While all users were there."""
    latency_ms_mean: float
    percentiles: Mapping[str, Percentile]
    """p50, p95 and p99, those that were reported."""
    ramp_included: bool | None
    """Whether the latencies include those measured while users were still arriving."""
    failures: tuple[Failure, ...] = ()
    """The most frequent first."""

    @property
    def failure_ratio(self) -> float:
        """Failed requests of all."""
        return self.failure_count / self.request_count


@dataclass(frozen=True, slots=True)
class Comparison:
    """A figure as the plan predicts it and as it was measured."""

    figure: str
    unit: str
    value_predicted: float
    value_measured: float
    difference_ratio: float
    """Measured over predicted, less 1."""
    beyond_tolerance: bool


@dataclass(frozen=True, slots=True)
class Verification:
    """A measured run, judged."""

    scenario: str
    load: str
    measurement: Measurement
    verdicts: tuple[Verdict, ...]
    comparisons: tuple[Comparison, ...]
    findings: tuple[Finding, ...]

    @property
    def verified(self) -> bool:
        """Whether the results show every limit to be kept: what they cannot show is not verified."""
        return all(verdict.status == "pass" for verdict in self.verdicts)
