"""How far a command has come, on stderr, while somebody looks at a terminal; nothing is shown elsewhere or with -q."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from cascade_plan.cli.output import Talk

MEGABYTE: Final = 10**6


def _is_watched() -> bool:
    return sys.stderr.isatty() and not Talk.quiet


@contextmanager
def measured(total: float, unit: str = "") -> Iterator[Callable[[str, float], None]]:
    """Yield a function that is told what is being done and how much more of the total is, and shows the time left.

    Without a unit the total is shown as a percentage.
    """
    if not _is_watched():
        yield lambda what, amount: None
        return
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn

    count = "{task.completed:,.0f} of {task.total:,.0f} " + unit if unit else "{task.percentage:.0f}%"
    with _progress(
        TextColumn("{task.description}"), BarColumn(), TextColumn(count), TimeRemainingColumn(), TextColumn("left")
    ) as bar:
        task = bar.add_task("simulating", total=total)

        def advance(what: str, amount: float) -> None:
            bar.update(task, advance=amount, description=f"simulating {what}")

        yield advance


@contextmanager
def counted(total: int, done: int, unit: str) -> Iterator[Callable[[int], None]]:
    """Yield a function that is told how many more are done, and shows how many a second, and the time left."""
    if not _is_watched():
        yield lambda amount: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Task, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Rate(TextColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:,.0f}/s" if task.speed else "")

    columns = (MofNCompleteColumn(), TextColumn(unit), BarColumn(), Rate(""), TimeRemainingColumn(), TextColumn("left"))
    with _progress(*columns) as bar:
        task = bar.add_task(unit, total=total, completed=done)
        yield lambda amount: bar.advance(task, amount)


class Downloads:
    """What is read of the prices of several regions: of each file how much of how much, and which are done."""

    def __init__(self, bar: Any) -> None:
        self._bar = bar
        self._tasks: dict[tuple[str, str], Any] = {}
        self._byte_counts: dict[tuple[str, str], int] = {}
        """How long the files of a task are that say so; a task that is in here counts bytes."""

    def read(self, region: str, what: str, amount: int) -> None:
        """Show that more of something has been read."""
        if self._bar is not None:
            self._bar.advance(self._task(region, what), amount)
            self._say(region, what)

    def expect(self, region: str, what: str, byte_count: int) -> None:
        """Show that a file begins which is so long; 0 where it does not say how long it is."""
        if self._bar is None:
            return
        for other, name in list(self._tasks):
            if other == region and name != what:
                self._end(other, name)
        task = self._task(region, what)
        self._byte_counts[region, what] = self._byte_counts.get((region, what), 0) + byte_count
        self._bar.update(task, total=self._byte_counts[region, what] or None)
        self._say(region, what)

    def end(self, region: str, has_failed: bool) -> None:
        """Show that a region is done, or that it failed."""
        if self._bar is not None:
            for other, name in list(self._tasks):
                if other == region:
                    self._end(other, name, "failed" if has_failed else "done")

    def _task(self, region: str, what: str) -> Any:
        if (region, what) not in self._tasks:
            self._tasks[region, what] = self._bar.add_task(f"{region} {what}", total=None, said="")
        return self._tasks[region, what]

    def _say(self, region: str, what: str) -> None:
        task = self._bar.tasks[self._tasks[region, what]]
        said = f"{task.completed:,.0f} read"
        if (total := self._byte_counts.get((region, what))) is not None:
            of_all = f" of {total / MEGABYTE:,.1f}" if total else ""
            said = f"{task.completed / MEGABYTE:,.1f}{of_all} MB"
        self._bar.update(task.id, said=said)

    def _end(self, region: str, what: str, how: str = "done") -> None:
        task = self._bar.tasks[self._tasks[region, what]]
        if not task.fields["said"].endswith(("done", "failed")):
            self._bar.update(task.id, total=task.completed or 1, completed=task.completed or 1)
            self._bar.update(task.id, said=f"{task.fields['said']}, {how}")


@contextmanager
def downloads() -> Iterator[Downloads]:
    """Yield what is told of the prices that are being read."""
    if not _is_watched():
        yield Downloads(None)
        return
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(finished_text="✓"), TextColumn("{task.description}"), TextColumn("{task.fields[said]}"))
    with _progress(*columns, TimeElapsedColumn()) as bar:
        yield Downloads(bar)


def _progress(*columns: Any) -> Any:
    from rich.console import Console
    from rich.progress import Progress

    return Progress(*columns, console=Console(stderr=True), transient=True)
