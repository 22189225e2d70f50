"""Service demands of the stack, measured with one request at a time: all hits of the cache, then all misses.

CPU time is that of the processes over so many requests of one action (the utilisation law: demand = busy / rate); what
is left of a response beside all CPU time is spread over its round trips by least squares.
"""

from __future__ import annotations

import http.client
import json
import random
import statistics
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

import gevent
import numpy as np
from geventhttpclient import UserAgent

from stack.scenarios import ACTIONS, HIT_RATIO, TRIPS_PER_QUERY, share
from stack.serving import PASSWORD, TENANTS, Stack

ACCOUNTS: Final = 300
BOUNDARY: Final = "real-stack"
NOTHING: Final = "nothing"
"""A request that the application has no route for: what HTTP itself takes."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one request of a kind took on average."""

    cpu_ms: Mapping[str, float]
    """By part of the stack."""
    response_ms: float
    """The median that the client saw."""
    await_count: float
    longest_burst_ms: float
    """CPU time of the API in the longest piece between two awaits."""
    variance_ms2: float
    """Of the CPU time of the API between awaits, from request to request."""


@dataclass(frozen=True, slots=True)
class Demands:
    """What was measured, in the scenario's words."""

    actions: Mapping[str, Mapping[str, float]]
    """Fields of each action."""
    tiers: Mapping[str, Mapping[str, float]]
    """Fields of each tier."""

    @property
    def cpu_ms(self) -> float:
        """CPU time of a request of the mix at the API."""
        return sum(share(action) * self.actions[action]["cpu_ms"] for action in ACTIONS)


class Agent(UserAgent):
    """The client that Locust's FastHttpUser has, which leaves the status to who asks, as that does."""

    valid_response_codes = frozenset(range(200, 600))


class Client:
    """Asks as the emitted locustfile does, with the client that its users have, one request at a time."""

    def __init__(self, url: str) -> None:
        self.url = url
        # An interrupt goes on to who called; that the loop behind the client saw it first is not worth a trace.
        gevent.get_hub().NOT_ERROR += (KeyboardInterrupt,)
        self.agent = Agent(concurrency=1, max_retries=0, connection_timeout=30, network_timeout=30)
        self.content = random.Random("upload_resource").randbytes(102400)
        self.callers = [self._login(number) for number in range(ACCOUNTS)]

    def close(self) -> None:
        """Close the connection."""
        self.agent.close()

    def ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str], status: int) -> bytes:
        """Return the answer. Raises ConnectionError where there is none, or one of another status, with its text."""
        try:
            answer = self.agent.urlopen(f"{self.url}{path}", method, dict(headers), body)
            text = bytes(answer.content)
        except (http.client.HTTPException, OSError) as error:
            raise ConnectionError(f"{method} {path}: {error}") from None
        if answer.status_code != status:
            raise ConnectionError(f"{method} {path}: {answer.status_code} {text[:200]!r}")
        return text

    def _login(self, number: int) -> tuple[int, Mapping[str, str]]:
        tenant = number % TENANTS + 1
        body = json.dumps({"email": f"user{number + 1}@tenant{tenant}.example", "password": PASSWORD}).encode()
        answer = self.ask("POST", "/api/v1/auth/login", body, {"Content-Type": "application/json"}, 200)
        return tenant, {"Authorization": f"Bearer {json.loads(answer)['token']}", "X-Tenant-ID": str(tenant)}

    def act(self, action: str, number: int) -> None:
        """Make a request of an action in the name of an account."""
        room, headers = self.callers[number]
        if action == NOTHING:
            self.ask("GET", "/nothing", None, headers, 404)
        elif action == "list_workrooms":
            self.ask("GET", "/api/v1/workrooms", None, headers, 200)
        elif action == "create_message":
            body, kind = b'{"content": "%s"}' % (b"x" * 185), {"Content-Type": "application/json"}
            self.ask("POST", f"/api/v1/workrooms/{room}/messages", body, {**headers, **kind}, 201)
        else:
            kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
            self.ask("POST", "/api/v1/resources", self._form(room), {**headers, **kind}, 201)

    def _form(self, room: int) -> bytes:
        part = f"--{BOUNDARY}\r\nContent-Disposition: form-data; name="
        head = f'{part}"workroom_id"\r\n\r\n{room}\r\n{part}"file"; filename="test_file.pdf"\r\n'
        return (
            f"{head}Content-Type: application/pdf\r\n\r\n".encode() + self.content + f"\r\n--{BOUNDARY}--\r\n".encode()
        )


def measure(stack: Stack, count: int) -> Demands:
    """Return the demands of the stack from `count` requests of each action, with the cache and without."""
    found: dict[tuple[str, bool], Measured] = {}
    with closing(Client(stack.url)) as client:
        for action in ACTIONS:
            for number in range(ACCOUNTS):
                client.act(action, number)
        for action in (NOTHING, *ACTIONS):
            for is_hit in (True, False):
                found[action, is_hit] = _measured(stack, client, action, is_hit, count)
        stack.control()
    return demands(found)


