"""The recipes of docs/calibrate.md, run on the programs that they are for, leave files that are read."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest
import yaml
from metrics_read import read
from monitoring_files import ran
from postgres import Server, files, pgbouncer, postgres, small_plan
from servers import program

from cascade_plan.model.observation import (
    PLANS_READ,
    PLANS_WRITE,
    POOL_QUERIES,
    POOL_TRANSACTIONS,
    POOL_WAITS,
    STATEMENTS_CONTROL,
    STATEMENTS_OTHER,
    STATEMENTS_READ,
    STATEMENTS_WRITE,
    Measure,
    Metrics,
)

pytestmark = pytest.mark.xdist_group("postgres")
DOCS = (Path(__file__).parents[2] / "docs" / "calibrate.md").read_text(encoding="utf-8")
TRANSACTIONS = 40


def blocks(language: str) -> list[str]:
    """Return the blocks of the page in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", DOCS, re.DOTALL | re.MULTILINE)


def test_promql_is_accepted(tmp_path: Path) -> None:
    found = blocks("promql")
    assert found
    rules = [{"record": f"recipe:{number}:sum", "expr": text} for number, text in enumerate(found)]
    path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "recipes", "rules": rules}]}), encoding="utf-8")
    ran("promtool", "check", "rules", path)


class System(NamedTuple):
    """A PostgreSQL that counts its statements, behind a PgBouncer."""

    server: Server
    pool: int

    def work(self) -> None:
        """Read and write in transactions through the pool, as an application with tenants does."""
        with psycopg.connect(
            f"host=127.0.0.1 port={self.pool} user=postgres password=x dbname=postgres", prepare_threshold=None
        ) as connection:
            for number in range(TRANSACTIONS):
                with connection.transaction():
                    connection.execute("SELECT set_config('app.tenant_id', %s, true)", (str(number),))
                    connection.execute("SELECT count(*), pg_sleep(0.002)::text FROM notes WHERE id < %s", (number,))
                    connection.execute("INSERT INTO notes VALUES (%s, %s)", (number, 'a, "b" | c'))

    def statements(self, path: Path) -> Path:
        """Print pg_stat_statements as the recipe does."""
        (text,) = blocks("sql")
        script = path.with_suffix(".sql")
        script.write_text(text, encoding="utf-8")
        address = f"host=127.0.0.1 port={self.server.port} user=postgres dbname=postgres"
        command = [program("psql"), "-X", "--csv", "-f", str(script), address]
        path.write_bytes(subprocess.run(command, check=True, capture_output=True).stdout)
        return path

    def stats(self, path: Path, what: str = "SHOW STATS", option: str = "--csv") -> Path:
        """Print what PgBouncer's console shows as the recipe does."""
        (text,) = (each for each in blocks("sh") if "SHOW STATS" in each)
        for one, other in (
            ("-h pgbouncer -p 6432", f"-h 127.0.0.1 -p {self.pool}"),
            ("--csv", option),
            ("SHOW STATS", what),
            ("runs/normal/pgbouncer-before.csv", str(path)),
        ):
            assert one in text
            text = text.replace(one, other)
        subprocess.run([program("bash"), "-ec", text], check=True, env={**os.environ, "PGPASSWORD": "admin"})
        return path


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    ini = "[databases]\n* = host=127.0.0.1 port={port}\n[pgbouncer]\nauth_type = trust\npool_mode = transaction\n"
    ini += "admin_users = pgbouncer_admin\nignore_startup_parameters = extra_float_digits\n"
    users = '"pgbouncer_admin" "admin"\n"postgres" "x"\n'
    with postgres(files(small_plan())["postgresql.conf"]) as server:
        with server.connect() as superuser:
            superuser.execute("CREATE EXTENSION pg_stat_statements")
            superuser.execute("ALTER SYSTEM SET pg_stat_statements.track_planning = on")
            superuser.execute("SELECT pg_reload_conf()")
            superuser.execute("CREATE TABLE notes (id int, text text)")
        with pgbouncer(ini.format(port=server.port), users, {}) as pool:
            found = System(server, pool)
            found.work()  # Whichever test is first: a pool that nothing has gone through has no statistics.
            yield found


def between(first: Path, last: Path) -> Metrics:
    return read({str(path): path.read_text(encoding="utf-8") for path in (first, last)})


def test_statements_between_two_readings_are_those_of_the_work(system: System, tmp_path: Path) -> None:
    first = system.statements(tmp_path / "before.csv")
    system.work()
    found = between(first, system.statements(tmp_path / "after.csv"))
    counts = {measure.what: statistic.count for measure, statistic in found.counters.items()}
    assert counts[STATEMENTS_READ] == counts[STATEMENTS_WRITE] == TRANSACTIONS
    # BEGIN, set_config and COMMIT of each, and what the pool itself resets.
    assert 3 * TRANSACTIONS <= counts[STATEMENTS_CONTROL] <= 3 * TRANSACTIONS + 5
    assert counts[STATEMENTS_OTHER] == 1, "the first reading itself"
    assert counts[PLANS_READ] == counts[PLANS_WRITE] == TRANSACTIONS
    reads = found.counters[Measure(STATEMENTS_READ)]
    assert 2.0 <= reads.mean_ms < 50
    assert reads.stddev_ms is not None
    assert found.counted_from_s is not None
    assert found.counted_to_s is not None
    assert 0 < found.counted_to_s - found.counted_from_s < 60


@pytest.mark.parametrize(
    ("what", "option"),
    [("SHOW STATS", "--csv"), ("SHOW STATS", "-q"), ("SHOW STATS", "-A"), ("SHOW STATS_TOTALS", "--csv")],
)
def test_the_pools_statistics_are_those_of_the_work(system: System, tmp_path: Path, what: str, option: str) -> None:
    first = system.stats(tmp_path / "before.csv", what, option)
    system.work()
    found = between(first, system.stats(tmp_path / "after.csv", what, option))
    transactions, queries, waits = (
        found.counters[Measure(each)] for each in (POOL_TRANSACTIONS, POOL_QUERIES, POOL_WAITS)
    )
    assert TRANSACTIONS <= transactions.count <= TRANSACTIONS + 5
    assert 5 * TRANSACTIONS <= queries.count <= 5 * TRANSACTIONS + 5
    assert transactions.mean_ms >= 2.0
    assert waits.count == transactions.count
    assert found.counted_from_s is not None


def test_averages_look_like_totals(system: System, tmp_path: Path) -> None:
    """Why a remark says for which of the two a file is taken."""
    texts = [
        system.stats(tmp_path / what, f"SHOW {what}").read_text(encoding="utf-8").splitlines()[1]
        for what in ("STATS_TOTALS", "STATS_AVERAGES")
    ]
    assert texts[0] == texts[1]
