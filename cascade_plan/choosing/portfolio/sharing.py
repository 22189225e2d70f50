"""What runs on demand -> what commitments do for it: bought for one system alone, and for all of them together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final, NamedTuple, cast

from cascade_plan import registry
from cascade_plan.formulas.coverage import Cover, Use, least
from cascade_plan.model.cloud import Cloud
from cascade_plan.model.commitments import exact_share
from cascade_plan.model.fleet import NodeGroup
from cascade_plan.model.offer import Offer
from cascade_plan.model.plan import Plan
from cascade_plan.model.portfolio import Shared
from cascade_plan.model.price import Book
from cascade_plan.model.terms import commitment_of
from cascade_plan.units import HOURS_PER_MONTH

Counts = Mapping[str, tuple[float, ...]]
"""Name of an instance (see `named`) -> how many run in each hour of the day; one number where always as many."""
BookOf = Callable[[str, str], Book]
"""The prices of a cloud's region."""
HOURS: Final = 24
SHARED: Final = ("vm", "database", "cache")
"""What instances are that a commitment may pay for."""


class Rate(NamedTuple):
    """What an hour of an instance costs by a commitment."""

    term: str
    bought_for: str
    """All that is bought for the same may be bought as one."""
    on_demand_usd: float
    plan_usd: float


def named(cloud: str, region: str, offer: Offer) -> str:
    """Return the name of an instance in a region, as a row of the portfolio has it."""
    return " ".join((cloud, region, offer.what, offer.name, ",".join(offer.options))).rstrip()


def meant(name: str) -> tuple[str, str, Offer]:
    """Return the cloud, the region and the offer of a name.

    >>> meant(named("aws", "us-east-1", Offer("vm", "m7g.large")))
    ('aws', 'us-east-1', Offer(what='vm', name='m7g.large', options=()))
    """
    cloud, region, what, shape, *options = name.split(" ")
    return cloud, region, Offer(what, shape, tuple(options[0].split(",")) if options else ())


def on_demand(plan: Plan) -> dict[str, tuple[float, ...]]:
    """Return what of a plan's instances runs on demand, by name: what no other purchase of its own pays for."""
    found: dict[str, tuple[float, ...]] = {}
    for group in plan.groups:
        if group.portions or group.offer.what not in SHARED:
            continue
        covered = sum(float(item.covered_count) for item in plan.bill.items if item.group == group.name)
        counts = tuple(_left(group, covered, count) for count in group.hourly_count or (group.count.average,))
        if any(counts):
            name = named(plan.scenario.cloud, plan.scenario.region, group.offer)
            found[name] = _sum(found[name], counts) if name in found else counts
    return found


def _left(group: NodeGroup, covered_count: float, count: float) -> float:
    """Return what of so many instances is on demand: commitments pay first, then spot its share of all."""
    spot = sum(float(exact_share(part)) for part in group.terms if commitment_of(part.term) is None)
    return max(0.0, count - covered_count - spot * count)


def _sum(one: tuple[float, ...], other: tuple[float, ...]) -> tuple[float, ...]:
    if len(one) != len(other):
        one, other = _day(one), _day(other)
    return tuple(a + b for a, b in zip(one, other, strict=True))


def _day(counts: tuple[float, ...]) -> tuple[float, ...]:
    return counts * HOURS if len(counts) == 1 else counts


@lru_cache(maxsize=4096)
def rates(cloud_name: str, region: str, offer: Offer, book: Book) -> tuple[Rate, ...]:
    """Return what an instance costs by each commitment that pays for it and has a price below on demand."""
    cloud = cast(Cloud, registry.load("clouds", cloud_name, "cloud"))
    on_demand = book.find(*cloud.key(offer))
    found = []
    for term, bought_for in cloud.commitments(offer, region):
        price = book.find(*cloud.key(offer, term))
        if on_demand is not None and price is not None and 0 < price.usd < on_demand.usd:
            found.append(Rate(term, bought_for, float(on_demand.usd), float(price.usd)))
    return tuple(found)


def bought(counts: Counts, book_of: BookOf) -> dict[str, Cover]:
    """Return term -> the commitments that make these instances cheapest, each for all that it is bought for.

    Reservations are whole instances, savings plans any amount of money an hour.
    """
    uses: dict[tuple[str, str], list[Use]] = {}
    for name in sorted(counts):
        cloud, region, offer = meant(name)
        for rate in rates(cloud, region, offer, book_of(cloud, region)):
            use = Use(counts[name], rate.on_demand_usd, rate.plan_usd)
            uses.setdefault((rate.term, rate.bought_for), []).append(use)
    found: dict[str, Cover] = {}
    for (term, _), each in sorted(uses.items()):
        commitment = commitment_of(term)
        cover = least(_alike(each), each[0].plan_usd if commitment is not None and commitment.is_whole else 0.0)
        before = found.get(term)
        found[term] = cover if before is None else Cover(*(a + b for a, b in zip(before, cover, strict=True)))
    return found


def _alike(uses: list[Use]) -> list[Use]:
    """Return uses that all have as many hours."""
    if len({len(use.hourly_count) for use in uses}) == 1:
        return uses
    return [use._replace(hourly_count=_day(tuple(use.hourly_count))) for use in uses]


def shared(
    counts: Counts, alone: Mapping[str, tuple[float, float]], system_count: Mapping[str, int], book_of: BookOf
) -> Iterator[Shared]:
    """Yield what each term does for all systems together, beside what it does where each buys alone.

    `counts` are the sums of all systems. `alone` is term -> (what all commit to, what their instances then cost), an
    hour. No sum costs more than its parts: what one of them does not use, another does.
    """
    for term, cover in bought(counts, book_of).items():
        committed, usd = alone.get(term, (0.0, cover.on_demand_usd))
        yield Shared(
            term,
            system_count.get(term, 0),
            cover.on_demand_usd * HOURS_PER_MONTH,
            committed,
            usd * HOURS_PER_MONTH,
            cover.committed_usd,
            cover.usd * HOURS_PER_MONTH,
        )


def added(sums: dict[str, list[float]], counts: Counts) -> None:
    """Add a system's instances to those of all."""
    for name, each in counts.items():
        day = sums.setdefault(name, [0.0] * HOURS)
        for hour, count in enumerate(_day(each)):
            day[hour] += count


def summed(sums: Mapping[str, Iterable[float]]) -> Counts:
    """Return the instances of all systems as those of one."""
    return {name: tuple(day) for name, day in sums.items()}
