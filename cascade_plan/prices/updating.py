"""An update of the price cache: ask a source, choose, check, store. Whatever fails, the cache stays as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Final, Protocol, cast

from cascade_plan import registry
from cascade_plan.errors import CascadePlanError, CloudError, PriceError, UsageError, did_you_mean
from cascade_plan.model.catalogue import WHAT
from cascade_plan.model.price import Book
from cascade_plan.prices import books, bundled, cache
from cascade_plan.prices.not_found import NotFound, not_found, render, words
from cascade_plan.prices.products import Product, price_list
from cascade_plan.prices.rates import Choice, Problem, Published, Rate, Request, choose

PROBLEMS_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user wants renewed, and where from."""

    cloud: str
    source: str
    services: frozenset[str]
    """Names of the source's updates: services, or a part of one that comes by itself, such as spot prices."""
    today: date
    named: frozenset[str] = frozenset()
    """Those of them that the user named: one of which the source has nothing fails, the others are only told."""
    endpoint_url: str | None = None
    """In place of the cloud's own address."""
    keep_going: bool = False
    """Whether keys that have no one clear price keep their old one instead of stopping the update."""
    strict: bool = False
    """Whether a price that is looked for and not found stops the update."""
    spot_percentile: int = 90
    spot_window_days: int = 30
    progress: Callable[[str, str, int], None] = field(default=lambda region, what, amount: None)
    expected: Callable[[str, str, int], None] = field(default=lambda region, what, byte_count: None)
    """As a request's, of each region."""


class Sources(Protocol):
    """The module `sources` of a cloud whose prices can be renewed."""

    SOURCES: Mapping[str, tuple[str, ...]]
    """Source -> the updates it has."""
    SECTIONS_OF: Mapping[str, tuple[str, ...]]
    """Update -> the sections of a book that its prices stand in."""
    LISTED: tuple[Product, ...]
    """What an update asks for."""
    PUBLISHED: Published

    def rates(self, request: Request, wish: Wish) -> Iterator[Rate]:
        """Yield what the source publishes."""
        ...

    def policy(self) -> str:
        """Return the least permissions that an update needs, as a text for the cloud."""
        ...


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
    missing: tuple[NotFound, ...] = ()
    """What was looked for and not found, with what stands in for it."""
    failure: CascadePlanError | None = None


def sources_of(cloud: str) -> Sources:
    """Return what a cloud's prices are renewed from. Raises UsageError when they cannot be."""
    if not registry.has("clouds", cloud, "sources"):
        raise UsageError(f"the prices of {cloud} come with this version: there is nothing to renew them from")
    return cast("Sources", registry.load("clouds", cloud, "sources"))


def wanted_services(cloud: str, source: str, names: Iterable[str]) -> frozenset[str]:
    """Return the updates that are wanted: those named, or all the source has. Raises UsageError for an unknown one."""
    sources = sources_of(cloud).SOURCES
    if source not in sources:
        raise UsageError(f"no source {source!r}: known are {', '.join(sources)}{did_you_mean(source, list(sources))}")
    named, known = frozenset(names), sources[source]
    for name in sorted(named - {*known}):
        if others := [other for other, has in sources.items() if name in has]:
            raise UsageError(f"the source {source} has no {name} prices: ask for them with --source {others[0]}")
        raise UsageError(f"no service {name!r}: known are {', '.join(known)}{did_you_mean(name, list(known))}")
    return named or frozenset(known)


def update(region: str, wish: Wish) -> Outcome:
    """Return how the update of one region's cached prices ended; a failure is part of the outcome, not raised.

    What was found takes the place of what was there, key by key; what the source does not carry or have stays.
    """
    try:
        choice = fetched(region, wish)
        missing = _missing(region, wish, choice)
        if missing and wish.strict:
            said = f"{region}: --strict was given, so nothing was written: {words(missing)}"
            raise PriceError(f"{said}\n{render(missing)}".rstrip())
        stored = cache.store(wish.cloud, region, choice.rows, wish.today.isoformat(), wish.source)
        before, after = (books.laid_over_bundled(wish.cloud, region, each) for each in (stored.before, stored.after))
    except CascadePlanError as error:
        return Outcome(region, failure=error)
    return Outcome(region, before, after, len(choice.rows), stored.damage, choice.problems, missing)


def _missing(region: str, wish: Wish, choice: Choice) -> tuple[NotFound, ...]:
    """Return what the source does not have today; a key that is not clear is no such, its problem says more."""
    sources = sources_of(wish.cloud)
    sections = {section for service in wish.services for section in sources.SECTIONS_OF[service]}
    held = books.laid_over_bundled(wish.cloud, region, cache.kept(wish.cloud, region))
    told = {*choice.rows, *(problem.key for problem in choice.problems)}
    return not_found(_request(region, wish), sources.LISTED, sections, told, held)


def fetched(region: str, wish: Wish) -> Choice:
    """Return the prices a source has today for a region.

    Raises CloudError when the source fails or has nothing for a service that was named; PriceError, with every problem,
    when some key has no one clear price and the wish is not to keep going.
    """
    sources, prices = sources_of(wish.cloud), price_list(wish.cloud)
    choice = choose(list(sources.rates(_request(region, wish), wish)), wish.today, prices, sources.PUBLISHED)
    if choice.problems and not wish.keep_going:
        raise PriceError(_refusal(region, choice.problems))
    found = {prices.section_of(key) for key in (*choice.rows, *(problem.key for problem in choice.problems))}
    if not found:
        raise CloudError(f"{region}: the source has none of the prices that were asked for: check the region's name")
    for service in sorted(wish.named):
        if not found & {*sources.SECTIONS_OF[service]}:
            others = ",".join(sorted(wish.services - {service}))
            way_out = f"leave it out with --services {others}" if others else "check the region's name"
            raise CloudError(f"{region}: the source has no price of {service}: {way_out}")
    return choice


def _request(region: str, wish: Wish) -> Request:
    prices, catalogue = price_list(wish.cloud), bundled.catalogue(wish.cloud)
    items = {
        product.service: frozenset(shape.name for shape in catalogue.of(product.offer.what))
        for product in prices
        if product.offer is not None and product.offer.what in WHAT
    }
    services = wish.services & {*prices.services}
    told = (partial(wish.progress, region), partial(wish.expected, region))
    return Request(prices, region, services, items, wish.today, *told)


def _refusal(region: str, problems: tuple[Problem, ...]) -> str:
    shown = "\n".join(f"  {problem}" for problem in problems[:PROBLEMS_SHOWN])
    more = f"\n  and {len(problems) - PROBLEMS_SHOWN} more" if len(problems) > PROBLEMS_SHOWN else ""
    unclear = "1 price is" if len(problems) == 1 else f"{len(problems)} prices are"
    return (
        f"{region}: {unclear} not clear, so nothing was written:\n{shown}{more}\n"
        "with --keep-going the others are renewed and these keep the price they had"
    )
