"""What monitoring left is read as what it is, file by file, and refused in words where nothing tells what it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isnan

import pytest
from metrics_read import read, refused

from cascade_plan import registry
from cascade_plan.model.observation import (
    CACHE_HITS_PER_S,
    CONNECTIONS,
    CORES,
    REQUESTS_PER_S,
    ROUTE_REQUESTS_PER_S,
    Measure,
)

FIRST = 1_709_596_800
API, ALL = Measure(CORES, "api"), Measure(REQUESTS_PER_S)


# ---------------------------------------------------------------------------------------------------------- Prometheus


def result(labels: Mapping[str, str], *values: str, step: int = 15) -> dict[str, object]:
    return {"metric": labels, "values": [[FIRST + step * place, value] for place, value in enumerate(values, 1)]}


def answer(*results: object, **more: object) -> str:
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": results}, **more})


def test_the_label_measure_says_what_a_series_is_of() -> None:
    text = answer(
        result({"measure": "cores:api"}, "0.5", "0.75"),
        result({"measure": "requests_per_s"}, "100", "150"),
        result({"measure": "route_requests_per_s:GET /rooms"}, "60", "NaN"),
    )
    found = read({"m.json": text})
    # A value at t is of the window that ends there.
    assert found.starts_s == (FIRST, FIRST + 15)
    assert found.window_s == 15
    assert found.series[API] == (0.5, 0.75)
    assert found.series[ALL] == (100.0, 150.0)
    assert found.series[Measure(ROUTE_REQUESTS_PER_S, "GET /rooms")][0] == 60.0
    assert isnan(found.series[Measure(ROUTE_REQUESTS_PER_S, "GET /rooms")][1])
    assert found.remarks == ("m.json: 1 value NaN or infinite, taken as not measured",)
    assert found.sources[API] == "m.json"


def test_a_file_may_be_said_to_be_of_something() -> None:
    text = answer(result({"pod": "api-1"}, "0.5", "+Inf", "0.25"))
    found = read({"cpu.json": text}, "cores:api=cpu.json")
    assert found.series[API][::2] == (0.5, 0.25)
    assert isnan(found.series[API][1])


def test_the_label_that_differs_is_the_subject() -> None:
    routes = [result({"job": "api", "handler": f"/{name}"}, "1", "2") for name in "ab"]
    found = read({"r.json": answer(*routes)}, "route_requests_per_s=r.json")
    assert found.of(ROUTE_REQUESTS_PER_S) == {"/a": (1.0, 2.0), "/b": (1.0, 2.0)}


def test_several_answers_of_a_file_are_read_however_they_are_put_together() -> None:
    one = answer(result({"measure": "cores:api"}, "1", "2"))
    other = answer(result({"measure": "requests_per_s"}, "3", "4"))
    expected = read({"a": one, "b": other}).series
    assert expected.keys() == {API, ALL}
    indented = json.dumps(json.loads(one), indent=2)
    for text in (f"{one}{other}", f"{one}\n{other}\n", f"[{one},{other}]", f"{indented}\n{other}"):
        assert read({"m.json": text}).series == expected


def test_what_promtool_prints_and_the_data_alone_are_read() -> None:
    listed = json.dumps([result({"measure": "cores:api"}, "1", "2")])
    data = json.dumps({"resultType": "matrix", "result": json.loads(listed)})
    sorted_keys = json.dumps({"data": json.loads(data), "status": "success"}, sort_keys=True)
    for text in (listed, data, sorted_keys):
        assert read({"m.json": text}).series[API] == (1.0, 2.0)


def test_gaps_are_not_measured() -> None:
    gap = {"metric": {"measure": "cores:api"}, "values": [[FIRST, "1"], [FIRST + 15, "2"], [FIRST + 60, "3"]]}
    whole = result({"measure": "requests_per_s"}, "1", "2", "3", "4")
    found = read({"m.json": answer(gap, whole)})
    assert [value for value in found.series[API] if not isnan(value)] == [1.0, 2.0, 3.0]
    assert found.together(API, ALL) == ((2.0, 3.0), (1.0, 4.0))


def test_warnings_are_passed_on() -> None:
    text = answer(result({"measure": "cores:api"}, "1", "2"), warnings=["partial answer"], infos=["not a counter"])
    assert read({"m.json": text}).remarks == (
        "m.json: Prometheus says: 'partial answer'",
        "m.json: Prometheus says: 'not a counter'",
    )


def test_a_gauge_that_is_called_as_a_counter_is_no_counter() -> None:
    text = answer(result({"__name__": "pg_stat_activity_count"}, "10", "12", "9"))
    assert read({"c.json": text}, "connections:database=c.json").series[Measure(CONNECTIONS, "database")][2] == 9.0


POD = result({"__name__": "cpu", "pod": "api-1"}, "1", "2")
PODS = [result({"pod": f"api-{number}", "node": f"n{number}"}, "1", "2") for number in range(7)]


@pytest.mark.parametrize(
    ("text", "said", "message"),
    [
        (
            answer(POD),
            "",
            "f: nothing says what 1 series is of: cpu{pod='api-1'}: give the file as WHAT:TIER=FILE, such as "
            "cores:api=f, or save the answers to the queries of docs/calibrate.md, whose label `measure` says it",
        ),
        (answer(*PODS), "web=", "f: nothing says what 7 series are of: {node='n0', pod='api-0'}, "),
        (answer(*PODS), "cores:api=", "f: 7 series are cores of api: {node='n0', pod='api-0'}, "),
        (answer(*PODS), "cores=", "f: 7 series are cores: {node='n0', pod='api-0'}, "),
        (answer(POD, result({"measure": "cores:api"}, "1", "2")), "cores:api=", "f: 2 series are cores of api: cpu{"),
        (
            answer(result({"measure": "core:api"}, "1", "2")),
            "",
            "f: the label measure is 'core:api': 'core' is nothing that is measured; did you mean 'cores'?",
        ),
        (answer(result({"measure": "cores:api"}, "1", "2")), "web=", "f: measure='cores:api' is cores of api by it"),
        (
            answer(result({"__name__": "requests_total", "measure": "requests_per_s"}, "5", "9")),
            "",
            "f: result[0] is the counter requests_total itself, which only rises: query its rate, rate(requests_",
        ),
        (answer(result({"measure": "cores:api"}, "1")), "", "f: one moment only: a series has at least two"),
        (answer(result({"measure": "cores:api"}, "1", "-2")), "", "f: cores of api is -2, and cannot be le"),
        (answer(result({"measure": "cores:api"}, "1", "two")), "", "f: result[0].values[1]: "),
        (answer({"metric": {"measure": "cores:api"}, "values": [[0, "1"]]}), "", "f: result[0].values[0]: 0 is no t"),
        (answer({"metric": {}, "histograms": []}), "", "f: result[0] has native histograms: ask for hist"),
        (answer({"values": []}), "", "f: result[0] has no labels (metric)"),
        (json.dumps({"status": "success", "data": {"resultType": "vector", "result": []}}), "", "f: the answer of on"),
        (json.dumps({"status": "success", "data": {}}), "", "f: no answer of /api/v1/query_range: its type is None"),
        (
            json.dumps({"status": "error", "errorType": "bad_data", "error": "1:5: parse error\n"}),
            "",
            r"f: Prometheus answered with an error: '1:5: parse error\n'",
        ),
        ('{"status":"success","data":{"resultType":"matrix",\n"result":[', "", "f:2:11: no JSON: "),
    ],
)  # fmt: skip
def test_an_answer_that_does_not_tell_is_refused(text: str, said: str, message: str) -> None:
    assert refused({"f": text}, f"{said}f").startswith(message)


def test_no_series_is_said_and_is_no_error() -> None:
    empty = answer(warnings=["no such metric"])
    found = read({"a": empty, "b": answer(result({"measure": "cores:api"}, "1", "2"))})
    assert found.series.keys() == {API}
    assert "a: Prometheus found no series" in found.remarks


# --------------------------------------------------------------------------------------------------------------- rows

ROWS = "Time,cores:api,cache_hits_per_s\n2024-03-05T00:00:00Z,0.5,90\n2024-03-05T00:01:00Z,,95\n"


def test_columns_called_as_measures_are_read() -> None:
    found = read({"m.csv": ROWS})
    assert found.starts_s == (FIRST, FIRST + 60)
    assert found.series[API][0] == 0.5
    assert isnan(found.series[API][1])
    assert found.series[Measure(CACHE_HITS_PER_S)] == (90.0, 95.0)
    assert found.remarks == ()


def test_a_column_alone_may_be_said_to_be_something() -> None:
    text = '"Time","Value"\n1709596800000,0.5\n1709596860000,0.75\n'
    assert read({"g.csv": text}, "cores:api=g.csv").series[API] == (0.5, 0.75)


def test_times_without_a_zone_are_said_to_be_taken_as_utc() -> None:
    found = read({"m.csv": ROWS.replace("Z,", ",")})
    assert found.starts_s[0] == FIRST
    assert found.remarks == ("m.csv: its times have no zone, and are taken as UTC",)


@pytest.mark.parametrize(
    ("text", "said", "message"),
    [
        (ROWS.replace("cores:api", "CPU"), "", "f: nothing says what 'CPU' is: call each column WHAT:TIER, such as "),
        (ROWS.replace("cores:api", "CPU"), "cores:api=", "f: 'cache_hits_per_s' is cache_hits_per_s by itself, and "),
        ("time,a,b\n1709596800,1,2\n1709596860,1,2\n", "cores:api=", "f: nothing says what 'a', 'b' are: call each "),
        (f"{ROWS}2024-03-05T00:02:00Z,0.5,half\n", "", "f: line 4: 'half' is no count"),
        ("time,cores:api\n00:00,1\n00:01,2\n", "", "f: its times have no date: write them as YYYY-MM-DD HH:MM:SS"),
    ],
)
def test_rows_that_do_not_tell_are_refused(text: str, said: str, message: str) -> None:
    assert refused({"f": text}, f"{said}f").startswith(message)


# ---------------------------------------------------------------------------------------------------------- any files


@pytest.mark.parametrize(
    "text", ["", "   \n", "<html><body>login</body></html>", "hello\n", "{}", '{"Items": []}', "\0\1"]
)
def test_a_file_of_another_kind_is_refused_with_what_is_read(text: str) -> None:
    message = refused({"f": text})
    assert message.startswith(("f: nothing that monitoring leaves", "f: the file is empty"))
    for name in registry.names("evidence/metrics"):
        assert registry.load("evidence/metrics", name).READS in message


@pytest.mark.parametrize("given", ["none.json", "cores:api=none.json", "api=none.json"])
def test_a_file_that_is_not_there_is_refused_by_its_name(given: str) -> None:
    assert refused({}, given).startswith("cannot read 'none.json': no such file")


def test_a_file_whose_name_has_an_equals_sign_is_a_file() -> None:
    assert read({"a=b.csv": ROWS}).series.keys() >= {API}


def test_what_is_said_must_be_something() -> None:
    assert refused({"f": ROWS}, "corse:api=f") == "'corse' is nothing that is measured; did you mean 'cores'?"
