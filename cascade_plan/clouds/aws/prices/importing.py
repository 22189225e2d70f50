"""Rebuild the bundled price books and the catalogue from a directory of collected CSV files.

The CSV files say where each figure was found; here it is decided which of them a book holds, under which key and in
which unit. No figure is made up: a price is a cell of a file, a price per million samples one whose point has moved.

AWS bills by the "GB" and means 2^30 bytes (https://aws.amazon.com/s3/pricing/: "1 GB is 2^30 bytes"), and its first
10 TB of transfer end at 10,240 GB. This is the place where that becomes gib and gib_month.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TypeAlias

from cascade_plan.clouds.aws.eks import max_pods
from cascade_plan.clouds.aws.product import PUBLISHED
from cascade_plan.clouds.aws.products import PRODUCTS
from cascade_plan.clouds.aws.terms import RESERVED
from cascade_plan.errors import PriceError, UsageError
from cascade_plan.files.disk import write_atomically
from cascade_plan.languages.yaml import literal
from cascade_plan.model.price import PriceKey, Row
from cascade_plan.prices import writing
from cascade_plan.prices.coverage import NO_PRICE
from cascade_plan.prices.layout import FORMAT, SHAPE_COLUMNS, USD, is_as_of
from cascade_plan.prices.products import PriceList
from cascade_plan.units import trimmed

CLOUD: Final = "aws"
PRICES: Final = PriceList(CLOUD, PRODUCTS)
REGIONS: Final = ("ap-southeast-1", "eu-central-1", "eu-west-1", "us-east-1", "us-west-2")
FIRST_LINE: Final = "# Written by `cascade-plan prices import`; do not edit by hand.\n"
CAPTURES: Final = {
    "instance_types.json.gz sha256:81525fc960f54aa2": "moto 5.2.5 ec2/resources (Apache-2.0), a capture of the answer",
}
"""Fingerprint of a file of instance types -> where it is from."""

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


# ------------------------------------------------------------------------------------------------------------ reading


_COLUMNS: Final = {"service", "region", "item", "engine", "deployment", "term", "unit", "price_usd", "as_of", "source"}
_SPOT_COLUMNS: Final = {"p_median_3m", "n_days_3m"}


def _found(directory: Path) -> Iterator[Found]:
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
        usd = _plain(Decimal(usd) / count)
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


# ------------------------------------------------------------------------------------------------------------ merging


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


# --------------------------------------------------------------------------------------------------------------- gaps

_TERMS: Final = {"ec2_spot": ("spot",), "ec2_reserved": RESERVED, "rds": RESERVED, "elasticache": RESERVED}
WANTED: Final = tuple(
    PriceKey(product.service, product.item, variant)
    for product in PRODUCTS
    if product.item
    for variant in (product.ranges.values() or (product.variant,))
)
"""What every book should price, apart from instances."""

STATED: Final = (
    ("ec2_on_demand", REGIONS, "20 families without metal sizes; Linux, shared tenancy"),
    ("ec2_spot", REGIONS, "old: the source's values end on 2024-05-14"),
    ("ec2_spot", REGIONS, "one price per region, not per zone"),
    (
        "ec2_reserved",
        ("us-east-1",),
        "EC2 Instance Savings Plans; Compute Savings Plans but m7g.large's; convertible reservations but m5.large's",
    ),
    (
        "ec2_reserved",
        ("ap-southeast-1", "eu-central-1", "eu-west-1", "us-west-2"),
        "Compute and EC2 Instance Savings Plans; convertible reservations",
    ),
    ("rds", REGIONS, "Aurora; classes with local disks (d), more network (n) or x2 memory"),
    ("rds_storage", ("us-east-1",), "io1 storage and IOPS were seen as MySQL's SKUs only, which are not used"),
    ("rds_storage", ("eu-central-1",), "single-AZ gp3 was seen as MariaDB's SKU only, which is not used"),
    ("elasticache", REGIONS, "Serverless; backup storage; r8g and m8g nodes; data tiering"),
    ("load_balancer", REGIONS, "Classic and Gateway Load Balancers"),
    ("ebs", REGIONS, "volume types other than gp3; snapshots"),
    ("transfer", REGIONS, "inter-region is the price to most regions; some pairs cost less"),
)
"""(section, regions, what the books lack), as the collection's own notes say."""


