"""emit-*: what deploys a plan, as files that machines read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

import typer

from cascade_plan.cli.choice import Output, planned, with_choice
from cascade_plan.cli.output import complain, deliver
from cascade_plan.errors import UsageError
from cascade_plan.inputs.choice import Choice
from cascade_plan.model.artefact import Artefact

With = Annotated[
    str,
    typer.Option(
        "--with",
        metavar="PARTS",
        help="Also emit, comma-separated: namespace, deployment, service, pdb, and what else the scenario has, such as "
        "websocket.",
    ),
]
Only = Annotated[str, typer.Option("--only", metavar="FILE", help="Only this file.")]
Directory = Annotated[str, typer.Option("-o", "--output", metavar="DIR", help="The directory to write into.")]
Destination = Annotated[
    str,
    typer.Option(
        "-o", "--output", metavar="PATH", help="A directory for all files, or a file for --only; - is stdout."
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite files that were changed by hand.")]
Check = Annotated[
    bool, typer.Option("--check", help="Write nothing; exit 1 when the directory is not what the scenario gives.")
]


@with_choice
def emit_k8s(choice: Choice, with_: With = "", output: Output = "-") -> int:
    """Emit the autoscalers of what runs on Kubernetes, and what else is asked for, as YAML."""
    from cascade_plan.emitters import directory as emitting
    from cascade_plan.emitters.kubernetes import artefacts as k8s

    parts, plan = [part.strip() for part in with_.split(",") if part.strip()], planned(choice)
    emitting.serving(plan, k8s.COMMAND)
    deliver(k8s.stream(plan, parts), output)
    return 0


def _emitting(name: str, help_text: str) -> Callable[..., int]:
    """Return the command that emits one emitter's files."""

    def command(choice: Choice, only: Only = "", output: Destination = "-", force: Force = False) -> int:
        from cascade_plan.emitters import directory as emitting

        plan = planned(choice)
        emitted = emitting.emitted(plan, name, only)
        made = emitted.files
        if emitted.left_out:
            complain("\n".join(emitted.left_out), "not emitted")
        if output == "-":
            deliver(made[0].text if only else "".join(f"==> {a.path} <==\n{a.text}\n" for a in made), "-")
        elif only:
            deliver(made[0].text, output)
        else:
            _write(made, Path(output), force)
        return 0

    command.__doc__, command.__name__ = help_text, f"emit_{name}"
    decorated: Callable[..., int] = with_choice(command)
    return decorated


emit_cluster = _emitting("cluster", "Emit the WebSocket cluster: its nodes, nginx, Redis, and the EKS node groups.")
emit_database = _emitting("database", "Emit PostgreSQL's settings, PgBouncer, indexes, queries and tenant isolation.")
emit_monitoring = _emitting("monitoring", "Emit Prometheus rules, alerts, the HPA's metric and a Grafana dashboard.")
emit_loadtest = _emitting("loadtest", "Emit the load test, for Locust and k6, with the scenario's thresholds.")
emit_infra = _emitting("infra", "Emit Terraform for the database, cache, node groups, load balancer and budget alarm.")


@with_choice
def emit_all(choice: Choice, output: Directory, force: Force = False, check: Check = False) -> int:
    """Emit everything into a directory, with an index; or check that a directory is up to date."""
    from cascade_plan.emitters import directory as emitting

    made = emitting.everything(planned(choice))
    if not check:
        _write(made.files, Path(output), force)
        complain("\n".join(made.left_out), "not emitted")
        return 0
    if drift := _drift(made.files, Path(output)):
        complain("\n".join(drift), "")
        complain(f"{output} is not what the scenario gives: run `cascade-plan emit-all -o {output}`", "error")
        return 1
    return 0


def _write(made: tuple[Artefact, ...], directory: Path, force: bool) -> None:
    """Write artefacts into a directory, the record of them last.

    Raises UsageError, having written nothing, when a file there is not as it was last written and not `force`.
    """
    from cascade_plan.emitters import directory as emitting
    from cascade_plan.files.disk import write_atomically

    known, present = _record(directory), _present_of(made, directory)
    edited = emitting.edited(made, present, known)
    if edited and not force:
        raise UsageError(
            f"{directory}: changed since they were written, or not written by cascade-plan: {', '.join(edited)}; "
            "nothing was written (--force overwrites them)"
        )
    for artefact in made:
        path = directory / artefact.path
        _make_directory(path.parent)
        if present[artefact.path] != artefact.text:
            write_atomically(path, artefact.text)
        if artefact.executable:
            path.chmod(path.stat().st_mode | 0o111)
    write_atomically(directory / emitting.RECORD, emitting.record(made, known))
    for name in _left_over(made, known, directory):
        complain(f"{directory / name} is no longer emitted; remove it", "warning")


def _drift(made: tuple[Artefact, ...], directory: Path) -> list[str]:
    """Return how a directory differs from what would be emitted, a line for each file."""
    from cascade_plan.emitters import directory as emitting

    left_over = _left_over(made, _record(directory), directory)
    return emitting.drift(made, _present_of(made, directory)) + [f"no longer emitted: {path}" for path in left_over]


def _left_over(made: tuple[Artefact, ...], known: Mapping[str, str], directory: Path) -> list[str]:
    """Return the files that were written once, are there, and would not be written now."""
    gone = known.keys() - {artefact.path for artefact in made}
    return sorted(path for path in gone if (directory / path).exists())


def _present_of(made: tuple[Artefact, ...], directory: Path) -> dict[str, str | None]:
    return {artefact.path: _present(directory / artefact.path) for artefact in made}


def _record(directory: Path) -> Mapping[str, str]:
    from cascade_plan.emitters import directory as emitting

    text = _present(directory / emitting.RECORD)
    return {} if text is None else emitting.recorded(text)


def _present(path: Path) -> str | None:
    """Return a file's text, or None when there is none. What is no text counts as text that nobody wrote."""
    if not path.exists():
        return None
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return "\0"


def _make_directory(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise UsageError(f"{path} is no directory: all files go into one, or choose a file with --only") from None
    except OSError as error:
        raise UsageError(f"cannot make the directory {path}: {error.strerror}") from None
