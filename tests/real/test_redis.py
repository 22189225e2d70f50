"""A Redis cluster made from the emitted files: failover, sharded channels, connection state and its memory."""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest
import redis as client
from factories import make_plan
from redis.backoff import NoBackoff
from redis.retry import Retry
from servers import free_port, listening, program, running, wait_until

from cascade_plan.emitters import directory as emitting
from cascade_plan.emitters._topology import caches
from cascade_plan.model.plan import Plan

pytestmark = pytest.mark.xdist_group("redis")
Send = Callable[[bytes], Awaitable[None]]
Close = Callable[[int, str], Awaitable[None]]
PASSWORDS = {
    name: f"{name.lower()}-secret"
    for name in ("APPLICATION_PASSWORD", "METRICS_PASSWORD", "REPLICA_PASSWORD", "ADMIN_PASSWORD")
}


def emitted(made: Plan, path: str) -> str:
    return next(artefact.text for artefact in emitting.emitted(made, "cluster").files if artefact.path == path)


def environment(**more: str) -> dict[str, str]:
    """Return an environment in which scripts find the servers' programs."""
    return {"PATH": f"{Path(program('redis-cli')).parent}:{os.environ['PATH']}", **more}


@dataclass
class Cluster:
    """Servers by port, masters first."""

    made: Plan
    ports: list[int]
    servers: dict[int, subprocess.Popen[bytes]]
    directory: Path

    def admin(self, port: int) -> client.Redis:
        """Return a connection to one node as its administrator."""
        return client.Redis(
            port=port, username="admin", password=PASSWORDS["ADMIN_PASSWORD"], decode_responses=True, protocol=2
        )


def cluster_port() -> int:
    """Return a free port whose cluster bus, 10,000 above it, is free too."""
    while (port := free_port()) > 55_535 or listening(port + 10_000):
        pass
    return port


def served(made: Plan, directory: Path, stack: ExitStack, **more: str) -> tuple[int, subprocess.Popen[bytes]]:
    """Return port and process of a server with the emitted settings and users, in a directory called after the port.

    `more` is what its script for users finds in the environment besides the passwords.
    """
    port = cluster_port()
    home = directory / str(port)
    home.mkdir()
    users = home / "redis-users.sh"
    users.write_text(emitted(made, users.name), encoding="utf-8")
    subprocess.run(["sh", str(users), str(home)], env=environment(**{**PASSWORDS, **more}), check=True)
    if is_encrypted(made):
        shutil.copytree(directory / "tls", home / "tls")
    conf = home / "redis.conf"
    conf.write_text(emitted(made, conf.name).replace("/etc/redis/", f"{home}/"), encoding="utf-8")
    return port, launched(home, stack)


def launched(home: Path, stack: ExitStack) -> subprocess.Popen[bytes]:
    """Return the process of a server, started anew with what its directory holds."""
    port = int(home.name)
    command = [program("redis-server"), str(home / "redis.conf"), "--dir", str(home)]
    if "tls-port" in (home / "redis.conf").read_text(encoding="utf-8"):
        # Called by their names, as pods are.
        named = ["--cluster-announce-hostname", "localhost", "--cluster-preferred-endpoint-type", "hostname"]
        command += ["--tls-port", str(port), *named]
    else:
        command += ["--port", str(port)]
    return stack.enter_context(running([*command, "--bind", "127.0.0.1"], lambda: listening(port), home / "log"))


def is_encrypted(made: Plan) -> bool:
    return any(cache.instance.settings.tls for cache in caches(made))


def started(made: Plan, directory: Path, stack: ExitStack) -> Cluster:
    """Return the cluster of a plan on loopback, made by the emitted scripts, each node in a directory of its own."""
    servers = dict(served(made, directory, stack) for _ in range(int(made.figure("cache.node_count"))))
    ran = created(made, directory, [*servers])
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "[OK] All 16384 slots covered." in ran.stdout
    return Cluster(made, list(servers), servers, directory)


