"""What to commit to over a horizon: pools, purchases, and what they come to. Money is exact and never rounded here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, Protocol

from cascade_plan.model.offer import Offer
from cascade_plan.model.plan import Plan
from cascade_plan.model.price import Price
from cascade_plan.model.terms import CENT, commitment_of

NOTHING: Final = Decimal(0)


def in_cents(amounts: Iterable[Decimal]) -> list[Decimal]:
    """Return amounts of money in whole cents: those up to each of them sum to what the amounts sum to, to the cent.

    >>> [str(cents) for cents in in_cents([Decimal("0.004"), Decimal("0.004"), Decimal("1")])]
    ['0.00', '0.01', '1.00']
    """
    found, exact, said = [], NOTHING, NOTHING
    for amount in amounts:
        exact += amount
        found.append(exact.quantize(CENT) - said)
        said += found[-1]
    return found


class Month(Protocol):
    """A month of a horizon. Months follow one another."""

    @property
    def start(self) -> date:
        """Its first day."""
        ...

    @property
    def hours(self) -> int:
        """The hours it has."""
        ...

    @property
    def plan(self) -> Plan:
        """What runs in it."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """What purchases are held to."""

    upfront_usd_per_month: Decimal | None = None
    """The most that is paid upfront in any one month; None where nothing limits it."""
    term_years_max: int = 3
    """The longest term."""
    on_demand_share: float = 0.0
    """Share of what runs in each month that no purchase is made for: what runs least, at least this share in units."""


@dataclass(frozen=True, slots=True)
class Owned:
    """What was bought before the first month: what it still pays for is not bought again, and its cost is no choice."""

    start: date
    """The first day of its term."""
    offer: Offer
    term: str
    count: int


@dataclass(frozen=True, slots=True)
class Pool:
    """Instances that one reservation can pay for."""

    unit: Offer
    """What everything in it is counted in: a size of its family."""
    tiers: tuple[str, ...]
    """Whose instances they are."""
    on_demand_usd_monthly: tuple[Decimal, ...]
    """What of it that is not paid for already costs on demand in each month."""

    @property
    def name(self) -> str:
        """Its unit in words, with what else decides its price."""
        return " ".join((self.unit.name, *self.unit.options))


@dataclass(frozen=True, slots=True)
class Purchase:
    """A commitment that is bought in a month. Amounts by month are of the horizon's months, 0 before it is bought."""

    month: int
    """Of the horizon; the first one is 1."""
    start: date
    pool: Pool
    offer: Offer
    """What is bought, or for a savings plan what its money an hour pays for."""
    term: str
    count: int
    price: Price
    """Of one, with its source and date."""
    upfront_usd: Decimal
    usd_per_month: Decimal
    """Still paid each month of 730 hours."""
    saves_usd: Decimal
    """What it replaces on demand within the horizon, less what it costs there."""
    paid_back_months: int | None
    """Months until what it replaces has brought its upfront back, which what runs must last to; 0 where nothing is paid
    upfront, None where the term ends before. After the horizon as much runs as in its last month."""
    effective_usd_monthly: tuple[Decimal, ...]
    """Its cost, the upfront spread over the hours of its term."""
    cash_usd_monthly: tuple[Decimal, ...]
    """What is paid."""
    replaced_usd_monthly: tuple[Decimal, ...]
    """What the units it pays for would cost on demand."""
    after_usd: Decimal
    """What it costs after the horizon, its upfront spread as before."""
    owed_usd_after: Decimal
    """What is paid of that then: the rest is paid upfront."""

    @property
    def effective_usd(self) -> Decimal:
        """What it costs within the horizon."""
        return sum(self.effective_usd_monthly, NOTHING)

    @property
    def less_usd_per_month(self) -> Decimal:
        """By how much less is paid in the month it is bought in, its upfront aside."""
        at = self.month - 1
        return self.replaced_usd_monthly[at] - (self.cash_usd_monthly[at] - self.upfront_usd)

    @property
    def committed_usd_per_hour(self) -> Decimal:
        """What a savings plan commits to for every hour; 0 for a reservation."""
        commitment = commitment_of(self.term)
        return NOTHING if commitment is None or commitment.is_whole else self.count * self.price.usd


@dataclass(frozen=True, slots=True)
class Outlay:
    """A month's cost of the instances of all pools: hours only, of those that the scenario's own terms do not pay for.

    A month's whole bill with the purchases is what it was, less `all_on_demand_usd`, and `effective_usd` or `cash_usd`.
    """

    start: date
    hours: int
    all_on_demand_usd: Decimal
    """With nothing bought."""
    on_demand_usd: Decimal
    """Of what no purchase pays for."""
    effective_usd: Decimal
    """That, and the month's part of the purchases."""
    cash_usd: Decimal
    """That, and what is paid for purchases in it."""


@dataclass(frozen=True, slots=True)
class Valuation:
    """The cheapest purchases where nothing runs after the horizon: every term is charged whole."""

    purchases: tuple[Purchase, ...]
    cost_usd: Decimal
    bound_usd: Decimal
    """What no schedule costs less than."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """What becomes of the purchases if as much runs as in the first month, all the time."""

    on_demand_usd: Decimal
    """Nothing bought."""
    least_usd: Decimal
    """What it would have cost had that been known."""
    orders_usd: Decimal
    """The first month's purchases made, and nothing that is known not to pay after them."""
    blindly_usd: Decimal
    """All purchases of the schedule made all the same."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """What to buy over a horizon, and what proves that nothing is cheaper.

    Only the first month's purchases are decisions: the others are an outlook, made again each month. Costs count each
    term's months within the horizon, as what runs then is taken to last; `zero` counts terms whole.
    """

    pools: tuple[Pool, ...]
    purchases: tuple[Purchase, ...]
    months: tuple[Outlay, ...]
    on_demand_usd: Decimal
    """The horizon's instances with nothing bought."""
    cost_usd: Decimal
    """With the purchases: the sum of the months' effective costs."""
    bound_usd: Decimal
    """What no schedule within the limits costs less than. The cost where it is proved to be the least."""
    liability_usd: Decimal
    """What the purchases cost after the horizon, the upfront spread over the terms."""
    owed_usd_after: Decimal
    """What is still to be paid of that; the rest is paid upfront."""
    zero: Valuation
    stopped: Stopped
    rules_usd: Mapping[str, Decimal]
    """What other ways to buy cost: on demand, all now for the deepest discount, by looking back."""
    not_offered: tuple[str, ...]
    """Terms that are no choice here, and instances that are in no pool, with why."""

    @property
    def orders(self) -> tuple[Purchase, ...]:
        """What is to be bought now."""
        return tuple(purchase for purchase in self.purchases if purchase.month == 1)

    @property
    def gap_usd(self) -> Decimal:
        """How much less another schedule could cost at most; 0 where there is none."""
        return self.cost_usd - self.bound_usd

    @property
    def saves_usd(self) -> Decimal:
        """What the purchases save within the horizon."""
        return self.on_demand_usd - self.cost_usd


Months = Sequence[Month]
