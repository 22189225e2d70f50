"""A Prometheus is asked as its HTTP API wants it, and what it says instead of an answer comes back in words."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Mapping
from math import isnan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from metrics_read import read
from prometheus_server import matrix, serving, success
from servers import free_port

from cascade_plan.cli import fetching
from cascade_plan.errors import CloudError, UsageError
from cascade_plan.evidence import asking
from cascade_plan.evidence.asking import answers, at_s
from cascade_plan.model.observation import CORES, REQUESTS_PER_S, ROUTE_REQUESTS_PER_S, Measure
from cascade_plan.model.watch import Observed

FIRST = 1_709_596_800.0
API, ALL = Measure(CORES, "api"), Measure(REQUESTS_PER_S)
OBSERVED = (Observed(API, "sum(cpu)"), Observed(Measure(ROUTE_REQUESTS_PER_S), "sum by (action) (requests)", "action"))


def system(asked: Mapping[str, str]) -> tuple[int, str]:
    """Answer as a Prometheus that has both metrics does; label_replace is part of the query."""
    if "sum(cpu)" in asked["query"]:
        return success(matrix(asked, lambda time: str(time - FIRST), measure="cores:api"))
    of = ("list", "create")
    return success(*(matrix(asked, lambda _: "5", action=each, measure=f"route_requests_per_s:{each}") for each in of))


# ------------------------------------------------------------------------------------------------------------- queries


@given(st.integers(1, 600), st.integers(2, 60), st.floats(0, 0.9), st.integers(1, 20))
def test_every_whole_window_is_asked_for_once(step: int, windows: int, rest: float, most: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asking, "POINTS_MOST", most)
        text = answers(OBSERVED, system, FIRST, FIRST + (windows + rest) * step, step)
    if windows % most == 1 or most == 1:
        # A piece of one moment does not tell its step by itself; the file as a whole does.
        text = json.dumps(json.loads(text))
    found = read({"p": text})
    assert found.starts_s == tuple(FIRST + number * step for number in range(windows))
    assert found.window_s == step
    # A value at t is of the window that ends there.
    assert found.series[API] == tuple(float(number * step) for number in range(1, windows + 1))
    assert found.of(ROUTE_REQUESTS_PER_S).keys() == {"list", "create"}


def test_the_query_says_by_a_label_what_it_measures() -> None:
    seen: list[Mapping[str, str]] = []

    def answer(asked: Mapping[str, str]) -> tuple[int, str]:
        seen.append(asked)
        return system(asked)

    answers(OBSERVED[:1], answer, FIRST, FIRST + 120, 15)
    assert seen == [
        {
            "query": 'label_replace(sum(cpu), "measure", "cores:api", "", "")',
            "start": "1709596815.000",
            "end": "1709596920.000",
            "step": "15.000",
        }
    ]


def test_what_is_not_there_is_said_by_its_name() -> None:
    def answer(asked: Mapping[str, str]) -> tuple[int, str]:
        return success(warnings=["unknown"]) if "action" in asked["query"] else system(asked)

    found = read({"p": answers(OBSERVED, answer, FIRST, FIRST + 60, 15)})
    assert found.series.keys() == {API}
    assert found.remarks == (
        "p: Prometheus says: 'unknown'",
        "p: Prometheus found no series of route_requests_per_s",
    )


def test_gaps_and_what_is_no_number_are_not_measured() -> None:
    values = {15.0: "1", 30.0: "NaN", 45.0: "+Inf", 75.0: "2"}

    def answer(asked: Mapping[str, str]) -> tuple[int, str]:
        return success(matrix(asked, lambda time: values.get(time - FIRST), measure="cores:api"))

    found = read({"p": answers(OBSERVED[:1], answer, FIRST, FIRST + 90, 15)})
    values_of = dict(zip(found.starts_s, found.series[API], strict=True))
    assert {start: value for start, value in values_of.items() if not isnan(value)} == {FIRST: 1.0, FIRST + 60: 2.0}


def test_a_single_value_is_of_a_window_of_the_step() -> None:
    def answer(asked: Mapping[str, str]) -> tuple[int, str]:
        return success(matrix(asked, lambda time: "1" if time == FIRST + 30 else None, measure="cores:api"))

    found = read({"p": answers(OBSERVED[:1], answer, FIRST, FIRST + 90, 15)})
    assert (found.starts_s, found.window_s, found.series[API]) == ((FIRST + 15,), 15, (1.0,))


@pytest.mark.parametrize(
    ("from_s", "to_s", "step_s", "message"),
    [
        (FIRST, FIRST + 29, 15, "are no two windows of 15 s: ask for a longer time"),
        (FIRST, FIRST - 600, 15, "are no two windows of 15 s"),
        (FIRST, FIRST + 600, 0, "are no two windows of 0 s"),
        (FIRST, FIRST + 1e8, 15, "more than 100,000 windows of 15 s: ask for a shorter time or a longer step"),
    ],
)
def test_a_time_that_cannot_be_asked_for_is_refused(from_s: float, to_s: float, step_s: float, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        answers(OBSERVED, system, from_s, to_s, step_s)
    assert message in str(caught.value)


@pytest.mark.parametrize("text", ["", "yesterday", "2024-03-05T00:00:00", "05/03/2024", "-5", "nan", "1e400"])
def test_a_time_is_a_number_or_has_a_zone(text: str) -> None:
    with pytest.raises(UsageError, match=r"^--from .* give seconds since 1970, or a time with its zone"):
        at_s(text, "--from")


# ---------------------------------------------------------------------------------------------------------------- HTTP


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def ask(url: str, token: str = "") -> str:
    return answers(OBSERVED[:1], fetching.prometheus(url, token), FIRST, FIRST + 60, 15)


@pytest.mark.parametrize("path", ["", "/", "/api/v1", "/api/v1/query_range"])
def test_a_server_is_asked_and_its_answer_is_read(path: str) -> None:
    with serving(system) as server:
        found = read({"p": ask(f"{server.url}{path}")})
        below = read({"p": ask(f"{server.url}/proxy/7{path}")})
    assert found.series == below.series == {API: (15.0, 30.0, 45.0, 60.0)}
    assert server.paths == ["/api/v1/query_range", "/proxy/7/api/v1/query_range"]
    assert "Authorization" not in server.headers[0]


def test_a_token_or_a_user_is_sent() -> None:
    with serving(system) as server:
        ask(server.url, "abc.def")
        ask(server.url.replace("//", "//me:p%40ss@"))
    assert [each["Authorization"] for each in server.headers] == [
        "Bearer abc.def",
        f"Basic {base64.b64encode(b'me:p@ss').decode()}",
    ]


ERROR = json.dumps({"status": "error", "errorType": "execution", "error": "query timed out"})


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (400, ERROR.replace("query timed out", "parse error"), "for cores of api: 'parse error' (HTTP status 400)"),
        (422, ERROR, "asked for cores of api: 'query timed out' (HTTP status 422)"),
        (503, ERROR, "'query timed out' (HTTP status 503)"),
        (200, ERROR, "'query timed out' (HTTP status 200)"),
        (401, "", "it lets nobody in without a token: set CASCADE_PLAN_PROMETHEUS_TOKEN (HTTP status 401)"),
        (403, "no", "the token is not allowed to query: set CASCADE_PLAN_PROMETHEUS_TOKEN to one that is (HTTP status"),
        (404, "<html>", "there is no Prometheus API: give the address that /api/v1 stands below (HTTP status 404)"),
        (405, "", "it takes no POST at this address: give the address of Prometheus itself (HTTP status 405)"),
        (502, "bad gateway", "it fails (HTTP status 502)"),
        (200, "<html>Log in</html>", "the answer is not its own: '<html>Log in</html>'"),
        (200, '{"status":"success","data":{"resultType":"vector","result":[]}}', "the answer is not its own: "),
        (200, "[1]", "the answer is not its own: '[1]'"),
    ],
)  # fmt: skip
def test_what_a_server_says_instead_of_an_answer(status: int, body: str, message: str) -> None:
    with serving(lambda _: (status, body)) as server, pytest.raises(CloudError) as caught:
        ask(server.url)
    assert message in str(caught.value)
    assert caught.value.exit_code == 5


def test_a_redirect_is_not_followed_with_the_token() -> None:
    with serving(system) as elsewhere:
        location = {"Location": elsewhere.url.replace("//", "//u:secret@")}
        with serving(lambda _: (302, ""), location) as server, pytest.raises(CloudError) as caught:
            ask(server.url, "token")
    assert f"leads to '{elsewhere.url}': give that address" in str(caught.value)
    assert elsewhere.paths == []


def test_nothing_that_listens_and_nothing_that_answers() -> None:
    with pytest.raises(CloudError, match="nothing listens there: is Prometheus's port forwarded"):
        ask(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(CloudError, match="there is no such host"):
        ask("http://no-such-host.invalid")
    with serving(system) as server, pytest.raises(CloudError, match="no TLS there: give http://"):
        ask(server.url.replace("http:", "https:"))


def test_a_server_that_is_silent_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "TIMEOUT_S", 0.2)
    ended = threading.Event()

    def slow(_: Mapping[str, str]) -> tuple[int, str]:
        ended.wait(20)
        return 200, ""

    with serving(slow) as server:
        with pytest.raises(CloudError, match=r"no answer for 0\.2 s"):
            ask(server.url)
        ended.set()


def test_an_answer_that_is_cut_short_or_has_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    cut = {"Content-Length": "1000000"}
    with serving(system, cut) as server, pytest.raises(CloudError, match="the connection broke before the end"):
        ask(server.url)
    monkeypatch.setattr(fetching, "MOST_BYTES", 100)
    with serving(system) as server, pytest.raises(CloudError, match="an answer of more than 100 bytes"):
        ask(server.url)


@pytest.mark.parametrize(
    ("url", "token", "message"),
    [
        ("localhost:9090", "", "--prometheus takes the address of a Prometheus, such as http://localhost:9090"),
        ("ftp://host", "", "takes the address of a Prometheus"),
        ("http://", "", "takes the address of a Prometheus"),
        ("http://host:port", "", "takes the address of a Prometheus"),
        ("http://host/?a=b", "", "without ? and #"),
        ("http://me:secret@host", "token", "has a user and password, and there is a token too: give one of them"),
        ("http://host", "token\n", "has characters that no header has: does it end in a line break?"),
    ],
)
def test_an_address_that_is_none_is_refused(url: str, token: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        fetching.prometheus(url, token)
    assert message in str(caught.value)
    assert "secret" not in str(caught.value)


def test_an_address_is_shown_without_its_password() -> None:
    assert fetching.shown("http://me:secret@host:9090/a") == "http://host:9090/a"
    assert fetching.shown("http://host") == "http://host"
