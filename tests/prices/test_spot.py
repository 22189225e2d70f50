"""Spot prices: a time-weighted percentile against brute force, and the history's traps over the real wire."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from aws_server import PLANS, SPOT, THROTTLED, Server, error, half_a_body, wired
from aws_world import EC2, TODAY, SpotPrice
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.clouds.aws.prices import spot
from cascade_plan.clouds.aws.prices.client import Patience
from cascade_plan.clouds.aws.prices.spot import Change, covered, weighted_percentile
from cascade_plan.clouds.aws.product import PUBLISHED
from cascade_plan.errors import CloudError
from cascade_plan.model.price import PriceKey
from cascade_plan.prices.products import price_list
from cascade_plan.prices.rates import Rate, Request, choose

AWS = price_list("aws")

SHORT = Patience(connect_s=5, read_s=5, attempt_count=2)
REQUEST = Request(AWS, "eu-west-1", frozenset({"ec2"}), {"ec2": frozenset(EC2)}, TODAY)
END = datetime(2026, 11, 25, tzinfo=UTC)
START = END - timedelta(days=30)
ITEM = EC2[0]


def read(server: Server, request: Request = REQUEST, **changes: int) -> list[Rate]:
    return list(spot.rates(request, server.url, patience=SHORT, **changes))


def at(hours: float, price: str, zone: str = "eu-west-1a", item: str = ITEM) -> SpotPrice:
    """Return a price from some hours after the window's start on."""
    return SpotPrice(START + timedelta(hours=hours), zone, item, price)


# ----------------------------------------------------------------------------------------------------------- percentile

MINUTES = 120
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
UNTIL = BEGIN + timedelta(minutes=MINUTES)
CHANGES = st.lists(
    st.builds(
        Change,
        st.integers(-60, MINUTES + 20).map(lambda minute: BEGIN + timedelta(minutes=minute)),
        st.integers(1, 9).map(lambda cents: f"0.0{cents}0000"),
    ),
    min_size=1,
    max_size=12,
)
HISTORIES = st.dictionaries(st.sampled_from("abc"), CHANGES, min_size=1)


