"""What a database is charged for beside its instances: storage as it grows, its disk, credits, support and backups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from cascade_plan.formulas import credits, postgres
from cascade_plan.formulas.accumulation import MONTHS_PER_YEAR
from cascade_plan.formulas.draws import largest
from cascade_plan.model.ask import Ask
from cascade_plan.model.derivation import Finding
from cascade_plan.model.fleet import Band, NodeGroup, Usage
from cascade_plan.model.offer import Offer
from cascade_plan.tiers.database import aurora
from cascade_plan.tiers.database.disk import Disk, Disks
from cascade_plan.tiers.database.growth import growth_gib_per_month, held_gib
from cascade_plan.tiers.database.settings import Settings
from cascade_plan.tiers.database.versions import vcpu_each
from cascade_plan.tiers.database.work import Work
from cascade_plan.units import DAYS_PER_MONTH, MIB

METERED = {"database_credits": "metered as they are spent", "database_support": "comes with the version"}
"""What nobody makes, and why it is charged."""


def usages(
    ask: Ask[Settings], work: Work, held: Disks | None, groups: Sequence[NodeGroup], version: str
) -> Iterator[Usage]:
    """Yield the metered use of the instances in `groups`; `version` names the extended support that is charged.

    `held` is the disk of each; None of Aurora, whose storage is shared.
    """
    if held is None:
        yield from aurora.usages(ask, work, groups[0])
        for group in groups:
            yield from _credits(ask, work, group)
        yield from _backups(ask, None, [None] * len(ask.months))
        return
    now, year = held
    for group in groups:
        yield _storage(group, now, year)
        yield from _beyond(group, now, year)
        yield from _credits(ask, work, group)
        if version:
            yield _support(ask, group, version)
    yield from _backups(ask, now, year)


def not_emitted(used: Sequence[Usage]) -> Iterator[str]:
    """Yield of what no file is written, and why."""
    for usage in used:
        if usage.offer.what in METERED:
            yield f"{usage.name}: {METERED[usage.offer.what]}"


def findings(ask: Ask[Settings], held: Disks | None, groups: Sequence[NodeGroup]) -> Iterator[Finding]:
    """Yield that data fills the disk within a year, and what it costs that the disk grows by itself."""
    if held is None:
        return
    first, last = held.year[0], held.year[-1]
    growth = growth_gib_per_month(ask)
    if last.gib <= first.gib or not growth:
        return
    months = max(0.0, (first.gib - (ask.settings.data_gib or 0.0)) / growth)
    words = (
        f"{growth:,.1f} GiB a month fill {first.gib:,} GiB in {months:.1f} months: the disk grows by itself to "
        f"{last.gib:,} GiB by month {MONTHS_PER_YEAR}{_more(ask, groups, last.gib - first.gib)}"
    )
    yield Finding("warning", "storage-growth", words, f"{ask.name}.storage_gib_month_12")


def _more(ask: Ask[Settings], groups: Sequence[NodeGroup], gib: int) -> str:
    """Return what so many GiB more of each instance cost a month, in words; "" where that is not known."""
    usd = Decimal(0)
    for group in groups:
        if (price := ask.usd(Offer("database_storage", "", group.offer.options))) is None:
            return ""
        usd += price * gib * Decimal(str(group.count.average))
    return f", ${usd:,.0f} a month more"


def _storage(group: NodeGroup, now: Disk, year: Sequence[Disk]) -> Usage:
    called = "read replica storage" if group.name == "read replicas" else f"{group.name} storage"
    offer = Offer("database_storage", "", group.offer.options)
    months = tuple(group.count.times(each.gib) for each in year)
    return Usage(
        group.tier, called, offer, group.count.times(now.gib), "gib_month", group=group.name, amount_monthly=months
    )


def _beyond(group: NodeGroup, now: Disk, year: Sequence[Disk]) -> Iterator[Usage]:
    """Yield what is bought of the disk beyond what its size does."""
    kinds = (
        ("disk operations", "database_operations", "iops_month", 0, 1.0),
        ("disk throughput", "database_throughput", "mibps_month", 1, 1 / MIB),
    )
    for words, what, unit, at, size in kinds:
        if not any(each.bought[at] for each in (now, *year)):
            continue
        months = tuple(group.count.times(each.bought[at] * size) for each in year)
        amount, offer = group.count.times(now.bought[at] * size), Offer(what, "", group.offer.options)
        yield Usage(group.tier, f"{group.name} {words}", offer, amount, unit, group=group.name, amount_monthly=months)


def _credits(ask: Ask[Settings], work: Work, group: NodeGroup) -> Iterator[Usage]:
    """Yield the CPU time beyond what a burstable class earns credits for; of a standby none, it only replays."""
    shape, burst = work.shape, ask.cloud.burst(work.shape)
    if shape.cpu_baseline_ratio is None or burst is None or burst.offer is None:
        return
    share = _share(work, group)

    def surplus(requests_per_s: float) -> float:
        busy = min(1.0, work.cpu_s.at(requests_per_s, share) / shape.vcpu)
        return credits.surplus_vcpu_hours(busy, shape.cpu_baseline_ratio or 0.0, shape.vcpu, ask.hours)

    hours = group.count.scaled(ask.traffic.requests_per_s.each(surplus))
    if hours.ceiling:
        yield Usage(group.tier, f"{group.name} CPU credits", burst.offer, hours, "vcpu_hour", group=group.name)


def _share(work: Work, group: NodeGroup) -> float:
    """Return the share of the reads that one instance of a group answers."""
    if not work.replica_count:
        return 1.0
    return 1 / work.replica_count if group.role == "replicas" else 0.0


def _support(ask: Ask[Settings], group: NodeGroup, years: str) -> Usage:
    """Return the extended support of a version, by the vCPU, a standby's among them."""
    hours = group.count.times(vcpu_each(group) * ask.hours)
    name = f"{group.name}, extended support of PostgreSQL {ask.settings.version}"
    return Usage(group.tier, name, Offer("database_support", years), hours, "vcpu_hour", group=group.name)


def _backups(ask: Ask[Settings], now: Disk | None, year: Sequence[Disk | None]) -> Iterator[Usage]:
    if ask.settings.backup_gib is not None:
        amount, months = ask.settings.backup_gib, [ask.settings.backup_gib] * len(year)
    else:
        amount = _kept_gib(ask, now, ask.scenario.month)
        months = [_kept_gib(ask, each, month) for month, each in zip(ask.months, year, strict=True)]
    if amount or any(months):
        name = f"{ask.name.replace('_', ' ')} backup"
        monthly = tuple(map(Band.constant, months))
        options = (aurora.ENGINE,) if ask.settings.engine == aurora.ENGINE else ()
        offer = Offer("database_backup", "", options)
        yield Usage(ask.name, name, offer, Band.constant(amount), "gib_month", amount_monthly=monthly)


def _kept_gib(ask: Ask[Settings], size: Disk | None, month: int) -> float:
    """Return the backups beyond what is free: one of all data, and what changed on the days that are kept.

    As much is free as the disk holds, or of Aurora, which has none, as its data.

    What a day changes is taken to be its log.
    """
    settings = ask.settings
    if not settings.backup_retention_days:
        return settings.snapshot_gib
    per_day = growth_gib_per_month(ask) * postgres.WAL_BYTES_PER_ROW_BYTE / DAYS_PER_MONTH
    kept = held_gib(ask, month) + per_day * settings.backup_retention_days + settings.snapshot_gib
    found: float = largest(0.0, kept - (held_gib(ask, month) if size is None else size.gib))
    return found
