"""init, validate and schema: writing a scenario with help."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cascade_plan.cli import completing
from cascade_plan.cli.choice import Output, values_option
from cascade_plan.cli.output import complain, deliver, say
from cascade_plan.errors import Problem, ScenarioError, UsageError, did_you_mean, listed
from cascade_plan.inputs.choice import chosen
from cascade_plan.languages.json import dump

if TYPE_CHECKING:
    from cascade_plan.inputs.starting import Answers

Force = Annotated[bool, typer.Option("--force", help="Overwrite what is there.")]
Files = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[SCENARIO]...",
        help="Files, or names of bundled scenarios.  [default: the project's, else cascade]",
        autocompletion=completing.scenarios,
    ),
]
VERDICTS: Final = ("table", "json")
Verdicts = Annotated[str, values_option("--format", VERDICTS, "table: a line for each scenario; or json.")]
Which = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="What the schema describes: scenario, plan, risk, answer, explanation, difference, optimum or simulation.",
        autocompletion=completing.schemas,
    ),
]
Shape = Annotated[str, values_option("--format", ("json", "markdown"), "json or markdown.")]
Example = Annotated[
    str | None,
    typer.Option(
        "--example",
        metavar="NAME",
        help="Write this bundled scenario instead of asking.",
        autocompletion=completing.bundled,
    ),
]
Target = Annotated[str, typer.Argument(metavar="FILE", help="Where to write.")]
Called = Annotated[str | None, typer.Option("--name", metavar="NAME", help="What the system is called.")]
Users = Annotated[int | None, typer.Option("--users", metavar="USERS", min=1, help="Users at the same time, at peak.")]
WebSockets = Annotated[bool | None, typer.Option("--websockets/--no-websockets", help="Open connections to users.")]
Cache = Annotated[bool | None, typer.Option("--cache/--no-cache", help="A cache before the database.")]
Database = Annotated[bool | None, typer.Option("--database/--no-database", help="PostgreSQL.")]
Workers = Annotated[bool | None, typer.Option("--workers/--no-workers", help="Workers that do jobs from a queue.")]
Money = Annotated[
    float | None, typer.Option("--budget", metavar="USD", min=0.01, help="What everything may cost a month.")
]
Region = Annotated[
    str | None,
    typer.Option("--region", metavar="REGION", help="Region of the cloud.", autocompletion=completing.regions),
]


def init(
    file: Target = "cascade-plan.yaml",
    name: Called = None,
    users: Users = None,
    websockets: WebSockets = None,
    cache: Cache = None,
    database: Database = None,
    workers: Workers = None,
    budget: Money = None,
    region: Region = None,
    example: Example = None,
    force: Force = False,
) -> int:
    """Write a scenario to start from, and the schema that lets an editor complete it.

    On a terminal it asks for what no flag gives; elsewhere it takes the defaults.

    Examples:
      cascade-plan init my.yaml
      cascade-plan init my.yaml --users 2000 --cache --workers --budget 1500
      cascade-plan init study.yaml --example cascade
    """
    from cascade_plan.files.disk import write_atomically
    from cascade_plan.inputs.scenarios import scenario_text
    from cascade_plan.inputs.starting import SCHEMA_FILE, scenario_yaml

    target = Path(file)
    schema_file = target.parent / SCHEMA_FILE
    if target.exists() and not force:
        raise UsageError(f"{file} exists: choose another name, or overwrite it with --force")
    if example is not None:
        text = f"# yaml-language-server: $schema={SCHEMA_FILE}\n{scenario_text(example)[0]}"
    else:
        text = scenario_yaml(_answers(name, users, (websockets, cache, database, workers), budget, region))
    if not target.parent.is_dir():
        raise UsageError(f"cannot write {file!r}: there is no directory {str(target.parent)!r}")
    write_atomically(schema_file, _schema_text("scenario"))
    write_atomically(target, text)
    say(f"wrote {target} and {schema_file}\nnext: cascade-plan size {shlex.quote(file)}")
    return 0


def _answers(
    name: str | None,
    users: int | None,
    wanted: tuple[bool | None, bool | None, bool | None, bool | None],
    budget: float | None,
    region: str | None,
) -> Answers:
    """Return what the flags say, what a terminal answers where they say nothing, and else the defaults.

    Raises UsageError for a name or a region that a scenario cannot have.
    """
    from cascade_plan.inputs.starting import Answers, checked

    asked = sys.stdin.isatty() and sys.stderr.isatty()
    plain = Answers()

    def answer(given: Any, question: str, default: Any) -> Any:
        if given is not None or not asked:
            return default if given is None else given
        if isinstance(default, bool):
            return typer.confirm(question, default, err=True)
        return typer.prompt(question, default, type=type(default), err=True)

    websockets, cache, database, workers = wanted
    limit = answer(budget, "Budget in USD a month, 0 for none yet", 0.0)
    return checked(
        Answers(
            name=answer(name, "Name of the system", plain.name),
            users=answer(users, "Users at the same time, at peak", plain.users),
            has_websockets=answer(websockets, "Open connections to users (WebSockets)?", plain.has_websockets),
            has_cache=answer(cache, "A cache before the database?", plain.has_cache),
            has_database=answer(database, "A database?", plain.has_database),
            has_workers=answer(workers, "Workers that do jobs from a queue?", plain.has_workers),
            budget_usd_per_month=limit or None,
            region=answer(region, "Region", plain.region),
        )
    )


def validate(scenarios: Files = None, format_: Verdicts = "table", output: Output = "-") -> int:
    """Check scenarios: the schema, the region's prices and the shapes; every problem of every file at once.

    Of a file with environments each is checked.

    Examples:
      cascade-plan validate my.yaml
      cascade-plan validate scenarios/*.yaml --format json

    Exit status:
      0  All are valid.
      2  One is not.
    """
    if format_ not in VERDICTS:
        known = f"known are {', '.join(VERDICTS)}{did_you_mean(format_, [*VERDICTS])}"
        raise UsageError(f"no format {format_!r} for validate: {known}")
    if not scenarios:
        choice = chosen({})
        complain(choice.taken, "note")
        scenarios = [choice.scenario]
    checked = [each for reference in scenarios for each in _checked(reference)]
    if format_ == "json":
        deliver(_verdicts_json(checked), output)
    else:
        for each in checked:
            suffix = f" ({each.env})" if each.env else ""
            complain("\n".join(f"{line}{suffix}" for line in each.lines))
        deliver("".join(f"{each.called}: valid\n" for each in checked if not each.problems), output)
    return UsageError.exit_code if any(each.problems for each in checked) else 0


@dataclass(frozen=True, slots=True)
class Checked:
    """What is wrong with a scenario, or with one of its environments."""

    reference: str
    env: str | None
    problems: tuple[Problem | str, ...]
    """Where they stand and what is wrong; only what is wrong where there is no place."""

    @property
    def lines(self) -> list[str]:
        """What is wrong, a line each."""
        placed = [problem for problem in self.problems if isinstance(problem, Problem)]
        return listed(placed) or [str(problem) for problem in self.problems]

    @property
    def called(self) -> str:
        """What it is called."""
        return self.reference if self.env is None else f"{self.reference} ({self.env})"


def _checked(reference: str) -> Iterator[Checked]:
    """Yield what is wrong with a scenario, of one with environments for each of them."""
    from cascade_plan.inputs.scenarios import environments_of, read
    from cascade_plan.planning.pipeline import plan

    try:
        found = environments_of(reference) or (None,)
    except UsageError as error:
        yield Checked(reference, None, _problems(error))
        return
    for env in found:
        try:
            given = read(reference, env=env)
            plan(given.scenario, given.book, given.origins)
        except UsageError as error:
            yield Checked(reference, env, _problems(error))
        else:
            yield Checked(reference, env, ())


def _problems(error: UsageError) -> tuple[Problem | str, ...]:
    return tuple(error.problems) if isinstance(error, ScenarioError) else tuple(str(error).splitlines())


def _verdicts_json(checked: Sequence[Checked]) -> str:
    entries = [
        {
            "scenario": each.reference,
            "environment": each.env,
            "valid": not each.problems,
            "problems": [{"message": p} if isinstance(p, str) else asdict(p) for p in each.problems],
        }
        for each in checked
    ]
    document = {"schema_version": 1, "valid": not any(each.problems for each in checked), "scenarios": entries}
    return dump(document)


def schema(which: Which = "scenario", shape: Shape = "json", output: Output = "-") -> int:
    """Print the JSON Schema of a scenario, or of what commands print as JSON and `mcp` answers.

    As markdown it is docs/scenario.md: every field of a scenario for people.

    Examples:
      cascade-plan schema -o cascade-plan.schema.json
      cascade-plan schema plan
      cascade-plan schema --format markdown
    """
    if shape not in SHAPES:
        raise UsageError(
            f"no format {shape!r} for schema: known are {', '.join(SHAPES)}{did_you_mean(shape, [*SHAPES])}"
        )
    deliver(SHAPES[shape](which), output)
    return 0


def _schema_text(which: str) -> str:
    return dump(_schema_of(which))


def _reference(which: str) -> str:
    from cascade_plan.reports.reference import reference

    found = _schema_of(which)
    if which != "scenario":
        raise UsageError(f"--format markdown is for a scenario, not for a {which}")
    return reference(found)


def _schema_of(which: str) -> dict[str, Any]:
    from cascade_plan.model.schemas import SCHEMAS

    if which not in SCHEMAS:
        raise UsageError(f"no schema {which!r}: known are {', '.join(SCHEMAS)}{did_you_mean(which, list(SCHEMAS))}")
    return SCHEMAS[which]()


SHAPES: Final = {"json": _schema_text, "markdown": _reference}
