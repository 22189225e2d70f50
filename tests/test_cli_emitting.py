"""What the emitters say: what was written and what comes next, what was edited, what differs, what is a placeholder."""

from __future__ import annotations

import shlex
import stat
from pathlib import Path

import pytest
import yaml

from cascade_plan.emitters.directory import RECORD

NAMED = ("--set", "tiers.api.image=registry.shop.io/api:2", "--set", "tiers.websocket.image=registry.shop.io/ws:2")


def test_a_directory_is_counted_and_says_where_to_start(cascade) -> None:  # type: ignore[no-untyped-def]
    status, out, err = cascade("emit-all", "-o", "deploy", *NAMED)
    count = sum(path.is_file() for path in Path("deploy").rglob("*")) - 1  # the record is ours
    assert (status, out) == (0, "")
    assert f"wrote {count} files to deploy/; start with deploy/README.md" in err.splitlines()
    assert "deploy/ is up to date; start with deploy/README.md\n" in cascade("emit-all", "-o", "deploy", *NAMED)[2]
    Path("deploy/k8s/base/hpa.yaml").unlink()
    assert f"wrote 1 of {count} files to deploy/; " in cascade("emit-all", "-o", "deploy", *NAMED)[2]
    assert "wrote" not in cascade("emit-all", "-o", "elsewhere", *NAMED, "-q")[2]
    assert Path("elsewhere/README.md").is_file()


@pytest.mark.parametrize(
    ("command", "first"),
    [
        ("loadtest", "run.sh"),
        ("database", "postgresql.conf"),
        ("cluster", "eksctl.yaml"),
        ("infra", "terraform.tfvars.example"),
    ],
)
def test_what_is_run_or_applied_first_is_named(cascade, command: str, first: str) -> None:  # type: ignore[no-untyped-def]
    _, _, err = cascade(f"emit-{command}", "-o", "out")
    count = sum(path.is_file() for path in Path("out").rglob("*")) - 1
    assert f"wrote {count} files to out/; start with out/{first}\n" in err
    assert Path("out", first).is_file()


@pytest.mark.parametrize(
    "line", [("emit-k8s",), ("emit-database", "--only", "pgbouncer.ini"), ("emit-cluster", "--only", "nginx.conf")]
)
def test_one_file_is_kept_as_those_of_a_directory_are(cascade, line: tuple[str, ...]) -> None:  # type: ignore[no-untyped-def]
    assert cascade(*line, "-o", "one.txt")[0::2] == (0, "wrote one.txt\n")
    first = Path("one.txt").read_text(encoding="utf-8")
    assert cascade(*line, "-o", "one.txt")[0::2] == (0, "one.txt is up to date\n")
    # What we wrote and nobody edited may be replaced; a scenario changes.
    assert cascade(*line, "--peak", "60000", "--avg", "3000", "-o", "one.txt")[0::2] == (0, "wrote one.txt\n")
    assert Path("one.txt").read_text(encoding="utf-8") != first
    Path("one.txt").write_text("mine\n", encoding="utf-8")
    status, out, err = cascade(*line, "-o", "one.txt")
    assert (status, out) == (2, "")
    assert "one.txt" in err
    assert "--force" in err
    assert Path("one.txt").read_text(encoding="utf-8") == "mine\n"
    assert cascade(*line, "-o", "one.txt", "--force")[0::2] == (0, "wrote one.txt\n")
    assert Path("one.txt").read_text(encoding="utf-8") == first


def test_somebody_elses_file_is_not_overwritten_by_one_file(cascade) -> None:  # type: ignore[no-untyped-def]
    Path("hpa.yaml").write_text("kind: Theirs\n", encoding="utf-8")
    assert cascade("emit-k8s", "-o", "hpa.yaml")[0] == 2
    assert Path("hpa.yaml").read_text(encoding="utf-8") == "kind: Theirs\n"
    assert not Path(RECORD).exists()


def test_one_file_into_nowhere_and_into_what_is_no_file(cascade) -> None:  # type: ignore[no-untyped-def]
    status, _, err = cascade("emit-k8s", "-o", "no/dir/hpa.yaml")
    assert (status, err) == (2, "error: cannot write 'no/dir/hpa.yaml': there is no directory 'no/dir'\n")
    assert cascade("emit-k8s", "-o", "/dev/null") == (0, "", "")


def test_one_file_says_nothing_of_its_neighbours(cascade) -> None:  # type: ignore[no-untyped-def]
    cascade("emit-k8s", "-o", "hpa.yaml")
    assert cascade("emit-database", "--only", "pgbouncer.ini", "-o", "pgbouncer.ini")[2] == "wrote pgbouncer.ini\n"


def test_commands_that_share_a_directory_say_nothing_of_each_others_files(cascade) -> None:  # type: ignore[no-untyped-def]
    cascade("emit-database", "-o", "out")
    assert "no longer emitted" not in cascade("emit-monitoring", "-o", "out")[2]
    assert "no longer emitted" not in cascade("emit-database", "-o", "out")[2]
    # What a command itself wrote and no longer does is said, and only that.
    err = cascade("emit-database", "cascade", "--set", "tiers.pool=off", "-o", "out")[2]
    gone = [line for line in err.splitlines() if "no longer emitted" in line]
    assert "warning: out/pgbouncer.ini is no longer emitted; remove it" in gone
    assert not [line for line in gone if "prometheus" in line]


