"""Lines of the bill that are given by hand."""

from __future__ import annotations

from decimal import Decimal

from cascade_plan.errors import UsageError
from cascade_plan.model.ask import Ask
from cascade_plan.model.fleet import Band, Sized, Usage
from cascade_plan.model.offer import Offer
from cascade_plan.tiers.extra.settings import Line, Settings

AFTER: tuple[str, ...] = ()
BY_HAND = "by_hand"
"""What such a line buys: nothing that a cloud sells, its price stands in the scenario."""


def size(ask: Ask[Settings]) -> Sized:
    """Return a metered use for each line, with its price.

    Raises UsageError for a line by registered users where the scenario does not say how many there are.
    """
    usages = tuple(_usage(ask, name, line) for name, line in ask.settings.lines.items())
    return Sized(
        ask.name,
        "extra",
        usages=usages,
        not_emitted=tuple(f"{usage.name}: bought by hand" for usage in usages),
    )


def _usage(ask: Ask[Settings], name: str, line: Line) -> Usage:
    called = name.replace("_", " ")
    amount, unit, price = _counted(ask, name, line)
    return Usage(
        ask.name, called, Offer(BY_HAND, called), Band.constant(amount), unit, price_usd=price, source=line.source
    )


def _counted(ask: Ask[Settings], name: str, line: Line) -> tuple[float, str, Decimal]:
    """Return (amount a month, its unit, the price of one)."""
    if line.usd_per_user_month is not None:
        users = getattr(ask.scenario.users, line.users)
        if users is None:
            place = ask.own(f"lines.{name}.users")
            raise UsageError(f"{place.origin}: {place.name}: users.registered is not given")
        return float(users), f"{line.users} users", _price(line.usd_per_user_month)
    if line.units_per_month is not None and line.usd_per_unit is not None:
        return line.units_per_month, line.unit, _price(line.usd_per_unit)
    return 1.0, "month", _price(line.usd_per_month or 0.0)


def _price(usd: float) -> Decimal:
    return Decimal(str(usd))
