"""k6's summaries and samples are read in every form that k6 writes; what is none gets one clear message."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from runs import k6_load, k6_summary

from cascade_plan.errors import UsageError
from cascade_plan.evidence.readers import k6_csv, k6_json, k6_machine_readable
from cascade_plan.evidence.readers import k6_summary as summary_reader
from cascade_plan.evidence.texts import Text, held
from cascade_plan.model.measurement import Measurement

RAMP_AND_FIRST = ("the ramp", "the first seconds with all users")


def nothing(name: str) -> Text | None:
    return None


def summary(file: Text) -> Mapping[str, Measurement]:
    assert summary_reader.claims(file)
    return summary_reader.read(file, nothing)


def percentiles(found: Measurement) -> dict[str, float]:
    assert all(one.latency_ms_min == one.latency_ms == one.latency_ms_max for one in found.percentiles.values())
    return {name: one.latency_ms for name, one in found.percentiles.items()}


# ------------------------------------------------------------------------------------------------------- the summaries


@pytest.mark.parametrize("exported", [True, False])
def test_each_load_of_the_emitted_script_is_measured(exported: bool) -> None:
    found = summary(k6_summary(exported, **k6_load("a"), **k6_load("b", p95=210.0, users=50)))
    assert list(found) == ["a", "b"]
    one = found["b"]
    assert (one.tool, one.user_count, one.held_s, one.request_count) == ("k6", 50, 600.0, 6000)
    assert (one.requests_per_s, one.rate_includes_ramp) == (10.0, False)
    assert (one.failure_count, one.includes, one.may_include) == (30, (), ())
    assert percentiles(one) == {"p50": 71.0, "p95": 210.0, "p99": 420.0}


def test_a_load_that_was_not_run_is_left_out() -> None:
    assert list(summary(k6_summary(**k6_load("a"), **k6_load("b", requests=0)))) == ["a"]


DURATION = {"avg": 5.0, "med": 4.0, "p(90)": 8.0, "p(95)": 9.0}


@pytest.mark.parametrize("exported", [True, False])
def test_without_the_emitted_tags_a_summary_is_of_the_whole_run(exported: bool) -> None:
    rate = {"value": 0.01, "passes": 1, "fails": 99} if exported else {"rate": 0.01, "passes": 1, "fails": 99}
    found = summary(k6_summary(exported, http_req_duration=DURATION, http_reqs={"count": 100, "rate": 10.0},
                               http_req_failed=rate, vus={"value": 1, "min": 1, "max": 20}))[""]  # fmt: skip
    assert (found.user_count, found.held_s, found.run_s) == (20, None, 10.0)
    assert (found.requests_per_s, found.rate_includes_ramp, found.failure_count) == (10.0, True, 1)
    assert (set(found.percentiles), found.includes) == ({"p50", "p95"}, RAMP_AND_FIRST)


def test_users_who_were_always_as_many_had_no_ramp() -> None:
    found = summary(k6_summary(http_req_duration=DURATION, http_reqs={"count": 100, "rate": 10.0},
                               http_req_failed={"rate": 0}, vus={"value": 20, "min": 20, "max": 20}))[""]  # fmt: skip
    assert (found.held_s, found.rate_includes_ramp, found.includes) == (10.0, False, RAMP_AND_FIRST[1:])


def test_passes_of_failed_requests_are_failures() -> None:
    """True of http_req_failed is a failure, so that `passes` counts what went wrong (k6 #2386)."""
    failed = {"rate": 0.25, "passes": 25, "fails": 75}
    found = summary(k6_summary(http_reqs={"count": 100, "rate": 1.0}, http_req_failed=failed))[""]
    assert (found.failure_count, found.failure_ratio) == (25, 0.25)


def test_dropped_iterations_are_counted() -> None:
    found = summary(
        k6_summary(
            http_reqs={"count": 90, "rate": 1.0},
            http_req_failed={"rate": 0},
            iterations={"count": 45, "rate": 1.0},
            dropped_iterations={"count": 5, "rate": 1.0},
        )
    )
    assert (found[""].iteration_count, found[""].dropped_count) == (45, 5)


def test_before_0_31_failures_are_not_told() -> None:
    checks = {"passes": 90, "fails": 10, "value": 0.9}
    found = summary(k6_summary(True, http_req_duration=DURATION, http_reqs={"count": 100, "rate": 10.0}, checks=checks))
    assert (found[""].failure_count, found[""].failure_ratio) == (None, None)
    assert percentiles(found[""])["p95"] == 9.0
    assert found[""].remarks == ("k6 counts failed requests since its 0.31",)


def machine_readable(version: str = "1.0.0", **metrics: dict[str, Any]) -> Text:
    """Return k6's summary of schema 1.0.0 (internal/lib/summary/machinereadable/types_gen.go)."""
    values = {
        "http_reqs": {"count": 12_000},
        "http_req_failed": {"matches": 60, "total": 12_000, "rate": 0.005},
        "vus": {"value": 40, "min": 40, "max": 40},
        "http_req_duration": {"avg": 20.0, "min": 1.0, "med": 15.0, "max": 80.0, "p(90)": 40.0, "p(95)": 55.0},
    }
    document = {
        "version": version,
        "config": {"duration": 120.0, "execution": "local", "script": "x.js"},
        "metadata": {"k6Version": "2.0.0", "generatedAt": "2026-01-02T03:04:05Z"},
        "results": {
            "checks": {"metrics": [], "results": []},
            "metrics": [
                {"name": name, "type": "trend", "contains": "default", "values": each}
                for name, each in {**values, **metrics}.items()
            ],
        },
    }
    return held("s.json", json.dumps(document, indent=1))


def test_the_machine_readable_summary() -> None:
    file = machine_readable()
    assert k6_machine_readable.claims(file)
    assert not summary_reader.claims(file)
    found = k6_machine_readable.read(file, nothing)[""]
    assert (found.request_count, found.failure_count, found.user_count) == (12_000, 60, 40)
    assert (found.held_s, found.requests_per_s) == (120.0, 100.0), "requests over config.duration"
    assert percentiles(found) == {"p50": 15.0, "p95": 55.0}


def test_the_machine_readable_summary_of_the_emitted_script() -> None:
    loads = k6_load("a", users=40, requests=6000)
    loads["http_req_failed{load:a,phase:hold}"] = {"matches": 30, "total": 6000, "rate": 0.005}
    found = k6_machine_readable.read(machine_readable(**loads), nothing)["a"]
    assert (found.user_count, found.held_s, found.failure_count, found.requests_per_s) == (40, 600.0, 30, 10.0)


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (machine_readable("2.0.0"), "of schema '2.0.0': read is schema 1"),
        (machine_readable(http_reqs={"count": 0.5}), r"s\.json:\d+: http_reqs count must be a whole number, not 0.5"),
        (machine_readable(http_reqs={"count": 0}), "no request was made"),
        (held("s.json", '{"version": "1.0.0", "results": {"metrics": [5]}}'), "an entry has no name or no values"),
        (held("s.json", '{"version": "1.0.0", "results": {"metrics": []}}'), "without the metric http_req_duration"),
    ],
)
def test_what_is_not_a_machine_readable_summary(file: Text, message: str) -> None:
    assert k6_machine_readable.claims(file)
    with pytest.raises(UsageError, match=message):
        k6_machine_readable.read(file, nothing)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"metrics": {"vus": {}}}', "without the metric http_req_duration: it made no request"),
        ('{"metrics": {"http_req_duration": 5}}', "metrics.http_req_duration is no metric"),
        ('{"metrics": {"http_req_duration": {"avg": 1}}}', "no request was made while all users were there"),
        (k6_summary(**k6_load("a", p95=float("nan"))).text, r"s:1: http_req_duration\{load:a,phase:hold\} p\(95\)"),
        (
            '{"metrics": {"http_req_duration": {"avg": 1}, "http_reqs": {"count": 5},\n"http_req_failed": {"x": 1}}}',
            "s:2: http_req_failed rate must be a number from 0 to 1",
        ),
        ('{"metrics": {"http_req_duration": {}, "http_reqs":\n {"count": 0.5}}}', "s:2: http_reqs count must be a"),
        (
            '{"metrics": {"http_req_duration": {}, "http_reqs": {"count": 1%s}}}' % ("0" * 400),
            "http_reqs count must be a number from 0 to 1e.15, not a larger one",
        ),
        (
            '{"metrics": {"http_req_duration": {}, "http_reqs": {"count": true}}}',
            "http_reqs count must be a number from 0 to 1e.15, not True",
        ),
        (
            '{"metrics": {"http_req_duration": {}, "http_reqs": {"count": 5, "rate": -1}}}',
            "http_reqs rate must be a number from 0 to 1e.15, not -1",
        ),
    ],
)  # fmt: skip
def test_what_is_not_k6s_summary(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        summary(held("s", text))


# --------------------------------------------------------------------------------------------------------- the samples

COLUMNS = (
    "metric_name,timestamp,metric_value,check,error,error_code,expected_response,group,method,name,proto,scenario,"
    "service,status,subproto,tls_version,url,extra_tags,metadata\n"
)


def csv_row(metric: str, at: object, value: float, status: str = "200", name: str = "/a", tags: str = "") -> str:
    expected = "" if metric == "vus" else str(status == "200").lower()
    return f"{metric},{at},{value},,,,{expected},,GET,{name},HTTP/1.1,default,,{status},,,http://h/a,{tags},\n"


def csv(*rows: str) -> Measurement:
    file = held("o.csv", COLUMNS + "".join(rows))
    assert k6_csv.claims(file)
    return k6_csv.read(file, nothing)[""]


START = 1_700_000_000


def ramp_and_hold(unit: int = 1) -> list[str]:
    """Return samples of a ramp of 10 s to 10 users, and of 20 s of them all: 1 request a second, 1 to 30 ms."""
    rows = []
    for second in range(30):
        at = (START + second) * unit
        rows.append(csv_row("vus", at, min(10, second + 1), "", ""))
        rows.append(csv_row("http_req_duration", at, second + 1, "500" if second == 29 else "200"))
        rows.append(csv_row("http_req_failed", at, int(second == 29), "500" if second == 29 else "200"))
        rows.append(csv_row("http_req_blocked", at, 99))
    return rows


@pytest.mark.parametrize("unit", [1, 1000, 1_000_000, 1_000_000_000])
def test_csv_counts_what_was_measured_while_all_users_were_there(unit: int) -> None:
    """Whatever unit K6_CSV_TIME_FORMAT asks for. Seconds 9 to 29 are full: 21 requests of 10 to 30 ms."""
    found = csv(*ramp_and_hold(unit))
    assert (found.user_count, found.held_s, found.request_count, found.failure_count) == (10, 20.0, 21, 1)
    assert found.requests_per_s == pytest.approx(21 / 20)
    assert percentiles(found) == {"p50": 20.0, "p95": 29.0, "p99": 30.0}, "the nearest rank's: 11, 20 and 21 of 21"
    assert (found.includes, found.may_include) == (("the first seconds with all users",), ("logins",))


def test_csv_leaves_out_what_is_named_login() -> None:
    found = csv(*ramp_and_hold(), csv_row("http_req_duration", START + 15, 5000, name="login"))
    assert percentiles(found)["p99"] == 30.0
    assert (found.may_include, found.remarks[0]) == ((), "1 request named login left out")


def test_csv_without_http_req_failed_goes_by_the_status() -> None:
    rows = [row for row in ramp_and_hold() if not row.startswith("http_req_failed")]
    assert csv(*rows).failure_count == 1


def test_csv_of_the_emitted_script_is_by_load() -> None:
    hold, login, ramp = (f"load=a&phase={phase}" for phase in ("hold", "login", "ramp"))
    rows = [
        csv_row("http_req_duration", START, 900, tags=ramp),
        csv_row("http_req_duration", START + 5, 800, name="login", tags=login),
        *(csv_row("http_req_duration", START + 10 + each, each + 1, tags=hold) for each in range(20)),
        *(csv_row("http_req_failed", START + 10 + each, 0, tags=hold) for each in range(20)),
        csv_row("users", START + 10, 40, tags=hold),
        csv_row("users", START + 20, 38, tags=hold),
        csv_row("held_s", START + 29, 20, tags=hold),
    ]
    found = k6_csv.read(held("o.csv", COLUMNS + "".join(rows)), nothing)["a"]
    assert (found.user_count, found.held_s, found.request_count, found.requests_per_s) == (38, 20, 20, 1.0)
    assert (percentiles(found)["p95"], found.includes, found.may_include) == (19.0, (), ())
    with pytest.raises(UsageError, match="no request was made while all users were there"):
        k6_csv.read(held("o.csv", COLUMNS + rows[0]), nothing)


def test_csv_and_json_tell_the_same() -> None:
    points = []
    for row in ramp_and_hold():
        metric, at, value, *_, status, _, _, _, _, _ = row.strip("\n").split(",")
        second = int(at) - START
        time = f"2023-11-14T22:13:{20 + second:02d}.000000001Z"
        tags = {"name": "/a", "status": status, "expected_response": str(status == "200").lower()}
        points.append({"type": "Point", "metric": metric, "data": {"time": time, "value": float(value), "tags": tags}})
    text = "\n".join(json.dumps(each) for each in [{"type": "Metric", "metric": "vus", "data": {}}, *points])
    file = held("o.json", text)
    assert k6_json.claims(file)
    assert not summary_reader.claims(file)
    from_json = k6_json.read(file, nothing)[""]
    from_csv = csv(*ramp_and_hold())
    assert from_json.percentiles == from_csv.percentiles
    assert (from_json.user_count, from_json.held_s, from_json.failure_count) == (10, 20.0, 1)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (csv_row("http_req_duration", "soon", 1), r":2: timestamp must be a time of RFC 3339 with a zone, not 'soon'"),
        (csv_row("http_req_duration", "2024-01-01T00:00:00", 1), "with a zone"),
        (csv_row("http_req_duration", -5, 1), "timestamp must be a time since 1970"),
        (csv_row("http_req_duration", "nan", 1), "timestamp must be a time since 1970"),
        (csv_row("http_req_duration", START, float("nan")), ":2: metric_value must be a number from 0"),
        (csv_row("vus", START, 1), "without a sample of http_req_duration: no request was made"),
        ("http_req_duration,1700000000,1\n", ":2: 3 fields for 19 columns: the row is cut short"),
        ("", "no request was made"),
    ],
)
def test_what_is_not_k6s_csv(rows: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        csv(rows)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"type":"Point","metric":"http_req_duration","data":{"ti', "o:2: no JSON: the line is cut short"),
        ('{"type":"Point","metric":"other","data":{"ti', "o:2: no JSON: the line is cut short"),
        ('{"type":"Point","metric":"http_req_duration","data":[]}', "o:2: a point without data"),
        ('{"type":"Point","metric":"vus","data":{"time":5,"value":1}}', "o:2: data.time must be a time of RFC 3339"),
        (
            '{"type":"Point","metric":"vus","data":{"time":"2024-01-01T00:00:00Z","value":"a"}}',
            "o:2: data.value must be a number",
        ),
    ],
)
def test_what_is_not_k6s_json(line: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        k6_json.read(held("o", f'{{"type":"Metric","data":{{}},"metric":"http_req_duration"}}\n{line}\n'), nothing)
