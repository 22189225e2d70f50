"""The scenario a command works on, from its flags, the environment or the project file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

from cascade_plan.errors import UsageError
from cascade_plan.files.assignments import Assignment
from cascade_plan.inputs import project
from cascade_plan.inputs.calibrations import flag_value
from cascade_plan.inputs.scenarios import Given, Laid, environments_of, half_read, read
from cascade_plan.languages.yaml import literal

PEAK: Final = "users.peak"
FIELDS: Final = (
    ("peak", PEAK),
    ("avg", "users.average"),
    ("region", "region"),
    ("method", "method"),
    ("calibration", "calibration"),
)
"""Flags that are short for a --set."""
FOLLOWED: Final = ("peak",)
"""Those of them that other values follow."""
BUNDLED: Final = "cascade"
"""The scenario where nothing gives one: the tool works anywhere."""


def _silent(note: str) -> None:
    """Tell nobody."""


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
    taken: str = ""
    """Which scenario was taken where no argument named one, in words."""
    said: Mapping[str, str] = field(default_factory=dict)
    """Flag's name -> what gave its value, as messages name it, such as CASCADE_PLAN_ENV=prod."""
    project: Mapping[str, Any] = field(default_factory=dict)
    """What the project file gives, by the names of flags."""
    flags: Mapping[str, Any] = field(default_factory=dict)
    """What flags and environment gave, by the names of flags."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Flag's name -> the variable of the environment that gave it."""
    tell: Callable[[str], None] = _silent
    """Told what was done of which the user should know, such as the average that follows the peak."""

    def read(self, reference: str | None = None) -> Given:
        """Return the chosen scenario, or another one with the same overrides, with its prices."""
        wanted = reference or self._own()
        given = read(wanted, self.assignments, self.prices, self.price_cache, self.env, self.said.get("env", ""))
        for note in given.notes:
            self.tell(note)
        return given

    def half_read(self) -> Laid:
        """Return what `read` returns of the chosen scenario, with its gates unchecked; nobody is told of its notes."""
        return half_read(
            self.scenario, self.assignments, self.prices, self.price_cache, self.env, self.said.get("env", "")
        )

    def quiet(self) -> Choice:
        """Return this choice, telling nobody what was done."""
        return replace(self, tell=_silent)

    def _own(self) -> str:
        """Return the chosen scenario, and say which where no argument named one."""
        if self.taken:
            self.tell(self.taken)
        return self.scenario

    def environments(self) -> tuple[Choice, ...]:
        """Return a choice for each environment of the file; this one alone where one is chosen, or there are none."""
        names = () if self.env is not None else environments_of(self._own())
        return tuple(replace(self, env=name) for name in names) or (self,)

    def anew(self, given: Mapping[str, Any]) -> Choice:
        """Return what flags and environment, or what is `given` in their place, choose in the working directory."""
        return chosen({**self.flags, **given}, self.variables, self.tell)

    def of(self, reference: str) -> Choice:
        """Return this choice for another scenario."""
        return replace(self, scenario=reference, taken="")

    def unchanged(self) -> Choice:
        """Return this choice without what flags change of a scenario and its prices.

        Where they change nothing but choose an environment, it is that of the file's first one.
        """
        if not self.changes and self._has_flag("env"):
            return replace(self, env=None)
        kept = tuple(each for each in self.assignments if not each[0].startswith("--"))
        return replace(self, assignments=kept, prices=None if self._has_flag("prices") else self.prices)

    @property
    def changes(self) -> tuple[str, ...]:
        """The flags that change a scenario or its prices, as typed."""
        flags = tuple(each[0] for each in self.assignments if each[0].startswith("--"))
        return (*flags, self.said["prices"]) if self._has_flag("prices") else flags

    @property
    def is_changed(self) -> bool:
        """Whether flags change the scenario or its prices, or choose an environment."""
        return bool(self.changes) or self._has_flag("env")

    def _has_flag(self, name: str) -> bool:
        """Return whether a flag gave a value, and not the environment or the project file."""
        return self.said.get(name, "").startswith("--")

    def also(self, assignment: Assignment) -> Choice:
        """Return this choice with one more value set."""
        return replace(self, assignments=(*self.assignments, assignment))

    def flagged(self, paths: Mapping[str, str], values: Mapping[str, object]) -> Choice:
        """Return this choice with the values of those flags set that are given; `paths` is flag -> what it sets."""
        given = [(flag, str(value)) for flag, value in values.items() if value is not None]
        # A text that YAML would read as something else is quoted; nobody wrote the quotes.
        own = (Assignment(" ".join((flag, text.strip("'"))), paths[flag], text) for flag, text in given)
        return replace(self, assignments=(*self.assignments, *own))

    def changed(self, changes: Sequence[tuple[str, str]]) -> Choice:
        """Return this choice with values set by their path, in order: as --set does, users at peak as --peak does.

        What gave one of these values before gives it no more.
        """
        given = {path for path, _ in changes}
        kept = tuple(each for each in self.assignments if each.path not in given)
        peak = tuple(Assignment(f"--peak {value}", path, value, True) for path, value in changes if path == PEAK)
        sets = tuple(Assignment(f"--set {path}={value}", path, value) for path, value in changes if path != PEAK)
        # As on a command line: a flag for a field comes before what --set gives.
        return replace(self, assignments=(*peak, *kept, *sets))

    @property
    def words(self) -> tuple[str, ...]:
        """What makes this choice on a command line, word by word: the scenario and the flags that were given.

        What the environment and the project file give is not in it: they give it there too.
        """
        flags = (each[0].partition(" ") for each in self.assignments if each[0].startswith("--"))
        return (
            self.scenario,
            *(word for name, _, value in flags for word in (name, value)),
            *(("--env", self.env) if self.env else ()),
            *(("--prices", self.prices) if self.prices else ()),
            *(("--no-price-cache",) if self._has_flag("no_price_cache") else ()),
            *(("--as-of", str(self.as_of)) if self._has_flag("as_of") else ()),
        )


