"""What is being done in processes of their own: how far each is, what came of it, and an end to it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from threading import Lock, Thread
from time import monotonic
from typing import Any, Final

from cascade_plan.errors import UsageError, did_you_mean
from cascade_plan.exploring import work
from cascade_plan.inputs.choice import Choice

AT_ONCE: Final = 2
"""Jobs that run at a time."""
KEPT: Final = 10
"""Jobs whose results are remembered."""
ENDED: Final = "it ended without a result"


@dataclass(slots=True)
class Job:
    """A process and what it has said so far."""

    process: BaseProcess
    began_s: float
    """By a clock that only runs forward."""
    status: str = "running"
    """running, done, failed or cancelled."""
    said: str = "starting"
    done_share: float = 0.0
    result: Any = None
    error: str = ""
    took_s: float = 0.0

    def answer(self) -> dict[str, Any]:
        """Return how far it is, as JSON has it."""
        is_running = self.status == "running"
        return {
            "status": self.status,
            "said": self.said,
            "share": min(1.0, self.done_share),
            "seconds": round(monotonic() - self.began_s if is_running else self.took_s, 1),
            "result": self.result,
            "error": self.error,
        }

    def end(self, status: str) -> None:
        """Let it be over, by the first that says so."""
        if self.status == "running":
            self.status, self.took_s = status, monotonic() - self.began_s


class Jobs:
    """The jobs of a page."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._lock = Lock()

    def start(self, kind: str, choice: Choice, posted: Mapping[str, Any]) -> str:
        """Return the name of a job that has begun. Raises UsageError for an unknown one, and where enough run."""
        if kind not in work.KINDS:
            known = list(work.KINDS)
            raise UsageError(f"no job {kind!r}: known are {', '.join(known)}{did_you_mean(kind, known)}")
        with self._lock:
            if sum(job.status == "running" for job in self._jobs.values()) >= AT_ONCE:
                raise UsageError(f"{AT_ONCE} jobs are running already: cancel one, or wait")
            # A fresh interpreter: a fork of a process with threads may never wake up.
            context = get_context("spawn")
            receiver, sender = context.Pipe(duplex=False)
            process = context.Process(target=work.run, args=(sender, kind, choice.quiet(), dict(posted)), daemon=True)
            process.start()
            sender.close()
            name = secrets.token_hex(8)
            self._jobs[name] = Job(process, monotonic())
            while len(self._jobs) > KEPT:
                self._forget_oldest()
        Thread(target=_listen, args=(self._jobs[name], receiver), daemon=True).start()
        return name

    def _forget_oldest(self) -> None:
        """Forget the oldest job that is over."""
        del self._jobs[next(name for name, job in self._jobs.items() if job.status != "running")]

    def answer(self, name: str) -> dict[str, Any]:
        """Return how far a job is. Raises UsageError for one that is not known."""
        return self._job(name).answer()

    def cancel(self, name: str) -> dict[str, Any]:
        """End a job, whatever it is at, and return how far it was. Raises UsageError for one that is not known."""
        job = self._job(name)
        job.end("cancelled")
        _end(job.process)
        return job.answer()

    def stop(self) -> None:
        """End every job."""
        for job in self._jobs.values():
            job.end("cancelled")
            _end(job.process)

    def _job(self, name: str) -> Job:
        if (job := self._jobs.get(name)) is None:
            raise UsageError("there is no such job any more")
        return job


def _end(process: BaseProcess) -> None:
    """End a process, and wait until it is gone."""
    if process.is_alive():
        process.terminate()
        process.join(2)
    if process.is_alive():
        process.kill()
        process.join(2)


def _listen(job: Job, receiver: Connection) -> None:
    """Take down what a process says, until it says no more."""
    with suppress(EOFError, OSError):
        while job.status == "running":
            kind, *rest = receiver.recv()
            if kind == "progress":
                job.said, job.done_share = str(rest[0]), job.done_share + float(rest[1])
            elif kind == "done":
                job.result = rest[0]
                job.end("done")
            else:
                job.error = str(rest[0])
                job.end("failed")
    receiver.close()
    if job.status == "running":
        job.error = ENDED
        job.end("failed")
    _end(job.process) if job.status == "cancelled" else job.process.join(5)
