"""How many connections requests hold at least behind some tiers, however the rest of the fleet keeps them waiting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Final

from cascade_plan.planning.chain import Chain
from cascade_plan.planning.predicting import worst_state

SPANS: Final = tuple(1 / 2**power for power in range(8, -1, -1))
"""Ends of the spans that a wait is looked at in, as shares of the longest: short ones where it matters most."""


def fewest_held(on: Chain, users: int, longest_s: float) -> dict[str, float]:
    """Return place -> how many of it acting users hold at least, where the rest of the fleet may make them wait.

    `on` is the chain on which nobody waits for the rest, `longest_s` the longest mean wait that keeps every limit. Who
    waits comes back later, so that less is asked and held; but who waits in a loop that requests come back to holds on
    meanwhile. Of each span of waits both are taken at the end that holds less. X = N / (Z + R), Little's law.
    """
    ratio = _held_per_wait(on)
    found: dict[str, float] = {}
    for least_s, most_s in pairwise((0.0, *(share * longest_s for share in SPANS))):
        state = worst_state(replace(on, think_s=on.think_s + most_s), users)
        for name, count in state.held_count.items():
            held = count + state.requests_per_s * ratio.get(name, 0.0) * least_s
            found[name] = min(held, found.get(name, held))
    return found


def _held_per_wait(on: Chain) -> Mapping[str, float]:
    """Return place -> for how long a request holds it longer for each second it waits longer in all, at least.

    Nothing where it may wait somewhere else than in the loops of services, or while it holds what it has.
    """
    within = {step.place for way in on.ways for hold in way.holds for step in hold.steps}
    if any(step.place not in within for way in on.ways for step in way.steps):
        return {}
    found = {}
    for name in on.held:
        ratios = []
        for service in {way.service for way in on.ways}:
            own = [way for way in on.ways if way.service == service]
            comings = sum(way.share * (1 + sum(gap.times for gap in way.awaits)) for way in own)
            trips = sum(
                way.share * hold.times * hold.trip_count for way in own for hold in way.holds if hold.place == name
            )
            ratios.append(trips / comings if service in on.loops else 0.0)
        found[name] = min(ratios, default=0.0)
    return found
