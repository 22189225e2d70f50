"""The emitted load tests hold the scenario's numbers, and hostile text comes back from them as it went in."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from argparse import Namespace
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path
from typing import Any

import pytest
from factories import make_plan, make_scenario
from hypothesis import example, given, settings
from hypothesis import strategies as st
from servers import program

from cascade_plan.emitters import directory as emitting
from cascade_plan.emitters.loadtest import artefacts as loadtest
from cascade_plan.emitters.loadtest._loads import (
    Body,
    body,
    generator_counts,
    requests_per_s_most,
    settle_s,
    whole_weights,
)
from cascade_plan.errors import UsageError
from cascade_plan.languages import javascript, python
from cascade_plan.model.plan import Plan
from cascade_plan.model.scenario import Action, LoadTest, Scenario

UPLOADS = {
    "look": {"weight": 2.0, "request": "GET /items/{item_id}"},
    "upload": {"weight": 1.0, "request": "POST /items", "object_bytes": 100.0},
}
"""A path with a placeholder, and a file in a form."""
HOSTILE = (
    "\"'\\`${x}</script><!--",
    "a\nb\r\u2028\u2029\x00\x85",
    "\ud800 \U0001f600 \u202e",
    "'''\"\"\"\\",
    "{{x}}%s#//*/",
)


def files(plan: Plan) -> dict[str, str]:
    return {artefact.path: artefact.text for artefact in loadtest.render(plan)}


def constants(text: str) -> dict[str, Any]:
    """Return the constants of emitted Python, its named tuples as tuples."""
    found: dict[str, Any] = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            plain = ast.unparse(node.value).replace("Load(", "(").replace("Action(", "(")
            try:
                found[node.targets[0].id] = ast.literal_eval(plain)
            except ValueError:
                continue
    return found


def with_names(name: str, path: str) -> Plan:
    """Return a plan whose load, action and path carry any text, past what the schema lets through."""
    plan = make_plan()
    scenario = plan.scenario
    action = scenario.behaviour.actions["read"].model_copy(update={"request": f"POST {path}", "publishes": True})
    behaviour = scenario.behaviour.model_copy(update={"actions": {name: action}})
    changed = {"behaviour": behaviour, "loads": {name: scenario.loads["normal"]}}
    return Plan(**{field: getattr(plan, field) for field in Plan.__slots__} | {
        "scenario": scenario.model_copy(update=changed)
    })  # fmt: skip


# --------------------------------------------------------------------------------------------------------- the numbers


def test_the_locust_file_has_the_scenarios_loads_and_actions() -> None:
    loads = {"peak": {"users": 7, "spawn_rate_per_s": 2.5, "duration_s": 60.0, "latency_ms_p95": 200.0,
                      "latency_ms_p99": 300.0, "failure_ratio_max": 0.02}}  # fmt: skip
    found = constants(files(make_plan(loads=loads, users__tenants=12))["locustfile.py"])
    assert found["LOADS"] == {"peak": (7, 2.5, 60.0, 200.0, 300.0, 0.02)}
    assert found["ACTIONS"] == (
        ("read", 3, "GET", "/things", "", "", 0),
        ("write", 1, "POST", "/things", "json", "content", 200),
    )
    assert (found["THINK_S"], found["TENANTS"], found["USERS_PER_ROOM"]) == ((1.0, 3.0), 12, 6)
    # Two turns of 3 s of thought and 0.2 s of waiting.
    assert found["SETTLE_S"] == {"peak": 7}


@pytest.mark.parametrize(("think_s", "p95_ms", "expected"), [(3.0, 200.0, 7), (0.15, 200.0, 3), (3.0, 5000.0, 16)])
def test_what_is_left_out_after_the_ramp_is_two_turns_of_a_user(think_s: float, p95_ms: float, expected: int) -> None:
    scenario = make_scenario(behaviour__think_time_s={"min": 0.05, "max": think_s})
    load = scenario.driven["normal"]._replace(latency_ms_p95=p95_ms)
    assert settle_s(scenario, load) == expected


def test_the_websocket_test_opens_the_plans_connections() -> None:
    found = constants(files(make_plan(users__peak=12_000))["websocket_test.py"])
    assert (found["CONNECTIONS"], found["CONNECTIONS_PER_S"], found["LATENCY_MS_P95"]) == (12_000, 10.0, 200.0)
    assert (found["PUBLISH_PATH"], found["WHOLE_TENANT"]) == ("/things", False)


def test_without_loads_only_connections_are_tested() -> None:
    assert list(files(make_plan(loads={}, gates={}))) == ["websocket_test.py"]


def test_without_a_publishing_action_no_broadcast_is_timed() -> None:
    made = make_plan(behaviour__actions={"read": {"weight": 1.0, "request": "GET /"}})
    assert constants(files(made)["websocket_test.py"])["PUBLISH_PATH"] is None


def test_files_say_which_model_their_p95_belongs_to() -> None:
    made = files(make_plan())
    assert all("closed model" in made[path] for path in ("locustfile.py", "loadtest.js"))


def test_only_the_script_is_executable() -> None:
    assert [artefact.path for artefact in loadtest.render(make_plan()) if artefact.executable] == ["run.sh"]


def test_without_connections_nobody_shares_a_room_or_holds_a_socket() -> None:
    made = files(make_plan(tiers__websocket="off", gates={}, behaviour__actions=UPLOADS))
    assert list(made) == ["locustfile.py", "run.sh", "loadtest.js"]
    assert not re.search("room|socket", "".join(made.values()), re.IGNORECASE)
    assert "USERS_PER_ROOM" not in constants(made["locustfile.py"])
    assert not re.search("<<|>>", "".join(text for path, text in made.items() if path != "run.sh"))


def test_without_loads_and_connections_there_is_nothing_to_test() -> None:
    made = make_plan(tiers__websocket="off", loads={}, gates={})
    assert files(made) == {}
    with pytest.raises(UsageError, match="nothing of what emit-loadtest writes files for"):
        emitting.emitted(made, "loadtest")


@pytest.mark.parametrize("sockets", [{}, "off"])
def test_each_account_has_a_number_for_the_placeholders_of_a_path(sockets: Any, tmp_path: Path) -> None:
    """The emitted class itself, and k6's function: the members of a room share a number, who is alone has its own."""
    made = files(make_plan(tiers__websocket=sockets, gates={}, users__tenants=2, behaviour__actions=UPLOADS))
    text = made["locustfile.py"]
    code = text[text.index("TENANT_HEADER = ") :].partition("LOAD = ")[0]
    names: dict[str, Any] = {}
    exec("import os, re, sys\n" + code, names)
    accounts = [names["Account"](number) for number in range(14)]
    paths = [account.path("/items/{item_id}/parts/{part}") for account in accounts]
    # Two tenants, and rooms of six of the same tenant.
    assert len({*paths}) == (14 if sockets == "off" else 4)
    assert [account.tenant for account in accounts] == [1, 2] * 7
    assert accounts[2].user == "user3@tenant1.example"
    script = tmp_path / "accounts.mjs"
    body = made["loadtest.js"].partition("const TENANTS")[2].partition("const HOST")[0]
    function = re.search(r"function accountOf.*?\n}\n", made["loadtest.js"], re.DOTALL)
    assert function is not None
    place = "number" if sockets == "off" else "room"
    script.write_text(
        f"const TENANTS{body}{function[0]}"
        f"console.log(JSON.stringify([...Array(14).keys()].map(accountOf).map((a) => [a.user, a.tenant, a.{place}])))",
        encoding="utf-8",
    )
    done = subprocess.run([program("node"), str(script)], capture_output=True, text=True, check=True)
    expected = [[account.user, str(account.tenant), getattr(account, place)] for account in accounts]
    assert json.loads(done.stdout) == expected


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ({}, [("file", "loadtest.bin", "application/octet-stream", b"abc")]),
        (
            {"form_field": "room_id", "file_name": "scan.pdf"},
            [("room_id", None, "text/plain", b"7"), ("file", "scan.pdf", "application/pdf", b"abc")],
        ),
    ],
)
def test_a_file_is_sent_in_the_form_that_the_scenario_asks_for(named: Any, expected: list[Any], tmp_path: Path) -> None:
    actions = {**UPLOADS, "upload": UPLOADS["upload"] | named}
    made = files(make_plan(behaviour__actions=actions))
    text = made["locustfile.py"]
    names: dict[str, Any] = {"FORMS": constants(text)["FORMS"], "BOUNDARY": constants(text)["BOUNDARY"]}
    exec(text[text.index("def form(") :].partition("CONTENT_TYPES")[0], names)
    content = names["form"](Namespace(name="upload"), "7", b"abc")
    head = f"Content-Type: multipart/form-data; boundary={names['BOUNDARY']}\r\n\r\n".encode()
    parts = list(BytesParser(policy=HTTP).parsebytes(head + content).iter_parts())
    assert [
        (part.get_param("name", header="content-disposition"), part.get_filename(), part.get_content_type(),
         part.get_payload(decode=True)) for part in parts
    ] == expected  # fmt: skip
    forms = made["loadtest.js"].partition("const FORMS = ")[2].partition(";\n")[0]
    assert {name: tuple(form) for name, form in json.loads(forms).items()} == names["FORMS"]


