"""The bill for spreadsheets."""

from __future__ import annotations

import csv
from dataclasses import replace
from decimal import Decimal

import pytest
from factories import make_plan, with_text
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_plan.model.fleet import LEVELS
from cascade_plan.model.plan import Plan
from cascade_plan.reports.plans import csv as report
from cascade_plan.reports.provenance import where_from


def rows(made: Plan) -> list[dict[str, str]]:
    return list(csv.DictReader(report.render(made).splitlines(keepends=True)))


@settings(max_examples=20)
@given(st.integers(1, 10**6).flatmap(lambda peak: st.tuples(st.just(peak), st.integers(1, peak))))
def test_it_reads_back_to_the_same_decimals(users: tuple[int, int]) -> None:
    made = make_plan(users__peak=users[0], users__average=users[1])
    for row, item in zip(rows(made), made.bill.items, strict=True):
        assert Decimal(row["price_usd"]) == item.price_usd
        assert Decimal(row["list_price_usd"]) == item.list_price_usd
        for level in LEVELS:
            assert Decimal(row[f"quantity_{level}"]) == getattr(item.quantity, level)
            assert Decimal(row[f"cost_usd_per_month_{level}"]) == getattr(item.cost_usd, level)
            assert Decimal(row[f"list_cost_usd_per_month_{level}"]) == getattr(item.list_cost_usd, level)
        assert (row["tier"], row["name"], row["unit"]) == (item.tier, item.name, item.unit)
        assert (row["key"], row["as_of"], row["source"]) == (str(item.key), item.as_of, where_from(item, "aws"))


def test_the_columns_sum_to_the_bill() -> None:
    made = make_plan()
    for level in LEVELS:
        total = sum(Decimal(row[f"cost_usd_per_month_{level}"]) for row in rows(made))
        assert total == getattr(made.bill.effective_usd, level)


def test_a_line_without_price_has_none_and_no_cost() -> None:
    made = make_plan(missing=["cluster"])
    row = next(row for row in rows(made) if row["name"] == "EKS control plane")
    assert row["quantity_average"] == "730"
    assert {row["price_usd"], row["list_price_usd"], row["cost_usd_per_month_average"]} == {""}
    assert row["note"] == "no price in the book"
    assert len(rows(made)) == len(made.bill.items) + len(made.bill.unpriced)


def test_amounts_have_no_exponent() -> None:
    made = make_plan()
    item = replace(made.bill.items[0], price_usd=Decimal("1E-9"))
    assert "0.000000001" in report.render(replace(made, bill=replace(made.bill, items=(item,))))


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\n=1", " =1", "\r@x", "'=1"])
def test_text_is_no_formula(text: str) -> None:
    for row in rows(with_text(make_plan(), text)):
        for column in ("name", "source", "origin", "as_of", "note"):
            assert row[column][:1] not in {*"=+-@\t\r\n "}


@settings(max_examples=30)
@given(st.text())
def test_any_text_stays_in_its_cell(text: str) -> None:
    made = with_text(make_plan(missing=["cluster"]), text)
    rendered = report.render(made)
    read = list(csv.reader(rendered.splitlines(keepends=True)))
    assert {len(row) for row in read} == {len(report.COLUMNS)}
    assert len(read) == 1 + len(made.bill.items) + len(made.bill.unpriced)
    assert rendered.encode()


def test_lines_end_in_newlines_only() -> None:
    text = report.render(make_plan())
    assert "\r" not in text
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert text == report.render(make_plan())
