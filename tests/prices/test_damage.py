"""Offer files that are damaged: never a traceback, never a lost cache, and no price that the file does not have.

A digit of a price that is another digit is seen by what AWS says of the price in words. Savings plans have no such
words: there the other price stands in the damaged file itself.
"""

from __future__ import annotations

import io
import os
import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

import genuine_offers as genuine
import offer_world as world
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_plan.clouds.aws.prices import bulk, offer_csv, offer_json, savings_csv
from cascade_plan.clouds.aws.product import PUBLISHED
from cascade_plan.clouds.aws.products import CODES
from cascade_plan.errors import CloudError
from cascade_plan.model.price import PriceKey
from cascade_plan.prices import cache, updating
from cascade_plan.prices.products import price_list
from cascade_plan.prices.rates import Rate, Request, choose

AWS = price_list("aws")
TODAY = date(2026, 11, 26)
PLANNED = {key.item for *_, key in genuine.PLAN_RECORDS if key}
ITEMS = {"rds": frozenset({"db.t4g.small", "db.t4g.medium", *PLANNED}), "elasticache": frozenset(PLANNED)}


def request(region: str) -> Request:
    return Request(AWS, region, frozenset(CODES), ITEMS, TODAY)


def text_of(body: bytes) -> Iterator[str]:
    return bulk._lines(io.BytesIO(body), "a file")


BALANCERS = world.offer_json("AWSELB", genuine.BALANCERS).encode()
DATABASES = world.offer_csv("AmazonRDS", genuine.DATABASES).encode()
PLANS = genuine.plan_csv().encode()
FILES: dict[str, tuple[bytes, Callable[[bytes], Iterator[Rate]]]] = {
    "json": (BALANCERS, lambda body: offer_json.rates(io.BytesIO(body), request("us-east-1"), "AWSELB")),
    "csv": (DATABASES, lambda body: offer_csv.rates(text_of(body), request("ap-southeast-1"), "AmazonRDS")),
    "plan": (PLANS, lambda body: savings_csv.rates(text_of(body), request("ap-south-2"), "AWSDatabaseSavingsPlans")),
}


def damaged(body: bytes, random: random.Random) -> bytes:
    """Return a file with a byte, a line, a field or a quote gone, twice, elsewhere or other."""
    lines, place = body.splitlines(keepends=True), random.randrange(len(body))
    one, other = random.randrange(len(lines)), random.randrange(len(lines))
    fields = lines[one].split(b",")
    random.shuffle(fields)
    span = random.randrange(1, 80)
    quote = body.find(b'"', place)
    return random.choice(
        [
            body[:place],
            body[:place] + bytes([random.randrange(256)]) + body[place + 1 :],
            body[:place] + random.choice(b'0123456789.",:{} -\n').to_bytes(1, "big") + body[place + 1 :],
            body[:place] + body[place + span :],
            body[: place + span] + body[place:],
            body[:quote] + body[quote + 1 :] if quote >= 0 else body[1:],
            b"".join([*lines[:one], *lines[one + 1 :]]),
            b"".join([*lines[:one], lines[other], *lines[one:]]),
            b"".join([*lines[:one], b",".join(fields), *lines[one + 1 :]]),
        ]
    )


def prices(rates: list[Rate]) -> dict[PriceKey, str]:
    return {key: row[1] for key, row in choose(rates, TODAY, AWS, PUBLISHED).rows.items()}


@pytest.mark.parametrize("name", FILES)
@given(st.randoms(use_true_random=False))
def test_damage_is_refused_or_seen_to_change_nothing_but_what_it_touched(name: str, random: random.Random) -> None:
    body, read = FILES[name]
    right, broken = prices(list(read(body))), damaged(body, random)
    try:
        found = prices(list(read(broken)))
    except CloudError:
        return
    stand_there = {Decimal(number.decode()) for number in re.findall(rb"[0-9]+(?:\.[0-9]+)?", broken)}
    assert {Decimal(usd) for key, usd in found.items() if right.get(key) != usd} <= stand_there


