"""The ways to have a cache: engine, node type, masters and their copies, or none of these."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from cascade_plan.model.ask import Ask
from cascade_plan.model.offer import Offer
from cascade_plan.model.option import Option, choices, shapes
from cascade_plan.model.scenario import Losses
from cascade_plan.tiers.cache.limits import MASTERS_LEAST
from cascade_plan.tiers.cache.settings import OF_NODES, VERSIONS, Settings

MASTERS_MOST = 500
"""Shards of a cluster, https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheNodes.NodeGroups.html"""


def copies_least(asked: Losses) -> int:
    """Return the copies of each master without which the losses that are planned for take its keys.

    A zone that is lost takes at most one of a master and its copies, each of which stands in another; a node one more.
    """
    return max(asked.copy_count, (asked.lost_zone_count if asked.zones > 1 else 0) + asked.lost_node_count)


GIVES_UP: Final[Mapping[tuple[str, Any], str]] = {
    ("engine", "valkey"): "what Redis added after 7.2, which Valkey left",
    ("serverless", True): "nodes of a known size: a price by what is asked and stored, and commands that it has not",
}
"""Setting and its new value -> what stood for the old one."""


def options(ask: Ask[Settings]) -> Iterator[Option]:
    """Yield each node type of each engine, with the masters open; and without nodes, where none are of our own."""
    free, own = ask.scenario.optimize, ask.scenario.emit.cache == "self"
    if ask.settings.serverless:
        yield Option("serverless", lambda low, base: ask.settings)
        return
    copies = copies_least(ask.scenario.availability.asked)
    if free.keeps(f"tiers.{ask.name}.replicas_per_master"):
        copies = ask.settings.replicas_per_master or 0
    for engine in choices(ask, "engine", tuple(VERSIONS)):
        same = engine == ask.settings.engine
        changed = ask.settings.model_copy(update={"engine": engine} if same else {"engine": engine, "version": None})
        what, sold = ("vm", ()) if own else ("cache", (engine,))
        for shape in shapes(ask, what, sold):
            update = {"shape": shape.name, "minimum_nodes": 1, "replicas_per_master": copies}
            settings = changed.model_copy(update=update)
            offer = Offer(what, shape.name, sold)
            if ask.settings.nodes is not None and free.keeps(f"tiers.{ask.name}.nodes"):
                kept = settings.model_copy(
                    update={name: getattr(ask.settings, name) for name in ("nodes", "replicas_per_master")}
                )
                yield Option(f"{shape.name} {engine}", lambda low, base, kept=kept: kept, offer, ask.settings.nodes)  # type: ignore[misc]
                continue
            yield Option(f"{shape.name} {engine}", _masters(settings), offer, 1 + copies, count_max=MASTERS_MOST)
    yield from _serverless(ask)


def _masters(settings: Settings) -> Callable[[int, int], Settings]:
    def pinned(low: int, base: int) -> Settings:
        # Of two masters none can be voted out: a cluster has three.
        masters = base if base == 1 else base + MASTERS_LEAST - 2
        return settings.model_copy(update={"nodes": masters * (1 + (settings.replicas_per_master or 0))})

    return pinned


def _serverless(ask: Ask[Settings]) -> Iterator[Option]:
    """Yield that the cloud runs it without nodes, where it sells that."""
    kept = any(ask.scenario.optimize.keeps(f"tiers.{ask.name}.{field}") for field in ("serverless", "shape", "nodes"))
    if kept or ask.scenario.emit.cache == "self" or ask.settings.purchase != "on_demand":
        return
    for engine in choices(ask, "engine", tuple(VERSIONS)):
        if ask.cloud.serverless_cache(engine) is not None:
            plain = type(ask.settings)()
            reset = {name: getattr(plain, name) for name in ask.settings.said(OF_NODES)}
            version = {} if engine == ask.settings.engine else {"version": None}
            update = {**reset, "engine": engine, "serverless": True, **version}
            yield Option(f"serverless {engine}", lambda low, base, to=update: ask.settings.model_copy(update=to))  # type: ignore[misc]
