"""PgBouncer's text: names, values or remarks that come back from PgBouncer as they went in, or are refused."""

from __future__ import annotations

import re
from typing import Final

from cascade_plan.errors import UsageError
from cascade_plan.languages._lines import commented

KEY: Final = re.compile(r"[0-9A-Za-z_.-]+")
"""What stands unquoted before the =. The manual also describes quoted keys; PgBouncer 1.18 refuses to load them."""


def name(text: str) -> str:
    """Return the name of a database as pgbouncer.ini's key.

    Source: https://www.pgbouncer.org/config.html, section [databases]

    Raises: UsageError for a name that is no key.
    """
    if not KEY.fullmatch(text) or text == "pgbouncer":
        raise UsageError(f"{text!r}: a database of PgBouncer is named with letters, digits and _.-, and not pgbouncer")
    return text


def literal(text: str) -> str:
    """Return a value of a connection string, quoted as libpq quotes it.

    >>> literal("it's")
    "'it''s'"

    Raises: UsageError for a text that no line can hold.
    """
    return "'" + _line(text).replace("'", "''") + "'"


def user(text: str) -> str:
    """Return a name, or a secret, as userlist.txt quotes it.

    >>> user('odd"name')
    '"odd""name"'

    Raises: UsageError for a text that no line can hold.
    """
    return '"' + _line(text).replace('"', '""') + '"'


def comment(text: str) -> str:
    """Return text as comment lines."""
    return commented(text, ";")


def _line(text: str) -> str:
    if not text.isprintable():
        raise UsageError(f"{text!r}: PgBouncer's files hold no line breaks or other unprintable characters in a name")
    return text
