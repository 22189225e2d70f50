"""Locust's files are read as each of its releases wrote them; what is none of them gets one clear message."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from runs import HISTORY, STATS, locust_history, locust_row, locust_stats

from cascade_plan.errors import UsageError
from cascade_plan.evidence.readers import locust, locust_before_0_13
from cascade_plan.evidence.readers._locust import rounding_ms
from cascade_plan.evidence.texts import Text, held
from cascade_plan.model.measurement import Measurement

FAILURES = "Method,Name,Error,Occurrences,First Seen,Last Seen\n"
RAMP = [(0, 0), (500, 100), (1000, 300)]
RAMP_AND_FIRST = ("the ramp", "the first seconds with all users")

# Of Locust 0.13.5 and 0.14.6, of 0.11.0: the columns as their source writes them.
STATS_0_14 = (
    '"Type","Name","# requests","# failures","Median response time","Average response time","Min response time",'
    '"Max response time","Average Content Size","Requests/s","Requests Failed/s","50%","66%","75%","80%","90%","95%",'
    '"98%","99%","99.9%","99.99%","99.999","100%"\n'
    '"GET","/a",9000,18,7,9,2,412,900,30.00,0.06,7,9,11,12,16,21,33,44,90,150,200,412\n'
    '"None","Aggregated",9000,18,7,9,2,412,900,30.00,0.06,7,9,11,12,16,21,33,44,90,150,200,412'
)
HISTORY_0_14 = (
    '"Type","Name","Timestamp","# requests","# failures","Requests/s","Requests Failed/s","Median response time",'
    '"Average response time","Min response time","Max response time","Average Content Size","50%","66%","75%","80%",'
    '"90%","95%","98%","99%","99.9%","99.99%","99.999","100%"\n\n'
    '"None","Aggregated","1577836800",0,0,0.00,0.00,0,0,0,0.00,0.00,"N/A","N/A","N/A","N/A","N/A","N/A","N/A","N/A",'
    '"N/A","N/A","N/A","N/A"\n'
    '"None","Aggregated","1577837100",9000,18,30.00,0.06,7,9,2,412.00,900.00,7,9,11,12,16,21,33,44,90,150,200,412\n'
)
REQUESTS_0_11 = (
    '"Method","Name","# requests","# failures","Median response time","Average response time","Min response time",'
    '"Max response time","Average Content Size","Requests/s"\n'
    '"GET","/a",9000,18,7,9,2,412,900,30.00\n"None","Total",9000,18,7,9,2,412,900,30.00'
)
DISTRIBUTION_0_11 = (
    '"Name","# requests","50%","66%","75%","80%","90%","95%","98%","99%","100%"\n'
    '"GET /a",9000,7,9,11,12,16,21,33,44,412\n"None Total",9000,7,9,11,12,16,21,33,44,412'
)


def nothing(name: str) -> Text | None:
    return None


def measured(stats: Text, history: Text | None = None, failures: Text | None = None) -> Measurement:
    return locust.measured(stats, history, failures)


def test_locust_measures_what_it_measured() -> None:
    history = locust_history([*RAMP, (1000, 20), (1000, 520), (1000, 1020), (900, 1400)])
    failures = held("run_failures.csv", f"{FAILURES}GET,/a,status 500,3,,\nPOST,/b,status 502,7,,\n")
    found = measured(locust_stats(failures=10, mean=91.5), history, failures)
    assert (found.tool, found.user_count, found.held_s, found.request_count) == ("Locust", 1000, 2.0, 6000)
    assert (found.latency_ms_mean, found.failure_ratio) == (91.5, 10 / 6000)
    assert {name: one.latency_ms for name, one in found.percentiles.items()} == {"p50": 80, "p95": 190, "p99": 400}
    assert [(one.what, one.count) for one in found.failures] == [("POST /b: status 502", 7), ("GET /a: status 500", 3)]


def test_a_total_that_starts_anew_leaves_the_ramp_out() -> None:
    found = measured(locust_stats(requests=6000), locust_history([*RAMP, (1000, 20), (1000, 520)]))
    assert found.includes == ("the first seconds with all users",), "--reset-stats forgets the ramp and no more"
    assert (found.requests_per_s, found.rate_includes_ramp) == (100, False), "the total's own"


def test_a_total_that_starts_anew_when_users_have_settled_leaves_the_first_seconds_out_too() -> None:
    settling = [(1000, 300 + 500 * second) for second in range(7)]
    found = measured(locust_stats(requests=6000), locust_history([*RAMP, *settling, (1000, 20), (1000, 520)]))
    assert (found.includes, found.may_include, found.held_s) == ((), (), 1.0)


def test_a_total_that_starts_anew_after_a_ramp_of_few_requests_is_told_by_its_rate() -> None:
    """20 users who come within a second: the count never falls, but 57 requests at 19 a second are 3 s of the 6."""
    points = [(0, 0), (20, 1), (20, 2), (20, 3), (20, 19), (20, 38), (20, 57)]
    found = measured(locust_stats(requests=57, rate=19.0), locust_history(points))
    assert found.includes == ()
    assert (found.held_s, found.requests_per_s) == (3, 19)


def test_a_total_that_goes_on_includes_the_ramp_and_the_rate_is_that_of_all_users() -> None:
    found = measured(locust_stats(requests=1300, rate=325.0), locust_history([*RAMP, (1000, 800), (1000, 1300)]))
    assert found.includes == RAMP_AND_FIRST
    assert (found.held_s, found.requests_per_s, found.rate_includes_ramp) == (2, 500, False)


def test_users_who_leave_in_between_are_not_held() -> None:
    points = [*RAMP, *[(1000, 0)] * 2, *[(1000, 100)] * 4, (400, 100), *[(1000, 200)] * 3]
    assert measured(locust_stats(), locust_history(points)).held_s == 5


def test_without_a_history_users_and_duration_are_unknown() -> None:
    found = measured(locust_stats())
    assert (found.user_count, found.held_s, found.requests_per_s) == (None, None, 100)
    assert (found.includes, found.may_include, found.rate_includes_ramp) == ((), RAMP_AND_FIRST, True)


def test_a_history_that_does_not_move_is_no_rate_of_nothing() -> None:
    """Requests/s of the history stood still (locust 2.14): the total's own counts."""
    points = [(30, requests) for requests in range(0, 60, 2)]
    found = measured(locust_stats(requests=58, rate=2.0), locust_history(points))
    assert (found.user_count, found.held_s, found.requests_per_s) == (30, 29, 2)


