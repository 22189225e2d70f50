"""What is emitted for the database is what was sized, in every scenario; hostile scenarios are refused in words."""

from __future__ import annotations

import ast
import configparser
import re
from dataclasses import replace
from typing import Any

import pytest
from factories import bundled_with, make_plan, make_scenario
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cascade_plan.emitters import _database_parameters
from cascade_plan.emitters import directory as emitting
from cascade_plan.emitters._databases import databases
from cascade_plan.errors import UsageError
from cascade_plan.formulas import pools, postgres
from cascade_plan.inputs.scenarios import read
from cascade_plan.model.plan import Plan
from cascade_plan.planning.pipeline import plan
from cascade_plan.tiers.database.settings import Settings as DatabaseSettings
from cascade_plan.tiers.pool.settings import Settings as PoolSettings


def planned(name: str) -> Plan:
    given_scenario = read(name)
    return plan(given_scenario.scenario, given_scenario.book, given_scenario.origins, predicted=False)


def files(made: Plan) -> dict[str, str]:
    return {artefact.path: artefact.text for artefact in emitting.emitted(made, "database").files}


def ini(made: Plan, prefix: str = "") -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, comment_prefixes=(";", "#"), delimiters=("=",))
    parser.read_string(files(made)[f"{prefix}pgbouncer.ini"])
    return parser


def pool_values(line: str) -> dict[str, str]:
    return dict(word.split("=", 1) for word in line.split())


def conf_of(emitted: dict[str, str], prefix: str = "") -> dict[str, str]:
    return dict(re.findall(r"^(\w+) = (.*)$", emitted[f"{prefix}postgresql.conf"], re.MULTILINE))


@pytest.mark.parametrize("name", bundled_with("database"))
def test_every_bundled_scenario_is_emitted_consistently(name: str) -> None:
    made = planned(name)
    (database,) = made.of(DatabaseSettings)
    if database.settings.engine == "aurora":
        # Its settings are Aurora's own.
        assert "postgresql.conf" not in files(made)
        return
    emitted, conf = files(made), conf_of(files(made))
    served = 0
    if pooled := made.of(PoolSettings):
        parsed, processes = ini(made), pooled[0].sized.count("process_count")
        primaries = [pool_values(value) for key, value in parsed["databases"].items() if not key.endswith("_read")]
        served = processes * sum(int(pool["pool_size"]) + int(pool["reserve_pool"]) for pool in primaries)
        assert served <= made.figure("pool.connection_count")
        assert ("so_reuseport" in parsed["pgbouncer"]) == (processes > 1)
        assert int(parsed["pgbouncer"]["max_client_conn"]) == made.figure("pool.client_connection_count_max")
        ast.parse(emitted["prepared_statements.py"])
    assert int(conf["max_connections"]) >= served + database.settings.other_connections


def test_every_setting_says_its_rule_and_its_source() -> None:
    made = planned("cascade")
    for each in _database_parameters.settings(made, *databases(made)):
        assert each.rule
        assert "https://" in each.source
        assert "\n" not in each.rule + each.source + each.value


# ------------------------------------------------------------------------------------------- what is there, what not

POOLED = ("pgbouncer.ini", "userlist.txt", "prepared_statements.py", "read-write-split.md")


def test_without_a_pool_nothing_speaks_of_one_and_pods_connect_themselves() -> None:
    made = make_plan(tiers__pool="off")
    emitted = files(made)
    assert not {*POOLED} & {*emitted}
    assert not re.search("pool|bouncer", "".join(emitted.values()), re.IGNORECASE)
    (pods,) = [each for each in made.fleet.workloads if each.connection_count_per_pod]
    # The nodes have no room for a rollout's surge beside the most pods: no more than those ever connect.
    clients = pods.replica_count_max * pods.connection_count_per_pod
    assert conf_of(emitted)["max_connections"] == str(clients + 20 + 3 + 2)


def test_without_a_database_there_is_nothing_to_emit() -> None:
    with pytest.raises(UsageError, match="has no database and no pool: emit-database has nothing to write"):
        files(make_plan(tiers__database="off", tiers__pool="off"))
    with pytest.raises(UsageError, match="nothing of what emit-database writes files for"):
        files(make_plan(tiers__database="off"))


TWO: dict[str, Any] = {
    "tiers.reports": {
        "kind": "database",
        "shape": "db.test.large",
        "host": "reports.example.com",
        "version": "17",
        "tables": {},
    },
    "tiers.reports_pool": {"kind": "pool", "database": "reports", "connections": 7},
    "behaviour.actions.report": {"weight": 1.0, "request": "GET /r", "reads": {"reports": 3}, "writes": {"reports": 1}},
}


