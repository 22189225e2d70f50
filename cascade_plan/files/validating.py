"""A document as a model, or what is wrong with it in plain words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from cascade_plan.errors import Problem, ScenarioError, did_you_mean
from cascade_plan.files import amounts
from cascade_plan.files.documents import Document, Trail, field_name, shown
from cascade_plan.files.parsing import plain_scalar

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

    M = TypeVar("M", bound=BaseModel)


def validate(model: type[M], document: Document, beside: Sequence[str] = ()) -> M:
    """Return the document as a model. Raises ScenarioError with every problem pydantic finds, in plain words.

    `beside` are fields that a file may have beside the model's, which the caller has read: they are named as allowed.
    The model sets `strict=True`: text is no number, 3.0 is no whole number, true is no number; 3 is a float.
    """
    from pydantic import ValidationError

    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        if (understood := _with_amounts(error, document)) is not None:
            return validate(model, understood, beside)
        within = fields_of(model, document.data)

        def fields(trail: Trail) -> list[str]:
            return within(trail) if trail else sorted([*within(trail), *beside])

        raise ScenarioError(problems_of(error, document, fields)) from None


def _with_amounts(error: ValidationError, document: Document) -> Document | None:
    """Return the document with the numbers meant by texts that a flag gave in their place, such as 0.05 for 5%.

    It returns None where no such text stands where a number should: a file's own are refused, with the number to write.
    """
    found: dict[Trail, int | float] = {}
    for fault in _one_branch_each((_fault(details, document.data) for details in error.errors(include_url=False)), 0):
        given = fault.details["input"]
        if fault.is_number and isinstance(given, str) and not document.place(fault.trail)[1]:
            number = amounts.meant(fault.trail, given)
            if number is not None and isinstance(_meaning(given), str):
                found[fault.trail] = number
    data: Any = document.data
    for trail, number in found.items():
        data = _replaced(data, trail, number)
    return replace(document, data=data) if found else None


def _replaced(data: Any, trail: Trail, value: Any) -> Any:
    """Return a copy of nested data with the value at a place replaced."""
    if not trail:
        return value
    copy = data.copy()
    copy[trail[0]] = _replaced(data[trail[0]], trail[1:], value)
    return copy


def fields_of(model: type[BaseModel], data: Any = None) -> Callable[[Trail], list[str]]:
    """Return a function from a place in a document of this model to the names of the fields allowed there, sorted.

    It returns [] where any key is allowed, or none. A class that stands for others has a class method
    `class_of(name, given)`: from the key of a value, and what the document holds there, to the class that is meant.
    """

    def fields(trail: Trail) -> list[str]:
        kinds: list[Any] = [model]
        inner = data
        for step in trail:
            inner = _step_inside(inner, step)
            found = [kind for outer in kinds for kind in _kinds_inside(outer, step)]
            kinds = [kind.class_of(step, inner) if hasattr(kind, "class_of") else kind for kind in found]
        return sorted({name for kind in kinds for name in getattr(kind, "model_fields", ())})

    return fields


def _step_inside(data: Any, step: str | int) -> Any:
    """Return the value at a key or index of a document's value, or None when it has none there."""
    if isinstance(data, dict):
        return data.get(step)
    return data[step] if isinstance(data, list) and isinstance(step, int) and step < len(data) else None


def _kinds_inside(kind: Any, step: str | int) -> Iterator[Any]:
    """Yield the types that a value of this type may have at a key or index."""
    from typing import get_args, get_origin

    if hasattr(kind, "model_fields"):
        if step in kind.model_fields:
            yield from _alternatives(kind.model_fields[step].annotation)
    elif get_origin(kind) is not None and get_args(kind):
        yield from _alternatives(get_args(kind)[-1 if isinstance(step, str) else 0])


