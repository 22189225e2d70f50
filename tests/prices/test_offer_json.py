"""Offer files in JSON: the same rates as in CSV, one pass, and nothing lost in silence."""

from __future__ import annotations

import io
import json
import tracemalloc
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import offer_world as world
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.clouds.aws.prices import offer_csv, offer_json
from cascade_plan.errors import CloudError
from cascade_plan.prices.products import price_list
from cascade_plan.prices.rates import Rate, Request

AWS = price_list("aws")

TODAY = date(2026, 11, 25)
REGION = "eu-central-1"
REQUEST = Request(AWS, REGION, world.SERVICES, world.ITEMS, TODAY)
LISTED = world.products(REGION)
EC2 = world.offer_json("AmazonEC2", LISTED)


def read(text: str, request: Request = REQUEST) -> list[Rate]:
    return list(offer_json.rates(io.BytesIO(text.encode()), request, "AmazonEC2"))


RIGHT = Counter(read(EC2))


@given(st.permutations([product for product in LISTED if product.offer == "AmazonEC2"]))
def test_both_layouts_have_the_same_rates_in_any_order(listed: list[world.Listed]) -> None:
    lines = io.StringIO(world.offer_csv("AmazonEC2", listed), newline="\n")
    assert Counter(read(world.offer_json("AmazonEC2", listed))) == RIGHT
    assert Counter(offer_csv.rates(lines, REQUEST, "AmazonEC2")) == RIGHT


@given(st.integers(0, len(EC2) - 1))
def test_a_file_that_is_cut_is_found(end: int) -> None:
    with pytest.raises(CloudError, match="AmazonEC2: the file is damaged or cut short"):
        read(EC2[:end])


def changed(change: Callable[[dict[str, Any]], object]) -> str:
    """Return the file with a change."""
    whole = json.loads(EC2)
    change(whole)
    return json.dumps(whole)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda whole: whole.pop("formatVersion"), "not an offer file of layout v1.0, but 'something else'"),
        (lambda whole: whole.update(offerCode="AmazonS3"), "is the offer 'AmazonS3'"),
        (lambda whole: whole.pop("publicationDate"), "does not say when it was published"),
        (lambda whole: whole.update(terms=whole.pop("terms"), products=whole.pop("products")), "before the products"),
        (lambda whole: whole.pop("products"), "before the products"),
        (lambda whole: whole.pop("terms"), "no products with terms"),
        (lambda whole: whole.update(products={}), "there is no 'capacitystatus'"),
    ],
)
def test_another_layout_is_said_to_be_one(change: Callable[[dict[str, Any]], object], words: str) -> None:
    with pytest.raises(CloudError, match=words):
        read(changed(change))


def test_terms_and_fields_that_the_book_does_not_know_change_nothing() -> None:
    def add(whole: dict[str, Any]) -> None:
        terms = whole["terms"]
        terms["FlatRate"] = terms["OnDemand"]
        for products in terms.values():
            for of_sku in products.values():
                for term in of_sku.values():
                    term["new"] = {"unit": ["x", {"y": None}], "n": 1.5, "yes": True}
        whole["attributesList"] = {"a": [{"products": {}}, {"terms": 1}]}

    assert Counter(read(changed(add))) == RIGHT


@pytest.mark.parametrize(
    ("prices", "found"),
    [({"CNY": "7", "USD": "1"}, ("1", "USD")), ({"CNY": "7"}, ("7", "CNY")), ({}, ("", "")), ({"USD": 1}, ("", ""))],
)
def test_the_currency_is_the_books_where_there_are_several(prices: dict[str, Any], found: tuple[str, str]) -> None:
    def price(whole: dict[str, Any]) -> None:
        for of_sku in whole["terms"]["OnDemand"].values():
            for term in of_sku.values():
                for dimension in term["priceDimensions"].values():
                    dimension["pricePerUnit"] = prices

    demand = [rate for rate in read(changed(price)) if rate.key.term == "on_demand"]
    assert {(rate.amount, rate.currency) for rate in demand} == {found}


def test_memory_grows_with_the_wanted_products_only() -> None:
    def peak(unwanted_count: int) -> int:
        windows = next(product for product in LISTED if product.sku.startswith("WINDOWS"))
        more = [windows._replace(sku=f"W{number}") for number in range(unwanted_count)]
        stream = io.BytesIO(world.offer_json("AmazonEC2", [*LISTED, *more]).encode())
        tracemalloc.start()
        assert Counter(offer_json.rates(stream, REQUEST, "AmazonEC2")) == RIGHT
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(1000) < peak(100) + 100_000


def test_an_offer_that_is_not_wanted_is_not_read() -> None:
    assert read("anything", replace(REQUEST, services=frozenset({"rds"}))) == []
