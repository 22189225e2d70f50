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

CLOCK_S = 2.0
"""Tools look at their users once a second or at their next request: the first and the last second with all of them may
both be missing from the results."""


@dataclass(frozen=True, slots=True)
class Percentile:
    """A percentile as the results tell it."""

    latency_ms: float
    latency_ms_min: float
    """The least the true value can be."""
    latency_ms_max: float
    """The most the true value can be."""


def exact(latency_ms: float) -> Percentile:
    """Return a percentile that is what it is reported to be."""
    return Percentile(latency_ms, latency_ms, latency_ms)


@dataclass(frozen=True, slots=True)
class Failure:
    """A kind of failure and how often it occurred."""

    what: str
    count: int


@dataclass(frozen=True, slots=True)
class Measurement:
    """The results of one run of a load test. None stands for what the results do not tell."""

    tool: str
    """The program that made the requests."""
    results: str
    """What of that program's the file is, such as "k6's summary"."""
    source: str
    """The file it was read from."""
    request_count: int
    percentiles: Mapping[str, Percentile]
    """p50, p95 and p99, those that are told."""
    latency_ms_mean: float | None = None
    failure_count: int | None = None
    """Of the requests that were counted."""
    unanswered_told: bool = True
    """Whether requests that got no answer are among those counted."""
    requests_per_s: float | None = None
    """While all users were there; of the whole run where `rate_includes_ramp`."""
    rate_includes_ramp: bool = False
    user_count: int | None = None
    """Users there at once while they were all there."""
    held_s: float | None = None
    """How long that many were there, at least."""
    held_from_s: float | None = None
    """Since when, in seconds since 1970; None where the results' clock is no clock of the day."""
    clock_s: float = CLOCK_S
    """By how much longer it may have been: how coarse the results' clock is."""
    run_s: float | None = None
    """How long the whole run was."""
    iteration_count: int | None = None
    """Iterations that were made."""
    dropped_count: int | None = None
    """Iterations that were due and that the load generator did not start."""
    includes: tuple[str, ...] = ()
    """What the latencies count of logins, of the ramp and of the first seconds after it."""
    may_include: tuple[str, ...] = ()
    """What of these the results do not tell."""
    remarks: tuple[str, ...] = ()
    """What else is to be known of such results."""
    failures: tuple[Failure, ...] = ()
    """The most frequent first."""

    @property
    def failure_ratio(self) -> float | None:
        """Failed requests of those counted."""
        return None if self.failure_count is None else self.failure_count / self.request_count


@dataclass(frozen=True, slots=True)
class Applied:
    """One thing that shows whether the load was applied: its limit, and how far it was kept in words."""

    verdict: Verdict
    words: str
    """Such as "13.3 requests/s of 498 asked"; what is not told, where the results do not tell it."""


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
    applied: tuple[Applied, ...]
    """Whether the load was applied: users, duration, rate, dropped iterations."""
    verdicts: tuple[Verdict, ...]
    """The load's limits and the scenario's gates on it, for what was measured under the load that was applied."""
    comparisons: tuple[Comparison, ...]
    findings: tuple[Finding, ...]

    @property
    def status(self) -> str:
        """verified; failed where a limit was missed or the load not applied; not_shown where nothing tells it."""
        found = {verdict.status for verdict in (*(each.verdict for each in self.applied), *self.verdicts)}
        return "failed" if "fail" in found else "not_shown" if "unjudged" in found else "verified"

    @property
    def verified(self) -> bool:
        """Whether the results show the load to be applied and every limit to be kept."""
        return self.status == "verified"

    def applied_with(self, status: str) -> tuple[str, ...]:
        """Return in words what of the load ended so: "fail" for what was short, "unjudged" for what is not shown."""
        return tuple(each.words for each in self.applied if each.verdict.status == status)
