"""Gates that name no figure: a limit on nothing is a mistake, and no verdict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cascade_plan import registry
from cascade_plan.errors import CascadePlanError, Problem, did_you_mean
from cascade_plan.files.documents import Document
from cascade_plan.model.actuals import FIGURES as BILLED
from cascade_plan.model.forecast import NAMED, OF_YEARS, PREFIX, is_figure
from cascade_plan.model.price import Book
from cascade_plan.model.scenario import SCHEMA_VERSION, USERS_PEAK, Scenario
from cascade_plan.model.tier import STANDARD, kinds_given
from cascade_plan.planning.latencies import BUSY, OF_ACTIONS, OF_LOADS
from cascade_plan.planning.margins import FIGURES
from cascade_plan.planning.pipeline import plan
from cascade_plan.prices import bundled


def of_nothing(scenario: Scenario, document: Document, book: Book) -> list[Problem]:
    """Return a problem for each gate on what is a figure of no plan of this scenario.

    A figure of a tier that is off, or that has nothing to do, is one: there it is not judged, as an environment may
    turn a tier off whose gates others need. A scenario that cannot be planned has no problem here: planning says why.
    """
    if not scenario.gates:
        return []
    known = {f"{figure}.{load}" for figure in OF_LOADS for load in (*scenario.loads, USERS_PEAK)}
    known |= {f"{tier}{BUSY}" for tier in scenario.tiers} | {*FIGURES, *BILLED}
    known |= {
        f"{figure}.{load}.{action}"
        for figure in OF_ACTIONS
        for load in (*scenario.loads, USERS_PEAK)
        for action in scenario.behaviour.actions
    }
    if not {name for name in scenario.gates if not is_figure(name)} <= known:
        try:
            known |= _figures(scenario, book)
        except CascadePlanError:
            return []
    problems = []
    for name in scenario.gates:
        if name not in known and not is_figure(name) and name not in (others := _of_its_kind(scenario, name, book)):
            message = _no_such(scenario, name, known | others)
            problems.append(Problem(*document.key_place(("gates", name)), f"gates.{name}", message))
    return problems


def of_no_name(document: Document) -> list[Problem]:
    """Return the problems that `of_nothing` finds, of a document that the schema refuses for something else.

    What figures are called follows from the names of loads and tiers alone: a plan of those, all else at its default,
    stands in. A gate on a tier that is itself a mistake has no problem here.
    """
    given = document.data.get("gates")
    loads, kinds = document.data.get("loads", {}), kinds_given(document.data)
    if not isinstance(given, dict) or not isinstance(loads, dict) or kinds is None:
        return []
    usual = {"share": 1.0, "ramp_s": 1.0, "duration_s": 1.0, "latency_ms_p95": 1000.0}
    cloud = document.data.get("cloud", "aws")
    try:
        scenario = Scenario.model_validate(
            _least(cloud, bundled.regions(cloud)[0])
            | {
                "loads": dict.fromkeys(loads, usual),
                "tiers": {name: {"kind": kind} for name, kind in kinds.items() if kind in registry.names("tiers")},
                "gates": {name: ["< 1"] for name in given if name.partition(".")[0] not in _unsound(kinds)},
            }
        )
        return of_nothing(scenario, document, bundled.book(scenario.cloud, scenario.region))
    except (CascadePlanError, ValueError, TypeError, IndexError):
        return []


def _unsound(kinds: Mapping[str, str]) -> set[str]:
    """Return the tiers of no known kind."""
    return {name for name, kind in kinds.items() if kind not in registry.names("tiers")}


def _figures(scenario: Scenario, book: Book) -> set[str]:
    """Return the names of a scenario's figures but for those of its loads; they are the same by either method."""
    return set(plan(scenario.model_copy(update={"method": "rules"}), book, predicted=False).figures)


def _of_its_kind(scenario: Scenario, name: str, book: Book) -> set[str]:
    """Return the names that a tier's figures have in a scenario where every kind of tier is there.

    A tier that is off has them, and one that has nothing to do here, such as a pool without a database.
    """
    tier = name.partition(".")[0]
    kind = scenario.tiers[tier].KIND if tier in scenario.tiers else tier
    if kind not in registry.names("tiers"):
        return set()
    try:
        found = _figures(_with_all(scenario), book)
    except (CascadePlanError, ValueError):
        return set()
    return {f"{tier}{each.removeprefix(kind)}" for each in found if each.startswith(f"{kind}.")}


def _with_all(scenario: Scenario) -> Scenario:
    """Return a scenario of the same users and cloud with every kind of tier that its defaults make."""
    return Scenario.model_validate(
        _least(scenario.cloud, scenario.region)
        | {
            "users": {"peak": scenario.users.peak, "average": scenario.users.average},
            "tiers": {name: {} for name in (*STANDARD, "queue", "worker")},
        }
    )


def _least(cloud: str, region: str) -> dict[str, Any]:
    """Return the least that a scenario must say."""
    return {
        "schema_version": SCHEMA_VERSION,
        "name": "any",
        "cloud": cloud,
        "region": region,
        "users": {"peak": 1000, "average": 300},
        "behaviour": {"actions": {"any": {"weight": 1.0, "request": "GET /"}}},
    }


def _no_such(scenario: Scenario, name: str, known: set[str]) -> str:
    figure, _, load = name.partition(".")
    if figure in OF_LOADS and load:
        loads = [*scenario.loads, USERS_PEAK]
        hint = did_you_mean(name, [f"{figure}.{each}" for each in loads])
        return f"no load {load!r}: the loads are {', '.join(loads)}{hint}"
    if figure == PREFIX.rstrip("."):
        listed = ", ".join((*NAMED, *(f"{each}.<year>" for each in OF_YEARS)))
        return f"no such figure of a forecast: it has {listed}"
    hint = did_you_mean(name, sorted(known))
    return f"no such figure{hint or '; `cascade-plan explain` lists the figures'}"
