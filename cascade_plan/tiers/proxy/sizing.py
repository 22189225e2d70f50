"""The hosts of nginx, and whether their network carries what the WebSockets do."""

from __future__ import annotations

from cascade_plan.model import node_network
from cascade_plan.model.ask import Ask
from cascade_plan.model.ceiling import Demand
from cascade_plan.model.derivation import Finding
from cascade_plan.model.fleet import Band, Lever, Sized
from cascade_plan.tiers.proxy.settings import Settings

AFTER: tuple[str, ...] = ("websocket",)


def size(ask: Ask[Settings]) -> Sized:
    """Return the hosts; no count follows from the load."""
    if not ask.streams:
        message = f"no WebSocket stands behind {ask.name}: turn it off, or websocket on"
        return Sized(ask.name, "proxy", findings=(Finding("warning", "proxy-unused", message, f"tiers.{ask.name}"),))
    shape, count = ask.shape("vm"), ask.settings.nodes
    group, sent = ask.nodes(shape, Band.constant(count), 0.0), _sent(ask)
    return Sized(
        ask.name,
        "proxy",
        groups=(group,),
        figures=(
            ask.figure("node_count", count, "nodes", f"tiers.{ask.name}.nodes", (ask.own("nodes"),)),
            node_network.figure(ask, shape, count, sent, "what the WebSockets carry, both ways"),
        ),
        findings=tuple(node_network.findings(ask, shape)),
        ceilings=tuple(node_network.ceilings(ask, shape, count, sent)),
        levers=(Lever(f"{ask.name}.node_count", count, count, count, "pinned"),),
    )


def _sent(ask: Ask[Settings]) -> Demand:
    """Return the bytes that the hosts send: each that comes in leaves again. Heartbeats do so whatever the requests."""
    requests, beats = ask.traffic.requests_per_s.peak, sum(stream.in_bytes_per_s.peak for stream in ask.streams)
    messages = sum(stream.out_bytes_per_s.peak for stream in ask.streams) - beats
    return Demand(shared_units_per_request=messages / requests if requests else 0.0, flat_units=2 * beats)
