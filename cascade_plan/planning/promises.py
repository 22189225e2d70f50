"""Whether a fleet keeps what its scenario promises: every load's limits after the losses, and every ceiling."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from cascade_plan.model.derivation import Finding
from cascade_plan.model.fleet import Fleet, Lever
from cascade_plan.model.scenario import Scenario
from cascade_plan.model.solution import Rejection
from cascade_plan.planning.cases import Case, all_left, base_cases, floor_cases, held_cases, unfit
from cascade_plan.planning.chain import Chain, chain
from cascade_plan.planning.predicting import keeps, meets
from cascade_plan.planning.sizing import places

ENOUGH: Final = 1_000_000
"""Pods and connections so many that only nodes and instances bind."""
FLUID: Final = ".connection_count"
"""The end of a lever's name that counts connections: what follows from the others and never binds them."""


@dataclass(frozen=True, slots=True)
class Promises:
    """A fleet whose counts may be asked about, and what it must keep."""

    scenario: Scenario
    fleet: Fleet
    average_per_s: float
    """Requests a second in the mean of the day."""
    chains: dict[tuple[tuple[str, int], ...], Chain] = field(default_factory=dict)

    @property
    def levers(self) -> tuple[Lever, ...]:
        """The counts that a loss takes from."""
        return tuple(lever for lever in self.fleet.levers if lever.spread)

    def base(self) -> list[Case]:
        """Return what the fleet at the peak must keep."""
        return base_cases(self.scenario)

    def floor(self) -> list[Case]:
        """Return what the scaled-in fleet must keep."""
        return floor_cases(self.scenario, self.fleet)

    def counts(self, level: str) -> dict[str, int]:
        """Return the counts of the fleet at its "base" or its "floor"."""
        return {lever.name: getattr(lever, f"{level}_count") for lever in self.levers}

    def kept(self, cases: Iterable[Case], counts: Mapping[str, int]) -> bool:
        """Return whether so many of each lever keep every case after the losses."""
        left = all_left(self.scenario, self.levers, counts)
        return all(
            not unfit(case, self.scenario, self.fleet, self.average_per_s, counts, left)
            and keeps(self.chain(left), case.users, case.latency_ms_p95, case.latency_ms_p99)
            for case in cases
        )

    def held(self, bases: Mapping[str, int]) -> bool:
        """Return whether what an autoscaler holds for each smaller load keeps it with nothing lost.

        `bases` is how many stand at the peak, by lever: it holds in proportion to that.
        """
        peak = self.scenario.users.peak
        for case in held_cases(self.scenario, self.fleet):
            counts = {}
            for lever in self.levers:
                base = bases.get(lever.name, lever.base_count)
                counts[lever.name] = replace(lever, base_count=base, most_count=max(base, lever.most_count)).at(
                    case.users, peak
                )
            if not keeps(self.chain(counts), case.users, case.latency_ms_p95, case.latency_ms_p99):
                return False
        return True

    def unkept(self, cases: Iterable[Case], counts: Mapping[str, int]) -> str:
        """Return the first case that so many of each lever do not keep, and why, in words; "" where they keep all."""
        left = all_left(self.scenario, self.levers, counts)
        for case in cases:
            why = unfit(case, self.scenario, self.fleet, self.average_per_s, counts, left)
            why = why or meets(self.chain(left), case.users, case.latency_ms_p95, case.latency_ms_p99)
            if why:
                return f"{case.name}: {why}"
        return ""

    def chain(self, left: Mapping[str, int]) -> Chain:
        """Return the chain on what is left of the counts, with pods and connections enough not to bind."""
        key = tuple(left.items())
        if (known := self.chains.get(key)) is None:
            known = self.chains[key] = chain(self.scenario, places(self.scenario, self.fleet, scale(self.fleet, left)))
        return known

    def fewer(self) -> Iterator[Rejection]:
        """Yield, for each count that is pinned, what breaks with one less of it after the losses."""
        for lever in self.levers:
            if lever.set_by != "pinned":
                continue
            levels = (("base", "base", self.base()), ("floor", "min", self.floor())) if lever.is_scaled else (
                ("base", "", self.base()),)  # fmt: skip
            for level, leaf, cases in levels:
                counts = self.counts(level)
                if counts[lever.name] and (why := self.unkept(cases, {**counts, lever.name: counts[lever.name] - 1})):
                    figure = f"{lever.name}.{leaf}" if leaf else lever.name
                    yield Rejection(figure, counts[lever.name] - 1, why.partition(":")[0], why)

    def findings(self) -> Iterator[Finding]:
        """Yield what the fleet at its own counts does not keep after the losses."""
        for level, cases, when in (("base", self.base(), "at the peak"), ("floor", self.floor(), "scaled in")):
            if why := self.unkept(cases, self.counts(level)):
                words = f"{when}, with the losses that are planned for, a promise is broken: {why}"
                yield Finding("warning", "promise-broken", words, f"loads.{why.partition(':')[0]}", is_broken=True)


def scale(fleet: Fleet, counts: Mapping[str, int]) -> dict[str, int]:
    """Return some counts with those that follow from them so many that they do not bind."""
    fluid = {lever.name: ENOUGH for lever in fleet.levers if not lever.spread and lever.name.endswith(FLUID)}
    return {**fluid, **{f"{workload.tier}.replica_count": ENOUGH for workload in fleet.workloads}, **counts}