def created(made: Plan, directory: Path, ports: list[int], wait_s: int = 30) -> subprocess.CompletedProcess[str]:
    """Return what the emitted script says that makes a cluster of servers."""
    script = directory / "create-cluster.sh"
    script.write_text(emitted(made, script.name), encoding="utf-8")
    hosts = " ".join(f"127.0.0.1:{port}" for port in ports)
    login = {"REDIS_USER": "admin", "REDISCLI_AUTH": PASSWORDS["ADMIN_PASSWORD"]}
    env = environment(HOSTS=hosts, WAIT_S=str(wait_s), CA_FILE=str(directory / "tls" / "ca.crt"), **login)
    # As a step of the index does in a pod: the script is what the shell reads.
    with script.open() as read:
        return subprocess.run(["sh", "-s"], env=env, stdin=read, capture_output=True, text=True, check=False)


def module(made: Plan, directory: Path) -> ModuleType:
    """Return the emitted connection_state.py, imported."""
    path = directory / "connection_state.py"
    path.write_text(emitted(made, path.name), encoding="utf-8")
    spec = importlib.util.spec_from_file_location("connection_state", path)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    sys.modules["connection_state"] = loaded
    spec.loader.exec_module(loaded)
    return loaded


@pytest.fixture(scope="module")
def six(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Three masters with a replica each."""
    made = make_plan(
        emit__cache="self",
        tiers__cache={"minimum_nodes": 3, "replicas_per_master": 1},
        tiers__websocket={"health_interval_s": 1.0},
    )
    with ExitStack() as stack:
        yield started(made, tmp_path_factory.mktemp("six"), stack)


@pytest.fixture
def state(six: Cluster) -> ModuleType:
    return module(six.made, six.directory)


def joined(cluster: Cluster, state: ModuleType, first: int = -1) -> Any:
    """Return the emitted module's way to the masters, as the application, by way of one of the nodes."""
    address = f"127.0.0.1:{cluster.ports[first]}"
    ca = cluster.directory / "tls" / "ca.crt"
    url = f"rediss://{address}?ssl_ca_certs={ca}" if is_encrypted(cluster.made) else f"redis://{address}"
    return state.Masters(url, "test", PASSWORDS["APPLICATION_PASSWORD"])


def test_each_replica_copies_the_master_it_was_planned_for(six: Cluster) -> None:
    for number, port in enumerate(six.ports):
        replication = six.admin(port).info("replication")
        assert replication["role"] == ("master" if number < 3 else "slave")
        if number >= 3:
            assert replication["master_port"] == six.ports[number - 3]
            # The script ends when it has all: a master may be lost from now on.
            assert replication["master_link_status"] == "up"


def test_settings_are_the_plans(six: Cluster) -> None:
    for port in six.ports:
        settings = six.admin(port).config_get("*")
        assert int(settings["maxmemory"]) == int(six.made.figure("cache.maxmemory_mib_per_node")) * 2**20
        assert settings["maxmemory-policy"] == "allkeys-lru"
        mib = int(six.made.figure("cache.pubsub_buffer_mib_per_subscriber"))
        assert f"pubsub {mib * 2**20} {mib * 2**18} 60" in settings["client-output-buffer-limit"]
        assert (settings["appendonly"], settings["save"], settings["cluster-node-timeout"]) == ("no", "", "1000")


def test_only_known_users_get_in_and_the_application_cannot_destroy(six: Cluster) -> None:
    with pytest.raises(client.AuthenticationError):
        client.Redis(port=six.ports[0], protocol=2, retry=Retry(NoBackoff(), 0)).ping()
    application = client.Redis(
        port=six.ports[0], username="test", password=PASSWORDS["APPLICATION_PASSWORD"], protocol=2
    )
    for command in ("FLUSHALL", "KEYS *", "CONFIG GET maxmemory"):
        with pytest.raises(client.exceptions.NoPermissionError):
            application.execute_command(*command.split())
    metrics = client.Redis(port=six.ports[0], username="metrics", password=PASSWORDS["METRICS_PASSWORD"], protocol=2)
    for command in ("INFO ALL", "SLOWLOG LEN", "SLOWLOG GET 1", "LATENCY LATEST", "CLUSTER INFO"):
        metrics.execute_command(*command.split())
    for command in ("CONFIG GET *", "GET a", "SSUBSCRIBE tenant:{a}:broadcast", "SCAN 0", "PSYNC ? -1"):
        with pytest.raises(client.exceptions.NoPermissionError):
            metrics.execute_command(*command.split())


def test_connections_are_listed_by_tenant_and_expire(six: Cluster, state: ModuleType) -> None:
    async def scene() -> None:
        async with joined(six, state) as masters:
            here = state.ConnectionState(masters, "ws-node-1", lifetime_s=0.6)
            there = state.ConnectionState(masters, "ws-node-2", lifetime_s=60)
            await here.keep("acme", "a")
            await there.keep("acme", "b")
            await there.keep("other", "c")
            found = await here.connections("acme")
            assert {name: fields["node_id"] for name, fields in found.items()} == {"a": "ws-node-1", "b": "ws-node-2"}
            assert set(found["a"]) == {"tenant_id", "node_id", "connected_at"}
            for _ in range(3):  # heartbeats carry it beyond its lifetime, with the time it connected
                await asyncio.sleep(0.4)
                await here.keep("acme", "a")
            assert (await here.connections("acme"))["a"] == found["a"]
            await asyncio.sleep(0.8)
            assert set(await here.connections("acme")) == {"b"}
            redis = masters.of("ws:{acme}:conns").redis
            assert not await redis.exists("ws:{acme}:conn:a")
            await there.keep("acme", "d")
            assert await redis.zcard("ws:{acme}:conns") == 2  # the dead one left the index, too
            await there.drop("acme", "b")
            await there.drop("acme", "d")
            assert await here.connections("acme") == {}
            assert await redis.exists("ws:{acme}:conns") == 0
            for bad in ("a}b", "{a", "", "a b", "a\n"):
                with pytest.raises(ValueError, match="not an identifier"):
                    await here.keep(bad, "x")

    asyncio.run(scene())


def test_state_takes_the_memory_it_was_sized_for(six: Cluster, state: ModuleType) -> None:
    count, tenants = 10_000, 10

    def used() -> int:
        found = (six.admin(port).info("memory") for port in six.ports[:3])
        return sum(
            each["used_memory"]
            - each["mem_total_replication_buffers"]
            - each["mem_clients_normal"]
            - each["mem_clients_slaves"]
            for each in found
        )

    async def scene() -> None:
        async with joined(six, state) as masters:
            kept = state.ConnectionState(masters, "ws-node-1")
            await asyncio.gather(*(kept.keep(f"tenant-{n % tenants}", str(UUID(int=n * 7919))) for n in range(count)))

    before = used()
    asyncio.run(scene())
    sized = float(six.made.figure("cache.connection_state_mib")) * 2**20
    assert six.made.figure("websocket.connection_count") == count
    # A quarter either way: hash tables double in steps, and how many tenants each of three masters has is chance.
    assert 0.75 < (used() - before) / sized < 1.25


class Ears:
    """What was heard, by who heard it."""

    def __init__(self) -> None:
        self.heard: dict[str, list[bytes]] = {}
        self.closed: list[tuple[str, int]] = []

    def of(self, name: str, delay_s: float = 0) -> tuple[Send, Close]:
        """Return a connection's ways to be sent to and to be closed."""

        async def send(message: bytes) -> None:
            await asyncio.sleep(delay_s)
            self.heard.setdefault(name, []).append(message)

        async def close(code: int, reason: str) -> None:
            self.closed.append((name, code))

        return send, close

    async def hears(self, name: str, *messages: bytes) -> None:
        """Wait until somebody has heard just these."""
        async with asyncio.timeout(10):
            while len(self.heard.get(name, [])) < len(messages):
                await asyncio.sleep(0.02)
        assert self.heard[name] == [*messages]


async def gone(*_: object) -> None:
    raise ConnectionResetError("closed meanwhile")


def run(scene: Callable[[], Awaitable[None]]) -> None:
    """Run a scene, in which no task may fail unheard."""
    unheard: list[dict[str, Any]] = []

    async def watched() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: unheard.append(context))
        await scene()
        gc.collect()

    asyncio.run(watched())
    assert unheard == []


