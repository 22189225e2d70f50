"""A price and its words: AWS's own say the same; a price that was damaged is refused, whatever file it comes in."""

from __future__ import annotations

from decimal import Decimal

import genuine_offers as genuine
import pytest
from hypothesis import given
from hypothesis import strategies as st
from offer_world import Listed, Price, Term
from test_genuine import AWS, READERS, TODAY, Reader, by_api, objects, request

from cascade_plan.clouds.aws.product import PUBLISHED
from cascade_plan.model.price import PriceKey
from cascade_plan.prices.descriptions import contradicts
from cascade_plan.prices.rates import Choice, choose

GENUINE = (
    # AWSELB of us-east-1, 2026-09-11; AmazonEC2 of eu-west-1, 2026-09-25
    ("$0.006 per used Network load balancer capacity unit-hour (or partial hour)", "0.0060000000", "LCU-Hrs"),
    (
        "$0.0 per LCU-Hrs for Outposts-LCUUsage:LoadBalancing:Application in US East (N. Virginia)",
        "0.0000000000",
        "Hrs",
    ),
    ("$0.00 per GB Data Processed by NAT Gateways with Provisioned Bandwidth", "0.0000000000", "GB"),
    ("Charge for per GB data processed by NAT Gateways", "0.0480000000", "GB"),
    # AmazonEC2 of us-east-1, 2021-02-05, a reservation; of eu-west-3, 2020-10
    ("USD 0.0 per Linux/UNIX (Amazon VPC), m5.large reserved instance applied", "0.0000000000", "Hrs"),
    ("Upfront Fee", "294", "Quantity"),
    ("$0.058 per 1 million I/O requests", "0.0000000580", "IOs"),
    # comprehend of ap-south-1, 2026-01-16
    ("USD8.33E-4 per seconds for DocClassifier-Time:DocClassifier in Asia Pacific (Mumbai)", "0.0008330000", "seconds"),
    ("USD 1.0E-4 per Unit for DetectTgtSentiment:DetectTgtSentiment in Asia Pacific (Mumbai)", "0.0001000000", "Unit"),
    # AmazonRDS of us-east-1, 2026-03-18; AmazonEC2 of us-west-1, gp3
    ("$ 0.26 per RDS db.r6g.large Single-AZ instance hour (or partial hour) running Aurora PostgreSQL", "0.26", "Hrs"),
    ("$0.048 per provisioned MiBps-month of gp3 - US West (N. California)", "49.1520000000", "GiBps-mo"),
    # bills of 2023-11 and 2024-09, which repeat the offers' words
    ("$0.0044 per 10,000 GET and all other requests", "4.4E-7", "Requests"),
    ("$0.20 per RDS million I/O requests (Aurora PostgreSQL)", "0.0000002", "IOs"),
    ("$0.01 per 1,000 metrics requested using GetMetricData API - US West (Oregon)", "0.00001", "Metrics"),
    ("$0.023 per GB - first 50 TB / month of storage used", "0.023", "GB-Mo"),
    ("USD $0.30 per GB-Mo for Standard storage (USE2)", "0.3", "GB-Mo"),
)


def differs(words: str, amount: str, unit: str) -> bool:
    _, count = PUBLISHED.get(unit.lower(), ("", Decimal(1)))
    return contradicts(words, Decimal(amount), max(count, Decimal(1)))


@pytest.mark.parametrize(("words", "amount", "unit"), GENUINE)
def test_awss_own_words_name_the_price(words: str, amount: str, unit: str) -> None:
    assert not differs(words, amount, unit)


NAMED = [row for row in GENUINE if "$" in row[0] or "USD" in row[0]]


@given(st.sampled_from(NAMED), st.data())
def test_a_price_with_another_digit_is_not_the_one_named(row: tuple[str, str, str], data: st.DataObject) -> None:
    words, amount, unit = row
    amount = f"{Decimal(amount):f}"
    place = data.draw(st.sampled_from([place for place, digit in enumerate(amount) if digit.isdigit()]))
    digit = data.draw(st.sampled_from([other for other in "0123456789" if other != amount[place]]))
    assert differs(words, amount[:place] + digit + amount[place + 1 :], unit)


