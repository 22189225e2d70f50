"""The connection pool between the API and the primary."""

from __future__ import annotations

from math import ceil

from cascade_plan.formulas import pools, postgres
from cascade_plan.model.brief import Brief
from cascade_plan.model.defaults import PLAN
from cascade_plan.model.derivation import Derivation, Finding, Input
from cascade_plan.model.fleet import TierFleet
from cascade_plan.model.solution import Solution

AFTER: tuple[str, ...] = ("api", "database")


def size(brief: Brief) -> TierFleet:
    """Return the pool's size by the plan's rule, and what contradicts it."""
    tier, users = brief.scenario.tiers.pool, brief.scenario.users
    note = ""
    count = tier.connections
    if count is None and brief.solution is not None:
        return _solved(brief, brief.solution)
    if count is None:
        count = max(1, brief.nodes_for(users.peak, tier.users_per_connection))
        note = brief.rounding_note(users.peak, tier.users_per_connection, 1)
    pool = Derivation(
        "pool.connection_count",
        count,
        "connections",
        f"users.peak / users_per_connection rounded {brief.scenario.rounding}"
        if tier.connections is None
        else "pinned in the scenario",
        (brief.given("users.peak"), brief.given("tiers.pool.users_per_connection"))
        if tier.connections is None
        else (brief.given("tiers.pool.connections"),),
        f"{PLAN}, cost calculator",
        note,
    )
    return _fleet(brief, pool, note)


def _solved(brief: Brief, solution: Solution) -> TierFleet:
    count = solution.connection_count
    rule = Input(
        "the rule's count", ceil(brief.scenario.users.peak / brief.scenario.tiers.pool.users_per_connection), "computed"
    )
    pool = Derivation(
        "pool.connection_count",
        count,
        "connections",
        "max(cores x 2 + 1, busy + 4 sqrt(busy)), busy = queries/s x time a connection is held",
        (rule,),
        "Little's law; HikariCP, About Pool Sizing",
    )
    return _fleet(brief, pool, "")


def _fleet(brief: Brief, pool: Derivation, note: str) -> TierFleet:
    count = int(pool.value)
    per_10000 = _per_10000(brief, count)
    return TierFleet(
        figures=(pool, per_10000, *_server_figures(brief, count)),
        findings=tuple(_findings(brief, count, float(per_10000.value), note)),
    )


def _server_figures(brief: Brief, count: int) -> tuple[Derivation, Derivation, Derivation]:
    """Return PgBouncer's processes, the clients they admit, and the connections each database server must admit."""
    tier, database = brief.scenario.tiers.pool, brief.scenario.tiers.database
    processes = pools.processes_for(float(brief.figure("database.queries_per_s_peak").value))
    addresses = 2 if brief.figure("database.replica_count").value else 1
    pods = int(brief.figure("api.replica_count.max").value)
    # One connection a class and process is the least, whatever the rule's count.
    served = processes * sum(pools.per_process(count, tier.tenant_class_share, processes).values())
    return (
        Derivation(
            "pool.process_count",
            processes,
            "processes",
            f"database.queries_per_s_peak / {pools.QUERIES_PER_S_PER_PROCESS:,} rounded up: each has one thread",
            (brief.computed("database.queries_per_s_peak"),),
            "https://www.pgbouncer.org/config.html, so_reuseport; measured with PgBouncer 1.18",
        ),
        Derivation(
            "pool.client_connection_count_max",
            pools.client_connection_count(pods, tier.connections_per_pod, addresses),
            "connections",
            f"(api.replica_count.max + 25 % of a rollout) x connections_per_pod x {addresses} addresses",
            (brief.computed("api.replica_count.max"), brief.given("tiers.pool.connections_per_pod")),
            "https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#max-surge",
        ),
        Derivation(
            "pool.server_connection_count_max",
            postgres.connection_count_max(max(count, served), database.other_connections),
            "connections",
            f"pool.connection_count + other_connections + {postgres.SUPERUSER_RESERVED} reserved for superusers + "
            f"{postgres.RDS_RESERVED} for RDS: max_connections of the primary and of each replica",
            (brief.given("tiers.database.other_connections"),),
            "https://www.postgresql.org/docs/15/runtime-config-connection.html",
        ),
    )


def _per_10000(brief: Brief, count: int) -> Derivation:
    users = brief.scenario.users
    return Derivation(
        "pool.connection_count_per_10000_users",
        count / users.peak * 10_000,
        "connections",
        "pool.connection_count / (users.peak / 10,000)",
        (brief.given("users.peak"),),
        f"{PLAN}, success metric: < 100 connections for 10k users",
    )


def _findings(brief: Brief, count: int, per_10000: float, note: str) -> list[Finding]:
    findings = []
    if note:
        findings.append(Finding("info", "rounding", note, "pool.connection_count"))
    if per_10000 >= 100:
        findings.append(
            Finding(
                "warning",
                "pool-not-below-100",
                f"a pool of {count:,} is {per_10000:g} connections for 10,000 users: the plan's own rule (peak / 100) "
                "cannot meet its success metric (< 100)",
                "pool.connection_count",
            )
        )
    primary = next(group for group in brief.sized["database"].groups if group.name == "database primary")
    allowed = postgres.rds_default_connection_count(primary.shape.memory_gib)
    if count > allowed:
        findings.append(
            Finding(
                "warning",
                "pool-exceeds-max-connections",
                f"{count:,} connections exceed the about {allowed:,} that a {primary.shape.name} accepts by default",
                "pool.connection_count",
            )
        )
    busy = primary.shape.vcpu * 2 + 1
    if count > 4 * busy:
        findings.append(
            Finding(
                "info",
                "pool-oversized",
                f"{count:,} connections on {primary.shape.vcpu} vCPU: throughput peaks near {busy} (cores x 2 + 1, "
                "HikariCP) and measured pgbench lost 37 % at 64 connections a core; queue in the pool instead",
                "pool.connection_count",
            )
        )
    return findings
