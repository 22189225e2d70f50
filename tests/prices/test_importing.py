"""From collected CSV files to books: which rows, under which key, in which unit; and the text of a book."""

from __future__ import annotations

import csv
import gzip
import json
import os
import re
from collections.abc import Mapping
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from price_rows import CELLS, HOSTILE, KEYS

from cascade_plan.clouds.aws.prices import collected, importing, merging, shapes
from cascade_plan.errors import PriceError, UsageError
from cascade_plan.files.parsing import parse_yaml
from cascade_plan.model.catalogue import Catalogue, Shape
from cascade_plan.model.price import Book, Price, PriceKey, Row
from cascade_plan.prices import bundled, checking, reading, writing
from cascade_plan.prices.products import price_list

AWS = price_list("aws")

ROOT = Path(__file__).parents[2]
COLUMNS = [
    *("service", "region", "item", "engine", "deployment", "vcpu", "memory_gib", "term", "unit", "price_usd"),
    *("as_of", "source", "confirmed_by", "note", "p_median_3m", "n_days_3m"),
]

EC2 = {
    "service": "AmazonEC2",
    "region": "us-east-1",
    "item": "m5.large",
    "engine": "linux",
    "deployment": "shared",
    "vcpu": "2",
    "memory_gib": "8.0",
    "term": "on_demand",
    "unit": "Hrs",
    "price_usd": "0.10",
    "as_of": "2026-02-17",
    "source": "someone/prices@abc data.json",
}
RDS = EC2 | {
    "service": "AmazonRDS",
    "item": "db.r5.large",
    "engine": "postgresql",
    "deployment": "single-az",
    "memory_gib": "16",
    "as_of": "2024-08-09",
}
CACHE = EC2 | {"service": "AmazonElastiCache", "item": "cache.m5.large", "engine": "redis", "memory_gib": "6.38"}
METER = EC2 | {"engine": "", "deployment": "", "vcpu": "", "memory_gib": "", "item": ""}
TYPE: dict[str, Any] = {
    "InstanceType": "m5.large",
    "VCpuInfo": {"DefaultVCpus": 2},
    "MemoryInfo": {"SizeInMiB": 8192},
    "ProcessorInfo": {"SupportedArchitectures": ["x86_64"]},
    "BurstablePerformanceSupported": False,
    "NetworkInfo": {
        "DefaultNetworkCardIndex": 1,
        "Ipv4AddressesPerInterface": 10,
        "MaximumNetworkInterfaces": 18,
        "NetworkCards": [
            {"NetworkCardIndex": 0, "MaximumNetworkInterfaces": 15},
            {
                "NetworkCardIndex": 1,
                "MaximumNetworkInterfaces": 3,
                "BaselineBandwidthInGbps": 0.75,
                "PeakBandwidthInGbps": 10.0,
            },
        ],
    },
    "EbsInfo": {
        "EbsOptimizedInfo": {
            "BaselineBandwidthInMbps": 650,
            "BaselineIops": 3600,
            "MaximumBandwidthInMbps": 4750,
            "MaximumIops": 18_750,
        }
    },
    "Hypervisor": "nitro",
}


