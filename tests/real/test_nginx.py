"""nginx takes the emitted file, and does with WebSockets what it says: sticky, spread, a lost node's clients moved."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import name_server
import pytest
from factories import bundled_with, make_plan
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from servers import free_port, listening, nginx, program, running, wait_until
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from cascade_plan.emitters import directory as emitting
from cascade_plan.files.assignments import Assignment
from cascade_plan.inputs.scenarios import read
from cascade_plan.model.plan import Plan
from cascade_plan.planning.pipeline import plan

NODE = Path(__file__).parent.parent / "websocket_node.py"
NETWORK = "127.77.0.0/16"


def here(made: Plan, directory: Path, port: int, names: int = 0) -> Path:
    """Return the emitted nginx.conf with ports, the name server and paths of this machine put in, and nothing else.

    The name server is asked again each second.
    """
    text = next(artefact.text for artefact in emitting.emitted(made, "cluster").files if artefact.path == "nginx.conf")
    for old, new in (
        ("/tmp/", f"{directory}/"),
        ("/dev/std", f"{directory}/std"),
        ("listen 8080 ", f"listen 127.0.0.1:{port} "),
    ):
        assert old in text
        text = text.replace(old, new)
    # The balancer's network: that of the plan is none of this machine's.
    text = text.replace(made.scenario.emit.cidr, NETWORK)
    text = text.replace("listen 8081;", f"listen 127.0.0.1:{port + 1};")
    text = re.sub(r"resolver \S+ valid=5s", f"resolver 127.0.0.1:{names} valid=1s", text)
    path = directory / "nginx.conf"
    path.write_text(text, encoding="utf-8")
    return path


def problems(made: Plan, directory: Path, binary: str = "") -> str:
    """Return what `nginx -t` complains of."""
    path = here(made, directory, 18080, 18053)
    tested = subprocess.run([binary or nginx(), "-t", "-c", str(path)], capture_output=True, text=True, check=False)
    found = [line for line in tested.stderr.splitlines() if "syntax is ok" not in line and "is successful" not in line]
    # The machine that tests may allow fewer open files than the machine that serves; nginx then warns.
    return "\n".join(line for line in found if "exceed open file resource limit" not in line) or (
        "" if tested.returncode == 0 else tested.stderr
    )


@pytest.mark.parametrize(("sticky", "balancer"), [("consistent_hash", "alb"), ("ip_hash", "alb"), ("ip_hash", "nlb")])
@pytest.mark.parametrize("name", bundled_with("websocket"))
def test_nginx_accepts_every_bundled_scenario(name: str, sticky: str, balancer: str, tmp_path: Path) -> None:
    sets = (("tiers.websocket.sticky", sticky), ("tiers.gateway.balancer", balancer))
    source = read(name, tuple(Assignment("--set", path, value) for path, value in sets))
    assert problems(plan(source.scenario, source.book, source.origins, predicted=False), tmp_path) == ""


def test_an_older_nginx_is_given_what_it_knows(tmp_path: Path) -> None:
    """Debian 12's, 1.22: it looks names up when it starts, once."""
    tier = {"nginx_version": "1.22.1", "domain": "localhost", "allowed_origins": ["https://shop.example.com"]}
    made = make_plan(tiers__websocket=tier)
    found = problems(made, tmp_path, program("nginx"))
    # Where names below localhost have no address it says so, and that alone.
    assert found == "" or "host not found in upstream" in found
    text = (tmp_path / "nginx.conf").read_text(encoding="utf-8")
    assert " resolve;" not in text
    assert "resolver" not in text.replace("tiers.websocket.resolver", "")
    assert "it does not start while one of them has no address" in text


