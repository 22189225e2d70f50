"""Whether a book still holds: what fails a check, what only warns, and what is none of its business."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from price_rows import CELLS, KEYS

from cascade_plan.errors import PriceError
from cascade_plan.model.price import Book, PriceKey, Row
from cascade_plan.prices.verifying import KINDS, Deviation, failed, render_json, render_table, verify

TODAY = date(2026, 11, 25)
M5 = PriceKey("ec2", "m5.large", "linux")
SPOT = M5._replace(term="spot")
RESERVED = M5._replace(term="reserved_1y_no_upfront")
C5 = PriceKey("ec2", "c5.large", "linux")
R5 = PriceKey("rds", "db.r5.large", "single_az")


def row(usd: str = "0.1", unit: str = "hour", as_of: str = "2026-11-01") -> Row:
    return unit, usd, "", as_of, "an offer", "", "", "", "bundled"


def book(rows: dict[PriceKey, Row], region: str = "eu-west-1") -> Book:
    return Book("aws", region, rows, "a book")


def verified(
    ours: dict[PriceKey, Row], theirs: dict[PriceKey, Row], *needed: PriceKey, tolerance: str = "1", days: int = 90
) -> list[tuple[str, str, PriceKey]]:
    found = verify(book(ours), book(theirs), Decimal(tolerance), days, TODAY, needed or None)
    return [(deviation.severity, deviation.kind, deviation.key) for deviation in found]


def test_equal_books_hold() -> None:
    rows = {M5: row(), SPOT: row("0.05"), R5: row()}
    assert verified(rows, rows) == []
    assert verified(rows, rows, M5, R5) == []


@pytest.mark.parametrize(
    ("usd", "tolerance", "deviates"),
    [
        ("0.101", "1", False),
        ("0.099", "1", False),
        ("0.101000000001", "1", True),
        ("0.098999999999", "1", True),
        ("0.1000", "0", False),
        ("0.100000000001", "0", True),
        ("0.2", "100", False),
    ],
)
def test_the_tolerance_is_exact_and_itself_allowed(usd: str, tolerance: str, deviates: bool) -> None:
    found = verified({M5: row("0.1")}, {M5: row(usd)}, tolerance=tolerance)
    assert found == ([("error", "price", M5)] if deviates else [])


def test_a_difference_says_both_prices_their_dates_and_the_move() -> None:
    (found,) = verify(book({M5: row("0.1")}), book({M5: row("0.125", as_of="2026")}), Decimal(1), 90, TODAY)
    assert found.message == "0.1 USD per hour here (2026-11-01), 0.125 in the other book (2026)"
    assert found.change_percent == 25


def test_spot_prices_only_warn() -> None:
    ours, theirs = {M5: row(), SPOT: row("0.05")}, {M5: row(), SPOT: row("0.02")}
    assert verified(ours, theirs) == [("warning", "price", SPOT)]


def test_another_unit_is_an_error_whatever_the_tolerance() -> None:
    assert verified({M5: row()}, {M5: row(unit="gib")}, tolerance="1000") == [("error", "unit", M5)]


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [("2026-08-27", []), ("2026-08-26", ["old"]), ("2026-08", ["old"]), ("2026", ["old"]), ("2027-01-01", [])],
)
def test_a_row_may_be_as_old_as_allowed(as_of: str, expected: list[str]) -> None:
    found = verified({M5: row(as_of=as_of)}, {M5: row(as_of="2020")})
    assert found == [("error", kind, M5) for kind in expected]


def test_an_undated_row_only_warns() -> None:
    found = verified({M5: row(as_of="undated")}, {M5: row()})
    assert found == [("warning", "undated", M5)]


def test_gaps_without_a_need_warn_of_the_on_demand_prices_of_known_items() -> None:
    windows = M5._replace(variant="windows")
    ours = {M5: row(), C5: row(), RESERVED: row("0.06")}
    theirs = {M5: row(), windows: row("0.2"), SPOT: row("0.04"), PriceKey("ec2", "x9.large", "linux"): row()}
    assert verified(ours, theirs) == [("warning", "missing", windows), ("warning", "unpublished", C5)]


def test_gaps_in_what_is_needed_are_errors_and_nothing_else_is_looked_at() -> None:
    ours = {M5: row(), C5: row(), RESERVED: row("0.06"), R5: row("9", as_of="2020")}
    theirs = {M5: row(), SPOT: row("0.04"), R5: row("1")}
    assert verified(ours, theirs, M5, SPOT, RESERVED, C5) == [
        ("error", "missing", SPOT),
        ("error", "unpublished", C5),
        ("error", "unpublished", RESERVED),
    ]
    nowhere = M5._replace(item="m9.large")
    assert verified(ours, theirs, M5, nowhere) == [("error", "missing", nowhere)]


def test_a_service_the_other_book_has_nothing_of_is_one_line() -> None:
    ours = {M5: row(), R5: row(), R5._replace(variant="multi_az"): row("0.2")}
    nothing = PriceKey("rds", "")
    assert verified(ours, {M5: row()}) == [("warning", "not compared", nothing)]
    assert verified(ours, {M5: row()}, M5, R5) == [("error", "not compared", nothing)]
    unpriced = R5._replace(item="db.r9.large")
    assert verified(ours, {M5: row()}, M5, unpriced) == [
        ("error", "not compared", nothing),
        ("error", "missing", unpriced),
    ]


def test_nothing_compared_is_no_pass() -> None:
    nothing = ("error", "not compared", PriceKey("", ""))
    assert verified({}, {}) == [nothing]
    assert verified({}, {M5: row()}) == [nothing]
    assert nothing in verified({M5: row()}, {})
    assert nothing in verified({M5: row()}, {C5: row()})


def test_other_regions_do_not_compare() -> None:
    with pytest.raises(PriceError, match="do not compare"):
        verify(book({M5: row()}), book({M5: row()}, "us-east-1"), Decimal(1), 90, TODAY)


def test_errors_come_first_and_the_largest_move_before_the_smaller() -> None:
    ours = {M5: row("0.1", as_of="undated"), C5: row("0.1"), SPOT: row("0.1")}
    theirs = {M5: row("0.05"), C5: row("0.12"), SPOT: row("0.9")}
    assert verified(ours, theirs) == [
        ("error", "price", M5),
        ("error", "price", C5),
        ("warning", "price", SPOT),
        ("warning", "undated", M5),
    ]


@given(st.dictionaries(KEYS, CELLS, min_size=1, max_size=8), st.data())
def test_a_book_deviates_from_itself_in_nothing_but_its_dates(rows: dict[PriceKey, Row], data: st.DataObject) -> None:
    needed = data.draw(st.none() | st.lists(st.sampled_from(sorted(rows)), min_size=1))
    found = verify(book(rows), book(rows), Decimal(0), 0, TODAY, needed)
    undated = {key for key in needed or rows if rows[key][3] == "undated"}
    assert {deviation.key for deviation in found if deviation.kind == "undated"} == undated
    assert {deviation.key for deviation in found if deviation.kind == "old"} == {*(needed or rows)} - undated
    assert {deviation.kind for deviation in found} <= {"old", "undated"}


@settings(deadline=None)  # the first example imports tabulate
@given(st.dictionaries(KEYS, CELLS, max_size=6), st.dictionaries(KEYS, CELLS, max_size=6), st.booleans())
def test_any_two_books_are_verified_and_rendered(
    ours: dict[PriceKey, Row], theirs: dict[PriceKey, Row], needs: bool
) -> None:
    found = verify(book(ours), book(theirs), Decimal(5), 365, TODAY, [*ours, *theirs] if needs else None)
    assert {deviation.kind for deviation in found} <= {*KINDS}
    assert all(failed([deviation]) == (deviation.severity == "error") for deviation in found)
    document = json.loads(render_json({"eu-west-1": found}))["regions"]["eu-west-1"]
    assert document["failed"] == failed(found)
    assert [PriceKey(*entry["key"]) for entry in document["deviations"]] == [deviation.key for deviation in found]
    assert render_table(found, 3).endswith("\n")


def test_as_a_table_and_as_json() -> None:
    price = Deviation("error", "price", M5, "differs", Decimal("-3E+1"))
    found = [price, replace(price, severity="warning", kind="undated", message="no date", change_percent=None)]
    lines = [line.split() for line in render_table(found, 1).splitlines()]
    assert lines[2:4] == [["error", "price", "1"], ["warning", "undated", "1"]]
    assert lines[-3:] == [
        ["error", "price", "ec2", "m5.large", "linux", "on_demand", "-30.00%", "differs"],
        [],
        ["and", "1", "more"],
    ]
    assert render_table([], 5) == "no deviations\n"
    whole = json.loads(render_json({"eu-west-1": found}))
    assert whole["schema_version"] == 1
    document = whole["regions"]["eu-west-1"]
    assert document["failed"] is True
    assert document["deviations"][0] == {
        "severity": "error",
        "kind": "price",
        "key": ["ec2", "m5.large", "linux", "on_demand"],
        "message": "differs",
        "change_percent": "-30",
    }
    assert document["deviations"][1]["change_percent"] is None
    assert json.loads(render_json({"eu-west-1": []}))["regions"] == {"eu-west-1": {"failed": False, "deviations": []}}
