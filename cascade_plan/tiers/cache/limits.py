"""What a cache does at most: one thread's commands, memory for what is kept, network, connections, CPU credits.

Every master has its part of the keys, and does its part of all; what is written to one it copies to its replicas.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import Final

from cascade_plan.model.ask import Ask
from cascade_plan.model.catalogue import Shape
from cascade_plan.model.ceiling import BurstRate, Ceiling, Demand
from cascade_plan.model.derivation import Derivation, Finding, Input
from cascade_plan.model.fleet import Streams
from cascade_plan.model.traffic import busiest_requests_per_s
from cascade_plan.tiers.cache.settings import Settings
from cascade_plan.units import GIB, MIB

BUSY_MOST: Final = 0.8
"""The method slo takes so many masters that no thread is busier at the busiest load (assumption)."""
MASTERS_LEAST: Final = 3
"""Fewer masters are refused when a cluster is created (redis-cli.c)."""
MODEL: Final = 'docs/model.md, "What a database and a cache can do"'


@dataclass(frozen=True, slots=True)
class Work:
    """What all masters of a cache are asked together."""

    commands: Demand
    """Commands a second."""
    sent_bytes: Demand
    """Bytes sent a second, to whom it answers and to whom it publishes."""
    kept_gib: float
    """What is cached."""
    state_gib: float
    """The state of connections."""
    connection_count: int
    """Connections to each master."""

    @classmethod
    def of(cls, ask: Ask[Settings], carried: tuple[Streams, ...], state_mib: float) -> Work:
        """Return what requests ask of a cache, and the open connections whose state and messages it carries."""
        scenario, requests = ask.scenario, ask.traffic.requests_per_s.peak
        asked = [(share, action) for share, action in scenario.behaviour.mix if scenario.cache(action) == ask.name]
        reads = sum(share * scenario.all_reads(action) for share, action in asked)
        answers = sum(share * action.response_bytes for share, action in asked if scenario.all_reads(action))
        messages = sum(each.messages_per_s.peak / requests for each in carried) if requests else 0.0
        published = sum(each.messages_per_s.peak * each.message_bytes * each.listener_count for each in carried)
        renewed = sum(each.connections.peak / each.heartbeat_interval_s for each in carried)
        pods = sum(workload.running_count_max for sized in ask.fleet.values() for workload in sized.workloads)
        return cls(
            commands=Demand(shared_units_per_request=reads + messages, flat_units=renewed),
            sent_bytes=Demand(
                shared_units_per_request=answers * ask.settings.hit_ratio + (published / requests if requests else 0)
            ),
            kept_gib=_kept_gib(ask),
            state_gib=state_mib / 1024,
            connection_count=ceil(pods * ask.settings.connections_per_pod),
        )

    @property
    def stored_gib(self) -> float:
        """What is kept, with the state of connections."""
        return self.kept_gib + self.state_gib

    def commands_per_s(self, ask: Ask[Settings]) -> float:
        """Return the commands a second of the busier of the day's peak and the named loads."""
        return self.commands.at(busiest_requests_per_s(ask.scenario, ask.traffic), 1.0)

    def stored_figure(self, ask: Ask[Settings]) -> Derivation:
        """Return the figure of what is kept."""
        given = ask.settings.data_gib is not None
        return ask.figure(
            "data_gib",
            self.stored_gib,
            "GiB",
            "data_gib + connection state"
            if given
            else "users.peak x an answer of each action that asks the cache, + connection state",
            (ask.own("data_gib"),) if given else (ask.given("users.peak"),),
            "" if given else "assumption",
            "" if given else f"tiers.{ask.name}.data_gib is not given",
        )

    def connection_figure(self, ask: Ask[Settings]) -> Derivation:
        """Return the figure of who connects at most."""
        return ask.figure(
            "connection_count_max",
            self.connection_count,
            "connections",
            "most pods that run at once x connections_per_pod"
            + ("" if ask.settings.serverless else ", to each master"),
            (ask.own("connections_per_pod"),),
        )

    def connection_ceiling(self, ask: Ask[Settings], who: str, most: int, what: str = "it") -> Ceiling:
        """Return that as many connect as are accepted."""
        return Ceiling(
            f"{ask.name}.connection_count_max", "cache-connections", f"{who} is to accept", f"{what} accepts",
            "connections", Demand(flat_units=self.connection_count), most,
            f"fewer of each pod, set tiers.{ask.name}.connections_per_pod",
            rests_on=ask.assumed(f"tiers.{ask.name}.connections_per_pod"), of_others=True,
        )  # fmt: skip


