"""SQL text: names and texts that come back from PostgreSQL as they went in, whatever they hold."""

from __future__ import annotations

from typing import Final

from cascade_plan.errors import UsageError

LONGEST_NAME_BYTES: Final = 63
"""NAMEDATALEN - 1: PostgreSQL cuts longer names off with a notice,
https://www.postgresql.org/docs/15/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS"""


def identifier(name: str) -> str:
    """Return a name as SQL's quoted identifier, which no character in it can end.

    >>> identifier('odd"name')
    '"odd""name"'

    Raises: UsageError for a name that PostgreSQL cannot hold.
    """
    if problem := _problem(name):
        raise UsageError(problem)
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    r"""Return a text as SQL's string literal, the same whether standard_conforming_strings is on or off.

    >>> literal("it's")
    "'it''s'"
    >>> literal("a\\b")
    "E'a\\\\b'"

    Raises: UsageError for a text that PostgreSQL cannot hold.
    """
    if "\0" in text or not _encodable(text):
        raise UsageError(f"{text!r}: PostgreSQL's texts hold no NUL and no half of a surrogate pair")
    quoted = text.replace("'", "''")
    return "E'" + quoted.replace("\\", "\\\\") + "'" if "\\" in text else f"'{quoted}'"


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


def checked_identifier(name: str) -> str:
    """Return the name unchanged. Raises ValueError for one that PostgreSQL cannot hold."""
    if problem := _problem(name):
        raise ValueError(problem)
    return name


def checked_line_identifier(name: str) -> str:
    """Return the name unchanged. Raises ValueError for one that PostgreSQL, or a file of lines, cannot hold."""
    if not checked_identifier(name).isprintable():
        raise ValueError(f"{name!r} must have no line breaks or other unprintable characters")
    return name


def _problem(name: str) -> str:
    """Return why a name cannot be PostgreSQL's, "" when it can."""
    if not name:
        return "a name must not be empty"
    if "\0" in name or not _encodable(name):
        return f"{name!r} must not hold NUL or half of a surrogate pair"
    size = len(name.encode())
    return f"{name!r} has {size} bytes in UTF-8, and names at most {LONGEST_NAME_BYTES}" * (size > LONGEST_NAME_BYTES)


def _encodable(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)
