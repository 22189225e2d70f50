"""The kustomize overlay that is applied: which images run, and where what the cloud runs is found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from cascade_plan.emitters._endpoints import FILE, OUTPUT, Endpoint, config_map, endpoints
from cascade_plan.emitters._topology import pods_name
from cascade_plan.languages import shell
from cascade_plan.languages.yaml import dump
from cascade_plan.model.artefact import Artefact, Given, Step
from cascade_plan.model.plan import Plan

DIRECTORY: Final = "overlays/production"
UP: Final = "../../.."
"""The directory of all emitted files, from the overlay's."""


def production(plan: Plan, head: str, images: Iterable[str], secrets: Sequence[str]) -> Artefact:
    """Return the overlay, with the steps that find the addresses and apply it. Replicas are the autoscalers' affair.

    `secrets` are the files that copy secrets, the namespace's first: other steps need these before all else runs.
    """
    found = endpoints(plan)
    document: dict[str, Any] = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["../../base"],
        "images": [_image(image) for image in images],
    }
    if found:
        generated = {"name": config_map(plan), "namespace": plan.application, "envs": [FILE]}
        document["configMapGenerator"] = [generated]
    if replaced := [_replacement(plan, each) for each in found if each.service]:
        document["replacements"] = replaced
    purpose = "What is applied: the base with these images and addresses. Change images and add patches here."
    return Artefact(
        f"{DIRECTORY}/kustomization.yaml",
        head + dump([document]),
        purpose,
        steps=tuple(_steps(plan, found, secrets)),
        gives=tuple(Given(name, f"The image to run in place of {image}.") for image, name in _unnamed(plan).items()),
    )


def _image(image: str) -> dict[str, str]:
    """Return the entry of an image, by whose tag or digest a release changes it."""
    name, _, digest = image.partition("@")
    repository, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        repository, tag = name, ""
    return {"name": repository, **({"digest": digest} if digest else {"newTag": tag or "latest"})}


def _replacement(plan: Plan, endpoint: Endpoint) -> dict[str, Any]:
    """Return what writes an address into the Service that stands for it."""
    source = {"kind": "ConfigMap", "name": config_map(plan), "fieldPath": f"data.{endpoint.name}"}
    target = {"select": {"kind": "Service", "name": endpoint.service}, "fieldPaths": ["spec.externalName"]}
    return {"source": source, "targets": [target]}


def _steps(plan: Plan, found: tuple[Endpoint, ...], secrets: Sequence[str]) -> Iterable[Step]:
    directory = f"k8s/{DIRECTORY}"
    if found:
        asked = f"(cd {directory} && terraform -chdir={UP}/infra output -raw {OUTPUT} > {FILE})"
        yield Step("workloads", "Write down the addresses of what AWS runs, for kustomize to read", asked)
    namespace = shell.literal(plan.application)
    if secrets:
        files = "".join(f" \\\n  -f k8s/{path}" for path in secrets)
        command = (
            f"kubectl apply{files}\nkubectl -n {namespace} wait --for=condition=Ready externalsecret --all --timeout=5m"
        )
        yield Step("secrets", "Copy the passwords that Terraform made into the cluster", command)
    waited = "".join(
        f"\nkubectl -n {namespace} rollout status {kind}/{pods_name(workload)} --timeout=15m"
        for workload in plan.fleet.workloads
        for kind in ("statefulset" if workload.serves == "connections" else "deployment",)
    )
    yield Step("workloads", "Run everything, and wait until it does", f"{_applied(plan, directory)}{waited}")


def _unnamed(plan: Plan) -> dict[str, str]:
    """Return image that nobody has named -> the variable in the environment that names the one to run."""
    return {each.image: f"{each.tier.upper()}_IMAGE" for each in plan.fleet.workloads if each.is_unnamed}


def _applied(plan: Plan, directory: str) -> str:
    """Return the command that applies a directory, with images in place of those that nobody has named."""
    if not (images := _unnamed(plan)):
        return f"kubectl apply -k {directory}"
    named = " ".join(f'-e "s|{image}|${{{name}:?}}|"' for image, name in images.items())
    return f"kubectl kustomize {directory} |\n  sed {named} |\n  kubectl apply -f -"