def test_messages_reach_other_nodes_and_only_their_channel(six: Cluster, state: ModuleType) -> None:
    async def scene() -> None:
        ears = Ears()
        async with (
            joined(six, state) as masters,
            joined(six, state, 0) as others,
            state.Messages(masters) as one,
            state.Messages(others) as two,
        ):
            channels = [state.tenant_channel(f"tenant-{n}") for n in range(12)] + [state.room_channel("w")]
            for channel in channels:
                assert await two.join(channel, f"first of {channel}", *ears.of(channel))
            assert len({masters.of(channel).address for channel in channels}) == 3
            assert await one.join(channels[0], "near", *ears.of("near"))
            await two.join(channels[0], "gone", gone, gone)
            await two.join(channels[0], "second", *ears.of("second"))
            for channel in channels:
                await one.publish(channel, channel.encode())
            for channel in channels:
                await ears.hears(channel, channel.encode())
            await ears.hears("second", channels[0].encode())
            await ears.hears("near", channels[0].encode())
            for connection in (f"first of {channels[0]}", "gone", "second", "second"):
                two.leave(channels[0], connection)
            await one.publish(channels[0], b"later")
            await ears.hears("near", channels[0].encode(), b"later")
            await asyncio.sleep(0.2)
            assert ears.heard["second"] == [channels[0].encode()]
            # Whoever joins a channel that another is only just subscribing to has it from then on, too.
            late = state.tenant_channel("late")
            first = asyncio.create_task(two.join(late, "a", *ears.of("a")))
            await asyncio.sleep(0)
            assert await two.join(late, "b", *ears.of("b"))
            await one.publish(late, b"both")
            await ears.hears("b", b"both")
            await ears.hears("a", b"both")
            assert await first

    run(scene)


