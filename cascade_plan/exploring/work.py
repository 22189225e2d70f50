"""What takes longer than a move of a control, each with the text that its command prints: done in a process of its own.

A process can be ended whatever it is at, and leaves the page's own plans their processor.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping
from multiprocessing.connection import Connection
from typing import Any, Final

from cascade_plan import registry
from cascade_plan.choosing.writing import document
from cascade_plan.errors import CascadePlanError
from cascade_plan.exploring.state import columns_of, number_of
from cascade_plan.files.documents import field_name
from cascade_plan.inputs.choice import Choice
from cascade_plan.inputs.scenarios import Given
from cascade_plan.model.growth import month_of
from cascade_plan.model.scenario import Scenario
from cascade_plan.model.schemas import written

Tell = Callable[[str, float], None]
"""Told what is being done, and the share of all that is done since it was told last."""
Posted = Mapping[str, Any]
DAYS: Final = (1, 14)
RUNS: Final = (1, 50)
MONTHS: Final = (1, 120)
WORLDS: Final = (100, 10_000)
SEEDS: Final = (0, 2**31 - 1)


def run(connection: Connection, kind: str, choice: Choice, posted: Posted) -> None:
    """Do one of KINDS and send how far it is, then ("done", result) or ("failed", why)."""
    # Who stops the page stops this too: the page's own process ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        found = KINDS[kind](choice, posted, lambda what, share: connection.send(("progress", what, share)))
        connection.send(("done", found))
    except CascadePlanError as error:
        connection.send(("failed", str(error)))
    except BrokenPipeError:
        pass  # nobody waits for it any more
    except Exception as error:
        connection.send(("failed", f"{type(error).__name__}: {error}: this is a bug of cascade-plan"))


def _optimize(choice: Choice, posted: Posted, tell: Tell) -> dict[str, Any]:
    """Return the cheapest fleet in words, and what sets it in the scenario."""
    from cascade_plan.choosing.differences import compare
    from cascade_plan.choosing.optimum import optimum

    given = choice.read()
    tell("searching", 0.0)
    found = optimum(given.scenario, given.book, given.origins, choice.as_of, is_fixed=False)
    return {
        "text": registry.load("reports/optima", "table").render(found, width=columns_of(posted)),
        "changes": [list(each) for each in differing(given.scenario, found.plan.scenario)],
        "chart": _chart("waterfall", compare(found.today, found.plan)),
    }


def _simulate(choice: Choice, posted: Posted, tell: Tell) -> dict[str, Any]:
    """Return days of traffic through the autoscaler in words."""
    from cascade_plan.planning.pipeline import plan
    from cascade_plan.proving.days import Order, simulate

    order = Order(
        number_of(posted, "days", *DAYS, otherwise=1),
        number_of(posted, "runs", *RUNS, otherwise=1),
        number_of(posted, "seed", *SEEDS, otherwise=1),
    )
    given: Given = choice.read()
    made = plan(given.scenario, given.book, given.origins, predicted=False)
    found = simulate(made, order, tell)
    said = registry.load("reports/days", "table").render(found, width=columns_of(posted))
    return {"text": said, "chart": _chart("day", found)}


def _forecast(choice: Choice, posted: Posted, tell: Tell) -> dict[str, Any]:
    """Return what each month costs, in words."""
    from cascade_plan.choosing.forecast import first_month, forecast

    given = choice.read()
    tell("planning every month", 0.0)
    scenario = given.scenario
    own = None if scenario.forecast.start is None else month_of(scenario.forecast.start)
    start = first_month(scenario, given.book, own)
    months = number_of(posted, "months", *MONTHS, otherwise=scenario.forecast.months)
    found = forecast(
        scenario, given.book, given.origins, start, months, told=lambda count: tell("planning every month", 1 / count)
    )
    said = registry.load("reports/forecasts", "table").render(found, width=columns_of(posted))
    charts = (name for name in registry.names("reports/charts") if _of(name) == "forecast")
    return {"text": said, "chart": next((_chart(name, found) for name in charts), None)}


def _risk(choice: Choice, posted: Posted, tell: Tell) -> dict[str, Any]:
    """Return how sure the plan is, in words."""
    from cascade_plan.choosing.risk import risk_of
    from cascade_plan.planning.pipeline import plan

    given = choice.read()
    made = plan(given.scenario, given.book, given.origins, choice.as_of, predicted=False)
    worlds = number_of(posted, "worlds", *WORLDS, otherwise=WORLDS[1])
    tell(f"drawing {worlds:,} worlds", 0.0)
    found = risk_of(made, given.book, given.origins, worlds, number_of(posted, "seed", *SEEDS, otherwise=1))
    said = registry.load("reports/risks", "table").render(found, width=columns_of(posted))
    return {"text": said, "chart": _chart("uncertainty", found)}


def _of(name: str) -> str:
    """Return what a chart is of."""
    return str(registry.load("reports/charts", name).OF)


def _chart(name: str, *of: Any) -> Any:
    from cascade_plan.exploring.session import chart

    return chart(name, *of)


KINDS: Final[Mapping[str, Callable[[Choice, Posted, Tell], dict[str, Any]]]] = {
    "optimize": _optimize,
    "simulate": _simulate,
    "forecast": _forecast,
    "risk": _risk,
}
"""What a page can ask for, by the name of its command."""


def differing(before: Scenario, after: Scenario) -> Iterator[tuple[str, str]]:
    """Yield (path, value) of what makes one scenario of another, as --set takes it."""
    yield from _differing(document(before), document(after), ())


def _differing(before: Any, after: Any, trail: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if before == after:
        return
    is_changed_within = isinstance(before, dict) and isinstance(after, dict) and before.keys() <= after.keys()
    if not trail or (is_changed_within and before):
        for name, value in after.items():
            if name not in before:
                yield field_name((*trail, name)), written(value)
            else:
                yield from _differing(before[name], value, (*trail, name))
        return
    yield field_name(trail), written(after)
