"""What a month's bill is said to have cost, and why, in words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

from cascade_plan.model.actuals import PARTS, Actuals, Unplanned, Variance
from cascade_plan.model.price import UNITS
from cascade_plan.reports._fitting import fitted, shown_width
from cascade_plan.reports._words import count, one_line
from cascade_plan.units import counted

MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
MOST_NAMED: Final = 6
LEAST_ROOM: Final = 8
"""Columns: in fewer nothing can be said."""
LEAST_CAUSE: Final = Decimal("0.1")
"""Of a line's difference: what explains less of it is left to the other formats (assumption)."""
_PREFIX: Final = re.compile(r"^(?:EU|[A-Z]{3}[0-9]{1,2})-", re.ASCII)


def month_words(found: Actuals) -> str:
    """Return the month, such as January 2027, and that it is a part of it or may change."""
    year, number = found.month.split("-")
    name = f"{MONTHS[int(number) - 1]} {year}"
    if found.is_to_date:
        return f"{name}, its first {found.hours} hours, estimated"
    return f"{name}, not final" if found.is_final is False else name


def names_words(names: Sequence[str]) -> str:
    """Return the files of a bill: one by its name without folders, several as how many."""
    if len(names) > 1:
        return f"{len(names)} files"
    return one_line(names[0].rsplit("/", 1)[-1]) if names[0] != "-" else "stdin"


def money(amount: Decimal) -> str:
    """Return an amount in dollars and cents, without a sign for dollars.

    >>> money(Decimal("1234.565")), money(Decimal("-0.001"))
    ('1,234.56', '0.00')
    """
    return f"{amount:z,.2f}"


def change(amount: Decimal) -> str:
    """Return what was added or saved, always signed; nothing is 0.00.

    >>> change(Decimal(3)), change(Decimal("-0.001"))
    ('+3.00', '0.00')
    """
    text = f"{amount:z,.2f}"
    return text if text == "0.00" or text.startswith("-") else f"+{text}"


def whole(amount: Decimal) -> str:
    """Return a cause's dollars: signed, without cents.

    >>> whole(Decimal("67.49")), whole(Decimal("-0.2"))
    ('+67', '0')
    """
    text = f"{amount:z,.0f}"
    return text if text == "0" or text.startswith("-") else f"+{text}"


def judged(usd: Decimal, planned: Decimal) -> str:
    """Return a difference in words: 17% unfavourable; "as planned" of none."""
    if not f"{usd:z.2f}".strip("-0."):
        return "as planned"
    side = "unfavourable" if usd > 0 else "favourable"
    return f"{abs(usd) * 100 / planned:,.0f}% {side}" if planned else side


def named(found: Actuals) -> tuple[list[Variance], list[Variance]]:
    """Return the lines that differ by more than is tolerated, at most a screen's, and the rest."""
    above = [each for each in found.variances if found.tolerance.is_exceeded(each)][:MOST_NAMED]
    return above, [each for each in found.variances if each not in above]


def causes(variance: Variance, found: Actuals) -> Iterator[str]:
    """Yield why a line differs, with dollars, what explains most first."""
    least = max(Decimal(1), LEAST_CAUSE * abs(variance.difference_usd))
    for part, usd in sorted(variance.parts_usd.items(), key=lambda each: -abs(each[1])):
        if abs(usd) >= least:
            yield f"{_cause(part, variance, found)} {whole(usd)}"


def _cause(part: str, variance: Variance, found: Actuals) -> str:
    if part == "calendar":
        return f"{found.hours // 24} days"
    if part == "usage":
        return _usage(variance)
    if part == "mix" and variance.shapes:
        more = [each.name for each in variance.shapes if each.actual_count > each.flexed_count]
        less = [each.name for each in variance.shapes if each.actual_count < each.flexed_count]
        new = [name for name in more if not _flexed(variance, name)] or more
        gone = sorted(less, key=lambda name: _flexed(variance, name), reverse=True)
        if len(new) == 1 and gone:
            return one_line(f"{new[0]} for {gone[0]}")
    return {
        "mix": "other shapes",
        "price": "price",
        "commitments": "commitments",
        "unsplit": "not told apart",
    }.get(part, part)


def _flexed(variance: Variance, name: str) -> Decimal:
    return next(each.flexed_count for each in variance.shapes if each.name == name)


