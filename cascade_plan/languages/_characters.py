"""Characters as the escapes that HCL has in common with Go."""

from __future__ import annotations


def printable(character: str) -> str:
    """Return a character, or its escape when it cannot be seen."""
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
