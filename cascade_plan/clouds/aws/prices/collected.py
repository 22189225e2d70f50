"""The rows of collected CSV files: which of them a book can use, under which key and in which unit.

No figure is made up: a price is a cell of a file, a price per million samples one whose point has moved.

AWS bills by the "GB" and means 2^30 bytes (https://aws.amazon.com/s3/pricing/: "1 GB is 2^30 bytes"), and its first
10 TB of transfer end at 10,240 GB. This is the place where that becomes gib and gib_month.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final, TypeAlias

from cascade_plan.clouds.aws.product import PUBLISHED, Product
from cascade_plan.clouds.aws.products import PRODUCTS
from cascade_plan.errors import PriceError, UsageError
from cascade_plan.model.price import PriceKey
from cascade_plan.prices.layout import USD, is_as_of
from cascade_plan.prices.products import PriceList
from cascade_plan.units import trimmed

PRICES: Final = PriceList("aws", PRODUCTS)
REGIONS: Final = ("ap-southeast-1", "eu-central-1", "eu-west-1", "us-east-1", "us-west-2")
FILES: Final = (
    "ec2_on_demand_core.csv",
    "ec2_spot_2024.csv",
    "ec2_commitments.csv",
    "rds_postgresql_core.csv",
    "rds_commitments.csv",
    "rds_storage.csv",
    "elasticache_core.csv",
    "network_storage_misc.csv",
    "gaps.csv",
    "aurora_postgresql.csv",
    "t2_sqs.csv",
    "t2_ec2_on_demand_core.csv",
    "t2_ec2_spot_2026.csv",
    "t2_ec2_commitments.csv",
    "t2_rds_postgresql.csv",
    "t2_rds_commitments.csv",
    "t2_rds_storage.csv",
    "t2_aurora_serverless.csv",
    "t2_elasticache.csv",
    "t2_elasticache_serverless.csv",
    "t2_network.csv",
    "t2_s3_fargate_cloudwatch.csv",
)
"""The collected files. At equal dates a later file wins."""
SHAPED: Final = frozenset(
    {"ec2_on_demand_core.csv", "rds_postgresql_core.csv", "elasticache_core.csv", "gaps.csv", "t2_elasticache.csv"}
)
"""The files whose on-demand instances say which shapes books hold; others have families that no plan chooses from."""

WHOLE_HOUR: Final = PriceKey("eks", "cluster-in-extended-support")
"""No price of a book: what the files give of an old cluster's hour, the cluster and the surcharge in one."""

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
    sku: str
    confirmed_by: str
    """Sources whose figure is equal, divided by semicolons."""
    note: str
    vcpu: str
    memory_gib: str
    place: str
    """file:line, for messages."""


# ---------------------------------------------------------------------------------------- which rows, and what they are

_INSTANCES: Final = {"AmazonEC2": "ec2", "AmazonRDS": "rds", "AmazonElastiCache": "elasticache"}
_SHAPE: Final = re.compile(r"(?:db\.|cache\.)?[a-z][a-z0-9-]*\.[a-z0-9-]+")
_TERM: Final = re.compile(r"(reserved_[13]y_(?:no|partial|all)_upfront)(?:_standard)?|(reserved_\w+_convertible)")
_DEPLOYED: Final = {
    "single-az": "single_az",
    "multi-az": "multi_az",
    "aurora-standard": "aurora_standard",
    "aurora-io-optimized": "aurora_io_optimized",
}
_ENGINES: Final = ("postgresql", "aurora-postgresql", "any", "")
"""Of RDS. Never another engine's row, even where engines are known to cost the same: it would be a guess."""
_SKU: Final = re.compile(r"[,;]? ?\b(?:sku ([0-9A-Z]{16})|([0-9A-Z]{16})(?:\.[0-9A-Z]{10}){1,2})\b")
"""AWS's identifier of what is sold, in a source or a note; with a term's and a rate's after it, as bills have it."""
_NO_NOTE: Final = re.compile(r"(?:; )?-?[\d.]+% below on-demand(?: [\d.]+)?|^confirms .* existing .*row.*$")
"""What a note says of other rows, which may be gone."""
_UNITS: Final = {
    **PUBLISHED,
    "1m requests": ("million_requests", Decimal(1)),
    "10m samples": ("million_samples", Decimal(10)),
    "1b samples": ("million_samples", Decimal(1000)),
}
"""Unit of a file, in lower case and without what it says in brackets -> the book's unit, and how many of it one is."""


def key_of(cells: Cells) -> PriceKey | None:
    """Return what a row prices, or None when no book holds that, or when the row does not say clearly what it is."""
    if cells["service"] == "AmazonRDS" and cells["engine"] not in _ENGINES:
        return None
    service = _INSTANCES.get(cells["service"], "")
    if service and _SHAPE.fullmatch(cells["item"]):
        variant, term = _variant(cells), _term(cells)
        return PriceKey(service, cells["item"], variant, term) if variant and term else None
    return _metered(cells) if cells["term"] == "on_demand" else None


