"""An instance of a tier: a name in a scenario, and the settings of its kind.

A scenario's `tiers` maps names to instances; the kind of one is its name unless it says otherwise, and `off` is the
same as leaving it out. Which kinds there are is the registry's affair: a folder of `tiers/` with a module `settings`.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, Final, cast

from pydantic import ConfigDict, ValidationError, create_model
from pydantic_core import InitErrorDetails, PydanticCustomError

from cascade_plan import registry
from cascade_plan.errors import did_you_mean
from cascade_plan.model.part import Key, Part, Terms
from cascade_plan.model.terms import TermShare

OFF: Final = "off"
NAMED: Final = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
STANDARD: Final = ("cluster", "api", "websocket", "database", "pool", "cache", "gateway", "network", "monitoring")
"""What a scenario that says nothing of its tiers has."""


class Settings(Part):
    """What every instance of a tier may say."""

    KIND: ClassVar[str]
    SEVERAL: ClassVar[bool] = False
    """Whether a scenario may have more than one."""
    BOUGHT: ClassVar[str] = ""
    """What its instances are to a cloud (vm, database or cache); empty where it buys none by a term."""
    REFERS: ClassVar[Mapping[str, str]] = {}
    """Field that names another instance -> the kind that must be of."""

    kind: Key | None = None
    """What it is one of; its own name if left out."""

    @classmethod
    def class_of(cls, name: str, given: object) -> type["Settings"]:
        """Return the class of the settings of an instance, by its name and what a document says of it."""
        kind = kind_of(name, given)
        return settings_class(kind) if kind in registry.names("tiers") else cls


class Bought(Settings):
    """An instance of a tier whose machines are bought by a term."""

    purchase: Terms = "on_demand"
    """How its instances are paid: a term such as spot, or shares such as {reserved_1y_no_upfront: 0.6, spot: 0.2}; the
    rest is on demand. Commitments are counted on what runs all month, spot on what runs at each level."""

    @property
    def terms(self) -> tuple[TermShare, ...]:
        """What the instances are paid by other than on demand, in the order given."""
        given = self.purchase
        if isinstance(given, str):
            return () if given == "on_demand" else (TermShare(given, 1.0),)
        return tuple(TermShare(term, share) for term, share in given.items())


@cache
def settings_class(kind: str) -> type[Settings]:
    """Return the class of a kind's settings. Raises UsageError, with a suggestion, for an unknown kind."""
    return cast("type[Settings]", registry.load("tiers", kind, "settings").Settings)


def kind_of(name: str, given: object) -> str:
    """Return the kind an instance is of, by its name and what a document says of it."""
    kind = given.get("kind") if isinstance(given, Mapping) else getattr(given, "kind", None)
    return kind if isinstance(kind, str) else name


@cache
def _model(classes: tuple[tuple[str, type[Settings]], ...]) -> type[Part]:
    fields = {name: (settings, ...) for name, settings in classes}
    return create_model("Tiers", __config__=ConfigDict(frozen=True, extra="forbid", strict=True), **fields)  # type: ignore[call-overload, no-any-return]


def instances(given: object, cloud: str) -> dict[str, Settings]:
    """Return the instances that a document's tiers name, those that are off left out, in the order given.

    Raises ValidationError with every problem at its place, ValueError where there is no mapping.
    """
    if not isinstance(given, Mapping):
        raise ValueError("must be a mapping of tiers, such as {api: {}, database: {}}")
    on = {name: value for name, value in given.items() if value != OFF and value is not False}
    problems = [*_misnamed(on)]
    bad = {problem["loc"][0] for problem in problems}
    classes = tuple((name, settings_class(kind_of(name, value))) for name, value in on.items() if name not in bad)
    found: dict[str, Settings] = {}
    try:
        made = _model(classes).model_validate({name: on[name] for name, _ in classes})
        found = {name: getattr(made, name) for name, _ in classes}
    except ValidationError as error:
        problems += cast("list[InitErrorDetails]", [_again(details) for details in error.errors(include_url=False)])
    problems += [*_unpayable(found, cloud), *_dangling(found), *_twice(found)]
    if problems:
        raise ValidationError.from_exception_data("tiers", problems)
    return found


