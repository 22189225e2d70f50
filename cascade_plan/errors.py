"""Every failure and its exit code, as a tree. An error says what is wrong, where, and what is allowed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final


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
    allowed: str = ""
    """What is allowed, where it is a list that the next problem may have too; of several it is said once."""

    def __str__(self) -> str:
        return self.text()

    def text(self, is_repeated: bool = False) -> str:
        """Return the problem as a line; without what is allowed where a line before has said it."""
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        said = f"{self.field}: {self.message}" if self.field else self.message
        allowed = "" if is_repeated or not self.allowed else f"{' ' if said.endswith('?') else '; '}{self.allowed}"
        return f"{where}: {said}{allowed}"


MOST_SHOWN: Final = 10
"""Problems that a message lists: who gave the wrong file does not want to read it as errors."""


def listed(problems: Sequence[Problem]) -> list[str]:
    """Return problems as lines, the first of them, each list of what is allowed once, and how many more there are."""
    shown = problems[:MOST_SHOWN]
    first = {problem.allowed: problem for problem in reversed(shown)}
    lines = [problem.text(first[problem.allowed] is not problem) for problem in shown]
    more = len(problems) - len(shown)
    return [*lines, f"and {more:,} more"] if more else lines


class ScenarioError(UsageError):
    """A scenario or override file breaks the schema. Carries every problem found, in file order; shows the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(dict.fromkeys(problems))
        super().__init__("\n".join(listed(self.problems)))


class PriceError(CascadePlanError):
    """A price is missing, ambiguous or older than allowed."""

    exit_code = 3


class InfeasibleError(CascadePlanError):
    """No fleet meets the scenario; the message names what binds."""

    exit_code = 4


class TooSmallError(InfeasibleError):
    """A shape does not hold what it must, whatever their number; `tier` is the instance whose machines have it."""

    def __init__(self, tier: str, message: str) -> None:
        """Take the instance of a tier, and the message."""
        super().__init__(message)
        self.tier = tier


class OutgrownError(InfeasibleError):
    """A shape that the scenario names is too small, and another one would do."""

    def __init__(self, tier: str, shape: str, reason: str, message: str) -> None:
        """Take the instance of a tier, the shape that would do, what the named one does not do, and the message."""
        super().__init__(message)
        self.tier, self.shape, self.reason = tier, shape, reason


class CloudError(CascadePlanError):
    """The network or the cloud's API failed."""

    exit_code = 5


def did_you_mean(word: str, known: list[str]) -> str:
    """Return "; did you mean 'x'?" for the nearest known word, whatever the case, or "" when none is near."""
    from difflib import get_close_matches

    spelled = {name.lower(): name for name in reversed(known)}
    near = get_close_matches(word.lower(), spelled, n=1, cutoff=0.6)
    return f"; did you mean {spelled[near[0]]!r}?" if near else ""
