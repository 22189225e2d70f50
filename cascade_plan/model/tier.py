"""An instance of a tier: a name in a scenario, and the settings of its kind.

A scenario's `tiers` maps names to instances; the kind of one is its name unless it says otherwise, and `off` is the
same as leaving it out. Which kinds there are is the registry's affair: a folder of `tiers/` with a module `settings`.
"""

import re
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any, ClassVar, Final, Literal, Self, cast

from pydantic import ConfigDict, Field, ValidationError, create_model, field_validator, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from cascade_plan import registry
from cascade_plan.errors import did_you_mean
from cascade_plan.files.documents import shown
from cascade_plan.model.defaults import default
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
    OPTIONAL: ClassVar[str] = ""
    """What a bill without an instance of it leaves out, in words: plans then say what it costs by its defaults."""
    REFERS: ClassVar[Mapping[str, str]] = {}
    """Field that names another instance -> the kind that must be of."""

    kind: Key | None = Field(default=None, examples=["api"])
    """What it is one of; its own name if left out."""

    @property
    def has_nodes(self) -> bool:
        """Whether it has virtual machines of its own, on which pods can run."""
        return self.BOUGHT == "vm"

    def said(self, names: Collection[str]) -> list[str]:
        """Return which of some fields say another thing than by default; a saved scenario gives them all."""
        given = {*names} & self.model_fields_set
        plain = type(self)() if given else self
        return sorted(name for name in given if getattr(self, name) != getattr(plain, name))

    @property
    def leans(self) -> bool:
        """Whether it names another instance of its own kind, after which it is sized."""
        return any(kind == self.KIND and getattr(self, field) is not None for field, kind in self.REFERS.items())

    @classmethod
    def class_of(cls, name: str, given: object) -> type["Settings"]:
        """Return the class of the settings of an instance, by its name and what a document says of it."""
        kind = kind_of(name, given)
        return settings_class(kind) if kind in registry.names("tiers") else cls


class Bought(Settings):
    """An instance of a tier whose machines are bought by a term."""

    purchase: Terms = Field(default="on_demand", examples=[{"reserved_1y_no_upfront": 0.6}])
    """How its instances are paid: a term such as spot, or shares such as {reserved_1y_no_upfront: 0.6, spot: 0.2}; the
    rest is on demand. Commitments are counted at `commitment_level`, spot on what runs at each level."""
    commitment_level: Literal["floor", "average", "peak", "ceiling"] = default(
        "floor", "assumption", "what runs all month uses a commitment all the time: nothing is paid in vain"
    )
    """Of how many instances the shares of commitments are: of those that run all month, or at another level of the
    autoscaler, of which some are paid for hours in which they do not run."""

    @field_validator("purchase", mode="before")
    @classmethod
    def _is_term_or_shares(cls, given: Any) -> Any:
        if not isinstance(given, str | Mapping):
            words = "must be a term such as on_demand, or a mapping of terms to their shares"
            raise ValueError(f"{words}, got {shown(given)}")
        return given

    @property
    def terms(self) -> tuple[TermShare, ...]:
        """What the instances are paid by other than on demand, in the order given."""
        given = self.purchase
        if isinstance(given, str):
            return () if given == "on_demand" else (TermShare(given, 1.0, self.commitment_level),)
        return tuple(TermShare(term, share, self.commitment_level) for term, share in given.items())


HOST: Final = "api"
"""The kind on whose nodes the pods of others may stand."""


class Housed(Bought):
    """An instance of a tier whose pods have nodes of their own, or stand on those of a service."""

    REFERS: ClassVar[Mapping[str, str]] = {"nodes_of": HOST}
    OF_NODES: ClassVar[frozenset[str]] = frozenset({"purchase", "commitment_level"})
    """What only one with nodes of its own says."""

    nodes_of: Key | None = Field(default=None, examples=["api"])
    """The service on whose nodes its pods stand; nodes of its own if left out."""

    @property
    def has_nodes(self) -> bool:
        """Whether it has nodes of its own."""
        return self.nodes_of is None

    @model_validator(mode="after")
    def _says_what_its_nodes_are(self) -> Self:
        if self.nodes_of is not None and (given := self.said(self.OF_NODES)):
            raise ValueError(f"{', '.join(given)}: of its nodes {self.nodes_of} says that")
        return self


