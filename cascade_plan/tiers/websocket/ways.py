"""Fewer or smaller nodes for the open connections, or none, and what that gives up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cascade_plan.model.ask import Site
from cascade_plan.model.tier import OFF
from cascade_plan.model.titles import called
from cascade_plan.model.way import PARTS, Way, smaller
from cascade_plan.tiers.websocket.settings import Settings

IDLE: Final = 0.9
"""A tier of which more than this share is idle may be more than its users need (assumption)."""


def ways(site: Site[Settings]) -> Iterator[Way]:
    """Yield no tier at all where nobody connects or most of it is idle, fewer nodes, and smaller ones.

    Pods on a service's nodes have none that could be fewer.
    """
    settings, path, name = site.settings, f"tiers.{site.name}", called(site.name)
    if not settings.connections_per_user:
        yield Way(f"no {name} tier", "nothing: no user opens a connection", {path: OFF})
    if not settings.has_nodes:
        return
    group = site.sized.group("nodes")
    if settings.connections_per_user and group.unrequested_share > IDLE:
        yield Way(f"no {name} tier", "open connections: clients ask for news instead", {path: OFF})
    least = site.scenario.availability.asked.node_count
    if settings.nodes is None and (settings.minimum_nodes or 0) > least:
        yield Way(
            f"as few {name} nodes as the availability allows ({least})",
            "nodes to spare when one is lost",
            {f"{path}.minimum_nodes": least},
            warns=frozenset({"websocket-node-loss"}),
        )
    for divisor, need in smaller(group.shape, settings.shape):
        if settings.connections_per_node % divisor == 0:
            yield Way(
                f"{name} nodes of {PARTS[divisor]} the size ({{shape}})",
                "connections a node holds",
                {f"{path}.shape": need, f"{path}.connections_per_node": settings.connections_per_node // divisor},
                group.name,
                f"size of {site.name}",
                frozenset({"websocket-node-loss"}),
            )
