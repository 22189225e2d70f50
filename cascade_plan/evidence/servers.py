"""A server to be measured: where it is, what will be run on it, how busy it was, and what was found."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Final, Protocol

from cascade_plan import __version__, registry
from cascade_plan.errors import CascadePlanError, UsageError, did_you_mean
from cascade_plan.model.calibration import CALIBRATION_VERSION, Calibrated, Calibration
from cascade_plan.model.scenario import Scenario

CALLED: Final = "cascade-plan"
"""The name under which a server sees us."""
FOLDER: Final = "evidence/measuring"
"""Where the kinds of server are."""
NAME: Final = re.compile("[A-Za-z][A-Za-z0-9_-]*")


class ServerError(CascadePlanError):
    """A server could not be reached, refused us, or does not answer as it should."""

    exit_code = 5


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a measurement may go."""

    seconds: float
    """For which a server is asked at most, beside connecting and leaving."""
    creates: bool = True
    """Whether something may be created on it, which is removed at the end."""


@dataclass(frozen=True, slots=True)
class Step:
    """What is run on a server: how often at most, how long at most, and what it tells."""

    runs: str
    most: int
    seconds: float
    """After which it is not run again; 0 where the times that it is run are all that limits it."""
    tells: str


@dataclass(frozen=True, slots=True)
class Seen:
    """How busy a server was with the work of others."""

    is_idle: bool
    words: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What was measured of one field of a tier's settings, in the field's unit, with its interval."""

    name: str
    """Of the field."""
    value: float
    low: float
    high: float
    of: str
    """What was run and how the value comes from it."""
    spread: str = ""
    """How it is distributed, for people."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a measurement of a server told, and what it could not tell."""

    server: str
    """What it says it is, such as Redis 7.0.15."""
    readings: tuple[Reading, ...]
    unknown: Mapping[str, str] = field(default_factory=dict)
    """Field, or anything else in words -> why it could not be known."""
    notes: tuple[str, ...] = ()
    """What was seen besides, of which no field tells."""


class Session(Protocol):
    """A server while it is open."""

    def seen(self) -> Seen:
        """Return how busy it is with the work of others."""

    def found(self) -> Found:
        """Return what running the steps told. Raises ServerError when the server fails."""


class Kind(Protocol):
    """What a module of `evidence/measuring` has: one kind of server."""

    KIND: str
    """The kind of tier whose fields it measures."""
    FIELDS: tuple[str, ...]
    """Those fields."""
    METAVAR: str
    HELP: str
    """What its option takes, and what it says of itself in the help."""

    def shown(self, address: str) -> str:
        """Return an address without its password. Raises UsageError for what is none, never showing it."""

    def steps(self, address: str, limits: Limits) -> Iterator[Step]:
        """Yield all that is run on the server, in order."""

    def opened(self, address: str, limits: Limits) -> AbstractContextManager[Session]:
        """Open the server. Raises ServerError when that fails, UsageError when what it needs is not installed."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that a command line names."""

    kind: str
    """The plug-in that knows it."""
    tier: str
    """The scenario's instance that it is."""
    address: str
    shown: str
    """The address without its password."""


def named(kind: str, plug_in: Kind, given: str, scenario: Scenario) -> Server:
    """Return the server that NAME=ADDRESS gives, or ADDRESS alone for the first tier of its kind.

    Raises UsageError, never showing the address, for a scenario that has no such tier and for what is no address.
    """
    tiers = [*scenario.of(plug_in.KIND)]
    name, equals, rest = given.partition("=")
    if not tiers:
        raise UsageError(f"--{kind}: scenario {scenario.name} has no tier of kind {plug_in.KIND} to measure")
    if equals and name in tiers:
        return Server(kind, name, rest, plug_in.shown(rest))
    if equals and NAME.fullmatch(name) and "://" in rest and "://" not in name:
        near = did_you_mean(name, tiers)
        raise UsageError(f"--{kind} {name}=...: no tier of kind {plug_in.KIND} has that name{near or _those(tiers)}")
    return Server(kind, tiers[0], given, plug_in.shown(given))


def _those(tiers: list[str]) -> str:
    return f"; there {'is' if len(tiers) == 1 else 'are'} {', '.join(tiers)}"


def measured(
    scenario: str, servers: Sequence[Server], found: Sequence[Found], before: Calibration | None
) -> Calibration:
    """Return what the servers told as a calibration of a scenario, with all else that is known from before."""
    values = {} if before is None else dict(before.values)
    left = {} if before is None else dict(before.left)
    for server, told in zip(servers, found, strict=True):
        for each in told.readings:
            path = f"tiers.{server.tier}.{each.name}"
            low, value, high = (_short(number) for number in (each.low, each.value, each.high))
            values[path] = Calibrated(value=value, low=low, high=high, method=f"measure {server.shown}: {each.of}")
            left.pop(path, None)
        for name, why in told.unknown.items():
            path = f"tiers.{server.tier}.{name}"
            # What was known before is still known.
            if name in registry.load(FOLDER, server.kind).FIELDS and path not in values:
                left[path] = why
    made = before or Calibration(calibration_version=CALIBRATION_VERSION, scenario=scenario, values={})
    return made.model_copy(
        update={
            "values": dict(sorted(values.items())),
            "left": dict(sorted(left.items())),
            "written_by": f"{CALLED} {__version__}",
        }
    )


def _short(number: float) -> int | float:
    """Return a number to four digits, whole where it is."""
    short = float(f"{number:.4g}")
    return int(short) if short.is_integer() else short
