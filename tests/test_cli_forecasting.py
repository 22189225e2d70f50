"""forecast as a command: one screen in plain words, exit statuses, files of users with their mistakes by line."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest

Command = Callable[..., tuple[int, str, str]]
START = ("--start", "2027-01")
HEAD = "month,peak,average"


@pytest.mark.parametrize("growth", ["0", "8%", "-5%"])
def test_one_screen_of_eighty_columns(cascade: Command, growth: str) -> None:
    status, out, _ = cascade("forecast", "cascade", "--growth", growth, *START)
    lines = out.splitlines()
    assert status == 0
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("cascade  36 months from 2027-01, 10,000 peak users")


def test_a_band_stands_beside_each_year_and_month(cascade: Command) -> None:
    arguments = ("forecast", "saas-300", "--growth", "5", "--months", "12", "--band", "--draws", "100", *START)
    out = cascade(*arguments)[1]
    assert "P10-P90" in out
    rows = list(csv.DictReader(StringIO(cascade(*arguments, "--format", "csv")[1])))
    assert all(float(row["p10_usd"]) <= float(row["p50_usd"]) <= float(row["p90_usd"]) for row in rows)
    assert cascade(*arguments, "--format", "json")[1] == cascade(*arguments, "--format", "json")[1]


def test_what_to_buy_now_is_said_and_no_order_after_it(cascade: Command) -> None:
    out = cascade("forecast", "cascade", "--growth", "8", *START)[1]
    assert "buy now" in out
    assert "3 cache.r6g.large  3 years, all upfront" in out
    document = json.loads(cascade("forecast", "cascade", "--growth", "8", *START, "--format", "json")[1])
    assert {each["month"] for each in document["buy_now"]} == {1}


def test_the_first_month_follows_the_newest_price_and_is_said(cascade: Command) -> None:
    status, _, err = cascade("forecast", "cascade", "--months", "1")
    assert (status, "--start chooses another" in err) == (0, True)


def test_rows_and_documents_are_of_the_same_months(cascade: Command) -> None:
    arguments = ("forecast", "cascade", "--months", "14", "--growth", "8", "--fiscal-year-start", "7", *START)
    rows = list(csv.DictReader(StringIO(cascade(*arguments, "--format", "csv")[1])))
    document = json.loads(cascade(*arguments, "--format", "json")[1])
    assert [row["month"] for row in rows] == [month["month"] for month in document["months"]]
    assert [row["effective_usd"] for row in rows] == [month["effective_usd"] for month in document["months"]]
    assert [(year["year"], year["month_count"]) for year in document["fiscal_years"]] == [(2027, 6), (2028, 8)]
    assert "| 2027-01 |" in cascade(*arguments, "--format", "markdown")[1]


def test_a_gate_on_a_fiscal_year_fails_the_command(cascade: Command, tmp_path: Path) -> None:
    scenario = tmp_path / "my.yaml"
    text = (Path(__file__).parents[1] / "scenarios" / "saas-300.yaml").read_text(encoding="utf-8")
    gates = '\n  forecast.cost_usd_fiscal_year.2027: ["< 100"]\n  forecast.cost_usd_fiscal_year.2031: ["< 1"]'
    scenario.write_text(text.replace("\ngates:", f"\ngates:{gates}"), encoding="utf-8")
    status, _, err = cascade("forecast", str(scenario), *START)
    assert status == 1
    assert "forecast.cost_usd_fiscal_year.2027 < 100" in err
    assert "forecast.cost_usd_fiscal_year.2031 is not judged" in err
    enough = gates.replace("< 100", "< 1000000")
    scenario.write_text(text.replace("\ngates:", f"\ngates:{enough}"), encoding="utf-8")
    assert cascade("forecast", str(scenario), *START)[0] == 0
    # A plan does not judge it, and says who does.
    assert "cascade-plan forecast` judges it" in cascade("check", str(scenario))[2]


def test_a_gate_on_no_figure_of_a_forecast_is_a_mistake(cascade: Command, tmp_path: Path) -> None:
    scenario = tmp_path / "my.yaml"
    text = (Path(__file__).parents[1] / "scenarios" / "saas-300.yaml").read_text(encoding="utf-8")
    gate = '\ngates:\n  forecast.cost_usd_fiscal_years.2027: ["< 100"]'
    scenario.write_text(text.replace("\ngates:", gate), encoding="utf-8")
    status, _, err = cascade("forecast", str(scenario), *START)
    assert status == 2
    assert "forecast.cost_usd_fiscal_year.<year>" in err


# ---------------------------------------------------------------------------------------------------- users by month


def test_users_of_a_file_take_the_place_of_growth(cascade: Command, tmp_path: Path) -> None:
    file = tmp_path / "users.csv"
    file.write_text("month,peak,average\n2027-01,10000,3000\n2027-02,12000,3500\n2027-03,9000,2500\n", encoding="utf-8")
    status, out, _ = cascade("forecast", "cascade", "--users-by-month", str(file), "--growth", "50", "--format", "json")
    months = json.loads(out)["months"]
    assert status == 0
    assert [(each["month"], each["users_peak"], each["users_average"]) for each in months] == [
        ("2027-01", 10_000, 3000), ("2027-02", 12_000, 3500), ("2027-03", 9000, 2500),
    ]  # fmt: skip
    later = cascade("forecast", "cascade", "--users-by-month", str(file), "--start", "2027-02", "--format", "json")[1]
    assert [each["number"] for each in json.loads(later)["months"]] == [1, 2]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ":1:1: the file is empty: it begins with month,peak,average"),
        ("month,peak\n2027-01,1\n", ":1:1: the header lacks average"),
        (f"{HEAD},registred\n2027-01,2,1,3\n", ":1:4: registred: no such column; did you mean 'registered'?"),
        (f"{HEAD}\n", ":1:1: there is no month below the header"),
        (f"{HEAD}\n2027-1,2,1\n", ":2:1: month: write a month as YYYY-MM, got '2027-1'"),
        (f"{HEAD}\n\n2027-01,2,3\n", ":3:3: average: it is 3, more than the peak of 2"),
        (f"{HEAD}\n2027-01,0,x\n", ":2:2: peak: must be a whole number from 1 to 1,000,000,000, got '0'"),
        (f"{HEAD}\n2027-01,2,1\n2027-03,2,1\n", ":3:1: month: after 2027-01 comes 2027-02, not 2027-03"),
        (f"{HEAD},registered\n2027-01,2,1,1\n", ":2:4: registered: it is 1, fewer than the peak of 2"),
    ],
)  # fmt: skip
def test_mistakes_in_a_file_of_users_are_said_by_their_line(
    cascade: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("users.csv").write_text(text, encoding="utf-8")
    status, out, err = cascade("forecast", "cascade", "--users-by-month", "users.csv")
    assert (status, out) == (2, "")
    assert f"users.csv{said}" in err


def test_a_number_that_cannot_be_read_is_compared_with_nothing(cascade: Command, tmp_path: Path) -> None:
    file = tmp_path / "users.csv"
    file.write_text(f"{HEAD},registered\n2027-01,x,5,9\n2027-02,7,y,3\n", encoding="utf-8")
    said = cascade("forecast", "cascade", "--users-by-month", str(file))[2]
    assert "more than the peak" not in said
    assert said.count("must be a whole number") == 2
    assert ":3:4: registered: it is 3, fewer than the peak of 7" in said


def test_a_file_that_has_too_few_months_is_refused(cascade: Command, tmp_path: Path) -> None:
    file = tmp_path / "users.csv"
    file.write_text("month,peak,average\n2027-01,2000,1000\n", encoding="utf-8")
    status, _, err = cascade("forecast", "cascade", "--users-by-month", str(file), "--months", "2")
    assert (status, "has 1 months from 2027-01 on: it cannot give 2" in err) == (2, True)
    status, _, err = cascade("forecast", "cascade", "--users-by-month", str(file), "--start", "2026-12")
    assert (status, "begins in 2027-01 and has no 2026-12" in err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--growth", "lots"), "--growth lots"),
        (("--start", "2027-13"), "--start 2027-13"),
        (("--months", "121"), "--months 121"),
        (("--fiscal-year-start", "13"), "--fiscal-year-start 13"),
    ],
)
def test_a_flag_that_cannot_be_is_named(cascade: Command, arguments: tuple[str, str], said: str) -> None:
    status, out, err = cascade("forecast", "cascade", *arguments)
    assert (status, out) == (2, "")
    assert said in err
