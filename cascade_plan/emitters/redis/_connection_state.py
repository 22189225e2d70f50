"""connection_state.py: the state of open connections and the messages between their nodes, as a module."""

from __future__ import annotations

from collections.abc import Mapping
from string import Template
from typing import Final

from cascade_plan.emitters._heading import heading
from cascade_plan.emitters._topology import Cache, room_word
from cascade_plan.model.artefact import Artefact
from cascade_plan.model.plan import Plan

MODULE: Final = Template('''\
"""Connections of a WebSocket cluster: who is connected where, and messages that reach them on whatever node.

Python 3.11, redis >= 8.1 from PyPI$server. Pub/sub delivers at most once:
what is published while a node subscribes again is lost, and the application must fetch it elsewhere.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable
$imports

LIFETIME_S = $lifetime
"""After its last heartbeat a connection is forgotten."""
HEARTBEAT_S = $heartbeat
"""How often `ConnectionState.keep` is called for each open connection."""
AT_ONCE = 64
"""Commands on their way at a time; the client has 100 connections to a node, and refuses more."""
$again

Send = Callable[[bytes], Awaitable[None]]

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


def _checked(name: str) -> str:
    """Return an identifier fit for a key. Raises ValueError: a brace in it would move it to another slot."""
    if not _ID.fullmatch(name):
        raise ValueError(f"not an identifier: {name!r}")
    return name


def tenant_channel(tenant: str) -> str:
    """Return the channel of a tenant. The braces make its id the hash tag: its state and channel share a node."""
    return f"tenant:{{{_checked(tenant)}}}:broadcast"


def room_channel(room: str) -> str:
    """Return the channel of a room: of those who receive each other's messages."""
    return f"$room:{{{_checked(room)}}}:updates"


class ConnectionState:
    """Who is connected, on which node, as a hash for each connection and an index of them for each tenant."""

    def __init__(self, redis: $client, node: str, lifetime_s: float = LIFETIME_S) -> None:
        self._redis, self._node, self._lifetime_ms = redis, _checked(node), round(lifetime_s * 1000)
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def keep(self, tenant: str, connection: str) -> None:
        """Write or renew a connection: when it opens, and at each heartbeat. Lost state is thus back in one heartbeat.

        One script, so that state and index live and die together; the server's clock, so that nodes need not agree.
        Raises what the client does while a master is being replaced: let the next heartbeat try again.
        """
        key, index = self._keys(tenant, connection)
        arguments = (connection, tenant, self._node, str(self._lifetime_ms))
        async with self._turns:
$before_script            await self._redis.eval(_KEEP, 2, key, index, *arguments)

    async def drop(self, tenant: str, connection: str) -> None:
        """Forget a connection that was closed."""
        key, index = self._keys(tenant, connection)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.delete(key)
            pipe.zrem(index, connection)
            await pipe.execute()

    async def connections(self, tenant: str) -> dict[str, dict[str, str]]:
        """Return connection id -> tenant_id, node_id and connected_at (ms) of a tenant's open connections.

        Reads that tenant's index and nothing else: no scan over the keys of all.
        """
        index = f"ws:{{{_checked(tenant)}}}:conns"
$before_list        names = [_text(name) for name in await self._redis.eval(_LIVE, 1, index)]
        async with self._redis.pipeline() as pipe:
            for name in names:
                pipe.hgetall(self._keys(tenant, name)[0])
            found = await pipe.execute() if names else []
        return {
            name: {_text(field): _text(value) for field, value in fields.items()}
            for name, fields in zip(names, found, strict=True)
            if fields
        }

    def _keys(self, tenant: str, connection: str) -> tuple[str, str]:
        tag = f"ws:{{{_checked(tenant)}}}"
        return f"{tag}:conn:{_checked(connection)}", f"{tag}:conns"


class Messages:
    """Messages between the nodes, $channels."""

    def __init__(self, redis: $client) -> None:
        self._redis = redis
        self._pubsub = redis.pubsub()
        self._members: defaultdict[str, dict[str, Send]] = defaultdict(dict)

    async def join(self, channel: str, connection: str, send: Send) -> None:
        """Let a connection of this node receive a channel; the node subscribes with its first connection."""
$before_join        first = not self._members[channel]
        self._members[channel][connection] = send
        if first:
            await self._pubsub.${sharded}subscribe(channel)

    async def leave(self, channel: str, connection: str) -> None:
        """Undo `join`; the node unsubscribes with its last connection."""
        members = self._members[channel]
        members.pop(connection, None)
        if not members:
            del self._members[channel]
            await self._pubsub.${sharded}unsubscribe(channel)

    async def publish(self, channel: str, message: bytes) -> None:
        """Send a message to the channel's connections on every node."""
        await self._redis.$publish

$reading    async def _deliver(self, channel: str, message: bytes) -> None:
        """Send to this node's members of the channel; one that is gone keeps nobody waiting."""
        members = list(self._members.get(channel, {}).items())
        results = await asyncio.gather(*(send(message) for _, send in members), return_exceptions=True)
        for (connection, _), result in zip(members, results, strict=True):
            if isinstance(result, Exception):
                logging.getLogger(__name__).info("%s: not delivered to %s: %s", channel, connection, result)


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
''')

