"""Redis or Valkey: round trip and CPU of a command, with one key of our own that nothing else bears the name of."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import pairwise
from time import sleep
from typing import Any, Final
from urllib.parse import urlsplit

from cascade_plan.errors import UsageError
from cascade_plan.evidence.measuring._pace import now_ms, spread, turns, uninterrupted, variability
from cascade_plan.evidence.servers import CALLED, Found, Limits, Reading, Seen, ServerError, Step
from cascade_plan.formulas import estimates
from cascade_plan.formulas.demands import Estimate

Connection = Any
"""A connection of redis-py, whose own methods bear no types."""

KIND: Final = "cache"
FIELDS: Final = ("round_trip_ms", "round_trip_scv", "command_ms")
METAVAR: Final = "URL"
HELP: Final = "A Redis or Valkey: redis://user@host:6379/0, or rediss: with TLS. Its password: REDISCLI_AUTH."

SCHEMES: Final = ("redis", "rediss", "unix")
NOT_A_URL: Final = (
    "--redis takes a URL such as redis://user@host:6379/0, rediss: with TLS or unix:///path; in a password @ is %40, "
    "/ is %2F and ? is %3F"
)
TIMEOUT_S: Final = 5.0
IDLE_COMMANDS_PER_S: Final = 10
"""A server that others ask no oftener is idle: an exporter asks it a few times a minute (assumption)."""
AT_WORK: Final = ("loading", "rdb_bgsave_in_progress", "aof_rewrite_in_progress")
"""What INFO says of work that no client asks for."""
LOOK_S: Final = 1.0
CONNECTIONS: Final = 16
"""Clients at a time: as many find Redis awake as at a moderate load (assumption)."""
DEPTH: Final = 100
BATCHES: Final = 10
"""Batches whose CPU times have a median: of ten, the second and the ninth are 97.9 % apart."""
VALUE_BYTES: Final = 100
LIFE_MS: Final = 60_000
LEAST_MS: Final = 0.001
"""The least a scenario takes for a time."""


def shown(address: str) -> str:
    """Return an address without its password. Raises UsageError for what is none, never showing it."""
    try:
        parts = urlsplit(address)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        parts, port = urlsplit(""), ""
    named = parts.path if parts.scheme == "unix" else parts.hostname
    # An @ beyond the host is that of a password with a / or ? in it: what is before it is no host.
    if parts.scheme not in SCHEMES or not named or "@" in address.partition("://")[2][len(parts.netloc) :]:
        raise UsageError(NOT_A_URL)
    user = f"{parts.username}@" if parts.username else ""
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    return f"{parts.scheme}://{user}{host}{port}{parts.path}"


def steps(address: str, limits: Limits) -> Iterator[Step]:
    """Yield all that is run on the server, in order."""
    yield from _steps(limits).values()


def _steps(limits: Limits) -> dict[str, Step]:
    each = DEPTH * BATCHES
    return {
        "connect": Step(
            "connect: AUTH and SELECT as the URL says, CLIENT SETINFO twice", CONNECTIONS + 3, 0, "lets us in"
        ),
        "look": Step("INFO", 4, 0, f"what it is, how busy it is in {LOOK_S:g} s, and what others ask meanwhile"),
        "ping": Step("PING", 1000, limits.seconds * 0.3, "round trip"),
        "set": Step(
            f"SET {CALLED}:measure:<random> <{VALUE_BYTES} bytes> NX PX {LIFE_MS}", 64, 0,
            "a key to read; more than once only in a cluster, until it is this node's",
        ),
        "cpu": Step("INFO cpu", 3 * (BATCHES + 1) + 5, 0, "CPU used between two of them"),
        "alone": Step("GET of that key, one at a time", each, limits.seconds * 0.2, "CPU of a command alone"),
        "together": Step(
            f"GET of that key, on {CONNECTIONS} connections", CONNECTIONS * 20 * BATCHES, limits.seconds * 0.3,
            "CPU of a command",
        ),
        "pipelined": Step(
            f"GET of that key, {DEPTH} in a pipeline", DEPTH * 10 * BATCHES, limits.seconds * 0.2,
            "commands a second, and their CPU without its calls of the kernel",
        ),
        "remove": Step("DEL of that key", 2, 0, "leaves nothing"),
    }  # fmt: skip


@contextmanager
def opened(address: str, limits: Limits) -> Iterator[_Session]:
    """Open the server. Raises ServerError when that fails, UsageError when what it needs is not installed."""
    try:
        import redis
    except ImportError:
        raise UsageError("redis is not installed: pip install 'cascade-plan[measure]'") from None
    name = shown(address)
    try:
        session = _Session(name, limits, _connector(redis, address))
        try:
            yield session
        finally:
            session.close()
    except redis.exceptions.AuthenticationError as error:
        raise ServerError(f"{name} refuses the user or the password: {error}") from None
    except (redis.exceptions.RedisError, OSError) as error:
        raise ServerError(f"{name}: {error}") from None


def _connector(redis: Any, address: str) -> Callable[[], Connection]:
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    try:
        pool = redis.ConnectionPool.from_url(
            address,
            password=os.environ.get("REDISCLI_AUTH"),
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
        )
    except ValueError:
        raise UsageError(NOT_A_URL) from None

    def connect() -> Connection:
        connection: Connection = pool.make_connection()
        connection.connect()
        return connection

    return connect


@dataclass(frozen=True, slots=True)
class _Cost:
    """CPU ms of a command, sent in one way."""

    cpu_ms: Estimate
    count: int
    per_s: float


class _Session:
    """A Redis that is open: its own connections, and a key once it is set."""

    def __init__(self, name: str, limits: Limits, connect: Callable[[], Connection]) -> None:
        self._name = name
        self._steps = _steps(limits)
        self._connect = connect
        self._sent = 0
        self._connections: list[Connection] = []
        self._key = ""
        self._may_be_set = False
        self._line = self._another()

    def _another(self) -> Connection:
        connection = self._connect()
        self._connections.append(connection)
        return connection

    def close(self) -> None:
        """Remove the key, if there may be one, over a connection of its own: the others may wait for an answer."""
        for connection in self._connections:
            connection.disconnect()
        if self._may_be_set:
            with uninterrupted():
                connection = self._connect()
                connection.send_command("DEL", self._key)
                connection.read_response()
                connection.disconnect()

    def seen(self) -> Seen:
        """Return how busy it is with the work of others."""
        before = self._info()
        sleep(LOOK_S)
        after = self._info()
        if "total_commands_processed" not in after:
            return Seen(False, "it does not say how busy it is (INFO)")
        # The second INFO is counted once it is answered.
        rate = max(0, _number(after, "total_commands_processed") - _number(before, "total_commands_processed") - 1)
        others = max(0, int(_number(after, "connected_clients")) - 1)
        said = f"{rate / LOOK_S:,.0f} commands a second, {others} other client{'' if others == 1 else 's'}"
        at_work = [name for name in AT_WORK if after.get(name, "0") not in ("0", "")]
        said += "".join(f", {name}" for name in at_work)
        return Seen(rate / LOOK_S <= IDLE_COMMANDS_PER_S and not at_work, said)

    def found(self) -> Found:
        """Return what running the steps told. Raises ServerError when the server fails."""
        start = self._info()
        counted = self._sent
        trips = [self._timed("PING") for _ in turns(self._steps["ping"])]
        unknown = self._set()
        costs = self._costs()
        end = self._info()
        readings = (*_round_trip(trips, unknown), *_command(costs))
        if not costs:
            unknown["command_ms"] = "INFO cpu says nothing of the CPU that it used"
        notes = [f"{costs['pipelined'].per_s:,.0f} commands a second in pipelines of {DEPTH}"] if costs else []
        others = _number(end, "total_commands_processed") - _number(start, "total_commands_processed")
        others -= self._sent - counted
        if others > (self._sent - counted) / 100:
            notes.append(f"{others:,.0f} commands of others came meanwhile: these values are theirs too")
        version = start.get("valkey_version") or start.get("redis_version", "")
        maker = "Valkey" if "valkey_version" in start else "Redis"
        return Found(f"{maker} {version}".strip(), readings, unknown, tuple(notes))

    def _ask(self, *words: str) -> Any:
        self._sent += 1
        self._line.send_command(*words)
        return self._line.read_response()

    def _timed(self, *words: str) -> float:
        packed = self._line.pack_command(*words)
        self._sent += 1
        began = now_ms()
        self._line.send_packed_command(packed)
        self._line.read_response()
        return now_ms() - began

    def _info(self, *section: str) -> Mapping[str, str]:
        """Return what INFO says, nothing where it is not allowed."""
        from redis.exceptions import ResponseError

        try:
            text = self._ask("INFO", *section)
        except ResponseError:
            return {}
        lines = (text.decode(errors="replace") if isinstance(text, bytes) else str(text)).splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)

    def _set(self) -> dict[str, str]:
        """Set the key, and return why it could not be: GET of a key that is not there is measured then."""
        from redis.exceptions import ResponseError

        why = ""
        for _ in turns(self._steps["set"]):
            self._key = f"{CALLED}:measure:{secrets.token_hex(8)}"
            self._may_be_set = True
            try:
                self._ask("SET", self._key, "x" * VALUE_BYTES, "NX", "PX", str(LIFE_MS))
            except ResponseError as error:
                self._may_be_set, why = False, str(error)
                if why.startswith("MOVED"):
                    continue
                break
            return {}
        return {"CPU of a GET that finds its key": f"SET is refused ({why}); it is of a key that is not there"}

    def _costs(self) -> dict[str, _Cost]:
        """Return what a command costs in each way of sending it; nothing where the server does not say."""
        if (used := self._used_ms()) is None:
            return {}
        marks = [used, *(self._used_ms() or 0 for _ in range(4))]
        asking_ms = estimates.median([later - earlier for earlier, later in pairwise(marks)]).value
        get = self._line.pack_command("GET", self._key)
        many = [self._another() for _ in range(CONNECTIONS)]
        return {
            "alone": self._cost("alone", DEPTH, 1, asking_ms, lambda: _round([self._line], get, 1)),
            "together": self._cost("together", CONNECTIONS * 20, CONNECTIONS, asking_ms, lambda: _round(many, get, 1)),
            "pipelined": self._cost(
                "pipelined", DEPTH * 10, DEPTH, asking_ms, lambda: _round([self._line], get, DEPTH)
            ),
        }

    def _cost(self, name: str, batch: int, at_once: int, asking_ms: float, once: Callable[[], None]) -> _Cost:
        """Return the CPU of a command: a median over batches, less what INFO costs itself."""
        step = self._steps[name]
        used, taken_ms, done, begun = [], 0.0, 0, self._used_ms() or 0.0
        for _ in turns(Step(step.runs, step.most // batch, step.seconds, step.tells)):
            began = now_ms()
            for _ in range(batch // at_once):
                once()
            taken_ms += now_ms() - began
            self._sent += batch
            done += batch
            now = self._used_ms() or 0.0
            used.append(max(0.0, now - begun - asking_ms) / batch)
            begun = now
        return _Cost(estimates.median(used), done, done / taken_ms * 1000)

    def _used_ms(self) -> float | None:
        """Return the CPU that the thread which runs commands has used; of the whole process where it is not said."""
        said = self._info("cpu")
        for end in ("_main_thread", ""):
            parts = [said.get(f"used_cpu_{kind}{end}") for kind in ("user", "sys")]
            if None not in parts:
                return sum(float(part or 0) for part in parts) * 1000
        return None


def _round(lines: Sequence[Connection], packed: Any, depth: int) -> None:
    """Send a command so often on each connection, then read all answers."""
    whole = list(packed) * depth
    for line in lines:
        line.send_packed_command(whole)
    for line in lines:
        for _ in range(depth):
            line.read_response()


def _round_trip(trips: Sequence[float], unknown: dict[str, str]) -> Iterator[Reading]:
    of = f"{len(trips):,} PINGs one after the other"
    yield Reading("round_trip_ms", *estimates.mean(trips), f"mean of {of}", spread(trips))
    yield from variability("round_trip_scv", trips, of, unknown)


def _command(costs: Mapping[str, _Cost]) -> Iterator[Reading]:
    """Yield the CPU of a command as several clients send them: between a pipeline's and that of one alone."""
    if not costs:
        return
    value, lowest, highest = (costs[name].cpu_ms for name in ("together", "pipelined", "alone"))
    low, high = min(value.low, lowest.low), max(value.high, highest.high)
    of = f"CPU of {costs['together'].count:,} GETs on {CONNECTIONS} connections; low: in pipelines, high: one at a time"
    ways = f"pipelined {lowest.value:.2g}, one at a time {highest.value:.2g}"
    found = estimates.at_least(LEAST_MS, Estimate(value.value, low, high))
    yield Reading("command_ms", *found, of, ways)


def _number(info: Mapping[str, str], name: str) -> float:
    with suppress(ValueError):
        return float(info.get(name, "0"))
    return 0.0
