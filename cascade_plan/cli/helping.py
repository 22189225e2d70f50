"""help and version: what the program says of itself."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from cascade_plan import __version__
from cascade_plan.cli import completing
from cascade_plan.cli.choice import Output, values_option
from cascade_plan.cli.output import deliver, say
from cascade_plan.errors import UsageError, did_you_mean

Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="COMMAND", help="The command, such as size or prices update.", autocompletion=completing.commands
    ),
]
FORMATS: Final = ("text", "man")
Format = Annotated[str, values_option("--format", FORMATS, "text, or man: the manual page of all commands.")]


def help_(ctx: typer.Context, command: Words = None, format_: Format = "text", output: Output = "-") -> int:
    """Print the help of a command, or of the program.

    Examples:
      cascade-plan help emit-k8s
      cascade-plan help prices update
      cascade-plan help --format man -o cascade-plan.1
    """
    if format_ not in FORMATS:
        raise UsageError(f"no format {format_!r} for help: known are text, man{did_you_mean(format_, [*FORMATS])}")
    if format_ == "man" and command:
        raise UsageError("--format man is the manual of all commands: leave the command out")
    if format_ == "man":
        from cascade_plan.cli.manual import manual

        deliver(manual(ctx.find_root()), output)
        return 0
    deliver(_found(ctx.find_root(), command or ()).get_help() + "\n", output)
    return 0


def version() -> int:
    """Print the version, as --version does."""
    say(f"cascade-plan {__version__}")
    return 0


def _found(ctx: Any, words: Any) -> Any:
    """Return the context of the command that words name, below another one. Raises UsageError when there is none."""
    for word in words:
        names = ctx.command.list_commands(ctx) if hasattr(ctx.command, "list_commands") else []
        if not names:
            raise UsageError(f"{ctx.command_path} has no commands of its own")
        found = ctx.command.get_command(ctx, word) if word in names else None
        if found is None:
            raise UsageError(f"no command {word!r} of {ctx.command_path}{did_you_mean(word, names)}")
        ctx = type(ctx)(found, info_name=word, parent=ctx, **found.context_settings)
    return ctx
