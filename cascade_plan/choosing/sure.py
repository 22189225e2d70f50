"""The cheapest fleet that keeps every promise in most of the drawn worlds, exactly for these worlds.

The same search, in which a fleet must besides be kept in a share of the worlds, the same ones for every fleet. What a
tier alone misses, beside a rest with plenty of everything, a fleet with it misses too: each candidate has as many nodes
at the peak as it needs alone, and fleets whose parts leave too few worlds together are not asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from cascade_plan.choosing.candidates import Candidate, Stream, World
from cascade_plan.choosing.search import NONE, Fit, Fitted, Found, Search, fit
from cascade_plan.choosing.worlds import Outcome, Worlds
from cascade_plan.errors import CascadePlanError
from cascade_plan.formulas.losses import least_count
from cascade_plan.model.optimum import Rung
from cascade_plan.model.option import Option
from cascade_plan.model.tier import Bought, Settings
from cascade_plan.planning.sizing import Brief

GLANCE: Final = 512
"""Worlds in which a tier alone is looked at."""
DOUBT: Final = 0.02
"""By how much a share of so many worlds may be below that of all: a tier is struck only below that (1.5 deviations)."""
PEAK_MOST: Final = 6
"""Times its least nodes that may stand at the peak, and that are plenty where another tier is looked at."""
SHARES: Final = (0.8, 0.9, 0.95)
"""Of the worlds, what is shown beside the share that was asked for."""
FINE: Final = 20
"""One in so many more nodes at the peak is tried at a time."""


class SureStream(Stream):
    """The candidates of one tier that alone are kept often enough."""

    search: SureSearch

    def __init__(self, world: World, name: str, like: Stream | None, search: SureSearch) -> None:
        """Take the tier's options, and the search that they are for."""
        super().__init__(world, name, like)
        self.search = search
        self._needed: dict[str, int] = {}

    def base_of(self, option: Option, low: int) -> int | None:
        """Return how many must stand at the peak so that it is kept often enough beside plenty of everything else."""
        least = super().base_of(option, low)
        if least is None or not option.is_scaled:
            return least
        if option.words not in self._needed:
            self._needed[option.words] = self._at_peak(option, max(1, super().base_of(option, 1) or 1))
        base = max(low, self._needed[option.words])
        most = PEAK_MOST * base
        if self._is_enough(option, low, base):
            return base
        # What an autoscaler holds below the peak follows from what stands there: more of it may still be enough.
        if not self._is_enough(option, low, most):
            return None
        return least_count(lambda count: self._is_enough(option, low, count), most, base + 1)

    def _is_enough(self, option: Option, low: int, base: int) -> bool:
        kept = self.search.alone(self.world, self.name, option, low, base)
        return bool(kept.mean() >= self.search.glanced)

    def _at_peak(self, option: Option, least: int) -> int:
        """Return how many must stand at the peak, if as many stand there always: what the least load asks is apart.

        Options need about as many times their least count: that is where the next one is begun.
        """
        step, most = max(1, least // FINE), PEAK_MOST * least

        def enough(steps: int) -> bool:
            base = min(most, least + (steps - 1) * step)
            return self._is_enough(option, base, base)

        last = 1 + -(-(most - least) // step)
        begin = max(1, min(last, 1 + round((self.search.ratio - 1) * least / step)))
        base = min(most, least + (least_count(enough, last, begin) - 1) * step)
        self.search.ratio = base / least
        return base


class SureSearch(Search):
    """A search for a fleet that is kept in a share of the worlds."""

    def __init__(
        self, brief: Brief, worlds: Worlds, share: float, months: Sequence[Brief] = (), masks: Any = None
    ) -> None:
        """Take the worlds, and in which share of them all must be kept; `masks` is what is known of tiers alone."""
        super().__init__(brief, months)
        self.drawn, self.share, self.glanced = worlds, share, share - DOUBT
        self.glance = worlds.first(GLANCE)
        self.masks: dict[tuple[Any, ...], Any] = {} if masks is None else masks
        """Layout, tier, option and counts -> in which of the first worlds it keeps all alone."""
        self._firsts: dict[tuple[int, str], Stream] = {}
        self._harmless: set[str] = set()
        """Tiers whose cheapest candidate alone is kept in every world: dearer ones are not looked at alone."""
        self.ratio = 1.0
        """Nodes at the peak over the least that are enough, of the option looked at last."""

    def stream(self, world: World, name: str, like: Stream | None) -> Stream:
        """Return the candidates that alone are kept often enough."""
        return SureStream(world, name, like, self)

    def fit(self, world: World, layout: int, chosen: Mapping[str, Candidate]) -> Fitted:
        """Return the fleet of some candidates, or that it is not kept often enough."""
        kept = np.ones(self.glance.count, dtype=bool)
        for name, candidate in chosen.items():
            if name not in self._harmless:
                own = self.alone(world, name, candidate.option, candidate.low, candidate.base)
                if own.all():
                    self._harmless.add(name)
                kept &= own
        if kept.mean() < self.glanced:
            return None, f"kept in {kept.mean():.0%} of the worlds at most", NONE
        found, why, aside = fit(world, layout, chosen)
        return (None, why, aside) if found is None else (*self._often_enough(world, chosen, found), NONE)

    def kept_share(self, best: Fit) -> float:
        """Return in which share of the worlds a fleet is kept."""
        return self.drawn.outcome(best.fleet, best.scenario).kept_ratio

    def alone(self, world: World, name: str, option: Option, low: int, base: int) -> Any:
        """Return in which of the first worlds an option keeps all with these counts beside plenty of the rest."""
        place = self.worlds.index(world) if name in world.hosts else -1
        key = (place, name, option.words, low, base if option.is_scaled else low)
        if key not in self.masks:
            settings = self._plenty(world) | {name: option.at(low, base if option.is_scaled else low)}
            try:
                scenario, fleet = world.whole(settings)
                self.masks[key] = _kept_by(self.glance.outcome(fleet, scenario), name)
            except CascadePlanError:
                self.masks[key] = np.ones(self.glance.count, dtype=bool)
        return self.masks[key]

    def _plenty(self, world: World) -> dict[str, Settings]:
        """Return settings of every tier that do not bind: its largest option; of what scales many of the cheapest."""
        found: dict[str, Settings] = {}
        layout = self.worlds.index(world)
        for name, options in world.options.items():
            fitting = [option for option in options if not option.unfit]
            if any(option.is_scaled for option in fitting):
                place = (layout, name)
                if place not in self._firsts:
                    self._firsts[place] = Stream(world, name)
                first = self._firsts[place][0]
                if first is not None:
                    found[name] = first.option.at(PEAK_MOST * first.low, PEAK_MOST * max(first.low, first.base))
                    continue
            largest = max(fitting, key=world.size_of)
            found[name] = largest.at(max(1, largest.count_min), max(1, largest.count_min))
        return found

    def _often_enough(self, world: World, chosen: Mapping[str, Candidate], found: Fit) -> tuple[Fit | None, str]:
        """Return the fleet with the least nodes at the peak that keep it often enough, all in proportion."""
        known: dict[int, tuple[Fit, float]] = {}

        def share(step: int) -> float:
            if step not in known:
                known[step] = self._raised(world, chosen, found, 100 + (step - 1) * 100 // FINE)
            return known[step][1]

        most = 1 + 2 * FINE
        if share(1) >= self.share:
            return known[1][0], ""
        if share(most) < self.share:
            return None, f"kept in {share(most):.0%} of the worlds"
        return known[least_count(lambda step: share(step) >= self.share, most, 2)][0], ""

    def _raised(self, world: World, chosen: Mapping[str, Candidate], found: Fit, percent: int) -> tuple[Fit, float]:
        """Return the fleet with so many percent of its nodes at the peak, and the share of worlds that keep it."""
        settings: dict[str, Settings] = dict(found.scenario.tiers)
        for name, candidate in chosen.items():
            if candidate.option.is_scaled:
                base = found.fleet.tiers[name].levers[0].base_count
                raised, own = candidate.option.at(candidate.low, -(-base * percent // 100)), settings[name]
                if isinstance(raised, Bought) and isinstance(own, Bought):
                    raised = raised.model_copy(update={"purchase": own.purchase})
                settings[name] = raised
        scenario, fleet = world.whole(settings)
        share = self.drawn.outcome(fleet, scenario).kept_ratio
        usd, upfront, missing = world.cost_of_all(settings, fleet)
        return replace(
            found, scenario=scenario, fleet=fleet, cost_usd=usd, upfront_usd=upfront, unpriced=tuple(missing)
        ), share


def ladder(
    plain: Search, nominal: Found, worlds: Worlds, asked: float, kept_share: float
) -> tuple[Found, tuple[Rung, ...]]:
    """Return what is found for a share of the worlds, and what that and the shares of SHARES cost beside `nominal`."""
    masks: dict[tuple[Any, ...], Any] = {}
    rungs, result = [], nominal
    if nominal.best is not None:
        rungs.append(Rung(0.0, kept_share, nominal.best.cost_usd, _words(nominal.best)))
    for share in sorted({*SHARES, asked}):
        search = SureSearch(
            plain.worlds[0].brief, worlds, share, [each.brief for each in plain.worlds[0].months], masks
        )
        found = search.run()
        if share == asked:
            result = found
        if found.best is None:
            break
        rungs.append(Rung(share, search.kept_share(found.best), found.best.cost_usd, _words(found.best)))
    return result, tuple(rungs)


def _words(best: Fit) -> str:
    """Return what scales of a fleet, and what else has instances, in a few words."""
    groups = [group for group in best.fleet.groups if group.count.ceiling]
    return ", ".join(f"{group.count.floor:g} x {group.shape.name}" for group in groups)


def _kept_by(outcome: Outcome, name: str) -> Any:
    """Return in which worlds a fleet keeps every limit on latency, and every ceiling of one tier."""
    found = np.ones(outcome.cost_usd.size, dtype=bool)
    for missed in outcome.missed.values():
        found &= ~missed
    for figure, broken in outcome.broken.items():
        if figure.partition(".")[0] == name:
            found &= ~broken
    return found
