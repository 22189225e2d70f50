"""What requests make each instance of a database do, and what of its data its memory holds.

The primary does every write, each replica replays them all, and they share the reads; without replicas the primary
answers these too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from cascade_plan.formulas import postgres, working_set
from cascade_plan.formulas.draws import whole
from cascade_plan.formulas.percentiles import ServiceTime
from cascade_plan.formulas.postgres import PAGE_BYTES
from cascade_plan.model.ask import Ask
from cascade_plan.model.catalogue import Shape
from cascade_plan.model.ceiling import Demand
from cascade_plan.tiers.database.asked import Asked, asked
from cascade_plan.tiers.database.growth import grown_gib, growth_gib_per_month, held_gib, kept_months, most_held_gib
from cascade_plan.tiers.database.settings import Settings

SCV_MOST: Final = 1000.0
"""Of waits so rare that they hardly matter: what a scenario may say of a variability at most."""
MONTHS_KEPT: Final = 12
"""Of growth that a database holds where its size is not given: an assumption."""


def read_wait(settings: Settings, memory_hit_ratio: float) -> ServiceTime | None:
    """Return the law of what a read waits for its disk, while nothing is busy; None where it never waits.

    Each of its pages is missed by chance m and then waits an exponential time d: k pages have the mean k m d and the
    squared coefficient of variation (2 - m) / (k m).
    """
    pages, missed = settings.pages_per_read, 1 - memory_hit_ratio
    mean_s = pages * missed * settings.disk_read_ms / 1000
    return ServiceTime(mean_s, min(SCV_MOST, (2 - missed) / (pages * missed))) if mean_s > 1e-9 else None


def pages_gib(memory_gib: float) -> float:
    """Return what of the memory that PostgreSQL has holds pages: shared buffers and the kernel's cache.

    >>> pages_gib(29.12)
    21.83984375
    """
    return postgres.effective_cache_size_mib(whole(memory_gib * 1024)) / 1024


def data_gib(ask: Ask[Settings], month: int) -> float:
    """Return the size of tables and indexes: as given and grown since, or a year's growth, at most what the disk holds.

    Of the first month what is given stands, so that what was measured is planned with.
    """
    growth = growth_gib_per_month(ask)
    if ask.settings.data_gib is not None:
        return held_gib(ask, month - 1)
    grown = growth * kept_months(ask, max(MONTHS_KEPT, month))
    if ask.settings.engine == "aurora":
        return grown
    return min(grown, grown_gib(ask.settings.storage_gib, most_held_gib(ask, month)))


def _data(ask: Ask[Settings], shape: Shape, month: int) -> tuple[float, float]:
    """Return the size of the data in a month, and the share of it that is in memory."""
    data = data_gib(ask, month)
    return data, working_set.hit_ratio(pages_gib(shape.program_gib), data, ask.settings.hot_data_ratio)


@dataclass(frozen=True, slots=True)
class Work:
    """What a request makes a database do, in each instance of a shape."""

    settings: Settings
    shape: Shape
    replica_count: int
    asked: Asked
    data_gib: float
    memory_hit_ratio: float

    @classmethod
    def of(cls, ask: Ask[Settings], shape: Shape, replica_count: int, month: int) -> Work:
        """Return what a database is made to do in a month that runs on a primary and so many replicas of a shape."""
        return cls(ask.settings, shape, replica_count, asked(ask.scenario, ask.name), *_data(ask, shape, month))

    def of_year(self, ask: Ask[Settings]) -> Iterator[Work]:
        """Yield the same in each month that is counted: what is in memory of its data changes as it grows."""
        if not ask.is_whole:
            yield self
            return
        for month in ask.months:
            data, kept = _data(ask, self.shape, month)
            is_same = (data, kept) == (self.data_gib, self.memory_hit_ratio)
            yield self if is_same else replace(self, data_gib=data, memory_hit_ratio=kept)

    @property
    def disk_reads(self) -> Demand:
        """Operations that read pages which are not in memory."""
        settings = self.settings
        scanned = settings.scan_ratio * postgres.SCAN_PAGES / postgres.READ_AHEAD_PAGES
        by_read = (1 - settings.scan_ratio) * settings.pages_per_read + scanned
        return self._missed(self.asked.write_count * settings.pages_per_write, self.asked.read_count * by_read)

    @property
    def disk_operations(self) -> Demand:
        """All operations on the disk: reads, pages flushed, and flushes of the log, which take all that wait."""
        reads, writes, flush_ms = self.disk_reads, self.asked.write_count, self.settings.commit_ms
        each = reads.each_units_per_request + writes * postgres.PAGES_FLUSHED_PER_WRITE
        if not flush_ms:
            return Demand(each + writes, reads.shared_units_per_request)
        return Demand(
            each,
            reads.shared_units_per_request,
            saving_units_per_request=writes,
            saving_units_per_s_max=1000 / flush_ms,
        )

    @property
    def disk_bytes(self) -> Demand:
        """Bytes that pass between an instance and its disk: the log, and whole pages."""
        settings, writes = self.settings, self.asked.write_count
        by_read = (1 - settings.scan_ratio) * settings.pages_per_read + settings.scan_ratio * postgres.SCAN_PAGES
        pages = self._missed(writes * settings.pages_per_write, self.asked.read_count * by_read)
        flushed = writes * postgres.PAGES_FLUSHED_PER_WRITE
        return Demand(
            (pages.each_units_per_request + flushed) * PAGE_BYTES + self.asked.wal_bytes,
            pages.shared_units_per_request * PAGE_BYTES,
        )

    @property
    def sent_bytes(self) -> Demand:
        """Bytes that an instance sends: what reads find, if a response holds what was read for it."""
        return Demand(shared_units_per_request=self.asked.result_bytes)

    def fullest(self, demand: Demand, requests_per_s: float, sharing: int | None = None) -> float:
        """Return what the instance is asked that is asked most: the primary, or a replica beside it.

        `sharing` is how many replicas share the reads; all of them if left out.
        """
        count = self.replica_count if sharing is None else sharing
        if not count:
            return demand.at(requests_per_s, 1.0)
        return max(demand.at(requests_per_s, 0.0), demand.at(requests_per_s, 1 / count))

    @property
    def cpu_s(self) -> Demand:
        """CPU time: replaying a write is taken to cost what it costs."""
        return Demand(self.asked.write_cpu_s / self.shape.speed, self.asked.read_cpu_s / self.shape.speed)

    def busy_ratio(self, requests_per_s: float) -> float:
        """Return how busy the CPU of the fullest instance is."""
        return self.fullest(self.cpu_s, requests_per_s) / self.shape.vcpu

    def _missed(self, each: float, shared: float) -> Demand:
        miss_ratio = 1 - self.memory_hit_ratio
        return Demand(each * miss_ratio, shared * miss_ratio)
