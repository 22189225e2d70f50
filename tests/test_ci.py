"""What others put into their pipelines: each file keeps its format, and its scripts run as they are written."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from host_servers import World, serving

from cascade_plan.files.data_root import data_root

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
ACTION = ROOT / "action.yml"
COMPONENT = ROOT / "templates" / "cascade-plan.yml"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
BASE = data_root().joinpath("scenarios", "saas-300.yaml").read_text(encoding="utf-8")
DEARER = BASE.replace("    storage_gib: 50", "    storage_gib: 500")
FAILING = BASE.replace("usd_per_1000_users_month: 2000", "usd_per_1000_users_month: 100")
EMPTY_CONFIG = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}


def tool(*command: str | Path, cwd: Path = ROOT) -> str:
    """Return what a tool of the tests' environment says. Fails where it ends with any other status than 0."""
    done = subprocess.run([BIN / str(command[0]), *command[1:]], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def component() -> tuple[dict[str, Any], str]:
    """Return the inputs of the GitLab component, and the text that they are set in."""
    head, text = COMPONENT.read_text(encoding="utf-8").split("\n---\n")
    return yaml.safe_load(head)["spec"]["inputs"], text


# Formats


def test_the_action_keeps_githubs_schema() -> None:
    tool("check-jsonschema", "--builtin-schema", "vendor.github-actions", ACTION)


def test_the_workflows_keep_githubs_schema_and_pin_what_they_use() -> None:
    tool("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS)
    used = [found for file in WORKFLOWS for found in re.findall(r"uses: (\S+)(.*)", file.read_text(encoding="utf-8"))]
    assert len(used) >= 8
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", name) and re.match(" # v", more) for name, more in used)


def test_nothing_in_them_is_open_to_attack() -> None:
    tool("zizmor", "--offline", "--no-progress", "--persona=pedantic", ACTION, *WORKFLOWS)


def test_the_component_keeps_gitlabs_schema(tmp_path: Path) -> None:
    inputs, text = component()
    made = tmp_path / "gitlab-ci.yml"
    made.write_text(filled(text, {name: given["default"] for name, given in inputs.items()}), encoding="utf-8")
    tool("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci", made)
    assert {*re.findall(r"\$\[\[ inputs\.([\w-]+) \]\]", text)} == {*inputs}


def test_the_dockerfile_is_clean_and_leaves_root() -> None:
    tool("hadolint", "--strict-labels", ROOT / "Dockerfile")
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert re.findall(r"^USER (.*)$", text, re.MULTILINE) == ["10001"]
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert {"cascade_plan", "pricing", "scenarios", "docs", "README.md", "LICENSE", "pyproject.toml"} <= kept
    assert all((ROOT / each).exists() for each in kept)


def test_the_scripts_pass_shellcheck(tmp_path: Path) -> None:
    scripts = [step["run"] for step in yaml.safe_load(ACTION.read_text(encoding="utf-8"))["runs"]["steps"]]
    scripts += yaml.safe_load(component()[1])["cascade-plan"]["script"]
    for index, script in enumerate(scripts):
        file = tmp_path / f"{index}.sh"
        file.write_text(f"#!/bin/bash\n{script}\n", encoding="utf-8")
        # where is one word or none
        tool("shellcheck", "--exclude=SC2086", file)


# GitHub


def filled(text: str, inputs: Mapping[str, str]) -> str:
    """Return a GitLab component's text with its inputs in it."""
    return re.sub(r"\$\[\[ inputs\.([\w-]+) \]\]", lambda found: json.dumps(inputs[found[1]]), text)


def evaluated(expression: str, context: Mapping[str, Any]) -> str:
    """Return what the few expressions of action.yml are in a context."""
    for alternative in re.sub(r"^\$\{\{|\}\}$", "", expression).split("||"):
        path, unequal, other = (part.strip() for part in alternative.partition("!="))
        found: Any = context
        for step in path.split("."):
            found = found.get(step) if isinstance(found, Mapping) else None
        text = "" if found is None else str(found)
        if unequal:
            return str(text != other.strip("'")).lower()
        if text:
            return text
    return ""


def step(name: str, inputs: Mapping[str, str], event: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """Return the script of a step of the action, and its environment."""
    action = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
    given = {name: str(each["default"]) for name, each in action["inputs"].items()} | dict(inputs)
    context = {"inputs": given, "github": {"event": event, "token": "secret-token"}}
    given["token"] = evaluated(given["token"], context)
    (found,) = (each for each in action["runs"]["steps"] if each["name"] == name)
    assert found["shell"] == "bash"
    environment = {key: evaluated(value, context) for key, value in found["env"].items()}
    assert "${{" not in found["run"], "what comes from outside reaches a script by its environment alone"
    return found["run"], environment


def git(folder: Path, *arguments: str) -> str:
    command = [
        "git",
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@b.example",
        "-c",
        "protocol.file.allow=always",
        *arguments,
    ]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True,
                          env={**os.environ, **EMPTY_CONFIG})  # fmt: skip
    return done.stdout.strip()


def commit(folder: Path, text: str) -> str:
    (folder / "shop.yaml").write_text(text, encoding="utf-8")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "x", "--allow-empty")
    return git(folder, "rev-parse", "HEAD")


def installed(folder: Path, name: str, script: str) -> None:
    """Write a program."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def runner(folder: Path, world: World, **more: str) -> dict[str, str]:
    """Return the environment of a runner on which cascade-plan is installed."""
    called = f'PYTHONPATH={ROOT} exec {sys.executable} -m cascade_plan "$@"'
    installed(folder / "temp" / "cascade-plan" / "bin", "cascade-plan", called)
    installed(folder / "bin", "cascade-plan", called)
    installed(folder / "bin", "pip", f'echo "pip $*" >> {folder}/pip.txt')
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CASCADE_PLAN", "GITHUB_", "CI"))}
    return {
        **kept, **EMPTY_CONFIG, **world.environment(), "RUNNER_TEMP": str(folder / "temp"),
        "CASCADE_PLAN_CACHE_DIR": str(folder / "cache"), "PATH": f"{folder / 'bin'}:{os.environ['PATH']}", **more,
    }  # fmt: skip


def bash(script: str, cwd: Path, environment: Mapping[str, str]) -> tuple[int, str, str]:
    """Run a script as GitHub runs `shell: bash`."""
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    done = subprocess.run(command, cwd=cwd, env=dict(environment), capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def hub() -> Iterator[World]:
    with serving("github") as world:
        yield world


@pytest.fixture
def merged(tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    """Return a checkout of a pull request's merge, two commits deep, and the event that it was checked out for.

    The base has moved since the event: what the base has changed is none of the pull request's.
    """
    origin = tmp_path / "origin"
    origin.mkdir()
    git(origin, "init", "-q", "-b", "main")
    git(origin, "config", "uploadpack.allowAnySHA1InWant", "true")
    base = commit(origin, BASE)
    git(origin, "checkout", "-qb", "change")
    head = commit(origin, DEARER)
    git(origin, "checkout", "-q", "main")
    commit(origin, BASE.replace("  peak: 300", "  peak: 310"))
    git(origin, "merge", "-q", "--no-ff", "-m", "merge", "change")
    git(tmp_path, "clone", "-q", "--depth=2", f"file://{origin}", "checkout")
    pull = {"number": 12, "base": {"sha": base}, "head": {"sha": head, "repo": {"full_name": "o/r"}}}
    (tmp_path / "event.json").write_text(json.dumps({"pull_request": pull}))
    return tmp_path / "checkout", {"pull_request": pull}


def compared(checkout: Path, event: Mapping[str, Any], hub: World, **inputs: str) -> tuple[int, str, str]:
    """Run the action's second step."""
    script, given = step("Compare with the base", {"scenario": "shop.yaml", **inputs}, event)
    folder = checkout.parent
    github = {"GITHUB_EVENT_PATH": str(folder / "event.json"), "GITHUB_STEP_SUMMARY": str(folder / "summary.md")}
    return bash(script, checkout, {**runner(folder, hub), **github, **given})


def test_the_action_comments_on_what_the_pull_request_changes(merged: Any, hub: World) -> None:
    status, out, err = compared(*merged, hub)
    assert status == 0, err
    assert out == ""
    (found,) = hub.comments
    assert "storage 50 → 500 GiB" in found["body"]
    assert "users.peak" not in found["body"]
    assert "storage 50 → 500 GiB" in (merged[0].parent / "summary.md").read_text(encoding="utf-8")


def test_the_action_fetches_a_base_that_is_not_there(merged: Any, hub: World) -> None:
    checkout, event = merged
    git(checkout.parent, "clone", "-q", "--depth=1", f"file://{checkout.parent / 'origin'}", "shallow")
    status, _, err = compared(checkout.parent / "shallow", event, hub)
    assert status == 0, err
    assert "storage 50 → 500 GiB" in hub.comments[0]["body"]


@pytest.mark.parametrize("inputs", [{"comment": "false"}, {}])
def test_the_action_prints_where_it_may_not_write(merged: Any, hub: World, inputs: dict[str, str]) -> None:
    checkout, event = merged
    if not inputs:
        event["pull_request"]["head"]["repo"]["full_name"] = "stranger/r"
    status, out, err = compared(checkout, event, hub, **inputs)
    assert status == 0, err
    assert "storage 50 → 500 GiB" in out
    assert hub.asked == []


@pytest.mark.parametrize(("fail_on", "status"), [("failed", 1), ("never", 0)])
def test_the_action_fails_when_a_gate_does(merged: Any, hub: World, fail_on: str, status: int) -> None:
    checkout, event = merged
    (checkout / "shop.yaml").write_text(FAILING, encoding="utf-8")
    found, _, err = compared(checkout, event, hub, **{"fail-on": fail_on})
    assert found == status
    assert ("::error file=shop.yaml,line=" in err) == (status == 1)
    assert len(hub.comments) == 1


def test_the_action_judges_outside_a_pull_request(merged: Any, hub: World) -> None:
    status, out, err = compared(merged[0], {"ref": "refs/heads/main"}, hub)
    assert status == 0, err
    assert "Nothing changed" in out
    assert hub.asked == []


def test_a_hostile_branch_or_input_is_no_script(merged: Any, hub: World) -> None:
    checkout, event = merged
    evil = f'"; touch {checkout.parent}/pwned; echo "'
    event["pull_request"]["head"]["repo"]["full_name"] = evil
    compared(checkout, event, hub, **{"fail-on": evil, "base": evil})
    assert not (checkout.parent / "pwned").exists()


@pytest.mark.packaging
@pytest.mark.xdist_group("packaging")
def test_the_action_installs_what_it_was_checked_out_with(tmp_path: Path) -> None:
    script, given = step("Install cascade-plan", {}, {})
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CASCADE_PLAN", "PYTHON"))}
    environment = {**kept, **given, "RUNNER_TEMP": str(tmp_path), "GITHUB_ACTION_PATH": str(ROOT),
                   "PATH": f"{BIN}:{os.environ['PATH']}"}  # fmt: skip
    status, out, err = bash(script, tmp_path, environment)
    assert status == 0, out + err
    program = tmp_path / "cascade-plan" / "bin" / "cascade-plan"
    done = subprocess.run([program, "size"], capture_output=True, cwd=tmp_path, env=kept, check=False)
    assert done.returncode == 0, done.stderr


# GitLab


@pytest.mark.parametrize("has_token", [True, False])
def test_the_component_comments(tmp_path: Path, has_token: bool) -> None:
    inputs, text = component()
    values = {name: given["default"] for name, given in inputs.items()} | {"scenario": "shop.yaml"}
    job = yaml.safe_load(filled(text, values))["cascade-plan"]
    folder = tmp_path / "checkout"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    base = commit(folder, BASE)
    commit(folder, DEARER)
    with serving("gitlab") as world:
        environment = {**runner(tmp_path, world), **job["variables"], "CI_MERGE_REQUEST_DIFF_BASE_SHA": base}
        if not has_token:
            del environment["GITLAB_TOKEN"]
        status, out, err = bash("\n".join(job["script"]), folder, environment)
        assert status == 0, err
        assert (
            tmp_path / "pip.txt"
        ).read_text() == f"pip install --quiet cascade-plan=={inputs['version']['default']}\n"
        said = world.comments[0]["body"] if has_token else out
        assert "storage 50 → 500 GiB" in said
        assert bool(world.asked) == has_token


def test_the_component_installs_this_version() -> None:
    from cascade_plan import __version__

    assert component()[0]["version"]["default"] == __version__


# pre-commit


def test_the_hooks_keep_their_format() -> None:
    tool("pre-commit", "validate-manifest", ROOT / ".pre-commit-hooks.yaml")


def test_the_hooks_find_what_is_wrong(tmp_path: Path) -> None:
    """With `language: system` in the place of `python`: what is installed is the checkout, and no index is asked."""
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    git(hooks, "init", "-q", "-b", "main")
    manifest = (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    assert manifest.count("language: python") == 2
    (hooks / ".pre-commit-hooks.yaml").write_text(manifest.replace("language: python", "language: system"))
    commit(hooks, "")
    folder = tmp_path / "checkout"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "cascade-plan.yaml").write_text(BASE, encoding="utf-8")
    revision = git(hooks, "rev-parse", "HEAD")
    (folder / ".pre-commit-config.yaml").write_text(
        f"repos:\n- repo: {hooks}\n  rev: {revision}\n  hooks:\n  - id: cascade-plan-validate\n"
        "  - {id: cascade-plan-emitted, args: [cascade-plan.yaml, -o, deploy/]}\n"
    )
    with serving("github") as world:
        environment = {**runner(tmp_path, world), "PRE_COMMIT_HOME": str(tmp_path / "home")}
    del environment["GITHUB_ACTIONS"]
    assert bash("cascade-plan emit-all cascade-plan.yaml -o deploy/", folder, environment)[0] == 0
    git(folder, "add", "-A")
    run = f"{BIN / 'pre-commit'} run --all-files"
    status, out, err = bash(run, folder, environment)
    assert status == 0, out + err
    assert out.count("Passed") == 2
    (folder / "cascade-plan.yaml").write_text(BASE.replace("  peak: 300", "  peak: -3"), encoding="utf-8")
    status, out, _ = bash(run, folder, environment)
    assert status == 1
    assert "cascade-plan.yaml:8:9: users.peak" in out
    (folder / "cascade-plan.yaml").write_text(BASE.replace("  peak: 300", "  peak: 2400"), encoding="utf-8")
    status, out, _ = bash(run, folder, environment)
    assert status == 1
    assert "deploy is not what the scenario gives: run `cascade-plan emit-all cascade-plan.yaml -o deploy/`" in out
    shutil.rmtree(tmp_path / "home")
