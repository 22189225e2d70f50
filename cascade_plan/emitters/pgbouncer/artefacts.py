"""PgBouncer: the pools, who may connect to them, and how an application uses them."""

from __future__ import annotations

from cascade_plan.emitters._heading import heading
from cascade_plan.emitters.pgbouncer import _ini, _prepared_statements, _read_write_split
from cascade_plan.languages import ini, markdown, python
from cascade_plan.model.artefact import Artefact
from cascade_plan.model.plan import Plan

COMMAND = "database"
"""The emit- command that writes these files, and their directory."""
APPLIED_AFTER: tuple[str, ...] = ("postgres",)
"""The emitters whose files are applied before these."""


def render(plan: Plan) -> tuple[Artefact, ...]:
    """Return the files of the pool. Raises UsageError for a name that pgbouncer.ini cannot hold."""
    sized = [
        f"sized for {plan.figure('database.queries_per_s_peak'):.0f} queries/s at peak and "
        f"{plan.figure('api.replica_count.max')} API pods, PgBouncer {plan.scenario.tiers.pool.pgbouncer_version}"
    ]
    head = heading(plan, sized, ini.comment)
    return (
        Artefact(
            "pgbouncer.ini",
            _ini.pgbouncer_ini(plan, head),
            "The connection pools: `pgbouncer pgbouncer.ini`, as a user other than root.",
        ),
        Artefact(
            "userlist.txt",
            _ini.userlist(plan, head),
            "Who may connect to the pools; fill in the secrets and install it as /etc/pgbouncer/userlist.txt.",
        ),
        Artefact(
            "prepared_statements.py",
            _prepared_statements.render(plan, heading(plan, sized, python.comment)),
            "Reference for the application: a tenant for each transaction, prepared statements; import it.",
        ),
        Artefact(
            "read-write-split.md",
            _read_write_split.render(plan, heading(plan, sized, markdown.comment)),
            "Which queries may go to the replicas; to be read before connecting to a `_read` pool.",
        ),
    )
