"""What an update did not find: what counts as looked for, what stands in, and how it is told."""

from __future__ import annotations

from datetime import date

import pytest

from cascade_plan.clouds.aws.products import LISTED
from cascade_plan.model.price import Book, PriceKey, Row
from cascade_plan.prices import books, bundled
from cascade_plan.prices.not_found import NotFound, not_found, render, words
from cascade_plan.prices.products import price_list
from cascade_plan.prices.rates import Request

AWS = price_list("aws")
ITEMS = {"ec2": frozenset({"m5.large", "m5.xlarge", "m4.large"})}
SECTIONS = {"ec2_on_demand", "ec2_reserved", "network", "queue"}
REQUEST = Request(AWS, "us-east-1", frozenset({"ec2", "vpc", "sqs"}), ITEMS, date(2026, 11, 26))
NAT = PriceKey("vpc", "nat-gateway")
OTHERS = {
    *(PriceKey("vpc", item) for item in ("nat-gateway-data", "public-ipv4")),
    *(PriceKey("ec2", f"cpu-credits-{family}", "linux") for family in ("t3", "t3a", "t4g")),
    PriceKey("sqs", "requests", "0-7"),
}
M5 = PriceKey("ec2", "m5.large", "linux")


def row(usd: str = "0.1", as_of: str = "2025-04-04", unit: str = "hour") -> Row:
    return unit, usd, "", as_of, "a source", "", "", "", "bundled"


def missing(found: set[PriceKey], held: dict[PriceKey, Row] | None) -> tuple[NotFound, ...]:
    book = None if held is None else Book("aws", "us-east-1", held, "a book")
    return not_found(REQUEST, LISTED, SECTIONS, found, book)


def keys(entries: tuple[NotFound, ...]) -> set[PriceKey]:
    return {entry.key for entry in entries}


def test_what_is_found_is_not_missed() -> None:
    assert missing({NAT, *OTHERS, M5}, {NAT: row(), M5: row()}) == ()


def test_a_meter_is_missed_be_there_a_price_of_it_or_not() -> None:
    (entry,) = missing({*OTHERS}, {NAT: row("0.045")})
    assert (entry.key, [str(price.usd) for price in entry.stand_ins]) == (NAT, ["0.045"])
    assert missing({*OTHERS}, None) == missing({*OTHERS}, {}) == (NotFound(NAT, ()),)


def test_a_type_is_missed_that_was_there_in_any_kind_of_price() -> None:
    held = {M5: row(), M5._replace(term="reserved_1y_no_upfront"): row(), M5._replace(item="m5.xlarge"): row()}
    assert keys(missing({NAT, *OTHERS, M5}, held)) == held.keys() - {M5}


@pytest.mark.parametrize(
    "key",
    [
        M5._replace(term="spot"),  # of another update
        M5._replace(term="reserved_1y_no_upfront_convertible"),  # no source is read for it
        M5._replace(item="z9.large"),  # no plan can choose it
        PriceKey("rds", "db.m5.large", "single_az"),  # of another service
        PriceKey("transfer", "inter-region"),  # no update asks for it
    ],
)
def test_what_was_not_looked_for_is_not_missed(key: PriceKey) -> None:
    assert missing({NAT, *OTHERS}, {key: row()}) == ()


def test_a_tiered_price_is_missed_as_a_whole() -> None:
    held = {PriceKey("sqs", "requests", variant): row(unit="million_requests") for variant in ("0-5", "5-")}
    found = {NAT, *OTHERS} - {PriceKey("sqs", "requests", "0-7")}
    (entry,) = missing(found, held)
    assert entry.key == PriceKey("sqs", "requests")
    assert [price.key.variant for price in entry.stand_ins] == ["0-5", "5-"]
    assert "2 prices of 2025-04-04 (bundled)" in render([entry])


def test_types_are_told_by_family_and_meters_one_by_one() -> None:
    held = {
        M5: row(as_of="2024-09"),
        M5._replace(item="m5.xlarge"): row(as_of="2026-02-17"),
        M5._replace(item="m4.large"): row("0.11"),
        M5._replace(term="reserved_1y_no_upfront"): row(),
        M5._replace(term="compute_sp_1y_no_upfront"): row(),
    }
    lines = render(missing(set(OTHERS), held)).splitlines()
    assert [" ".join(line.split()) for line in lines[2:]] == [
        "vpc nat-gateway nothing",
        "ec2 m4.large linux 0.11 of 2025-04-04 (bundled)",
        "ec2 m5.* on demand (2) 2 prices of 2024-09 to 2026-02-17 (bundled)",
        "ec2 m5.large linux reserved_1y_no_upfront 0.1 of 2025-04-04 (bundled)",
        "ec2 m5.large linux compute_sp_1y_no_upfront 0.1 of 2025-04-04 (bundled)",
    ]


def test_a_list_ends_after_a_screen_and_counts_the_rest() -> None:
    many = [NotFound(PriceKey("rds", f"meter{number:02}"), ()) for number in range(25)]
    lines = render(many).splitlines()
    assert len(lines) == 2 + 20 + 1
    assert lines[-1] == "and 5 prices more; --format json lists each"


def test_the_words_say_what_stands_in() -> None:
    (with_price,) = missing(set(OTHERS), {NAT: row()})
    without = NotFound(NAT, ())
    assert words([with_price]) == "1 price was looked for and not found: an older one stands in for each"
    assert words([with_price, without]).endswith(
        "2 prices were looked for and not found: an older one stands in for 1 of them"
    )
    assert words([without]) == "1 price was looked for and not found: nothing stands in"


def test_a_renewed_tiered_price_leaves_no_bundled_range() -> None:
    out = PriceKey("transfer", "internet-out")
    renewed = {out._replace(variant=variant): row(unit="gib") for variant in ("0-500", "500-")}
    book = books.laid_over_bundled("aws", "us-east-1", Book("aws", "us-east-1", renewed, "a cache"))
    assert book is not None
    assert [price.key.variant for price in book.variants("transfer", "internet-out")] == ["0-500", "500-"]
    assert len(bundled.book("aws", "us-east-1").variants("transfer", "internet-out")) > 2
