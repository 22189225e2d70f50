"""How the data of a database grows, and its disk with it."""

from __future__ import annotations

from functools import lru_cache
from math import ceil
from typing import Final

from cascade_plan.formulas.draws import Draws
from cascade_plan.model.ask import Ask
from cascade_plan.tiers.database.settings import Settings
from cascade_plan.units import GIB, SECONDS_PER_MONTH

FULL: Final = 0.9
"""Storage grows by itself once less than a tenth of it is free, by a tenth or STEP_GIB, whichever is more:
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIOPS.Autoscaling.html"""
STEP_GIB: Final = 10


def growth_gib_per_month(ask: Ask[Settings]) -> float:
    """Return what requests add to a database in an average month."""
    return ask.traffic.database_growth_bytes_per_s[ask.name].average * SECONDS_PER_MONTH / GIB


def kept_months(ask: Ask[Settings], month: int) -> float:
    """Return how many months' rows, at the rate of the bill's month, are there at the end of a month."""
    kept = ask.settings.retention_months
    if ask.scenario.users.average_before is None:
        return month if kept is None else min(month, kept)
    return sum(ask.added(month)[-(kept or month) :])


def held_gib(ask: Ask[Settings], month: int) -> float:
    """Return the data at the end of a month: what there is at first, where it is given, and what was added and kept."""
    return (ask.settings.data_gib or 0.0) + growth_gib_per_month(ask) * (kept_months(ask, month) if month else 0.0)


def most_held_gib(ask: Ask[Settings], month: int) -> float:
    """Return the most data that there was at the end of any month so far: a disk that has grown never shrinks."""
    if ask.scenario.users.average_before is None or ask.settings.retention_months is None:
        return held_gib(ask, month)
    return max(held_gib(ask, each) for each in range(1, month + 1))


@lru_cache(maxsize=1024)
def grown_gib(storage_gib: int, data_gib: float) -> int:
    """Return the size of a disk that was of `storage_gib` and has grown as data filled it.

    >>> grown_gib(100, 90), grown_gib(100, 91), grown_gib(1000, 1000)
    (100, 110, 1210)
    """
    if isinstance(data_gib, Draws):
        return data_gib.least_above(lambda gib: gib + max(STEP_GIB, ceil(gib / 10)), storage_gib, FULL)
    gib = storage_gib
    while data_gib > FULL * gib:
        gib += max(STEP_GIB, ceil(gib / 10))
    return gib
