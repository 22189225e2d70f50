"""Series of the running system: what the application's metrics are called, and which of them are one instance's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from cascade_plan.languages import promql
from cascade_plan.model.ask import Site
from cascade_plan.model.fleet import Workload
from cascade_plan.model.scenario import Scenario
from cascade_plan.model.titles import called, title
from cascade_plan.model.watch import Recorded

QUERY: Final = "query_duration_seconds"
REQUEST: Final = "request_duration_seconds"
ACTION_REQUESTS: Final = "action_requests"
CACHE_LOOKUPS: Final = "cache_requests"
POOL_USED: Final = "connection_pool_usage"
SOCKETS: Final = "websocket_connections"
JOBS: Final = "jobs"
JOBS_ASKED: Final = "jobs_asked"
JOB: Final = "job_duration_seconds"
JOB_AGE: Final = "job_age_seconds"
"""What the application's metrics are of; `own` puts their prefix before it."""
SHORTEST_S: Final = 300
"""The shortest window that a fleet's rates are taken over."""
SAMPLES_LEAST: Final = 4
"""Samples a rate looks at, so that it lives through one or two failed scrapes,
https://www.robustperception.io/what-range-should-i-use-with-rate/"""
CPU_OF_PROCESS: Final = "process_cpu_seconds_total"
"""CPU time of a process by the client libraries' own collector."""
NEAR: Final = 0.9
"""Share of a limit at which there is still time to act (assumption)."""


def own(scenario: Scenario, metric: str) -> str:
    """Return what the application calls a metric of its own: behind the prefix that all of them have.

    That is what the monitoring says, else the application's name as a metric's name is written.
    """
    name = scenario.first("monitoring")
    monitoring: Any = scenario.tiers[name] if name else None
    said: str | None = monitoring.metric_prefix if monitoring else None
    return f"{said or promql.name(scenario.application_name)}_{metric}"


def percentile(metric: str, percent: int) -> str:
    """Return the series of the fleet's percentile of a histogram."""
    return f"namespace:{metric}:p{percent}"


def bucket_rates(metric: str) -> str:
    """Return the series of each pod's buckets of a histogram, as rates."""
    return f"pod:{metric}_bucket:rate"


def is_watched(site: Site[Any]) -> bool:
    """Return whether there is anything that would watch an instance."""
    return bool(site.scenario.of("monitoring"))


def window_s(site: Site[Any]) -> float:
    """Return the window of each pod's rates: a minute, or as long as a few scrapes take."""
    return max(60.0, observed_window_s(site))


def observed_window_s(site: Site[Any]) -> float:
    """Return the window of what a calibration asks: as short as a rate can be, as each is one more observation."""
    return scrapes_s(site.settings_of("monitoring").scrape_interval_s)


def scrapes_s(scrape_interval_s: float) -> float:
    """Return how long the scrapes take that a rate looks at.

    >>> scrapes_s(15), scrapes_s(1)
    (60.0, 4.0)
    """
    return SAMPLES_LEAST * float(scrape_interval_s)


@dataclass(frozen=True, slots=True)
class Scope:
    """The labels that tell an instance's series from all others."""

    scenario: Scenario
    labels: Mapping[str, str]
    """Beside the namespace; none where the namespace has no others of the kind."""

    @property
    def namespace(self) -> str:
        """The namespace of the application."""
        return self.scenario.application_name

    def own(self, metric: str) -> str:
        """Return what the application calls a metric of its own."""
        return own(self.scenario, metric)

    def select(self, metric: str, unlike: Mapping[str, str] = MappingProxyType({}), /, **labels: str) -> str:
        """Return the selector of the instance's series of a metric with these labels, and unlike those patterns."""
        return promql.select(metric, unlike, namespace=self.namespace, **self.labels, **labels)

    def total(self, series: str, *by: str) -> str:
        """Return the sum of the instance's series over all labels but those in `by`."""
        return promql.total(series, "namespace", *self.labels, *by)

    def most(self, series: str, *by: str) -> str:
        """Return the largest of the instance's series over all labels but those in `by`."""
        return f"max by ({', '.join(('namespace', *self.labels, *by))}) ({series})"

    def recorded(self, name: str, expression: str, is_of_pods: bool = False) -> Recorded:
        """Return the rule that records an expression of the instance's series, which `select` then finds."""
        return Recorded(name, expression, self.labels, is_of_pods)

    def served(self, name: str, expression: str, served_as: str, scales_by: str) -> Recorded:
        """Return the rule that records each pod's value of a metric, which autoscalers ask for by another name."""
        return Recorded(name, expression, self.labels, True, served_as, scales_by)

    def buckets_of_pods(self, metric: str, window_s: float) -> Recorded:
        """Return the rule that records the rates of a histogram's buckets of each pod."""
        rates = promql.rate(self.select(f"{metric}_bucket"), window_s)
        return self.recorded(bucket_rates(metric), self.total(rates, "pod", "le"), is_of_pods=True)


def scope_of_pods(site: Site[Any], workload: Workload, is_alone: bool) -> Scope:
    """Return what finds the series of a workload's pods: their job, where others in the namespace have such series."""
    return Scope(site.scenario, {} if is_alone else {"job": workload.name})


def exporter(site: Site[Any], program: str) -> str:
    """Return what an instance's exporter is called: by its program, with the instance's name unless that is its kind.

    The job that scrapes it is the application's name, a dash and this: no pods of another instance may be called so.
    """
    own = program if site.name == site.settings.KIND else f"{site.name}_{program}"
    return f"{own}_exporter".replace("_", "-") if own in site.scenario.tiers else own.replace("_", "-")


def scope_of_exporter(site: Site[Any], program: str) -> Scope:
    """Return what finds the series of an instance's exporter: its job, where there are others of its kind."""
    job = f"{site.application}-{exporter(site, program)}"
    return Scope(site.scenario, {} if is_alone(site) else {"job": job})


def is_alone(site: Site[Any]) -> bool:
    """Return whether an instance is the only one of its kind."""
    return len(site.scenario.of(site.settings.KIND)) == 1


def is_first(site: Site[Any]) -> bool:
    """Return whether an instance is the first of its kind, which tells of what all of them share."""
    return site.name == next(iter(site.scenario.of(site.settings.KIND)))


def spoken(site: Site[Any], words: str) -> str:
    """Return the words of a kind for an instance in a sentence, with its name where it is not called after its kind.

    Example: "the connection pool", or of another of several "the connection pool reports pool".
    """
    return words if _is_plain(site) else f"{words} {called(site.name)}"


def headed(site: Site[Any], words: str) -> str:
    """Return a panel's heading for an instance: the words of its kind, behind its name as `spoken` has it."""
    return words if _is_plain(site) else f"{title(site.name)}: {words[0].lower()}{words[1:]}"


def _is_plain(site: Site[Any]) -> bool:
    return is_alone(site) or site.name == site.settings.KIND


def querying_count(site: Site[Any]) -> int:
    """Return how many workloads may ask a database: each service and each worker is one."""
    return len(site.scenario.of("api")) + len(site.scenario.of("worker"))
