"""A fleet with a shape too small for what no count helps -> the next larger shape, the cheapest that does.

Such as a primary that does all writes, or a node on which no pod fits. Shapes that the scenario names stay.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final, NamedTuple

from cascade_plan.errors import InfeasibleError, OutgrownError, TooSmallError
from cascade_plan.model.derivation import Finding
from cascade_plan.model.fleet import Fleet
from cascade_plan.model.part import Need
from cascade_plan.planning.cases import all_left, base_cases, floor_cases
from cascade_plan.planning.ceilings import broken
from cascade_plan.planning.chain import chain
from cascade_plan.planning.predicting import keeps, meets
from cascade_plan.planning.promises import scale
from cascade_plan.planning.sizing import Brief, places, size

ENDLESS: Final = 100_000
"""Nodes and instances so many that their number is never what binds."""


class Shortage(NamedTuple):
    """What a fleet does not do, however many it has of everything that is counted."""

    tier: str
    """The instance that binds."""
    reason: str
    is_latency: bool
    """Whether it is a latency, to which other tiers add, and no ceiling."""


class Sizes(NamedTuple):
    """A fleet by the rules, and what it was sized from: the shapes that are passed over."""

    brief: Brief
    fleet: Fleet

    def shape(self, tier: str) -> str:
        """Return the name of the shape of a tier's first group; "" where it has no machines."""
        return next((group.shape.name for group in self.fleet.tiers[tier].groups), "")

    def said(self, fleet: Fleet) -> Fleet:
        """Return a fleet of these shapes with a finding for each tier of which smaller ones were passed over."""
        tiers = dict(fleet.tiers)
        for tier, count in self.brief.passed.items():
            passed = "the cheapest shape that meets its need is" if count == 1 else f"{count} cheaper ones are"
            words = f"{tier} gets {self.shape(tier)}: {passed} too small for what no count helps"
            finding = Finding("info", "larger-shape", words, f"tiers.{tier}.shape")
            tiers[tier] = replace(tiers[tier], findings=(*tiers[tier].findings, finding))
        return replace(fleet, tiers=tiers)


def enlarged(brief: Brief) -> Sizes:
    """Return the fleet by the rules on shapes that are large enough, the cheapest first, where the scenario lets them.

    A fleet of which no count is searched is judged and not changed; a latency that no shape relieves is left to the
    search for counts, which says what binds.
    Raises OutgrownError saying which shape would do where the scenario names one too small, InfeasibleError that none
    does.
    """
    sizes = fitting(brief)
    if not any(lever.is_searched for lever in sizes.fleet.levers):
        return sizes
    while (short := shortage(sizes)) is not None:
        suspects = _suspects(sizes, short)
        if short.is_latency and _is_hopeless(sizes, suspects):
            break
        larger = next((found for tier in suspects if (found := _larger(sizes, tier, short)) is not None), None)
        if larger is not None:
            sizes = larger
        elif short.is_latency or not suspects:
            break
        else:
            raise InfeasibleError(f"no fleet meets the loads, and no shape that {short.tier} may have; {short.reason}")
    return sizes


def fitting(brief: Brief) -> Sizes:
    """Return the fleet by the rules on nodes that hold its pods, the cheapest first, where the scenario lets them.

    Raises InfeasibleError where none holds them, and saying which would do where the scenario names one that does not.
    """
    while True:
        try:
            return Sizes(brief, size(brief))
        except TooSmallError as error:
            if _is_open(brief, error.tier):
                brief = _passing(brief, error.tier)
                continue
            try:
                holding = fitting(_opened(brief, error.tier)).shape(error.tier)
            except InfeasibleError:
                raise error from None
            message = f"{error}; {holding} would do, tiers.{error.tier}.shape"
            raise OutgrownError(error.tier, holding, str(error), message) from None