def _measured(stack: Stack, client: Client, action: str, is_hit: bool, count: int) -> Measured:
    stack.control(float(is_hit), True)
    numbers = random.Random(action)
    before, took_s = stack.used(), []
    for _ in range(count):
        began_s = time.perf_counter()
        client.act(action, numbers.randrange(ACCOUNTS))
        took_s.append(time.perf_counter() - began_s)
    after, bursts_ns = stack.used(), stack.control(float(is_hit), False)
    cpu_ms = {part: (after[part].cpu_s - before[part].cpu_s) / count * 1000 for part in after}
    awaits = statistics.fmean(len(each) - 1 for each in bursts_ns) if bursts_ns else 0.0
    longest_ms = statistics.fmean(max(each) for each in bursts_ns) / 1e6 if bursts_ns else 0.0
    variance_ms2 = statistics.pvariance(sum(each) / 1e6 for each in bursts_ns) if bursts_ns else 0.0
    return Measured(cpu_ms, statistics.median(took_s) * 1000, awaits, longest_ms, variance_ms2)


def demands(found: Mapping[tuple[str, bool], Measured]) -> Demands:
    """Return the scenario's fields for what was measured of (action, whether the cache answered)."""
    actions: dict[str, dict[str, float]] = {}
    for action, fields in ACTIONS.items():
        hit, miss = found[action, True].cpu_ms, found[action, False].cpu_ms
        reads, writes = fields["read_count"], fields.get("write_count", 0)
        own = {"cpu_ms": _mixed(hit["api"], miss["api"]), "read_ms": (miss["database"] - hit["database"]) / reads}
        actions[action] = own | ({"write_ms": hit["database"] / writes} if writes else {})
    http_ms, cache_ms, query_ms = _trips(found)
    reads = _mean(lambda action: ACTIONS[action]["read_count"])
    queries = _mean(_queries)
    tiers = {
        "api": {"await_cpu_ms": _await_ms(found), "service_scv": _scv(found)},
        "database": {
            "round_trip_ms": query_ms,
            "round_trips_per_query": TRIPS_PER_QUERY,
            "parse_ms": 0.0,
            "commit_ms": 0.0,
        },
        "pool": {"transaction_ms": _of_mix(found, "pool") / queries},
        "cache": {"command_ms": _of_mix(found, "cache") / reads, "round_trip_ms": cache_ms, "hit_ratio": HIT_RATIO},
        "gateway": {"response_ms": http_ms},
    }
    return Demands(actions, tiers)


def _mixed(hit: float, miss: float) -> float:
    """Return what is taken at the hit ratio: each read of a request is drawn for itself, so it is linear in it."""
    return HIT_RATIO * hit + (1 - HIT_RATIO) * miss


def _mean(of: Callable[[str], float]) -> float:
    return sum(share(action) * of(action) for action in ACTIONS)


def _queries(action: str) -> float:
    """Return the queries of an action that reach the database."""
    fields = ACTIONS[action]
    return float(fields["read_count"] * (1 - HIT_RATIO) + fields.get("write_count", 0))


def _of_mix(found: Mapping[tuple[str, bool], Measured], part: str) -> float:
    """Return the CPU time of a part for a request of the mix, ms."""
    return _mean(lambda action: _mixed(found[action, True].cpu_ms[part], found[action, False].cpu_ms[part]))


def _await_ms(found: Mapping[tuple[str, bool], Measured]) -> float:
    """Return the CPU time of the API before an await: of a request without its longest piece, over its awaits.

    What of a request is no code between awaits (parsing of HTTP, protocols of the database and the cache) is in it.
    """
    small = _mean(lambda a: _mixed(*(found[a, h].cpu_ms["api"] - found[a, h].longest_burst_ms for h in (True, False))))
    return small / _mean(lambda a: _mixed(*(found[a, h].await_count for h in (True, False))))


def _scv(found: Mapping[tuple[str, bool], Measured]) -> float:
    """Return the SCV of the API's CPU time of one kind of request: by chance, and by which of its reads miss."""
    chance = _mean(lambda a: _mixed(*(found[a, h].variance_ms2 for h in (True, False))))
    drawn = _mean(lambda a: _of_draws(a, found[a, False].cpu_ms["api"] - found[a, True].cpu_ms["api"]))
    square = _mean(lambda a: _mixed(*(found[a, h].cpu_ms["api"] for h in (True, False))) ** 2)
    return (chance + drawn) / square


def _of_draws(action: str, all_missed_ms: float) -> float:
    """Return the variance that comes from which of an action's reads miss: a binomial count of equal parts."""
    reads = ACTIONS[action]["read_count"]
    return float(reads * HIT_RATIO * (1 - HIT_RATIO) * (all_missed_ms / reads) ** 2)


def _trips(found: Mapping[tuple[str, bool], Measured]) -> tuple[float, float, float]:
    """Return what HTTP, a command of the cache and a round trip of a query take beside CPU time, ms; never below 0."""
    rows, waits = [], []
    for (action, is_hit), each in found.items():
        fields: Mapping[str, Any] = ACTIONS.get(action, {})
        reads, writes = fields.get("read_count", 0), fields.get("write_count", 0)
        queries = writes + (0 if is_hit else reads)
        # A miss is followed by a second command, which keeps what was read; publishing is one more.
        commands = reads * (1 if is_hit else 2) + int(fields.get("publishes", False))
        rows.append((1.0, commands, queries * TRIPS_PER_QUERY))
        waits.append(each.response_ms - sum(each.cpu_ms.values()))
    solved = np.linalg.lstsq(np.array(rows), np.array(waits), rcond=None)[0]
    http_ms, cache_ms, query_ms = (max(0.0, float(each)) for each in solved)
    return http_ms, cache_ms, query_ms
