"""Systems planned by several processes of this machine; one that ends without an answer is replaced."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Any, Final, cast

from cascade_plan.inputs.portfolios import Job
from cascade_plan.running.answering import Setup, lines_of, lost, prepared
from cascade_plan.running.feeding import Feed

TRIES: Final = 3
"""Processes that a system may end before it is given up."""
THREADS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""What limits the threads of a process's mathematics: there is a process for each core."""


class _Worker:
    """A process, and what it has been given to plan."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self.jobs: list[Job] = []
        self._begin()

    def _begin(self) -> None:
        # Spawned, not forked: a copy of this process would hold its locks, its open files and its threads' memory.
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self._setup), daemon=True)
        self._process.start()
        theirs.close()
        self.connection = ours

    def send(self, jobs: list[Job]) -> None:
        self.jobs = jobs
        # A process that has ended is found out where its answer is waited for.
        with suppress(OSError):
            self.connection.send(jobs)

    def answer(self) -> tuple[list[str], float] | None:
        """Return the lines and how long they took, None where the process has ended instead."""
        try:
            return cast(tuple[list[str], float], self.connection.recv())
        except (EOFError, OSError):
            return None

    def replace(self) -> None:
        self.end()
        self._begin()

    def end(self) -> None:
        self.connection.close()
        self._process.terminate()
        self._process.join()


def answered(setup: Setup, feed: Feed, workers: int) -> Iterator[str]:
    """Yield the line of each system, in order, planned by so many processes.

    Systems that a process did not answer because it ended are planned again, each alone; one that ends three processes
    has a row that says so.
    """
    pool = [_Worker(setup) for _ in range(workers)]
    ended: dict[int, int] = {}
    try:
        while True:
            for worker in pool:
                if not worker.jobs and (jobs := feed.take(workers)):
                    worker.send(jobs)
            busy = {worker.connection: worker for worker in pool if worker.jobs}
            if not busy:
                return
            for connection in wait(list(busy)):
                yield from _taken(setup, feed, busy[cast(Connection, connection)], ended)
    finally:
        for worker in pool:
            worker.end()


def _taken(setup: Setup, feed: Feed, worker: _Worker, ended: dict[int, int]) -> Iterator[str]:
    """Yield the lines that are next in order after a worker's answer, or after its end."""
    answer, jobs = worker.answer(), worker.jobs
    worker.jobs = []
    if answer is not None:
        yield from feed.answered(jobs, *answer)
        return
    worker.replace()
    if len(jobs) == 1:
        (job,) = jobs
        ended[job.at] = ended.get(job.at, 0) + 1
        if ended[job.at] >= TRIES:
            yield from feed.answered(jobs, [lost(setup, job, TRIES)], 0.0)
            return
    feed.give_back(jobs)


def _serve(connection: Any, setup: Setup) -> None:
    """Answer until nobody asks any more: whoever asked has ended, however that was."""
    # Ctrl-C reaches every process of a terminal; the one that asks decides what becomes of the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.update(dict.fromkeys(THREADS, "1"))
    prepared()
    with suppress(EOFError, OSError):
        while True:
            jobs = connection.recv()
            begun = time.perf_counter()
            lines = lines_of(setup, jobs)
            connection.send((lines, time.perf_counter() - begun))
