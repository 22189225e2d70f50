"""init, validate and schema: writing a scenario with help."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cascade_plan.cli.choice import Output
from cascade_plan.cli.output import complain, deliver, say
from cascade_plan.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from cascade_plan.inputs.starting import Answers

Force = Annotated[bool, typer.Option("--force", help="Overwrite what is there.")]
Files = Annotated[list[str], typer.Argument(metavar="SCENARIO...", help="Files, or names of bundled scenarios.")]
Which = Annotated[str, typer.Argument(metavar="NAME", help="scenario or plan: what the schema describes.")]
Shape = Annotated[str, typer.Option("--format", metavar="NAME", help="json or markdown.")]
Example = Annotated[
    str | None, typer.Option("--example", metavar="NAME", help="Write this bundled scenario instead of asking.")
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
Region = Annotated[str | None, typer.Option("--region", metavar="REGION", help="Region of the cloud.")]


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
    write_atomically(schema_file, _schema_text("scenario"))
    write_atomically(target, text)
    say(f"wrote {target} and {schema_file}\nnext: cascade-plan size {target}")
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


def validate(scenarios: Files) -> int:
    """Check scenarios: the schema, the region's prices and the shapes; every problem of every file at once.

    Of a file with environments each is checked.
    """
    from cascade_plan.inputs.scenarios import environments_of

    failed = 0
    for reference in scenarios:
        try:
            found = environments_of(reference)
        except UsageError as error:
            complain(str(error))
            failed += 1
        else:
            failed += sum(not _is_valid(reference, env) for env in found or (None,))
    return UsageError.exit_code if failed else 0


def _is_valid(reference: str, env: str | None) -> bool:
    """Say what is wrong with a scenario or one of its environments, or that it is valid, and return whether it is."""
    from cascade_plan.inputs.scenarios import read
    from cascade_plan.planning.pipeline import plan

    called = reference if env is None else f"{reference} ({env})"
    try:
        given = read(reference, env=env)
        plan(given.scenario, given.book, given.origins)
    except UsageError as error:
        complain(str(error) if env is None else "\n".join(f"{line} ({env})" for line in str(error).splitlines()))
        return False
    say(f"{called}: valid")
    return True


def schema(which: Which = "scenario", shape: Shape = "json", output: Output = "-") -> int:
    """Print the JSON Schema of a scenario, or of the plan that `size --format json` prints.

    As markdown it is docs/scenario.md: every field of a scenario for people.
    """
    if shape not in SHAPES:
        raise UsageError(
            f"no format {shape!r} for schema: known are {', '.join(SHAPES)}{did_you_mean(shape, [*SHAPES])}"
        )
    deliver(SHAPES[shape](which), output)
    return 0


def _schema_text(which: str) -> str:
    return json.dumps(_schema_of(which), indent=2, ensure_ascii=False) + "\n"


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
