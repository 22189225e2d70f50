"""A way down: a cheaper way to run the same load, as data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from cascade_plan.model.catalogue import Shape
from cascade_plan.model.part import Need

PARTS: Final = {2: "half", 4: "a quarter"}
"""What a smaller instance is of the present one, by the divisor."""
HALF: Final = (2,)
"""The divisors where how full the present memory is is not known."""


class Way(NamedTuple):
    """A change of the scenario, what it gives up, and its title."""

    title: str
    """In which {shape} stands for the shape that `group` has after the change."""
    gives_up: str
    overrides: Mapping[str, Any]
    """Values by their dotted paths in the scenario; None takes one away, a mapping is a need."""
    group: str = ""
    """The group of nodes whose shape the title names; empty where it names none."""
    variant: str = ""
    """What it is one form of: of ways with the same one only the one that saves most is shown."""
    warns: frozenset[str] = frozenset()
    """Codes of warnings that say what it gives up; a way that raises any other is none."""


def smaller(shape: Shape, wanted: object, divisors: Iterable[int] = PARTS) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (divisor, need) of the smaller shapes worth trying; what else was wanted of the shape stays."""
    for divisor in divisors:
        if shape.vcpu % divisor == 0:
            need: dict[str, Any] = {"vcpu": shape.vcpu // divisor, "memory_gib": shape.memory_gib / divisor}
            if isinstance(wanted, Need):
                need |= wanted.model_dump(exclude_unset=True, include={"architecture", "burstable"})
            elif shape.architecture:
                # Of a shape that was named nobody said that another processor would do.
                need["architecture"] = shape.architecture
            if shape.burstable:
                need["burstable"] = True
            yield divisor, need
