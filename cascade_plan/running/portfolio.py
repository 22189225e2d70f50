"""From systems to what they come to together: planned wherever they are, kept in a journal, written in their order."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from hashlib import sha256

from cascade_plan import __version__
from cascade_plan.choosing.portfolio.gates import Limit
from cascade_plan.choosing.portfolio.questions import QUESTIONS
from cascade_plan.choosing.portfolio.totals import Totals
from cascade_plan.inputs.portfolios import Source
from cascade_plan.model.portfolio import REGION, Portfolio, Row, row_of
from cascade_plan.prices import cache
from cascade_plan.running import cluster, cores, here, keeping
from cascade_plan.running.answering import Setup, book_of
from cascade_plan.running.feeding import Feed
from cascade_plan.running.journal import ENDING, Journal


@dataclass(frozen=True, slots=True)
class Where:
    """Where systems are planned."""

    workers: int
    """Processes on this machine; 1 is this process alone."""
    scheduler: str = ""
    """The address of a Dask scheduler, "local" for one on this machine; empty for none."""


@dataclass(frozen=True, slots=True)
class Told:
    """Who is told how far it has come."""

    begun: Callable[[int, int], None]
    """Told once: how many systems there are, and how many of them a journal has already."""
    advanced: Callable[[int], None]
    """Told how many more are done."""


def run(source: Source, setup: Setup, limits: Sequence[Limit], rows: str, where: Where, told: Told) -> Portfolio:
    """Return what all systems come to, and write a row of each to the file `rows`, unless that is "".

    Beside that file a journal holds the rows so far; where there is one of the same systems, prices and options, only
    what it lacks is planned. Raises UsageError for a journal of others, CloudError for a cluster that fails.
    """
    count, _ = source.known
    totals = Totals()
    with ExitStack() as stack:
        journal = stack.enter_context(closing(Journal(f"{rows}{ENDING}", digest(source, setup)))) if rows else None
        told.begun(count, 0 if journal is None else journal.done)
        done = 0
        if journal is not None:
            done = journal.done
            for line in journal.lines():
                _add(totals, line)
        for line in _planned(source, setup, where, done, count):
            if journal is not None:
                journal.add(line)
            _add(totals, line)
            told.advanced(1)
        if journal is not None:
            tags = sorted(by for by in totals.by if by != REGION)
            found = (row for line in journal.lines() for row in rows_of(line))
            keeping.write(rows, found, tags, QUESTIONS[setup.question][1])
            journal.remove()
    return totals.portfolio(setup.question, limits, book_of(setup))


def _planned(source: Source, setup: Setup, where: Where, done: int, total: int) -> Iterator[str]:
    if done >= total:
        return
    feed = Feed(source.jobs(), done, total)
    if where.scheduler:
        yield from cluster.answered(setup, feed, where.scheduler, where.workers)
    elif where.workers == 1:
        yield from here.answered(setup, feed)
    else:
        yield from cores.answered(setup, feed, where.workers)


def rows_of(line: str) -> list[Row]:
    """Return the rows that a system's line holds."""
    return [row_of(json.loads(text)) for text in line.split("\t")]


def _add(totals: Totals, line: str) -> None:
    for row in rows_of(line):
        totals.add(row)


def digest(source: Source, setup: Setup) -> str:
    """Return what the rows follow from: systems, options, prices and the program itself."""
    found = sha256(f"{__version__}\n{source.known}\n{setup}\n".encode("utf-8", "surrogateescape"))
    if setup.cached and (directory := cache.directory()).is_dir():
        for path in sorted(directory.rglob("*.yaml")):
            found.update(path.name.encode())
            found.update(path.read_bytes())
    return found.hexdigest()
