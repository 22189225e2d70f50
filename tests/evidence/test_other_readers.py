"""JMeter's, hey's and vegeta's results are read as they write them; what is none gets one clear message."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.errors import UsageError
from cascade_plan.evidence.readers import hey, jmeter, jmeter_xml, vegeta
from cascade_plan.evidence.samples import longest, percentiles
from cascade_plan.evidence.texts import Text, held
from cascade_plan.model.measurement import Measurement


def nothing(name: str) -> Text | None:
    return None


def read(reader: ModuleType, text: str) -> Measurement:
    file = held("r", text)
    assert reader.claims(file)
    found: Mapping[str, Measurement] = reader.read(file, nothing)
    return found[""]


def latencies(found: Measurement) -> dict[str, float]:
    return {name: one.latency_ms for name, one in found.percentiles.items()}


# -------------------------------------------------------------------------------------------------------- percentiles


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=300))
def test_percentiles_are_the_nearest_ranks(values: list[float]) -> None:
    """The least value with at least that share of all at or below it: the definition itself."""
    for name, found in percentiles(np.asarray(values)).items():
        share = int(name[1:])
        assert found.latency_ms == min(
            value for value in values if 100 * sum(other <= value for other in values) >= share * len(values)
        )


@given(st.lists(st.booleans(), min_size=1, max_size=30))
def test_the_longest_time_in_one_piece(there: list[bool]) -> None:
    at_s = np.arange(len(there)) ** 1.5
    pieces = [
        (at_s[start], at_s[end])
        for start in range(len(there))
        for end in range(start, len(there))
        if all(there[start : end + 1])
    ]
    found = longest(at_s, np.asarray(there))
    if not pieces:
        assert found is None
        return
    assert found is not None
    assert found in pieces
    assert found[1] - found[0] == max(end - start for start, end in pieces)


# ------------------------------------------------------------------------------------------------------------ JMeter

JTL = "timeStamp,elapsed,label,responseCode,responseMessage,success,bytes,grpThreads,allThreads\n"
START = 1_700_000_000_000


def jtl_row(second: int, elapsed: int, success: str = "true", threads: object = 10, label: str = "/a",
            message: str = "OK") -> str:  # fmt: skip
    return f"{START + second * 1000},{elapsed},{label},200,{message},{success},500,{threads},{threads}\n"


def ramp_and_hold() -> list[str]:
    """Return samples a second apart: 5 of the ramp, 900 ms each, then 20 of 1 to 20 ms with all threads."""
    ramp = [jtl_row(second, 900, threads=second + 1) for second in range(5)]
    return ramp + [jtl_row(5 + each, each + 1, "false" if each == 7 else "true") for each in range(20)]


def test_a_jtl_counts_what_was_measured_while_all_threads_were_there() -> None:
    found = read(jmeter, JTL + "".join(ramp_and_hold()))
    assert (found.tool, found.user_count, found.request_count, found.failure_count) == ("JMeter", 10, 20, 1)
    assert latencies(found) == {"p50": 10.0, "p95": 19.0, "p99": 20.0}
    assert found.held_s == pytest.approx(19.019)
    assert found.requests_per_s == pytest.approx(20 / 19.019)
    assert (found.includes, found.may_include) == (("the first seconds with all users",), ("logins",))


def test_a_jtl_leaves_out_logins_and_transactions() -> None:
    more = [
        jtl_row(10, 5000, label="Login"),
        jtl_row(11, 9000, message="Number of samples in transaction : 2; number of failing samples : 0"),
    ]
    found = read(jmeter, JTL + "".join([*ramp_and_hold(), *more]))
    assert latencies(found)["p99"] == 20.0
    assert found.remarks[:2] == ("1 sample named login left out", "1 row of a transaction left out")
    with pytest.raises(UsageError, match="no request was made but transactions"):
        read(jmeter, JTL + more[1])


def test_a_jtl_without_threads_tells_no_users() -> None:
    text = JTL.replace(",allThreads", "") + "".join(row.rpartition(",")[0] + "\n" for row in ramp_and_hold())
    found = read(jmeter, text)
    assert (found.user_count, found.held_s, found.request_count) == (None, None, 25)
    assert (found.rate_includes_ramp, "the ramp" in found.may_include) == (True, True)


def test_the_order_of_a_jtl_does_not_matter() -> None:
    rows = ramp_and_hold()
    assert read(jmeter, JTL + "".join(rows[::-1])) == read(jmeter, JTL + "".join(rows))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (JTL, "no request was made, so there is nothing to judge"),
        (JTL.replace("success", "ok") + jtl_row(1, 1), "r:1: not a JTL whose samples can be judged: it has no column"),
        (JTL + jtl_row(1, 1).replace(str(START + 1000), "2024/01/01 00:00:00"), r":2: timeStamp must be .*timestamp_"),
        (JTL + jtl_row(1, -1), ":2: elapsed must be a number from 0"),
        (JTL + jtl_row(1, 1, "maybe"), ":2: success must be true or false, not 'maybe'"),
        (JTL + jtl_row(1, 1, threads="2.5"), ":2: allThreads must be a whole number"),
        (JTL + jtl_row(1, 1)[:20], ":2: 4 fields for 9 columns: the row is cut short"),
    ],
)  # fmt: skip
def test_what_is_not_a_jtl(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read(jmeter, text)


def xml(*samples: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testResults version="1.2">\n{"".join(samples)}</testResults>\n'


def xml_sample(second: int, elapsed: int, success: str = "true", threads: int = 10, inside: str = "") -> str:
    at = START + second * 1000
    return (
        f'<httpSample t="{elapsed}" lt="1" ts="{at}" s="{success}" lb="/a" rc="200" rm="OK" na="{threads}">'
        f"{inside}<java.net.URL>http://h/a</java.net.URL></httpSample>\n"
    )


def test_a_jtl_in_xml_tells_the_same() -> None:
    """A page's own files stand inside its sample and are no requests of their own."""
    ramp = [xml_sample(second, 900, threads=second + 1) for second in range(5)]
    inside = xml_sample(6, 8000)
    hold = [xml_sample(5 + each, each + 1, "false" if each == 7 else "true", inside=inside) for each in range(20)]
    found = read(jmeter_xml, xml(*ramp, *hold))
    other = read(jmeter, JTL + "".join(ramp_and_hold()))
    assert found.results == "JMeter's JTL (XML)"
    told = ("request_count", "failure_count", "user_count", "held_s", "requests_per_s", "percentiles")
    assert [getattr(found, name) for name in told] == [getattr(other, name) for name in told]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (xml(), "no request was made"),
        (xml(xml_sample(1, 1))[:-30], r"r:\d+: no XML: "),
        ('<!DOCTYPE x [<!ENTITY a "b">]>\n' + xml(xml_sample(1, 1)).partition("\n")[2], ":1: a document type"),
        (xml(xml_sample(1, 1).replace(' s="true"', "")), ":3: a sample without s"),
        (xml(xml_sample(1, 1, "yes")), ":3: s must be true or false, not 'yes'"),
        (xml(xml_sample(1, 1).replace('t="1"', 't="x"', 1)), ":3: t must be a number"),
    ],
)
def test_what_is_not_a_jtl_in_xml(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read(jmeter_xml, text)


# ---------------------------------------------------------------------------------------------------------------- hey

HEY = "response-time,DNS+dialup,DNS,Request-write,Response-delay,Response-read,status-code,offset\n"


def hey_row(took_s: float, offset_s: float, status: int = 200) -> str:
    return f"{took_s:.4f},0.0010,0.0005,0.0000,0.0120,0.0003,{status},{offset_s:.4f}\n"


def test_hey_tells_its_answers_and_no_users() -> None:
    rows = [hey_row(0.001 * (each + 1), each, 503 if each == 3 else 200) for each in range(20)]
    for text in (HEY + "".join(rows), "\n" + HEY + "".join(rows)):
        found = read(hey, text)
        assert (found.tool, found.request_count, found.failure_count) == ("hey", 20, 1)
        assert latencies(found) == pytest.approx({"p50": 10.0, "p95": 19.0, "p99": 20.0})
        p95 = found.percentiles["p95"]
        assert (p95.latency_ms - p95.latency_ms_min, p95.latency_ms_max - p95.latency_ms) == pytest.approx((0.05, 0.05))
        assert (found.user_count, found.unanswered_told) == (None, False)
        assert (found.held_s, found.requests_per_s) == pytest.approx((19.02, 20 / 19.02))


def test_decimal_commas_of_a_spreadsheet_are_read_where_they_separate_nothing() -> None:
    rows = [hey_row(0.001 * (each + 1), each) for each in range(20)]
    saved = (HEY + "".join(rows)).replace(",", ";").replace(".", ",")
    assert read(hey, saved) == read(hey, HEY + "".join(rows))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEY, "no request was answered"),
        (HEY.replace(",status-code,offset", "") + "1,1,1,1,1,1\n", r"hey's since 0\.1\.2.*it has no column status"),
        (HEY + hey_row(1, 1).replace("1.0000", "fast", 1), ":2: response-time must be a number"),
        (HEY + hey_row(1, 1)[:25], "the row is cut short"),
    ],
)  # fmt: skip
def test_what_is_not_heys_csv(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read(hey, text)


# ------------------------------------------------------------------------------------------------------------- vegeta


def report(**changes: Any) -> str:
    document = {
        "latencies": {"total": 1, "mean": 8e6, "50th": 6e6, "90th": 12e6, "95th": 17_500_000, "99th": 33e6, "max": 9e7},
        "bytes_in": {"total": 1, "mean": 1.0},
        "bytes_out": {"total": 0, "mean": 0},
        "earliest": "2026-01-01T00:00:00Z",
        "duration": 60_000_000_000,
        "requests": 6000,
        "rate": 100.0,
        "throughput": 99.1,
        "success": 0.99,
        "status_codes": {"0": 10, "200": 5940, "503": 50},
        "errors": ["503 Service Unavailable"],
    }
    return json.dumps({**document, **changes})


def test_vegetas_report() -> None:
    found = read(vegeta, report())
    assert (found.tool, found.request_count, found.failure_count) == ("vegeta", 6000, 60)
    assert (found.requests_per_s, found.held_s, found.user_count) == (100.0, 60.0, None)
    assert latencies(found) == {"p50": 6.0, "p95": 17.5, "p99": 33.0}
    assert [(one.what, one.count) for one in found.failures] == [("status 503", 50), ("status 0", 10)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"requests": 0}, "no request was made"),
        ({"requests": 0.5}, "requests must be a whole number, not 0.5"),
        ({"success": 1.5}, "success must be a number from 0 to 1"),
        ({"latencies": []}, "without latencies"),
        ({"latencies": {"95th": None}}, r"latencies\.95th must be a number from 0 to 1e\+15, not None"),
        ({"duration": 10**400}, "duration must be a number from 0 to .*, not a larger one"),
    ],
)
def test_what_is_not_vegetas_report(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read(vegeta, report(**changes))
