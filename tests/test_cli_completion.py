"""Completion of values, asked for as a shell does: the program is run with what it sets, and bash itself."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from cascade_plan import registry
from cascade_plan.cli.app import run
from cascade_plan.inputs.scenarios import bundled_scenarios, read
from cascade_plan.model.plan import Plan
from cascade_plan.planning.pipeline import plan

BOTH = """\
schema_version: 1
name: shop
users: {peak: 900, average: 300}
behaviour: {actions: {list: {weight: 1, request: GET /items}}}
environments:
  prod: {}
  test: {users: {peak: 400}}
"""
SRC = str(Path(__file__).parent.parent)


@pytest.fixture
def offered(cascade, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    """Return a function that gives what is offered for the last word of a command line, which may be empty."""
    Path("both.yaml").write_text(BOTH, encoding="utf-8")

    def called(line: str) -> list[str]:
        words = f"cascade-plan {line}"
        monkeypatch.setenv("_CASCADE_PLAN_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", words)
        monkeypatch.setenv("COMP_CWORD", str(len(words.split(" ")) - 1))
        with suppress(SystemExit):
            run([])
        monkeypatch.delenv("_CASCADE_PLAN_COMPLETE")
        out, err = capsys.readouterr()
        assert err == ""
        return out.split()

    return called


def planned(name: str) -> Plan:
    given = read(name)
    return plan(given.scenario, given.book, given.origins)


@pytest.mark.parametrize(
    ("line", "some"),
    [
        ("size --region ", {"us-east-1", "eu-west-1"}),
        ("size cascade --region eu", {"eu-west-1", "eu-central-1"}),
        ("prices show --region us", {"us-east-1", "us-west-2"}),
        ("size --method ", {"rules", "slo"}),
        ("size both.yaml --env ", {"prod", "test"}),
        ("size both.yaml --peak 7 --env t", {"test"}),
        ("verify out cascade --load n", {"normal"}),
        ("emit-k8s --with ", {"deployment", "service", "hpa", "pdb", "namespace"}),
        ("emit-k8s --with deployment,p", {"deployment,pdb"}),
        ("emit-k8s saas-300 --with w", set()),
        ("emit-cluster --only ngin", {"nginx.conf"}),
        ("explain tiers.api.users", {"tiers.api.users_per_node"}),
        ("size --set gates.cost_usd_up", {"gates.cost_usd_upfront="}),
        ("size --set tiers.api.users", {"tiers.api.users_per_node="}),
        ("prices update --source ", {"bulk", "api"}),
        ("prices update --services ec2,e", {"ec2,eks", "ec2,elasticache"}),
        ("prices verify --against ", {"cache", "bulk", "api"}),
        ("prices verify --cloud ", {"aws"}),
        ("prices show --format ", {"table", "json"}),
        ("validate --format ", {"table", "json"}),
        ("schema --format ", {"json", "markdown"}),
        ("schema ", {"scenario", "plan"}),
        ("help --format ", {"text", "man"}),
        ("help emit-c", {"emit-cluster"}),
        ("help prices ver", {"verify"}),
        ("emit-d", {"emit-database"}),
        ("simulate --profile ", {"weekday", "flat"}),
        ("simulate --unit ", {"count", "rate"}),
        ("check --fail-on ", {"failed", "not-judged"}),
        ("emit-k8s --policy cpu+", {"cpu+latency", "cpu+requests"}),
        ("init --example saas", {"saas-300"}),
    ],
)
def test_a_value_is_offered_and_nothing_else(offered, line: str, some: set[str]) -> None:  # type: ignore[no-untyped-def]
    found = offered(line)
    assert some <= {*found}
    assert all(word.startswith(line.rpartition(" ")[2]) for word in found)
    if not some:
        assert found == []


@pytest.mark.parametrize(
    ("command", "kind"),
    [("size", "plans"), ("simulate", "days"), ("verify", "verifications"), ("diff", "differences")],
)
def test_every_format_is_offered(offered, command: str, kind: str) -> None:  # type: ignore[no-untyped-def]
    assert tuple(offered(f"{command} --format ")) == registry.names(f"reports/{kind}")


def test_every_figure_is_offered(offered) -> None:  # type: ignore[no-untyped-def]
    assert {*planned("cascade").figures} == {*offered("explain ")}

    assert offered("explain database.rep") == ["database.replica_count"]


def test_scenarios_are_the_bundled_ones_and_files(offered) -> None:  # type: ignore[no-untyped-def]
    Path("notes.txt").touch()
    Path("plan.json").touch()
    Path("deep/er").mkdir(parents=True)
    Path("deep/one.yml").touch()
    assert offered("size ") == [*bundled_scenarios(), "both.yaml", "deep/"]
    assert offered("size deep/") == ["deep/er/", "deep/one.yml"]
    assert offered("diff pl") == ["plan.json"]
    # With directories alone nothing is offered, and the shell steps into them itself.
    assert offered("size deep/er") == []


@pytest.mark.parametrize(
    "line",
    ["xyz ", "size broken.yaml --env ", "explain nothing.yaml api", "emit-cluster no.yaml --only ", "size no/dir/"],
)
def test_what_cannot_be_found_is_silence(offered, line: str) -> None:  # type: ignore[no-untyped-def]
    Path("broken.yaml").write_text("environments: [", encoding="utf-8")
    assert [word for word in offered(line) if word not in bundled_scenarios()] == []


def test_the_word_before_is_not_acted_upon(offered) -> None:  # type: ignore[no-untyped-def]
    assert "cascade-plan 0." not in " ".join(offered("--version "))


def test_bash_completes_by_the_script_that_is_installed(tmp_path: Path) -> None:
    """The script of --show-completion in a bash of its own: the function it defines fills COMPREPLY."""
    program = tmp_path / "cascade-plan"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cascade_plan "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": SRC, "SHELL": "/bin/bash"}
    script = r"""
        source /dev/stdin <<<"$(_CASCADE_PLAN_COMPLETE=source_bash cascade-plan)"
        complete -p cascade-plan >/dev/null || exit 9
        ask() {
            COMP_WORDS=(cascade-plan "$@"); COMP_CWORD=$#
            "$(complete -p cascade-plan | sed -E 's/.*-F ([^ ]+).*/\1/')" cascade-plan
            echo "${COMPREPLY[*]}"
        }
        ask size --method ""
        ask explain pool.conn
        ask size --region eu
        ask size nosuch.yaml --env ""
    """
    done = subprocess.run(
        ["bash", "--norc", "-c", script], capture_output=True, text=True, cwd=tmp_path, env=environment, check=True
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "rules slo",
        "pool.connection_count pool.connection_count_per_10000_users",
        "eu-central-1 eu-west-1",
        "",
    ]
