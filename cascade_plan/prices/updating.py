"""An update of the price cache: ask a source, choose, check, store. Whatever fails, the cache stays as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from cascade_plan.clouds.aws.prices.products import SERVICES
from cascade_plan.errors import CascadePlanError, CloudError, PriceError, UsageError, did_you_mean
from cascade_plan.model.price import Book
from cascade_plan.prices import books, bundled, cache
from cascade_plan.prices.rates import Choice, Problem, Rate, Request, choose

SPOT: Final = "spot"
SOURCES: Final[Mapping[str, tuple[str, ...]]] = {
    "bulk": tuple(SERVICES),
    "api": (*SERVICES, SPOT),
}
"""Source -> the services it has; the bulk offers hold no spot prices."""
SECTIONS_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "ec2": ("ec2_on_demand", "ec2_reserved"),
    SPOT: ("ec2_spot",),
    "rds": ("rds", "rds_storage"),
    "elasticache": ("elasticache",),
    "eks": ("eks",),
    "elb": ("load_balancer",),
    "vpc": ("network",),
    "ebs": ("ebs",),
    "transfer": ("transfer",),
}
"""Service of an update -> the sections of a book it renews whole."""
PROBLEMS_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user wants renewed, and where from."""

    source: str
    services: frozenset[str]
    today: date
    endpoint_url: str | None = None
    """In place of AWS's own address."""
    keep_going: bool = False
    """Whether keys that have no one clear price keep their old one instead of stopping the update."""
    spot_percentile: int = 90
    spot_window_days: int = 30
    progress: Callable[[str, int], None] = field(default=lambda what, amount: None)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the update of one region ended."""

    region: str
    before: Book | None = None
    """The region's prices until now, as plans saw them; None when it had none."""
    after: Book | None = None
    """None when the update failed and nothing was written."""
    renewed: int = 0
    """Rows that came from the source."""
    damage: str = ""
    """What was wrong with the cached file that was replaced, and every row in it lost; empty when nothing was."""
    problems: tuple[Problem, ...] = ()
    """Keys without one clear price, which keep the price they had."""
    failure: CascadePlanError | None = None


def wanted_services(source: str, names: Iterable[str]) -> frozenset[str]:
    """Return the services to renew: those named, or all the source has. Raises UsageError for an unknown one."""
    if source not in SOURCES:
        raise UsageError(f"no source {source!r}: known are {', '.join(SOURCES)}{did_you_mean(source, list(SOURCES))}")
    named, known = frozenset(names), SOURCES[source]
    for name in sorted(named - {*known}):
        if name == SPOT:
            raise UsageError("the bulk offers hold no spot prices: ask for them with --source api")
        raise UsageError(f"no service {name!r}: known are {', '.join(known)}{did_you_mean(name, list(known))}")
    return named or frozenset(known)


def update(region: str, wish: Wish) -> Outcome:
    """Return how the update of one region's cached prices ended; a failure is part of the outcome, not raised."""
    sections = frozenset(section for service in wish.services for section in SECTIONS_OF[service])
    try:
        choice = fetched(region, wish)
        unclear = frozenset(problem.key for problem in choice.problems)
        stored = cache.store(region, choice.rows, sections, wish.today.isoformat(), wish.source, unclear)
        before, after = (books.laid_over_bundled(region, each) for each in (stored.before, stored.after))
    except CascadePlanError as error:
        return Outcome(region, failure=error)
    return Outcome(region, before, after, len(choice.rows), stored.damage, choice.problems)


def fetched(region: str, wish: Wish) -> Choice:
    """Return the prices a source has today for a region.

    Raises CloudError when the source fails or has nothing for a wanted service; PriceError, with every problem, when
    some key has no one clear price and the wish is not to keep going.
    """
    choice = choose(list(_rates(_request(region, wish), wish)), wish.today)
    if choice.problems and not wish.keep_going:
        raise PriceError(_refusal(region, choice.problems))
    found = {bundled.section_of(key) for key in (*choice.rows, *(problem.key for problem in choice.problems))}
    for service in sorted(wish.services):
        if not found & {*SECTIONS_OF[service]}:
            others = ",".join(sorted(wish.services - {service}))
            way_out = f"leave it out with --services {others}" if others else "check the region's name"
            raise CloudError(f"{region}: the source has no price of {service}: {way_out}")
    return choice


def _request(region: str, wish: Wish) -> Request:
    catalogue = bundled.catalogue()
    items = {
        service: frozenset(shape.name for shape in catalogue.of(service)) for service in ("ec2", "rds", "elasticache")
    }
    return Request(region, wish.services - {SPOT}, items, wish.today, wish.progress)


def _rates(request: Request, wish: Wish) -> Iterator[Rate]:
    if wish.source == "bulk":
        from cascade_plan.clouds.aws.prices import bulk

        yield from bulk.rates(request, wish.endpoint_url or bulk.BASE_URL)
        return
    from cascade_plan.clouds.aws.prices import query_api, savings_plans, spot

    yield from query_api.rates(request, wish.endpoint_url)
    if "ec2" in request.services:
        yield from savings_plans.rates(request, wish.endpoint_url)
    if SPOT in wish.services:
        yield from spot.rates(request, wish.endpoint_url, wish.spot_percentile, wish.spot_window_days)


def _refusal(region: str, problems: tuple[Problem, ...]) -> str:
    shown = "\n".join(f"  {problem}" for problem in problems[:PROBLEMS_SHOWN])
    more = f"\n  and {len(problems) - PROBLEMS_SHOWN} more" if len(problems) > PROBLEMS_SHOWN else ""
    return (
        f"{region}: {len(problems)} prices are not clear, so nothing was written:\n{shown}{more}\n"
        "with --keep-going the others are renewed and these keep the price they had"
    )
