"""Cheaper ways to run the same load, with what each gives up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from cascade_plan import registry
from cascade_plan.choosing.replanning import Attempt, Changes, as_complete, changed, monthly_cost, unit_cost
from cascade_plan.model.fleet import NodeGroup
from cascade_plan.model.outlook import Alternative
from cascade_plan.model.part import Need
from cascade_plan.model.plan import Plan
from cascade_plan.model.price import Book
from cascade_plan.model.scenario import Scenario, value_at
from cascade_plan.model.terms import Commitment, commitment_of
from cascade_plan.model.titles import called
from cascade_plan.model.way import Way
from cascade_plan.units import quantity

LENGTHS: Final = {1: "one year", 3: "three years"}
PLANS: Final = {
    "compute_sp": "by a Compute Savings Plan",
    "ec2_instance_sp": "by an EC2 Instance Savings Plan",
    "database_sp": "by a Database Savings Plan",
}
BOUND: Final = {
    "reserved": "the freedom to change their shape or region",
    "compute_sp": "the freedom to spend less an hour on compute",
    "ec2_instance_sp": "the freedom to leave their instance family or region",
    "database_sp": "the freedom to spend less an hour on databases",
}
"""Kind of commitment -> what it gives up for its term."""
PAID_FIRST: Final = {
    "no": "",
    "partial": "; part of the term is paid on its first day",
    "all": "; the whole term is paid on its first day",
}


def own_ways(present: Plan) -> Iterator[Way]:
    """Yield the ways that kinds of tiers know for their instances, each change once.

    Where ways of several instances have one title, each says which instance it is of.
    """
    found: dict[str, tuple[str, Way]] = {}
    for name, settings in present.scenario.tiers.items():
        if registry.has("tiers", settings.KIND, "ways"):
            for way in registry.load("tiers", settings.KIND, "ways").ways(settings, present.fleet.tiers[name]):
                found.setdefault(str(way.overrides), (name, way))
    titles = Counter(way.title for _, way in found.values())
    for name, way in found.values():
        yield way._replace(title=f"{way.title} ({called(name)})") if titles[way.title] > 1 else way


def commitment_ways(present: Plan, book: Book) -> Iterator[Way]:
    """Yield the commitments worth planning: by tier and length the cheapest, and the cheapest with nothing upfront.

    Only terms for which the book prices every group of the tier are among them; no plan is made to compare them.
    """
    cloud, terms = (registry.load("clouds", present.scenario.cloud, part) for part in ("cloud", "terms"))
    for name, settings in present.scenario.tiers.items():
        groups = present.fleet.tiers[name].groups
        if not settings.BOUGHT or not groups:
            continue
        known = {term: found for term in terms.terms(settings.BOUGHT) if (found := commitment_of(term))}
        priced = sorted((rate, term) for term in known if (rate := _usd_per_hour(groups, book, cloud, term)))
        commitments = [(term, known[term]) for _, term in priced]
        for years in LENGTHS:
            ranked = [pair for pair in commitments if pair[1].years == years]
            without = [pair for pair in ranked if pair[1].upfront == "no"]
            for term, commitment in dict(ranked[:1] + without[:1]).items():
                yield _commitment_way(name, groups, term, commitment)


def _usd_per_hour(groups: Iterable[NodeGroup], book: Book, cloud: Any, term: str) -> Decimal | None:
    """Return what the instances that run all month cost an hour by a term, or None without all prices."""
    total = Decimal(0)
    for group in groups:
        price = book.find(*cloud.key(group.offer, term))
        if price is None:
            return None
        total += price.usd * quantity(group.count.floor)
    return total


def _commitment_way(name: str, groups: Iterable[NodeGroup], term: str, commitment: Commitment) -> Way:
    bought = "nodes" if all(group.role == "nodes" for group in groups) else "instances"
    length = LENGTHS[commitment.years]
    how = f"reserved for {length}" if commitment.is_whole else f"paid {PLANS[commitment.kind]} for {length}"
    gives_up = f"{BOUND[commitment.kind]} for {length}{PAID_FIRST[commitment.upfront]}"
    title = f"{called(name)} {bought} {how}, {commitment.upfront} upfront"
    return Way(title, gives_up, {f"tiers.{name}.purchase": term})


@dataclass(frozen=True, slots=True)
class _Saving:
    way: Way
    plan: Plan
    amount: Decimal


def alternatives(present: Plan, attempt: Attempt, ways: Iterable[Way]) -> tuple[Alternative, ...]:
    """Return the ways that save, the most first, then those of them that go together."""
    savings = [saving for way in ways if (saving := _saving(way, present, present, {}, attempt)) is not None]
    savings.sort(key=lambda saving: (-saving.amount, saving.way.title))
    joined = _joined(savings, present, attempt)
    singles = (
        _alternative(_title(saving), saving.way.gives_up, saving.way.overrides, (), present, saving.plan, saving.amount)
        for saving in savings
    )
    return (*singles, *joined)


def _saving(way: Way, present: Plan, base: Plan, changes: Changes, attempt: Attempt) -> _Saving | None:
    """Return what a way saves over `base`, to which `changes` led from the present plan, or None if it does not.

    None as well where it is so already, nothing fits, or the bill would lack a price that the base has.
    """
    if all(_is_so(present.scenario, path, value) for path, value in way.overrides.items()):
        return None
    other = changed(present.scenario, {**changes, **way.overrides})
    plan = None if other is None else attempt(other)
    if plan is None or not as_complete(plan, base):
        return None
    amount = monthly_cost(base) - monthly_cost(plan)
    return _Saving(way, plan, amount) if amount > 0 else None


def _is_so(scenario: Scenario, path: str, value: Any) -> bool:
    present = value_at(scenario, path)
    return isinstance(present, Need) if isinstance(value, dict) else bool(present == value)


def _joined(savings: list[_Saving], present: Plan, attempt: Attempt) -> Iterator[Alternative]:
    """Yield the ways that go together: the largest saving first, each kept if it sets nothing anew and still saves."""
    base, kept = present, list[str]()
    changes: Changes = {}
    for saving in savings:
        if changes.keys() & saving.way.overrides.keys():
            continue
        further = _saving(saving.way, present, base, changes, attempt)
        if further is not None:
            base, changes = further.plan, {**changes, **further.way.overrides}
            kept.append(_title(further))
    if len(kept) > 1:
        amount = monthly_cost(present) - monthly_cost(base)
        title, gives_up = "all of these together", "what each of its parts gives up"
        yield _alternative(title, gives_up, changes, tuple(kept), present, base, amount)


def _alternative(
    title: str, gives_up: str, changes: Changes, parts: tuple[str, ...], present: Plan, plan: Plan, amount: Decimal
) -> Alternative:
    known = {item.key for item in present.bill.items}
    fresh = [item for item in plan.bill.items if item.key not in known]
    return Alternative(
        title=title,
        gives_up=gives_up,
        overrides=tuple(_assignments(changes)),
        parts=parts,
        cost_usd_per_1000_users_month=unit_cost(plan),
        saving_usd_per_month=amount,
        complete=plan.bill.complete,
        price_dates=tuple(sorted({item.as_of for item in fresh})),
        price_notes=tuple(sorted({item.note for item in fresh if item.note})),
    )


def _title(saving: _Saving) -> str:
    shapes = {group.name: group.shape.name for group in saving.plan.groups}
    return saving.way.title.format(shape=shapes.get(saving.way.group, ""))


def _assignments(changes: Changes) -> Iterator[str]:
    for path, value in changes.items():
        yield f"{path}={_flow(value)}"


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)
