"""A file of Terraform with the variables it reads and the outputs it gives, so that all three come and go together."""

from __future__ import annotations

from dataclasses import dataclass

from cascade_plan.languages.hcl import Block, Expression, Value
from cascade_plan.model.artefact import Step
from cascade_plan.model.fleet import Sized


@dataclass(frozen=True, slots=True)
class File:
    """A file of resources."""

    path: str
    purpose: str
    blocks: tuple[Block, ...]
    variables: tuple[Block, ...] = ()
    outputs: tuple[Block, ...] = ()
    deploys: tuple[str, ...] = ()
    """What of the plan it makes, by name."""
    steps: tuple[Step, ...] = ()
    """What is done once it is applied."""
    by_hand: str = ""
    """What applying it does not do, and what to do about it."""


def variable(name: str, description: str, kind: str = "string", *, pattern: str = "", **extra: Value | None) -> Block:
    """Return a variable; without a default it must be given. A default of None is Terraform's null.

    A pattern (of RE2, without quotes or backslashes) is what a text must match, so that a wrong one fails before
    anything is made.
    """
    attributes: dict[str, Value] = {"description": description, "type": Expression(kind)}
    if "default" in extra:
        default = extra["default"]
        attributes["default"] = Expression("null") if default is None else default
    if not pattern:
        return Block("variable", (name,), attributes)
    matches = f'can(regex("{pattern}", var.{name}))'
    checked: dict[str, Value] = {
        "condition": Expression(f"var.{name} == null || {matches}" if "default" in extra else matches),
        "error_message": f"{name} must match {pattern}.",
    }
    return Block("variable", (name,), attributes, (Block("validation", (), checked),))


def output(name: str, description: str, expression: str) -> Block:
    """Return an output."""
    return Block("output", (name,), {"description": description, "value": Expression(expression)})


def all_of(sized: Sized) -> tuple[str, ...]:
    """Return the names of everything that is bought for an instance of a tier."""
    return (*(group.name for group in sized.groups), *(usage.name for usage in sized.usages))
