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
from cascade_plan.model.scenario import Scenario
from cascade_plan.model.schemas import written

Tell = Callable[[str, float], None]
"""Told what is being done, and the share of all that is done since it was told last."""
Posted = Mapping[str, Any]
DAYS: Final = (1, 14)
RUNS: Final = (1, 50)
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
    from cascade_plan.choosing.optimum import optimum

    given = choice.read()
    tell("searching", 0.0)
    found = optimum(given.scenario, given.book, given.origins, choice.as_of, is_fixed=False)
    said = registry.load("reports/optima", "table").render(found, width=columns_of(posted))
    return {"text": said, "changes": [list(each) for each in differing(given.scenario, found.plan.scenario)]}


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
    return {"text": registry.load("reports/days", "table").render(found, width=columns_of(posted))}


KINDS: Final[Mapping[str, Callable[[Choice, Posted, Tell], dict[str, Any]]]] = {
    "optimize": _optimize,
    "simulate": _simulate,
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
