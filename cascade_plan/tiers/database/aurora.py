"""Aurora PostgreSQL: one storage for all instances, I/O that is paid by the request, and capacity without instances.

Sources: https://aws.amazon.com/rds/aurora/faqs/, https://aws.amazon.com/rds/aurora/pricing/ (read 2026-11).
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Final

from cascade_plan.formulas import postgres
from cascade_plan.model.ask import Ask
from cascade_plan.model.catalogue import Shape
from cascade_plan.model.ceiling import Ceiling, Demand
from cascade_plan.model.derivation import Derivation, Finding, Input
from cascade_plan.model.fleet import Band, NodeGroup, Portion, Usage
from cascade_plan.model.offer import Offer
from cascade_plan.model.scenario import Losses
from cascade_plan.tiers.database.growth import held_gib
from cascade_plan.tiers.database.settings import Settings
from cascade_plan.tiers.database.work import Work
from cascade_plan.units import MILLION

ENGINE: Final = "aurora"
LOG_BYTES_PER_REQUEST: Final = 4096
"""A write is counted in 4 KB of its log, at least one; some that come together are batched, which is not counted on."""
STORAGE_GIB_LEAST: Final = 10
STORAGE_GIB_MOST: Final = 131_072
"""10 GB at least, 128 TiB at most."""
UNIT_GIB: Final = 2.0
"""Memory of a capacity unit, https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.html"""
UNIT_VCPU: Final = 0.25
"""vCPU of a unit: what an instance of a memory family has to 2 GiB (8 GiB a vCPU). AWS names none (assumption)."""
STEP: Final = 0.5
FAQ: Final = "https://aws.amazon.com/rds/aurora/faqs/"


def shape(ask: Ask[Settings]) -> Shape:
    """Return the shape of an instance: of a serverless one its capacity at most."""
    settings = ask.settings
    if not settings.serverless:
        return ask.shape("database", options(settings))
    low, high = settings.capacity_units_min, settings.capacity_units_max
    return Shape("database", f"{low:g} to {high:g} ACU", high * UNIT_VCPU, high * UNIT_GIB)


def options(settings: Settings) -> tuple[str, str]:
    """Return what decides the prices besides a shape."""
    return ENGINE, settings.io_mode


def offer(settings: Settings, chosen: Shape) -> Offer:
    """Return what an instance is, or of a serverless one its capacity."""
    if settings.serverless:
        return Offer("database_capacity", "", options(settings))
    return Offer("database", chosen.name, options(settings))


def least_replicas(asked: Losses) -> int:
    """Return the readers at least: one where a standby is asked for, as there is no other to fail over to."""
    return max(asked.replica_count, int(asked.has_standby))


def portions(ask: Ask[Settings], work: Work) -> tuple[Portion, ...]:
    """Return the capacity that is charged of each instance; nothing where instances have a price.

    All have what the busiest needs: readers that may take over are kept as large as the writer.
    https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.how-it-works.html#aurora-serverless-v2.how-it-works.scaling
    """
    if not ask.settings.serverless:
        return ()
    return (Portion("capacity", offer(ask.settings, work.shape), _capacity(ask, work), "acu_hour"),)


def _units(ask: Ask[Settings], work: Work, requests_per_s: float) -> float:
    """Return the capacity units at a rate of requests, in half units between the bounds."""
    settings = ask.settings
    busy_vcpu = work.shape.vcpu * work.busy_ratio(requests_per_s)
    wanted = ceil(busy_vcpu / UNIT_VCPU / settings.capacity_busy_ratio / STEP - 1e-9) * STEP
    return min(settings.capacity_units_max, max(settings.capacity_units_min, wanted))


def _capacity(ask: Ask[Settings], work: Work) -> Band:
    rates, users = ask.traffic.requests_per_s, ask.scenario.users.average
    band = rates.each(lambda rate: _units(ask, work, rate))
    average = ask.average(lambda connected: _units(ask, work, rates.average * connected / users))
    return Band(band.floor, average, band.peak, band.ceiling)


# --------------------------------------------------------------------------------------------------------------- bills


def usages(ask: Ask[Settings], work: Work, writer: NodeGroup) -> Iterator[Usage]:
    """Yield the storage, once for all instances and as large as the data, and of mode standard its requests."""
    called, settings = ask.name.replace("_", " "), ask.settings
    months = tuple(Band.constant(_stored_gib(ask, month)) for month in ask.months)
    yield Usage(
        ask.name,
        f"{called} storage",
        Offer("database_storage", "", options(settings)),
        Band.constant(_stored_gib(ask, ask.scenario.month)),
        "gib_month",
        group=writer.name,
        amount_monthly=months,
    )
    if settings.io_mode == "standard":
        yield Usage(
            ask.name,
            f"{called} I/O requests",
            Offer("database_requests", "", options(settings)),
            _requests(ask, work),
            "million_requests",
            group=writer.name,
            amount_monthly=tuple(_requests(ask, each) for each in work.of_year(ask)),
        )


def _requests(ask: Ask[Settings], work: Work) -> Band:
    """Return the millions of I/O requests of a month in which memory holds what `work` says of the data."""
    return ask.monthly(ask.traffic.requests_per_s).times(requests_per_request(work) / MILLION)


def _stored_gib(ask: Ask[Settings], month: int) -> float:
    """Return what is charged: the data in the mean of the month, as it is metered by the hour."""
    return max(STORAGE_GIB_LEAST, (held_gib(ask, month - 1) + held_gib(ask, month)) / 2)


def requests_per_request(work: Work) -> float:
    """Return the I/O requests of the storage by a request of a user: pages that are not in memory, and the log.

    Whichever instance reads a page, it is one request; a page that is changed is never written.
    """
    settings, asked, missed = work.settings, work.asked, 1 - work.memory_hit_ratio
    by_read = (1 - settings.scan_ratio) * settings.pages_per_read + settings.scan_ratio * postgres.SCAN_PAGES
    pages = asked.read_count * by_read + asked.write_count * settings.pages_per_write
    return pages * missed + max(asked.write_count, asked.wal_bytes / LOG_BYTES_PER_REQUEST)


# ------------------------------------------------------------------------------------------------- figures and limits


def figures(ask: Ask[Settings], work: Work) -> Iterator[Derivation]:
    """Yield what is stored, what is read and written of it, and the capacity that is charged."""
    yield ask.figure(
        "stored_gib",
        _stored_gib(ask, ask.scenario.month),
        "GiB",
        f"max({STORAGE_GIB_LEAST}, data_gib at first + growth_gib_per_month x (month - 1/2)), once for all instances",
        (*((ask.own("data_gib"),) if ask.settings.data_gib is not None else ()), ask.given("month")),
        FAQ,
    )
    rate = Input("requests/s on average", ask.traffic.requests_per_s.average, "computed")
    yield ask.figure(
        "io_requests_per_s_average",
        ask.traffic.requests_per_s.average * requests_per_request(work),
        "requests/s",
        f"pages not in memory, each one, + writes, each its log / {LOG_BYTES_PER_REQUEST} bytes and at least one",
        (rate, Input(f"{ask.name}.memory_hit_ratio", work.memory_hit_ratio, "computed"), ask.own("pages_per_read")),
        FAQ,
    )
    if ask.settings.serverless:
        capacity = _capacity(ask, work)
        for level in ("average", "peak"):
            yield ask.figure(
                f"capacity_unit_count.{level}",
                getattr(capacity, level),
                "ACU",
                f"busy vCPU of the fullest instance / {UNIT_VCPU:g} vCPU a unit / capacity_busy_ratio, in halves",
                (ask.own("capacity_units_min"), ask.own("capacity_units_max"), ask.own("capacity_busy_ratio")),
                "assumption: a quarter of a vCPU a unit; "
                "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.html",
            )


def ceilings(ask: Ask[Settings]) -> Iterator[Ceiling]:
    """Yield what the storage holds."""
    data = held_gib(ask, ask.scenario.month)
    yield Ceiling(
        f"{ask.name}.stored_gib", "storage", f"{ask.name} holds", "a cluster's storage holds", "GiB",
        Demand(flat_units=data), STORAGE_GIB_MOST, "share the data between databases",
        rests_on=ask.assumed(f"tiers.{ask.name}.data_gib"),
    )  # fmt: skip


def findings(ask: Ask[Settings], work: Work, replicas: int) -> Iterator[Finding]:
    """Yield a writer that nothing takes over from, and a capacity that is at its most."""
    where = f"tiers.{ask.name}"
    if not replicas and ask.scenario.availability.asked.has_standby:
        words = f"{ask.name} has no reader to fail over to: a writer that is lost is made anew, which takes minutes"
        yield Finding("warning", "aurora-without-reader", words, f"{where}.replicas", is_broken=True)
    if ask.settings.serverless:
        words = (
            f"the capacity of {ask.name} is counted by the CPU time of queries, memory_hit_ratio at its most: "
            "what it must hold in memory may keep it larger, set capacity_units_min to what you see"
        )
        yield Finding("info", "capacity-by-cpu", words, f"{where}.capacity_units_min")
        most = ask.settings.capacity_units_max
        per_s = ask.traffic.requests_per_s.ceiling
        if _units(ask, work, per_s) >= most > ask.settings.capacity_units_min:
            words = (
                f"at the peak {ask.name} is as large as it may be, {most:g} ACU: beyond, queries wait as of any "
                "instance of that size"
            )
            yield Finding("info", "capacity-at-most", words, f"{where}.capacity_units_max")
