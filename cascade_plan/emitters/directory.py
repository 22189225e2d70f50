"""Who writes what for a plan: the files of a command, a directory of everything, and what in one has changed since."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final, NamedTuple

from cascade_plan import registry
from cascade_plan.errors import MOST_SHOWN, UsageError, did_you_mean
from cascade_plan.languages import terminal
from cascade_plan.languages.yaml import dump
from cascade_plan.model.artefact import STAGES, Artefact, Step, is_for
from cascade_plan.model.plan import Plan
from cascade_plan.model.titles import called

RECORD: Final = ".cascade-plan.json"
"""The file that remembers what was written, to tell a reader's changes from an older scenario's."""
LONGEST_NAME: Final = 255
"""Bytes of a file's name: NAME_MAX of Linux and of most others."""
LONGEST_PATH: Final = 1000
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
INDEX: Final = "README.md"
KUSTOMIZATION: Final = "kustomization.yaml"
BASE: Final = "k8s/base"
"""The directory whose kustomization takes in those of all others."""
WHOLE: Final = "plan"
"""What an emitter serves that has something to do for every plan; others serve kinds of tiers."""


@dataclass(frozen=True, slots=True)
class Emitted:
    """The files of a command, or a directory of everything."""

    files: tuple[Artefact, ...]
    left_out: tuple[str, ...]
    """What of the plan no file makes and what is for other clouds, each with why."""


@cache
def commands() -> Mapping[str, tuple[str, ...]]:
    """Return emit- command -> the emitters whose files it writes, each in the order in which files are applied."""
    found: dict[str, tuple[str, ...]] = {}
    for name in registry.ordered("emitters", "artefacts", "APPLIED_AFTER"):
        command = registry.load("emitters", name, "artefacts").COMMAND
        found[command] = (*found.get(command, ()), name)
    return found


def serving(plan: Plan, command: str) -> tuple[str, ...]:
    """Return the emitters of a command that have something to write for a plan.

    Raises UsageError saying why none has: what the scenario lacks of all they serve, or the clouds they write for.
    """
    wanted = _wanted(plan, command)
    if not wanted:
        lacking = dict.fromkeys(f"no {called(what)}" for name in commands()[command] for what in _serves(name))
        raise UsageError(f"this scenario has {_listed([*lacking], 'and')}: emit-{command} has nothing to write")
    if found := tuple(name for name in wanted if is_for(_clouds(name), plan.scenario.cloud)):
        return found
    clouds = _listed(sorted({cloud for name in wanted for cloud in _clouds(name)}), "and")
    raise UsageError(f"emit-{command} writes for {clouds} alone, and this scenario is on {plan.scenario.cloud}")


def emitted(plan: Plan, command: str, only: str = "") -> Emitted:
    """Return what the emitters of one command make for a plan and its cloud, or only the file of that path.

    What is for other clouds is left out, and said. Raises UsageError where they make nothing, or naming their files
    when there is none of that path.
    """
    files = _rendered(plan, command)
    made = tuple(file for file in files if is_for(file.clouds, plan.scenario.cloud))
    if not made:
        raise UsageError(f"this scenario has nothing of what emit-{command} writes files for")
    left_out = (*_foreign_emitters(plan, command), *_foreign_files(plan, command, files))
    if not only:
        return Emitted(made, left_out)
    if found := tuple(artefact for artefact in made if artefact.path == only):
        return Emitted(found, left_out)
    paths = [artefact.path for artefact in made]
    raise UsageError(f"--only {only}: emit-{command} makes {', '.join(paths)}{did_you_mean(only, paths)}")


def everything(plan: Plan) -> Emitted:
    """Return every emitter's files in a directory for each command, kustomizations and the index."""
    made: list[Artefact] = []
    for_others: list[str] = []
    for command in commands():
        for_others += _foreign_emitters(plan, command)
        if _has_some(plan, command):
            files = _rendered(plan, command)
            for_others += _foreign_files(plan, command, files)
            mine = (file for file in files if is_for(file.clouds, plan.scenario.cloud))
            made += [replace(artefact, path=f"{command}/{artefact.path}") for artefact in mine]
    made += _kustomizations(plan, made)
    missing = (*_not_made(plan, made), *for_others)
    index = Artefact(INDEX, _index(plan, made, missing), "What is here, and in which order to apply it.")
    return Emitted((*made, index), missing)


class Written(NamedTuple):
    """A file as it was last written."""

    sha256: str
    command: str
    """The emit- command that wrote it."""


def record(made: tuple[Artefact, ...], known: Mapping[str, Written], command: str) -> str:
    """Return the record of what a command wrote, with what others wrote into the directory before."""
    files = {**known, **{artefact.path: Written(digest(artefact.text), command) for artefact in made}}
    entries = {path: written._asdict() for path, written in files.items()}
    return json.dumps({"format": 2, "files": entries}, indent=2, sort_keys=True) + "\n"


