"""The charges of a month on the command line: which month, which version, and what neither goes with."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from focus_rows import read_back, total

from cascade_plan.inputs.scenarios import read
from cascade_plan.model.calendar import following

Run = Callable[..., tuple[int, str, str]]
SCENARIO = Path(__file__).parent.parent / "scenarios" / "cascade.yaml"
ENVIRONMENTS = """
environments:
  prod: {}
  staging: {users: {peak: 1000, average: 300}}
"""
QUIET = ("--quiet", "--no-price-cache")


@pytest.mark.parametrize("command", ["size", "report"])
def test_the_costs_of_a_month_are_the_bill_of_its_hours(cascade: Run, command: str) -> None:
    status, out, err = cascade(command, "cascade", "--format", "focus", "--month", "2027-02", *QUIET)
    assert (status, err) == (0, "")
    rows = read_back(out)
    assert {row["ChargePeriodStart"] for row in rows} == {"2027-02-01T00:00:00Z"}
    _, csv, _ = cascade("size", "cascade", "--format", "csv", "--set", "hours_per_month=672", *QUIET)
    assert total(rows, "EffectiveCost") == total(read_back(csv), "cost_usd_per_month_average")
    _, average, _ = cascade("size", "cascade", "--format", "csv", *QUIET)
    assert total(rows, "EffectiveCost") < total(read_back(average), "cost_usd_per_month_average")


def test_without_a_month_it_is_the_one_after_the_newest_price(cascade: Run) -> None:
    _, out, _ = cascade("size", "cascade", "--format", "focus", *QUIET)
    month = following(read("cascade", cached=False).book.day)
    assert {row["BillingPeriodStart"] for row in read_back(out)} == {f"{month}-01T00:00:00Z"}
    _, told, _ = cascade("size", "cascade", "--format", "focus", "--month", str(month), *QUIET)
    assert told == out


def test_it_is_the_month_and_not_the_scenario_that_says_how_many_hours(cascade: Run) -> None:
    wanted = ("size", "cascade", "--format", "focus", "--month", "2027-01", *QUIET)
    assert cascade(*wanted, "--set", "hours_per_month=700")[1] == cascade(*wanted)[1]


def test_the_version_is_1_2_until_another_is_asked_for(cascade: Run) -> None:
    wanted = ("report", "cascade", "--format", "focus", "--month", "2027-01", *QUIET)
    older, newer = (cascade(*wanted, *flags)[1] for flags in ((), ("--focus-version", "1.4")))
    assert cascade(*wanted, "--focus-version", "1.2")[1] == older
    assert "ProviderName,PublisherName" in older.partition("\n")[0]
    assert "ServiceProviderName" in newer.partition("\n")[0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--month", "2027-01"), "error: --month 2027-01: goes with --format focus\n"),
        (("--focus-version", "1.4", "--format", "csv"), "error: --focus-version 1.4: goes with --format focus\n"),
        (
            ("--format", "focus", "--month", "2027-13"),
            "error: --month 2027-13: must be a year and a month, such as 2027-01\n",
        ),
        (("--format", "focus", "--focus-version", "1.3"), "error: --focus-version 1.3: must be 1.2 or 1.4"),
    ],
)
@pytest.mark.parametrize("command", ["size", "report"])
def test_what_is_none_is_refused(cascade: Run, command: str, arguments: tuple[str, ...], words: str) -> None:
    status, out, err = cascade(command, "cascade", *arguments)
    assert (status, out) == (2, "")
    assert words in err


def test_charges_judge_nothing(cascade: Run) -> None:
    status, out, err = cascade("check", "cascade", "--format", "focus")
    assert (status, out) == (2, "")
    assert "--format focus: the charges of a month judge nothing; `report --format focus` writes them" in err


def test_a_line_without_a_price_has_no_row_and_is_named(cascade: Run) -> None:
    status, out, err = cascade(
        "size", "cascade", "--format", "focus", "--set", "tiers.websocket.purchase=compute_sp_1y_all_upfront"
    )
    assert status == 0
    assert "warning: no price in" in err
    assert "websocket nodes" in err
    assert "websocket nodes (" not in {row["x_Line"] for row in read_back(out)}
    assert read_back(out)


def test_environments_are_accounts_of_one_table(cascade: Run, tmp_path: Path) -> None:
    path = tmp_path / "two.yaml"
    path.write_text(SCENARIO.read_text(encoding="utf-8") + ENVIRONMENTS, encoding="utf-8")
    wanted = ("report", str(path), "--format", "focus", "--month", "2027-01", *QUIET)
    status, out, err = cascade(*wanted)
    assert (status, err) == (0, "")
    rows = read_back(out)
    assert {row["BillingAccountId"] for row in rows} == {"plan:cascade-prod", "plan:cascade-staging"}
    for env in ("prod", "staging"):
        _, alone, _ = cascade(*wanted, "--env", env)
        assert [row for row in rows if row["x_Scenario"] == f"cascade-{env}"] == read_back(alone) != []


def test_a_forecast_has_every_month_and_its_own_two_sums(cascade: Run) -> None:
    wanted = ("forecast", "growth-100k", "--months", "14", "--growth", "5%", "--start", "2027-01", *QUIET)
    status, out, _ = cascade(*wanted, "--format", "focus")
    assert status == 0
    rows = read_back(out)
    _, table, _ = cascade(*wanted, "--format", "csv")
    for month in read_back(table):
        own = [row for row in rows if row["BillingPeriodStart"] == f"{month['month']}-01T00:00:00Z"]
        assert total(own, "EffectiveCost") == Decimal(month["effective_usd"])
        assert total(own, "BilledCost") == Decimal(month["cash_usd"])
    assert len({row["BillingPeriodStart"] for row in rows}) == 14
    _, newer, _ = cascade(*wanted, "--format", "focus", "--focus-version", "1.4")
    assert "ServiceProviderName" in newer.partition("\n")[0]
    status, out, err = cascade(*wanted, "--focus-version", "1.4")
    assert (status, out) == (2, "")
    assert "error: --focus-version 1.4: goes with --format focus" in err
