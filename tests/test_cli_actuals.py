"""actuals as a user runs it: one screen, every format, gates in CI, and nothing in a bill that can do harm."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from xml.etree.ElementTree import fromstring

import bills_made as made
import pytest

Run = Callable[..., tuple[int, str, str]]
MINE = ("--tag", "application=cascade")
USERS = ("--users", "12000,3600")


@pytest.fixture(scope="module")
def bill(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A bill for 12,000 users with more NAT traffic, another shape, a service and tax besides."""
    rows = made.billed(made.planned(12_000, 3600))
    rows = made.changed(rows, "NatGateway-Bytes", lambda row: made.replace(row, quantity=Decimal(3100)))
    rows = made.with_row(rows, code="AWSLambda", usage="Lambda-GB-Second", operation="Invoke", unit="Lambda-GB-Second",
                         quantity=Decimal(10_000_000), price=Decimal("0.0000166667"))  # fmt: skip
    rows = made.with_row(rows, usage="", operation="", kind="Tax", unit="", quantity=Decimal(1), tags={},
                         price=Decimal("211.87"))  # fmt: skip
    return str(made.written(tmp_path_factory.mktemp("bills") / "cur.csv.gz", made.cur2(rows)))


def test_a_month_is_one_screen(cascade: Run, bill: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    status, out, _ = cascade("actuals", bill, *MINE, *USERS)
    lines = out.splitlines()
    assert status == 0
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("cascade  January 2027  cur.csv.gz  ")
    assert any(line.startswith("NAT traffic") and "3,100 GiB for 123 +134" in line for line in lines)
    assert any(line.startswith("not in the plan") and line.endswith("Lambda-GB-Second 167") for line in lines)
    assert any(line.startswith("total") and line.endswith("unfavourable") for line in lines)
    assert "+ tax 211.87" in out
    assert "--set 'tiers.network.nat_gib_per_node_month=" in out


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_no_line_is_wider_than_the_page(cascade: Run, bill: str, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    _, out, _ = cascade("actuals", bill)
    body = [line for line in out.splitlines() if not line.startswith("  --set")]
    assert max(map(len, body)) <= columns


def test_amounts_of_millions_do_not_run_into_each_other(cascade: Run, tmp_path: Path) -> None:
    rows = made.with_row(made.billed(made.planned()), quantity=Decimal(10_000_000))
    _, out, _ = cascade("actuals", str(made.written(tmp_path / "b.csv", made.cur2(rows))))
    total = next(line for line in out.splitlines() if line.startswith("total"))
    assert len(total.split()) >= 4
    assert "3,84" in total


def test_json_adds_up(cascade: Run, bill: str) -> None:
    status, out, _ = cascade("actuals", bill, *MINE, *USERS, "--format", "json")
    found = json.loads(out)
    assert (status, found["status"], found["month"]) == (0, "unfavourable", "2027-01")
    difference = Decimal(found["actual_usd"]) - Decimal(found["plan_usd"])
    assert abs(sum(map(Decimal, found["parts_usd"].values())) - difference) < Decimal("1e-9")
    assert abs(sum(Decimal(row["usd"]) for row in found["invoice"]) - Decimal(found["billed_usd"])) < Decimal("1e-8")
    assert any(line.startswith("tiers.network.nat_gib_per_node_month=") for line in found["set"])
    assert out == cascade("actuals", bill, *MINE, *USERS, "--format", "json")[1]


def test_csv_s_rows_add_up_by_kind(cascade: Run, bill: str) -> None:
    _, out, _ = cascade("actuals", bill, *MINE, *USERS, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    total = next(row for row in rows if row["kind"] == "total")
    parts = [row for row in rows if row["kind"] not in ("total", "invoice")]
    for column in ("plan_usd", "actual_usd", "difference_usd", "usage_usd", "users_usd", "unplanned_usd"):
        assert abs(sum(Decimal(row[column]) for row in parts) - Decimal(total[column])) < Decimal("1e-8"), column
    invoice = [Decimal(row["actual_usd"]) for row in rows if row["kind"] == "invoice"]
    assert abs(sum(invoice[:-1]) - invoice[-1]) < Decimal("1e-8")


def test_markdown_has_every_line(cascade: Run, bill: str) -> None:
    _, out, _ = cascade("actuals", bill, *MINE, *USERS, "--format", "markdown")
    assert out.startswith("# cascade: January 2027 against the plan\n")
    for words in (
        "## Causes",
        "## Lines",
        "## Not in the plan",
        "## To the invoice",
        "| as billed |",
        "database primary",
    ):
        assert words in out


@pytest.mark.parametrize(("limit", "status"), [("< 90", 0), ("< 1", 1)])
def test_a_gate_decides_the_exit_status(cascade: Run, bill: str, tmp_path: Path, limit: str, status: int) -> None:
    gate = f"variance_percent.total {limit}"
    found, out, _ = cascade("actuals", bill, *MINE, *USERS, "--gate", gate)
    assert found == status
    assert ("✓" if status == 0 else "✗") + f" {gate} = " in out
    found, out, _ = cascade("actuals", bill, *MINE, *USERS, "--gate", gate, "--format", "junit")
    suite = fromstring(out)[0]
    assert (found, suite.get("tests"), suite.get("failures")) == (status, "1", str(status))


def test_the_scenario_s_own_gates_are_judged_here_and_nowhere_else(cascade: Run, bill: str, tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    text = cascade("init", str(path), "--example", "cascade") and path.read_text()
    path.write_text(text.replace("gates:\n", 'gates:\n  variance_percent.total: ["< 1"]\n'))
    assert "variance_percent" not in cascade("size", str(path), "--full")[1]
    assert cascade("validate", str(path))[0] == 0
    status, out, _ = cascade("actuals", bill, *MINE, *USERS, "--scenario", str(path))
    assert status == 1
    assert "✗ variance_percent.total < 1 = " in out
    path.write_text(text.replace("gates:\n", 'gates:\n  variance_percent.totl: ["< 1"]\n'))
    status, _, err = cascade("validate", str(path))
    assert status == 2
    assert "did you mean 'variance_percent.total'?" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--month", "January"), "--month January: write a month as YYYY-MM"),
        (("--month", "2026-12"), "the bill is of 2027-01, not of 2026-12 (--month)"),
        (("--users", "many"), "--users many: write PEAK,AVG"),
        (("--users", "100,200"), "--users 100,200: the average cannot be above the peak"),
        (("--users", "100,50", "--users-by-month", "u.csv"), "give --users or --users-by-month, not both"),
        (("--tag", "cascade"), "--tag cascade: write NAME=VALUE"),
        (("--gate", "cheap"), "--gate cheap: write FIGURE LIMIT"),
        (("--gate", "unplaned_usd < 1"), "did you mean 'unplanned_usd'?"),
        (("--min-usd", "-1"), "--min-usd -1.0: must be 0 or more"),
        (("--region", "eu-west-1"), "the bill's usage is in us-east-1, the plan's in eu-west-1"),
        (("--format", "tabel"), "did you mean 'table'?"),
    ],
)
def test_a_mistake_is_a_sentence(cascade: Run, bill: str, words: tuple[str, ...], message: str) -> None:
    status, out, err = cascade("actuals", bill, *words)
    assert (status, out) == (2, "")
    assert message in err
    assert "Traceback" not in err


def test_users_of_the_month_come_from_the_file_that_forecast_takes(cascade: Run, bill: str, tmp_path: Path) -> None:
    users = tmp_path / "users.csv"
    users.write_text("month,peak,average\n2026-12,10000,3000\n2027-01,12000,3600\n")
    given = cascade("actuals", bill, *MINE, *USERS)[1]
    assert cascade("actuals", bill, *MINE, "--users-by-month", str(users))[1] == given
    users.write_text("month,peak,average\n2027-02,12000,3600\n")
    status, _, err = cascade("actuals", bill, *MINE, "--users-by-month", str(users))
    assert status == 2
    assert "it has no users of 2027-01" in err


def test_a_calibration_of_the_bill_makes_what_was_used_the_plan(cascade: Run, bill: str, tmp_path: Path) -> None:
    path = str(tmp_path / "calibration.yaml")
    status, _, err = cascade("actuals", bill, *MINE, *USERS, "--calibrate", path)
    assert status == 0
    assert f"wrote {path}" in err
    before = json.loads(cascade("actuals", bill, *MINE, *USERS, "--format", "json")[1])
    after = json.loads(cascade("actuals", bill, *MINE, *USERS, "--calibration", path, "--format", "json")[1])
    assert abs(Decimal(before["parts_usd"]["usage"])) > 100
    assert abs(Decimal(after["parts_usd"]["usage"])) < Decimal("0.01")
    assert cascade("explain", "tiers.network.nat_gib_per_node_month", "--calibration", path)[0] == 0


def test_the_calibration_alone_goes_to_stdout(cascade: Run, bill: str) -> None:
    status, out, _ = cascade("actuals", bill, *MINE, *USERS, "--calibrate", "-")
    assert status == 0
    assert out.startswith("# Measured values of the scenario cascade")
    assert "nat_gib_per_node_month" in out


HOSTILE = '=HYPERLINK("http://evil")|`<script>`[x](y)\x1b[31m\x1b]0;t\x07\u202e::error::no'


@pytest.mark.parametrize("form", made.FORMS)
@pytest.mark.parametrize("format_", ["table", "markdown", "csv", "json", "junit"])
def test_what_a_bill_says_cannot_do_harm(cascade: Run, tmp_path: Path, form: str, format_: str) -> None:
    rows = made.with_row(made.billed(made.planned()), code=HOSTILE, usage=HOSTILE, operation=HOSTILE, price=Decimal(9))
    path = made.written(tmp_path / "b.csv", made.FORMS[form](rows))
    status, out, _ = cascade("actuals", str(path), *MINE, "--format", format_, "--gate", "unplanned_usd < 99999")
    assert status == 0
    assert not set(out) & set("\x1b\x07\u202e") or format_ == "json"
    if format_ == "json":
        assert not set(out) & set("\x1b\x07")
    if format_ == "csv":
        cells = [cell for row in csv.reader(io.StringIO(out)) for cell in row]
        assert not any(cell.startswith(("=", "@", "+")) for cell in cells)
        assert not any(cell.startswith("-") and not cell[1:2].isdigit() for cell in cells)
    if format_ == "markdown":
        assert "<script>" not in out
        assert "[x](y)" not in out
    assert not any(line.lstrip().startswith("::") for line in out.splitlines())
