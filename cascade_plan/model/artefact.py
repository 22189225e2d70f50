"""What an emitter makes: files for machines, each with what it is for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

Stage = Literal["cluster", "cloud", "access", "controllers", "secrets", "database", "workloads", "monitoring", "test"]
STAGES: Final[tuple[Stage, ...]] = get_args(Stage)
"""When a step is taken, in order: each needs those before it."""


def is_for(clouds: Sequence[str], cloud: str) -> bool:
    """Return whether what names the only clouds it is for, none for any, is for a cloud."""
    return not clouds or cloud in clouds


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do with a file, in its turn."""

    stage: Stage
    words: str
    """What it does, as a sentence."""
    command: str
    """Lines of a POSIX shell in the directory that holds all emitted ones; it exits with another status than 0 when it
    did not work."""


@dataclass(frozen=True, slots=True)
class Given:
    """What the reader of the files gives, as an environment variable."""

    name: str
    words: str


@dataclass(frozen=True, slots=True)
class Artefact:
    """A file to deploy."""

    path: str
    """Relative to the emitter's own directory, with forward slashes."""
    text: str
    purpose: str
    """One sentence for the reader of the index: what it is, and the command that applies it."""
    executable: bool = False
    kustomized: bool = False
    """Whether it holds Kubernetes objects that are applied with all the others."""
    config_map: str = ""
    """The ConfigMap that pods of the plan read it from, with all other files that name it; empty where none do."""
    deploys: tuple[str, ...] = ()
    """What of the plan it makes or watches, by name: groups of nodes, workloads, metered uses, alarms."""
    clouds: tuple[str, ...] = ()
    """The only clouds it is for, where its emitter serves more; empty for any."""
    steps: tuple[Step, ...] = ()
    """What is done with it to go live; none where nothing is, or another file's step takes it along."""
    gives: tuple[Given, ...] = ()
    """What its steps and it itself read from the environment that no step sets."""
    by_hand: str = ""
    """What applying it does not do, or breaks, and what to do about it; the file itself says it too."""