def _gaps(region: str, prices: Mapping[PriceKey, Found], everywhere: Collection[PriceKey]) -> dict[str, list[str]]:
    """Return section -> what a book lacks: stated, wanted and absent, and counted against other regions and terms."""
    gaps: dict[str, list[str]] = {section: [] for section in PRICES.sections}
    for section, regions, text in STATED:
        if region in regions:
            gaps[section].append(text)
    for key in WANTED:
        if key not in prices:
            gaps[PRICES.section_of(key)].append(f"{NO_PRICE}{key}")
    for section in ("ec2_on_demand", "rds", "elasticache"):
        gaps[section] += _missing_families(section, prices, everywhere)
    for section, terms in _TERMS.items():
        gaps[section] += _missing_terms(PRICES.sections[section], terms, prices)
    return gaps


def _missing_families(section: str, prices: Collection[PriceKey], everywhere: Collection[PriceKey]) -> Iterator[str]:
    """Yield the families of which some shapes are priced in another region and not in this one."""
    known = [key for key in everywhere if PRICES.section_of(key) == section and key.term == "on_demand"]
    total = Counter(_family(key) for key in known)
    here = Counter(_family(key) for key in known if key in prices)
    for family in sorted(total, key=writing.natural):
        if here[family] < total[family]:
            yield f"on_demand: {here[family]} of {total[family]} prices of {family}"


def _missing_terms(service: str, terms: Iterable[str], prices: Collection[PriceKey]) -> Iterator[str]:
    """Yield the terms that not every shape priced on demand has."""
    listed = [key for key in prices if key.service == service and PRICES.is_instance(key) and key.term == "on_demand"]
    for term in terms:
        have = [key for key in listed if key._replace(term=term) in prices]
        if len(have) < len(listed):
            yield f"{term}: {len(have)} of {len(listed)} prices{_which(listed, have)}"


def _which(listed: Iterable[PriceKey], have: Collection[PriceKey]) -> str:
    """Return the families that have a price, or those that have none, whichever are fewer."""
    priced = {_family(key) for key in have}
    without = {_family(key) for key in listed} - priced
    if not priced or not without:
        return ""
    word, families = ("only", priced) if len(priced) < len(without) else ("none", without)
    return f"; {word} for {', '.join(sorted(families, key=writing.natural))}"


def _family(key: PriceKey) -> str:
    return key.item.rpartition(".")[0]


# ------------------------------------------------------------------------------------------------------------- shapes


def _instance_types(path: Path) -> dict[str, Mapping[str, Any]]:
    """Return name -> description from JSON as DescribeInstanceTypes answers, or a mapping of its entries by name.

    Raises UsageError when the file (.json, or .json.gz) cannot be read or is no such JSON.
    """
    try:
        raw = path.read_bytes()
        data = json.loads(gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw)
        entries = data["InstanceTypes"] if "InstanceTypes" in data else data.values()
        return {entry["InstanceType"]: entry for entry in entries}
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"cannot read instance types from {path}: {type(error).__name__}: {error}") from None


@dataclass(frozen=True, slots=True)
class _Shapes:
    """A section of the catalogue."""

    title: str
    rows: Sequence[tuple[str, ...]]
    sources: Sequence[str]
    gaps: Sequence[str]


def _ec2_shapes(rows: Collection[Found], types: Mapping[str, Mapping[str, Any]], fingerprint: str) -> _Shapes:
    """Return the EC2 shapes of the priced types: figures of the instance types, checked against the price files."""
    shapes, gaps = [], []
    for name, (vcpu, memory_gib) in _sizes(rows, "ec2").items():
        if (entry := types.get(name)) is None:
            gaps.append(f"{name}: no network interfaces known, left out")
            continue
        shape = _ec2_shape(name, entry)
        if (shape[1], shape[2]) != (vcpu, memory_gib):
            gaps.append(f"{name}: {vcpu} vCPU and {memory_gib} GiB in the price files, not {shape[1]} and {shape[2]}")
        shapes.append(shape)
    source = f"EC2 DescribeInstanceTypes: {CAPTURES.get(fingerprint, fingerprint)}"
    title = "EC2 instance types; the pods are those of EKS with the VPC CNI"
    return _Shapes(title, shapes, [source, CREDITS_SOURCE], gaps)