def test_a_slow_client_delays_nobody_and_is_closed(six: Cluster, state: ModuleType) -> None:
    async def scene() -> None:
        ears, took_s = Ears(), []
        async with joined(six, state) as masters, state.Messages(masters) as messages:
            slow = state.tenant_channel("slow")
            here = masters.of(slow)
            others = [name for name in map(state.tenant_channel, map(str, range(60))) if masters.of(name) is here][:9]
            for channel in (slow, *others):
                await messages.join(channel, f"at {channel}", *ears.of(channel, 10 if channel == slow else 0))
            await messages.join(slow, "quick", *ears.of("quick"))
            await messages.publish(slow, b"slow")
            for channel in others:
                began_s = time.monotonic()
                await messages.publish(channel, b"quick")
                while channel not in ears.heard:
                    await asyncio.sleep(0.001)
                took_s.append(time.monotonic() - began_s)
            assert max(took_s) < 0.1
            # One is being sent, as many as may wait do; the next one is too much.
            for number in range(state.QUEUED_MOST):
                await messages.publish(slow, str(number).encode())
            await asyncio.sleep(0.1)
            assert (messages.shed_count, ears.closed) == (0, [])
            await messages.publish(slow, b"too much")
            while len(ears.heard["quick"]) < state.QUEUED_MOST + 2:
                await asyncio.sleep(0.01)
            assert (messages.shed_count, ears.closed) == (1, [(slow, 1013)])
            assert slow not in ears.heard

    run(scene)


class Traffic:
    """Messages and state of each master's tenants, sent all the time; what came of them by master."""

    def __init__(self, state: ModuleType, masters: Any, sender: Any, receiver: Any) -> None:
        self._state, self._masters, self._sender, self._receiver = state, masters, sender, receiver
        self._kept = state.ConnectionState(masters, "ws-node-1")
        self.tenants: dict[str, list[str]] = {}
        for tenant in map(str, range(60)):
            self.tenants.setdefault(masters.of(state.tenant_channel(tenant)).address, []).append(tenant)
        self.sent, self.failed, self.heard = Counter[str](), Counter[str](), Counter[str]()

    async def join(self) -> None:
        for address, tenants in self.tenants.items():

            async def send(message: bytes, address: str = address) -> None:
                self.heard[address] += 1

            for tenant in tenants:
                assert await self._receiver.join(self._state.tenant_channel(tenant), tenant, send, gone)

    async def flow(self, seconds: float) -> dict[str, tuple[int, int, int]]:
        """Send for a while; return what was sent, what could not be, and what was heard, by master."""
        for counter in (self.sent, self.failed, self.heard):
            counter.clear()
        await asyncio.gather(*(self._flow(address, time.monotonic() + seconds) for address in self.tenants))
        await asyncio.sleep(0.1)
        return {each: (self.sent[each], self.failed[each], self.heard[each]) for each in self.tenants}

    async def _flow(self, address: str, until_s: float) -> None:
        while time.monotonic() < until_s:
            for tenant in self.tenants[address]:
                try:
                    await self._kept.keep(tenant, "a")
                    await self._sender.publish(self._state.tenant_channel(tenant), b"message")
                except (client.RedisError, OSError):
                    self.failed[address] += 1
                else:
                    self.sent[address] += 1
                await asyncio.sleep(0.005)

    async def until_all_hear(self) -> None:
        """Send until all that is sent is heard, of every master."""
        async with asyncio.timeout(20):
            while any(failed or sent != heard for sent, failed, heard in (await self.flow(0.2)).values()):
                pass


