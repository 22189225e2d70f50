"""What of the nodes with open connections is watched: how full each is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cascade_plan.languages.promql import number
from cascade_plan.model.ask import Site
from cascade_plan.model.series import SOCKETS, Scope, is_alone, is_watched, scope_of_pods
from cascade_plan.model.watch import Alarm, Chart, Limit, Line, Watch, limits
from cascade_plan.tiers.websocket.settings import Settings

NEAR: Final = 0.8
"""Share of a node's connections at which one is added: all those of a lost node come to the others at once
(assumption)."""


def watches(site: Site[Settings]) -> tuple[Watch, ...]:
    """Return the connections of each node and of all, and for each gate on them whether a node is full."""
    if not is_watched(site):
        return ()
    (workload,) = site.sized.workloads
    scope = scope_of_pods(site, workload, is_alone(site))
    return (_room(site, scope), *_gates(site, scope))


def _room(site: Site[Settings], scope: Scope) -> Watch:
    held, each = site.settings.connections_per_node, scope.select(_of_pod(scope))
    of_all = f"namespace:{scope.own(SOCKETS)}:sum"
    nearly = Alarm(
        "WebSocketNodeNearlyFull",
        f"{each} / {number(held)} > {number(NEAR)}",
        600,
        "ticket",
        "a WebSocket node is nearly full",
        f"{{pod}} holds {{value}} of the {number(held)} connections it was sized for.",
        "Add a node before one is lost: its connections come to the others at once.",
        unit="humanizePercentage",
    )
    return Watch(
        site.name,
        recorded=(
            scope.recorded(_of_pod(scope), scope.total(scope.select(scope.own(SOCKETS)), "pod"), is_of_pods=True),
            scope.recorded(of_all, scope.total(each)),
        ),
        alarms=(nearly,),
        charts=(
            Chart("WebSocket connections of each node", "short", (Line(each, "{{pod}}"),), "<", float(held)),
            Chart("WebSocket connections", "short", (Line(scope.select(of_all), "all"),)),
        ),
    )


def _of_pod(scope: Scope) -> str:
    return f"pod:{scope.own(SOCKETS)}:sum"


def _gates(site: Site[Settings], scope: Scope) -> Iterator[Watch]:
    figure = f"{site.name}.connection_count_per_node"
    busiest = f"max by (namespace) ({scope.select(_of_pod(scope))})"
    for limit in limits(site.scenario.gates, figure):
        words = "Connections of the fullest node; it was sized for the limit, and is full when it reaches it."
        number_of = Chart(
            f"{figure} {limit.operator} {number(limit.value)}",
            "short",
            (Line(busiest, "fullest node"),),
            "<",
            float(site.settings.connections_per_node),
            words,
            is_number=True,
        )
        yield Watch(site.name, figure, alarms=(_full(site, scope, figure, limit),), charts=(number_of,))


def _full(site: Site[Settings], scope: Scope, figure: str, limit: Limit) -> Alarm:
    held, asked = number(site.settings.connections_per_node), number(limit.value)
    return Alarm(
        "WebSocketNodeFull",
        f"{scope.select(_of_pod(scope))} >= {held}",
        60,
        "page",
        "a WebSocket node holds all the connections it was sized for",
        f"{{pod}} holds {{value}} connections of {held}; the next may be refused, and whether a node "
        f"holds {limit.operator} {asked} is only known while it does.",
        "Compare with the other nodes: when they have room, the balancer does not spread (look at its key and at "
        "nodes it takes for dead). When all are full add a node; clients reconnect to it on their own.",
        labels={"figure": figure, "limit": f"{limit.operator} {asked}"},
    )