@cache
def settings_class(kind: str) -> type[Settings]:
    """Return the class of a kind's settings. Raises UsageError, with a suggestion, for an unknown kind."""
    return cast("type[Settings]", registry.load("tiers", kind, "settings").Settings)


def kind_of(name: str, given: object) -> str:
    """Return the kind an instance is of, by its name and what a document says of it."""
    kind = given.get("kind") if isinstance(given, Mapping) else getattr(given, "kind", None)
    return kind if isinstance(kind, str) else name


def kinds_given(document: Mapping[str, Any]) -> Mapping[str, str] | None:
    """Return the kind of each tier that a document has, known or not; None where its tiers are no mapping."""
    tiers = document.get("tiers", {name: {} for name in STANDARD})
    if not isinstance(tiers, Mapping):
        return None
    return {name: kind_of(name, given) for name, given in tiers.items() if not is_off(given)}


@cache
def _model(classes: tuple[tuple[str, type[Settings]], ...]) -> type[Part]:
    fields = {name: (settings, ...) for name, settings in classes}
    return create_model("Tiers", __config__=ConfigDict(frozen=True, extra="forbid", strict=True), **fields)  # type: ignore[call-overload, no-any-return]


def instances(given: object, cloud: str) -> dict[str, Settings]:
    """Return the instances that a document's tiers name, those that are off left out, in the order given.

    Raises ValidationError with every problem at its place, ValueError where there is no mapping.
    """
    if not isinstance(given, Mapping):
        raise ValueError(f"must be a mapping of tiers, such as {{api: {{}}, database: {{}}}}, got {shown(given)}")
    on = {name: value for name, value in given.items() if not is_off(value)}
    problems = [*_off_by_mistake(given), *_misnamed(on)]
    bad = {problem["loc"][0] for problem in problems}
    classes = {name: settings_class(kind_of(name, value)) for name, value in on.items() if name not in bad}
    found: dict[str, Settings] = {}
    try:
        made = _model(tuple(classes.items())).model_validate({name: _kinded(name, on[name]) for name in classes})
        found = {name: getattr(made, name) for name in classes}
    except ValidationError as error:
        wrong = error.errors(include_url=False)
        problems += [_again(details) for details in wrong]
        sound = classes.keys() - {details["loc"][0] for details in wrong}
        found = {name: classes[name].model_validate(_kinded(name, on[name])) for name in classes if name in sound}
    kinds = {name: each.KIND for name, each in classes.items()}
    problems += [*_unpayable(found, cloud), *_dangling(found, kinds), *_twice(classes)]
    if problems:
        raise ValidationError.from_exception_data("tiers", problems)
    return found


def _kinded(name: str, given: object) -> object:
    """Return what a document says of an instance with its kind in it, so that a saved scenario says it too."""
    return {**given, "kind": kind_of(name, given)} if isinstance(given, Mapping) else given


def is_off(given: object) -> bool:
    """Return whether a document turns a tier off: by the word, or by false, which is what YAML 1.1 makes of it."""
    return given is False or given == OFF


def nobody(kind: str, known: Collection[str], target: str) -> str:
    """Return what is wrong with naming an instance that is none of the known ones of a kind."""
    article = "an" if kind[0] in "aeiou" else "a"
    there = ", ".join(known) or "it has none"
    return f"must name {article} {kind} of this scenario ({there}), got {target!r}{did_you_mean(target, list(known))}"


def _again(details: Any) -> InitErrorDetails:
    """Return a problem that pydantic found as one that can be raised again."""
    kind, context = details["type"], details.get("ctx", {})
    if kind in ("value_error", "assertion_error"):
        return _problem(details["loc"], details["input"], str(context["error"]))
    return InitErrorDetails(type=kind, loc=details["loc"], input=details["input"], ctx=context)


