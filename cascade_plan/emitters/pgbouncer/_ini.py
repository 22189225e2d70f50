"""pgbouncer.ini and userlist.txt: transaction pooling, a pool for each class of tenants, reads apart from writes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil

from cascade_plan.emitters import _databases
from cascade_plan.formulas import pools
from cascade_plan.languages import ini
from cascade_plan.model.fleet import Band
from cascade_plan.model.titles import called

PREPARED = (1, 21)
"""The version that follows prepared statements in transaction pooling, https://www.pgbouncer.org/changelog.html"""
PREPARED_COUNT = 200
"""max_prepared_statements: the default since 1.24."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One database of PgBouncer: what clients connect to."""

    name: str
    hosts: tuple[str, ...]
    connection_count: int
    """Server connections of one process, its reserve among them."""

    @property
    def reserve_count(self) -> int:
        """Connections kept for clients that have waited."""
        return pools.reserve(self.connection_count)


def version(pool: _databases.Pool) -> tuple[int, ...]:
    """Return PgBouncer's version as numbers."""
    return tuple(int(part) for part in pool.instance.settings.pgbouncer_version.split("."))


def entries(pool: _databases.Pool) -> tuple[Entry, ...]:
    """Return what clients connect to: each class of tenants at the primary and, with replicas, at these."""
    host, counts = pool.database.host, pool.connection_count_per_process
    made = [Entry(f"{pool.called}_{kind}", (host,), count) for kind, count in counts.items()]
    if replicas := pool.database.replica_hosts:
        made += [Entry(f"{pool.called}_{kind}_read", replicas, count) for kind, count in counts.items()]
    return tuple(made)


def pgbouncer_ini(pool: _databases.Pool, users: Band, head: str) -> str:
    """Return pgbouncer.ini; `users` are those connected, of which the quietest hour's connections stay open."""
    made, sized = entries(pool), pool.instance.sized
    processes, timeout_s = pool.process_count, ceil(pool.database.instance.settings.statement_timeout_s)
    return f"""{head}
[databases]
; A class of tenants has pools of its own, so that a busy one cannot take the others' connections. At the primary they
; add up to {pool.instance.name}.connection_count ({sized.count("connection_count")}) over {_processes(processes)}.
{_replica_note(pool)}{"".join(_line(pool, users, entry) for entry in made)}
[pgbouncer]
listen_addr = *
listen_port = {pool.instance.settings.port}
; No socket file: several processes would share it.
unix_socket_dir =
pool_mode = transaction

{_clients(pool, made)}
; For a user or database that is not listed above: nothing is meant to be.
default_pool_size = 1
reserve_pool_timeout = 3
server_idle_timeout = 600
server_lifetime = 3600
; A client that has waited as long as its statement could run has given up.
query_wait_timeout = {timeout_s}
; The server ends idle transactions too (postgresql.conf); here the client is told.
idle_transaction_timeout = {timeout_s}
{_reuseport(pool.instance.name, processes)}
{_prepared(pool)}
; Secrets stand in a file of their own. Where PostgreSQL lets pg_authid be read (RDS does not), auth_user and auth_query
; can take its place.
auth_type = scram-sha-256
auth_file = /etc/pgbouncer/{pool.prefix}userlist.txt
; Encrypted, as RDS asks for (rds.force_ssl); to verify the server too: verify-full, and the CA bundle's path in
; server_tls_ca_file, https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
server_tls_sslmode = require
{_client_tls(pool)}
; JDBC drivers send it and do not need it.
ignore_startup_parameters = extra_float_digits
admin_users = {_databases.POOL_ADMIN}
; For the exporter: it reads the figures in the console and stops nothing.
stats_users = {_databases.POOL_STATS}
"""


def userlist(pool: _databases.Pool, head: str) -> str:
    """Return userlist.txt without secrets: one commented line for each user."""
    roles = pool.database.instance.settings.roles
    users = (roles.app, roles.readonly, _databases.POOL_ADMIN, _databases.POOL_STATS)
    lines = "".join(f'; {ini.user(user)} "SCRAM-SHA-256$4096:<salt>$<stored key>:<server key>"\n' for user in users)
    return f"""{head}
; The same secret stands here and in PostgreSQL: make it once (psql: \\password, then rolpassword of pg_authid; where
; that cannot be read, as on RDS: libpq's PQencryptPasswordConn, then ALTER ROLE ... PASSWORD '<secret>'). Write it
; without the leading "; ", and let nobody but PgBouncer read this file.
{lines}"""


