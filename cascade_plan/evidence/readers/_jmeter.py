"""What JMeter's two forms of a JTL have in common: samples with the threads there were when each ended."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import Any, Final

from cascade_plan.errors import UsageError
from cascade_plan.evidence.samples import Samples, facts, longest
from cascade_plan.evidence.texts import Text
from cascade_plan.model.measurement import Measurement
from cascade_plan.units import counted

TRANSACTION: Final = "Number of samples in transaction"
"""How the message of a Transaction Controller's row begins: it is no request, but several."""
LOGIN: Final = "login"
TRUTHS: Final = {"true": True, "false": False}


@dataclass(slots=True)
class Results:
    """The samples of a JTL but logins and transactions, with how many of those there were."""

    samples: Samples = field(default_factory=Samples)
    threads: array[int] = field(default_factory=lambda: array("q"))
    """All threads there when each sample ended; empty where a sample does not tell."""
    logins: int = 0
    transactions: int = 0
    tells_threads: bool = True

    def add(
        self, label: str, message: str, started_ms: float, elapsed_ms: float, is_success: bool, threads: int
    ) -> None:
        """Add a sample; -1 threads where it does not tell."""
        if message.startswith(TRANSACTION):
            self.transactions += 1
        elif label.lower() == LOGIN:
            self.logins += 1
        else:
            self.samples.add((started_ms + elapsed_ms) / 1000, elapsed_ms, not is_success)
            self.threads.append(threads)
            self.tells_threads = self.tells_threads and threads >= 0


def measured(file: Text, form: str, found: Results) -> Measurement:
    """Return what JMeter measured while all threads were there. Raises UsageError when it made no request."""
    import numpy as np

    if not found.samples.at_s:
        only = " but transactions: have JMeter save their samples too" if found.transactions else ""
        raise UsageError(f"{file.name}: no request was made{only}, so there is nothing to judge")
    at_s = np.asarray(found.samples.at_s)
    users, hold = None, None
    if found.tells_threads:
        threads = np.asarray(found.threads)
        order = np.argsort(at_s, kind="stable")
        users = int(threads.max())
        hold = longest(at_s[order], threads[order] == users)
    told: dict[str, Any] = dict(facts(found.samples, hold))
    run_s = float(at_s.max() - at_s.min())
    span_s = run_s if hold is None else hold[1] - hold[0]
    return Measurement(
        tool="JMeter",
        results=f"JMeter's JTL ({form})",
        source=file.name,
        user_count=users,
        held_s=None if hold is None else span_s,
        held_from_s=None if hold is None else hold[0],
        run_s=run_s,
        requests_per_s=told["request_count"] / span_s if span_s else None,
        rate_includes_ramp=hold is None,
        includes=("the first seconds with all users",) if hold else (),
        may_include=(
            *(() if found.logins else ("logins",)),
            *(() if hold else ("the ramp", "the first seconds with all users")),
        ),
        remarks=(
            *((f"{counted(found.logins, 'sample')} named login left out",) if found.logins else ()),
            *((f"{counted(found.transactions, 'row')} of a transaction left out",) if found.transactions else ()),
            "percentiles are the nearest rank's of the samples",
        ),
        **told,
    )
