"""A month of a plan as rows of FOCUS, the FinOps Open Cost and Usage Specification: https://focus.finops.org/focus-specification/.

What is used is a row each, and what is committed besides a row for each of its payments. BilledCost is what is paid in
the month, EffectiveCost what the month costs, a commitment spread over its term: two views that are never added.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, cast

from cascade_plan import registry
from cascade_plan.model.bill import Item
from cascade_plan.model.billed import OTHER, PROVIDERS, Billed, unit_words
from cascade_plan.model.calendar import Month
from cascade_plan.model.commitments import MONTHS_PER_YEAR
from cascade_plan.model.terms import Commitment, commitment_of
from cascade_plan.reports._spreadsheet import written
from cascade_plan.reports.provenance import GIVEN, SPOT, called
from cascade_plan.units import counted, settled

COMMON: Final = (
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd",
    "BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargeFrequency", "ChargePeriodEnd",
    "ChargePeriodStart", "CommitmentDiscountCategory", "CommitmentDiscountId", "CommitmentDiscountName",
    "CommitmentDiscountQuantity", "CommitmentDiscountStatus", "CommitmentDiscountType", "CommitmentDiscountUnit",
    "ConsumedQuantity", "ConsumedUnit", "ContractedCost", "ContractedUnitPrice", "EffectiveCost", "InvoiceId",
    "InvoiceIssuerName", "ListCost", "ListUnitPrice", "PricingCategory", "PricingQuantity", "PricingUnit", "RegionId",
    "RegionName", "ServiceCategory", "ServiceName", "ServiceSubcategory", "Tags",
)  # fmt: skip
"""The columns of every version that a plan can fill. No SKU, resource or invoice: a plan has none."""
OWN: Final = (
    "x_Forecast", "x_Level", "x_Line", "x_PriceAsOf", "x_PriceOrigin", "x_PriceSource", "x_Scenario", "x_ServiceCode",
    "x_Tier", "x_UsageType", "x_Users",
)  # fmt: skip
"""The plan's own: what marks a row as planned, where its price is from, and what a row of a bill is found by."""
UNNAMED: Final = "not named in the scenario"
"""The provider of a line that the scenario gives by hand."""
ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Basis:
    """What all rows of a month have in common."""

    scenario: str
    application: str
    cloud: str
    region: str
    users: int
    """At the peak of the month."""
    level: str
    """The level of the band that is charged."""
    month: Month
    life_month: int = 1
    """The month of the system's life: commitments are bought in the first, and again when their term has ended."""


def columns(version: str) -> tuple[str, ...]:
    """Return the columns of a version: those of FOCUS by name, then the plan's own."""
    return (*sorted((*COMMON, *PROVIDERS[version])), *OWN)


def table(version: str, months: Sequence[tuple[Basis, Sequence[Item]]]) -> str:
    """Return months' lines as CSV under a header."""
    names = columns(version)
    found = (row for basis, items in months for item in items for row in rows(item, basis))
    return written(names, ([row.get(_plain(name), "") for name in names] for row in found))


def _plain(column: str) -> str:
    """Return what a column is called here: all versions' providers are one."""
    return "provider" if column in {name for pair in PROVIDERS.values() for name in pair} else column


def rows(item: Item, basis: Basis) -> Iterator[dict[str, str]]:
    """Yield the rows of a line of the bill: what is used, what a commitment leaves unused, and its payments.

    A line of which nothing is used or paid for in the month has none.
    """
    words = _words(item, basis)
    common = _common(item, basis, words)
    quantity, used = getattr(item.quantity, basis.level), getattr(item.quantity_used, basis.level)
    commitment = commitment_of(item.key.term)
    if commitment is None:
        if quantity:
            yield common | _used(item, words, quantity)
        return
    bought = _Bought(item, commitment, basis, quantity)
    if used:
        yield common | _used(item, words, used) | bought.columns(used, "Used") | {"BilledCost": number(ZERO)}
    if unused := quantity - used:
        yield common | _unused(item, words, unused) | bought.columns(unused, "Unused")
    yield from (common | payment for payment in bought.payments())


