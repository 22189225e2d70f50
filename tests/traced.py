"""The same counts of five minutes from a Tuesday's midnight on, as different tools write them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from cascade_plan.formulas.intervals import cut
from cascade_plan.model.trace import Trace
from cascade_plan.traces.reading import Wanted, read_trace

STEP_S = 300
START = datetime(2024, 3, 5, tzinfo=UTC)


def at(index: int, form: str) -> str:
    """Return the time of an interval, as strftime writes it."""
    return f"{START + timedelta(seconds=STEP_S * index):{form}}"


def epoch(index: int, unit: int = 1) -> str:
    """Return the time of an interval in parts of a second since 1970."""
    return str((int(START.timestamp()) + STEP_S * index) * unit)


def rows(header: str, row: Callable[[int, int], str]) -> Callable[[Sequence[int]], str]:
    """Return a writer of a line for each count, below a header unless that is ""."""

    def write(counts: Sequence[int]) -> str:
        lines = [row(index, count) for index, count in enumerate(counts)]
        return "\n".join([*([header] if header else []), *lines]) + "\n"

    return write


def prometheus(counts: Sequence[int]) -> str:
    """Return the answer to a range query of rate(...), whose numbers are texts."""
    values = [[float(epoch(index)), repr(count / STEP_S)] for index, count in enumerate(counts)]
    result = [{"metric": {"job": "api"}, "values": values}]
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}})


def statistics(counts: Sequence[int]) -> str:
    """Return the answer to get-metric-statistics, in no order."""
    points = [
        {"Timestamp": at(index, ZONED), "Sum": float(count), "Unit": "Count"} for index, count in enumerate(counts)
    ]
    return json.dumps({"Label": "RequestCount", "Datapoints": points[::-2] + points[-2::-2]}, indent=4)


def metric_data(counts: Sequence[int]) -> str:
    """Return the answer to get-metric-data, newest first."""
    order = range(len(counts))[::-1]
    result = {
        "Id": "m1", "Label": "RequestCount", "StatusCode": "Complete",
        "Timestamps": [at(index, "%Y-%m-%dT%H:%M:%SZ") for index in order],
        "Values": [float(counts[index]) for index in order],
    }  # fmt: skip
    return json.dumps({"MetricDataResults": [result], "Messages": []})


def graphite(counts: Sequence[int]) -> str:
    """Return what Graphite renders: the value before the time."""
    points = [[count, int(epoch(index))] for index, count in enumerate(counts)]
    return json.dumps([{"target": "stats_counts.http", "datapoints": points}])


def _thousands(number: float, mark: str = ",", point: str = ".") -> str:
    whole, fraction = f"{number:,.3f}".split(".")
    return f"{whole.replace(',', mark)}{point}{fraction}"


ISO = "%Y-%m-%d %H:%M:%S"
ZONED = "%Y-%m-%dT%H:%M:%S+00:00"
DIALECTS: dict[str, Callable[[Sequence[int]], str]] = {
    "csv": rows("timestamp,requests", lambda i, n: f"{at(i, ISO)},{n}"),
    "no header": rows("", lambda i, n: f"{at(i, ISO)},{n}"),
    "a fraction of a second": rows("timestamp,requests", lambda i, n: f"{at(i, ISO)}.000,{n}.0"),
    "Z": rows("timestamp,requests", lambda i, n: f"{at(i, '%Y-%m-%dT%H:%M:%SZ')},{n}"),
    "+0000": rows("timestamp,requests", lambda i, n: f"{at(i, ISO)} +0000,{n}"),
    "UTC": rows("timestamp,requests", lambda i, n: f"{at(i, ISO)} UTC,{n}"),
    "slashes": rows("timestamp,requests", lambda i, n: f"{at(i, '%Y/%m/%d %H:%M')},{n}"),
    "compact": rows("timestamp,requests", lambda i, n: f"{at(i, '%Y%m%d%H%M')},{n}"),
    "day first": rows("Zeit;Anfragen", lambda i, n: f"{at(i, '%d.%m.%Y %H:%M')};{n}"),
    "month last": rows("time,requests", lambda i, n: f"{at(i, '%d.%m.%Y, %H:%M:%S')!r},{n}".replace("'", '"')),
    "twelve hours": rows("time\trequests", lambda i, n: f"{at(i, '%Y/%m/%d %I:%M:%S %p')}\t{n}"),
    "date and time apart": rows("date,time,requests", lambda i, n: f"{at(i, '%Y-%m-%d')},{at(i, '%H:%M')},{n}"),
    "count first": rows("requests,time", lambda i, n: f"{n},{at(i, ISO)}"),
    "epoch s": rows("ts,requests", lambda i, n: f"{epoch(i)},{n}"),
    "epoch s, no header": rows("", lambda i, n: f"{epoch(i)} {n}"),
    "epoch ms": rows('"Time","req"', lambda i, n: f"{epoch(i, 1000)},{n}"),
    "epoch us": rows("ts,requests", lambda i, n: f"{epoch(i, 10**6)},{n}"),
    "epoch ns": rows("ts,requests", lambda i, n: f"{epoch(i, 10**9)},{n}"),
    "minutes": rows("minute,requests", lambda i, n: f"{5 * i},{n}"),
    "minutes, no header": rows("", lambda i, n: f"{5 * i},{n}"),
    "seconds": rows("second,requests", lambda i, n: f"{300 * i},{n}"),
    "hours": rows("hour,requests", lambda i, n: f"{i / 12!r},{n}"),
    "times of a day": rows("time,requests", lambda i, n: f"{at(i, '%H:%M')},{n}"),
    "comments and blank lines": rows("# made by hand\n\ntime,requests", lambda i, n: f"{at(i, ISO)},{n}\n\n# next"),
    "thousands": rows("time,requests", lambda i, n: f'{at(i, ISO)},"{n:,}"'),
    "thousands with spaces": rows("time;requests", lambda i, n: f"{at(i, ISO)};{n:,}".replace(",", "\u202f")),
    "thousands with points": rows("time;requests", lambda i, n: f"{at(i, ISO)};{_thousands(n, '.', ',')}"),
    "decimal commas": rows("time;requests", lambda i, n: f"{at(i, ISO)};{n},0"),
    "a rate by its name": rows("time,requests_per_s", lambda i, n: f"{at(i, ISO)},{n / 300!r}"),
    "a rate a minute": rows("time,requests per minute", lambda i, n: f"{at(i, ISO)},{n / 5!r}"),
    "series as rows": rows('"Series";"Time";"Value"', lambda i, n: f'"req";"{at(i, ZONED)}";{_thousands(n)}'),
    "for Excel": rows('sep=;\n"Time";"req"', lambda i, n: f'"{at(i, ISO)}";"{n}"'),
    "with a unit": rows('"Time","req"', lambda i, n: f'{at(i, ISO)},"{n / 300!r} req/s"'),
    "shortened": rows('"Time","req"', lambda i, n: f"{at(i, ISO)},{n / 1000!r} K" if n > 999 else f"{at(i, ISO)},{n}"),
    "CloudWatch's console": rows(
        "Full label,RequestCount\nRegion,eu-west-1\nPeriod,300\nStatistic,Sum\nTime,RequestCount",
        lambda i, n: f"{at(i, '%Y/%m/%d %H:%M:%S')},{n}",
    ),
    "an index before": rows(",timestamp,requests", lambda i, n: f"{i},{at(i, ISO)},{n}"),
    "uniq -c": rows("", lambda i, n: f"{n:7} {at(i, '%Y-%m-%dT%H:%M')}"),
    "uniq -c, a space in the time": rows("", lambda i, n: f"{n:7} {at(i, '%Y-%m-%d %H:%M')}"),
    "uniq -c of a log": rows("", lambda i, n: f"{n:7} {at(i, '%d/%b/%Y:%H:%M')}"),
    "uniq -c of minutes": rows("", lambda i, n: f"{n:7} {5 * i}"),
    "Kibana": rows('"@timestamp per 5 minutes","Count of records"', lambda i, n: f'"{at(i, ISO)}","{n:,}"'),
    "the AWS CLI's text": rows("RequestCount", lambda i, n: f"DATAPOINTS\t{n}.0\t{at(i, ZONED)}\tCount"),
    "the AWS CLI's table": rows(
        "-----------------\n|  GetMetricStatistics  |\n+------+-------+\n|  Label  |  RequestCount  |\n+------+----+\n"
        "||  Datapoints  ||\n|+-----+------+------+|\n||  Sum  |  Timestamp  |  Unit  ||\n|+-----+------+------+|",
        lambda i, n: f"||  {n}.0 |  {at(i, ZONED)}  |  Count  ||",
    ),
    "from one time to another": rows("Begin time,End time,n", lambda i, n: f"{at(i, ZONED)},{at(i + 1, ZONED)},{n}"),
    "psql": rows("     time      | count\n---------------+-------", lambda i, n: f" {at(i, ISO)} | {n}"),
    "Markdown": rows("| time | count |\n| --- | ---: |", lambda i, n: f"| {at(i, ISO)} | {n} |"),
    "a line of JSON each": rows("", lambda i, n: json.dumps({"time": at(i, ISO), "count": n})),
    "JSON objects": lambda counts: json.dumps([{"n": n, "@timestamp": at(i, ISO)} for i, n in enumerate(counts)]),
    "JSON pairs": lambda counts: json.dumps([[int(epoch(i)), n] for i, n in enumerate(counts)]),
    "prometheus": prometheus,
    "get-metric-statistics": statistics,
    "get-metric-data": metric_data,
    "graphite": graphite,
}  # fmt: skip


def read(text: str, **wanted: object) -> Trace:
    """Return the trace in a text."""
    return read_trace(text, "trace", Wanted(**wanted))  # type: ignore[arg-type]


def counts_of(trace: Trace, width_s: float = STEP_S) -> list[float]:
    """Return the requests of every interval of a trace, rounded to a millionth."""
    return [round(float(count), 6) for count in cut(trace.starts_s, trace.ends_s, trace.requests, width_s)]
