"""From the rates a source publishes to the prices a book holds: exactly one value for each key, or a problem.

Every source (query API, bulk offers, spot history, savings plans) yields `Rate`s; what they mean is decided here, once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Final, NamedTuple

from cascade_plan.errors import did_you_mean
from cascade_plan.model.price import PriceKey, Row
from cascade_plan.model.terms import Commitment, commitment_of
from cascade_plan.prices.bundled import CURRENCY
from cascade_plan.units import trimmed

UNITS: Final[Mapping[str, tuple[str, int]]] = {
    "hrs": ("hour", 1),
    "hours": ("hour", 1),
    "lcu-hrs": ("lcu_hour", 1),
    "lcu-hours": ("lcu_hour", 1),
    "nlcu-hrs": ("lcu_hour", 1),
    "gb-mo": ("gib_month", 1),
    "gb-month": ("gib_month", 1),
    "gb": ("gib", 1),
    "iops-mo": ("iops_month", 1),
    "mibps-mo": ("mibps_month", 1),
    "gibps-mo": ("mibps_month", 1024),
}
"""A unit of the price list, in lower case -> the book's unit, and how many of it one is. AWS's GB is 2^30 bytes."""
FEE: Final = "quantity"
"""The unit of a reservation's upfront fee."""
PLACES: Final = Decimal("1e-12")
"""What a book keeps of a price: twelve decimals, more than any offer has."""
_DECIMAL: Final = re.compile(r"-?[0-9]{1,9}(?:\.[0-9]{1,20})?", re.ASCII)


class Rate(NamedTuple):
    """One price of one term of one product, as a source publishes it."""

    key: PriceKey
    """What it prices, with its term. A tier's variant is made from its range here."""
    unit: str
    """The book's unit for this key."""
    sku: str
    offer_term: str
    """Joins the hourly rate and the upfront fee of one reservation."""
    published_unit: str
    amount: str
    """Per published unit, in decimal digits."""
    currency: str
    effective: str
    """The day it comes into force, YYYY-MM-DD."""
    as_of: str
    """The day of the source's data, YYYY-MM-DD."""
    source: str
    begin: str = "0"
    end: str = "Inf"
    tiered: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """What an update asks of a source."""

    region: str
    services: frozenset[str]
    """Services of a book, such as ec2 and rds."""
    items: Mapping[str, frozenset[str]]
    """Service -> the instance types that are wanted; a source leaves out the others. Metered items are not listed."""
    today: date
    progress: Callable[[str, int], None] = lambda what, amount: None
    """Told what is being read and how much more of it has been: bytes of a file, products of a query."""

    def wants(self, key: PriceKey) -> bool:
        """Return whether a key is of a wanted service and, for an instance, of a wanted type."""
        is_listed = not key.is_instance or key.item in self.items.get(key.service, ())
        return key.service in self.services and is_listed


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a key has no price: what the source says of it, and what could not be decided."""

    key: PriceKey
    message: str

    def __str__(self) -> str:
        return f"{self.key}: {self.message}"


@dataclass(frozen=True, slots=True)
class Choice:
    """What a source's rates come to."""

    rows: Mapping[PriceKey, Row]
    problems: tuple[Problem, ...]
    """Keys that have no row because the source's rates for them are not one clear price."""


class _Price(NamedTuple):
    usd: Decimal
    upfront_usd: Decimal | None
    rate: Rate


def term_of(lease: str, option: str, offering_class: str) -> str:
    """Return the book's term for a reservation's lease (1yr, 3yr), purchase option and class, "" for other classes.

    >>> term_of("1yr", "No Upfront", "standard"), term_of("3yr", "All Upfront", "convertible")
    ('reserved_1y_no_upfront', '')
    """
    years = {"1yr": "1y", "3yr": "3y", "1 yr": "1y", "3 yr": "3y"}.get(lease, "")
    paid = {"no upfront": "no", "partial upfront": "partial", "all upfront": "all"}.get(option.lower(), "")
    # RDS and ElastiCache have one class and leave it out or call it standard.
    return f"reserved_{years}_{paid}_upfront" if years and paid and offering_class in ("standard", "") else ""


def choose(rates: Iterable[Rate], today: date) -> Choice:
    """Return a row for each key whose rates come to exactly one price, and a problem for each whose do not.

    A rate that is not in force `today` is passed over, and so is a free allowance beside a price; of the others the
    newest counts. Two different prices of the same day, a price that is negative, zero or no number, an unknown unit,
    another currency and tiers that overlap or leave a hole are problems.
    """
    prices: dict[PriceKey, list[_Price]] = {}
    problems: list[Problem] = []
    in_force = [_tier(rate) for rate in _paid([rate for rate in rates if rate.effective <= today.isoformat()])]
    for (key, _, _, _), group in groupby(sorted(in_force, key=lambda rate: (_identity(rate), rate)), _identity):
        try:
            price = _price(list(group))
        except ValueError as error:
            problems.append(Problem(key, str(error)))
        else:
            prices.setdefault(key, []).append(price)
    broken = {problem.key for problem in problems}
    rows = {}
    for key, candidates in prices.items():
        chosen = _newest(candidates)
        if len({(price.usd, price.upfront_usd) for price in chosen}) > 1:
            problems.append(Problem(key, f"more than one price: {'; '.join(map(_candidate, chosen))}"))
        elif key not in broken:
            rows[key] = _row(chosen[0])
    holes = list(_holes(rows))
    for problem in holes:
        rows = {key: row for key, row in rows.items() if key[:2] != problem.key[:2]}
    return Choice(rows, tuple(sorted({*problems, *holes}, key=lambda problem: (problem.key, problem.message))))


