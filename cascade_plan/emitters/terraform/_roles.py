"""IAM roles: who takes one, and the little that it may do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from cascade_plan.clouds.aws.names import aws_name
from cascade_plan.languages.hcl import Block, Call, Expression, Value
from cascade_plan.model.plan import Plan

VERSION: Final = "2012-10-17"
"""Of the language of policies."""


def service(name: str, *actions: str) -> dict[str, Value]:
    """Return that a service of AWS takes the role, by sts:AssumeRole and what else it asks."""
    return {"Effect": "Allow", "Principal": {"Service": name}, "Action": ["sts:AssumeRole", *actions]}


def may(actions: Sequence[str], things: Sequence[Value]) -> dict[str, Value]:
    """Return that a role may do something to some things, which are ARNs."""
    return {"Effect": "Allow", "Action": [*actions], "Resource": [*things]}


def taken_by(plan: Plan, label: str, taken: Value) -> Block:
    """Return a role. Its name has the region, since roles are the whole account's."""
    name = f"{plan.application}-{label.replace('_', '-')}-{plan.scenario.region}"
    return Block(
        "resource",
        ("aws_iam_role", label),
        {
            "name": aws_name(name, "role"),
            "assume_role_policy": Call("jsonencode", {"Version": VERSION, "Statement": [taken]}),
        },
    )


def role(plan: Plan, label: str, taken: Value, statements: Sequence[Value]) -> Iterator[Block]:
    """Yield a role with its policy."""
    yield taken_by(plan, label, taken)
    yield Block(
        "resource",
        ("aws_iam_role_policy", label),
        {
            "name": "own",
            "role": Expression(f"aws_iam_role.{label}.name"),
            "policy": Call("jsonencode", {"Version": VERSION, "Statement": [*statements]}),
        },
    )