def shortage(sizes: Sizes) -> Shortage | None:
    """Return what no counts that can be had relieve; ceilings first, quickly asked. None where nothing is short."""
    scenario, fleet, traffic = sizes.brief.scenario, sizes.fleet, sizes.brief.traffic
    searched = [lever for lever in fleet.levers if lever.is_searched]
    counts = all_left(scenario, searched, {lever.name: min(ENDLESS, lever.tried_count_max) for lever in searched})
    cases = [*base_cases(scenario), *floor_cases(scenario, fleet)]
    for case in cases:
        asked = case.users / scenario.behaviour.think_time_s.mean
        for name, sized in fleet.tiers.items():
            if words := broken(Fleet({name: sized}), asked, traffic.requests_per_s.average, counts):
                return Shortage(name, f"{case.name}: {words}", False)
    on = chain(scenario, places(scenario, fleet, scale(fleet, counts)))
    for case in cases:
        if on.bottleneck and not keeps(on, case.users, case.latency_ms_p95, case.latency_ms_p99):
            words = meets(on, case.users, case.latency_ms_p95, case.latency_ms_p99)
            return Shortage(on.place(on.bottleneck).tier, f"{case.name}: {words}", True)
    return None


def _suspects(sizes: Sizes, short: Shortage) -> list[str]:
    """Return the tiers whose shape may be what is short: what binds, and beside a latency all others with machines."""
    scenario = sizes.brief.scenario
    others = scenario.tiers if short.is_latency else ()
    names = [name for name in dict.fromkeys((short.tier, *others)) if hasattr(scenario.tiers[name], "shape")]
    return [name for name in names if sizes.shape(name)]


def _larger(sizes: Sizes, tier: str, short: Shortage) -> Sizes | None:
    """Return the fleet with the cheapest shape of a tier that is not short of the same; None where none is not.

    Raises OutgrownError naming it where the scenario names the shape.
    """
    for found in _candidates(sizes, tier):
        left = shortage(found)
        # What binds may do better and then another bind, which is looked at next.
        is_another = left is not None and (left.tier, left.is_latency) != (short.tier, short.is_latency)
        if left is not None and not (is_another and tier == short.tier):
            continue
        if _is_open(sizes.brief, tier):
            return found
        words = f"{sizes.shape(tier)} is too small; {found.shape(tier)} would do"
        raise OutgrownError(tier, found.shape(tier), short.reason, f"tiers.{tier}.shape: {words}: {short.reason}")
    return None


def _is_hopeless(sizes: Sizes, tiers: list[str]) -> bool:
    """Return whether the largest shapes of some tiers together are short too."""
    for tier in tiers:
        *_, sizes = (sizes, *_candidates(sizes, tier))
    return shortage(sizes) is not None


def _candidates(sizes: Sizes, tier: str) -> Iterator[Sizes]:
    """Yield the fleet with each dearer shape of a tier that its need allows; of a named one each that is no smaller."""
    brief = _passing(sizes.brief, tier) if _is_open(sizes.brief, tier) else _opened(sizes.brief, tier)
    last = ""
    while True:
        try:
            found = Sizes(brief, size(brief))
        except TooSmallError as error:
            if error.tier != tier:
                return
        except InfeasibleError:
            return
        else:
            # What is passed over does not matter to it: its machines are chosen by something else.
            if found.shape(tier) == last:
                return
            last = found.shape(tier)
            yield found
        brief = _passing(brief, tier)


def _is_open(brief: Brief, tier: str) -> bool:
    """Return whether the scenario says what a tier's shape must have, and not which it is."""
    return isinstance(getattr(brief.scenario.tiers[tier], "shape", None), Need)


def _passing(brief: Brief, tier: str) -> Brief:
    """Return the brief with one more of the cheapest shapes of a tier passed over."""
    return replace(brief, passed={**brief.passed, tier: brief.passed.get(tier, 0) + 1})


def _opened(brief: Brief, tier: str) -> Brief:
    """Return the brief in which a tier may have any shape that is no smaller than the one it names."""
    settings = brief.scenario.tiers[tier]
    what = brief.scenario.bought(tier)
    named = brief.cloud.catalogue().find(what, getattr(settings, "shape"))  # noqa: B009
    assert named is not None, "a shape that a fleet was sized with is in the catalogue"
    # Not checked: a scenario's own need has bounds, and a shape may be beyond them.
    need = Need.model_construct(vcpu=int(named.vcpu), memory_gib=named.memory_gib, burstable=named.burstable)
    changed = settings.model_copy(update={"shape": need})
    scenario = brief.scenario.model_copy(update={"tiers": {**brief.scenario.tiers, tier: changed}})
    return replace(brief, scenario=scenario)
