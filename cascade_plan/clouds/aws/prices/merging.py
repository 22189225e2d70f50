"""Rows of several sources for one price -> the one that a book holds, and what weakens it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Final

from cascade_plan.clouds.aws.prices.collected import WHOLE_HOUR, Found, plain
from cascade_plan.errors import PriceError
from cascade_plan.model.price import WEAK, PriceKey

CLUSTER: Final = PriceKey("eks", "cluster")
SURCHARGE: Final = PriceKey("eks", "cluster-extended-support")


def one_each(rows: Iterable[Found]) -> dict[PriceKey, Found]:
    """Return the prices of one region's book by key, each with what weakens it.

    Raises PriceError as `merged` does.
    """
    return {key: doubted(row) for key, row in discounts(without_whole_hours(merged(rows))).items()}


def merged(rows: Iterable[Found]) -> dict[PriceKey, Found]:
    """Return one region's rows by key, of several for one key the newest.

    Rows of the same date must agree; a month or a year may be any of its days. Older rows that are equal become
    confirmations, older ones that differ words in the note ("0.069 on 2021-08-03"). Undated rows are older than dated
    ones. Among equal rows of one date the later file's stays.
    Raises PriceError, naming the candidates, when rows of one date disagree.
    """
    grouped: dict[PriceKey, list[Found]] = {}
    for row in rows:
        grouped.setdefault(row.key, []).append(row)
    conflicts = [text for group in grouped.values() for text in _conflicts(group)]
    if conflicts:
        raise PriceError("the files disagree:\n" + "\n".join(conflicts))
    return {key: _newest(group) for key, group in grouped.items()}


def _by_age(rows: Iterable[Found]) -> list[Found]:
    """Return rows with the newest first; of one date the last one."""
    latest_first = list(rows)[::-1]
    return sorted(latest_first, key=lambda row: "" if row.as_of == "undated" else row.as_of, reverse=True)


def _conflicts(rows: Iterable[Found]) -> list[str]:
    newest, *others = _by_age(rows)
    return [
        f"{row.region} {row.key}: {_candidate(row)} or {_candidate(newest)}"
        for row in others
        if not _equal(row, newest)
        and (row.unit != newest.unit or newest.as_of.startswith(row.as_of) or row.as_of.startswith(newest.as_of))
    ]


def _equal(row: Found, other: Found) -> bool:
    return row.unit == other.unit and Decimal(row.usd) == Decimal(other.usd)


def _candidate(row: Found) -> str:
    return f"{row.usd} USD per {row.unit} ({row.source}, {row.as_of}, {row.place})"


def _newest(rows: Iterable[Found]) -> Found:
    newest, *others = _by_age(rows)
    equal = [row for row in others if _equal(row, newest)]
    before = [f"{row.usd} on {row.as_of}" for row in others if not _equal(row, newest)]
    confirmed = [f"{_short(row.source)} ({row.as_of});{row.confirmed_by}" for row in equal]
    named = next((row.sku for row in (newest, *equal) if row.sku), "")
    note = _joined(newest.note, *dict.fromkeys(before))
    return replace(newest, sku=named, confirmed_by=_independent(newest, *confirmed), note=note)


def _joined(*texts: str) -> str:
    return "; ".join(filter(None, texts))


# ------------------------------------------------------------------------------------------------- independent sources

_PLACE: Final = re.compile(
    r"(?:[\w.-]+/)?([\w.-]+)@[0-9a-f]{6,40}\b|^[\w.-]+/([\w.-]+)(?=[ @])|\b(?:record|ids?) ([0-9]{6,})", re.ASCII
)
"""A repository and perhaps its commit, or the record of a public document whose repository is not known."""
_NO_SOURCE: Final = re.compile(r"\(existing row\)|^\s*arithmetic")
"""A hint at a row that is merged in itself, and a check of the collector's."""
_SAME: Final = {
    "amazon-ec2-instance-selector": "instance-selector",
    "cloud-pricing": "infracost",  # a dump of Infracost's database of prices
    "coroot": "infracost",
    "ebs-pricing": "cloudkeep",
    "ec2-instances-info": "vantage",  # made of vantage-sh/ec2instances.info
    "ec2instances.info": "vantage",
    "finops": "focus",
    "focus-sample-data": "focus",
    "foodlabelflow-microservices": "foodlabelflow",
    "leanercloud": "vantage",
    "pypi": "service-capacity-modeling",
    "vantage-sh": "vantage",
}
"""A name in the files -> that of the source whose figures it repeats, or its shorter name."""