amounts = st.floats(0.001, 31_536_000)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(1, 100_000_000), st.integers(1, 1000), st.integers(1, 65_535), st.tuples(amounts, amounts),
    st.tuples(amounts, amounts),
    st.from_regex(r"[a-z0-9]([-a-z0-9]{0,9}[a-z0-9])?(\.[a-z0-9]{1,9}){0,9}", fullmatch=True),
    st.lists(st.from_regex(r"https?://[a-z0-9.-]{1,20}(:[0-9]{1,5})?", fullmatch=True), min_size=1, max_size=3),
)  # fmt: skip
def test_nginx_accepts_whatever_the_schema_does(
    tmp_path: Path,
    most: int,
    nodes: int,
    per_address: int,
    health: tuple[float, float],
    beats: tuple[float, float],
    domain: str,
    origins: list[str],
) -> None:
    made = make_plan(
        tiers__websocket={
            "connections_per_node": most, "nodes": nodes, "connections_per_address": per_address, "domain": domain,
            "health_interval_s": health[0], "health_timeout_s": health[1], "allowed_origins": origins,
            "heartbeat_interval_s": beats[0], "connection_lifetime_s": beats[1], "drain_s": beats[1],
        },
    )  # fmt: skip
    assert problems(made, tmp_path) == ""


def test_no_more_files_than_a_process_may_have(tmp_path: Path) -> None:
    source = read("whale-1m")
    made = plan(source.scenario, source.book, source.origins, predicted=False)
    text = here(made, tmp_path, 18080).read_text(encoding="utf-8")
    (files,) = re.findall(r"worker_rlimit_nofile (\d+);", text)
    (each,) = re.findall(r"worker_connections (\d+);", text)
    assert int(each) < int(files) <= 2**20
    # Half as many clients, and all of them are held when one nginx is lost.
    held = (int(each) - 512) // 2
    assert held * (made.figure("websocket.proxy_count") - 1) >= made.figure("websocket.connection_count")
    pinned = make_plan(
        users={"peak": 10**8, "average": 10**7},
        tiers__websocket={"proxy_count": 2, "nodes": 900},
        tiers__cache="off",
        gates={},
    )
    assert 1 <= int(re.findall(r"worker_rlimit_nofile (\d+);", here(pinned, tmp_path, 18080).read_text())[0]) <= 2**20
    (said,) = [finding.message for finding in pinned.findings if finding.code == "websocket-proxies"]
    assert "192 of them are needed" in said


# --------------------------------------------------------------------------------------------------------------- live


@dataclass
class Site:
    """nginx and three nodes behind it, each with an address that the name server knows, or none."""

    port: int
    node_port: int
    addresses: dict[str, str]
    nodes: dict[str, Any]
    start: Callable[[str, str], None]
    by_protocol: bool = False
    """Whether it is told its clients' addresses by the PROXY protocol."""

    def url(self, query: str = "") -> str:
        """Return the address to connect to."""
        return f"ws://127.0.0.1:{self.port}/ws{query}"

    def move(self, node: str, address: str) -> None:
        """End a node, and start it anew at another address, as a pod is."""
        self.nodes[node].kill()
        self.start(node, address)


@contextmanager
def serving(
    directory: Path, heartbeat_s: float = 20, beating: bool = True, balancer: str = "alb", **tier: Any
) -> Iterator[Site]:
    """Run the emitted nginx.conf of a plan before three nodes, which send their heartbeats or not."""
    port, node_port, names = free_port(), free_port(), free_port()
    health = {"health_interval_s": 1.0, "health_timeout_s": 0.5, "heartbeat_interval_s": float(heartbeat_s)}
    made = make_plan(
        users={"peak": 1000, "average": 500},
        tiers__websocket={**health, "nodes": 3, "port": node_port, **tier},
        tiers__gateway={"balancer": balancer},
    )
    with ExitStack() as stack:

        def start(node: str, address: str) -> None:
            command = [sys.executable, str(NODE), node, str(node_port), str(heartbeat_s * beating), address]
            log = directory / f"{node}-{address}.log"
            site.nodes[node] = stack.enter_context(running(command, lambda: listening(node_port, address), log))
            site.addresses[node] = address

        site = Site(port, node_port, {}, {}, start, balancer == "nlb")
        stack.enter_context(
            name_server.serving(
                "127.0.0.1", names, lambda name: [*filter(None, [site.addresses.get(name.split(".")[0])])]
            )
        )
        # It starts before any of its nodes has an address.
        command = [nginx(), "-c", str(here(made, directory, port, names)), "-g", "daemon off;"]
        stack.enter_context(running(command, lambda: listening(port), directory / "nginx.log"))
        for number in (1, 2, 3):
            start(f"ws-node-{number}", f"127.0.1.{number}")
        # By its address alone a client has one node.
        count = 1 if tier.get("sticky") == "ip_hash" else 3
        wait_until(lambda: len(reached(site)) == count, "nginx finds its nodes")
        yield site


