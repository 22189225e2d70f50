"""Where a figure comes from: formula, inputs with their origin, source."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Input:
    """A value that went into a figure, and where it was given."""

    name: str
    """The scenario's dotted path, another figure's name, or words."""
    value: int | float | Decimal | bool | str
    origin: str
    """file:line, --set, "built-in default (kind): source", a price row, or "computed"."""


@dataclass(frozen=True, slots=True)
class Derivation:
    """A figure of a plan with its provenance."""

    figure: str
    """The dotted name the figure has everywhere."""
    value: int | float | Decimal
    """Counts are int, physics is float, money is Decimal."""
    unit: str
    formula: str
    inputs: tuple[Input, ...] = ()
    source: str = ""
    note: str = ""
    """What a reader should know: where the plan as written differs, what was pinned."""
    interval: tuple[float, float] | None = None
    """Between what it lies, where one number would say more than is known."""
    is_given: bool = False
    """Whether it is a value of the scenario that no plan can judge: only the running system tells it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something the user should know: a contradiction, an assumption that decides, a figure near its limit."""

    severity: str
    """warning (it will hurt) or info (know it)."""
    code: str
    message: str
    where: str
    """The scenario path or figure it is about."""
    cost_usd_per_month: Decimal | None = None
    """What of a month's bill it is about, at the average, where that is known."""
    is_broken: bool = False
    """Whether the fleet cannot do what it is asked: to be read before anything that costs."""
    rests_on: tuple[str, ...] = ()
    """Dotted paths of assumptions that decide it: it may be otherwise once they are measured."""

    @property
    def words(self) -> str:
        """The message, and the assumptions that it rests on.

        >>> Finding("info", "near", "it is near", "a", rests_on=("tiers.a.b", "tiers.a.c")).words
        'it is near (rests on tiers.a.b and tiers.a.c, assumptions)'
        """
        if not self.rests_on:
            return self.message
        *first, last = self.rests_on
        named = f"{', '.join(first)} and {last}, assumptions" if first else f"{last}, an assumption"
        return f"{self.message} (rests on {named})"