@given(st.sampled_from(NAMED), st.sampled_from([Decimal("0.01"), Decimal("0.1"), Decimal(10), Decimal(100)]))
def test_a_price_whose_point_has_moved_is_not_the_one_named(row: tuple[str, str, str], factor: Decimal) -> None:
    words, amount, unit = row
    moved = Decimal(amount) * factor
    assert differs(words, str(moved), unit) == (moved != 0)


def with_price(product: Listed, amount: str, words: str) -> Listed:
    (term,) = product.terms
    (price,) = term.prices
    return product._replace(terms=(term._replace(prices=(price._replace(amount=amount, words=words),)),))


def chosen(reader: Reader, listed: list[Listed], region: str) -> Choice:
    return choose(list(reader(listed, request(region))), TODAY, AWS, PUBLISHED)


WORDS = "$0.006 per used Network load balancer capacity unit-hour (or partial hour)"
KEY = PriceKey("elb", "nlb-lcu")
(LCU,) = (product for product in genuine.BALANCERS if product.key == KEY)


def check_refused(choice: Choice) -> None:
    (problem,) = choice.problems
    assert problem.key == KEY
    assert problem.message == f"a price of 0.0061, but it is described as {WORDS!r} (SKU {LCU.sku})"
    assert KEY not in choice.rows


@READERS
def test_a_damaged_price_is_refused_and_the_others_are_read(reader: Reader) -> None:
    others = [product for product in genuine.BALANCERS if product is not LCU]
    choice = chosen(reader, [*others, with_price(LCU, "0.0061000000", WORDS)], "us-east-1")
    check_refused(choice)
    assert choice.rows.keys() == {product.key for product in others if product.key}
    whole = chosen(reader, [*others, with_price(LCU, "0.0060000000", WORDS)], "us-east-1")
    assert whole.rows[KEY][1] == "0.006"


def test_the_api_is_checked_alike(signed_in: None) -> None:
    damaged = with_price(LCU, "0.0061000000", WORDS)
    check_refused(choose(list(by_api([damaged], "us-east-1")), TODAY, AWS, PUBLISHED))


@READERS
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_damaged_tier_leaves_no_price_of_any_tier(reader: Reader, place: int) -> None:
    tiers = [
        Price("0.025", "GB-Mo", "0", "51200", words="$0.025 per GB - first 50 TB / month of storage used"),
        Price("0.024", "GB-Mo", "51200", "512000", words="$0.024 per GB - next 450 TB / month of storage used"),
        Price("0.023", "GB-Mo", "512000", "Inf", words="$0.023 per GB - storage used / month over 500 TB"),
    ]
    assert len(chosen(reader, objects(*tiers), "ap-southeast-1").rows) == 3
    # Nothing is what a free allowance costs: the next tier must not take its place.
    for amount in ("0.000", "0.24"):
        broken = [tier._replace(amount=amount) if at == place else tier for at, tier in enumerate(tiers)]
        choice = chosen(reader, objects(*broken), "ap-southeast-1")
        assert not choice.rows
        assert tiers[place].words in choice.problems[-1].message


@READERS
def test_a_reservations_fee_and_hours_are_each_checked(reader: Reader) -> None:
    on_demand, *others = genuine.M5.terms
    (hour,) = on_demand.prices
    damaged = Term(on_demand.code, (hour._replace(amount="0.0900000000"),), effective=on_demand.effective)
    words = "$0.096 per On Demand Linux m5.large Instance Hour"
    damaged = damaged._replace(prices=(damaged.prices[0]._replace(words=words),))
    choice = chosen(reader, [genuine.M5._replace(terms=(damaged, *others))], "us-east-1")
    assert [problem.key for problem in choice.problems] == [genuine.M5.key]
    assert choice.rows.keys() == {genuine.M5.key._replace(term=term) for term in genuine.M5_USD if term != "on_demand"}
