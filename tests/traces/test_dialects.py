"""The same counts are read from whatever tool wrote them, as what they are."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from traced import DIALECTS, ISO, STEP_S, at, counts_of, epoch, read, rows, statistics

from cascade_plan import registry

COUNTS = [1, 0, 0, 300, 6000, 5927, 12, 1_234_567]
FAIR = st.lists(st.integers(0, 999_999), min_size=3, max_size=40).filter(any)


@pytest.mark.parametrize("name", DIALECTS)
def test_every_dialect_says_the_same(name: str) -> None:
    trace = read(DIALECTS[name](COUNTS))
    assert counts_of(trace) == COUNTS
    assert (trace.step_s, trace.span_s, trace.clocks_s[0]) == (STEP_S, STEP_S * len(COUNTS), 0)
    assert trace.words.startswith(f"{len(COUNTS)} ")
    assert "taken as 0" not in trace.words


@given(st.sampled_from(sorted(DIALECTS)), FAIR)
def test_what_a_dialect_writes_is_read_back(name: str, counts: list[int]) -> None:
    assert counts_of(read(DIALECTS[name](counts))) == counts


def test_every_plug_in_reads_one_of_them() -> None:
    claimed = {
        dialect
        for write in DIALECTS.values()
        for dialect in registry.names("traces/dialects")
        if registry.load("traces/dialects", dialect).claims(write(COUNTS))
    }
    assert claimed == set(registry.names("traces/dialects"))


def test_one_plug_in_alone_claims_a_text() -> None:
    for name, write in DIALECTS.items():
        claims = [
            each
            for each in registry.names("traces/dialects")
            if registry.load("traces/dialects", each).claims(write(COUNTS))
        ]
        assert len(claims) == 1, name


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_lines_end_as_on_any_system(end: str) -> None:
    assert counts_of(read(DIALECTS["csv"](COUNTS).replace("\n", end))) == COUNTS


@pytest.mark.parametrize("nothing", ["", "NaN", "nan", "null", "None", "NULL", "-", "n/a", '""'])
def test_a_row_without_a_number_is_no_request_and_is_said(nothing: str) -> None:
    text = DIALECTS["csv"](COUNTS).replace(f"{at(5, ISO)},5927", f"{at(5, ISO)},{nothing}")
    trace = read(text)
    assert counts_of(trace) == [1, 0, 0, 300, 6000, 0, 12, 1_234_567]
    assert "1 row without a number taken as 0" in trace.words


def test_json_without_a_number_is_no_request() -> None:
    values = [[1709596800, "1"], [1709597100, "NaN"], [1709597400, None], [1709597700, 2]]
    trace = read(json.dumps({"resultType": "matrix", "result": [{"metric": {}, "values": values}]}))
    assert counts_of(trace) == [300, 0, 0, 600]
    assert "2 rows without a number taken as 0" in trace.words


# --------------------------------------------------------------------------------------------------- several series

WIDE = rows('"Time","GET /a","POST /b"', lambda i, n: f"{at(i, ISO)},5,{n}")(COUNTS)
LONG = rows("service,time,count", lambda i, n: f"web,{at(i, ISO)},{n}\napi,{at(i, ISO)},{2 * n}")(COUNTS)


def test_one_of_several_columns_is_chosen_by_its_name() -> None:
    assert counts_of(read(WIDE, column="POST /b")) == COUNTS
    assert counts_of(read(WIDE, column="get /a")) == [5] * len(COUNTS)
    assert counts_of(read(LONG, column="api")) == [2 * count for count in COUNTS]


def test_series_are_added_when_asked() -> None:
    trace = read(WIDE, is_sum=True)
    assert counts_of(trace) == [count + 5 for count in COUNTS]
    assert trace.words.startswith("16 counts of 2 series, added, of 5 minutes")
    assert counts_of(read(LONG, is_sum=True)) == [3 * count for count in COUNTS]
    assert "several rows" not in read(LONG, is_sum=True).words


def test_several_series_are_not_chosen_from_in_silence() -> None:
    with pytest.raises(ValueError, match=r"it has 2 series, 'GET /a', 'POST /b': choose with --column NAME, or add"):
        read(WIDE)
    with pytest.raises(ValueError, match="no column 'POST /c': it has 'GET /a', 'POST /b'; did you mean 'POST /b'"):
        read(WIDE, column="POST /c")


def test_series_of_prometheus_are_named_by_their_labels() -> None:
    values = [[1709596800, "1"], [1709597100, "2"]]
    result = [{"metric": {"job": "api", "code": code}, "values": values} for code in ("200", "500")]
    text = json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}})
    with pytest.raises(ValueError, match='code="200", job="api"'):
        read(text)
    assert counts_of(read(text, column='{code="500", job="api"}')) == [300, 600]
    assert counts_of(read(text, is_sum=True)) == [600, 1200]


# ------------------------------------------------------------------------------------------------------------- units


def test_a_query_of_prometheus_is_a_rate_unless_it_is_said_to_count() -> None:
    text = DIALECTS["prometheus"]([300, 600])
    assert "values read as requests per second, as a range query is taken to be a rate()" in read(text).words
    assert counts_of(read(text, unit="count")) == [1, 2]


def test_a_count_can_be_said_to_be_a_rate() -> None:
    assert counts_of(read(DIALECTS["csv"]([1, 2]), unit="rate")) == [300, 600]


def test_counts_that_are_no_whole_numbers_are_pointed_at() -> None:
    text = rows("time,value", lambda i, n: f"{at(i, ISO)},{n + 0.5}")([1, 2])
    assert "though some are no whole numbers (--unit rate reads them as rates)" in read(text).words
    assert "whole numbers" not in read(text, unit="count").words


def test_the_statistic_of_cloudwatch_that_counts_is_read() -> None:
    points = [{"Timestamp": at(i, f"{ISO}Z"), "Average": 1.0, "Sum": 7.0, "SampleCount": 7.0} for i in range(2)]
    assert counts_of(read(json.dumps({"Datapoints": points}))) == [7, 7]
    rate = [{"Timestamp": at(i, f"{ISO}Z"), "Average": 2.0, "Unit": "Count/Second"} for i in range(2)]
    assert counts_of(read(json.dumps({"Datapoints": rate}))) == [600, 600]


# ----------------------------------------------------------------------------------------------------- numbers, times


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (("6,000", "300", "1,234,567"), [6000, 300, 1_234_567]),
        (("6,000", "5,927"), None),
        (("6,000", "5,927", "12"), [6000, 5927, 12]),
        (("6,000", "0,125"), [6, 0.125]),
        (("6,000", "1234"), [6, 1234]),
        (("1,5", "2"), [1.5, 2]),
        (("1.000", "0.000", "300.000"), [1, 0, 300]),
        (("6.000", "300", "5.927"), [6000, 300, 5927]),
        (("6.000,5", "300"), [6000.5, 300]),
        (("6'000", "1'234'567"), [6000, 1_234_567]),
        (("1e3", "2.5E+2"), [1000, 250]),
        (("6.00 K", "1.20 Mil", "3"), [6000, 1_200_000, 3]),
    ],
)
def test_marks_of_a_column_are_told_by_all_its_numbers(cells: tuple[str, ...], expected: list[float] | None) -> None:
    text = "\n".join(["time;requests", *(f"{at(i, ISO)};{cell}" for i, cell in enumerate(cells))])
    if expected is None:
        with pytest.raises(ValueError, match="'6,000': nothing says whether its comma is a decimal one"):
            read(text)
    else:
        assert counts_of(read(text)) == expected


def test_a_comma_in_a_file_of_commas_stands_between_thousands() -> None:
    text = "\n".join(f'{at(i, ISO)},"{cell}"' for i, cell in enumerate(("6,000", "5,927")))
    assert counts_of(read(text)) == [6000, 5927]


@pytest.mark.parametrize(
    ("first", "second", "step_s"),
    [
        ("13/03/2024 00:00", "14/03/2024 00:00", 86_400),
        ("03/13/2024 00:00", "03/14/2024 00:00", 86_400),
        ("03/13/2024 11:55 PM", "03/14/2024 12:05 AM", 600),
        ("2024-03-05 00:00 +0100", "2024-03-05 00:10 +0100", 600),
        ("2024-03-31 01:30 +0100", "2024-03-31 03:30 +0200", 3600),
        ("1709596800.25", "1709596801.5", 1.25),
        ("20240305", "20240306", 86_400),
        ("2024-03-05", "2024-03-06", 86_400),
    ],
)
def test_steps_between_times(first: str, second: str, step_s: float) -> None:
    assert read(f"time;n\n{first};1\n{second};2\n").step_s == step_s


def test_hours_are_those_of_the_zone_that_is_written() -> None:
    trace = read("time,n\n2024-03-05T23:00:00-05:00,1\n2024-03-06T00:00:00-05:00,2\n")
    assert trace.clocks_s == (23 * 3600, 24 * 3600)
    assert "times are in UTC-05:00" in trace.words
    assert "2024-03-05 23:00 to 2024-03-06 01:00" in trace.words


def test_epoch_times_are_told_by_their_size() -> None:
    for unit, words in ((1, "seconds"), (1000, "milliseconds"), (10**6, "microseconds"), (10**9, "nanoseconds")):
        text = "\n".join(f"{epoch(i, unit)},{i}" for i in range(3))
        assert f"times are {words} since 1970, in UTC" in read(text).words


def test_the_answer_of_cloudwatch_is_said_to_be_a_sum() -> None:
    assert "values read as counts of an interval, as they are a Sum" in read(statistics(COUNTS)).words
