"""init, validate and schema: writing a scenario with help."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from cascade_plan.cli.choice import Output
from cascade_plan.cli.output import complain, deliver, say
from cascade_plan.errors import UsageError, did_you_mean

SCHEMA_FILE = "cascade-plan.schema.json"

Force = Annotated[bool, typer.Option("--force", help="Overwrite what is there.")]
Files = Annotated[list[str], typer.Argument(metavar="SCENARIO...", help="Files, or names of bundled scenarios.")]
Which = Annotated[str, typer.Argument(metavar="NAME", help="scenario or plan: what the schema describes.")]
Start = Annotated[str, typer.Option("--from", metavar="NAME", help="The bundled scenario to start from.")]
Target = Annotated[str, typer.Argument(metavar="FILE", help="Where to write.")]


def init(file: Target = "scenario.yaml", start: Start = "cascade", force: Force = False) -> int:
    """Write a scenario to start from, and the schema that lets an editor complete it."""
    from cascade_plan.files.disk import write_atomically
    from cascade_plan.inputs.scenarios import scenario_text

    target = Path(file)
    schema = target.parent / SCHEMA_FILE
    text, _ = scenario_text(start)
    if target.exists() and not force:
        raise UsageError(f"{file} exists: choose another name, or overwrite it with --force")
    write_atomically(schema, _schema_text("scenario"))
    write_atomically(target, f"# yaml-language-server: $schema={SCHEMA_FILE}\n{text}")
    say(f"wrote {target} and {schema}\nnext: cascade-plan size {target}")
    return 0


def validate(scenarios: Files) -> int:
    """Check scenarios: the schema, the region's prices and the shapes; every problem of every file at once."""
    from cascade_plan.inputs.scenarios import read
    from cascade_plan.planning.pipeline import plan

    failed = 0
    for reference in scenarios:
        try:
            given = read(reference)
            plan(given.scenario, given.book, given.origins)
        except UsageError as error:
            failed += 1
            complain(str(error))
        else:
            say(f"{reference}: valid")
    return UsageError.exit_code if failed else 0


def schema(which: Which = "scenario", output: Output = "-") -> int:
    """Print the JSON Schema of a scenario, or of the plan that `size --format json` prints."""
    deliver(_schema_text(which), output)
    return 0


def _schema_text(which: str) -> str:
    from cascade_plan.model.schemas import SCHEMAS

    if which not in SCHEMAS:
        raise UsageError(f"no schema {which!r}: known are {', '.join(SCHEMAS)}{did_you_mean(which, list(SCHEMAS))}")
    return json.dumps(SCHEMAS[which](), indent=2, ensure_ascii=False) + "\n"
