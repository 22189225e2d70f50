"""Text cut to the columns it has."""

from __future__ import annotations

from unicodedata import category, east_asian_width


def cell_width(character: str) -> int:
    """Return how many columns of a terminal a character takes."""
    if category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


def fitted(text: str, width: int) -> str:
    """Return text cut to so many columns, an ellipsis for what is cut; wide characters take two."""
    if sum(map(cell_width, text)) <= width:
        return text
    kept, used = "", 0
    for character in text:
        used += cell_width(character)
        if used > width - 1:
            break
        kept += character
    return f"{kept.rstrip()}…" if width > 0 else ""