class Collection:
    """A directory of collected files, all empty but for what a test puts in."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.types = directory / "types.json"
        self.types.write_text(json.dumps({"InstanceTypes": [TYPE]}), encoding="utf-8")
        for name in (*collected.FILES, importing.OWN):
            self.put(name)

    def put(self, name: str, *rows: Mapping[str, str]) -> None:
        with (self.directory / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)

    def texts(self) -> dict[str, str]:
        return importing.rebuild(self.directory, self.types, self.directory / importing.OWN)

    def book(self, region: str = "us-east-1") -> Book:
        return reading.parse_book(self.texts()[f"{region}.yaml"], region)

    def priced(self) -> set[PriceKey]:
        return {price.key for price in self.book()}


@pytest.fixture
def collection(tmp_path: Path) -> Collection:
    return Collection(tmp_path)


# ------------------------------------------------------------------------------------------------------------- rows


def test_a_price_keeps_its_digits_date_source_and_confirmation(collection: Collection) -> None:
    collection.put("ec2_on_demand_core.csv", EC2 | {"confirmed_by": "a@2025;b@2024", "note": "plain"})
    (price,) = collection.book()
    assert price.key == PriceKey("ec2", "m5.large", "linux", "on_demand")
    assert str(price.usd) == "0.10"
    assert (price.unit, price.as_of, price.source) == ("hour", "2026-02-17", "someone/prices@abc data.json")
    assert (price.confirmed_by, price.note, price.weak) == ("a@2025;b@2024", "plain", False)


def test_only_the_wanted_regions(collection: Collection) -> None:
    collection.put("ec2_on_demand_core.csv", EC2, EC2 | {"region": "eu-north-1"})
    assert set(collection.texts()) == {f"{region}.yaml" for region in collected.REGIONS} | {"shapes.yaml"}
    assert len(collection.book()) == 1
    assert len(collection.book("eu-west-1")) == 0


def test_spot_is_the_median_of_known_types_below_on_demand(collection: Collection) -> None:
    spot = EC2 | {
        "term": "spot",
        "price_usd": "0.01",
        "p_median_3m": "0.0499",
        "n_days_3m": "100",
        "as_of": "2024-05-14",
    }
    collection.put("ec2_on_demand_core.csv", EC2, EC2 | {"item": "m5.xlarge"})
    collection.put(
        "ec2_spot_2024.csv", spot, spot | {"item": "m5.xlarge", "p_median_3m": "0.10"}, spot | {"item": "p4d.24xlarge"}
    )
    (price,) = [price for price in collection.book() if price.key.term == "spot"]
    assert (price.key.item, price.usd) == ("m5.large", Decimal("0.0499"))
    assert price.note == "median of 100 daily values to 2024-05-14"
    gaps = collection.texts()["us-east-1.yaml"]
    assert '"spot: 1 of 2 prices"' in gaps
    assert '"recent prices: 1 of 1 are of 2024-05-14"' in gaps


@pytest.mark.parametrize(
    ("term", "note", "expected"),
    [
        ("reserved_1y_all_upfront_standard", "", "reserved_1y_all_upfront"),
        ("reserved_3y_no_upfront_standard", "", "reserved_3y_no_upfront"),
        ("reserved_3y_no_upfront_convertible", "", "reserved_3y_no_upfront_convertible"),
        ("compute_sp_1y_no_upfront", "", "compute_sp_1y_no_upfront"),
        ("reserved_3y_all_upfront_or_ec2_instance_sp_3y_all_upfront", "looks like standard RI; 62.4% below on-demand",
         "reserved_3y_all_upfront"),
        ("reserved_3y_all_upfront_or_ec2_instance_sp_3y_all_upfront", "looks like EC2 Instance SP; 60% below", None),
        ("yrTerm1Standard.noUpfront", "", None),
    ],
)  # fmt: skip
def test_commitments_are_kept_where_the_row_says_which_one_it_is(
    collection: Collection, term: str, note: str, expected: str | None
) -> None:
    collection.put("ec2_on_demand_core.csv", EC2)
    collection.put("ec2_commitments.csv", EC2 | {"term": term, "price_usd": "0.05", "note": note})
    found = [price for price in collection.book() if price.key.term != "on_demand"]
    assert [price.key.term for price in found] == ([expected] if expected else [])
    assert all("below on-demand" not in price.note for price in found)


def test_a_commitment_for_what_has_no_on_demand_price_is_left_out(collection: Collection) -> None:
    collection.put("rds_commitments.csv", RDS | {"term": "reserved_1y_no_upfront"})
    assert collection.priced() == set()


@pytest.mark.parametrize("engine", ["mysql", "mariadb", "aurora-mysql", "aurora"])
def test_never_the_price_of_another_engine(collection: Collection, engine: str) -> None:
    for name in ("rds_storage.csv", "gaps.csv"):
        collection.put(name, RDS | {"engine": engine}, RDS | {"engine": engine, "item": "storage-gp3", "unit": "GB-Mo"})
    assert collection.priced() == set()


def test_rds(collection: Collection) -> None:
    collection.put("rds_postgresql_core.csv", RDS, RDS | {"deployment": "multi-az", "price_usd": "0.2"})
    collection.put(
        "rds_commitments.csv",
        RDS | {"term": "reserved_1y_no_upfront", "price_usd": "0.07"},
        RDS | {"term": "reserved_3y_no_or_partial_upfront_effective", "price_usd": "0.06"},
        RDS | {"term": "yrTerm1.allUpfront-quantity", "price_usd": "694"},
    )
    storage = RDS | {"unit": "GB-Mo", "engine": "any"}
    collection.put(
        "rds_storage.csv",
        storage | {"item": "storage-gp3", "deployment": "multi-az"},
        storage | {"item": "backup-storage (beyond free)", "deployment": ""},
        storage | {"item": "iops-gp3 (above baseline)", "unit": "IOPS-Mo"},
        storage | {"item": "extended-support-year1", "unit": "vCPU-Hrs"},
    )
    assert {(str(price.key), price.unit) for price in collection.book()} == {
        ("rds db.r5.large single_az on_demand", "hour"),
        ("rds db.r5.large multi_az on_demand", "hour"),
        ("rds db.r5.large single_az reserved_1y_no_upfront", "hour"),
        ("rds storage-gp3 multi_az on_demand", "gib_month"),
        ("rds backup-storage on_demand", "gib_month"),
        ("rds iops-gp3 single_az on_demand", "iops_month"),
    }


def test_a_price_per_ten_million_samples_is_one_per_million(collection: Collection) -> None:
    meter = METER | {"service": "AmazonPrometheus", "as_of": "undated"}
    collection.put(
        "gaps.csv",
        meter | {"item": "AMP-samples-ingested:252B+", "unit": "10M samples", "price_usd": "0.16"},
        meter | {"item": "AMP-query-samples-processed", "unit": "1B samples", "price_usd": "0.1"},
    )
    query, ingested = collection.book()
    assert (ingested.key.variant, ingested.unit, ingested.usd) == ("252000-", "million_samples", Decimal("0.016"))
    assert ingested.note == "weak: quoted without a date; 0.16 USD per 10M samples in the source"
    assert str(query.usd) == "0.0001"


def test_a_price_per_request_is_one_per_million_of_the_first_tier(collection: Collection) -> None:
    item = "Requests-RBP (standard queue; first tier above the free million)"
    row = METER | {"service": "AWSQueueService", "item": item, "unit": "Requests", "price_usd": "0.0000004"}
    collection.put("t2_sqs.csv", row)
    (price,) = collection.book()
    assert (price.key, price.unit) == (PriceKey("sqs", "requests", "0-100000"), "million_requests")
    assert str(price.usd) == "0.4"
    assert price.note == "0.0000004 USD per Requests in the source"


def test_metered_items_have_the_books_units(collection: Collection) -> None:
    rows = [
        ("AWSELB", "ALB-LCU-Hours", "LCU-Hrs"),
        ("AWSELB", "CLB-Hours", "Hrs"),
        ("AmazonEC2", "EBS-gp3-MiBps-Mo", "MiBps-Mo"),
        ("AWSDataTransfer", "DataTransfer-Out-Bytes:150TB+", "GB"),
        ("AWSDataTransfer", "DataTransfer-Out-Bytes:10-50TB", "GB"),
        ("AWSDataTransfer", "DataTransfer-Regional-Bytes", "GB (each direction)"),
    ]
    collection.put(
        "network_storage_misc.csv",
        *(METER | {"service": service, "item": item, "unit": unit} for service, item, unit in rows),
    )
    assert [(str(price.key), price.unit) for price in collection.book()] == [
        ("elb alb-lcu on_demand", "lcu_hour"),
        ("transfer inter-zone on_demand", "gib"),
        ("transfer internet-out 10240-51200 on_demand", "gib"),
        ("transfer internet-out 153600- on_demand", "gib"),
        ("ebs gp3-throughput on_demand", "mibps_month"),
    ]


@pytest.mark.parametrize(
    "bad", [{"price_usd": "0"}, {"price_usd": "n/a"}, {"as_of": "soon"}, {"source": " "}, {"unit": "Day"}]
)
def test_a_row_that_is_no_price_is_an_error_with_its_place(collection: Collection, bad: dict[str, str]) -> None:
    collection.put("ec2_on_demand_core.csv", EC2, EC2 | {"item": "m5.xlarge"} | bad)
    with pytest.raises(PriceError, match=r"ec2_on_demand_core\.csv:3: ec2 m5\.xlarge linux on_demand"):
        collection.texts()


def test_unusable_files_are_named(collection: Collection) -> None:
    gaps = collection.directory / "gaps.csv"
    gaps.write_text("service,region\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"gaps\.csv: the columns .*item.* are missing"):
        collection.texts()
    gaps.write_text(",".join(COLUMNS) + "\n" + "x," * 20 + "\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"gaps\.csv:2: more cells"):
        collection.texts()
    gaps.unlink()
    with pytest.raises(UsageError, match=r"gaps\.csv"):
        collection.texts()


# ----------------------------------------------------------------------------------------------------------- merging

ALB = METER | {"service": "AWSELB", "item": "ALB-Hours", "price_usd": "0.0225"}


def test_of_equal_prices_the_newest_stays_and_the_other_confirms(collection: Collection) -> None:
    collection.put("network_storage_misc.csv", ALB | {"as_of": "2025-05", "source": "a bill", "confirmed_by": "x@2024"})
    newer = {
        "as_of": "2026-08-21",
        "source": "a/list@1 file.json",
        "price_usd": "0.02250",
        "confirmed_by": "a bill (existing row);y",
    }
    collection.put("gaps.csv", ALB | newer | {"note": "confirms and refreshes an existing row"})
    (price,) = collection.book()
    assert (price.as_of, price.source, price.note) == ("2026-08-21", "a/list@1 file.json", "")
    assert price.confirmed_by == "y;a bill (2025-05);x@2024"


def test_a_source_confirms_itself_under_no_name(collection: Collection) -> None:
    record = "public cost document, price lists of 2026-10-04 (record 70137210126)"
    collection.put("network_storage_misc.csv", ALB | {"as_of": "2025", "source": "some/thing@1 a.json (2025)"})
    collection.put("gaps.csv", ALB | {"as_of": "2026-09", "source": record, "confirmed_by": "thing@2025;record 123456"})
    collection.put("t2_network.csv", ALB | {"as_of": "2026-10", "source": "any/Thing@2", "confirmed_by": "coroot@2024"})
    collection.put(importing.OWN, ALB | {"as_of": "2026-11", "source": record, "confirmed_by": "infracost@2024;z@1"})
    (price,) = collection.book()
    # coroot is a dump of Infracost's prices; the record is the row's own source.
    assert price.confirmed_by == "infracost@2024;z@1;any/Thing (2026-10);record 123456"


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        ("2026", "2026", "second"),
        ("2026-02", "2026", "first"),
        ("2024", "undated", "first"),
        ("undated", "2024", "second"),
        ("undated", "undated", "second"),
    ],
)
def test_which_of_equal_prices_stays(collection: Collection, first: str, second: str, kept: str) -> None:
    collection.put("network_storage_misc.csv", ALB | {"as_of": first, "source": "first"})
    collection.put("gaps.csv", ALB | {"as_of": second, "source": "second"})
    (price,) = collection.book()
    assert price.source == kept


@pytest.mark.parametrize(("first", "second"), [("2026-08", "2026-08"), ("2026-08", "2026-08-21"), ("2026", "2026-08")])
def test_different_prices_of_one_date_are_an_error_that_lists_both(
    collection: Collection, first: str, second: str
) -> None:
    collection.put("network_storage_misc.csv", ALB | {"as_of": first})
    collection.put("gaps.csv", ALB | {"price_usd": "0.03", "source": "another", "as_of": second})
    with pytest.raises(PriceError, match=r"elb alb on_demand: 0\.0225 USD per hour .* or 0\.03 .*another.*gaps\.csv:2"):
        collection.texts()


def test_another_unit_is_an_error_at_any_date(collection: Collection) -> None:
    collection.put("network_storage_misc.csv", ALB | {"as_of": "2020"})
    collection.put("gaps.csv", ALB | {"unit": "GB"})
    with pytest.raises(PriceError, match=r"per hour .* or 0\.0225 USD per gib"):
        collection.texts()


@given(st.permutations([("2021-08-03", "0.069"), ("2024", "0.07"), ("undated", "0.071"), ("2026-10-04", "0.08")]))
def test_of_different_prices_the_newest_wins_and_the_others_are_words(dated: list[tuple[str, str]]) -> None:
    rows = [found(as_of=as_of, usd=usd, source=f"s{as_of}") for as_of, usd in dated]
    (price,) = merging.merged(rows).values()
    assert (price.as_of, price.usd, price.confirmed_by) == ("2026-10-04", "0.08", "")
    assert price.note == "0.07 on 2024; 0.069 on 2021-08-03; 0.071 on undated"


def found(**changes: str) -> collected.Found:
    texts = dict.fromkeys(("upfront_usd", "sku", "confirmed_by", "note", "vcpu", "memory_gib", "place"), "")
    plain = {"region": "eu-west-1", "unit": "hour", "usd": "0.1", "as_of": "2026-08", "source": "a document"}
    return collected.Found(key=PriceKey("elb", "alb"), **(texts | plain | changes))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, ""),
        # Rows like those that the collection's notes call weak ...
        ({"as_of": "undated"}, "quoted without a date"),
        ({"as_of": "undated", "confirmed_by": "two undated calculators"}, "quoted without a date"),
        ({"as_of": "undated", "note": "weak: two code comments"}, "quoted without a date; two code comments"),
        ({"note": "derived: amount / hours = 0.02521"}, "from one bill"),
        ({"source": "published AWS bill May 2025, a/b@c"}, "from one bill"),
        ({"source": "public ADR quoting Cost Explorer July 2026: $15.00 / 595 hr"}, "from one bill"),
        ({"note": "region label not on the page: guessed; more"}, "region label not on the page: guessed"),
        ({"note": "date: captures of 2026-09-24 in the same repository; weak; single"}, "one source"),
        ({"note": "single"}, "one source"),
        ({"note": "single; per ECPU"}, "one source"),
        ({"note": "single; one reading of a price that moves hourly"}, "one reading of a price that moves hourly"),
        ({"note": "engine not named in the snapshot"}, "engine not named in the snapshot"),
        # ... and what ends their weakness.
        ({"note": "derived: amount / hours = 0.02521", "confirmed_by": "a/b@c@2026"}, ""),
        ({"note": "region label not on the page: guessed", "confirmed_by": "a/b@c@2026"}, ""),
        ({"note": "single", "confirmed_by": "a/b@c@2026"}, ""),
        ({"note": "stated of an internal NLB"}, ""),
    ],
)
def test_what_weakens_a_price_follows_from_its_row(changes: dict[str, str], reason: str) -> None:
    row = found(**changes)
    assert merging.weakness(row) == reason
    note = merging.doubted(row).note
    assert note.startswith(f"weak: {reason}") if reason else "weak" not in note


def test_the_collectors_words_for_one_source_are_not_repeated() -> None:
    assert merging.doubted(found(note="single; per ECPU")).note == "weak: one source; per ECPU"
    assert merging.doubted(found(note="single", confirmed_by="a/b@c")).note == ""
    assert merging.doubted(found(note="x; weak; single")).note == "weak: one source; x"


def test_of_a_commitment_one_source_is_enough(collection: Collection) -> None:
    collection.put("ec2_on_demand_core.csv", EC2)
    note = "single; 31.8% below on-demand 0.10; sku UKGPAABCGR48DYC4"
    term = {"term": "reserved_1y_no_upfront_standard", "price_usd": "0.0682", "note": note}
    collection.put("t2_ec2_commitments.csv", EC2 | term)
    (reserved,) = [price for price in collection.book() if price.key.term != "on_demand"]
    assert (reserved.note, reserved.sku) == ("", "UKGPAABCGR48DYC4")


def test_an_identifier_leaves_the_source_and_the_note(collection: Collection) -> None:
    bill = "FinOps FOCUS-Sample-Data@adbdd17 focus_sample.csv HG7XAVTNPPFZNV7Q.JRTCKXETXF.6YS6EN2CT7"
    collection.put("network_storage_misc.csv", ALB | {"source": bill, "as_of": "2024-09"})
    collection.put("gaps.csv", ALB | {"source": "a/b@1 offers.json (2026) sku 37CUWUT8GSNQEPUV"})
    (price,) = collection.book()
    assert (price.source, price.sku) == ("a/b@1 offers.json (2026)", "37CUWUT8GSNQEPUV")
    assert price.confirmed_by == "FOCUS-Sample-Data@adbdd17 (2024-09)"


def test_weak_rows_say_why(collection: Collection) -> None:
    guessed = {"region": "us-west-2", "note": "region label not on the page: guessed"}
    collection.put("rds_postgresql_core.csv", RDS | guessed)
    collection.put("gaps.csv", ALB | {"region": "eu-west-1", "note": "derived: amount / hours"})
    (database,) = collection.book("us-west-2")
    (balancer,) = collection.book("eu-west-1")
    assert database.weak
    assert database.note == "weak: region label not on the page: guessed"
    assert balancer.note == "weak: from one bill; derived: amount / hours"


EKS = METER | {"service": "AmazonEKS"}
CLUSTER = EKS | {"item": "EKS-cluster-hours", "price_usd": "0.1", "as_of": "2026-10"}
WHOLE = EKS | {"item": "EKS-cluster-extended-support-hours", "price_usd": "0.6", "as_of": "2025-10-28"}
SURCHARGE = EKS | {"item": "AmazonEKS-Hours:extendedSupport", "price_usd": "0.5", "as_of": "2026-09-18", "source": "z"}


def surcharge(collection: Collection) -> Price:
    price = collection.book().find("eks", "cluster-extended-support")
    assert price is not None
    return price


def test_extended_support_is_sold_as_a_surcharge(collection: Collection) -> None:
    collection.put("gaps.csv", CLUSTER, WHOLE)
    assert {key.item for key in collection.priced()} == {"cluster", "cluster-extended-support"}
    price = surcharge(collection)
    assert (price.usd, price.as_of) == (Decimal("0.5"), "2025-10-28")
    assert price.note == "worked out: 0.6 for the hour of a cluster with it, less 0.1 for the cluster"
    collection.put(importing.OWN, SURCHARGE)
    price = surcharge(collection)
    assert (price.usd, price.as_of, price.note) == (Decimal("0.5"), "2026-09-18", "")
    assert price.confirmed_by == "someone/prices (2025-10-28)"


def test_a_whole_hour_without_a_cluster_gives_no_surcharge(collection: Collection) -> None:
    collection.put("gaps.csv", WHOLE)
    assert collection.priced() == set()


def test_books_hold_the_shapes_of_the_core_files(collection: Collection) -> None:
    collection.put("rds_postgresql_core.csv", RDS)
    other = {"item": "db.x2g.large", "as_of": "2025-04-04"}
    collection.put("t2_rds_postgresql.csv", RDS | {"region": "eu-west-1"}, RDS | other)
    collection.put("aurora_postgresql.csv", RDS | {"engine": "aurora-postgresql", "price_usd": "0.3"})
    assert {str(key) for key in collection.priced()} == {
        "rds db.r5.large single_az on_demand",
        "rds db.r5.large aurora_standard on_demand",
    }
    assert [price.key.item for price in collection.book("eu-west-1")] == ["db.r5.large"]
    sections = yaml.safe_load(collection.texts()["us-east-1.yaml"])["sections"]
    assert "db.r5.large,aurora_standard" in sections["aurora"]["rows"]
    assert "aurora" not in sections["rds"]["rows"]


def test_what_is_sold_in_one_variant_needs_none_in_the_file(collection: Collection) -> None:
    fargate = METER | {"service": "AmazonECS", "item": "Fargate-ARM-vCPU-Hours", "unit": "vCPU-Hrs"}
    serverless = CACHE | {"item": "ElastiCache-Serverless-GB-Hours", "unit": "GB-Hrs"}
    collection.put("t2_s3_fargate_cloudwatch.csv", fargate, fargate | {"term": "compute_sp_1y_no_upfront"})
    collection.put("t2_elasticache_serverless.csv", serverless, serverless | {"engine": "memcached"})
    assert {str(key) for key in collection.priced()} == {
        "fargate cpu arm64 on_demand",
        "elasticache serverless-storage redis on_demand",
    }


def test_one_reading_of_spot_wins_over_an_older_median(collection: Collection) -> None:
    collection.put("ec2_on_demand_core.csv", EC2)
    spot = EC2 | {"term": "spot", "as_of": "2024-05-14"}
    collection.put("ec2_spot_2024.csv", spot | {"p_median_3m": "0.0499", "n_days_3m": "100"})
    reading = {"as_of": "2026-10-09", "price_usd": "0.06", "note": "single; one reading of a price that moves hourly"}
    collection.put("t2_ec2_spot_2026.csv", spot | reading)
    price = collection.book().find("ec2", "m5.large", "linux", "spot")
    assert price is not None
    assert (price.usd, price.note) == (
        Decimal("0.06"),
        "weak: one reading of a price that moves hourly; 0.0499 on 2024-05-14",
    )


def test_gaps_are_stated_and_counted(collection: Collection) -> None:
    collection.put("rds_postgresql_core.csv", RDS, RDS | {"region": "eu-west-1", "item": "db.r6g.large"})
    collection.put("network_storage_misc.csv", ALB)
    text = collection.texts()["us-east-1.yaml"]
    assert '"on_demand: 0 of 1 prices of db.r6g"' in text
    assert '"reserved_1y_no_upfront: 0 of 1 prices"' in text
    assert '"no price: elb nlb on_demand"' in text
    assert '"no price: elb alb on_demand"' not in text


# ------------------------------------------------------------------------------------------------------------ shapes


def catalogue_of(collection: Collection) -> tuple[Catalogue, str]:
    text = collection.texts()["shapes.yaml"]
    return reading.parse_catalogue(text, "shapes.yaml"), text


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("document", [{"InstanceTypes": [TYPE]}, {"m5.large": TYPE}])
def test_shapes(collection: Collection, document: dict[str, Any], packed: bool) -> None:
    raw = json.dumps(document).encode()
    collection.types.write_bytes(gzip.compress(raw) if packed else raw)
    collection.put("ec2_on_demand_core.csv", EC2)
    collection.put("rds_postgresql_core.csv", RDS, RDS | {"item": "db.t3.large", "memory_gib": "8"})
    collection.put("elasticache_core.csv", CACHE, CACHE | {"engine": "valkey", "price_usd": "0.08"})
    catalogue, text = catalogue_of(collection)
    sustained = {"network_bytes_per_s": 93_750_000, "disk_bytes_per_s": 81_250_000, "disk_operations_per_s": 3600}
    bursts = {"network_burst_bytes_per_s": 1.25e9, "network_burst_s": 300, "disk_burst_s": 1800}
    bursts |= {"disk_burst_bytes_per_s": 593_750_000, "disk_burst_operations_per_s": 18_750}
    addresses = {"interface_count": 3, "address_count_per_interface": 10, "takes_prefixes": True}
    assert list(catalogue.of("vm")) == [
        Shape("vm", "m5.large", 2, 8.0, "x86_64", **addresses, **sustained, **bursts, speed_ratio=0.82)
    ]
    # There is no EC2 type of the names of the databases here: what they sustain is not known, but for the credits.
    left = {"usable_memory_gib": 14.56, "connection_count_max": 1640}
    half = {"usable_memory_gib": 7.28, "connection_count_max": 820}
    assert list(catalogue.of("database")) == [
        Shape("database", "db.r5.large", 2, 16.0, speed_ratio=0.82, **left),
        Shape("database", "db.t3.large", 2, 8.0, burstable=True, cpu_baseline_ratio=0.3, speed_ratio=0.82, **half),
    ]
    kept = {"usable_memory_gib": 4.785, "connection_count_max": 65_000}
    assert list(catalogue.of("cache")) == [
        Shape("cache", "cache.m5.large", 2, 6.38, **kept, **sustained, **bursts, speed_ratio=0.82)
    ]
    assert text.count("gaps: []") == 3


def test_a_type_without_network_interfaces_is_left_out_and_listed(collection: Collection) -> None:
    collection.put("ec2_on_demand_core.csv", EC2, EC2 | {"item": "m9g.large"})
    catalogue, text = catalogue_of(collection)
    assert catalogue.find("vm", "m9g.large") is None
    assert "m9g.large: no network interfaces known, left out" in text


def test_sizes_that_disagree_are_listed(collection: Collection) -> None:
    collection.put("ec2_on_demand_core.csv", EC2 | {"memory_gib": "7.5"})
    collection.put("rds_postgresql_core.csv", RDS | {"item": "db.m5.large", "vcpu": "4"})
    _, text = catalogue_of(collection)
    assert "m5.large: 2 vCPU and 7.5 GiB in the price files, not 2 and 8" in text
    assert "db.m5.large: 4 vCPU and 16 GiB, its EC2 type has 2 and 7.5" in text


def test_rows_that_disagree_about_a_size_are_an_error(collection: Collection) -> None:
    collection.put("rds_postgresql_core.csv", RDS, RDS | {"deployment": "multi-az", "vcpu": "4"})
    with pytest.raises(PriceError, match=r"rds_postgresql_core\.csv:3: rds db\.r5\.large multi_az"):
        collection.texts()
    collection.put("rds_postgresql_core.csv", RDS | {"vcpu": ""})
    with pytest.raises(PriceError, match="'' vCPU"):
        collection.texts()


@pytest.mark.parametrize("text", ["", "[]", "[1]", "{", '{"m5.large": 3}', '{"InstanceTypes": [{}]}'])
def test_unusable_instance_types(collection: Collection, text: str) -> None:
    collection.types.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"types\.json"):
        collection.texts()


def test_an_instance_type_without_a_figure_is_named(collection: Collection) -> None:
    collection.types.write_text(json.dumps({"x": TYPE | {"VCpuInfo": {}}}), encoding="utf-8")
    collection.put("ec2_on_demand_core.csv", EC2)
    with pytest.raises(UsageError, match=r"instance type m5\.large"):
        collection.texts()


# ---------------------------------------------------------------------------------------------------------- rendering


@given(st.dictionaries(KEYS, CELLS, max_size=8), st.lists(HOSTILE, max_size=3), st.lists(HOSTILE, max_size=2))
def test_what_is_rendered_is_read_back(prices: dict[PriceKey, Row], gaps: list[str], origin: list[str]) -> None:
    made_of = writing.listed("generated_from", origin, 0)
    text = writing.render_book(AWS, "eu-west-1", prices, "# x\n", made_of, {"ebs": gaps})
    backwards = dict(reversed(prices.items()))
    again = writing.render_book(AWS, "eu-west-1", backwards, "# x\n", made_of, {"ebs": gaps})
    assert text.encode() == again.encode()
    book = reading.parse_book(text, "x")
    found = {p.key: _row_of(p) for p in book}
    assert found == prices
    assert (book.region, book.cloud, book.currency) == ("eu-west-1", "aws", "USD")
    assert yaml.safe_load(text)["sections"]["ebs"]["gaps"] == gaps
    # The strict check that overrides go through finds nothing.
    assert checking.problems(parse_yaml(text, "x")) == []


def _row_of(p: Price) -> Row:
    upfront = "" if p.upfront_usd is None else str(p.upfront_usd)
    return p.unit, str(p.usd), upfront, p.as_of, p.source, p.sku, p.confirmed_by, p.note, p.origin


def test_a_book_has_one_row_a_line(collection: Collection) -> None:
    collection.put("ec2_on_demand_core.csv", EC2 | {"note": 'a\nb, "c" # d \\ é'})
    text = collection.texts()["us-east-1.yaml"]
    assert text.startswith("# Written by `cascade-plan prices import`; do not edit by hand.\nformat: 1\n")
    assert r'm5.large,linux,on_demand,hour,0.10,,2026-02-17,prices,,,"a\u000ab, ""c"" # d \u005c é"' in text


def test_sources_are_named_after_their_repository_and_numbered() -> None:
    sources = ["a/Prices@1 x", "b/prices@2 y", "public bill, 2025", "'quoted'", "…"]
    assert writing._source_names(sources) == {
        "'quoted'": "quoted",
        "a/Prices@1 x": "prices",
        "b/prices@2 y": "prices-2",
        "public bill, 2025": "public",
        "…": "source",
    }
    # A repository whose own name looks numbered takes no other's.
    assert len(set(writing._source_names(["a/x@1", "b/x@1", "c/x-2@1"]).values())) == 3


def test_files_are_written_whole(tmp_path: Path) -> None:
    paths = importing.write({"b.yaml": "b\n", "a.yaml": "é\n"}, tmp_path)
    assert paths == [tmp_path / "a.yaml", tmp_path / "b.yaml"]
    assert paths[0].read_bytes() == "é\n".encode()
    with pytest.raises(UsageError, match="cannot write"):
        importing.write({"a.yaml": ""}, tmp_path / "absent")


# ------------------------------------------------------------------------------------------------- the committed books

FACTS = Path(os.environ.get("CASCADE_PLAN_FACTS") or ROOT.parent / "shared" / "prices")
OWN = ROOT / "pricing" / "aws" / importing.OWN
has_facts = pytest.mark.skipif(
    not (FACTS / "gaps.csv").is_file(),
    reason="the collected CSV files are not part of the repository; CASCADE_PLAN_FACTS names their directory",
)
MOTO = find_spec("moto")
TYPES = Path(MOTO.origin).parent / "ec2/resources/instance_types.json.gz" if MOTO and MOTO.origin else None
has_types = pytest.mark.skipif(
    TYPES is None or not TYPES.is_file() or importing._fingerprint(TYPES) not in shapes.CAPTURES,
    reason="the instance types come from a release of moto, which is no dependency of the project",
)


def committed(name: str) -> bytes:
    return (ROOT / "pricing" / "aws" / name).read_bytes()


@has_facts
def test_the_committed_books_are_what_the_collected_files_give(tmp_path: Path) -> None:
    types = tmp_path / "types.json"
    types.write_text("{}", encoding="utf-8")
    texts = importing.rebuild(FACTS, types, OWN)
    for region in collected.REGIONS:
        assert texts[f"{region}.yaml"].encode() == committed(f"{region}.yaml"), region


@has_facts
@has_types
def test_the_committed_shapes_are_what_the_instance_types_give() -> None:
    assert TYPES is not None
    assert importing.rebuild(FACTS, TYPES, OWN)["shapes.yaml"].encode() == committed("shapes.yaml")


@has_types
def test_every_shape_does_what_aws_answers_of_it() -> None:
    """By other fields of the answer than the catalogue is made of: MB/s for megabits, the words of the network card."""
    assert TYPES is not None
    answers = json.loads(gzip.decompress(TYPES.read_bytes()))
    for shape in reading.parse_catalogue(committed("shapes.yaml").decode(), "shapes.yaml").of("vm"):
        answer = answers[shape.name]
        disk, network = answer["EbsInfo"]["EbsOptimizedInfo"], answer["NetworkInfo"]
        assert shape.disk_bytes_per_s == pytest.approx(disk["BaselineThroughputInMBps"] * 1e6, rel=1e-4)
        assert shape.disk_burst_bytes_per_s == pytest.approx(disk["MaximumThroughputInMBps"] * 1e6, rel=1e-4)
        words = network["NetworkPerformance"]
        gigabits = float(re.search(r"[\d.]+", words)[0])  # type: ignore[index]
        assert shape.network_burst_bytes_per_s == pytest.approx(gigabits * 1e9 / 8)
        assert (shape.network_burst_s is not None) == words.startswith("Up to"), shape.name
        assert shape.interface_count == network["MaximumNetworkInterfaces"]
        assert shape.takes_prefixes


@pytest.mark.parametrize("name", [*(f"{region}.yaml" for region in collected.REGIONS), "shapes.yaml"])
def test_a_committed_file_names_no_place_of_the_machine_that_made_it(name: str) -> None:
    text = committed(name).decode()
    assert not re.search(r"(?:^|[\s\"'(,=])/\w", text)


def test_the_dates_in_a_section_head_are_those_of_its_rows() -> None:
    for region in collected.REGIONS:
        sections = yaml.safe_load(committed(f"{region}.yaml"))["sections"]
        for name, section in sections.items():
            dates = sorted(
                price.as_of
                for price in bundled.book("aws", region)
                if AWS.section_of(price.key) == name and price.as_of != "undated"
            ) or ["undated"]
            assert section["as_of"] == {"oldest": dates[0], "newest": dates[-1]}, (region, name)
