"""Cheaper caches, and what each gives up."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.model.ask import Site
from cascade_plan.model.titles import called
from cascade_plan.model.way import HALF, PARTS, Way, smaller
from cascade_plan.tiers.cache.settings import Settings

LOST = frozenset({"cache-without-replicas"})


def ways(site: Site[Settings]) -> Iterator[Way]:
    """Yield the other server that speaks the same protocol, one master, no copies, one node, and smaller nodes."""
    settings, sized, path = site.settings, site.sized, f"tiers.{site.name}"
    if settings.engine == "redis":
        yield Way(
            "Valkey instead of Redis", "what Redis added after 7.2, which Valkey left", {f"{path}.engine": "valkey"}
        )
    if settings.serverless:
        return
    masters, nodes = sized.count("master_count"), sized.count("node_count")
    name, fewest = called(site.name), {f"{path}.minimum_nodes": 1}
    if settings.nodes is None and nodes > masters:
        copies = {f"{path}.replicas_per_master": 0}
        yield Way(f"no copies of the {name}", "what is kept, when a node is lost", copies, warns=LOST)
        if settings.minimum_nodes > 1:
            gives_up = "what is kept, when the node is lost"
            variant = f"nodes of {site.name}"
            yield Way(f"one {name} node", gives_up, {**fewest, **copies}, variant=variant, warns=LOST)
    if settings.nodes is None and settings.minimum_nodes > 1:
        title = f"one {name} master" if nodes > masters else f"one {name} node"
        yield Way(title, "a cluster: a lost node empties it", fewest, variant=f"nodes of {site.name}", warns=LOST)
    group = sized.group("nodes")
    for divisor, need in smaller(group.shape, settings.shape, HALF):
        title = f"{name} nodes of {PARTS[divisor]} the size ({{shape}})"
        gives_up = "half its memory: measure the hit ratio again"
        yield Way(title, gives_up, {f"{path}.shape": need}, group.name)
