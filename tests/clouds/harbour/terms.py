"""How the cloud lets instances be paid: on demand, or by a reservation for a year."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from cascade_plan.model.terms import checked

SOLD: Final = {"vm": ("on_demand", "reserved_1y_no_upfront"), "database": ("on_demand",), "cache": ()}


def terms(what: str) -> tuple[str, ...]:
    """Return the terms that vm, database or cache are sold by, on_demand first."""
    return SOLD[what]


def payable(what: str, given: object) -> object:
    """Return a term or shares of terms as given. Raises ValueError for one that is not sold."""
    return checked(given, SOLD[what], lambda name: f"harbour sells no {what} by {name}")


def unfit(what: str, engine: str, shape: str, terms: Collection[str]) -> str:
    """Return "": what is sold by a term is sold by it for every engine and shape."""
    return ""