def chosen(
    given: Mapping[str, Any], variables: Mapping[str, str] | None = None, tell: Callable[[str], None] = _silent
) -> Choice:
    """Return the choice that flags and environment make, over what the project file gives.

    `given` is flag's name -> value, None where there is none; `variables` is flag's name -> the variable of the
    environment that gave it. Raises UsageError for a value that is none, ScenarioError for a mistake in the project
    file.
    """
    above = project.project()
    values = {name: value for name, value in given.items() if value is not None}
    said = {name: above.place(name) for name in above.values}
    said |= {
        name: f"{variables[name]}={value}" if variables and name in variables else f"--{name.replace('_', '-')} {value}"
        for name, value in values.items()
    }
    # Flags and environment come before the project file, and a --set before neither: it is laid over last.
    value = {**above.values, **values}
    if "calibration" in value:
        value["calibration"] = literal(flag_value(value["calibration"]))
    assignments = [
        Assignment(said[name], path, str(value[name]), name in FOLLOWED) for name, path in FIELDS if name in value
    ]
    sets = [*above.assignments, *map(_assignment, given.get("set_") or ())]
    scenario, taken = _scenario(given.get("scenario"), (variables or {}).get("scenario", ""), above)
    return Choice(
        scenario=scenario,
        assignments=(*assignments, *sets),
        prices=value.get("prices"),
        price_cache=not value.get("no_price_cache"),
        as_of=day(value.get("as_of"), said.get("as_of", "")),
        env=value.get("env"),
        taken=taken,
        said=said,
        project=above.values,
        flags=given,
        variables=variables or {},
        tell=tell,
    )


def _scenario(given: str | None, variable: str, above: project.Given) -> tuple[str, str]:
    """Return (a path or name of the scenario, which was taken in words, "" where an argument names it)."""
    if given is not None:
        return given, f"no SCENARIO given: using {given} ({variable})" if variable else ""
    if (named := above.values.get("scenario")) is not None:
        assert above.document is not None
        return named, f"no SCENARIO given: using {named} ({above.document.name})"
    if (found := project.upwards(project.SCENARIO_FILE)) is not None:
        return found, f"no SCENARIO given: using {found}"
    return BUNDLED, f"no SCENARIO given: using the bundled scenario {BUNDLED}"


def _assignment(text: str) -> Assignment:
    path, equals, value = text.partition("=")
    if not equals or not path:
        raise UsageError(f"--set {text}: write KEY.PATH=VALUE, such as --set users.tenants=500")
    return Assignment(f"--set {text}", path, value)


def day(text: Any, said: str = "") -> date | None:
    """Return the day that a flag or variable gives, or None. Raises UsageError, with what said it, for what is none."""
    if text is None:
        return None
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        raise UsageError(f"{said or f'--as-of {text}'}: write a day as YYYY-MM-DD") from None
