"""Savings plans' rates over the real wire: each plan, term and payment once, nothing of other regions and platforms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import aws_world
import pytest
from aws_server import DENIED, PLANS, Server, edited, half_a_body
from aws_world import EC2, TODAY, plan_rate, price_of

from cascade_plan.clouds.aws.prices import savings_plans
from cascade_plan.clouds.aws.prices.client import Patience
from cascade_plan.clouds.aws.product import PUBLISHED
from cascade_plan.errors import CloudError
from cascade_plan.model.price import PriceKey
from cascade_plan.model.terms import commitment_of
from cascade_plan.prices.products import price_list
from cascade_plan.prices.rates import Rate, Request, choose

AWS = price_list("aws")

SHORT = Patience(connect_s=5, read_s=5, attempt_count=2)
REQUEST = Request(AWS, "eu-west-1", frozenset({"ec2"}), {"ec2": frozenset(EC2)}, TODAY)
NAMES = {"Compute": "compute_sp", "EC2Instance": "ec2_instance_sp"}


def read(server: Server, request: Request = REQUEST) -> list[Rate]:
    return list(savings_plans.rates(request, server.url, SHORT))


def expected(region: str, items: tuple[str, ...] = EC2) -> dict[PriceKey, Decimal]:
    return {
        PriceKey("ec2", item, "linux", f"{NAMES[plan]}_{lease[0]}y_{option.split()[0].lower()}_upfront"): price_of(
            region, item, plan, lease, option
        )
        for item in items
        for plan in NAMES
        for lease in aws_world.HOURS
        for option in aws_world.PAID
    }


@pytest.mark.parametrize("region", aws_world.REGIONS)
def test_a_region_has_every_plan_of_the_world_and_no_decoy(aws: Server, region: str) -> None:
    choice = choose(read(aws, replace(REQUEST, region=region)), TODAY, AWS, PUBLISHED)
    assert not choice.problems
    assert {key: Decimal(row[1]) for key, row in choice.rows.items()} == expected(region)
    assert {(row[0], row[3], row[4]) for row in choice.rows.values()} == {("hour", "2026-11-25", "aws-savings-plans")}
    assert all(commitment_of(key.term) for key in choice.rows)


def test_a_rate_names_its_offering_and_its_usage(aws: Server) -> None:
    for rate in read(aws):
        offering, usage = rate.sku.split("/")
        assert offering == rate.offer_term
        assert usage == f"EU-BoxUsage:{rate.key.item}"


def test_the_service_is_asked_for_what_is_wanted(aws: Server) -> None:
    read(aws)
    (query,) = aws.queries(PLANS)
    assert (query["savingsPlanTypes"], query["products"]) == (["Compute", "EC2Instance"], ["EC2"])
    assert {entry["name"]: entry["values"] for entry in query["filters"]} == {
        "region": ["eu-west-1"],
        "productDescription": ["Linux/UNIX"],
        "tenancy": ["shared"],
        "instanceType": sorted(EC2),
    }
    assert query["serviceCodes"] == ["AmazonEC2"]
    assert "/us-east-1/savingsplans/" in aws.asked[0].headers["authorization"]


DATABASES = replace(
    REQUEST,
    services=frozenset({"rds", "elasticache"}),
    items={"rds": frozenset(aws_world.RDS), "elasticache": frozenset(aws_world.CACHE)},
)


@pytest.mark.parametrize("region", aws_world.REGIONS)
def test_databases_have_a_plan_of_their_own(aws: Server, region: str) -> None:
    choice = choose(read(aws, replace(DATABASES, region=region)), TODAY, AWS, PUBLISHED)
    assert not choice.problems
    wanted = {key: Decimal(rate["rate"]) for rate, key in aws_world.database_rates(region) if key}
    assert {key: Decimal(row[1]) for key, row in choice.rows.items()} == wanted
    assert len(wanted) == 10
    for query in aws.queries(PLANS):
        # By the region alone: some rates name a family in place of their type.
        assert [entry["name"] for entry in query["filters"]] == ["region"]
        assert query["savingsPlanTypes"] == ["Database"]
    asked = {(*query["products"], *query["serviceCodes"]) for query in aws.queries(PLANS)}
    assert asked == {("RDS", "AmazonRDS"), ("ElastiCache", "AmazonElastiCache")}


def test_only_the_databases_that_are_wanted_have_rates(aws: Server) -> None:
    few = replace(DATABASES, items={"rds": frozenset({"db.m6g.large"})})
    assert {rate.key.item for rate in read(aws, few)} == {"db.m6g.large"}
    assert len(aws.queries(PLANS)) == 1


def test_nothing_is_asked_without_a_type(aws: Server) -> None:
    assert read(aws, replace(REQUEST, items={})) == []
    assert not aws.asked


def test_neither_pages_nor_chunks_change_the_rates(aws: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = read(aws)
    aws.page_size = 7
    monkeypatch.setattr(savings_plans, "CHUNK", 3)
    assert sorted(read(aws)) == sorted(whole)
    assert {len(query["filters"][3]["values"]) for query in aws.queries(PLANS)[1:]} == {3, 1}


def with_rates(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda answer: {**answer, "searchResults": [change(rate) for rate in answer["searchResults"]]}


def moved(rate: dict[str, Any]) -> dict[str, Any]:
    elsewhere = [entry for entry in rate["properties"] if entry["name"] != "region"]
    return {**rate, "properties": [*elsewhere, {"name": "region", "value": "us-west-2"}]}


def without_region(rate: dict[str, Any]) -> dict[str, Any]:
    return {**rate, "properties": [entry for entry in rate["properties"] if entry["name"] != "region"]}


def unused(rate: dict[str, Any]) -> dict[str, Any]:
    return {**rate, "usageType": "EU-UnusedBox:m5.large"}


def two_years(rate: dict[str, Any]) -> dict[str, Any]:
    return {**rate, "savingsPlanOffering": {**rate["savingsPlanOffering"], "durationSeconds": 2 * 31_536_000}}


@pytest.mark.parametrize("change", [moved, without_region, unused, two_years])
def test_what_the_filters_let_through_is_checked(
    aws: Server, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    aws.fail(PLANS, edited(with_rates(change)))
    assert read(aws) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"rate": "-1"}, "negative"), ({"rate": "0"}, "a price of 0"), ({"unit": "Jobs"}, "unknown unit 'Jobs'")],
)
def test_a_rate_that_is_none_is_a_problem(aws: Server, changes: dict[str, str], words: str) -> None:
    aws.plan_rates = [{**plan_rate("eu-west-1", EC2[0], "Compute", 8760, "No Upfront", "1"), **changes}]
    (problem,) = choose(read(aws), TODAY, AWS, PUBLISHED).problems
    assert words in str(problem)


def test_a_rate_in_another_currency_is_a_problem(aws: Server) -> None:
    rate = plan_rate("eu-west-1", EC2[0], "Compute", 8760, "No Upfront", "1")
    rate["savingsPlanOffering"]["currency"] = "CNY"
    aws.plan_rates = [rate]
    (problem,) = choose(read(aws), TODAY, AWS, PUBLISHED).problems
    assert "priced in CNY" in str(problem)


def test_a_rate_without_an_amount_is_a_problem(aws: Server) -> None:
    rate = plan_rate("eu-west-1", EC2[0], "Compute", 8760, "No Upfront", "1")
    del rate["rate"]
    aws.plan_rates = [rate]
    (problem,) = choose(read(aws), TODAY, AWS, PUBLISHED).problems
    assert "no price" in str(problem)


@pytest.mark.parametrize("field", ["savingsPlanOffering", "usageType", "operation", "properties"])
def test_a_rate_that_is_not_complete_is_told(aws: Server, field: str) -> None:
    def without(rate: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in rate.items() if name != field}

    aws.fail(PLANS, edited(with_rates(without)))
    with pytest.raises(CloudError, match="in eu-west-1 is not complete"):
        read(aws)


def test_what_the_service_may_not_tell_is_told(aws: Server) -> None:
    aws.fail(PLANS, DENIED)
    with pytest.raises(CloudError, match=r"savingsplans in us-east-1: .*--print-policy"):
        read(aws)


def test_an_answer_that_is_cut_short_is_not_taken_for_no_plans(aws: Server) -> None:
    aws.fail(PLANS, half_a_body)
    with pytest.raises(CloudError, match="cut short"):
        read(aws)


def test_a_token_that_repeats_is_told(aws: Server) -> None:
    aws.fail(PLANS, edited(lambda answer: {**answer, "nextToken": "page0"}))
    with pytest.raises(CloudError, match="token repeats"):
        read(aws)
