"""Environments of one file: what differs is laid over the rest, places and totals stay true."""

from __future__ import annotations

import io
import json
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from cascade_plan.errors import ScenarioError, UsageError
from cascade_plan.files.parsing import parse_yaml
from cascade_plan.inputs.scenarios import environments_of, read, read_scenario
from cascade_plan.planning.pipeline import plan

Result = tuple[int, str, str]
SAAS = Path(__file__).parent.parent.parent / "scenarios" / "saas-300.yaml"
ENVIRONMENTS = """
environments:
  prod: {}
  staging:
    users: {peak: 20, average: 5, registered: 40}
    availability: minimal
    tiers:
      monitoring: off
      cache: {engine: valkey}
      database: {storage_gib: 20}
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "saas.yaml"
    path.write_text(SAAS.read_text(encoding="utf-8") + ENVIRONMENTS, encoding="utf-8")
    return str(path)


def test_the_first_environment_is_the_default_and_the_base_is_unchanged(file: str) -> None:
    assert environments_of(file) == ("prod", "staging")
    assert parse_yaml(Path(file).read_text(encoding="utf-8"), file).data["environments"]["prod"] == {}
    base, prod = read_scenario("saas-300")[0], read_scenario(file)[0]
    assert prod.name == "saas-300-prod"
    assert prod.model_copy(update={"name": base.name}) == base
    assert environments_of("saas-300") == ()


def test_an_environment_lays_mappings_over_and_replaces_the_rest(file: str) -> None:
    staging, origins = read_scenario(file, env="staging")
    assert (staging.users.peak, staging.users.tenants) == (20, 60)
    assert staging.availability.asked.lost_zone_count == 0
    assert {*staging.tiers} == {"cluster", "api", "database", "gateway", "network", "cache"}
    database = staging.tiers["database"]
    assert getattr(database, "storage_gib") == 20  # noqa: B009
    lines = Path(file).read_text(encoding="utf-8").splitlines()
    for path, words in (
        ("users.peak", "users: {peak: 20"),
        ("users.tenants", "tenants: 60"),
        ("tiers.database.storage_gib", "database: {storage_gib: 20}"),
        ("tiers.database.shape", "shape: {vcpu: 2"),
        ("tiers.cache.engine", "cache: {engine"),
    ):
        where = origins[path]
        assert words in lines[int(where.rpartition(":")[2]) - 1], (path, where)
    assert "tiers.monitoring.label_by_tenant" not in origins


def test_two_environments_can_stand_in_one_account(file: str) -> None:
    names = {read_scenario(file, env=env)[0].name for env in environments_of(file)}
    assert len(names) == 2


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("environments: {}", "environments: must be a mapping of environments"),
        ("environments: [prod]", "environments: must be a mapping of environments"),
        ("environments: {prod: 3}", "environments.prod: must be a mapping of the values that differ"),
        ("environments: {prod: {environments: {}}}", "an environment has none of its own"),
        ("environments: {prod: {usres: {peak: 3}}}", "unknown field; did you mean 'users'?"),
        ("environments: {prod: {users: {peak: 3, average: 5, registered: 9}}}", "average (5) must not exceed peak (3)"),
    ],
)
def test_a_mistake_in_an_environment_stands_at_its_line(tmp_path: Path, given: str, message: str) -> None:
    path = tmp_path / "bad.yaml"
    text = SAAS.read_text(encoding="utf-8")
    path.write_text(f"{text}\n{given}\n", encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        read(str(path))
    assert message in str(caught.value)
    assert f"bad.yaml:{len(text.splitlines()) + 2}:" in str(caught.value)


def test_an_unknown_environment_is_answered_with_those_there_are(file: str) -> None:
    with pytest.raises(UsageError, match=r"--env stagin: its environments are prod, staging; did you mean 'staging'\?"):
        read_scenario(file, env="stagin")
    with pytest.raises(UsageError, match="it has no environments"):
        read_scenario("saas-300", env="prod")


def cost(file: str, env: str) -> Decimal:
    given = read(file, env=env, cached=False)
    return plan(given.scenario, given.book, given.origins).bill.effective_usd.average


def test_a_report_shows_every_environment_and_their_sum(file: str, cascade: Callable[..., Result]) -> None:
    total = sum((cost(file, env) for env in ("prod", "staging")), Decimal(0))
    _, out, _ = cascade("report", "--relaxations", "none", file, "--format", "json")
    document = json.loads(out)
    assert {*document["environments"]} == {"saas-300-prod", "saas-300-staging"}
    assert Decimal(document["cost_usd_per_month"]) == total
    assert Decimal(document["cost_usd_per_month_by_level"]["average"]) == total
    assert document["status"] == "over_budget"
    _, text, _ = cascade("report", "--relaxations", "none", file)
    assert text.startswith("# Cost of all environments")
    assert f"${total:,.2f}" in text.partition("## Cost report")[0]
    assert [line for line in text.splitlines() if line.startswith("# ")] == [text.splitlines()[0]]
    _, rows, _ = cascade("report", "--relaxations", "none", file, "--format", "csv")
    assert {row.partition(",")[0] for row in rows.splitlines()} == {"environment", "saas-300-prod", "saas-300-staging"}


def test_check_judges_every_environment(file: str, cascade: Callable[..., Result]) -> None:
    status, out, _ = cascade("check", file, "--format", "junit")
    assert status == 1
    suites = {suite.get("name"): int(suite.get("failures", "")) for suite in ElementTree.fromstring(out)}
    assert suites == {"cascade-plan saas-300-prod": 0, "cascade-plan saas-300-staging": 1}
    assert cascade("check", file, "--env", "prod")[0] == 0


def test_all_environments_come_through_standard_input_too(
    file: str, cascade: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    def piped() -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(Path(file).read_bytes())))

    piped()
    assert cascade("validate", "-")[:2] == (0, "- (prod): valid\n- (staging): valid\n")
    piped()
    status, out, _ = cascade("check", "-", "--format", "junit")
    assert (status, [suite.get("failures") for suite in ElementTree.fromstring(out)]) == (1, ["0", "1"])


def test_size_says_which_environment_it_took(file: str, cascade: Callable[..., Result]) -> None:
    _, out, err = cascade("size", file)
    assert "environment prod of prod, staging; --env chooses another" in err
    assert out.startswith("saas-300-prod ")
    assert cascade("size", file, "--env", "staging")[1].startswith("saas-300-staging ")
