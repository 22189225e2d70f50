"""How long a bill of a million lines takes to read, and how much memory: a gzipped CUR 2.0 and the same as Parquet.

python benchmarks/bills.py [LINES] [DIR]; the bill is made up: lines by hour, resource and tag, as AWS has them.
"""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COLUMNS = (
    "identity_line_item_id", "bill_payer_account_id", "bill_billing_period_start_date", "line_item_usage_account_id",
    "line_item_line_item_type", "line_item_usage_start_date", "line_item_usage_end_date", "line_item_product_code",
    "line_item_usage_type", "line_item_operation", "line_item_resource_id", "line_item_usage_amount",
    "line_item_currency_code", "line_item_unblended_rate", "line_item_unblended_cost", "pricing_public_on_demand_cost",
    "pricing_public_on_demand_rate", "pricing_unit", "product", "product_region_code", "product_sku",
    "reservation_reservation_a_r_n", "reservation_effective_cost", "savings_plan_savings_plan_effective_cost",
    "resource_tags",
)  # fmt: skip
KINDS = (
    ("AmazonEC2", "BoxUsage:c6g.xlarge", "RunInstances", "Hrs", "0.136"),
    ("AmazonEC2", "BoxUsage:m6g.large", "RunInstances", "Hrs", "0.077"),
    ("AmazonEC2", "EBS:VolumeUsage.gp3", "CreateVolume-Gp3", "GB-Mo", "0.08"),
    ("AmazonRDS", "Multi-AZUsage:db.r5.xl", "CreateDBInstance:0014", "Hrs", "1.00"),
    ("AmazonElastiCache", "NodeUsage:cache.r6g.large", "CreateCacheCluster:0002", "Hrs", "0.206"),
    ("AmazonEC2", "NatGateway-Bytes", "NatGateway", "GB", "0.045"),
    ("AmazonS3", "Requests-Tier1", "PutObject", "Requests", "0.000005"),
    ("AWSLambda", "Lambda-GB-Second", "Invoke", "Lambda-GB-Second", "0.0000166667"),
)
APPLICATIONS = ("cascade", "billing", "search", "")


def write(path: Path, lines: int) -> None:
    """Write a made-up bill of so many lines."""
    with gzip.open(path, "wt", compresslevel=1, newline="") as file:
        file.write(",".join(COLUMNS) + "\n")
        for line in range(lines):
            code, usage, operation, unit, price = KINDS[line % len(KINDS)]
            application = APPLICATIONS[line // 8 % 4]
            hour, day = line // 64 % 24, line // 1536 % 31 + 1
            tags = (
                f'"{{""user_application"": ""{application}"", ""user_owner"": ""team-{line % 50}""}}"'
                if application
                else ""
            )
            amount = f"{line % 997 / 100 + 0.0000001 * (line % 7):.10f}"
            cost = f"{float(amount) * float(price):.10f}"
            start = f"2027-01-{day:02}T{hour:02}:00:00.000Z"
            end = f"2027-01-{day:02}T{hour + 1:02}:00:00.000Z" if hour < 23 else (
                f"2027-01-{day + 1:02}T00:00:00.000Z" if day < 31 else "2027-02-01T00:00:00.000Z")  # fmt: skip
            file.write(
                f"id{line},111122223333,2027-01-01T00:00:00.000Z,111122223333,Usage,{start},{end},{code},{usage},{operation},"
                f"arn:aws:any:us-east-1:111122223333:thing/{line},{amount},USD,{price},{cost},{cost},{price},{unit},"
                f'"{{""servicecode"": ""{code}"", ""product_family"": ""any""}}",us-east-1,SKU{line % 8},,,,{tags}\n'
            )


def parquet(source: Path, target: Path) -> None:
    """Write the same bill as Parquet, amounts as doubles, as AWS does."""
    import duckdb

    doubles = ", ".join(f"'{name}': 'DOUBLE'" for name in COLUMNS if name.endswith(("amount", "cost", "rate")))
    duckdb.sql(f"COPY (SELECT * FROM read_csv('{source}', header=true, all_varchar=false, types={{{doubles}}})) "
               f"TO '{target}' (FORMAT parquet)")  # fmt: skip


FLOOR = "import csv, gzip, sys\nfor row in csv.reader(gzip.open(sys.argv[1], 'rt', newline='')): pass"


def measured(words: list[str]) -> tuple[float, float, float]:
    """Return the seconds, the seconds of CPU and the MiB that Python takes with some words in a process of its own."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    took = time.perf_counter() - began
    if status:
        raise SystemExit(f"{words}: exit status {os.waitstatus_to_exitcode(status)}")
    return took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    """Print a line for each form."""
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(temporary)
        packed, columnar = folder / "cur.csv.gz", folder / "cur.parquet"
        if not packed.exists():
            write(packed, lines)
        if not columnar.exists():
            parquet(packed, columnar)
        actuals = ["-m", "cascade_plan", "actuals", "--tag", "application=cascade", "--to-date", "--format", "json"]
        for name, words in (
            ("csv.reader of the gzipped CSV alone", ["-c", FLOOR, str(packed)]),
            ("actuals, gzipped CSV", [*actuals, str(packed)]),
            ("actuals, Parquet", [*actuals, str(columnar)]),
        ):
            took, cpu, mib = measured(words)
            sys.stdout.write(f"{name}: {lines:,} lines: {took:.1f} s, of CPU {cpu:.1f} s, {mib:,.0f} MiB\n")


if __name__ == "__main__":
    main()
