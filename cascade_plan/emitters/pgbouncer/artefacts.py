"""PgBouncer: the pools, who may connect to them, and how an application uses them."""

from __future__ import annotations

from cascade_plan.emitters import _certificates
from cascade_plan.emitters._databases import Pool, pooled
from cascade_plan.emitters._heading import heading
from cascade_plan.emitters.pgbouncer import _ini, _prepared_statements, _read_write_split
from cascade_plan.languages import ini, markdown, python
from cascade_plan.model.artefact import Artefact
from cascade_plan.model.plan import Plan
from cascade_plan.model.titles import called

COMMAND = "database"
"""The emit- command that writes these files, and their directory."""
APPLIED_AFTER: tuple[str, ...] = ("postgres",)
"""The emitters whose files are applied before these."""
SERVES: tuple[str, ...] = ("pool",)
"""What there is nothing to do without."""
CLOUDS: tuple[str, ...] = ()
"""The only clouds it writes for; empty for any."""


def render(plan: Plan) -> tuple[Artefact, ...]:
    """Return the files of each pool that has a database behind it.

    Raises UsageError for a name that pgbouncer.ini cannot hold.
    """
    return tuple(file for pool in pooled(plan) for file in _of(plan, pool))


def _of(plan: Plan, pool: Pool) -> tuple[Artefact, ...]:
    sized = [_sized(pool)]
    head, prefix, server = heading(plan, sized, ini.comment), pool.prefix, pool.workload_name
    has_pods = bool(plan.fleet.of("cluster"))
    is_encrypted = has_pods and pool.instance.settings.client_tls != "disable"
    return (
        Artefact(
            f"{prefix}pgbouncer.ini",
            _ini.pgbouncer_ini(pool, plan.traffic.users, head),
            f"The connection pools: `pgbouncer {prefix}pgbouncer.ini`, as a user other than root.",
            config_map=server if has_pods else "",
            steps=(_certificates.step(plan, server),) if is_encrypted else (),
            gives=_certificates.gives(server, f"{server}.{plan.application}.svc.cluster.local") if is_encrypted else (),
        ),
        Artefact(
            f"{prefix}userlist.txt",
            _ini.userlist(pool, head),
            f"Who may connect to the pools; fill in the secrets and install it as /etc/pgbouncer/{prefix}userlist.txt.",
        ),
        Artefact(
            # A module's name holds no dash.
            f"{prefix.replace('-', '_')}prepared_statements.py",
            _prepared_statements.render(pool, heading(plan, sized, python.comment)),
            "Reference for the application: a tenant for each transaction, prepared statements; import it.",
        ),
        Artefact(
            f"{prefix}read-write-split.md",
            _read_write_split.render(pool, heading(plan, sized, markdown.comment)),
            "Which queries may go to the replicas; to be read before connecting to a `_read` pool.",
        ),
    )


def _sized(pool: Pool) -> str:
    queries_per_s = pool.database.instance.sized.value("queries_per_s_peak")
    pods = "".join(f" and {each.replica_count_max} {called(each.tier)} pods" for each in pool.clients)
    return (
        f"sized for {queries_per_s:.0f} queries/s at peak{pods}, PgBouncer {pool.instance.settings.pgbouncer_version}"
    )
