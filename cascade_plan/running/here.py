"""Systems planned in this process, one after the other."""

from __future__ import annotations

import time
from collections.abc import Iterator

from cascade_plan.running.answering import Setup, lines_of
from cascade_plan.running.feeding import Feed


def answered(setup: Setup, feed: Feed) -> Iterator[str]:
    """Yield the line of each system, in order."""
    while jobs := feed.take(1):
        begun = time.perf_counter()
        lines = lines_of(setup, jobs)
        yield from feed.answered(jobs, lines, time.perf_counter() - begun)
