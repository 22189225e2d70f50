"""Where text goes: stdout for data, stderr for messages, files atomically."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Sequence
from inspect import signature
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from cascade_plan.errors import UsageError
from cascade_plan.languages import terminal

NARROWEST: Final = 40
"""A page has so many columns at least, however narrow the terminal says it is."""


class Color:
    """Whether colour is wanted; a terminal, NO_COLOR, FORCE_COLOR and TERM decide the rest."""

    wanted = True

    @classmethod
    def on(cls) -> bool:
        """Return whether stdout should get colour and layout: a terminal does, and what FORCE_COLOR says is one.

        Both variables count when they are not empty (https://no-color.org, https://force-color.org).
        """
        if not cls.wanted or os.environ.get("NO_COLOR"):
            return False
        if os.environ.get("FORCE_COLOR"):
            return True
        return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


class Talk:
    """How much stderr is told: errors alone (quiet), what is worth knowing, or where everything came from too."""

    quiet = False
    verbose = False
    written: tuple[str, ...] = ()
    """What this run has written, for whoever interrupts it."""
    arguments: tuple[str, ...] = ()
    """The command line, for whoever is told to repeat it."""

    @classmethod
    def begin(cls, arguments: Sequence[str]) -> None:
        """Begin a command line: forget what an earlier one of this process asked for and wrote."""
        cls.quiet, cls.verbose, cls.written, cls.arguments = False, False, (), tuple(arguments)
        Color.wanted = True


def arguments() -> str:
    """Return this command line, for a file that says how it came to be: without user and password of an address."""
    import shlex

    return re.sub(r"://[^/@\s]*@", "://", shlex.join(("cascade-plan", *Talk.arguments)))


def on_github() -> bool:
    """Return whether this is a step of GitHub Actions, whose log obeys lines that begin with two colons."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def harmless(text: str) -> str:
    """Return text of which GitHub's log takes no line as a command: neither ::name:: first nor ##[name] anywhere.

    Source: actions/runner, ActionCommand.cs: white space before the colons is skipped.
    """
    return re.sub(r"^(\s*)::", r"\1\\::", text, flags=re.MULTILINE).replace("##[", "## [")


def width() -> int:
    """Return the columns of a page: COLUMNS where it is set, else the terminal's, else 80."""
    from shutil import get_terminal_size

    return max(NARROWEST, get_terminal_size((80, 24)).columns)


def is_page() -> bool:
    """Return whether somebody reads stdout in columns: a terminal, or COLUMNS says how many. Texts are folded then."""
    return sys.stdout.isatty() or bool(os.environ.get("COLUMNS"))


def laid_out(report: ModuleType, *subject: Any, **wishes: Any) -> Any:
    """Return what a report says of its subject, text or bytes: in the page's width and by the wishes that it takes."""
    taken = signature(report.render).parameters
    given = {"width": width(), **wishes}
    if "scripts" in taken:
        from cascade_plan.files.scripts import drawing

        given["scripts"] = drawing()
    text: Any = report.render(*subject, **{name: value for name, value in given.items() if name in taken})
    return text


BINARY: Final = ("pdf", "png", "xlsx")
"""Formats that are no text."""


def check_binary(format_: str, output: str) -> None:
    """Raise UsageError for a format that is no text where it would go to a terminal."""
    if output == "-" and format_ in BINARY and sys.stdout.isatty():
        raise UsageError(f"{format_.upper()} is not for a terminal: give -o FILE.{format_}")


def say(text: str | bytes) -> None:
    """Write text to stdout, in UTF-8 whatever the locale, or what is none as it is.

    A closed pipe is no error: who closed it has read enough.
    """
    from cascade_plan.files.disk import write_output

    if isinstance(text, str):
        text = harmless(text) if on_github() else text
        text = text if text.endswith("\n") or not text else text + "\n"
    try:
        write_output("-", text)
    except BrokenPipeError:
        # Python flushes stdout again at exit; without this it would complain then.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def complain(text: str, kind: str = "error") -> None:
    """Write a message to stderr, each of its lines marked with its kind (error, warning), or unmarked for "".

    Where stderr is to be quiet, only what is an error or unmarked is written.
    """
    if Talk.quiet and kind not in ("error", ""):
        return
    mark = f"{kind}: " if kind else ""
    text = harmless(text) if on_github() else text
    sys.stderr.write("".join(f"{mark}{terminal.line(line)}\n" for line in text.splitlines()))


def note(text: str) -> None:
    """Write to stderr what is good to know and no warning, such as what was written, unless it is to be quiet."""
    if not Talk.quiet:
        complain(text, "")


def detail(text: str) -> None:
    """Write to stderr what only --verbose asks for, such as where a value was read."""
    if Talk.verbose:
        note(text)


def deliver(text: str | bytes, destination: str, next_step: str = "") -> None:
    """Write text, or what is none, to stdout for "-", or atomically to a file; say so on stderr, with what to do next.

    Raises UsageError when the file cannot be written.
    """
    if destination == "-":
        say(text)
        return
    from cascade_plan.files.disk import write_output

    write_output(destination, text)
    wrote(destination, next_step)


def wrote(path: str, next_step: str = "") -> None:
    """Remember that a file was written and say so, with what to do next; not of what is no file, such as /dev/null."""
    if not stat.S_ISREG(Path(path).stat().st_mode):
        return
    Talk.written = (*Talk.written, path)
    note(f"wrote {path}" + (f"; {next_step}" if next_step else ""))