def origin(text: str) -> str:
    """Return what a source is counted as: its repository, the record it was read in, else its first word.

    >>> origin("aadk979/SPOH_2027@6f5149c9 prices.json (2026-09-11)"), origin("SPOH_2027@2026-09-11")
    ('spoh_2027', 'spoh_2027')
    >>> origin("public cost document, AWS price lists of 2026-10-04 (record 70137210126)")
    '70137210126'
    """
    place = _PLACE.search(text)
    word = re.search(r"[\w.-]+", text)
    name = (next(filter(None, place.groups())) if place else word[0] if word else text).lower()
    return _SAME.get(name, name)


def _short(source: str) -> str:
    """Return a source without the file in it: a repository, the record it was read in, else all of it."""
    place = _PLACE.search(source)
    return (f"record {place[3]}" if place[3] else place[0]) if place else source.replace(";", ",")


def _independent(row: Found, *confirmations: str) -> str:
    """Return the confirmations of a row, one of each source, without the row's own."""
    seen = {origin(row.source)}
    kept = []
    for text in ";".join((row.confirmed_by, *confirmations)).split(";"):
        if text.strip() and not _NO_SOURCE.search(text) and origin(text) not in seen:
            seen.add(origin(text))
            kept.append(text.strip())
    return ";".join(kept)


# ------------------------------------------------------------------------------------------------------------ weakness

_DOUBT: Final = re.compile(
    r"(?:^|; )(weak\b:? ?[^;]*|region label not on the page[^;]*|engine not named[^;]*|one reading[^;]*"
    r"|as_of approximate[^;]*|single value in history[^;]*)"
)
"""What the collector of a row says against it."""
_BILL: Final = re.compile(r"\bbill\b|Cost Explorer|^derived", re.MULTILINE)
_SINGLE: Final = re.compile(r"(?:^|; )single(?=;|$)")


def weakness(row: Found) -> str:
    """Return what weakens a figure, in words; "" for a plain one.

    It follows from the row alone, so that a stronger row ends it. A figure without a date is weak whoever else has it.
    Without an independent source that has the same, so is one that its collector doubts, one worked out from a bill,
    and one of a single source for what is metered: the discounts of commitments were compared with those of the same
    family, so that for them one is enough.
    """
    doubt = _DOUBT.search(row.note)
    said = doubt[1].removeprefix(WEAK.removesuffix(":")).strip(": ") if doubt else ""
    if row.as_of == "undated":
        return _joined("quoted without a date", said)
    if row.confirmed_by:
        return ""
    if said:
        return said
    if _BILL.search(f"{row.source}\n{row.note}"):
        return "from one bill"
    return "one source" if doubt or (_SINGLE.search(row.note) and row.key.term == "on_demand") else ""


def doubted(row: Found) -> Found:
    """Return a row whose note begins with what weakens it, and says no more what the confirmations say."""
    reason = weakness(row)
    left = _SINGLE.sub("", _DOUBT.sub("", row.note)).removeprefix("; ")
    return replace(row, note=_joined(f"{WEAK} {reason}" if reason else "", left))


# -------------------------------------------------------------------------------------------------------- what follows


def without_whole_hours(prices: Mapping[PriceKey, Found]) -> dict[PriceKey, Found]:
    """Return a region's prices with the surcharge for an old cluster in place of the whole hour of one.

    AWS's list sells them apart, AmazonEKS-Hours:perCluster and AmazonEKS-Hours:extendedSupport; the collected files
    give their sum. A row of the surcharge itself is merged with what follows from the sum.
    Raises PriceError when they disagree at one date.
    """
    kept = {key: row for key, row in prices.items() if key != WHOLE_HOUR}
    whole, cluster = prices.get(WHOLE_HOUR), prices.get(CLUSTER)
    if whole is None or cluster is None:
        return kept
    usd = plain(Decimal(whole.usd) - Decimal(cluster.usd))
    note = f"worked out: {whole.usd} for the hour of a cluster with it, less {cluster.usd} for the cluster"
    difference = replace(whole, key=SURCHARGE, usd=usd, sku="", note=note)
    direct = [kept[SURCHARGE]] if SURCHARGE in kept else []
    return {**kept, **merged([*direct, difference])}


def discounts(prices: Mapping[PriceKey, Found]) -> dict[PriceKey, Found]:
    """Return a region's prices without the discounts that are none: not below on demand, or of what has no such price.

    Their terms stay gaps of the book.
    """

    def holds(row: Found) -> bool:
        on_demand = prices.get(row.key._replace(term="on_demand"))
        return row.key.term == "on_demand" or (on_demand is not None and Decimal(row.usd) < Decimal(on_demand.usd))

    return {key: row for key, row in prices.items() if holds(row)}