def test_each_database_and_each_pool_has_files_of_its_own() -> None:
    emitted = files(make_plan(**TWO))
    server = {"postgresql.conf", "tenant_column.sql", "indexes.sql", "tenancy.sql", "rollback.sql", "queries.sql",
              "passwords.py"}  # fmt: skip
    expected = {f"{name}-{path}" for name in ("database", "reports") for path in server}
    for name in ("pool", "reports-pool"):
        expected |= {f"{name}-{path}" for path in POOLED if not path.endswith(".py")}
    assert {*emitted} == expected | {"pool_prepared_statements.py", "reports_pool_prepared_statements.py"}
    # Files speak of each other by the names they have.
    assert "after reports-indexes.sql" in emitted["reports-tenancy.sql"]
    assert "/etc/pgbouncer/reports-pool-userlist.txt" in emitted["reports-pool-pgbouncer.ini"]
    assert "db.test.large: 2 vCPU" in emitted["reports-postgresql.conf"]


def test_a_pool_stands_before_its_own_database() -> None:
    made = make_plan(**TWO)
    parsed = ini(made, "reports-pool-")
    lines = {name: pool_values(line) for name, line in parsed["databases"].items()}
    assert {line["host"] for name, line in lines.items() if not name.endswith("_read")} == {"reports.example.com"}
    assert {line["host"] for name, line in lines.items() if name.endswith("_read")} == {
        "reports-replica-1.db.example.com"
    }
    assert {*lines} == {"test_reports_pool_standard", "test_reports_pool_standard_read"}
    assert {*ini(made, "pool-")["databases"]} == {"test_pool_standard", "test_pool_standard_read"}
    assert conf_of(files(made), "reports-")["max_connections"] == str(7 + 20 + 5)


def test_two_pools_before_one_database_share_its_connections() -> None:
    made = make_plan(**{"tiers.batch_pool": {"kind": "pool", "connections": 7}, "tiers.pool.connections": 11})
    emitted = files(made)
    assert conf_of(emitted)["max_connections"] == str(7 + 11 + 20 + 5)
    assert "a pool" not in emitted["postgresql.conf"].splitlines()[2]
    assert "the pools' 11 and 7, 20 for monitoring" in emitted["postgresql.conf"]


def test_clients_are_those_who_ask() -> None:
    """Of two databases without pools, each admits the pods of what asks it, workers' among them."""
    made = make_plan(
        **TWO
        | {
            "tiers.pool": "off",
            "tiers.reports_pool": None,
            "tiers.search": {"kind": "api", "connections_per_pod": 3},
            "tiers.queue": {},
            "tiers.worker": {"read_count": 1},
            "behaviour.actions.report.at": "search",
            "behaviour.actions.write": {"weight": 1.0, "request": "POST /x", "write_count": 1, "jobs": {"worker": 1}},
        },
    )
    first, second = databases(made)
    each = {load.tier: load.running_count_max * load.connection_count_per_pod for load in made.fleet.workloads}
    assert first.client_connection_count == each["api"] + each["worker"]
    assert second.client_connection_count == each["search"]
    assert conf_of(files(made), "reports-")["max_connections"] == str(second.client_connection_count + 25)


def test_a_pool_names_every_kind_of_pod_that_connects() -> None:
    made = make_plan(
        **{
            "tiers.search": {"kind": "api", "connections_per_pod": 3},
            "behaviour.actions.find": {"weight": 1.0, "request": "GET /f", "at": "search"},
        }
    )
    text = files(made)["pgbouncer.ini"]
    for name, each in (("API", 15), ("search", 3)):
        pods = made.figure(f"{name.lower()}.replica_count.max")
        assert f"{pods:g} {name} pods at most, {pods:g} at once in a rollout, {each} connections each" in text


def test_what_the_settings_may_use_fits_the_memory() -> None:
    """Every connection sorting and hashing at once, with every vacuum running, within what RDS leaves."""
    for gib, cores in ((2, 2), (16, 2), (32, 4), (256, 32), (1024, 128)):
        memory, connections = int(gib * 1024), 500
        used = (
            postgres.shared_buffers_mib(memory)
            + connections * postgres.CONNECTION_MIB
            + postgres.AUTOVACUUM_WORKERS * postgres.maintenance_work_mem_mib(memory)
            + (connections + cores) * 6 * postgres.work_mem_mib(memory, connections, cores)
        )
        assert used <= memory or postgres.work_mem_mib(memory, connections, cores) == 4


@pytest.mark.parametrize(
    ("version", "server_side", "client_side"),
    [("1.18", False, "None"), ("1.20.1", False, "None"), ("1.21", True, "None"), ("1.22.0", True, "5"),
     ("1.9", False, "None"), ("2.0", True, "5")],
)  # fmt: skip
def test_statements_are_prepared_by_version(version: str, server_side: bool, client_side: str) -> None:
    made = make_plan(**{"tiers.pool.pgbouncer_version": version})
    assert ("max_prepared_statements" in ini(made)["pgbouncer"]) == server_side
    assert f"PREPARE_THRESHOLD: int | None = {client_side}\n" in files(made)["prepared_statements.py"]


