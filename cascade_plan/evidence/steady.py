"""A run: what the load test and the monitoring of one time tell, cut to the windows in which nothing changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from statistics import median
from typing import Final

from cascade_plan.errors import UsageError
from cascade_plan.model.measurement import Measurement
from cascade_plan.model.observation import (
    CORES,
    REQUESTS_PER_S,
    ROUTE_REQUESTS_PER_S,
    TARGET_REQUESTS_PER_S,
    Measure,
    Metrics,
)
from cascade_plan.model.scenario import Action, Load, Scenario
from cascade_plan.units import counted

SETTLING_S: Final = 10.0
"""The first seconds with all users are left out: the backlog of the ramp and cold caches. Measured: with them the p99
of a run is 2 to 5 times what it is without."""
STEADY_SHARE: Final = 0.8
"""Where no load test tells when all users were there, windows with less of the median rate are its ramp."""
USERS_TOLERANCE: Final = 0.05
"""A run is of a load whose users it had to this share."""


@dataclass(frozen=True, slots=True)
class Run:
    """What was measured at one load, in its steady windows alone."""

    name: str
    """What to call it: its load, or its files."""
    load: str
    """The scenario's load that it is a run of; "" where it is none of them."""
    user_count: int | None
    measurement: Measurement | None
    metrics: Metrics
    remarks: tuple[str, ...] = ()

    @property
    def requests_per_s(self) -> float | None:
        """The rate, by the load test before the monitoring, which may count what others ask too."""
        if self.measurement is not None and self.measurement.requests_per_s is not None:
            return self.measurement.requests_per_s
        rates = self.rates("")
        return sum(rates) / len(rates) if rates else None

    def rates(self, service: str) -> tuple[float, ...]:
        """Return requests/s of a service in each window, "" for all of them; () where no series tells.

        All are those of every service, or of every route, where none is of all.
        """
        for what in (REQUESTS_PER_S, TARGET_REQUESTS_PER_S):
            if (measure := Measure(what, service)) in self.metrics.series:
                return self.metrics.series[measure]
        if service:
            return ()
        parts = self.metrics.of(REQUESTS_PER_S) or self.metrics.of(ROUTE_REQUESTS_PER_S)
        return tuple(sum(values) for values in zip(*parts.values(), strict=True))

    def beside(self, *series: Sequence[float]) -> tuple[tuple[float, ...], ...]:
        """Return series in those windows in which all of them were measured; () for none."""
        rows = zip(*series, strict=True)
        return tuple(zip(*(row for row in rows if all(map(isfinite, row))), strict=True))


def run(name: str, loads: Mapping[str, Load], measurement: Measurement | None, metrics: Metrics, load: str = "") -> Run:
    """Return a run of what a load test and the monitoring told, its metrics cut to its steady windows.

    The scenario's load is the one named, or the only one with as many users. Raises UsageError where no steady window
    is left of metrics that have series.
    """
    users = None if measurement is None else measurement.user_count
    if not load and users is not None:
        fitting = [each for each, asked in loads.items() if abs(users / asked.users - 1) <= USERS_TOLERANCE]
        load = fitting[0] if len(fitting) == 1 else ""
    if users is None and load in loads:
        users = loads[load].users
    cut, remarks = _steady(metrics, measurement, name)
    return Run(name, load, users, measurement, cut, (*remarks, *metrics.remarks))


def _steady(metrics: Metrics, measurement: Measurement | None, name: str) -> tuple[Metrics, tuple[str, ...]]:
    if not metrics.series:
        return metrics, ()
    if measurement is not None and measurement.held_from_s is not None and measurement.held_s:
        from_s = measurement.held_from_s
        cut = metrics.within(from_s + SETTLING_S, from_s + measurement.held_s)
        if not cut.starts_s:
            raise UsageError(
                f"{name}: no window of the metrics lies in the {measurement.held_s:,.4g} s that all users were there "
                f"({_span(metrics)}; the load test from {from_s:.0f}): are they of another time, or another clock?"
            )
        left = len(metrics.starts_s) - len(cut.starts_s)
        kept = counted(len(cut.starts_s), "window")
        return cut, (f"{kept} with all users; {left:,} of before, after and the first {SETTLING_S:g} s left out",)
    return _by_rate(metrics)


def _span(metrics: Metrics) -> str:
    return f"they are from {metrics.starts_s[0]:.0f} to {metrics.starts_s[-1] + metrics.window_s:.0f} seconds of 1970"


def _by_rate(metrics: Metrics) -> tuple[Metrics, tuple[str, ...]]:
    """Return the windows between the first and the last with most of the median rate, less the first 10 s of them."""
    whole = Run("", "", None, None, metrics)
    rates = whole.rates("") or next(iter(metrics.of(CORES).values()), ())
    known = [rate for rate in rates if isfinite(rate)]
    if not known:
        return metrics, ()
    least = STEADY_SHARE * median(known)
    full = [index for index, rate in enumerate(rates) if isfinite(rate) and rate >= least]
    first, last = metrics.starts_s[full[0]], metrics.starts_s[full[-1]] + metrics.window_s
    first = first if full[0] == 0 else first + SETTLING_S
    cut = metrics.within(first, last)
    words = "no load test tells when all users were there: taken are the windows between the first and the last with "
    return cut, (f"{words}{STEADY_SHARE:.0%} of the median rate",)


def routes_of(scenario: Scenario, service: str, metrics: Metrics) -> dict[str, tuple[float, ...]] | None:
    """Return action -> its requests/s in each window, of a service's actions; None where one of them has no series.

    A series is told by the action's name, by its request (GET /rooms) or by its path alone where no other has it.
    """
    series = metrics.of(ROUTE_REQUESTS_PER_S)
    actions = {name: each for name, each in scenario.behaviour.actions.items() if scenario.service(each) == service}
    paths = [_path(each) for each in scenario.behaviour.actions.values()]
    found: dict[str, tuple[float, ...]] = {}
    for name, action in actions.items():
        path = _path(action)
        spellings = [name, action.request, action.request.partition("?")[0]]
        spellings += [path] if paths.count(path) == 1 else []
        if (subject := next((each for each in spellings if each in series), None)) is None:
            return None
        found[name] = series[subject]
    return found or None


def _path(action: Action) -> str:
    return action.request.partition(" ")[2].partition("?")[0]


def joined(runs: Sequence[Run], metrics: Metrics) -> list[Run]:
    """Return runs with metrics of a longer time added to each, cut to its own windows."""
    from cascade_plan.evidence.windows import joined as together

    found = []
    for each in runs:
        own, remarks = _steady(metrics, each.measurement, each.name)
        both = together([each.metrics, own]) if each.metrics.series else own
        counters = {**metrics.counters, **each.metrics.counters}
        found.append(replace(each, metrics=replace(both, counters=counters), remarks=(*each.remarks, *remarks)))
    return found