def number(value: Decimal) -> str:
    """Return a number as FOCUS has it, with a fraction: a reader that guesses types takes 744 for an integer.

    >>> number(Decimal("744")), number(Decimal("0.0960000")), number(Decimal("1E-9"))
    ('744.0', '0.096', '0.000000001')
    """
    whole, _, fraction = f"{value:zf}".partition(".")
    return f"{whole}.{fraction.rstrip('0') or '0'}"


def moment(day: date) -> str:
    """Return the beginning of a day in UTC."""
    return f"{day:%Y-%m-%d}T00:00:00Z"


def _words(item: Item, basis: Basis) -> Billed:
    """Return how a bill words a line; of a cloud that does not say so, in the words of its price book."""
    if item.key.service == GIVEN:
        return Billed(UNNAMED, item.name, *OTHER, unit_words(item.unit))
    if registry.has("clouds", basis.cloud, "billed"):
        module = registry.load("clouds", basis.cloud, "billed")
        return cast(Billed, module.billed(item.key, item.unit, basis.region))
    return Billed(called(basis.cloud), item.key.service, *OTHER, unit_words(item.unit), region=basis.region)


def _common(item: Item, basis: Basis, words: Billed) -> dict[str, str]:
    start, end = moment(basis.month.first), moment(basis.month.after)
    return {
        "BillingAccountId": f"plan:{basis.scenario}",
        "BillingAccountName": basis.scenario,
        "BillingCurrency": "USD",
        "BillingPeriodEnd": end,
        "BillingPeriodStart": start,
        "ChargePeriodEnd": end,
        "ChargePeriodStart": start,
        "InvoiceIssuerName": words.provider,
        "provider": words.provider,
        "RegionId": basis.region if words.region else "",
        "RegionName": words.region,
        "ServiceCategory": words.category,
        "ServiceName": words.service,
        "ServiceSubcategory": words.subcategory,
        "Tags": json.dumps({"application": basis.application, "tier": item.tier}),
        "x_Forecast": "true",
        "x_Level": basis.level,
        "x_Line": item.name,
        "x_PriceAsOf": item.as_of,
        "x_PriceOrigin": item.origin,
        "x_PriceSource": item.source,
        "x_Scenario": basis.scenario,
        "x_ServiceCode": words.service_code,
        "x_Tier": item.tier,
        "x_UsageType": words.usage_type,
        "x_Users": str(basis.users),
    }


def _used(item: Item, words: Billed, quantity: Decimal) -> dict[str, str]:
    """Return what is used and paid for, a commitment's at its effective rate."""
    committed = commitment_of(item.key.term) is not None
    cost = number(quantity * item.price_usd)
    units = number(quantity * words.unit_count)
    return {
        "BilledCost": cost,
        "ChargeCategory": "Usage",
        "ChargeDescription": f"{item.name}, planned",
        "ChargeFrequency": "Usage-Based",
        "ConsumedQuantity": units,
        "ConsumedUnit": words.unit,
        "ContractedCost": number(quantity * item.on_demand_price_usd),
        "ContractedUnitPrice": number(item.on_demand_price_usd / words.unit_count),
        "EffectiveCost": cost,
        "ListCost": number(quantity * item.list_price_usd),
        "ListUnitPrice": number(item.list_price_usd / words.unit_count),
        "PricingCategory": "Committed" if committed else "Dynamic" if item.key.term == SPOT else "Standard",
        "PricingQuantity": units,
        "PricingUnit": words.unit,
    }


def _unused(item: Item, words: Billed, quantity: Decimal) -> dict[str, str]:
    """Return what of a commitment is paid for and used by nothing: there is no list price of what does not run."""
    nothing = number(ZERO)
    return {
        "BilledCost": nothing,
        "ChargeCategory": "Usage",
        "ChargeDescription": f"{item.name}, committed and not used",
        "ChargeFrequency": "Usage-Based",
        "ContractedCost": nothing,
        "ContractedUnitPrice": number(item.on_demand_price_usd),
        "EffectiveCost": number(quantity * item.price_usd),
        "ListCost": nothing,
        "ListUnitPrice": number(item.list_price_usd),
        "PricingCategory": "Committed",
        "PricingQuantity": nothing,
        "PricingUnit": words.unit,
    }


