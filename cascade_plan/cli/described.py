"""What the help of a command says, and how it is laid out: the same text becomes the manual."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from typer.core import TyperCommand, TyperGroup

from cascade_plan.files.data_root import docs_root

CONTEXT: Final = {"help_option_names": ["-h", "--help"], "max_content_width": 2**16}
"""Help is as wide as the terminal, or as COLUMNS says, and 80 columns where neither is known."""
SCENARIO_OPTIONS: Final = "Scenario options"
SHARED_OPTIONS: Final = "Common options"
SHARED: Final = ("quiet", "verbose", "no_color", "debug", "help")
"""Options that every command takes, before its name or after."""
INTRODUCTIONS: Final[Mapping[str, str]] = {
    SCENARIO_OPTIONS: "Each can come from the environment too (CASCADE_PLAN_PEAK, CASCADE_PLAN_REGION) or from the "
    "project file; --set from the project file alone. A flag wins over the environment, the environment over the file.",
}
STATUSES: Final[Mapping[int, str]] = {
    0: "Fine.",
    1: "A gate failed, a directory differs, or a load test does not show every SLO to be kept.",
    2: "The command line, the scenario or another input is wrong; every mistake is listed.",
    3: "A price is missing, or not clear; with --strict-prices also when one is undated or too old.",
    4: "No fleet meets the scenario; the message says what binds.",
    5: "The network or the cloud failed.",
    70: "A bug of cascade-plan.",
    130: "Interrupted.",
}
HEADINGS: Final = ("Examples", "Exit status")


@dataclass(frozen=True, slots=True)
class Description:
    """What a command's docstring says."""

    summary: str
    """Its first sentence, for the list of commands."""
    paragraphs: tuple[str, ...]
    examples: tuple[str, ...]
    """Command lines, each with what it is for after a #, or nothing."""
    statuses: tuple[tuple[str, str], ...]
    """Exit statuses that mean something of their own here, and what."""


@dataclass(frozen=True, slots=True)
class Section:
    """A titled list of options, arguments, commands or statuses."""

    title: str
    introduction: str
    rows: tuple[tuple[str, str], ...]


def description(text: str) -> Description:
    """Return what a docstring says: paragraphs, and what stands indented under `Examples:` and `Exit status:`.

    >>> description("Do it.\\n\\nExamples:\\n  cascade-plan do\\n\\nExit status:\\n  3  It was done.").statuses
    (('3', 'It was done.'),)
    """
    listed: dict[str, list[str]] = {heading: [] for heading in HEADINGS}
    paragraphs = []
    for block in re.split(r"\n\s*\n", text.strip()):
        first, *others = block.splitlines()
        if first.rstrip(":") in listed and first.endswith(":"):
            listed[first.rstrip(":")] += [line.strip() for line in others]
        else:
            paragraphs.append(" ".join(block.split()))
    statuses = tuple((status, meaning) for status, _, meaning in (s.partition("  ") for s in listed["Exit status"]))
    return Description(paragraphs[0] if paragraphs else "", tuple(paragraphs[1:]), tuple(listed["Examples"]), statuses)


def sections(command: Any, ctx: Any) -> Iterator[Section]:
    """Yield a command's arguments, its own options, those of its scenario, and those that every command takes."""
    titled: dict[str, list[tuple[str, str]]] = {
        "Arguments": [],
        "Options": [],
        SCENARIO_OPTIONS: [],
        SHARED_OPTIONS: [],
    }
    for param in command.get_params(ctx):
        if (record := param.get_help_record(ctx)) is not None:
            titled.setdefault(_title(param, ctx), []).append((_name(param, record[0]), record[1]))
    for title, rows in titled.items():
        if rows:
            yield Section(title, INTRODUCTIONS.get(title, ""), tuple(rows))


def _title(param: Any, ctx: Any) -> str:
    if param.param_type_name == "argument":
        return "Arguments"
    if param.name in SHARED and ctx.parent is not None:
        return SHARED_OPTIONS
    return str(getattr(param, "rich_help_panel", None) or "Options")


