"""Results are read as the tools write them; what is no result gets one clear message."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runs import HISTORY, STATS, k6_load, k6_summary, locust_history, locust_stats

from cascade_plan.errors import UsageError
from cascade_plan.evidence.readers import k6 as k6_reader
from cascade_plan.evidence.readers.locust import measured as locust
from cascade_plan.evidence.readers.locust import rounding_ms
from cascade_plan.evidence.texts import Text
from cascade_plan.model.measurement import Measurement


def k6(file: Text) -> Mapping[str, Measurement]:
    return k6_reader.read(file, lambda name: None)


FAILURES = "Method,Name,Error,Occurrences,First Seen,Last Seen\n"
RAMP = [(0, 0), (500, 100), (1000, 300)]


def test_locust_measures_what_it_measured() -> None:
    history = locust_history([*RAMP, (1000, 20), (1000, 520), (1000, 1020), (900, 1400)])
    failures = Text(f"{FAILURES}GET,/a,status 500,3,,\nPOST,/b,status 502,7,,\n", "run_failures.csv")
    found = locust(locust_stats(failures=10, mean=91.5), history, failures)[""]
    assert (found.tool, found.user_count, found.held_s, found.request_count) == ("Locust", 1000, 2.0, 6000)
    assert (found.latency_ms_mean, found.failure_ratio) == (91.5, 10 / 6000)
    assert {name: one.latency_ms for name, one in found.percentiles.items()} == {"p50": 80, "p95": 190, "p99": 400}
    assert [(one.what, one.count) for one in found.failures] == [("POST /b: status 502", 7), ("GET /a: status 500", 3)]


def test_a_total_that_starts_anew_leaves_the_ramp_out() -> None:
    found = locust(locust_stats(requests=6000), locust_history([*RAMP, (1000, 20), (1000, 520)]), None)[""]
    assert found.ramp_included is False
    assert found.requests_per_s == 100, "the total's own"


def test_a_total_that_goes_on_includes_the_ramp_and_the_rate_is_that_of_all_users() -> None:
    found = locust(locust_stats(requests=6000), locust_history([*RAMP, (1000, 800), (1000, 1300)]), None)[""]
    assert found.ramp_included is True
    assert (found.held_s, found.requests_per_s) == (2, 500)


def test_without_a_history_users_and_duration_are_unknown() -> None:
    found = locust(locust_stats(), None, None)[""]
    assert (found.user_count, found.held_s, found.ramp_included, found.requests_per_s) == (None, None, None, 100)


@given(st.floats(0, 99_000))
def test_no_percentile_is_further_from_the_truth_than_its_rounding(true_ms: float) -> None:
    """With Locust's own rounding (locust/stats.py, bucket_response_time), and with the emitted file's three digits."""
    steps = [(100, 0), (1000, -1), (10_000, -2), (10**9, -3)]
    two = int(round(true_ms, next(digits for below, digits in steps if true_ms < below)))
    three = int(round(true_ms, min(0, 3 - len(str(int(true_ms))))))
    for reported in (two, three):
        assert abs(reported - true_ms) <= rounding_ms(reported)


def test_the_installed_locust_rounds_as_assumed() -> None:
    """Read, not imported: Locust changes the standard library of the process it is imported in."""
    from importlib.util import find_spec
    from pathlib import Path

    spec = find_spec("locust")
    assert spec is not None
    assert spec.origin is not None
    source = (Path(spec.origin).parent / "stats.py").read_text(encoding="utf-8")
    code = source.partition("def bucket_response_time")[2].partition("\n\n\n")[0]
    made: dict[str, object] = {}
    exec("def bucket_response_time" + code, made)
    bucket = made["bucket_response_time"]
    assert callable(bucket)
    for true_ms in [*range(0, 1200), *range(1200, 99_000, 7)]:
        assert abs(bucket(true_ms) - true_ms) <= rounding_ms(bucket(true_ms))


BAD_STATS = (
    ("", "the file is empty"),
    ("\n", "the file is empty"),
    (STATS, "a header and no rows"),
    ("a,b\n1,2\n", "it has no column Type, Name, Request Count"),
    (STATS.replace(",95%", ""), "it has no column 95%"),
    ("timeStamp,elapsed,label,responseCode\n1,2,a,200\n", "not a file that Locust's --csv writes"),
    (locust_stats().text.replace("Aggregated", "Total of all"), "no row named Aggregated"),
    (locust_stats(requests=0).text.replace("80", "N/A"), "no request was made"),
    (locust_stats().text.replace("190", "N/A"), "95% must be a number of 0 or more, not 'N/A'"),
    (locust_stats().text.replace("190", "nan"), "95% must be a number of 0 or more, not 'nan'"),
    (locust_stats().text.replace("190", "-5"), "95% must be a number of 0 or more, not '-5'"),
    (locust_stats().text.replace("6000,0", "6000,0.5"), "Failure Count must be a whole number, not '0.5'"),
    (locust_stats().text[:-30], "95% must be a number of 0 or more, not 'None'"),
    ('a,"b\n', "no CSV: unexpected end of data"),
    (STATS + "x" * 200_000 + "\n", "no CSV: field larger than field limit"),
)


@pytest.mark.parametrize(("text", "message"), BAD_STATS)
def test_what_is_not_locusts_statistics(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        locust(Text(text, "x_stats.csv"), None, None)
    assert str(caught.value).startswith("x_stats.csv: ")
    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HISTORY, "a header and no rows"),
        (STATS, "it has no column Timestamp"),
        (locust_history(RAMP).text.replace("1001,", "inf,"), "Timestamp must be a number"),
        (locust_history(RAMP).text.replace("Aggregated", "other"), "no row named Aggregated"),
    ],
)
def test_what_is_not_locusts_history(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        locust(locust_stats(), Text(text, "x_stats_history.csv"), None)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    for read in (lambda: locust(Text(text, "x"), None, None), lambda: k6(Text(text, "x"))):
        with pytest.raises(UsageError):
            read()


@pytest.mark.parametrize("exported", [True, False])
def test_k6_measures_each_load_of_the_emitted_script(exported: bool) -> None:
    found = k6(k6_summary(exported, **k6_load("a"), **k6_load("b", p95=210.0, users=50)))
    assert list(found) == ["a", "b"]
    one = found["b"]
    assert (one.tool, one.user_count, one.held_s, one.request_count) == ("k6", 50, 599.5, 6000)
    assert one.requests_per_s == 6000 / 599.5
    assert (one.failure_count, one.ramp_included) == (30, False)
    assert {name: (p.latency_ms, p.rounding_ms) for name, p in one.percentiles.items()} == {
        "p50": (71.0, 0.0), "p95": (210.0, 0.0), "p99": (420.0, 0.0)
    }  # fmt: skip


def test_a_load_that_k6_was_not_asked_to_run_is_left_out() -> None:
    assert list(k6(k6_summary(**k6_load("a"), **k6_load("b", requests=0)))) == ["a"]


@pytest.mark.parametrize("exported", [True, False])
def test_k6_without_the_emitted_tags_is_one_run(exported: bool) -> None:
    rate = {"value": 0.01, "passes": 1, "fails": 99} if exported else {"rate": 0.01, "passes": 1, "fails": 99}
    duration = {"avg": 5.0, "med": 4.0, "p(90)": 8.0, "p(95)": 9.0}
    found = k6(k6_summary(exported, http_req_duration=duration, http_reqs={"count": 100, "rate": 10.0},
                          http_req_failed=rate, vus={"value": 1, "min": 1, "max": 20}))[""]  # fmt: skip
    assert (found.user_count, found.held_s, found.requests_per_s, found.failure_count) == (20, None, 10.0, 1)
    assert set(found.percentiles) == {"p50", "p95"}
    assert found.ramp_included is True


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "no JSON of k6's summary"),
        ('{"type":"Metric","data":{}}\n{"type":"Point"}\n', "`k6 --out json` writes samples"),
        ("[1]", "not k6's summary"),
        ('{"metrics": {"vus": {}}}', "it has no metrics.http_req_duration"),
        ('{"metrics": {"http_req_duration": 5}}', "metrics.http_req_duration is no metric"),
        ('{"metrics": {"http_req_duration": {"avg": 1}}}', "no request was made while all users were there"),
        (k6_summary(**k6_load("a", p95=float("nan"))).text, r"http_req_duration\{load:a,phase:hold\} p\(95\) must be"),
        ('{"metrics": {"http_req_duration": {"avg": 1}, "http_reqs": {"count": 5}}}', "has no rate between 0 and 1"),
        ("[" * 100_000, "no JSON of k6's summary"),
    ],
)
def test_what_is_not_k6s_summary(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        k6(Text(text, "summary.json"))