@pytest.mark.parametrize("sockets", [{}, "off"])
@pytest.mark.parametrize("path", ["locustfile.py", "websocket_test.py"])
def test_emitted_python_has_no_flaw_that_a_linter_knows(path: str, sockets: Any, tmp_path: Path) -> None:
    made = files(make_plan(tiers__websocket=sockets, gates={}, behaviour__actions=UPLOADS))
    if path not in made:
        assert sockets == "off"
        return
    (tmp_path / path).write_text(made[path], encoding="utf-8")
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--select", "E4,E7,E9,F,B", path]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("action", "sent"),
    [
        ({"request": "GET /a"}, Body("", 0)),
        ({"request": "DELETE /a", "object_bytes": 5.0}, Body("", 0)),
        ({"request": "PUT /a", "request_bytes": 10.5}, Body("json", 11)),
        ({"request": "POST /a", "object_bytes": 100.0, "request_bytes": 120.0}, Body("form", 100)),
    ],
)
def test_what_an_action_sends(action: dict[str, Any], sent: Body) -> None:
    assert body(Action.model_validate({"weight": 1.0, **action})) == sent


def test_generators_are_counted_for_a_system_that_answers_at_once() -> None:
    scenario = make_scenario(loads={
        name: {"users": users, "spawn_rate_per_s": 1.0, "duration_s": 1.0, "latency_ms_p95": 1.0}
        for name, users in (("a", 1), ("b", 2000), ("c", 2001))
    }, gates={})  # fmt: skip
    assert requests_per_s_most(scenario, LoadTest.model_validate(scenario.loads["b"].model_dump())) == 1000
    assert generator_counts(scenario) == {"a": 1, "b": 1, "c": 2}


