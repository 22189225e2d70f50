"""verify: a load test's results against the SLOs and the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cascade_plan import registry
from cascade_plan.cli.choice import Output, format_option, with_choice
from cascade_plan.cli.output import deliver, laid_out
from cascade_plan.inputs.choice import Choice

if TYPE_CHECKING:
    from cascade_plan.evidence.texts import Text

MOST_BYTES = 2**26
"""A history of a week, with a row a second, is a tenth of this."""

Results = Annotated[
    str,
    typer.Argument(
        metavar="RESULTS", help="Locust's --csv prefix or one of its files, k6's summary, or their directory."
    ),
]
Ran = Annotated[
    str | None, typer.Option("--load", metavar="NAME", help="The load that was run.  [default: told by its users]")
]
Format = Annotated[str, format_option("verifications")]


@with_choice
def verify(choice: Choice, results: Results, load: Ran = None, format_: Format = "table", output: Output = "-") -> int:
    """Judge a load test's results by the SLOs, and compare them with the plan.

    Examples:
      cascade-plan verify loadtest/results/normal my.yaml
      cascade-plan verify loadtest/results/peak my.yaml --format junit -o peak.xml

    Exit status:
      0  The results show every SLO to be kept.
      1  They do not: one is missed, or they do not show it.
      2  They cannot be read.
    """
    from cascade_plan.evidence import runs, verifying
    from cascade_plan.files.disk import listed
    from cascade_plan.planning.pipeline import plan

    report = registry.load("reports/verifications", format_)
    measured = runs.measured(results, load, _text, listed)
    given = choice.read()
    name, measurement = verifying.chosen(given.scenario.driven, measured, load)
    made = plan(given.scenario, given.book, given.origins)
    verification = verifying.verify(made, name, measurement)
    deliver(laid_out(report, verification), output)
    return 0 if verification.verified else 1


def _text(path: str) -> Text | None:
    from cascade_plan.evidence.texts import Text
    from cascade_plan.files.disk import read_if_there

    found = read_if_there(path, MOST_BYTES)
    return None if found is None else Text(*found)
