"""What the machines of a tier send, and what their network carries all the time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cascade_plan.model.ask import Ask
from cascade_plan.model.catalogue import Shape
from cascade_plan.model.ceiling import BurstRate, Ceiling, Demand
from cascade_plan.model.derivation import Derivation, Finding, Input
from cascade_plan.model.traffic import busiest_requests_per_s
from cascade_plan.units import MIB


def figure(ask: Ask[Any], shape: Shape, node_count: int, sent: Demand, formula: str) -> Derivation:
    """Return what each of so many nodes sends at the busier of the day's peak and the named loads."""
    known = "not known" if shape.network_bytes_per_s is None else shape.network_bytes_per_s
    return ask.figure(
        "network_bytes_per_s_peak",
        sent.at(busiest_requests_per_s(ask.scenario, ask.traffic), 1 / max(1, node_count)),
        "bytes/s",
        f"of each of {node_count} nodes: {formula}",
        (Input(f"{shape.name}: network, bytes/s", known, "catalogue: all the time"),),
        'docs/model.md, "What a database and a cache can do"',
    )


def ceilings(ask: Ask[Any], shape: Shape, node_count: int, sent: Demand, *leaves: str) -> Iterator[Ceiling]:
    """Yield that each node sends no more than its network carries all the time, where that is known.

    `leaves` of the tier's own settings say how much it sends; where there are none, headers do.
    """
    paths = [f"tiers.{ask.name}.{leaf}" for leaf in leaves] or ["behaviour.header_bytes"]
    if (most := shape.network_bytes_per_s) is not None:
        yield Ceiling(
            f"{ask.name}.network_bytes_per_s_peak",
            "node-network",
            f"each node of {ask.name} sends",
            f"{shape.name} sends all the time",
            "MiB/s",
            sent,
            most,
            f"more nodes share it, or a larger one does more, set tiers.{ask.name}.shape",
            f"{ask.name}.node_count",
            node_count,
            bytes_per_unit=MIB,
            burst=BurstRate.above(most, shape.network_burst_bytes_per_s, shape.network_burst_s),
            rests_on=ask.assumed(*paths),
        )


def findings(ask: Ask[Any], shape: Shape) -> Iterator[Finding]:
    """Yield that nothing judges the network of a shape of which nothing is known."""
    if shape.network_bytes_per_s is None:
        words = f"what {shape.name} does all the time is not known of its network: nothing judges that"
        yield Finding("info", "limit-unknown", words, f"tiers.{ask.name}.shape")
