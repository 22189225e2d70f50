"""HTML of the Markdown that reports write: headings, paragraphs, lists, tables, code, and charts by their names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape, unescape
from typing import Final

from cascade_plan.reports.pages import Html, table

CHART: Final = "```chart "
"""What begins a line that stands for a chart: its name follows."""
TOKEN: Final = re.compile(r"\\(.)|`([^`]*)`|\*\*(.+?)\*\*|<br>", re.DOTALL)
HEADING: Final = re.compile(r"(#{1,3}) (.*)")
ITEM: Final = re.compile(r"( *)- (\[ \] )?(.*)")
TOTAL: Final = "Total"
"""The first cell of a row that stays below the others."""


def chart_line(name: str) -> Iterator[str]:
    """Yield the lines that stand for a chart in what `html` is given."""
    yield from (f"{CHART}{name}", "```", "")


def html(lines: list[str]) -> str:
    """Return lines of Markdown, as `_marked` writes it, as HTML. Nothing of them is markup that `_marked` did not make.

    A fence named chart becomes a figure; other fences, which are charts for Markdown's readers, are left out.
    """
    return "\n".join(_blocks(_split(lines)))


def _split(lines: list[str]) -> list[str]:
    return [part for line in lines for part in line.split("\n")]


def _blocks(lines: list[str]) -> Iterator[str]:
    at = 0
    while at < len(lines):
        kind, end = _kind(lines[at]), at + 1
        if kind == "fence":
            end = lines.index("```", at + 1) + 1
        elif kind in ("table", "list", "text"):
            while end < len(lines) and _kind(lines[end]) == kind:
                end += 1
        if kind:
            yield _block(kind, lines[at:end])
        at = end


def _kind(line: str) -> str:
    """Return what a line is part of; "" of nothing."""
    if line.startswith("```"):
        return "fence"
    if line.startswith("| "):
        return "table"
    if ITEM.fullmatch(line):
        return "list"
    return "heading" if HEADING.fullmatch(line) else "rule" if line == "---" else "text" if line else ""


def _block(kind: str, lines: list[str]) -> str:
    first = lines[0]
    if kind == "table":
        return _table(lines)
    if kind == "list":
        return _list(lines)
    if kind == "fence":
        name = first.removeprefix(CHART)
        return f'<figure data-chart="{escape(name)}"></figure>' if first.startswith(CHART) else ""
    found = HEADING.fullmatch(first)
    if found is not None:
        return f"<h{len(found[1])}>{spans(found[2])}</h{len(found[1])}>"
    return "<hr>" if kind == "rule" else f"<p>{' '.join(map(spans, lines))}</p>"


def spans(text: str) -> Html:
    """Return a line's text with code, emphasis and breaks as HTML.

    >>> spans("**Over** `a < b` \\\\*not\\\\* &lt;b&gt;")
    '<strong>Over</strong> <code>a &lt; b</code> *not* &lt;b&gt;'
    """
    found, at = [], 0
    for token in TOKEN.finditer(text):
        found.append(_text(text[at : token.start()]))
        at = token.end()
        if token[1] is not None:
            found.append(escape(token[1]))
        elif token[2] is not None:
            found.append(f"<code>{escape(token[2])}</code>")
        elif token[3] is not None:
            found.append(f"<strong>{spans(token[3])}</strong>")
        else:
            found.append("<br>")
    return Html("".join((*found, _text(text[at:]))))


def _text(text: str) -> str:
    return escape(unescape(text))


def _table(lines: list[str]) -> str:
    headers, rules, *rows = (_cells(line) for line in lines)
    numbers = [index for index, rule in enumerate(rules) if rule.endswith(":")]
    is_total = bool(rows) and rows[-1][0] == TOTAL
    return table([spans(each) for each in headers], [[spans(each) for each in row] for row in rows], numbers, is_total)


def _cells(line: str) -> list[str]:
    """Return the cells of a row: an escaped bar is no border."""
    inner = line.removeprefix("| ").removesuffix(" |").replace("|  |", "| |")
    found, cell = [], ""
    for part in re.split(r"(\\.|\|)", inner):
        if part == "|":
            found.append(cell.strip())
            cell = ""
        else:
            cell += part
    return [*found, cell.strip()]


def _list(lines: list[str]) -> str:
    """Return items, those that are indented as a list within the one before."""
    found: list[str] = []
    depth = 0
    for line in lines:
        item = ITEM.fullmatch(line)
        assert item is not None, line
        inner = 1 if item[1] else 0
        if inner > depth:
            found.append("<ul>")
        elif inner < depth:
            found.append("</ul>")
        depth = inner
        found.append(f"<li>{'☐ ' if item[2] else ''}{spans(item[3])}</li>")
    return f"<ul>{''.join(found)}{'</ul>' if depth else ''}</ul>"
