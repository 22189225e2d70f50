"""The manual page, from the same text as the help of the commands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from cascade_plan import __version__
from cascade_plan.cli.described import (
    INTRODUCTIONS,
    SCENARIO_OPTIONS,
    SHARED_OPTIONS,
    STATUSES,
    Description,
    Section,
    description,
    sections,
)
from cascade_plan.languages.roff import quoted, text

SAID_ONCE: Final = (SCENARIO_OPTIONS, SHARED_OPTIONS)
"""Options of many commands: they have a section of their own."""
VARIABLES: Final = (
    ("CASCADE_PLAN_SCENARIO, CASCADE_PLAN_PEAK, ...", "The scenario, and each of the scenario options but --set."),
    ("CASCADE_PLAN_CACHE_DIR", "The directory of the price cache that prices update fills."),
    ("CASCADE_PLAN_DEBUG", "As --debug."),
    ("NO_COLOR, FORCE_COLOR", "No colour, or colour and layout also where stdout is no terminal, when not empty."),
    ("COLUMNS", "The width of help and tables; the terminal's without it."),
)


def manual(root: Any) -> str:
    """Return the manual page of the program, whose command line has the context `root`, in roff."""
    return "".join(f"{line}\n" for line in _lines(root))


def _lines(root: Any) -> Iterator[str]:
    described = description(root.command.help or "")
    yield f'.TH CASCADE\\-PLAN 1 "" {quoted(f"cascade-plan {__version__}")} "User Commands"'
    yield from (".SH NAME", text("cascade-plan") + " \\- " + text(described.summary.rstrip(".")))
    yield from (".SH SYNOPSIS", ".B cascade\\-plan", text("[OPTIONS] COMMAND [ARGS]..."))
    yield ".SH DESCRIPTION"
    yield from _paragraphs(described)
    yield from _examples(described, ".SH EXAMPLES")
    shared: dict[str, Section] = {}
    for heading, names in root.command.groups().items():
        yield f".SH {quoted(f'{heading} commands'.upper())}"
        for name in names:
            yield from _command(root, name, shared)
    yield from _section(_own_options(root), ".SH OPTIONS")
    for title in SAID_ONCE:
        yield from _section(shared[title], f".SH {quoted(title.upper())}")
    statuses = tuple((str(status), meaning) for status, meaning in STATUSES.items())
    yield from _section(Section("Exit status", "", statuses), '.SH "EXIT STATUS"')
    yield from _section(Section("Environment", "", VARIABLES), ".SH ENVIRONMENT")


def _command(above: Any, name: str, shared: dict[str, Section]) -> Iterator[str]:
    """Yield what is said of a command and of those below it, and gather the options that many have."""
    command = above.command.get_command(above, name)
    ctx = type(above)(command, info_name=name, parent=above)
    described = description(command.help or "")
    if hasattr(command, "list_commands"):
        for inner in command.list_commands(ctx):
            yield from _command(ctx, inner, shared)
        return
    pieces = " ".join(command.collect_usage_pieces(ctx))
    yield f".SS {quoted(f'{ctx.command_path} {pieces}')}"
    yield from _paragraphs(described)
    takes = []
    for section in sections(command, ctx):
        if section.title in SAID_ONCE:
            shared[section.title] = section
            takes.append(section.title.lower())
        else:
            yield from _section(section, "")
    yield from (".PP", text(f"It takes the {' and the '.join(takes)}."))
    yield from _examples(described, ".PP\nExamples:")
    if described.statuses:
        yield from _section(Section("Exit status", "", described.statuses), ".PP\nExit status:")


def _own_options(root: Any) -> Section:
    """Return the options that stand before a command alone."""
    (rows,) = (section.rows for section in sections(root.command, root))
    return Section("Options", "Of the program itself; the common options may stand here too.", rows)


def _paragraphs(described: Description) -> Iterator[str]:
    for paragraph in (described.summary, *described.paragraphs):
        yield from (".PP", text(paragraph))


def _examples(described: Description, heading: str) -> Iterator[str]:
    if described.examples:
        yield from (heading, ".PP", ".EX")
        yield from (text(line) for line in described.examples)
        yield ".EE"


def _section(section: Section, heading: str) -> Iterator[str]:
    if heading:
        yield heading
    if introduction := INTRODUCTIONS.get(section.title, section.introduction):
        yield from (".PP", text(introduction))
    for name, meaning in section.rows:
        yield from (".TP", f".B {text(name)}", text(meaning))
