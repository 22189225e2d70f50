"""Rows, one after the other -> what they come to: totals, the worst, failures, and what buying together saves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from typing import Any, Final

from cascade_plan.choosing.portfolio.gates import Limit, judged
from cascade_plan.choosing.portfolio.sharing import BookOf, added, shared, summed
from cascade_plan.model.bill import NOTHING, Amounts
from cascade_plan.model.portfolio import PORTFOLIO_SCHEMA_VERSION, REGION, Failure, Portfolio, Row, Total

WORST: Final = 10
"""Systems that are named as the worst."""
SHOWN: Final = 5
"""Failures of one exit code whose messages are kept."""


@dataclass(slots=True)
class _Sum:
    """A total that still grows."""

    system_count: int = 0
    failed_count: int = 0
    incomplete_count: int = 0
    over_budget_count: int = 0
    missed_count: int = 0
    users_peak: int = 0
    users_average: int = 0
    cost_usd_per_month: Amounts = NOTHING
    judged_usd_per_month: Decimal = Decimal(0)

    def add(self, row: Row) -> None:
        self.system_count += 1
        if row.cost_usd_per_month is None:
            self.failed_count += 1
            return
        self.incomplete_count += not row.is_complete
        self.over_budget_count += _is_over(row)
        self.missed_count += bool(row.missed)
        self.users_peak += row.users_peak
        self.users_average += row.users_average
        self.cost_usd_per_month = self.cost_usd_per_month.plus(row.cost_usd_per_month)
        self.judged_usd_per_month += row.judged_usd

    def without(self, parts: Iterable[_Sum]) -> _Sum:
        """Return what is in none of the parts."""
        left = replace(self)
        for part in parts:
            for each in fields(part):
                whole, one = getattr(left, each.name), getattr(part, each.name)
                setattr(left, each.name, whole.minus(one) if isinstance(whole, Amounts) else whole - one)
        return left

    def total(self, by: str, name: str) -> Total:
        given: dict[str, Any] = {each.name: getattr(self, each.name) for each in fields(self)}
        return Total(by, name, **given)


def _is_over(row: Row) -> bool:
    over = row.over_usd
    return over is not None and over >= 0


@dataclass(slots=True)
class Totals:
    """What the rows so far come to: no more of them is kept than is said of them in the end."""

    all: _Sum = field(default_factory=_Sum)
    by: dict[str, dict[str, _Sum]] = field(default_factory=lambda: {REGION: {}})
    worst: list[Row] = field(default_factory=list)
    failures: dict[int, tuple[int, list[tuple[str, str]]]] = field(default_factory=dict)
    counts: dict[str, list[float]] = field(default_factory=dict)
    alone: dict[str, tuple[float, float]] = field(default_factory=dict)
    buyers: dict[str, int] = field(default_factory=dict)

    def add(self, row: Row) -> None:
        """Take another row."""
        self.all.add(row)
        for by, name in (*([(REGION, row.region)] if row.region else ()), *row.tags.items()):
            self.by.setdefault(by, {}).setdefault(name, _Sum()).add(row)
        if not row.is_planned:
            count, first = self.failures.get(row.exit_code, (0, []))
            self.failures[row.exit_code] = (count + 1, [*first, (row.place, row.message)][:SHOWN])
            return
        if _is_over(row) or row.missed:
            self.worst = sorted([*self.worst, row], key=_badness)[:WORST]
        added(self.counts, row.hourly_count)
        for term, (committed, usd) in row.alone_usd_per_hour.items():
            so_far = self.alone.get(term, (0.0, 0.0))
            self.alone[term] = (so_far[0] + committed, so_far[1] + usd)
            self.buyers[term] = self.buyers.get(term, 0) + 1

    def portfolio(self, question: str, limits: Sequence[Limit], book_of: BookOf) -> Portfolio:
        """Return what all rows come to, judged by limits on the whole."""
        total = self.all.total("", "")
        bought = tuple(shared(summed(self.counts), self.alone, self.buyers, book_of))
        return Portfolio(
            PORTFOLIO_SCHEMA_VERSION,
            question,
            tuple(self._prices(book_of)),
            total,
            tuple(each for by in self.by for each in self._dearest_first(by)),
            tuple(self.worst),
            tuple(Failure(code, count, tuple(first)) for code, (count, first) in sorted(self.failures.items())),
            bought,
            tuple(judged(limits, total)),
        )

    def _dearest_first(self, by: str) -> list[Total]:
        """Return the totals of a tag, the dearest first, and last those of systems without it."""
        sums = self.by[by]
        found = [each.total(by, name) for name, each in sums.items()]
        found.sort(key=lambda total: (-total.judged_usd_per_month, total.name))
        rest = self.all.without(sums.values())
        return [*found, rest.total(by, "")] if rest.system_count else found

    def _prices(self, book_of: BookOf) -> Iterator[str]:
        places = {tuple(name.split(" ")[:2]) for name in self.counts}
        yield from sorted({book_of(cloud, region).name for cloud, region in places})


def _badness(row: Row) -> tuple[Decimal, int, Decimal, str]:
    """Return what the worst has least of: furthest over its budget, most limits missed, dearest."""
    over = row.over_usd
    return (-max(Decimal(0), over or Decimal(0)), -len(row.missed), -row.judged_usd, row.place)
