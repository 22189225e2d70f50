"""Systems planned by the workers of a Dask cluster, or of one that is started on this machine for them."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Final

from cascade_plan import __version__
from cascade_plan.errors import CloudError, UsageError
from cascade_plan.inputs.portfolios import Job
from cascade_plan.running.answering import Setup, lines_of, lost
from cascade_plan.running.feeding import Feed

LOCAL: Final = "local"
"""The address that stands for a cluster on this machine."""
IN_FLIGHT: Final = 3
"""Chunks for each thread of the cluster: one that it plans, and some that are on their way."""
QUIET: Final = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.scheduler.work-stealing": False,
}
"""What a cluster of one machine does not look at: each worker's stack every 10 ms, its own load, and whether a worker
could take over another's chunks, of which each has some anyway. A twelfth of the processors' time (measured)."""
CONNECT_S: Final = 10.0
"""How long a scheduler, or its first worker, is waited for (assumption)."""
TRIES: Final = 3


def answered(setup: Setup, feed: Feed, address: str, workers: int) -> Iterator[str]:
    """Yield the line of each system, in order, planned by the workers of a cluster.

    Dask plans again what a worker was lost with; what it gives up is handed out alone, and given up after three times.
    Raises UsageError where Dask is not installed, CloudError for a scheduler that does not answer, has no workers or
    other versions, and where it is lost.
    """
    distributed = _dask()
    with ExitStack() as stack:
        client = _client(distributed, address, workers, stack)
        _check_versions(client, address)
        yield from _streamed(distributed, client, setup, feed)


def _dask() -> Any:
    try:
        import distributed
    except ImportError:
        raise UsageError("--scheduler needs Dask: pip install 'cascade-plan[dask]'") from None
    return distributed


def _client(distributed: Any, address: str, workers: int, stack: ExitStack) -> Any:
    import logging

    # Dask's own words on lost workers are of no use to who asked: their systems are planned again, or have a row.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    if address == LOCAL:
        import dask

        stack.enter_context(dask.config.set(QUIET))
        cluster = stack.enter_context(
            distributed.LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                dashboard_address=None,
                memory_limit=0,
                silence_logs=logging.CRITICAL,
            )
        )
        return stack.enter_context(distributed.Client(cluster))
    try:
        client = stack.enter_context(distributed.Client(address, timeout=CONNECT_S, set_as_default=False))
        client.wait_for_workers(1, timeout=CONNECT_S)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CloudError(f"--scheduler {address}: no scheduler with a worker answers there: {reason}") from None
    return client


def _check_versions(client: Any, address: str) -> None:
    """Raise CloudError where a worker has other versions than this process: its rows might be others."""
    own = _versions()
    try:
        found = client.run(_versions)
    except Exception as error:
        raise CloudError(
            f"--scheduler {address}: its workers do not run cascade-plan ({type(error).__name__}): install "
            f"{own[0]} on them"
        ) from None
    for worker, versions in sorted(found.items()):
        if versions != own:
            theirs, ours = (f"cascade-plan {each[0]} on Python {each[1]}" for each in (versions, own))
            raise CloudError(f"--scheduler {address}: the worker {worker} has {theirs}, and this is {ours}")


def _versions() -> tuple[str, str]:
    return __version__, ".".join(map(str, sys.version_info[:2]))


def _streamed(distributed: Any, client: Any, setup: Setup, feed: Feed) -> Iterator[str]:
    flying: dict[Any, list[Job]] = {}
    ended: dict[int, int] = {}
    while True:
        threads = max(1, sum(client.nthreads().values()))
        while len(flying) < IN_FLIGHT * threads and (jobs := feed.take(threads)):
            flying[client.submit(_timed, setup, jobs, pure=False)] = jobs
        if not flying:
            return
        for future in _done(distributed, client, flying):
            yield from _taken(setup, feed, future, flying.pop(future), ended)
            future.release()


def _done(distributed: Any, client: Any, flying: dict[Any, list[Job]]) -> list[Any]:
    """Return the futures that have ended. Raises CloudError where the scheduler is lost."""
    try:
        found = list(distributed.wait(list(flying), return_when="FIRST_COMPLETED").done)
    except (OSError, distributed.CancelledError) as error:
        raise CloudError(f"the scheduler was lost: {error}") from None
    if client.status != "running" or any(future.status == "cancelled" for future in found):
        raise CloudError("the scheduler was lost")
    return found


def _taken(setup: Setup, feed: Feed, future: Any, jobs: list[Job], ended: dict[int, int]) -> Iterator[str]:
    if future.status == "finished":
        lines, seconds = future.result()
        yield from feed.answered(jobs, lines, seconds)
        return
    if len(jobs) == 1:
        (job,) = jobs
        ended[job.at] = ended.get(job.at, 0) + 1
        if ended[job.at] >= TRIES:
            yield from feed.answered(jobs, [lost(setup, job, TRIES)], 0.0)
            return
    feed.give_back(jobs)


def _timed(setup: Setup, jobs: list[Job]) -> tuple[list[str], float]:
    begun = time.perf_counter()
    lines = lines_of(setup, jobs)
    return lines, time.perf_counter() - begun
