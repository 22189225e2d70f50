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
from cascade_plan.model.terms import Commitment, commitment_of, upfront_of
from cascade_plan.prices.descriptions import contradicts
from cascade_plan.prices.layout import CURRENCY
from cascade_plan.prices.products import PriceList
from cascade_plan.units import trimmed

Published = Mapping[str, tuple[str, Decimal]]
"""A unit of a cloud's price list, in lower case -> the book's unit, and how many of it one is."""

FEE: Final = "quantity"
"""The unit of a reservation's upfront fee."""
PLACES: Final = Decimal("1e-12")
"""What a book keeps of a price: twelve decimals, more than any offer has."""
_DECIMAL: Final = re.compile(r"-?[0-9]{1,9}(?:\.[0-9]{1,20})?", re.ASCII)


_AMOUNT: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?", re.ASCII)


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
    is_neutral: bool = False
    """Whether it is of a product that the source lists for all alike, and counts only where one of its own has none."""
    description: str = ""
    """What the source says of it in words; empty where it says nothing."""


@dataclass(frozen=True, slots=True)
class Request:
    """What an update asks of a source."""

    prices: PriceList
    """What the cloud sells."""
    region: str
    services: frozenset[str]
    """Services of a book."""
    items: Mapping[str, frozenset[str]]
    """Service -> the shapes that are wanted; a source leaves out the others. Metered items are not listed."""
    today: date
    progress: Callable[[str, int], None] = lambda what, amount: None
    """Told what is being read and how much more of it has been: bytes of a file, products of a query."""
    expected: Callable[[str, int], None] = lambda what, byte_count: None
    """Told of what a file begins and how many bytes it has, 0 where it does not say so."""

    def wants(self, key: PriceKey) -> bool:
        """Return whether a key is of a wanted service and, for an instance, of a wanted shape."""
        is_listed = not self.prices.is_instance(key) or key.item in self.items.get(key.service, ())
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


def choose(rates: Iterable[Rate], today: date, prices: PriceList, published: Published) -> Choice:
    """Return a row for each key whose rates come to exactly one price, and a problem for each whose do not.

    A rate that is not in force `today` is passed over, and so are a free allowance beside a price, and one for all
    alike beside one of the key's own; of the others the newest counts. Two different prices of the same day, a price
    that is negative, zero, no number or not the one its own words name, an unknown unit, another currency and tiers
    that overlap or leave a hole are problems.
    """
    found: dict[PriceKey, list[_Price]] = {}
    problems: list[Problem] = []
    valid = [rate for rate in rates if rate.effective <= today.isoformat()]
    in_force = [_tier(rate, published) for rate in _own(_paid(valid, prices))]
    for (key, _, _, _), group in groupby(sorted(in_force, key=lambda rate: (_identity(rate), rate)), _identity):
        try:
            price = _price(list(group), published)
        except ValueError as error:
            problems.append(Problem(key, str(error)))
        else:
            found.setdefault(key, []).append(price)
    broken = {problem.key for problem in problems}
    rows = {}
    for key, candidates in found.items():
        chosen = _newest(candidates)
        if len({(price.usd, price.upfront_usd) for price in chosen}) > 1:
            problems.append(Problem(key, f"more than one price: {'; '.join(map(_candidate, chosen))}"))
        elif key not in broken:
            rows[key] = _row(chosen[0])
    holes = list(_holes(rows))
    for problem in holes:
        rows = {key: row for key, row in rows.items() if key[:2] != problem.key[:2]}
    return Choice(rows, tuple(sorted({*problems, *holes}, key=lambda problem: (problem.key, problem.message))))


def _paid(rates: list[Rate], prices: PriceList) -> list[Rate]:
    """Return the rates without the free allowances that metered items have, be it as a product or as a first tier.

    A bill leaves free tiers out: an allowance is an account's, not a fleet's. What is only free is left to be refused.
    """
    costless = {rate for rate in rates if _is_free(rate) and not prices.is_instance(rate.key)}
    priced = {rate.key[:2] for rate in rates if rate not in costless}
    free = {rate for rate in costless if rate.key[:2] in priced}
    ends = {(rate.key, rate.sku, rate.end) for rate in free if rate.tiered and rate.begin == "0"}
    return [
        rate._replace(begin="0") if (rate.key, rate.sku, rate.begin) in ends else rate
        for rate in rates
        if rate not in free
    ]


def _own(rates: list[Rate]) -> list[Rate]:
    """Return the rates without those for all alike of the keys that have one of their own.

    Both together would be two prices, of which neither is the dearer by rule.
    """
    own = {rate.key for rate in rates if not rate.is_neutral}
    return [rate for rate in rates if not rate.is_neutral or rate.key not in own]


