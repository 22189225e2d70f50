"""The catalogue: the shapes that the books price, from what AWS answers of instance types and from the price files."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from typing import Any, Final

from cascade_plan.clouds.aws import elasticache, rds
from cascade_plan.clouds.aws.prices.collected import PRICES, Found, plain
from cascade_plan.errors import PriceError, UsageError
from cascade_plan.languages.yaml import literal
from cascade_plan.prices import writing
from cascade_plan.prices.layout import FORMAT, SHAPE_COLUMNS

FIRST_LINE: Final = "# Written by `cascade-plan prices import`; do not edit by hand.\n"
CAPTURES: Final = {
    "instance_types.json.gz sha256:81525fc960f54aa2": "moto 5.2.5 ec2/resources (Apache-2.0), a capture of the answer",
}
"""Fingerprint of a file of instance types -> where it is from."""


def instance_types(path: Path) -> dict[str, Mapping[str, Any]]:
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
    sources = [source, DISK_BURST_SOURCE, NETWORK_BURST_SOURCE, CREDITS_SOURCE, *SPEED_SOURCES]
    return _Shapes("EC2 instance types", shapes, sources, gaps)


def _ec2_shape(name: str, entry: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the cells of an EC2 shape. Pods get their addresses from the default network card only.

    A block of addresses (a prefix) is taken by Nitro instances,
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-prefix-eni.html

    Raises UsageError when the description of the type lacks a figure.
    """
    try:
        network = entry["NetworkInfo"]
        card = {card["NetworkCardIndex"]: card for card in network["NetworkCards"]}[network["DefaultNetworkCardIndex"]]
        return (
            name,
            str(int(entry["VCpuInfo"]["DefaultVCpus"])),
            plain(Decimal(entry["MemoryInfo"]["SizeInMiB"]) / 1024),
            "arm64" if "arm64" in entry["ProcessorInfo"]["SupportedArchitectures"] else "x86_64",
            _yes_or_no(entry["BurstablePerformanceSupported"]),
            "",
            "",
            str(int(card["MaximumNetworkInterfaces"])),
            str(int(network["Ipv4AddressesPerInterface"])),
            _yes_or_no(entry.get("Hypervisor") == "nitro"),
            *_rates(name, entry),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"instance type {name}: {type(error).__name__}: {error}") from None


def _yes_or_no(answer: bool) -> str:
    return "true" if answer else "false"