def _again(details: Any) -> dict[str, Any]:
    """Return a problem that pydantic found as one that can be raised again."""
    kind, context = details["type"], details.get("ctx", {})
    if kind in ("value_error", "assertion_error"):
        return _problem(details["loc"], details["input"], str(context["error"]))
    return {"type": kind, "loc": details["loc"], "input": details["input"], "ctx": context}


def _problem(place: tuple[str | int, ...], given: object, message: str) -> InitErrorDetails:
    error = PydanticCustomError("value_error", "{error}", {"error": message})
    return InitErrorDetails(type=error, loc=place, input=given)


def _misnamed(on: Mapping[str, object]) -> list[InitErrorDetails]:
    """Return a problem for each instance that is of no known kind, or is no mapping."""
    known = registry.names("tiers")
    found = []
    for name, given in on.items():
        kind = kind_of(name, given)
        if not isinstance(name, str) or not NAMED.fullmatch(name):
            what = "its name must be lower-case letters, digits and underscores, starting with a letter"
            found.append(_problem((name,), name, what))
        elif not isinstance(given, Mapping | Settings):
            found.append(_problem((name,), given, f"must be a mapping of settings, or off, got {given!r}"))
        elif kind not in known:
            where = (name, "kind") if kind != name else (name,)
            of = "no kind of tier" if kind != name else "no kind of tier, and it names none (kind: api)"
            message = f"{kind!r} is {of}: kinds are {', '.join(known)}{did_you_mean(kind, list(known))}"
            found.append(_problem(where, given, message))
    return found


def _unpayable(found: Mapping[str, Settings], cloud: str) -> list[InitErrorDetails]:
    """Return a problem for each purchase that the cloud does not sell. An unknown cloud is another field's problem."""
    if cloud not in registry.names("clouds"):
        return []
    problems = []
    for name, settings in found.items():
        message = _unsold(settings, cloud) if isinstance(settings, Bought) else ""
        if message:
            problems.append(_problem((name, "purchase"), getattr(settings, "purchase", ""), message))
    return problems


def _unsold(settings: Bought, cloud: str) -> str:
    """Return why a cloud does not sell an instance by its terms, or ""."""
    if settings.purchase == "on_demand":
        return ""
    sold = registry.load("clouds", cloud, "terms")
    try:
        sold.payable(settings.BOUGHT, settings.purchase)
    except ValueError as error:
        return str(error)
    terms = tuple(part.term for part in settings.terms)
    return str(sold.unfit(settings.BOUGHT, getattr(settings, "engine", ""), terms))


def _dangling(found: Mapping[str, Settings]) -> list[InitErrorDetails]:
    """Return a problem for each field that names an instance which is not there, or of another kind."""
    problems = []
    for name, settings in found.items():
        for field, kind in settings.REFERS.items():
            target = getattr(settings, field)
            known = [other for other, each in found.items() if kind == each.KIND]
            if target is not None and target not in known:
                what = f"must name a {kind} of this scenario ({', '.join(known) or 'it has none'}), got {target!r}"
                problems.append(_problem((name, field), target, what + did_you_mean(target, known)))
    return problems


def _twice(found: Mapping[str, Settings]) -> list[InitErrorDetails]:
    """Return a problem for each instance of a kind that a scenario may have once."""
    first: dict[str, str] = {}
    problems = []
    for name, settings in found.items():
        if settings.SEVERAL:
            continue
        if settings.KIND in first:
            what = f"a scenario has one {settings.KIND}, and {first[settings.KIND]} is it already"
            problems.append(_problem((name,), name, what))
        first.setdefault(settings.KIND, name)
    return problems
