"""Systems handed out in chunks, whose answers come back in any order and are passed on in theirs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from cascade_plan.inputs.portfolios import Job

CHUNK_S: Final = 0.5
"""How long a chunk should take: to send it and its answer back takes some milliseconds, a hundredth of that."""
FIRST: Final = 4
MOST: Final = 1000
AHEAD: Final = 20_000
"""Systems that are handed out before the oldest one is answered: more would only fill memory."""


class Feed:
    """The systems that are left to plan, in chunks of about CHUNK_S."""

    def __init__(self, jobs: Iterator[Job], done: int, total: int) -> None:
        """Take the systems, of which the first `done` are answered already."""
        self._jobs = islice(jobs, done, None)
        self._again: list[list[Job]] = []
        self._waiting: dict[int, str] = {}
        self._taken = done
        self._passed = done
        self._total = total
        self._seconds_each = 0.0

    @property
    def is_empty(self) -> bool:
        """Whether every system has been handed out."""
        return not self._again and self._taken >= self._total

    def take(self, workers: int) -> list[Job]:
        """Return the next systems for one of so many workers; none where all are out, or the oldest must come first."""
        if self._again:
            return self._again.pop()
        found = list(islice(self._jobs, self._size(workers)))
        self._taken += len(found)
        return found

    def _size(self, workers: int) -> int:
        room = AHEAD - (self._taken - self._passed)
        paced = round(CHUNK_S / self._seconds_each) if self._seconds_each else FIRST
        # The last chunks are small, so that no worker waits long for another one.
        last = -(-(self._total - self._taken) // (2 * workers))
        return max(0, min(room, max(1, min(paced, MOST, last))))

    def give_back(self, jobs: list[Job]) -> None:
        """Take back systems without an answer: each is handed out alone, to know which one of them has none."""
        self._again += [[job] for job in reversed(jobs)]

    def answered(self, jobs: list[Job], lines: list[str], seconds: float) -> Iterator[str]:
        """Yield the lines that are next in order, now that these are answered in so many seconds."""
        each = seconds / len(jobs)
        self._seconds_each = each if not self._seconds_each else 0.7 * self._seconds_each + 0.3 * each
        self._waiting |= {job.at: line for job, line in zip(jobs, lines, strict=True)}
        while (line := self._waiting.pop(self._passed, None)) is not None:
            self._passed += 1
            yield line