def test_a_placeholder_image_is_said(cascade) -> None:  # type: ignore[no-untyped-def]
    _, out, err = cascade("emit-k8s", "--with", "deployment,websocket")
    assert err == (
        "warning: the image registry.example.com/api:1.0.0 is a placeholder: --set tiers.api.image=... names yours\n"
        "warning: the image registry.example.com/websocket:1.0.0 is a placeholder: --set tiers.websocket.image=... "
        "names yours\n"
    )
    assert list(yaml.safe_load_all(out))
    # The autoscaler alone names no image; and an image that was given is none to warn of.
    assert cascade("emit-k8s")[2] == ""
    assert cascade("emit-k8s", "--with", "deployment,websocket", *NAMED)[2] == ""
    assert "placeholder" in cascade("emit-all", "-o", "out")[2]
    assert "placeholder" not in cascade("emit-all", "-o", "out2", *NAMED)[2]


def test_the_check_gives_the_command_that_was_meant(cascade) -> None:  # type: ignore[no-untyped-def]
    cascade("init", "my shop.yaml", "--name", "shop")
    line = ("emit-all", "my shop.yaml", "--peak", "2000", "--avg", "500", "--set", "users.tenants=7", "-o", "a b")
    assert cascade(*line)[0] == 0
    Path("a b/README.md").write_text("ours now\n", encoding="utf-8")
    Path("a b/k8s/base/hpa.yaml").unlink()
    status, out, err = cascade(*line, "--check")
    assert (status, out) == (1, "")
    assert "missing: k8s/base/hpa.yaml\n" in err
    assert "differs: README.md, edited by hand\n" in err
    assert "error: --force overwrites what was edited by hand: README.md\n" in err
    command = err.split("run `")[1].split("`")[0]
    assert shlex.split(command) == ["cascade-plan", *line]
    assert cascade(*shlex.split(command)[1:])[0] == 2
    assert cascade(*shlex.split(command)[1:], "--force")[0] == 0
    assert cascade(*line, "--check") == (0, "", "")


def test_what_another_scenario_wrote_is_not_called_edited(cascade) -> None:  # type: ignore[no-untyped-def]
    cascade("emit-all", "-o", "out")
    status, _, err = cascade("emit-all", "--peak", "40000", "-o", "out", "--check")
    assert status == 1
    assert "differs: k8s/base/hpa.yaml\n" in err
    assert "edited by hand" not in err
    assert "--force" not in err


def test_the_differences_are_a_unified_diff_of_what_is_there_and_what_would_be(cascade) -> None:  # type: ignore[no-untyped-def]
    cascade("emit-all", "-o", "out")
    hpa = Path("out/k8s/base/hpa.yaml")
    hpa.write_text(hpa.read_text(encoding="utf-8").replace("maxReplicas: 32", "maxReplicas: 40"), encoding="utf-8")
    Path("out/k8s/base/pdb.yaml").unlink()
    before = {path: path.read_bytes() for path in Path("out").rglob("*") if path.is_file()}
    status, out, err = cascade("emit-all", "-o", "out", "--diff")
    assert status == 1
    assert "--- out/k8s/base/hpa.yaml\n+++ out/k8s/base/hpa.yaml\n@@" in out
    assert "\n-  maxReplicas: 40\n+  maxReplicas: 32\n" in out
    assert "--- /dev/null\n+++ out/k8s/base/pdb.yaml\n@@ -0,0" in out
    assert "run `cascade-plan emit-all -o out`" in err
    assert {path: path.read_bytes() for path in Path("out").rglob("*") if path.is_file()} == before
    cascade("emit-all", "-o", "out", "--force")
    assert cascade("emit-all", "-o", "out", "--diff") == (0, "", "")


def test_what_can_be_run_stays_so(cascade) -> None:  # type: ignore[no-untyped-def]
    cascade("emit-loadtest", "-o", "out")
    assert Path("out/run.sh").stat().st_mode & stat.S_IXUSR


def test_a_written_file_is_said_and_a_pipe_is_not(cascade) -> None:  # type: ignore[no-untyped-def]
    assert "wrote report.md\n" in cascade("report", "--relaxations", "none", "-o", "report.md")[2]
    assert "wrote" not in cascade("report", "--relaxations", "none", "-o", "/dev/null")[2]
    assert "wrote" not in cascade("report", "--relaxations", "none")[2]


def test_init_complains_of_the_file_that_was_asked_for(cascade) -> None:  # type: ignore[no-untyped-def]
    status, out, err = cascade("init", "../w/sub/x.yaml")
    assert (status, out) == (2, "")
    assert err == "error: cannot write '../w/sub/x.yaml': there is no directory '../w/sub'\n"


def test_a_chart_is_named_what_it_is(cascade) -> None:  # type: ignore[no-untyped-def]
    for name in ("day.gif", "day", "day.svg.txt"):
        status, out, err = cascade("simulate", "--chart", name)
        assert (status, out) == (2, "")
        assert err == f"error: {name}: name it .html, .json, .pdf, .png or .svg\n"
        assert not Path(name).exists()
    assert cascade("simulate", "--chart", "DAY.SVG")[0] == 0
    assert Path("DAY.SVG").read_text(encoding="utf-8").startswith("<svg")
