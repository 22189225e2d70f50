"""The performance plan's three phases, each step with this plan's figures."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.model.plan import Plan
from cascade_plan.model.scenario import LoadLevel
from cascade_plan.reports import _words as words
from cascade_plan.reports._marked import code, escaped


def phases(plan: Plan) -> Iterator[str]:
    """Yield the rollout as Markdown: a heading and a task list for each phase, an empty line after each."""
    for title, tasks in (
        ("Phase 1: database optimisation (hours 1-2)", _database(plan)),
        ("Phase 2: WebSocket scaling (hours 3-4)", _websocket(plan)),
        ("Phase 3: monitoring and validation (hours 5-6)", _validation(plan)),
    ):
        yield from (f"### {title}", "", *tasks, "")


def _task(what: str, detail: str) -> str:
    return f"- [ ] {what}: {detail}"


def _count(plan: Plan, name: str) -> str:
    """Return a figure's value in words, or "an unsized number of" where no tier sized it."""
    figure = plan.figures.get(name)
    return "an unsized number of" if figure is None else words.count(figure.value)


def _nodes(plan: Plan, tier: str) -> str:
    """Return a tier's groups with their instances at peak, such as cache nodes 3 x cache.r6g.large."""
    groups = [
        f"{group.name} {words.count(group.count.peak)} x {group.shape.name}"
        for group in plan.groups
        if group.tier == tier
    ]
    return escaped(", ".join(groups) or f"no {tier} nodes of its own")


def _load(name: str, load: LoadLevel) -> str:
    p99 = f", p99 below {words.count(load.latency_ms_p99)} ms" if load.latency_ms_p99 else ""
    return (
        f"{code(name)}: {words.count(load.users)} users, {words.count(load.spawn_rate_per_s)} more a second, for "
        f"{words.count(load.duration_s)} s, p95 below {words.count(load.latency_ms_p95)} ms{p99}"
    )


def _database(plan: Plan) -> Iterator[str]:
    tier = plan.scenario.tiers.database
    yield _task(
        "Implement prepared statement caching",
        f"a pool of {_count(plan, 'pool.connection_count')} connections to the primary, shared by "
        f"{_count(plan, 'api.replica_count.min')} to {_count(plan, 'api.replica_count.max')} API pods",
    )
    yield _task(
        "Deploy optimised query patterns",
        f"joins instead of a query for each row, and reads on the replicas: {_nodes(plan, 'database')}",
    )
    yield _task(
        "Create performance-oriented indexes",
        f"indexes share {words.count(tier.storage_gib)} GiB of storage on each instance with data that grows by "
        f"{_count(plan, 'database.growth_gib_per_month')} GiB a month",
    )
    loads = plan.scenario.loads
    lightest = min(loads, key=lambda name: loads[name].users, default=None)
    detail = "the scenario names no load" if lightest is None else f"run {_load(lightest, loads[lightest])}"
    yield _task("Validate with load testing", detail)


def _websocket(plan: Plan) -> Iterator[str]:
    scenario = plan.scenario
    engine = {"redis": "Redis", "valkey": "Valkey"}[scenario.tiers.cache.engine]
    yield _task(f"Deploy the {engine} cluster for pub/sub", _nodes(plan, "cache"))
    yield _task(
        "Implement sticky session load balancing",
        f"an {scenario.tiers.gateway.balancer.upper()} across {scenario.availability.zones} zones in front of "
        f"{_nodes(plan, 'api')}, {_nodes(plan, 'websocket')}",
    )
    yield _task(
        "Set up distributed connection state",
        f"{_count(plan, 'websocket.connection_count')} connections take "
        f"{_count(plan, 'cache.connection_state_mib')} MiB of the cache's {_count(plan, 'cache.memory_gib')} GiB",
    )
    yield _task(
        "Test the open connections",
        f"{_count(plan, 'websocket.connection_count')} at once over {_count(plan, 'websocket.node_count')} nodes, and "
        f"{_count(plan, 'websocket.connection_count_per_node')} on one node, which take "
        f"{_count(plan, 'websocket.memory_mib_per_node')} MiB of its memory",
    )


def _validation(plan: Plan) -> Iterator[str]:
    scaling = plan.scenario.autoscaling
    yield _task(
        "Deploy Prometheus metrics",
        f"{_nodes(plan, 'monitoring')} for {_count(plan, 'monitoring.series_count')} series; each node needs "
        f"{_count(plan, 'monitoring.memory_gib_per_node')} GiB of memory and "
        f"{_count(plan, 'monitoring.disk_gib_per_node')} GiB of disk for the samples",
    )
    yield _task(
        "Configure the autoscaling policies",
        f"the HPA keeps {_count(plan, 'api.replica_count.min')} to {_count(plan, 'api.replica_count.max')} pods on "
        f"{_count(plan, 'api.node_count.min')} to {_count(plan, 'api.node_count.max')} nodes; targets: p95 "
        f"{words.count(scaling.target_latency_s_p95 * 1000)} ms, memory {scaling.target_memory_percent} %; up by "
        f"{words.count(scaling.scale_up_percent)} % every {scaling.scale_up_period_s} s after "
        f"{scaling.scale_up_window_s} s, down after {scaling.scale_down_window_s} s",
    )
    yield f"- [ ] Run the load tests ({code('cascade-plan emit-loadtest')}) and {code('verify')} their results:"
    if not plan.scenario.loads:
        yield "  - [ ] the scenario names no load"
    for name, load in plan.scenario.loads.items():
        yield f"  - [ ] {_load(name, load)}"
    yield "- [ ] Document the performance baselines, beside their gates:"
    for verdict in plan.verdicts:
        if not verdict.figure.startswith("cost_"):
            yield f"  - [ ] {code(f'{verdict.figure} {words.limit_text(verdict)}')}"
