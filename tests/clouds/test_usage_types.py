"""What a bill calls what a book prices: both directions are one table, and no word of a bill is guessed."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.clouds.aws.usage_types import (
    REGIONS,
    bare,
    in_units,
    product_of,
    products_of,
    region_of,
    usage_type,
)
from cascade_plan.model.price import Book, PriceKey
from cascade_plan.prices import bundled
from cascade_plan.prices.products import price_list

BOOKS = {region: bundled.book("aws", region) for region in bundled.regions("aws")}
NOT_BILLED = {"storage-gp2", "storage-io1", "iops-io1", "storage-io2", "iops-io2", "inter-region"}
"""What collected files price, no plan buys and no usage type is known of."""


def without_term(key: PriceKey) -> PriceKey:
    """Return a key as a line of a bill tells it: neither a commitment nor a tier's range is in a usage type."""
    variant = "" if price_list("aws").is_tiered(key) else key.variant
    return key._replace(variant=variant, term=key.term if key.term == "spot" else "on_demand")


def rows(books: dict[str, Book]) -> list[tuple[str, PriceKey]]:
    return [(region, price.key) for region, book in books.items() for price in book]


def test_every_price_of_every_book_is_named_by_a_bill_and_found_again() -> None:
    named = 0
    for region, key in rows(BOOKS):
        usage = usage_type(key, region)
        if key.item in NOT_BILLED:
            assert usage is None, key
            continue
        assert usage is not None, key
        assert product_of(*usage, region) == without_term(key), (region, key, usage)
        named += 1
    assert named > 5000


def test_no_two_things_have_one_name() -> None:
    seen: dict[tuple[str, ...], PriceKey] = {}
    for region, key in rows(BOOKS):
        if (usage := usage_type(key, region)) is not None:
            told = without_term(key)
            assert seen.setdefault((region, *usage), told) == told


@given(st.sampled_from(rows(BOOKS)), st.sampled_from(sorted(REGIONS)))
def test_a_name_of_one_region_is_no_product_of_another(row: tuple[str, PriceKey], other: str) -> None:
    region, key = row
    usage = usage_type(key, region)
    if usage is not None and usage.usage_type != bare(usage.usage_type) and other != region:
        assert products_of(*usage, other) == ()
        assert region_of(usage.usage_type) == region


@pytest.mark.parametrize(
    ("line", "key"),
    [
        (("AmazonRDS", "InstanceUsage:db.r5.xl", "CreateDBInstance:0014"), ("rds", "db.r5.xlarge", "single_az")),
        (("AmazonRDS", "InstanceUsage:db.r5.4xl", "CreateDBInstance:0021"),
         ("rds", "db.r5.4xlarge", "aurora_standard")),
        (("AmazonRDS", "InstanceUsage:db.t4g.large", "CreateDBInstance:0014"), ("rds", "db.t4g.large", "single_az")),
        (("AmazonEC2", "USE1-BoxUsage:m5.large", "RunInstances"), ("ec2", "m5.large", "linux")),
        (("AmazonEC2", "SpotUsage:m5.large", "RunInstances"), ("ec2", "m5.large", "linux", "spot")),
        (("AmazonEKS", "USE1-AmazonEKS-Hours:perCluster", "CreateOperation"), ("eks", "cluster")),
        (("AWSELB", "LCUUsage", "LoadBalancing:Network"), ("elb", "nlb-lcu")),
        (("AmazonElastiCache", "NodeUsage:cache.r6g.large", "CreateCacheCluster:Valkey"),
         ("elasticache", "cache.r6g.large", "valkey")),
        (("AmazonEC2", "DataTransfer-Out-Bytes", "RunInstances"), ("transfer", "internet-out")),
        (("AWSELB", "DataTransfer-Out-Bytes", "LoadBalancing:Application"), ("transfer", "internet-out")),
        (("AmazonECR", "TimedStorage-ByteHrs", ""), ("ecr", "storage")),
        (("AmazonS3", "TimedStorage-ByteHrs", "StandardStorage"), ("s3", "storage")),
    ],
)  # fmt: skip
def test_a_line_of_a_bill_is_what_aws_writes(line: tuple[str, str, str], key: tuple[str, ...]) -> None:
    assert product_of(*line, "us-east-1") == PriceKey(*key)


@pytest.mark.parametrize(
    "line",
    [
        ("AmazonEC2", "BoxUsage:m5.large", "RunInstances:0002"),  # Windows
        ("AmazonRDS", "InstanceUsage:db.r5.xl", "CreateDBInstance:0002"),  # MySQL
        ("AmazonElastiCache", "NodeUsage:cache.r6g.large", "CreateCacheCluster:0001"),  # Memcached
        ("AWSELB", "LoadBalancerUsage", "LoadBalancing"),  # Classic
        ("AmazonVPC", "USE1-PublicIPv4:IdleAddress", "AllocateAddressVPC"),
        ("AmazonCloudFront", "EU-DataTransfer-Out-Bytes", ""),
        ("AmazonS3", "USE1-USW2-AWS-Out-Bytes", "GetObject"),
        ("AmazonEC2", "USW2-BoxUsage:m5.large", "RunInstances"),  # another region's
        ("AmazonEFS", "TimedStorage-ByteHrs", "Storage"),
        ("", "", ""),
    ],
)
def test_what_no_plan_buys_is_nothing(line: tuple[str, str, str]) -> None:
    assert products_of(*line, "us-east-1") == ()


def test_what_may_be_several_is_none_and_is_told() -> None:
    assert product_of("AmazonRDS", "InstanceUsage:db.r5.xl", "", "us-east-1") is None
    assert {key.variant for key in products_of("AmazonRDS", "InstanceUsage:db.r5.xl", "", "us-east-1")} == {
        "single_az",
        "aurora_standard",
    }
    assert {key.service for key in products_of("", "TimedStorage-ByteHrs", "", "")} == {"s3", "ecr", "cloudwatch"}


@pytest.mark.parametrize(
    ("key", "unit", "found"),
    [
        (("ec2", "m5.large", "linux"), "Hrs", "10"),
        (("ec2", "m5.large", "linux"), "Hours", "10"),
        (("ebs", "gp3-storage"), "GB-Mo", "10"),
        (("ebs", "gp3-storage"), "GB-Months", "10"),
        (("ebs", "gp3-iops"), "IOPS-Mo", "10"),
        (("s3", "requests-write"), "Requests", "0.00001"),
        (("s3", "requests-write"), "", "0.00001"),
        (("ebs", "gp3-throughput"), "GiBps-mo", "10240"),
        (("fargate", "cpu", "x86_64"), "hours", "10"),
        (("fargate", "memory", "arm64"), "GB-Hours", "10"),
        (("transfer", "internet-out", "0-10240"), "GB", "10"),
        (("ec2", "m5.large", "linux"), "GB", None),
        (("ec2", "m5.large", "linux"), "parsecs", None),
        (("nothing", "at-all"), "Hrs", None),
    ],
)
def test_a_bill_s_unit_becomes_the_book_s(key: tuple[str, ...], unit: str, found: str | None) -> None:
    assert in_units(PriceKey(*key), Decimal(10), unit) == (None if found is None else Decimal(found))
