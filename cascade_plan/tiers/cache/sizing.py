"""Redis or Valkey: cache, and with open connections their broker and state."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import ceil, floor

from cascade_plan.errors import UsageError
from cascade_plan.formulas.percentiles import ServiceTime
from cascade_plan.model.ask import Ask, Site
from cascade_plan.model.catalogue import Shape
from cascade_plan.model.defaults import PLAN
from cascade_plan.model.derivation import Derivation, Finding, Input
from cascade_plan.model.fleet import Band, Lever, NodeGroup, Sized, Streams
from cascade_plan.model.offer import Offer
from cascade_plan.model.place import Place, Scale, Visit, trip_time
from cascade_plan.model.scenario import Action
from cascade_plan.tiers.cache import limits, own, serverless, state, versions
from cascade_plan.tiers.cache.limits import MASTERS_LEAST, Work
from cascade_plan.tiers.cache.settings import Settings

AFTER: tuple[str, ...] = ("api", "websocket", "worker")
BUFFER_MIB_LEAST = 32
"""client-output-buffer-limit pubsub 32mb 8mb 60: the limits of redis.conf 7.0."""
FRAME_BYTES = 100
"""RESP framing and the channel's name around a message: "smessage", a name of about 60 bytes and four lengths."""
RESERVED = (
    "reserved-memory-percent, https://docs.aws.amazon.com/AmazonElastiCache/latest/red-ug/redis-memory-management.html"
)
STALL_HEARTBEATS = 3
"""As long as nginx lets a node be silent before it cuts its connections."""


def size(ask: Ask[Settings]) -> Sized:
    """Return the masters by the plan's rule, their replicas, and what connection state and channels take of them."""
    settings, users = ask.settings, ask.scenario.users
    streams = state.carried(ask)
    work = Work.of(ask, streams, sum(state.mib(each.connections.peak) for each in streams))
    is_own = ask.scenario.emit.cache == "self"
    if settings.serverless:
        if is_own:
            place = ask.own("serverless")
            raise UsageError(f"{place.origin}: {place.name}: there are no servers to run yourself, as emit.cache asks")
        return _serverless(ask, work)
    shape = own.machine(ask) if is_own else ask.shape("cache", (settings.engine,))
    replicas, given_replicas = _replicas(ask)
    each = 1 + replicas
    pinned = settings.nodes is not None
    masters = (settings.nodes or 0) // each or max(
        settings.minimum_nodes, ask.nodes_for(users.peak, settings.users_per_node)
    )
    note = "" if pinned else ask.rounding_note(users.peak, settings.users_per_node, settings.minimum_nodes)
    commands = work.commands_per_s(ask)
    if ask.scenario.method == "slo" and not pinned:
        masters = max(masters, limits.least_masters(settings, work, commands, shape))
    count = masters * each
    group = own.nodes(ask, shape, count) if is_own else _sold(ask, shape, count)
    figures = (
        *_node_figures(ask, masters, count, note, given_replicas),
        *_memory_figures(ask, shape, masters),
        *(own.figures(ask, shape) if is_own else ()),
        *(figure for each in streams for figure in _stream_figures(ask, shape, each)),
        _command_figure(ask, commands, (Input(f"{ask.name}.master_count", masters, "computed"), ask.own("command_ms"))),
        _hit_ratio_figure(ask),
        *limits.figures(ask, work, shape, masters),
    )
    return Sized(
        ask.name,
        "cache",
        groups=(group,),
        usages=own.usages(ask, masters, count) if is_own else (),
        figures=figures,
        findings=(
            *_findings(ask, masters, replicas, note),
            *_unused_findings(ask, commands),
            *limits.findings(ask, shape),
            *ask.speed_findings(shape),
            *versions.findings(ask, bool(streams)),
        ),
        not_priced=versions.not_priced(ask),
        ceilings=tuple(limits.ceilings(ask, work, shape, masters)),
        levers=(
            Lever(f"{ask.name}.node_count", count, count, count, "pinned" if pinned else "rules"),
            Lever(f"{ask.name}.master_count", masters, masters, masters, "pinned" if pinned else "rules"),
        ),
    )


