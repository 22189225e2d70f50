"""A table in columns, as a terminal shows it."""

from __future__ import annotations

from collections.abc import Collection, Sequence


def aligned(headers: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[int]) -> str:
    """Return rows below their headers, the columns of these indexes to the right; cells stand as they are."""
    from tabulate import tabulate

    align = ["right" if index in right else "left" for index in range(len(headers))]
    return tabulate(rows, headers, tablefmt="simple", colalign=align, disable_numparse=True)
