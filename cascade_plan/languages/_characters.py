"""Texts in double quotes, with the escapes that Go, HCL, PromQL or YAML read alike."""

from __future__ import annotations

from typing import Final

QUOTES: Final = '"\\'


def is_storable(text: str) -> bool:
    """Return whether a text holds no NUL and no half of a surrogate pair, which neither UTF-8 nor C's strings hold."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def printable(character: str) -> str:
    """Return a character, or its escape when it cannot be seen."""
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def quoted(text: str) -> str:
    """Return a text in double quotes on one line, what cannot be seen as escapes."""
    return '"' + "".join(f"\\{each}" if each in QUOTES else printable(each) for each in text) + '"'
