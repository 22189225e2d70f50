"""CloudWatch's metrics are read in the units of the model, from whatever AWS gives them as."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from math import isnan

import pytest
from metrics_read import read, refused

from cascade_plan.model.observation import (
    BUSY_SHARE,
    CONNECTIONS,
    CORES,
    CPU_CREDITS,
    ENGINE_SHARE,
    REQUESTS_PER_S,
    RESPONSE_MS_MEAN,
    RESPONSE_MS_P50,
    RESPONSE_MS_P95,
    RESPONSE_MS_P99,
    TARGET_REQUESTS_PER_S,
    Measure,
)

FIRST = 1_709_596_800
"""2024-03-05T00:00:00Z"""
BUSY = Measure(BUSY_SHARE, "database")


def moment(minute: int, zone: str = "+00:00") -> str:
    return f"2024-03-05T00:{minute:02}:00{zone}"


def statistics(label: str, unit: str, *minutes: Mapping[str, object]) -> str:
    """Return what get-metric-statistics prints, whose data points have no order."""
    points = [{"Timestamp": moment(minute), **told, "Unit": unit} for minute, told in enumerate(minutes)]
    random.Random(1).shuffle(points)
    return json.dumps({"Label": label, "Datapoints": points})


def data(**series: tuple[float, ...]) -> str:
    """Return what get-metric-data prints, the latest values first, of series by their labels with _ for a space."""
    results = [
        {
            "Id": f"m{number}",
            "Label": label.replace("__", " "),
            "Timestamps": [moment(minute) for minute in reversed(range(len(values)))],
            "Values": [*reversed(values)],
            "StatusCode": "Complete",
        }
        for number, (label, values) in enumerate(series.items())
    ]
    return json.dumps({"MetricDataResults": results, "Messages": []})


# ------------------------------------------------------------------------------------------------ get-metric-statistics


@pytest.mark.parametrize(
    ("label", "unit", "told", "of", "expected"),
    [
        ("CPUUtilization", "Percent", {"Average": 42.5, "Maximum": 99.0}, BUSY, 0.425),
        ("EngineCPUUtilization", "Percent", {"Average": 7.0}, Measure(ENGINE_SHARE, "database"), 0.07),
        ("CPUCreditBalance", "Count", {"Average": 288.0}, Measure(CPU_CREDITS, "database"), 288.0),
        ("DatabaseConnections", "Count", {"Average": 90.5}, Measure(CONNECTIONS, "database"), 90.5),
    ],
)
def test_a_metric_of_a_tier(label: str, unit: str, told: Mapping[str, float], of: Measure, expected: float) -> None:
    found = read({"m": statistics(label, unit, told, told)}, "database=m")
    assert found.series == {of: (pytest.approx(expected), pytest.approx(expected))}
    # CloudWatch's time is the start of the period.
    assert (found.starts_s, found.window_s) == ((FIRST, FIRST + 60), 60)


def test_requests_of_a_period_become_a_rate() -> None:
    counts = [{"Sum": 6000.0}, {"Sum": 3000.0}]
    assert read({"m": statistics("RequestCount", "Count", *counts)}).series[Measure(REQUESTS_PER_S)] == (100.0, 50.0)
    per_target = read({"m": statistics("RequestCountPerTarget", "None", *counts)}, "api=m")
    assert per_target.series[Measure(TARGET_REQUESTS_PER_S, "api")] == (100.0, 50.0)


@pytest.mark.parametrize(("unit", "factor"), [("Seconds", 1000.0), ("Milliseconds", 1.0)])
def test_response_times_are_in_ms_with_every_percentile_of_a_file(unit: str, factor: float) -> None:
    told = {"Average": 0.02, "ExtendedStatistics": {"p50": 0.01, "p95": 0.05, "p99.0": 0.2}}
    found = read({"m": statistics("TargetResponseTime", unit, told, told)})
    expected = {RESPONSE_MS_MEAN: 0.02, RESPONSE_MS_P50: 0.01, RESPONSE_MS_P95: 0.05, RESPONSE_MS_P99: 0.2}
    assert {measure.what: values[1] / factor for measure, values in found.series.items()} == pytest.approx(expected)


def test_cores_follow_from_the_vcpu_of_the_tier() -> None:
    found = read({"m": statistics("CPUUtilization", "Percent", {"Average": 25.0}, {"Average": 50.0})}, "database=m")
    assert found.with_cores({"database": 8}).series[Measure(CORES, "database")] == (2.0, 4.0)


@pytest.mark.parametrize(
    ("text", "said", "message"),
    [
        (
            statistics("CPUUtilization", "Percent", {"Average": 1.0}, {"Average": 1.0}),
            "",
            "f: 'CPUUtilization Average' is of RDS, ElastiCache and nodes alike: say of which tier, as in database=f",
        ),
        (
            statistics("CPUUtilization", "Percent", {"Maximum": 1.0}),
            "database=",
            "f: CPUUtilization without its ",
        ),
        (statistics("RequestCount", "Count", {"Average": 1.0}), "", "f: RequestCount without its Sum: ask for "),
        (
            statistics("CPUUtilization", "Count", {"Average": 1.0}, {"Average": 1.0}),
            "db=",
            "f: 'CPUUtilization Average' is in 'Count'",
        ),
        (statistics("Latency", "Seconds", {"Average": 1.0}), "", "f: its Label is 'Latency', which is not read: CPU"),
        (statistics("CPUUtilization", "Percent"), "database=", "f: CloudWatch found no data"),
        (
            statistics("CPUUtilization", "Percent", {"Average": 1.0}),
            "database=",
            "f: 'CPUUtilization Average': one ",
        ),
        (
            statistics("CPUUtilization", "Percent", {"Average": 500.0}, {"Average": 1.0}),
            "db=",
            "f: busy_share of db is",
        ),
        (
            '{"Label": "CPUUtilization", "Datapoints": [{"Timestamp": "now", "Average": 1}]}',
            "db=",
            "f: Datapoints[0]",
        ),
        ('{"Label": "CPUUtilization", "Datapoints": [1]}', "db=", "f: Datapoints is no list of data points"),
    ],
)
def test_statistics_that_do_not_tell_are_refused(text: str, said: str, message: str) -> None:
    assert refused({"f": text}, f"{said}f").startswith(message)


# ------------------------------------------------------------------------------------------------------ get-metric-data


def test_labels_of_tier_metric_and_statistic_say_all() -> None:
    text = data(
        database__CPUUtilization__Average=(10.0, 20.0),
        RequestCount__Sum=(6000.0, 600.0),
        TargetResponseTime__p95=(0.1, 0.2),
    )
    series = read({"m": text}).series
    assert series == {
        BUSY: (0.1, 0.2),
        Measure(REQUESTS_PER_S): (100.0, 10.0),
        Measure(RESPONSE_MS_P95): (100.0, 200.0),
    }


def test_a_label_may_be_a_measure_for_what_was_computed_into_its_unit() -> None:
    text = data(**{"cores:database": (0.8, 1.6)})
    assert read({"m": text}).series == {Measure(CORES, "database"): (0.8, 1.6)}


def test_a_plain_label_needs_its_meaning_said() -> None:
    text = data(CPUUtilization=(10.0, 20.0))
    assert read({"m": text}, "busy_share:database=m").series == {BUSY: (0.1, 0.2)}
    response = data(TargetResponseTime=(0.1, 0.2))
    assert read({"m": response}, "response_ms_p95=m").series == {Measure(RESPONSE_MS_P95): (100.0, 200.0)}


def test_pages_of_a_long_answer_are_one_series() -> None:
    first, last = (json.loads(data(database__CPUUtilization__Average=(10.0, 20.0))) for _ in range(2))
    first["MetricDataResults"][0]["StatusCode"] = "PartialData"
    last["MetricDataResults"][0]["Timestamps"] = [moment(3), moment(2)]
    first["MetricDataResults"] += last["MetricDataResults"]
    assert read({"m": json.dumps(first)}).series == {BUSY: (0.1, 0.2, 0.1, 0.2)}


def test_what_a_short_time_has_no_two_values_of_is_said_and_left_out() -> None:
    text = data(
        database__CPUUtilization__Average=(10.0, 20.0),
        database__CPUCreditBalance__Average=(288.0,),
        RequestCount__Sum=(),
    )
    found = read({"m": text})
    assert found.series == {BUSY: (0.1, 0.2)}
    assert found.remarks == ("m: no two values of 'database CPUCreditBalance Average', 'RequestCount Sum'",)


def partial() -> str:
    found = json.loads(data(database__CPUUtilization__Average=(10.0, 20.0)))
    found["MetricDataResults"][0]["StatusCode"] = "PartialData"
    return json.dumps(found)


@pytest.mark.parametrize(
    ("text", "said", "message"),
    [
        (
            data(CPUUtilization=(1.0, 2.0), m2=(1.0, 2.0)),
            "",
            "f: nothing says what 'CPUUtilization', 'm2' are: label a series TIER METRIC STATISTIC, such as 'database "
            "CPUUtilization Average', as docs/calibrate.md does, or give the file as WHAT:TIER=f",
        ),
        (data(m2=(1.0, 2.0)), "cores:api=", "f: nothing says what 'm2' is"),
        (
            data(database__CPUUtilization__Maximum=(1.0, 2.0)),
            "",
            "f: 'database CPUUtilization Maximum' is its 'Ma",
        ),
        (data(RequestCount__Average=(1.0, 2.0)), "", "f: 'RequestCount Average' is its 'Average': ask for its Sum"),
        (data(database__CPUUtilization__Average=(1.0, 2.0)), "cache=", "f: 'database CPUUtilization Average' is busy_"),
        (data(), "", "f: CloudWatch found no data"),
        (partial(), "", "f: 'm0' is PartialData, a part of the data: ask for the rest with its NextToken"),
    ],
)
def test_data_that_does_not_tell_is_refused(text: str, said: str, message: str) -> None:
    assert refused({"f": text}, f"{said}f").startswith(message)


# -------------------------------------------------------------------------------------------------------------- console

CONSOLE = """\
Full label,CPUUtilization,RequestCount
Region,eu-west-1,eu-west-1
Period,60,60
Statistic,Average,Sum
Unit,Percent,Count
Time,CPUUtilization,RequestCount
2024/03/05 00:00:00,10,6000
2024/03/05 00:01:00,20,
"""


def test_the_consoles_rows_above_the_data_say_what_it_is() -> None:
    found = read({"m.csv": CONSOLE}, "database=m.csv")
    assert found.series[BUSY] == (0.1, 0.2)
    assert found.series[Measure(REQUESTS_PER_S, "database")][0] == 100.0
    assert isnan(found.series[Measure(REQUESTS_PER_S, "database")][1])
    assert found.remarks == ("m.csv: its times have no zone, and are taken as UTC",)


def test_a_header_alone_may_say_it() -> None:
    text = "Time,database CPUUtilization Average,TargetResponseTime p99\n2024-03-05T00:00:00Z,1,0.1\n"
    found = read({"m.csv": text + "2024-03-05T00:01:00Z,2,0.2\n"})
    assert found.series == {BUSY: (0.01, 0.02), Measure(RESPONSE_MS_P99): (100.0, 200.0)}
    assert found.remarks == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (CONSOLE.replace("Statistic,Average,Sum\n", ""), "f: nothing says what 'CPUUtilization', 'RequestCount' are"),
        (CONSOLE.replace("6000", "many"), "f: line 7: 'many' is no number"),
        (CONSOLE.replace("05 00:01:00", "45 00:01:00"), "f: line 8: '2024/03/45 00:01:00' is no time"),
        (CONSOLE.partition("2024")[0], "f: no row has a time and numbers"),
    ],
)
def test_rows_of_the_console_that_do_not_tell_are_refused(text: str, message: str) -> None:
    assert refused({"f": text}, "database=f").startswith(message)
