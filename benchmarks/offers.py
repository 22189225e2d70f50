"""Importing an offer file: a synthetic AmazonEC2 offer of one region in both layouts, read once each.

Beside it the same file through `csv.reader`, whose records are thrown away, and through `json.load`. Every reading is a
process of its own, so that each has its own peak of memory; the floor runs before and after.
"""

# ruff: noqa: T201

from __future__ import annotations

import argparse
import csv
import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from itertools import count, product
from pathlib import Path
from shutil import copyfileobj

from cascade_plan.clouds.aws.prices import offer_csv, offer_json
from cascade_plan.clouds.aws.product import PUBLISHED
from cascade_plan.prices.products import price_list
from cascade_plan.prices.rates import Request, choose

AWS = price_list("aws")

GOAL_MIB = 200
GOAL_RATIO = 0.7
REGION = "us-east-1"
SAID = ("v1.0", "This pricing list is for informational purposes only.", "2026-11-20T18:44:47Z", "20261120184447")
# The headings of the AmazonEC2 offer of 2025-09-12.
TERM_HEADINGS = (
    "SKU,OfferTermCode,RateCode,TermType,PriceDescription,EffectiveDate,StartingRange,EndingRange,Unit,PricePerUnit,"
    "Currency,RelatedTo,LeaseContractLength,PurchaseOption,OfferingClass"
)
PRODUCT_HEADINGS = (
    "Product Family,serviceCode,Location,Location Type,Instance Type,Current Generation,Instance Family,vCPU,"
    "Physical Processor,Clock Speed,Memory,Storage,Network Performance,Processor Architecture,Storage Media,"
    "Volume Type,Max Volume Size,Max IOPS/volume,Max IOPS Burst Performance,Max throughput/volume,Provisioned,Tenancy,"
    "EBS Optimized,Operating System,License Model,Group,Group Description,Transfer Type,From Location,"
    "From Location Type,To Location,To Location Type,usageType,operation,AvailabilityZone,CapacityStatus,"
    "ClassicNetworkingSupport,Dedicated EBS Throughput,ECU,Elastic Graphics Type,Enhanced Networking Supported,"
    "From Region Code,GPU,GPU Memory,Instance,Instance Capacity - 10xlarge,Instance Capacity - 12xlarge,"
    "Instance Capacity - 16xlarge,Instance Capacity - 18xlarge,Instance Capacity - 24xlarge,"
    "Instance Capacity - 2xlarge,Instance Capacity - 32xlarge,Instance Capacity - 4xlarge,Instance Capacity - 8xlarge,"
    "Instance Capacity - 9xlarge,Instance Capacity - large,Instance Capacity - medium,Instance Capacity - metal,"
    "Instance Capacity - xlarge,instanceSKU,Intel AVX2 Available,Intel AVX Available,Intel Turbo Available,"
    "MarketOption,Normalization Size Factor,Physical Cores,Pre Installed S/W,Processor Features,Product Type,"
    "Region Code,Resource Type,serviceName,SnapshotArchiveFeeType,To Region Code,Volume API Name,VPCNetworkingSupport"
)
TERM, ATTRIBUTES = TERM_HEADINGS.split(","), PRODUCT_HEADINGS.split(",")
SYSTEMS = (
    *product(("Linux",), ("NA", "SQL Web", "SQL Std", "SQL Ent")),
    *product(("Windows",), ("NA", "SQL Web", "SQL Std", "SQL Ent")),
    *product(("RHEL", "SUSE", "Ubuntu Pro", "Red Hat Enterprise Linux with HA"), ("NA",)),
)
USAGES = {
    ("Shared", "Used"): "BoxUsage",
    ("Shared", "UnusedCapacityReservation"): "UnusedBox",
    ("Shared", "AllocatedCapacityReservation"): "Reservation",
    ("Dedicated", "Used"): "DedicatedUsage",
    ("Dedicated", "UnusedCapacityReservation"): "UnusedDed",
    ("Dedicated", "AllocatedCapacityReservation"): "DedicatedRes",
}
RESERVED = tuple(product(("1yr", "3yr"), ("No Upfront", "Partial Upfront", "All Upfront"), ("standard", "convertible")))
SIZES = ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge", "48xlarge", "metal")
FAMILIES = tuple(
    f"{letter}{generation}{kind}"
    for generation, letter, kind in product(range(5, 9), "cmrtxiz", ("", "a", "g", "i", "d", "n", "gd", "in", "idn"))
)
JSON_NAMES = {heading: name for name, heading in offer_csv.HEADINGS.items()}


