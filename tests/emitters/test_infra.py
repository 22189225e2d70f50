"""The Terraform is the plan's, formatted and parsed by Terraform, with no secret in it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import hcl2
import pytest
from factories import make_plan
from hypothesis import given
from hypothesis import strategies as st
from servers import program

from cascade_plan.emitters.terraform import artefacts as infra
from cascade_plan.inputs.scenarios import bundled_scenarios, read
from cascade_plan.model.plan import Plan
from cascade_plan.planning.pipeline import plan


def planned(name: str) -> Plan:
    given = read(name)
    return plan(given.scenario, given.catalogue, given.book, given.origins)


def resources(made: Plan) -> dict[tuple[str, str], dict[str, Any]]:
    """Return (type, name) -> attributes of every resource, texts without their quotes."""
    found = {}
    for artefact in infra.render(made):
        for resource in hcl2.loads(artefact.text).get("resource", []):
            for kind, named in resource.items():
                for name, attributes in named.items():
                    found[bare(kind), bare(name)] = bare(attributes)
    return found


def bare(value: Any) -> Any:
    """Return a parsed value without the quotes that the parser keeps around its texts."""
    if isinstance(value, dict):
        return {bare(key): bare(item) for key, item in value.items()}
    if isinstance(value, list):
        return [bare(item) for item in value]
    return value[1:-1] if isinstance(value, str) and value[:1] == '"' else value


@pytest.mark.parametrize("name", bundled_scenarios())
def test_terraform_formats_and_parses_it(name: str, tmp_path: Path) -> None:
    for artefact in infra.render(planned(name)):
        (tmp_path / artefact.path).write_text(artefact.text, encoding="utf-8")
        hcl2.loads(artefact.text)
    done = subprocess.run(
        [program("terraform"), "fmt", "-check", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        env={"HOME": str(tmp_path), "PATH": ""},
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_shapes_and_counts_are_the_plans() -> None:
    made = planned("cascade")
    found = resources(made)
    primary, replica = found["aws_db_instance", "primary"], found["aws_db_instance", "replica"]
    assert (primary["instance_class"], primary["multi_az"], primary["allocated_storage"]) == ("db.r5.xlarge", True, 100)
    assert (replica["count"], replica["instance_class"]) == (1, "db.r5.xlarge")
    cache = found["aws_elasticache_replication_group", "cache"]
    assert (cache["node_type"], cache["num_node_groups"]) == ("cache.r6g.large", 3)
    (scaling,) = found["aws_eks_node_group", "api"]["scaling_config"]
    assert (scaling["min_size"], scaling["desired_size"], scaling["max_size"]) == (2, 3, 5)
    assert found["aws_eks_node_group", "api"]["instance_types"] == ["c6g.xlarge"]
    assert found["aws_eks_node_group", "websocket"]["scaling_config"][0]["min_size"] == 3


def test_replicas_of_the_cache() -> None:
    made = make_plan(tiers__cache__replicas_per_master=1)
    cache = resources(made)["aws_elasticache_replication_group", "cache"]
    assert (cache["num_node_groups"], cache["replicas_per_node_group"], cache["multi_az_enabled"]) == (3, 1, True)


def test_every_group_of_the_plan_is_there() -> None:
    made = planned("whale-1m")
    found = resources(made)
    tiers = {group.tier for group in made.groups if group.shape.service == "ec2"}
    assert {name for kind, name in found if kind == "aws_eks_node_group"} == tiers


def test_the_alarm_is_at_the_scenarios_budget() -> None:
    (budget,) = [found for (kind, _), found in resources(planned("cascade")).items() if kind == "aws_budgets_budget"]
    # $50 for each 1000 of 10,000 users.
    assert (budget["limit_amount"], budget["limit_unit"]) == ("500.00", "USD")
    assert [(n["notification_type"], n["threshold"]) for n in budget["notification"]] == [
        ("FORECASTED", 100),
        ("ACTUAL", 80),
        ("ACTUAL", 100),
    ]


@given(st.integers(1, 2_000_000), st.sampled_from(["peak", "average"]))
def test_the_budget_is_the_unit_budget_times_the_users(peak: int, users: str) -> None:
    made = make_plan(users__peak=peak, users__average=max(1, peak // 3), budget__users=users)
    count = made.scenario.users.peak if users == "peak" else made.scenario.users.average
    assert infra.budget_usd_per_month(made) == 50 * count / infra.Decimal(1000)


def test_no_secret_is_written_and_no_password_has_a_default() -> None:
    for replicas in (0, 2):
        made = make_plan(tiers__database__replicas=replicas)
        text = "\n".join(artefact.text for artefact in infra.render(made))
        assert not re.search(r'(?i)(password|secret)\w*\s*=\s*"', text)
        assert ("manage_master_user_password" in text) == (replicas == 0)
        assert ("var.database_password" in text) == (replicas > 0)
        assert ('variable "database_password"' in text) == (replicas > 0)


def test_every_variable_that_is_used_is_declared_and_every_declared_one_is_used() -> None:
    for replicas in (0, 2):
        for balancer in ("alb", "nlb"):
            made = make_plan(tiers__database__replicas=replicas, tiers__gateway__balancer=balancer)
            text = "\n".join(artefact.text for artefact in infra.render(made))
            declared = set(re.findall(r'^variable "(\w+)"', text, re.MULTILINE))
            assert declared == set(re.findall(r"\bvar\.(\w+)", text))


def test_the_balancer_waits_longer_than_the_heartbeat() -> None:
    made = make_plan(websocket__heartbeat_interval_s=50.0)
    assert resources(made)["aws_lb", "api"]["idle_timeout"] == 150
