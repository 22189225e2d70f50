"""Savings plans' price lists: which plan, which instance, and what is passed over."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date
from decimal import Decimal

import offer_world as world
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.clouds.aws.prices import savings_csv
from cascade_plan.clouds.aws.product import PUBLISHED
from cascade_plan.errors import CloudError
from cascade_plan.model.price import PriceKey
from cascade_plan.prices.products import price_list
from cascade_plan.prices.rates import Rate, Request, choose

AWS = price_list("aws")

TODAY = date(2026, 11, 25)
COMPUTE, DATABASE = world.PLANS
REQUEST = Request(AWS, "us-west-2", world.SERVICES, world.ITEMS, TODAY)
HEAD = world.plan_csv(DATABASE, "us-west-2").partition("\nPLAN")[0] + "\n"


def read(text: str, plan: str = DATABASE, request: Request = REQUEST) -> list[Rate]:
    return list(savings_csv.rates(io.StringIO(text, newline="\n"), request, plan))


@pytest.mark.parametrize("region", world.REGIONS)
def test_plans_come_to_their_rates_and_nothing_else(region: str) -> None:
    request = replace(REQUEST, region=region)
    found = [rate for plan in world.PLANS for rate in read(world.plan_csv(plan, region), plan, request)]
    choice = choose(found, TODAY, AWS, PUBLISHED)
    assert choice.problems == ()
    assert {key: Decimal(row[1]) for key, row in choice.rows.items()} == world.expected_discounts(region)


def record(**changes: str) -> str:
    """Return a record in the genuine layout (AWSDatabaseSavingsPlans of 2026-04-22), with other figures."""
    fields = {
        "SKU": "PLAN", "RateCode": "PLAN.PRODUCT", "Unit": "Hrs", "EffectiveDate": "2026-04-20T21:53:43Z",
        "DiscountedRate": "1.25", "Currency": "USD", "DiscountedSKU": "PRODUCT", "DiscountedServiceCode": "AmazonRDS",
        "DiscountedUsageType": "USW2-Multi-AZUsage:db.r7g.large", "DiscountedOperation": "CreateDBInstance:0014",
        "PurchaseOption": "No Upfront", "LeaseContractLength": "1", "LeaseContractLengthUnit": "year",
        "ServiceCode": "DatabaseSavingsPlans", "UsageType": "DatabaseSP:1yrNoUpfront", "Operation": "",
        "Description": "1 year No Upfront Database Savings Plan", "Instance Family": "", "Location": "Any",
        "Location Type": "AWS Region", "Granularity": "hourly", "Product Family": "DatabaseSavingsPlans",
        "DiscountedRegionCode": "us-west-2", "DiscountedInstanceType": "R7G",
    }  # fmt: skip
    assert list(fields) == world.PLAN_HEADINGS.split(",")
    return ",".join((fields | changes).values()) + "\n"


def test_a_record_says_what_it_is_and_where_it_is_from() -> None:
    (rate,) = read(HEAD + record())
    assert rate == Rate(
        PriceKey("rds", "db.r7g.large", "multi_az", "database_sp_1y_no_upfront"),
        *("hour", "PRODUCT", "PLAN", "Hrs", "1.25", "USD", "2026-04-20", "2026-11-20"),
        f"AWS price list AWSDatabaseSavingsPlans {world.VERSION}",
    )


@pytest.mark.parametrize(
    ("size", "item"),
    [
        ("db.r7g.xl", "db.r7g.xlarge"),
        ("db.r7g.16xl", "db.r7g.16xlarge"),
        ("db.r8i.metal-96xl", "db.r8i.metal-96xl"),
        ("db.t4g.medium", "db.t4g.medium"),
        ("db.m6i.2xlarge", "db.m6i.2xlarge"),
    ],
)
def test_databases_have_their_whole_names(size: str, item: str) -> None:
    request = replace(REQUEST, items={"rds": frozenset({item})})
    (rate,) = read(HEAD + record(DiscountedUsageType=f"USW2-InstanceUsage:{size}"), request=request)
    assert rate.key == PriceKey("rds", item, "single_az", "database_sp_1y_no_upfront")


@pytest.mark.parametrize(
    "changes",
    [
        {"DiscountedOperation": "CreateDBInstance:0002"},
        {"DiscountedOperation": "CreateDBInstance:00140"},
        {"DiscountedServiceCode": "AmazonDocDB"},
        {"DiscountedUsageType": "USW2-Multi-AZClusterUsage:db.r7g.large"},
        {"DiscountedUsageType": "TS-Multi-AZUsage:db.r7g.large"},
        {"DiscountedUsageType": "USW2-Multi-AZUsage:db.r9z.large"},
        {"DiscountedRegionCode": "us-west-2-lax-1"},
        {"UsageType": "MachineLearningSP:1yrNoUpfront"},
        {"LeaseContractLength": "2"},
        {"LeaseContractLengthUnit": "month"},
        {"PurchaseOption": "Some Upfront"},
    ],
)
def test_another_record_is_passed_over(changes: dict[str, str]) -> None:
    assert len(read(HEAD + record(**changes) + record())) == 1


def test_an_instance_plan_of_ec2() -> None:
    changes = {"DiscountedServiceCode": "AmazonEC2", "DiscountedUsageType": "BoxUsage:m5.large"}
    changes |= {"DiscountedOperation": "RunInstances", "UsageType": "EC2SP:m5.3yrAllUpfront"}
    changes |= {"PurchaseOption": "All Upfront", "LeaseContractLength": "3", "DiscountedRegionCode": "us-east-1"}
    head = HEAD.replace("AmazonDatabaseSavingsPlans", "AmazonComputeSavingsPlan")
    (rate,) = read(head + record(**changes), COMPUTE, replace(REQUEST, region="us-east-1"))
    assert rate.key == PriceKey("ec2", "m5.large", "linux", "ec2_instance_sp_3y_all_upfront")


@pytest.mark.parametrize("missing", world.PLAN_HEADINGS.split(","))
def test_a_missing_heading_is_named_where_it_is_needed(missing: str) -> None:
    text = HEAD.replace(f",{missing},", ",Something,").replace(f"\n{missing},", "\nSomething,") + record()
    unread = (
        "RateCode,ServiceCode,Operation,Description,Instance Family,Location,Location Type,Granularity,Product Family"
    )
    if missing in (*unread.split(","), "DiscountedInstanceType"):
        assert len(read(text)) == 1
    else:
        with pytest.raises(CloudError, match=f"there is no '{missing}'|no line of headings"):
            read(text)


TEXT = world.plan_csv(COMPUTE, "us-west-2")
RIGHT = set(read(TEXT, COMPUTE))


@given(st.integers(0, len(TEXT) - 1))
def test_a_file_that_is_cut_never_has_a_wrong_rate(end: int) -> None:
    try:
        assert set(read(TEXT[:end], COMPUTE)) <= RIGHT
    except CloudError:
        return


def test_another_plan_under_the_address() -> None:
    with pytest.raises(CloudError, match="the file is the offer 'AmazonDatabaseSavingsPlans'"):
        read(HEAD, COMPUTE)
