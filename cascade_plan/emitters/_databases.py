"""Which databases and pools a plan has, what stands before what, and who connects to them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cascade_plan.formulas import pools, postgres
from cascade_plan.model.fleet import Workload
from cascade_plan.model.plan import Instance, Plan
from cascade_plan.tiers.database.settings import Settings as DatabaseSettings
from cascade_plan.tiers.pool.settings import Settings as PoolSettings

CLIENT_TLS_DIRECTORY: Final = "/etc/pgbouncer/tls"
"""Where a pool finds its certificate and key, tls.crt and tls.key, as a Secret of type kubernetes.io/tls names them."""
POOL_ADMIN: Final = "pgbouncer_admin"
"""Who may stop and reload a pool in its console, the database pgbouncer."""
POOL_STATS: Final = "pgbouncer_stats"
"""Who may read a pool's figures there: the exporter."""
WITH_ADDRESSES: Final = ("aws",)
"""The clouds for which Terraform is written, which tells the addresses of what it made."""


@dataclass(frozen=True, slots=True)
class Database:
    """A database of a plan, as those see it who set it up."""

    instance: Instance[DatabaseSettings]
    prefix: str
    """What its files begin with: nothing where it is the only database."""
    name: str
    """The name of the database on its server, unquoted: the scenario's, or the application's without hyphens, which
    RDS makes no database with."""
    pools: tuple[Instance[PoolSettings], ...]
    """What stands before it; where nothing does, its clients connect to it themselves."""
    domain: str = ""
    """What follows the names of the Services by which pods find it: the cloud knows its addresses only once it is made.
    Empty where the scenario gives the hosts, or no cluster has Services."""

    @property
    def is_named_by_service(self) -> bool:
        """Whether Services stand for its hosts."""
        return bool(self.domain)

    @property
    def replica_count(self) -> int:
        """Replicas for reads."""
        return self.instance.sized.count("replica_count")

    @property
    def service(self) -> str:
        """The Service that stands for the primary."""
        return f"{self.prefix}database"

    @property
    def replica_services(self) -> tuple[str, ...]:
        """The Services that stand for the replicas: one for all of Aurora's, which have an address together."""
        count = min(self.replica_count, 1) if self.instance.settings.engine == "aurora" else self.replica_count
        return tuple(f"{self.prefix}database-replica-{number}" for number in range(1, count + 1))

    @property
    def host(self) -> str:
        """Where the primary is: as given, by its Service, or a placeholder (RFC 2606)."""
        return f"{self.service}.{self.domain}" if self.domain else self.instance.settings.host

    @property
    def replica_hosts(self) -> tuple[str, ...]:
        """Where the replicas are: as given, by their Services, or placeholders; none without replicas."""
        if self.domain or not self.replica_count:
            return tuple(f"{service}.{self.domain}" for service in self.replica_services)
        numbers = range(1, self.replica_count + 1)
        return tuple(self.instance.settings.replica_hosts) or tuple(
            f"{self.prefix}replica-{number}.db.example.com" for number in numbers
        )

    @property
    def client_connection_count(self) -> int:
        """Connections that clients may open where there is no pool, those that a rollout adds among them."""
        return self.instance.sized.count("client_connection_count_max")

    @property
    def connection_count_max(self) -> int:
        """What its servers must admit: what pools or clients open, what else connects, and what is reserved."""
        other = self.instance.settings.other_connections
        beside = postgres.connection_count_max(0, other)
        of_pools = sum(pool.sized.count("server_connection_count_max") - beside for pool in self.pools)
        return postgres.connection_count_max(of_pools if self.pools else self.client_connection_count, other)


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool of a plan, as those see it who set it up."""

    instance: Instance[PoolSettings]
    prefix: str
    """What its files begin with: nothing where it is the only pool."""
    called: str
    """What the names of its databases begin with."""
    database: Database
    clients: tuple[Workload, ...]
    """Whose pods may connect to it."""

    @property
    def process_count(self) -> int:
        """Processes that share its connections, a pod each where pods run them: never more, or the server refuses."""
        return self.instance.sized.count("process_count")

    @property
    def connection_count_per_process(self) -> dict[str, int]:
        """Class of tenants -> server connections of one process, to the primary and again to the replicas."""
        shares = self.instance.settings.tenant_class_share
        return pools.per_process(self.instance.sized.count("connection_count"), shares, self.process_count)

    @property
    def workload_name(self) -> str:
        """What its pods, their Service and their ServiceAccount are called in Kubernetes."""
        return f"{self.prefix}pgbouncer"


def databases(plan: Plan) -> tuple[Database, ...]:
    """Return the databases of a plan with what stands before each; none where they are off."""
    found = plan.of(DatabaseSettings)
    return tuple(_database(plan, instance, found) for instance in found)


def pooled(plan: Plan) -> tuple[Pool, ...]:
    """Return the pools of a plan that have a database behind them, and that nobody runs for us."""
    found = tuple(pool for pool in plan.of(PoolSettings) if not pool.settings.managed)
    behind = {pool.name: database for database in databases(plan) for pool in database.pools}
    clients = tuple(workload for workload in plan.fleet.workloads if workload.connection_count_per_pod)
    return tuple(
        Pool(
            pool,
            prefix(pool, found),
            plan.application if len(found) == 1 else f"{plan.application}_{pool.name}",
            behind[pool.name],
            clients,
        )
        for pool in found
        if pool.name in behind
    )


def prefix(instance: Instance[DatabaseSettings] | Instance[PoolSettings], of_all: Iterable[object]) -> str:
    """Return what an instance's files begin with: nothing where it is the only one of its kind."""
    return "" if len([*of_all]) == 1 else f"{instance.name.replace('_', '-')}-"


def _database(
    plan: Plan, instance: Instance[DatabaseSettings], found: tuple[Instance[DatabaseSettings], ...]
) -> Database:
    first = found[0].name
    before = tuple(pool for pool in plan.of(PoolSettings) if (pool.settings.database or first) == instance.name)
    name = instance.settings.database_name or plan.application.replace("-", "_")
    given = instance.settings.said({"host", "replica_hosts"})
    in_cluster = bool(plan.fleet.of("cluster")) and plan.scenario.cloud in WITH_ADDRESSES and not given
    domain = f"{plan.application}.svc.cluster.local" if in_cluster else ""
    return Database(instance, prefix(instance, found), name, before, domain)