def _alternatives(annotation: Any) -> Iterator[Any]:
    """Yield the types an annotation allows, out of Annotated and unions."""
    from types import UnionType
    from typing import Annotated, Union, get_args, get_origin

    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _alternatives(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for choice in get_args(annotation):
            yield from _alternatives(choice)
    else:
        yield annotation


def problems_of(error: ValidationError, document: Document, fields: Callable[[Trail], Sequence[str]]) -> list[Problem]:
    """Return pydantic's errors as problems in plain words, one for each thing that is wrong.

    `fields` returns the names allowed in the mapping at a place (see `fields_of`). The errors of a union's branches
    become those of the branch whose kind fits, or one problem that names all kinds.
    """
    faults = [_fault(details, document.data) for details in error.errors(include_url=False)]
    return [_problem(fault, document, fields) for fault in _one_branch_each(faults, 0)]


class _Fault:
    """One of pydantic's errors, its location taken apart."""

    __slots__ = ("branches", "details", "kinds", "trail")

    def __init__(
        self, trail: Trail, branches: Sequence[tuple[Trail, str | int]], details: Mapping[str, Any], *kinds: str
    ) -> None:
        self.trail = trail
        """Where it is in the document; for a missing field, where that would be."""
        self.branches = branches
        """(place of a union, pydantic's label of its branch) for each union on the way."""
        self.details = details
        self.kinds = kinds
        """What a value here may be, when no branch of a union fits."""

    @property
    def wanted(self) -> str:
        """What kind of value was wanted instead, or "" when the kind is not what is wrong."""
        if self.details["type"] == "literal_error":
            return " or ".join(_choices(self.details))
        return _WANTED.get(self.details["type"], "")

    @property
    def is_number(self) -> bool:
        """Whether a number was wanted, or may be one of several kinds."""
        return any("number" in kind for kind in (*self.kinds, self.wanted))


def _fault(details: Mapping[str, Any], data: Any) -> _Fault:
    """Return pydantic's error with the labels of union branches taken out of its location.

    Pydantic mixes them with keys; what is no key or index of the data at that place is a label.
    """
    location, trail, branches = details["loc"], [], []
    ends_outside = details["type"] == "missing" or location[-1:] == ("[key]",)
    for step in location[:-1] if ends_outside else location:
        if (isinstance(data, dict) and step in data) or (
            isinstance(data, list) and isinstance(step, int) and step < len(data)
        ):
            trail.append(step)
            data = data[step]
        else:
            branches.append((tuple(trail), step))
    if details["type"] == "missing":
        trail.append(location[-1])
    return _Fault(tuple(trail), branches, details)


def _one_branch_each(faults: Iterable[_Fault], depth: int) -> list[_Fault]:
    """Return the faults with those of each union reduced to one branch, unions inside unions too."""
    unions: dict[Trail, dict[str | int, list[_Fault]]] = {}
    result = []
    for fault in faults:
        if len(fault.branches) > depth:
            place, label = fault.branches[depth]
            unions.setdefault(place, {}).setdefault(label, []).append(fault)
        else:
            result.append(fault)
    for place, branches in unions.items():
        fitting = [branch for branch in branches.values() if not any(_is_misfit(fault, place) for fault in branch)]
        if fitting:
            result += _one_branch_each(sorted(fitting, key=len)[0], depth + 1)
        else:
            misfits = [next(fault for fault in branch if _is_misfit(fault, place)) for branch in branches.values()]
            kinds = dict.fromkeys(fault.wanted for fault in misfits)
            result.append(_Fault(place, (), _literal_first(misfits).details, *kinds))
    return result


def _is_misfit(fault: _Fault, place: Trail) -> bool:
    return fault.trail == place and bool(fault.wanted)


def _literal_first(faults: list[_Fault]) -> _Fault:
    return next((fault for fault in faults if fault.details["type"] == "literal_error"), faults[0])


def _problem(fault: _Fault, document: Document, fields: Callable[[Trail], Sequence[str]]) -> Problem:
    """Return a fault as a problem: where it stands, and what is wrong in plain words."""
    details, trail = fault.details, fault.trail
    kind = details["type"]
    if kind == "missing":
        return Problem(*document.place(trail[:-1]), field_name(trail), "required field is missing")
    if kind == "extra_forbidden":
        allowed = list(fields(trail[:-1]))
        hint = did_you_mean(str(trail[-1]), allowed)
        listed = f"allowed: {', '.join(allowed)}" if allowed else ""
        return Problem(*document.key_place(trail), field_name(trail), f"unknown field{hint}", listed)
    if details["loc"][-1:] == ("[key]",):
        return Problem(*document.key_place(trail), field_name(trail), f"its name {_wrong(fault)}")
    return Problem(*document.place(trail), field_name(trail), _wrong(fault))


_WANTED: Final = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "decimal_type": "a number",
    "bool_type": "true or false",
    "string_type": "text",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dataclass_type": "a mapping",
    "none_required": "nothing",
}
_BOUNDS: Final = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
    "multiple_of": ("a multiple of", "multiple_of"),
}
_LENGTHS: Final = {
    "string_too_short": ("at least", "min_length", "character"),
    "string_too_long": ("at most", "max_length", "character"),
    "too_short": ("at least", "min_length", "item"),
    "too_long": ("at most", "max_length", "item"),
}