def reached(site: Site) -> set[str]:
    """Return the nodes that new clients reach through nginx."""

    async def nodes() -> set[str]:
        clients = (opened(site, behind=f"198.51.100.{number}") for number in range(20))
        found = await asyncio.gather(*clients, return_exceptions=True)
        there = [client for client in found if isinstance(client, Client)]
        await closed(there)
        return {client.node for client in there}

    return asyncio.run(nodes())


@dataclass
class Client:
    """A browser: its connection, its cookie, and the node that answered."""

    connection: ClientConnection
    cookie: str
    node: str


async def opened(site: Site, cookie: str = "", address: str = "127.0.0.1", query: str = "", behind: str = "") -> Client:
    """Return a client that has connected and been greeted; with its own address where a balancer tells it."""
    headers = {"Cookie": cookie, "User-Agent": "everyone has the same"} if cookie else {}
    where: dict[str, Any] = {"local_addr": (address, 0)}
    if site.by_protocol:
        where = {"sock": through(site, address.replace("127.0.0", "127.77.0"), proxied(behind))}
    connection = await connect(site.url(query), additional_headers=headers, proxy=None, ping_interval=None, **where)
    node = str(await connection.recv())
    assert connection.response is not None
    given_cookie = connection.response.headers.get("Set-Cookie", "").split(";")[0]
    return Client(connection, cookie or given_cookie, node)


async def office(site: Site, count: int) -> list[Client]:
    """Return clients who connect from one address, each for the first time."""
    return list(await asyncio.gather(*(opened(site) for _ in range(count))))


async def closed(clients: Sequence[Client]) -> None:
    await asyncio.gather(*(client.connection.close() for client in clients))


pytestmark = pytest.mark.xdist_group("nginx")


def test_an_office_spreads_and_each_client_returns_to_its_node(tmp_path: Path) -> None:
    async def scene(site: Site) -> None:
        clients = await office(site, 300)
        counts = Counter(client.node for client in clients)
        assert len(counts) == 3
        assert all(60 <= count <= 140 for count in counts.values()), counts
        await closed(clients)
        again = await asyncio.gather(*(opened(site, client.cookie) for client in clients))
        assert [client.node for client in again] == [client.node for client in clients]
        await closed(again)
        # Without cookies the application's own key does the same.
        keyed = [await opened(site, query=f"?client_id=device-{number % 20}") for number in range(40)]
        assert [client.node for client in keyed[:20]] == [client.node for client in keyed[20:]]
        assert len({client.node for client in keyed}) == 3
        await closed(keyed)

    with serving(tmp_path) as site:
        asyncio.run(scene(site))


@pytest.mark.parametrize(("sticky", "node_count"), [("ip_hash", 1), ("consistent_hash", 3)])
def test_where_forty_clients_of_one_network_land(sticky: str, node_count: int, tmp_path: Path) -> None:
    async def scene(site: Site) -> None:
        clients = [await opened(site, address=f"127.0.0.{host}") for host in range(1, 41)]
        assert len({client.node for client in clients}) == node_count
        await closed(clients)

    with serving(tmp_path, sticky=sticky) as site:
        asyncio.run(scene(site))


def test_a_lost_nodes_clients_move_and_nobody_else(tmp_path: Path) -> None:
    async def scene(site: Site) -> None:
        clients = await office(site, 150)
        site.nodes["ws-node-2"].kill()
        lost = [client for client in clients if client.node == "ws-node-2"]
        kept = [client for client in clients if client.node != "ws-node-2"]
        for client in lost:
            with pytest.raises(ConnectionClosed):
                await asyncio.wait_for(client.connection.recv(), 5)
        moved = await asyncio.gather(*(opened(site, client.cookie) for client in lost))
        assert {client.node for client in moved} == {"ws-node-1", "ws-node-3"}
        for client in kept:
            await client.connection.send("still here")
            assert await asyncio.wait_for(client.connection.recv(), 5) == "still here"
        again = await asyncio.gather(*(opened(site, client.cookie) for client in kept))
        assert [client.node for client in again] == [client.node for client in kept]
        await closed([*kept, *moved, *again])

    with serving(tmp_path) as site:
        asyncio.run(scene(site))