PRICES = re.compile(rb'(?<=")[0-9]+\.[0-9]+(?=")')


@pytest.mark.parametrize("name", ["json", "csv"])
@given(st.data())
def test_a_digit_that_is_typed_into_a_price_makes_no_other_price(name: str, data: st.DataObject) -> None:
    body, read = FILES[name]
    right = prices(list(read(body)))
    price = data.draw(st.sampled_from([*PRICES.finditer(body)]))
    gone = data.draw(st.integers(0, 1))
    place = data.draw(st.integers(price.start(), price.end() - gone))
    typed = data.draw(st.sampled_from("0123456789")).encode()
    found = prices(list(read(body[:place] + typed + body[place + gone :])))
    assert found.items() <= right.items()


@contextmanager
def serving(files: dict[str, bytes]) -> Iterator[None]:
    """Let the price list server answer with these files, each by a part of its path."""

    @contextmanager
    def stream(_: object, path: str, __: object) -> Iterator[IO[bytes]]:
        yield io.BytesIO(next(body for part, body in files.items() if part in path))

    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv(cache.VARIABLE, folder)
        patch.setattr(bulk._Site, "stream", stream)
        yield


INDEX = world.offer_index("AWSELB").encode()
ELB_CSV = world.offer_csv("AWSELB", genuine.BALANCERS).encode()


@settings(max_examples=40)
@given(st.randoms(use_true_random=False), st.sampled_from(["region_index", "index.csv"]))
def test_an_update_from_a_damaged_file_loses_no_price(random: random.Random, which: str) -> None:
    files = {"region_index": INDEX, "index.csv": ELB_CSV}
    wish = updating.Wish("aws", "bulk", frozenset({"elb"}), TODAY)
    with serving(files):
        assert updating.update("us-east-1", wish).failure is None
        path = Path(os.environ[cache.VARIABLE]) / cache.path_of("aws", "us-east-1").relative_to(cache.directory())
        before, whole = path.read_bytes(), cache.read("aws", "us-east-1")
        files[which] = damaged(files[which], random)
        outcome = updating.update("us-east-1", wish)
        after = cache.read("aws", "us-east-1")
        assert whole is not None
        assert after is not None
        assert after.rows.keys() >= whole.rows.keys()
        if outcome.failure is not None:
            assert path.read_bytes() == before


OTHERS = tuple(product.sku.encode() for product in genuine.BALANCERS)


@pytest.mark.parametrize(("one", "other"), [(b"XZ2DR556MD28P9WJ", b"P2XGEJ8N3KU52WA8")], ids=["NLB, ALB"])
def test_a_line_that_moved_to_another_product_is_refused(one: bytes, other: bytes) -> None:
    """Each product, term and price of an offer says which product it is of."""
    assert {one, other} <= {*OTHERS}
    _, read = FILES["json"]
    moved = (
        (b'"sku": "%b",\n      "productFamily"' % one, b'"sku": "%b",\n      "productFamily"' % other),
        (b'"%b": {\n        "%b.' % (one, one), b'"%b": {\n        "%b.' % (other, one)),
        (b'"rateCode": "%b.' % one, b'"rateCode": "%b.' % other),
    )
    for right, wrong in moved:
        assert BALANCERS.count(right) == 1
        with pytest.raises(CloudError, match="damaged"):
            list(read(BALANCERS.replace(right, wrong)))


def test_a_record_with_another_products_code_is_refused() -> None:
    body, read = FILES["csv"]
    for right, wrong in ((b'"GP3multi_az"', b'"GP3single_az"'), (b'"GP3multi_az.', b'"GP3single_az.')):
        assert body.count(right) == 1
        with pytest.raises(CloudError, match=r"damaged: the price .* stands at the product"):
            list(read(body.replace(right, wrong)))
