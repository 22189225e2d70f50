"""Aurora PostgreSQL: instances, storage, I/O and capacity by hand, what takes over, and what it refuses."""

from __future__ import annotations

import math
import re
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.emitters import directory as emitting
from cascade_plan.inputs.scenarios import read_scenario
from cascade_plan.model.plan import Plan
from cascade_plan.model.price import Book, PriceKey
from cascade_plan.model.scenario import Scenario
from cascade_plan.planning.pipeline import plan
from cascade_plan.prices import bundled

HOURS = 730
LEVELS = ("floor", "average", "peak", "ceiling")
USD = {
    PriceKey("rds", "db.r6g.xlarge", "aurora_standard"): ("hour", "0.5"),
    PriceKey("rds", "db.r6g.xlarge", "aurora_io_optimized"): ("hour", "0.65"),
    PriceKey("rds", "aurora-storage", "aurora_standard"): ("gib_month", "0.1"),
    PriceKey("rds", "aurora-storage", "aurora_io_optimized"): ("gib_month", "0.225"),
    PriceKey("rds", "aurora-io", "aurora_standard"): ("million_requests", "0.2"),
    PriceKey("rds", "aurora-capacity", "aurora_standard"): ("acu_hour", "0.12"),
    PriceKey("rds", "aurora-backup", ""): ("gib_month", "0.02"),
    PriceKey("rds", "proxy", ""): ("vcpu_hour", "0.015"),
}


def book() -> Book:
    rows = {key: (unit, usd, "", "2020-01-02", "made up", "", "", "", "override") for key, (unit, usd) in USD.items()}
    return bundled.book("aws", "us-east-1").overridden(rows, "made up")


def scenario(changes: dict[str, Any] | None = None, **database: Any) -> Scenario:
    document = read_scenario("cascade")[0].model_dump(exclude_unset=True)
    shape = {} if database.get("serverless") else {"shape": "db.r6g.xlarge"}
    document["tiers"]["database"] = {"engine": "aurora", **shape, **database}
    for path, value in (changes or {}).items():
        *branches, leaf = path.split(".")
        place = document
        for branch in branches:
            place = place[branch]
        place[leaf] = value
    return Scenario.model_validate(document)


def planned(given_: Scenario, predicted: bool = False) -> Plan:
    return plan(given_, book(), predicted=predicted)


def lines(made: Plan) -> dict[str, Any]:
    return {item.name: item for item in made.bill.items if item.tier == "database"}


def io_by_hand(made: Plan, requests_per_s: float) -> float:
    """Return the I/O requests a second: two pages a read that misses, and a write's log in 4 KiB, at least one."""
    scenario_, total = made.scenario, 0.0
    hits = scenario_.tiers["cache"].hit_ratio  # type: ignore[attr-defined]
    missed = 1 - made.figure("database.memory_hit_ratio")
    weights = sum(action.weight for action in scenario_.behaviour.actions.values())
    rows = writes = 0.0
    for action in scenario_.behaviour.actions.values():
        share = action.weight / weights
        total += share * action.read_count * (1 - hits) * 2 * missed
        writes += share * action.write_count
        rows += share * action.database_bytes
    return requests_per_s * (total + max(writes, rows * 2 / 4096))


def test_the_bill_is_two_instances_the_data_once_and_every_request() -> None:
    made = planned(scenario(data_gib=200))
    found = lines(made)
    assert made.figure("database.replica_count") == 1
    assert found["database primary (db.r6g.xlarge)"].cost_usd.average == HOURS * Decimal("0.5")
    assert found["read replicas (db.r6g.xlarge)"].cost_usd.average == HOURS * Decimal("0.5")
    growth = made.figure("database.growth_gib_per_month")
    assert float(found["database storage"].cost_usd.average) == pytest.approx((200 + growth / 2) * 0.1, abs=1e-5)
    for level in LEVELS:
        month = io_by_hand(made, getattr(made.traffic.requests_per_s, level)) * HOURS * 3600 / 1e6
        assert float(getattr(found["database I/O requests"].cost_usd, level)) == pytest.approx(month * 0.2, rel=1e-6)