def _problem(place: tuple[str | int, ...], given: object, message: str) -> InitErrorDetails:
    error = PydanticCustomError("value_error", "{error}", {"error": message})
    return InitErrorDetails(type=error, loc=place, input=given)


def _off_by_mistake(given: Mapping[str, object]) -> list[InitErrorDetails]:
    """Return a problem for each name that is off and never was on: nothing is called so unless it says its kind."""
    known = registry.names("tiers")
    found = []
    for name, value in given.items():
        if is_off(value) and name not in known:
            words = f"there is no tier {name!r} to turn off: known are {', '.join(known)}"
            found.append(_problem((name,), value, words + did_you_mean(name, list(known))))
    return found


def _misnamed(on: Mapping[str, object]) -> list[InitErrorDetails]:
    """Return a problem for each instance that is of no known kind, or is no mapping."""
    problems = []
    for name, given in on.items():
        if not isinstance(name, str) or not NAMED.fullmatch(name):
            what = "its name must be at most 40 lower-case letters, digits and underscores, starting with a letter"
            problems.append(_problem((name,), name, what))
        elif not isinstance(given, Mapping | Settings):
            words = f"must be off or a mapping of settings ({{}} takes all defaults), got {shown(given)}"
            problems.append(_problem((name,), given, words))
        else:
            problems += _of_no_kind(name, given)
    return problems


def _of_no_kind(name: str, given: Mapping[str, object] | Settings) -> list[InitErrorDetails]:
    known = registry.names("tiers")
    kinds = f"kinds are {', '.join(known)}"
    kind = given.get("kind") if isinstance(given, Mapping) else given.kind
    if kind is not None and kind not in known:
        hint = did_you_mean(kind, list(known)) if isinstance(kind, str) else ""
        return [_problem((name, "kind"), kind, f"{shown(kind)} is no kind of tier: {kinds}{hint}")]
    if kind_of(name, given) not in known:
        hint = did_you_mean(name, list(known))
        return [_problem((name,), name, f"{name!r} is no kind of tier, so it must say its kind: {kinds}{hint}")]
    return []


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
    terms, shape = tuple(part.term for part in settings.terms), getattr(settings, "shape", "")
    named = shape if isinstance(shape, str) else ""
    return str(sold.unfit(settings.BOUGHT, getattr(settings, "engine", ""), named, terms))


def _dangling(found: Mapping[str, Settings], kinds: Mapping[str, str]) -> list[InitErrorDetails]:
    """Return a problem for each field that names an instance which is not there, or of another kind."""
    problems = []
    for name, settings in found.items():
        for field, kind in settings.REFERS.items():
            target = getattr(settings, field)
            known = [other for other, its in kinds.items() if its == kind]
            if target is not None and target not in known:
                problems.append(_problem((name, field), target, nobody(kind, known, target)))
            elif field == "nodes_of" and target is not None and (host := found.get(target)) and not host.has_nodes:
                problems.append(_problem((name, field), target, f"must name {_no_host(name, target, host)}"))
    return problems


def _no_host(name: str, target: str, host: Settings) -> str:
    """Return why an instance can have no pods on the nodes of another, which has none."""
    why = "that is itself" if target == name else "it names another" if host.leans else "it is serverless"
    return f"a service with nodes of its own, and {target} has none: {why}"


def _twice(classes: Mapping[str, type[Settings]]) -> list[InitErrorDetails]:
    """Return a problem for each instance of a kind that a scenario may have once."""
    first: dict[str, str] = {}
    problems = []
    for name, settings in classes.items():
        if settings.SEVERAL:
            continue
        if settings.KIND in first:
            what = f"a scenario has one {settings.KIND}, and {first[settings.KIND]} is it already"
            problems.append(_problem((name,), name, what))
        first.setdefault(settings.KIND, name)
    return problems
