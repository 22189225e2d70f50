"""The catalogue: the shapes that the books price, from what AWS answers of instance types and from the price files."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from cascade_plan.clouds.aws.eks import max_pods
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
            plain(Decimal(entry["MemoryInfo"]["SizeInMiB"]) / 1024),
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
        plain(Decimal(percent) / 100) if percent else "",
    )


def _scaled(given: Any, factor: int) -> str:
    return "" if given is None else plain(Decimal(str(given)) * factor)


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
                size = (str(int(row.vcpu)), plain(Decimal(row.memory_gib)))
            except (ValueError, ArithmeticError):
                raise PriceError(f"{row.place}: {row.key}: {row.vcpu!r} vCPU, {row.memory_gib!r} GiB") from None
            if sizes.setdefault(row.key.item, size) != size:
                raise PriceError(f"{row.place}: {row.key}: {size} vCPU and GiB, elsewhere {sizes[row.key.item]}")
    return sizes


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
