"""Scenarios of month after month -> the shapes that each needs: one that no count relieves becomes a larger one.

The rules never let a primary grow, and neither method changes a shape that the scenario names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, cast

from cascade_plan import registry
from cascade_plan.errors import InfeasibleError, OutgrownError
from cascade_plan.model.cloud import Cloud
from cascade_plan.model.price import Book
from cascade_plan.model.scenario import Scenario, with_values
from cascade_plan.planning.enlarging import enlarged, fitting, shortage
from cascade_plan.planning.sizing import Brief
from cascade_plan.planning.traffic import traffic_of

SHAPES_MOST: Final = 100
"""Shapes that tiers may grow through in one forecast."""


@dataclass(frozen=True, slots=True)
class Grown:
    """A tier that gets another shape in a month."""

    index: int
    """The month's, 0 the first."""
    tier: str
    shape: str
    reason: str
    """What the shape before does not do."""


@dataclass(frozen=True, slots=True)
class Shapes:
    """What becomes of shapes over some months."""

    grown: tuple[Grown, ...]
    """In the order of the months."""
    stuck: tuple[int, str] | None = None
    """The first month in which no shape would do, 0 the first, and why; None where there is none."""

    def at(self, index: int) -> dict[str, str]:
        """Return what to set of a month's scenario: dotted path -> shape."""
        return {f"tiers.{each.tier}.shape": each.shape for each in self.grown if each.index <= index}


def shapes(scenarios: Sequence[Scenario], book: Book, origins: Mapping[str, str], days: Sequence[date]) -> Shapes:
    """Return which tiers get which shape in which month, so that counts alone keep every load's limits.

    It is the judgement of the method slo, whichever method counts. A shape that has grown stays. Months are looked at
    by halves: as more users and more data never ask for less, what is enough for the most of both in some months is
    enough in each.
    """
    looking = _Looking(scenarios, book, origins, days)
    grown: list[Grown] = []
    index = 0
    while len(grown) < SHAPES_MOST:
        now = Shapes(tuple(grown))
        try:
            found = looking.first(index, len(scenarios) - 1, now.at(index))
        except _StuckError as stuck:
            return Shapes(tuple(grown), (stuck.index, str(stuck)))
        if not found:
            break
        grown += found
        index = found[0].index
    return Shapes(tuple(grown))


class _StuckError(Exception):
    def __init__(self, index: int, reason: str) -> None:
        super().__init__(reason)
        self.index = index


@dataclass(frozen=True, slots=True)
class _Looking:
    scenarios: Sequence[Scenario]
    book: Book
    origins: Mapping[str, str]
    days: Sequence[date]

    def first(self, low: int, high: int, set_: Mapping[str, str], is_known: bool = False) -> list[Grown]:
        """Return what grows in the first month from `low` to `high` in which anything does; nothing where none.

        `is_known` says that the most of them all is known to outgrow something.
        """
        if low == high:
            try:
                return self._outgrown(low, self.scenarios[low], set_)
            except InfeasibleError as error:
                raise _StuckError(low, str(error)) from None
        if not (is_known or self._may(low, high, set_)):
            return []
        middle = (low + high) // 2
        if found := self.first(low, middle, set_):
            return found
        # Where the later half has the most users of all it is asked what all were.
        is_asked = self._most(middle + 1, high) >= self._most(low, middle)
        return self.first(middle + 1, high, set_, is_asked)

    def _most(self, low: int, high: int) -> int:
        return max(each.users.peak for each in self.scenarios[low : high + 1])

    def _may(self, low: int, high: int, set_: Mapping[str, str]) -> bool:
        """Return whether the most users of some months with the data of their last outgrow anything."""
        most = max(self.scenarios[low : high + 1], key=lambda each: each.users.peak).users
        scenario = self.scenarios[high].with_users(most.peak, most.average)
        try:
            sizes = fitting(self._brief(high, scenario, set_))
            short = shortage(sizes) if any(lever.is_searched for lever in sizes.fleet.levers) else None
            if short is None or not short.is_latency:
                return short is not None
            return bool(self._outgrown(high, scenario, set_))
        except InfeasibleError:
            return True

    def _brief(self, index: int, scenario: Scenario, set_: Mapping[str, str]) -> Brief:
        searched = with_values(scenario, set_).model_copy(update={"method": "slo"})
        cloud = cast(Cloud, registry.load("clouds", scenario.cloud, "cloud"))
        return Brief(searched, traffic_of(searched), cloud, self.book, self.origins, self.days[index], is_whole=False)

    def _outgrown(self, index: int, scenario: Scenario, set_: Mapping[str, str]) -> list[Grown]:
        try:
            sizes = enlarged(self._brief(index, scenario, set_))
        except OutgrownError as error:
            return [Grown(index, error.tier, error.shape, error.reason)]
        reason = "the smaller one is too small for what no count helps"
        return [Grown(index, tier, sizes.shape(tier), reason) for tier in sizes.brief.passed]