def _sold(ask: Ask[Settings], shape: Shape, count: int) -> NodeGroup:
    """Return the nodes of a cache that the cloud runs."""
    return NodeGroup(
        tier=ask.name,
        name=f"{ask.name} nodes",
        role="nodes",
        shape=shape,
        offer=Offer("cache", shape.name, (ask.settings.engine,)),
        count=Band.constant(count),
        terms=ask.settings.terms,
        lever=f"{ask.name}.node_count",
    )


def _serverless(ask: Ask[Settings], work: Work) -> Sized:
    """Return a cache without nodes, with what any cache has."""
    sized, commands = serverless.size(ask, work), work.commands_per_s(ask)
    figures = (*sized.figures, _command_figure(ask, commands, ()), _hit_ratio_figure(ask))
    return replace(sized, figures=figures, findings=tuple(_unused_findings(ask, commands)))


def places(site: Site[Settings], scale: Scale, before: tuple[Place, ...]) -> tuple[Place, ...]:
    """Return the masters, each a queue of its own with one server: commands are executed one at a time."""
    settings, scenario = site.settings, site.scenario
    if settings.serverless:
        return serverless.places(site)
    speed = site.fleet[site.name].group("nodes").shape.speed
    each, trip = (
        ServiceTime(settings.command_ms / 1000 / speed),
        trip_time(settings.round_trip_ms, settings.round_trip_scv),
    )

    def visits(action: Action) -> tuple[Visit, ...]:
        if scenario.cache(action) != site.name:
            return ()
        return (Visit(scenario.all_reads(action), 1.0, each, 1, trip),)

    masters = scale.get(f"{site.name}.master_count", site.fleet[site.name].count("master_count"))
    masters = max(1, masters)
    return (Place(site.name, site.name, masters, masters, False, visits),)


def _replicas(ask: Ask[Settings]) -> tuple[int, Input]:
    """Return the copies of each master: as given, as asked by the availability, none where all nodes are pinned."""
    if ask.settings.nodes is not None and ask.settings.replicas_per_master is None:
        return 0, Input(f"tiers.{ask.name}.replicas_per_master", 0, "all nodes are pinned")
    return ask.least("replicas_per_master", ask.scenario.availability.asked.copy_count)


def _node_figures(
    ask: Ask[Settings], masters: int, count: int, note: str, replicas: Input
) -> tuple[Derivation, Derivation]:
    pinned = ask.settings.nodes is not None
    own, least = f"{ask.name}.master_count", f"users.peak / users_per_node rounded {ask.scenario.rounding}"
    if ask.scenario.method == "slo":
        least += f", fewest whose threads are at most {limits.BUSY_MOST:.0%} busy and whose memory holds data_gib"
    return (
        ask.figure(
            "node_count",
            count,
            "nodes",
            "pinned in the scenario" if pinned else f"{own} x (1 + replicas_per_master)",
            (ask.own("nodes"),) if pinned else (Input(own, masters, "computed"), replicas),
            f"{PLAN}, cost calculator",
            note,
        ),
        ask.figure(
            "master_count",
            masters,
            "nodes",
            f"{ask.name}.node_count / (1 + replicas_per_master)" if pinned else f"max(minimum_nodes, {least})",
            (ask.own("nodes"), replicas)
            if pinned
            else (ask.own("minimum_nodes"), ask.given("users.peak"), ask.own("users_per_node")),
            f"{PLAN}, cost calculator",
            note,
        ),
    )


def _memory_figures(ask: Ask[Settings], shape: Shape, masters: int) -> Iterator[Derivation]:
    formula = f"{ask.name}.master_count x {shape.memory_gib:g} GiB"
    yield ask.figure("memory_gib", masters * shape.memory_gib, "GiB", formula)
    yield ask.figure(
        "maxmemory_mib_per_node",
        floor(shape.program_gib * 1024),
        "MiB",
        f"what {shape.name} keeps keys in, of {shape.memory_gib:g} GiB: the rest is for buffers and copies on a fork",
        (Input(f"{shape.name}: memory left to keys, GiB", shape.program_gib, "catalogue"),),
        RESERVED,
    )


