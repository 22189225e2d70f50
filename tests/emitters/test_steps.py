"""The commands of the emitted index: a shell takes each, and nothing that a scenario says gets out of its quotes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from factories import make_plan
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cascade_plan.emitters import directory as emitting
from cascade_plan.inputs.scenarios import bundled_scenarios, read
from cascade_plan.model.artefact import Step
from cascade_plan.model.plan import Plan
from cascade_plan.planning.pipeline import plan

WAYS = (
    (),
    (("--set", "emit.nodes", "terraform"),),
    (
        ("--set", "emit.nodes", "karpenter"),
        ("--set", "emit.cache", "self"),
        ("--set", "tiers.pool.client_tls", "require"),
    ),
)
MEANT = {"SC2016": "what stands in single quotes is for the shell of a pod"}


def steps(made: Plan) -> tuple[Step, ...]:
    return emitting.steps(emitting.everything(made).files)


@pytest.mark.parametrize("name", bundled_scenarios())
def test_a_shell_and_shellcheck_take_every_command(name: str) -> None:
    found: list[Step] = []
    for sets in WAYS if name == "cascade" else WAYS[:1]:
        given_ = read(name, sets)
        found += steps(plan(given_.scenario, given_.book, given_.origins, predicted=False))
    # One script of them all: each in a subshell, as a shell of its own would run it.
    script = "#!/bin/sh\n" + "\n".join(f"(\n{step.command}\n)" for step in found)
    assert subprocess.run(["sh", "-n"], input=script, text=True, check=False).returncode == 0
    linter = [str(Path(sys.executable).parent / "shellcheck"), "--format", "json", "-"]
    said = subprocess.run(linter, input=script, capture_output=True, text=True, check=False).stdout
    assert {f"SC{each['code']}" for each in json.loads(said)} <= {*MEANT}, said


HOSTILE = ("'; touch pwned; '", '"; touch pwned; "', "$(touch pwned)", "`touch pwned`", "a\\", "%s|&&;><(){}*?~#!")
"""What names of PostgreSQL may hold, and what a shell would do something with."""


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(
    st.sampled_from(HOSTILE)
    | st.text(st.characters(codec="ascii", min_codepoint=32, max_codepoint=126), min_size=1, max_size=20)
)
def test_whatever_a_database_is_called_its_step_connects_to_it(tmp_path: Path, name: str) -> None:
    """The step runs with stand-ins that say what they are told."""
    made = make_plan(tiers__database={"database_name": name, "roles": {"owner": f"o{name}"}, "tables": {}})
    (step,) = (each for each in steps(made) if each.stage == "database")
    for program, text in (
        ("terraform", "echo db.internal"),
        ("aws", """echo '{"username": "u", "password": "p", "readonly_username": "r", "readonly_password": "p",
                   "monitoring_username": "m", "monitoring_password": "p"}'"""),
        ("psql", 'cat >/dev/null; printf "%s" "$PGDATABASE" > database.txt'),
    ):  # fmt: skip
        (tmp_path / program).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        (tmp_path / program).chmod(0o755)
    for file in emitting.everything(made).files:
        if file.path.startswith("database/"):
            (tmp_path / file.path).parent.mkdir(exist_ok=True)
            (tmp_path / file.path).write_text(file.text, encoding="utf-8")
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["sh", "-euc", step.command], cwd=tmp_path, env=environment, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "database.txt").read_text(encoding="utf-8") == name
    assert not (tmp_path / "pwned").exists()
