"""Files for another application than the case study's say nothing of the case study."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pytest
from factories import make_plan

from cascade_plan.emitters import directory as emitting
from cascade_plan.inputs.scenarios import read
from cascade_plan.model.artefact import Artefact
from cascade_plan.planning.pipeline import plan

OF_THE_CASE_STUDY = re.compile(r"(?<!emit-)\bcascade(?![-_]plan)|workroom|deliverable|user_settings|activity_log", re.I)
TABLES: dict[str, Any] = {
    "users": "customers", "user_settings": "preferences", "resources": "pictures", "activity_logs": "visits",
    "others": ["orders", "invoices"],
}  # fmt: skip
SHOP = {
    "name": "shop",
    "application": "shop",
    "behaviour.login": {"request": "POST /sessions", "user": "c{user}", "user_field": "name", "token_field": "jwt"},
    "behaviour.tenant_header": "X-Customer",
    "behaviour.actions": {
        "list_orders": {"weight": 3.0, "request": "GET /orders"},
        "order": {"weight": 1.0, "request": "POST /orders", "publishes": True, "json_field": "note", "write_count": 1},
        "show": {"weight": 1.0, "request": "POST /pictures", "object_bytes": 9000.0, "form_field": "order_id"},
    },
    "tiers.database.tables": TABLES,
}


def said(files: Iterable[Artefact]) -> list[str]:
    """Return the lines of emitted files that speak of the case study."""
    return [
        f"{file.path}: {line}" for file in files for line in file.text.splitlines() if OF_THE_CASE_STUDY.search(line)
    ]


def test_a_shops_database_and_load_tests_are_the_shops() -> None:
    made = make_plan(**SHOP)
    files = [file for command in ("database", "loadtest") for file in emitting.emitted(made, command).files]
    # Indexes are called as the queries that they serve, whatever the tables are called.
    assert [line for line in said(files) if "idx_" not in line] == []
    texts = {file.path: file.text for file in files}
    for table in ("customers", "preferences", "pictures", "visits", *TABLES["others"]):
        assert f'ALTER TABLE "public"."{table}" FORCE ROW LEVEL SECURITY;' in texts["tenancy.sql"], table
    for path in ("locustfile.py", "websocket_test.py", "loadtest.js"):
        assert {"X-Customer", "/sessions", "jwt"} <= {*re.findall(r"[\w/-]+", texts[path])}, path


@pytest.mark.parametrize("name", ["saas-300", "api-batch", "serverless-500"])
def test_no_file_of_another_scenario_speaks_of_the_case_study(name: str) -> None:
    found = read(name)
    made = plan(found.scenario, found.book, found.origins, predicted=False)
    assert said(emitting.everything(made).files) == []
