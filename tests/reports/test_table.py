"""The plan on one screen."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from factories import make_plan, with_text
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_plan.clouds.aws.terms import SOLD
from cascade_plan.reports.plans import table

HOSTILE = ["\x1b[31mred\n\r\t", "a|b", "x" * 500, "", " ", "\u202egnp", "é" * 40, "\ud800"]


def test_it_ends_in_one_newline_and_has_no_trailing_spaces() -> None:
    text = table.render(make_plan())
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert [line for line in text.splitlines() if line != line.rstrip()] == []


def test_the_same_plan_is_the_same_text() -> None:
    assert table.render(make_plan()) == table.render(make_plan())


@pytest.mark.parametrize("term", sorted({term for sold in SOLD.values() for term in sold}))
def test_it_fits_110_columns(term: str) -> None:
    known = {"database": SOLD["database"], "api": SOLD["vm"], "websocket": SOLD["vm"]}
    made = make_plan(
        missing=["nat-gateway"], **{f"tiers.{tier}.purchase": term for tier in known if term in known[tier]}
    )
    for size in (made, replace(made, findings=made.findings * 3)):
        assert max(len(line) for line in table.render(size).splitlines()) <= table.WIDTH


def test_a_million_users_fit_110_columns() -> None:
    text = table.render(make_plan(users__peak=1_000_000, users__average=900_000, users__registered=10**9))
    assert max(len(line) for line in text.splitlines()) <= table.WIDTH
    assert "1,000,000,000 registered" in text


@settings(max_examples=50)
@given(st.text() | st.sampled_from(HOSTILE))
def test_any_text_stays_within_its_lines(words: str) -> None:
    text = table.render(with_text(make_plan(missing=["cluster"]), words))
    assert max(len(line) for line in text.splitlines()) <= table.WIDTH
    assert not {character for character in text if ord(character) < 32} - {"\n"}
    assert text.encode()


def test_the_verdict_comes_first() -> None:
    first, second = table.headline(make_plan())
    assert " ".join(table.render(make_plan()).split()).startswith(f"{first} {second}")
    assert first.startswith("test: 10,000 users at peak, 3,000 on average; aws us-east-1; prices of 2020-01-02")
    assert second.startswith("Over budget: ")


def test_the_sections_have_equal_rows() -> None:
    for section in table.sections(make_plan()):
        assert {len(row) for row in section.rows} <= {len(section.headers) or 1}
        assert all(index < len(section.headers) for index in section.right)
        assert all("\n" not in cell for row in section.rows for cell in row)


def test_the_fleet_shows_every_group() -> None:
    made = make_plan()
    fleet = table.sections(made)[0]
    assert [row[1].removesuffix(", multi-AZ") for row in fleet.rows] == [group.name for group in made.groups]
    api = dict(zip(fleet.headers, fleet.rows[0], strict=True))
    counts = ("floor", "avg", "peak", "ceil")
    assert [Decimal(api[name]) for name in counts] == [Decimal(str(round(count, 2))) for count in made.groups[0].count]
    cache = dict(zip(fleet.headers, next(row for row in fleet.rows if row[0] == "cache"), strict=True))
    assert cache["idle"] == ""


def test_a_group_without_price_says_so() -> None:
    fleet = table.sections(make_plan(missing=["rds"]))[0]
    assert "no price" in {row[-1] for row in fleet.rows}


def test_every_total_of_an_incomplete_bill_is_at_least() -> None:
    band, denominators = table.sections(make_plan(missing=["cluster"]))[2:4]
    assert all(cell.startswith("at least $") for row in band.rows for cell in row[1:4])
    assert all(row[2].startswith("at least $") for row in denominators.rows)


def test_the_denominators_are_named_and_the_budget_s_marked() -> None:
    scenario: dict[str, Any] = {"users.registered": 50_000, "budget.users": "registered"}
    rows = table.sections(make_plan(**scenario))[3].rows
    assert [row[0] for row in rows] == ["peak concurrent users", "average concurrent users", "registered users"]
    assert [row[3] for row in rows] == ["", "", "by the budget"]


def test_warnings_come_before_the_rest() -> None:
    severities = [row[0] for row in table.sections(make_plan())[-1].rows]
    assert severities == sorted(severities, key=lambda severity: severity != "warning")
    assert {*severities} == {"warning", "info"}


def test_only_failed_gates_are_failures() -> None:
    made = make_plan()
    lines = table.failures(made)
    assert len(lines) == sum(verdict.status == "fail" for verdict in made.verdicts)
    assert all(line.startswith("✗ ") for line in lines)
    assert table.failures(make_plan(budget__usd_per_1000_users_month=1e6)) == []