def _ec2_shape(name: str, entry: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the cells of an EC2 shape. Pods get their addresses from the default network card only.

    Raises UsageError when the description of the type lacks a figure.
    """
    try:
        network = entry["NetworkInfo"]
        card = {card["NetworkCardIndex"]: card for card in network["NetworkCards"]}[network["DefaultNetworkCardIndex"]]
        return (
            name,
            str(int(entry["VCpuInfo"]["DefaultVCpus"])),
            _plain(Decimal(entry["MemoryInfo"]["SizeInMiB"]) / 1024),
            "arm64" if "arm64" in entry["ProcessorInfo"]["SupportedArchitectures"] else "x86_64",
            "true" if entry["BurstablePerformanceSupported"] else "false",
            str(max_pods(int(card["MaximumNetworkInterfaces"]), int(network["Ipv4AddressesPerInterface"]))),
            *_sustained(name, entry),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"instance type {name}: {type(error).__name__}: {error}") from None


def _sustained(name: str, entry: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """Return what an instance type does all the time, not in bursts: network and disk in bytes/s, IOPS, CPU.

    AWS's megabits and gigabits are decimal. A cell is empty where its answer has no figure.
    """
    network = entry.get("NetworkInfo", {})
    cards = {card["NetworkCardIndex"]: card for card in network.get("NetworkCards", ())}
    card = cards.get(network.get("DefaultNetworkCardIndex"), {})
    disk = entry.get("EbsInfo", {}).get("EbsOptimizedInfo", {})
    family, _, size = name.partition(".")
    percent = BASELINE_PERCENT.get(size) if family in CREDITED else None
    return (
        _scaled(card.get("BaselineBandwidthInGbps"), 125_000_000),
        _scaled(disk.get("BaselineBandwidthInMbps"), 125_000),
        _scaled(disk.get("BaselineIops"), 1),
        _plain(Decimal(percent) / 100) if percent else "",
    )


def _scaled(given: Any, factor: int) -> str:
    return "" if given is None else _plain(Decimal(str(given)) * factor)


def _managed_shapes(
    rows: Collection[Found],
    types: Mapping[str, Mapping[str, Any]],
    service: str,
    prefix: str,
    title: str,
    sources: Sequence[str],
) -> _Shapes:
    """Return the shapes of a managed service's classes, and where they differ from the EC2 type of the same name.

    What they sustain is what the EC2 type of the same name does.
    """
    ec2 = _sizes(rows, "ec2")
    shapes, gaps = [], []
    for name, (vcpu, memory_gib) in _sizes(rows, service).items():
        burstable = re.match(r"t[0-9]", name.removeprefix(prefix)) is not None
        called = name.removeprefix(prefix)
        sustained = _sustained(called, types.get(called, {}))
        shapes.append((name, vcpu, memory_gib, "", "true" if burstable else "false", "0", *sustained))
        twin = ec2.get(name.removeprefix(prefix), (vcpu, memory_gib))
        # A cache's memory is what is left for data, so it always differs from the host's.
        if twin[0] != vcpu or (service == "rds" and twin[1] != memory_gib):
            gaps.append(f"{name}: {vcpu} vCPU and {memory_gib} GiB, its EC2 type has {twin[0]} and {twin[1]}")
    return _Shapes(title, shapes, sources, gaps)


def _sizes(rows: Iterable[Found], service: str) -> dict[str, tuple[str, str]]:
    """Return name -> (vCPU, memory in GiB) of the priced shapes, in natural order.

    Raises PriceError when rows disagree about a shape or give no size.
    """
    sizes: dict[str, tuple[str, str]] = {}
    for row in sorted(rows, key=lambda row: writing.natural(row.key.item)):
        if row.key.service == service and PRICES.is_instance(row.key) and row.key.term == "on_demand":
            try:
                size = (str(int(row.vcpu)), _plain(Decimal(row.memory_gib)))
            except (ValueError, ArithmeticError):
                raise PriceError(f"{row.place}: {row.key}: {row.vcpu!r} vCPU, {row.memory_gib!r} GiB") from None
            if sizes.setdefault(row.key.item, size) != size:
                raise PriceError(f"{row.place}: {row.key}: {size} vCPU and GiB, elsewhere {sizes[row.key.item]}")
    return sizes


def _plain(number: Decimal) -> str:
    """Return a number without exponent and trailing zeros."""
    return trimmed(f"{number:f}")


RDS_SIZES_SOURCE: Final = (
    "vantage-sh/ec2instances.info@14ede5a5 www/rds/instances.json (2021-08-03), else the EC2 type of the same name"
)
ELASTICACHE_SIZES_SOURCE: Final = "LeanerCloud/ec2-instances-info@f9eafba data/elasticache-instances.json (2025-04-24)"
TWIN_SOURCE: Final = "network, disk and CPU credits: those of the EC2 type of the same name"
CREDITS_SOURCE: Final = (
    "CPU credits: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/burstable-credits-baseline-concepts.html "
    "(2026-09-29)"
)
CREDITED: Final = frozenset({"t3", "t3a", "t4g"})
"""Families of which BASELINE_PERCENT holds. T2 has other figures above large, and is not priced."""
BASELINE_PERCENT: Final = {
    "nano": 5,
    "micro": 10,
    "small": 20,
    "medium": 20,
    "large": 30,
    "xlarge": 40,
    "2xlarge": 40,
}
"""Size -> the share of each vCPU that it earns credits for. Source: CREDITS_SOURCE."""


def render_catalogue(
    rows: Collection[Found], types: Mapping[str, Mapping[str, Any]], fingerprint: str, generated_from: Iterable[str]
) -> str:
    """Return the text of the catalogue, which `reading.parse_catalogue` reads. `fingerprint` is that of `types`."""
    sections = {
        "vm": _ec2_shapes(rows, types, fingerprint),
        "database": _managed_shapes(rows, types, "rds", "db.", "RDS instance classes", [RDS_SIZES_SOURCE, TWIN_SOURCE]),
        "cache": _managed_shapes(
            rows,
            types,
            "elasticache",
            "cache.",
            "ElastiCache node types; memory is what is left for data",
            [ELASTICACHE_SIZES_SOURCE, TWIN_SOURCE],
        ),
    }
    parts = [
        FIRST_LINE,
        f"format: {FORMAT}\ncloud: {CLOUD}\n",
        writing.listed("generated_from", generated_from, 0),
        "sections:\n",
    ]
    for name, section in sections.items():
        parts += [
            f"  {name}:\n    title: {literal(section.title)}\n",
            writing.listed("sources", section.sources, 4),
            writing.listed("gaps", section.gaps, 4),
            writing.block(SHAPE_COLUMNS, section.rows),
        ]
    return "".join(parts)


# ---------------------------------------------------------------------------------------------------------------- all


def rebuild(directory: Path, instance_types: Path) -> dict[str, str]:
    """Return file name -> text of every bundled book and of the catalogue, for `pricing/aws/`.

    `directory` holds the CSV files named in FILES; `instance_types` is what EC2 DescribeInstanceTypes answers, as JSON.
    Raises UsageError for a file that cannot be read, PriceError for a row that is no price or files that disagree.
    """
    rows = cheaper_than_on_demand(list(_found(directory)))
    prices = {region: merged(row for row in rows if row.region == region) for region in REGIONS}
    everywhere = {key for found in prices.values() for key in found}
    fingerprints = [_fingerprint(directory / name) for name in FILES]
    origin = writing.listed("generated_from", fingerprints, 0)
    texts = {
        f"{region}.yaml": writing.render_book(
            PRICES, region, _cells(found), FIRST_LINE, origin, _gaps(region, found, everywhere)
        )
        for region, found in prices.items()
    }
    kept = [row for found in prices.values() for row in found.values()]
    types, fingerprint = _instance_types(instance_types), _fingerprint(instance_types)
    return {**texts, "shapes.yaml": render_catalogue(kept, types, fingerprint, [*fingerprints, fingerprint])}


def write(texts: Mapping[str, str], destination: Path) -> list[Path]:
    """Write rebuilt files atomically into a directory and return their paths. Raises UsageError when it cannot."""
    paths = [destination / name for name in sorted(texts)]
    for path in paths:
        write_atomically(path, texts[path.name])
    return paths


def _cells(found: Mapping[PriceKey, Found]) -> dict[PriceKey, Row]:
    return {
        key: (row.unit, row.usd, row.upfront_usd, row.as_of, row.source, "", row.confirmed_by, row.note, "bundled")
        for key, row in found.items()
    }


def _fingerprint(path: Path) -> str:
    """Return a file's name and the start of its SHA-256, to tell later what a book was made of."""
    try:
        return f"{path.name} sha256:{hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error}") from None
