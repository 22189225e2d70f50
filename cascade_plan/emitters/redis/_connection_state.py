"""connection_state.py: the state of open connections and the messages between their nodes, as a module."""

from __future__ import annotations

from collections.abc import Mapping
from string import Template
from typing import Final

from cascade_plan.emitters._heading import heading
from cascade_plan.emitters._topology import Cache, room_word
from cascade_plan.model.artefact import Artefact
from cascade_plan.model.plan import Plan
from cascade_plan.tiers.websocket.settings import Settings as WebSocketSettings

MODULE: Final = Template('''\
"""Connections of a WebSocket cluster: who is connected where, and messages that reach them on whatever node.

    async with Masters() as masters, Messages(masters) as messages:
        state = ConnectionState(masters, "ws-node-1")

Python 3.11, redis >= 8.1 from PyPI$server.
Environment: CACHE_URL, such as rediss://host:6379; where it holds no login, CACHE_USERNAME and CACHE_PASSWORD.
Pub/sub delivers at most once: what is published while a node subscribes again is lost, and the application must fetch
it elsewhere.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import re
import time
from collections import $collected
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import TypeVar
from urllib.parse import urlsplit

from redis.asyncio import BlockingConnectionPool, Connection, Redis
from redis.backoff import NoBackoff
from redis.crc import $crc
from redis.exceptions import $errors
from redis.retry import Retry

LIFETIME_S = $lifetime
"""After its last heartbeat a connection is forgotten."""
HEARTBEAT_S = $heartbeat
"""How often `ConnectionState.keep` is called for each open connection."""
QUEUED_MOST = $queued
"""Messages that wait for a connection which reads slowly; one more, and it is closed: its client connects again."""
TRY_AGAIN_LATER = 1013
"""The code it is closed with, https://www.iana.org/assignments/websocket/websocket.xhtml"""
AT_ONCE = 64
"""Commands on their way to a master at a time; more wait."""
ANSWER_S = 2.0
"""How long a master may take to answer, or to accept a connection, before it counts as down."""
LOOK_S = 30.0
"""How often the masters are looked up while all is well."""
AGAIN_S, AGAIN_MOST_S = 0.1, 5.0
"""How soon they are looked up again while one is down: at first, and at last."""
QUIET_S = 5.0
"""A master from which no message comes for so long is asked whether it is there."""

Send = Callable[[bytes], Awaitable[None]]
Close = Callable[[int, str], Awaitable[None]]
T = TypeVar("T")

_LOG = logging.getLogger(__name__)
_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
_KEEP = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], 'tenant_id', ARGV[2], 'node_id', ARGV[3])
redis.call('HSETNX', KEYS[1], 'connected_at', now)
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
redis.call('ZADD', KEYS[2], now + ARGV[4], ARGV[1])
redis.call('PEXPIREAT', KEYS[2], redis.call('ZRANGE', KEYS[2], -1, -1, 'WITHSCORES')[2])
"""
_LIVE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
return redis.call('ZRANGE', KEYS[1], '(' .. string.format('%.0f', now), '+inf', 'BYSCORE')
"""


def tenant_channel(tenant: str) -> str:
    """Return the channel of a tenant. The braces make its id the hash tag: its state and channel share a node."""
    return f"tenant:{{{_checked(tenant)}}}:broadcast"


def room_channel(room: str) -> str:
    """Return the channel of a room: of those who receive each other's messages."""
    return f"$room:{{{_checked(room)}}}:updates"


def _checked(name: str) -> str:
    """Return an identifier fit for a key. Raises ValueError: a brace in it would move it to another slot."""
    if not _ID.fullmatch(name):
        raise ValueError(f"not an identifier: {name!r}")
    return name


class _Master:
    """A master of the cache: a client for commands, and one that only asks whether it is there."""

    def __init__(self, address: str, client: Callable[[str, int], Redis]) -> None:
        self.address, self.redis, self._probe = address, client(address, AT_ONCE), client(address, 1)
        self.turns = asyncio.Semaphore(AT_ONCE)
        self.is_up = asyncio.Event()
        self.is_up.set()

    async def probe(self, ask: Callable[[Redis], Awaitable[T]]) -> T | None:
        """Return the answer to a command, None where there is none: then it is down."""
        try:
            answer = await ask(self._probe)
        except (RedisError, OSError) as error:
            if self.is_up.is_set():
                _LOG.warning("%s is down: %s", self.address, error)
            self.is_up.clear()
            return None
        self.is_up.set()
        return answer

    async def aclose(self) -> None:
        """Close its connections."""
        await asyncio.gather(self.redis.aclose(), self._probe.aclose(), return_exceptions=True)


class Masters:
    """The masters of the cache, each with connections of its own: one that is down delays nobody at the others.

    redis-py's own client of a cluster, shared by all, looks for the nodes again at every error, and closes the
    connections to all of them where the one that it asks is down. Here one task looks, with connections of its own and
    ever less often; what needs a master that is down fails at once.
    """

    def __init__(self, url: str = "", username: str | None = None, password: str | None = None) -> None:
        self._url = urlsplit(url or os.environ["CACHE_URL"])
        self._login = {
            "username": username or os.environ.get("CACHE_USERNAME"),
            "password": password or os.environ.get("CACHE_PASSWORD"),
        }
        self._host = self._url.hostname or "localhost"
        self._entry = _address(self._host, self._url.port or 6379)
        self._masters: dict[str, _Master] = {}
        self._owners = [self._entry]
        self._doubt = asyncio.Event()
        self._watchers: list[Callable[[], None]] = []
        self._looking: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Masters:
        """Look the masters up. Raises ConnectionError where no node answers."""
        await self._look()
        self._looking = asyncio.create_task(self._keep_looking())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close all connections."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        await asyncio.gather(*(master.aclose() for master in self._masters.values()))

    def of(self, key: str) -> _Master:
        """Return the master that has a key or a channel."""
        return self._master(self._owners[key_slot(key.encode()) % len(self._owners)])

    async def ask(self, key: str, call: Callable[[Redis], Awaitable[T]]) -> T:
        """Return what a call answers on the client of the master that has a key.

        Raises ConnectionError at once while that master is down, and what the client raises.
        """
        master = self.of(key)
        async with master.turns:
            if not master.is_up.is_set():
                raise ConnectionError(f"{master.address} is down")
            try:
                return await call(master.redis)
$elsewhere
            except (${doubted}ConnectionError, TimeoutError, OSError):
                self.doubt()
                raise

$moved    def doubt(self) -> None:
        """Have the masters looked up: one did not answer, or another has its keys."""
        self._doubt.set()

    def watch(self, looked: Callable[[], None]) -> None:
        """Have a function called whenever the masters were looked up."""
        self._watchers.append(looked)

    def _master(self, address: str) -> _Master:
        if address not in self._masters:
            self._masters[address] = _Master(address, self._client)
        return self._masters[address]

    def _client(self, address: str, connections: int) -> Redis:
        login, at, _ = self._url.netloc.rpartition("@")
        pool = BlockingConnectionPool.from_url(
            self._url._replace(netloc=f"{login}{at}{address}").geturl(),
            max_connections=connections,
            timeout=ANSWER_S,
            socket_timeout=ANSWER_S,
            socket_connect_timeout=ANSWER_S,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
            **self._login,
        )
        return Redis.from_pool(pool)

    async def _keep_looking(self) -> None:
        """Look when in doubt, and now and then; while a master is down ever less often, no two nodes in step."""
        again_s = AGAIN_S
        while True:
            if all(master.is_up.is_set() for master in self._masters.values()) and not self._doubt.is_set():
                again_s = AGAIN_S
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._doubt.wait(), random.uniform(0.5, 1.0) * LOOK_S)
            else:
                await asyncio.sleep(random.uniform(0.5, 1.0) * again_s)
                again_s = min(AGAIN_MOST_S, 2 * again_s)
            self._doubt.clear()
            try:
                await self._look()
            except ConnectionError as error:
                _LOG.warning("%s", error)

$look

class ConnectionState:
    """Who is connected, on which node, as a hash for each connection and an index of them for each tenant."""

    def __init__(self, masters: Masters, node: str, lifetime_s: float = LIFETIME_S) -> None:
        self._masters, self._node, self._lifetime_ms = masters, _checked(node), round(lifetime_s * 1000)

    async def keep(self, tenant: str, connection: str) -> None:
        """Write or renew a connection: when it opens, and at each heartbeat. Lost state is thus back in one heartbeat.

        One script, so that state and index live and die together; the server's clock, so that nodes need not agree.
        Raises what the client does while a master is being replaced: let the next heartbeat try again.
        """
        key, index = self._keys(tenant, connection)
        arguments = (connection, tenant, self._node, str(self._lifetime_ms))
        await self._masters.ask(index, lambda redis: redis.eval(_KEEP, 2, key, index, *arguments))

    async def drop(self, tenant: str, connection: str) -> None:
        """Forget a connection that was closed."""
        key, index = self._keys(tenant, connection)

        async def forget(redis: Redis) -> None:
            async with redis.pipeline(transaction=True) as pipe:
                pipe.delete(key)
                pipe.zrem(index, connection)
                await pipe.execute()

        await self._masters.ask(index, forget)

    async def connections(self, tenant: str) -> dict[str, dict[str, str]]:
        """Return connection id -> tenant_id, node_id and connected_at (ms) of a tenant's open connections.

        Reads that tenant's index and nothing else: no scan over the keys of all.
        """
        index = f"ws:{{{_checked(tenant)}}}:conns"

        async def read(redis: Redis) -> tuple[list[str], list[dict[bytes, bytes]]]:
            names = [name.decode() for name in await redis.eval(_LIVE, 1, index)]
            async with redis.pipeline(transaction=False) as pipe:
                for name in names:
                    pipe.hgetall(self._keys(tenant, name)[0])
                return names, await pipe.execute()

        names, found = await self._masters.ask(index, read)
        return {
            name: {field.decode(): value.decode() for field, value in fields.items()}
            for name, fields in zip(names, found, strict=True)
            if fields
        }

    def _keys(self, tenant: str, connection: str) -> tuple[str, str]:
        tag = f"ws:{{{_checked(tenant)}}}"
        return f"{tag}:conn:{_checked(connection)}", f"{tag}:conns"


class _Outbox:
    """What one connection is to be sent, in order, by a task of its own: whoever reads slowly keeps nobody waiting."""

    def __init__(self, send: Send, close: Close) -> None:
        self.channels: set[str] = set()
        self._send, self._close = send, close
        self._waiting: deque[bytes] = deque()
        self._task: asyncio.Task[None] | None = None

    def put(self, message: bytes) -> bool:
        """Have a message sent; return False where as many wait as may."""
        if len(self._waiting) >= QUEUED_MOST:
            return False
        self._waiting.append(message)
        if self._task is None:
            self._task = asyncio.create_task(self._drain())
        return True

    async def shut(self) -> None:
        """Close the connection; what waits for it is lost."""
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()
        try:
            await self._close(TRY_AGAIN_LATER, "too slow")
        except Exception as error:
            _LOG.info("not closed: %s", error)

    async def _drain(self) -> None:
        try:
            while self._waiting:
                await self._send(self._waiting.popleft())
        except Exception as error:
            _LOG.info("not delivered: %s", error)
            self._waiting.clear()
        finally:
            self._task = None


class _Listener:
    """One connection to a master, over which the messages of channels come; made again when it breaks."""

    def __init__(self, masters: Masters, master: _Master, deliver: Callable[[str, bytes], None]) -> None:
        self._masters, self._master, self._deliver = masters, master, deliver
        self.channels: dict[str, asyncio.Future[bool]] = {}
        self._unsent: asyncio.Queue[tuple[str, ...]] | None = None
        self._task = asyncio.create_task(self._run())

    def add(self, channel: str) -> None:
        """Subscribe to a channel; its future says whether that was done before the connection broke."""
        self.channels[channel] = asyncio.get_running_loop().create_future()
        if not self._master.is_up.is_set():
            self.channels[channel].set_result(False)
        self._tell("${sharded}SUBSCRIBE", channel)

    def remove(self, channel: str) -> None:
        """Unsubscribe from a channel."""
        _settle(self.channels.pop(channel), False)
        self._tell("${sharded}UNSUBSCRIBE", channel)

    async def aclose(self) -> None:
        """Close the connection."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def _tell(self, *command: str) -> None:
        if self._unsent is not None:
            self._unsent.put_nowait(command)

    async def _run(self) -> None:
        again_s = AGAIN_S
        while True:
            await self._master.is_up.wait()
            began_s = time.monotonic()
            connection: Connection = self._master.redis.connection_pool.make_connection()
            try:
                await connection.connect()
                self._unsent = asyncio.Queue()
                for channel in self.channels:
                    self._tell("${sharded}SUBSCRIBE", channel)
                async with asyncio.TaskGroup() as both:
                    both.create_task(self._write(connection, self._unsent))
                    both.create_task(self._read(connection, self._unsent))
            except* (RedisError, OSError) as errors:
                _LOG.info("%s: subscribing again: %s", self._master.address, errors.exceptions[0])
            finally:
                self._unsent = None
                await connection.disconnect(nowait=True)
                for subscribed in self.channels.values():
                    _settle(subscribed, False)
            self._masters.doubt()
            is_short = time.monotonic() - began_s < AGAIN_MOST_S
            again_s = min(AGAIN_MOST_S, 2 * again_s) if is_short else AGAIN_S
            await asyncio.sleep(random.uniform(0.5, 1.0) * again_s)

    async def _write(self, connection: Connection, unsent: asyncio.Queue[tuple[str, ...]]) -> None:
        while True:
            commands = [await unsent.get()]
            while not unsent.empty():
                commands.append(unsent.get_nowait())
            await connection.send_packed_command(connection.pack_commands(commands))

    async def _read(self, connection: Connection, unsent: asyncio.Queue[tuple[str, ...]]) -> None:
        """Deliver what comes. A master that says nothing is asked, and left when it does not answer."""
        is_asked = False
        while True:
$read
            if answer is not None:
                is_asked = False
                self._heard(*answer[:3])
            elif is_asked:
                raise TimeoutError("no answer")
            else:
                is_asked = True
                unsent.put_nowait(("PING",))

    def _heard(self, kind: bytes, name: bytes, content: bytes = b"") -> None:
        channel = name.decode()
        if kind == b"${message}":
            self._deliver(channel, content)
        elif channel in self.channels and kind == b"${subscribe}":
            _settle(self.channels[channel], True)
$kicked

class Messages:
    """Messages between the nodes, $channels.

    `send` may take its time: messages wait for each connection by itself. Where more than QUEUED_MOST would wait,
    `close` is called with TRY_AGAIN_LATER and words, and the connection is counted in `shed_count`.
    """

    def __init__(self, masters: Masters) -> None:
        self.shed_count = 0
        self._masters = masters
        self._members: dict[str, dict[str, _Outbox]] = {}
        self._outboxes: dict[str, _Outbox] = {}
        self._listeners: dict[_Master, _Listener] = {}
        self._listening: dict[str, _Listener] = {}
        self._ending: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Messages:
        """Follow the masters."""
        self._masters.watch(self._follow)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Deliver no more."""
        await asyncio.gather(*(listener.aclose() for listener in self._listeners.values()), *self._ending)

    async def join(self, channel: str, connection: str, send: Send, close: Close) -> bool:
        """Let a connection of this node receive a channel; the node subscribes with its first connection.

        Returns True once it receives whatever is published; False while the channel's master is down: then it receives
        as soon as that, or another in its place, is up. `send` and `close` are the connection's, the same each time.
        """
        outbox = self._outboxes.setdefault(connection, _Outbox(send, close))
        outbox.channels.add(channel)
        self._members.setdefault(channel, {})[connection] = outbox
        if channel not in self._listening:
            self._subscribe(channel)
        return await asyncio.shield(self._listening[channel].channels[channel])

    def leave(self, channel: str, connection: str) -> None:
        """Undo `join`, or nothing; the node unsubscribes with its last connection."""
        members = self._members.get(channel, {})
        if (outbox := members.pop(connection, None)) is None:
            return
        outbox.channels.discard(channel)
        if not outbox.channels:
            del self._outboxes[connection]
        if not members:
            del self._members[channel]
            self._listening.pop(channel).remove(channel)

    async def publish(self, channel: str, message: bytes) -> None:
        """Send a message to the channel's connections on every node. Raises ConnectionError if its master is down."""
        await self._masters.ask(channel, lambda redis: redis.${publish}(channel, message))

    def _subscribe(self, channel: str) -> None:
        master = self._masters.of(channel)
        if master not in self._listeners:
            self._listeners[master] = _Listener(self._masters, master, self._deliver)
        self._listening[channel] = self._listeners[master]
        self._listening[channel].add(channel)

    def _follow(self) -> None:
        """Subscribe to channels that have another master there, and let go of masters that have none."""
        for channel, listener in list(self._listening.items()):
            if self._listeners.get(self._masters.of(channel)) is not listener:
                listener.remove(channel)
                self._subscribe(channel)
        for master, listener in list(self._listeners.items()):
            if not listener.channels:
                self._end(self._listeners.pop(master).aclose())

    def _deliver(self, channel: str, message: bytes) -> None:
        for connection, outbox in list(self._members.get(channel, {}).items()):
            if not outbox.put(message):
                self._shed(connection, outbox)

    def _shed(self, connection: str, outbox: _Outbox) -> None:
        _LOG.info("%s reads too slowly: closed", connection)
        self.shed_count += 1
        for channel in list(outbox.channels):
            self.leave(channel, connection)
        self._end(outbox.shut())

    def _end(self, ending: Coroutine[None, None, None]) -> None:
        """Let something end by itself; a task that nothing refers to may vanish."""
        task = asyncio.create_task(ending)
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)


def _settle(subscribed: asyncio.Future[bool], is_done: bool) -> None:
    if not subscribed.done():
        subscribed.set_result(is_done)


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
$helpers''')

