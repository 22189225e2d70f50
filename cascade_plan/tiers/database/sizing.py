"""PostgreSQL: the primary, its standby, the read replicas and their storage."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Any

from cascade_plan.formulas.losses import after_loss, least_count
from cascade_plan.formulas.percentiles import ServiceTime
from cascade_plan.model.ask import Ask, Site, connections_held
from cascade_plan.model.defaults import PLAN
from cascade_plan.model.derivation import Derivation, Finding, Input
from cascade_plan.model.fleet import Band, Lever, NodeGroup, Sized
from cascade_plan.model.offer import Offer
from cascade_plan.model.place import Place, Scale, Visit, trip_time
from cascade_plan.model.scenario import Action, Scenario
from cascade_plan.model.traffic import busiest_requests_per_s
from cascade_plan.tiers.database import aurora, connections, limits, metered, versions, work_figures
from cascade_plan.tiers.database.disk import Disks, disks
from cascade_plan.tiers.database.growth import growth_gib_per_month
from cascade_plan.tiers.database.service import commit_time, read_time, write_time
from cascade_plan.tiers.database.settings import Settings
from cascade_plan.tiers.database.work import Work, read_wait

AFTER: tuple[str, ...] = ("api", "worker")
ENGINE = "postgres"
REPLICA_LIMIT = 15
"""Read replicas a PostgreSQL source may have, https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ReadRepl.html"""


def size(ask: Ask[Settings]) -> Sized:
    """Return the primary (with its standby when multi-AZ), the read replicas, and storage for each."""
    settings, is_aurora = ask.settings, ask.settings.engine == aurora.ENGINE
    zones = "multi_zone" if ask.scenario.availability.asked.has_standby else "single_zone"
    shape = aurora.shape(ask) if is_aurora else ask.shape("database", (ENGINE, zones))
    asked = ask.scenario.availability.asked.replica_count
    if is_aurora:
        asked = aurora.least_replicas(ask.scenario.availability.asked)
    least, given_least = ask.least("minimum_replicas", asked)
    replicas = settings.replicas
    if replicas is None:
        replicas = ask.solved("replica_count")
    if replicas is None:
        replicas = max(least, _by_users(ask))
    work = Work.of(ask, shape, replicas, ask.scenario.month)
    groups, held = _groups(ask, work, zones), None if is_aurora else disks(ask, work)
    single = groups[0].offer if is_aurora else Offer("database", shape.name, (ENGINE, "single_zone"))
    figures = _figures(ask, replicas, given_least, least)
    usages = tuple(metered.usages(ask, work, held, groups, versions.support(ask)))
    return Sized(
        ask.name,
        "database",
        groups=tuple(groups),
        usages=usages,
        figures=(
            *figures,
            *connections.figures(ask, shape),
            *work_figures.figures(ask, work, held),
            *(aurora.figures(ask, work) if is_aurora else ()),
        ),
        findings=tuple(_findings(ask, work, groups, held, figures)) if ask.is_whole else (),
        ceilings=(
            *limits.ceilings(ask, work, held),
            *connections.ceilings(ask, shape),
            *(aurora.ceilings(ask) if is_aurora else ()),
        ),
        levers=(_lever(ask, replicas, least, single),),
        not_priced=versions.not_priced(ask) if is_aurora else (),
        not_emitted=(*metered.not_emitted(usages), *_deleted_by_hand(ask)),
    )


def _deleted_by_hand(ask: Ask[Settings]) -> Iterator[str]:
    """Yield that nothing we write deletes old rows."""
    if ask.settings.retention_months is not None:
        yield f"{ask.name} rows older than {ask.settings.retention_months} months: deleted by the application"


def _groups(ask: Ask[Settings], work: Work, zones: str) -> list[NodeGroup]:
    """Return the primary and the read replicas; of Aurora the writer and its readers, which cost the same."""
    settings, shape, named = ask.settings, work.shape, _called(ask.name)
    offer = Offer("database", shape.name, (ENGINE, zones))
    single, portions = Offer("database", shape.name, (ENGINE, "single_zone")), aurora.portions(ask, work)
    if settings.engine == aurora.ENGINE:
        offer = single = aurora.offer(settings, shape)
    groups = [
        NodeGroup(
            ask.name, f"{named} primary", "primary", shape, offer, Band.constant(1), settings.terms, portions=portions
        )
    ]
    if work.replica_count:
        called = "read replica" if ask.name == "database" else f"{named} read replica"
        count, lever = Band.constant(work.replica_count), f"{ask.name}.replica_count"
        groups.append(
            NodeGroup(
                ask.name, f"{called}s", "replicas", shape, single, count, settings.terms, lever=lever, portions=portions
            )
        )
    return groups


def places(site: Site[Settings], scale: Scale, before: tuple[Place, ...]) -> tuple[Place, ...]:
    """Return the primary and the replicas, each with a server a vCPU; without replicas the primary answers reads."""
    settings, scenario = site.settings, site.scenario
    sized = site.fleet[site.name]
    replicas = scale.get(f"{site.name}.replica_count", sized.count("replica_count"))
    shape, trips = sized.group("primary").shape, settings.round_trips_per_query
    vcpu, speed = shape.cores, shape.speed
    trip = trip_time(settings.round_trip_ms, settings.round_trip_scv)
    row, commit = read_time(settings, speed), commit_time(scenario, settings)
    disk = read_wait(settings, sized.value("memory_hit_ratio"))

    def reads(action: Action) -> Iterator[Visit]:
        missed = scenario.miss_ratio(action)
        rows = scenario.rows(action, site.name)
        own = scenario.reads(action, site.name) - rows
        yield Visit(own, missed, read_time(settings, speed, action.read_ms), trips, trip, disk)
        yield Visit(rows, missed, row, trips, trip, disk)
        yield from _of_jobs(scenario, action, site.name, "read_count", row)

    def writes(action: Action) -> Iterator[Visit]:
        write = write_time(settings, speed, action.write_ms)
        yield Visit(scenario.writes(action, site.name), 1.0, write, trips, trip, commit)
        yield from _of_jobs(scenario, action, site.name, "write_count", write_time(settings, speed))

    prefix = "" if site.name == "database" else f"{site.name} "
    primary, held = f"{prefix}primary", _own_connections(site, scale, before)
    if replicas:
        return (
            *held,
            Place(primary, site.name, 1, vcpu, visits=lambda action: tuple(writes(action))),
            Place(
                f"{prefix}replicas", site.name, replicas, replicas * vcpu, False, lambda action: tuple(reads(action))
            ),
        )
    both = Place(primary, site.name, 1, vcpu, visits=lambda action: (*writes(action), *reads(action)))
    return *held, both


def _own_connections(site: Site[Settings], scale: Scale, before: tuple[Place, ...]) -> tuple[Place, ...]:
    """Return the connections that services hold to a database without a pool, each over a whole transaction."""
    if connections.is_pooled(site):
        return ()
    count = connections_held(site, before)
    return (Place(f"{site.name} connections", site.name, 1, count, stands_before=site.name),) if count else ()


def _of_jobs(scenario: Scenario, action: Action, database: str, leaf: str, service: ServiceTime) -> tuple[Visit, ...]:
    """Return what the jobs that an action leaves to workers ask of a database, for which no request waits."""
    found = []
    for worker, count in action.jobs.items():
        settings: Any = scenario.tiers[worker]
        tries = getattr(settings, leaf) * ceil(count)
        if tries and (settings.database or scenario.first("database")) == database:
            found.append(Visit(tries, count / ceil(count), service, is_awaited=False))
    return tuple(found)


def _by_users(ask: Ask[Settings]) -> int:
    """Return the replicas by the rule: none while there are fewer users than one is for, as the primary has them."""
    users, each = ask.scenario.users.peak, ask.settings.users_per_replica
    return ask.nodes_for(users, each) if users >= each else 0


def _called(name: str) -> str:
    return name.replace("_", " ")


def _lever(ask: Ask[Settings], replicas: int, least: int, single: Offer) -> Lever:
    pinned = ask.settings.replicas is not None
    return Lever(
        name=f"{ask.name}.replica_count",
        floor_count=replicas,
        base_count=replicas,
        most_count=replicas,
        set_by="pinned" if pinned else "rules" if ask.solution is None else "method",
        is_searched=not pinned,
        spread="zones",
        least_count=least,
        count_max=REPLICA_LIMIT,
        offer=single,
    )


def _figures(ask: Ask[Settings], replicas: int, given_least: Input, least: int) -> tuple[Derivation, ...]:
    settings, users = ask.settings, ask.scenario.users
    pinned = settings.replicas is not None
    solved = ask.solution if not pinned else None
    growth = growth_gib_per_month(ask)
    return (
        ask.figure(
            "replica_count",
            replicas,
            "instances",
            "pinned in the scenario"
            if pinned
            else "least that meets every load with a zone lost, at the least cost with the API nodes"
            if solved
            else f"max(minimum_replicas, users.peak / users_per_replica rounded {ask.scenario.rounding}, none below 1)",
            (ask.own("replicas"),) if pinned else (given_least, ask.given("users.peak"), ask.own("users_per_replica")),
            f"{PLAN}, cost calculator",
            ""
            if pinned
            else solved.why(f"{ask.name}.replica_count")
            if solved
            else ask.rounding_note(users.peak, settings.users_per_replica, least)
            if users.peak >= settings.users_per_replica
            else "",
        ),
        ask.figure(
            "growth_gib_per_month",
            growth,
            "GiB/month",
            "mean requests/s x stored bytes of the action mix x 730 h",
            (ask.given("users.average"), ask.given("users.active_share")),
        ),
        *_query_figures(ask),
    )


def _query_figures(ask: Ask[Settings]) -> tuple[Derivation, Derivation]:
    """Return the queries, and of them the writes, that reach the database at the day's peak or the busiest load."""
    scenario, name = ask.scenario, ask.name
    requests_per_s = busiest_requests_per_s(scenario, ask.traffic)
    mix = scenario.behaviour.mix
    reads = sum(share * scenario.reads(action, name) * scenario.miss_ratio(action) for share, action in mix)
    writes = sum(share * scenario.writes(action, name) for share, action in mix)
    jobs = sum(sized.value("database_queries_per_s_peak") for sized in ask.of("worker") if _is_asked(ask, sized.name))
    formula = "requests/s of the busier of the day's peak and the named loads"
    caches = [f"tiers.{cache}.hit_ratio" for cache in scenario.of("cache")]
    inputs = tuple(ask.given(path) for path in ("users.peak", "users.active_share", *caches))
    through = "reads x (1 - hit_ratio of the cache)" if caches else "reads"
    beside = " + those of the workers' jobs" if jobs else ""
    return (
        ask.figure(
            "queries_per_s_peak",
            requests_per_s * (reads + writes) + jobs,
            "queries/s",
            f"{formula} x ({through} + writes) of the action mix{beside}",
            inputs,
        ),
        ask.figure(
            "writes_per_s_peak",
            requests_per_s * writes,
            "queries/s",
            f"{formula} x writes of the action mix",
            inputs[:2],
        ),
    )


