"""The cheapest fleet that keeps every promise in most of the drawn worlds, exactly for these worlds.

The same search, in which a fleet must besides be kept in a share of the worlds, the same ones for every fleet. What a tier
alone misses, beside a rest with plenty of everything, a fleet with it misses too: fleets whose parts leave too few worlds
together are not asked. More nodes at the peak cost little on average: as many stand there as the share asks for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from cascade_plan.choosing.candidates import Candidate, World
from cascade_plan.choosing.search import Fit, Search, fit
from cascade_plan.choosing.worlds import Worlds
from cascade_plan.errors import CascadePlanError
from cascade_plan.formulas.losses import least_count
from cascade_plan.model.tier import Bought, Settings
from cascade_plan.planning.sizing import Brief

GLANCE: Final = 512
"""Worlds in which a tier alone is looked at."""
DOUBT: Final = 0.02
"""By how much a share of so many worlds may be below that of all: a tier is struck only below that (1.5 deviations)."""
PLENTY: Final = 60
"""Instances of the largest shape that the rest of a fleet has, where a count scales."""
PEAK_MOST: Final = 6
"""Times the nodes of the plan that may stand at the peak."""
Masks = dict[tuple[Any, ...], Any]
"""Tier, option and count -> in which of the first worlds it keeps all by itself."""


class SureSearch(Search):
    """A search for a fleet that is kept in a share of the worlds."""

    def __init__(
        self, brief: Brief, worlds: Worlds, share: float, months: Sequence[Brief] = (), masks: Masks | None = None
    ) -> None:
        """Take the worlds, and in which share of them all must be kept; `masks` is what is known of tiers alone."""
        super().__init__(brief, months)
        self.worlds_drawn, self.share = worlds, share
        self.glance = worlds.first(GLANCE)
        self.masks = {} if masks is None else masks
        self.asked_count = 0
        """Fleets that were asked in all worlds."""

    def fit(self, world: World, layout: int, chosen: Mapping[str, Candidate]) -> tuple[Fit | None, str]:
        """Return the fleet of some candidates with enough nodes at the peak, or that it is not kept often enough."""
        kept = np.ones(GLANCE, dtype=bool)
        for name, candidate in chosen.items():
            kept &= self._alone(world, layout, name, candidate)
            if kept.mean() < self.share - DOUBT:
                return None, f"{name}: kept in {kept.mean():.0%} of the worlds whatever the rest"
        found, why = fit(world, layout, chosen)
        if found is None:
            return None, why
        return self._with_enough_at_peak(world, layout, chosen, found)

    def _alone(self, world: World, layout: int, name: str, candidate: Candidate) -> Any:
        """Return in which of the first worlds a candidate keeps all beside plenty of everything else."""
        place = layout if name in world.hosts else -1
        key = (place, name, candidate.option.words, candidate.low, str(candidate.settings.kind))
        if key not in self.masks:
            plenty = self._plenty(world)
            most = PEAK_MOST * max(1, candidate.base)
            plenty[name] = (
                candidate.option.at(candidate.low, most) if candidate.option.is_scaled else candidate.settings
            )
            try:
                scenario, fleet = world.whole(plenty)
                self.masks[key] = self.glance.outcome(fleet, scenario).kept
            except CascadePlanError:
                self.masks[key] = np.ones(GLANCE, dtype=bool)
        return self.masks[key]

    def _plenty(self, world: World) -> dict[str, Settings]:
        """Return settings of every tier that never bind: its largest option, in plenty where a count scales."""
        found: dict[str, Settings] = {}
        for name, options in world.options.items():
            fitting = [option for option in options if not option.unfit]
            largest = max(fitting, key=world.size_of)
            count = min(largest.count_max, PLENTY * max(1, largest.count_min) if largest.is_scaled else
                        max(1, largest.count_min))  # fmt: skip
            found[name] = largest.at(count, count)
        return found

    def _with_enough_at_peak(
        self, world: World, layout: int, chosen: Mapping[str, Candidate], found: Fit
    ) -> tuple[Fit | None, str]:
        """Return the fleet with the least nodes at the peak that keep it often enough, in proportion where several scale."""
        known: dict[int, tuple[Fit | None, float]] = {}

        def at(percent: int) -> tuple[Fit | None, float]:
            if percent not in known:
                known[percent] = self._raised(world, layout, chosen, found, percent)
            return known[percent]

        most = 100 * PEAK_MOST
        if at(most)[1] < self.share:
            return None, f"kept in {at(most)[1]:.0%} of the worlds"
        percent = (
            100
            if at(100)[1] >= self.share
            else 5 * least_count(lambda five: at(5 * five)[1] >= self.share, most // 5, 24)
        )
        best, share = at(percent)
        return (best, "") if best is not None else (None, f"kept in {share:.0%} of the worlds")

    def _raised(
        self, world: World, layout: int, chosen: Mapping[str, Candidate], found: Fit, percent: int
    ) -> tuple[Fit | None, float]:
        """Return the fleet with so many percent of its nodes at the peak, and the share of worlds that keep it."""
        settings: dict[str, Settings] = {name: found.scenario.tiers[name] for name in found.scenario.tiers}
        for name, candidate in chosen.items():
            if candidate.option.is_scaled:
                base = found.fleet.tiers[name].levers[0].base_count
                raised = candidate.option.at(candidate.low, -(-base * percent // 100))
                own = settings[name]
                if isinstance(raised, Bought) and isinstance(own, Bought):
                    raised = raised.model_copy(update={"purchase": own.purchase})
                settings[name] = raised
        try:
            scenario, fleet = world.whole(settings)
        except CascadePlanError:
            return None, 0.0
        self.asked_count += 1
        share = self.worlds_drawn.outcome(fleet, scenario).kept_ratio
        usd, upfront, missing = world.cost_of_all(settings, fleet)
        raised_fit = replace(
            found, scenario=scenario, fleet=fleet, cost_usd=usd, upfront_usd=upfront, unpriced=tuple(missing)
        )
        return raised_fit, share
