"""The rows of collected CSV files: which of them a book can use, under which key and in which unit.

No figure is made up: a price is a cell of a file, a price per million samples one whose point has moved.

AWS bills by the "GB" and means 2^30 bytes (https://aws.amazon.com/s3/pricing/: "1 GB is 2^30 bytes"), and its first
10 TB of transfer end at 10,240 GB. This is the place where that becomes gib and gib_month.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final, TypeAlias

from cascade_plan.clouds.aws.product import PUBLISHED
from cascade_plan.clouds.aws.products import PRODUCTS
from cascade_plan.errors import PriceError, UsageError
from cascade_plan.model.price import PriceKey
from cascade_plan.prices.layout import USD, is_as_of
from cascade_plan.prices.products import PriceList
from cascade_plan.units import trimmed

PRICES: Final = PriceList("aws", PRODUCTS)
REGIONS: Final = ("ap-southeast-1", "eu-central-1", "eu-west-1", "us-east-1", "us-west-2")

Cells: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Found:
    """A row of a CSV file that a book can use."""

    region: str
    key: PriceKey
    unit: str
    usd: str
    """As the source writes it."""
    upfront_usd: str
    """Of a commitment; empty where the source does not say."""
    as_of: str
    source: str
    confirmed_by: str
    note: str
    vcpu: str
    memory_gib: str
    place: str
    """file:line, for messages."""


# ---------------------------------------------------------------------------------------- which rows, and what they are

_TERM: Final = re.compile(r"(reserved_[13]y_(?:no|partial|all)_upfront)(?:_standard)?|(reserved_\w+_convertible)")
_DEPLOYED: Final = {
    "single-az": "single_az",
    "multi-az": "multi_az",
    "aurora-standard": "aurora_standard",
    "aurora-io-optimized": "aurora_io_optimized",
}
_AURORA: Final = {
    "aurora-storage-standard": "aurora_standard",
    "aurora-storage-io-optimized": "aurora_io_optimized",
    "aurora-io-requests": "aurora_standard",
}
"""Item of a file that says of Aurora how its I/O is paid -> the book's variant."""
_METERED: Final = {(*product.collected, product.variant): product for product in PRODUCTS if product.item}
"""Service, item and variant of a file -> what a book has of it."""
_UNITS: Final = {
    **PUBLISHED,
    "1m requests": ("million_requests", Decimal(1)),
    "10m samples": ("million_samples", Decimal(10)),
    "1b samples": ("million_samples", Decimal(1000)),
}
"""Unit of a file, in lower case and without what it says in brackets -> the book's unit, and how many of it one is."""


def _ec2(cells: Cells) -> PriceKey | None:
    term = _commitment(cells) if cells["term"] not in ("on_demand", "spot") else cells["term"]
    return PriceKey("ec2", cells["item"], "linux", term) if term and cells["engine"] == "linux" else None


def _commitment(cells: Cells) -> str:
    """Return the term of a commitment, or "" when the row does not say clearly which one it is.

    The 3-year file mixes standard reservations with EC2 Instance Savings Plans; a note tells them apart, by whether the
    upfront is a whole dollar.
    """
    term = cells["term"]
    if term == "reserved_3y_all_upfront_or_ec2_instance_sp_3y_all_upfront":
        return "reserved_3y_all_upfront" if cells["note"].startswith("looks like standard RI") else ""
    if match := _TERM.fullmatch(term):
        return match[1] or match[2]
    return term if re.fullmatch(r"compute_sp_[13]y_no_upfront", term) else ""


def _rds(cells: Cells) -> PriceKey | None:
    # Never another engine's row, even where engines are known to cost the same: it would be a guess.
    if cells["service"] != "AmazonRDS" or cells["engine"] not in ("postgresql", "aurora-postgresql", "any", ""):
        return None
    aurora = cells["engine"] == "aurora-postgresql" and cells["deployment"] == "single-az"
    variant = _AURORA.get(cells["item"]) or _DEPLOYED.get("aurora-standard" if aurora else cells["deployment"], "")
    if cells["item"].startswith("db."):
        term = cells["term"] if cells["term"] == "on_demand" else _commitment(cells)
        return PriceKey("rds", cells["item"], variant, term) if term and variant else None
    return _sold(cells, variant)


def _elasticache(cells: Cells) -> PriceKey | None:
    term = cells["term"] if cells["term"] == "on_demand" else _commitment(cells)
    return PriceKey("elasticache", cells["item"], cells["engine"], term) if term else None


def _serverless(cells: Cells) -> PriceKey | None:
    return _sold(cells, cells["engine"])


def _metered(cells: Cells) -> PriceKey | None:
    return _sold(cells, "") if cells["service"] != "AmazonRDS" else None


def _sold(cells: Cells, variant: str) -> PriceKey | None:
    """Return the key of what a file names by service, item and variant, or None when no book has it."""
    service, item = cells["service"], cells["item"]
    if product := _METERED.get((service, item, variant)):
        return PriceKey(product.service, product.item, product.ranges.get("", variant))
    item, _, tier = item.rpartition(":")
    if (product := _METERED.get((service, item, variant))) and tier in product.ranges:
        return PriceKey(product.service, product.item, product.ranges[tier])
    return None


