"""emit-*: what deploys a plan, as files that machines read."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cascade_plan.cli import completing
from cascade_plan.cli.choice import Output, planned, with_choice
from cascade_plan.cli.output import Talk, complain, deliver, note, say
from cascade_plan.errors import UsageError
from cascade_plan.files.assignments import Assignment
from cascade_plan.inputs.choice import Choice
from cascade_plan.model.artefact import Artefact
from cascade_plan.model.plan import Plan

if TYPE_CHECKING:
    from cascade_plan.emitters.directory import Written

With = Annotated[
    str,
    typer.Option(
        "--with",
        metavar="PARTS",
        help="Also emit, comma-separated: namespace, deployment, service, pdb, and what else the scenario has, such as "
        "websocket.",
        autocompletion=completing.parts,
    ),
]
Policy = Annotated[
    str | None,
    typer.Option(
        "--policy",
        metavar="METRICS",
        help="What the HPA reads: cpu, requests, latency, memory, or several joined by +, as simulate names them.  "
        "[default: autoscaling.metrics]",
        autocompletion=completing.metrics,
    ),
]
Only = Annotated[
    str, typer.Option("--only", metavar="FILE", help="Only this file.", autocompletion=completing.files_emitted)
]
Directory = Annotated[str, typer.Option("-o", "--output", metavar="DIR", help="The directory to write into.")]
Destination = Annotated[
    str,
    typer.Option(
        "-o", "--output", metavar="PATH", help="A directory for all files, or a file for --only; - is stdout."
    ),
]
Force = Annotated[
    bool, typer.Option("--force", help="Overwrite files that were changed by hand, or that cascade-plan did not write.")
]
Check = Annotated[
    bool, typer.Option("--check", help="Write nothing; exit 1 when the directory is not what the scenario gives.")
]
Differences = Annotated[
    bool, typer.Option("--diff", help="As --check, and print what would change in each file, as a unified diff.")
]


@with_choice
def emit_k8s(
    choice: Choice, with_: With = "", policy: Policy = None, output: Output = "-", force: Force = False
) -> int:
    """Emit the autoscalers of what runs on Kubernetes, and what else is asked for, as YAML.

    Examples:
      cascade-plan emit-k8s my.yaml > hpa.yaml
      cascade-plan emit-k8s my.yaml --policy requests > hpa.yaml
      cascade-plan emit-k8s my.yaml --with deployment,service | kubectl apply -f -

    Exit status:
      0  The YAML was written.
      2  Nothing was written: the file was changed by hand, or the scenario is wrong.
    """
    from cascade_plan.emitters import directory as emitting
    from cascade_plan.emitters.kubernetes import artefacts as k8s

    parts = [part.strip() for part in with_.split(",") if part.strip()]
    asked = _metrics(policy) if policy is not None else ()
    if asked:
        choice = choice.also(Assignment(f"--policy {policy}", "autoscaling.metrics", f"[{', '.join(asked)}]"))
    plan = planned(choice)
    emitting.serving(plan, k8s.COMMAND)
    for workload in plan.fleet.workloads:
        if unserved := [metric for metric in asked if workload.scaled_by and metric not in workload.scaled_by]:
            raise UsageError(f"--policy {policy}: nothing serves {' and '.join(unserved)}: monitoring is off")
    text = k8s.stream(plan, parts)
    _write_one(Artefact("", text, ""), output, force, k8s.COMMAND)
    _placeholders(plan, text)
    _warn_of_misses(plan)
    return 0


def _metrics(policy: str) -> tuple[str, ...]:
    """Return the metrics that a policy's name stands for. Raises UsageError for one that there is not, or twice."""
    from typing import get_args

    from cascade_plan.errors import did_you_mean
    from cascade_plan.model.scenario import Metric

    known, asked = get_args(Metric), tuple(name.strip() for name in policy.replace(",", "+").split("+"))
    for name in asked:
        if name not in known:
            what = f"known are {', '.join(known)}, and several of them joined by +"
            raise UsageError(f"--policy {policy}: {name!r} is no metric: {what}{did_you_mean(name, list(known))}")
        if asked.count(name) > 1:
            raise UsageError(f"--policy {policy}: names {name} twice")
    return asked


