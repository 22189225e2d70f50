"""Cheaper ways to run the same load, with what each gives up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from cascade_plan import registry
from cascade_plan.choosing.replanning import Attempt, Changes, as_complete, changed, monthly_cost, unit_cost
from cascade_plan.model.ask import Site
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
    "reserved": "another shape or region",
    "compute_sp": "spending less an hour on compute",
    "ec2_instance_sp": "another instance family or region",
    "database_sp": "spending less an hour on databases",
}
"""Kind of commitment -> what it gives up for its term."""


def own_ways(present: Plan) -> Iterator[Way]:
    """Yield the ways that kinds of tiers know for their instances, each change once.

    Where ways of several instances have one title, each says which instance it is of.
    """
    found: dict[str, tuple[str, Way]] = {}
    for name, settings in present.scenario.tiers.items():
        if registry.has("tiers", settings.KIND, "ways"):
            site = Site(name, settings, present.scenario, present.fleet.tiers)
            for way in registry.load("tiers", settings.KIND, "ways").ways(site):
                found.setdefault(str(way.overrides), (name, way))
    titles = Counter(way.title for _, way in found.values())
    for name, way in found.values():
        yield way._replace(title=f"{way.title} ({called(name)})") if titles[way.title] > 1 else way


def commitment_ways(present: Plan, book: Book) -> Iterator[Way]:
    """Yield the commitments worth planning: by tier and length the cheapest, and the cheapest with nothing upfront.

    Only terms by which every group of the tier is sold, and for which the book prices all of them, are among them; no
    plan is made to compare them.
    """
    cloud, terms = (registry.load("clouds", present.scenario.cloud, part) for part in ("cloud", "terms"))
    for name, settings in present.scenario.tiers.items():
        groups = present.fleet.tiers[name].groups
        if not settings.BOUGHT or not groups:
            continue
        known = {
            term: found
            for term in terms.terms(settings.BOUGHT)
            if (found := commitment_of(term)) and all(cloud.sells(group.offer, term) for group in groups)
        }
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
    gives_up = f"{BOUND[commitment.kind]} for {length}"
    title = f"{called(name)} {bought} {how}, {commitment.upfront} upfront"
    return Way(title, gives_up, {f"tiers.{name}.purchase": term}, variant=f"commitment of {name}")


@dataclass(frozen=True, slots=True)
class _Saving:
    way: Way
    plan: Plan
    amount: Decimal


def alternatives(present: Plan, attempt: Attempt, ways: Iterable[Way]) -> tuple[Alternative, ...]:
    """Return the ways that save, the most first, then those of them that go together."""
    found = [saving for way in ways if (saving := _saving(way, present, present, {}, attempt)) is not None]
    found.sort(key=lambda saving: (-saving.amount, saving.way.title))
    savings = [*_best_forms(found)]
    singles = (_single(saving, savings[:place], present) for place, saving in enumerate(savings))
    return (*singles, *_joined(savings, present, attempt))


def _best_forms(savings: Iterable[_Saving]) -> Iterator[_Saving]:
    """Yield of each way that has several forms the first one only."""
    seen = set()
    for saving in savings:
        if saving.way.variant not in seen:
            yield saving
        if saving.way.variant:
            seen.add(saving.way.variant)


def _single(saving: _Saving, better: Sequence[_Saving], present: Plan) -> Alternative:
    excludes = tuple(_title(other) for other in better if _clash(saving.way.overrides, other.way.overrides))
    made = _alternative(
        _title(saving), saving.way.gives_up, saving.way.overrides, (), present, saving.plan, saving.amount
    )
    return replace(made, excludes=excludes)


def _saving(way: Way, present: Plan, base: Plan, changes: Changes, attempt: Attempt) -> _Saving | None:
    """Return what a way saves over `base`, to which `changes` led from the present plan, or None if it does not.

    None as well where it is so already, nothing fits, the bill would lack a price that the base has, a gate would end
    worse, or the plan warns of something that is not what the way gives up.
    """
    if all(_is_so(present.scenario, path, value) for path, value in way.overrides.items()):
        return None
    other = changed(present.scenario, {**changes, **way.overrides})
    plan = None if other is None else attempt(other)
    if plan is None or not as_complete(plan, base) or _is_worse(plan, base, way.warns):
        return None
    amount = monthly_cost(base) - monthly_cost(plan)
    return _Saving(way, plan, amount) if amount > 0 else None


def _is_worse(plan: Plan, base: Plan, expected: frozenset[str]) -> bool:
    """Return whether a gate that was met is met no more, or the plan has a warning that the base has not."""
    met = {(verdict.figure, verdict.operator, verdict.limit) for verdict in plan.verdicts if verdict.status == "pass"}
    were = {(verdict.figure, verdict.operator, verdict.limit) for verdict in base.verdicts if verdict.status == "pass"}
    return not were <= met or not _warnings(plan) <= {*_warnings(base), *expected}


def _warnings(plan: Plan) -> set[str]:
    return {finding.code for finding in plan.findings if finding.severity == "warning"}


def _is_so(scenario: Scenario, path: str, value: Any) -> bool:
    present = value_at(scenario, path)
    return (
        isinstance(present, Need) and present == Need.model_validate(value)
        if isinstance(value, dict)
        else bool(present == value)
    )


def _joined(savings: list[_Saving], present: Plan, attempt: Attempt) -> Iterator[Alternative]:
    """Yield the ways that go together: the largest saving first, each kept if it sets nothing anew and still saves."""
    base, kept = present, list[str]()
    changes: Changes = {}
    for saving in savings:
        if _clash(changes, saving.way.overrides):
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
        overrides=tuple(_assignments(changes, present.scenario)),
        parts=parts,
        excludes=(),
        upfront_usd=_upfront(plan, present),
        cost_usd_per_1000_users_month=unit_cost(plan),
        saving_usd_per_month=amount,
        complete=plan.bill.complete,
        price_dates=tuple(sorted({item.as_of for item in fresh})),
        price_notes=tuple(sorted({item.note for item in fresh if item.note})),
    )


def _clash(one: Changes, other: Changes) -> bool:
    """Return whether two changes set the same value, or one of them a value in what the other sets whole."""
    return any(f"{a}.".startswith(f"{b}.") or f"{b}.".startswith(f"{a}.") for a in one for b in other)


def _upfront(plan: Plan, present: Plan) -> Decimal | None:
    known = not plan.bill.upfront_unknown and not present.bill.upfront_unknown
    return plan.bill.upfront_usd - present.bill.upfront_usd if known else None


def _title(saving: _Saving) -> str:
    shapes = {group.name: group.shape.name for group in saving.plan.groups}
    return saving.way.title.format(shape=shapes.get(saving.way.group, ""))


def _assignments(changes: Changes, scenario: Scenario) -> Iterator[str]:
    """Yield changes as `--set` takes them: of availability, which may be one word, the whole."""
    for path, value in changes.items():
        part, _, leaf = path.partition(".")
        if part == "availability":
            whole = {**scenario.availability.model_dump(exclude_unset=True), leaf: value}
            yield f"{part}={_flow({'level': scenario.availability.level, **whole})}"
        else:
            yield f"{path}={_flow(value)}"


def _flow(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)
