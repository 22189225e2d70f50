"""What is paid for and used by nothing is said; what is used is not."""

from __future__ import annotations

import pytest
from factories import make_plan

ASKING = {"weight": 1.0, "request": "GET /found"}


@pytest.mark.parametrize(
    ("tier", "action", "code"),
    [
        ({"kind": "api"}, {"at": "second"}, "service-unused"),
        ({"kind": "cache"}, {"cache": "second", "read_count": 1}, "cache-unused"),
        ({"kind": "database"}, {"reads": {"second": 1}}, "database-unused"),
    ],
)
def test_a_second_one_that_no_action_names_is_said_to_be_unused(
    tier: dict[str, str], action: dict[str, object], code: str
) -> None:
    idle = make_plan(**{"tiers.second": tier})
    used = make_plan(**{"tiers.second": tier, "behaviour.actions.find": {**ASKING, **action}})
    assert [(finding.code, finding.where) for finding in idle.findings if finding.code.endswith("-unused")] == [
        (code, "tiers.second")
    ]
    assert not [finding for finding in used.findings if finding.code.endswith("-unused")]
