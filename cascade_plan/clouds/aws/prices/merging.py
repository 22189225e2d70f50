"""Rows of several sources for one price -> the one that a book holds."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Final

from cascade_plan.clouds.aws.prices.collected import Found
from cascade_plan.errors import PriceError
from cascade_plan.model.price import PriceKey

WEAK: Final = {
    ("us-west-2", PriceKey("eks", "cluster")): "undated",
    ("eu-central-1", PriceKey("eks", "cluster")): "AWS's statement names no region",
    ("eu-central-1", PriceKey("elb", "alb")): "from published bills; one equals 720 h at this price, hours not stated",
    ("eu-west-1", PriceKey("elb", "alb")): "amount / quantity of one bill",
    ("eu-west-1", PriceKey("elb", "alb-lcu")): "undated",
    ("eu-west-1", PriceKey("rds", "storage-gp3", "single_az")): "amount / quantity of one bill",
    ("eu-west-1", PriceKey("vpc", "nat-gateway")): "undated quotation of the pricing API",
    ("eu-west-1", PriceKey("vpc", "nat-gateway-data")): "undated quotation of the pricing API",
}
"""Rows that the collector of the files distrusts, and why."""


def merged(rows: Iterable[Found]) -> dict[PriceKey, Found]:
    """Return one region's rows by key: of equal prices the newest, which the others then confirm.

    Between equal dates the later file wins (gaps.csv was read from whole offers, rds_postgresql_core.csv holds samples
    of them), between undated rows the first.
    Raises PriceError, naming the candidates, when two rows disagree about a price.
    """
    prices: dict[PriceKey, Found] = {}
    conflicts = []
    for row in rows:
        if (known := prices.get(row.key)) is None:
            prices[row.key] = row
        elif known.unit != row.unit or Decimal(known.usd) != Decimal(row.usd):
            conflicts.append(f"{row.region} {row.key}: {_candidate(known)} or {_candidate(row)}")
        else:
            newer = _age(row) > _age(known) or (row.as_of == known.as_of != "undated")
            prices[row.key] = _confirmed(row, known) if newer else _confirmed(known, row)
    if conflicts:
        raise PriceError("the files disagree:\n" + "\n".join(conflicts))
    return {key: _doubted(row) for key, row in prices.items()}


def _age(row: Found) -> str:
    return "" if row.as_of == "undated" else row.as_of


def _candidate(row: Found) -> str:
    return f"{row.usd} USD per {row.unit} ({row.source}, {row.as_of}, {row.place})"


def _confirmed(row: Found, other: Found) -> Found:
    """Return a row with another of the same price among its confirmations, instead of the file's hint at that row."""
    listed = [text for text in row.confirmed_by.split(";") if "(existing row)" not in text]
    listed += [f"{other.source} ({other.as_of})", *other.confirmed_by.split(";")]
    texts = dict.fromkeys(text.strip() for text in listed)
    return replace(row, confirmed_by=";".join(text for text in texts if text and "(existing row)" not in text))


def _doubted(row: Found) -> Found:
    if not (reason := WEAK.get((row.region, row.key))):
        return row
    return replace(row, note="; ".join(filter(None, (f"weak: {reason}", row.note))))


def cheaper_than_on_demand(rows: Collection[Found]) -> list[Found]:
    """Return the rows without the discounts that are none: no on-demand price of the same item, or one not above."""
    listed = {(row.region, row.key): Decimal(row.usd) for row in rows if row.key.term == "on_demand"}

    def holds(row: Found) -> bool:
        if row.key.term == "on_demand":
            return True
        on_demand = listed.get((row.region, row.key._replace(term="on_demand")))
        return on_demand is not None and Decimal(row.usd) < on_demand

    return [row for row in rows if holds(row)]