def instance(item: str, system: tuple[str, str], place: tuple[str, str]) -> dict[str, str]:
    """Return what an instance's product has under the headings, "" where it has nothing."""
    return dict.fromkeys(ATTRIBUTES, "") | {
        "Product Family": "Compute Instance",
        "serviceCode": "AmazonEC2",
        "Location": "US East (N. Virginia)",
        "Location Type": "AWS Region",
        "Instance Type": item,
        "Current Generation": "Yes",
        "Instance Family": "General purpose",
        "vCPU": "8",
        "Physical Processor": "Intel Xeon Platinum 8375C (Ice Lake)",
        "Clock Speed": "3.5 GHz",
        "Memory": "32 GiB",
        "Storage": "EBS only",
        "Network Performance": "Up to 12500 Megabit",
        "Processor Architecture": "64-bit",
        "Tenancy": place[0],
        "Operating System": system[0],
        "License Model": "No License required",
        "usageType": f"{USAGES[place]}:{item}",
        "operation": "RunInstances",
        "AvailabilityZone": "NA",
        "CapacityStatus": place[1],
        "ClassicNetworkingSupport": "false",
        "Dedicated EBS Throughput": "Up to 10000 Mbps",
        "ECU": "NA",
        "Enhanced Networking Supported": "Yes",
        "GPU Memory": "NA",
        "Intel AVX2 Available": "Yes",
        "Intel AVX Available": "Yes",
        "Intel Turbo Available": "Yes",
        "MarketOption": "OnDemand",
        "Normalization Size Factor": "16",
        "Pre Installed S/W": system[1],
        "Processor Features": "Intel AVX; Intel AVX2; Intel AVX512; Intel Turbo",
        "Region Code": REGION,
        "serviceName": "Amazon Elastic Compute Cloud",
        "VPCNetworkingSupport": "true",
    }


def volume() -> dict[str, str]:
    """Return the product of a gigabyte-month of gp3."""
    return dict.fromkeys(ATTRIBUTES, "") | {
        "Product Family": "Storage",
        "Location Type": "AWS Region",
        "Volume Type": "General Purpose",
        "usageType": "EBS:VolumeUsage.gp3",
        "Region Code": REGION,
        "Volume API Name": "gp3",
    }


def products() -> Iterator[dict[str, str]]:
    """Yield products without end: one volume, then for each instance type 72 of which one is wanted."""
    yield volume()
    for round_ in count():
        for family, size in product(FAMILIES, SIZES):
            item = f"{family}{'x' * round_}.{size}"
            for system, place in product(SYSTEMS, USAGES):
                yield instance(item, system, place)


