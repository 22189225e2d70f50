"""The server for assistants, asked by the SDK's own client over stdio: the real process, with nothing in between."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import anyio
import jsonschema
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from cascade_plan import registry
from cascade_plan.cli.app import run
from cascade_plan.files.data_root import data_root
from cascade_plan.model.schemas import SCHEMAS

SERVER = [sys.executable, "-m", "cascade_plan", "mcp"]
ROOT = Path(__file__).parent.parent
SAAS = data_root().joinpath("scenarios", "saas-300.yaml").read_text(encoding="utf-8")
Call = tuple[str, Mapping[str, Any]]


def environment(folder: Path) -> dict[str, str]:
    return {"PYTHONPATH": str(ROOT), "CASCADE_PLAN_CACHE_DIR": str(folder / "cache"), "HOME": str(folder)}


def asked(folder: Path, calls: Sequence[Call]) -> tuple[list[Any], list[Any]]:
    """Return the server's tools, and what it answers to calls one after another."""

    async def talk() -> tuple[list[Any], list[Any]]:
        process = StdioServerParameters(command=SERVER[0], args=SERVER[1:], env=environment(folder), cwd=folder)
        with (folder.parent / "stderr.txt").open("a") as errors:
            async with Client(stdio_client(process, errors)) as client:
                tools = (await client.list_tools()).tools
                return tools, [await client.call_tool(name, dict(arguments)) for name, arguments in calls]

    return anyio.run(talk)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a directory with scenarios, beside which there is something that nobody may read."""
    (tmp_path / "secret.yaml").write_text("secret: hunter2\n")
    (tmp_path / "secret.csv").write_text("hunter2,hunter2\n")
    inside = tmp_path / "inside"
    (inside / "plans").mkdir(parents=True)
    (inside / "plans" / "shop.yaml").write_text(SAAS.replace("saas-300", "shop"), encoding="utf-8")
    (inside / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    (inside / "linked").symlink_to(tmp_path)
    (inside / "notes.txt").write_text("hunter2")
    return inside


def text_of(result: Any) -> str:
    return "\n".join(each.text for each in result.content)


def test_every_tool_is_listed_with_its_schemas_and_only_reads(folder: Path) -> None:
    tools, _ = asked(folder, [])
    assert [tool.name for tool in tools] == ["diff", "explain", "optimize", "plan", "simulate"]
    for tool in tools:
        assert tool.annotations.read_only_hint is True
        assert tool.annotations.open_world_hint is False
        assert tool.output_schema == SCHEMAS[registry.load("cli/tools", tool.name).SCHEMA]()
        assert tool.input_schema["additionalProperties"] is False
        for schema in (tool.input_schema, tool.output_schema):
            jsonschema.Draft202012Validator.check_schema(schema)
        assert all("description" in field for field in tool.input_schema["properties"].values())


def test_each_tool_answers_what_its_command_says(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    pairs: list[tuple[Call, list[str]]] = [
        (("plan", {"scenario": "plans/shop.yaml"}), ["size", "plans/shop.yaml", "--format", "answer"]),
        (
            ("plan", {"scenario_yaml": SAAS, "overrides": {"users.peak": 900, "tiers.monitoring": "off"}}),
            ["size", "saas-300", "--set", "users.peak=900", "--set", "tiers.monitoring=off", "--format", "answer"],
        ),
        (
            ("explain", {"scenario": "saas-300", "figure": "api.node_count"}),
            ["explain", "api.node_count", "saas-300", "--format", "json"],
        ),
        (
            ("explain", {"scenario": "saas-300", "figure": "users.peak"}),
            ["explain", "users.peak", "saas-300", "--format", "json"],
        ),
        (
            ("diff", {"scenario": "saas-300", "after_overrides": {"users.peak": 900}}),
            ["diff", "saas-300", "--set", "users.peak=900", "--format", "json"],
        ),
        (
            ("diff", {"scenario": "cascade-as-written", "after_scenario": "cascade"}),
            ["diff", "cascade-as-written", "cascade", "--format", "json"],
        ),
        (("optimize", {"scenario": "saas-300"}), ["optimize", "saas-300", "--format", "json"]),
        (
            ("simulate", {"scenario": "saas-300", "days": 2, "seed": 3, "profile": "flat"}),
            ["simulate", "saas-300", "--days", "2", "--seed", "3", "--profile", "flat", "--format", "json"],
        ),
    ]
    _, answers = asked(folder, [call for call, _ in pairs])
    monkeypatch.chdir(folder)
    capsys.readouterr()
    for (call, command), answer in zip(pairs, answers, strict=True):
        assert not answer.is_error, text_of(answer)
        run(command)
        said = json.loads(capsys.readouterr().out)
        found = json.loads(json.dumps(answer.structured_content).replace("overrides ", "--set "))
        if call[0] == "plan":
            found["scenario"] = said["scenario"]
        if call[0] in ("plan", "diff", "optimize", "simulate"):
            assert found == said
        else:
            assert [each.get("value") for each in found["figures"]] == [each["value"] for each in said["figures"]]
            assert [each["input"] for each in found["inputs"]] == [each["input"] for each in said["inputs"]]
        assert len(text_of(answer).splitlines()) > 3


WRONG: list[tuple[Call, str]] = [
    (("plan", {}), "give scenario (a path, or one of api-batch"),
    (("plan", {"scenario": "cascade", "scenario_yaml": SAAS}), "one of both"),
    (("plan", {"scenario": "cascad"}), "no scenario 'cascad'"),
    (("plan", {"scenario": "none.yaml"}), "cannot read './none.yaml'"),
    (("plan", {"scenari": "cascade"}), "scenari: unknown; known are scenario"),
    (("plan", {"scenario": 3}), "scenario: input should be a valid string"),
    (("plan", {"scenario": "cascade", "overrides": {"users.peek": 1}}), "did you mean 'peak'?"),
    (("plan", {"scenario": "cascade", "overrides": {"users.peak": "many"}}), "users.peak"),
    (("plan", {"scenario": "cascade", "overrides": {"": 1, "a b": 2}}), "not a path"),
    (("plan", {"scenario": "cascade", "environment": "prod"}), "it has no environments"),
    (("plan", {"scenario_yaml": "users: ["}), "scenario_yaml:2:"),
    (("plan", {"scenario_yaml": ""}), "the document is empty"),
    (("plan", {"scenario_yaml": "a: " + "[" * 5000}), "scenario_yaml:1:"),
    (("plan", {"scenario_yaml": "x: 1\n" * 300_000}), "scenario_yaml: string should have at most"),
    (("explain", {"scenario": "cascade", "figure": "api.node_cont"}), "did you mean 'api.node_count"),
    (("explain", {"scenario": "cascade"}), "figure: field required"),
    (("diff", {"scenario": "cascade"}), "nothing to compare with: give after_overrides"),
    (("simulate", {"scenario": "cascade", "days": 1000}), "days: input should be less than or equal to 31"),
    (("simulate", {"scenario": "cascade", "days": True}), "days: input should be a valid integer"),
    (("optimize", {"scenario": "saas-300", "overrides": {"loads.peak.latency_ms_p95": 0.001}}), ""),
    (("no_such_tool", {}), "no tool 'no_such_tool': known are diff, explain"),
]
FORBIDDEN: list[Mapping[str, Any]] = [
    {"scenario": "/etc/passwd"},
    {"scenario": "../secret.yaml"},
    {"scenario": "plans/../../secret.yaml"},
    {"scenario": "link.yaml"},
    {"scenario": "linked/secret.yaml"},
    {"scenario": "notes.txt"},
    {"scenario": "-"},
    {"scenario": "plans"},
    {"scenario": ""},
    {"scenario": "a\0.yaml"},
    {"scenario_yaml": SAAS.replace("  tenants: 60", "  trace: ../secret.csv")},
    {"scenario_yaml": SAAS.replace("  tenants: 60", "  trace: {file: linked/secret.csv}")},
    {"scenario_yaml": f"{SAAS}\ncalibration: ../secret.yaml\n"},
    {"scenario_yaml": f"{SAAS}\nenvironments: {{a: {{users: {{trace: ../secret.csv}}}}}}\n"},
    {"scenario": "saas-300", "overrides": {"users.trace": "../secret.csv"}},
    {"scenario": "saas-300", "overrides": {"users.trace.file": "../secret.csv"}},
    {"scenario": "saas-300", "overrides": {"users": "{peak: 10, average: 5, trace: ../secret.csv}"}},
    {"scenario": "saas-300", "overrides": {"users": {"peak": 10, "average": 5, "trace": "../secret.csv"}}},
    {"scenario": "plans/shop.yaml", "overrides": {"calibration": "../../secret.yaml"}},
    {"scenario": "plans/shop.yaml", "overrides": {'"users".trace': "../../secret.csv"}},
]


def test_what_is_wrong_is_an_answer_in_our_words(folder: Path) -> None:
    _, answers = asked(folder, [call for call, _ in WRONG])
    for (call, words), answer in zip(WRONG, answers, strict=True):
        assert answer.is_error, call
        assert words in text_of(answer), (call, text_of(answer))
        assert "Traceback" not in text_of(answer)
        assert "bug of cascade-plan" not in text_of(answer)


def test_nothing_outside_is_read_and_nothing_is_written(folder: Path) -> None:
    before = {path: path.lstat().st_mtime_ns for path in folder.parent.rglob("*")}
    calls: list[Call] = [("plan", each) for each in FORBIDDEN]
    allowed: list[Call] = [("plan", {"scenario": "plans/shop.yaml"}), ("optimize", {"scenario": "saas-300"})]
    _, answers = asked(folder, [*calls, *allowed])
    for (_, arguments), answer in zip(calls, answers, strict=False):
        assert answer.is_error, arguments
        assert "hunter2" not in text_of(answer), arguments
    assert [answer.is_error for answer in answers[-2:]] == [False, False]
    after = {path: path.lstat().st_mtime_ns for path in folder.parent.rglob("*") if path.name != "stderr.txt"}
    assert after == before


def test_hostile_names_come_back_as_text(folder: Path) -> None:
    name = "</script>\u202e\n::error::x"
    texts = [SAAS.replace("name: saas-300", f"name: {json.dumps(each)}") for each in (name, "x" * 5000)]
    _, answers = asked(folder, [("plan", {"scenario_yaml": text}) for text in texts])
    assert all(isinstance(text_of(answer), str) for answer in answers)
    assert not any("bug of cascade-plan" in text_of(answer) for answer in answers)


def test_stdout_is_the_protocol_alone(folder: Path) -> None:
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "0"}}
    messages = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call",
         "params": {"name": "plan", "arguments": {"scenario": "saas-300", "overrides": {"users.peak": 900}}}},
        {"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": {"name": "plan", "arguments": {"scenario": "x"}}},
    ]  # fmt: skip
    with subprocess.Popen(
        SERVER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder, text=True,
        env={**os.environ, **environment(folder)},
    ) as server:  # fmt: skip
        assert server.stdin is not None
        assert server.stdout is not None
        assert server.stderr is not None
        answers = []
        for message in messages:
            server.stdin.write(f"{json.dumps(message)}\n")
            server.stdin.flush()
            if "id" in message:
                answers.append(json.loads(server.stdout.readline()))
        server.stdin.close()
        assert server.stdout.read() == ""
        errors = server.stderr.read()
        assert server.wait(30) == 0
    assert [answer["id"] for answer in answers] == [1, 2, 3]
    assert all(answer["jsonrpc"] == "2.0" for answer in answers)
    assert "Traceback" not in errors


def test_without_the_sdk_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setitem(sys.modules, "anyio", None)
    assert run(["mcp"]) == 2
    assert "pip install 'cascade-plan[mcp]'" in capsys.readouterr().err


@pytest.mark.parametrize("name", sorted(path.name[:-5] for path in data_root().joinpath("scenarios").iterdir()))
def test_every_bundled_scenario_is_answered_by_its_schema(name: str, capsys: Any) -> None:
    for schema, command in (
        ("answer", ["size", name, "--format", "answer"]),
        ("explanation", ["explain", "cost", name, "--format", "json"]),
        ("difference", ["diff", "cascade", name, "--format", "json"]),
    ):
        assert run(command) == 0
        document = json.loads(capsys.readouterr().out)
        assert list(jsonschema.Draft202012Validator(SCHEMAS[schema]()).iter_errors(document)) == []
