"""Markdown as GitHub renders it: escaped text, tables, and the two Mermaid charts of the report."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from math import ceil
from typing import Final

from cascade_plan.reports._words import one_line

ENTITIES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
MARKUP: Final = re.compile(r"[\\`*\[\]|~]|(?<![^\W_])_|_(?![^\W_])|\$(?!\d)")
"""What Markdown reads as markup. Underscores within words and dollar signs before digits are text."""
BEGINNING: Final = re.compile(r"^([0-9]*)([#+:=.)-])")
"""What makes a paragraph's first characters more than text: escaped ones are punctuation still."""
PLAIN: Final = re.compile(r"[A-Za-z0-9 ._:/{}=<>,+-]+")


class Marked(str):
    """Text that is Markdown already and is not escaped again."""

    __slots__ = ()


def escaped(text: str) -> str:
    """Return text as Markdown that shows it unchanged, on one line; what is Markdown already stays."""
    if isinstance(text, Marked):
        return text
    return MARKUP.sub(lambda found: "\\" + found[0], one_line(text).translate(ENTITIES))


def paragraph(text: str) -> str:
    """Return text as a paragraph that begins as no heading, list, quotation or rule does, and as no workflow command.

    >>> print(paragraph("# Approved"), paragraph("::error::no"), paragraph("12. of May"))
    \\# Approved \\::error::no 12\\. of May
    """
    return BEGINNING.sub(lambda found: f"{found[1]}\\{found[2]}", escaped(text))


def code(text: str) -> Marked:
    """Return text in a code span, or escaped where a code span could not hold it (backticks, pipes)."""
    return Marked(f"`{text}`" if PLAIN.fullmatch(text) else escaped(text))


def table(headers: Sequence[str], rows: Iterable[Sequence[str]], right: Iterable[int] = ()) -> Iterator[str]:
    """Yield the lines of a table, every cell escaped, and an empty line."""
    numeric = set(right)
    rules = ["---:" if index in numeric else "---" for index in range(len(headers))]
    yield _row([escaped(header) for header in headers])
    yield _row(rules)
    for row in rows:
        yield _row([escaped(cell) for cell in row])
    yield ""


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def label(text: str) -> str:
    """Return text as a quoted Mermaid label: letters, digits and plain punctuation only."""
    return '"' + " ".join(re.sub(r"[^\w .,()/+-]", " ", one_line(text)).split()) + '"'


def pie(title: str, slices: Iterable[tuple[str, Decimal]]) -> Iterator[str]:
    """Yield a Mermaid pie and an empty line. Mermaid refuses slices of 0, which are left out."""
    yield from ("```mermaid", "pie showData", f"    title {label(title)[1:-1]}")
    for name, amount in slices:
        if (text := f"{amount:.2f}") > "0.00" and amount > 0:
            yield f"    {label(name)} : {text}"
    yield from ("```", "")


def xychart(title: str, x: tuple[str, Sequence[str]], y: str, lines: Sequence[Sequence[Decimal]]) -> Iterator[str]:
    """Yield a Mermaid chart of lines over categories and an empty line; `x` is the axis's title and categories."""
    top = max(1, ceil(max(value for line in lines for value in line)))
    yield from ("```mermaid", "xychart-beta", f"    title {label(title)}")
    yield f"    x-axis {label(x[0])} [{', '.join(label(category) for category in x[1])}]"
    yield f"    y-axis {label(y)} 0 --> {top}"
    yield from (f"    line [{', '.join(f'{value:.2f}' for value in line)}]" for line in lines)
    yield from ("```", "")
