"""What Locust 0.11 and 0.12 measured: counts are in one file, percentiles in another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cascade_plan.errors import UsageError
from cascade_plan.evidence.readers._locust import TOTAL, rounding_ms, rows_of, statistics
from cascade_plan.evidence.texts import Beside, Text, table
from cascade_plan.model.measurement import PERCENTILES, Measurement, Percentile

READS: str = "Locust 0.11's and 0.12's _requests.csv and _distribution.csv"
FILES: tuple[str, ...] = ("*_requests.csv",)
COMPANIONS: tuple[str, ...] = ("_distribution.csv",)
COUNTS: Final = ("Method", "Name", "# requests", "# failures", "Average response time", "Requests/s")
LATENCIES: Final = ("Name", "# requests", "50%", "95%", "99%")
WHAT: Final = "a file that --csv of Locust 0.11 and 0.12 writes"


def claims(file: Text) -> bool:
    """Return whether a file's header is one of those of Locust before 0.13 (read in the releases 0.11.0 and 0.12.2)."""
    return {"Method", "Name", "# requests"} <= {*file.header} or file.header[:3] == ("Name", "# requests", "50%")


def read(file: Text, beside: Beside) -> Mapping[str, Measurement]:
    """Return what Locust measured, under "": from its two files, which have the same prefix.

    Raises UsageError when one of them is missing or is none, and for a run without requests.
    """
    ending = "_distribution.csv" if file.header[:1] == ("Name",) else "_requests.csv"
    other = "_requests.csv" if ending == "_distribution.csv" else "_distribution.csv"
    prefix = file.name.removesuffix(ending)
    found = beside(prefix + other) if prefix != file.name else None
    if found is None:
        what, lacks = ("counts", "percentiles") if ending == "_requests.csv" else ("percentiles", "counts")
        there = f"{prefix if prefix != file.name else 'PREFIX'}{other}"
        raise UsageError(
            f"{file.name}: these are the {what} of Locust 0.11 or 0.12; its {lacks} are in {there}: give both, with "
            f"the same prefix and the ending {ending} for this one"
        )
    counts, latencies = (file, found) if ending == "_requests.csv" else (found, file)
    return {"": _measured(counts, latencies)}


def _measured(counts: Text, latencies: Text) -> Measurement:
    own = statistics(table(counts, COUNTS, WHAT), COUNTS[2:5])
    read = table(latencies, LATENCIES, WHAT)
    names = read.columns["Name"]
    total = next((row for row in reversed(rows_of(read)) if row.fields[names].split(" ")[-1] in TOTAL), None)
    if total is None or read.count(total, "# requests") < own.request_count:
        raise UsageError(f"{latencies.name}: no row of all requests that {counts.name} counts: are both of one run?")
    includes = ("logins",) if read.count(total, "# requests") > own.request_count else own.includes
    percentiles = {}
    for name in PERCENTILES:
        value = read.number(total, f"{name[1:]}%")
        rounding = rounding_ms(value)
        percentiles[name] = Percentile(value, max(0.0, value - rounding), value + rounding)
    return Measurement(
        tool="Locust",
        results="Locust's counts and distribution (0.11, 0.12)",
        source=counts.name,
        request_count=own.request_count,
        failure_count=own.failure_count,
        requests_per_s=own.requests_per_s or None,
        rate_includes_ramp=True,
        latency_ms_mean=own.latency_ms_mean,
        percentiles=percentiles,
        includes=includes,
        may_include=("the ramp", "the first seconds with all users"),
    )
