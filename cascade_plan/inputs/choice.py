"""The scenario a command works on, from its flags, the environment or the project file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from cascade_plan.errors import UsageError
from cascade_plan.inputs.project import KEYS, project
from cascade_plan.inputs.scenarios import Assignment, Given, environments_of, read

FIELDS: Final = (("peak", "users.peak"), ("avg", "users.average"), ("region", "region"), ("method", "method"))
"""Flags that are short for a --set."""
DEFAULT_SCENARIO: Final = "cascade"


@dataclass(frozen=True, slots=True)
class Choice:
    """The scenario a command works on, as flags, environment and project file give it."""

    scenario: str
    assignments: tuple[Assignment, ...]
    prices: str | None
    price_cache: bool
    as_of: date | None
    env: str | None
    """The environment of the file; None where none is chosen."""

    def read(self, reference: str | None = None) -> Given:
        """Return the chosen scenario, or another one with the same overrides, with its prices."""
        return read(reference or self.scenario, self.assignments, self.prices, self.price_cache, self.env)

    def environments(self) -> tuple[Choice, ...]:
        """Return a choice for each environment of the file; this one alone where one is chosen, or there are none."""
        names = () if self.env is not None else environments_of(self.scenario)
        return tuple(replace(self, env=name) for name in names) or (self,)

    def unchanged(self) -> Choice:
        """Return this choice without what flags change of a scenario and its prices."""
        kept = tuple(each for each in self.assignments if not each[0].startswith("--"))
        return replace(self, assignments=kept, prices=None)

    @property
    def changes(self) -> tuple[str, ...]:
        """The flags that change a scenario or its prices, as typed."""
        flags = tuple(each[0] for each in self.assignments if each[0].startswith("--"))
        return flags if self.prices is None else (*flags, f"--prices {self.prices}")

    def also(self, assignment: Assignment) -> Choice:
        """Return this choice with one more value set."""
        return replace(self, assignments=(*self.assignments, assignment))


def chosen(given: Mapping[str, Any]) -> Choice:
    """Return the choice that flags and environment make, over what the project file gives.

    Raises UsageError for a value that is none, ScenarioError for an unknown key of the project file.
    """
    above = project()
    sets = [*_strings(above.get("set")), *(given["set_"] or [])]
    # Flags and environment come before the project file, and a --set before neither: it is laid over last.
    value = {name: given[name] if given.get(name) is not None else above.get(name) for name in KEYS}
    assignments = [(f"--{name} {value[name]}", path, str(value[name])) for name, path in FIELDS if value[name]]
    return Choice(
        scenario=str(value["scenario"] or DEFAULT_SCENARIO),
        assignments=(*assignments, *(_assignment(text) for text in sets)),
        prices=value["prices"],
        price_cache=not given["no_price_cache"],
        as_of=day(value["as_of"]),
        env=value["env"],
    )


def _assignment(text: str) -> Assignment:
    path, equals, value = text.partition("=")
    if not equals or not path:
        raise UsageError(f"--set {text}: write KEY.PATH=VALUE, such as --set users.tenants=500")
    return (f"--set {text}", path, value)


def day(text: Any) -> date | None:
    """Return the day that --as-of gives, or None. Raises UsageError for what is no day."""
    if text is None:
        return None
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        raise UsageError(f"--as-of {text}: write a day as YYYY-MM-DD") from None


def _strings(value: Any) -> Sequence[str]:
    return [value] if isinstance(value, str) else list(value or [])