CLUSTER: Final[Mapping[str, str]] = {
    "server": ", a server >= 7.0 for its sharded channels",
    "errors": "ClusterDownError, ConnectionError, MovedError, RedisError, TimeoutError",
    "collected": "Counter, deque",
    "crc": "REDIS_CLUSTER_HASH_SLOTS, key_slot",
    "sharded": "S",
    "publish": "spublish",
    "subscribe": "ssubscribe",
    "message": "smessage",
    "doubted": "ClusterDownError, ",
    "elsewhere": """\
            except MovedError as error:
                return await call(self.moved(error).redis)""",
    "moved": '''\
    def moved(self, error: MovedError) -> _Master:
        """Take note of what an error says: who has the keys of a slot now. Return that master."""
        address = _address(error.host or self._host, error.port)
        if error.slot_id < len(self._owners):
            self._owners[error.slot_id] = address
        self.doubt()
        return self._master(address)

''',
    "channels": "over sharded channels: each goes to the one Redis node that has its channel",
    "read": """\
            try:
                answer = await connection.read_response(timeout=ANSWER_S if is_asked else QUIET_S)
            except MovedError as error:
                self._masters.moved(error)
                continue""",
    "kicked": """\
        elif channel in self.channels and kind == b"sunsubscribe":
            self._tell("SSUBSCRIBE", channel)  # its slot went elsewhere: the answer says where
""",
    "look": '''\
    async def _look(self) -> None:
        """Find out which masters answer, and who has which keys, as most of them say. Raises ConnectionError."""
        said = await _slots(*self._masters.values())
        if not said:
            entry = _Master(self._entry, self._client)
            said = await _slots(entry)
            await entry.aclose()
        if not said:
            raise ConnectionError("no node of the cache answers")
        owners = self._owners if len(self._owners) > 1 else [self._entry] * REDIS_CLUSTER_HASH_SLOTS
        for first, last, host, port in Counter(said).most_common(1)[0][0]:
            owners[first : last + 1] = [_address(host or self._host, port)] * (last + 1 - first)
        self._owners = owners
        gone = [self._masters.pop(address) for address in self._masters.keys() - set(owners)]
        for address in set(owners):
            self._master(address)
        for looked in self._watchers:
            looked()
        await asyncio.gather(*(master.aclose() for master in gone))
''',
    "helpers": '''\


async def _slots(*masters: _Master) -> list[tuple[tuple[int, int, str, int], ...]]:
    """Return who has which slots, as each master says that answers: first slot, last slot, host and port."""
    answers = await asyncio.gather(*(master.probe(lambda redis: redis.cluster("slots")) for master in masters))
    return [
        tuple(sorted((first, last, (owner[0] or b"").decode(), owner[1]) for first, last, owner, *_ in answer))
        for answer in answers
        if answer is not None
    ]
''',
}
"""What differs where the keys are shared out among masters."""
ALONE: Final[Mapping[str, str]] = {
    "server": "",
    "errors": "ConnectionError, ReadOnlyError, RedisError, TimeoutError",
    "collected": "deque",
    "crc": "key_slot",
    "sharded": "",
    "publish": "publish",
    "subscribe": "subscribe",
    "message": "message",
    "doubted": "",
    "elsewhere": """\
            except ReadOnlyError:
                # The master's name means another node by now: new connections reach it.
                await master.redis.connection_pool.disconnect()
                raise""",
    "moved": "",
    "channels": "over channels of the one master",
    "read": "            answer = await connection.read_response(timeout=ANSWER_S if is_asked else QUIET_S)",
    "kicked": "",
    "look": '''\
    async def _look(self) -> None:
        """Find out whether the master answers. Raises ConnectionError."""
        if await self._master(self._entry).probe(lambda redis: redis.ping()) is None:
            raise ConnectionError("the cache does not answer")
        for looked in self._watchers:
            looked()
''',
    "helpers": "",
}
"""What differs where one master has all keys."""


def artefacts(plan: Plan, cache: Cache) -> tuple[Artefact, ...]:
    """Return the module; nothing for a cache that holds no connections' state."""
    if cache.streams is None:
        return ()
    lifetime_s, heartbeat_s = cache.streams.connection_lifetime_s, cache.streams.heartbeat_interval_s
    head = heading(
        plan,
        [
            f"sized for {cache.instance.sized.value('connection_state_mib'):.4g} MiB of connection state, "
            f"kept {lifetime_s:g} s"
        ],
    )
    text = head + MODULE.substitute(
        CLUSTER if cache.is_cluster else ALONE,
        lifetime=lifetime_s,
        heartbeat=heartbeat_s,
        queued=min(sockets.settings.queued_messages_per_connection for sockets in plan.of(WebSocketSettings)),
        room=room_word(plan),
    )
    purpose = "Connection state and messages between the WebSocket nodes, to import in them: `import connection_state`."
    return (Artefact("connection_state.py", text, purpose),)
