"""The bill by tier: a row for each with all that it costs, and their exact total."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from cascade_plan.model.bill import NOTHING
from cascade_plan.model.fleet import NodeGroup
from cascade_plan.model.plan import Plan
from cascade_plan.reports import _words as words
from cascade_plan.reports._fitting import fitted
from cascade_plan.reports.plans import _facts as facts
from cascade_plan.reports.plans._shares import apportioned

CENT: Final = Decimal("0.01")
HEADERS: Final = ("tier", "fleet", "nodes", "USD/month", "share")
NUMBERS: Final = (2, 3, 4)
NAME: Final = 28
"""Columns that a tier's name has."""


@dataclass(frozen=True, slots=True)
class Tier:
    """What a tier runs on and costs a month."""

    name: str
    fleet: tuple[str, ...]
    """Shapes, replicas, pods and terms in words; of a tier without machines, what it pays for, the dearest first."""
    nodes: str
    """Machines, from the autoscaler's least to its most; empty where it has none."""
    cost_usd: Decimal
    is_complete: bool
    """Whether each of its lines has a price."""
    missing_usd: Decimal = Decimal(0)
    """What its lines without a price cost on demand, as far as that is known."""


def tiers(plan: Plan, most: int | None = None) -> list[Tier]:
    """Return what every tier on the bill costs at the level that the budget judges, the dearest first.

    Of more than `most` the cheapest are one row together.
    """
    costs, level = facts.tier_costs(plan), plan.scenario.budget.level
    missing = {part.tier: part.usd_per_month for part in plan.bill.missing(level)}
    found = [
        Tier(
            fitted(words.one_line(name), NAME),
            _fleet(plan, name),
            _nodes(plan, name),
            getattr(costs.get(name, NOTHING), level),
            name not in missing,
            missing.get(name) or Decimal(0),
        )
        for name in dict.fromkeys((*costs, *missing))
    ]
    unknown = {fitted(words.one_line(name), NAME) for name, usd in missing.items() if usd is None}
    found.sort(key=lambda tier: (tier.name not in unknown, -(tier.cost_usd + tier.missing_usd), tier.name))
    if most is None or len(found) <= most:
        return found
    kept, others = found[: most - 1], found[most - 1 :]
    complete = all(tier.is_complete for tier in others)
    cost, lacked = (sum(each, Decimal(0)) for each in zip(*((t.cost_usd, t.missing_usd) for t in others), strict=True))
    return [*kept, Tier(f"{len(others)} others", tuple(tier.name for tier in others), "", cost, complete, lacked)]


def cells(plan: Plan, most: int | None = None) -> list[tuple[str, tuple[str, ...], str, str, str]]:
    """Return rows below HEADERS and a row of their total: cents add up to it, shares to 100.

    Of a bill that lacks prices what is known is marked as the least; shares are then of the bill with the missing lines
    on demand, and say what they lack. Where not even that is known there are none.
    """
    found = tiers(plan, most)
    exact = [tier.cost_usd for tier in found]
    total = sum(exact, Decimal(0)).quantize(CENT)
    amounts = apportioned(exact, total, CENT)
    rows = [
        (tier.name, tier.fleet, tier.nodes, _amount(amount, tier.is_complete), share)
        for tier, amount, share in zip(found, amounts, _shares(plan, found), strict=False)
    ]
    return [*rows, ("total", (_range(plan),), "", _amount(total, plan.bill.complete), _shares(plan, found)[-1])]


def _shares(plan: Plan, found: Sequence[Tier]) -> list[str]:
    """Return the share of each tier and of all, whole percent that add up to 100; empty where they are not known."""
    parts = [*(tier.cost_usd for tier in found), *(tier.missing_usd for tier in found)]
    whole = sum(parts, Decimal(0))
    if not whole or any(part.share is None for part in plan.bill.missing(plan.scenario.budget.level)):
        return [""] * (len(found) + 1)
    percents = apportioned([part * 100 / whole for part in parts], Decimal(100), Decimal(1))
    known, lacked = percents[: len(found)], percents[len(found) :]
    both = [*zip(known, lacked, strict=True), (sum(known), sum(lacked))]
    return [facts.share_cell(Decimal(share) / 100, float(lacks) / 100) for share, lacks in both]


def _amount(amount: Decimal, is_complete: bool) -> str:
    if is_complete:
        return f"{amount:,.2f}"
    return f"≥ {amount:,.2f}" if amount else "no price"


def _range(plan: Plan) -> str:
    cost = plan.bill.effective_usd
    return "" if cost.floor == cost.ceiling else f"{cost.floor:,.0f} to {cost.ceiling:,.0f} with the autoscaler"


def _fleet(plan: Plan, tier: str) -> tuple[str, ...]:
    groups = [group for group in plan.groups if group.tier == tier]
    if not groups:
        return _used(plan, tier)
    shapes = {group.shape.name for group in groups if group.role != "replicas"}
    most = _most(groups)
    pods = [work for work in plan.fleet.workloads if work.tier == tier and work.replica_count_max > most]
    return (
        *(_machine(group, shapes) for group in groups),
        *(f"{_span(work.replica_count_min, work.replica_count_max)} pods" for work in pods),
        *(f"pods of {words.one_line(name)}" for name in _guests(plan, tier)),
        *dict.fromkeys(facts.paid(group) for group in groups if group.terms),
    )


def _guests(plan: Plan, tier: str) -> tuple[str, ...]:
    """Return the other tiers whose pods stand on the nodes of one."""
    found = (guest for sized in plan.fleet.tiers.values() for guest in sized.guests)
    return tuple(dict.fromkeys(guest.tier for guest in found if guest.host == tier))


def _machine(group: NodeGroup, shapes: set[str]) -> str:
    """Return a group's shape, and of replicas their number: their shape only where it is not that of the others."""
    shape = words.one_line(group.shape.name)
    if group.shape.what == "pod":
        shape = f"pods of {shape}"
    if "multi_zone" in group.offer.options:
        shape += " multi-AZ"
    if group.role != "replicas":
        return shape
    count = int(group.count.ceiling)
    return f"{count} replica{'s' * (count != 1)}" + ("" if group.shape.name in shapes else f" {shape}")


def _used(plan: Plan, tier: str) -> tuple[str, ...]:
    """Return what a tier without machines pays for, without the bounds of prices' steps."""
    level = plan.scenario.budget.level
    items = [item for item in plan.bill.items if item.tier == tier]
    items.sort(key=lambda item: -getattr(item.cost_usd, level))
    lines = [*(item.name for item in items), *(line.name for line in plan.bill.unpriced if line.tier == tier)]
    return tuple(dict.fromkeys(words.one_line(name).partition(" (")[0] for name in lines))


def _nodes(plan: Plan, tier: str) -> str:
    groups = [group for group in plan.groups if group.tier == tier]
    return _span(sum(int(group.count.floor) for group in groups), _most(groups)) if groups else ""


def _most(groups: Sequence[NodeGroup]) -> int:
    return sum(int(group.count.ceiling) for group in groups)


def _span(least: int, most: int) -> str:
    return words.count(least) if least == most else f"{words.count(least)}-{words.count(most)}"
