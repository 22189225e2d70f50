"""pgbouncer.ini and userlist.txt: transaction pooling, a pool for each class of tenants, reads apart from writes."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from cascade_plan.emitters._heading import application
from cascade_plan.emitters._sql_names import database_name
from cascade_plan.formulas import pools
from cascade_plan.languages import ini
from cascade_plan.model.plan import Plan

PREPARED = (1, 21)
"""The version that follows prepared statements in transaction pooling, https://www.pgbouncer.org/changelog.html"""
PREPARED_COUNT = 200
"""max_prepared_statements: the default since 1.24."""


@dataclass(frozen=True, slots=True)
class Pool:
    """One database of PgBouncer: what clients connect to."""

    name: str
    hosts: tuple[str, ...]
    connection_count: int
    """Server connections of one process, its reserve among them."""

    @property
    def reserve_count(self) -> int:
        """Connections kept for clients that have waited."""
        return pools.reserve(self.connection_count)


def version(plan: Plan) -> tuple[int, ...]:
    """Return PgBouncer's version as numbers."""
    return tuple(int(part) for part in plan.scenario.tiers.pool.pgbouncer_version.split("."))


def replica_hosts(plan: Plan) -> tuple[str, ...]:
    """Return where the replicas are: as given, or placeholders (RFC 2606); none without replicas."""
    replicas = int(plan.figure("database.replica_count"))
    if not replicas:
        return ()
    given = tuple(plan.scenario.tiers.database.replica_hosts)
    return given or tuple(f"replica-{number}.db.example.com" for number in range(1, replicas + 1))


def databases(plan: Plan) -> tuple[Pool, ...]:
    """Return the pools: each class of tenants at the primary and, with replicas, at these."""
    tier, name = plan.scenario.tiers.pool, application(plan)
    counts = pools.per_process(
        int(plan.figure("pool.connection_count")), tier.tenant_class_share, int(plan.figure("pool.process_count"))
    )
    replicas = replica_hosts(plan)
    made = [Pool(f"{name}_{kind}", (plan.scenario.tiers.database.host,), count) for kind, count in counts.items()]
    if replicas:
        made += [Pool(f"{name}_{kind}_read", replicas, count) for kind, count in counts.items()]
    return tuple(made)


def pgbouncer_ini(plan: Plan, head: str) -> str:
    """Return pgbouncer.ini."""
    made, processes = databases(plan), int(plan.figure("pool.process_count"))
    clients = int(plan.figure("pool.client_connection_count_max"))
    files = pools.file_descriptor_count(clients, sum(pool.connection_count for pool in made))
    return f"""{head}
[databases]
; A class of tenants has pools of its own, so that a busy one cannot take the others' connections. At the primary they
; add up to pool.connection_count ({plan.figure("pool.connection_count")}) over {_processes(processes)}.
{_replica_note(plan)}{"".join(_database(plan, pool) for pool in made)}
[pgbouncer]
listen_addr = *
listen_port = {plan.scenario.tiers.pool.port}
; No socket file: several processes would share it.
unix_socket_dir =
pool_mode = transaction

; {clients} clients: {plan.figure("api.replica_count.max")} pods and a quarter more during a rollout, {
        plan.scenario.tiers.pool.connections_per_pod
    } connections each and to each address.
; Files each process may need: {files} (clients, servers, 100 others); set LimitNOFILE or ulimit -n to that or more.
max_client_conn = {clients}
; For a user or database that is not listed above: nothing is meant to be.
default_pool_size = 1
reserve_pool_timeout = 3
server_idle_timeout = 600
server_lifetime = 3600
; A client that has waited as long as its statement could run has given up.
query_wait_timeout = {_seconds(plan)}
; The server ends idle transactions too (postgresql.conf); here the client is told.
idle_transaction_timeout = {_seconds(plan)}
{_reuseport(processes)}
{_prepared(plan)}
; Secrets stand in a file of their own. Where PostgreSQL lets pg_authid be read (RDS does not), auth_user and auth_query
; can take its place.
auth_type = scram-sha-256
auth_file = /etc/pgbouncer/userlist.txt
; Encrypted, as RDS asks for (rds.force_ssl); to verify the server too: verify-full, and the CA bundle's path in
; server_tls_ca_file, https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
server_tls_sslmode = require
; JDBC drivers send it and do not need it.
ignore_startup_parameters = extra_float_digits
admin_users = pgbouncer_admin
stats_users = pgbouncer_stats
"""


def userlist(plan: Plan, head: str) -> str:
    """Return userlist.txt without secrets: one commented line for each user."""
    roles = plan.scenario.tiers.database.roles
    users = (roles.app, roles.readonly, "pgbouncer_admin", "pgbouncer_stats")
    lines = "".join(f'; {ini.user(user)} "SCRAM-SHA-256$4096:<salt>$<stored key>:<server key>"\n' for user in users)
    return f"""{head}
; The same secret stands here and in PostgreSQL: make it once (psql: \\password, then rolpassword of pg_authid; where
; that cannot be read, as on RDS: libpq's PQencryptPasswordConn, then ALTER ROLE ... PASSWORD '<secret>'). Write it
; without the leading "; ", and let nobody but PgBouncer read this file.
{lines}"""


def _database(plan: Plan, pool: Pool) -> str:
    load, usual = plan.load.users, pool.connection_count - pool.reserve_count
    values = {
        "host": ",".join(pool.hosts),
        "port": plan.scenario.tiers.database.port,
        "dbname": ini.literal(database_name(plan)),
        "pool_size": usual,
        "reserve_pool": pool.reserve_count,
        # What the quietest hour needs stays open.
        "min_pool_size": min(usual, ceil(usual * load.floor / load.peak)),
        "max_db_connections": pool.connection_count,
    }
    return f"{ini.name(pool.name)} = {' '.join(f'{name}={value}' for name, value in values.items())}\n"


def _replica_note(plan: Plan) -> str:
    if not replica_hosts(plan):
        return "; The plan has no replicas: reads go to the primary too.\n"
    return (
        "; Those named _read go to the replicas, in turn, and add up to as many over all of them. PgBouncer does not\n"
        "; skip a host that is down.\n"
    )


def _processes(count: int) -> str:
    return "one process" if count == 1 else f"{count} processes, each with this file"


def _seconds(plan: Plan) -> int:
    return ceil(plan.scenario.tiers.database.statement_timeout_s)


def _reuseport(processes: int) -> str:
    if processes == 1:
        return "; One process carries the queries; it is single-threaded (pool.process_count)."
    return (
        f"; Start {processes} processes with this file: each has one thread, and the kernel spreads new connections.\n"
        "; A client's cancel request may reach another process than its query: give them peer_id and [peers] (1.19).\n"
        "so_reuseport = 1"
    )


def _prepared(plan: Plan) -> str:
    if version(plan) >= PREPARED:
        return (
            "; Prepared statements of the protocol follow the client from one server connection to another (not\n"
            "; PREPARE as SQL). At worst each server connection holds so many; the least recently used goes first.\n"
            f"max_prepared_statements = {PREPARED_COUNT}"
        )
    return (
        "; This version knows no max_prepared_statements (1.21 and later): a named statement would be prepared on one\n"
        "; server connection and executed on another. Clients use unnamed ones: prepare_threshold=None in psycopg,\n"
        "; prepareThreshold=0 in JDBC, statement_cache_size=0 in asyncpg. server_reset_query does not help, it is not\n"
        "; run in transaction pooling."
    )
