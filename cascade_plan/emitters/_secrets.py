"""The passwords of a plan's databases and caches: where they are kept, under which keys, and who logs in with them.

Terraform makes them in Secrets Manager, External Secrets copies those of the pods into Kubernetes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from cascade_plan.emitters._databases import POOL_ADMIN, POOL_STATS, Database, Pool, databases, pooled
from cascade_plan.emitters._topology import Cache, caches
from cascade_plan.model.plan import Plan
from cascade_plan.tiers.database.settings import ROLES

NO_LOGIN: Final = ("owner",)
ADMIN: Final = "admin"
METRICS: Final = "metrics"
"""The user of a cache by which an exporter asks how it is."""
STATS: Final = "stats"
REPLICA: Final = "replica"
OTHERS: Final = ("default", METRICS, REPLICA, ADMIN)
"""Users of a cache that the application must not be called as."""


@dataclass(frozen=True, slots=True)
class Secret:
    """An object of names and passwords, as JSON."""

    name: str
    """In Secrets Manager: shop/database."""
    kubernetes_name: str
    """Of the Kubernetes Secret: shop-database."""
    label: str
    """Of the tier, as Terraform's resources are labelled."""
    users: Mapping[str, str]
    """Who has a password: "" -> the application's user, readonly -> that role's."""

    def username_key(self, user: str) -> str:
        """Return the key of a user's name: username, readonly_username."""
        return f"{user}_username" if user else "username"

    def password_key(self, user: str) -> str:
        """Return the key of a user's password: password, readonly_password."""
        return f"{user}_password" if user else "password"

    @property
    def keys(self) -> tuple[str, ...]:
        """All keys."""
        return tuple(key(user) for user in self.users for key in (self.username_key, self.password_key))


def secrets(plan: Plan) -> tuple[Secret, ...]:
    """Return the secrets that pods read: of each database, of each pool, then of each cache."""
    return (
        *(database_secret(plan, database) for database in databases(plan)),
        *(pool_secret(plan, pool) for pool in pooled(plan)),
        *(cache_secret(plan, cache) for cache in caches(plan)),
        *(cache_servers_secret(plan, cache) for cache in caches(plan) if cache.is_pods),
    )


def database_secret(plan: Plan, database: Database) -> Secret:
    """Return the secret of the roles that log in, the application's first."""
    roles = database.instance.settings.roles
    others = [role for role in ROLES if role not in (*NO_LOGIN, ADMIN, "app")]
    users = {"": roles.app, **{role: str(getattr(roles, role)) for role in others}}
    return _secret(plan, f"{database.prefix}database", database.instance.name, users)


def admin_secret(plan: Plan, database: Database) -> Secret:
    """Return the secret of the master user, which no pod of the application reads: its name is under another one."""
    instance = database.instance
    name, users = f"{plan.application}-{ADMIN}/{database.prefix}database", {"": instance.settings.roles.admin}
    return Secret(name, "", f"{instance.name}_{ADMIN}", users)


def pool_secret(plan: Plan, pool: Pool) -> Secret:
    """Return the secret of a pool's own users, whom no database knows: who stops it, and who reads its figures."""
    return _secret(plan, pool.workload_name, pool.instance.name, {"": POOL_ADMIN, STATS: POOL_STATS})


def cache_secret(plan: Plan, cache: Cache) -> Secret:
    """Return the secret of a cache's users: the application, and who asks for metrics."""
    name = plan.application if plan.application not in OTHERS else f"{plan.application}-app"
    return _secret(plan, f"{cache.prefix}cache", cache.instance.name, {"": name, METRICS: METRICS})


def cache_servers_secret(plan: Plan, cache: Cache) -> Secret:
    """Return the secret of those who are users of a cache that you run yourself and not its clients."""
    users = {user: user for user in (REPLICA, ADMIN)}
    return replace(
        _secret(plan, f"{cache.prefix}cache-servers", cache.instance.name, users),
        label=f"{cache.instance.name}_servers",
    )


def _secret(plan: Plan, name: str, label: str, users: Mapping[str, str]) -> Secret:
    return Secret(f"{plan.application}/{name}", f"{plan.application}-{name}", label, users)
