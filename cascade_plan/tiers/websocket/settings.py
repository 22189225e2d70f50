"""What a scenario may say of the nodes that hold open connections."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from cascade_plan.model.defaults import PLAN, default
from cascade_plan.model.part import Domain, HostName, Image, Need, Port, ShapeName, UrlPath, Version
from cascade_plan.model.tier import Housed
from cascade_plan.units import (
    BytesOrZero,
    Cores,
    Count,
    Kib,
    KibOrZero,
    MibOrZero,
    MillisecondsOrZero,
    PerOneOrZero,
    Seconds,
    matching,
)

Origin = Annotated[str, matching(r"^https?://[a-z0-9.-]+(:[0-9]{1,5})?$", "an origin, https://shop.example.com", 270)]


class Settings(Housed):
    """The nodes that hold the open connections, and what these carry and take."""

    KIND: ClassVar[str] = "websocket"
    BOUGHT: ClassVar[str] = "vm"
    OF_NODES: ClassVar[frozenset[str]] = frozenset({"shape", "purchase", "commitment_level"})

    connections_per_node: Count = default(50_000, "plan", f"{PLAN}, target: 50k connections a node")
    """Connections one node holds, or one pod where it stands on the nodes of a service."""
    minimum_nodes: Count | None = default(None, "assumption", "as many as `availability` asks for", examples=[3])
    """Fewest nodes, or pods."""
    shape: ShapeName | Need = default(
        {"vcpu": 2, "memory_gib": 8},
        "plan",
        f"{PLAN}, websocket_cluster.yaml: memory_limit 8GB; 2 vCPU (assumption)",
        examples=["m7g.large"],
    )
    """An instance type, or a need for which the cheapest is taken."""
    nodes: Count | None = Field(default=None, examples=[3])
    """Node count, or that of pods, pinned by hand."""
    connections_per_user: PerOneOrZero = default(1.0, "assumption", "one open browser tab a user")
    """Connections that a connected user keeps open."""
    recipients_per_message: PerOneOrZero = default(
        5.0, "assumption", "other members of a room who are online when a message is posted"
    )
    """Users who receive what is posted to a room."""
    message_bytes: BytesOrZero = default(300, "assumption", "a chat message as a JSON frame")
    """Size of a message to one recipient."""
    heartbeat_interval_s: Seconds = default(
        20.0, "cited", "ping_interval of the websockets library, https://websockets.readthedocs.io/"
    )
    """Time between two heartbeats of a connection."""
    heartbeat_bytes: BytesOrZero = default(
        120, "cited", "ping and pong: two frames of 2-6 bytes in TCP/IP packets of 40-60 bytes (RFC 6455, RFC 9293)"
    )
    """Bytes of a heartbeat, both ways."""
    connection_lifetime_s: Seconds = default(3600.0, "plan", f"{PLAN}, connection state: key expires after 3600 s")
    """How long a connection stays open, and how long its state is kept after its last heartbeat."""
    memory_kib_per_connection: Kib = default(
        68.5, "measured", "FastAPI on uvicorn with permessage-deflate, 4,000 connections after an echo"
    )
    """Memory of the server's process for one connection."""
    kernel_kib_per_connection: KibOrZero = default(
        4.0, "measured", "kernel slab of one end of a connection on loopback (7.5 KiB for both ends)"
    )
    """Memory of the kernel for one connection."""
    idle_memory_mib: MibOrZero = default(
        51, "measured", "FastAPI on uvicorn with a client of the cache, before its first connection (CPython 3.11)"
    )
    """Memory of the server's process before its first connection."""
    delivery_cpu_ms: MillisecondsOrZero = default(
        0.03,
        "measured",
        "300 bytes with permessage-deflate, websockets 17 on CPython: 0.028 to 0.032; without compression 0.009",
    )
    """CPU time of one message to one recipient."""
    heartbeat_cpu_ms: MillisecondsOrZero = default(
        0.045, "measured", "ping and pong, websockets 17 on CPython: 0.039 to 0.047"
    )
    """CPU time of a heartbeat, both ways."""
    broker_cpu_ms: MillisecondsOrZero = default(
        0.03, "measured", "300 bytes of JSON read by an asyncio client: 0.025 to 0.031; parsed in C 0.013 to 0.019"
    )
    """CPU time of one message received from the cache that carries them, which every node does with every message."""
    sticky: Literal["consistent_hash", "ip_hash"] = default(
        "consistent_hash", "measured", "ip_hash put 40 of 40 clients of one /24 on one node (nginx 1.22); docs/seed.md"
    )
    """How a client finds its node again: by the hash of a key of its own, or of the first 24 bits of its address."""
    connections_per_address: Annotated[int, Field(ge=1, le=65_535)] = default(
        1000, "assumption", "an office behind one address: ten times the mean tenant of 10,000 users"
    )
    """Most connections nginx accepts from one client's address, behind which a whole office may be; 65,535 at most. A
    load balancer's own addresses are no client's: who comes from them is not counted."""
    allowed_origins: Annotated[list[Origin], Field(min_length=1, max_length=50)] | None = Field(
        default=None, examples=[["https://shop.example.com"]]
    )
    """The sites whose pages may open connections: a browser says which it shows. Left out, any. Who says none is no
    browser, and is let in."""
    nginx_version: Version = default(
        "1.30.4", "cited", "a stable one, https://nginx.org/en/CHANGES-1.30; names are looked up again since 1.27.3"
    )
    """The nginx before the nodes. Below 1.27.3 it looks their names up only when it starts or reloads."""
    resolver: HostName | None = Field(default=None, examples=["10.0.0.2"])
    """The name server that nginx asks; left out, that of the cluster."""
    proxy_count: Count | None = default(
        None, "assumption", "as many as hold every connection with one of them lost, and two at least", examples=[3]
    )
    """How many nginx stand before the nodes, each a host or a pod, pinned by hand."""
    connections_per_proxy: Annotated[int, Field(ge=1, le=500_000)] = default(
        100_000, "assumption", "200,000 open files, of 1,048,576 that a process may have: few are lost with one"
    )
    """Connections that one nginx holds at most."""
    proxy_cpu_cores: Cores = default(0.1, "assumption", "frames are passed on as they are; CPU is not limited")
    """CPU that one nginx requests."""
    health_interval_s: Seconds = default(5.0, "plan", f"{PLAN}, websocket_cluster.yaml: interval 5s")
    """How long a node that failed is left alone, and within what failures are counted."""
    health_timeout_s: Seconds = default(2.0, "plan", f"{PLAN}, websocket_cluster.yaml: timeout 2s")
    """How long a node may take to accept a connection."""
    queued_messages_per_connection: Count = default(
        100, "assumption", "half a minute of a busy room of three messages a second"
    )
    """Messages that may wait for a client which reads slowly; one more, and its connection is closed, to open again."""
    image: Image = default(
        "registry.example.com/websocket:1.0.0",
        "assumption",
        "a placeholder (RFC 2606): give the image that is deployed",
    )
    """Container image; its USER must be a number other than 0."""
    port: Port = default(8000, "cited", "uvicorn's default port, https://www.uvicorn.org/settings/")
    """Port that the container listens on."""
    ready_path: UrlPath = default("/health/ready", "assumption", "as the services'; the case study names none")
    """Answers 2xx while the node takes connections."""
    live_path: UrlPath = default("/health/live", "assumption", "as the services'; the case study names none")
    """Answers 2xx while the process is sound, whatever its cache does."""
    drain_path: UrlPath | None = default(None, "assumption", "SIGTERM alone says it", examples=["/drain"])
    """Asked once when a node is to stop, before SIGTERM: it fails its ready path then and begins to close connections.
    """
    drain_s: Seconds = default(
        300.0, "assumption", "50,000 clients that come back over five minutes are 167 a second for the other nodes"
    )
    """Time that a node has to close its connections when it stops: each with code 1012 after a pause by chance, so that
    not all clients come back at once."""
    path: Annotated[UrlPath, Field(max_length=100)] = default("/ws", "assumption", "the case study names none")
    """Where connections are opened: what a shared load balancer sends to these nodes, with all below it."""
    domain: Domain | None = Field(default=None, examples=["ws-node.shop.svc.cluster.local"])
    """What follows the nodes' names ws-node-1, ws-node-2, ... in DNS. If left out: with a cluster, that of the headless
    Service that is emitted, in the application's namespace; else nothing."""
