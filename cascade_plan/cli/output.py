"""Where text goes: stdout for data, stderr for messages, files atomically."""

from __future__ import annotations

import os
import sys
from inspect import signature
from types import ModuleType
from typing import Any, Final

NARROWEST: Final = 40
"""A page has so many columns at least, however narrow the terminal says it is."""


class Color:
    """Whether colour is wanted; a terminal, NO_COLOR and TERM decide the rest."""

    wanted = True

    @classmethod
    def on(cls) -> bool:
        """Return whether stdout is a terminal that should get colour and layout."""
        return cls.wanted and sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def width() -> int:
    """Return the columns of a page: COLUMNS where it is set, else the terminal's, else 80."""
    from shutil import get_terminal_size

    return max(NARROWEST, get_terminal_size((80, 24)).columns)


def laid_out(report: ModuleType, *subject: Any, **wishes: Any) -> str:
    """Return what a report says of its subject: in the page's width and by the wishes that its `render` takes."""
    taken = signature(report.render).parameters
    given = {"width": width(), **wishes}
    text: str = report.render(*subject, **{name: value for name, value in given.items() if name in taken})
    return text


def say(text: str) -> None:
    """Write text to stdout, in UTF-8 whatever the locale. A closed pipe is no error: who closed it has read enough."""
    from cascade_plan.files.disk import write_output

    try:
        write_output("-", text if text.endswith("\n") else text + "\n")
    except BrokenPipeError:
        # Python flushes stdout again at exit; without this it would complain then.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def complain(text: str, kind: str = "error") -> None:
    """Write a message to stderr, each of its lines marked with its kind (error, warning), or unmarked for ""."""
    mark = f"{kind}: " if kind else ""
    sys.stderr.write("".join(f"{mark}{line}\n" for line in text.splitlines()))


def deliver(text: str, destination: str) -> None:
    """Write text to stdout for "-", or atomically to a file. Raises UsageError when the file cannot be written."""
    if destination == "-":
        say(text)
        return
    from cascade_plan.files.disk import write_output

    write_output(destination, text)
