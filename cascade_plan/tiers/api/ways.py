"""Cheaper nodes, and what they give up."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.model.ask import Site
from cascade_plan.model.titles import called
from cascade_plan.model.way import PARTS, Way, smaller
from cascade_plan.tiers.api.settings import Settings


def ways(site: Site[Settings]) -> Iterator[Way]:
    """Yield the nodes on spot, fewer of them, and smaller ones for as many users a vCPU.

    A service on another's nodes, or on none, has none of its own.
    """
    settings = site.settings
    if not settings.has_nodes:
        return
    path, name = f"tiers.{site.name}", called(site.name)
    yield Way(
        f"{name} nodes on spot",
        "certainty: nodes are taken back, and the price moves",
        {f"{path}.purchase": "spot"},
    )
    least = site.scenario.availability.asked.node_count
    floors = ("minimum_nodes", "minimum_nodes_scaled_in")
    above = [floor for floor in floors if (getattr(settings, floor) or 0) > least]
    if above and settings.nodes is None:
        title = f"as few {name} nodes as the availability allows ({least})"
        yield Way(title, "nodes to spare when one is lost", {f"{path}.{floor}": least for floor in above})
    group = site.sized.group("nodes")
    for divisor, need in smaller(group.shape, settings.shape):
        if settings.users_per_node % divisor == 0:
            yield Way(
                f"{name} nodes of {PARTS[divisor]} the size ({{shape}})",
                "room on a node for a burst",
                {f"{path}.shape": need, f"{path}.users_per_node": settings.users_per_node // divisor},
                group.name,
                f"size of {site.name}",
            )
