"""Results of load tests as the tools write them, for figures that a test chooses."""

from __future__ import annotations

import json
from typing import Any

from cascade_plan.evidence.texts import Text, held
from cascade_plan.model.measurement import Measurement, Percentile

PERCENT = ("50%", "66%", "75%", "80%", "90%", "95%", "98%", "99%", "99.9%", "99.99%", "100%")
STATS = (
    "Type,Name,Request Count,Failure Count,Median Response Time,Average Response Time,Min Response Time,"
    f"Max Response Time,Average Content Size,Requests/s,Failures/s,{','.join(PERCENT)}\n"
)
HISTORY = (
    f"Timestamp,User Count,Type,Name,Requests/s,Failures/s,{','.join(PERCENT)},Total Request Count,"
    "Total Failure Count,Total Median Response Time,Total Average Response Time,Total Min Response Time,"
    "Total Max Response Time,Total Average Content Size\n"
)


def locust_row(
    name: str = "/things", requests: int = 6000, failures: int = 0, rate: float = 100.0, mean: float = 90,
    p50: float = 80, p95: float = 190, p99: float = 400, method: str = "GET",
) -> str:  # fmt: skip
    """Return a row of Locust's statistics."""
    latencies = ",".join(
        str(p50 if each == "50%" else p99 if each[:2] in ("99", "98", "10") else p95) for each in PERCENT
    )
    return f"{method},{name},{requests},{failures},{p50},{mean},1.0,{p99},500.0,{rate},0.0,{latencies}\n"


def locust_stats(*rows: str, **numbers: Any) -> Text:
    """Return Locust's statistics with these rows, or one for one route, and one for all of these numbers."""
    total = locust_row("Aggregated", method="", **numbers)
    return held("run_stats.csv", STATS + "".join(rows or (locust_row(**numbers),)) + total)


def locust_history(points: list[tuple[int, int]]) -> Text:
    """Return Locust's history: (users, requests so far) for each second."""
    rest = ",".join(["0"] * len(PERCENT))
    rows = "".join(
        f"{1000 + second},{users},,Aggregated,1.0,0.0,{rest},{requests},0,1,1.0,1,1,1\n"
        for second, (users, requests) in enumerate(points)
    )
    return held("run_stats_history.csv", HISTORY + rows)


def k6_summary(exported: bool = False, **metrics: dict[str, Any]) -> Text:
    """Return k6's summary with metrics' values beside the latency of all requests, of either shape:

    what handleSummary is given, or what --summary-export writes.
    """
    shaped = {
        name: values if exported else {"type": "trend", "contains": "default", "values": values}
        for name, values in ({"http_req_duration": {"avg": 1.0, "med": 1.0, "p(95)": 1.0}} | metrics).items()
    }
    return held("summary.json", json.dumps({"metrics": shaped, "root_group": {"name": ""}}))


def k6_load(name: str, p95: float = 150.0, requests: int = 6000, users: int = 1000) -> dict[str, dict[str, Any]]:
    """Return the metrics of one load under the emitted script's tags."""
    tags = f"{{load:{name},phase:hold}}"
    return {
        f"http_req_duration{tags}": {"avg": 80.0, "med": 70.0, "p(50)": 71.0, "p(95)": p95, "p(99)": 2 * p95},
        f"http_reqs{tags}": {"count": requests, "rate": 1.0},
        f"http_req_failed{tags}": {"rate": 0.005, "passes": requests // 200, "fails": requests - requests // 200},
        f"users{tags}": {"avg": users / 1.0, "min": users, "max": users},
        f"held_s{tags}": {"max": 600.0},
    }


def make_measurement(
    p50: float = 80.0,
    p95: float = 150.0,
    p99: float | None = None,
    rounding: float = 0.0,
    **changes: Any,
) -> Measurement:
    """Return the measurement of a run of 1,000 users."""
    reported = {"p50": p50, "p95": p95, "p99": p99}
    values: dict[str, Any] = {
        "tool": "Locust",
        "results": "Locust's --csv files",
        "source": "run_stats.csv",
        "user_count": 1000,
        "held_s": 600.0,
        "clock_s": 2.0,
        "request_count": 300_000,
        "failure_count": 0,
        "requests_per_s": 480.0,
        "latency_ms_mean": 83.0,
        "percentiles": {
            name: Percentile(value, value - rounding, value + rounding)
            for name, value in reported.items()
            if value is not None
        },
    }
    return Measurement(**{**values, **changes})
