"""Secrets Manager: the passwords of databases and caches, made at the first apply and kept in no state and no plan."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cascade_plan.emitters._databases import Database, databases
from cascade_plan.emitters._secrets import Secret, admin_secret, secrets
from cascade_plan.emitters.terraform._file import File, all_of
from cascade_plan.languages.hcl import Block, Call, Expression, Value
from cascade_plan.model.plan import Plan
from cascade_plan.tiers.secrets.settings import Settings

CHARACTERS: Final = 40
"""Of a password: letters and digits, since some stand in URLs and RDS refuses four signs; 238 bits (assumption)."""
ROTATED: Final = (
    "Passwords are made once. Raise a secret's secret_string_wo_version and apply: all of it are made anew, and what "
    "AWS runs takes its own at once"
)
BY_SQL: Final = "; the other roles of SQL take theirs by ALTER ROLE"


def files(plan: Plan) -> Iterator[File]:
    """Yield the file of the secrets, where something has passwords."""
    found = (*secrets(plan), *(admin_secret(plan, database) for database in databases(plan)))
    if found:
        stores = plan.of(Settings)
        yield File(
            "secrets.tf",
            "Passwords in Secrets Manager, which no state file holds.",
            tuple(block for secret in found for block in _resources(secret)),
            deploys=tuple(name for store in stores for name in all_of(store.sized)),
            by_hand=f"{ROTATED}{BY_SQL if databases(plan) else ''}.",
        )


def arn(secret: Secret) -> str:
    """Return a secret's ARN, as an expression."""
    return f"aws_secretsmanager_secret.{secret.label}.arn"


def version(secret: Secret) -> str:
    """Return the number that says whether the passwords are still those, as an expression."""
    return f"aws_secretsmanager_secret_version.{secret.label}.secret_string_wo_version"


def password(secret: Secret, user: str = "") -> str:
    """Return a user's password as it is kept, as an expression that only write-only attributes take."""
    kept = f"ephemeral.aws_secretsmanager_secret_version.{secret.label}.secret_string"
    return f'jsondecode({kept})["{secret.password_key(user)}"]'


def admin_password(plan: Plan, database: Database) -> dict[str, Value]:
    """Return the attributes by which the master user of an instance gets its password."""
    secret = admin_secret(plan, database)
    return {"password_wo": Expression(password(secret)), "password_wo_version": Expression(version(secret))}


def _resources(secret: Secret) -> Iterator[Block]:
    label = secret.label
    for user in secret.users:
        yield Block(
            "ephemeral",
            ("aws_secretsmanager_random_password", _made(secret, user)),
            {"password_length": CHARACTERS, "exclude_punctuation": True},
        )
    yield Block(
        "resource",
        ("aws_secretsmanager_secret", label),
        {"name": secret.name, "recovery_window_in_days": 0},
        comment="Deleted at once with what it opens, so that its name is free for the next apply.",
    )
    values: dict[str, Value] = {}
    for user, name in secret.users.items():
        values[secret.username_key(user)] = name
        made = f"ephemeral.aws_secretsmanager_random_password.{_made(secret, user)}.random_password"
        values[secret.password_key(user)] = Expression(made)
    yield Block(
        "resource",
        ("aws_secretsmanager_secret_version", label),
        {
            "secret_id": Expression(f"aws_secretsmanager_secret.{label}.id"),
            "secret_string_wo": Call("jsonencode", values),
            "secret_string_wo_version": 1,
        },
    )
    yield Block(
        "ephemeral",
        ("aws_secretsmanager_secret_version", label),
        {"secret_id": Expression(f"aws_secretsmanager_secret_version.{label}.secret_id")},
        comment="Read back: what is kept is what opens, whatever else a later run draws.",
    )


def _made(secret: Secret, user: str) -> str:
    return f"{secret.label}_{user}" if user else secret.label