def test_a_system_that_stops_answering_is_not_asked_at_the_rate_before() -> None:
    """Locust's own rate is up to the last answer: 500 a second for 60 s of 600, and then nothing."""
    points = [(1000, 500 * min(second, 60)) for second in range(601)]
    found = measured(locust_stats(requests=30_000, rate=500.0), locust_history([(0, 0), *points]))
    assert (found.held_s, found.requests_per_s) == (600, 50)


def test_workers_who_report_every_three_seconds_make_no_slow_run() -> None:
    """The last report comes when the users have left: 100 a second for 15 s of which the history has seen 12."""
    points = [*[(20, 0)] * 3, *[(20, 300 * (second // 3)) for second in range(15)], (0, 1500)]
    found = measured(locust_stats(requests=1500, rate=100.0), locust_history([(0, 0), *points]))
    assert found.requests_per_s == 100


# --------------------------------------------------------------------------------------------------------- the logins


def login(requests: int = 20, **numbers: float) -> str:
    return locust_row("login", requests=requests, method="POST", mean=900, p50=900, p95=950, p99=990, **numbers)


def test_logins_that_the_total_leaves_out_are_said_and_change_nothing() -> None:
    found = measured(locust_stats(locust_row(), login()))
    assert (found.request_count, found.percentiles["p95"].latency_ms) == (6000, 190)
    assert found.remarks == ("20 logins counted apart",)


def test_logins_that_the_total_counts_are_taken_out_of_it() -> None:
    """20 users: each of their logins is slower than the p95 of what they did, and makes the total's."""
    rows = (locust_row("/a", requests=300, p95=12, failures=3, mean=8), locust_row("/b", requests=80, p95=14, mean=16))
    total = {"requests": 400, "failures": 3, "rate": 20.0, "mean": 53.5, "p95": 930}
    found = measured(locust_stats(*rows, login(), **total))
    assert (found.request_count, found.failure_count) == (380, 3)
    assert found.requests_per_s == pytest.approx(19)
    assert found.latency_ms_mean == pytest.approx((300 * 8 + 80 * 16) / 380)
    p95 = found.percentiles["p95"]
    assert (p95.latency_ms_min, p95.latency_ms, p95.latency_ms_max) == (11.5, 14.5, 14.5)
    assert "the total counts 20 logins: judged are the other rows" in found.remarks[0]


def test_nothing_but_logins_is_nothing_to_judge() -> None:
    with pytest.raises(UsageError, match="no request was made but 20 logins, of which 20 failed, so there is nothing"):
        measured(locust_stats(login(failures=20), requests=0))


@given(st.lists(st.lists(st.integers(1, 90), min_size=1, max_size=40), min_size=1, max_size=4))
def test_a_percentile_of_rows_together_lies_within_those_of_the_rows(rows: list[list[int]]) -> None:
    """The bound that takes the logins out, against the requests themselves (nearest rank, as Locust's)."""

    def p95(values: list[int]) -> int:
        return sorted(values)[-(-95 * len(values) // 100) - 1]

    together = [value for row in rows for value in row]
    made = [
        locust_row(f"/{place}", requests=len(row), p50=1, p95=p95(row), p99=p95(row)) for place, row in enumerate(rows)
    ]
    stats = locust_stats(*made, login(), requests=len(together) + 20, p50=1, p95=950, p99=990)
    found = measured(stats).percentiles["p95"]
    assert found.latency_ms_min <= p95(together) <= found.latency_ms_max


def test_a_route_named_as_the_total_is_no_total() -> None:
    found = measured(locust_stats(locust_row("Aggregated", p95=5), locust_row(), requests=12_000))
    assert (found.request_count, found.percentiles["p95"].latency_ms) == (12_000, 190)


# -------------------------------------------------------------------------------------------------------- the releases


def test_locust_0_13_and_0_14() -> None:
    found = measured(held("r_stats.csv", STATS_0_14), held("r_stats_history.csv", HISTORY_0_14))
    assert (found.request_count, found.failure_count, found.requests_per_s) == (9000, 18, 30)
    assert {name: one.latency_ms for name, one in found.percentiles.items()} == {"p50": 7, "p95": 21, "p99": 44}
    assert (found.user_count, found.held_s, found.run_s) == (None, None, 300), "their history has no users"


@pytest.mark.parametrize("given_first", ["_requests.csv", "_distribution.csv"])
def test_locust_0_11_and_0_12_are_read_from_both_their_files(given_first: str) -> None:
    files = {
        f"r{ending}": held(f"r{ending}", text)
        for ending, text in (("_requests.csv", REQUESTS_0_11), ("_distribution.csv", DISTRIBUTION_0_11))
    }
    file = files[f"r{given_first}"]
    assert locust_before_0_13.claims(file)
    assert not locust.claims(file)
    found = locust_before_0_13.read(file, files.get)[""]
    assert (found.request_count, found.failure_count, found.requests_per_s) == (9000, 18, 30)
    assert {name: one.latency_ms for name, one in found.percentiles.items()} == {"p50": 7, "p95": 21, "p99": 44}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("r_requests.csv", REQUESTS_0_11, "its percentiles are in r_distribution.csv: give both"),
        ("r_distribution.csv", DISTRIBUTION_0_11, "its counts are in r_requests.csv: give both"),
        ("other.csv", REQUESTS_0_11, "its percentiles are in PREFIX_distribution.csv: give both"),
    ],
)
def test_one_file_of_locust_0_11_names_the_other(name: str, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        locust_before_0_13.read(held(name, text), nothing)


def test_a_distribution_of_another_run_is_refused() -> None:
    other = held("r_distribution.csv", DISTRIBUTION_0_11.replace("9000", "17"))
    with pytest.raises(UsageError, match="are both of one run"):
        locust_before_0_13.read(held("r_requests.csv", REQUESTS_0_11), lambda name: other)


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


# ------------------------------------------------------------------------------------------------------- what is wrong

GOOD = STATS + locust_row() + locust_row("Aggregated", method="")
BAD_STATS = (
    ("", "the file is empty"),
    ("\n", "the file is empty"),
    (STATS, "a header and no rows"),
    ("a,b\n1,2\n", "it has no column Name, Request Count"),
    (STATS.replace(",95%", ""), "it has no column 95%"),
    (GOOD.replace("Aggregated", "Total of all"), "no row named Aggregated"),
    (GOOD.replace("6000", "0").replace("80", "N/A"), "no request was made"),
    (GOOD.replace("190", "N/A"), ":3: 95% must be a number from 0 to 1e+15, not 'N/A'"),
    (GOOD.replace("190", "nan"), ":3: 95% must be a number from 0 to 1e+15, not 'nan'"),
    (GOOD.replace("190", "-5"), ":3: 95% must be a number from 0 to 1e+15, not '-5'"),
    (GOOD.replace("6000,0", "6000,0.5"), ":3: Failure Count must be a whole number, not '0.5'"),
    (GOOD.replace("6000", "9" * 400), ":2: Request Count must be a number from 0 to 1e+15"),
    (GOOD[:-30], ":3: 15 fields for 22 columns: the row is cut short"),
    ('a,"b\n', "it has no column"),
    (STATS + 'GET,"/a\n', "no CSV: unexpected end of data"),
    (STATS + "x" * 200_000 + "\n", "no CSV: field larger than field limit"),
    (STATS + "x" * 2_000_000 + "\n", ":2: longer than the 1,048,576 characters of a line"),
)


@pytest.mark.parametrize(("text", "message"), BAD_STATS)
def test_what_is_not_locusts_statistics(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        measured(held("x_stats.csv", text))
    assert str(caught.value).startswith("x_stats.csv:")
    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


GOOD_HISTORY = HISTORY + "".join(
    f"{1000 + second},{users},,Aggregated,1.0,0.0,{','.join('0' * 11)},{requests},0,1,1.0,1,1,1\n"
    for second, (users, requests) in enumerate(RAMP)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HISTORY, "no row named Aggregated"),
        (STATS, "it has no column Timestamp"),
        (GOOD_HISTORY.replace("1001,", "inf,"), ":3: Timestamp must be a number"),
        (GOOD_HISTORY.replace("1001,", "1,"), "its times go back"),
        (GOOD_HISTORY.replace("Aggregated", "other"), "no row named Aggregated"),
    ],
)
def test_what_is_not_locusts_history(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        measured(locust_stats(), held("x_stats_history.csv", text))


@pytest.mark.parametrize("name", ["history.csv", "failures.csv"])
def test_a_companion_alone_asks_for_the_statistics(name: str) -> None:
    text = GOOD_HISTORY if name == "history.csv" else FAILURES
    assert locust.claims(held(name, text))
    with pytest.raises(UsageError, match=r"another file of Locust's --csv: give PREFIX_stats\.csv"):
        locust.read(held(name, text), nothing)


@given(st.sampled_from((",", ";", "\t", "|")), st.booleans(), st.sampled_from(("\n", "\r\n", "\r")))
@example(";", True, "\r\n")
def test_separator_bom_and_line_ends_change_nothing(separator: str, bom: bool, end: str) -> None:
    text = GOOD.replace(",", separator).replace("\n", end)
    data = ("\ufeff" if bom else "").encode() + text.encode()
    for encoded in (data, text.encode("utf-16")):
        found = measured(held("run_stats.csv", encoded))
        assert (found.request_count, found.percentiles["p95"].latency_ms) == (6000, 190)
