"""measure: short measurements on one's own servers, as values for a scenario."""

from __future__ import annotations

import inspect
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cascade_plan import registry
from cascade_plan.cli.choice import Output, next_with, with_choice
from cascade_plan.cli.files import before_of
from cascade_plan.cli.output import complain, deliver, note, width
from cascade_plan.errors import UsageError
from cascade_plan.evidence.servers import FOLDER, Limits, measured, named
from cascade_plan.inputs.choice import Choice

if TYPE_CHECKING:
    from cascade_plan.evidence.servers import Found, Server

Seconds = Annotated[
    float, typer.Option("--seconds", min=0.1, max=60, metavar="SECONDS", help="How long each server is asked at most.")
]
ExplainOnly = Annotated[
    bool,
    typer.Option(
        "--explain-only",
        help="Create nothing: PostgreSQL is asked by SELECT and EXPLAIN, without write and commit times.",
    ),
]
BusyOk = Annotated[
    bool, typer.Option("--busy-ok", help="Measure also where others are at work: their load is in the values then.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print what would be run, and connect to nothing.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask; without a terminal to ask on it is needed.")]


def _with_servers(command: Callable[..., int]) -> Callable[..., int]:
    """Return a command whose `addresses` come from an option for each kind of server there is."""
    own = inspect.signature(command, eval_str=True).parameters
    kinds = {name: registry.load(FOLDER, name) for name in registry.names(FOLDER)}
    options = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            annotation=Annotated[
                list[str] | None,
                typer.Option(f"--{name}", metavar=f"[NAME=]{kind.METAVAR}", help=f"{kind.HELP} Repeatable."),
            ],
            default=None,
        )
        for name, kind in kinds.items()
    ]

    def called(choice: Choice, **arguments: Any) -> int:
        given = {name: arguments.pop(name) or [] for name in kinds}
        return command(choice, given, **arguments)

    others = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for name, each in own.items() if name != "addresses"]
    called.__signature__ = inspect.Signature([*options, *others])  # type: ignore[attr-defined]
    called.__doc__, called.__name__ = command.__doc__, command.__name__
    return called


@with_choice
@_with_servers
def measure(
    choice: Choice,
    addresses: dict[str, list[str]],
    seconds: Seconds = 2.0,
    explain_only: ExplainOnly = False,
    busy_ok: BusyOk = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    output: Output = "-",
) -> int:
    """Measure your own Redis, PostgreSQL and load balancer, and write what a scenario takes in place of assumptions.

    It says first what it will run, how often and how long at most. Run it from where the service runs: the round trip
    is a part of what is measured. NAME is the tier that a server is; without it, the first of its kind.

    Examples:
      cascade-plan measure my.yaml --redis redis://cache:6379 --dry-run
      cascade-plan measure --redis redis://cache:6379 -o calibration.yaml
      cascade-plan measure --postgres postgresql://me@db/app --explain-only --yes
      cascade-plan measure --http https://example.com/healthz

    Exit status:
      0  It is measured.
      2  A server is not idle, or the command line is wrong; nothing was measured.
      5  A server cannot be reached, refuses the user, or failed.
    """
    from cascade_plan.evidence.writing import written

    scenario = choice.read().scenario
    limits = Limits(seconds, creates=not explain_only)
    kinds = {name: registry.load(FOLDER, name) for name in addresses}
    servers = [named(name, kinds[name], given, scenario) for name, all_of in addresses.items() for given in all_of]
    if not servers:
        raise UsageError(f"name a server to measure: {', '.join(f'--{name} {kinds[name].METAVAR}' for name in kinds)}")
    if len({server.tier for server in servers}) < len(servers):
        raise UsageError("two servers are the same tier of the scenario: write NAME= before each, such as sessions=...")
    before = None if dry_run else before_of(output, scenario.name)
    plan = "\n".join(_planned(servers, limits))
    if dry_run:
        deliver(plan + "\n", output)
        return 0
    # Whoever is asked is told what about, also where it is to be quiet.
    complain(plan, "") if not yes else note(plan)
    _confirm(yes)
    with _terminated():
        found = _found(servers, limits, busy_ok)
    for server, each in zip(servers, found, strict=True):
        note("\n".join(_told(server, each)))
    file = written(measured(scenario.name, servers, found, before))
    deliver(file, output, next_with(choice, output))
    return 0


def _confirm(is_said: bool) -> None:
    """Ask whether to go on. Raises UsageError where nobody can be asked and nothing is said, Abort for a no."""
    if is_said:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("say --yes to run this, or --dry-run to see it alone: there is no terminal to ask on")
    # typer.confirm ends its question on stdout, which is for data.
    sys.stderr.write("Run this? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise typer.Abort


@contextmanager
def _terminated() -> Iterator[None]:
    """Clear away also when the process is told to end, as on Ctrl-C."""

    def stop(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _found(servers: Sequence[Server], limits: Limits, busy_ok: bool) -> list[Found]:
    """Return what each server told. Raises UsageError, before anything is measured, when one is not idle."""
    with ExitStack() as stack:
        opened = [
            stack.enter_context(registry.load(FOLDER, each.kind).opened(each.address, limits)) for each in servers
        ]
        seen = [session.seen() for session in opened]
        for server, each in zip(servers, seen, strict=True):
            note(f"{server.tier}: {each.words}")
        busy = [server.tier for server, each in zip(servers, seen, strict=True) if not each.is_idle]
        if busy and not busy_ok:
            raise UsageError(
                f"not idle: {', '.join(busy)}; nothing was measured. Come back when nobody is at work, or say --busy-ok"
            )
        if busy:
            complain(f"not idle: {', '.join(busy)}; the load of others is in what is measured", "warning")
        return [session.found() for session in opened]


def _planned(servers: Sequence[Server], limits: Limits) -> Iterator[str]:
    """Yield lines that say what will be run: how often at most, how long at most, what, and what it tells."""
    for server in servers:
        yield from _folded(f"{server.tier} at {server.shown}: at most {limits.seconds:g} s beside a look at it", "")
        for step in registry.load(FOLDER, server.kind).steps(server.address, limits):
            often = f"{step.most:,} x"
            long = f"{step.seconds:.1f} s" if step.seconds else ""
            yield from _folded(f"{step.runs}: {step.tells}", f"{often:>9} {long:>6}  ")


def _told(server: Server, found: Found) -> Iterator[str]:
    """Yield lines that say what was found: values with their intervals, how they lie, and what is not known."""
    yield from _folded(f"{server.tier}: {found.server}", "")
    for each in found.readings:
        yield from _folded(
            f"{each.value:.3g} ({each.low:.3g} to {each.high:.3g})" + (f"; {each.spread}" if each.spread else ""),
            f"  {each.name:<22} ",
        )
    for name, why in found.unknown.items():
        yield from _folded(f"not known: {why}", f"  {name:<22} ")
    for text in found.notes:
        yield from _folded(text, "  ")


def _folded(text: str, first: str) -> list[str]:
    from textwrap import wrap

    return wrap(text, width(), initial_indent=first, subsequent_indent=" " * len(first) or "  ")
