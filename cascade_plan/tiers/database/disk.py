"""The disk of each instance: how its size grows with the data, and what is bought for it beyond what its size does."""

from __future__ import annotations

from dataclasses import replace
from math import ceil, inf
from typing import NamedTuple

from cascade_plan.formulas.losses import after_loss
from cascade_plan.model.ask import Ask
from cascade_plan.model.catalogue import DiskRate, StorageRate
from cascade_plan.model.ceiling import Demand
from cascade_plan.model.traffic import busiest_requests_per_s
from cascade_plan.tiers.database.growth import grown_gib, held_gib
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


def disk(ask: Ask[Settings], work: Work, month: int) -> Disk:
    """Return the disk in a month: as large as its data or what is asked of it makes it, and what is bought beyond.

    Where storage of its size takes no more than it includes, the size that includes more is bought instead. What an
    instance cannot use is not bought.
    """
    storage, gib = ask.cloud.database_storage(), grown_gib(ask.settings.storage_gib, held_gib(ask, month))
    if storage is None:
        return Disk(gib, inf, inf, DiskRate(0, 0))
    wanted = _wanted(ask, work, storage)
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


def disks_of_year(ask: Ask[Settings], work: Work) -> list[Disk]:
    """Return the disk in each month of the first year."""
    return [disk(ask, each, month) for month, each in enumerate(work.of_year(ask), start=1)]


def _wanted(ask: Ask[Settings], work: Work, storage: StorageRate) -> DiskRate:
    """Return what each instance's disk shall do: as given, or what the fullest is asked and can use, in whole units."""
    settings, shape = ask.settings, work.shape
    operations: float | None = settings.provisioned_operations_per_s
    if operations is None:
        asked = _asked(ask, work, work.disk_operations, shape.disk_operations_per_s)
        operations = ceil(min(asked, storage.most.operations_per_s))
    throughput: float | None = None
    if settings.provisioned_mib_per_s is not None:
        throughput = settings.provisioned_mib_per_s * MIB
    else:
        asked = _asked(ask, work, work.disk_bytes, shape.disk_bytes_per_s)
        throughput = ceil(min(asked, storage.most.bytes_per_s) / MIB) * MIB
    return DiskRate(operations, throughput)


def _asked(ask: Ask[Settings], work: Work, demand: Demand, most: float | None) -> float:
    """Return what the fullest instance is asked; by the method slo of what a lost zone leaves, as of its counts."""
    per_s, asked = busiest_requests_per_s(ask.scenario, ask.traffic), ask.scenario.availability.asked
    if ask.solution is not None:
        left = after_loss(work.replica_count, asked.zones, asked.lost_zone_count, 0)
        work = replace(work, replica_count=left)
    return min(work.fullest(demand, per_s), inf if most is None else most)
