"""What the files of a plan name, and what they define: by parsers of their formats, not by the code that wrote them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import hcl2
import yaml

Files = Mapping[str, str]
Document = dict[str, Any]
PODS = ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob")


@cache
def _objects_of(text: str) -> tuple[Document, ...]:
    found = yaml.load_all(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return tuple(each for each in found if isinstance(each, dict) and {"apiVersion", "kind", "metadata"} <= each.keys())


@cache
def _blocks_of(text: str) -> Document:
    found: Document = hcl2.loads(text)
    return found


def documents(files: Files) -> Iterator[tuple[str, Document]]:
    """Yield (path, object) of every Kubernetes object in the files, those of kustomizations apart."""
    for path, text in files.items():
        if path.endswith((".yaml", ".yml")):
            yield from ((path, found) for found in _objects_of(text))


def objects(files: Files, kind: str) -> list[Document]:
    """Return the Kubernetes objects of a kind."""
    return [found for _, found in documents(files) if found["kind"] == kind]


def resources(files: Files, kind: str) -> list[Document]:
    """Return the attributes of the Terraform resources of a type."""
    found = []
    for text in (text for path, text in files.items() if path.endswith(".tf")):
        for block in _blocks_of(text).get("resource", []):
            for named in (named for each, named in block.items() if each.strip('"') == kind):
                found += named.values()
    return found


def word(value: object) -> str:
    """Return a Terraform text without its quotes, as it is where it holds none that are escaped."""
    return str(value).strip('"')


def templates(files: Files) -> Iterator[tuple[str, Document, Document]]:
    """Yield (what it is, metadata, specification) of the pods of every workload."""
    for _, found in documents(files):
        if found["kind"] in PODS:
            spec = found["spec"]
            template = spec.get("jobTemplate", {}).get("spec", spec).get("template")
            yield f"{found['kind']} {found['metadata']['name']}", template.get("metadata", {}), template["spec"]


def containers(spec: Document) -> list[Document]:
    """Return all containers of a pod."""
    return [*spec["containers"], *spec.get("initContainers", [])]


# ------------------------------------------------------------------------------------------- references of pods


SOURCES = {"configMap": "ConfigMap", "secret": "Secret"}
"""What pods read their settings from, as its references begin -> its kind."""


def referred(spec: Document) -> Iterator[tuple[str, str, str | None]]:
    """Yield (kind, name, key) of everything that a pod needs from its namespace."""
    for field, kind in (("serviceAccountName", "ServiceAccount"), ("priorityClassName", "PriorityClass")):
        if field in spec:
            yield kind, spec[field], None
    for each in containers(spec):
        yield from _of_environment(each)
    for volume in spec.get("volumes", []):
        for source in (volume, *volume.get("projected", {}).get("sources", [])):
            for field, kind in SOURCES.items():
                if found := source.get(field):
                    yield kind, found.get("name") or found["secretName"], None


def _of_environment(container: Document) -> Iterator[tuple[str, str, str | None]]:
    for field, kind in SOURCES.items():
        for variable in container.get("env", []):
            if reference := variable.get("valueFrom", {}).get(f"{field}KeyRef"):
                yield kind, reference["name"], reference["key"]
        for source in container.get("envFrom", []):
            if reference := source.get(f"{field}Ref"):
                yield kind, reference["name"], None


def defined(files: Files) -> dict[tuple[str, str], set[str] | None]:
    """Return (kind, name) -> keys, None where they are not known, of what pods may need from their namespace."""
    found: dict[tuple[str, str], set[str] | None] = {}
    for _, each in documents(files):
        kind, name = each["kind"], each["metadata"]["name"]
        if kind in ("ConfigMap", "Secret"):
            found[kind, name] = {*each.get("data", {}), *each.get("stringData", {}), *each.get("binaryData", {})}
        elif kind == "ExternalSecret":
            target, spec = each["spec"].get("target", {}), each["spec"]
            keys = {entry["secretKey"] for entry in spec.get("data", [])}
            keys |= set((target.get("template") or {}).get("data", {}))
            found["Secret", target.get("name", name)] = None if spec.get("dataFrom") and not keys else keys
        else:
            found[kind, name] = None
    for command in steps(files) if "README.md" in files else ():
        for name in re.findall(r"create secret \w+ '?([\w.-]+)'?", command):
            found["Secret", name] = None
    for path, text in files.items():
        if path.endswith("kustomization.yaml"):
            for field, kind in (("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")):
                for each in yaml.safe_load(text).get(field, []):
                    keys = {str(file).partition("=")[0].rpartition("/")[2] for file in each.get("files", [])}
                    keys |= {str(line).partition("=")[0] for line in each.get("literals", [])}
                    found[kind, each["name"]] = None if each.get("envs") else keys
    return found


def undefined_references(files: Files) -> set[str]:
    """Return what pods need from their namespace and nothing defines."""
    known = defined(files)
    missing = set()
    for pod, _, spec in templates(files):
        for kind, name, key in referred(spec):
            keys = known.get((kind, name), set())
            if (kind, name) not in known or (key is not None and keys is not None and key not in keys):
                missing.add(f"{pod}: {kind} {name}{f' key {key}' if key else ''}")
    return missing


# ------------------------------------------------------------------------------------- who points at whom in a cluster


def selects(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    return selector.items() <= labels.items()


def loose_services(files: Files) -> set[str]:
    """Return the Services whose selector fits no pods, or whose ports those do not have."""
    loose = set()
    pods = [(meta.get("labels", {}), spec) for _, meta, spec in templates(files)]
    for service in objects(files, "Service"):
        name, spec = service["metadata"]["name"], service["spec"]
        if spec.get("type") == "ExternalName":
            continue
        chosen = [pod for labels, pod in pods if selects(spec["selector"], labels)]
        ports = {
            value
            for pod in chosen
            for each in containers(pod)
            for port in each.get("ports", [])
            for value in (port["containerPort"], port.get("name"))
        }
        if not chosen or not {port.get("targetPort", port["port"]) for port in spec["ports"]} <= ports:
            loose.add(name)
    return loose


def loose_ends(files: Files) -> set[str]:
    """Return the objects that point at another one which is not there: autoscalers, budgets, bindings, policies."""
    return {
        f"{each['kind']} {each['metadata']['name']}: {text}"
        for _, each in documents(files)
        if each["kind"] in POINTING
        for text in POINTING[each["kind"]](each["spec"], files)
    }


def _scaled(spec: Document, files: Files) -> Iterator[str]:
    target = spec["scaleTargetRef"]
    if (target.get("kind", "Deployment"), target["name"]) not in defined(files):
        yield target["name"]


def _kept(spec: Document, files: Files) -> Iterator[str]:
    if not any(selects(spec["selector"]["matchLabels"], meta.get("labels", {})) for _, meta, _ in templates(files)):
        yield "no pods"


def _bound(spec: Document, files: Files) -> Iterator[str]:
    wanted = spec["serviceRef"]
    services = {each["metadata"]["name"]: each["spec"].get("ports", []) for each in objects(files, "Service")}
    if wanted["port"] not in [value for port in services.get(wanted["name"], []) for value in port.values()]:
        yield f"{wanted['name']}:{wanted['port']}"
    groups = {word(group["name"]) for group in resources(files, "aws_lb_target_group")}
    if spec.get("targetGroupName", "") not in groups:
        yield f"target group {spec.get('targetGroupName')}"


def _stored(spec: Document, files: Files) -> Iterator[str]:
    store = spec["secretStoreRef"]
    if (store["kind"], store["name"]) not in defined(files):
        yield f"{store['kind']} {store['name']}"


def strangers(spec: Document, files: Files) -> Iterator[str]:
    """Yield the selectors of a NetworkPolicy that fit no pods of its namespace."""
    rules = (*spec.get("ingress", []), *spec.get("egress", []))
    peers = [peer for rule in rules for peer in (*rule.get("from", []), *rule.get("to", []))]
    # In another namespace stand others' pods, whose labels are not ours.
    ours = [peer["podSelector"] for peer in peers if "podSelector" in peer and "namespaceSelector" not in peer]
    labels = [meta.get("labels", {}) for _, meta, _ in templates(files)]
    for selector in (spec.get("podSelector", {}), *ours):
        wanted = selector.get("matchLabels", {})
        if wanted and not any(selects(wanted, each) for each in labels):
            yield str(wanted)


POINTING = {
    "HorizontalPodAutoscaler": _scaled,
    "ScaledObject": _scaled,
    "PodDisruptionBudget": _kept,
    "TargetGroupBinding": _bound,
    "ExternalSecret": _stored,
    "NetworkPolicy": strangers,
}
"""Kind -> what of its specification points at nothing."""


# ------------------------------------------------------------------------------------------------------ nodes and pods


def homeless(files: Files) -> set[str]:
    """Return the pods that may stand on the nodes of no group, or on those of several tiers."""
    groups = node_groups(files)
    found = set()
    for pod, _, spec in templates(files):
        tolerated = {(each["key"], each["value"]) for each in spec.get("tolerations", []) if "value" in each}
        # The zone is said by the cloud, not by the group.
        selector = {
            key: value for key, value in spec.get("nodeSelector", {}).items() if not key.startswith("topology.")
        }
        tiers = {
            tuple(sorted(labels.items()))
            for labels, taints in groups
            if selector.items() <= labels.items() and taints <= tolerated
        }
        if groups and len(tiers) != 1:
            found.add(pod)
    return found


def node_groups(files: Files) -> list[tuple[Mapping[str, str], set[tuple[str, str]]]]:
    """Return labels and taints of the nodes of each group, whoever makes them."""
    found: list[tuple[Mapping[str, str], set[tuple[str, str]]]] = []
    for path, text in files.items():
        if path.endswith("eksctl.yaml"):
            found += [
                (group.get("labels", {}), {(taint["key"], taint["value"]) for taint in group.get("taints", [])})
                for group in yaml.safe_load(text).get("managedNodeGroups", [])
            ]
    for pool in objects(files, "NodePool"):
        template = pool["spec"]["template"]
        taints = {(taint["key"], taint["value"]) for taint in template["spec"].get("taints", [])}
        found.append((template["metadata"]["labels"], taints))
    for group in resources(files, "aws_eks_node_group"):
        labels = {word(key): word(value) for key, value in group.get("labels", {}).items()}
        found.append((labels, {(word(taint["key"]), word(taint["value"])) for taint in group.get("taint", [])}))
    return found


# ---------------------------------------------------------------------------------------------------------- the README


def steps(files: Files) -> list[str]:
    """Return the commands of the README, in order."""
    return re.findall(r"^### \d+\. [^\n]*\n\n```sh\n(.*?)\n```$", files["README.md"], re.M | re.S)


def given(files: Files) -> set[str]:
    """Return the names in the environment that the README asks for."""
    table = files["README.md"].partition("## What you give")[2].partition("\n## ")[0]
    return set(re.findall(r"^\| `([A-Z][A-Z0-9_a-z]*)` \|", table, re.M))


def unset(files: Files) -> set[str]:
    """Return the variables that the README's commands read and that neither the reader gives nor a command sets."""
    read: set[str] = set()
    known = given(files)
    for command in steps(files):
        plain = re.sub(r"'[^']*'", "", command)
        known |= set(re.findall(r"(?:^|[;\s(])(?:export )?([A-Za-z_][A-Za-z0-9_]*)=", plain, re.M))
        known |= set(re.findall(r"\bfor ([a-z_]+) in\b", plain)) | set(re.findall(r"\bread (?:-r )?([a-z_]+)\b", plain))
        read |= set(re.findall(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)", plain))
    return read - known


def absent_files(files: Files) -> set[str]:
    """Return the paths that the README's commands name and that are not emitted."""
    tops = {path.partition("/")[0] for path in files if "/" in path}
    named = {
        path.rstrip("/.")
        for command in steps(files)
        for path in re.findall(
            rf"(?:^|[\s=\"'@])((?:\./)?(?:{'|'.join(map(re.escape, sorted(tops)))})(?:/[\w./-]+)?)", command
        )
    }
    # run.sh makes the directory of its results.
    there = {*files, *(path.rpartition("/")[0] for path in files), *tops, "loadtest/results"}
    there |= {"/".join(path.split("/")[:depth]) for path in files for depth in range(1, path.count("/") + 1)}
    made = {f"{path.rpartition('/')[0]}/{name}" for path, text in files.items() for name in MAKES.findall(text)}
    made |= {path for command in steps(files) for path in re.findall(r">\s*([\w./-]+)", command)}
    named = {path.removeprefix("./") for path in named} - there
    return {path for path in named if not any(path == each or path.startswith(f"{each}/") for each in made)}


MAKES = re.compile(r"^\s*mkdir -p ([\w./-]+)$", re.M)
"""How an emitted script makes a directory beside itself."""


def missing_outputs(files: Files) -> set[str]:
    """Return the outputs of Terraform that commands and other files ask for and none gives."""
    defined_ = {
        name
        for path, text in files.items()
        if path.endswith(".tf")
        for name in re.findall(r'^output "(\w+)"', text, re.M)
    }
    texts = [text for path, text in files.items() if not path.endswith(".tf")]
    asked = {name for text in texts for name in re.findall(r"output (?:-\w+ )*(?:-raw|-json) (\w+)", text)}
    return asked - defined_


# -------------------------------------------------------------------------------------------------------- placeholders


def unnamed(files: Files) -> set[str]:
    """Return the images and addresses that are placeholders and that no step and no overlay puts a real one in for."""
    overlays = [yaml.safe_load(text) for path, text in files.items() if "/overlays/" in f"/{path}"]
    replaced = {
        target["select"]["name"]
        for overlay in overlays
        for each in overlay.get("replacements", [])
        for target in each["targets"]
    }
    commands = "\n".join(steps(files))
    images = {
        each["image"] for _, _, spec in templates(files) for each in containers(spec) if "example.com/" in each["image"]
    }
    hosts = {
        each["metadata"]["name"]
        for each in objects(files, "Service")
        if each["spec"].get("externalName", "").endswith("example.com")
    }
    return {image for image in images if f"s|{image}|" not in commands} | (hosts - replaced)


def unkept(files: Files) -> set[str]:
    """Return the secrets, and the keys in them, that External Secrets copy and Terraform does not keep."""
    names = {word(each["name"]) for each in resources(files, "aws_secretsmanager_secret")}
    # Of what is kept the keys stand in the text alone: its values are drawn when it is applied.
    text = "".join(text for path, text in files.items() if path.endswith("secrets.tf"))
    keys = set(re.findall(r"(\w+) += ", text)) | set(re.findall(r"\"(\w+)\"", text))
    asked = [each["remoteRef"] for found in objects(files, "ExternalSecret") for each in found["spec"].get("data", [])]
    missing = {each["key"] for each in asked} - names
    return missing | {f"{each['key']}: {each['property']}" for each in asked if each["property"] not in keys}
