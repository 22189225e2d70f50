"""What a database does at most: its disk, its network, its CPU credits, its log, and what is not known of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cascade_plan.formulas import credits, postgres
from cascade_plan.model.ask import Ask
from cascade_plan.model.ceiling import BurstRate, Ceiling, Demand, shown
from cascade_plan.model.derivation import Finding
from cascade_plan.model.traffic import busiest_requests_per_s
from cascade_plan.tiers.database.disk import Disk, Disks
from cascade_plan.tiers.database.settings import Settings
from cascade_plan.tiers.database.work import Work, pages_gib
from cascade_plan.units import MIB

PROVISIONED: Final = ("provisioned_operations_per_s", "provisioned_mib_per_s")


@dataclass(frozen=True, slots=True)
class _Limit:
    """The most of one thing that an instance does, what sets it, and what raises it."""

    does: str
    most: float
    way: str
    burst: BurstRate | None = None


def ceilings(ask: Ask[Settings], work: Work, held: Disks | None) -> Iterator[Ceiling]:
    """Yield the most that the primary does, and that each replica does; `held` is the disk of each, if it has one."""
    operations, throughput = (_of_disk(ask, work, held.now, at) if held else None for at in (0, 1))
    if operations is not None:
        figure, unit = "disk_operations_per_s_peak", "disk operations/s"
        yield from _both(ask, work, figure, "disk-operations", "is asked", unit, work.disk_operations, operations)
    if throughput is not None:
        figure, unit = "disk_bytes_per_s_peak", "MiB/s of its disk"
        yield from _both(ask, work, figure, "disk-throughput", "is asked", unit, work.disk_bytes, throughput, MIB)
    if (network := work.shape.network_bytes_per_s) is not None:
        burst = BurstRate.above(network, work.shape.network_burst_bytes_per_s, work.shape.network_burst_s)
        limit = _Limit(f"{work.shape.name} sends all the time", network, _larger(ask), burst)
        figure = "network_bytes_per_s_peak"
        yield from _both(ask, work, figure, "database-network", "sends", "MiB/s", work.sent_bytes, limit, MIB)


def _both(
    ask: Ask[Settings],
    work: Work,
    figure: str,
    code: str,
    verb: str,
    unit: str,
    demand: Demand,
    limit: _Limit,
    size: float = 1.0,
) -> Iterator[Ceiling]:
    """Yield a limit of the primary, and the same of each replica."""
    lever = f"{ask.name}.replica_count"
    rests_on = ask.assumed(*_rests(ask, code))
    called = "" if ask.name == "database" else f"{ask.name.replace('_', ' ')} "
    shares = f"more replicas share the reads, or {limit.way}" if demand.shared_units_per_request else limit.way
    for who, way, stands_in in ((f"the {called}primary", limit.way, True), (f"each {called}replica", shares, False)):
        yield Ceiling(
            f"{ask.name}.{figure}", code, f"{who} {verb}", limit.does, unit, demand, limit.most, way,
            lever, work.replica_count, stands_in, bytes_per_unit=size, burst=limit.burst,
            rests_on=rests_on,
        )  # fmt: skip


def _rests(ask: Ask[Settings], code: str) -> tuple[str, ...]:
    """Return what decides a limit's demand and may be an assumption: what reads miss, and how the disk is asked."""
    own = f"tiers.{ask.name}"
    cached = tuple(f"tiers.{name}.hit_ratio" for name in ask.scenario.of("cache"))
    if code == "database-network":
        return cached
    return (f"{own}.data_gib", f"{own}.hot_data_ratio", f"{own}.pages_per_read", f"{own}.commit_ms", *cached)


def _of_disk(ask: Ask[Settings], work: Work, held: Disk, at: int) -> _Limit | None:
    """Return the most that the storage does, or the instance with it, of operations (0) or bytes (1)."""
    shape, storage = work.shape, _of_storage(ask, held, at)
    own = (shape.disk_operations_per_s, shape.disk_bytes_per_s)[at]
    if own is None or (storage is not None and storage.most < own):
        return storage
    most = (shape.disk_burst_operations_per_s, shape.disk_burst_bytes_per_s)[at]
    if most is not None:
        most = min(most, (held.operations_per_s, held.bytes_per_s)[at])
    return _Limit(f"{shape.name} does all the time", own, _larger(ask), BurstRate.above(own, most, shape.disk_burst_s))


def _of_storage(ask: Ask[Settings], held: Disk, at: int) -> _Limit | None:
    """Return the most that the storage does of operations (0) or bytes (1); None where it sets no limit."""
    storage = ask.cloud.database_storage()
    if storage is None:
        return None
    if getattr(ask.settings, PROVISIONED[at]) is None:
        # What is not given is bought as it is asked, to the most there is, whatever number of instances is tried.
        return _Limit(f"{storage.called} does at most", storage.most[at], _larger(ask))
    does = "its provisioned storage does" if held.bought[at] else f"{held.gib:,} GiB of {storage.called} do"
    most = (held.operations_per_s, held.bytes_per_s)[at]
    return _Limit(does, most, f"provision more, tiers.{ask.name}.{PROVISIONED[at]}")


