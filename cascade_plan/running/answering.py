"""A few systems -> their rows as text: what a worker does, on whatever machine it is."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from typing import Any

from cascade_plan.choosing.portfolio.questions import QUESTIONS, Asked
from cascade_plan.choosing.portfolio.rows import failure, row
from cascade_plan.errors import UsageError
from cascade_plan.files.assignments import Assignment
from cascade_plan.files.documents import Document
from cascade_plan.files.parsing import parse_yaml
from cascade_plan.inputs.environments import environments
from cascade_plan.inputs.portfolios import Job
from cascade_plan.inputs.scenarios import laid
from cascade_plan.model.portfolio import Row, row_text
from cascade_plan.model.price import Book
from cascade_plan.prices import books
from cascade_plan.prices.reading import override

BookOf = Callable[[str, str], Book]


@dataclass(frozen=True, slots=True)
class Setup:
    """What all systems of a portfolio have in common: all that a worker needs beside a system itself."""

    question: str
    base: tuple[str, str] = ("", "")
    """Text and display name of the scenario that the rows of a table change."""
    assignments: tuple[Assignment, ...] = ()
    """What flags, environment and project file lay over every system."""
    prices: tuple[str, str] | None = None
    """Text and name of a file of prices over the book."""
    cached: bool = True
    """Whether prices that were fetched count."""
    env: str | None = None
    as_of: date | None = None


def lines_of(setup: Setup, jobs: Sequence[Job]) -> list[str]:
    """Return a line of text for each system: its rows, of which it has several where its file has environments."""
    prepared()
    return ["\t".join(map(row_text, _rows(setup, job))) for job in jobs]


def lost(setup: Setup, job: Job, times: int) -> str:
    """Return the line of a system whose planning ended the process it ran in, every time."""
    error = RuntimeError(f"the process that planned it ended without an answer, {times} times")
    return row_text(failure(job.place, job.place, {}, error))


def _rows(setup: Setup, job: Job) -> Iterator[Row]:
    document: Document | None = None
    try:
        if job.problem:
            raise UsageError(job.problem)
        document = parse_yaml(job.text, job.place) if job.text else base(*setup.base)
        names: Sequence[str | None] = (setup.env,) if setup.env is not None else environments(document) or (None,)
    except Exception as error:
        yield failure(job.place, *_called(job, document), error)
        return
    for env in names:
        yield _row(setup, job, document, env)


def _row(setup: Setup, job: Job, document: Document, env: str | None) -> Row:
    try:
        half = laid(document, (*job.assignments, *setup.assignments), book_of(setup), setup.cached, env)
        given = half.given
        answer = QUESTIONS[setup.question][0](Asked(given.scenario, given.book, given.origins, setup.as_of))
        half.check_gates(answer.plan.figures)
        return row(job.place, answer, given.book)
    except Exception as error:
        return failure(job.place, *_called(job, document, env), error)


def _called(job: Job, document: Document | None, env: str | None = None) -> tuple[str, dict[str, str]]:
    """Return the name and the tags of a system that cannot be planned, as far as they can be told."""
    data: dict[str, Any] = {} if document is None else document.data
    given = {each.path: each.value.strip("\"'") for each in job.assignments}
    name = given.get("name", data.get("name"))
    tags = data.get("tags")
    found = dict(tags) if isinstance(tags, dict) else {}
    found |= {path[5:]: value for path, value in given.items() if path.startswith("tags.")}
    whole = {str(key): str(value) for key, value in found.items() if isinstance(value, str)}
    called = str(name) if isinstance(name, str) and name else job.place
    return (f"{called}-{env}" if env else called), whole


@lru_cache(maxsize=1)
def base(text: str, name: str) -> Document:
    """Return the scenario that the rows of a table change, read once."""
    return parse_yaml(text, name)


def book_of(setup: Setup) -> BookOf:
    """Return what gives the prices of a cloud's region, each read once."""
    return lambda cloud, region: _book(cloud, region, setup.prices, setup.cached)


@lru_cache(maxsize=64)
def _book(cloud: str, region: str, prices: tuple[str, str] | None, cached: bool) -> Book:
    found = books.book(cloud, region, cached)
    return found if prices is None else override(found, *prices)


@cache
def prepared() -> None:
    """Import what planning needs, once a process, and keep it from the collector.

    A plan leaves many objects behind; the collector, which looks for those among them that refer to each other, would
    look at everything that is imported again and again, at twice the cost of the plan itself.
    """
    from cascade_plan.inputs.scenarios import read
    from cascade_plan.planning.pipeline import plan

    given = read("cascade", cached=False)
    plan(given.scenario, given.book)
    gc.collect()
    gc.freeze()
