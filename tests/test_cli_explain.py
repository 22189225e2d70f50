"""explain: the list of figures, inputs with all there is to know of them, sensible digits, short suggestions, JSON."""

from __future__ import annotations

import json
import re
from decimal import Decimal

import pytest
import yaml


def test_without_a_figure_all_are_listed_by_tier(cascade, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    plan = json.loads(cascade("size", "--format", "json")[1])
    status, out, _ = cascade("explain")
    assert status == 0
    groups = {block.splitlines()[0]: block.splitlines()[1:] for block in out.split("\n\n")}
    listed = [line.split()[0] for lines in groups.values() for line in lines if line]
    assert sorted(listed) == sorted(plan["derivations"])
    assert [*groups][-5:] == ["Break-even", "Cost", "Latency", "Latency by action", "Load"]
    assert {"API", "Cache", "Database", "WebSocket"} <= {*groups}
    assert re.search(r"^  api\.node_count\.base +3  nodes$", out, re.MULTILINE)
    assert re.search(r"^  cost_usd_per_1000_users_month +\$279\.21  a month$", out, re.MULTILINE)
    for columns in (60, 80):
        monkeypatch.setenv("COLUMNS", str(columns))
        assert max(map(len, cascade("explain")[1].splitlines())) <= columns


def test_a_scenario_alone_lists_its_figures(cascade) -> None:  # type: ignore[no-untyped-def]
    assert "WebSocket" not in cascade("explain", "saas-300")[1]
    cascade("init", "mine.yaml", "--users", "700")
    status, out, _ = cascade("explain", "mine.yaml")
    assert status == 0
    assert "requests_per_s.peak" in out


def test_every_listed_value_is_the_one_that_is_explained(cascade) -> None:  # type: ignore[no-untyped-def]
    for line in filter(lambda line: line.startswith("  "), cascade("explain", "api-batch")[1].splitlines()):
        name, value, *unit = line.split()
        first = cascade("explain", name, "api-batch")[1].splitlines()[0]
        assert first == " ".join([name, "=", value, *unit])


def test_money_has_cents_and_its_exact_value_once(cascade) -> None:  # type: ignore[no-untyped-def]
    _, out, _ = cascade("explain", "cost_usd_per_1000_users_month")
    lines = out.splitlines()
    assert lines[:2] == ["cost_usd_per_1000_users_month = $279.21 a month", "  exact    279.2114000131 USD/month"]
    assert "    line     api nodes (c6g.xlarge): 1,460 hours x $0.136 = $198.56" in lines
    assert "    line     ALB capacity units: 7,233.63 LCU-hours x $0.008 = $57.87" in lines
    assert sum("279.2114000131" in line for line in lines) == 1
    # No number but an exact one has more decimals than money or a price needs.
    products = [line for line in lines if re.match(r" *line ", line)]
    assert not [line for line in products if re.search(r"\.\d{5,}", line)]


def test_the_lines_of_a_bill_are_given_once(cascade) -> None:  # type: ignore[no-untyped-def]
    _, out, _ = cascade("explain", "cost")
    assert out.count("NAT gateways: ") == 1
    assert "explain cost_usd_per_month.peak lists them" in out
    assert "NAT gateways: " in cascade("explain", "cost_usd_per_month.peak")[1]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("poolz", "no figure and no input 'poolz'; did you mean 'pool'?"),
        ("nodes_per_users", "no figure and no input 'nodes_per_users'"),
        ("qwertz", "no figure and no input 'qwertz'; inputs are paths of the scenario, such as users.peak"),
    ],
)
def test_a_wrong_figure_is_answered_shortly(cascade, wrong: str, said: str) -> None:  # type: ignore[no-untyped-def]
    status, out, err = cascade("explain", wrong)
    assert (status, out) == (2, "")
    assert err.startswith(f"error: {said}")
    assert "`cascade-plan explain` lists the figures" in err
    assert len(err) < 300


def test_an_input_says_all_there_is_to_know(cascade) -> None:  # type: ignore[no-untyped-def]
    _, out, _ = cascade("explain", "tiers.api.users_per_node", "saas-300")
    first, *others = out.splitlines()
    said = {line[2:11].strip(): line[11:] for line in others}
    assert first == "tiers.api.users_per_node = 300 users per node"
    assert list(said) == ["meaning", "allowed", "default", "example", "used by", "given"]
    assert said["allowed"] == "users per node, at least 1"
    assert said["default"].startswith("5000 (plan): ")
    assert said["given"].startswith("saas-300.yaml:")
    # What is shown as an example is one, and the figures it is used by are made of it.
    assignment = said["example"].removeprefix("--set ")
    for figure in said["used by"].split(", "):
        assert re.search(r"input +tiers\.api\.users_per_node ", cascade("explain", figure, "saas-300")[1])
    assert cascade("size", "saas-300", "--set", assignment)[0] == 0


