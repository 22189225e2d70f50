"""A database's names, quoted once, for all the SQL that is emitted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cascade_plan.emitters._databases import Database
from cascade_plan.languages.sql import literal
from cascade_plan.languages.sql import name as identifier
from cascade_plan.tiers.database.settings import Tables

TENANT_SETTING: Final = "app.tenant_id"
"""The setting that holds the tenant of the current transaction."""
LOGIN_FUNCTION: Final = "tenants_of_login"
"""The function that finds the tenants of who logs in, before a tenant is known."""


@dataclass(frozen=True, slots=True)
class Names:
    """Every name as SQL text, ready to stand in a statement."""

    prefix: str
    """What the names of the database's files begin with."""
    schema: str
    users: str
    """Tables come with their schema."""
    user_settings: str
    resources: str
    activity_logs: str
    others: tuple[str, ...]
    tenant: str
    id: str
    user: str
    settings: str
    login: str
    is_active: str
    created_at: str
    timestamp: str
    owner: str
    app: str
    readonly: str
    monitoring: str
    tenant_type: str

    @property
    def tables(self) -> tuple[str, ...]:
        """All tables."""
        return (self.users, self.user_settings, self.resources, self.activity_logs, *self.others)

    @property
    def current_tenant(self) -> str:
        """The tenant of the transaction, NULL when none is set: a setting once used reads '' in the next transaction.

        Source: https://www.postgresql.org/docs/15/functions-admin.html, current_setting with missing_ok
        """
        return f"NULLIF(current_setting('{TENANT_SETTING}', true), '')::{self.tenant_type}"

    @property
    def table_oids(self) -> str:
        """All tables as a list of regclass constants."""
        return ", ".join(f"{literal(table)}::regclass" for table in self.tables)


def names(database: Database) -> Names:
    """Return a database's names, quoted. Raises UsageError for one that PostgreSQL cannot hold."""
    tier = database.instance.settings
    schema = identifier(tier.schema_name)
    columns, roles, tables = tier.columns, tier.roles, tier.tables or Tables()

    def table(name: str) -> str:
        return f"{schema}.{identifier(name)}"

    return Names(
        prefix=database.prefix,
        schema=schema,
        users=table(tables.users),
        user_settings=table(tables.user_settings),
        resources=table(tables.resources),
        activity_logs=table(tables.activity_logs),
        others=tuple(map(table, tables.others)),
        tenant=identifier(columns.tenant),
        id=identifier(columns.id),
        user=identifier(columns.user),
        settings=identifier(columns.settings),
        login=identifier(columns.login),
        is_active=identifier(columns.is_active),
        created_at=identifier(columns.created_at),
        timestamp=identifier(columns.timestamp),
        owner=identifier(roles.owner),
        app=identifier(roles.app),
        readonly=identifier(roles.readonly),
        monitoring=identifier(roles.monitoring),
        tenant_type=tier.tenant_type,
    )
