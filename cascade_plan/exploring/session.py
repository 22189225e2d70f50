"""What a page asks for: a plan of the scenario as it has changed it, why a figure is what it is, and what to take home.

Every answer is JSON: {"ok": true, ...}, or what is wrong with the values in the product's own words.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any, Final

from cascade_plan import registry
from cascade_plan.choosing.curve import curve
from cascade_plan.choosing.differences import compare
from cascade_plan.choosing.latency_curve import latency_curve
from cascade_plan.choosing.writing import text
from cascade_plan.errors import CascadePlanError, InfeasibleError, ScenarioError, UsageError, listed
from cascade_plan.exploring import controls
from cascade_plan.exploring.state import changes_of, columns_of, text_of
from cascade_plan.inputs.choice import Choice
from cascade_plan.inputs.scenarios import Given
from cascade_plan.model.outlook import Outlook
from cascade_plan.model.plan import Plan
from cascade_plan.model.scenario import Scenario
from cascade_plan.planning import margins
from cascade_plan.planning.pipeline import plan
from cascade_plan.reports import explanation, inputs, pages

Posted = Mapping[str, Any]
Answer = dict[str, Any]
STALE: Final[Answer] = {"ok": False, "is_stale": True, "problems": [], "error": ""}
"""The answer to what was asked before the scenario changed again: nobody waits for it."""


class _StaleError(Exception):
    """Something newer was asked."""


def answered(ask: Callable[[Posted], Answer], posted: Posted) -> Answer:
    """Return the answer to what a page asks, or what is wrong with it: all problems at once, each with its field."""
    try:
        return {"ok": True, **ask(posted)}
    except _StaleError:
        return STALE
    except ScenarioError as error:
        found = [
            {"field": each.field, "message": replace(each, file="", line=0, field="").text().removeprefix(": ")}
            for each in error.problems
        ]
        return {"ok": False, "problems": found, "error": "\n".join(listed(error.problems))}
    except CascadePlanError as error:
        return {"ok": False, "problems": [], "error": str(error), "exit_code": error.exit_code}


@dataclass(slots=True)
class Session:
    """A scenario as a command line chose it, which a page changes; nothing of it is written anywhere."""

    choice: Choice
    tiers: tuple[str, ...]
    """Those that the scenario has as it was chosen."""
    _turn: int = 0
    """How many plans were asked for: what belongs to an earlier one is given up."""
    _lock: Lock = field(default_factory=Lock)

    @classmethod
    def of(cls, choice: Choice) -> Session:
        """Return a session that begins with a choice. Raises what reading the scenario raises."""
        names = tuple(choice.read().scenario.tiers)
        return cls(choice.quiet(), names)  # the page says its notes itself

    def plan(self, posted: Posted) -> Answer:
        """Return the plan of the scenario with its changes, its controls, and the command line that makes the same."""
        with self._lock:
            self._turn += 1
        choice = self.changed(posted)
        half = choice.half_read()
        given = half.given
        answer: Answer = {
            "controls": self._controls(given),
            "notes": list(given.notes),
            "command": command(choice, "size"),
            "file_name": f"{given.scenario.name}.yaml",
        }
        try:
            made = self._at_once(given, choice)
        except InfeasibleError as error:
            half.check_gates()
            # The controls are those of the scenario all the same: the way out is among them.
            return {**answer, "infeasible": str(error)}
        half.check_gates(made.figures)
        return {**answer, "plan": registry.load("reports/plans", "json").page(made)}

    def _at_once(self, given: Given, choice: Choice) -> Plan:
        """Return a plan without what takes most of its time and no verdict needs: how far its limits hold."""
        needs_margins = any(name in margins.FIGURES for name in given.scenario.gates)
        return plan(
            given.scenario, given.book, given.origins, choice.as_of, with_margins=needs_margins, by_action=False
        )

    def whole(self, posted: Posted) -> Answer:
        """Return all of the plan that `plan` returned the most of."""
        choice = self.changed(posted)
        return {"plan": registry.load("reports/plans", "json").page(_plan(choice.read(), choice, by_action=False))}

    def base(self, posted: Posted) -> Answer:
        """Return the controls of the scenario as the command line chose it, their values, and the shapes there are."""
        given = self.choice.read()
        found = self._controls(given)
        values = {each["path"]: each["value"] for group in found for each in group["controls"]}
        return {
            "controls": found,
            "values": values,
            "shapes": controls.shapes(given.scenario),
            "name": given.scenario.name,
        }

    def curve(self, posted: Posted) -> Answer:
        """Return the chart of the cost over users: given up as soon as another plan is asked for."""
        turn, choice = self._turn, self.changed(posted)
        given = choice.read()

        def attempt(other: Scenario) -> Plan | None:
            if turn != self._turn:
                raise _StaleError
            try:
                return plan(other, given.book, given.origins, predicted=False, with_margins=False)
            except InfeasibleError:
                return None

        outlook = Outlook(tuple(curve(given.scenario, attempt)), ())
        made = plan(given.scenario, given.book, given.origins, choice.as_of, predicted=False, with_margins=False)
        return {"chart": chart("cost-over-users", replace(made, outlook=outlook))}

    def latency(self, posted: Posted) -> Answer:
        """Return the chart of the latency over users, the fleet as it is."""
        choice = self.changed(posted)
        given = choice.read()
        made = plan(given.scenario, given.book, given.origins, choice.as_of, predicted=False, with_margins=False)
        return {"chart": chart("latency", latency_curve(made))}

    def explain(self, posted: Posted) -> Answer:
        """Return why a figure is what it is, or what an input means: the text that `explain` prints."""
        name, columns = text_of(posted, "figure"), columns_of(posted)
        choice = self.changed(posted)
        given = choice.read()
        made = _plan(given, choice)
        if said := explanation.explain(made, name, columns):
            return {"text": said}
        if said := inputs.explain(given.scenario, given.origins, name, made.figures.values(), columns):
            return {"text": said}
        raise UsageError(f"no figure and no input {name!r}")

    def difference(self, posted: Posted) -> Answer:
        """Return what differs from the changes that a page has pinned: the text that `diff` prints."""
        sides = []
        for changes in (changes_of(posted, "against"), changes_of(posted)):
            choice = self.choice.changed(changes)
            sides.append(_plan(choice.read(), choice))
        said = registry.load("reports/differences", "table").render(compare(*sides), width=columns_of(posted))
        return {"text": said}

    def document(self, posted: Posted) -> Answer:
        """Return the scenario with its changes as a file holds it, and the command line that it came from."""
        choice = self.changed(posted)
        scenario = choice.read().scenario
        head = f"{scenario.name}, as it was explored: the same as\n  {command(choice, 'size')}"
        return {"text": text(scenario, head), "file_name": f"{scenario.name}.yaml"}

    def _controls(self, given: Given) -> list[dict[str, Any]]:
        return controls.groups(given.scenario, self.choice.price_cache, self.tiers)

    def changed(self, posted: Posted) -> Choice:
        """Return the choice with a page's changes. Raises UsageError for what no page sends."""
        return self.choice.changed(changes_of(posted))


def chart(name: str, *of: Any) -> Any:
    """Return one of the charts in the colours of a page."""
    return pages.of_page(registry.load("reports/charts", name).draw(*of))


def command(choice: Choice, name: str) -> str:
    """Return the command line that does something with a choice, quoted for a shell."""
    return shlex.join(("cascade-plan", name, *choice.words))


def _plan(given: Given, choice: Choice, by_action: bool = True) -> Plan:
    return plan(given.scenario, given.book, given.origins, choice.as_of, by_action=by_action)