def _is_free(rate: Rate) -> bool:
    """Return whether a rate costs nothing; one whose words name a price is none such, but damaged."""
    is_zero = _DECIMAL.fullmatch(rate.amount) is not None and Decimal(rate.amount) == 0
    return is_zero and not contradicts(rate.description, Decimal(0))


def _identity(rate: Rate) -> tuple[PriceKey, str, str, str]:
    return rate.key, rate.effective, rate.sku, rate.offer_term


def _tier(rate: Rate, published: Published) -> Rate:
    """Return a rate with the range of its tier, in the book's unit, as its key's variant."""
    if not rate.tiered:
        return rate
    _, count = published.get(rate.published_unit.lower(), ("", Decimal(1)))
    begin, end = _bound(rate.begin, count), "" if rate.end.lower() == "inf" else _bound(rate.end, count)
    return rate._replace(key=rate.key._replace(variant=f"{begin}-{end}"))


def _bound(amount: str, count: Decimal) -> str:
    return _plain(Decimal(amount) * count) if _AMOUNT.fullmatch(amount) else amount


def _price(rates: list[Rate], published: Published) -> _Price:
    """Return the price that one term's rates make together. Raises ValueError saying why they make none."""
    hourly = fee = None
    for rate in rates:
        amount = _amount(rate, published)
        if rate.published_unit.lower() == FEE:
            fee = _only(fee, amount)
        else:
            hourly = _only(hourly, amount / _divisor(rate, published))
    commitment = commitment_of(rates[0].key.term)
    if commitment is None:
        usd, upfront = hourly or Decimal(0), None
    else:
        usd, upfront = _effective(rates[0].key.term, commitment, hourly or Decimal(0), fee)
    if usd <= 0:
        raise ValueError(f"a price of {usd:f} (SKU {rates[0].sku})")
    return _Price(usd.quantize(PLACES), upfront, rates[0])


def _effective(
    term: str, commitment: Commitment, hourly: Decimal, fee: Decimal | None
) -> tuple[Decimal, Decimal | None]:
    """Return the effective hourly rate of a commitment and what is paid on its first day."""
    if commitment.kind != "reserved":
        # A savings plan's rate is the whole price; its option only says how much of it is paid at once.
        return hourly, upfront_of(term, hourly, None)
    upfront = fee or Decimal(0)
    return hourly + upfront / commitment.hours, upfront


def _only(known: Decimal | None, amount: Decimal) -> Decimal:
    if known is not None and known != amount:
        raise ValueError(f"one term with two prices, {known:f} and {amount:f}")
    return amount


def _amount(rate: Rate, published: Published) -> Decimal:
    if rate.currency != CURRENCY:
        raise ValueError(f"priced in {rate.currency or 'no currency'}, not in {CURRENCY} (SKU {rate.sku})")
    if not _DECIMAL.fullmatch(rate.amount):
        about = f"{rate.amount!r} (SKU {rate.sku})" if rate.sku else f"{rate.amount!r}"
        raise ValueError(f"no price: {about}{f', {rate.note}' if rate.note else ''}")
    amount = Decimal(rate.amount)
    if amount < 0:
        raise ValueError(f"a negative price, {rate.amount} (SKU {rate.sku})")
    _, count = published.get(rate.published_unit.lower(), ("", Decimal(1)))
    if contradicts(rate.description, amount, max(count, Decimal(1))):
        raise ValueError(f"a price of {_plain(amount)}, but it is described as {rate.description!r} (SKU {rate.sku})")
    return amount


def _divisor(rate: Rate, published: Published) -> Decimal:
    unit, divisor = published.get(rate.published_unit.lower(), ("", Decimal(1)))
    if not unit:
        hint = did_you_mean(rate.published_unit, sorted(published))
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
    tiers: dict[tuple[str, str], list[tuple[Decimal, Decimal | None]]] = {}
    for key in rows:
        if match := re.fullmatch(r"([0-9.]+)-([0-9.]*)", key.variant):
            tiers.setdefault(key[:2], []).append((Decimal(match[1]), Decimal(match[2]) if match[2] else None))
    for (service, item), ranges in tiers.items():
        ranges.sort(key=lambda bounds: bounds[0])
        starts, ends = [start for start, _ in ranges], [end for _, end in ranges]
        if starts != [0, *ends[:-1]] or ends[-1] is not None:
            shown = ", ".join(f"{start}-{'' if end is None else end}" for start, end in ranges)
            yield Problem(PriceKey(service, item), f"the tiers {shown} do not join from 0 upwards")
