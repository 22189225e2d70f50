"""A cache without nodes: its bill by hand, its limits, and what it has no word for."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.clouds.aws.serverless import CACHES
from cascade_plan.emitters import directory as emitting
from cascade_plan.inputs.scenarios import read_scenario
from cascade_plan.model.plan import Plan
from cascade_plan.model.scenario import Scenario
from cascade_plan.planning.pipeline import plan
from cascade_plan.prices import bundled

HOURS = 730
LEVELS = ("floor", "average", "peak", "ceiling")


def scenario(**cache: Any) -> Scenario:
    document = read_scenario("cascade")[0].model_dump(exclude_unset=True)
    document["tiers"]["cache"] = {"serverless": True, **cache}
    return Scenario.model_validate(document)


def planned(given_: Scenario) -> Plan:
    return plan(given_, bundled.book(given_.cloud, given_.region), predicted=False)


def items(made: Plan) -> dict[str, Any]:
    return {item.name: item for item in made.bill.items if item.tier == "cache"}


def units_by_hand(made: Plan, level: str) -> float:
    """Return the processing units a second of a level, action by action, from the scenario's own numbers."""
    scenario, kib = made.scenario, 1024
    requests = getattr(made.traffic.requests_per_s, level)
    actions = scenario.behaviour.actions.values()
    weights = sum(action.weight for action in actions)
    hits = scenario.tiers["cache"].hit_ratio  # type: ignore[attr-defined]
    total = 0.0
    for action in actions:
        each = max(1, action.response_bytes / action.read_count / kib) if action.read_count else 0
        looked_up = requests * action.weight / weights * action.read_count
        total += looked_up * hits * each + looked_up * (1 - hits) * (1 + each)
        if action.publishes:
            total += requests * action.weight / weights * (1 + 3 * (1 - (2 / 3) ** 6)) * max(1, 300 / kib)
    return total + getattr(made.traffic.users, level) / 20 * 8


@pytest.mark.parametrize("engine", ["redis", "valkey"])
def test_the_bill_is_that_of_every_command_by_hand(engine: str) -> None:
    """300 B messages to those of three nodes that hold one of six readers, eight commands each 20 s of a connection."""
    made = planned(scenario(engine=engine))
    per_million, per_gib_hour = {"redis": ("0.0034", "0.125"), "valkey": ("0.0023", "0.084")}[engine]
    found = items(made)
    assert set(found) == {"cache storage", "cache requests"}
    for level in LEVELS:
        asked = Decimal(units_by_hand(made, level)) * HOURS * 3600 / 1_000_000
        assert float(getattr(found["cache requests"].quantity, level)) == pytest.approx(float(asked), abs=1e-5)
        cost = getattr(found["cache requests"].cost_usd, level)
        assert float(cost) == pytest.approx(float(asked * Decimal(per_million)), abs=1e-7)
    # 34 MB are kept: less than what is charged at least.
    least = {"redis": 1, "valkey": Decimal("0.1")}[engine]
    assert found["cache storage"].cost_usd.average == HOURS * least * Decimal(per_gib_hour)


def test_what_is_kept_is_charged_beyond_the_least() -> None:
    (item,) = (item for item in planned(scenario(data_gib=40)).bill.items if item.name == "cache storage")
    state = [users * 433 / 2**30 for users in (3000, 10_000)]
    assert float(item.quantity.average) == pytest.approx((40 + state[0]) * HOURS, abs=1e-3)
    assert float(item.quantity.peak) == pytest.approx((40 + state[1]) * HOURS, abs=1e-3)


@given(st.floats(0, 1e9))
def test_a_command_is_at_least_a_unit_and_never_less_than_what_it_moves(moved_bytes: float) -> None:
    for sold in CACHES.values():
        assert sold.units(moved_bytes) == max(1, moved_bytes / 1024)


def test_it_has_no_nodes_and_nobody_queues_in_it() -> None:
    made = planned(scenario())
    sized = made.fleet.tiers["cache"]
    assert not sized.groups
    assert not sized.levers
    assert {"cache.node_count", "cache.master_count", "cache.maxmemory_mib_per_node"}.isdisjoint(made.figures)
    whole = plan(made.scenario, bundled.book("aws", "us-east-1"))
    assert whole.figure("latency_ms_p95.normal") > 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"minimum_nodes": 3}, "minimum_nodes: a serverless cache has no nodes, leave that out"),
        ({"shape": "cache.r7g.large", "nodes": 2}, "nodes, shape: a serverless cache has no nodes"),
        ({"purchase": "reserved_1y_no_upfront"}, "purchase: a serverless cache has no nodes"),
    ],
)
def test_what_only_nodes_have_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        scenario(**settings)


def test_its_limits_are_findings() -> None:
    def said(made: Plan, code: str) -> list[str]:
        return [finding.message for finding in made.findings if finding.code == code]

    assert not said(planned(scenario(data_gib=3_900)), "cache-memory-near")
    assert said(planned(scenario(data_gib=4_500)), "cache-memory-near")
    (full,) = said(planned(scenario(data_gib=5_001)), "cache-memory")
    assert full.startswith("cache is to keep 5,001 GiB; a serverless cache holds 5,000")
    # 5,000 requests/s of half a hit each would have to move 3 MB a look-up to reach 15 million units a second.
    document = scenario().model_dump(exclude_unset=True)
    for action in document["behaviour"]["actions"].values():
        action["response_bytes"] = 8e6
    (asked,) = said(planned(Scenario.model_validate(document)), "cache-commands")
    assert "a serverless cache does 15,000,000" in asked


def test_what_is_emitted_has_no_node_and_no_setting() -> None:
    made = planned(scenario(engine="valkey"))
    files = {file.path: file.text for file in emitting.everything(made).files}
    assert '"aws_elasticache_serverless_cache" "cache"' in files["infra/cache.tf"]
    assert "aws_elasticache_replication_group" not in files["infra/cache.tf"]
    assert not [path for path in files if "redis" in path or "elasticache" in path]
    # Serverless caches are clusters to their clients: the state's module asks who has a key.
    assert 'redis.cluster("slots")' in files["cluster/connection_state.py"]
    assert yaml.safe_load(files["cluster/websocket_cluster.yaml"])["websocket_cluster"]["message_broker"] == {
        "type": "valkey_serverless",
        "pub_sub": "sharded",
        "pub_sub_channels": ["tenant:{<tenant_id>}:broadcast", "workroom:{<workroom_id>}:updates"],
    }
