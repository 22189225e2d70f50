"""What a series is of, from the name that a label, a column or the command line gives it: WHAT, or WHAT:SUBJECT."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Final

from cascade_plan.errors import UsageError, did_you_mean
from cascade_plan.evidence.texts import quoted
from cascade_plan.model.observation import SERIES, Measure

NEAR: Final = 0.8
"""How like a known word another is that is taken for its misspelling, not for the name of a tier."""
UNSAID: Final = Measure("")
"""What a file is meant to be of where nothing but the file itself says it."""


def measure(name: str) -> Measure:
    """Return what a name says; raises ValueError, in words, for what is no measure.

    >>> measure("cores:api")
    Measure(what='cores', subject='api')
    >>> measure("route_requests_per_s:GET /rooms:list").subject
    'GET /rooms:list'
    """
    what, _, subject = name.partition(":")
    if what not in SERIES:
        raise ValueError(f"{quoted(what)} is nothing that is measured{did_you_mean(what, list(SERIES))}")
    return of(what, subject)


def of(what: str, subject: str) -> Measure:
    """Return a measure of a subject. Raises ValueError for one with characters that do not show."""
    if not subject.isprintable():
        raise ValueError(f"{quoted(subject)} has characters that do not show")
    return Measure(what, subject.strip())


def meant(name: str) -> Measure:
    """Return what a file is said to hold: WHAT, WHAT:SUBJECT, or a subject alone for a file that tells the rest.

    >>> meant("cores:api"), meant("database")
    (Measure(what='cores', subject='api'), Measure(what='', subject='database'))

    Raises UsageError for what is neither.
    """
    what, colon, _ = name.partition(":")
    try:
        if what in SERIES:
            return measure(name)
    except ValueError as error:
        raise UsageError(str(error)) from None
    if colon or not what.isprintable() or get_close_matches(what, SERIES, n=1, cutoff=NEAR):
        raise UsageError(f"{quoted(what)} is nothing that is measured{did_you_mean(what, list(SERIES))}")
    return Measure("", name)


def settled(told: Measure, said: Measure, where: str) -> Measure:
    """Return what a series is of by what its file tells and what is said of the file, of which each may lack a part.

    Raises UsageError where the two contradict each other.
    """
    for mine, other in zip(told, said, strict=True):
        if mine and other and mine != other:
            raise UsageError(f"{where} is {told} by itself, and {said} by what is said of it")
    return Measure(told.what or said.what, told.subject or said.subject)
