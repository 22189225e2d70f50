"""What a plan costs in a month of the calendar, as rows of FOCUS: which month, and which version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final

import typer

from cascade_plan.cli.choice import values_option
from cascade_plan.errors import UsageError, did_you_mean
from cascade_plan.inputs.choice import Choice
from cascade_plan.model.billed import VERSIONS
from cascade_plan.model.calendar import Month, following

FOCUS: Final = "focus"
MonthOption = Annotated[
    str | None,
    typer.Option(
        "--month",
        metavar="YYYY-MM",
        help="With --format focus: the month charged, by its own hours.  [default: the one after the newest price]",
    ),
]
FocusVersion = Annotated[
    str | None,
    values_option(
        "--focus-version", VERSIONS, f"With --format focus: {' or '.join(VERSIONS)}.  [default: {VERSIONS[0]}]"
    ),
]


@dataclass(frozen=True, slots=True)
class Charges:
    """What is wanted of a report of charges; nothing of any other."""

    hours: int | None = None
    """Hours of the month."""
    wishes: Mapping[str, object] = field(default_factory=dict)
    """What its `render` is told."""


def charges(choices: Sequence[Choice], format_: str, month: str | None, version: str | None) -> Charges:
    """Return what month and which version is wanted.

    Raises UsageError for what is none, and for either beside another format.
    """
    found = version_of(format_, version)
    if format_ != FOCUS:
        if month is not None:
            raise UsageError(f"--month {month}: goes with --format focus")
        return Charges()
    charged = _month(choices, month)
    return Charges(charged.hours, {"month": charged, "focus_version": found})


def version_of(format_: str, version: str | None) -> str:
    """Return which version of FOCUS is wanted. Raises UsageError for what is none, and for one of another format."""
    if version is not None and format_ != FOCUS:
        raise UsageError(f"--focus-version {version}: goes with --format focus")
    if version is not None and version not in VERSIONS:
        hint = did_you_mean(version, [*VERSIONS])
        raise UsageError(f"--focus-version {version}: must be {' or '.join(VERSIONS)}{hint}")
    return version or VERSIONS[0]


def _month(choices: Sequence[Choice], written: str | None) -> Month:
    if written is not None:
        return Month.parse(written, "--month ")
    days = [day for choice in choices if (day := choice.read().book.day) is not None]
    return following(max(days, default=None))