def _filled(cells: Cells) -> PriceKey | None:
    return _rds(cells) or _metered(cells)


FILES: Final[Mapping[str, Callable[[Cells], PriceKey | None]]] = {
    "ec2_on_demand_core.csv": _ec2,
    "ec2_spot_2024.csv": _ec2,
    "ec2_commitments.csv": _ec2,
    "rds_postgresql_core.csv": _rds,
    "rds_commitments.csv": _rds,
    "rds_storage.csv": _rds,
    "elasticache_core.csv": _elasticache,
    "network_storage_misc.csv": _metered,
    "gaps.csv": _filled,
    "t2_sqs.csv": _metered,
    "t2_ec2_on_demand_core.csv": _ec2,
    "t2_ec2_commitments.csv": _ec2,
    "t2_rds_postgresql.csv": _rds,
    "t2_rds_commitments.csv": _rds,
    "t2_rds_storage.csv": _rds,
    "t2_aurora_serverless.csv": _rds,
    "aurora_postgresql.csv": _rds,
    "t2_elasticache.csv": _elasticache,
    "t2_elasticache_serverless.csv": _serverless,
    "t2_network.csv": _metered,
    "t2_s3_fargate_cloudwatch.csv": _metered,
}
"""File -> what prices a row of it, or None when no book holds that row. At equal dates a later file wins."""
WIDE: Final = frozenset({"t2_rds_postgresql.csv", "aurora_postgresql.csv"})
"""Files with instances of more families than books hold: those that the other files have on demand."""

# ------------------------------------------------------------------------------------------------------------ reading


_COLUMNS: Final = {"service", "region", "item", "engine", "deployment", "term", "unit", "price_usd", "as_of", "source"}
_SPOT_COLUMNS: Final = {"p_median_3m", "n_days_3m"}


def found(directory: Path) -> Iterator[Found]:
    """Yield the usable rows of all files, in the order of FILES.

    Raises UsageError for a file that cannot be read or lacks a column, PriceError for a row that is no price.
    """
    known: set[tuple[str, str]] = set()
    for name, priced in sorted(FILES.items(), key=lambda file: file[0] in WIDE):
        for line, cells in _table(directory / name):
            if cells["region"] in REGIONS and (key := priced(cells)):
                if name not in WIDE and key.term == "on_demand":
                    known.add(key[:2])
                elif name in WIDE and PRICES.is_instance(key) and key[:2] not in known:
                    continue
                yield _row(cells, key, f"{name}:{line}")


def _table(path: Path) -> Iterator[tuple[int, Cells]]:
    """Yield (line, cells) of a CSV file."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="", strict=True)
            needed = _COLUMNS | (_SPOT_COLUMNS if "spot" in path.name else set())
            if missing := needed - set(reader.fieldnames or ()):
                raise UsageError(f"{path}: the columns {', '.join(sorted(missing))} are missing")
            for cells in reader:
                if None in cells:
                    raise UsageError(f"{path}:{reader.line_num}: more cells than columns")
                yield reader.line_num, cells
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"cannot read {path}: {error}") from None


def _row(cells: Cells, key: PriceKey, place: str) -> Found:
    """Return a row under its key, in the book's unit. Raises PriceError when it is no price."""
    is_spot = key.term == "spot"
    if is_spot:
        note = f"median of {cells['n_days_3m']} daily values to {cells['as_of']}"
    else:
        note = re.sub(r"(?:; )?-?[\d.]+% below on-demand|^confirms .* existing .*row.*$", "", cells.get("note") or "")
    if note.startswith("region label not on the page"):
        note = f"weak: {note}"
    named = cells["unit"].partition(" (")[0].lower()
    if named not in _UNITS:
        raise PriceError(f"{place}: {key}: unknown unit {cells['unit']!r}")
    unit, count = _UNITS[named]
    usd = cells["p_median_3m" if is_spot else "price_usd"]
    if not USD.fullmatch(usd) or not is_as_of(cells["as_of"]) or not cells["source"].strip():
        raise PriceError(
            f"{place}: {key}: no price with date and source: {usd!r}, {cells['as_of']!r}, {cells['source']!r}"
        )
    upfront = re.search(r"\bupfront ([0-9.]+)", note)
    if count != 1:
        note = "; ".join(filter(None, (note, f"{usd} USD per {cells['unit']} in the source")))
        usd = plain(Decimal(usd) / count)
    return Found(
        region=cells["region"],
        key=key,
        unit=unit,
        usd=usd,
        upfront_usd=upfront[1] if upfront else "",
        as_of=cells["as_of"],
        source=cells["source"],
        confirmed_by=cells.get("confirmed_by") or "",
        note=note,
        vcpu=cells.get("vcpu") or "",
        memory_gib=cells.get("memory_gib") or "",
        place=place,
    )


def plain(number: Decimal) -> str:
    """Return a number without exponent and trailing zeros."""
    return trimmed(f"{number:f}")
