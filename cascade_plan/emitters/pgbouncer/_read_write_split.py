"""read-write-split.md: which queries may go to the replicas."""

from __future__ import annotations

from cascade_plan.emitters._databases import Pool
from cascade_plan.emitters.pgbouncer._ini import entries


def render(pool: Pool, head: str) -> str:
    """Return read-write-split.md."""
    rows = "".join(
        f"| `{entry.name}` | {'replicas, in turn' if entry.name.endswith('_read') else 'primary'} "
        f"| {entry.connection_count} |\n"
        for entry in entries(pool)
    )
    table = f"| connect to | which is | connections of each process |\n|---|---|---|\n{rows}"
    title = f"{head}# Reads and writes\n\n"
    if not pool.database.replica_hosts:
        return f"{title}{table}\nThis scenario has no read replica: every query goes to the primary.\n"
    settings = pool.database.instance.settings
    delay_s = settings.statement_timeout_s
    return f"""{title}{table}
**Primary:** everything that writes; every read within a transaction that writes; `SELECT ... FOR UPDATE`; reads that
decide about a write (a quota, a unique name); a user's reads right after the same user's write.

**Replicas:** lists, searches, reports and counts that may be a moment old. A replica refuses every write, whatever the
role; for programs that only read there is a role of their own (`{settings.roles.readonly}`).

**Lag.** A replica shows what it has replayed: usually less than a second ago, up to {delay_s:g} s while a query there
conflicts with replay (`max_standby_streaming_delay`), longer when it cannot keep up. Watch `ReplicaLag` (RDS) or
`now() - pg_last_xact_replay_timestamp()`; send reads to the primary while it is above what readers accept.

**Reading one's own writes.** After a write keep `pg_current_wal_lsn()`; a replica has it once
`pg_last_wal_replay_lsn() >= $1::pg_lsn`. Simpler, and enough for most: send a user's reads to the primary for some
seconds after that user's write.

**The tenant.** `set_config` is allowed on a replica: each read there begins with its tenant as on the primary, and the
same policies hold, because they are replicated.

**Failover.** Names of hosts are resolved again by PgBouncer (`dns_max_ttl`, 15 s by default); a replica that is gone
must leave the list, as PgBouncer does not skip it.
"""
