"""Results that no reader takes, by what they are: a message then says what to give instead."""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from cascade_plan.evidence.texts import Text


class Unread(NamedTuple):
    """A file that is known and not read."""

    what: str
    instead: str = ""
    """What of the same tool's is read, if anything is."""


BINARY: Final = (
    (b"\x1f\x8b", Unread("a file packed by gzip", "unpack it first")),
    (b"PK\x03\x04", Unread("a zip archive", "unpack it first")),
    (b"(\xb5/\xfd", Unread("a file packed by zstd", "unpack it first")),
)
GOB: Final = (b"Latency", b"BytesOut", b"Attack")
"""Names of fields in the type that stands at the start of vegeta's binary results."""
VEGETA: Final = "run `vegeta report -type=json` on it"
K6: Final = "give what handleSummary or --summary-export writes"
JMETER: Final = "give its JTL"

OPENINGS: Final = (
    (r"\s*Running \d+\S* test @ http", Unread("the printed report of wrk or of bombardier")),
    (r"\s*Bombarding http", Unread("the printed report of bombardier")),
    (r"This is ApacheBench|Server Software:", Unread("the printed report of ab (ApacheBench)")),
    (r"Percentage served,Time in ms", Unread("the percentiles of ab (ApacheBench -e), without its counts")),
    (r"starttime\tseconds\tctime\tdtime\tttime\twait", Unread("the samples of ab (ApacheBench -g)")),
    (r"RUN\t.*\t\d{13}\t|(REQUEST|USER|GROUP)\t", Unread("the simulation.log of Gatling")),
    (r"\s*Summary:\s+Total:\s+[\d.]+ secs", Unread("the printed report of hey", "give what `hey -o csv` writes")),
    (r"Requests\s+\[total, rate", Unread("the printed report of vegeta", "give `vegeta report -type=json`")),
    (r"(Bucket\s+#|Value\(ms\)|\s+Value\s+Percentile)", Unread("a histogram (hdrplot), without counts of failures")),
    (r"\d{19},\d+,\d+,\d+,\d+,", Unread("the results of vegeta in CSV", VEGETA)),
    (r"[\s\S]*http_req_duration\.{3,}", Unread("the printed summary of k6", K6)),
    (r"[\s\S]*█ (THRESHOLDS|TOTAL RESULTS)", Unread("the printed summary of k6", K6)),
    (r"Type\s+Name\s+# reqs", Unread("the printed table of Locust", "give what `locust --csv PREFIX` writes")),
    (r"\s*<!doctype html|\s*<html", Unread("a page (HTML)", "give the files that the tool writes for programs")),
    (r"sampler_label,aggregate_report_count|Label,# Samples", Unread("the aggregate report of JMeter", JMETER)),
    (
        r"\d{13},\d+,[^,]*,[^,]*,[^,]*,",
        Unread(
            "what looks like JMeter's samples without a header", "set jmeter.save.saveservice.print_field_names=true"
        ),
    ),
    (r"label,samples,|Label,Samples,", Unread("a report of JMeter or BlazeMeter by label", JMETER)),
    (r"finished in .*req/s|starting benchmark\.\.\.", Unread("the printed report of h2load")),
    (r"\*\* SIEGE|\{\s*\"transactions\":", Unread("the report of siege")),
)
"""What a text begins with, and what it then is."""

DOCUMENTS: Final = (
    (("aggregate",), Unread("the report of Artillery")),
    (("connections", "pipelining"), Unread("the report of autocannon")),
    (("summary", "responseTimeHistogram"), Unread("the report of oha")),
    (("RunType", "DurationHistogram"), Unread("the report of Fortio")),
    (("spec", "result"), Unread("the report of bombardier")),
    (("Total",), Unread("the statistics.json of JMeter's dashboard", JMETER)),
    (("type", "contents", "stats"), Unread("the stats.json of Gatling")),
    (("numberOfRequests", "percentiles1"), Unread("the statistics of Gatling (global_stats.json)")),
    (("log",), Unread("a recording of a browser (HAR)")),
    (("buckets",), Unread("a histogram, without counts of failures")),
    (("averageLatency", "latencyDistribution"), Unread("the report of ghz")),
    (("data", "status"), Unread("an answer of Prometheus", "metrics of the system are no load test")),
    (("kind", "tiers"), Unread("a scenario or a plan of cascade-plan")),
    (("figures", "verdicts"), Unread("a plan of cascade-plan")),
)
"""What keys a JSON document has at its top, and what it then is."""
VEGETA_RESULT: Final = {"attack", "seq", "code", "latency"}


def recognised(file: Text) -> Unread | None:
    """Return what a file is that no reader takes; None where nothing tells it."""
    if (binary := next((found for start, found in BINARY if file.head.startswith(start)), None)) is not None:
        return binary
    if all(name in file.head for name in GOB):
        return Unread("the binary results of vegeta", VEGETA)
    if isinstance(file.first, dict) and {*file.first} >= VEGETA_RESULT:
        return Unread("the results of vegeta one by one (vegeta encode)", VEGETA)
    if (found := _document(file.document)) is not None:
        return found
    opening = file.opening.lstrip("\n\r ")
    return next((found for start, found in OPENINGS if re.match(start, opening, re.IGNORECASE)), None)


def _document(document: Any) -> Unread | None:
    if isinstance(document, list) and document and isinstance(document[0], dict):
        if {"num_requests", "response_times"} <= {*document[0]}:
            return Unread(
                "the report of Locust's --json, without its history", "give what `locust --csv PREFIX` writes"
            )
        return None
    if not isinstance(document, dict):
        return None
    return next((found for keys, found in DOCUMENTS if {*keys} <= {*document}), None)
