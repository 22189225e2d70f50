"""SQL text: names and texts that come back from PostgreSQL as they went in, whatever they hold."""

from __future__ import annotations

from typing import Final

from cascade_plan.errors import UsageError
from cascade_plan.languages._characters import is_storable
from cascade_plan.languages._lines import commented

LONGEST_NAME_BYTES: Final = 63
"""NAMEDATALEN - 1: PostgreSQL cuts longer names off with a notice,
https://www.postgresql.org/docs/15/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS"""


def name(text: str) -> str:
    """Return a name as SQL's quoted identifier, which no character in it can end.

    >>> name('odd"name')
    '"odd""name"'

    Raises: UsageError for a name that PostgreSQL cannot hold.
    """
    if problem := _problem(text):
        raise UsageError(problem)
    return '"' + text.replace('"', '""') + '"'


def literal(text: str) -> str:
    r"""Return a text as SQL's string literal, the same whether standard_conforming_strings is on or off.

    >>> literal("it's")
    "'it''s'"
    >>> literal("a\\b")
    "E'a\\\\b'"

    Raises: UsageError for a text that PostgreSQL cannot hold.
    """
    if not is_storable(text):
        raise UsageError(f"{text!r}: PostgreSQL's texts hold no NUL and no half of a surrogate pair")
    quoted = text.replace("'", "''")
    return "E'" + quoted.replace("\\", "\\\\") + "'" if "\\" in text else f"'{quoted}'"


def comment(text: str) -> str:
    """Return text as comment lines."""
    return commented(text, "--")


def dollar_quoted(body: str) -> str:
    """Return a body between dollar quotes whose tag does not occur in it, readable as it is.

    >>> dollar_quoted("SELECT 1"), dollar_quoted("SELECT '$body$'")
    ('$body$SELECT 1$body$', "$body1$SELECT '$body$'$body1$")
    """
    tag, number = "$body$", 0
    # A body that ends in a part of the tag would close it early, so the body is looked at with the tag behind it.
    while tag in (body + tag)[:-1]:
        number += 1
        tag = f"$body{number}$"
    return f"{tag}{body}{tag}"


def checked_identifier(text: str) -> str:
    """Return the name unchanged. Raises ValueError for one that PostgreSQL cannot hold."""
    if problem := _problem(text):
        raise ValueError(problem)
    return text


def checked_line_identifier(text: str) -> str:
    """Return the name unchanged. Raises ValueError for one that PostgreSQL, or a file of lines, cannot hold."""
    if not checked_identifier(text).isprintable():
        raise ValueError(f"{text!r} must have no line breaks or other unprintable characters")
    return text


def _problem(text: str) -> str:
    """Return why a name cannot be PostgreSQL's, "" when it can."""
    if not text:
        return "a name must not be empty"
    if not is_storable(text):
        return f"{text!r} must not hold NUL or half of a surrogate pair"
    size = len(text.encode())
    return f"{text!r} has {size} bytes in UTF-8, and names at most {LONGEST_NAME_BYTES}" * (size > LONGEST_NAME_BYTES)