def _is_asked(ask: Ask[Settings], worker: str) -> bool:
    """Return whether a worker's jobs ask this database: the one it names, or the first."""
    named = getattr(ask.scenario.tiers[worker], "database", None)
    return bool((named or ask.scenario.first("database")) == ask.name)


def _findings(
    ask: Ask[Settings], work: Work, groups: list[NodeGroup], held: Disks | None, figures: tuple[Derivation, ...]
) -> Iterator[Finding]:
    """Yield what is to be said of the instance; `figures` are those of its counts."""
    note = figures[0].note if ask.solution is None else ""
    yield from _count_findings(ask, work.replica_count, bool(figures[2].value), note)
    yield from connections.findings(ask, work.shape)
    yield from limits.findings(ask, work)
    yield from metered.findings(ask, held, groups)
    if not ask.settings.serverless:
        yield from ask.speed_findings(work.shape)
    if held is None:
        yield from aurora.findings(ask, work, work.replica_count)
    else:
        yield from versions.findings(ask, groups)


def _count_findings(ask: Ask[Settings], replicas: int, is_asked: bool, note: str) -> list[Finding]:
    findings = []
    if not is_asked:
        message = f"nothing asks {ask.name}: give an action `reads: {{{ask.name}: 1}}`, or turn it off"
        findings.append(Finding("warning", "database-unused", message, f"tiers.{ask.name}"))
    asked = ask.scenario.availability.asked
    if replicas and asked.lost_zone_count and not after_loss(replicas, asked.zones, asked.lost_zone_count, 0):
        keep = least_count(lambda count: after_loss(count, asked.zones, asked.lost_zone_count, 0) > 0, REPLICA_LIMIT)
        message = (
            f"of {replicas} read replicas in {asked.zones} zones none may be left when a zone is lost, and the primary "
            f"answers all reads then: {keep} keep one, and without any (tiers.{ask.name}.minimum_replicas: 0) nothing "
            "of what is promised changes"
        )
        findings.append(Finding("info", "replicas-lost", message, f"{ask.name}.replica_count"))
    if note:
        findings.append(Finding("info", "rounding", note, f"{ask.name}.replica_count"))
    if replicas > REPLICA_LIMIT:
        cascaded = ceil((replicas - REPLICA_LIMIT) / REPLICA_LIMIT)
        findings.append(
            Finding(
                "warning",
                "replica-limit",
                f"{replicas} read replicas: RDS allows {REPLICA_LIMIT} from one source, so {cascaded} of them must "
                "feed the others in cascade; one primary at this scale also calls for sharding by tenant",
                f"{ask.name}.replica_count",
                is_broken=True,
            )
        )
    return findings
