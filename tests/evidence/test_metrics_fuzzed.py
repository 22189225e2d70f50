"""Files that are cut, spliced or nonsense give metrics or one message, never a trace."""

from __future__ import annotations

import json
from math import isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st
from metrics_read import read

from cascade_plan.errors import UsageError
from cascade_plan.evidence.naming import meant
from cascade_plan.model.observation import COUNTED, SERIES

VALUES = [[1709596800 + 15 * place, "0.5"] for place in range(4)]
SERIES_OF = [{"metric": {"measure": "cores:api"}, "values": VALUES}]
FILES = {
    "prometheus": json.dumps({"status": "success", "data": {"resultType": "matrix", "result": SERIES_OF}}),
    "statistics": json.dumps(
        {
            "Label": "TargetResponseTime",
            "Datapoints": [
                {"Timestamp": f"2024-03-05T00:0{minute}:00Z", "Average": 0.1, "Unit": "Seconds",
                 "ExtendedStatistics": {"p95": 0.2}}
                for minute in range(3)
            ],
        }
    ),
    "data": json.dumps(
        {
            "MetricDataResults": [
                {"Id": "a", "Label": "database CPUUtilization Average", "StatusCode": "Complete",
                 "Timestamps": [f"2024-03-05T00:0{minute}:00Z" for minute in range(3)], "Values": [1.0, 2.0, 3.0]}
            ]
        }
    ),
    "console": "Full label,CPUUtilization\nStatistic,Average\nTime,CPUUtilization\n"
    "2024/03/05 00:00:00,10\n2024/03/05 00:01:00,20\n",
    "table": "time,cores:api\n2024-03-05T00:00:00Z,1\n2024-03-05T00:01:00Z,2\n",
    "statements": '# at 5\nquery,calls,total_exec_time,stddev_exec_time,plans,total_plan_time\n"SELECT 1",4,10,1,1,1\n',
    "pool": "database,total_xact_count,total_query_count,total_xact_time,total_query_time,total_wait_time\n"
    "app,1,2,3,4,5\n",
    "aligned": " database | xact_count | query_count | xact_time | query_time | wait_time\n"
    "----------+------------------+-----\n app | 1 | 2 | 3 | 4 | 5\n(1 row)\n",
}  # fmt: skip
PIECES = ("null", "true", "[]", "{}", "-1", "1e999", '"x"', "NaN", ",", "\n", '"', "\0", "é", "9" * 400, "[" * 40, "")


def is_line(message: str) -> None:
    """Check that a message is one line that a terminal shows as it is."""
    assert message.isprintable()


def told_or_refused(text: str, said: str) -> None:
    """Check what comes of a text: values that can be, or a message of one line."""
    try:
        found = read({"f": text}, f"{said}f")
    except UsageError as error:
        is_line(str(error))
        return
    assert {measure.what for measure in found.series} <= SERIES.keys()
    assert {measure.what for measure in found.counters} <= COUNTED.keys()
    assert list(found.starts_s) == sorted({*found.starts_s})
    for values in found.series.values():
        assert len(values) == len(found.starts_s)
        assert all(value >= 0 for value in values if isfinite(value))
    assert all(each.count >= 0 and each.mean_ms >= 0 for each in found.counters.values())


SAID = st.sampled_from(["", "cores:api=", "database="])


@given(st.sampled_from(sorted(FILES)), st.data(), SAID)
def test_a_file_that_was_damaged(name: str, data: st.DataObject, said: str) -> None:
    text = FILES[name]
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 60)))
    told_or_refused(text[:start] + data.draw(st.sampled_from(PIECES)) + text[end:], said)


@given(st.sampled_from(sorted(FILES)), st.sampled_from(sorted(FILES)), SAID)
def test_two_files_in_one(first: str, second: str, said: str) -> None:
    told_or_refused(FILES[first] + FILES[second], said)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.floats(), st.integers(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["status", "data", "resultType", "result", "metric", "values", "warnings", "asked", "step_s",
                 "Datapoints", "Label", "Timestamp", "Average", "MetricDataResults", "Timestamps", "Values", "Id",
                 "measure"]
            ),
            st.one_of(inner, st.sampled_from(["success", "matrix", "cores:api", "CPUUtilization"])),
            max_size=5,
        ),
    ),
    max_leaves=12,
)  # fmt: skip


@given(JSON, SAID)
def test_json_of_the_same_words(document: object, said: str) -> None:
    told_or_refused(json.dumps(document), said)


@given(st.sampled_from(["result", "Datapoints", "MetricDataResults"]), JSON, SAID)
def test_an_answer_with_anything_in_it(key: str, inner: object, said: str) -> None:
    made = {"status": "success", "data": {"resultType": "matrix", "result": inner}} if key == "result" else {key: inner}
    told_or_refused(json.dumps({**made, "Label": "CPUUtilization"}), said)


@given(st.text(max_size=20))
def test_what_a_file_is_said_to_be_is_something_or_refused(name: str) -> None:
    try:
        found = meant(name)
    except UsageError as error:
        is_line(str(error))
        return
    assert found.what in {*SERIES, ""}


def test_the_files_are_read_undamaged() -> None:
    for name, text in FILES.items():
        said = "database=" if name == "console" else ""
        found = read({"f": text}, f"{said}f")
        assert found.series or found.counters, name
    with pytest.raises(UsageError):
        read({"f": "nothing"})