def test_io_optimized_pays_no_request() -> None:
    found = lines(planned(scenario(data_gib=200, io_mode="io_optimized")))
    assert "database I/O requests" not in found
    assert found["database primary (db.r6g.xlarge)"].price_usd == Decimal("0.65")
    assert found["database storage"].price_usd == Decimal("0.225")


def test_backups_are_what_changes_on_the_days_that_are_kept() -> None:
    """The data itself is free once; its log, twice what is added, is charged for each day of seven."""
    made = planned(scenario(data_gib=200))
    a_day = made.figure("database.growth_gib_per_month") * 2 / (365 / 12)
    (item,) = (item for name, item in lines(made).items() if name == "database backup")
    assert float(item.cost_usd.average) == pytest.approx(a_day * 7 * 0.02, rel=1e-4)


def test_storage_is_at_least_ten_gib_and_nothing_is_doubled() -> None:
    made = planned(scenario({"availability": "critical", "users.average": 1}))
    (item,) = (item for name, item in lines(made).items() if name == "database storage")
    assert item.quantity.average == 10
    assert not [item for item in lines(made).values() if "multi" in item.name]


@pytest.mark.parametrize(("availability", "replicas"), [("minimal", 0), ("standard", 1), ("critical", 1)])
def test_a_reader_is_what_takes_over(availability: str, replicas: int) -> None:
    made = planned(scenario({"availability": availability}, users_per_replica=1_000_000))
    assert made.figure("database.replica_count") == replicas
    alone = planned(scenario({"availability": availability}, replicas=0))
    said = [finding.code for finding in alone.findings if finding.code == "aurora-without-reader"]
    assert len(said) == replicas


def capacity_by_hand(made: Plan, requests_per_s: float, low: float, high: float, busy_ratio: float) -> float:
    """Return the units of the fullest: writes of 0.3 ms, or with them all the reads of the one reader."""
    scenario_ = made.scenario
    weights = sum(action.weight for action in scenario_.behaviour.actions.values())
    hits = scenario_.tiers["cache"].hit_ratio  # type: ignore[attr-defined]
    seconds = sum(
        action.weight
        / weights
        * (action.write_count * 0.0003 + action.read_count * (1 - hits) * (action.read_ms or 0.1) / 1000)
        for action in scenario_.behaviour.actions.values()
    )
    wanted = requests_per_s * seconds / 0.25 / busy_ratio
    return min(high, max(low, math.ceil(wanted * 2 - 1e-9) / 2))


@pytest.mark.parametrize(("low", "high", "busy_ratio"), [(0.5, 16, 0.5), (2, 2, 0.5), (1, 64, 0.05)])
def test_capacity_is_what_keeps_the_fullest_as_busy_as_said(low: float, high: float, busy_ratio: float) -> None:
    made = planned(
        scenario(serverless=True, capacity_units_min=low, capacity_units_max=high, capacity_busy_ratio=busy_ratio)
    )
    name = f"database primary capacity ({low:g} to {high:g} ACU)"
    rates = made.traffic.requests_per_s
    (item,) = (item for item in lines(made).values() if item.name == name)
    for level in ("floor", "peak", "ceiling"):
        units = capacity_by_hand(made, getattr(rates, level), low, high, busy_ratio)
        assert float(getattr(item.cost_usd, level)) == pytest.approx(units * HOURS * 0.12, rel=1e-9)
    hourly = [
        capacity_by_hand(made, rates.average * users / made.scenario.users.average, low, high, busy_ratio)
        for users in made.traffic.hourly_users
    ]
    assert float(item.cost_usd.average) == pytest.approx(sum(hourly) / 24 * HOURS * 0.12, rel=1e-6)
    # A reader that may take over is as large.
    (reader,) = (other for other in lines(made).values() if other.name.startswith("read replicas capacity"))
    assert reader.cost_usd == item.cost_usd