def _usage(variance: Variance) -> str:
    if variance.shapes:
        ran = sum((each.actual_count for each in variance.shapes), Decimal(0))
        needed = sum((each.flexed_count for each in variance.shapes), Decimal(0))
        return f"{_short(ran)} {'of' if ran < needed else 'ran for'} {_short(needed)}{' ran' if ran < needed else ''}"
    unit = UNITS.get(variance.unit, variance.unit)
    unit = "million" if unit.startswith("million ") else unit
    return f"{_short(variance.actual.unit_count)} {unit} for {_short(variance.flexed.unit_count)}"


def _short(number: Decimal) -> str:
    return f"{number:,.0f}" if abs(number) >= 100 else count(round(number, 1))


def fitting(parts: Sequence[str], room: int, gap: str = ", ") -> str:
    """Return as many parts as have room, of the first what has; nothing where there is next to none."""
    text = shortened(parts[0], room) if parts and room >= LEAST_ROOM else ""
    for part in parts[1:] if text else ():
        if len(text) + len(gap) + len(part) > room:
            break
        text += gap + part
    return text


def shortened(text: str, room: int) -> str:
    """Return text of so many columns at most, an ellipsis for the words that have no room.

    >>> shortened("Elastic Container Service for Kubernetes", 24), shortened("abcdef", 4)
    ('Elastic Container…', 'abc…')
    """
    if shown_width(text) <= room:
        return text
    kept = ""
    for word in text.split(" "):
        longer = f"{kept} {word}" if kept else word
        if shown_width(longer) > room - 1:
            break
        kept = longer
    return f"{kept}…" if kept else fitted(text, room)


def unplanned_name(each: Unplanned) -> str:
    """Return what the bill calls something that is not in the plan: its usage type, else its service."""
    return one_line(_PREFIX.sub("", each.usage_type) or each.service or "without a name")


def unplanned_words(each: Unplanned, room: int) -> str:
    """Return what is not in the plan and its dollars, in so many columns."""
    usd = f"{each.effective_usd:z,.0f}"
    return f"{shortened(unplanned_name(each), room - len(usd) - 1)} {usd}"


def parts_words(parts: Mapping[str, Decimal]) -> list[str]:
    """Return each cause with what it adds, those that add nothing left out."""
    return [f"{part} {change(usd)}" for part, usd in parts.items() if change(usd) != "0.00"]


def unit_words(found: Actuals) -> str:
    """Return what 1000 users cost, planned and in fact."""
    planned, actual = found.unit_cost_usd
    which = {"peak": 0, "average": 1}.get(found.users_counted, 0)
    users = f"planned at {found.planned_users[which]:,}, {money(actual)} at {found.actual_users[which]:,}"
    limit = "" if found.unit_limit_usd is None else f"; limit < {count(found.unit_limit_usd)}"
    return f"{money(planned)} {users}{limit}"


def commitment_words(found: Actuals) -> str:
    """Return how much commitments cover and how well they are used; empty where there are none."""
    if found.used_share is None:
        return ""
    covered = "" if found.covered_share is None else f"cover {found.covered_share:.0%} of instance hours, "
    return f"{covered}{found.used_share:.0%} of them used"


def invoice_words(found: Actuals) -> str:
    """Return how the cost in scope leads to what was billed."""
    text = ""
    for words, usd in found.invoice_usd:
        if not text:
            text = f"{money(usd)} {words}"
        else:
            text += f" {'-' if usd < 0 else '+'} {words} {money(abs(usd))}"
    return f"{text} = {money(found.billed_usd)}, as billed"


def lines_words(found: Actuals) -> str:
    """Return how many lines the bill has."""
    return counted(found.row_count, "line")


def users_note(found: Actuals) -> str:
    """Return that nobody said how many users there were, where that is so; else empty."""
    if found.is_told_users:
        return ""
    return f"users: as planned, {found.planned_users[0]:,} at peak (--users PEAK,AVG says how many there were)"


def part_rows(found: Actuals) -> list[tuple[str, str, str]]:
    """Return (cause, dollars, what it means) of every cause that adds something."""
    return [(part, change(usd), PARTS[part]) for part, usd in found.parts_usd.items() if change(usd) != "0.00"]
