"""What a file of results is, is told by what stands in it; any file is read, or refused in one line."""

from __future__ import annotations

import gzip
import json
from functools import cache
from itertools import cycle

import pytest
from factories import make_plan, make_scenario
from hypothesis import example, given
from hypothesis import strategies as st
from runs import k6_load, k6_summary, locust_history, locust_stats

from cascade_plan import registry
from cascade_plan.errors import UsageError
from cascade_plan.evidence.runs import measured
from cascade_plan.evidence.texts import Text, held
from cascade_plan.evidence.verifying import verify
from cascade_plan.model.measurement import Measurement
from cascade_plan.model.plan import Plan

K6_ROW = "http_req_duration,1700000000,5.5,,,,true,,GET,/a,HTTP/1.1,default,,200,,,http://h/a,,"
K6_COLUMNS = (
    "metric_name,timestamp,metric_value,check,error,error_code,expected_response,group,method,name,proto,scenario,"
    "service,status,subproto,tls_version,url,extra_tags,metadata"
)
K6_POINT = {
    "type": "Point", "metric": "http_req_duration",
    "data": {"time": "2024-01-01T00:00:00.5Z", "value": 5.5, "tags": {"name": "/a", "expected_response": "true"}},
}  # fmt: skip
MACHINE_READABLE = {
    "version": "1.0.0", "config": {"duration": 10.0}, "results": {"metrics": [
        {"name": "http_reqs", "values": {"count": 5}}, {"name": "http_req_duration", "values": {"med": 5, "p(95)": 9}},
    ]},
}  # fmt: skip
VEGETA = {"latencies": {"mean": 1e6, "50th": 1e6, "95th": 2e6, "99th": 3e6}, "requests": 9, "success": 1, "rate": 3}
JTL = "timeStamp,elapsed,label,responseCode,success,allThreads\n1700000000000,5,/a,200,true,1\n"
XML = '<?xml version="1.0"?>\n<testResults version="1.2">\n<sample t="5" ts="1700000000000" s="true" lb="a" na="1"/>\n'
LOCUST_0_11 = (
    '"Method","Name","# requests","# failures","Average response time","Requests/s"\n"None","Total",9,0,5,3.00\n',
    '"Name","# requests","50%","66%","95%","99%"\n"None Total",9,5,5,9,9\n',
)
FILES = {
    "run_stats.csv": locust_stats().text,
    "run_stats_history.csv": locust_history([(0, 0), (10, 5), (10, 500)]).text,
    "old_requests.csv": LOCUST_0_11[0],
    "old_distribution.csv": LOCUST_0_11[1],
    "summary.json": k6_summary(http_reqs={"count": 5, "rate": 1.0}, http_req_failed={"rate": 0}).text,
    "emitted.json": k6_summary(True, **k6_load("normal")).text,
    "machine.json": json.dumps(MACHINE_READABLE),
    "k6.csv": f"{K6_COLUMNS}\n{K6_ROW}\n",
    "k6.ndjson": json.dumps({"type": "Metric", "metric": "vus", "data": {}}) + "\n" + json.dumps(K6_POINT),
    "a.jtl": JTL,
    "a.xml": f"{XML}</testResults>\n",
    "hey.csv": "response-time,DNS+dialup,DNS,status-code,offset\n0.1,0,0,200,0.5\n",
    "vegeta.json": json.dumps(VEGETA),
}
"""A file of each form that is read."""
TOOLS = {"run": "Locust", "old": "Locust", "hey": "hey", "vegeta": "vegeta", "a": "JMeter"}


def found(files: dict[str, Text], name: str) -> dict[str, Measurement]:
    return dict(measured(name, None, files.get, lambda _: None))


def refusal(content: str | bytes, name: str = "results") -> str:
    with pytest.raises(UsageError) as caught:
        found({name: held(name, content)}, name)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert message.isprintable()
    return message


@pytest.mark.parametrize("name", FILES)
def test_each_form_is_claimed_by_one_reader_whatever_it_is_called(name: str) -> None:
    file = held("anything.txt", FILES[name])
    readers = {each: registry.load("evidence/readers", each) for each in registry.names("evidence/readers")}
    assert len([each for each, reader in readers.items() if reader.claims(file)]) == 1
    (one,) = found({each: held(each, text) for each, text in FILES.items()}, name).values()
    assert one.tool == TOOLS.get(name.partition(".")[0].partition("_")[0], "k6")
    assert set(one.percentiles) >= {"p50", "p95"}


