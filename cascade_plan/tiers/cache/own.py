"""A cache whose servers you run yourself: pods on machines of their own, in the place of nodes that the cloud runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from cascade_plan.model.ask import Ask
from cascade_plan.model.catalogue import Shape
from cascade_plan.model.derivation import Derivation
from cascade_plan.model.fleet import Band, NodeGroup, Usage
from cascade_plan.model.offer import Offer
from cascade_plan.tiers.cache.settings import Settings

CONNECTIONS: Final = 10_000
"""maxclients of redis.conf 7.0."""
VOLUME_GIB: Final = 1
"""The least that EBS makes; a server keeps on it who is of its cluster, a file of some KiB."""


def machine(ask: Ask[Settings]) -> Shape:
    """Return the machine of one server: what a pod that is alone on it leaves to keys, and who may connect."""
    shape = ask.shape("vm")
    kept_mib = ask.allocatable(shape).memory_mib * (1 - ask.settings.reserved_memory_share)
    return replace(shape, usable_memory_gib=kept_mib / 1024, connection_count_max=CONNECTIONS)


def nodes(ask: Ask[Settings], shape: Shape, count: int) -> NodeGroup:
    """Return the machines."""
    return ask.nodes(shape, Band.constant(count), unrequested_share=0.0)


def usages(ask: Ask[Settings], masters: int, count: int) -> tuple[Usage, ...]:
    """Return the disks on which the servers of a cluster keep who is of it; a lone master keeps nothing."""
    if masters == 1 or not ask.scenario.of("cluster"):
        return ()
    name = f"{ask.name.replace('_', ' ')} cluster state volumes"
    return (
        Usage(ask.name, name, Offer("disk"), Band.constant(count * VOLUME_GIB), "gib_month", group=f"{ask.name} nodes"),
    )


def figures(ask: Ask[Settings], shape: Shape) -> Iterator[Derivation]:
    """Yield what a server's pod takes of its machine."""
    yield ask.figure(
        "memory_mib_per_pod",
        ask.allocatable(shape).memory_mib,
        "MiB",
        f"all that a {shape.name} leaves for pods: a server is alone on it",
        (ask.own("reserved_memory_share"),),
    )