@pytest.mark.parametrize("path", ["method", "availability.zones", "tiers.cache.engine", "tiers.database.n_plus_one"])
def test_what_is_allowed_is_what_the_program_takes(cascade, path: str) -> None:  # type: ignore[no-untyped-def]
    _, out, _ = cascade("explain", path)
    allowed = next(line for line in out.splitlines() if line.startswith("  allowed"))[11:]
    if " at least " in allowed:
        least, most = (int(re.search(rf"{word} (\d+)", allowed)[1]) for word in ("at least", "at most"))  # type: ignore[index]
        assert (
            cascade("size", "--set", f"{path}={least - 1}")[0] == cascade("size", "--set", f"{path}={most + 1}")[0] == 2
        )
        return
    for value in re.split(r", | or ", allowed):
        assert cascade("size", "--set", f"{path}={value}", "-q")[0] == 0
    assert cascade("size", "--set", f"{path}=nothing-of-these")[0] == 2


def test_lines_are_folded_at_their_spaces_for_a_page(cascade, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    whole = cascade("explain", "api.node_count", "--method", "slo")[1]
    monkeypatch.setenv("COLUMNS", "80")
    folded = cascade("explain", "api.node_count", "--method", "slo")[1]
    assert folded.split() == whole.split()
    longest = max(folded.splitlines(), key=len)
    assert len(longest) <= 80 or " " not in longest.strip()
    assert max(map(len, whole.splitlines())) > 80


def test_json_says_the_same(cascade) -> None:  # type: ignore[no-untyped-def]
    made = json.loads(cascade("explain", "cost_usd_per_month.average", "--format", "json")[1])
    (figure,) = made["figures"]
    assert (made["schema_version"], made["inputs"], figure["unit"]) == (1, [], "USD/month")
    assert sum(Decimal(line["cost_usd"]) for line in figure["lines"]) == Decimal(figure["value"])
    (entry,) = json.loads(cascade("explain", "tiers.api.users_per_node", "--format", "json")[1])["inputs"]
    assert (entry["value"], entry["default"]["kind"], entry["used_by"][0]) == (5000, "plan", "api.node_count.base")
    everything = json.loads(cascade("explain", "--format", "json")[1])["figures"]
    assert {each["figure"] for each in everything} == {
        *json.loads(cascade("size", "--format", "json")[1])["derivations"]
    }
    part = json.loads(cascade("explain", "tiers.api", "--format", "json")[1])
    assert part["figures"] == []
    assert {"tiers.api", "tiers.api.shape", "tiers.api.pod.cpu_cores"} <= {each["input"] for each in part["inputs"]}
    assert cascade("explain", "--format", "jsn")[0] == 2


def test_validate_says_in_json_where_each_problem_is(cascade, tmp_path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "bad.yaml").write_text("schema_version: 1\nname: shop\nusers: {peak: many}\n", encoding="utf-8")
    (tmp_path / "both.yaml").write_text(
        yaml.safe_dump(
            {
                "schema_version": 1,
                "name": "shop",
                "users": {"peak": 900, "average": 300},
                "behaviour": {"actions": {"list": {"weight": 1, "request": "GET /items"}}},
                "environments": {"prod": {}, "test": {"users": {"peak": "many"}}},
            }
        ),
        encoding="utf-8",
    )
    status, out, err = cascade("validate", "cascade", "bad.yaml", "both.yaml", "none.yaml", "--format", "json")
    made = json.loads(out)
    assert (status, err, made["valid"]) == (2, "", False)
    verdicts = {(each["scenario"], each["environment"]): each for each in made["scenarios"]}
    assert {key: each["valid"] for key, each in verdicts.items()} == {
        ("cascade", None): True,
        ("bad.yaml", None): False,
        ("both.yaml", "prod"): True,
        ("both.yaml", "test"): False,
        ("none.yaml", None): False,
    }
    first = verdicts["bad.yaml", None]["problems"][0]
    assert (first["file"], first["line"], first["column"], first["field"]) == ("bad.yaml", 1, 1, "behaviour")
    assert verdicts["none.yaml", None]["problems"][0]["message"].startswith("cannot read 'none.yaml'")
    status, out, _ = cascade("validate", "cascade", "--format", "json")
    assert (status, json.loads(out)["valid"]) == (0, True)
