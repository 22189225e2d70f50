"""A directory of everything that is emitted: its files, its index, and what in it has changed since."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Final

from cascade_plan import registry
from cascade_plan.errors import UsageError, did_you_mean
from cascade_plan.languages.yaml import dump
from cascade_plan.model.artefact import Artefact
from cascade_plan.model.plan import Plan

RECORD: Final = ".cascade-plan.json"
"""The file that remembers what was written, to tell a reader's changes from an older scenario's."""
INDEX: Final = "README.md"
KUSTOMIZATION: Final = "kustomization.yaml"


@cache
def commands() -> Mapping[str, tuple[str, ...]]:
    """Return emit- command -> the emitters whose files it writes, each in the order in which files are applied."""
    found: dict[str, tuple[str, ...]] = {}
    for name in registry.ordered("emitters", "artefacts", "APPLIED_AFTER"):
        command = registry.load("emitters", name, "artefacts").COMMAND
        found[command] = (*found.get(command, ()), name)
    return found


def artefacts(plan: Plan, command: str, only: str = "") -> tuple[Artefact, ...]:
    """Return what the emitters of one command make, or only the file of that path.

    Raises UsageError naming its files when there is none of that path.
    """
    emitters = (registry.load("emitters", name, "artefacts") for name in commands()[command])
    made: tuple[Artefact, ...] = tuple(artefact for emitter in emitters for artefact in emitter.render(plan))
    if not only:
        return made
    if found := tuple(artefact for artefact in made if artefact.path == only):
        return found
    paths = [artefact.path for artefact in made]
    raise UsageError(f"--only {only}: emit-{command} makes {', '.join(paths)}{did_you_mean(only, paths)}")


def everything(plan: Plan) -> tuple[Artefact, ...]:
    """Return every emitter's files in a directory for each command, the kustomization and the index."""
    made = [
        replace(artefact, path=f"{command}/{artefact.path}")
        for command in commands()
        for artefact in artefacts(plan, command)
    ]
    made.append(_kustomization(made))
    return (*made, Artefact(INDEX, _index(plan, made), "What is here, and in which order to apply it."))


def record(made: tuple[Artefact, ...], known: Mapping[str, str]) -> str:
    """Return the record of what was written, path -> SHA-256 of its text, with what another command wrote before."""
    digests = {**known, **{artefact.path: digest(artefact.text) for artefact in made}}
    return json.dumps({"format": 1, "files": digests}, indent=2, sort_keys=True) + "\n"


def recorded(text: str) -> Mapping[str, str]:
    """Return path -> SHA-256 from a record. Raises UsageError when it is none."""
    try:
        document = json.loads(text)
        if document["format"] != 1:
            raise ValueError
        return {str(path): str(value) for path, value in document["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UsageError(f"{RECORD} is no record of an emitted directory; remove it to start anew") from None


def edited(made: Iterable[Artefact], present: Mapping[str, str | None], known: Mapping[str, str]) -> list[str]:
    """Return the paths of files that are neither as they would be written nor as they last were.

    `present` has the text of each file that is there, None where there is none; `known` is what `recorded` returns.
    """
    return [
        artefact.path
        for artefact in made
        if (text := present[artefact.path]) not in (None, artefact.text)
        and known.get(artefact.path) != digest(text or "")
    ]


def drift(made: Iterable[Artefact], present: Mapping[str, str | None]) -> list[str]:
    """Return how the files that are there differ from those that would be written, a line for each."""
    return [
        f"{'missing' if present[artefact.path] is None else 'differs'}: {artefact.path}"
        for artefact in made
        if present[artefact.path] != artefact.text
    ]


def digest(text: str) -> str:
    """Return the SHA-256 of a file's text, in hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def _kustomization(made: list[Artefact]) -> Artefact:
    resources = [artefact.path for artefact in made if artefact.kustomized]
    document = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": resources}
    return Artefact(KUSTOMIZATION, dump([document]), "Applies every Kubernetes object at once: `kubectl apply -k .`")


def _index(plan: Plan, made: list[Artefact]) -> str:
    scenario = plan.scenario
    head = (
        f"# {scenario.name}: what deploys it\n\n"
        f"Written by cascade-plan for {scenario.users.peak:,} users at peak and {scenario.users.average:,} on average "
        f"in {scenario.region}. Review it, fill in what it cannot know, apply it in this order. Written again from a "
        "changed scenario, files you have edited are not overwritten.\n"
    )
    parts = []
    for name in commands():
        rows = "".join(f"| [{a.path}]({a.path}) | {a.purpose} |\n" for a in made if a.path.startswith(f"{name}/"))
        if rows:
            parts.append(f"\n## {name}\n\n| file | what it is |\n|---|---|\n{rows}")
    return head + "".join(parts)
