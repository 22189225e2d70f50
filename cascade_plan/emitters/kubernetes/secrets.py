"""Secrets by reference: External Secrets copies them from AWS Secrets Manager, so that no file holds one.

Source: https://external-secrets.io/latest/api/externalsecret/, https://external-secrets.io/latest/guides/templating/
"""

from __future__ import annotations

from typing import Any, Final

from cascade_plan.emitters._databases import Pool
from cascade_plan.emitters._secrets import STATS, Secret, database_secret, pool_secret
from cascade_plan.emitters.kubernetes.objects import Identity, KubernetesObject, namespaced
from cascade_plan.model.plan import Plan

API: Final = "external-secrets.io/v1"
STORE: Final = "secrets-manager"
REFRESHED: Final = "1h"
"""A new password is taken over within that time, or at once: kubectl annotate externalsecret NAME force-sync=1."""


def store(plan: Plan) -> KubernetesObject:
    """Return the SecretStore: Secrets Manager in the plan's region, asked as the operator's own account."""
    provider = {"aws": {"service": "SecretsManager", "region": plan.scenario.region}}
    return namespaced(API, "SecretStore", _identity(plan, STORE), {"provider": provider})


def external_secret(plan: Plan, secret: Secret) -> KubernetesObject:
    """Return what copies a secret, key by key."""
    data = [{"secretKey": key, "remoteRef": {"key": secret.name, "property": key}} for key in secret.keys]
    return _copied(plan, secret.kubernetes_name, {"data": data})


def userlist_name(pool: Pool) -> str:
    """Return the name of the Secret with what PgBouncer and its exporter read."""
    return f"{pool.workload_name}-userlist"


def userlist(plan: Plan, pool: Pool) -> KubernetesObject:
    """Return what makes a pool's userlist.txt, and the address by which its exporter logs in.

    Quotes within are doubled, https://www.pgbouncer.org/config.html#authentication-file-format
    """
    of_database, of_pool = database_secret(plan, pool.database), pool_secret(plan, pool)
    both = [(of_database, user, "database") for user in of_database.users]
    both += [(of_pool, user, "pool") for user in of_pool.users]
    data = [
        {"secretKey": f"{whose}_{key}", "remoteRef": {"key": secret.name, "property": key}}
        for secret, user, whose in both
        for key in (secret.username_key(user), secret.password_key(user))
    ]
    lines = "".join(
        f"{_doubled(f'{whose}_{secret.username_key(user)}')} {_doubled(f'{whose}_{secret.password_key(user)}')}\n"
        for secret, user, whose in both
    )
    user, password = (
        f"{{{{ .pool_{key} | urlquery }}}}" for key in (of_pool.username_key(STATS), of_pool.password_key(STATS))
    )
    address = f"postgres://{user}:{password}@127.0.0.1:{pool.instance.settings.port}/pgbouncer?sslmode=prefer"
    template = {"engineVersion": "v2", "data": {"userlist.txt": lines, "exporter": address}}
    return _copied(plan, userlist_name(pool), {"data": data}, template)


def _doubled(key: str) -> str:
    return f'"{{{{ .{key} | replace "\\"" "\\"\\"" }}}}"'


def _copied(plan: Plan, name: str, read: dict[str, Any], template: dict[str, Any] | None = None) -> KubernetesObject:
    spec = {
        "refreshInterval": REFRESHED,
        "secretStoreRef": {"kind": "SecretStore", "name": STORE},
        "target": {"name": name, "creationPolicy": "Owner", **({"template": template} if template else {})},
        **read,
    }
    return namespaced(API, "ExternalSecret", _identity(plan, name), spec)


def _identity(plan: Plan, name: str) -> Identity:
    return Identity(name, plan.application, plan.application, component="secrets")