def recorded(text: str) -> Mapping[str, Written]:
    """Return path -> how it was written, from a record. Raises UsageError when it is none, or names files elsewhere."""
    try:
        document = json.loads(text)
        if document["format"] != 2:
            raise ValueError
        files = {
            str(path): Written(str(each["sha256"]), str(each["command"])) for path, each in document["files"].items()
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UsageError(f"{RECORD} is no record of an emitted directory; remove it to start anew") from None
    if wrong := [
        f"'{terminal.line(path[:60])}': {fault}" for path, written in files.items() if (fault := _fault(path, written))
    ]:
        raise UsageError(
            f"{RECORD} is no record that was written here; remove it to start anew: {'; '.join(wrong[:MOST_SHOWN])}"
            + (f"; and {len(wrong) - MOST_SHOWN:,} more" if len(wrong) > MOST_SHOWN else "")
        )
    return files


def _fault(path: str, written: Written) -> str:
    """Return what is wrong with an entry of a record, or "": its files lie in the directory, under names that fit."""
    parts = re.split(r"[/\\]", path)
    if not path.isprintable() or not {"", ".", ".."}.isdisjoint(parts) or parts[0][1:] == ":":
        return "no path within the directory"
    if len(path) > LONGEST_PATH or max(len(part.encode()) for part in parts) > LONGEST_NAME:
        return "longer than a file's name may be"
    if not written.command.isprintable():
        return "no command wrote it"
    return "" if _DIGEST.fullmatch(written.sha256) else "its value is no SHA-256"


def edited(made: Iterable[Artefact], present: Mapping[str, str | None], known: Mapping[str, Written]) -> list[str]:
    """Return the paths of files that are neither as they would be written nor as they last were.

    `present` has the text of each file that is there, None where there is none; `known` is what `recorded` returns.
    """
    return [
        artefact.path
        for artefact in made
        if (text := present[artefact.path]) not in (None, artefact.text)
        and (artefact.path not in known or known[artefact.path].sha256 != digest(text or ""))
    ]


def drift(made: Iterable[Artefact], present: Mapping[str, str | None]) -> list[str]:
    """Return how the files that are there differ from those that would be written, a line for each."""
    return [
        f"{'missing' if present[artefact.path] is None else 'differs'}: {artefact.path}"
        for artefact in made
        if present[artefact.path] != artefact.text
    ]


def differences(made: Iterable[Artefact], present: Mapping[str, str | None], directory: str) -> str:
    """Return a unified diff of the files of a directory and those that would be written; "" where they are the same."""
    from difflib import unified_diff

    lines: list[str] = []
    for artefact in made:
        if (text := present[artefact.path]) != artefact.text:
            path = f"{directory}/{artefact.path}"
            before = "/dev/null" if text is None else path
            lines += unified_diff((text or "").splitlines(), artefact.text.splitlines(), before, path, lineterm="")
    return "".join(f"{line}\n" for line in lines)


def digest(text: str) -> str:
    """Return the SHA-256 of a file's text, in hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def _serves(name: str) -> tuple[str, ...]:
    serves: tuple[str, ...] = registry.load("emitters", name, "artefacts").SERVES
    return serves


def _clouds(name: str) -> tuple[str, ...]:
    clouds: tuple[str, ...] = registry.load("emitters", name, "artefacts").CLOUDS
    return clouds


def _wanted(plan: Plan, command: str) -> list[str]:
    """Return the emitters of a command that serve something which a plan has."""
    served = {name: _serves(name) for name in commands()[command]}
    return [name for name, serves in served.items() if any(what == WHOLE or plan.fleet.of(what) for what in serves)]


def _rendered(plan: Plan, command: str) -> tuple[Artefact, ...]:
    """Return the files of a command's emitters that have something to write, those for other clouds among them."""
    made: list[Artefact] = []
    for name in serving(plan, command):
        made += registry.load("emitters", name, "artefacts").render(plan)
    paths = [artefact.path for artefact in made]
    for path in paths:
        if paths.count(path) > 1:
            raise UsageError(f"tiers: two files would be called {command}/{path}: give a tier another name")
    return tuple(made)


def _has_some(plan: Plan, command: str) -> bool:
    """Return whether a command has something to write for a plan and its cloud."""
    return any(is_for(_clouds(name), plan.scenario.cloud) for name in _wanted(plan, command))


def _foreign_emitters(plan: Plan, command: str) -> Iterator[str]:
    for name in _wanted(plan, command):
        clouds = _clouds(name)
        if not is_for(clouds, plan.scenario.cloud):
            yield f"{command}, the files of {name}: {_for_others(plan, clouds)}"


def _foreign_files(plan: Plan, command: str, files: Iterable[Artefact]) -> Iterator[str]:
    for file in files:
        if not is_for(file.clouds, plan.scenario.cloud):
            yield f"{command}/{file.path}: {_for_others(plan, file.clouds)}"


def _for_others(plan: Plan, clouds: Sequence[str]) -> str:
    return f"written for {_listed(clouds, 'and')}, not for {plan.scenario.cloud}"


def _not_made(plan: Plan, made: Iterable[Artefact]) -> tuple[str, ...]:
    """Return what of a plan no file makes, each with why: groups of nodes, workloads, metered uses, alarms, and more.

    A file that makes something overrules a tier that says nobody does.
    """
    deployed = {name for artefact in made for name in artefact.deploys}
    said = [line for sized in plan.fleet.tiers.values() for line in sized.not_emitted]
    reasons = {line.partition(": ")[0]: line for line in said}
    missing = [name for name in _parts(plan) if name not in deployed]
    lines = [reasons.get(name, f"{name}: no file here makes it") for name in missing]
    lines += [line for name, line in reasons.items() if name not in deployed]
    return tuple(dict.fromkeys(lines))


def _parts(plan: Plan) -> Iterator[str]:
    """Yield the names of all that a plan has and that files may make, or watch."""
    yield from (group.name for group in plan.groups)
    yield from (workload.name for workload in plan.fleet.workloads)
    yield from (usage.name for usage in plan.fleet.usages)
    yield from (alarm.name for watch in plan.watches for alarm in watch.alarms)


def _listed(words: Sequence[str], last: str) -> str:
    *others, final = words
    return f"{', '.join(others)} {last} {final}" if others else final


def _kustomizations(plan: Plan, made: list[Artefact]) -> list[Artefact]:
    """Return a kustomization for each directory that has objects, or files that pods read; BASE takes all others in.

    A file becomes part of a ConfigMap whose name ends in its hash: pods are replaced when it changes.
    """
    used = [artefact for artefact in made if artefact.kustomized or artefact.config_map]
    found = {_home(artefact.path): None for artefact in used}
    others = [home for home in found if home != BASE]
    resources = {
        home: [_within(home, a.path) for a in used if a.kustomized and _home(a.path) == home] for home in found
    }
    if not any(resources.values()):
        return []
    resources[BASE] = [*resources.get(BASE, []), *(f"../../{home}" for home in others)]
    return [
        Artefact(
            f"{home}/{KUSTOMIZATION}",
            dump([_kustomization(plan, listed, [a for a in used if a.config_map and _home(a.path) == home], home)]),
            "Every Kubernetes object, for an overlay to build on." if home == BASE else f"What {BASE} takes from here.",
        )
        for home, listed in resources.items()
    ]


def _home(path: str) -> str:
    """Return the directory whose kustomization has a file."""
    return BASE if path.startswith(f"{BASE}/") else path.partition("/")[0]


def _within(home: str, path: str) -> str:
    return path.removeprefix(f"{home}/")


def _kustomization(plan: Plan, resources: list[str], configured: list[Artefact], home: str) -> dict[str, object]:
    generators = [
        {
            "name": name,
            "namespace": plan.application,
            "files": [_within(home, each.path) for each in configured if each.config_map == name],
        }
        for name in dict.fromkeys(each.config_map for each in configured)
    ]
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        **({"resources": resources} if resources else {}),
        **({"configMapGenerator": generators} if generators else {}),
    }


