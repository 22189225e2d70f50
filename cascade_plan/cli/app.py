"""The application: which commands there are, and what happens when one fails."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from typing import Annotated, Any, Final, NamedTuple

import typer
from typer.core import TyperGroup

from cascade_plan import __version__
from cascade_plan.cli.output import Color, complain, say
from cascade_plan.errors import CascadePlanError, UsageError, did_you_mean

NEW_ISSUE: Final = "this is a bug of cascade-plan: please report it with the command line and what --debug prints"
CONTEXT: Final = {"help_option_names": ["-h", "--help"]}


class Entry(NamedTuple):
    """Where a command lives; its help is its function's docstring."""

    module: str
    function: str


COMMANDS: Final = {
    "size": Entry("planning", "size"),
    "report": Entry("planning", "report"),
    "check": Entry("planning", "check"),
    "explain": Entry("reasoning", "explain"),
    "diff": Entry("reasoning", "diff"),
    "simulate": Entry("simulating", "simulate"),
    "emit-k8s": Entry("emitting", "emit_k8s"),
    "emit-cluster": Entry("emitting", "emit_cluster"),
    "emit-database": Entry("emitting", "emit_database"),
    "emit-monitoring": Entry("emitting", "emit_monitoring"),
    "emit-loadtest": Entry("emitting", "emit_loadtest"),
    "emit-infra": Entry("emitting", "emit_infra"),
    "emit-all": Entry("emitting", "emit_all"),
    "verify": Entry("verifying", "verify"),
    "prices": Entry("prices", "app"),
    "init": Entry("scenarios", "init"),
    "validate": Entry("scenarios", "validate"),
    "schema": Entry("scenarios", "schema"),
}


class LazyGroup(TyperGroup):
    """The command group. A command's module is imported when the command is called, or for the list of all."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the commands' names in the order of a plan's life."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command of that name. Raises UsageError with a suggestion when there is none."""
        if (entry := COMMANDS.get(cmd_name)) is None:
            known = list(COMMANDS)
            raise UsageError(f"no command {cmd_name!r}: commands are {', '.join(known)}{did_you_mean(cmd_name, known)}")
        target = getattr(import_module(f"cascade_plan.cli.{entry.module}"), entry.function)
        if isinstance(target, typer.Typer):
            return typer.main.get_command(target)
        return typer.main.get_command(_single(cmd_name, target))


def _single(name: str, function: Callable[..., Any]) -> typer.Typer:
    alone = typer.Typer(add_completion=False, rich_markup_mode=None, context_settings=CONTEXT)
    alone.command(name)(function)
    return alone


def _version(wanted: bool) -> None:
    if wanted:
        say(f"cascade-plan {__version__}")
        raise typer.Exit


app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=CONTEXT,
)


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", envvar="CASCADE_PLAN_DEBUG", help="Show the trace of a failure.")
    ] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="Plain text, also on a terminal.")] = False,
) -> None:
    """Size, price and judge a platform from its users, and emit what deploys it."""
    if debug:
        os.environ["CASCADE_PLAN_DEBUG"] = "1"
    if no_color:
        Color.wanted = False


def run(arguments: list[str]) -> int:
    """Return the exit status of a command line, after printing its result or its one message."""
    try:
        command = typer.main.get_command(app)
        return int(command(arguments, prog_name="cascade-plan", standalone_mode=False) or 0)
    except CascadePlanError as error:
        return _failed(error, str(error), error.exit_code)
    except typer.Abort:
        return _failed(None, "interrupted", 130)
    except KeyboardInterrupt:
        return _failed(None, "interrupted", 130)
    except Exception as error:
        return _other_failure(error)


def _other_failure(error: Exception) -> int:
    # BadParameter's bases are the same classes in every version of typer, whether click is a package or vendored.
    if isinstance(error, typer.BadParameter.__mro__[2]):
        hint = getattr(error, "ctx", None)
        text = error.format_message()  # type: ignore[attr-defined]
        if text.startswith("Usage:"):
            say(text)
            return 2
        return _failed(error, text + (f"\nTry '{hint.command_path} --help'." if hint else ""), 2)
    return _failed(error, f"{type(error).__name__}: {error}\n{NEW_ISSUE}", 70)


def _failed(error: Exception | None, message: str, status: int) -> int:
    if error is not None and os.environ.get("CASCADE_PLAN_DEBUG"):
        import traceback

        traceback.print_exception(error)
    complain(message, "" if error is None else "error")
    return status