def _larger(ask: Ask[Settings]) -> str:
    return f"a larger one does more, set tiers.{ask.name}.shape"


# ----------------------------------------------------------------------------------------------------------- findings


def findings(ask: Ask[Settings], work: Work) -> Iterator[Finding]:
    """Yield what no ceiling says: what credits cost, checkpoints that hurry, and what is not known."""
    yield from _credits(ask, work)
    shape, has_disk = work.shape, ask.settings.engine != "aurora"
    if has_disk:
        yield from _checkpoints(ask, work)
    yield from _working_set(ask, work)
    known = {
        "network": shape.network_bytes_per_s,
        "disk": shape.disk_operations_per_s if has_disk else 1.0,
        "CPU credits": shape.cpu_baseline_ratio if shape.burstable else 1.0,
    }
    if missing := [what for what, figure in known.items() if figure is None]:
        words = f"what {shape.name} does all the time is not known of its {' and '.join(missing)}: nothing judges that"
        yield Finding("info", "limit-unknown", words, f"tiers.{ask.name}.shape")


def _credits(ask: Ask[Settings], work: Work) -> Iterator[Finding]:
    """Yield that CPU credits do not last: over the day, or over a named load."""
    shape, burst = work.shape, ask.cloud.burst(work.shape)
    if (baseline := shape.cpu_baseline_ratio) is None or burst is None:
        return
    busy = work.busy_ratio(ask.traffic.requests_per_s.average)
    earns = f"{shape.name} earns credits for {baseline:.0%} of its {shape.vcpu} vCPU"
    where = f"{ask.name}.busy_ratio_average"
    if busy > baseline:
        usd = None if burst.offer is None else ask.usd(burst.offer)
        hours = credits.surplus_vcpu_hours(min(1.0, busy), baseline, shape.vcpu, ask.hours)
        yield Finding(
            "warning",
            "cpu-credits",
            f"{earns} and is {busy:.0%} busy on average: {burst.words(hours, usd)}",
            where,
            is_broken=burst.offer is None,
        )
        return
    think_s = ask.scenario.behaviour.think_time_s.mean
    for name, load in ask.scenario.driven.items():
        at_load = work.busy_ratio(load.users / think_s)
        lasting_s = credits.lasting_s(min(1.0, at_load), baseline)
        if lasting_s < load.duration_s:
            then = "more is billed" if burst.offer else "it is slowed to that share"
            lasts = f"load {name} keeps it {at_load:.0%} busy, and a day's credits last {lasting_s / 3600:.1f} hours"
            yield Finding(
                "warning", "cpu-credits", f"{earns}; {lasts}: then {then}", where, is_broken=burst.offer is None
            )


def _working_set(ask: Ask[Settings], work: Work) -> Iterator[Finding]:
    """Yield that the part of the data that most reads ask for is larger than what the memory keeps of it."""
    share, kept_gib = ask.settings.hot_data_ratio, pages_gib(work.shape.program_gib)
    if (hot_gib := share * work.data_gib) > kept_gib:
        words = (
            f"four fifths of its reads ask for {shown(hot_gib)} of {shown(work.data_gib)} GiB, and {work.shape.name} "
            f"keeps {shown(kept_gib)} in memory: {1 - work.memory_hit_ratio:.0%} of the pages come from the disk; a "
            f"larger one keeps more, set tiers.{ask.name}.shape"
        )
        yield Finding("info", "working-set", words, f"{ask.name}.memory_hit_ratio")


def _checkpoints(ask: Ask[Settings], work: Work) -> Iterator[Finding]:
    """Yield that the log fills max_wal_size, as it is emitted, so soon that PostgreSQL itself would complain."""
    per_s = busiest_requests_per_s(ask.scenario, ask.traffic) * work.asked.wal_bytes
    most_mib = postgres.max_wal_size_mib(
        ask.traffic.database_growth_bytes_per_s[ask.name].peak, ask.settings.storage_gib
    )
    every_s = postgres.checkpoint_s(most_mib, per_s)
    if every_s < postgres.CHECKPOINT_WARNING_S:
        words = (
            f"{per_s / MIB:,.0f} MiB/s of log fill max_wal_size ({most_mib:,} MiB) so fast that a checkpoint begins "
            f"every {shown(every_s)} s, and each has whole pages logged anew: at most a tenth of the storage is used"
        )
        yield Finding("warning", "checkpoints", words, f"{ask.name}.wal_bytes_per_s_peak")
