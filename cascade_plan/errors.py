"""Every failure and its exit code, as a tree. An error says what is wrong, where, and what is allowed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


class CascadePlanError(Exception):
    """The root of every failure a user can cause or meet. `exit_code` is the process's exit status."""

    exit_code: ClassVar[int] = 70


class UsageError(CascadePlanError):
    """A flag, a name or a file is not usable as given."""

    exit_code = 2


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong with a document: where it stands, which field, what is wrong and what is allowed."""

    file: str
    line: int
    """1-based; 0 where the problem has no line (a flag such as --set)."""
    column: int
    """1-based; 0 where the problem has no column."""
    field: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{where}: {self.field}: {self.message}" if self.field else f"{where}: {self.message}"


class ScenarioError(UsageError):
    """A scenario or override file breaks the schema. Carries every problem found, in file order."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class PriceError(CascadePlanError):
    """A price is missing, ambiguous or older than allowed."""

    exit_code = 3


class InfeasibleError(CascadePlanError):
    """No fleet meets the scenario; the message names what binds."""

    exit_code = 4


class CloudError(CascadePlanError):
    """The network or the cloud's API failed."""

    exit_code = 5


def did_you_mean(word: str, known: list[str]) -> str:
    """Return "; did you mean 'x'?" for the nearest known word, or "" when none is near."""
    from difflib import get_close_matches

    near = get_close_matches(word, known, n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""
