"""simulate --trace and users.trace: one day, however it is written, is one day, and what was read is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from math import pi, sin
from pathlib import Path

import pytest
from traced import DIALECTS, ISO, at, rows

from cascade_plan.cli.app import run

COUNTS = [round(6000 * sin(pi * (index - 72) / 216)) if index > 72 else 0 for index in range(288)]
"""Requests of a day in steps of five minutes: nobody until six o'clock, 20 a second in the middle of the afternoon."""
Called = Callable[..., tuple[int, str, str]]


@pytest.fixture
def called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Called:
    """Return a function that runs the program in an empty directory."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, str, str]:
        status = run(list(arguments))
        return status, *capsys.readouterr()

    return call


def replayed(called: Called, text: str, *flags: str) -> dict[str, object]:
    """Return what simulate finds for the trace in a text, but for the words about it."""
    Path("trace").write_text(text, encoding="utf-8")
    status, out, err = called("simulate", "cascade", "--peak", "50000", "--avg", "12000", "--trace", "trace",
                              "--format", "json", *flags)  # fmt: skip
    assert status == 0, err
    found: dict[str, object] = json.loads(out)
    assert err == f"trace: {found['trace']}\n"
    del found["trace"]
    return found


def sparse(index: int, count: int) -> str:
    """Return a line of CSV, none for nobody but at midnight."""
    return f"{at(index, ISO)},{count}" if count or not index else ""


LINES = DIALECTS["csv"](COUNTS).splitlines()[1:]
VARIANTS = {
    "shuffled": "\n".join(["time,n", *sorted(LINES, key=lambda row: row[::-1])]),
    "newest first": "\n".join(["time,n", *reversed(LINES)]),
    "rows of nobody left out": rows("time,n", sparse)(COUNTS),
    "a rate": DIALECTS["prometheus"](COUNTS),
}


@pytest.mark.parametrize("scale", [(), ("--scale-to-peak",)], ids=["as it is", "scaled"])
def test_a_day_is_a_day_however_it_is_written(called: Called, scale: tuple[str, ...]) -> None:
    whole = replayed(called, DIALECTS["csv"](COUNTS), *scale)
    assert whole["day_count"] == 1
    for name, text in VARIANTS.items():
        assert flat(replayed(called, text, *scale)) == pytest.approx(flat(whole), rel=1e-6), name


def test_a_day_is_a_day_in_steps_of_any_length(called: Called) -> None:
    minutes = "minute,n\n" + "\n".join(f"{minute},{COUNTS[minute // 5] / 5!r}" for minute in range(1440))
    assert flat(replayed(called, minutes)) == pytest.approx(flat(replayed(called, DIALECTS["csv"](COUNTS))), rel=1e-6)


def flat(found: dict[str, object]) -> dict[str, float]:
    """Return the numbers of what simulate found."""
    services = found["services"]
    assert isinstance(services, list)
    numbers = {"days": float(str(found["day_count"]))}
    for outcome in services[0]["outcomes"]:
        for field in (
            "missed_minutes_per_day_mean",
            "node_count_mean",
            "scaling_event_count_per_day",
            "cost_usd_per_day",
        ):
            numbers[f"{outcome['policy']} {field}"] = float(outcome[field])
    return numbers


def test_a_trace_is_absolute_unless_it_is_to_be_scaled(called: Called) -> None:
    """20 requests a second keep the least of the fleet busy; 25,000 do not."""
    as_it_is = replayed(called, DIALECTS["csv"](COUNTS))
    scaled = replayed(called, DIALECTS["csv"](COUNTS), "--scale-to-peak")
    assert as_it_is["traffic"] == (
        "trace as it is, its 99.9th percentile 20 requests/s, 0.0008 times the 25,000 of the scenario's 50,000 users "
        "(--scale-to-peak scales it to them)"
    )
    assert scaled["traffic"] == "trace, scaled so that its 99.9th percentile is 25,000 requests/s"
    nodes = [flat(found)["cpu node_count_mean"] for found in (as_it_is, scaled)]
    assert nodes[0] == 3
    assert nodes[1] > 5


def test_finer_than_a_tick_is_added_up(called: Called) -> None:
    """150 requests in every 15 seconds, in the first of them or in the second."""
    found = []
    for phase in (0, 1):
        text = "second,n\n" + "\n".join(f"{second},{150 * (second % 15 == phase)}" for second in range(900))
        found.append(replayed(called, text, "--scale-to-peak"))
    assert found[0] == found[1]
    assert flat(found[0])["fixed-peak missed_minutes_per_day_mean"] == 0


def test_every_report_says_what_was_read(called: Called) -> None:
    Path("day.csv").write_text(rows("time,n", sparse)(COUNTS), encoding="utf-8")
    words = "72 intervals without a row taken as 0 (longest 6 hours); times without zone read as they stand"
    for name in ("table", "markdown", "json"):
        status, out, err = called("simulate", "cascade", "--trace", "day.csv", "--format", name)
        assert status == 0
        assert words in " ".join(out.split()), name
        assert words in err


WIDE = rows('"Time","GET /a","POST /b"', lambda i, n: f"{at(i, ISO)},5,{n}")(COUNTS)


def test_which_column_is_asked(called: Called) -> None:
    Path("wide.csv").write_text(WIDE, encoding="utf-8")
    status, out, err = called("simulate", "cascade", "--trace", "wide.csv")
    assert (status, out) == (2, "")
    assert (
        "error: wide.csv: it has 2 series, 'GET /a', 'POST /b': choose with --column NAME, or add them with --sum"
        in err
    )
    assert replayed(called, WIDE, "--column", "POST /b") == replayed(called, DIALECTS["csv"](COUNTS))
    added = replayed(called, WIDE, "--sum")
    assert added == replayed(called, rows("time,n", lambda i, n: f"{at(i, ISO)},{n + 5}")(COUNTS))


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--column", "a"), "--column is of a trace: give --trace FILE too"),
        (("--sum",), "--sum is of a trace: give --trace FILE too"),
        (("--unit", "rate"), "--unit is of a trace: give --trace FILE too"),
        (("--scale-to-peak",), "--scale-to-peak is of a trace: give --trace FILE too"),
        (("--trace", "day.csv", "--column", "a", "--sum"), "give --column or --sum, not both"),
        (("--trace", "day.csv", "--unit", "rps"), "--unit rps: must be count (of each interval) or rate"),
        (("--trace", "day.csv", "--requests", "100"), "give --trace or --requests, not both"),
        (("--trace", "none.csv"), "cannot read 'none.csv'"),
        (
            ("--trace", "idle.csv", "--scale-to-peak"),
            "idle.csv: nearly all of it is without requests, so it has no peak",
        ),
        (("--trace", "utf16.csv"), "cannot read 'utf16.csv': it is UTF-16 text: save it as UTF-8"),
    ],
)
def test_what_cannot_be_done_is_refused(called: Called, flags: tuple[str, ...], message: str) -> None:
    Path("day.csv").write_text(DIALECTS["csv"](COUNTS), encoding="utf-8")
    Path("idle.csv").write_text("minute,n\n" + "\n".join(f"{i},{int(i == 700)}" for i in range(1500)), encoding="utf-8")
    Path("utf16.csv").write_text("minute,n\n0,1\n1,2\n", encoding="utf-16")
    status, out, err = called("simulate", "cascade", *flags)
    assert (status, out) == (2, "")
    assert f"error: {message}" in err


SCENARIO = """\
schema_version: 1
name: shop
users: {peak: 10000, average: 6000, trace: TRACE}
behaviour: {actions: {list: {weight: 1, request: GET /things}}}
"""


def sized(called: Called, trace: str) -> tuple[int, list[float], str]:
    """Return the exit code, the users of each hour, and what stderr says."""
    Path("shop.yaml").write_text(SCENARIO.replace("TRACE", trace), encoding="utf-8")
    status, out, err = called("size", "shop.yaml", "--format", "json")
    return status, json.loads(out)["traffic"]["hourly_users"] if out else [], err


def test_a_scenarios_day_is_that_of_its_trace_in_any_dialect(called: Called) -> None:
    """One row of 600 in each of the first six hours and twelve later: 50 a step, then 600, not 600 all day."""
    hours = "".join(f"2024-03-05 {hour:02}:00,600\n" for hour in range(6))
    later = "".join(f"2024-03-05 {hour:02}:{minute:02},600\n" for hour in range(6, 24) for minute in range(0, 60, 5))
    Path("sparse.csv").write_text(f"time,n\n{hours}{later}", encoding="utf-8")
    complete = [600 * (index >= 72 or index % 12 == 0) for index in range(288)]
    Path("complete.json").write_text(DIALECTS["get-metric-statistics"](complete), encoding="utf-8")
    Path("wide.csv").write_text(
        rows("time,other,these", lambda i, n: f"{at(i, ISO)},1,{n}")(complete), encoding="utf-8"
    )
    _, expected, err = sized(called, "sparse.csv")
    assert "note: users.trace: sparse.csv: 222 counts of 5 minutes from 2024-03-05 00:00 to 2024-03-06 00:00" in err
    assert expected[:6] == [expected[0]] * 6
    assert expected[6:] == [expected[6]] * 18
    assert expected[0] < expected[6]
    for other in ("complete.json", "{file: wide.csv, column: these}"):
        assert sized(called, other)[1] == pytest.approx(expected), other
    assert sized(called, "{file: wide.csv, sum: true}")[0] == 0


@pytest.mark.parametrize(
    ("trace", "message"),
    [
        (
            "wide.csv",
            "users.trace: wide.csv: it has 2 series, 'GET /a', 'POST /b': choose with column: NAME",
        ),
        ("{file: wide.csv, column: x}", "users.trace: wide.csv: no column 'x': it has 'GET /a', 'POST /b'"),
        ("{file: wide.csv, colum: x}", "users.trace.colum: unknown field; did you mean 'column'?"),
        ("{file: wide.csv, column: x, sum: true}", "give column or sum, not both"),
        ("none.csv", "users.trace: cannot read 'none.csv'"),
        ("short.csv", "users.trace: short.csv: no data for the hours 2, 3"),
    ],
)
def test_a_trace_of_a_scenario_is_refused_where_it_stands(called: Called, trace: str, message: str) -> None:
    Path("wide.csv").write_text(WIDE, encoding="utf-8")
    Path("short.csv").write_text("hour,n\n0,1\n1,1\n", encoding="utf-8")
    status, _, err = sized(called, trace)
    assert status == 2
    assert message in err
    assert "shop.yaml:3:" in err