def _wrong(fault: _Fault) -> str:
    """Return what is wrong with a value, what is allowed and what was given."""
    details = fault.details
    kind, given, context = details["type"], details["input"], details.get("ctx", {})
    if fault.kinds or fault.wanted:
        return _wrong_kind(fault)
    if kind in _BOUNDS:
        word, bound = _BOUNDS[kind]
        return f"must be {word} {_number(context[bound])}, got {shown(given)}"
    if kind in _LENGTHS:
        word, bound, unit = _LENGTHS[kind]
        return f"must have {word} {context[bound]} {unit}{'' if context[bound] == 1 else 's'}, got {len(given)}"
    if kind == "string_pattern_mismatch":
        from cascade_plan.units import PATTERN_WORDS

        pattern = context["pattern"]
        words = f"be {PATTERN_WORDS[pattern]}" if pattern in PATTERN_WORDS else f"match {pattern}"
        lower = given.lower()
        hint = f"; did you mean {shown(lower)}?" if re.fullmatch(pattern, lower) else ""
        return f"must {words}, got {shown(given)}{hint}"
    if kind == "finite_number":
        return f"must be a finite number, got {shown(given)}"
    if kind in ("value_error", "assertion_error") and "error" in context:
        return " ".join(str(context["error"]).split())
    return str(details["msg"])


def _wrong_kind(fault: _Fault) -> str:
    """Return the problem of a value of the wrong kind, or that is none of the words allowed."""
    given = fault.details["input"]
    message = f", got {shown(given)}"
    if fault.details["type"] == "literal_error":
        choices = _choices(fault.details)
        words = [choice[1:-1] for choice in choices if choice[0] == "'"]
        hint = did_you_mean(given, words) if isinstance(given, str) else ""
        allowed = f"one of {', '.join(choices)}" if len(choices) > 1 else choices[0]
        others = [kind for kind in fault.kinds if kind != fault.wanted]
        return f"must be {' or '.join([allowed, *others])}{message}{hint}"
    if isinstance(given, str) and fault.is_number:
        if not isinstance(_meaning(given), str | None):
            message += "; remove the quotes"
        elif advice := amounts.hint(fault.trail, given):
            message += f"; {advice}"
    return f"must be {' or '.join(fault.kinds) or fault.wanted}{message}"


def _meaning(text: str) -> object:
    with suppress(ValueError):
        return plain_scalar(text)
    return text


def _choices(details: Mapping[str, Any]) -> list[str]:
    """Return the values a literal allows as pydantic spells them: "'up' or 'down'" is ["'up'", "'down'"]."""
    found = re.findall(r"'(?:[^'\\]|\\.)*'|[^\s,']+", details["ctx"]["expected"])
    return [choice for choice in found if choice != "or"]


def _number(value: Any) -> str:
    """Return a bound as people write it: 1 for 1.0, 0.000001 for 1e-06."""
    from cascade_plan.units import trimmed

    return trimmed(f"{value:f}") if value == 0 or 1e-6 <= abs(value) < 1e15 else str(value)
