"""The query API's products as rates: a whole synthetic world, over the real wire, and everything that can fail."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import aws_server
import aws_world
import pytest
from aws_server import DENIED, PRODUCTS, Server, edited
from aws_world import CACHE, EC2, RDS, TODAY, Dimension, Product, expected

from cascade_plan.clouds.aws.prices import query_api
from cascade_plan.clouds.aws.prices.client import Patience
from cascade_plan.clouds.aws.product import PUBLISHED
from cascade_plan.clouds.aws.products import CODES, LISTED
from cascade_plan.errors import CloudError
from cascade_plan.model.price import PriceKey
from cascade_plan.prices.products import price_list
from cascade_plan.prices.rates import Choice, Rate, Request, choose

AWS = price_list("aws")

SHORT = Patience(connect_s=5, read_s=5, attempt_count=2)
ITEMS = {"ec2": frozenset(EC2), "rds": frozenset(RDS), "elasticache": frozenset(CACHE)}
BOX = PriceKey("ec2", EC2[0], "linux")
CLUSTER = PriceKey("eks", "cluster")


def request(*services: str, region: str = "eu-west-1", **changes: Any) -> Request:
    return replace(Request(AWS, region, frozenset(services or CODES), ITEMS, TODAY), **changes)


def read(server: Server, asked: Request) -> list[Rate]:
    return list(query_api.rates(asked, server.url, SHORT))


def chosen(server: Server, asked: Request) -> Choice:
    return choose(read(server, asked), TODAY, AWS, PUBLISHED)


def prices(choice: Choice) -> dict[PriceKey, tuple[Decimal, Decimal | None]]:
    return {key: (Decimal(row[1]), Decimal(row[2]) if row[2] else None) for key, row in choice.rows.items()}


def failure(server: Server, asked: Request) -> str:
    with pytest.raises(CloudError) as caught:
        read(server, asked)
    return str(caught.value)


def change(server: Server, key: PriceKey, changed: Callable[[Product], Product | None]) -> None:
    """Change the products that price a key; None takes them out of the world."""
    found = [(changed(product) if key in product.expected else product) for product in server.products]
    server.products = [product for product in found if product]


def dimension(product: Product, **changes: Any) -> Product:
    """Return a product whose on-demand price has changed."""
    first, *others = product.terms
    return replace(product, terms=(replace(first, dimensions=(replace(first.dimensions[0], **changes),)), *others))


# ----------------------------------------------------------------------------------------------------- the right answer


@pytest.mark.parametrize("region", aws_world.REGIONS)
def test_a_region_has_every_price_of_the_world_and_no_decoy(aws: Server, region: str) -> None:
    choice = chosen(aws, request(region=region))
    assert not choice.problems
    assert prices(choice) == expected(region)
    assert {row[4] for row in choice.rows.values()} == {"aws-query-api"}
    assert {row[3] for row in choice.rows.values()} == {"2026-11-20"}


def test_the_world_has_every_kind_of_product() -> None:
    keys = expected("us-east-1")
    for product in LISTED:
        of = {key for key in keys if key.service == product.service and key.term == "on_demand"}
        assert any(
            product.item in ("", key.item) and (product.is_tiered or product.variant == key.variant) for key in of
        )


def test_each_kind_is_asked_for_once_by_its_attributes(aws: Server) -> None:
    read(aws, request())
    queries = aws.queries(PRODUCTS)
    assert len(queries) == len(LISTED)
    for query in queries:
        filters = {term["Field"]: term["Value"] for term in query["Filters"]}
        assert "eu-west-1" in (filters.get("regionCode"), filters.get("fromRegionCode"))
        assert (query["FormatVersion"], query["MaxResults"]) == ("aws_v1", 100)
    for asked in aws.asked:
        # The API of us-east-1 answers for every region.
        assert "/us-east-1/pricing/" in asked.headers["authorization"]


def test_only_what_is_wanted_is_read(aws: Server) -> None:
    choice = chosen(aws, request("ec2", "eks", items={"ec2": frozenset(EC2[:1])}))
    world = expected("eu-west-1", "ec2", "eks")
    metered = {"cluster-extended-support", *(f"cpu-credits-{family}" for family in ("t3", "t3a", "t4g"))}
    assert prices(choice) == {key: price for key, price in world.items() if key.item in (EC2[0], "cluster", *metered)}
    assert {query["ServiceCode"] for query in aws.queries(PRODUCTS)} == {"AmazonEC2", "AmazonEKS"}


def test_neither_threads_nor_pages_nor_order_change_the_rates(aws: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = read(aws, request())
    aws.page_size = 10
    monkeypatch.setattr(query_api, "THREADS", 1)
    assert read(aws, request()) == whole
    aws.products.reverse()
    monkeypatch.setattr(query_api, "THREADS", 8)
    assert choose(read(aws, request()), TODAY, AWS, PUBLISHED) == choose(whole, TODAY, AWS, PUBLISHED)


def test_what_the_filters_let_through_is_checked(aws: Server) -> None:
    aws.filtering = False
    assert prices(chosen(aws, request())) == expected("eu-west-1")


def test_progress_is_told_in_the_calling_thread(aws: Server) -> None:
    told: list[tuple[str, int, int]] = []
    here = threading.get_ident()
    read(aws, request("ec2", progress=lambda what, count: told.append((what, count, threading.get_ident()))))
    assert sorted(told) == [*[("AmazonEC2", 1, here)] * 3, ("AmazonEC2", len(EC2), here)]


def test_an_empty_page_with_a_token_is_not_the_end(aws: Server) -> None:
    aws.fail(PRODUCTS, edited(lambda answer: {**answer, "PriceList": [], "NextToken": "page0"}), 1)
    assert prices(chosen(aws, request("ecr"))) == expected("eu-west-1", "ecr")
    assert aws.queries(PRODUCTS)[1]["NextToken"] == "page0"


def test_the_publication_date_is_the_date_of_the_data_and_today_stands_in(aws: Server) -> None:
    def undated(answer: dict[str, Any]) -> dict[str, Any]:
        entries = [json.loads(text) for text in answer["PriceList"]]
        for entry in entries:
            del entry["publicationDate"]
        return {**answer, "PriceList": [json.dumps(entry) for entry in entries]}

    assert {rate.as_of for rate in read(aws, request("eks"))} == {"2026-11-20"}
    aws.fail(PRODUCTS, edited(undated))
    assert {rate.as_of for rate in read(aws, request("eks"))} == {"2026-11-25"}


def test_a_number_of_json_keeps_its_digits(aws: Server) -> None:
    digits = "0.12345678901234567890"
    number = edited(lambda answer: {**answer, "PriceList": [_unquoted(text, digits) for text in answer["PriceList"]]})
    aws.fail(PRODUCTS, number)
    (rate,) = read(aws, request("ecr"))
    assert rate.amount == digits


def _unquoted(text: str, digits: str) -> str:
    start = text.index('{"USD": "')
    return f'{text[:start]}{{"USD": {digits}}}{text[text.index("}", start) + 1 :]}'


# ------------------------------------------------------------------------------------------------- prices that are none


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"amount": None}, "no price: ''"),
        ({"amount": "-0.1"}, "a negative price"),
        ({"amount": "0.0000000000"}, "a price of 0"),
        ({"amount": "free"}, "no price: 'free'"),
        ({"unit": "Fortnights"}, "unknown unit 'Fortnights'"),
        ({"unit": "GB"}, "the book counts hour"),
        ({"currency": "CNY"}, "priced in CNY"),
    ],
)
def test_a_price_that_is_none_is_a_problem_of_its_key_alone(aws: Server, changes: dict[str, Any], words: str) -> None:
    change(aws, BOX, lambda product: dimension(product, **changes))
    choice = chosen(aws, request("ec2"))
    assert [problem.key for problem in choice.problems] == [BOX]
    assert words in str(choice.problems[0])
    assert choice.rows.keys() == expected("eu-west-1", "ec2").keys() - {BOX}


@pytest.mark.parametrize("key", [CLUSTER, BOX, PriceKey("transfer", "internet-out", "0-10240")])
def test_a_product_without_a_term_on_demand_is_seen(aws: Server, key: PriceKey) -> None:
    change(aws, key, lambda product: replace(product, terms=product.terms[1:]))
    choice = chosen(aws, request(key.service))
    (problem,) = choice.problems
    assert problem.key[:2] == key[:2]
    assert "no price: ''" in str(problem)


def test_dollars_are_taken_where_there_are_two_currencies(aws: Server) -> None:
    both = edited(
        lambda answer: {
            **answer,
            "PriceList": [text.replace('{"USD":', '{"CNY": "7", "USD":') for text in answer["PriceList"]],
        }
    )
    aws.fail(PRODUCTS, both)
    assert prices(chosen(aws, request("eks"))) == expected("eu-west-1", "eks")


def test_two_prices_of_one_thing_are_a_problem_that_shows_both(aws: Server) -> None:
    (twin,) = [product for product in aws_world.products("eu-west-1") if CLUSTER in product.expected]
    aws.products.append(replace(dimension(twin, amount="7.77"), sku="TWIN"))
    (problem,) = chosen(aws, request("eks")).problems
    for words in ("more than one price", "7.77", "TWIN", twin.sku):
        assert words in str(problem)


def test_a_price_to_come_does_not_count_yet(aws: Server) -> None:
    def announced(product: Product) -> Product:
        later = replace(
            product.terms[0], code="LATER", effective="2026-12-01T00:00:00Z", dimensions=(Dimension("Hours", "9"),)
        )
        return replace(product, terms=(*product.terms, later))

    change(aws, CLUSTER, announced)
    assert prices(chosen(aws, request("eks"))) == expected("eu-west-1", "eks")


def test_a_convertible_reservation_has_no_key(aws: Server) -> None:
    assert not [rate for rate in read(aws, request("ec2")) if rate.offer_term.startswith("CONV")]


# ------------------------------------------------------------------------------------------------------- what can fail


def test_an_offer_that_a_region_does_not_have_leaves_the_others(aws: Server) -> None:
    aws.products = [product for product in aws.products if product.offer != "AmazonEKS"]
    assert failure(aws, request("eks")) == "AWS lists nothing that is wanted in eu-west-1: check the region's name"
    assert prices(chosen(aws, request("elb", "eks"))) == expected("eu-west-1", "elb")


def test_a_region_that_does_not_exist_is_named(aws: Server) -> None:
    assert "nothing that is wanted in eu-wset-1: check the region's name" in failure(aws, request(region="eu-wset-1"))


def test_a_kind_that_a_region_does_not_have_is_left_out(aws: Server) -> None:
    key = PriceKey("ebs", "gp3-storage")
    change(aws, key, lambda product: None)
    assert prices(chosen(aws, request("ebs"))).keys() == expected("eu-west-1", "ebs").keys() - {key}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is not JSON"),
        ("", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "has no valid"),
        ("{}", "has no valid product"),
        ('{"product": {"attributes": {}}}', "has no valid product.sku"),
        ('{"product": {"sku": "", "attributes": {}}}', "has no valid product.sku"),
        ('{"product": {"sku": "X"}}', "has no valid product.attributes"),
        ('{"product": {"sku": "X", "attributes": {"usagetype": {}}}}', "has no valid product.attributes.usagetype"),
        ('{"product": {"sku": "X", "attributes": {}}, "terms": {"OnDemand": []}}', "has no valid terms.OnDemand"),
        (
            '{"product": {"sku": "X", "attributes": {}}, "terms": {"OnDemand": {"T": {"effectiveDate": "soon"}}}}',
            "has no valid terms.OnDemand.T.effectiveDate",
        ),
    ],
)
def test_an_entry_that_is_no_product_is_told(aws: Server, text: str, words: str) -> None:
    aws.fail(PRODUCTS, edited(lambda answer: {**answer, "PriceList": [text]}))
    message = failure(aws, request("eks"))
    assert message.startswith("AmazonEKS in eu-west-1: an entry of the price list ")
    assert words in message


def test_a_token_that_repeats_is_told(aws: Server) -> None:
    aws.fail(PRODUCTS, edited(lambda answer: {**answer, "NextToken": "page0"}))
    assert "token repeats" in failure(aws, request("ecr"))
    assert len(aws.asked) == 2


def test_one_refusal_ends_the_update(aws: Server) -> None:
    aws.fail(PRODUCTS, DENIED)
    assert "--print-policy" in failure(aws, request())
    assert len(aws.asked) <= query_api.THREADS


def test_an_interruption_waits_only_for_the_pages_that_are_being_read(aws: Server) -> None:
    def interrupt(what: str, count: int) -> None:
        raise KeyboardInterrupt

    aws.page_size = 1
    boxes = [product for product in aws.products if any(key.item == EC2[0] for key in product.expected)]
    aws.products += boxes * 100
    with pytest.raises(KeyboardInterrupt):
        read(aws, request("ec2", "eks", progress=interrupt))
    assert len(aws.asked) < 50


def test_a_page_that_is_always_cut_short_is_told(aws: Server) -> None:
    aws.fail(PRODUCTS, aws_server.half_a_body)
    assert "cut short" in failure(aws, request("eks"))