def _kept_gib(ask: Ask[Settings]) -> float:
    """Return what is cached: as given, or an answer of every action that asks this cache for each user at peak."""
    if ask.settings.data_gib is not None:
        return ask.settings.data_gib
    scenario = ask.scenario
    answers = (each.response_bytes for each in scenario.behaviour.actions.values()
               if scenario.cache(each) == ask.name and scenario.all_reads(each))  # fmt: skip
    return scenario.users.peak * sum(answers) / GIB


def commands_per_s_most(settings: Settings, shape: Shape) -> float:
    """Return the commands a second of one thread of a shape that never rests."""
    return 1000 / settings.command_ms * shape.speed


def least_masters(settings: Settings, work: Work, commands_per_s: float, shape: Shape) -> int:
    """Return the fewest masters whose threads rest enough, and whose memory holds what is kept."""
    by_thread = ceil(commands_per_s / (BUSY_MOST * commands_per_s_most(settings, shape)))
    masters = max(1, by_thread, ceil(work.stored_gib / shape.program_gib))
    return masters if masters == 1 else max(masters, MASTERS_LEAST)


def figures(ask: Ask[Settings], work: Work, shape: Shape, masters: int) -> Iterator[Derivation]:
    """Yield what is kept, what each master's thread and network are asked, and who connects to it."""
    yield work.stored_figure(ask)
    network = shape.network_bytes_per_s
    yield ask.figure(
        "network_bytes_per_s_peak",
        work.sent_bytes.at(busiest_requests_per_s(ask.scenario, ask.traffic), 1 / masters),
        "bytes/s",
        "of each master: response_bytes of what it answers, if a response holds what was read for it"
        + (", + messages to the WebSocket nodes that hold a reader" if ask.scenario.of("websocket") else ""),
        (Input(f"{shape.name}: network, bytes/s", "not known" if network is None else network, "catalogue"),),
        MODEL,
    )
    yield work.connection_figure(ask)


def ceilings(ask: Ask[Settings], work: Work, shape: Shape, masters: int) -> Iterator[Ceiling]:
    """Yield the most that each master does."""
    name, lever = ask.name, f"{ask.name}.master_count"
    thread, more = commands_per_s_most(ask.settings, shape), f"more masters share them, set tiers.{name}.minimum_nodes"

    def of(figure: str, code: str, asks: str, does: str, unit: str, demand: Demand, most: float, way: str,
           **beside: object) -> Ceiling:  # fmt: skip
        given = {"lever": lever, "count": masters} | beside
        return Ceiling(f"{name}.{figure}", code, asks, does, unit, demand, most, way, **given)  # type: ignore[arg-type]

    yield of(
        "commands_per_s_peak", "cache-commands", f"each master of {name} is asked", "one thread does",
        "commands/s", work.commands, thread, more,
    )  # fmt: skip
    yield of(
        "data_gib", "cache-memory", f"each master of {name} is to keep", f"maxmemory of {shape.name} is", "GiB",
        Demand(flat_units=work.stored_gib), shape.program_gib, f"keys are given up before their time; {more}",
        rests_on=ask.assumed(f"tiers.{name}.data_gib"),
    )  # fmt: skip
    if (network := shape.network_bytes_per_s) is not None:
        burst = BurstRate.above(network, shape.network_burst_bytes_per_s, shape.network_burst_s)
        yield of(
            "network_bytes_per_s_peak", "cache-network", f"each master of {name} sends",
            f"{shape.name} sends all the time", "MiB/s", work.sent_bytes, network, more,
            bytes_per_unit=MIB, burst=burst, rests_on=ask.assumed(f"tiers.{name}.hit_ratio"),
        )  # fmt: skip
    if (connections := shape.connection_count_max) is not None:
        yield work.connection_ceiling(ask, f"each master of {name}", connections, shape.name)
    credits = ask.cloud.burst(shape)
    if credits is not None and credits.offer is None and shape.cpu_baseline_ratio is not None:
        yield of(
            "commands_per_s_peak", "cpu-credits", f"each master of {name} is asked on average",
            f"without credits it is slowed until {shape.name} does", "commands/s", work.commands,
            min(1.0, shape.cpu_baseline_ratio * shape.vcpu) * thread, more, rate="average",
        )  # fmt: skip


def findings(ask: Ask[Settings], shape: Shape) -> Iterator[Finding]:
    """Yield what is not known of a shape, so that nothing is held against it."""
    missing = ["network"] if shape.network_bytes_per_s is None else []
    missing += ["CPU credits"] if shape.burstable and shape.cpu_baseline_ratio is None else []
    if missing:
        words = f"what {shape.name} does all the time is not known of its {' and '.join(missing)}: nothing judges that"
        yield Finding("info", "limit-unknown", words, f"tiers.{ask.name}.shape")