def test_a_lost_master_takes_nothing_from_the_others(tmp_path: Path) -> None:
    made = make_plan(
        emit__cache="self",
        tiers__cache={"minimum_nodes": 3, "replicas_per_master": 0},
        tiers__websocket={"health_interval_s": 1.0},
    )
    with ExitStack() as stack:
        three = started(made, tmp_path, stack)
        state, lost = module(made, tmp_path), three.ports[0]

        async def scene() -> None:
            async with (
                joined(three, state, 0) as masters,
                joined(three, state) as others,
                state.Messages(masters) as one,
                state.Messages(others) as two,
            ):
                traffic = Traffic(state, masters, one, two)
                await traffic.join()
                flowed = [await traffic.flow(1)]
                # Silent first, as where a zone is cut off, then gone.
                three.servers[lost].send_signal(signal.SIGSTOP)
                flowed.append(await traffic.flow(2.5))
                three.servers[lost].kill()
                flowed.append(await traffic.flow(1))
                began_s, spent_s = time.monotonic(), time.process_time()
                await asyncio.sleep(1)
                busy = (time.process_time() - spent_s) / (time.monotonic() - began_s)
                launched(tmp_path / str(lost), stack)
                await traffic.until_all_hear()
                for address in traffic.tenants:
                    is_lost = address == f"127.0.0.1:{lost}"
                    of_address = [each[address] for each in flowed]
                    assert [failed > 0 for _, failed, _ in of_address] == [False, is_lost, is_lost], flowed
                    assert all(sent == heard for sent, _, heard in of_address), flowed
                    # As many as before; half of it, since other work shares the machine.
                    assert is_lost or of_address[1][0] / 2.5 > 0.5 * of_address[0][0], flowed
                assert busy < 0.05

        run(scene)


def test_a_lost_master_is_replaced_with_its_state_and_channels(six: Cluster, state: ModuleType) -> None:
    lost, heir = six.ports[1], six.ports[4]

    async def scene() -> None:
        async with (
            joined(six, state) as masters,
            joined(six, state, 0) as others,
            state.Messages(masters) as one,
            state.Messages(others) as two,
        ):
            traffic = Traffic(state, masters, one, two)
            await traffic.join()
            kept = state.ConnectionState(masters, "ws-node-2")
            tenant = traffic.tenants[f"127.0.0.1:{lost}"][0]
            await kept.keep(tenant, "before")
            assert six.admin(lost).execute_command("WAIT", 1, 5000) == 1
            six.servers[lost].kill()
            flowed = await traffic.flow(2)
            await traffic.until_all_hear()
            for address, (sent, failed, heard) in flowed.items():
                assert address == f"127.0.0.1:{lost}" or (sent == heard > 50 and not failed)
            assert six.admin(heir).info("replication")["role"] == "master"
            assert "before" in await kept.connections(tenant)

    run(scene)


def test_two_masters_make_a_cluster_too_and_nobody_speaks_in_clear(tmp_path: Path) -> None:
    certified(tmp_path / "tls")

    async def scene(small: Cluster, state: ModuleType) -> None:
        ears, channels = Ears(), [state.tenant_channel(name) for name in map(str, range(9))]
        async with joined(small, state) as masters, state.Messages(masters) as messages:
            await keeps_and_forgets(state.ConnectionState(masters, "ws-node-1"))
            for channel in channels:
                assert await messages.join(channel, channel, *ears.of(channel))
                await messages.publish(channel, b"sealed")
                await ears.hears(channel, b"sealed")
            assert {masters.of(channel).address for channel in channels} == {
                f"localhost:{each}" for each in small.ports
            }

    with ExitStack() as stack:
        made = make_plan(emit__cache="self", tiers__cache={"minimum_nodes": 2, "replicas_per_master": 0, "tls": True})
        small = started(made, tmp_path, stack)
        assert len(small.ports) == 2
        asyncio.run(scene(small, module(small.made, tmp_path)))
        with pytest.raises(client.ConnectionError):
            client.Redis(port=small.ports[0], protocol=2, retry=Retry(NoBackoff(), 0)).ping()


