"""The hosts of nginx, and whether their network carries what the WebSockets do."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.model.ask import Ask
from cascade_plan.model.catalogue import Shape
from cascade_plan.model.derivation import Finding
from cascade_plan.model.fleet import NONE, Band, Lever, Sized
from cascade_plan.tiers.proxy.settings import Settings

AFTER: tuple[str, ...] = ("websocket",)


def size(ask: Ask[Settings]) -> Sized:
    """Return the hosts; no count follows from the load."""
    if not ask.streams:
        message = f"no WebSocket stands behind {ask.name}: turn it off, or websocket on"
        return Sized(ask.name, "proxy", findings=(Finding("warning", "proxy-unused", message, f"tiers.{ask.name}"),))
    shape, count = ask.shape("vm"), ask.settings.nodes
    group = ask.nodes(shape, Band.constant(count), 0.0)
    return Sized(
        ask.name,
        "proxy",
        groups=(group,),
        figures=(ask.figure("node_count", count, "nodes", f"tiers.{ask.name}.nodes", (ask.own("nodes"),)),),
        findings=tuple(_findings(ask, shape)),
        levers=(Lever(f"{ask.name}.node_count", count, count, count, "pinned"),),
    )


def _findings(ask: Ask[Settings], shape: Shape) -> Iterator[Finding]:
    """Yield that the hosts send more than they can all the time: each byte comes in and leaves again."""
    sent = sum((stream.in_bytes_per_s.plus(stream.out_bytes_per_s) for stream in ask.streams), start=NONE).peak
    if shape.network_bytes_per_s is not None and sent > shape.network_bytes_per_s * ask.settings.nodes:
        words = (
            f"{ask.settings.nodes} {shape.name} send {shape.network_bytes_per_s * ask.settings.nodes / 2**20:,.0f} "
            f"MiB/s all the time, and the WebSockets carry {sent / 2**20:,.0f} at the peak"
        )
        yield Finding("warning", "proxy-network", words, f"tiers.{ask.name}.nodes")