@given(st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=100))
def test_whole_weights_keep_the_shares(weights: list[float]) -> None:
    whole = whole_weights(weights)
    assert min(whole) >= 1
    assert sum(whole) <= 1000 + len(weights)
    for weight, count in zip(weights, whole, strict=True):
        assert abs(count / sum(whole) - weight / sum(weights)) <= (1 + len(weights)) / 1000


@st.composite
def schema_scenarios(draw: st.DrawFn) -> Scenario:
    """Return a scenario whose actions and loads are whatever the schema accepts."""
    keys = st.from_regex(r"[a-z][a-z0-9_]{0,39}", fullmatch=True)
    bytes_, milliseconds = st.floats(0, 1e12), st.floats(0.001, 86_400_000)
    request = st.from_regex(r"(GET|POST|PUT|PATCH|DELETE) /[A-Za-z0-9._~/{}=&?%:@+,-]*", fullmatch=True)
    action = st.fixed_dictionaries(
        {"weight": st.floats(1e-6, 1e6), "request": request},
        optional={"request_bytes": bytes_, "object_bytes": bytes_, "publishes": st.booleans(),
                  "audience": st.sampled_from(("room", "tenant"))},
    )  # fmt: skip
    load = st.fixed_dictionaries(
        {"users": st.integers(1, 10**9), "spawn_rate_per_s": st.floats(0.001, 1e9),
         "duration_s": st.floats(0.001, 31_536_000), "latency_ms_p95": milliseconds},
        optional={"latency_ms_p99": st.none() | milliseconds, "failure_ratio_max": st.floats(0, 1)},
    )  # fmt: skip
    return make_scenario(
        behaviour__actions=draw(st.dictionaries(keys, action, min_size=1, max_size=5)),
        loads=draw(st.dictionaries(keys | st.sampled_from(("class", "constructor", "esac")), load, max_size=5)),
        gates={},
    )