def certified(directory: Path) -> None:
    """Write a key and a certificate for this machine that is its own authority."""
    directory.mkdir()
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
    ]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    command += ["-keyout", str(directory / "tls.key"), "-out", str(directory / "tls.crt")]
    subprocess.run(command, check=True, capture_output=True)
    shutil.copy(directory / "tls.crt", directory / "ca.crt")


def test_a_replica_that_cannot_log_in_is_noticed(tmp_path: Path) -> None:
    made = make_plan(emit__cache="self", tiers__cache={"minimum_nodes": 2, "replicas_per_master": 1})
    with ExitStack() as stack:
        good = [served(made, tmp_path, stack)[0] for _ in range(3)]
        bad, _ = served(made, tmp_path, stack, REPLICA_PASSWORD="another")
        ran = created(made, tmp_path, [*good, bad], wait_s=10)
        assert ran.returncode != 0
        assert ran.stderr == (
            f"127.0.0.1:{bad}: master_link_status:up: not within 10 s: is REPLICA_PASSWORD the same on all nodes?\n"
        )


async def keeps_and_forgets(kept: Any) -> None:
    """Keep a connection of each of ten tenants, find just that, and let go of it."""
    for tenant in map(str, range(10)):
        await kept.keep(tenant, "a")
        assert set(await kept.connections(tenant)) == {"a"}
        await kept.drop(tenant, "a")
        assert await kept.connections(tenant) == {}


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Cluster]:
    """Return one master and its replica: no cluster."""
    made = make_plan(emit__cache="self", tiers__cache={"minimum_nodes": 1, "replicas_per_master": 1})
    with ExitStack() as stack:
        master = served(made, tmp_path, stack)
        replica = served(made, tmp_path, stack, MASTER=f"127.0.0.1:{master[0]}")
        yield Cluster(made, [master[0], replica[0]], dict((master, replica)), tmp_path)


def test_a_replica_of_the_only_master_copies_it(pair: Cluster) -> None:
    master, replica = (pair.admin(port) for port in pair.ports)
    wait_until(lambda: replica.info("replication")["master_link_status"] == "up", "replication")
    assert replica.info("replication")["master_port"] == pair.ports[0]
    assert master.info("cluster")["cluster_enabled"] == 0
    master.set("a", "b")
    assert master.execute_command("WAIT", 1, 5000) == 1
    assert replica.get("a") == "b"
    # What redis.conf says that somebody does when the master is lost.
    pair.servers[pair.ports[0]].kill()
    replica.execute_command("REPLICAOF", "NO", "ONE")
    assert replica.set("a", "c")


def test_state_and_messages_of_the_only_master(pair: Cluster) -> None:
    state = module(pair.made, pair.directory)

    async def scene() -> None:
        ears = Ears()
        async with (
            joined(pair, state, 0) as masters,
            joined(pair, state, 0) as others,
            state.Messages(masters) as one,
            state.Messages(others) as two,
        ):
            await keeps_and_forgets(state.ConnectionState(masters, "ws-node-1"))
            channels = [state.tenant_channel("a"), state.room_channel("b")]
            for channel in channels:
                assert await two.join(channel, f"far of {channel}", *ears.of(channel))
                assert await two.join(channel, "gone", gone, gone)
            assert await one.join(channels[0], "near", *ears.of("near"))
            for channel in channels:
                await one.publish(channel, channel.encode())
                await ears.hears(channel, channel.encode())
            await ears.hears("near", channels[0].encode())
            # Cut off by the server, the listener subscribes again.
            assert pair.admin(pair.ports[0]).client_kill_filter(_type="pubsub", skipme=True) == 2
            async with asyncio.timeout(10):
                while b"again" not in ears.heard[channels[1]]:
                    await one.publish(channels[1], b"again")
                    await asyncio.sleep(0.1)
            for connection in (f"far of {channels[1]}", "gone"):
                two.leave(channels[1], connection)
            await asyncio.sleep(0.1)
            count = len(ears.heard[channels[1]])
            await one.publish(channels[1], b"nobody")
            await asyncio.sleep(0.2)
            assert len(ears.heard[channels[1]]) == count

    run(scene)


