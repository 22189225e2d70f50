"""What is no trace is refused by its name, with the line, what is allowed, and nothing of the input unescaped."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from traced import DIALECTS, read

from cascade_plan.traces import tabular

TIMES = "times are 2024-03-05 00:05 (also with T, seconds and a zone), 2024/03/05 00:05"
COUNTS = "counts are numbers from 0 to 1,000,000,000,000"
MATRIX = {"status": "success", "data": {"resultType": "matrix"}}


def prometheus(**series: object) -> str:
    """Return the answer to a range query with one series."""
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": [series]}})


def rows(*lines: str) -> str:
    """Return lines below a header."""
    return "\n".join(["time,requests", *lines])


ROWS = [
    ("", "it is empty"),
    (" \n\n", "it is empty"),
    ("time,requests\n", "it has a header and no row below it"),
    (rows("2024-03-05 00:00,1"), "a trace needs rows of two times at least"),
    (rows("2024-03-05 00:00,1", "2024-03-05 00:00,2"), "a trace needs rows of two times at least"),
    (rows("2024-03-05 00:00,0", "2024-03-05 00:05,NaN"), "it has no requests: every count is 0 or missing"),
    ("hello\nworld", "its lines are no columns of times and counts, with commas, semicolons, tabs or spaces between"),
    ("2024-03-05 00:00\n2024-03-05 00:05", "its lines are times without counts: `sort FILE | uniq -c` counts them"),
    ("time,also\n2024-03-05 00:00,2024-03-05", "line 2 has a time and no count: a trace has both"),
    ("foo,bar\nspam,eggs", f"line 2: no cell of 'spam, eggs' is a time; {TIMES}"),
    ("time,n\n5 Mar 2024 00:00,1\n5 Mar 2024 00:05,2", f"line 2: '5 Mar 2024 00:00' is no time; {TIMES}"),
    ("minute,requests\n1,2\nx,3", f"line 3: 'x' is no time; {TIMES}"),
    (rows("bad,1", "2024-03-05 00:00,2", "2024-03-05 00:05,3"), f"line 2: 'bad' is no time; {TIMES}"),
    (rows("2024-02-29 00:00,2", "2024-02-30 00:05,3"), f"line 3: '2024-02-30 00:05' is no time; {TIMES}"),
    (rows("2024-03-05 00:00,2", "12024-03-05 00:05,3"), f"line 3: '12024-03-05 00:05' is no time; {TIMES}"),
    (rows("0,1", "60,2"), f"line 2: 0, 60: no times; {TIMES}"),
    (rows("1709596800,1", "17095968000000,2"), f"line 2: 1709596800, 17095968000000: no times; {TIMES}"),
    (rows("2024-03-05 00:00,-1", "2024-03-05 00:05,5"), f"line 2: '-1' is no count: {COUNTS}"),
    (rows("2024-03-05 00:00,1", "2024-03-05 00:05,inf"), f"line 3: 'inf' is no count: {COUNTS}"),
    (rows("2024-03-05 00:00,1", "2024-03-05 00:05,1e308"), f"line 3: '1e308' is no count: {COUNTS}"),
    (rows("2024-03-05 00:00,90 ms", "2024-03-05 00:05,80 ms"), f"line 2: '90 ms' is no count: {COUNTS}"),
    (rows("2024-03-05 00:00,9%", "2024-03-05 00:05,8%"), f"line 2: '9%' is no count: {COUNTS}"),
    (rows("2024-03-05 00:00,1", "", "# next", "2024-03-05 00:05,x"), f"line 5: 'x' is no count: {COUNTS}"),
    (rows("2024-03-05 00:00,900", "2024-03-05 00:05,6,000"),
     "line 3 has 3 cells where the header has 2; a number with commas in it needs quotes"),
    (rows("2024-03-05 00:00,900", "2024-03-05 00:05"), "line 3 has 1 cell where the header has 2"),
    (rows("2024-03-05 00:00,1", "2024-03-05 00:05Z,2"),
     "line 3: '2024-03-05 00:05Z' has a zone, and times before it have none"),
    (rows("05/03/2024 00:00,1", "05/03/2024 00:05,2"),
     "line 2: '05/03/2024 00:00': nothing says whether 05 or 03 is the day; write times as YYYY-MM-DD HH:MM:SS"),
    (rows("2024-03-05 00:00," + "9" * 140_000, "2024-03-05 00:05,1"),
     "line 2: a field of more than 131,072 characters"),
    (rows("2024-03-05 00:00," + "9" * 100_000, "2024-03-05 00:05,1"),
     f"line 2: '{'9' * 39}...' is no count: {COUNTS}"),
]  # fmt: skip
DOCUMENTS = [
    ('{"a": 1,}', "line 1 is no JSON: "),
    ('{"time": "2024-03-05", "n": 1}\n{"time":', "line 2 is no JSON"),
    ('[{"time": "2024-03-05", "n": 1}, {"time": "2024-03-06", "n": true}]', f"entry 2: 'true' is no count: {COUNTS}"),
    ("[" * 100_000, "it is JSON nested too deeply"),
    ('{"status": "error", "error": "parse error"}', "Prometheus answered with an error: 'parse error'"),
    (json.dumps({"status": "success", "data": {"resultType": "vector", "result": []}}),
     "this is Prometheus's answer of type 'vector', of one moment or none; a trace is a matrix, the answer to"),
    (json.dumps({"status": "success", "data": {"resultType": "matrix", "result": []}}), "Prometheus found no series"),
    (prometheus(metric={}), "result[0] has no values, which are pairs of a time and a number"),
    (prometheus(metric={"__name__": "http_requests_total"}, values=[[1709596800, "1"]]),
     "result[0] is the counter http_requests_total itself, which only rises: query rate(http_requests_total[5m])"),
    (prometheus(metric={}, values=[[1709596800, "1"], [1709596860, {}]]), "result[0].values[1]: '{}' is no count"),
    (prometheus(metric={}, values=[[1709596800, "1"], ["x", "1"]]), f"result[0].values[1]: 'x' is no time; {TIMES}"),
    ('{"Label": "x", "Datapoints": []}', "CloudWatch found no data: Datapoints is empty"),
    ('{"Datapoints": {}}', "Datapoints is no list of data points"),
    ('{"Datapoints": [{"Timestamp": "2024-03-05T00:00:00Z", "Average": 1, "Unit": "Count"}]}',
     "its data points have Average, of which none counts requests: ask for --statistics Sum"),
    ('{"MetricDataResults": []}', "CloudWatch found no data: MetricDataResults is empty"),
    ('{"MetricDataResults": [{"Id": "m", "Timestamps": []}]}', "CloudWatch found no data: no result has Timestamps"),
    ('{"MetricDataResults": [{"Timestamps": ["2024-03-05"], "Values": []}]}',
     "MetricDataResults[0] must have as many Values as Timestamps"),
    ('{"MetricDataResults": [{"Timestamps": ["2024-03-05"], "Values": [1], "StatusCode": "PartialData"}]}',
     "MetricDataResults[0] is PartialData, a part of the data: ask for the rest with its NextToken"),
    ('[{"target": "a", "datapoints": []}]', "Graphite found no data"),
    ('[{"target": "a", "datapoints": [1]}]', "datapoints must be pairs of a value and a time"),
]  # fmt: skip
FOREIGN = [
    ("<!DOCTYPE html><html></html>", "this is a web page (was the file fetched without a login?)"),
    ("<testsuite/>", "this is XML"),
    ("# HELP up x\n# TYPE up gauge\nup 1\n", "this is what a /metrics endpoint shows at one moment"),
    ('1.2.3.4 - - [05/Mar/2024:00:00:01 +0000] "GET / HTTP/1.1" 200 5\n', "this is a web server's log"),
    ("t\0i\0m\0e\0", "this is no text, or UTF-16 without its mark"),
    ('{"metrics": {"http_reqs": {"count": 5}}}', "this is JSON of a kind that is not read"),
    ("[]", "this is JSON of a kind that is not read"),
]


@pytest.mark.parametrize(("text", "message"), [*ROWS, *DOCUMENTS])
def test_what_is_wrong_is_said_with_its_place(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        read(text)


@pytest.mark.parametrize(("text", "message"), FOREIGN)
def test_what_is_something_else_is_named_with_what_a_trace_is(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}.*; a trace is .*Prometheus's answer to query_range"):
        read(text)


def test_a_text_for_each_row_is_no_name_of_a_series() -> None:
    lines = [f"2024-03-05 00:{i // 60:02}:{i % 60:02},id{i},1" for i in range(1200)]
    with pytest.raises(ValueError, match="line 1002: more than 1,000 series: 'id' has a text of its own in most rows"):
        read("\n".join(["time,id,requests", *lines]))


def test_more_numbers_than_a_trace_needs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tabular, "MOST_NUMBERS", 7)
    text = "time,a,b\n" + "".join(f"2024-03-05 00:0{i},1,2\n" for i in range(4))
    with pytest.raises(ValueError, match="line 5: more than 7 numbers"):
        read(text)


@pytest.mark.parametrize("hostile", ["\x1b[31m", "::error::", "\r::stop", "\u202e"])
def test_nothing_of_a_file_reaches_a_terminal_as_it_is(hostile: str) -> None:
    for text in (rows(f"2024-03-05 00:00,x{hostile}", "2024-03-05 00:05,1"), f"time,{hostile}a,b\n2024-03-05,1,2"):
        with pytest.raises(ValueError, match=r"^[^\x00-\x1f\x7f\u202e]+$"):
            read(text)


UNSAID = re.compile(
    r"\n|could not|invalid literal|Invalid iso|empty (sequence|iterable)|unpack|out of range|must be in|not in list"
)
"""What Python says, which no user should read."""
CELLS = st.sampled_from(
    ["", "1", "2024-03-05 00:05", "2024-03-05", "1709596800", "00:05", "05/03/2024", "1,5", "NaN", "x", "6.0 K", "-",
     '"', "sep=;", "[", "{}", "\x00", "1e999", "9" * 400, "0001-01-01", "9999-12-31T23:59:59+14:00", "time", "12:61 PM",
     "²"]
)  # fmt: skip


@given(st.lists(st.lists(CELLS, max_size=4), max_size=6), st.sampled_from([",", ";", "\t", " ", "|"]))
def test_any_cells_are_read_or_refused_in_words(table: list[list[str]], separator: str) -> None:
    _is_answered("\n".join(separator.join(cells) for cells in table))


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    _is_answered(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.sampled_from(["2024-03-05", "x", "1", "matrix"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["data", "result", "resultType", "status", "values", "metric", "__name__", "Datapoints", "Timestamp", "Sum",
             "MetricDataResults", "Timestamps", "Values", "Label", "target", "datapoints", "time", "n"]
        ), inner, max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@given(JSON)
def test_any_json_is_read_or_refused_in_words(value: object) -> None:
    _is_answered(json.dumps(value))


@given(st.sampled_from(sorted(DIALECTS)), st.integers(0, 2000), st.sampled_from(["", "x", ",", '"', "\n", "[", "9"]))
def test_any_damage_is_read_or_refused_in_words(name: str, place: int, mark: str) -> None:
    text = DIALECTS[name]([5, 0, 7, 1200])
    _is_answered(text[: place % len(text)] + mark + text[place % len(text) + 1 :])


def _is_answered(text: str) -> None:
    trace, message = None, ""
    try:
        trace = read(text)
    except ValueError as error:
        message = str(error)
    assert (trace is None) is bool(message)
    assert not UNSAID.search(message)
    if trace is not None:
        assert sum(trace.requests) > 0
        assert trace.span_s <= 367 * 86_400
        assert trace.starts_s[0] == 0
        assert all(start < end for start, end in zip(trace.starts_s, trace.ends_s, strict=True))
        assert all(end <= later for end, later in zip(trace.ends_s, trace.starts_s[1:], strict=False))
