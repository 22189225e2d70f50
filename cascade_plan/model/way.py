"""A way down: a cheaper way to run the same load, as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Way(NamedTuple):
    """A change of the scenario, what it gives up, and its title."""

    title: str
    """In which {shape} stands for the shape that `group` has after the change."""
    gives_up: str
    overrides: Mapping[str, Any]
    """Values by their dotted paths in the scenario; a mapping is a need, which a need already meets."""
    group: str = ""
    """The group of nodes whose shape the title names; empty where it names none."""
