"""The figures of what a database holds in memory, and of what its fullest instance is asked."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from cascade_plan.formulas import postgres
from cascade_plan.formulas.accumulation import MONTHS_PER_YEAR
from cascade_plan.model.ask import Ask
from cascade_plan.model.derivation import Derivation, Input
from cascade_plan.model.traffic import busiest_requests_per_s
from cascade_plan.tiers.database.disk import Disk, Disks
from cascade_plan.tiers.database.growth import growth_gib_per_month
from cascade_plan.tiers.database.settings import STORAGE_GIB_MOST, Settings
from cascade_plan.tiers.database.work import MONTHS_KEPT, Work, pages_gib

MODEL = 'docs/model.md, "What a database and a cache can do"'
FULLEST = "of the fullest instance"
GROWS = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIOPS.Autoscaling.html"


def figures(ask: Ask[Settings], work: Work, held: Disks | None) -> Iterator[Derivation]:
    """Yield the size of the data, what of it is in memory, and what disk, log and network are asked.

    `held` is the disk of each instance; None where its storage is no disk of its own.
    """
    yield _data(ask, work)
    yield _hit_ratio(ask, work)
    if held is not None:
        yield from _disk(ask, work, held.now)
        yield from _bought(ask, held.now, held.year[-1])
    rate, per_s = _rate(ask), busiest_requests_per_s(ask.scenario, ask.traffic)
    yield ask.figure(
        "wal_bytes_per_s_peak",
        per_s * work.asked.wal_bytes,
        "bytes/s",
        f"requests/s x stored bytes x {postgres.WAL_BYTES_PER_ROW_BYTE} bytes of log for each",
        (rate, Input("stored bytes a request", work.asked.row_bytes, "computed: database_bytes of the mix")),
        "measured on PostgreSQL 15: a row with a key and two indexes, page images included",
    )
    yield ask.figure(
        "network_bytes_per_s_peak",
        work.fullest(work.sent_bytes, per_s),
        "bytes/s",
        f"{FULLEST}: response_bytes of what no cache answered, if a response holds what was read for it",
        (rate, _sustained(work, "network, bytes/s", work.shape.network_bytes_per_s)),
        MODEL,
    )
    if work.shape.burstable:
        yield _busy(ask, work)


def _data(ask: Ask[Settings], work: Work) -> Derivation:
    if ask.settings.data_gib is not None:
        formula = "data_gib + growth since the first month"
        inputs = (ask.own("data_gib"), ask.given("month"), *_kept(ask))
        return ask.figure("data_gib", work.data_gib, "GiB", formula, inputs)
    growth = Input(f"{ask.name}.growth_gib_per_month", growth_gib_per_month(ask), "computed")
    months = min(MONTHS_KEPT, ask.settings.retention_months or MONTHS_KEPT)
    return ask.figure(
        "data_gib",
        work.data_gib,
        "GiB",
        f"{months} months of growth"
        if ask.settings.engine == "aurora"
        else f"min({months} months of growth, {ask.name}.storage_gib)",
        (growth, *_kept(ask)) if ask.settings.engine == "aurora" else (growth, ask.own("storage_gib"), *_kept(ask)),
        "assumption",
        f"tiers.{ask.name}.data_gib is not given",
    )


def _kept(ask: Ask[Settings]) -> tuple[Input, ...]:
    """Return for how long rows are kept, where not for ever."""
    return () if ask.settings.retention_months is None else (ask.own("retention_months"),)


def _hit_ratio(ask: Ask[Settings], work: Work) -> Derivation:
    shape = work.shape
    memory = Input(f"memory for pages of {shape.name}, GiB", round(pages_gib(shape.program_gib), 2), "computed")
    return ask.figure(
        "memory_hit_ratio",
        work.memory_hit_ratio,
        "of all pages asked for",
        "1 where all data fits; else what stays of it when the least recently used is given up (Che's approximation)",
        (memory, Input(f"{ask.name}.data_gib", work.data_gib, "computed"), ask.own("hot_data_ratio")),
        f"{MODEL}; three quarters of what the provider leaves of the memory hold pages (PGTune)",
    )


def _disk(ask: Ask[Settings], work: Work, now: Disk) -> Iterator[Derivation]:
    rate, per_s = _rate(ask), busiest_requests_per_s(ask.scenario, ask.traffic)
    missed = Input(f"{ask.name}.memory_hit_ratio", work.memory_hit_ratio, "computed")
    writes = Input(f"{ask.name}.writes_per_s_peak", per_s * work.asked.write_count, "computed")
    shape = work.shape
    yield ask.figure(
        "disk_read_operations_per_s_peak",
        work.fullest(work.disk_reads, per_s),
        "IOPS",
        f"{FULLEST}: (its reads/s x pages_per_read + writes/s x pages_per_write) x (1 - memory_hit_ratio)",
        (rate, missed, ask.own("pages_per_read"), ask.own("pages_per_write")),
        MODEL,
    )
    yield ask.figure(
        "disk_operations_per_s_peak",
        work.fullest(work.disk_operations, per_s),
        "IOPS",
        f"{FULLEST}: reads + min(writes, 1000 / commit_ms) flushes + {postgres.PAGES_FLUSHED_PER_WRITE} pages x "
        "writes, all of which a replica replays",
        (
            rate,
            writes,
            ask.own("commit_ms"),
            *_storage(ask, now, 0),
            _sustained(work, "disk, IOPS", shape.disk_operations_per_s),
        ),
        "group commit and pages measured on PostgreSQL 15",
    )
    yield ask.figure(
        "disk_bytes_per_s_peak",
        work.fullest(work.disk_bytes, per_s),
        "bytes/s",
        f"{FULLEST}: log + {postgres.PAGE_BYTES} bytes x (pages read + pages flushed)",
        (
            rate,
            writes,
            missed,
            *_storage(ask, now, 1),
            _sustained(work, "disk, bytes/s", shape.disk_bytes_per_s),
        ),
        MODEL,
    )


def _bought(ask: Ask[Settings], now: Disk, later: Disk) -> Iterator[Derivation]:
    """Yield the disk of each instance: its size in the month of the bill and in month 12, and what it does then."""
    added = Input("GiB added a month", growth_gib_per_month(ask), "computed")
    sizes = (ask.own("storage_gib"), ask.given("month"), added, *_kept(ask))
    grows = "storage_gib, a tenth more each time less than a tenth is free; or the size that does what it is asked"
    yield ask.figure("storage_gib", now.gib, "GiB", grows, sizes, GROWS if ask.cloud.database_storage() else "")
    yield ask.figure(
        "storage_gib_month_12", later.gib, "GiB", f"the same in month {MONTHS_PER_YEAR}", (sizes[0], added, *_kept(ask))
    )
    grown = min(STORAGE_GIB_MOST, max(later.gib, now.gib + now.gib // 4 + 1))
    may = f"storage_gib_month_12, at least a quarter more than storage_gib, at most {STORAGE_GIB_MOST:,}"
    yield ask.figure("storage_gib_max", grown, "GiB", may, (sizes[0], added, *_kept(ask)))
    if now.operations_per_s == inf:
        return
    does = "what its size includes, or what it is asked at the busiest and the instance can use"
    for leaf, most, unit, own, at in (
        ("disk_operations_per_s_max", now.operations_per_s, "IOPS", "provisioned_operations_per_s", 0),
        ("disk_bytes_per_s_max", now.bytes_per_s, "bytes/s", "provisioned_mib_per_s", 1),
    ):
        given = (ask.own(own),) if getattr(ask.settings, own) is not None else ()
        yield ask.figure(leaf, most, unit, does, (*given, *_storage(ask, now, at)))


def _busy(ask: Ask[Settings], work: Work) -> Derivation:
    per_s = ask.traffic.requests_per_s.average
    return ask.figure(
        "busy_ratio_average",
        work.busy_ratio(per_s),
        "of 1",
        f"{FULLEST}, over the day: its queries/s x their CPU time / its vCPU",
        (
            Input("requests/s on average", per_s, "computed"),
            _sustained(work, "share of the vCPU that credits are earned for", work.shape.cpu_baseline_ratio),
        ),
        "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/burstable-credits-baseline-concepts.html",
    )


def _rate(ask: Ask[Settings]) -> Input:
    per_s = busiest_requests_per_s(ask.scenario, ask.traffic)
    return Input("requests/s of the busier of the day's peak and the named loads", per_s, "computed")


def _storage(ask: Ask[Settings], size: Disk, at: int) -> tuple[Input, ...]:
    storage = ask.cloud.database_storage()
    if storage is None:
        return ()
    gib = size.gib
    return (Input(f"{gib:,} GiB of {storage.called}, {('IOPS', 'bytes/s')[at]}", storage.of(gib)[at], storage.source),)


def _sustained(work: Work, what: str, most: float | None) -> Input:
    return Input(f"{work.shape.name}: {what}", "not known" if most is None else most, "catalogue: all the time")
