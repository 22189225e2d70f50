"""One process that enters one write after the other."""

from __future__ import annotations

from cascade_plan.formulas.percentiles import ServiceTime
from cascade_plan.model.ask import Ask, Site
from cascade_plan.model.fleet import Sized
from cascade_plan.model.place import Place, Scale, Visit, trip_time
from cascade_plan.model.scenario import Action

from .settings import Settings

AFTER: tuple[str, ...] = ("database",)


def size(ask: Ask[Settings]) -> Sized:
    """Return that it needs nothing of its own."""
    return Sized(ask.name, "audit")


def places(site: Site[Settings], scale: Scale, before: tuple[Place, ...]) -> tuple[Place, ...]:
    """Return the log, which each write visits once."""
    settings, scenario = site.settings, site.scenario
    entry = ServiceTime(settings.entry_ms / 1000, settings.service_scv)

    def visits(action: Action) -> tuple[Visit, ...]:
        writes = sum(scenario.writes(action, database) for database in scenario.of("database"))
        return (Visit(writes, 1.0, entry, 1, trip_time(settings.round_trip_ms, 0.0)),)

    return (Place(site.name, site.name, 1, 1, True, visits),)