@given(schema_scenarios())
@settings(max_examples=40)
def test_whatever_the_schema_accepts_is_emitted_as_it_is(scenario: Scenario) -> None:
    made = files(make_plan(scenario))
    if not scenario.loads:
        assert list(made) == ["websocket_test.py"]
        return
    found = constants(made["locustfile.py"])
    assert found["LOADS"] == {name: tuple(load) for name, load in scenario.driven.items()}
    requests = {name: action.request for name, action in scenario.behaviour.actions.items()}
    assert {each[0]: f"{each[2]} {each[3]}" for each in found["ACTIONS"]} == requests
    data = made["loadtest.js"].partition("const LOADS = ")[2].partition(";\nconst ACTIONS = ")[0]
    assert json.loads(data) == {name: load._asdict() for name, load in scenario.driven.items()}


@given(schema_scenarios())
@settings(max_examples=10)
def test_node_and_bash_take_whatever_the_schema_accepts(scenario: Scenario) -> None:
    made = files(make_plan(scenario))
    if "loadtest.js" in made:
        module = ["node", "--input-type=module", "--check"]
        subprocess.run([program("node"), *module[1:], "-"], input=made["loadtest.js"], text=True, check=True)
        subprocess.run(["bash", "-n"], input=made["run.sh"], text=True, check=True)


# ------------------------------------------------------------------------------------------------------------- quoting


@given(st.text() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.none())
def test_a_python_literal_comes_back(value: str | int | float | None) -> None:
    text = python.literal(value)
    assert ast.literal_eval(text) == value
    assert text.isascii()
    assert text.isprintable()


@given(st.text(max_size=30), st.text(max_size=30))
@example(HOSTILE[0], HOSTILE[1])
@example(HOSTILE[2], HOSTILE[3])
@settings(max_examples=50)
def test_emitted_python_holds_any_name(name: str, path: str) -> None:
    made = files(with_names(name, path))
    found = constants(made["locustfile.py"])
    assert list(found["LOADS"]) == [name]
    assert [(action[0], action[3]) for action in found["ACTIONS"]] == [(name, path)]
    assert constants(made["websocket_test.py"])["PUBLISH_PATH"] == path


def test_javascript_literals_come_back(tmp_path: Path) -> None:
    """Of node itself, in one start: every hostile text and every character that could end a string or a line."""
    values: list[Any] = [*HOSTILE, *map(chr, range(0x300)), "</script>", 0.1, 1e300, -0.0, None, {"a": ["</b>"]}]
    script = tmp_path / "literals.mjs"
    literals = ",\n".join(javascript.literal(value) for value in values)
    script.write_text(f"process.stdout.write(JSON.stringify([{literals}]));\n", encoding="utf-8")
    done = subprocess.run([program("node"), str(script)], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == values
    assert "</" not in script.read_text(encoding="utf-8")


@given(st.recursive(st.text() | st.integers(-(2**53), 2**53) | st.none(), st.lists))
def test_a_javascript_literal_is_ascii_and_json(value: Any) -> None:
    text = javascript.literal(value)
    assert json.loads(text) == value
    assert text.isascii()
    assert "</" not in text


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_javascript_has_no_literal_for_some_numbers(value: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        javascript.literal(value)


@pytest.mark.parametrize(("name", "path"), [HOSTILE[:2], HOSTILE[2:4], (HOSTILE[4], HOSTILE[0])])
def test_emitted_javascript_and_shell_hold_any_name(name: str, path: str, tmp_path: Path) -> None:
    made = files(with_names(name, path))
    script = tmp_path / "loadtest.mjs"
    script.write_text(made["loadtest.js"], encoding="utf-8")
    subprocess.run([program("node"), "--check", str(script)], check=True)
    data = made["loadtest.js"].partition("const LOADS = ")[2].partition("\nconst THINK_S")[0]
    loads, _, actions = data.removesuffix(";").partition(";\nconst ACTIONS = ")
    assert list(json.loads(loads)) == [name]
    assert json.loads(actions)[0]["path"] == path
    if "\x00" in name or not name.isprintable():
        return
    lines = made["run.sh"].partition("if ! command")[0].replace('cd "$(dirname "$0")"\n', "")
    shell = lines + 'printf %s "${loads[0]}"; processes "${loads[0]}" >/dev/null'
    environment = {"LOADTEST_HOST": "x", "LOADTEST_PASSWORD": "x", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(["bash", "-c", shell], env=environment, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == (name, 0), done.stderr
