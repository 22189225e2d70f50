"""The application: which commands there are, and what happens when one fails."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Annotated, Any, Final, NamedTuple

import typer

from cascade_plan import __version__
from cascade_plan.cli.described import CONTEXT, Described, DescribedGroup
from cascade_plan.cli.output import Color, Talk, complain, say
from cascade_plan.errors import CascadePlanError, UsageError, did_you_mean

NEW_ISSUE: Final = "this is a bug of cascade-plan: please report it with the command line and what --debug prints"
FORMATS: Final = ("json", "csv", "yaml", "html", "markdown")
"""Names of formats that somebody may ask for as if they were options."""
COMPLETING: Final = "_CASCADE_PLAN_COMPLETE"
"""What a shell sets that asks for completions."""


class Entry(NamedTuple):
    """Where a command lives, and under which heading help lists it; its help is its function's docstring."""

    group: str
    module: str
    function: str


COMMANDS: Final = {
    "size": Entry("Plan", "planning", "size"),
    "report": Entry("Plan", "planning", "report"),
    "explain": Entry("Plan", "reasoning", "explain"),
    "diff": Entry("Plan", "reasoning", "diff"),
    "chart": Entry("Plan", "charting", "chart"),
    "optimize": Entry("Choose", "optimizing", "optimize"),
    "risk": Entry("Choose", "risking", "risk"),
    "forecast": Entry("Choose", "forecasting", "forecast"),
    "portfolio": Entry("Choose", "portfolio", "portfolio"),
    "explore": Entry("Choose", "exploring", "explore"),
    "simulate": Entry("Prove", "simulating", "simulate"),
    "check": Entry("Prove", "planning", "check"),
    "comment": Entry("Prove", "commenting", "comment"),
    "emit-k8s": Entry("Deploy", "emitting", "emit_k8s"),
    "emit-cluster": Entry("Deploy", "emitting", "emit_cluster"),
    "emit-database": Entry("Deploy", "emitting", "emit_database"),
    "emit-monitoring": Entry("Deploy", "emitting", "emit_monitoring"),
    "emit-loadtest": Entry("Deploy", "emitting", "emit_loadtest"),
    "emit-infra": Entry("Deploy", "emitting", "emit_infra"),
    "emit-all": Entry("Deploy", "emitting", "emit_all"),
    "verify": Entry("Measure", "verifying", "verify"),
    "calibrate": Entry("Measure", "calibrating", "calibrate"),
    "measure": Entry("Measure", "measuring", "measure"),
    "actuals": Entry("Measure", "accounting", "actuals"),
    "prices": Entry("Prices", "prices", "app"),
    "mcp": Entry("Ask", "assisting", "mcp"),
    "init": Entry("Scenarios", "scenarios", "init"),
    "validate": Entry("Scenarios", "scenarios", "validate"),
    "schema": Entry("Scenarios", "scenarios", "schema"),
    "help": Entry("Help", "helping", "help_"),
    "version": Entry("Help", "helping", "version"),
}
GROUPS: Final = ("Plan", "Choose", "Prove", "Deploy", "Measure", "Prices", "Ask", "Scenarios", "Help")