def _variant(cells: Cells) -> str:
    """Return which of an item's prices a row is, in the book's word; "" where it does not say or no book has that."""
    if cells["service"] != "AmazonRDS":
        return cells["engine"] if cells["engine"] in ("linux", "redis", "valkey") else ""
    if cells["engine"] == "aurora-postgresql" and cells["deployment"] == "single-az":
        return "aurora_standard"  # Aurora has one price for an instance, in whichever zone; the older files call it so
    return _DEPLOYED.get(cells["deployment"], "")


def _term(cells: Cells) -> str:
    """Return how an instance is bought, or "" when the row does not say clearly which way it is.

    The 3-year file mixes standard reservations with EC2 Instance Savings Plans; a note tells them apart, by whether the
    upfront is a whole dollar.
    """
    term = cells["term"]
    if term == "reserved_3y_all_upfront_or_ec2_instance_sp_3y_all_upfront":
        return "reserved_3y_all_upfront" if cells["note"].startswith("looks like standard RI") else ""
    if match := _TERM.fullmatch(term):
        return match[1] or match[2]
    return term if term in ("on_demand", "spot") or re.fullmatch(r"compute_sp_[13]y_no_upfront", term) else ""


def _by_collected() -> dict[tuple[str, str], dict[str, Product]]:
    """Return service and item of a file -> variant -> what a book has of it."""
    named: dict[tuple[str, str], dict[str, Product]] = {}
    for product in PRODUCTS:
        if product.item:
            named.setdefault(product.collected, {})[product.variant] = product
    return named


_METERED: Final = _by_collected()
_WHOLE_HOURS: Final = ("AmazonEKS", "EKS-cluster-extended-support-hours")


def _metered(cells: Cells) -> PriceKey | None:
    """Return the key of what a file names by service, item and perhaps tier, or None when no book has it."""
    named = (cells["service"], cells["item"])
    if named == _WHOLE_HOURS:
        return WHOLE_HOUR
    variants = _METERED.get(named)
    tier = ""
    if variants is None:
        item, _, tier = cells["item"].rpartition(":")
        variants = _METERED.get((cells["service"], item), {})
    sole = next(iter(variants.values())) if len(variants) == 1 else None
    product = variants.get(_variant(cells), sole)
    if product is None or (tier and tier not in product.ranges):
        return None
    return PriceKey(product.service, product.item, product.ranges.get(tier, product.variant))


# ------------------------------------------------------------------------------------------------------------ reading


_COLUMNS: Final = {"service", "region", "item", "engine", "deployment", "term", "unit", "price_usd", "as_of", "source"}
_MEDIAN_COLUMNS: Final = ("p_median_3m", "n_days_3m")
"""Of a file of spot prices: the median of daily values, and of how many."""


def found(paths: Iterable[Path]) -> list[Found]:
    """Return the usable rows of files, in their order.

    Raises UsageError for a file that cannot be read or lacks a column, PriceError for a row that is no price.
    """
    rows = [
        _row(cells, key, f"{path.name}:{line}")
        for path in paths
        for line, cells in _table(path)
        if cells["region"] in REGIONS and (key := key_of(cells))
    ]
    shapes = {row.key[:2] for row in rows if row.key.term == "on_demand" and row.place.partition(":")[0] in SHAPED}
    return [row for row in rows if not PRICES.is_instance(row.key) or row.key[:2] in shapes]


def _table(path: Path) -> Iterator[tuple[int, Cells]]:
    """Yield (line, cells) of a CSV file."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="", strict=True)
            if missing := _COLUMNS - set(reader.fieldnames or ()):
                raise UsageError(f"{path}: the columns {', '.join(sorted(missing))} are missing")
            for cells in reader:
                if None in cells:
                    raise UsageError(f"{path}:{reader.line_num}: more cells than columns")
                yield reader.line_num, cells
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"cannot read {path}: {error}") from None


def _row(cells: Cells, key: PriceKey, place: str) -> Found:
    """Return a row under its key, in the book's unit. Raises PriceError when it is no price."""
    is_median = all(cells.get(name) for name in _MEDIAN_COLUMNS)
    if is_median:
        note = f"median of {cells['n_days_3m']} daily values to {cells['as_of']}"
    else:
        note = _NO_NOTE.sub("", cells.get("note") or "")
    named = cells["unit"].partition(" (")[0].lower()
    if named not in _UNITS:
        raise PriceError(f"{place}: {key}: unknown unit {cells['unit']!r}")
    unit, count = _UNITS[named]
    usd = cells["p_median_3m" if is_median else "price_usd"]
    skus = [one or other for one, other in _SKU.findall(f"{cells['source']}; {note}")]
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
        source=_SKU.sub("", cells["source"]),
        sku=skus[0] if skus else "",
        confirmed_by=cells.get("confirmed_by") or "",
        note=_SKU.sub("", note),
        vcpu=cells.get("vcpu") or "",
        memory_gib=cells.get("memory_gib") or "",
        place=place,
    )


def plain(number: Decimal) -> str:
    """Return a number without exponent and trailing zeros."""
    return trimmed(f"{number:f}")
