"""How long the queries of a database take: the laws of a read, of a write and of its commit."""

from __future__ import annotations

from cascade_plan.formulas.percentiles import ServiceTime
from cascade_plan.formulas.transforms import mixed
from cascade_plan.model.scenario import Scenario
from cascade_plan.tiers.database.settings import Settings


def read_time(settings: Settings, speed: float, read_ms: float | None = None) -> ServiceTime:
    """Return the law of a read, of an action's own time where it has one: some scan, the others find an index.

    `speed` is that of a vCPU over those that the times were measured on.
    """
    parse_s, own_ms = _parse_s(settings), settings.read_ms if read_ms is None else read_ms
    laws = ((1 - settings.scan_ratio, own_ms), (settings.scan_ratio, settings.scan_ms))
    return ServiceTime(*mixed([(share, (ms / 1000 + parse_s) / speed, settings.service_scv) for share, ms in laws]))


def write_time(settings: Settings, speed: float, write_ms: float | None = None) -> ServiceTime:
    """Return the law of a write, of an action's own time where it has one; its commit apart."""
    own_ms = settings.write_ms if write_ms is None else write_ms
    return ServiceTime((own_ms / 1000 + _parse_s(settings)) / speed, settings.service_scv)


def commit_time(scenario: Scenario, settings: Settings) -> ServiceTime | None:
    """Return the law of a commit: it reaches the disk, and that of a standby in another zone where there is one.

    Aurora's storage is in three zones, and waits for two of them always.
    """
    is_elsewhere = scenario.availability.asked.has_standby or settings.engine == "aurora"
    standby_ms = settings.standby_commit_ms if is_elsewhere else 0.0
    total_ms = settings.commit_ms + standby_ms
    return ServiceTime(total_ms / 1000, settings.commit_scv) if total_ms else None


def _parse_s(settings: Settings) -> float:
    return 0.0 if settings.prepared_statements else settings.parse_ms / 1000
