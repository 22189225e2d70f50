"""Why a gate is not judged."""

from __future__ import annotations

import pytest
from factories import make_plan

MEASURED = "a value of the scenario, not a result: measure it on the running system"


@pytest.mark.parametrize(
    ("changes", "figure", "reason"),
    [
        ({}, "cache_hit_ratio", MEASURED),
        ({"tiers.second": {"kind": "cache"}}, "second.hit_ratio", MEASURED),
        ({"tiers.cache": "off"}, "cache_hit_ratio", "this scenario has no cache tier"),
        ({"tiers.websocket": "off"}, "websocket.connection_count_per_node", "this scenario has no WebSocket tier"),
        ({}, "queue.million_requests_per_month", "this scenario has no queue tier"),
        ({}, "api.made_up", "this plan has no such figure"),
    ],
)
def test_a_gate_on_what_is_not_there_is_not_judged_for_a_reason(
    changes: dict[str, object], figure: str, reason: str
) -> None:
    plan = make_plan(gates={figure: ["< 1"]}, **changes)
    (verdict,) = [verdict for verdict in plan.verdicts if verdict.figure == figure]
    assert (verdict.status, verdict.reason) == ("unjudged", reason)
