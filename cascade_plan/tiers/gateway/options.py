"""The ways to have a load balancer: one that reads requests, or one that passes connections on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cascade_plan.model.ask import Ask
from cascade_plan.model.option import Option, choices
from cascade_plan.tiers.gateway.settings import Settings

GIVES_UP: Final[Mapping[tuple[str, Any], str]] = {
    ("balancer", "nlb"): "what reads requests: routing by path, and logs and metrics of requests at the balancer",
}
"""Setting and its new value -> what stood for the old one."""


def options(ask: Ask[Settings]) -> Iterator[Option]:
    """Yield each kind of balancer."""
    for balancer in choices(ask, "balancer", ("alb", "nlb")):
        changed = ask.settings.model_copy(update={"balancer": balancer})
        yield Option(balancer.upper(), lambda low, base, own=changed: own)  # type: ignore[misc]
