"""Cheaper ways to run the same load, with what each gives up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from operator import attrgetter
from typing import Any, Final, NamedTuple

from cascade_plan.choosing.replanning import Attempt, Changes, as_complete, changed, monthly_cost, unit_cost
from cascade_plan.model.outlook import Alternative
from cascade_plan.model.plan import Plan
from cascade_plan.model.price import Book
from cascade_plan.model.scenario import DATABASE_TERMS, INSTANCE_TERMS, Need, Scenario
from cascade_plan.model.terms import Commitment, commitment_of
from cascade_plan.units import quantity


def _same_need(plan: Plan) -> dict[str, Any]:
    shape = next(group.shape for group in plan.groups if group.name == "database primary")
    need: dict[str, Any] = {"vcpu": shape.vcpu, "memory_gib": shape.memory_gib}
    return need | {"burstable": True} if shape.burstable else need


class Way(NamedTuple):
    """A way down: its title, what it gives up, and what it sets (a value, or what the present plan makes of it)."""

    title: str
    gives_up: str
    overrides: Mapping[str, Any]


WAYS: Final[tuple[Way, ...]] = (
    Way(
        "Valkey instead of Redis",
        "what Redis added after 7.2, the version Valkey was forked from",
        {"tiers.cache.engine": "valkey"},
    ),
    Way(
        "the cheapest database instance with the present vCPU and memory ({database})",
        "the present instance family: the change restarts the primary; measure its CPU and disk throughput first",
        {"tiers.database.shape": _same_need},
    ),
    Way(
        "no multi-AZ standby",
        "automatic failover: a lost primary means promoting a read replica or restoring a backup by hand",
        {"availability.multi_az": False},
    ),
    Way(
        "one NAT gateway for all zones",
        "independence of the zones: when the gateway's zone is lost, no zone reaches the internet",
        {"tiers.network.nat_gateway_per_zone": False},
    ),
    Way(
        "no tenant_id label on the query histogram",
        "query latency by tenant; by query type it stays",
        {"tiers.monitoring.label_by_tenant": False},
    ),
    Way(
        "API nodes on spot",
        "the nodes' certainty: AWS takes one back with two minutes' notice, and the spot price moves",
        {"purchase.api": "spot"},
    ),
)


COMMITTED: Final = {
    "database": "database instances",
    "api": "API nodes",
    "websocket": "WebSocket nodes",
    "cache": "cache nodes",
}
"""Tier whose commitments are ways down -> what its instances are called."""
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


def commitment_ways(present: Plan, book: Book) -> Iterator[Way]:
    """Yield the commitments worth planning: by tier and length the cheapest, and the cheapest with nothing upfront.

    Only terms for which the book prices every group of the tier are among them; no plan is made to compare them.
    """
    for tier, name in COMMITTED.items():
        known = DATABASE_TERMS if tier in ("database", "cache") else INSTANCE_TERMS
        priced = sorted((rate, term) for term in known if (rate := _usd_per_hour(present, book, tier, term)))
        commitments = [(term, commitment) for _, term in priced if (commitment := commitment_of(term))]
        for years in LENGTHS:
            ranked = [pair for pair in commitments if pair[1].years == years]
            without = [pair for pair in ranked if pair[1].upfront == "no"]
            for term, commitment in dict(ranked[:1] + without[:1]).items():
                yield _commitment_way(tier, name, term, commitment)


def _usd_per_hour(present: Plan, book: Book, tier: str, term: str) -> Decimal | None:
    """Return what the instances of a tier that run all month cost an hour by a term, or None without all prices."""
    total = Decimal(0)
    for group in present.groups:
        if group.tier == tier:
            price = book.find(group.shape.service, group.shape.name, group.variant, term)
            if price is None:
                return None
            total += price.usd * quantity(group.count.floor)
    return total


def _commitment_way(tier: str, name: str, term: str, commitment: Commitment) -> Way:
    length = LENGTHS[commitment.years]
    how = f"reserved for {length}" if commitment.is_whole else f"paid {PLANS[commitment.kind]} for {length}"
    gives_up = f"{BOUND[commitment.kind]} for {length}{PAID_FIRST[commitment.upfront]}"
    return Way(f"{name} {how}, {commitment.upfront} upfront", gives_up, {f"purchase.{tier}": term})


@dataclass(frozen=True, slots=True)
class _Saving:
    way: Way
    changes: Changes
    plan: Plan
    amount: Decimal


def alternatives(present: Plan, attempt: Attempt, ways: Iterable[Way]) -> tuple[Alternative, ...]:
    """Return the ways that save, the most first, then those of them that go together."""
    savings = [saving for way in ways if (saving := _saving(way, present, present, {}, attempt)) is not None]
    savings.sort(key=lambda saving: (-saving.amount, saving.way.title))
    joined = _joined(savings, present, attempt)
    singles = (
        _alternative(_title(saving), saving.way.gives_up, saving.changes, (), present, saving.plan, saving.amount)
        for saving in savings
    )
    return (*singles, *joined)


def _saving(way: Way, present: Plan, base: Plan, changes: Changes, attempt: Attempt) -> _Saving | None:
    """Return what a way saves over `base`, to which `changes` led from the present plan, or None if it does not.

    None as well where it is so already, nothing fits, or the bill would lack a price that the base has.
    """
    own = {path: value(present) if callable(value) else value for path, value in way.overrides.items()}
    if all(_is_so(present.scenario, path, value) for path, value in own.items()):
        return None
    other = changed(present.scenario, changes | own)
    plan = None if other is None else attempt(other)
    if plan is None or not as_complete(plan, base):
        return None
    amount = monthly_cost(base) - monthly_cost(plan)
    return _Saving(way, own, plan, amount) if amount > 0 else None


def _is_so(scenario: Scenario, path: str, value: Any) -> bool:
    present = attrgetter(path)(scenario)
    return isinstance(present, Need) if isinstance(value, dict) else bool(present == value)


def _joined(savings: list[_Saving], present: Plan, attempt: Attempt) -> Iterator[Alternative]:
    """Yield the ways that go together: the largest saving first, each kept if it sets nothing anew and still saves."""
    base, kept = present, list[str]()
    changes: Changes = {}
    for saving in savings:
        if changes.keys() & saving.changes.keys():
            continue
        further = _saving(saving.way, present, base, changes, attempt)
        if further is not None:
            base, changes = further.plan, changes | further.changes
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
    shape = next(group.shape.name for group in saving.plan.groups if group.name == "database primary")
    return saving.way.title.format(database=shape)


def _assignments(changes: Changes) -> Iterator[str]:
    for path, value in changes.items():
        yield f"{path}={_flow(value)}"


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)
