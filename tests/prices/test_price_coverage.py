"""What a book covers, and how old a price is."""

from __future__ import annotations

from datetime import date

import pytest

from cascade_plan.model.price import Book, PriceKey, Row, age_days
from cascade_plan.prices import bundled
from cascade_plan.prices.coverage import NO_PRICE, SectionCoverage, coverage
from cascade_plan.prices.products import price_list

AWS = price_list("aws")


def row(as_of: str, note: str = "") -> Row:
    return "hour", "1", "", as_of, "a source", "", "", note, "bundled"


BOOK = Book(
    "aws",
    "us-east-1",
    {
        PriceKey("ec2", "m5.large", "linux"): row("2026-02"),
        PriceKey("ec2", "m5.xlarge", "linux"): row("2025-12-31"),
        PriceKey("ec2", "m5.xlarge", "linux", "spot"): row("undated"),
        PriceKey("elb", "alb"): row("undated", "weak: hearsay"),
        PriceKey("elb", "nlb"): row("2024", "not weak: seen twice"),
    },
    "test",
)


def test_sections_are_counted_in_the_order_of_the_file() -> None:
    found = coverage(BOOK)
    assert [section.section for section in found] == list(AWS.sections)
    counted = [section for section in found if section.row_count]
    assert counted == [
        SectionCoverage("ec2_on_demand", 2, "2025-12-31", "2026-02", 0, 0, ()),
        SectionCoverage("ec2_spot", 1, "", "", 1, 0, ()),
        SectionCoverage("load_balancer", 2, "2024", "2024", 1, 1, ()),
    ]
    assert sum(section.row_count for section in found) == len(BOOK)


def test_a_gap_that_an_override_fills_is_none() -> None:
    gaps = {"load_balancer": ("in words", "no price: elb nlb on_demand", "no price: elb nlb-lcu on_demand")}
    found = {section.section: section.gaps for section in coverage(BOOK, gaps)}
    assert found["load_balancer"] == ("in words", "no price: elb nlb-lcu on_demand")


@pytest.mark.parametrize("region", bundled.regions("aws"))
def test_the_bundled_books_cover_every_section(region: str) -> None:
    book = bundled.book("aws", region)
    found = {section.section: section for section in coverage(book, bundled.gaps("aws", region))}
    assert sum(section.row_count for section in found.values()) == len(book)
    empty = {name for name, section in found.items() if not section.row_count}
    named = {name for name in empty if any(gap.startswith(NO_PRICE) for gap in found[name].gaps)}
    assert empty == named
    assert not empty or region != "us-east-1"


@pytest.mark.parametrize(
    ("as_of", "days"),
    [
        ("2026-03-01", 0),
        ("2026-02-28", 1),
        ("2026-02", 28),
        ("2025", 424),
        ("2026-03-02", -1),
        ("undated", None),
        ("", None),
    ],
)
def test_age(as_of: str, days: int | None) -> None:
    assert age_days(as_of, date(2026, 3, 1)) == days


def test_the_age_of_what_is_no_date() -> None:
    with pytest.raises(ValueError, match="Invalid"):
        age_days("yesterday", date(2026, 3, 1))


def test_a_renewed_section_keeps_only_the_gaps_of_prices_still_missing() -> None:
    gaps = {"ec2_on_demand": ["the source is old", "no price: ec2 x1.large linux on_demand"], "ebs": ["no snapshots"]}
    renewed = {PriceKey("ec2", "m5.large", "linux"): (*row("2026-11")[:-1], "cache")}
    found = {section.section: section.gaps for section in coverage(BOOK.overridden(renewed, "cache"), gaps)}  # type: ignore[arg-type]
    assert found["ec2_on_demand"] == ("no price: ec2 x1.large linux on_demand",)
    assert found["ebs"] == ("no snapshots",)
