"""A directory of everything: written whole, its index complete, a reader's changes kept, drift found."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from factories import make_plan

from cascade_plan import registry
from cascade_plan.emitters import directory as emitting
from cascade_plan.emitters.kubernetes import artefacts as k8s
from cascade_plan.errors import UsageError
from cascade_plan.inputs.scenarios import bundled_scenarios, read
from cascade_plan.model.plan import Plan
from cascade_plan.planning.pipeline import plan


def tree(directory: str) -> dict[str, bytes]:
    """Return path -> content of every file below a directory."""
    root = Path(directory)
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def test_everything_is_written_and_indexed(cascade) -> None:  # type: ignore[no-untyped-def]
    status, out, err = cascade("emit-all", "-o", "out")
    assert (status, out) == (0, "")
    files = tree("out")
    for name in emitting.commands():
        assert any(path.startswith(f"{name}/") for path in files)
    index = files[emitting.INDEX].decode()
    # What is left out is said on the terminal and in the index.
    left_out = [line.removeprefix("not emitted: ") for line in err.splitlines() if line.startswith("not emitted: ")]
    assert "traffic to the internet: metered as it flows" in left_out
    for line in left_out:
        assert f"\n- {line}\n" in index
    for path in files:
        if path not in (emitting.INDEX, emitting.RECORD):
            assert f"]({path})" in index
    assert not [path for path in files if path.endswith(".tmp")]


def planned(name: str) -> Plan:
    given = read(name)
    return plan(given.scenario, given.book, given.origins, predicted=False)


@pytest.mark.parametrize("name", bundled_scenarios())
def test_the_same_scenario_gives_the_same_bytes(name: str) -> None:
    one, two = (emitting.everything(planned(name)) for _ in range(2))
    assert one == two
    assert len({artefact.path for artefact in one.files}) == len(one.files)
    for artefact in one.files:
        assert artefact.text.endswith("\n")
        assert artefact.purpose


def test_written_twice_is_the_same(cascade) -> None:  # type: ignore[no-untyped-def]
    cascade("emit-all", "-o", "out")
    first = tree("out")
    assert cascade("emit-all", "-o", "out")[:2] == (0, "")
    assert tree("out") == first


def test_a_changed_scenario_is_written_over_what_nobody_edited(cascade) -> None:  # type: ignore[no-untyped-def]
    cascade("emit-all", "-o", "out")
    status, out, err = cascade("emit-all", "--peak", "40000", "-o", "out", "--check")
    assert (status, out) == (1, "")
    assert "differs: k8s/base/hpa.yaml" in err
    assert cascade("emit-all", "--peak", "40000", "-o", "out")[0] == 0
    assert cascade("emit-all", "--peak", "40000", "-o", "out", "--check")[:2] == (0, "")


def test_an_edited_file_is_kept_and_nothing_is_written(cascade) -> None:  # type: ignore[no-untyped-def]
    cascade("emit-all", "-o", "out")
    Path("out/k8s/base/hpa.yaml").write_text("mine\n", encoding="utf-8")
    before = tree("out")
    status, _, err = cascade("emit-all", "--peak", "40000", "-o", "out")
    assert status == 2
    assert "k8s/base/hpa.yaml" in err
    assert "--force" in err
    assert tree("out") == before
    assert cascade("emit-all", "--peak", "40000", "-o", "out", "--force")[0] == 0
    assert cascade("emit-all", "--peak", "40000", "-o", "out", "--check")[0] == 0


def test_a_file_of_somebody_else_is_not_overwritten(cascade) -> None:  # type: ignore[no-untyped-def]
    Path("out").mkdir()
    Path("out/README.md").write_bytes(b"\xff not text")
    status, _, err = cascade("emit-all", "-o", "out")
    assert status == 2
    assert "README.md" in err
    assert list(tree("out")) == ["README.md"]


@pytest.mark.parametrize("damage", ["k8s/base/hpa.yaml", emitting.INDEX])
def test_a_missing_file_is_drift(cascade, damage: str) -> None:  # type: ignore[no-untyped-def]
    cascade("emit-all", "-o", "out")
    Path("out", damage).unlink()
    status, _, err = cascade("emit-all", "-o", "out", "--check")
    assert status == 1
    assert f"missing: {damage}" in err


def test_a_check_of_nothing_is_drift_and_writes_nothing(cascade) -> None:  # type: ignore[no-untyped-def]
    assert cascade("emit-all", "-o", "out", "--check")[0] == 1
    assert not Path("out").exists()


def test_what_is_no_longer_emitted_is_said(cascade) -> None:  # type: ignore[no-untyped-def]
    cascade("emit-all", "-o", "out")
    record = json.loads(Path("out", emitting.RECORD).read_text(encoding="utf-8"))
    record["files"]["k8s/base/old.yaml"] = {"sha256": "0" * 64, "command": "all"}
    Path("out", emitting.RECORD).write_text(json.dumps(record), encoding="utf-8")
    Path("out/k8s/base/old.yaml").write_text("old\n", encoding="utf-8")
    status, _, err = cascade("emit-all", "-o", "out", "--check")
    assert status == 1
    assert "no longer emitted: k8s/base/old.yaml" in err
    status, _, err = cascade("emit-all", "-o", "out")
    assert status == 0
    assert "k8s/base/old.yaml is no longer emitted" in err


@pytest.mark.parametrize("text", ["", "[]", '{"format": 1, "files": {}}', '{"format": 2, "files": 3}', "\x00"])
def test_a_broken_record_is_a_clear_error(cascade, text: str) -> None:  # type: ignore[no-untyped-def]
    Path("out").mkdir()
    Path("out", emitting.RECORD).write_text(text, encoding="utf-8")
    status, _, err = cascade("emit-all", "-o", "out")
    assert status == 2
    assert "no record" in err
    assert list(tree("out")) == [emitting.RECORD]


@pytest.mark.parametrize("path", [
    "/etc/hosts", "../../etc/passwd", "k8s/../../x", "./x", "k8s//x", "", "k8s/", "C:/x", "a\\..\\b", "a\nb",
    "\x1b[31m",
    "x" * 300, "/".join(["x" * 200] * 20), "é" * 130,
])  # fmt: skip
@pytest.mark.parametrize("line", [("emit-all",), ("emit-all", "--check"), ("emit-all", "--force"), ("emit-cluster",)])
def test_a_record_names_only_files_of_its_directory(cascade, path: str, line: tuple[str, ...]) -> None:  # type: ignore[no-untyped-def]
    Path("out").mkdir()
    entries = ((path, "0" * 64), ("k8s/base/hpa.yaml", "x"))
    record = {"format": 2, "files": {name: {"sha256": value, "command": "all"} for name, value in entries}}
    Path("out", emitting.RECORD).write_text(json.dumps(record), encoding="utf-8")
    status, out, err = cascade(*line, "cascade", "-o", "out")
    assert (status, out) == (2, "")
    assert f"error: {emitting.RECORD} is no record that was written here" in err
    assert "'k8s/base/hpa.yaml': its value is no SHA-256" in err
    assert err.replace("\n", "").isprintable()
    assert list(tree("out")) == [emitting.RECORD]


def test_a_directory_that_cannot_be_made(cascade) -> None:  # type: ignore[no-untyped-def]
    Path("out").write_text("a file", encoding="utf-8")
    status, _, err = cascade("emit-all", "-o", "out")
    assert status == 2
    assert "out" in err
    assert "Traceback" not in err


def test_one_file_of_an_emitter() -> None:
    made = planned("cascade")
    (only,) = emitting.emitted(made, "k8s", "base/hpa.yaml").files
    assert only.path == "base/hpa.yaml"
    with pytest.raises(UsageError, match=r"did you mean 'base/hpa\.yaml'"):
        emitting.emitted(made, "k8s", "base/hpa.yml")


def test_nothing_of_kubernetes_means_no_kustomization(cascade) -> None:  # type: ignore[no-untyped-def]
    assert cascade("emit-all", "--set", "tiers.cluster=off", "-o", "out")[0] == 0
    files = tree("out")
    assert not [path for path in files if path.endswith(emitting.KUSTOMIZATION)]
    assert not [path for path in files if path.startswith("k8s/")]


def test_two_files_of_one_name_are_refused() -> None:
    made = make_plan(tiers__websocket="off", tiers__service={"kind": "websocket"}, gates={})
    with pytest.raises(UsageError, match=r"two files would be called k8s/base/service\.yaml: give a tier another name"):
        emitting.everything(made)


@pytest.mark.parametrize(
    ("command", "off", "words"),
    [
        ("emit-k8s", ["cluster"], "this scenario has no cluster: emit-k8s has nothing to write"),
        (
            "emit-cluster",
            ["cluster", "websocket", "cache"],
            "this scenario has no cluster, no WebSocket and no cache: emit-cluster has nothing to write",
        ),
        ("emit-monitoring", ["monitoring"], "this scenario has no monitoring: emit-monitoring has nothing to write"),
    ],
)
def test_a_command_with_nothing_to_write_says_so(cascade, command: str, off: list[str], words: str) -> None:  # type: ignore[no-untyped-def]
    flags = [word for name in off for word in ("--set", f"tiers.{name}=off")]
    status, out, err = cascade(command, *flags)
    assert (status, out) == (2, "")
    assert f"error: {words}\n" in err


def test_a_part_of_a_tier_that_is_off_is_refused(cascade) -> None:  # type: ignore[no-untyped-def]
    status, out, err = cascade("emit-k8s", "--set", "tiers.websocket=off", "--with", "websocket")
    assert (status, out) == (2, "")
    assert "--with websocket: the parts of this scenario are namespace, priorityclass, secretstore" in err


def elsewhere(made: Plan) -> Plan:
    """Return the plan as if its cloud were another."""
    return replace(made, scenario=made.scenario.model_copy(update={"cloud": "elsewhere"}))


def test_a_file_for_another_cloud_is_left_out_and_said_to_be() -> None:
    made = planned("api-batch")
    here, there = emitting.everything(made), emitting.everything(elsewhere(made))
    path = "k8s/base/worker-scaledobject.yaml"
    assert path in {file.path for file in here.files}
    assert path not in {file.path for file in there.files}
    assert f"{path}: written for aws, not for elsewhere" in there.left_out
    assert emitting.emitted(made, "k8s").left_out == ()
    assert f"{path.removeprefix('k8s/')}: written" in " ".join(
        emitting.emitted(elsewhere(made), "k8s").left_out
    ).replace("k8s/", "")
    # Nothing would scale the workers there: they are as many as the peak needs.
    assert "replicas" not in k8s.objects(made)["worker-deployment"]["spec"]
    assert k8s.objects(elsewhere(made))["worker-deployment"]["spec"]["replicas"] > 0
    assert "ScaledObject" in k8s.stream(made)
    assert "ScaledObject" not in k8s.stream(elsewhere(made))


def test_a_command_writes_what_it_can_and_says_what_it_does_not() -> None:
    made = elsewhere(planned("cascade"))
    paths = {file.path for file in emitting.emitted(made, "cluster").files}
    assert {"nginx.conf", "connection_state.py", "websocket_cluster.yaml"} <= paths
    assert not paths & {"eksctl.yaml", "karpenter.yaml"}
    assert emitting.emitted(made, "cluster").left_out == (
        "cluster, the files of eks: written for aws, not for elsewhere",
        "cluster, the files of controllers: written for aws, not for elsewhere",
    )


@pytest.mark.parametrize("name", registry.names("emitters"))
def test_every_emitter_says_what_it_serves_and_for_which_clouds(name: str) -> None:
    emitter = registry.load("emitters", name, "artefacts")
    assert emitter.SERVES
    assert {*emitter.SERVES} <= {*registry.names("tiers"), emitting.WHOLE}
    assert {*emitter.CLOUDS} <= {*registry.names("clouds")}
