"""Kubernetes objects as kustomize builds them: whole, with hashed configuration, images and addresses put in."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import hcl2
import kubernetes_validate
import pytest
import yaml
from custom_resources import is_custom
from factories import bundled_systems, make_plan

from cascade_plan.emitters import directory as emitting
from cascade_plan.inputs.scenarios import read
from cascade_plan.model.plan import Plan
from cascade_plan.planning.pipeline import plan

KUBECTL = shutil.which("kubectl")
needs_kubectl = pytest.mark.skipif(KUBECTL is None, reason="no kubectl; Debian 12's own is too old for replacements")
OVERLAY = "k8s/overlays/production"
KUBERNETES = "1.36"


def planned(name: str, *sets: tuple[str, str, str]) -> Plan:
    given = read(name, sets)
    return plan(given.scenario, given.book, given.origins, predicted=False)


def written(made: Plan, directory: Path) -> dict[str, str]:
    """Write what is emitted, and the addresses as the README's step does; return the files."""
    files = {file.path: file.text for file in emitting.everything(made).files}
    for path, text in files.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_text(text, encoding="utf-8")
    outputs = hcl2.loads(files["infra/outputs.tf"])["output"]
    (value,) = [str(each["value"]) for found in outputs for name, each in found.items() if "endpoints_env" in name]
    names = re.findall(r'"([A-Z0-9_]+)=', value)
    lines = "".join(f"{name}={name.lower().replace('_', '-')}.example.net\n" for name in names)
    (directory / OVERLAY / "endpoints.env").write_text(lines, encoding="utf-8")
    return files


def built(directory: Path) -> list[dict[str, Any]]:
    """Return the objects that kustomize makes of the overlay."""
    assert KUBECTL is not None
    command = [KUBECTL, "kustomize", str(directory / OVERLAY)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    return list(yaml.safe_load_all(ran.stdout))


@pytest.mark.parametrize("name", ["cascade", "api-batch", "serverless-500"])
def test_all_that_a_kustomization_names_is_there(name: str) -> None:
    files = {file.path: file.text for file in emitting.everything(planned(name)).files}
    kustomizations = [path for path in files if path.endswith("kustomization.yaml")]
    assert {"k8s/base/kustomization.yaml", f"{OVERLAY}/kustomization.yaml"} < {*kustomizations}
    named = set()
    for path in kustomizations:
        home, document = Path(path).parent, yaml.safe_load(files[path])
        generated = [file for each in document.get("configMapGenerator", []) for file in each.get("files", [])]
        for entry in (*document.get("resources", []), *generated):
            found = str(Path("/", home, entry).resolve()).lstrip("/")
            named.add(found)
            assert found in files or f"{found}/kustomization.yaml" in files, f"{path}: {entry}"
    assert {path for path in files if path.startswith("k8s/base/")} - {"k8s/base/kustomization.yaml"} <= named


@needs_kubectl
@pytest.mark.parametrize("name", bundled_systems())
def test_kustomize_builds_every_bundled_scenario(name: str, tmp_path: Path) -> None:
    made = planned(name)
    written(made, tmp_path)
    objects = built(tmp_path)
    for each in objects:
        if not is_custom(each):
            kubernetes_validate.validate(each, KUBERNETES, strict=True)
    names = [(each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"]) for each in objects]
    assert len({*names}) == len(names)
    deployed = {name for kind, _, name in names if kind in ("Deployment", "StatefulSet")}
    assert len(deployed) >= len(made.fleet.workloads)


@needs_kubectl
def test_a_change_of_configuration_replaces_its_pods_and_nothing_else(tmp_path: Path) -> None:
    made = planned("cascade")
    written(made, tmp_path)
    before = {(each["kind"], each["metadata"]["name"]): each for each in built(tmp_path)}
    with (tmp_path / "cluster/nginx.conf").open("a", encoding="utf-8") as conf:
        conf.write("# changed\n")
    after = {(each["kind"], each["metadata"]["name"]): each for each in built(tmp_path)}
    changed = {key for key in after if before.get(key) != after[key]}
    assert {kind for kind, _ in changed} == {"ConfigMap", "Deployment"}
    assert [name for kind, name in changed if kind == "Deployment"] == ["ws-proxy"]
    # Addresses that only the cloud knows stand where the file's say.
    assert after["Service", "database"]["spec"]["externalName"] == "database-host.example.net"
    assert after["Service", "database-replica-1"]["spec"]["externalName"] == "database-read-host.example.net"


@needs_kubectl
def test_a_release_is_a_tag_in_the_overlay(tmp_path: Path) -> None:
    image = "registry.example.com:5000/shop/api@sha256:" + "a" * 64
    written(made := make_plan(tiers__api={"image": image}), tmp_path)
    overlay = tmp_path / OVERLAY / "kustomization.yaml"
    document = yaml.safe_load(overlay.read_text(encoding="utf-8"))
    entries = {each["name"]: each for each in document["images"]}
    assert entries["registry.example.com:5000/shop/api"]["digest"] == "sha256:" + "a" * 64
    entries["registry.example.com:5000/shop/api"]["digest"] = "sha256:" + "b" * 64
    overlay.write_text(yaml.safe_dump(document), encoding="utf-8")
    (deployment,) = [
        each
        for each in built(tmp_path)
        if each["kind"] == "Deployment" and each["metadata"]["name"] == f"{made.application}-api"
    ]
    assert deployment["spec"]["template"]["spec"]["containers"][0]["image"] == image.replace("a" * 64, "b" * 64)
