"""A pool that the cloud runs: its bill by hand, what a transaction takes more, and nothing of PgBouncer."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import hcl2
import pytest

from cascade_plan.emitters import directory as emitting
from cascade_plan.inputs.scenarios import read_scenario
from cascade_plan.model.plan import Plan
from cascade_plan.model.price import Book, PriceKey
from cascade_plan.model.scenario import Scenario
from cascade_plan.planning.pipeline import plan
from cascade_plan.prices import bundled

USD = Decimal("0.015")


def book() -> Book:
    row = ("vcpu_hour", str(USD), "", "2020-01-02", "made up", "", "", "", "override")
    return bundled.book("aws", "us-east-1").overridden({PriceKey("rds", "proxy"): row}, "made up")


def scenario(database: dict[str, Any] | None = None, **pool: Any) -> Scenario:
    document = read_scenario("cascade")[0].model_dump(exclude_unset=True)
    document["tiers"]["pool"] = {"managed": True, **pool}
    document["tiers"]["database"] |= database or {}
    return Scenario.model_validate(document)


def planned(given: Scenario, predicted: bool = False) -> Plan:
    return plan(given, book(), predicted=predicted)


@pytest.mark.parametrize(("shape", "vcpu"), [("db.r5.xlarge", 4), ("db.r6g.large", 2), ("db.r5.4xlarge", 16)])
def test_it_is_paid_by_the_vcpu_of_the_primary(shape: str, vcpu: int) -> None:
    """The replica, which RDS Proxy does not stand before, is not counted."""
    made = planned(scenario({"shape": shape}))
    assert made.figure("database.replica_count") == 1
    (item,) = (item for item in made.bill.items if item.tier == "pool")
    assert item.cost_usd.average == item.cost_usd.ceiling == vcpu * 730 * USD
    assert made.figure("pool.charged_vcpu") == vcpu


def test_a_query_takes_as_much_more_as_is_said() -> None:
    """A message has one write, and a read in one of ten: 50 ms of exponential time have a p95 of about 150."""
    slow, fast = (planned(scenario(managed_ms=ms), predicted=True) for ms in (50.0, 0.0))
    figure = "action_latency_ms_p95.normal.create_message"
    assert slow.figure(figure) - fast.figure(figure) == pytest.approx(155, rel=0.05)


def test_connections_are_those_of_the_rule_and_held_against_the_server() -> None:
    made = planned(scenario())
    assert made.figure("pool.connection_count") == 100
    assert made.figure("pool.server_connection_count_max") == 100 + 20 + 3 + 2
    assert "pool.process_count" not in made.figures
    (limit,) = (f for f in planned(scenario(connections=4000)).findings if f.code == "max-connections")
    assert "4,025 connections" in limit.message


@pytest.mark.parametrize("settings", [{"port": 6433}, {"pgbouncer_version": "1.22", "transaction_ms": 0.5}])
def test_what_only_pgbouncer_has_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{', '.join(sorted(settings))}: of a managed pool nobody sets that"):
        scenario(**settings)


def test_nothing_of_pgbouncer_is_emitted() -> None:
    files = {file.path: file.text for file in emitting.everything(planned(scenario())).files}
    assert not [path for path in files if "pgbouncer" in path or "userlist" in path]
    found = {
        kind.strip('"'): body for each in hcl2.loads(files["infra/proxy.tf"])["resource"] for kind, body in each.items()
    }
    of_proxy = {kind for kind in found if kind.startswith("aws_db_")}
    assert of_proxy == {"aws_db_proxy", "aws_db_proxy_default_target_group", "aws_db_proxy_target"}
    # Its role reads the secret, and its group reaches the database and is reached by pods.
    assert {*found} - of_proxy == {
        "aws_iam_role", "aws_iam_role_policy", "aws_security_group", "aws_vpc_security_group_egress_rule",
        "aws_vpc_security_group_ingress_rule",
    }  # fmt: skip
    # 100 of the 125 that the emitted parameters set.
    assert "max_connections_percent = 80" in files["infra/proxy.tf"]
    assert "pgbouncer" not in files["monitoring/prometheus.yml"]
