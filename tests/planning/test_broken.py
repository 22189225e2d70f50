"""What a fleet cannot do is broken, whoever says it: words alone let a search sell it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from cascade_plan.files.assignments import Assignment
from cascade_plan.inputs.scenarios import read
from cascade_plan.planning.pipeline import plan

ONE = "{min: 1, base: 1, max: 1}"


@pytest.mark.parametrize(
    ("code", "values"),
    [
        ("hpa-exceeds-nodes", {"tiers.api.replicas": "{min: 10, max: 100}"}),
        ("hpa-floor-exceeds-nodes", {"tiers.api.replicas": "{min: 90, max: 100}"}),
        ("system-pods", {"tiers.api.nodes": ONE, "tiers.cluster.system_cpu_cores": "4"}),
        ("zone-without-node", {"tiers.api.nodes": ONE}),
        ("cache-without-replicas", {"tiers.cache.nodes": "3"}),
        ("cache-cluster-too-small", {"tiers.cache.nodes": "4", "tiers.cache.replicas_per_master": "1"}),
        ("replica-limit", {"tiers.database.replicas": "16"}),
        ("websocket-proxies", {"tiers.websocket.proxy_count": "2", "users.peak": "600000"}),
        ("not-answered", {"tiers.api.nodes": ONE, "behaviour.actions.list_workrooms.cpu_ms": "20"}),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_broken(code: str, values: dict[str, str]) -> None:
    made = read("cascade", [Assignment(f"--set {path}", path, value) for path, value in values.items()])
    found = [
        each for each in plan(made.scenario, made.book, made.origins, predicted=False).findings if each.code == code
    ]
    assert [each.is_broken for each in found] == [True], code


def test_what_is_near_or_broken_names_the_assumptions_that_it_rests_on(
    cascade: Callable[..., tuple[int, str, str]],
) -> None:
    """What is cached is computed while nobody says it; what somebody says is no assumption."""
    answers = ("--set", "behaviour.actions.list_workrooms.response_bytes=3400000")
    _, out, _ = cascade("size", "cascade", *answers, "--format", "json")
    (found,) = [each for each in json.loads(out)["findings"] if each["code"] == "cache-memory"]
    assert found["is_broken"]
    assert found["rests_on"] == ["tiers.cache.data_gib"]
    _, text, _ = cascade("report", "cascade", "--relaxations", "none", *answers)
    assert "(rests on tiers.cache.data_gib, an assumption)" in " ".join(text.split())
    _, out, _ = cascade("size", "cascade", "--set", "tiers.cache.data_gib=31", "--format", "json")
    (found,) = [each for each in json.loads(out)["findings"] if each["code"] == "cache-memory"]
    assert found["is_broken"]
    assert found["rests_on"] == []


def test_a_lost_copy_is_broken_only_where_the_availability_asks_for_it() -> None:
    values = {"availability": "minimal", "tiers.cache.nodes": "3"}
    made = read("cascade", [Assignment(f"--set {path}", path, value) for path, value in values.items()])
    (found,) = [
        each
        for each in plan(made.scenario, made.book, predicted=False).findings
        if each.code == "cache-without-replicas"
    ]
    assert not found.is_broken
