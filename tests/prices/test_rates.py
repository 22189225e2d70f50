"""What rates come to: one clear price for each key, or a problem that shows the candidates."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.clouds.aws.product import PUBLISHED
from cascade_plan.clouds.aws.terms import reserved
from cascade_plan.model.price import PriceKey
from cascade_plan.prices.products import price_list
from cascade_plan.prices.rates import Choice, Rate
from cascade_plan.prices.rates import choose as decide

TODAY = date(2026, 11, 25)
KEY = PriceKey("ec2", "m5.large", "linux")


def choose(rates: Iterable[Rate], today: date) -> Choice:
    return decide(rates, today, price_list("aws"), PUBLISHED)


def rate(amount: str = "0.096", **changes: object) -> Rate:
    """Return a rate of an instance hour, with some of it changed."""
    plain = Rate(KEY, "hour", "SKU1", "T1", "Hrs", amount, "USD", "2026-11-01", "2026-11-20", "a source")
    return plain._replace(**changes)  # type: ignore[arg-type]


def problem_of(*rates: Rate) -> str:
    choice = choose(rates, TODAY)
    assert not choice.rows
    assert len(choice.problems) == 1
    return str(choice.problems[0])


def test_one_rate_is_one_row() -> None:
    row = ("hour", "0.096", "", "2026-11-20", "a source", "SKU1", "", "", "cache")
    assert choose([rate("0.0960000000")], TODAY).rows == {KEY: row}


def test_equal_prices_of_two_products_are_one_price() -> None:
    rows = choose([rate(), rate("0.09600", sku="SKU2")], TODAY).rows
    assert rows[KEY][1] == "0.096"


def test_two_prices_are_a_problem_that_shows_both() -> None:
    message = problem_of(rate(), rate("0.1", sku="SKU2"))
    assert "more than one price" in message
    for part in ("0.096", "SKU1", "0.1", "SKU2", "ec2 m5.large linux"):
        assert part in message


def test_the_newest_rate_in_force_counts() -> None:
    rates = [rate("0.1", effective="2026-10-01"), rate(), rate("0.05", effective="2026-12-01")]
    assert choose(rates, TODAY).rows[KEY][1] == "0.096"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"amount": "-0.1"}, "negative"),
        ({"amount": "0.0000000000"}, "a price of 0"),
        ({"amount": "NaN"}, "no price: 'NaN'"),
        ({"amount": ""}, "no price: ''"),
        ({"amount": "1e3"}, "no price"),
        ({"currency": "CNY"}, "priced in CNY"),
        ({"currency": ""}, "no currency"),
        ({"published_unit": "Hours per Furlong"}, "unknown unit 'Hours per Furlong'"),
        ({"published_unit": "GB"}, "the book counts hour"),
    ],
)
def test_what_is_no_price_is_a_problem(changed: dict[str, str], words: str) -> None:
    assert words in problem_of(rate(**changed))


def test_throughput_is_counted_in_mib() -> None:
    key = PriceKey("ebs", "gp3-throughput")
    found = choose([rate("40.96", key=key, unit="mibps_month", published_unit="GiBps-mo")], TODAY)
    assert found.rows[key][:2] == ("mibps_month", "0.04")


def test_a_reservation_joins_its_hourly_rate_and_its_fee() -> None:
    # GetProducts, m5.large in us-east-1, 2021-02-05.
    key = KEY._replace(term="reserved_3y_partial_upfront")
    hourly, fee = rate("0.019", key=key), rate("505", key=key, published_unit="Quantity")
    for rates in ([hourly, fee], [fee, hourly]):
        _, usd, upfront, *_ = choose(rates, TODAY).rows[key]
        assert upfront == "505"
        assert abs(Decimal(usd) - Decimal("0.0382161")) < Decimal("1e-6")
    other = rate("0.02", key=key, sku="SKU2", offer_term="T2")
    assert "505 upfront" in problem_of(hourly, fee, other)


def test_a_savings_plan_pays_half_with_partial_upfront() -> None:
    rows = choose([rate("0.06", key=KEY._replace(term="compute_sp_1y_partial_upfront"))], TODAY).rows
    ((_, usd, upfront, *_),) = rows.values()
    assert (usd, upfront) == ("0.06", "262.8")


def test_tiers_must_join() -> None:
    key = PriceKey("transfer", "internet-out")
    tier = rate(key=key, unit="gib", published_unit="GB", tiered=True)
    first, second = tier._replace(begin="0", end="10240"), tier._replace(begin="10240", amount="0.085")
    assert {k.variant for k in choose([second, first], TODAY).rows} == {"0-10240", "10240-"}
    for broken in ([first], [second], [first, second._replace(begin="10241")]):
        assert "do not join" in problem_of(*broken)


def test_requests_are_counted_in_millions_and_so_are_their_tiers() -> None:
    # AWSQueueService of us-east-1 as of 2026-09: 0.40 USD a million up to 100 billion.
    key = PriceKey("sqs", "requests")
    tier = rate("0.0000004000", key=key, unit="million_requests", published_unit="Requests", tiered=True)
    tiers = [tier._replace(end="100000000000"), tier._replace(amount="0.0000003000", begin="100000000000")]
    rows = choose(tiers, TODAY).rows
    assert {key.variant: row[:2] for key, row in rows.items()} == {
        "0-100000": ("million_requests", "0.4"),
        "100000-": ("million_requests", "0.3"),
    }


def test_tiers_that_overlap_are_a_problem() -> None:
    tier = rate(key=PriceKey("transfer", "internet-out"), unit="gib", published_unit="GB", tiered=True)
    assert "do not join" in problem_of(tier._replace(end="10"), tier)


def test_a_free_allowance_beside_a_price_is_passed_over() -> None:
    # AWSDataTransfer lists one with the same attributes as what is paid, at 0 for any amount.
    key = PriceKey("transfer", "internet-out")
    tier = rate(key=key, unit="gib", published_unit="GB", tiered=True)
    paid = [tier._replace(end="10240"), tier._replace(begin="10240", amount="0.085")]
    choice = choose([*paid, tier._replace(sku="FREE", amount="0.0000000000")], TODAY)
    assert {k.variant: row[1] for k, row in choice.rows.items()} == {"0-10240": "0.096", "10240-": "0.085"}
    assert not choice.problems


def test_a_free_first_tier_is_charged_as_the_next() -> None:
    # As the offers of 2020 had it: the first GB of a month free, then the first 10 TB.
    key = PriceKey("transfer", "internet-out")
    tier = rate(key=key, unit="gib", published_unit="GB", tiered=True)
    tiers = [tier._replace(end="1", amount="0"), tier._replace(begin="1", end="10240"), tier._replace(begin="10240")]
    choice = choose(tiers, TODAY)
    assert {k.variant for k in choice.rows} == {"0-10240", "10240-"}
    assert not choice.problems


def test_what_is_only_free_and_an_instance_that_is_free_are_problems() -> None:
    assert "a price of 0" in problem_of(rate("0", key=PriceKey("eks", "cluster")))
    assert "a price of 0" in str(choose([rate("0"), rate(sku="SKU2")], TODAY).problems[0])


def test_a_problem_of_one_key_leaves_the_others() -> None:
    other = KEY._replace(item="m5.xlarge")
    choice = choose([rate(), rate("-1", key=other)], TODAY)
    assert set(choice.rows) == {KEY}
    assert [problem.key for problem in choice.problems] == [other]


def test_terms() -> None:
    assert reserved("1yr", "All Upfront", "standard") == "reserved_1y_all_upfront"
    assert reserved("3 yr", "No Upfront", "") == "reserved_3y_no_upfront"
    assert reserved("1yr", "No Upfront", "convertible") == ""
    assert reserved("5yr", "No Upfront", "standard") == ""


RATES = st.lists(
    st.builds(
        rate,
        st.sampled_from(["0.1", "0.10", "0.2", "0", "-1", "x"]),
        sku=st.sampled_from(["A", "B"]),
        effective=st.sampled_from(["2026-01-01", "2026-11-01", "2027-01-01"]),
        key=st.sampled_from([KEY, KEY._replace(item="m5.xlarge")]),
    ),
    max_size=6,
)


@given(RATES, st.randoms())
def test_the_order_of_rates_does_not_matter(rates: list[Rate], random) -> None:  # type: ignore[no-untyped-def]
    shuffled = list(rates)
    random.shuffle(shuffled)
    assert choose(rates, TODAY) == choose(shuffled, TODAY)


@given(RATES)
def test_a_key_in_force_has_a_price_or_a_problem_and_never_both(rates: list[Rate]) -> None:
    choice = choose(rates, TODAY)
    in_force = {rate.key for rate in rates if rate.effective <= TODAY.isoformat()}
    troubled = {problem.key for problem in choice.problems}
    assert choice.rows.keys() | troubled == in_force
    assert not choice.rows.keys() & troubled
