"""Whether a price book still holds: by another book of its region, by today's date, and for what is needed of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from cascade_plan.languages.json import dump
from cascade_plan.model.price import Book, Price, PriceKey, age_days
from cascade_plan.prices.changes import change_percent, percent, require_same_region, usd

ERROR: Final = "error"
WARNING: Final = "warning"
KINDS: Final = ("not compared", "missing", "unpublished", "unit", "price", "old", "undated")


@dataclass(frozen=True, slots=True)
class Deviation:
    """One thing about a book's prices that someone should look at."""

    severity: str
    """error, for which a check must fail, or warning."""
    kind: str
    """One of KINDS."""
    key: PriceKey
    """Of "not compared" only the service, or nothing where it is of the whole book."""
    message: str
    change_percent: Decimal | None = None
    """From the reference's price to the other's, where there are two per one unit."""


@dataclass(frozen=True, slots=True)
class _Limits:
    tolerance_percent: Decimal
    max_age_days: int
    today: date
    is_needed: bool
    """Whether every key looked at is one that is needed: then a gap is an error."""


def verify(
    reference: Book,
    other: Book,
    tolerance_percent: Decimal,
    max_age_days: int,
    today: date,
    needed: Collection[PriceKey] | None = None,
) -> tuple[Deviation, ...]:
    """Return what does not hold of `reference`, errors first: its prices by `other`, its dates by `today`.

    With `needed`, those keys are looked at, and one that either book lacks is an error. Without, the reference's keys
    are, and the on-demand prices that the other book has of the same items; a gap is then a warning, and of on-demand
    prices only: a source lists thousands of items, and other terms often come from other sources. How spot prices
    differ is a warning too: they move by the hour. An undated row is a warning, one older than `max_age_days` an error.
    A service of which the other book has nothing is reported once. It is no pass when no two prices were compared.
    Raises PriceError when the books are of different regions or currencies.
    """
    require_same_region(reference, other)
    limits = _Limits(tolerance_percent, max_age_days, today, needed is not None)
    looked_at = _looked_at(reference, other) if needed is None else frozenset(needed)
    services = {price.key.service for price in other}
    deviations = list(_not_compared(looked_at, services, limits))
    compared_count = 0
    for key in looked_at:
        ours, theirs = reference.find(*key), other.find(*key)
        compared_count += bool(ours and theirs)
        if key.service in services:
            deviations += _against(key, ours, theirs, limits)
        elif ours is None and limits.is_needed:
            deviations.append(Deviation(ERROR, "missing", key, "neither book has a price"))
        if ours is not None:
            deviations += _dated(ours, limits)
    if not compared_count:
        deviations.append(Deviation(ERROR, "not compared", PriceKey("", ""), "no price is in both books"))
    return tuple(sorted(deviations, key=_order))


def failed(deviations: Iterable[Deviation]) -> bool:
    """Return whether there is an error among deviations."""
    return any(deviation.severity == ERROR for deviation in deviations)


def _looked_at(reference: Book, other: Book) -> frozenset[PriceKey]:
    keys = {price.key for price in reference}
    items = {key[:2] for key in keys}
    more = {price.key for price in other if price.key.term == "on_demand" and price.key[:2] in items}
    return frozenset(keys | more)


def _not_compared(keys: Iterable[PriceKey], services: Collection[str], limits: _Limits) -> Iterator[Deviation]:
    """Yield a deviation for each service of which the other book has nothing."""
    for service, count in Counter(key.service for key in keys).items():
        if service not in services:
            message = f"the other book has nothing of it; {count} price{'s' if count > 1 else ''} not compared"
            yield Deviation(ERROR if limits.is_needed else WARNING, "not compared", PriceKey(service, ""), message)


def _against(key: PriceKey, ours: Price | None, theirs: Price | None, limits: _Limits) -> Iterator[Deviation]:
    """Yield what the other book's price, or its absence, says against the reference's."""
    gap = ERROR if limits.is_needed else WARNING
    if ours is None:
        yield Deviation(gap, "missing", key, f"no price; the other book has {_shown(theirs)}")
    elif theirs is None:
        if limits.is_needed or key.term == "on_demand":
            yield Deviation(gap, "unpublished", key, f"{_shown(ours)} here; the other book has no price")
    elif (change := change_percent(ours, theirs)) is None:
        yield Deviation(ERROR, "unit", key, f"{_shown(ours)} here, {_shown(theirs)} in the other book")
    elif abs(change) > limits.tolerance_percent:
        severity = WARNING if key.term == "spot" else ERROR
        message = f"{_shown(ours)} here ({ours.as_of}), {usd(theirs)} in the other book ({theirs.as_of})"
        yield Deviation(severity, "price", key, message, change)


def _dated(price: Price, limits: _Limits) -> Iterator[Deviation]:
    age = age_days(price.as_of, limits.today)
    if age is None:
        yield Deviation(WARNING, "undated", price.key, f"no date; from {price.source}")
    elif age > limits.max_age_days:
        message = f"of {price.as_of}, {age} days old; allowed are {limits.max_age_days}"
        yield Deviation(ERROR, "old", price.key, message)


def _shown(price: Price | None) -> str:
    return f"{usd(price)} USD per {price.unit}" if price else "none"


def _order(deviation: Deviation) -> tuple[bool, int, Decimal, PriceKey]:
    size = abs(deviation.change_percent or Decimal(0))
    return deviation.severity != ERROR, KINDS.index(deviation.kind), -size, deviation.key


# ---------------------------------------------------------------------------------------------------------- rendering


def render_table(deviations: Sequence[Deviation], limit: int) -> str:
    """Return the deviations as text: counts by kind, then at most `limit` of them, in the order of `verify`."""
    from tabulate import tabulate

    if not deviations:
        return "no deviations\n"
    counts = Counter((deviation.severity, deviation.kind) for deviation in deviations)
    summary = tabulate(
        [(severity, kind, count) for (severity, kind), count in counts.items()],
        ("severity", "kind", "prices"),
        tablefmt="simple",
        colalign=("left", "left", "right"),
        disable_numparse=True,
    )
    rows = [(d.severity, d.kind, str(d.key), percent(d.change_percent), d.message) for d in deviations[:limit]]
    headers = ("severity", "kind", "price for", "change", "what")
    align = ("left", "left", "left", "right", "left")
    table = tabulate(rows, headers, tablefmt="simple", colalign=align, disable_numparse=True) if rows else ""
    left = f"and {len(deviations) - len(rows)} more" if len(deviations) > len(rows) else ""
    return "\n\n".join(filter(None, (summary, table, left))) + "\n"


def render_json(found: Mapping[str, Sequence[Deviation]]) -> str:
    """Return every region's deviations as JSON, decimals as text so that no digit is lost."""
    regions = {
        region: {"failed": failed(deviations), "deviations": [_fields(deviation) for deviation in deviations]}
        for region, deviations in found.items()
    }
    return dump({"schema_version": 1, "regions": regions}, sort_keys=True)


def _fields(deviation: Deviation) -> dict[str, object]:
    change = None if deviation.change_percent is None else f"{deviation.change_percent:f}"
    return {**asdict(deviation), "key": list(deviation.key), "change_percent": change}
