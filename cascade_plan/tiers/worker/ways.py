"""Cheaper nodes, and what they give up."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.model.ask import Site
from cascade_plan.model.titles import called
from cascade_plan.model.way import PARTS, Way, smaller
from cascade_plan.tiers.worker.settings import Settings


def ways(site: Site[Settings]) -> Iterator[Way]:
    """Yield the nodes on spot (a job that is cut off is done again by another), fewer of them, and smaller ones.

    One on a service's nodes has none of its own.
    """
    if not site.settings.has_nodes:
        return
    settings, path, name = site.settings, f"tiers.{site.name}", called(site.name)
    yield Way(
        f"{name} nodes on spot",
        "certainty: jobs are cut off, and the price moves",
        {f"{path}.purchase": "spot"},
    )
    least = site.scenario.availability.asked.node_count
    if (settings.minimum_nodes or 0) > least:
        title = f"as few {name} nodes as the availability allows ({least})"
        yield Way(title, "nodes to spare when one is lost", {f"{path}.minimum_nodes": least})
    group = site.sized.group("nodes")
    for divisor, need in smaller(group.shape, settings.shape):
        yield Way(
            f"{name} nodes of {PARTS[divisor]} the size ({{shape}})",
            "room on a node for a burst",
            {f"{path}.shape": need},
            group.name,
            f"size of {site.name}",
        )
