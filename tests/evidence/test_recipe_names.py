"""docs/calibrate.md names every measure, and its recipes are recognised as what they are."""

from __future__ import annotations

import json
import re
from pathlib import Path

from metrics_read import read

from cascade_plan.model.observation import COUNTED, SERIES, Measure

DOCS = (Path(__file__).parents[2] / "docs" / "calibrate.md").read_text(encoding="utf-8")


def test_every_measure_is_named_with_what_it_says() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", DOCS, re.MULTILINE))
    assert {name: words for name, words in rows.items() if name in SERIES or name in COUNTED} == {**SERIES, **COUNTED}


def test_the_labels_of_prometheus_are_measures() -> None:
    (text,) = re.findall(r"^```promql\n(.*?)^```", DOCS, re.DOTALL | re.MULTILINE)
    labels = re.findall(r'"measure", "([^"]*)"', text)
    assert len(labels) == text.count("label_replace(") == 6
    values = [[1_709_596_800, "0.5"], [1_709_596_860, "0.5"]]
    result = [{"metric": {"measure": label.replace("$1", "/rooms")}, "values": values} for label in labels]
    found = read({"saved": json.dumps({"resultType": "matrix", "result": result})})
    assert [each.label for each in found.series] == [label.replace("$1", "/rooms") for label in labels]


def test_the_labels_of_cloudwatch_say_tier_metric_and_statistic() -> None:
    (text,) = re.findall(r"^```json\n(.*?)^```", DOCS, re.DOTALL | re.MULTILINE)
    queries = json.loads(text)
    for query in queries:
        if "MetricStat" in query:
            asked = query["MetricStat"]
            assert query["Label"].split()[-2:] == [asked["Metric"]["MetricName"], asked["Stat"]]
            assert asked["Period"] == 60
        else:
            metric, statistic = query["Label"].split()[-2:]
            assert f'MetricName="{metric}"' in query["Expression"]
            assert f"'{statistic}', 60" in query["Expression"]
    times = ["2024-03-05T00:00:00+00:00", "2024-03-05T00:01:00+00:00"]
    results = [
        {
            "Id": query["Id"],
            "Label": query["Label"],
            "Timestamps": times,
            "Values": [1.0, 1.0],
            "StatusCode": "Complete",
        }
        for query in queries
    ]
    found = read({"saved": json.dumps({"MetricDataResults": results})})
    assert {*found.series} == {
        Measure("busy_share", "database"),
        Measure("connections", "database"),
        Measure("cpu_credits", "database"),
        Measure("engine_share", "cache"),
        Measure("cache_hits_per_s", "cache"),
        Measure("cache_misses_per_s", "cache"),
        Measure("requests_per_s"),
        Measure("response_ms_p95"),
    }
