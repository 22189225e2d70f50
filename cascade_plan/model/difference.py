"""What differs between two plans."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

Value = int | float | Decimal | str | None


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure, shape or line of the bill that differs; None where one plan has none."""

    kind: str
    """figure, shape, item or verdict."""
    name: str
    unit: str
    value_before: Value
    value_after: Value


@dataclass(frozen=True, slots=True)
class Differences:
    """The names of two plans, with what differs between them in order of kind and name."""

    before: str
    after: str
    found: tuple[Difference, ...]
    note: str = ""
    """What a reader must know before comparing amounts."""
