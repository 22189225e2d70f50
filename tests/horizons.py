"""Months to buy for: a scenario planned for users that grow, the primary with its next size where it is full."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache

from cascade_plan.choosing.pools import Calendar, later
from cascade_plan.inputs.scenarios import read
from cascade_plan.model.plan import Plan
from cascade_plan.model.price import Book
from cascade_plan.model.scenario import Scenario
from cascade_plan.planning.pipeline import plan

START = date(2027, 1, 1)
PRIMARIES: Mapping[int, str] = {
    53_720: "db.r5.xlarge", 108_394: "db.r6g.2xlarge", 10**12: "db.r6g.4xlarge",
}  # fmt: skip
"""The most users that `cascade` has with a primary by the method slo -> the primary: its family changes on the way."""


@dataclass(frozen=True, slots=True)
class Month:
    """A month of the horizon."""

    start: date
    hours: int
    plan: Plan


def scenario(name: str = "cascade") -> Scenario:
    """Return a bundled scenario."""
    return read(name).scenario


def book(name: str = "cascade") -> Book:
    """Return the prices of its region."""
    return read(name).book


def users(growth_percent: float, month: int, first: int = 10_000) -> int:
    """Return the users at peak of a month, the first one being 0."""
    return max(1, round(first * (1 + growth_percent / 100) ** month))


@cache
def planned(peak: int) -> Plan:
    """Return `cascade` planned for so many users, its primary as large as they need."""
    given = scenario().with_users(peak, max(1, peak * 3 // 10))
    shape = next(shape for most, shape in PRIMARIES.items() if peak <= most)
    tiers = {**given.tiers, "database": given.tiers["database"].model_copy(update={"shape": shape})}
    return plan(given.model_copy(update={"tiers": tiers}), book(), predicted=False, with_margins=False)


def months(growth_percent: float, count: int = 36, first: int = 10_000, start: date = START) -> list[Month]:
    """Return `cascade` over so many months of the calendar."""
    peaks = [users(growth_percent, month, first) for month in range(count)]
    return [*of_plans([planned(peak) for peak in peaks], start)]


def of_plans(plans: list[Plan], start: date = START) -> Iterator[Month]:
    """Yield a month for each plan, from a day on."""
    days = [later(start, month + 1) - later(start, month) for month in range(len(plans))]
    for month, each in enumerate(plans):
        yield Month(later(start, month), days[month].days * 24, each)


def calendar(found: list[Month]) -> Calendar:
    """Return the calendar of some months."""
    return Calendar(found[0].start, tuple(month.hours for month in found))
