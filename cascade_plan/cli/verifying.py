"""verify: a load test's results against the SLOs and the plan."""

from __future__ import annotations

from typing import Annotated

import typer

from cascade_plan import registry
from cascade_plan.cli import completing
from cascade_plan.cli.choice import Output, format_option, with_choice
from cascade_plan.cli.files import text
from cascade_plan.cli.output import deliver, laid_out
from cascade_plan.inputs.choice import Choice

Results = Annotated[
    str,
    typer.Argument(
        metavar="RESULTS",
        help="A file or directory of results, or the prefix of Locust's --csv: of Locust, k6, JMeter, hey or vegeta.",
    ),
]
Ran = Annotated[
    str | None,
    typer.Option(
        "--load",
        metavar="NAME",
        help="The load that was run.  [default: told by its users]",
        autocompletion=completing.loads,
    ),
]
Format = Annotated[str, format_option("verifications")]


@with_choice
def verify(choice: Choice, results: Results, load: Ran = None, format_: Format = "table", output: Output = "-") -> int:
    """Judge a load test's results by the load and the SLOs, and compare them with the plan.

    Examples:
      cascade-plan verify loadtest/results/normal my.yaml
      cascade-plan verify loadtest/results/peak my.yaml --format junit -o peak.xml

    Exit status:
      0  The results show the load to be applied and every SLO to be kept.
      1  They do not: the load was not applied, an SLO is missed, or they do not show it.
      2  They cannot be read.
    """
    from cascade_plan.evidence import runs, verifying
    from cascade_plan.files.disk import listed
    from cascade_plan.planning.pipeline import plan

    report = registry.load("reports/verifications", format_)
    measured = runs.measured(results, load, text, listed)
    given = choice.read()
    name, measurement = verifying.chosen(given.scenario.driven, measured, load)
    made = plan(given.scenario, given.book, given.origins)
    verification = verifying.verify(made, name, measurement)
    deliver(laid_out(report, verification), output)
    return 0 if verification.verified else 1
