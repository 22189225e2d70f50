"""portfolio as a command: what it says, how it ends, and that what is killed goes on where it was."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import jsonschema
import pytest

Command = Callable[..., tuple[int, str, str]]
TABLE = "name,peak,tags.team\none,1000,web\ntwo,2000,ops\nthree,3000,web\n"


def table(text: str = TABLE) -> tuple[str, ...]:
    Path("over.csv").write_text(text, encoding="utf-8")
    return ("portfolio", "--table", "over.csv", "--base", "startup-1k", "--workers", "1")


def test_the_whole_is_said_on_a_page_of_80_columns(cascade: Command) -> None:
    status, out, err = cascade(*table(), "--rows", "rows.csv", "--gate", "cost_usd_per_month.total < 100000")
    assert (status, err) == (0, "wrote rows.csv\n")
    assert max(map(len, out.splitlines())) <= 80
    assert out.startswith("3 systems, as given: $")
    assert "6,000 users at peak" in out
    assert "✓ cost_usd_per_month.total < 100000 = " in out
    assert [line.split()[0] for line in out.splitlines() if line.startswith(("web", "ops"))] == ["web", "ops"]
    rows = list(csv.DictReader(Path("rows.csv").read_text(encoding="utf-8").splitlines()))
    assert [(each["name"], each["users_peak"], each["tags.team"]) for each in rows] == [
        ("one", "1000", "web"), ("two", "2000", "ops"), ("three", "3000", "web"),
    ]  # fmt: skip
    alone = json.loads(cascade("size", "startup-1k", "--peak", "2000", "--format", "json")[1])
    assert Decimal(rows[1]["cost_usd_per_month.average"]) == Decimal(alone["bill"]["effective_usd"]["average"])
    assert rows[1]["users_average"] == str(alone["scenario"]["users"]["average"])


def test_one_broken_system_is_a_row_and_the_others_go_on(cascade: Command) -> None:
    status, out, _ = cascade(*table(TABLE + "four,many,ops\n"), "--rows", "rows.csv")
    assert status == 2
    assert "1 system ended with 2:" in out
    assert "over.csv:5: users.peak: must be a whole number" in " ".join(out.split())
    last = list(csv.DictReader(Path("rows.csv").read_text(encoding="utf-8").splitlines()))[-1]
    assert (last["name"], last["exit_code"], last["tags.team"], last["users_peak"]) == ("four", "2", "ops", "")


def test_a_limit_that_is_missed_fails(cascade: Command) -> None:
    status, out, _ = cascade(*table(), "--gate", "cost_usd_per_month.total < 10", "--gate", "system_count == 3")
    assert status == 1
    assert "✗ cost_usd_per_month.total < 10 = " in out


def test_a_price_that_lacks_leaves_a_limit_without_a_verdict(cascade: Command) -> None:
    arguments = table("name,tiers.database.purchase\none,reserved_3y_all_upfront\n")
    status, out, _ = cascade(*arguments, "--gate", "cost_usd_per_month.total < 100000")
    assert (status, "not judged: 1 of 1 systems lack a price" in " ".join(out.split())) == (3, True)


def test_its_document_keeps_its_schema_and_formats_agree(cascade: Command) -> None:
    document = json.loads(cascade(*table(TABLE + "four,many,ops\n"), "--format", "json")[1])
    jsonschema.validate(document, json.loads(cascade("schema", "portfolio")[1]))
    assert document["total"]["system_count"] == 4
    rows = list(csv.DictReader(cascade(*table(), "--format", "csv")[1].splitlines()))
    assert [(each["by"], each["name"], each["system_count"]) for each in rows] == [
        ("", "", "3"), ("region", "us-east-1", "3"), ("team", "web", "2"), ("team", "ops", "1"),
    ]  # fmt: skip
    page = cascade(*table(), "--format", "markdown")[1]
    assert "| web | 2 | 4,000 |" in page


def test_environments_of_a_file_are_systems(cascade: Command) -> None:
    Path("shop.yaml").write_text(
        "schema_version: 1\nname: shop\nusers: {peak: 1000, average: 300}\n"
        "behaviour: {actions: {list: {weight: 1, request: GET /things}}}\n"
        "environments: {prod: {}, test: {users: {peak: 100, average: 10}}}\n",
        encoding="utf-8",
    )
    document = json.loads(cascade("portfolio", "shop.yaml", "--workers", "1", "--format", "json")[1])
    assert (document["total"]["system_count"], document["total"]["users_peak"]) == (2, 1100)
    one = json.loads(cascade("portfolio", "shop.yaml", "--env", "test", "--workers", "1", "--format", "json")[1])
    assert (one["total"]["system_count"], one["total"]["users_peak"]) == (1, 100)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "give scenario files, directories or patterns"),
        (("--table", "x.csv"), "--table needs --base"),
        (("cascade", "--base", "cascade"), "--base is for --table"),
        (("cascade", "--table", "x.csv", "--base", "cascade"), "give scenarios or --table, not both"),
        (("cascade", "--do", "sizes"), "--do sizes: must be size, slo, optimize, risk"),
        (("cascade", "--rows", "x.txt"), "--rows x.txt: the name must end in .csv or .parquet"),
        (("nowhere/",), "nowhere/: neither a file"),
        (("cascade", "--gate", "cost < 1"), "no figure 'cost'"),
    ],
)
def test_what_makes_no_sense_is_refused(cascade: Command, arguments: tuple[str, ...], message: str) -> None:
    status, out, err = cascade("portfolio", *arguments)
    assert (status, out) == (2, "")
    assert message in err


def test_a_scheduler_that_is_not_there_is_a_network_error(cascade: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    from cascade_plan.running import cluster

    monkeypatch.setattr(cluster, "CONNECT_S", 0.5)
    status, _, err = cascade("portfolio", "cascade", "--scheduler", "tcp://127.0.0.1:1")
    assert (status, "no scheduler with a worker answers there" in err) == (5, True)


def test_what_is_killed_twice_goes_on_to_the_same_bytes(cascade: Command, tmp_path: Path) -> None:
    rows = "\n".join(f"s{at},{500 + 90 * at}" for at in range(120))
    arguments = table(f"name,peak\n{rows}\n")
    assert cascade(*arguments, "--rows", "whole.csv", "-o", "whole.txt")[0] == 0
    command = [sys.executable, "-m", "cascade_plan", *arguments, "--rows", "parts.csv", "-o", "parts.txt"]
    journal, least = Path("parts.csv.journal"), 0
    for _ in range(2):
        process = subprocess.Popen(command, env=os.environ, stderr=subprocess.PIPE)
        while process.poll() is None and (not journal.exists() or journal.read_bytes().count(b"\n") < least + 8):
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        assert journal.read_bytes().count(b"\n") >= least + 8
        least = journal.read_bytes().count(b"\n")
    last = subprocess.run(command, env=os.environ, capture_output=True, text=True, check=True)
    assert "going on from there" in last.stderr
    assert Path("parts.csv").read_bytes() == Path("whole.csv").read_bytes()
    assert Path("parts.txt").read_bytes() == Path("whole.txt").read_bytes()
    assert not journal.exists()


def test_a_changed_system_is_not_mixed_with_rows_of_before(cascade: Command) -> None:
    arguments = table()
    Path("rows.csv.journal").write_text("", encoding="utf-8")
    assert cascade(*arguments, "--rows", "rows.csv")[0] == 0
    Path("rows.csv.journal").write_text('{"format": "cascade-plan portfolio journal 1", "of": "x"}\n', encoding="utf-8")
    status, _, err = cascade(*arguments, "--rows", "rows.csv")
    assert status == 2
    assert "rows.csv.journal holds rows of other systems, prices, options or another version" in err


def test_who_interrupts_it_is_told_of_the_journal(cascade: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    from cascade_plan.running import here

    def stopped(setup: object, feed: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(here, "answered", stopped)
    status, _, err = cascade(*table(), "--rows", "rows.csv")
    assert (status, err) == (130, "interrupted; written before: rows.csv.journal\n")
    assert Path("rows.csv.journal").exists()


# ---------------------------------------------------------------------------------------------------------------- grids


def test_a_grid_is_one_scenario_at_each_of_its_points(cascade: Command) -> None:
    arguments = ("portfolio", "startup-1k", "--grid", "users.peak=1000:3000:3", "--grid", "region=us-east-1,eu-west-1")
    status, out, err = cascade(*arguments, "--rows", "points.csv")
    assert (status, err) == (0, "wrote points.csv\n")
    assert max(map(len, out.splitlines())) <= 80
    assert out.startswith("startup-1k at 6 points of users.peak, region, sized by its rules")
    points = list(csv.DictReader(Path("points.csv").read_text(encoding="utf-8").splitlines()))
    assert [(each["region"], each["users.peak"]) for each in points] == [
        ("us-east-1", "1000"), ("us-east-1", "2000"), ("us-east-1", "3000"),
        ("eu-west-1", "1000"), ("eu-west-1", "2000"), ("eu-west-1", "3000"),
    ]  # fmt: skip
    own = json.loads(cascade("size", "startup-1k", "--peak", "2000", "--region", "eu-west-1", "--format", "json")[1])
    assert float(points[4]["cost_usd_per_month.average"]) == pytest.approx(
        float(own["bill"]["effective_usd"]["average"]), abs=0.005
    )
    document = json.loads(cascade(*arguments, "--format", "json")[1])
    assert (document["point_count"], document["cheapest"]["number"]) == (6, 0)
    assert "| 3,000 | eu-west-1 |" in cascade(*arguments, "--format", "markdown")[1]
    assert cascade(*arguments, "--format", "csv")[1] == Path("points.csv").read_text(encoding="utf-8")


def test_points_that_contradict_themselves_have_no_plan(cascade: Command) -> None:
    arguments = ("portfolio", "startup-1k", "--grid", "users.peak=1000,2000", "--grid", "users.average=500,1500")
    status, out, _ = cascade(*arguments)
    assert status == 2
    assert "users.peak=1000.0, users.average=1500.0: users on average are above those at peak" in " ".join(out.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("cascade", "--grid", "users.peak"), "--grid users.peak: write PATH=FIRST:LAST:COUNT"),
        (("cascade", "--grid", "users.peak=5:1:3"), "the last must be above the first"),
        (("cascade", "--grid", "users.peak=1:9:9", "--grid", "users.peak=1,2"), "users.peak is there twice"),
        (("cascade", "--grid", "users.peak=1:9000000:9000000"), "2 to 1,000,000 values"),
        (("cascade", "--grid", "users.peek=1:9:9"), "users.peek: unknown field; did you mean 'peak'?"),
        (("cascade", "--grid", "users.active_share=0.5:1.5:9"), "users.active_share: must be at most 1, got 1.5"),
        (("cascade", "--grid", "users.peak=1000,2000.5"), "users.peak: must be a whole number"),
        (("cascade", "saas-300", "--grid", "users.peak=1:9:9"), "--grid is for one scenario"),
        (("cascade", "--method", "slo", "--grid", "users.peak=1:9:9"), "--grid sizes by rules"),
    ],
)
def test_a_grid_that_makes_no_sense_is_refused(cascade: Command, arguments: tuple[str, ...], message: str) -> None:
    status, out, err = cascade("portfolio", *arguments)
    assert (status, out) == (2, "")
    assert message in err
