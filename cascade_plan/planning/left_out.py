"""What a bill leaves out that there usually is, with what it costs by its defaults."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from cascade_plan import registry
from cascade_plan.model.bill import Item
from cascade_plan.model.fleet import Fleet
from cascade_plan.model.tier import Settings, settings_class
from cascade_plan.planning import sizing
from cascade_plan.planning.sizing import Brief

LEAST_USD = Decimal("0.5")
"""Less a month is not worth a line."""


def left_out(brief: Brief, fleet: Fleet) -> Iterator[str]:
    """Yield, in words with an amount, each optional kind of tier that the scenario does not have.

    A kind whose use the cloud does not sell, or which costs next to nothing for this load, is passed over.
    """
    for kind in registry.names(sizing.TIERS):
        settings = settings_class(kind)
        if not settings.OPTIONAL or brief.scenario.of(kind):
            continue
        usd = _cost(brief, fleet, kind, settings.model_validate({}))
        if usd is not None and usd >= LEAST_USD:
            yield f"{settings.OPTIONAL}: about ${usd:,.0f} a month by the defaults of tiers.{kind}"


def _cost(brief: Brief, fleet: Fleet, kind: str, settings: Settings) -> Decimal | None:
    """Return what an instance of a kind costs a month at the mean load; None where not all of it has a price."""
    scenario = brief.scenario.model_copy(update={"tiers": {**brief.scenario.tiers, kind: settings}})
    sized = sizing.sized(replace(brief, scenario=scenario), kind, settings, fleet.tiers, None)
    offers = [usage.offer for usage in sized.usages] + [group.offer for group in sized.groups]
    if not all(map(brief.cloud.sells, offers)):
        return None
    lines = list(brief.cloud.lines(Fleet({kind: sized}, fleet.hours_per_month), brief.book))
    items = [line for line in lines if isinstance(line, Item)]
    return sum((item.cost_usd.average for item in items), Decimal(0)) if len(items) == len(lines) else None
