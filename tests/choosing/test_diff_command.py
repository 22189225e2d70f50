"""diff as a command: what the options change is changed in the second plan only, and the first line is the answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize(
    ("arguments", "headline"),
    [
        (["--peak", "12000", "--avg", "3000"], "+$389.22 a month (+13.9 %): a second read replica +$376.50"),
        (
            ["--set", "tiers.cache.engine=valkey"],
            "-$90.23 a month (-3.2 %): cache nodes on Valkey instead of Redis -$90.23",
        ),
        (["--set", "tiers.database.replicas=2"], "+$376.50 a month (+13.5 %): a second read replica +$376.50"),
        (
            ["--set", "availability={level: critical, multi_az: false}"],
            "-$376.50 a month (-13.5 %): database primary without standby -$376.50",
        ),
        (
            ["--set", "tiers.websocket=off", "--set", "gates={}"],
            "-$200.29 a month (-7.2 %): no WebSocket tier -$173.43",
        ),
    ],
)
@pytest.mark.parametrize("scenarios", [["cascade"], ["cascade", "cascade"]])
def test_the_options_change_the_second_side(
    cascade: Command, scenarios: list[str], arguments: list[str], headline: str
) -> None:
    status, out, err = cascade("diff", *scenarios, *arguments)
    assert (status, err) == (0, "")
    assert out.splitlines()[0] == headline


def test_a_saved_plan_is_the_first_side_as_it_was_saved(cascade: Command) -> None:
    cascade("size", "cascade", "--format", "json", "-o", "then.json")
    assert cascade("diff", "then.json", "cascade")[1] == "Nothing changed.\n"
    status, out, _ = cascade("diff", "then.json", "cascade", "--peak", "20000", "--avg", "3000", "--format", "json")
    figures = {figure["name"]: figure for figure in json.loads(out)["figures"]}
    assert status == 0
    assert (figures["api.node_count.base"]["before"], figures["api.node_count.base"]["after"]) == (3, 4)
    assert cascade("diff", "cascade", "then.json")[1] == "Nothing changed.\n"


@pytest.mark.parametrize("arguments", [["cascade", "then.json", "--peak", "20000"], ["then.json", "--peak", "20000"]])
def test_a_saved_plan_cannot_be_changed(cascade: Command, arguments: list[str]) -> None:
    cascade("size", "--format", "json", "-o", "then.json")
    status, out, err = cascade("diff", *arguments)
    assert (status, out) == (2, "")
    assert err == (
        "error: then.json is a saved plan, which --peak 20000 cannot change: give its scenario as AFTER, "
        "as in `cascade-plan diff then.json my.yaml --peak 20000`\n"
    )


@pytest.mark.parametrize("arguments", [["cascade"], [], ["then.json"]])
def test_one_scenario_and_no_change_is_nothing_to_compare(cascade: Command, arguments: list[str]) -> None:
    status, out, err = cascade("diff", *arguments)
    assert (status, out) == (2, "")
    assert err.startswith("error: nothing to compare ")
    assert "give a second scenario or plan, or a change such as --set" in err


def test_prices_are_those_of_the_second_side(cascade: Command) -> None:
    header = "item,variant,term,unit,usd,as_of,source,confirmed_by,note"
    Path("mine.yaml").write_text(
        "format: 1\ncloud: aws\nregion: us-east-1\nsections:\n  rds_storage:\n    sources: {a: our contract}\n"
        f"    rows: |\n      {header}\n"
        "      storage-gp3,multi_az,on_demand,gib_month,0.46,2026-11-01,a,,\n",
        encoding="utf-8",
    )
    status, out, _ = cascade("diff", "cascade", "--prices", "mine.yaml")
    assert status == 0
    # 100 GiB at 0.46 in place of 0.23 USD, in a group of 753 USD.
    assert out.splitlines()[0] == "+$23.00 a month (+0.8 %): database primary storage price +100.0 % +$23.00"


SYSTEMS = """
schema_version: 1
name: shop
users: {peak: 10000, average: 3000}
behaviour:
  actions:
    read: {weight: 1, request: GET /things}
tiers:
  api: {}
  database: {}
environments:
  production: {}
  staging:
    users: {peak: 100, average: 10}
    availability: minimal
"""


def test_an_environment_is_compared_with_the_first_one(cascade: Command) -> None:
    Path("shop.yaml").write_text(SYSTEMS, encoding="utf-8")
    status, out, _ = cascade("diff", "shop.yaml", "--env", "staging", "--format", "json")
    found = json.loads(out)
    assert status == 0
    assert (found["before"]["users_peak"], found["after"]["users_peak"]) == (10_000, 100)
    # With a change it says which environment is changed.
    sets = ("--set", "tiers.database.replicas=3")
    found = json.loads(cascade("diff", "shop.yaml", "--env", "staging", *sets, "--format", "json")[1])
    assert (found["before"]["users_peak"], found["after"]["users_peak"]) == (100, 100)
    assert [cause["words"] for cause in found["causes"]] == ["3 read replicas"]
    found = json.loads(cascade("diff", "shop.yaml", "shop.yaml", "--env", "staging", "--format", "json")[1])
    assert found["headline"] == "Nothing changed."


def test_the_environment_s_values_are_on_both_sides(cascade: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASCADE_PLAN_PEAK", "20000")
    Path(".cascade-plan.yaml").write_text("avg: 4000\n", encoding="utf-8")
    found = json.loads(cascade("diff", "cascade", "--set", "tiers.cache.engine=valkey", "--format", "json")[1])
    users = {(found[side]["users_peak"], found[side]["users_average"]) for side in ("before", "after")}
    assert users == {(20_000, 4000)}
    assert [each["name"] for each in found["inputs"]] == ["tiers.cache.engine"]


def test_what_is_no_plan_is_refused(cascade: Command) -> None:
    Path("plan.json").write_text('{"schema_version": 99}', encoding="utf-8")
    status, out, err = cascade("diff", "plan.json", "cascade")
    assert (status, out) == (2, "")
    assert err.startswith("error: plan.json: no plan that")


def test_a_mistake_in_an_option_is_told(cascade: Command) -> None:
    status, out, err = cascade("diff", "cascade", "--set", "tiers.cahe.engine=valkey")
    assert (status, out) == (2, "")
    assert "did you mean 'cache'?" in err


def test_the_page_s_width_is_kept(cascade: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    # Narrower than its longest name and number a table is as wide as these: no word is broken.
    for columns in (64, 80, 120):
        monkeypatch.setenv("COLUMNS", str(columns))
        _, out, _ = cascade("diff", "cascade-as-written", "cascade", "--full")
        assert max(map(len, out.splitlines())) <= columns