def _rates(name: str, entry: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what an instance type does all the time and in bursts: network and disk in bytes/s, IOPS, and its CPU.

    AWS's megabits and gigabits are decimal. A cell is empty where its answer has no figure.
    """
    network = entry.get("NetworkInfo", {})
    cards = {card["NetworkCardIndex"]: card for card in network.get("NetworkCards", ())}
    card = cards.get(network.get("DefaultNetworkCardIndex"), {})
    disk = entry.get("EbsInfo", {}).get("EbsOptimizedInfo", {})
    sent = _scaled(card, ("BaselineBandwidthInGbps", "PeakBandwidthInGbps"), 125_000_000)
    moved = _scaled(disk, ("BaselineBandwidthInMbps", "MaximumBandwidthInMbps"), 125_000)
    operations = _scaled(disk, ("BaselineIops", "MaximumIops"), 1)
    family, _, size = name.partition(".")
    percent = BASELINE_PERCENT.get(size) if family in CREDITED else None
    return (
        *sent,
        _lasting(NETWORK_BURST_S, sent),
        *moved,
        *operations,
        _lasting(DISK_BURST_S, moved, operations),
        plain(Decimal(percent) / 100) if percent else "",
        SPEED.get(family, ""),
    )


def _scaled(given: Mapping[str, Any], names: tuple[str, str], factor: int) -> tuple[str, str]:
    """Return the cells of what is done all the time, and in bursts."""
    sustained, burst = (plain(Decimal(str(given[name])) * factor) if name in given else "" for name in names)
    return sustained, burst


def _lasting(seconds: int, *rates: tuple[str, str]) -> str:
    """Return the cell of how long bursts last: empty where there are none."""
    return str(seconds) if any(burst not in ("", sustained) for sustained, burst in rates) else ""


def _managed_shapes(
    rows: Collection[Found],
    types: Mapping[str, Mapping[str, Any]],
    service: str,
    prefix: str,
    left: Callable[[str, float], tuple[float, int]],
) -> tuple[list[tuple[str, ...]], list[str]]:
    """Return the shapes of a managed service's classes, and where they differ from the EC2 type of the same name.

    `left` says of a class and its memory what of that the program has, in GiB, and how many connections it accepts. The
    rates are those of the EC2 type of the same name.
    """
    ec2 = _sizes(rows, "ec2")
    shapes, gaps = [], []
    for name, (vcpu, memory_gib) in _sizes(rows, service).items():
        called = name.removeprefix(prefix)
        burstable = _yes_or_no(re.match(r"t[0-9]", called) is not None)
        usable_gib, connections = left(name, float(memory_gib))
        usable = plain(Decimal(usable_gib).quantize(Decimal("0.0001"), ROUND_DOWN))
        limits = (usable, str(connections), "0", "0", "false")
        shapes.append((name, vcpu, memory_gib, "", burstable, *limits, *_rates(called, types.get(called, {}))))
        twin = ec2.get(called, (vcpu, memory_gib))
        # A cache's memory is what is left for data, so it always differs from the host's.
        if twin[0] != vcpu or (service == "rds" and twin[1] != memory_gib):
            gaps.append(f"{name}: {vcpu} vCPU and {memory_gib} GiB, its EC2 type has {twin[0]} and {twin[1]}")
    return shapes, gaps


def _left_to_postgres(name: str, memory_gib: float) -> tuple[float, int]:
    return rds.usable_memory_gib(name, memory_gib), rds.connection_count_max(name, memory_gib)


def _left_to_keys(name: str, memory_gib: float) -> tuple[float, int]:
    return elasticache.usable_memory_gib(memory_gib), elasticache.connection_count_max(name)


def _sizes(rows: Iterable[Found], service: str) -> dict[str, tuple[str, str]]:
    """Return name -> (vCPU, memory in GiB) of the priced shapes, in natural order.

    Raises PriceError when rows disagree about a shape or give no size.
    """
    sizes: dict[str, tuple[str, str]] = {}
    for row in sorted(rows, key=lambda row: writing.natural(row.key.item)):
        if row.key.service == service and PRICES.is_instance(row.key) and row.key.term == "on_demand":
            try:
                size = (str(int(row.vcpu)), plain(Decimal(row.memory_gib)))
            except (ValueError, ArithmeticError):
                raise PriceError(f"{row.place}: {row.key}: {row.vcpu!r} vCPU, {row.memory_gib!r} GiB") from None
            if sizes.setdefault(row.key.item, size) != size:
                raise PriceError(f"{row.place}: {row.key}: {size} vCPU and GiB, elsewhere {sizes[row.key.item]}")
    return sizes


RDS_SOURCES: Final = (
    "vantage-sh/ec2instances.info@14ede5a5 www/rds/instances.json (2021-08-03), else the EC2 type of the same name",
    "memory left to PostgreSQL: an assumption, the lesser of 0.91 of it and all but 403 MiB, which is 0 to 9.1 % below "
    "what five classes answered (gist.github.com/guizmaii/1cacffef793c2ba9645083c3e18b3d8c); of db.t4g.small what it "
    "answered (github.com/kirill-markin/flashcards-open-source-app/pull/1657, 2026-08-30)",
    "connections: LEAST(DBInstanceClassMemory/9531392, 5000), "
    "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html (copy read 2026-11-26)",
)
ELASTICACHE_SOURCES: Final = (
    "maxmemory: LeanerCloud/ec2-instances-info@f9eafba data/elasticache-instances.json (2025-04-24)",
    "memory left to keys: reserved-memory-percent 25, "
    "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/redis-memory-management.html (copy read 2026-11-26)",
    "connections: maxclients, "
    "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/ParameterGroups.Engine.html (copy read 2026-11-26)",
)
TWIN_SOURCE: Final = "network, disk, CPU credits and speed: those of the EC2 type of the same name"
DISK_BURST_S: Final = 1800
DISK_BURST_SOURCE: Final = (
    "disk bursts: 30 minutes at least once every 24 hours, of types whose maximum is above their baseline, "
    "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ebs-optimized.html (copy read 2026-11-26)"
)
NETWORK_BURST_S: Final = 300
NETWORK_BURST_SOURCE: Final = (
    "network bursts: typically from 5 to 60 minutes depending on the size, and on a best effort: 5 are taken, "
    "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-network-bandwidth.html (copy read 2026-11-26)"
)
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

SPEED_SOURCES: Final = (
    "speed: a vCPU of Graviton2 is 1 (a core, in the place of a hyperthread, of 2.5 GHz)",
    "speed of Graviton3 and 4: 25 % faster than Graviton2, and 30 % than Graviton3 (web applications; databases 40 %), "
    "https://aws.amazon.com/ec2/graviton/; measured, MySQL on r8g did twice what r6g did: "
    "https://ronaldbradford.com/blog/more-cpus-or-newer-cpus-2025-04-02",
    "speed of Intel: GHz x instructions a cycle over Graviton2's 3.75 (2.5 x 1.5, as a core is no hyperthread), "
    "Netflix service-capacity-modeling 0.3.212 hardware/profiles/shapes/aws: m5, r5 3.1; c5 3.4; 6i 3.5 x 1.15; 7i "
    "3.2 x 1.288; rounded down; t3 as m5, of the same processors",
)
SPEED: Final = {
    **dict.fromkeys(("m6g", "c6g", "r6g", "t4g"), "1"),
    **dict.fromkeys(("m7g", "c7g", "r7g"), "1.25"),
    **dict.fromkeys(("m8g", "c8g", "r8g"), "1.62"),
    **dict.fromkeys(("m5", "r5", "t3"), "0.82"),
    "c5": "0.9",
    **dict.fromkeys(("m6i", "c6i", "r6i"), "1.07"),
    **dict.fromkeys(("m7i", "c7i", "r7i"), "1.09"),
}
"""Family -> how fast one of its vCPUs is when all are busy, over Graviton2's. Source: SPEED_SOURCES."""


def render_catalogue(
    rows: Collection[Found], types: Mapping[str, Mapping[str, Any]], fingerprint: str, generated_from: Iterable[str]
) -> str:
    """Return the text of the catalogue, which `reading.parse_catalogue` reads. `fingerprint` is that of `types`."""
    databases = _managed_shapes(rows, types, "rds", "db.", _left_to_postgres)
    caches = _managed_shapes(rows, types, "elasticache", "cache.", _left_to_keys)
    sections = {
        "vm": _ec2_shapes(rows, types, fingerprint),
        "database": _Shapes("RDS instance classes", databases[0], [*RDS_SOURCES, TWIN_SOURCE], databases[1]),
        "cache": _Shapes("ElastiCache node types", caches[0], [*ELASTICACHE_SOURCES, TWIN_SOURCE], caches[1]),
    }
    parts = [
        FIRST_LINE,
        f"format: {FORMAT}\ncloud: {PRICES.cloud}\n",
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
