"""explain and diff: why a figure is what it is, and what changed between two plans."""

from __future__ import annotations

from typing import Annotated

import typer

from cascade_plan import registry
from cascade_plan.cli.choice import Output, format_option, planned, with_choice
from cascade_plan.cli.output import deliver
from cascade_plan.inputs.choice import Choice
from cascade_plan.model.plan import Plan

Figure = Annotated[
    str, typer.Argument(metavar="FIGURE", help="A figure's dotted name, or its beginning: api.node_count, cost, pool.")
]
Before = Annotated[str, typer.Argument(metavar="BEFORE", help="A scenario, or a plan saved with --format json.")]
After = Annotated[str, typer.Argument(metavar="AFTER", help="The same.")]
Format = Annotated[str, format_option("differences")]


@with_choice
def explain(choice: Choice, figure: Figure, output: Output = "-") -> int:
    """Say where a figure comes from: formula, inputs and their origin, source, prices."""
    from cascade_plan.reports.explanation import explain as explained

    deliver(explained(planned(choice), figure), output)
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
