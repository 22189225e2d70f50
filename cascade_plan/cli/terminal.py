"""A plan on a terminal: the table report's sections, in colour and as wide as the window."""

from __future__ import annotations

from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cascade_plan.model.plan import Plan
from cascade_plan.reports.plans import table

STYLES: Final = {"✓": "green", "✗": "bold red", "?": "yellow", "warning": "yellow"}


def show(plan: Plan) -> None:
    """Print the plan to the terminal."""
    console = Console(highlight=False)
    head, verdict = table.headline(plan)
    console.print(Text(head))
    console.print(Text(verdict, style="bold red" if plan.failed else "bold"))
    for section in table.sections(plan):
        if section.rows:
            console.print()
            console.print(Text(section.title, style="bold"))
            console.print(_table(section))


def _table(section: table.Section) -> Table:
    shown = Table(box=None, show_header=bool(section.headers), header_style="dim", pad_edge=False)
    for index in range(len(section.rows[0])):
        header = section.headers[index] if section.headers else ""
        if index in section.right:
            # A number cut short is a wrong number: the texts beside it are folded instead.
            width = max(len(header), *(len(row[index]) for row in section.rows))
            shown.add_column(header, justify="right", no_wrap=True, min_width=width)
        else:
            shown.add_column(header, overflow="fold")
    for row in section.rows:
        shown.add_row(*(Text(cell) for cell in row), style=STYLES.get(row[0].split(" ")[0], ""))
    return shown
