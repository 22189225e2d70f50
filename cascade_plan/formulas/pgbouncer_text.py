"""pgbouncer.ini text: names and values that come back from PgBouncer as they went in."""

from __future__ import annotations

from cascade_plan.errors import UsageError


def key(name: str) -> str:
    """Return the name of a database, quoted as SQL quotes identifiers.

    Source: https://www.pgbouncer.org/config.html, section [databases]

    >>> key('odd"name')
    '"odd""name"'

    Raises: UsageError for a name that no line can hold.
    """
    return '"' + _line(name).replace('"', '""') + '"'


def value(text: str) -> str:
    """Return a value of a connection string, quoted as libpq quotes it.

    >>> value("it's")
    "'it''s'"

    Raises: UsageError for a text that no line can hold.
    """
    return "'" + _line(text).replace("'", "''") + "'"


def _line(text: str) -> str:
    if not text.isprintable():
        raise UsageError(f"{text!r}: pgbouncer.ini holds no line breaks or other unprintable characters in a name")
    return text
