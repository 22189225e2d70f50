"""Colour for a report in plain text: a terminal shows the same words as a file, some of them in colour."""

from __future__ import annotations

from typing import Final

BOLD: Final = "1"
DIM: Final = "2"
STYLES: Final = {"✓": "32", "✗": "1;31", "?": "33", "!": "33", "warning": "33"}
"""First word of a line -> how it is written (ECMA-48, Select Graphic Rendition)."""
HEADINGS: Final = {"tier", "total", "gates", "findings"}


def coloured(text: str) -> str:
    """Return a report in colour: marks in theirs, the first line and headings bold, what comes next dim."""
    first, newline, rest = text.partition("\n")
    return f"\x1b[{BOLD}m{first}\x1b[0m{newline}" + "".join(_line(line) for line in rest.splitlines(keepends=True))


def _line(line: str) -> str:
    word = (line.split(maxsplit=1) or [""])[0]
    style = STYLES.get(word) or (BOLD if word in HEADINGS else DIM if word in ("next:", "no") else "")
    bare = line.rstrip("\n")
    return f"\x1b[{style}m{bare}\x1b[0m{line[len(bare) :]}" if style and bare else line
