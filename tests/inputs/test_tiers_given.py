"""Tiers as a file, an environment and flags give them: on, off, or a mistake that is said where it was made."""

from __future__ import annotations

from pathlib import Path

import pytest

from cascade_plan.errors import ScenarioError
from cascade_plan.inputs.scenarios import Assignment, read, read_scenario
from cascade_plan.model.tier import STANDARD

PLAIN = """\
schema_version: 1
name: shop
users: {peak: 1000, average: 300}
behaviour:
  actions:
    list: {weight: 1, request: GET /items}
"""
NAMED = PLAIN + "tiers:\n  cluster: {}\n  api: {}\n  search: {kind: api}\n  cache: off\n"


def tiers(text: str, tmp_path: Path, *changes: str, env: str | None = None) -> list[str]:
    """Return the names of the tiers of a scenario with values set: "tiers.cache=off"."""
    file = tmp_path / "shop.yaml"
    file.write_text(text, encoding="utf-8")
    return list(read_scenario(str(file), [assignment(each) for each in changes], env)[0].tiers)


def assignment(change: str) -> Assignment:
    path, _, value = change.partition("=")
    return f"--set {change}", path, value


def refused(text: str, tmp_path: Path, *changes: str, env: str | None = None) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        tiers(text, tmp_path, *changes, env=env)
    return [str(problem).replace(f"{tmp_path}/", "") for problem in caught.value.problems]


def test_a_scenario_that_names_no_tiers_has_the_standard_ones_and_keeps_them_when_one_changes(tmp_path: Path) -> None:
    assert tiers(PLAIN, tmp_path) == [*STANDARD]
    assert tiers(PLAIN, tmp_path, "tiers.api.users_per_node=100") == [*STANDARD]
    assert tiers(PLAIN, tmp_path, "tiers.websocket=off") == [name for name in STANDARD if name != "websocket"]
    assert tiers(PLAIN, tmp_path, "tiers={api: {}}") == ["api"]


def test_a_scenario_that_names_tiers_has_just_those(tmp_path: Path) -> None:
    assert tiers(NAMED, tmp_path) == ["cluster", "api", "search"]


@pytest.mark.parametrize("off", ["off", "false"])
def test_off_and_the_braces_turn_tiers_off_and_on(tmp_path: Path, off: str) -> None:
    assert tiers(NAMED, tmp_path, f"tiers.search={off}") == ["cluster", "api"]
    assert tiers(NAMED, tmp_path, "tiers.cache={}", "tiers.cache.hit_ratio=0.5") == [
        "cluster",
        "api",
        "search",
        "cache",
    ]
    assert tiers(NAMED, tmp_path, "tiers.database={}", f"tiers.database={off}") == ["cluster", "api", "search"]
    assert "reports" in tiers(NAMED, tmp_path, "tiers.reports.kind=database", "tiers.reports.storage_gib=50")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("tiers.cache.nodes=3", "tiers.cache.nodes: tiers.cache is off in this scenario; tiers.cache={} turns it on"),
        ("tiers.websocket.nodes=3", "tiers.websocket is off in this scenario; tiers.websocket={} turns it on"),
        ("tiers.serch.nodes=3", "no tier 'serch', only cluster, api, search; did you mean 'search'?"),
        ("tiers.databse.storage_gib=50", "no tier 'databse', only cluster, api, search; did you mean 'database'?"),
        ("tiers.serch=off", "tiers.serch: there is no tier 'serch' to turn off: known are api, cache, cluster, "),
        ("tiers.search=on", "tiers.search: must be off or a mapping of settings ({} takes all defaults), got 'on'"),
        ("tiers.search.kind=apii", "tiers.search.kind: 'apii' is no kind of tier: kinds are api, cache, cluster, "),
        ("tiers.search.user_per_node=5", "unknown field; did you mean 'users_per_node'? allowed: await_cpu_ms"),
    ],
)
def test_a_mistake_is_said_of_the_flag_that_made_it(tmp_path: Path, change: str, message: str) -> None:
    (found,) = refused(NAMED, tmp_path, change)
    assert found.startswith(f"--set {change}: ")
    assert message in found


def test_all_mistakes_of_flags_are_said_at_once(tmp_path: Path) -> None:
    found = refused(NAMED, tmp_path, "tiers.cache.nodes=3", "users.peak.x=1", "tiers.websocket.nodes=1")
    assert len(found) == 3


def test_what_an_action_names_must_still_be_there(tmp_path: Path) -> None:
    text = NAMED.replace("GET /items}", "GET /items, at: search}")
    assert tiers(text, tmp_path) == ["cluster", "api", "search"]
    (found,) = refused(text, tmp_path, "tiers.search=off")
    assert found == "shop.yaml:6:48: behaviour.actions.list.at: must name an api of this scenario (api), got 'search'"


def test_a_tier_that_is_off_leaves_no_origins(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(NAMED, encoding="utf-8")
    given = read(str(file), [assignment("tiers.search=off"), assignment("tiers.api.users_per_node=70")])
    assert not [path for path in given.origins if path.startswith("tiers.search")]
    assert given.origins["tiers.api.users_per_node"] == "--set tiers.api.users_per_node=70"


def test_an_environment_turns_tiers_on_and_off(tmp_path: Path) -> None:
    text = (
        NAMED + "environments:\n  prod: {}\n  test: {tiers: {search: off, cache: {}}}\n  wrong: {tiers: {serch: off}}\n"
    )
    assert tiers(text, tmp_path) == tiers(text, tmp_path, env="prod") == ["cluster", "api", "search"]
    assert tiers(text, tmp_path, env="test") == ["cluster", "api", "cache"]
    assert tiers(text, tmp_path, "tiers.cache=off", env="test") == ["cluster", "api"]
    (found,) = refused(text, tmp_path, env="wrong")
    assert found.startswith("shop.yaml:15:26: tiers.serch: there is no tier 'serch' to turn off")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("cloud=asw", "cloud: must be one of aws, got 'asw'; did you mean 'aws'?"),
        ("region=us-east-9", "no region 'us-east-9'; did you mean 'us-east-1'? regions with prices are"),
        ("tiers.search.shape=m5.lrge", "tiers.search.shape: no vm shape named 'm5.lrge'; did you mean 'm5.large'?"),
    ],
)
def test_what_the_cloud_does_not_have_is_said_where_it_was_given(tmp_path: Path, change: str, message: str) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(NAMED, encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        read(str(file), [assignment(change)])
    (problem,) = caught.value.problems
    assert str(problem).startswith(f"--set {change}: ")
    assert message in str(problem)


def test_a_word_for_availability_is_given_where_it_stands(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(NAMED + "availability: minimal\n", encoding="utf-8")
    assert read_scenario(str(file))[1]["availability.level"] == f"{file}:12"
    change = assignment("availability=critical")
    assert read_scenario(str(file), [change])[1]["availability.level"] == "--set availability=critical"
    file.write_text(NAMED + "availability: {zones: 2}\n", encoding="utf-8")
    assert "availability.level" not in read_scenario(str(file))[1]


def test_a_mistake_in_an_environment_is_said_where_it_stands(tmp_path: Path) -> None:
    wrong = "{users: {peek: 20000}, tiers: {search: {users_per_nod: 5}}}"
    found = refused(NAMED + f"environments:\n  prod: {wrong}\n", tmp_path, env="prod")
    assert [each.partition(" unknown field;")[0] for each in found] == [
        "shop.yaml:13:18: users.peek:",
        "shop.yaml:13:49: tiers.search.users_per_nod:",
    ]
