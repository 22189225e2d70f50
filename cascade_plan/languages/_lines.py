"""Text as comment lines, in any language whose comments end with their line."""

from __future__ import annotations


def commented(text: str, mark: str) -> str:
    """Return each line of a text behind a mark. Whatever some program takes for the end of a line ends one here."""
    return "".join(f"{mark} {line}".rstrip() + "\n" for line in text.splitlines())