def _line(pool: _databases.Pool, users: Band, entry: Entry) -> str:
    usual = entry.connection_count - entry.reserve_count
    values = {
        "host": ",".join(entry.hosts),
        "port": pool.database.instance.settings.port,
        "dbname": ini.literal(pool.database.name),
        "pool_size": usual,
        "reserve_pool": entry.reserve_count,
        # What the quietest hour needs stays open.
        "min_pool_size": min(usual, ceil(usual * users.floor / users.peak)),
        "max_db_connections": entry.connection_count,
    }
    return f"{ini.name(entry.name)} = {' '.join(f'{name}={value}' for name, value in values.items())}\n"


def _replica_note(pool: _databases.Pool) -> str:
    if not pool.database.replica_hosts:
        return "; There are no replicas: reads go to the primary too.\n"
    return (
        "; Those named _read go to the replicas, in turn, and add up to as many over all of them. PgBouncer does not\n"
        "; skip a host that is down.\n"
    )


def _clients(pool: _databases.Pool, made: Iterable[Entry]) -> str:
    """Return how many clients are admitted, and why; without a pod that connects, as many as PgBouncer's default."""
    clients = pool.instance.sized.count("client_connection_count_max")
    if not clients:
        return "; No pods of this scenario connect: max_client_conn stays at its default."
    files = pools.file_descriptor_count(clients, sum(entry.connection_count for entry in made))
    only = len(pool.clients) == 1
    whose = ",\n; ".join(
        f"{each.replica_count_max} {'' if only else called(each.tier) + ' '}pods at most, "
        f"{each.running_count_max} at once in a rollout, "
        f"{each.connection_count_per_pod} connections each and to each address"
        for each in pool.clients
    )
    return (
        f"; {clients} clients: {whose}.\n"
        f"; Files each process may need: {files} (clients, servers, 100 others); set LimitNOFILE or ulimit -n to that "
        f"or more.\nmax_client_conn = {clients}"
    )


def _client_tls(pool: _databases.Pool) -> str:
    mode = pool.instance.settings.client_tls
    if mode == "disable":
        return (
            f"; Clients are not encrypted ({pool.instance.name}.client_tls of the scenario): nobody else may be in\n"
            "; their network.\nclient_tls_sslmode = disable"
        )
    directory = _databases.CLIENT_TLS_DIRECTORY
    return (
        f"client_tls_sslmode = {mode}\nclient_tls_cert_file = {directory}/tls.crt\n"
        f"client_tls_key_file = {directory}/tls.key"
    )


def _processes(count: int) -> str:
    return "one process" if count == 1 else f"{count} processes, each with this file"


def _reuseport(name: str, processes: int) -> str:
    if processes == 1:
        return f"; One process carries the queries; it is single-threaded ({name}.process_count)."
    return (
        f"; Start {processes} processes with this file: each has one thread, and the kernel spreads new connections.\n"
        "; A client's cancel request may reach another process than its query: give them peer_id and [peers] (1.19).\n"
        "so_reuseport = 1"
    )


def _prepared(pool: _databases.Pool) -> str:
    if version(pool) >= PREPARED:
        return (
            "; Prepared statements of the protocol follow the client from one server connection to another (not\n"
            "; PREPARE as SQL). At worst each server connection holds so many; the least recently used goes first.\n"
            "; After a migration that changes what one returns (a new column and SELECT *) run RECONNECT in the\n"
            '; console: until then it fails with "cached plan must not change result type".\n'
            f"max_prepared_statements = {PREPARED_COUNT}"
        )
    return (
        "; This version knows no max_prepared_statements (1.21 and later): a named statement would be prepared on one\n"
        "; server connection and executed on another. Clients use unnamed ones: prepare_threshold=None in psycopg,\n"
        "; prepareThreshold=0 in JDBC, statement_cache_size=0 in asyncpg. server_reset_query does not help, it is not\n"
        "; run in transaction pooling."
    )
