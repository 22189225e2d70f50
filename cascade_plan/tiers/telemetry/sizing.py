"""Telemetry that the cloud keeps: logs, custom metrics, alarms."""

from __future__ import annotations

from cascade_plan.model.ask import Ask
from cascade_plan.model.fleet import Band, Sized, Usage
from cascade_plan.model.offer import Offer
from cascade_plan.tiers.telemetry.settings import Settings
from cascade_plan.units import DAYS_PER_MONTH, GIB, SECONDS_PER_MONTH

AFTER: tuple[str, ...] = ()
NOT_EMITTED = "log groups and alarms are made by hand"


def size(ask: Ask[Settings]) -> Sized:
    """Return what is written to the logs, what of them is kept, and the metrics and alarms."""
    settings = ask.settings
    written = ask.monthly(ask.traffic.requests_per_s).times(settings.log_bytes_per_request / GIB)
    added = ask.traffic.requests_per_s.times(settings.log_bytes_per_request * SECONDS_PER_MONTH / GIB)
    kept_months = settings.log_retention_days / DAYS_PER_MONTH

    def stored(month: int) -> Band:
        return added.times(settings.stored_ratio * ask.held(month, kept_months))

    year = tuple(stored(month) for month in ask.months)
    now = stored(ask.scenario.month)
    usages = [
        Usage(ask.name, "logs written", Offer("log_traffic"), written, "gib"),
        Usage(ask.name, "logs stored", Offer("log_storage"), now, "gib_month", amount_monthly=year),
        *(
            Usage(ask.name, f"{what}s", Offer(what), Band.constant(count), f"{what}_month")
            for what, count in (("metric", settings.metric_count), ("alarm", settings.alarm_count))
            if count
        ),
    ]
    return Sized(
        ask.name,
        "telemetry",
        usages=tuple(usages),
        figures=(
            ask.figure(
                "log_gib_per_month",
                written.average,
                "GiB/month",
                f"mean requests/s x log_bytes_per_request x {ask.hours} h",
                (ask.given("users.average"), ask.given("users.active_share"), ask.own("log_bytes_per_request")),
            ),
        ),
        not_emitted=tuple(f"{usage.name}: {NOT_EMITTED}" for usage in usages),
    )
