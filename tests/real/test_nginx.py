"""nginx takes the emitted file, and does with WebSockets what it says: sticky, spread, a lost node's clients moved."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from factories import bundled_with, make_plan
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from servers import free_port, listening, program, running
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from cascade_plan.emitters import directory as emitting
from cascade_plan.files.assignments import Assignment
from cascade_plan.inputs.scenarios import read
from cascade_plan.model.plan import Plan
from cascade_plan.planning.pipeline import plan

NODE = Path(__file__).parent.parent / "websocket_node.py"
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def here(made: Plan, directory: Path, port: int, ports: Sequence[int]) -> Path:
    """Return the emitted nginx.conf with addresses and paths of this machine put in, and nothing else changed."""
    text = next(artefact.text for artefact in emitting.emitted(made, "cluster").files if artefact.path == "nginx.conf")
    lines = "".join(f"    {name}_temp_path {directory}/{name};\n" for name in TEMPORARY)
    text, changes = re.subn(
        r"server ws-node-(\d+)\S*:\d+ ", lambda found: f"server 127.0.0.1:{ports[int(found[1]) - 1]} ", text
    )
    assert changes == len(ports) == made.figure("websocket.node_count")
    for old, new in (
        ("pid /run/nginx.pid", f"pid {directory}/nginx.pid"),
        ("/var/log/nginx/", f"{directory}/"),
        ("listen 8080 ", f"listen 127.0.0.1:{port} "),
        ("http {\n", f"http {{\n{lines}"),
    ):
        assert old in text
        text = text.replace(old, new)
    path = directory / "nginx.conf"
    path.write_text(text, encoding="utf-8")
    return path


def problems(made: Plan, directory: Path) -> str:
    """Return what `nginx -t` complains of."""
    count = int(made.figure("websocket.node_count"))
    path = here(made, directory, 18080, range(20_000, 20_000 + count))
    tested = subprocess.run([program("nginx"), "-t", "-c", str(path)], capture_output=True, text=True, check=False)
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


amounts = st.floats(0.001, 31_536_000)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(1, 100_000_000), st.integers(1, 1000), st.integers(1, 65_535), st.tuples(amounts, amounts),
    st.tuples(amounts, amounts),
    st.from_regex(r"[a-z0-9]([-a-z0-9]{0,9}[a-z0-9])?(\.[a-z0-9]{1,9}){0,9}", fullmatch=True),
)  # fmt: skip
def test_nginx_accepts_whatever_the_schema_does(
    tmp_path: Path,
    most: int,
    nodes: int,
    per_address: int,
    health: tuple[float, float],
    beats: tuple[float, float],
    domain: str,
) -> None:
    made = make_plan(
        tiers__websocket={
            "connections_per_node": most, "nodes": nodes, "connections_per_address": per_address, "domain": domain,
            "health_interval_s": health[0], "health_timeout_s": health[1],
            "heartbeat_interval_s": beats[0], "connection_lifetime_s": beats[1],
        },
    )  # fmt: skip
    assert problems(made, tmp_path) == ""


# --------------------------------------------------------------------------------------------------------------- live


@dataclass
class Site:
    """nginx and three nodes behind it."""

    port: int
    nodes: dict[str, Any]

    def url(self, query: str = "") -> str:
        """Return the address to connect to."""
        return f"ws://127.0.0.1:{self.port}/ws{query}"


@contextmanager
def serving(
    directory: Path, heartbeat_s: float = 20, beating: bool = True, balancer: str = "alb", **tier: Any
) -> Iterator[Site]:
    """Run the emitted nginx.conf of a plan before three nodes, which send their heartbeats or not."""
    health = {"health_interval_s": 1.0, "health_timeout_s": 0.5, "heartbeat_interval_s": float(heartbeat_s)}
    tier = {**health, "nodes": 3, **tier}
    made = make_plan(
        users={"peak": 1000, "average": 500},
        tiers__websocket=tier,
        tiers__gateway={"balancer": balancer},
    )
    ports, port = [free_port() for _ in range(3)], free_port()
    conf = here(made, directory, port, ports)
    with ExitStack() as stack:
        nodes = {}
        for number, node_port in enumerate(ports, 1):
            command = [sys.executable, str(NODE), f"ws-node-{number}", str(node_port), str(heartbeat_s * beating)]
            nodes[f"ws-node-{number}"] = stack.enter_context(
                running(command, lambda p=node_port: listening(p), directory / f"node-{number}.log")
            )
        command = [program("nginx"), "-c", str(conf), "-g", "daemon off;"]
        stack.enter_context(running(command, lambda: listening(port), directory / "nginx.log"))
        yield Site(port, nodes)


@dataclass
class Client:
    """A browser: its connection, its cookie, and the node that answered."""

    connection: ClientConnection
    cookie: str
    node: str


async def opened(site: Site, cookie: str = "", address: str = "127.0.0.1", query: str = "") -> Client:
    """Return a client that has connected and been greeted."""
    headers = {"Cookie": cookie, "User-Agent": "everyone has the same"} if cookie else {}
    connection = await connect(
        site.url(query), additional_headers=headers, proxy=None, ping_interval=None, local_addr=(address, 0)
    )
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
    async def client(site: Site, balancer: str, address: str) -> ClientConnection:
        behind = through(site, balancer, proxied(address))
        connection = await connect(site.url(), sock=behind, proxy=None, ping_interval=None)
        await connection.recv()
        return connection

    async def scene(site: Site) -> None:
        # Two nodes of the balancer, from whose two addresses all of its clients come: at most five from one of theirs.
        addresses = [*(f"203.0.113.{host}" for host in range(1, 9)), "2001:db8::1"]
        clients = [
            await client(site, f"127.0.0.{1 + number % 2}", address) for number in range(5) for address in addresses
        ]
        assert len(clients) == 45
        for address in ("203.0.113.1", "2001:db8::1"):
            with pytest.raises(InvalidStatus) as refused:
                await client(site, "127.0.0.2", address)
            assert refused.value.response.status_code == 429
        await asyncio.gather(*(each.close() for each in clients))

    with serving(tmp_path, balancer="nlb", connections_per_address=5) as site:
        asyncio.run(scene(site))
        assert answered(site, LOCAL, "GET /nginx-health") == "HTTP/1.1 204 No Content"
        # Whoever comes past the balancer is not listened to.
        assert answered(site, b"", "GET /nginx-health") == ""
