"""verify: a load test's results against the SLOs and the plan."""

from __future__ import annotations

from typing import Annotated

import typer

from cascade_plan import registry
from cascade_plan.cli import completing
from cascade_plan.cli.charting import draw_to, format_of
from cascade_plan.cli.choice import Output, format_option, with_choice
from cascade_plan.cli.deployed import Cores, DatabaseVcpu, Pods
from cascade_plan.cli.files import text
from cascade_plan.cli.output import deliver, laid_out
from cascade_plan.errors import UsageError
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
Busy = Annotated[
    list[str] | None,
    typer.Option("--busy", metavar="SHARE", help="How busy the pods were, such as 0.55 or 55%, or NAME=SHARE."),
]
MetricsOption = Annotated[
    list[str] | None,
    typer.Option("--metrics", metavar="FILE", help="Metrics of the run's time, or WHAT:TIER=FILE; repeatable."),
]
Chart = Annotated[
    str | None,
    typer.Option("--chart", metavar="FILE", help="Draw predicted against measured: .svg, .png, .pdf, .html or .json."),
]
Format = Annotated[str, format_option("verifications")]


@with_choice
def verify(
    choice: Choice,
    results: Results,
    load: Ran = None,
    busy: Busy = None,
    metrics: MetricsOption = None,
    pods: Pods = None,
    cores: Cores = None,
    database_vcpu: DatabaseVcpu = None,
    chart: Chart = None,
    format_: Format = "table",
    output: Output = "-",
) -> int:
    """Judge a load test's results by the load and the SLOs, and compare them with the plan.

    How busy the pods were, by --busy or --metrics, tells what a request took of their CPU. Where another fleet ran than
    the planned one, --pods, --cores and --database-vcpu say it, and the predictions are of that.

    Examples:
      cascade-plan verify loadtest/results/normal my.yaml
      cascade-plan verify results/normal my.yaml --busy 55% --pods 4 --cores 4
      cascade-plan verify loadtest/results/peak my.yaml --format junit -o peak.xml

    Exit status:
      0  The results show the load to be applied and every SLO to be kept.
      1  They do not: the load was not applied, an SLO is missed, or they do not show it.
      2  They cannot be read.
    """
    from cascade_plan.evidence import runs, verifying
    from cascade_plan.evidence.deployed import busy_shares, deployed
    from cascade_plan.evidence.observing import observed
    from cascade_plan.files.disk import listed
    from cascade_plan.planning.pipeline import plan

    report = registry.load("reports/verifications", format_)
    if chart is not None:
        format_of(chart)
    measured = runs.measured(results, load, text, listed)
    given = choice.read()
    name, measurement = verifying.chosen(given.scenario.driven, measured, load)
    if busy and metrics:
        raise UsageError("give --busy or --metrics, not both: the metrics tell how busy the pods were")
    made = plan(given.scenario, given.book, given.origins)
    verification = verifying.verify(
        made,
        name,
        measurement,
        deployed(given.scenario, pods or (), cores or (), database_vcpu or ()),
        busy_shares(given.scenario, busy or ()),
        observed(metrics, text) if metrics else verifying.NO_METRICS,
    )
    if chart is not None:
        draw_to(registry.load("reports/charts", "calibration").draw(verification), chart)
    deliver(laid_out(report, verification), output)
    return 0 if verification.verified else 1
