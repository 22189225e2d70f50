"""Markdown as GitHub renders it: escaped text, tables, and Mermaid charts of bars or lines."""

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
BEGINNING: Final = re.compile(r"^([0-9]*)([.)](?=\s|$)|(?<![0-9])[#+:=-])")
"""What makes a paragraph's first characters more than text: escaped ones are punctuation still."""
PLAIN: Final = re.compile(r"[A-Za-z0-9 ._:/{}=<>,+-]+")
COLOURS: Final = ("#1f77b4", "#d62728")
"""Of a chart's lines, in their order: each is seen on a white page and on a dark one."""
COLOURED: Final = f'%%{{init: {{"themeVariables": {{"xyChart": {{"plotColorPalette": "{", ".join(COLOURS)}"}}}}}}}}%%'
"""Mermaid's own first colour is nearly white."""


ACTS: Final = re.compile(
    r"@(?=\w)|[#!~%](?=[\w\"])|&amp;(?=\w)|(?<![A-Za-z0-9])GH-(?=\d)|:(?=//)|:(?=(?!\d+:)[\w+-]+:|100:|1234:)|www(?=\.)",
    re.IGNORECASE,
)
"""What a host of pull requests reads as more than text, once it is rendered: mentions, references, addresses, emoji."""
APART: Final = "&#8203;"
"""A space without width: what stands around it is not read as one word."""


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


def inert(text: str, begins: bool = False) -> Marked:
    """Return text as Markdown that does nothing where it is a comment on GitHub or GitLab: it calls nobody, links
    nowhere and refers to no issue. It stands within a line, or, where it `begins` one, after a list's mark.

    Escapes do not keep these from it, as a host looks for them in what is rendered.

    >>> print(inert("@all see #1 at https://a.example"))
    @&#8203;all see #&#8203;1 at https:&#8203;//a.example
    """
    if isinstance(text, Marked):
        return text
    return Marked(ACTS.sub(lambda found: found[0] + APART, paragraph(text) if begins else escaped(text)))


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


def bars(title: str, x: Sequence[str], y: str, values: Sequence[Decimal]) -> Iterator[str]:
    """Yield a Mermaid chart of a horizontal bar for each category, the first on top, and an empty line."""
    yield from _chart("xychart-beta horizontal", title, label_list(x), y, values)
    yield f"    bar [{_listed(values)}]"
    yield from ("```", "")


def xychart(title: str, x: tuple[str, Sequence[str]], y: str, lines: Sequence[Sequence[Decimal]]) -> Iterator[str]:
    """Yield a Mermaid chart of lines over categories and an empty line; `x` is the axis's title and categories."""
    categories = f"{label(x[0])} {label_list(x[1])}"
    yield from _chart("xychart-beta", title, categories, y, [value for line in lines for value in line])
    yield from (f"    line [{_listed(line)}]" for line in lines)
    yield from ("```", "")


def _chart(kind: str, title: str, x: str, y: str, values: Iterable[Decimal]) -> Iterator[str]:
    top = max(1, ceil(max(values)))
    yield from ("```mermaid", COLOURED, kind, f"    title {label(title)}")
    yield from (f"    x-axis {x}", f"    y-axis {label(y)} 0 --> {top}")


def label_list(texts: Iterable[str]) -> str:
    """Return texts as the categories of an axis."""
    return f"[{', '.join(map(label, texts))}]"


def _listed(values: Iterable[Decimal]) -> str:
    return ", ".join(f"{value:.2f}" for value in values)
