"""Text cut, or folded at its spaces, to the columns it has."""

from __future__ import annotations

from unicodedata import category, east_asian_width


def cell_width(character: str) -> int:
    """Return how many columns of a terminal a character takes."""
    if category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


def shown_width(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return len(text) if text.isascii() else sum(map(cell_width, text))


def folded(text: str, width: int, indent: str = "") -> list[str]:
    """Return a text in lines of at most so many columns, broken at its spaces only; later lines begin with `indent`.

    A word that is wider than that has a line of its own. An empty text is one empty line.
    """
    words = text.lstrip(" ")
    lines, line = [], " " * (len(text) - len(words))
    for word in words.split(" "):
        joined = f"{line} {word}" if line.strip() else line + word
        if line.strip() and shown_width(joined) > width:
            lines.append(line.rstrip())
            joined = indent + word
        line = joined
    return [unmistaken(each) for each in (*lines, line.rstrip())]


def unmistaken(line: str) -> str:
    """Return a line that no log takes as a command: GitHub's begin with two colons, after any white space."""
    words = line.lstrip()
    return f"{line[: len(line) - len(words)]}\\{words}" if words.startswith("::") else line


def hanging(line: str, width: int, indent: str) -> list[str]:
    """Return a line folded to so many columns; all keep the spaces it begins with, later ones have `indent` after."""
    body = line.lstrip(" ")
    lead = line[: len(line) - len(body)]
    return [f"{lead}{part}" for part in folded(body, width - len(lead), indent)]


def fitted(text: str, width: int) -> str:
    """Return text cut to so many columns, an ellipsis for what is cut; wide characters take two."""
    if shown_width(text) <= width:
        return text
    kept, used = "", 0
    for character in text:
        used += cell_width(character)
        if used > width - 1:
            break
        kept += character
    return f"{kept.rstrip()}…" if width > 0 else ""
