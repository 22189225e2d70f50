"""What a simulation found, as every report of it words it."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Final

from cascade_plan.model.replay import Outcome, Replay, Simulation
from cascade_plan.reports._words import count, one_line, percent, usd

HEADERS: Final = (
    "policy", "SLO missed, min/day, mean", "SLO missed, min/day, worst run", "worst p99, ms", "pods", "nodes",
    "nodes, mean", "scaling events/day", "API nodes, USD/day", "whole fleet, USD/month",
)  # fmt: skip
NUMBERS: Final = tuple(range(1, len(HEADERS)))
COLUMNS: Final = (
    "policy", "description", "recommended", "missed_minutes_per_day_mean", "missed_minutes_per_day_max",
    "worst_latency_ms_p99", "pod_count_min", "pod_count_max", "node_count_min", "node_count_max", "node_count_mean",
    "scaling_event_count_per_day", "cost_usd_per_day", "cost_usd_per_month", "has_added_pods",
)  # fmt: skip
OVERLOADED: Final = "overloaded"
"""Stands for a latency without an end."""
NOTHING: Final = "Nothing was compared."


def facts(simulation: Simulation) -> tuple[str, ...]:
    """Return what was simulated, how often, and what was read of a trace."""
    days = f"{count(simulation.day_count)} day{'s' * (simulation.day_count != 1)}"
    runs = f"{simulation.run_count:,} run{'s' * (simulation.run_count != 1)}"
    return (
        f"{one_line(simulation.scenario)}: {one_line(simulation.traffic)}",
        f"{days}, {runs}, seed {simulation.seed}",
        *([f"Trace: {one_line(simulation.trace)}."] if simulation.trace else []),
        *([f"SLO: {one_line(simulation.slo)}."] if simulation.slo else []),
        *(f"Limit: {one_line(words)}." for words in simulation.limits),
    )


def heading(simulation: Simulation, replay: Replay) -> str:
    """Return what stands above a service's days: nothing where it is the only one."""
    if len(simulation.replays) == 1:
        return ""
    words = f"{one_line(replay.service)}: {percent(replay.request_share)} of the requests"
    if not replay.beside:
        return words
    return (
        f"{words}; its nodes are shared with {one_line(', '.join(replay.beside))}, and counted here as if they were not"
    )


def headers(simulation: Simulation) -> tuple[str, ...]:
    """Return what stands above the cells of a row."""
    if len(simulation.replays) == 1:
        return HEADERS
    return tuple(header.replace("API nodes", "its nodes") for header in HEADERS)


def total(simulation: Simulation) -> str:
    """Return what the fleet costs when all services scale as recommended; nothing where there is only one."""
    if len(simulation.replays) == 1:
        return ""
    return f"Whole fleet, every service scaled as recommended: {usd(simulation.cost_usd_per_month)} a month."


def row(outcome: Outcome) -> list[str]:
    """Return an outcome as cells under HEADERS: money to the cent, a latency without an end as "overloaded"."""
    p99 = outcome.worst_latency_ms_p99
    return [
        one_line(outcome.policy),
        f"{outcome.missed_minutes_per_day_mean:,.1f}",
        f"{outcome.missed_minutes_per_day_max:,.1f}",
        f"{p99:,.0f}" if isfinite(p99) else OVERLOADED,
        _range(outcome.pod_count_min, outcome.pod_count_max),
        _range(outcome.node_count_min, outcome.node_count_max),
        f"{outcome.node_count_mean:,.2f}",
        f"{outcome.scaling_event_count_per_day:,.1f}",
        usd(outcome.cost_usd_per_day),
        usd(outcome.cost_usd_per_month),
    ]


def _range(low: int, high: int) -> str:
    return f"{low:,}" if low == high else f"{low:,}-{high:,}"


def values(replay: Replay, outcome: Outcome) -> Sequence[object]:
    """Return an outcome's values in the order of COLUMNS, as they are."""
    own = {"recommended": outcome.policy == replay.recommended}
    return [own[column] if column in own else getattr(outcome, column) for column in COLUMNS]


def recommendation(replay: Replay) -> str:
    """Return the policy that is recommended, why, and what emits it."""
    name = one_line(replay.recommended)
    if replay.recommended == replay.own:
        how = "It is what the scenario has, and cascade-plan emit-k8s emits."
    else:
        how = f"cascade-plan emit-k8s --policy {name} emits it; autoscaling.metrics in the scenario keeps it."
    return f"Recommended: {name}. {one_line(replay.reason)} {how}"
