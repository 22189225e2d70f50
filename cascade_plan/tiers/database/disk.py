"""The disk of each instance: how its size grows with the data, and what is bought for it beyond what its size does."""

from __future__ import annotations

from math import ceil, inf
from typing import NamedTuple

from cascade_plan.formulas.losses import after_loss
from cascade_plan.model.ask import Ask
from cascade_plan.model.catalogue import DiskRate, StorageRate
from cascade_plan.model.ceiling import Demand
from cascade_plan.model.traffic import busiest_requests_per_s
from cascade_plan.tiers.database.growth import grown_gib, most_held_gib
from cascade_plan.tiers.database.settings import Settings
from cascade_plan.tiers.database.work import Work
from cascade_plan.units import MIB


class Disk(NamedTuple):
    """What is bought for each instance."""

    gib: int
    operations_per_s: float
    """In all; infinite where its storage sets no limit."""
    bytes_per_s: float
    bought: DiskRate
    """What of both is paid apart."""


class Disks(NamedTuple):
    """The disk of each instance as it grows: the same for whatever is asked of it, so made once."""

    now: Disk
    """In the month of the bill."""
    year: tuple[Disk, ...]
    """In each month that is counted: of the first year, or that of the bill alone."""


def disks(ask: Ask[Settings], work: Work) -> Disks:
    """Return the disk in the month of the bill, and in each of the first year."""
    storage, per_s = ask.cloud.database_storage(), busiest_requests_per_s(ask.scenario, ask.traffic)
    sharing = _sharing(ask, work.replica_count)
    wanted: dict[float, DiskRate] = {}

    def at(month: int, each: Work) -> Disk:
        gib = grown_gib(ask.settings.storage_gib, most_held_gib(ask, month))
        if storage is None:
            return Disk(gib, inf, inf, DiskRate(0, 0))
        # In most months memory holds as much of the data as in the month before, and the disk is asked as much.
        if each.memory_hit_ratio not in wanted:
            wanted[each.memory_hit_ratio] = _wanted(ask.settings, each, storage, sharing, per_s)
        return _disk(storage, gib, wanted[each.memory_hit_ratio])

    year = tuple(at(month, each) for month, each in zip(ask.months, work.of_year(ask), strict=True))
    return Disks(at(ask.scenario.month, work), year)


def _disk(storage: StorageRate, gib: int, wanted: DiskRate) -> Disk:
    """Return the disk: as large as its data or what is asked of it makes it, and what is bought beyond.

    Where storage of its size takes no more than it includes, the size that includes more is bought instead. What an
    instance cannot use is not bought.
    """
    does = storage.of(gib)
    if (wanted.operations_per_s > does.operations_per_s or wanted.bytes_per_s > does.bytes_per_s) and (
        not storage.takes_provisioned(gib)
    ):
        gib, does = storage.larger_gib, storage.larger
    operations = max(does.operations_per_s, wanted.operations_per_s)
    throughput = max(does.bytes_per_s, wanted.bytes_per_s)
    if throughput > does.bytes_per_s:
        operations = max(operations, storage.operations_per_mib * throughput / MIB)
    bought = DiskRate(operations - does.operations_per_s, throughput - does.bytes_per_s)
    return Disk(gib, operations, throughput, bought)


def _sharing(ask: Ask[Settings], replicas: int) -> int:
    """Return how many replicas share what is asked; by the method slo those that a lost zone leaves."""
    asked = ask.scenario.availability.asked
    return replicas if ask.solution is None else after_loss(replicas, asked.zones, asked.lost_zone_count, 0)


def _wanted(settings: Settings, work: Work, storage: StorageRate, sharing: int, per_s: float) -> DiskRate:
    """Return what each instance's disk shall do: as given, or what the fullest is asked and can use, in whole units."""

    def asked(demand: Demand, own: float | None, most: float) -> float:
        return min(work.fullest(demand, per_s, sharing), inf if own is None else own, most)

    operations: float | None = settings.provisioned_operations_per_s
    if operations is None:
        operations = ceil(asked(work.disk_operations, work.shape.disk_operations_per_s, storage.most.operations_per_s))
    if settings.provisioned_mib_per_s is not None:
        return DiskRate(operations, settings.provisioned_mib_per_s * MIB)
    throughput = asked(work.disk_bytes, work.shape.disk_bytes_per_s, storage.most.bytes_per_s)
    return DiskRate(operations, ceil(throughput / MIB) * MIB)
