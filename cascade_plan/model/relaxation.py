"""What a scenario asks for that could be given up, and what giving it up is worth, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, NamedTuple

Kind = Literal["loss", "promise", "part", "data", "choice", "payment", "stricter"]
"""loss: what may be lost. promise: a limit on a figure. part: what the system has. data: what it keeps. choice: what
the search may not choose. payment: how it may pay. stricter: no relaxation, but what more of a promise would cost."""


class Relaxation(NamedTuple):
    """A requirement of the scenario that can be given up, and how."""

    name: str
    """The requirement in plain words: a zone may be lost."""
    gives_up: str
    """What is lost with it: the service, while a zone is away."""
    overrides: Mapping[str, Any]
    """Values by their dotted paths in the scenario, as `--set` takes them; a key with dots stands in quotes."""
    kind: Kind
    keeps: tuple[str, ...] = ()
    """Settings that the search must then leave as `overrides` have them."""
    frees: tuple[str, ...] = ()
    """Of what the search must leave alone, what it may then choose."""
    counts_stay: bool = False
    """Whether every way to have a tier needs the same counts without it: only prices change, or what nobody waits for.
    What the search found out of these is then taken over."""


@dataclass(frozen=True, slots=True)
class Relaxed:
    """The cheapest fleet without some requirements, by a search of its own."""

    names: tuple[str, ...]
    """The requirements that are given up."""
    cost_usd_per_month: Decimal | None
    """None where even without them no fleet keeps the others."""
    upfront_usd: Decimal | None
    """What is paid on the first day; None without a fleet."""
    saves_usd: Decimal | None
    """A month, against the cheapest fleet that keeps all; below 0 where it costs more. None where one has no cost."""
    gives_up: tuple[str, ...]
    """What is lost with each."""
    overrides: tuple[str, ...]
    """The changes, as `--set` takes them: path=value."""
    kind: Kind
    """Of the first."""


@dataclass(frozen=True, slots=True)
class WhyNot:
    """What each requirement costs; and where a budget cannot be met, why, and what could be given up."""

    budget_usd_per_month: Decimal | None
    """What a month must cost less than; None where nothing says."""
    cost_usd_per_month: Decimal | None
    """Of the cheapest fleet that keeps all requirements; None where there is none."""
    marginal: tuple[Relaxed, ...]
    """Each requirement given up alone, what saves most first, and then what stricter promises would cost."""
    irreducible: tuple[str, ...]
    """Requirements that cannot be kept together within the budget, though all others be given up: without any one of
    them it is met. Empty where the budget is met, and where it is not even with all of them given up."""
    least_usd_per_month: Decimal | None
    """What the cheapest fleet costs with all of them given up; None where the budget is met, or there is none."""
    sets: tuple[Relaxed, ...]
    """Fewest requirements without which the budget is met, the cheapest first; none of them is part of another."""
    sets_left_count: int
    """Sets that were not looked at and could meet it."""
    crossing_users: int | None
    """Users at peak from which on the same requirements cost less than the budget per 1000; None where no peak up to
    `looked_at_users` does, and where the budget is met already or is not per 1000 users."""
    looked_at_users: int
    """The most users at peak that were looked at; 0 where none were."""

    @property
    def is_met(self) -> bool:
        """Whether the cheapest fleet costs less than the budget, or nothing says what it may cost."""
        budget, cost = self.budget_usd_per_month, self.cost_usd_per_month
        return cost is not None and (budget is None or cost < budget)
