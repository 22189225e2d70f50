"""Spot prices from EC2's history: for each instance type the price that is exceeded only for a share of the time.

Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSpotPriceHistory.html: prices change at a
timestamp of one zone and hold until the next; with a start time the last change before it is listed too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final, NamedTuple

from cascade_plan.clouds.aws.prices.client import PATIENT, Patience, client, listing
from cascade_plan.errors import CloudError
from cascade_plan.model.price import PriceKey
from cascade_plan.prices.layout import CURRENCY
from cascade_plan.prices.rates import Rate, Request

SOURCE: Final = "aws-spot-history"
PLATFORM: Final = "Linux/UNIX"
PAGE_SIZE: Final = 1000
CHUNK: Final = 100
"""Types of one query; a filter takes 200 values, https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Query-Requests.html"""
LEAST: Final = timedelta(hours=24)
"""A shorter history is no price: it has not seen each hour of a day."""
_PRICE: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,20})?", re.ASCII)


class Change(NamedTuple):
    """From when on a zone has a price."""

    at: datetime
    price: str


History = Mapping[str, Sequence[Change]]
"""Zone -> its changes."""


def rates(
    request: Request,
    endpoint_url: str | None = None,
    percentile: int = 90,
    window_days: int = 30,
    patience: Patience = PATIENT,
) -> Iterator[Rate]:
    """Yield a rate for each wanted EC2 type that has a history in the days before `request.today` (UTC).

    The rate is the time-weighted percentile over all availability zones. A type with less than a day of history has a
    rate without an amount. Raises CloudError when AWS cannot be asked or answers nonsense.
    """
    end = datetime.combine(request.today, time(), UTC)
    start = end - timedelta(days=window_days)
    wanted = sorted(request.items.get("ec2", ()))
    with client("ec2", request.region, endpoint_url, patience) as ec2:
        for first in range(0, len(wanted), CHUNK):
            histories = _histories(ec2, wanted[first : first + CHUNK], request, start, end)
            for item, history in sorted(histories.items()):
                yield _rate(item, history, request, start, end, percentile)


def weighted_percentile(history: History, start: datetime, end: datetime, percentile: int) -> Decimal:
    """Return the least price that holds, or a lower one, for `percentile` % of the time of all zones together.

    Raises ValueError for a history that covers no time between `start` and `end`.

    >>> noon, hour = datetime(2026, 1, 1, 12, tzinfo=UTC), timedelta(hours=1)
    >>> history = {"a": [Change(noon, "0.1"), Change(noon + 9 * hour, "0.5")]}
    >>> [str(weighted_percentile(history, noon, noon + 10 * hour, percentile)) for percentile in (90, 91)]
    ['0.1', '0.5']
    """
    held = sorted(span for changes in history.values() for span in _spans(changes, start, end))
    total = sum((duration for _, duration in held), timedelta())
    so_far = timedelta()
    for price, duration in held:
        so_far += duration
        if so_far * 100 >= total * percentile:
            return price
    raise ValueError("no price holds at any time")


def covered(history: History, start: datetime, end: datetime) -> timedelta:
    """Return for how much of the time from `start` to `end` at least one zone has a price."""
    first = min((change.at for changes in history.values() for change in changes), default=end)
    return max(end - max(first, start), timedelta())


def _spans(changes: Iterable[Change], start: datetime, end: datetime) -> Iterator[tuple[Decimal, timedelta]]:
    """Yield each price of a zone with how long it holds. Of two at one moment the higher holds."""
    ordered = sorted((min(max(change.at, start), end), change.at, Decimal(change.price)) for change in changes)
    for (begin, _, price), (until, *_) in pairwise([*ordered, (end, end, Decimal(0))]):
        if until > begin:
            yield price, until - begin


def _histories(
    ec2: Any, types: list[str], request: Request, start: datetime, end: datetime
) -> dict[str, dict[str, list[Change]]]:
    """Return type -> zone -> changes, of the region's own zones: a Local Zone's prices are its own."""
    query = {
        # A filter, not InstanceTypes: a type that the API does not know matches nothing.
        "Filters": [{"Name": "instance-type", "Values": types}],
        "ProductDescriptions": [PLATFORM],
        "StartTime": start,
        "EndTime": end,
        "MaxResults": PAGE_SIZE,
    }
    own = re.compile(re.escape(request.region) + "[a-z]")
    found: dict[str, dict[str, list[Change]]] = {}
    for page in listing(ec2.describe_spot_price_history, "SpotPriceHistory", "NextToken", **query):
        request.progress("spot prices", len(page))
        for entry in page:
            try:
                item, zone = entry["InstanceType"], entry["AvailabilityZone"]
                change = Change(entry["Timestamp"].astimezone(UTC), entry["SpotPrice"])
            except (KeyError, AttributeError) as error:
                message = f"a spot price in {request.region} lacks its type, zone, time or amount: try again"
                raise CloudError(message) from error
            if item in types and own.fullmatch(zone) and entry.get("ProductDescription", PLATFORM) == PLATFORM:
                found.setdefault(item, {}).setdefault(zone, []).append(change)
    return found


def _rate(item: str, history: History, request: Request, start: datetime, end: datetime, percentile: int) -> Rate:
    changes = [change for zone in history.values() for change in zone]
    today = request.today.isoformat()
    wrong = [change.price for change in changes if not (_PRICE.fullmatch(change.price) and Decimal(change.price))]
    length = covered(history, start, end)
    if wrong:
        amount, note = min(wrong), "one of the history's prices is none"
    elif length < LEAST:
        amount, note = "", f"only {length / timedelta(hours=1):.0f} hours of history"
    else:
        amount = f"{weighted_percentile(history, start, end, percentile):f}"
        note = f"p{percentile} over {(end - start).days} days, {len(history)} zones, {len(changes)} changes"
    key = PriceKey("ec2", item, "linux", "spot")
    return Rate(key, "hour", "", "", "Hrs", amount, CURRENCY, today, today, SOURCE, note=note)