def test_classes_of_tenants_share_the_pool() -> None:
    shares = {"free": 0.2, "standard": 0.5, "whale": 0.3}
    made = make_plan(**{"tiers.pool.tenant_class_share": shares, "tiers.pool.connections": 100})
    pools_of = {key: pool_values(value) for key, value in ini(made)["databases"].items()}
    sizes = {key: int(value["max_db_connections"]) for key, value in pools_of.items()}
    assert sizes == {
        f"test_{kind}{ending}": count
        for ending in ("", "_read")
        for kind, count in (("free", 10), ("standard", 25), ("whale", 15))
    }


def test_without_replicas_there_is_no_read_pool() -> None:
    made = make_plan(**{"tiers.database.replicas": 0, "tiers.database.replica_hosts": ["a.example.com"]})
    assert [*ini(made)["databases"]] == ["test_standard"]
    assert "every query goes to the primary" in files(made)["read-write-split.md"]


def test_replicas_stand_in_one_list() -> None:
    made = make_plan(**{"tiers.database.replicas": 3})
    hosts = pool_values(ini(made)["databases"]["test_standard_read"])["host"]
    assert hosts == ",".join(f"database-replica-{number}.test.svc.cluster.local" for number in (1, 2, 3))
    alone = make_plan(**{"tiers.database.replicas": 2, "tiers.cluster": "off"})
    hosts = pool_values(ini(alone)["databases"]["test_standard_read"])["host"]
    assert hosts == "replica-1.db.example.com,replica-2.db.example.com"


SHARES = st.dictionaries(st.text("abc", min_size=1, max_size=3), st.floats(0.01, 1), min_size=1, max_size=6).map(
    lambda drawn: {name: share / sum(drawn.values()) for name, share in drawn.items()}
)


@given(count=st.integers(1, 5000), shares=SHARES, processes=st.integers(1, 20))
def test_pools_never_exceed_what_was_sized(count: int, shares: dict[str, float], processes: int) -> None:
    made = pools.per_process(count, shares, processes)
    assert set(made) == set(shares)
    assert min(made.values()) >= 1
    assert processes * sum(made.values()) <= max(count, processes * len(shares))
    each = count // processes
    if each >= 100 * len(shares):
        assert all(abs(made[name] - share * each) <= 1 + len(shares) for name, share in shares.items())
    assert all(0 <= pools.reserve(number) < number for number in made.values())


def test_names_the_schema_let_through_by_force_are_refused_in_words() -> None:
    """Even a scenario that no schema has checked ends in a message, not in SQL."""
    made = make_plan()
    ((_, tier),) = made.scenario.all_of(DatabaseSettings).items()

    def forced(**changes: object) -> Plan:
        tiers = {**made.scenario.tiers, "database": tier.model_copy(update=changes)}
        return replace(made, scenario=made.scenario.model_copy(update={"tiers": tiers}))

    for changes in (
        {"schema_name": "x" * 64},
        {"schema_name": "a\0b"},
        {"database_name": "a\nmax_client_conn = 1"},
        {"roles": tier.roles.model_copy(update={"app": "app\n"})},
        {"tables": tier.tables.model_copy(update={"users": ""})},
    ):
        with pytest.raises(UsageError):
            emitting.emitted(forced(**changes), "database")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("tiers.database.tables.users", "x" * 64, "has 64 bytes in UTF-8, and names at most 63"),
        ("tiers.database.tables.users", "ü" * 32, "has 64 bytes"),
        ("tiers.database.tables.users", "a\0b", "must not hold NUL"),
        ("tiers.database.tables.users", "", "must not be empty"),
        ("tiers.database.tables.users", "resources", "users and resources must differ"),
        ("tiers.database.columns.settings", "tenant_id", "tenant and settings must differ"),
        ("tiers.database.roles.app", "app_owner", "owner and app must differ"),
        ("tiers.database.roles.app", "pg_app", "reserves the role name 'pg_app'"),
        ("tiers.database.roles.app", "public", "reserves the role name 'public'"),
        ("tiers.database.roles.app", "a\nb", "no line breaks"),
        ("tiers.database.tables.users", "a\nb", "no line breaks"),
        ("tiers.database.columns.is_active", "a\u2028b", "no line breaks"),
        ("tiers.database.database_name", "a\nb", "no line breaks"),
        ("tiers.database.host", "evil port=1", "match pattern"),
        ("tiers.database.replica_hosts", ["a,b"], "match pattern"),
        ("tiers.pool.tenant_class_share", {"a": 0.5}, "must add up to 1"),
        ("tiers.pool.tenant_class_share", {"a b": 1.0}, "match pattern"),
        ("tiers.pool.tenant_class_share", {}, "at least 1 item"),
        ("tiers.pool.pgbouncer_version", "1", "match pattern"),
        ("tiers.pool.pgbouncer_version", 1.23, "valid string"),
    ],
)
def test_what_cannot_be_emitted_is_refused_by_the_schema(path: str, value: object, message: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(message)):
        make_scenario(**{path: value})


def test_a_table_is_not_called_what_an_index_is() -> None:
    with pytest.raises(UsageError, match="activity_logs: idx_users_tenant_id is what an emitted index is called"):
        files(make_plan(tiers__database__tables={"activity_logs": "idx_users_tenant_id"}))
