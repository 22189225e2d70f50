"""verify: a load test's results against the SLOs and the plan."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cascade_plan import registry
from cascade_plan.cli.choice import Choice, Output, format_option, with_choice
from cascade_plan.cli.output import deliver
from cascade_plan.errors import UsageError

if TYPE_CHECKING:
    from cascade_plan.evidence.results import Text
    from cascade_plan.model.measurement import Measurement

MOST_BYTES = 2**26
"""A history of a week, with a row a second, is a tenth of this."""
ENDINGS = ("_stats_history.csv", "_stats.csv", "_failures.csv", "_exceptions.csv")

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
    """Judge a load test's results: exit 1 unless they show every SLO to be kept; compare them with the plan."""
    from cascade_plan.evidence import verifying as measuring
    from cascade_plan.planning.pipeline import plan

    report = registry.load("reports/verifications", format_)
    measured = _measured(results, load)
    given = choice.read()
    name, measurement = measuring.chosen(given.scenario.loads, measured, load)
    made = plan(given.scenario, given.catalogue, given.book, given.origins)
    verification = measuring.verify(measuring.Subject(made, given.catalogue, given.book), name, measurement)
    deliver(report.render(verification), output)
    return 0 if verification.verified else 1


def _measured(results: str, load: str | None) -> Mapping[str, Measurement]:
    from cascade_plan.evidence import results as reading

    path = _file(results, load)
    if path.name.endswith(ENDINGS):
        prefix = next(str(path).removesuffix(ending) for ending in ENDINGS if path.name.endswith(ending))
        stats = _text(prefix + "_stats.csv")
        if stats is None:
            raise UsageError(f"cannot read '{prefix}_stats.csv': No such file or directory")
        return reading.locust(stats, _text(prefix + "_stats_history.csv"), _text(prefix + "_failures.csv"))
    text = _text(str(path))
    if text is None:
        raise UsageError(
            f"no results at {results!r}: give the prefix of Locust's --csv, one of its files, k6's summary, or a "
            "directory of one of them"
        )
    if text.text.lstrip().startswith(("{", "[")):
        return reading.k6(text)
    return reading.locust(text, None, None)


def _text(path: str) -> Text | None:
    """Return a file's text, or None when there is no such file."""
    from cascade_plan.evidence.results import Text
    from cascade_plan.files.disk import read_text

    return Text(*read_text(path, MOST_BYTES)) if Path(path).exists() else None


def _file(results: str, load: str | None) -> Path:
    """Return the file that results are read from: in a directory the only one, or the one named as the load."""
    path = Path(results)
    if not path.is_dir():
        stats = Path(f"{results}_stats.csv")
        return stats if not path.exists() and stats.exists() else path
    found = sorted([*path.glob("*_stats.csv"), *path.glob("*.json")])
    named = [file for file in found if load is not None and file.name in (f"{load}_stats.csv", f"{load}.json")]
    if len(named or found) == 1:
        return (named or found)[0]
    what = ", ".join(file.name for file in found) or "neither Locust's *_stats.csv nor k6's *.json"
    raise UsageError(f"{results} holds {what}: name one")