def _index(plan: Plan, made: list[Artefact], missing: Sequence[str]) -> str:
    scenario = plan.scenario
    head = (
        f"# {scenario.name}: what deploys it\n\n"
        f"Written by cascade-plan for {scenario.users.peak:,} users at peak and {scenario.users.average:,} on average "
        f"in {scenario.region}. Written again from a changed scenario, files you have edited are not overwritten.\n"
    )
    parts = [*_gives(made), *_steps(made)]
    if by_hand := "".join(f"- [{a.path}]({a.path}): {a.by_hand}\n" for a in made if a.by_hand):
        parts.append(f"\n## By hand\n\n{by_hand}")
    if missing:
        parts.append("\n## Not emitted\n\n" + "".join(f"- {line}\n" for line in missing))
    for name in commands():
        rows = "".join(f"| [{a.path}]({a.path}) | {a.purpose} |\n" for a in made if a.path.startswith(f"{name}/"))
        if rows:
            parts.append(f"\n## {name}\n\n| file | what it is |\n|---|---|\n{rows}")
    return head + "".join(parts)


def _gives(made: list[Artefact]) -> Iterator[str]:
    """Yield the table of what the reader gives."""
    given = dict.fromkeys(each for artefact in made for each in artefact.gives)
    if given:
        rows = "".join(f"| `{each.name}` | {_sentence(each.words)} |\n" for each in given)
        yield (
            "\n## What you give\n\nSet these in the environment first, each as `export NAME=...`.\n\n"
            f"| name | what it is |\n|---|---|\n{rows}"
        )


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}{'' if words.endswith('.') else '.'}"


def steps(made: Iterable[Artefact]) -> tuple[Step, ...]:
    """Return what is done with files to go live, in turn: by stage, and within one in the order of the files."""
    found = (step for artefact in made for step in artefact.steps)
    return tuple(dict.fromkeys(sorted(found, key=lambda step: STAGES.index(step.stage))))


def _steps(made: list[Artefact]) -> Iterator[str]:
    """Yield the steps, numbered."""
    numbered = "".join(
        f"\n### {number}. {step.words}\n\n```sh\n{step.command}\n```\n" for number, step in enumerate(steps(made), 1)
    )
    if numbered:
        yield f"\n## Steps\n\nRun them in this directory, one after another; each must succeed.\n{numbered}"
