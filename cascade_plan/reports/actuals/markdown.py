"""A month's bill beside the plan for a page."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from cascade_plan.languages.shell import literal
from cascade_plan.model.actuals import Actuals
from cascade_plan.reports._marked import code, escaped, table
from cascade_plan.reports._words import count, gate_line
from cascade_plan.reports.actuals._words import (
    causes,
    change,
    commitment_words,
    judged,
    lines_words,
    money,
    month_words,
    names_words,
    part_rows,
    unit_words,
    users_note,
)

FORMAT: str = "Markdown: the difference, its causes, every line, what is not in the plan, the way to the invoice"
MOST_UNPLANNED: Final = 30


def render(actuals: Actuals) -> str:
    """Return the month as GitHub-flavoured Markdown."""
    return "\n".join(_lines(actuals)).rstrip("\n") + "\n"


def _lines(found: Actuals) -> Iterator[str]:
    yield f"# {escaped(f'{found.scenario}: {month_words(found)} against the plan')}"
    yield ""
    verdict = judged(found.difference_usd, found.plan_usd)
    yield f"**{money(found.actual_usd)} USD for {money(found.plan_usd)} planned: {verdict}.**"
    yield ""
    bill = f"{names_words(found.names)}, {found.format}, {lines_words(found)}"
    yield f"- Bill: {escaped(bill)}"
    yield f"- Scope: {escaped(found.scope)}"
    yield f"- Per 1000 users: {escaped(unit_words(found))}"
    if words := commitment_words(found):
        yield f"- Commitments: {escaped(words)}"
    for note in filter(None, (*found.notes, users_note(found))):
        yield f"- {escaped(note)}"
    yield from ("", "## Causes", "", *table(("Cause", "USD", "What it is"), part_rows(found), (1,)))
    yield from _table(found)
    yield from ("## To the invoice", "")
    invoice = [*((words, money(usd)) for words, usd in found.invoice_usd), ("as billed", money(found.billed_usd))]
    yield from table(("", "USD"), invoice, (1,))
    if found.verdicts:
        yield from ("## Gates", "", *(f"- {escaped(gate_line(verdict))}" for verdict in found.verdicts), "")
    if found.suggestions:
        yield from ("## With these the plan would have met the bill", "")
        rows = [
            (
                code(f"--set {literal(each.assignment)}"),
                count_of(each.value_before),
                each.figure,
                change(each.moved_usd),
            )
            for each in found.suggestions
        ]
        yield from table(("Value", "Planned", "For", "USD of usage"), rows, (3,))


def count_of(value: float | int | str) -> str:
    """Return a value of the scenario as a person reads it."""
    return value if isinstance(value, str) else count(value)


def _table(found: Actuals) -> Iterator[str]:
    yield from ("## Lines", "")
    rows = [
        (
            each.name,
            money(each.plan.cost_usd),
            money(each.actual.cost_usd),
            change(each.difference_usd),
            ", ".join(causes(each, found)),
        )
        for each in found.variances
    ]
    total = ("total of the plan's lines", money(found.plan_usd), *_sum(found))
    yield from table(("Line", "Plan", "Actual", "Difference", "Because"), [*rows, total], (1, 2, 3))
    if found.unplanned:
        yield from ("## Not in the plan", "")
        shown = found.unplanned[:MOST_UNPLANNED]
        yield from table(
            ("Service", "Usage type", "USD", "Why"),
            [(each.service, each.usage_type, money(each.effective_usd), each.why) for each in shown],
            (2,),
        )
        if more := len(found.unplanned) - len(shown):
            yield from (f"And {more} more, {money(sum_of(found, MOST_UNPLANNED))} together.", "")


def sum_of(found: Actuals, first: int) -> Decimal:
    """Return what is not in the plan beyond the first so many."""
    return sum((each.effective_usd for each in found.unplanned[first:]), Decimal(0))


def _sum(found: Actuals) -> tuple[str, str, str]:
    actual = sum((each.actual.cost_usd for each in found.variances), Decimal(0))
    return money(actual), change(actual - found.plan_usd), ""
