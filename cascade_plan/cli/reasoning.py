"""explain and diff: why a figure is what it is, what an input means, and what changed between two plans."""

from __future__ import annotations

from typing import Annotated

import typer

from cascade_plan import registry
from cascade_plan.cli.choice import Output, format_option, planned, with_choice
from cascade_plan.cli.output import deliver
from cascade_plan.errors import UsageError, did_you_mean
from cascade_plan.inputs.choice import Choice
from cascade_plan.model.plan import Plan

Figure = Annotated[
    str,
    typer.Argument(
        metavar="FIGURE",
        help="A figure's dotted name, or its beginning: api.node_count, cost, pool. Or an input's path: users.peak.",
    ),
]
Before = Annotated[str, typer.Argument(metavar="BEFORE", help="A scenario, or a plan saved with --format json.")]
After = Annotated[str, typer.Argument(metavar="AFTER", help="The same.")]
Format = Annotated[str, format_option("differences")]


@with_choice
def explain(choice: Choice, figure: Figure, output: Output = "-") -> int:
    """Say where a figure comes from: formula, inputs and their origin, source, prices; or what an input means."""
    from cascade_plan.planning.pipeline import plan
    from cascade_plan.reports import explanation, inputs

    given = choice.read()
    made = plan(given.scenario, given.book, given.origins, choice.as_of)
    text = explanation.explain(made, figure) or inputs.explain(given.scenario, given.origins, figure)
    if not text:
        figures = sorted(made.figures)
        near = did_you_mean(figure, [*figures, *inputs.paths(given.scenario)])
        raise UsageError(
            f"no figure and no input {figure!r}{near}; figures are {', '.join(figures)}; "
            "inputs are the paths of the scenario, such as users.peak"
        )
    deliver(text, output)
    return 0


@with_choice
def diff(
    choice: Choice, before: Before, after: After = "cascade", format_: Format = "table", output: Output = "-"
) -> int:
    """Say what changed in fleet and bill between two scenarios, or between a saved plan and now."""
    from cascade_plan.choosing.differences import compare

    report = registry.load("reports/differences", format_)
    deliver(report.render(compare(_plan(choice, before), _plan(choice, after))), output)
    return 0


def _plan(choice: Choice, reference: str) -> Plan:
    if not reference.endswith(".json"):
        return planned(choice, reference)
    from cascade_plan.inputs.scenarios import read_plan

    return read_plan(reference)
