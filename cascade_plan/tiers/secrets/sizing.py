"""A store of secrets: what is kept, and how often it is read."""

from __future__ import annotations

from cascade_plan.model.ask import Ask
from cascade_plan.model.fleet import Band, Sized, Usage
from cascade_plan.model.offer import Offer
from cascade_plan.tiers.secrets.settings import Settings

AFTER: tuple[str, ...] = ()


def size(ask: Ask[Settings]) -> Sized:
    """Return the secrets and the requests for them."""
    kept, asked = Band.constant(ask.settings.count), Band.constant(ask.settings.million_requests_per_month)
    usages = (
        Usage(ask.name, "secrets", Offer("secret"), kept, "secret_month"),
        Usage(ask.name, "requests for secrets", Offer("secret_requests"), asked, "million_requests"),
    )
    return Sized(
        ask.name,
        "secrets",
        usages=usages,
        not_emitted=tuple(f"{usage.name}: kept by hand" for usage in usages),
    )