def _warn_of_misses(plan: Plan) -> None:
    """Warn of each service whose HPA would miss its SLO on the scenario's own day, and say what would keep it."""
    if plan.fleet.of("cluster") and any(workload.scaled_by for workload in plan.fleet.workloads):
        from cascade_plan.proving.own_day import misses

        for miss in misses(plan):
            complain(str(miss), "warning")


def _emitting(name: str, help_text: str, examples: str) -> Callable[..., int]:
    """Return the command that emits one emitter's files."""

    def command(choice: Choice, only: Only = "", output: Destination = "-", force: Force = False) -> int:
        from cascade_plan.emitters import directory as emitting

        plan = planned(choice)
        emitted = emitting.emitted(plan, name, only)
        made = emitted.files
        if emitted.left_out:
            complain("\n".join(emitted.left_out), "not emitted")
        if only:
            _write_one(made[0], output, force, name)
        elif output == "-":
            say("".join(f"==> {a.path} <==\n{a.text}\n" for a in made))
        else:
            _write(made, Path(output), force, name)
        return 0

    command.__doc__ = (
        f"{help_text}\n\nWithout -o all files are printed, each below its name.\n\n"
        f"Examples:\n{examples}\n\nExit status:\n  0  The files were written.\n"
        "  2  Nothing was written: a file was changed by hand, or the scenario is wrong."
    )
    command.__name__ = f"emit_{name}"
    decorated: Callable[..., int] = with_choice(command)
    return decorated


emit_cluster = _emitting(
    "cluster",
    "Emit the WebSocket cluster: its nodes, nginx, Redis, and the EKS node groups.",
    "  cascade-plan emit-cluster my.yaml -o cluster/\n"
    "  cascade-plan emit-cluster my.yaml --only nginx.conf > nginx.conf",
)
emit_database = _emitting(
    "database",
    "Emit PostgreSQL's settings, PgBouncer, indexes, queries and tenant isolation.",
    "  cascade-plan emit-database my.yaml -o out/\n"
    "  cascade-plan emit-database my.yaml --only pgbouncer.ini > pgbouncer.ini",
)
emit_monitoring = _emitting(
    "monitoring",
    "Emit Prometheus rules, alerts, the HPA's metric and a Grafana dashboard.",
    "  cascade-plan emit-monitoring my.yaml -o monitoring/",
)
emit_loadtest = _emitting(
    "loadtest",
    "Emit the load test, for Locust and k6, with the scenario's thresholds.",
    "  cascade-plan emit-loadtest my.yaml -o loadtest/",
)
emit_infra = _emitting(
    "infra",
    "Emit Terraform for the database, cache, node groups, load balancer and budget alarm.",
    "  cascade-plan emit-infra my.yaml -o infra/",
)


@with_choice
def emit_all(
    choice: Choice, output: Directory, force: Force = False, check: Check = False, diff: Differences = False
) -> int:
    """Emit everything into a directory, with an index; or check that a directory is up to date.

    Examples:
      cascade-plan emit-all my.yaml -o deploy/
      cascade-plan emit-all my.yaml -o deploy/ --check
      cascade-plan emit-all my.yaml -o deploy/ --diff

    Exit status:
      0  The files were written; with --check or --diff, the directory is what the scenario gives.
      1  With --check or --diff: it is not.
      2  Nothing was written: a file was changed by hand, or the scenario is wrong.
    """
    from cascade_plan.emitters import directory as emitting

    plan = planned(choice)
    made = emitting.everything(plan)
    if check or diff:
        return _checked(made.files, Path(output), diff)
    _write(made.files, Path(output), force, "all")
    complain("\n".join(made.left_out), "not emitted")
    _placeholders(plan, "".join(artefact.text for artefact in made.files))
    _warn_of_misses(plan)
    return 0