class LazyGroup(DescribedGroup):
    """The command group. A command's module is imported when the command is called, or for the list of all."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the commands' names in the order of a plan's life."""
        return [name for names in self.groups().values() for name in names]

    def groups(self) -> Mapping[str, Sequence[str]]:
        """Return heading -> the commands under it, for headings that have some."""
        found = {group: [name for name, entry in COMMANDS.items() if entry.group == group] for group in GROUPS}
        return {group: names for group, names in found.items() if names}

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command of that name. Raises UsageError with a suggestion when there is none."""
        if (entry := COMMANDS.get(cmd_name)) is None:
            near = did_you_mean(cmd_name, list(COMMANDS))
            raise UsageError(f"no command {cmd_name!r}{near or '; `cascade-plan help` lists them'}")
        target = getattr(import_module(f"cascade_plan.cli.{entry.module}"), entry.function)
        if isinstance(target, typer.Typer):
            return typer.main.get_command(target)
        return typer.main.get_command(_single(cmd_name, target))

    def invoke(self, ctx: Any) -> Any:
        """Run the command. Raises CascadePlanError when it is interrupted."""
        # The library below turns an interruption into a bare exit status: it would pass without a word.
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise StoppedError from None


class StoppedError(CascadePlanError):
    """The user stopped the command. The message says what it had written."""

    exit_code = 130

    def __str__(self) -> str:
        written = ", ".join(Talk.written)
        return f"interrupted; written before: {written}" if written else "interrupted; nothing was written"


def _single(name: str, function: Callable[..., Any]) -> typer.Typer:
    alone = typer.Typer(add_completion=False, rich_markup_mode=None, context_settings=CONTEXT)
    alone.command(name, cls=Described)(function)
    return alone


def _version(ctx: typer.Context, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        say(f"cascade-plan {__version__}")
        raise typer.Exit


def _quiet(wanted: bool) -> None:
    Talk.quiet = Talk.quiet or wanted


def _verbose(wanted: bool) -> None:
    Talk.verbose = Talk.verbose or wanted


def _debug(wanted: bool) -> None:
    if wanted:
        os.environ["CASCADE_PLAN_DEBUG"] = "1"


def _no_color(wanted: bool) -> None:
    Color.wanted = Color.wanted and not wanted


app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=CONTEXT,
)


def _flag(*names: str, act: Callable[..., None], text: str, **extra: Any) -> Any:
    """Return the annotation of a flag that acts by itself, wherever in the command line it stands."""
    return Annotated[bool, typer.Option(*names, callback=act, is_eager=True, expose_value=False, help=text, **extra)]


@app.callback()
def root(
    version: _flag("-V", "--version", act=_version, text="Print the version and leave.") = False,  # type: ignore[valid-type]
    quiet: _flag(  # type: ignore[valid-type]
        "-q", "--quiet", act=_quiet, text="Write no notes and no warnings to stderr; errors stay."
    ) = False,
    verbose: _flag(  # type: ignore[valid-type]
        "-v", "--verbose", act=_verbose, text="Say on stderr where scenario and prices were read from."
    ) = False,
    no_color: _flag("--no-color", act=_no_color, text="Plain text, also on a terminal.") = False,  # type: ignore[valid-type]
    debug: _flag(  # type: ignore[valid-type]
        "--debug", act=_debug, text="Show the trace of a failure.", envvar="CASCADE_PLAN_DEBUG"
    ) = False,
) -> None:
    """Size, price and judge a platform from its users, and emit what deploys it.

    A scenario says how many users there are, what they do, and what the system is made of; a command takes a file or
    the name of a bundled one. stdout carries the answer alone; notes and warnings go to stderr.

    Examples:
      cascade-plan init my.yaml                    write a scenario to start from
      cascade-plan size my.yaml                    size it, price it, judge it
      cascade-plan explain api.node_count my.yaml  say why
      cascade-plan emit-all my.yaml -o deploy/     write what deploys it
    """


def run(arguments: list[str]) -> int:
    """Return the exit status of a command line, after printing its result or its one message.

    A shell that asks for completions gets them, or nothing: it has no place for a message.
    """
    Talk.begin(arguments)
    try:
        command = typer.main.get_command(app)
        return int(command(arguments, prog_name="cascade-plan", standalone_mode=False) or 0)
    except CascadePlanError as error:
        return 1 if COMPLETING in os.environ else _failed(error, str(error), error.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        return _failed(StoppedError(), str(StoppedError()), StoppedError.exit_code)
    except Exception as error:
        return 1 if COMPLETING in os.environ else _other_failure(error)


def _other_failure(error: Exception) -> int:
    # BadParameter's bases are the same classes in every version of typer, whether click is a package or vendored.
    if isinstance(error, typer.BadParameter.__mro__[2]):
        text = error.format_message()  # type: ignore[attr-defined]
        if text.startswith("Usage:"):
            say(text)
            return 2
        ctx = getattr(error, "ctx", None)
        status = _failed(error, _no_such_option(error, ctx) or text, 2)
        if ctx is not None:
            complain(f"Try '{ctx.command_path} --help'.", "")
        return status
    return _failed(error, f"{type(error).__name__}: {error}\n{NEW_ISSUE}", 70)


def _no_such_option(error: Any, ctx: Any) -> str:
    """Return what to say of an option that a command has not, with the one that is meant; "" for another mistake."""
    if (name := getattr(error, "option_name", None)) is None or ctx is None or not hasattr(error, "possibilities"):
        return ""
    options = {flag: param for param in ctx.command.get_params(ctx) for flag in getattr(param, "opts", ())}
    word = {"md": "markdown"}.get(name.strip("-"), name.strip("-"))
    if "--format" in options and word in (item.value for item in options["--format"].shell_complete(ctx, word)):
        return f"no option {name}: use --format {word}"
    if name == "-f" and "--format" in options:
        return "no option -f: --format chooses the format"
    flags = [flag for flag in options if flag.startswith("--")]
    is_guessed = name.startswith("--") and word not in FORMATS
    return f"no option {name}{did_you_mean(name, flags) if is_guessed else ''}"


def _failed(error: Exception | None, message: str, status: int) -> int:
    if status == StoppedError.exit_code:
        complain(message, "")
        return status
    if error is not None and os.environ.get("CASCADE_PLAN_DEBUG"):
        import traceback

        traceback.print_exception(error)
    complain(message)
    return status