@dataclass(frozen=True, slots=True)
class _Bought:
    """A commitment that a line is paid by: a number of instances, or an amount of money an hour."""

    item: Item
    commitment: Commitment
    basis: Basis
    hours: Decimal
    """Hours of instances that it pays for in the month."""

    def columns(self, hours: Decimal, status: str) -> dict[str, str]:
        """Return its columns in a row of so many of its hours: of a savings plan the money committed for them."""
        key, whole = self.item.key, self.commitment.is_whole
        kind = "Reserved Instance" if whole else f"{_title(self.commitment.kind)} Savings Plan"
        paid = {"no": "nothing upfront", "partial": "partly upfront", "all": "all upfront"}[self.commitment.upfront]
        return {
            "CommitmentDiscountCategory": "Usage" if whole else "Spend",
            "CommitmentDiscountId": "/".join(
                part for part in (f"plan:{self.basis.scenario}", key.service, key.item, key.variant, key.term) if part
            ),
            "CommitmentDiscountName": f"{kind}, {key.item}, {counted(self.commitment.years, 'year')}, {paid}",
            "CommitmentDiscountQuantity": number(hours if whole else hours * self.item.price_usd),
            "CommitmentDiscountStatus": status,
            "CommitmentDiscountType": "Reserved Instance" if whole else "Savings Plan",
            "CommitmentDiscountUnit": "Hours" if whole else "USD",
        }

    def payments(self) -> Iterator[dict[str, str]]:
        """Yield what is paid for it in the month: once what is upfront, each month what recurs.

        Where nobody says how much is upfront, all of it is taken to recur.
        """
        item, term = self.item, self.commitment
        upfront = item.upfront_usd or ZERO
        begins = (self.basis.life_month - 1) % (term.years * MONTHS_PER_YEAR) == 0
        if upfront and begins:
            yield self._payment("One-Time", item.bought_count, upfront, item.bought_count * term.hours)
        rate = item.price_usd if not upfront else settled(item.price_usd - upfront / term.hours)
        if rate > 0 and not (upfront and term.upfront == "all"):
            yield self._payment("Recurring", self.hours, rate, self.hours)

    def _payment(self, frequency: str, quantity: Decimal, price: Decimal, hours: Decimal) -> dict[str, str]:
        cost = quantity * price
        once = frequency == "One-Time"
        if not self.commitment.is_whole:
            # A savings plan is bought in dollars.
            quantity, price = cost, Decimal(1)
        unit = "USD" if not self.commitment.is_whole else "Units" if once else "Hours"
        paid = "paid upfront" if once else "paid each month"
        if not once and self.item.upfront_usd is None:
            paid += ", with what is paid upfront, which is not known"
        return {
            **self.columns(hours, ""),
            "BilledCost": number(cost),
            "ChargeCategory": "Purchase",
            "ChargeDescription": f"{self.item.name}, {paid}; its cost stands in the rows of usage",
            "ChargeFrequency": frequency,
            "ContractedCost": number(cost),
            "ContractedUnitPrice": number(price),
            "EffectiveCost": number(ZERO),
            "ListCost": number(cost),
            "ListUnitPrice": number(price),
            "PricingCategory": "Standard",
            "PricingQuantity": number(quantity),
            "PricingUnit": unit,
            # What a bill calls the usage is not what it calls the payment.
            "x_UsageType": "",
        }


def _title(kind: str) -> str:
    """Return the kind of a savings plan as a title.

    >>> _title("compute_sp"), _title("ec2_instance_sp")
    ('Compute', 'EC2 Instance')
    """
    words = kind.removesuffix("_sp").split("_")
    return " ".join(word.upper() if any(letter.isdigit() for letter in word) else word.capitalize() for word in words)
