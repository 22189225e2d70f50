"""What N+1 queries cost against the lateral join, and named statements against unnamed, on a PostgreSQL started here.

The emitted SQL and policies are applied; the two forms must give the same rows, or this exits 1. On loopback a round
trip takes some 50 microseconds; between machines it takes ten times that, and the ratio grows with it.
"""

# ruff: noqa: T201

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import psycopg
from postgres import create, files, fill, postgres, small_plan

from cascade_plan.emitters._sql_names import names

USERS_OF_TENANT = "SELECT id FROM users WHERE tenant_id = %s"
SETTINGS_OF_USER = "SELECT settings FROM user_settings WHERE tenant_id = %s AND user_id = %s"
LATERAL = """
    SELECT u.id, us.settings FROM users u LEFT JOIN LATERAL (
        SELECT coalesce(json_agg(s.settings), '[]'::json) AS settings
        FROM user_settings s WHERE s.tenant_id = u.tenant_id AND s.user_id = u.id
    ) us ON true WHERE u.tenant_id = %s
"""


def n_plus_one(cursor: psycopg.Cursor, tenant: str, prepare: bool) -> dict[int, list[Any]]:
    """Return user -> settings by one query for the users and one for each of them."""
    users = cursor.execute(USERS_OF_TENANT, (tenant,), prepare=prepare).fetchall()
    return {
        user: [row[0] for row in cursor.execute(SETTINGS_OF_USER, (tenant, user), prepare=prepare).fetchall()]
        for (user,) in users
    }


def lateral(cursor: psycopg.Cursor, tenant: str, prepare: bool) -> dict[int, list[Any]]:
    """Return user -> settings by one query."""
    return dict(cursor.execute(LATERAL, (tenant,), prepare=prepare).fetchall())


def seconds(work: Callable[[psycopg.Cursor, str, bool], object], cursor: psycopg.Cursor, prepare: bool) -> float:
    """Return how long one tenant's users and settings take."""
    start = time.perf_counter()
    work(cursor, "7", prepare)
    return time.perf_counter() - start


def main() -> int:
    """Print medians and ratios, measured in turn. Return 1 when the two forms differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--users", type=int, default=50_000, help="users of 200 tenants")
    given = parser.parse_args()
    plan = small_plan()
    emitted, quoted = files(plan), names(plan)
    with postgres(emitted["postgresql.conf"]) as server:
        with server.connect() as connection:
            connection.execute(create(quoted) + fill(quoted, 200, given.users, 1000))
        for path in ("tenant_column.sql", "indexes.sql", "tenancy.sql"):
            server.apply(emitted[path])
        with server.connect(user="app_user") as connection, connection.transaction(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('app.tenant_id', '7', true)")
            same = [
                {user: sorted(map(str, rows)) for user, rows in work(cursor, "7", True).items()}
                for work in (n_plus_one, lateral)
            ]
            if same[0] != same[1]:
                print("the two forms give different rows")
                return 1
            cases = [(work, prepare) for prepare in (False, True) for work in (n_plus_one, lateral)]
            times: dict[Any, list[float]] = {case: [] for case in cases}
            for _ in range(given.rounds):
                for case in cases:
                    times[case].append(seconds(case[0], cursor, case[1]))
    took = {case: statistics.median(values) * 1000 for case, values in times.items()}
    print(f"{len(same[0])} users of one tenant: {len(same[0]) + 1} statements against 1, median of {given.rounds}")
    for prepare, label in ((False, "unnamed"), (True, "prepared")):
        many, one = took[n_plus_one, prepare], took[lateral, prepare]
        print(f"{label:>8}: N+1 {many:.2f} ms, lateral {one:.2f} ms: {many / one:.1f} times")
    print(f"prepared instead of unnamed: N+1 {took[n_plus_one, False] / took[n_plus_one, True]:.2f} times as fast")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
