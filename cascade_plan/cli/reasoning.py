"""explain and diff: why a figure is what it is, what an input means, and what changed between two plans."""

from __future__ import annotations

from typing import Annotated

import typer

from cascade_plan import registry
from cascade_plan.cli.choice import Output, format_option, planned, with_choice
from cascade_plan.cli.output import deliver, laid_out
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
Before = Annotated[
    str | None,
    typer.Argument(metavar="BEFORE", help="A scenario, or a plan saved with --format json.", show_default=False),
]
After = Annotated[
    str | None,
    typer.Argument(
        metavar="AFTER", help="The same. If left out: BEFORE with what the options change.", show_default=False
    ),
]
Full = Annotated[bool, typer.Option("--full", help="Every row, and the findings that are new or gone.")]
Format = Annotated[str, format_option("differences")]


@with_choice
def explain(choice: Choice, figure: Figure, output: Output = "-") -> int:
    """Say where a figure comes from, or what an input means; without either, list the figures.

    Of a figure: its formula, its inputs and where they were given, its source, the prices in it. Of an input, which is
    a path of the scenario: its meaning, value, bounds and default, and the figures made from it.

    Examples:
      cascade-plan explain
      cascade-plan explain api.node_count
      cascade-plan explain tiers.api.users_per_node my.yaml
    """
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
    choice: Choice,
    before: Before = None,
    after: After = None,
    format_: Format = "table",
    output: Output = "-",
    full: Full = False,
) -> int:
    """Say what a change costs and why: AFTER against BEFORE, or one scenario before and after --set, --peak and others.

    What the options change is changed in AFTER only.

    Examples:
      cascade-plan diff my.yaml --set tiers.cache.engine=valkey
      cascade-plan diff cascade-as-written cascade
      cascade-plan diff plan.json my.yaml
    """
    from cascade_plan.choosing.differences import compare

    report = registry.load("reports/differences", format_)
    changes = choice.changes
    if after is None and not changes:
        what = before or "the scenario"
        raise UsageError(
            f"nothing to compare {what} with: give a second scenario or plan, or a change such as "
            "--set tiers.cache.engine=valkey or --peak 20000"
        )
    second = after or before
    if second is not None and _is_saved(second) and changes:
        raise UsageError(
            f"{second} is a saved plan, which {', '.join(changes)} cannot change: give its scenario as AFTER, "
            f"as in `cascade-plan diff {second} my.yaml {changes[0]}`"
        )
    sides = (_plan(choice.unchanged(), before), _plan(choice, second))
    deliver(laid_out(report, compare(*sides), full=full), output)
    return 0


def _is_saved(reference: str) -> bool:
    return reference.endswith(".json")


def _plan(choice: Choice, reference: str | None) -> Plan:
    if reference is None or not _is_saved(reference):
        return planned(choice, reference)
    from cascade_plan.inputs.scenarios import read_plan

    return read_plan(reference)