CLUSTER: Final[Mapping[str, str]] = {
    "server": ", a server >= 7.0 for its sharded channels",
    "client": "RedisCluster",
    "imports": """\
from contextlib import suppress

from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.exceptions import ConnectionError, RedisError, TimeoutError""",
    "again": '''\
TOPOLOGY_S = 1.0
"""How often the readers look for masters that came or went."""''',
    "before_script": """\
            await self._redis.initialize()  # a client that does not know the slots yet sends scripts anywhere
""",
    "before_list": "        await self._redis.initialize()\n",
    "before_join": "        await self._redis.initialize()\n",
    "channels": "over sharded channels: each goes to the one Redis node that has its channel",
    "sharded": "s",
    "publish": 'execute_command("SPUBLISH", channel, message)',
    "reading": '''\
    async def run(self) -> None:
        """Deliver until cancelled: one reader for each master, for those that failovers make, too."""
        await self._redis.initialize()
        readers: dict[str, asyncio.Task[None]] = {}
        try:
            while True:
                for node in self._redis.get_primaries():
                    if node.name not in readers or readers[node.name].done():
                        readers[node.name] = asyncio.create_task(self._read(node))
                await asyncio.sleep(TOPOLOGY_S)
        finally:
            for task in readers.values():
                task.cancel()
            await asyncio.gather(*readers.values(), return_exceptions=True)
            await self._pubsub.aclose()

    async def _read(self, node: ClusterNode) -> None:
        while any(node.name == primary.name for primary in self._redis.get_primaries()):
            try:
                message = await self._pubsub.get_sharded_message(target_node=node, timeout=TOPOLOGY_S)
            except (ConnectionError, TimeoutError, OSError):
                await self._look_again()
                continue
            if message is None:
                await asyncio.sleep(0.02)  # without a subscription there the answer comes at once
            elif message["type"] == "smessage":
                await self._deliver(_text(message["channel"]), message["data"])

    async def _look_again(self) -> None:
        """Ask for a key beside each channel: the client learns who has it now, and subscribes there."""
        await asyncio.sleep(TOPOLOGY_S)
        for channel in list(self._members):
            with suppress(RedisError, OSError):
                await self._redis.exists(channel)

''',
}
"""What differs where the keys are shared out among masters."""
ALONE: Final[Mapping[str, str]] = {
    "server": "",
    "client": "Redis",
    "imports": """\

from redis.asyncio import Redis
from redis.exceptions import ConnectionError, TimeoutError""",
    "again": '''\
AGAIN_S = 1.0
"""How long a reader waits after its connection broke, before it subscribes again."""''',
    "before_script": "",
    "before_list": "",
    "before_join": "",
    "channels": "over channels of the one master",
    "sharded": "",
    "publish": "publish(channel, message)",
    "reading": '''\
    async def run(self) -> None:
        """Deliver until cancelled. A client that connects again subscribes again by itself."""
        try:
            while True:
                await self._next()
        finally:
            await self._pubsub.aclose()

    async def _next(self) -> None:
        if not self._pubsub.subscribed:
            await asyncio.sleep(0.02)
            return
        try:
            message = await self._pubsub.get_message(ignore_subscribe_messages=True, timeout=AGAIN_S)
        except (ConnectionError, TimeoutError, OSError):
            await asyncio.sleep(AGAIN_S)
            return
        if message is not None and message["type"] == "message":
            await self._deliver(_text(message["channel"]), message["data"])

''',
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
    parts = CLUSTER if cache.is_cluster else ALONE
    text = head + MODULE.substitute(parts, lifetime=lifetime_s, heartbeat=heartbeat_s, room=room_word(plan))
    purpose = "Connection state and messages between the WebSocket nodes, to import in them: `import connection_state`."
    return (Artefact("connection_state.py", text, purpose),)
