"""An object store: what accumulates there, and the requests that write and read it."""

from __future__ import annotations

from cascade_plan.model.ask import Ask
from cascade_plan.model.derivation import Derivation, Finding
from cascade_plan.model.fleet import Band, Sized, Usage
from cascade_plan.model.offer import Offer
from cascade_plan.tiers.objects.settings import Settings
from cascade_plan.units import GIB, MILLION, SECONDS_PER_MONTH

AFTER: tuple[str, ...] = ()
STORAGE, INFREQUENT = Offer("object_storage"), Offer("object_storage", options=("infrequent",))
STORAGE_SOURCE = "https://aws.amazon.com/s3/pricing/: storage is metered by the hour, so in the mean of the month"
NOT_EMITTED = "the bucket and its lifecycle are made by hand"


def size(ask: Ask[Settings]) -> Sized:
    """Return what is stored in the month of the bill, and the requests of that month."""
    settings = ask.settings
    stored, kept = _stored(ask, ask.scenario.month)
    year = [_stored(ask, month) for month in ask.months]
    usages = [
        _metered(ask, "stored objects", STORAGE, stored, "gib_month", tuple(band for band, _ in year)),
        _metered(ask, "object writes", Offer("object_writes"), _writes(ask), "million_requests"),
    ]
    if settings.infrequent_after_months is not None:
        rare = _metered(
            ask, "stored objects, infrequent access", INFREQUENT, kept, "gib_month", tuple(b for _, b in year)
        )
        usages.insert(1, rare)
    if settings.read_count_per_write:
        reads = _count_per_month(ask).times(settings.read_count_per_write / MILLION)
        usages.append(_metered(ask, "object reads", Offer("object_reads"), reads, "million_requests"))
    return Sized(
        ask.name,
        "objects",
        usages=tuple(usages),
        figures=_figures(ask, stored.plus(kept)),
        findings=_findings(ask),
        not_priced=_not_priced(ask),
        not_emitted=tuple(f"{usage.name}: {NOT_EMITTED}" for usage in usages),
    )


def _metered(
    ask: Ask[Settings], name: str, offer: Offer, amount: Band, unit: str, monthly: tuple[Band, ...] = ()
) -> Usage:
    return Usage(ask.name, name, offer, amount, unit, amount_monthly=monthly)


def _added(ask: Ask[Settings]) -> Band:
    """Return the GiB that are added in an average month."""
    return ask.traffic.object_growth_bytes_per_s.times(SECONDS_PER_MONTH / GIB)


def _stored(ask: Ask[Settings], month: int) -> tuple[Band, Band]:
    """Return the GiB stored in the mean of a month: at hand, and for infrequent access."""
    settings, added = ask.settings, _added(ask)
    moved, deleted = settings.infrequent_after_months, settings.deleted_after_months
    until = min((months for months in (moved, deleted) if months is not None), default=None)
    at_hand = ask.held(month, until)
    first = Band.constant(settings.stored_gib)
    return added.times(at_hand).plus(first), added.times(ask.held(month, deleted) - at_hand)


def _count_per_month(ask: Ask[Settings]) -> Band:
    """Return the objects that are written in a month."""
    share = sum(share for share, action in ask.scenario.behaviour.mix if action.object_bytes)
    return ask.monthly(ask.traffic.requests_per_s.times(share))


def _writes(ask: Ask[Settings]) -> Band:
    return _count_per_month(ask).times(ask.settings.requests_per_write / MILLION)


def _figures(ask: Ask[Settings], stored: Band) -> tuple[Derivation, ...]:
    users = (ask.given("users.average"), ask.given("users.active_share"))
    lifecycle = tuple(
        ask.own(leaf)
        for leaf in ("infrequent_after_months", "deleted_after_months")
        if getattr(ask.settings, leaf) is not None
    )
    return (
        ask.figure(
            "added_gib_per_month",
            _added(ask).average,
            "GiB/month",
            "mean requests/s x object_bytes of the action mix x 730 h",
            users,
        ),
        ask.figure(
            "read_gib_per_month",
            _added(ask).times(ask.settings.read_count_per_write).average,
            "GiB/month",
            f"{ask.name}.added_gib_per_month x read_count_per_write",
            (ask.own("read_count_per_write"),),
        ),
        ask.figure(
            "stored_gib",
            stored.average,
            "GiB",
            "stored_gib + what was added and not deleted, in the mean of the month",
            (ask.given("month"), ask.own("stored_gib"), *lifecycle),
            STORAGE_SOURCE,
        ),
    )


def _findings(ask: Ask[Settings]) -> tuple[Finding, ...]:
    if not ask.traffic.object_growth_bytes_per_s.peak and not ask.settings.stored_gib:
        message = f"nothing is stored in {ask.name}: give an action `object_bytes`, or turn it off"
        return (Finding("warning", "objects-unused", message, f"tiers.{ask.name}"),)
    return ()


def _not_priced(ask: Ask[Settings]) -> tuple[str, ...]:
    if ask.settings.infrequent_after_months is None:
        return ()
    return ("requests that move objects to infrequent access, and what is read there by the GiB",)