def terms(sku: str, attributes: dict[str, str]) -> Iterator[list[str]]:
    """Yield the records of a product's terms, under the headings of TERM."""
    hourly = "GB-Mo" if attributes["Product Family"] == "Storage" else "Hrs"
    start = [sku, "JRTCKXETXF", f"{sku}.JRTCKXETXF.6YS6EN2CT7", "OnDemand", f"$0.4 per {attributes['usageType']} Hour"]
    yield [*start, "2026-11-01", "0", "Inf", hourly, "0.4000000000", "USD", "", "", "", ""]
    if attributes["CapacityStatus"] != "Used":
        return
    for number, (lease, option, kind) in enumerate(RESERVED):
        code = f"{number:010}"
        start = [
            sku,
            code,
            f"{sku}.{code}.6YS6EN2CT7",
            "Reserved",
            f"{attributes['Operating System']} instance applied",
        ]
        amount = "0.0000000000" if option == "All Upfront" else "0.2000000000"
        yield [*start, "2026-11-01", "0", "Inf", "Hrs", amount, "USD", "", lease, option, kind]
        if option != "No Upfront":
            start[2:5] = f"{sku}.{code}.2TG2D8R56U", "Reserved", "Upfront Fee"
            yield [*start, "2026-11-01", "", "", "Quantity", "1752", "USD", "", lease, option, kind]


def csv_line(cells: list[str]) -> str:
    """Return a record as AWS writes it: empty fields bare, all others in quotes."""
    return ",".join(cell and f'"{cell}"' for cell in cells) + "\n"


def json_product(sku: str, attributes: dict[str, str]) -> str:
    """Return a product's entry in the JSON layout."""
    said = {JSON_NAMES.get(name, re.sub(r"\W", "", name)): value for name, value in attributes.items() if value}
    entry = {"sku": sku, "productFamily": said.pop("productFamily"), "attributes": said}
    return f"{json.dumps(sku)} : {json.dumps(entry, indent=2)}"


def json_terms(sku: str, records: list[list[str]]) -> str:
    """Return a product's entry in one kind of term of the JSON layout."""
    entry: dict[str, dict[str, object]] = {}
    for _, code, rate, _, description, start, begin, end, unit, amount, currency, _, *lease in records:
        names = ("LeaseContractLength", "PurchaseOption", "OfferingClass")
        fields: dict[str, object] = {"offerTermCode": code, "sku": sku, "effectiveDate": f"{start}T00:00:00Z"}
        term = entry.setdefault(f"{sku}.{code}", fields | {"priceDimensions": {}})
        term["termAttributes"] = {name: value for name, value in zip(names, lease, strict=True) if value}
        price = {"rateCode": rate, "description": description, "beginRange": begin, "endRange": end, "unit": unit}
        dimensions = term["priceDimensions"]
        assert isinstance(dimensions, dict)
        dimensions[rate] = price | {"pricePerUnit": {currency: amount}, "appliesTo": []}
    return f"{json.dumps(sku)} : {json.dumps(entry, indent=2)}"


def write(folder: Path, byte_count: int) -> None:
    """Write offer.csv of a size, and the same offer as offer.json."""
    names = ("formatVersion", "disclaimer", "publicationDate", "version")
    said = dict(zip(names, SAID, strict=True)) | {"offerCode": "AmazonEC2"}
    parts = [folder / name for name in ("products", "OnDemand", "Reserved")]
    with ExitStack() as files:
        table, *others = (files.enter_context(path.open("w")) for path in (folder / "offer.csv", *parts))
        for name, value in zip(("FormatVersion", "Disclaimer", "Publication Date", "Version"), SAID, strict=True):
            table.write(csv_line([name, value]))
        table.write(csv_line(["OfferCode", "AmazonEC2"]) + csv_line([*TERM, *ATTRIBUTES]))
        for number, attributes in enumerate(products()):
            sku = f"{number:016X}"
            records = list(terms(sku, attributes))
            described = csv_line(list(attributes.values()))
            table.writelines(f"{csv_line(record)[:-1]},{described}" for record in records)
            entries = json_product(sku, attributes), json_terms(sku, records[:1]), json_terms(sku, records[1:])
            for file, entry in zip(others, entries, strict=True):
                file.write(f",\n{entry}" if number else entry)
            if table.tell() >= byte_count:
                break
    with (folder / "offer.json").open("wb") as whole:
        pieces = (json.dumps(said)[:-1] + ',\n"products": {', '},\n"terms": {"OnDemand": {', '},\n"Reserved": {')
        for piece, part in zip(pieces, parts, strict=True):
            whole.write(piece.encode())
            with part.open("rb") as entries_of_part:
                copyfileobj(entries_of_part, whole)
            part.unlink()
        whole.write(b'}},\n"attributesList": {}\n}\n')


