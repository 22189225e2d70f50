"""A month of a plan as rows of FOCUS, the FinOps Open Cost and Usage Specification: https://focus.finops.org/focus-specification/.

What is used is a row each, and what is committed besides a row for each of its payments. BilledCost is what is paid in
the month, EffectiveCost what the month costs, a commitment spread over its term: two views that are never added.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, cast

from cascade_plan import registry
from cascade_plan.model.bill import Item
from cascade_plan.model.billed import OTHER, PROVIDERS, Billed, unit_words
from cascade_plan.model.calendar import Month
from cascade_plan.model.commitments import MONTHS_PER_YEAR
from cascade_plan.model.held import Held
from cascade_plan.model.plan import Plan
from cascade_plan.model.price import PriceKey
from cascade_plan.model.terms import CENT, Commitment, commitment_of, recurring_of
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

    @classmethod
    def of(cls, plan: Plan, month: Month) -> Basis:
        """Return what the rows of a plan have in common in a month that it was made for."""
        scenario = plan.scenario
        return cls(
            scenario=scenario.name,
            application=plan.application,
            cloud=scenario.cloud,
            region=scenario.region,
            users=scenario.users.peak,
            level=scenario.budget.level,
            month=month,
        )


def columns(version: str) -> tuple[str, ...]:
    """Return the columns of a version: those of FOCUS by name, then the plan's own."""
    return (*sorted((*COMMON, *PROVIDERS[version])), *OWN)


def table(version: str, months: Iterable[tuple[Basis, Sequence[Item], Sequence[Held]]]) -> str:
    """Return months' lines as CSV under a header: the items of each bill, and what is committed to."""
    names = columns(version)
    found = (row for basis, items, held in months for row in rows(basis, items, held))
    return written(names, ([row.get(_plain(name), "") for name in names] for row in found))


def _plain(column: str) -> str:
    """Return what a column is called here: all versions' providers are one."""
    return "provider" if column in {name for pair in PROVIDERS.values() for name in pair} else column


def rows(basis: Basis, items: Sequence[Item], held: Sequence[Held]) -> Iterator[dict[str, str]]:
    """Yield the rows of a month: what is used, what a commitment leaves unused, and its payments.

    A line of which nothing is used or paid for in the month has none.
    """
    bought: dict[tuple[str, str, PriceKey], list[Held]] = {}
    for each in held:
        bought.setdefault(_line(each.item), []).append(each)
    for item in items:
        if commitment_of(item.key.term) is not None:
            used = getattr(item.quantity_used, basis.level)
            yield from _committed(item, basis, used, bought.pop(_line(item), []))
        elif quantity := getattr(item.quantity, basis.level):
            words = _words(item, basis)
            cost = number(quantity * item.price_usd)
            yield (
                _common(item, basis, words) | _used(item, words, quantity) | {"BilledCost": cost, "EffectiveCost": cost}
            )
    for others in bought.values():
        # Its line is on the bill no more, and its term has not ended.
        yield from _committed(others[-1].item, basis, ZERO, others)


def held(items: Sequence[Item], level: str, life_month: int) -> tuple[Held, ...]:
    """Return what the lines of one bill commit to.

    All is bought in the first month of the system's life, and again when its term has ended.
    """
    found = []
    for item in items:
        if (term := commitment_of(item.key.term)) is None:
            continue
        hours = getattr(item.quantity, level)
        begins = (life_month - 1) % (term.years * MONTHS_PER_YEAR) == 0
        upfront = ((item.upfront_usd or ZERO) * item.bought_count).quantize(CENT) if begins else ZERO
        recurring = hours * recurring_of(item.key.term, item.price_usd, item.upfront_usd)
        found.append(Held(item, item.bought_count, hours, hours * item.price_usd, upfront, recurring))
    return tuple(found)


def _line(item: Item) -> tuple[str, str, PriceKey]:
    """Return what a line stays from month to month: its name may say of how many it is."""
    return item.tier, item.group, item.key


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
    """Return what is used, but for what is paid for it."""
    committed = commitment_of(item.key.term) is not None
    units = number(quantity * words.unit_count)
    return {
        "ChargeCategory": "Usage",
        "ChargeDescription": f"{item.name}, planned",
        "ChargeFrequency": "Usage-Based",
        "ConsumedQuantity": units,
        "ConsumedUnit": words.unit,
        "ContractedCost": number(quantity * item.on_demand_price_usd),
        "ContractedUnitPrice": number(item.on_demand_price_usd / words.unit_count),
        "ListCost": number(quantity * item.list_price_usd),
        "ListUnitPrice": number(item.list_price_usd / words.unit_count),
        "PricingCategory": "Committed" if committed else "Dynamic" if item.key.term == SPOT else "Standard",
        "PricingQuantity": units,
        "PricingUnit": words.unit,
    }


