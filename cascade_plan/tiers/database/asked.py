"""What requests ask of a database, those of the jobs that they leave to workers among it."""

from __future__ import annotations

from typing import Any, NamedTuple

from cascade_plan.formulas import postgres
from cascade_plan.model.scenario import Action, Scenario


class Asked(NamedTuple):
    """What a request asks in the mean of the mix."""

    read_count: float
    """Reads that no cache answers."""
    write_count: float
    row_bytes: float
    """Of rows that are written."""
    result_bytes: float
    """Of what reads find, if a response holds what was read for it."""

    @property
    def wal_bytes(self) -> float:
        """What it adds to the log."""
        return self.row_bytes * postgres.WAL_BYTES_PER_ROW_BYTE


def asked(scenario: Scenario, database: str) -> Asked:
    """Return what a request asks of a database in the mean of the mix."""
    reads = writes = rows = results = 0.0
    for share, action in scenario.behaviour.mix:
        own, missed = scenario.reads(action, database), scenario.miss_ratio(action)
        reads += share * (own * missed + _of_jobs(scenario, action, database, "read_count"))
        writes += share * (scenario.writes(action, database) + _of_jobs(scenario, action, database, "write_count"))
        if own:
            results += share * action.response_bytes * missed * own / scenario.all_reads(action)
        if scenario.stored_in(action) == database:
            rows += share * action.database_bytes
    return Asked(reads, writes, rows, results)


def _of_jobs(scenario: Scenario, action: Action, database: str, leaf: str) -> float:
    count = 0.0
    for worker, jobs in action.jobs.items():
        settings: Any = scenario.tiers[worker]
        if (settings.database or scenario.first("database")) == database:
            count += jobs * getattr(settings, leaf)
    return count
