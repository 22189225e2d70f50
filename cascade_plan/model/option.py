"""One way to have an instance of a tier, as its kind lists it: a shape, an engine, a layout, with its count open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf
from typing import Any

from cascade_plan.model.ask import Ask
from cascade_plan.model.catalogue import Shape
from cascade_plan.model.offer import Offer
from cascade_plan.model.part import Need
from cascade_plan.model.tier import Settings


@dataclass(frozen=True, slots=True)
class Option:
    """A way to have an instance, whose count the search finds."""

    words: str
    """What it is, as a table names it: m7g.large."""
    at: Callable[[int, int], Settings]
    """Its settings with counts pinned: at the least load, and at the peak; where nothing scales both are one."""
    each: Offer | None = None
    """What one more of its count buys; None where it has no count."""
    each_count: int = 1
    """How many of that: a master with its copies."""
    beside: Offer | None = None
    """What it buys once, whatever its count."""
    count_min: int = 1
    """Fewer are never enough, whatever the rest of the fleet."""
    base_count_min: int = 1
    """Fewer at the peak are never enough, where an autoscaler moves the count."""
    count_max: int = 1
    """More are never tried."""
    is_scaled: bool = False
    """Whether an autoscaler moves the count: then what stands at the peak is found apart."""
    requests_per_s: float = inf
    """The most requests that one of its count answers; infinite where that is not what counts it."""
    unfit: str = ""
    """Why it is none at all, such as a pod that does not fit; "" where it is."""


def shapes(ask: Ask[Any], what: str, options: tuple[str, ...] = (), field: str = "shape") -> Iterator[Shape]:
    """Yield the shapes that the scenario lets an instance have, in the catalogue's order.

    A shape that is kept is that of its settings alone; the architecture that a need names is kept too.
    Raises as `Ask.shape` for a kept shape that there is not.
    """
    free = ask.scenario.optimize
    if free.keeps(f"tiers.{ask.name}.{field}"):
        yield ask.shape(what, options)
        return
    wanted = getattr(ask.settings, field)
    architecture = wanted.architecture if isinstance(wanted, Need) else "any"
    for shape in ask.cloud.catalogue().of(what):
        if free.admits(ask.name, shape) and (what != "vm" or architecture in ("any", shape.architecture)):
            yield shape


def choices(ask: Ask[Any], field: str, values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return what a setting may be: the values given, the scenario's own first; that alone where it is kept."""
    own = getattr(ask.settings, field)
    if ask.scenario.optimize.keeps(f"tiers.{ask.name}.{field}"):
        return (own,)
    return (own, *(value for value in values if value != own))
