"""A price, and the book that holds a region's prices."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple

from cascade_plan.model.terms import upfront_of

OVERRIDE: Final = "override"
"""The origin of a row that a contract sets: what is paid, and no list price."""

UNITS: Final[Mapping[str, str]] = {
    "hour": "hours",
    "vcpu_hour": "vCPU-hours",
    "acu_hour": "ACU-hours",
    "gib": "GiB",
    "gib_hour": "GiB-hours",
    "gib_month": "GiB-months",
    "lcu_hour": "LCU-hours",
    "iops_month": "IOPS-months",
    "mibps_month": "MiB/s-months",
    "million_samples": "million samples",
    "million_requests": "million requests",
    "metric_month": "metric-months",
    "alarm_month": "alarm-months",
    "secret_month": "secret-months",
}
"""What a price may be per -> how several of it are called."""

MAX_PRICE_AGE_DAYS: Final = 90
"""Prices older than a quarter are worth a warning (assumption; --max-price-age changes it)."""
WEAK: Final = "weak:"
"""How a note begins that says what weakens its figure."""


def age_days(as_of: str, today: date) -> int | None:
    """Return the days from a price's date to `today`, negative when the date is still to come; None when undated.

    A year or a month stands for its first day, so that an age is never understated.
    Raises ValueError for what is no YYYY, YYYY-MM, YYYY-MM-DD or "undated".

    >>> [age_days(as_of, date(2026, 3, 1)) for as_of in ("2026-02-17", "2026-02", "2026", "undated")]
    [12, 28, 59, None]
    """
    if as_of in ("", "undated"):
        return None
    return (today - date.fromisoformat(f"{as_of}-01-01"[:10])).days


def newest(dates: Iterable[str]) -> str:
    """Return the newest of prices' dates, "" where none has one."""
    return max((as_of for as_of in dates if as_of[:1].isdigit()), default="")


def first_day(as_of: str) -> date | None:
    """Return the day of a price's date, of a month or a year its first; None of no date."""
    return date.fromisoformat(f"{as_of}-01-01"[:10]) if as_of else None


class PriceKey(NamedTuple):
    """What a price is for. Example: ("rds", "db.r5.xlarge", "multi_az", "on_demand")."""

    service: str
    """What the cloud calls the service; which ones there are its products say."""
    item: str
    """The shape of an instance, or what is metered."""
    variant: str = ""
    """What else tells prices of an item apart, in the cloud's words; of a tier its range "from-to" in the unit."""
    term: str = "on_demand"

    def __str__(self) -> str:
        return " ".join(part for part in self if part)


@dataclass(frozen=True, slots=True)
class Price:
    """A unit price with its provenance."""

    key: PriceKey
    unit: str
    """One of UNITS."""
    usd: Decimal
    """Per unit. Of a commitment the effective rate: the upfront spread over the hours of its term."""
    as_of: str
    """Date of the source's data (YYYY, YYYY-MM or YYYY-MM-DD), or "undated"."""
    source: str
    confirmed_by: str = ""
    """Independent sources whose figure is equal, with their dates."""
    note: str = ""
    """What weakens the figure, in words; empty for a plain one."""
    origin: str = "bundled"
    """bundled, override, cache or scenario."""
    upfront_usd: Decimal | None = None
    """What a commitment costs on its first day, for one unit; None when the source does not say."""
    sku: str = ""
    """The provider's identifier of what is priced, where the source has it."""

    @property
    def first_day_usd(self) -> Decimal | None:
        """What one unit costs on the first day of its term: the source's figure, or what follows from the rate."""
        return upfront_of(self.key.term, self.usd, self.upfront_usd)

    @property
    def weak(self) -> bool:
        """Whether the row carries a caveat that a reader of the bill should see."""
        return self.note.startswith(WEAK)


def caveat(note: str) -> str:
    """Return what a note says weakens its figure, "" where it says of nothing.

    >>> caveat("weak: one source"), caveat("single")
    ('one source', '')
    """
    return note.removeprefix(WEAK).strip() if note.startswith(WEAK) else ""


Row = tuple[str, str, str, str, str, str, str, str, str]
"""unit, usd, upfront_usd, as_of, source, sku, confirmed_by, note, origin: a price as the book's text holds it."""


