"""optimize: the cheapest fleet that keeps every promise, with its proof, and the scenario that pins it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Final

import typer

from cascade_plan import registry
from cascade_plan.cli.choice import RELAXATIONS, checked_relaxations, format_option, values_option, with_choice
from cascade_plan.cli.output import arguments, complain, deliver, laid_out, say
from cascade_plan.inputs.choice import Choice

if TYPE_CHECKING:
    from cascade_plan.model.optimum import Optimum

PANEL = "What may be chosen, as optimize: in the scenario says"
Keep = Annotated[
    list[str] | None,
    typer.Option(
        "--keep", metavar="PATH", help="A tier or a setting that stays, tiers.database.shape; repeatable.",
        rich_help_panel=PANEL,
    ),
]  # fmt: skip
Years = Annotated[
    int | None,
    typer.Option(
        "--commitment-years-max", metavar="YEARS", help="Longest commitment: 0, 1 or 3.", rich_help_panel=PANEL
    ),
]
Upfront = Annotated[
    float | None,
    typer.Option("--upfront-usd-max", metavar="USD", help="Most that is paid on the first day.", rich_help_panel=PANEL),
]
SpotShare = Annotated[
    float | None,
    typer.Option(
        "--spot-share-max", metavar="SHARE", help="Largest share of nodes that are spot.", rich_help_panel=PANEL
    ),
]
WithoutSpot = Annotated[
    str | None,
    typer.Option(
        "--without-spot", metavar="NAME", help="What must hold when spot is taken back: average or floor.",
        rich_help_panel=PANEL, autocompletion=lambda: ["average", "floor"],
    ),
]  # fmt: skip
Burstable = Annotated[
    str | None,
    typer.Option(
        "--burstable", metavar="TIERS", help="Tiers that may be on CPU credits, api,database; none for none.",
        rich_help_panel=PANEL,
    ),
]  # fmt: skip
Pools = Annotated[
    str | None,
    typer.Option(
        "--pools", metavar="NAME", help="Whether tiers of pods share nodes: any, together or apart.",
        rich_help_panel=PANEL, autocompletion=lambda: ["any", "together", "apart"],
    ),
]  # fmt: skip
Families = Annotated[
    str | None,
    typer.Option("--families", metavar="NAMES", help="Families of shapes, m7g,c7*.", rich_help_panel=PANEL),
]
Architecture = Annotated[
    str | None,
    typer.Option(
        "--architecture", metavar="NAME", help="Processors of nodes: any, arm64 or x86_64.",
        rich_help_panel=PANEL, autocompletion=lambda: ["any", "arm64", "x86_64"],
    ),
]  # fmt: skip
Horizon = Annotated[
    int | None,
    typer.Option(
        "--horizon-months", metavar="N", help="Months whose mean cost is made least, 1 to 12.", rich_help_panel=PANEL
    ),
]
Fixed = Annotated[
    bool,
    typer.Option(
        "--fixed", help="One fleet for all months of the horizon; else the cheapest of each.", rich_help_panel=PANEL
    ),
]
Confidence = Annotated[
    float | None,
    typer.Option(
        "--confidence", metavar="SHARE", help="Share of the drawn worlds in which all is kept, 0.9.",
        rich_help_panel=PANEL,
    ),
]  # fmt: skip
Budget = Annotated[float | None, typer.Option("--budget", metavar="USD", help="What 1000 users may cost a month.")]
Objective = Annotated[str, values_option("--objective", ["cost"], "What is made least: cost, of a month.")]
Wanted = Annotated[
    str | None,
    values_option(
        "--relaxations",
        RELAXATIONS,
        "What could be given up: none, best or all.  [default: best over budget, else none]",
    ),
]
Written = Annotated[
    str | None, typer.Option("-o", "--output", metavar="FILE", help="Write the scenario that pins the fleet.")
]
Format = Annotated[str, format_option("optima")]
PATHS: Final = {
    "--budget": "budget.usd_per_1000_users_month",
    "--keep": "optimize.keep",
    "--commitment-years-max": "optimize.commitment_years_max",
    "--upfront-usd-max": "optimize.upfront_usd_max",
    "--spot-share-max": "optimize.spot.share_max",
    "--without-spot": "optimize.spot.without_it",
    "--burstable": "optimize.burstable",
    "--pools": "optimize.pools",
    "--families": "optimize.families",
    "--architecture": "optimize.architecture",
    "--horizon-months": "optimize.horizon_months",
    "--confidence": "optimize.confidence",
}
"""What each flag sets of the scenario."""


@with_choice
def optimize(
    choice: Choice,
    budget: Budget = None,
    keep: Keep = None,
    commitment_years_max: Years = None,
    upfront_usd_max: Upfront = None,
    spot_share_max: SpotShare = None,
    without_spot: WithoutSpot = None,
    burstable: Burstable = None,
    pools: Pools = None,
    families: Families = None,
    architecture: Architecture = None,
    horizon_months: Horizon = None,
    fixed: Fixed = False,
    confidence: Confidence = None,
    objective: Objective = "cost",
    relaxations: Wanted = None,
    format_: Format = "table",
    output: Written = None,
) -> int:
    """Find the cheapest fleet that keeps every promise with a zone and a node lost, and prove it.

    Shapes, counts, engines, purchase and what shares nodes are open, but for what --keep names. Promises are the
    limits of every load, the gates but those of cost, what availability asks for, and what instances do at most.

    Examples:
      cascade-plan optimize my.yaml
      cascade-plan optimize my.yaml --budget 65 -o best.yaml
      cascade-plan optimize my.yaml --keep tiers.database.shape

    Exit status:
      0  The cheapest fleet was found, and it keeps the budget where there is one.
      3  Its bill lacks a price.
      4  No fleet keeps every promise, or even the cheapest costs more than the budget.
    """
    _check(objective)
    report = registry.load("reports/optima", format_)
    flags: dict[str, object] = {
        "--budget": budget,
        "--keep": None if keep is None else f"[{', '.join(keep)}]",
        "--commitment-years-max": commitment_years_max,
        "--upfront-usd-max": upfront_usd_max,
        "--spot-share-max": spot_share_max,
        "--without-spot": without_spot,
        "--burstable": _listed(burstable),
        "--pools": pools,
        "--families": _listed(families),
        "--architecture": architecture,
        "--horizon-months": horizon_months,
        "--confidence": confidence,
    }
    found = _found(choice.flagged(PATHS, flags), fixed, relaxations)
    if output is not None:
        deliver(_scenario_text(found), output)
    return _status(found, "" if output == "-" else laid_out(report, found, written=output or ""))


def _found(choice: Choice, fixed: bool, relaxations: str | None) -> Optimum:
    """Return the optimum, with what its requirements cost where that is asked for or the budget is missed."""
    from cascade_plan.choosing.optimum import optimum

    given = choice.read()
    found = optimum(given.scenario, given.book, given.origins, choice.as_of, fixed)
    wanted = relaxations or ("best" if found.is_over_budget else "none")
    if checked_relaxations(wanted) == "none":
        return found
    from cascade_plan.choosing.relaxing import SEARCHES, why_not

    searches = None if wanted == "all" else SEARCHES
    return replace(found, why_not=why_not(given.scenario, given.book, given.origins, choice.as_of, searches=searches))


def _status(found: Optimum, said: str) -> int:
    """Say a report, and return the exit status."""
    if said:
        say(said)
    if not found.plan.bill.complete:
        complain(f"the bill is incomplete: {found.plan.bill.lacks(found.plan.scenario.budget.level)}", "warning")
        return 3
    return 4 if found.is_over_budget else 0


def _check(objective: str) -> None:
    """Raise UsageError for an objective that there is not."""
    from cascade_plan.errors import UsageError, did_you_mean

    if objective != "cost":
        raise UsageError(f"--objective {objective}: must be cost{did_you_mean(objective, ['cost'])}")


def _listed(names: str | None) -> str | None:
    """Return comma-separated names as a YAML list; none for an empty one."""
    if names is None:
        return None
    return "[]" if names == "none" else f"[{', '.join(f'{name.strip()!r}' for name in names.split(','))}]"


def _scenario_text(found: Optimum) -> str:
    """Return the scenario that pins the fleet, as a file that says how it came to be."""
    from cascade_plan.choosing.writing import text

    scenario = found.plan.scenario
    head = (
        f"{scenario.name} on the cheapest fleet that keeps every promise, as found by\n  {arguments()}\n"
        "Shapes, counts and purchase are pinned: size, check and emit-all take it as it is."
    )
    return text(scenario, head)