def test_a_wrong_name_misleads_nobody() -> None:
    (one,) = found({"x_stats.csv": held("x_stats.csv", JTL)}, "x_stats.csv").values()
    assert one.tool == "JMeter"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("Running 30s test @ http://h/\n  2 threads and 10 connections\n", "the printed report of wrk"),
        ("This is ApacheBench, Version 2.3 <$Revision$>\n", "the printed report of ab"),
        ("Percentage served,Time in ms\n0,1.2\n1,1.3\n", "the percentiles of ab"),
        ("starttime\tseconds\tctime\tdtime\tttime\twait\nMon\t1\t0\t1\t1\t1\n", "the samples of ab"),
        ("RUN\tcomputerdatabase.Basic\tbasic\t1700000000000\t \t3.9.5\n", "the simulation.log of Gatling"),
        ('{"type": "GROUP", "name": "All Requests", "contents": {}, "stats": {}}', "the stats.json of Gatling"),
        ('{"aggregate": {"counters": {}}, "intermediate": []}', "the report of Artillery"),
        ('{"url": "http://h", "connections": 10, "pipelining": 1, "latency": {}}', "the report of autocannon"),
        ('{"summary": {}, "responseTimeHistogram": {}}', "the report of oha"),
        ("\nSummary:\n  Total:\t1.0000 secs\n  Slowest:\t0.1 secs\n", "the printed report of hey"),
        ("Requests      [total, rate, throughput]  9, 3.0, 3.0\n", "the printed report of vegeta"),
        ('{"attack":"","seq":0,"code":200,"timestamp":"x","latency":5}\n' * 2, "the results of vegeta one by one"),
        ("1700000000000000000,200,5000000,0,12,,aGk=,,0,GET,http://h,\n", "the results of vegeta in CSV"),
        (b"\x3f\xff\x81\x03\x01\x01\x06Result\x01\xff\x82\x00\x01\x0c\x01\x06Attack\x01\x0c\x00\x01\x07Latency\x01"
         b"\x04\x00\x01\x08BytesOut\x01\x06\x00", "the binary results of vegeta"),
        ("     http_req_duration.......: avg=5ms min=1ms med=4ms\n", "the printed summary of k6"),
        ("  █ TOTAL RESULTS \n\n    HTTP\n    http_reqs: 5\n", "the printed summary of k6"),
        ("Type     Name      # reqs      # fails |    Avg\n", "the printed table of Locust"),
        ('[{"name": "/a", "num_requests": 5, "response_times": {"5": 1}}]', "the report of Locust's --json"),
        ("<!DOCTYPE html>\n<html><head><title>Locust</title>", "a page (HTML)"),
        ("sampler_label,aggregate_report_count,average\n/a,5,5\n", "the aggregate report of JMeter"),
        ("1700000000000,5,/a,200,OK,Thread 1-1,text,true,,5,5,1,1\n", "what looks like JMeter's samples without a"),
        ('{"Total": {"transaction": "Total", "sampleCount": 5}}', "the statistics.json of JMeter's dashboard"),
        ('{"status": "success", "data": {"resultType": "matrix"}}', "an answer of Prometheus"),
        (gzip.compress(K6_ROW.encode(), mtime=0), "a file packed by gzip: unpack it first"),
    ],
)  # fmt: skip
def test_what_is_known_and_not_read_is_named(content: str | bytes, what: str) -> None:
    message = refusal(content)
    assert message.startswith(f"results: this is {what}")
    for tool in ("Locust's", "k6's", "JMeter's", "hey's", "vegeta's"):
        assert tool in message.partition("verify reads ")[2]


