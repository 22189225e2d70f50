"""What commitments cover of the hours that run, how much of them is used, and which of them do not pay."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cascade_plan.model.bill import NOTHING, Amounts, Bill, Item
from cascade_plan.model.commitments import exact_share
from cascade_plan.model.derivation import Derivation, Finding
from cascade_plan.model.fleet import LEVELS, NodeGroup
from cascade_plan.model.terms import commitment_of
from cascade_plan.units import settled

COVERAGE: Final = "commitment_coverage_ratio"
UTILIZATION: Final = "commitment_utilization_ratio"
SOURCE: Final = "https://docs.aws.amazon.com/cost-management/latest/userguide/ce-default-reports.html"
"""What AWS's reports call coverage and utilization of reservations and of savings plans."""


def figures(bill: Bill, groups: tuple[NodeGroup, ...]) -> Iterator[Derivation]:
    """Yield the coverage and the utilization of each tier that commits to something, at each level of the band.

    Both are weighed at on-demand prices: in a family that is the same as normalised units, and plans are money. A tier
    of which a price on demand is not known has neither.
    """
    for tier in dict.fromkeys(group.tier for group in groups if _committed(group)):
        names = {group.name for group in groups if group.tier == tier}
        if any(line.group in names and line.on_demand_usd is None for line in bill.unpriced):
            continue
        running = paid = covered = NOTHING
        for part, used, bought in _hours(bill, names):
            running = running.plus(used)
            if commitment_of(part) is not None:
                covered, paid = covered.plus(used), paid.plus(bought)
        yield from _by_level(tier, COVERAGE, covered, running, "of all that run, both at on-demand prices")
        if paid.ceiling:
            yield from _by_level(tier, UTILIZATION, covered, paid, "that are paid for, both at on-demand prices")


def _committed(group: NodeGroup) -> bool:
    return any(commitment_of(part.term) is not None for part in group.terms)


def _hours(bill: Bill, groups: set[str]) -> Iterator[tuple[str, Amounts, Amounts]]:
    """Yield the term of each line of instance hours, and what is used and what is paid for, at on-demand prices."""
    for item in bill.items:
        if item.group in groups and item.unit == "hour":
            yield item.key.term, item.list_cost_usd, item.quantity.times(item.list_price_usd)
    for line in bill.unpriced:
        if line.group in groups and line.unit == "hour" and line.on_demand_usd is not None:
            yield line.term, line.on_demand_usd, line.on_demand_usd


def _by_level(tier: str, leaf: str, part: Amounts, whole: Amounts, of: str) -> Iterator[Derivation]:
    for level in LEVELS:
        if total := getattr(whole, level):
            ratio = float(getattr(part, level) / total)
            formula = f"hours that commitments pay for and that run / hours {of}"
            yield Derivation(f"{tier}.{leaf}.{level}", ratio, "of 1", formula, source=SOURCE)


def findings(bill: Bill, groups: tuple[NodeGroup, ...]) -> list[Finding]:
    """Return the shares that buy nothing, the terms that cost more than on demand, and what is paid and not used."""
    return [*_bought_none(bill, groups), *_dearer(bill), *_unused(bill)]


def _bought_none(bill: Bill, groups: tuple[NodeGroup, ...]) -> Iterator[Finding]:
    bought = {(item.group, item.key.term) for item in bill.items} | {(line.group, line.term) for line in bill.unpriced}
    for group in groups:
        for part in group.terms:
            if commitment_of(part.term) is not None and (group.name, part.term) not in bought:
                count = getattr(group.count, part.level)
                running = "run all month" if part.level == "floor" else f"run at the {part.level}"
                yield Finding(
                    "warning",
                    "share-buys-none",
                    f"{part.term} on {exact_share(part).normalize():f} of the {count:g} {group.name} that {running} "
                    "buys none: a reservation is bought for whole instances, and the book has none as small",
                    f"tiers.{group.tier}.purchase",
                )


def _dearer(bill: Bill) -> Iterator[Finding]:
    for item in bill.items:
        if item.key.term == "on_demand" or item.price_usd <= item.on_demand_price_usd:
            continue
        is_spot = item.key.term == "spot"
        lost = settled((item.price_usd - item.on_demand_price_usd) * item.quantity_used.average)
        yield Finding(
            "warning",
            "spot-dearer" if is_spot else "commitment-dearer",
            f"{item.name} costs {item.price_usd.normalize():f} USD an hour, more than on demand "
            f"({item.on_demand_price_usd.normalize():f}): {'pay it on demand' if is_spot else 'it never pays'}",
            f"tiers.{item.tier}.purchase",
            lost,
        )


def _unused(bill: Bill) -> Iterator[Finding]:
    for item in bill.items:
        if lost := settled(item.unused_usd.average):
            share = item.quantity_used.average / item.quantity.average
            yield Finding(
                "warning",
                "commitment-unused",
                f"{item.name}: {share:.0%} of it is used at the average; the rest costs ${lost:,.2f} a month for "
                f"nothing{_still(item)}",
                f"tiers.{item.tier}.commitment_level",
                lost,
            )


def _still(item: Item) -> str:
    """Return whether a commitment that is used in part costs less than on demand all the same."""
    paid, on_demand = item.cost_usd.average, item.quantity_used.average * item.on_demand_price_usd
    return ", and it is cheaper than on demand all the same" if paid < on_demand else ", more than on demand costs"
