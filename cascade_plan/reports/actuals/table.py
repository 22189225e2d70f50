"""A month's bill beside the plan on one screen: what differs, why, the causes' sums, and the way to the invoice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from cascade_plan.languages.shell import literal
from cascade_plan.model.actuals import Actuals
from cascade_plan.reports._fitting import folded, shown_width
from cascade_plan.reports._words import gate_line, one_line
from cascade_plan.reports.actuals._words import (
    causes,
    change,
    commitment_words,
    fitting,
    invoice_words,
    judged,
    lines_words,
    money,
    month_words,
    named,
    names_words,
    parts_words,
    shortened,
    unit_words,
    unplanned_words,
    users_note,
)
from cascade_plan.reports.columns import WIDTH

FORMAT: str = "plain text for a terminal: what differs, why, and the way to the invoice"
NUMBER: Final = 10
LONGEST_NAME: Final = 24
MOST_SET: Final = 4


def render(actuals: Actuals, width: int = WIDTH) -> str:
    """Return the month as plain text of `width` columns."""
    head = "  ".join(
        (actuals.scenario, month_words(actuals), names_words(actuals.names), lines_words(actuals), actuals.scope)
    )
    blocks = [
        folded(one_line(head), width, "  "),
        list(_table(actuals, width)),
        [line for words in _sums(actuals) for line in folded(words, width, "       ")],
        [line for words in _end(actuals) for line in folded(words, width, "  ")],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _table(found: Actuals, width: int) -> Iterator[str]:
    above, rest = named(found)
    names = [each.name for each in above] + ["commitments not used"]
    wide = min(LONGEST_NAME, max(map(shown_width, names)))
    largest = max(map(abs, (found.plan_usd, found.actual_usd, found.difference_usd)))
    number = max(NUMBER, len(change(largest)) + 1)
    room = width - wide - 3 * number - 2

    def row(name: str, plan: Decimal | None, actual: Decimal, usd: Decimal, why: str) -> str:
        cell = shortened(one_line(name), wide)
        planned = "" if plan is None else money(plan)
        return f"{cell:<{wide}}{planned:>{number}}{money(actual):>{number}}{change(usd):>{number}}  {why}".rstrip()

    yield f"{'':{wide}}{'plan':>{number}}{'actual':>{number}}{'diff':>{number}}  because"
    for each in above:
        why = fitting(list(causes(each, found)), room)
        yield row(each.name, each.plan.cost_usd, each.actual.cost_usd, each.difference_usd, why)
    if rest:
        plan = sum((each.plan.cost_usd for each in rest), Decimal(0))
        actual = sum((each.actual.cost_usd for each in rest), Decimal(0))
        first = [f"{one_line(rest[0].name)} {change(rest[0].difference_usd)}"] if rest[0].difference_usd else []
        more = f"{len(rest)} lines{' more' if above else ''}" if len(rest) > 1 else "1 line more"
        yield row(more, plan, actual, actual - plan, fitting(first, room) if _fits(first, room) else "")
    if found.unplanned:
        usd = found.parts_usd["unplanned"]
        told = [unplanned_words(each, room) for each in found.unplanned]
        yield row("not in the plan", None, usd, usd, fitting(told, room))
    if found.unused_usd:
        yield row("commitments not used", None, found.unused_usd, found.unused_usd, "")
    verdict = judged(found.difference_usd, found.plan_usd)
    yield row("total", found.plan_usd, found.actual_usd, found.difference_usd, fitting([verdict], room))


def _fits(texts: Sequence[str], room: int) -> bool:
    return all(shown_width(text) <= room for text in texts)


def _sums(found: Actuals) -> Iterator[str]:
    if parts := parts_words(found.parts_usd):
        yield f"of it  {'  '.join(parts)}"
    yield f"per 1000 users  {unit_words(found)}"
    if words := commitment_words(found):
        yield f"commitments  {words}"
    yield f"invoice  {invoice_words(found)}"


def _end(found: Actuals) -> Iterator[str]:
    yield from map(gate_line, found.verdicts)
    yield from (f"! {one_line(note)}" for note in found.notes)
    if note := users_note(found):
        yield f"! {note}"
    if found.suggestions:
        yield "With these values the plan would have met the bill:"
        shown = sorted(found.suggestions, key=lambda each: -abs(each.moved_usd))[:MOST_SET]
        yield from (f"  --set {literal(one_line(each.assignment))}" for each in shown)
        if more := len(found.suggestions) - len(shown):
            yield f"  and {more} more (--format markdown); --calibrate FILE keeps those that are measured"