@pytest.mark.parametrize("masters", [1, 3])
def test_a_server_of_a_cache_alone_takes_its_settings(masters: int, tmp_path: Path) -> None:
    made = make_plan(emit__cache="self", tiers__websocket="off", gates={}, tiers__cache={"minimum_nodes": masters})
    with ExitStack() as stack:
        port, _ = served(made, tmp_path, stack)
        admin = client.Redis(port=port, username="admin", password=PASSWORDS["ADMIN_PASSWORD"], protocol=2)
        assert admin.info("cluster")["cluster_enabled"] == (masters > 1)
        settings = admin.config_get("*")
        # Redis's own: what the emitted file says where no connections' settings decide it.
        assert (settings["cluster-node-timeout"], settings["tcp-keepalive"]) == ("15000", "300")
        application = client.Redis(
            port=port, username="test", password=PASSWORDS["APPLICATION_PASSWORD"], protocol=2, decode_responses=True
        )
        with pytest.raises(client.exceptions.NoPermissionError, match="channel"):
            application.publish("a", "b")


@pytest.mark.parametrize(("amount", "message_bytes"), [(0.001, 0), (31_536_000, 1e12)])
def test_the_server_accepts_the_schemas_extremes(amount: float, message_bytes: float, tmp_path: Path) -> None:
    made = make_plan(
        emit__cache="self",
        tiers__websocket={
            "health_interval_s": amount,
            "health_timeout_s": amount,
            "heartbeat_interval_s": amount,
            "message_bytes": message_bytes,
            "connection_lifetime_s": amount,
        },
    )
    with ExitStack() as stack:
        port, _ = served(made, tmp_path, stack)
        admin = client.Redis(port=port, username="admin", password=PASSWORDS["ADMIN_PASSWORD"], protocol=2)
        assert admin.config_get("maxmemory-policy") == {"maxmemory-policy": "allkeys-lru"}


def test_no_users_without_passwords(tmp_path: Path) -> None:
    script = tmp_path / "redis-users.sh"
    made = make_plan(emit__cache="self", tiers__cache={"minimum_nodes": 1, "replicas_per_master": 1})
    script.write_text(emitted(made, script.name), encoding="utf-8")
    for passwords in (
        {},
        {**PASSWORDS, "ADMIN_PASSWORD": ""},
        {**PASSWORDS, "REPLICA_PASSWORD": "a\nrename-command"},
        {**PASSWORDS, "MASTER": "redis-1:6379\nrename-command"},
    ):
        ran = subprocess.run(["sh", str(script), str(tmp_path)], env=environment(**passwords), check=False)
        assert ran.returncode != 0
    assert [path.name for path in tmp_path.iterdir()] == [script.name]


def test_state_outlives_a_full_cache_under_the_emitted_policy(tmp_path: Path) -> None:
    """A cache without TTLs turns its memory over; state is renewed meanwhile. volatile-lru is the counter-example."""
    conf = dict(
        line.split(" ", 1)
        for line in emitted(make_plan(emit__cache="self"), "redis.conf").splitlines()
        if " " in line[:25]
    )
    assert surviving(tmp_path, conf["maxmemory-policy"], conf["maxmemory-samples"]) >= 190
    assert surviving(tmp_path, "volatile-lru", conf["maxmemory-samples"]) <= 10


def surviving(directory: Path, policy: str, samples: str) -> int:
    """Return how many of 200 connections' states are left when a cache has filled 16 MiB twice over."""
    port = free_port()
    options = {"maxmemory": "16mb", "maxmemory-policy": policy, "maxmemory-samples": samples, "save": "", "port": port}
    command = [program("redis-server"), "--dir", str(directory)]
    command += [str(word) for name, value in options.items() for word in (f"--{name}", value)]
    with running(command, lambda: listening(port), directory / f"{policy}.log"):
        redis = client.Redis(port=port, protocol=2)
        for number in range(200):
            redis.hset(f"ws:{{t}}:conn:{number}", "node_id", "ws-node-1")
            redis.expire(f"ws:{{t}}:conn:{number}", 3600)
        for turn in range(16):
            pipe = redis.pipeline(transaction=False)
            for number in range(200):
                pipe.expire(f"ws:{{t}}:conn:{number}", 3600)
            for number in range(500):
                pipe.set(f"cache:{turn}:{number}", "x" * 4000)
            pipe.execute(raise_on_error=False)
            time.sleep(0.15)
        return sum(redis.exists(f"ws:{{t}}:conn:{number}") for number in range(200))
