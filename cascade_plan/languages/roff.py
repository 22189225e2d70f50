"""How a value enters roff, the language of manual pages (groff_man(7), groff_char(7))."""

from __future__ import annotations


def text(value: str) -> str:
    """Return one line of text in which nothing is a request or an escape: a dash is a dash, to be copied.

    >>> text(".x -q 'a\\\\b' é")
    "\\\\&.x \\\\-q 'a\\\\eb' \\\\[u00E9]"
    """
    escaped = value.replace("\\", "\\e").replace("-", "\\-")
    plain = "".join(each if each.isascii() else f"\\[u{ord(each):04X}]" for each in escaped)
    return f"\\&{plain}" if plain[:1] in (".", "'") else plain


def quoted(value: str) -> str:
    """Return a text as one argument of a macro.

    >>> quoted('say "x"')
    '"say \\\\(dqx\\\\(dq"'
    """
    return '"' + text(value).replace('"', "\\(dq") + '"'