def _checked(made: tuple[Artefact, ...], directory: Path, diff: bool) -> int:
    """Return 0 where a directory is what would be emitted, else 1, after saying what differs and what to run."""
    from cascade_plan.emitters import directory as emitting

    present, known = _present_of(made, directory), _record(directory)
    left_over = _left_over(made, known, directory, "all")
    edited = emitting.edited(made, present, known)
    lines = [f"{line}, edited by hand" if line.partition(": ")[2] in edited else line
             for line in emitting.drift(made, present)]  # fmt: skip
    if diff:
        deliver(emitting.differences(made, present, str(directory)), "-")
    if not (lines or left_over):
        return 0
    complain("\n".join([*lines, *(f"no longer emitted: {path}" for path in left_over)]), "")
    complain(f"{directory} is not what the scenario gives: run `{_command_line()}`")
    if edited:
        complain(f"--force overwrites what was edited by hand: {', '.join(edited)}")
    return 1


def _command_line() -> str:
    """Return the command line that was given, quoted for a shell, as the one that writes."""
    return shlex.join(["cascade-plan", *(word for word in Talk.arguments if word not in ("--check", "--diff"))])


def _placeholders(plan: Plan, text: str) -> None:
    """Warn of images in what was emitted that nobody has named."""
    for workload in plan.fleet.workloads:
        if workload.is_unnamed and workload.image in text:
            complain(
                f"the image {workload.image} is a placeholder: --set tiers.{workload.tier}.image=... names yours",
                "warning",
            )


def _write_one(artefact: Artefact, destination: str, force: bool, command: str) -> None:
    """Write one file, or stdout for "-". A file is kept as those of a directory are: the record stands beside it."""
    path = Path(destination)
    if destination == "-" or (path.exists() and not path.is_file()):
        deliver(artefact.text, destination)
        return
    if not path.parent.is_dir():
        raise UsageError(f"cannot write {destination!r}: there is no directory {str(path.parent)!r}")
    _write((replace(artefact, path=path.name),), path.parent, force, command)


def _write(made: tuple[Artefact, ...], directory: Path, force: bool, command: str) -> None:
    """Write artefacts into a directory, the record of them last, and say on stderr what was written.

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
    changed = [artefact for artefact in made if present[artefact.path] != artefact.text]
    for count, artefact in enumerate(changed, 1):
        path = directory / artefact.path
        _make_directory(path.parent)
        write_atomically(path, artefact.text)
        Talk.written = (f"{count} of {len(changed)} files in {directory}",)
    for artefact in made:
        if artefact.executable:
            path = directory / artefact.path
            path.chmod(path.stat().st_mode | 0o111)
    write_atomically(directory / emitting.RECORD, emitting.record(made, known, command))
    if len(made) > 1:
        for name in _left_over(made, known, directory, command):
            complain(f"{directory / name} is no longer emitted; remove it", "warning")
    note(_said(made, len(changed), directory))


def _said(made: tuple[Artefact, ...], changed_count: int, directory: Path) -> str:
    """Return what was written, and what to begin with: the index, the only file to run, or what is applied first."""
    from cascade_plan.emitters import directory as emitting

    if len(made) == 1:
        path = directory / made[0].path
        return f"wrote {path}" if changed_count else f"{path} is up to date"
    indexes = [artefact for artefact in made if artefact.path == emitting.INDEX]
    run = [artefact for artefact in made if artefact.executable]
    first = (indexes or (run if len(run) == 1 else made))[0]
    of_all = "" if changed_count == len(made) else f" of {len(made)}"
    wrote = f"wrote {changed_count}{of_all} files to {directory}/" if changed_count else f"{directory}/ is up to date"
    return f"{wrote}; start with {directory / first.path}"


def _left_over(made: tuple[Artefact, ...], known: Mapping[str, Written], directory: Path, command: str) -> list[str]:
    """Return the files that were written once, are there, and would not be written now."""
    mine = {path for path, written in known.items() if written.command == command}
    gone = mine - {artefact.path for artefact in made}
    return sorted(path for path in gone if (directory / path).exists())


def _present_of(made: tuple[Artefact, ...], directory: Path) -> dict[str, str | None]:
    return {artefact.path: _present(directory / artefact.path) for artefact in made}


def _record(directory: Path) -> Mapping[str, Written]:
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
