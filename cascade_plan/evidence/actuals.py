"""A month of a bill held against the plan, and the way from it to the invoice.

The plan is made again twice: for the hours of the month, and for the users there were. So growth is told from waste.
Tax, credits, refunds, other applications and what bears no tag are no variance: they lead from it to the invoice.
"""

from __future__ import annotations

import calendar
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Final

from pydantic import ValidationError

from cascade_plan.errors import UsageError, did_you_mean
from cascade_plan.evidence.bill_file import DIGITS
from cascade_plan.evidence.matching import Match, Matcher, matcher_of
from cascade_plan.evidence.scope import APPLICATION, Scope
from cascade_plan.evidence.variances import planned_by_pool, total, variances_of
from cascade_plan.model.actuals import (
    FIGURES,
    KINDS,
    NOTHING,
    PARTS,
    Actuals,
    Line,
    Read,
    Tolerance,
    Unplanned,
    Variance,
)
from cascade_plan.model.plan import Plan, Verdict
from cascade_plan.model.price import Book
from cascade_plan.model.scenario import Scenario
from cascade_plan.planning.judging import OPERATORS
from cascade_plan.planning.pipeline import plan
from cascade_plan.units import counted

HOURS: Final = 24
IN_SCOPE, OTHERS, UNTAGGED, TIMES = "in scope", "other applications", "untagged", "commitments paid in another month"
ROWS: Final = (IN_SCOPE, OTHERS, UNTAGGED, *(words for kind, words in KINDS.items() if kind != "usage"), TIMES)
"""What leads to the invoice, in order."""
DUST: Final = Decimal("1e-9")
"""Of a dollar: what quotients leave of it."""
IN_HOURS: Final = ("hrs", "hour", "hours")
"""Units whose lines tell until when a bill goes: what is billed once a month does not."""
_GATE: Final = re.compile(r"\s*([a-z0-9_.]+)\s*(<=|>=|==|<|>)\s*(-?[0-9]+(?:\.[0-9]+)?)\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Asked:
    """How a bill is held against a plan."""

    scope: Scope
    users: tuple[int, int | None] | None = None
    """Users there were, at peak and on average; None: as many as planned, of the average as large a share of the
    peak."""
    to_date: bool = False
    tolerance: Tolerance = field(default_factory=Tolerance)
    gates: tuple[str, ...] = ()
    """Limits beside the scenario's, such as "variance_percent.total < 12"."""


def users_of(scenario: Scenario, given: tuple[int, int | None] | None) -> tuple[int, int]:
    """Return the users there were, at peak and on average."""
    users = scenario.users
    peak, average = given or (users.peak, users.average)
    return peak, max(1, round(users.average * peak / users.peak)) if average is None else average


@dataclass(frozen=True, slots=True)
class Span:
    """The month, or what of it a bill covers."""

    hours: int
    """Of the whole month."""
    covered: int
    """Of them in the bill."""

    @property
    def share(self) -> Decimal:
        """What of the month is covered."""
        return Decimal(self.covered) / self.hours


def span_of(month: str, lines: Iterable[Line], to_date: bool) -> Span:
    """Return how much of its month a bill covers. Raises UsageError for a part of a month, unless to_date is asked."""
    year, number = int(month[:4]), int(month[5:7])
    hours = calendar.monthrange(year, number)[1] * HOURS
    usage = [line for line in lines if line.kind == "usage" and line.until]
    hourly = [line for line in usage if line.unit.lower() in IN_HOURS]
    last = max((line.until for line in hourly or usage), default="")
    covered = hours if not last else _hours_until(last, f"{month}-01", hours)
    if covered < hours - 1 and not to_date:
        raise UsageError(
            f"the bill goes to {last}, which is {covered} of the {hours} hours of {month}: wait for the whole month, "
            "or compare what is over by --to-date"
        )
    return Span(hours, covered if to_date else hours)


def _hours_until(moment: str, first: str, hours: int) -> int:
    try:
        over = datetime.fromisoformat(moment) - datetime.fromisoformat(first)
    except ValueError:
        raise UsageError(f"the bill has usage until {moment!r}, which is no time") from None
    return max(1, min(hours, round(over.total_seconds() / 3600)))


@dataclass(frozen=True, slots=True)
class Plans:
    """The plan, the plan for the month's hours, and that for the users there were."""

    base: Plan
    longer: Plan
    flexed: Plan


def plans_of(scenario: Scenario, book: Book, origins: Mapping[str, str], hours: int, users: tuple[int, int]) -> Plans:
    """Return the plan as it is and made again. Raises as `plan` does, UsageError for users that cannot be."""

    def made(of: Scenario) -> Plan:
        return plan(of, book, origins, predicted=False, with_margins=False)

    longer = scenario.model_copy(update={"hours_per_month": hours})
    try:
        then = longer.with_users(*users)
    except ValidationError:
        raise UsageError(f"--users {users[0]},{users[1]}: the average cannot be above the peak") from None
    return Plans(made(scenario), made(longer), made(then))


@dataclass(frozen=True, slots=True)
class _Compared:
    """What of a bill is which line of the plan, and what is none."""

    matcher: Matcher
    placed: Sequence[tuple[Line, str]]
    """Every line, and whether it is mine, other or untagged."""
    matched: Sequence[tuple[Line, Match]]
    """The usage in scope."""
    variances: Sequence[Variance]
    unplanned: tuple[Unplanned, ...]
    unused: Sequence[Line]

    @property
    def parts_usd(self) -> dict[str, Decimal]:
        """What each cause adds."""
        parts = {part: total(each.parts_usd.get(part, NOTHING) for each in self.variances) for part in PARTS}
        parts["unplanned"] += total(each.effective_usd for each in self.unplanned)
        parts["unused"] += total(line.effective_usd for line in self.unused)
        return parts


def _compared(plans: Plans, book: Book, lines: Sequence[Line], span: Span, scope: Scope) -> _Compared:
    level = plans.base.scenario.budget.level
    usage = [line for line in lines if line.kind == "usage"]
    by_service = not any(line.usage_type or line.sku or line.description for line in usage)
    if by_service and usage and not any(line.service for line in usage):
        raise UsageError("no line of the bill says of which service it is: group it by SERVICE, or by USAGE_TYPE too")
    matcher = matcher_of((plans.base, plans.flexed), book, by_service)
    planned = [
        planned_by_pool(made, matcher, level, share)
        for made, share in ((plans.base, Decimal(1)), (plans.longer, span.share), (plans.flexed, span.share))
    ]
    placed = [(line, scope.place(line)) for line in lines]
    pools = frozenset(pool for each in planned for pool in each)
    mine = [line for line, place in placed if place == "mine" and line.kind == "usage"]
    matched = [(line, matcher.match(line, pools)) for line in mine]
    _check_region(matched, book)
    # What nothing used bears no tag: it is this application's unless a tag or an account says whose else it is.
    unused = [line for line, place in placed if line.kind == "unused" and place != "other"]
    variances = variances_of(planned, matched, (plans.base, plans.flexed), matcher, span.covered)
    return _Compared(matcher, placed, matched, variances, _unplanned(matched), unused)


def held_against(
    plans: Plans, book: Book, read: Read, month: str, lines: Sequence[Line], span: Span, asked: Asked
) -> Actuals:
    """Return a month of a bill held against the plan, without values that would explain it.

    Raises UsageError for a bill in another currency or of another region, and for a gate on what is no figure.
    """
    _check_currency(lines, book)
    with localcontext() as context:
        context.prec = DIGITS
        return _held(plans, book, read, month, lines, span, asked)


def _held(plans: Plans, book: Book, read: Read, month: str, lines: Sequence[Line], span: Span, asked: Asked) -> Actuals:
    compared = _compared(plans, book, lines, span, asked.scope)
    parts = compared.parts_usd
    plan_usd = total(each.plan.cost_usd for each in compared.variances)
    actual_usd = plan_usd + total(parts.values())
    scenario, then = plans.base.scenario, plans.flexed.scenario
    found = Actuals(
        scenario=scenario.name,
        month=month,
        format=read.format,
        names=read.names,
        row_count=sum(line.row_count for line in lines),
        scope=asked.scope.words,
        hours=span.covered,
        is_to_date=span.covered < span.hours,
        is_final=_is_final(lines),
        currency=book.currency,
        planned_users=(scenario.users.peak, scenario.users.average),
        actual_users=(then.users.peak, then.users.average),
        is_told_users=asked.users is not None,
        users_counted=scenario.budget.users,
        variances=tuple(sorted(compared.variances, key=lambda each: (-abs(each.difference_usd), each.name))),
        unplanned=compared.unplanned,
        plan_usd=plan_usd,
        actual_usd=actual_usd,
        parts_usd=parts,
        unused_usd=total(line.effective_usd for line in compared.unused),
        unit_cost_usd=(_per_1000(plan_usd, scenario), _per_1000(actual_usd / span.share, then)),
        unit_limit_usd=_unit_limit(scenario),
        covered_share=_coverage(compared),
        used_share=_used_share(lines),
        untagged_share=_untagged_share(compared) if asked.scope.tags else None,
        invoice_usd=_invoice(compared, actual_usd),
        billed_usd=total(line.billed_usd for line in lines),
        tolerance=asked.tolerance,
        notes=(*read.notes, *_notes(compared, asked, plans.base.application)),
    )
    return replace(found, verdicts=_verdicts(found, scenario, asked.gates))


def _check_currency(lines: Iterable[Line], book: Book) -> None:
    other = sorted({line.currency for line in lines if line.currency and line.currency != book.currency})
    if other:
        raise UsageError(
            f"the bill is in {', '.join(other)}, the plan's prices are in {book.currency}: amounts of two currencies "
            "are not compared"
        )


def _check_region(matched: Sequence[tuple[Line, Match]], book: Book) -> None:
    """Raise UsageError for a bill that has dollars in other regions and none in the plan's."""
    there: dict[str, Decimal] = defaultdict(lambda: NOTHING)
    for line, _ in matched:
        if line.region:
            there[line.region] += line.effective_usd
    if there and not there.get(book.region) and any(there.values()):
        dearest = max(there, key=lambda region: there[region])
        raise UsageError(
            f"the bill's usage is in {dearest}, the plan's in {book.region}: plan it there by --region {dearest}, or "
            "give the bill of this system"
        )


def _unplanned(matched: Iterable[tuple[Line, Match]]) -> tuple[Unplanned, ...]:
    found: dict[tuple[str, ...], Unplanned] = {}
    for line, match in matched:
        if match.pool is not None:
            continue
        what = (line.service, line.usage_type or line.description or line.sku, line.region, line.unit, match.why)
        before = found.get(what)
        usd = line.effective_usd + (before.effective_usd if before else NOTHING)
        quantity = None if line.quantity is None else line.quantity + ((before and before.quantity) or NOTHING)
        found[what] = Unplanned(what[0], what[1], what[2], usd, quantity, line.unit, match.why)
    return tuple(
        sorted(
            (each for each in found.values() if each.effective_usd),
            key=lambda each: (-abs(each.effective_usd), each.service, each.usage_type, each.region),
        )
    )


def _per_1000(usd: Decimal, scenario: Scenario) -> Decimal:
    count = getattr(scenario.users, scenario.budget.users) or scenario.users.peak
    return usd * 1000 / Decimal(count)


def _unit_limit(scenario: Scenario) -> Decimal | None:
    limit = scenario.budget.usd_per_1000_users_month
    return None if limit is None else Decimal(str(limit))


def _coverage(compared: _Compared) -> Decimal | None:
    """Return the share of instance hours that commitments paid for; None without instances."""
    hours = [
        (line, match.quantity)
        for line, match in compared.matched
        if match.key is not None and match.quantity and compared.matcher.sold.is_instance(match.key)
    ]
    every = total(quantity for _, quantity in hours)
    return total(quantity for line, quantity in hours if line.is_committed) / every if every else None


def _used_share(lines: Sequence[Line]) -> Decimal | None:
    """Return the share of what the account's commitments cost that something used."""
    used = total(line.effective_usd for line in lines if line.is_committed)
    every = used + total(line.effective_usd for line in lines if line.kind == "unused")
    return used / every if every else None


def _untagged_share(compared: _Compared) -> Decimal | None:
    usage = [(line.effective_usd, place) for line, place in compared.placed if line.kind == "usage"]
    every = total(usd for usd, _ in usage)
    return total(usd for usd, place in usage if place == "untagged") / every if every else None


def _invoice(compared: _Compared, actual_usd: Decimal) -> tuple[tuple[str, Decimal], ...]:
    """Return what leads from the cost in scope to what was billed. Raises AssertionError if it does not add up."""
    rows: dict[str, Decimal] = dict.fromkeys(ROWS, NOTHING) | {IN_SCOPE: actual_usd}
    for line, place in compared.placed:
        if line.kind == "usage":
            if place != "mine":
                rows[UNTAGGED if place == "untagged" else OTHERS] += line.effective_usd
        elif line.kind != "unused" or place == "other":
            rows[KINDS[line.kind]] += line.effective_usd
    effective = total(line.effective_usd for line, _ in compared.placed)
    billed = total(line.billed_usd for line, _ in compared.placed)
    rows[TIMES] = billed - effective
    if abs(total(rows.values()) - billed) > DUST:
        raise AssertionError("the parts do not add up to the invoice")
    return tuple((words, usd) for words, usd in rows.items() if words == IN_SCOPE or abs(usd) > DUST)


def _is_final(lines: Iterable[Line]) -> bool | None:
    told = [line.is_final for line in lines if line.is_final is not None]
    return all(told) if told else None


def _notes(compared: _Compared, asked: Asked, application: str) -> Iterator[str]:
    """Yield what whoever reads the comparison should know of it."""
    scope, by_service = asked.scope, compared.matcher.by_service
    usage = [(line, place) for line, place in compared.placed if line.kind == "usage"]
    if not scope.tags and not scope.accounts and not by_service:
        found = any(line.tags.get(APPLICATION) == application for line, _ in usage)
        tag = f"--tag {APPLICATION}={application}" if found else "--tag NAME=VALUE or --account ID"
        yield f"the whole bill is taken for this application: {tag} limits it"
    if (scope.tags or scope.accounts) and not any(place == "mine" for _, place in usage):
        yield f"no line of the bill is {scope.words}: is the tag activated for cost allocation?"
    if by_service:
        yield (
            "the bill has totals of services and no amounts, so usage, mix, price and commitments cannot be told "
            "apart: FOCUS or a cost and usage report tells them"
        )
    elif any(match.pool is not None and match.quantity is None for _, match in compared.matched):
        yield "some lines have no amounts: their usage, mix and price cannot be told apart"
    if told := sum(line.row_count for line, match in compared.matched if match.by):
        yield f"no usage type says what they are: {counted(told, 'row')} told by SKU or description"


def figures_of(found: Actuals) -> dict[str, Decimal | None]:
    """Return the figures that gates may ask of a month; None of one that it does not have."""

    def percent(usd: Decimal) -> Decimal | None:
        return usd * 100 / found.plan_usd if found.plan_usd else None

    return {
        "variance_usd.total": found.difference_usd,
        "variance_percent.total": found.percent,
        **{f"variance_usd.{part}": usd for part, usd in found.parts_usd.items()},
        **{f"variance_percent.{part}": percent(usd) for part, usd in found.parts_usd.items()},
        "actual_usd.total": found.actual_usd,
        "actual_usd_per_1000_users_month": found.unit_cost_usd[1],
        "unplanned_usd": found.parts_usd["unplanned"],
        "untagged_share": found.untagged_share,
        "commitment_coverage": found.covered_share,
        "commitment_utilization": found.used_share,
    }


def _verdicts(found: Actuals, scenario: Scenario, asked: Sequence[str]) -> tuple[Verdict, ...]:
    """Return a verdict for each limit of the scenario on what a bill tells, and for each that was asked for."""
    figures = figures_of(found)
    gates = [(name, *_limit(limit)) for name in scenario.gates if name in FIGURES for limit in scenario.gates[name]]
    gates += [_gate(text) for text in asked]
    return tuple(_verdict(name, symbol, limit, figures[name]) for name, symbol, limit in dict.fromkeys(sorted(gates)))


def _limit(text: str) -> tuple[str, Decimal]:
    symbol, _, limit = text.partition(" ")
    return symbol, Decimal(limit)


def _gate(text: str) -> tuple[str, str, Decimal]:
    match = _GATE.fullmatch(text)
    if match is None:
        raise UsageError(f'--gate {text}: write FIGURE LIMIT, such as --gate "variance_percent.total < 12"')
    name, symbol, limit = match.groups()
    if name not in FIGURES:
        known = ", ".join(FIGURES)
        raise UsageError(f"--gate {text}: no figure {name!r} of a bill{did_you_mean(name, list(FIGURES))}; {known}")
    return name, symbol, Decimal(limit)


def _verdict(name: str, symbol: str, limit: Decimal, value: Decimal | None) -> Verdict:
    if value is None:
        return Verdict(name, symbol, limit, None, "unjudged", "this bill does not tell it")
    return Verdict(name, symbol, limit, value, "pass" if OPERATORS[symbol](value, limit) else "fail")
