"""The ways to have a load balancer: one that reads requests, or one that passes connections on."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.model.ask import Ask
from cascade_plan.model.option import Option, choices
from cascade_plan.tiers.gateway.settings import Settings


def options(ask: Ask[Settings]) -> Iterator[Option]:
    """Yield each kind of balancer."""
    for balancer in choices(ask, "balancer", ("alb", "nlb")):
        changed = ask.settings.model_copy(update={"balancer": balancer})
        yield Option(balancer.upper(), lambda low, base, own=changed: own)  # type: ignore[misc]
