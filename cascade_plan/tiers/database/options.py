"""The ways to have a database: engine and I/O mode, instance type, and how many read replicas."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from cascade_plan.model.ask import Ask
from cascade_plan.model.offer import Offer
from cascade_plan.model.option import Option, choices, shapes
from cascade_plan.tiers.database import aurora
from cascade_plan.tiers.database.settings import OF_AURORA, OF_CAPACITY, OF_DISKS, Settings
from cascade_plan.tiers.database.sizing import ENGINE, REPLICA_LIMIT

GIVES_UP: Final[Mapping[tuple[str, Any], str]] = {
    ("engine", "aurora"): "PostgreSQL as it is released: versions, extensions and failover are Aurora's",
    ("engine", "postgres"): "storage that grows by itself in three zones, and readers that take over in seconds",
    ("replicas", 0): "replicas for reports and for reads: the primary answers them",
}
"""Setting and its new value -> what stood for the old one."""


def options(ask: Ask[Settings]) -> Iterator[Option]:
    """Yield each instance type of each engine, with the replicas open; as it is where it has no instances."""
    if ask.settings.serverless:
        yield Option("as it is", _replicas(ask.settings), each=None, count_max=REPLICA_LIMIT + 1)
        return
    for settings, sold, words in _engines(ask):
        for shape in shapes(ask, "database", sold):
            update = {"shape": shape.name, "minimum_replicas": None}
            yield _of(ask, settings.model_copy(update=update), sold, f"{shape.name}{words}", shape.name)


def _engines(ask: Ask[Settings]) -> Iterator[tuple[Settings, tuple[str, str], str]]:
    """Yield the settings of each engine and I/O mode, what decides its prices, and its words."""
    zones = "multi_zone" if ask.scenario.availability.asked.has_standby else "single_zone"
    for engine in choices(ask, "engine", (ENGINE, aurora.ENGINE)):
        changed = ask.settings if engine == ask.settings.engine else _as(ask.settings, engine)
        if engine == ENGINE:
            yield changed, (ENGINE, zones), ""
            continue
        for mode in choices(ask, "io_mode", ("standard", "io_optimized")):
            moded = changed.model_copy(update={"io_mode": mode})
            yield moded, aurora.options(moded), " Aurora" if mode == "standard" else " Aurora I/O-optimized"


def _as(settings: Settings, engine: str) -> Settings:
    """Return the settings of another engine, without what only the present one says."""
    plain, owned = type(settings)(), OF_DISKS if engine == aurora.ENGINE else OF_AURORA | OF_CAPACITY
    reset = {name: getattr(plain, name) for name in settings.said(owned)}
    return settings.model_copy(update={**reset, "engine": engine})


def _of(ask: Ask[Settings], settings: Settings, sold: tuple[str, str], words: str, name: str) -> Option:
    single = Offer("database", name, sold if settings.engine == aurora.ENGINE else (ENGINE, "single_zone"))
    kept = ask.settings.replicas is not None and ask.scenario.optimize.keeps(f"tiers.{ask.name}.replicas")
    if kept:
        return Option(words, lambda low, base: settings, beside=Offer("database", name, sold))
    least = 0
    if settings.engine == aurora.ENGINE:
        least = aurora.least_replicas(ask.scenario.availability.asked)
    return Option(
        words,
        _replicas(settings),
        each=single,
        beside=Offer("database", name, sold),
        # One replica is no help where a zone is lost; the counts that cost for nothing are struck by what they cost.
        count_min=least,
        count_max=REPLICA_LIMIT,
    )


def _replicas(settings: Settings) -> Callable[[int, int], Settings]:
    return lambda low, base: settings.model_copy(update={"replicas": base})
