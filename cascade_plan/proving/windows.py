"""Extremes of sliding windows over rows of an array, where every column is a run of its own."""

from __future__ import annotations

from math import ceil

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def row(value: float, runs: int) -> Floats:
    """Return a constant as a row: numpy takes twice as long to combine a row with a number as with a row."""
    return np.full(runs, float(value))


class Window:
    """The extreme of the last `length` rows, in two comparisons a row whatever the length.

    Rows are cut into chunks of `length`. Any window is the end of one chunk and the beginning of the next: extremes of
    ends are made once a chunk, backwards; that of the beginning grows with each row. The rows before the first are
    `fill`. Source: van Herk, Pattern Recognition Letters 13 (1992); Gil, Werman, IEEE PAMI 15 (1993).
    """

    def __init__(self, length: int, runs: int, fill: float, pick: np.ufunc) -> None:
        self.pick, self.last, self.at = pick, length - 1, 0
        # Entry i holds the chunk's row i, and before that is known the extreme of the last chunk's rows from i on.
        self.rows = [np.full(runs, fill) for _ in range(length)]
        self.best = np.empty(runs)

    def push(self, row: Floats, out: Floats) -> None:
        """Add a row and write the window's extreme to `out`."""
        at, pick, rows = self.at, self.pick, self.rows
        if not self.last:
            out[:] = row
            return
        rows[at][:] = row
        if at == 0:
            self.best[:] = row
        else:
            pick(self.best, row, out=self.best)
        if at < self.last:
            pick(self.best, rows[at + 1], out=out)
            self.at = at + 1
            return
        out[:] = self.best
        self.at = 0
        for place in range(self.last - 1, 0, -1):
            pick(rows[place], rows[place + 1], out=rows[place])


def ticks_within(seconds: float, tick_s: int) -> int:
    """Return how many ticks it takes for `seconds` to have passed: also how many ages in ticks are below `seconds`."""
    return ceil(seconds / tick_s)
