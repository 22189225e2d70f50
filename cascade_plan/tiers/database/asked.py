"""What requests ask of a database, those of the jobs that they leave to workers among it."""

from __future__ import annotations

from typing import Any, NamedTuple

from cascade_plan.formulas import postgres
from cascade_plan.model.scenario import Action, Scenario
from cascade_plan.tiers.database.service import read_time, write_time


class Asked(NamedTuple):
    """What a request asks in the mean of the mix."""

    read_count: float
    """Reads that no cache answers."""
    write_count: float
    read_cpu_s: float
    """CPU time of those reads on what it was measured on, each as long as its action's are."""
    write_cpu_s: float
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
    settings: Any = scenario.tiers[database]
    reads = writes = read_s = write_s = rows = results = 0.0
    for share, action in scenario.behaviour.mix:
        own, missed = scenario.reads(action, database), scenario.miss_ratio(action)
        singly, written = scenario.rows(action, database), scenario.writes(action, database)
        read_by_jobs, written_by_jobs = (
            _of_jobs(scenario, action, database, leaf) for leaf in ("read_count", "write_count")
        )
        reads += share * (own * missed + read_by_jobs)
        writes += share * (written + written_by_jobs)
        its_own_s = (own - singly) * missed * read_time(settings, 1.0, action.read_ms).mean_s
        read_s += share * (its_own_s + (singly * missed + read_by_jobs) * read_time(settings, 1.0).mean_s)
        its_own_s = written * write_time(settings, 1.0, action.write_ms).mean_s
        write_s += share * (its_own_s + written_by_jobs * write_time(settings, 1.0).mean_s)
        if own:
            results += share * action.response_bytes * missed * own / scenario.all_reads(action)
        if scenario.stored_in(action) == database:
            rows += share * action.database_bytes
    return Asked(reads, writes, read_s, write_s, rows, results)


def _of_jobs(scenario: Scenario, action: Action, database: str, leaf: str) -> float:
    count = 0.0
    for worker, jobs in action.jobs.items():
        settings: Any = scenario.tiers[worker]
        if (settings.database or scenario.first("database")) == database:
            count += jobs * getattr(settings, leaf)
    return count