def _unused(item: Item, words: Billed) -> dict[str, str]:
    """Return what of a commitment nothing uses, but for what it costs: what does not run has no list price."""
    nothing = number(ZERO)
    return _used(item, words, ZERO) | {
        "ChargeDescription": f"{item.name}, committed and not used",
        "ConsumedQuantity": "",
        "ConsumedUnit": "",
        "ContractedCost": nothing,
        "ListCost": nothing,
    }


def _committed(item: Item, basis: Basis, used: Decimal, held: Sequence[Held]) -> Iterator[dict[str, str]]:
    """Yield the rows of a line that is committed to: what is used of it, what is not, and what is paid."""
    words = _words(item, basis)
    common = _common(item, basis, words)
    hours = sum((each.hours for each in held), ZERO)
    cost = sum((each.cost_usd for each in held), ZERO)
    covered = cost if used == hours else settled(cost * used / hours)
    for quantity, usd, status, row in (
        (used, covered, "Used", _used(item, words, used)),
        (hours - used, cost - covered, "Unused", _unused(item, words)),
    ):
        if quantity:
            paid = {"BilledCost": number(ZERO), "EffectiveCost": number(usd)}
            yield common | row | _discount(item, basis, status, quantity, usd) | paid
    for each in held:
        yield from (common | payment for payment in _payments(each, basis))


def _discount(item: Item, basis: Basis, status: str, hours: Decimal, usd: Decimal) -> dict[str, str]:
    """Return a commitment's columns: so many of its hours, or of a savings plan so much of its money."""
    key, commitment = item.key, _commitment(item)
    whole = commitment.is_whole
    kind = "Reserved Instance" if whole else f"{_title(commitment.kind)} Savings Plan"
    paid = {"no": "nothing upfront", "partial": "partly upfront", "all": "all upfront"}[commitment.upfront]
    named = (f"plan:{basis.scenario}", key.service, key.item, key.variant, key.term)
    return {
        "CommitmentDiscountCategory": "Usage" if whole else "Spend",
        "CommitmentDiscountId": "/".join(part for part in named if part),
        "CommitmentDiscountName": f"{kind}, {key.item}, {counted(commitment.years, 'year')}, {paid}",
        "CommitmentDiscountQuantity": number(hours if whole else usd),
        "CommitmentDiscountStatus": status,
        "CommitmentDiscountType": "Reserved Instance" if whole else "Savings Plan",
        "CommitmentDiscountUnit": "Hours" if whole else "USD",
    }


def _payments(held: Held, basis: Basis) -> Iterator[dict[str, str]]:
    """Yield what is paid for a commitment in the month: once what is upfront, each month what recurs."""
    item, term = held.item, _commitment(held.item)
    if held.upfront_usd:
        of_term = held.count * term.hours
        columns = _discount(item, basis, "", of_term, of_term * item.price_usd)
        price = item.upfront_usd or ZERO
        yield columns | _payment(item, "One-Time", held.upfront_usd, held.count, price, "paid upfront")
    if held.recurring_usd:
        columns = _discount(item, basis, "", held.hours, held.cost_usd)
        price = recurring_of(item.key.term, item.price_usd, item.upfront_usd)
        unknown = ", with what is paid upfront, which is not known" if item.upfront_usd is None else ""
        words = f"paid each month{unknown}"
        yield columns | _payment(item, "Recurring", held.recurring_usd, held.hours, price, words)


def _payment(
    item: Item, frequency: str, usd: Decimal, quantity: Decimal, price_usd: Decimal, words: str
) -> dict[str, str]:
    """Return a payment: of a savings plan, and of what comes to cents only together, in dollars."""
    unit = "Units" if frequency == "One-Time" else "Hours"
    if not _commitment(item).is_whole or quantity * price_usd != usd:
        unit, quantity, price_usd = "USD", usd, Decimal(1)
    cost, price = number(usd), number(price_usd)
    return {
        "BilledCost": cost,
        "ChargeCategory": "Purchase",
        "ChargeDescription": f"{item.name}, {words}; its cost stands in the rows of usage",
        "ChargeFrequency": frequency,
        "ContractedCost": cost,
        "ContractedUnitPrice": price,
        "EffectiveCost": number(ZERO),
        "ListCost": cost,
        "ListUnitPrice": price,
        "PricingCategory": "Standard",
        "PricingQuantity": number(quantity),
        "PricingUnit": unit,
        # What a bill calls the usage is not what it calls the payment.
        "x_UsageType": "",
    }


def _commitment(item: Item) -> Commitment:
    found = commitment_of(item.key.term)
    assert found is not None, "what is held was committed to"
    return found


def _title(kind: str) -> str:
    """Return the kind of a savings plan as a title.

    >>> _title("compute_sp"), _title("ec2_instance_sp")
    ('Compute', 'EC2 Instance')
    """
    words = kind.removesuffix("_sp").split("_")
    return " ".join(word.upper() if any(letter.isdigit() for letter in word) else word.capitalize() for word in words)
