"""explain and diff: why a figure is what it is, what an input means, and what changed between two plans."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Annotated, Any, Final

import typer

from cascade_plan import registry
from cascade_plan.cli import completing
from cascade_plan.cli.choice import Output, format_option, planned, read, values_option, with_choice
from cascade_plan.cli.output import deliver, is_page, laid_out, width
from cascade_plan.errors import UsageError, did_you_mean
from cascade_plan.inputs.choice import Choice
from cascade_plan.model.plan import Plan

FORMATS: Final = ("table", "json")
MOST_SUGGESTED: Final = 5
Explanation = Annotated[str, values_option("--format", FORMATS, "table, which is text; or json.")]
Figure = Annotated[
    str | None,
    typer.Argument(
        metavar="FIGURE",
        help="A figure's dotted name, or its beginning: api.node_count, cost, pool. Or an input's path: users.peak. "
        "Without it all figures are listed.",
        show_default=False,
        autocompletion=completing.figures,
    ),
]
Before = Annotated[
    str | None,
    typer.Argument(
        metavar="BEFORE",
        help="A scenario, or a plan saved with --format json.",
        show_default=False,
        autocompletion=completing.scenarios_and_plans,
    ),
]
After = Annotated[
    str | None,
    typer.Argument(
        metavar="AFTER",
        help="The same. If left out: BEFORE with what the options change.",
        show_default=False,
        autocompletion=completing.scenarios_and_plans,
    ),
]
Full = Annotated[bool, typer.Option("--full", help="Every row, and the findings that are new or gone.")]
Format = Annotated[str, format_option("differences")]


@with_choice
def explain(choice: Choice, figure: Figure = None, format_: Explanation = "table", output: Output = "-") -> int:
    """Say where a figure comes from, or what an input means; without either, list the figures.

    Of a figure: its formula, its inputs and where they were given, its source, the prices in it. Of an input, which is
    a path of the scenario: its meaning, value, bounds and default, and the figures made from it.

    Examples:
      cascade-plan explain
      cascade-plan explain api.node_count
      cascade-plan explain tiers.api.users_per_node my.yaml
    """
    if figure is not None and _is_scenario(figure):
        choice, figure = replace(choice, scenario=figure), None
    if format_ not in FORMATS:
        raise UsageError(f"no format {format_!r} for explain: known are table, json{did_you_mean(format_, [*FORMATS])}")
    from cascade_plan.planning.pipeline import plan
    from cascade_plan.reports import explanation, inputs

    given = read(choice)
    made = plan(given.scenario, given.book, given.origins, choice.as_of)
    columns = width() if is_page() else explanation.UNFOLDED
    if figure is None and format_ == "table":
        deliver(explanation.overview(made, columns), output)
        return 0
    figures = explanation.named(made, figure or "") or (() if figure else tuple(made.figures.values()))
    entries = () if figures else inputs.named(given.scenario, figure or "")
    if not (figures or entries):
        raise UsageError(unknown(figure or "", [*made.figures, *inputs.paths(given.scenario)]))
    if format_ == "json":
        described = [inputs.document(each, given.scenario, given.origins, made.figures.values()) for each in entries]
        deliver(_json([explanation.document(each, made) for each in figures], described), output)
    elif figures:
        deliver(explanation.explain(made, figure or "", columns), output)
    else:
        text = inputs.explain(given.scenario, given.origins, figure or "", made.figures.values(), columns)
        deliver(text, output)
    return 0


def _is_scenario(word: str) -> bool:
    """Return whether the first word is no figure but the scenario whose figures are asked for."""
    from cascade_plan.inputs.scenarios import bundled_scenarios

    return word == "-" or word.endswith((".yaml", ".yml")) or word in bundled_scenarios()


def unknown(name: str, known: list[str]) -> str:
    """Return what to say of a name that is neither a figure nor an input: the nearest ones, or those it stands in."""
    beginnings = {".".join(each.split(".")[:steps]) for each in known for steps in range(1, each.count(".") + 1)}
    near = did_you_mean(name, [*known, *sorted(beginnings)])
    within = [each for each in known if name and name.rpartition(".")[2] in each][:MOST_SUGGESTED]
    if not near and within:
        near = f"; the word is in {', '.join(within)}"
    said = near or "; inputs are paths of the scenario, such as users.peak"
    return f"no figure and no input {name!r}{said} (`cascade-plan explain` lists the figures)"


def _json(figures: list[dict[str, Any]], entries: list[dict[str, Any]]) -> str:
    document = {"schema_version": 1, "figures": figures, "inputs": entries}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


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

    What the options change is changed in AFTER only. --env alone compares a file's first environment with that one.

    Examples:
      cascade-plan diff my.yaml --set tiers.cache.engine=valkey
      cascade-plan diff cascade-as-written cascade
      cascade-plan diff plan.json my.yaml --format markdown
    """
    from cascade_plan.choosing.differences import compare

    report = registry.load("reports/differences", format_)
    changes = choice.changes
    if after is None and not choice.is_changed:
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
    # Which scenario it is where none was given is said once.
    first = choice.unchanged() if changes or after is None else choice
    sides = (plan_of(first, before), plan_of(choice, second or choice.scenario))
    deliver(laid_out(report, compare(*sides), full=full), output)
    return 0


def _is_saved(reference: str) -> bool:
    return reference.endswith(".json")


def plan_of(choice: Choice, reference: str | None) -> Plan:
    """Return a saved plan, or that of a scenario with the choice's overrides. Raises UsageError for what is neither."""
    if reference is None or not _is_saved(reference):
        return planned(choice, reference)
    from cascade_plan.inputs.scenarios import read_plan

    return read_plan(reference)