def sampled(history: dict[str, list[Change]], percentile: int) -> Decimal | None:
    """Return the percentile of the prices that hold in each minute of each zone, found by looking at every minute."""
    held = []
    for changes in history.values():
        for minute in range(MINUTES):
            now = BEGIN + timedelta(minutes=minute)
            past = [(change.at, Decimal(change.price)) for change in changes if change.at <= now]
            if past:
                held.append(max(past)[1])
    held.sort()
    return held[-(-len(held) * percentile // 100) - 1] if held else None


@given(HISTORIES, st.integers(1, 100))
def test_the_percentile_is_that_of_every_minute(history: dict[str, list[Change]], percentile: int) -> None:
    found = sampled(history, percentile)
    if found is None:
        with pytest.raises(ValueError, match="no price holds"):
            weighted_percentile(history, BEGIN, UNTIL, percentile)
    else:
        assert weighted_percentile(history, BEGIN, UNTIL, percentile) == found


@given(HISTORIES, st.integers(1, 100), st.randoms())
def test_the_percentile_is_a_price_of_the_history_in_any_order(  # type: ignore[no-untyped-def]
    history: dict[str, list[Change]], percentile: int, random
) -> None:
    history["d"] = [Change(BEGIN, "0.050000")]
    prices = {Decimal(change.price) for changes in history.values() for change in changes}
    found = weighted_percentile(history, BEGIN, UNTIL, percentile)
    assert min(prices) <= found <= max(prices)
    assert found in prices
    shuffled = {zone: random.sample(history[zone], len(history[zone])) for zone in sorted(history, reverse=True)}
    assert weighted_percentile(shuffled, BEGIN, UNTIL, percentile) == found
    assert covered(shuffled, BEGIN, UNTIL) == UNTIL - BEGIN


@given(HISTORIES, st.integers(1, 100))
def test_equal_prices_are_their_own_percentile(history: dict[str, list[Change]], percentile: int) -> None:
    history["d"] = [Change(BEGIN, "0.1")]
    equal = {zone: [change._replace(price="0.123456789") for change in changes] for zone, changes in history.items()}
    assert weighted_percentile(equal, BEGIN, UNTIL, percentile) == Decimal("0.123456789")


def test_time_counts_and_not_the_number_of_changes(aws: Server) -> None:
    # Nine changes within nine minutes to a high price, a low one for the rest of the month.
    spikes = [at(100 + minute / 60, f"0.9{minute}") for minute in range(9)]
    aws.spot_prices = [at(-1, "0.1"), *spikes, at(100.15, "0.1")]
    (rate,) = read(aws)
    assert rate.amount == "0.1"


# -------------------------------------------------------------------------------------------------------------- history


def test_every_type_has_a_price_and_says_what_it_rests_on(aws: Server) -> None:
    choice = choose(read(aws), TODAY, AWS, PUBLISHED)
    assert not choice.problems
    assert choice.rows.keys() == {PriceKey("ec2", item, "linux", "spot") for item in EC2}
    for row in choice.rows.values():
        # Half of the days each zone costs 0.2z: the most expensive zone's is the ninth tenth.
        note = "p90 over 30 days, 3 zones, 92 changes"
        assert row == ("hour", "0.22", "", "2026-11-25", "aws-spot-history", "", "", note, "cache")
    assert {row[1] for row in choose(read(aws, percentile=50), TODAY, AWS, PUBLISHED).rows.values()} == {"0.12"}


def test_the_region_is_asked_for_a_window_that_ends_at_midnight(aws: Server) -> None:
    read(aws, window_days=7)
    (query,) = aws.queries(SPOT)
    assert query["StartTime"] == "2026-11-18T00:00:00Z"
    assert query["EndTime"] == "2026-11-25T00:00:00Z"
    assert query["ProductDescription.1"] == "Linux/UNIX"
    assert "/eu-west-1/ec2/" in aws.asked[0].headers["authorization"]


def test_neither_pages_nor_chunks_change_the_prices(aws: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = read(aws)
    aws.page_size = 80
    monkeypatch.setattr(spot, "CHUNK", 3)
    assert read(aws) == whole
    assert len(aws.queries(SPOT)) > 4


def test_the_price_in_force_at_the_start_holds(aws: Server) -> None:
    aws.spot_prices = [at(-1000, "0.3"), at(29 * 24, "0.1")]
    assert [rate.amount for rate in read(aws)] == ["0.3"]


def test_a_local_zone_is_another_place(aws: Server) -> None:
    aws.spot_prices = [at(-1, "0.1"), at(-1, "9", "eu-west-1-lhr-1a")]
    (rate,) = read(aws)
    assert (rate.amount, rate.note) == ("0.1", "p90 over 30 days, 1 zones, 1 changes")


def test_less_than_a_day_is_no_price(aws: Server) -> None:
    aws.spot_prices = [at(29 * 24 + 0.5, "0.1"), at(-1, "0.1", item=EC2[1])]
    choice = choose(read(aws), TODAY, AWS, PUBLISHED)
    assert {key.item for key in choice.rows} == {EC2[1]}
    (problem,) = choice.problems
    assert problem.key.item == ITEM
    aws.spot_prices = [at(29 * 24, "0.1")]
    assert len(choose(read(aws), TODAY, AWS, PUBLISHED).rows) == 1


def test_a_type_without_history_has_no_rate(aws: Server) -> None:
    aws.spot_prices = [at(-1, "0.1")]
    assert [rate.key.item for rate in read(aws)] == [ITEM]
    assert read(aws, replace(REQUEST, items={})) == []


@pytest.mark.parametrize(("price", "words"), [("-0.1", "negative"), ("NaN", "no price"), ("0.0000", "a price of 0")])
def test_a_price_that_is_none_is_a_problem_of_its_type(aws: Server, price: str, words: str) -> None:
    aws.spot_prices = [at(-1, "0.1"), at(5, price), at(-1, "0.2", item=EC2[1])]
    choice = choose(read(aws), TODAY, AWS, PUBLISHED)
    assert [key.item for key in choice.rows] == [EC2[1]]
    (problem,) = choice.problems
    assert problem.key.item == ITEM
    assert words in str(problem)


# -------------------------------------------------------------------------------------------------------- what can fail


def test_a_page_that_is_cut_short_is_asked_for_again(aws: Server) -> None:
    whole = read(aws)
    for fault in (wired("reset"), wired("cut"), half_a_body):
        aws.fail(SPOT, fault, 1)
        before = len(aws.asked)
        assert read(aws) == whole
        assert len(aws.asked) == before + 2


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (half_a_body, "cut short"),
        (error(503, "RequestLimitExceeded"), "throttles"),
        (error(403, "UnauthorizedOperation"), "--print-policy"),
        (error(401, "AuthFailure"), "region is enabled"),
        (error(400, "RequestExpired"), "expired"),
        (wired("reset"), "no connection"),
    ],
)
def test_a_failure_is_told(aws: Server, fault: object, words: str) -> None:
    aws.fail(SPOT, fault)  # type: ignore[arg-type]
    with pytest.raises(CloudError, match=words):
        read(aws)


def test_a_token_that_repeats_is_told(aws: Server) -> None:
    aws.page_size = 50

    def circling(reply):  # type: ignore[no-untyped-def]
        return replace(reply, body=reply.body.replace(b"<nextToken>page100<", b"<nextToken>page50<"))

    aws.fail(SPOT, circling)
    with pytest.raises(CloudError, match="token repeats"):
        read(aws)


def test_a_price_without_its_zone_is_told(aws: Server) -> None:
    def zoneless(reply):  # type: ignore[no-untyped-def]
        return replace(reply, body=reply.body.replace(b"availabilityZone>", b"zone>"))

    aws.fail(SPOT, zoneless)
    with pytest.raises(CloudError, match="lacks its type, zone"):
        read(aws)


def test_another_operation_s_faults_are_its_own(aws: Server) -> None:
    aws.fail(PLANS, THROTTLED)
    assert read(aws)