def request() -> Request:
    """Return a request for the types of a first planner: ten families in every size."""
    families = ("m5", "m6g", "m7g", "c5", "c6g", "c7g", "r5", "r6g", "r7g", "t5")
    items = frozenset(f"{family}.{size}" for family, size in product(families, SIZES))
    return Request(AWS, REGION, frozenset({"ec2", "ebs"}), {"ec2": items}, date(2026, 11, 25))


def import_csv(path: Path) -> int:
    """Return how many prices the import of a CSV file comes to."""
    with path.open(encoding="utf-8", newline="\n") as lines:
        return len(choose(offer_csv.rates(lines, request(), "AmazonEC2"), request().today, AWS, PUBLISHED).rows)


def import_json(path: Path) -> int:
    """Return how many prices the import of a JSON file comes to."""
    with path.open("rb") as stream:
        return len(choose(offer_json.rates(stream, request(), "AmazonEC2"), request().today, AWS, PUBLISHED).rows)


def floor_csv(path: Path) -> int:
    """Read a file's records and throw them away."""
    with path.open(encoding="utf-8", newline="") as lines:
        deque(csv.reader(lines), maxlen=0)
    return 0


def floor_json(path: Path) -> int:
    """Read a whole file into memory."""
    with path.open("rb") as stream:
        json.load(stream)
    return 0


READINGS: dict[str, tuple[Callable[[Path], int], str]] = {
    "csv.reader": (floor_csv, "offer.csv"),
    "import CSV": (import_csv, "offer.csv"),
    "json.load": (floor_json, "offer.json"),
    "import JSON": (import_json, "offer.json"),
}


def measured(name: str, folder: Path) -> tuple[float, float, int]:
    """Return MB/s, peak MiB and prices of one reading in a process of its own."""
    command = (sys.executable, __file__, "--reading", name, "--folder", str(folder))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{name}: exit {done.returncode}\n{done.stderr}")
    seconds, peak_mib, price_count = json.loads(done.stdout)
    return (folder / READINGS[name][1]).stat().st_size / 1e6 / seconds, peak_mib, price_count


def main() -> None:
    """Write the files, read each in turn with its floor, and print speeds, ratios and peaks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size-mb", type=int, default=300, help="size of the CSV file (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=2, help="readings of each; the fastest counts")
    parser.add_argument("--reading", choices=READINGS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.reading:
        read, name = READINGS[options.reading]
        start = time.perf_counter()
        price_count = read(options.folder / name)
        seconds = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
        print(json.dumps([seconds, peak, price_count]))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, options.size_mb * 10**6)
        rounds = [{reading: measured(reading, folder) for reading in READINGS} for _ in range(options.rounds)]
        sizes = {file: (folder / file).stat().st_size / 1e6 for file in ("offer.csv", "offer.json")}
    speeds = {reading: max(found[reading][0] for found in rounds) for reading in READINGS}
    for reading, (_, file) in READINGS.items():
        peak = max(found[reading][1] for found in rounds)
        print(f"{reading:12} {sizes[file]:5.0f} MB {speeds[reading]:6.0f} MB/s, peak {peak:6.0f} MiB")
    counts = " and ".join(str(rounds[0][reading][2]) for reading in ("import CSV", "import JSON"))
    print(f"prices imported: {counts}; goal for an import's peak: below {GOAL_MIB} MiB")
    print(f"import CSV / csv.reader: {speeds['import CSV'] / speeds['csv.reader']:.2f} (goal {GOAL_RATIO} or more)")
    print(f"import JSON / json.load: {speeds['import JSON'] / speeds['json.load']:.2f}")


if __name__ == "__main__":
    main()
