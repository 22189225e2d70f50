"""What an input of a plan is, what it means, and where it was given, as text."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from typing import Any, Final, NamedTuple

from pydantic import BaseModel, TypeAdapter

from cascade_plan import registry
from cascade_plan.languages import shell
from cascade_plan.model import tier
from cascade_plan.model.defaults import Default, default_of
from cascade_plan.model.derivation import Derivation
from cascade_plan.model.scenario import Scenario
from cascade_plan.model.schemas import described, written
from cascade_plan.reports._fitting import hanging
from cascade_plan.reports._words import shown
from cascade_plan.reports.reference import allowed, unit_of

TIERS: Final = "tiers."
LABEL: Final = " " * len("meaning  ")
SHELL_SAFE: Final = re.compile(r"[A-Za-z0-9_.=/:@%+-]+")
"""What a shell takes as one word, without quotes."""


class Entry(NamedTuple):
    """A field of the scenario, or one that a mapping of it has by name."""

    path: str
    value: Any
    meaning: str
    default: Default | None
    allowed: str
    """What it may be, in words; "" where words do not say it."""
    example: Any
    """A value it might have; None where there is none to show."""
    is_given: bool
    """Whether the scenario says it, and does not leave it to the default."""

    @property
    def is_part(self) -> bool:
        """Whether it holds fields of its own, which are entries too."""
        return _holds_fields(self.value)


def paths(scenario: Scenario) -> list[str]:
    """Return the dotted path of every input of a scenario, parts and their fields."""
    return [entry.path for entry in _entries(scenario)]


def explain(
    scenario: Scenario,
    origins: Mapping[str, str],
    name: str,
    figures: Collection[Derivation] = (),
    width: int = 2**16,
) -> str:
    """Return what an input is, and all that is below it; "" where no input has that path.

    It says which of `figures` are made from it. Lines are folded at their spaces to the width.
    """
    return "\n".join(
        "\n".join(part for line in _lines(entry, scenario, origins, figures) for part in hanging(line, width, LABEL))
        + "\n"
        for entry in named(scenario, name)
    )


def document(
    entry: Entry, scenario: Scenario, origins: Mapping[str, str], figures: Collection[Derivation] = ()
) -> dict[str, Any]:
    """Return what an input is as a JSON object."""
    default = entry.default
    given = default and {"value": _plain(default.value), "kind": default.kind, "source": default.source}
    return {
        "input": entry.path,
        "value": _plain(entry.value),
        "meaning": entry.meaning,
        "allowed": entry.allowed,
        "default": given,
        "example": _plain(entry.example),
        "used_by": _used_by(entry, figures),
        "given": _given(entry, scenario, origins),
    }


def _plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    return _adapter().dump_python(value, mode="json")


@cache
def _adapter() -> TypeAdapter[Any]:
    return TypeAdapter(Any)


def named(scenario: Scenario, name: str) -> tuple[Entry, ...]:
    """Return the input of a path and all that is below it; () where no input has that path.

    `tiers.` may be left out, and so may all but the end of the path. Of a kind that the scenario has no instance of, it
    is what an instance would have.
    """
    if not name:
        return ()
    entries = [*_entries(scenario), *_absent(scenario)]
    for wanted in (name, f"{TIERS}{name}"):
        if found := [entry for entry in entries if f"{entry.path}.".startswith(f"{wanted}.")]:
            break
    else:
        ending = f".{name.removeprefix(TIERS)}"
        found = [entry for entry in entries if entry.path.endswith(ending) and _is_there(entry, scenario)]
    return tuple(found)


def _lines(
    entry: Entry, scenario: Scenario, origins: Mapping[str, str], figures: Collection[Derivation]
) -> Iterator[str]:
    if entry.is_part:
        yield entry.path
    elif entry.value is None:
        yield f"{entry.path} is left out"
    else:
        yield f"{entry.path} = {_shown(entry)}"
    if entry.meaning:
        yield f"  meaning  {entry.meaning}"
    if entry.allowed:
        yield f"  allowed  {entry.allowed}"
    if (default := entry.default) is not None:
        source = f"({default.kind}): {default.source}"
        yield f"  default  {source if default.value is None else f'{written(default.value)} {source}'}"
    if entry.example is not None and not entry.is_part:
        yield f"  example  --set {_quoted(f'{entry.path}={written(entry.example)}')}"
    if used := _used_by(entry, figures):
        yield f"  used by  {', '.join(used)}"
    yield f"  given    {_given(entry, scenario, origins)}"


def _used_by(entry: Entry, figures: Collection[Derivation]) -> list[str]:
    """Return the figures that the formula of which names an input."""
    return [each.figure for each in figures if any(given.name == entry.path for given in each.inputs)]


def _quoted(assignment: str) -> str:
    """Return an assignment as a shell takes it in one word."""
    return assignment if SHELL_SAFE.fullmatch(assignment) else shell.literal(assignment)


def _shown(entry: Entry) -> str:
    """Return a value as a person reads it, a number with the unit that its name tells."""
    if isinstance(entry.value, bool) or not isinstance(entry.value, int | float):
        return written(entry.value)
    *_, holder, leaf = ["", *entry.path.split(".")]
    unit = unit_of(leaf, holder)
    if unit.startswith("a "):  # a ratio, a rate per second: the number says as much
        unit = "".join(unit.partition("per ")[1:])
    return f"{shown(entry.value)} {unit}" if unit else written(entry.value)


def _given(entry: Entry, scenario: Scenario, origins: Mapping[str, str]) -> str:
    """Return where the scenario gives a value: its own place, or that of what it was given with."""
    if not _is_there(entry, scenario):
        return f"nowhere: {scenario.name} has no {entry.path.split('.')[1]}"
    if not entry.is_given and entry.path not in origins:
        return "nowhere" if entry.value is None else "nowhere, so it is the default"
    steps = entry.path.split(".")
    above = (".".join(steps[:length]) for length in range(len(steps), 0, -1))
    return next((origins[path] for path in above if path in origins), "by the scenario")


def _is_there(entry: Entry, scenario: Scenario) -> bool:
    return not entry.path.startswith(TIERS) or entry.path.split(".")[1] in scenario.tiers


def _entries(part: BaseModel, path: str = "", is_given: bool = True) -> Iterator[Entry]:
    """Yield every field of a part and of what it holds, in their order."""
    meanings, fields = described(type(part)), allowed(type(part), path.rpartition(".")[2])
    for name in type(part).model_fields:
        value, where = _value(part, name), f"{path}.{name}" if path else name
        said = is_given and name in part.model_fields_set
        field, default = fields[name], default_of(type(part), name)
        example = next((each for each in (field.example, value) if each is not None), None)
        yield Entry(where, value, meanings.get(name, ""), default, field.words, example, said)
        if isinstance(value, BaseModel):
            yield from _entries(value, where, said)
        elif isinstance(value, dict) and _holds_fields(value):
            yield from _named(value, where, said)


def _value(part: BaseModel, name: str) -> Any:
    """Return a field's value; of a calibration its file: what it gave stands at the values themselves."""
    value = getattr(part, name, None)
    if name == "calibration" and isinstance(value, dict):
        return next((each.origin.rpartition(":")[0] for each in value.values()), "")
    return value


def _named(parts: Mapping[str, BaseModel], path: str, is_given: bool) -> Iterator[Entry]:
    """Yield the parts that a mapping holds by name, such as the instances of tiers, and their fields."""
    for name, part in parts.items():
        where = f"{path}.{name}"
        yield Entry(where, part, " ".join((type(part).__doc__ or "").split()), None, "", None, is_given)
        yield from _entries(part, where, is_given)


def _holds_fields(value: Any) -> bool:
    if isinstance(value, dict):
        return bool(value) and all(isinstance(each, BaseModel) for each in value.values())
    return isinstance(value, BaseModel)


def _absent(scenario: Scenario) -> Iterator[Entry]:
    """Yield what an instance of each kind would have that the scenario has none of."""
    kinds = [kind for kind in registry.names("tiers") if kind not in scenario.tiers and not scenario.of(kind)]
    yield from _named({kind: _unsaid(tier.settings_class(kind)) for kind in kinds}, TIERS[:-1], False)


def _unsaid(settings: type[tier.Settings]) -> tier.Settings:
    """Return settings that say nothing: without a check where a kind must say something."""
    required = any(field.is_required() for field in settings.model_fields.values())
    return settings.model_construct() if required else settings()