@given(st.integers(1, 100), st.integers(1, 100), st.integers(1000, 100_000), st.integers(1000, 100_000))
def test_more_users_never_cost_less_capacity(low: int, more: int, users: int, other: int) -> None:
    costs = []
    for peak in sorted((users, other)):
        given_ = scenario(
            {"users.peak": peak, "users.average": 1000},
            serverless=True,
            capacity_units_min=low / 2,
            capacity_units_max=(low + more) / 2,
        )
        costs.append(planned(given_).figure("database.capacity_unit_count.peak"))
        assert low / 2 <= costs[-1] <= (low + more) / 2
    assert costs[0] <= costs[1]


@pytest.mark.parametrize(
    ("database", "message"),
    [
        ({"storage_gib": 500}, "storage_gib: Aurora's storage is as large as its data"),
        ({"provisioned_operations_per_s": 5000}, "provisioned_operations_per_s: Aurora's storage"),
        ({"serverless": True, "shape": "db.r6g.large"}, "shape: a serverless database has no instances"),
        ({"capacity_units_max": 4}, "capacity_units_max: only of a serverless database"),
        ({"engine": "postgres", "io_mode": "io_optimized"}, "io_mode: only of engine aurora"),
        ({"engine": "postgres", "serverless": True}, "serverless: only of engine aurora"),
        ({"serverless": True, "capacity_units_min": 8, "capacity_units_max": 4}, "must not be below"),
        ({"serverless": True, "capacity_units_min": 0.7}, "multiple"),
    ],
)
def test_what_is_of_another_kind_is_refused(database: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        scenario(**database)


def test_its_storage_has_a_limit_and_no_disk_has() -> None:
    codes = {finding.code for finding in planned(scenario(data_gib=140_000)).findings}
    assert "storage" in codes
    assert codes.isdisjoint({"disk-operations", "disk-throughput", "checkpoints", "storage-growth"})
    assert "database.disk_operations_per_s_peak" not in planned(scenario()).figures


@pytest.mark.parametrize("replicas", [1, 2])
def test_a_managed_pool_is_paid_for_every_instance(replicas: int) -> None:
    made = planned(scenario({"tiers.pool": {"managed": True}}, replicas=replicas))
    (item,) = (item for item in made.bill.items if item.tier == "pool")
    assert item.cost_usd.average == 4 * (1 + replicas) * HOURS * Decimal("0.015")
    assert "db_cluster_identifier" in {f.path: f.text for f in emitting.everything(made).files}["infra/proxy.tf"]
    without = planned(scenario({"tiers.pool": {"managed": True}}, serverless=True))
    assert any("managed pool" in words for words in without.bill.not_priced)


@pytest.mark.parametrize(("day", "is_said"), [(date(2027, 2, 28), False), (date(2027, 3, 1), True)])
def test_extended_support_that_has_no_price_is_said_to_be_outside_the_bill(day: date, is_said: bool) -> None:
    made = plan(scenario(version="14"), book(), as_of=day, predicted=False)
    assert is_said == any("extended support of PostgreSQL 14" in words for words in made.bill.not_priced)


def test_the_cluster_is_emitted_and_no_instance_of_rds() -> None:
    files = {file.path: file.text for file in emitting.everything(planned(scenario(io_mode="io_optimized"))).files}
    assert "infra/database.tf" not in files
    assert re.search(r'storage_type += "aurora-iopt1"', files["infra/aurora.tf"])
    assert files["infra/aurora.tf"].count('resource "aws_rds_cluster_instance"') == 2
    assert not [path for path in files if path.endswith("postgresql.conf")]
    assert re.search(r'family += "aurora-postgresql15"', files["infra/aurora.tf"])
    serverless = {f.path: f.text for f in emitting.everything(planned(scenario(serverless=True))).files}
    assert "min_capacity = 0.5\n    max_capacity = 16" in serverless["infra/aurora.tf"]
