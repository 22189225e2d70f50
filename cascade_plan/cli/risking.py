"""risk: in how many worlds a plan keeps its promises, what drives that, and what is worth measuring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from cascade_plan import registry
from cascade_plan.cli.choice import Output, format_option, read, with_choice
from cascade_plan.cli.output import complain, deliver, laid_out
from cascade_plan.inputs.choice import Choice

if TYPE_CHECKING:
    from cascade_plan.inputs.scenarios import Given
    from cascade_plan.model.plan import Plan

DRAWS: Final = 10_000
Draws = Annotated[int, typer.Option("--draws", metavar="N", min=100, max=1_000_000, help="Worlds.")]
Seed = Annotated[int, typer.Option("--seed", metavar="S", min=0, help="Seed: the same one gives the same bytes.")]
Sobol = Annotated[
    bool, typer.Option("--sobol", help="Also the whole share of what drives it, interactions too, with intervals.")
]
Loss = Annotated[
    float | None,
    typer.Option(
        "--loss-usd",
        metavar="USD",
        min=0,
        help="What a month loses in which a limit is broken.  [default: what the fleet costs]",
    ),
]
Format = Annotated[str, format_option("risks")]


@with_choice
def risk(
    choice: Choice,
    draws: Draws = DRAWS,
    seed: Seed = 1,
    sobol: Sobol = False,
    loss_usd: Loss = None,
    format_: Format = "table",
    output: Output = "-",
) -> int:
    """Say how sure a plan is: in how many worlds each limit is missed, what drives it, what is worth measuring.

    Numbers that only the running system tells are drawn, each as unsure as where it comes from makes it, or as the
    scenario's `uncertainty` says. The plan is that of `size --method slo`, unless the scenario or --method says rules.

    Examples:
      cascade-plan risk my.yaml
      cascade-plan risk my.yaml --sobol --loss-usd 5000
      cascade-plan risk my.yaml --format json -o risk.json
    """
    from cascade_plan.choosing.risk import risk_of

    report = registry.load("reports/risks", format_)
    made, given = fleet_of(choice)
    found = risk_of(made, given.book, given.origins, draws, seed, sobol, loss_usd)
    deliver(laid_out(report, found), output)
    return 0


def fleet_of(choice: Choice) -> tuple[Plan, Given]:
    """Return the plan whose risk is asked, sized by the limits of its loads unless the scenario says otherwise."""
    from cascade_plan.planning.pipeline import plan

    given = read(choice)
    scenario = given.scenario
    if "method" not in given.origins:
        scenario = scenario.model_copy(update={"method": "slo"})
    made = plan(scenario, given.book, given.origins, choice.as_of, predicted=False)
    if not made.bill.complete:
        complain(f"costs are at least what they say: {made.bill.lacks(scenario.budget.level)}", "warning")
    return made, given