def _paid(rates: list[Rate]) -> list[Rate]:
    """Return the rates without the free allowances that metered items have, be it as a product or as a first tier.

    A bill leaves free tiers out: an allowance is an account's, not a fleet's. What is only free is left to be refused.
    """
    priced = {rate.key[:2] for rate in rates if not _is_free(rate)}
    free = {rate for rate in rates if _is_free(rate) and rate.key[:2] in priced}
    ends = {(rate.key, rate.sku, rate.end) for rate in free if rate.tiered and rate.begin == "0"}
    return [
        rate._replace(begin="0") if (rate.key, rate.sku, rate.begin) in ends else rate
        for rate in rates
        if rate not in free
    ]


def _is_free(rate: Rate) -> bool:
    return not rate.key.is_instance and _DECIMAL.fullmatch(rate.amount) is not None and Decimal(rate.amount) == 0


def _identity(rate: Rate) -> tuple[PriceKey, str, str, str]:
    return rate.key, rate.effective, rate.sku, rate.offer_term


def _tier(rate: Rate) -> Rate:
    if not rate.tiered:
        return rate
    end = "" if rate.end.lower() == "inf" else rate.end
    return rate._replace(key=rate.key._replace(variant=f"{rate.begin}-{end}"))


def _price(rates: list[Rate]) -> _Price:
    """Return the price that one term's rates make together. Raises ValueError saying why they make none."""
    hourly = fee = None
    for rate in rates:
        amount = _amount(rate)
        if rate.published_unit.lower() == FEE:
            fee = _only(fee, amount)
        else:
            hourly = _only(hourly, amount / _divisor(rate))
    commitment = commitment_of(rates[0].key.term)
    if commitment is None:
        usd, upfront = hourly or Decimal(0), None
    else:
        usd, upfront = _effective(commitment, hourly or Decimal(0), fee)
    if usd <= 0:
        raise ValueError(f"a price of {usd:f} (SKU {rates[0].sku})")
    return _Price(usd.quantize(PLACES), upfront, rates[0])


def _effective(commitment: Commitment, hourly: Decimal, fee: Decimal | None) -> tuple[Decimal, Decimal]:
    """Return the effective hourly rate of a commitment and what is paid on its first day."""
    if commitment.kind != "reserved":
        # A savings plan's rate is the whole price; its option only says how much of it is paid at once.
        return hourly, (hourly * commitment.hours * commitment.upfront_share).quantize(Decimal("0.01"))
    upfront = fee or Decimal(0)
    return hourly + upfront / commitment.hours, upfront


def _only(known: Decimal | None, amount: Decimal) -> Decimal:
    if known is not None and known != amount:
        raise ValueError(f"one term with two prices, {known:f} and {amount:f}")
    return amount


def _amount(rate: Rate) -> Decimal:
    if rate.currency != CURRENCY:
        raise ValueError(f"priced in {rate.currency or 'no currency'}, not in {CURRENCY} (SKU {rate.sku})")
    if not _DECIMAL.fullmatch(rate.amount):
        about = f"{rate.amount!r} (SKU {rate.sku})" if rate.sku else f"{rate.amount!r}"
        raise ValueError(f"no price: {about}{f', {rate.note}' if rate.note else ''}")
    amount = Decimal(rate.amount)
    if amount < 0:
        raise ValueError(f"a negative price, {rate.amount} (SKU {rate.sku})")
    return amount


def _divisor(rate: Rate) -> int:
    unit, divisor = UNITS.get(rate.published_unit.lower(), ("", 1))
    if not unit:
        hint = did_you_mean(rate.published_unit, ["Hrs", "GB-Mo", "GB", "LCU-Hrs", "IOPS-Mo", "GiBps-mo"])
        raise ValueError(f"unknown unit {rate.published_unit!r}{hint} (SKU {rate.sku})")
    if unit != rate.unit:
        raise ValueError(f"priced per {rate.published_unit}, the book counts {rate.unit} (SKU {rate.sku})")
    return divisor


def _newest(prices: list[_Price]) -> list[_Price]:
    newest = max(price.rate.effective for price in prices)
    return [price for price in prices if price.rate.effective == newest]


def _candidate(price: _Price) -> str:
    upfront = f" and {_plain(price.upfront_usd)} upfront" if price.upfront_usd else ""
    rate = price.rate
    return f"{_plain(price.usd)} USD per {rate.unit}{upfront} (SKU {rate.sku}, in force since {rate.effective})"


def _row(price: _Price) -> Row:
    rate = price.rate
    upfront = "" if price.upfront_usd is None else _plain(price.upfront_usd)
    return rate.unit, _plain(price.usd), upfront, rate.as_of, rate.source, rate.sku, "", rate.note, "cache"


def _plain(amount: Decimal) -> str:
    return trimmed(f"{amount:f}")


def _holes(rows: Mapping[PriceKey, Row]) -> Iterator[Problem]:
    """Yield a problem for each tiered price whose tiers do not join from 0 to infinity."""
    tiers: dict[tuple[str, str], list[tuple[int, int | None]]] = {}
    for key in rows:
        if match := re.fullmatch(r"([0-9]+)-([0-9]*)", key.variant):
            tiers.setdefault(key[:2], []).append((int(match[1]), int(match[2]) if match[2] else None))
    for (service, item), ranges in tiers.items():
        ranges.sort()
        starts, ends = [start for start, _ in ranges], [end for _, end in ranges]
        if starts != [0, *ends[:-1]] or ends[-1] is not None:
            shown = ", ".join(f"{start}-{'' if end is None else end}" for start, end in ranges)
            yield Problem(PriceKey(service, item), f"the tiers {shown} do not join from 0 upwards")