class Book:
    """The prices of one region. Rows stay text until asked for, so that opening a book costs nothing per row."""

    __slots__ = ("_items", "_newest", "_prices", "_public", "_rows", "_variants", "cloud", "currency", "name", "region")

    def __init__(
        self,
        cloud: str,
        region: str,
        rows: Mapping[PriceKey, Row],
        name: str,
        currency: str = "USD",
        public: Mapping[PriceKey, Row] | None = None,
    ) -> None:
        """Take the rows that are paid and, where a contract changed them, the public ones they are listed at."""
        self.cloud = cloud
        self.region = region
        self.name = name
        self.currency = currency
        self._rows = rows
        self._public = rows if public is None else public
        self._prices: dict[PriceKey, Price] = {}
        self._items: dict[tuple[str, str, str], dict[str, Decimal]] = {}
        self._variants: dict[tuple[str, str, str], list[Price]] = {}
        self._newest: str | None = None

    def find(self, service: str, item: str, variant: str = "", term: str = "on_demand") -> Price | None:
        """Return the price for a key, or None: a missing price is never zero."""
        key = PriceKey(service, item, variant, term)
        if (price := self._prices.get(key)) is None:
            if (row := self._rows.get(key)) is None:
                return None
            unit, usd, upfront, as_of, source, sku, confirmed_by, note, origin = row
            upfront_usd = Decimal(upfront) if upfront else None
            price = self._prices[key] = Price(
                key, unit, Decimal(usd), as_of, source, confirmed_by, note, origin, upfront_usd, sku
            )
        return price

    def rates(self, service: str, variant: str, term: str = "on_demand") -> Mapping[str, Decimal]:
        """Return item -> USD per unit for one service, variant and term, the cheapest first, ties by name."""
        wanted = (service, variant, term)
        if (found := self._items.get(wanted)) is None:
            priced = (
                (Decimal(row[1]), key.item)
                for key, row in self._rows.items()
                if key.service == service and key.variant == variant and key.term == term
            )
            found = self._items[wanted] = {item: usd for usd, item in sorted(priced)}
        return found

    def variants(self, service: str, item: str, term: str = "on_demand") -> list[Price]:
        """Return the prices of an item's variants (the tiers of a tiered price) in the book's order."""
        wanted = (service, item, term)
        if (found := self._variants.get(wanted)) is None:
            keys = [key for key in self._rows if key.service == service and key.item == item and key.term == term]
            found = self._variants[wanted] = [price for key in keys if (price := self.find(*key)) is not None]
        return found

    @property
    def rows(self) -> Mapping[PriceKey, Row]:
        """Every price as text."""
        return self._rows

    def __iter__(self) -> Iterator[Price]:
        return (price for key in self._rows if (price := self.find(*key)) is not None)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def day(self) -> date | None:
        """The day of the newest price, of a month or a year its first; None where all are undated."""
        if self._newest is None:
            self._newest = newest(row[3] for row in self._rows.values())
        return first_day(self._newest)

    def listed(self, key: PriceKey) -> Decimal | None:
        """Return the public on-demand price of what a key is for, before any contract; None where there is none.

        What only a contract prices is listed at the contract's own on-demand price.
        """
        on_demand = key if key.term == "on_demand" else key._replace(term="on_demand")
        row = self._public.get(on_demand) or self._rows.get(on_demand)
        return Decimal(row[1]) if row else None

    def overridden(self, rows: Mapping[PriceKey, Row], name: str) -> Book:
        """Return this book with `rows` laid over it. Rows of the origin "override" are negotiated: not a list price."""
        public = {**self._public, **{key: row for key, row in rows.items() if row[-1] != OVERRIDE}}
        return Book(self.cloud, self.region, {**self._rows, **rows}, f"{self.name} + {name}", self.currency, public)

    def without(self, tiers: Collection[tuple[str, str, str]]) -> Book:
        """Return this book without some prices: every variant of each (service, item, term)."""
        rows = {key: row for key, row in self._rows.items() if (key.service, key.item, key.term) not in tiers}
        return Book(self.cloud, self.region, rows, self.name, self.currency, self._public)

    def discounted(self, percents: Mapping[str, Decimal], by: str) -> Book:
        """Return this book with percent off every price of some services; each row's note says so and by whom.

        `percents` is service -> percent, above 0 and below 100. List prices stay what they are.
        """
        rows = {
            key: _discounted(row, percents[key.service], by) if key.service in percents else row
            for key, row in self._rows.items()
        }
        return Book(self.cloud, self.region, rows, self.name, self.currency, self._public)


def _discounted(row: Row, percent: Decimal, by: str) -> Row:
    unit, usd, upfront_usd, as_of, source, sku, confirmed_by, note, _ = row
    kept = 1 - percent / 100
    said = f"{percent:f}% off by {by}"
    return (
        unit,
        f"{Decimal(usd) * kept:f}",
        f"{Decimal(upfront_usd) * kept:f}" if upfront_usd else "",
        as_of,
        source,
        sku,
        confirmed_by,
        f"{note}; {said}" if note else said,
        OVERRIDE,
    )