@pytest.mark.parametrize("name", FILES)
def test_a_file_cut_short_is_never_read_as_if_it_were_whole(name: str) -> None:
    """Wherever it is cut but at the end of a row, which nobody can tell: the cut row is refused with its line."""
    text = FILES[name].rstrip("\n")
    files = {each: held(each, other) for each, other in FILES.items()}
    for end in {len(text) // 3, len(text) // 2, len(text) - len(text.split("\n")[-1]) // 2 - 1}:
        cut = {**files, name: held(name, text[:end])}
        with pytest.raises(UsageError):
            found(cut, name)


@given(st.sampled_from(sorted(FILES)), st.booleans(), st.sampled_from(("utf-8", "utf-8-sig", "utf-16")))
@example("hey.csv", True, "utf-16")
def test_bom_line_ends_and_encoding_change_nothing(name: str, is_windows: bool, encoding: str) -> None:
    text = FILES[name].replace("\n", "\r\n") if is_windows else FILES[name]
    files = {each: held(each, other) for each, other in FILES.items()}
    assert found({**files, name: held(name, text.encode(encoding))}, name) == found(files, name)


TOKENS = (
    b"nan", b"NaN", b"Infinity", b"-1", b"-0", b"1e400", b"9" * 400, b"0.5", b"null", b"true", b"{}", b"[]", b'""',
    b'"', b",", b";", b"\n", b"\r", b"\x00", b"\xff", b"\xef\xbb\xbf", b"<", b"&", b"\xf0\x9f\x98\x80", b"\\ud800",
    b"0", b"{load:\\ud800,phase:hold}", b"{load:,phase:hold}", b"Aggregated", b"login", b"1,234",
    b"1e999999999", b"1_000",
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, bytes]:
    """Return a file of some form with a few places of it replaced, left out or repeated."""
    name = draw(st.sampled_from(sorted(FILES)))
    data = FILES[name].encode()
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 12)))
        data = (
            data[:start]
            + draw(st.sampled_from(TOKENS) | st.binary(max_size=4) | st.just(data[start:end] * 2))
            + data[end:]
        )
    return name, data


@cache
def subject() -> Plan:
    return make_plan(make_scenario(gates={}), predicted=True)


def judged(files: dict[str, Text], name: str) -> None:
    """Read, judge and report a file, or have it refused in one printable line."""
    try:
        measurements = found(files, name)
    except UsageError as error:
        measurements, message = {}, str(error).encode().decode()
    else:
        message = ""
    assert len(message.splitlines()) == (0 if measurements else 1)
    for measurement in measurements.values():
        verification = verify(subject(), "normal", measurement)
        for format_ in registry.names("reports/verifications"):
            registry.load("reports/verifications", format_).render(verification).encode()


@given(mutated())
@example(("emitted.json", FILES["emitted.json"].replace("load:normal", "load:\\ud800").encode()))
def test_any_change_of_a_file_is_read_or_refused(file: tuple[str, bytes]) -> None:
    name, data = file
    judged({**{each: held(each, text) for each, text in FILES.items()}, name: held(name, data)}, name)


@given(st.binary(max_size=300), st.sampled_from(("x", "x_stats.csv", "x.json", "x_distribution.csv")))
def test_any_bytes_are_read_or_refused(data: bytes, name: str) -> None:
    judged({name: held(name, data)}, name)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                        st.sampled_from(("metrics", "results", "version", "values", "latencies", "requests", "success",
                                         "http_req_duration", "http_reqs", "count", "rate", "name", "state")),
                        inner, max_size=5), max_leaves=20))  # fmt: skip
def test_any_document_is_read_or_refused(document: object) -> None:
    judged({"x": held("x", json.dumps(document))}, "x")


def test_a_million_rows_are_read_without_holding_them() -> None:
    """A row is 25 bytes of numbers once it is read: here of 60,000 rows, beside the text that a test must make."""
    import tracemalloc

    rows = [f"{1_700_000_000_000 + each},{each % 97},/a,200,true,10\n" for each in range(60_000)]
    files = {"big.jtl": held("big.jtl", JTL.partition("\n")[0] + "\n" + "".join(rows))}
    found(files, "big.jtl")
    tracemalloc.start()
    (one,) = found(files, "big.jtl").values()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (one.request_count, one.percentiles["p95"].latency_ms) == (60_000, 92.0)
    assert most < 60_000 * 150, "a list of rows is 800 bytes each"


def test_the_readers_read_a_directory_of_the_run_that_is_asked_for() -> None:
    names = ["normal_stats.csv", "normal_stats_history.csv", "peak_stats.csv", "peak_failures.csv", "notes.txt"]
    stats = cycle([locust_stats().text])
    files = {f"dir/{name}": held(f"dir/{name}", next(stats)) for name in names if name.endswith("_stats.csv")}
    (one,) = measured("dir", "peak", files.get, lambda _: names).values()
    assert one.source == "dir/peak_stats.csv"
    with pytest.raises(UsageError, match=r"dir holds normal_stats\.csv, peak_stats\.csv: name one"):
        measured("dir", None, files.get, lambda _: names)