def _name(param: Any, written: str) -> str:
    """Return how a parameter is called: an argument by its metavar alone, an option with its own."""
    return str(param.metavar or written) if param.param_type_name == "argument" else written


def statuses(described: Description) -> Section:
    """Return the exit statuses of a command: those that mean something of their own, and what is said of the others."""
    rows = described.statuses or tuple((str(status), STATUSES[status]) for status in (0, 2))
    return Section("Exit status", "", (*rows, ("others", "As `cascade-plan help` lists them.")))


class Described(TyperCommand):
    """A command whose help has its own options first, an example, and its exit statuses."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the command's parameters and those that every command takes."""
        return _with_shared(super().get_params(ctx), ctx)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the whole help."""
        described = description(self.help or "")
        self.format_usage(ctx, formatter)
        write_head(described, formatter)
        write_sections((*sections(self, ctx), statuses(described)), formatter)


class DescribedGroup(TyperGroup):
    """A command with commands below it, each of which its help names by a whole sentence."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the group's parameters and those that every command takes."""
        return _with_shared(super().get_params(ctx), ctx)

    def groups(self) -> Mapping[str, Sequence[str]]:
        """Return heading -> the commands under it, those that the help lists."""
        return {"Commands": list(self.commands)}

    def listed(self, ctx: Any) -> Iterator[Section]:
        """Yield the commands under their headings, each with its summary."""
        for title, names in self.groups().items():
            rows = ((name, description(self._help_of(ctx, name)).summary) for name in names)
            yield Section(title, "", tuple(rows))

    def _help_of(self, ctx: Any, name: str) -> str:
        command: Any = self.get_command(ctx, name)
        return command.help or ""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the whole help; for the root also what exit statuses mean and where the documents are."""
        described = description(self.help or "")
        self.format_usage(ctx, formatter)
        write_head(described, formatter)
        own = (*self.listed(ctx), *sections(self, ctx))
        if ctx.parent is None:
            own = (*own, Section("Exit status", "", tuple((str(s), text) for s, text in STATUSES.items())))
        write_sections(own, formatter)
        if ctx.parent is None:
            with formatter.section("Documents"):
                formatter.write_text(documents())


def documents() -> str:
    """Return where the documents are: those of the checkout, or those that were installed beside the program."""
    if (root := docs_root()) is None:
        return "README.md and docs/ of the source distribution; `man cascade-plan` where it is installed."
    return f"{root}: README.md, and docs/scenario.md, which describes every field of a scenario."


def write_head(described: Description, formatter: Any) -> None:
    """Write what a command does and its examples."""
    formatter.write_paragraph()
    with formatter.indentation():
        formatter.write_text("\n\n".join((described.summary, *described.paragraphs)))
    if described.examples:
        with formatter.section("Examples"):
            for line in described.examples:
                formatter.write(f"{'':>{formatter.current_indent}}{line}\n")


def write_sections(found: Sequence[Section], formatter: Any) -> None:
    """Write lists of two columns under their titles; one that is introduced has a paragraph first."""
    width = min(max(len(name) for section in found for name, _ in section.rows if len(name) <= 26), 26)
    for section in found:
        with formatter.section(section.title):
            if section.introduction:
                formatter.write_text(section.introduction)
                formatter.write_paragraph()
            # Names padded to one width: the second columns of all lists stand below each other.
            formatter.write_dl([(f"{name:<{width}}", text) for name, text in section.rows], col_max=width)


def _with_shared(own: Sequence[Any], ctx: Any) -> list[Any]:
    """Return a command's parameters with the root's options that every command takes, and --help the last of all."""
    root = ctx.find_root()
    shared = () if root is ctx else (param for param in root.command.params if param.name in SHARED)
    return sorted((*own, *shared), key=lambda param: param.name == "help")
