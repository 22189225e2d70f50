"""What a simulation found, as text: the ways of scaling side by side, and the one that is recommended."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from io import StringIO
from math import isfinite
from typing import Final

from cascade_plan.errors import UsageError, did_you_mean
from cascade_plan.model.replay import Outcome, Replay
from cascade_plan.reports import _marked as marked
from cascade_plan.reports.days.drawing import fitted
from cascade_plan.reports.plans._words import count, one_line, usd

WIDTH: Final = 110
NAME_WIDTH: Final = 14
"""Columns a policy's name has in the table; the list below it has the name in full."""
HEADERS: Final = (
    "policy", "SLO missed, min/day, mean", "SLO missed, min/day, worst run", "worst p99, ms", "pods", "nodes",
    "nodes, mean", "scaling events/day", "API nodes, USD/day", "whole fleet, USD/month",
)  # fmt: skip
NUMBERS: Final = tuple(range(1, len(HEADERS)))
COLUMNS: Final = (
    "policy", "description", "recommended", "missed_minutes_per_day_mean", "missed_minutes_per_day_max",
    "worst_latency_ms_p99", "pod_count_min", "pod_count_max", "node_count_min", "node_count_max", "node_count_mean",
    "scaling_event_count_per_day", "cost_usd_per_day", "cost_usd_per_month",
)  # fmt: skip
FORMULA: Final = ("=", "+", "-", "@")
"""What a spreadsheet takes for the beginning of a formula."""
OVERLOADED: Final = "overloaded"
"""Stands for a latency without an end."""


def render(replay: Replay, name: str) -> str:
    """Return the simulation as table, markdown, json or csv.

    Money is in USD: to the cent for people, unrounded (and text in JSON) for programs. A latency without an end is
    "overloaded" for people, null in JSON and inf in CSV. Raises UsageError for another format.
    """
    if name not in FORMATS:
        known = sorted(FORMATS)
        raise UsageError(f"no format {name!r} for simulate{did_you_mean(name, known)}: known are {', '.join(known)}")
    return FORMATS[name](replay)


def _facts(replay: Replay) -> tuple[str, str]:
    """Return what was simulated, and how often."""
    days = f"{count(replay.day_count)} day{'s' * (replay.day_count != 1)}"
    runs = f"{replay.run_count:,} run{'s' * (replay.run_count != 1)}"
    return (
        f"{one_line(replay.scenario)}: {one_line(replay.traffic)}",
        f"{days}, {runs}, seed {replay.seed}",
    )


def _row(outcome: Outcome) -> list[str]:
    p99 = outcome.worst_latency_ms_p99
    return [
        one_line(outcome.policy),
        f"{outcome.missed_minutes_per_day_mean:,.1f}",
        f"{outcome.missed_minutes_per_day_max:,.1f}",
        f"{p99:,.0f}" if isfinite(p99) else OVERLOADED,
        _range(outcome.pod_count_min, outcome.pod_count_max),
        _range(outcome.node_count_min, outcome.node_count_max),
        f"{outcome.node_count_mean:,.2f}",
        f"{outcome.scaling_event_count_per_day:,.1f}",
        usd(outcome.cost_usd_per_day),
        usd(outcome.cost_usd_per_month),
    ]


def _range(low: int, high: int) -> str:
    return f"{low:,}" if low == high else f"{low:,}-{high:,}"


def _recommendation(replay: Replay) -> str:
    return f"Recommended: {one_line(replay.recommended)}. {one_line(replay.reason)}".strip()


def _table(replay: Replay) -> str:
    return "\n".join(_table_lines(replay)) + "\n"


def _table_lines(replay: Replay) -> Iterator[str]:
    from textwrap import wrap

    from tabulate import tabulate

    for fact in _facts(replay):
        yield from wrap(fact, WIDTH)
    yield ""
    if not replay.outcomes:
        yield "Nothing was compared."
        return
    headers = [_folded(header) for header in HEADERS]
    align = ["right" if index in NUMBERS else "left" for index in range(len(HEADERS))]
    rows = [[fitted(name, NAME_WIDTH), *cells] for name, *cells in map(_row, replay.outcomes)]
    table = tabulate(rows, headers, tablefmt="simple", colalign=align, disable_numparse=True)
    yield from (line.rstrip() for line in table.split("\n"))
    yield ""
    for outcome in replay.outcomes:
        yield from wrap(f"{one_line(outcome.policy)}: {one_line(outcome.description)}", WIDTH, subsequent_indent="  ")
    yield ""
    yield from wrap(_recommendation(replay), WIDTH)


def _folded(header: str) -> str:
    """Return a header with a line for each of its words, so that columns are no wider than their numbers."""
    return header.replace(", ", "\n").replace(" ", "\n")


def _markdown(replay: Replay) -> str:
    what, often = _facts(replay)
    lines = ["## Simulation", "", marked.escaped(what), "", marked.escaped(often), ""]
    if not replay.outcomes:
        return "\n".join([*lines, "Nothing was compared."]) + "\n"
    rows = [[_named(outcome, replay), *_row(outcome)[1:]] for outcome in replay.outcomes]
    lines += marked.table(HEADERS, rows, NUMBERS)
    for outcome in replay.outcomes:
        lines.append(f"- {_named(outcome, replay)}: {marked.escaped(outcome.description)}")
    return "\n".join([*lines, "", marked.escaped(_recommendation(replay))]) + "\n"


def _named(outcome: Outcome, replay: Replay) -> str:
    name = marked.escaped(outcome.policy)
    return marked.Marked(f"**{name}**" if name and outcome.policy == replay.recommended else name)


def _json(replay: Replay) -> str:
    document = {
        "schema_version": 1,
        "scenario": replay.scenario,
        "traffic": replay.traffic,
        "day_count": _plain(replay.day_count),
        "run_count": replay.run_count,
        "seed": replay.seed,
        "outcomes": [
            {column: _plain(value) for column, value in zip(COLUMNS, _values(replay, outcome), strict=True)}
            for outcome in replay.outcomes
        ],
        "recommended": replay.recommended,
        "reason": replay.reason,
    }
    # Lone surrogates, which a hostile name can hold, have no place in UTF-8.
    text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "replace").decode() + "\n"


def _values(replay: Replay, outcome: Outcome) -> Sequence[object]:
    """Return an outcome's values in the order of COLUMNS."""
    own = {"recommended": outcome.policy == replay.recommended}
    return [own[column] if column in own else getattr(outcome, column) for column in COLUMNS]


def _plain(value: object) -> object:
    """Return a value as JSON holds it: money as text, what is no finite number as null."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    return None if isinstance(value, float) and not isfinite(value) else value


def _csv(replay: Replay) -> str:
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_cell(value) for value in _values(replay, outcome)] for outcome in replay.outcomes)
    return out.getvalue()


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        text = one_line(value)
        return f"'{text}" if text.startswith(FORMULA) else text
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


FORMATS: Final[dict[str, Callable[[Replay], str]]] = {
    "table": _table,
    "markdown": _markdown,
    "json": _json,
    "csv": _csv,
}
