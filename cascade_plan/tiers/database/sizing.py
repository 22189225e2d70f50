"""PostgreSQL: the primary, its standby, the read replicas and their storage."""

from __future__ import annotations

from math import ceil

from cascade_plan.model.brief import Brief
from cascade_plan.model.defaults import PLAN
from cascade_plan.model.derivation import Derivation, Finding
from cascade_plan.model.fleet import Band, NodeGroup, TierFleet, Usage
from cascade_plan.units import GIB, SECONDS_PER_MONTH

AFTER: tuple[str, ...] = ()
REPLICA_LIMIT = 15
"""Read replicas a PostgreSQL source may have, https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ReadRepl.html"""


def size(brief: Brief) -> TierFleet:
    """Return the primary (with its standby when multi-AZ), the read replicas, and gp3 storage for each."""
    tier, users = brief.scenario.tiers.database, brief.scenario.users
    variant = "multi_az" if brief.scenario.availability.multi_az else "single_az"
    shape = brief.shape("tiers.database.shape", "rds", variant)
    replicas = tier.replicas
    if replicas is None and brief.solution is not None:
        replicas = brief.solution.replica_count
    if replicas is None:
        replicas = max(tier.minimum_replicas, brief.nodes_for(users.peak, tier.users_per_replica))
    terms = brief.scenario.purchase.terms("database")
    groups = [NodeGroup("database", "database primary", shape, variant, Band.constant(1), terms)]
    usages = [_storage("database primary storage", variant, tier.storage_gib)]
    if replicas:
        groups.append(NodeGroup("database", "read replicas", shape, "single_az", Band.constant(replicas), terms))
        usages.append(_storage("read replica storage", "single_az", tier.storage_gib * replicas))
    if tier.backup_gib:
        backup = Band.constant(tier.backup_gib)
        usages.append(Usage("database", "database backup", "rds", "backup-storage", backup, "gib_month"))
    figures = _figures(brief, replicas)
    return TierFleet(
        groups=tuple(groups),
        usages=tuple(usages),
        figures=figures,
        findings=tuple(
            _findings(brief, replicas, float(figures[1].value), figures[0].note if brief.solution is None else "")
        ),
    )


def _storage(name: str, variant: str, gib: int) -> Usage:
    return Usage("database", name, "rds", "storage-gp3", Band.constant(gib), "gib_month", variant)


def _figures(brief: Brief, replicas: int) -> tuple[Derivation, ...]:
    tier, users = brief.scenario.tiers.database, brief.scenario.users
    pinned = tier.replicas is not None
    solved = brief.solution if not pinned else None
    growth = brief.load.database_growth_bytes_per_s.average * SECONDS_PER_MONTH / GIB
    return (
        Derivation(
            "database.replica_count",
            replicas,
            "instances",
            "pinned in the scenario"
            if pinned
            else "least that meets every load with a zone lost, at the least cost with the API nodes"
            if solved
            else f"max(minimum_replicas, users.peak / users_per_replica rounded {brief.scenario.rounding})",
            (brief.given("tiers.database.replicas"),)
            if pinned
            else (
                brief.given("tiers.database.minimum_replicas"),
                brief.given("users.peak"),
                brief.given("tiers.database.users_per_replica"),
            ),
            f"{PLAN}, cost calculator",
            ""
            if pinned
            else solved.why("database.replica_count")
            if solved
            else brief.rounding_note(users.peak, tier.users_per_replica, tier.minimum_replicas),
        ),
        Derivation(
            "database.growth_gib_per_month",
            growth,
            "GiB/month",
            "mean requests/s x stored bytes of the action mix x 730 h",
            (brief.given("users.average"), brief.given("users.active_share")),
        ),
        *_query_figures(brief),
    )


def _query_figures(brief: Brief) -> tuple[Derivation, Derivation]:
    """Return the queries, and of them the writes, that reach the database at the day's peak or the busiest load."""
    scenario = brief.scenario
    think_s = scenario.behaviour.think_time_s.mean
    requests_per_s = max(
        brief.load.requests_per_s.peak, *(load.users / think_s for load in scenario.loads.values()), 0.0
    )
    actions = scenario.behaviour.actions.values()
    total = sum(action.weight for action in actions)
    rows = 1 if scenario.timing.n_plus_one else 0
    reads = sum(a.weight * (a.read_count + rows * a.n_plus_one_query_count) for a in actions) / total
    writes = sum(a.weight * a.write_count for a in actions) / total
    misses = 1 - scenario.behaviour.cache_hit_ratio
    formula = "requests/s of the busier of the day's peak and the named loads"
    inputs = tuple(brief.given(path) for path in ("users.peak", "users.active_share", "behaviour.cache_hit_ratio"))
    return (
        Derivation(
            "database.queries_per_s_peak",
            requests_per_s * (reads * misses + writes),
            "queries/s",
            f"{formula} x (reads x (1 - cache_hit_ratio) + writes) of the action mix",
            inputs,
        ),
        Derivation(
            "database.writes_per_s_peak",
            requests_per_s * writes,
            "queries/s",
            f"{formula} x writes of the action mix",
            inputs[:2],
        ),
    )


def _findings(brief: Brief, replicas: int, growth_gib: float, note: str) -> list[Finding]:
    storage = brief.scenario.tiers.database.storage_gib
    findings = []
    if note:
        findings.append(Finding("info", "rounding", note, "database.replica_count"))
    if replicas > REPLICA_LIMIT:
        cascaded = ceil((replicas - REPLICA_LIMIT) / REPLICA_LIMIT)
        findings.append(
            Finding(
                "warning",
                "replica-limit",
                f"{replicas} read replicas: RDS allows {REPLICA_LIMIT} from one source, so {cascaded} of them must "
                "feed the others in cascade; one primary at this scale also calls for sharding by tenant",
                "database.replica_count",
            )
        )
    if growth_gib > 0 and growth_gib * 12 > storage:
        findings.append(
            Finding(
                "warning",
                "storage-growth",
                f"{growth_gib:,.1f} GiB a month fill {storage} GiB in {storage / growth_gib:.1f} months",
                "database.growth_gib_per_month",
            )
        )
    return findings