def test_heartbeats_keep_an_idle_connection_and_silence_ends_it(tmp_path: Path) -> None:
    async def scene(site: Site, quiet: bool) -> float:
        client = await opened(site)
        started = monotonic()
        try:
            await asyncio.wait_for(client.connection.recv(), 4)
        except TimeoutError:
            assert not quiet
        except ConnectionClosed:
            assert quiet
        await client.connection.close()
        return monotonic() - started

    for beating in (True, False):
        directory = tmp_path / str(beating)
        directory.mkdir()
        with serving(directory, heartbeat_s=0.5, beating=beating) as site:
            lasted_s = asyncio.run(scene(site, quiet=not beating))
            assert lasted_s >= 4 if beating else 1 < lasted_s < 3


def test_nodes_that_come_back_elsewhere_are_found_by_their_names(tmp_path: Path) -> None:
    """A rollout gives every node another address in turn; clients, who keep no connection, find one all the time."""

    async def reconnecting(site: Site, cookie: str, until: asyncio.Event) -> list[str]:
        """Connect again and again, and return what came of each try: the node, or "" where it failed."""
        tries = []
        while not until.is_set():
            try:
                client = await opened(site, cookie)
            except (InvalidStatus, OSError, ConnectionClosed):
                tries.append("")
            else:
                tries.append(client.node)
                await client.connection.close()
            await asyncio.sleep(0.05)
        return tries

    async def rollout(site: Site) -> tuple[list[list[str]], bool]:
        at_first, ended = await office(site, 100), asyncio.Event()
        clients = asyncio.gather(*(reconnecting(site, client.cookie, ended) for client in at_first))
        for number in (1, 2, 3):
            await asyncio.to_thread(site.move, f"ws-node-{number}", f"127.0.2.{number}")
            # A rollout waits until the next is ready (minReadySeconds), here longer than names are believed.
            await asyncio.sleep(2)
        ended.set()
        tries = await clients
        return tries, [each[-1] for each in tries] == [client.node for client in at_first]

    with serving(tmp_path) as site:
        tries, came_back = asyncio.run(rollout(site))
        failed, count = sum(each.count("") for each in tries), sum(len(each) for each in tries)
        assert count > 1000
        assert failed <= count / 100
        # In the end each is where it was at first, at another address.
        assert came_back
        # All at once, as when a cluster starts: nobody for a while, then everybody.
        for number in (1, 2, 3):
            site.move(f"ws-node-{number}", f"127.0.3.{number}")
        wait_until(lambda: len(reached(site)) == 3, "nginx finds its nodes at their new addresses", 5)


def test_only_the_balancer_is_believed_and_its_addresses_are_nobodys(tmp_path: Path) -> None:
    def came_from(site: Site, address: str, forwarded: str) -> str:
        """Return whom the log names for a request with a header from an address."""
        with through(site, address, b"") as connection:
            connection.sendall(f"GET / HTTP/1.1\r\nHost: shop\r\nX-Forwarded-For: {forwarded}\r\n\r\n".encode())
            connection.recv(4096)
        return (tmp_path / "stdout").read_text(encoding="utf-8").splitlines()[-1].split()[0]

    async def scene(site: Site) -> None:
        # The balancer's own address stands for all its clients where it names none: not five, as of one of them.
        clients = [await opened(site, address="127.77.0.9") for _ in range(8)]
        await closed(clients)

    with serving(tmp_path, connections_per_address=5) as site:
        asyncio.run(scene(site))
        assert came_from(site, "127.77.0.9", "203.0.113.7") == "203.0.113.7"
        assert came_from(site, "127.0.0.1", "203.0.113.7") == "127.0.0.1"