def _stream_figures(ask: Ask[Settings], shape: Shape, streams: Streams) -> Iterator[Derivation]:
    """Yield what connection state takes, and what a subscriber may leave unread while it stands still for a while."""
    sockets = ask.scenario.first("websocket")
    yield state.figure(ask, streams)
    reserve_mib = (shape.memory_gib - shape.program_gib) * 1024
    needed_mib = (
        streams.messages_per_s.peak
        * (streams.message_bytes + FRAME_BYTES)
        * STALL_HEARTBEATS
        * streams.heartbeat_interval_s
        / 2**20
    )
    yield ask.figure(
        "pubsub_buffer_mib_per_subscriber",
        max(BUFFER_MIB_LEAST, ceil(min(needed_mib, reserve_mib))),
        "MiB",
        f"max({BUFFER_MIB_LEAST}, messages/s x (message_bytes + {FRAME_BYTES}) x {STALL_HEARTBEATS} heartbeats)",
        (
            Input("messages/s at users.peak", streams.messages_per_s.peak, "computed"),
            ask.given(f"tiers.{sockets}.message_bytes"),
            ask.given(f"tiers.{sockets}.heartbeat_interval_s"),
        ),
        "least: Redis's own limit of 32 MiB; most: the memory left beside maxmemory",
        "" if needed_mib <= reserve_mib else f"{needed_mib:,.0f} MiB are needed and {reserve_mib:,.0f} MiB are left",
    )


def _command_figure(ask: Ask[Settings], commands_per_s: float, of_nodes: tuple[Input, ...]) -> Derivation:
    heartbeats = tuple(
        f"tiers.{name}.heartbeat_interval_s" for name in ask.scenario.of("websocket") if state.carried(ask)
    )
    paths = ("users.peak", "users.active_share", *heartbeats)
    also = " + published messages + a TTL renewed at each heartbeat" if heartbeats else ""
    return ask.figure(
        "commands_per_s_peak",
        commands_per_s,
        "commands/s",
        f"reads{also}, at the busier of the day's peak and the named loads",
        (*(ask.given(path) for path in paths), *of_nodes),
        "of all masters; each executes them one at a time, on one core: 1000 / command_ms at most" if of_nodes else "",
    )


def _hit_ratio_figure(ask: Ask[Settings]) -> Derivation:
    given = ask.own("hit_ratio")
    figure = ask.figure("hit_ratio", ask.settings.hit_ratio, "of all lookups", given.name, (given,))
    return replace(figure, is_given=True)


def _unused_findings(ask: Ask[Settings], commands_per_s: float) -> list[Finding]:
    if commands_per_s:
        return []
    message = f"nothing asks {ask.name}: give an action `cache: {ask.name}`, or turn it off"
    return [Finding("warning", "cache-unused", message, f"tiers.{ask.name}")]


def _findings(ask: Ask[Settings], masters: int, replicas: int, note: str) -> list[Finding]:
    where = f"{ask.name}.node_count"
    findings = []
    if note:
        findings.append(Finding("info", "rounding", note, where))
    if 1 < masters < MASTERS_LEAST:
        findings.append(
            Finding(
                "warning",
                "cache-cluster-too-small",
                f"{masters} of {MASTERS_LEAST} masters: fewer than {MASTERS_LEAST} cannot agree that one is lost, and "
                "none is replaced",
                where,
                is_broken=True,
            )
        )
    elif not replicas:
        asked = ask.scenario.availability.asked.copy_count > 0
        findings.append(Finding("warning", "cache-without-replicas", _lost(ask, masters), where, is_broken=asked))
    return findings


def _lost(ask: Ask[Settings], masters: int) -> str:
    """Return what the loss of a master without a replica takes."""
    carried, replicas = state.carried(ask), f"(tiers.{ask.name}.replicas_per_master: 1)"
    if masters == 1:
        also = ", and the connection state and the channels are gone" if carried else ""
        return (
            f"one node without a replica: when it is lost the cache is empty{also}; a second node {replicas} takes over"
        )
    also = ", of the connection state and of the channels" if carried else ""
    return (
        f"{masters} nodes are {masters} masters without replicas: one lost takes {1 / masters:.0%} of the cache"
        f"{also} until it is back, and the others go on; {2 * masters} nodes {replicas} give each master a replica"
    )
