"""What of a bill is the application: by tags, by accounts, or all of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cascade_plan.errors import UsageError
from cascade_plan.model.actuals import Line

APPLICATION: Final = "application"
"""The tag that emit-infra puts on everything."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What of a bill is the application."""

    tags: Mapping[str, tuple[str, ...]]
    """Tag -> the values that it may have; all of these must be there."""
    accounts: tuple[str, ...] = ()

    def place(self, line: Line) -> str:
        """Return mine, other or untagged."""
        if self.accounts and line.account not in self.accounts:
            return "other"
        if not self.tags:
            return "mine"
        if any(name in line.tags and line.tags[name] not in values for name, values in self.tags.items()):
            return "other"
        return "mine" if all(name in line.tags for name in self.tags) else "untagged"

    @property
    def words(self) -> str:
        """What it is, such as application=cascade; "the whole bill" where nothing limits it."""
        tags = [f"{name}={value}" for name, values in self.tags.items() for value in values]
        accounts = [f"account {account}" for account in self.accounts]
        return ", ".join((*tags, *accounts)) or "the whole bill"


def tags_read(scope: Scope) -> tuple[str, ...]:
    """Return the tags that are read of a bill: those of a scope, else the one that would tell it."""
    return tuple(scope.tags) or (APPLICATION,)


def scope_of(tags: Sequence[str], accounts: Sequence[str]) -> Scope:
    """Return a scope. Raises UsageError for a tag that is not NAME=VALUE."""
    found: dict[str, tuple[str, ...]] = {}
    for text in tags:
        name, equals, value = text.partition("=")
        if not equals or not name or not value:
            raise UsageError(f"--tag {text}: write NAME=VALUE, such as --tag application=cascade")
        found[name] = (*found.get(name, ()), value)
    return Scope(found, tuple(accounts))
