"""The scenario of the small stack: with defaults to emit its files from, then with what was measured of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from cascade_plan.inputs.scenarios import read
from cascade_plan.model.plan import Plan
from cascade_plan.planning.pipeline import plan

THINK_S: Final = 2.0
"""Mean of the pause between an answer and the next request."""
CONNECTIONS: Final = 10
HIT_RATIO: Final = 0.9
TRIPS_PER_QUERY: Final = 7
"""asyncpg without kept statements, under the emitted tenancy: BEGIN, set_config (2), the query (2), COMMIT, RESET."""
LATENCY_MS_P95: Final = 2000.0
"""The limit of each load: wide, for above saturation it is the figures that matter and not the verdict."""
OTHER_TABLES: Final = ["workrooms", "workroom_members", "messages"]
"""What the actions need beside the four tables that the emitted SQL has queries for."""
ACTIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    "list_workrooms": {
        "weight": 3, "request": "GET /api/v1/workrooms", "request_bytes": 0, "response_bytes": 5400, "read_count": 2,
    },
    "create_message": {
        "weight": 2, "request": "POST /api/v1/workrooms/{workroom_id}/messages", "request_bytes": 200,
        "response_bytes": 10, "database_bytes": 400, "publishes": True, "read_count": 1, "write_count": 1,
    },
    "upload_resource": {
        "weight": 1, "request": "POST /api/v1/resources", "request_bytes": 102400, "response_bytes": 80,
        "database_bytes": 300, "object_bytes": 102400, "form_field": "workroom_id", "file_name": "test_file.pdf",
        "read_count": 1, "write_count": 1,
    },
}  # fmt: skip
"""What the application does."""


def share(action: str) -> float:
    """Return the share of the requests that are of an action."""
    return float(ACTIONS[action]["weight"] / sum(each["weight"] for each in ACTIONS.values()))


def load_name(percent: int) -> str:
    """Return what the load at so many per cent of saturation is called."""
    return f"at_{percent}"


def document(
    users: Mapping[str, int], seconds: float, actions: Mapping[str, Mapping[str, float]], **tiers: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the scenario: one pod on a core of its own, and one of everything else.

    Load -> users, held for so many seconds; action -> fields and tier -> fields beside those that the stack has anyway.
    """
    known: dict[str, dict[str, Any]] = {
        "api": {
            "nodes": {"min": 1, "base": 1, "max": 1},
            "replicas": {"min": 1, "max": 1},
            "shape": {"vcpu": 1, "memory_gib": 2},
            "pod": {"cpu_cores": 0.9},
        },
        "database": {"replicas": 0, "tables": {"others": OTHER_TABLES}, "shape": {"vcpu": 1, "memory_gib": 1}},
        "pool": {"connections": CONNECTIONS, "pgbouncer_version": "1.18"},
        "cache": {"nodes": 1, "hit_ratio": HIT_RATIO, "shape": {"memory_gib": 1}},
        "gateway": {},
        "monitoring": {},
    }
    load = {"spawn_rate_per_s": 100, "duration_s": seconds, "latency_ms_p95": LATENCY_MS_P95}
    return {
        "schema_version": 1,
        "name": "small-stack",
        "description": "The CASCADE API on one core of a machine, all it asks on another",
        "application": "cascade",
        "users": {"peak": max(users.values()), "average": min(users.values())},
        "availability": "minimal",
        "behaviour": {
            "login": {"request": "POST /api/v1/auth/login"},
            "think_time_s": {"min": THINK_S / 2, "max": THINK_S * 3 / 2},
            "actions": {name: {**fields, **actions.get(name, {})} for name, fields in ACTIONS.items()},
        },
        "loads": {name: {"users": count, **load} for name, count in users.items()},
        "tiers": {name: {**fields, **tiers.get(name, {})} for name, fields in known.items()},
    }


def written(path: Path, document: Mapping[str, Any]) -> Path:
    """Write a scenario as YAML and return where."""
    path.write_text(yaml.safe_dump(document, sort_keys=False, width=120), encoding="utf-8")
    return path


def planned(path: Path) -> Plan:
    """Return the plan of a scenario's file."""
    given = read(str(path))
    return plan(given.scenario, given.book, given.origins)
