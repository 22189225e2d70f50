"""Why a gate is not judged."""

from __future__ import annotations

import pytest
from factories import make_plan

GIVEN = "given in the scenario, not planned: measure it on the running system"


@pytest.mark.parametrize(
    ("changes", "figure", "reason"),
    [
        ({}, "cache.hit_ratio", GIVEN),
        ({"tiers.second": {"kind": "cache"}}, "second.hit_ratio", GIVEN),
        ({"tiers.cache": "off"}, "cache.hit_ratio", "this scenario has no cache tier"),
        ({"tiers.websocket": "off"}, "websocket.connection_count_per_node", "this scenario has no WebSocket tier"),
        ({}, "queue.million_requests_per_month", "this scenario has no queue tier"),
        (
            {"tiers.database": "off"},
            "pool.connection_count_per_10000_users",
            "in this scenario pool has no such figure",
        ),
    ],
)
def test_a_gate_on_what_is_not_there_is_not_judged_for_a_reason(
    changes: dict[str, object], figure: str, reason: str
) -> None:
    plan = make_plan(gates={figure: ["< 1"]}, **changes)
    (verdict,) = [verdict for verdict in plan.verdicts if verdict.figure == figure]
    assert (verdict.status, verdict.reason) == ("unjudged", reason)
