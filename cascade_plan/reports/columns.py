"""A table in columns, as wide as a terminal: columns are dropped, then cells folded at spaces; no word is broken."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from cascade_plan.reports._fitting import folded, shown_width, unmistaken

WIDTH: Final = 80
"""Columns of a page whose reader's terminal is not known."""
GAP: Final = 2


def aligned(
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    right: Collection[int],
    width: int = WIDTH,
    drop: Sequence[int] = (),
    ruled: bool = True,
) -> str:
    """Return rows below their headers, the columns of these indexes to the right, without a line's end at the end.

    What is wider than `width` loses the columns of `drop`, the first of them first, until it fits; then headers, then
    cells of text are folded at their spaces. Numbers are never folded, and no word is broken: a table whose words are
    wider than the page is as wide as its words. Headers may be empty: then there is no line of them. A `ruled` table
    has a line below them.
    """
    kept = list(range(max(map(len, (headers, *rows)), default=0)))
    for index in drop:
        if _total(_unfolded(headers, rows, kept, right)) <= width:
            break
        kept.remove(index)
    numbers = {place for place, index in enumerate(kept) if index in right}
    head = [headers[index] for index in kept] if headers else []
    body = [[row[index] for index in kept] for row in rows]
    widths = _fitted(head, body, numbers, width)
    lines = [line for row in body for line in _lines(row, widths, numbers)]
    if head:
        rule = [(" " * GAP).join("-" * each for each in widths)] if ruled else []
        lines = [*_lines(head, widths, numbers), *rule, *lines]
    return "\n".join(lines)


def _natural(headers: Sequence[str], rows: Sequence[Sequence[str]], kept: Sequence[int]) -> list[int]:
    """Return the width of each kept column's widest cell."""
    every = [headers, *rows] if headers else rows
    return [max((shown_width(row[index]) for row in every), default=0) for index in kept]


def _unfolded(
    headers: Sequence[str], rows: Sequence[Sequence[str]], kept: Sequence[int], right: Collection[int]
) -> list[int]:
    """Return the width each kept column needs for its cells to stand on one line; headers of numbers may be folded."""
    natural = _natural(headers, rows, kept)
    return [
        _least(headers, rows, index, True) if index in right else wide
        for index, wide in zip(kept, natural, strict=True)
    ]


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1)


def _fitted(head: Sequence[str], body: Sequence[Sequence[str]], numbers: Collection[int], width: int) -> list[int]:
    """Return column widths: the widest column that can be folded is narrowed first."""
    widths = _natural(head, body, range(len(head or body[0]))) if head or body else []
    least = [_least(head, body, index, index in numbers) for index in range(len(widths))]
    while _total(widths) > width:
        wide = [index for index in range(len(widths)) if widths[index] > least[index]]
        if not wide:
            break
        widths[max(wide, key=widths.__getitem__)] -= 1
    every = [head, *body] if head else body
    return [
        max(shown_width(line) for row in every for line in folded(row[index], wide))
        for index, wide in enumerate(widths)
    ]


def _least(head: Sequence[str], body: Sequence[Sequence[str]], index: int, is_number: bool) -> int:
    """Return the width below which a column would break a word, or a number."""
    parts = [row[index] if is_number else _longest(row[index]) for row in body]
    return max(map(shown_width, (*parts, *(_longest(title) for title in head[index : index + 1]))), default=0)


def _longest(cell: str) -> str:
    return max(cell.split(" "), key=shown_width)


def _lines(row: Sequence[str], widths: Sequence[int], numbers: Collection[int]) -> Iterator[str]:
    """Yield the lines of a row."""
    cells = [folded(cell, width) for cell, width in zip(row, widths, strict=True)]
    for place in range(max(map(len, cells), default=0)):
        parts = [cell[place] if place < len(cell) else "" for cell in cells]
        padded = [
            " " * (widths[index] - shown_width(part)) + part
            if index in numbers
            else part + " " * (widths[index] - shown_width(part))
            for index, part in enumerate(parts)
        ]
        yield unmistaken((" " * GAP).join(padded).rstrip())