def test_pages_of_other_sites_open_no_connections(tmp_path: Path) -> None:
    async def scene(site: Site) -> None:
        for origin in ("https://shop.example.com", None):
            async with connect(site.url(), origin=origin, proxy=None) as connection:
                assert await connection.recv()
        for origin in ("https://evil.example.com", "https://shop.example.com.evil.com", "null"):
            with pytest.raises(InvalidStatus) as refused:
                await connect(site.url(), origin=origin, proxy=None)
            assert refused.value.response.status_code == 403

    with serving(tmp_path, allowed_origins=["https://shop.example.com"]) as site:
        asyncio.run(scene(site))


def test_limits_of_an_address_and_of_the_nodes(tmp_path: Path) -> None:
    async def status(site: Site, address: str) -> int:
        with pytest.raises(InvalidStatus) as refused:
            await opened(site, address=address)
        return int(refused.value.response.status_code)

    async def scene(site: Site) -> None:
        clients = [await opened(site, address=f"127.0.0.{host}") for host in (1, 1, 1, 1, 1)]
        assert await status(site, "127.0.0.1") == 429
        clients += [await opened(site, address="127.0.0.2") for _ in range(4)]
        # Three nodes of three: full ones pass their clients on, until all are full.
        assert Counter(client.node for client in clients) == {f"ws-node-{n}": 3 for n in (1, 2, 3)}
        assert await status(site, "127.0.0.2") == 502
        await closed(clients)

    with serving(tmp_path, connections_per_address=5, connections_per_node=3) as site:
        asyncio.run(scene(site))


# ------------------------------------------------------------------------------------- behind a network load balancer

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
LOCAL = SIGNATURE + b"\x20\x00\x00\x00"
"""PROXY protocol 2 of a connection that the balancer opens for itself: its health checks name no client."""


def proxied(client: str) -> bytes:
    """Return the header of PROXY protocol 2 that a balancer sends for a client.

    Source: https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt, 2.2
    """
    family, length, kind = (socket.AF_INET6, 36, b"\x21") if ":" in client else (socket.AF_INET, 12, b"\x11")
    addresses = socket.inet_pton(family, client) + socket.inet_pton(family, "::1" if ":" in client else "10.0.0.9")
    return SIGNATURE + b"\x21" + kind + struct.pack("!H", length) + addresses + struct.pack("!HH", 40_000, 443)


def through(site: Site, balancer: str, header: bytes) -> socket.socket:
    """Return a connection that a balancer's node has opened to nginx, its header sent."""
    opened_socket = socket.create_connection(("127.0.0.1", site.port), timeout=5, source_address=(balancer, 0))
    opened_socket.sendall(header)
    return opened_socket


def answered(site: Site, header: bytes, request: str) -> str:
    """Return the first line of what nginx answers to a request behind a header; "" where it closes."""
    with through(site, "127.0.0.1", header) as connection:
        connection.sendall(f"{request} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n".encode())
        return connection.recv(4096).decode("latin-1").partition("\r\n")[0]


def test_behind_a_network_load_balancer_clients_are_told_apart_by_their_own_addresses(tmp_path: Path) -> None:
    async def scene(site: Site) -> None:
        # Two nodes of the balancer, from whose two addresses all of its clients come: at most five from one of theirs.
        addresses = [*(f"203.0.113.{host}" for host in range(1, 9)), "2001:db8::1"]
        clients = [
            await opened(site, address=f"127.0.0.{1 + number % 2}", behind=address)
            for number in range(5)
            for address in addresses
        ]
        assert len(clients) == 45
        for address in ("203.0.113.1", "2001:db8::1"):
            with pytest.raises(InvalidStatus) as refused:
                await opened(site, address="127.0.0.2", behind=address)
            assert refused.value.response.status_code == 429
        await closed(clients)

    with serving(tmp_path, balancer="nlb", connections_per_address=5) as site:
        asyncio.run(scene(site))
        assert answered(site, LOCAL, "GET /nginx-health") == "HTTP/1.1 204 No Content"
        # The kubelet asks elsewhere.
        with socket.create_connection(("127.0.0.1", site.port + 1), timeout=5) as probe:
            probe.sendall(b"GET /nginx-health HTTP/1.0\r\n\r\n")
            assert probe.recv(4096).startswith(b"HTTP/1.1 204 ")
        # Whoever comes past the balancer is not listened to.
        assert answered(site, b"", "GET /nginx-health") == ""
