"""Everything that a plan says, as tables: what stands below the first screen on request."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final, NamedTuple

from cascade_plan.model.fleet import Band, NodeGroup
from cascade_plan.model.plan import Plan
from cascade_plan.reports import _words as words
from cascade_plan.reports.plans import _facts as facts
from cascade_plan.reports.provenance import overall

PERCENTILES: Final = ("p50", "p95", "p99")


class Section(NamedTuple):
    """A table of the report."""

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[int, ...] = ()
    """Indexes of the columns that are aligned to the right."""
    dropped: tuple[int, ...] = ()
    """Indexes of the columns that a narrow page does without, the first of them first."""


def prices(plan: Plan) -> str:
    """Return of when the prices are, and from where."""
    dates = words.date_span(item.as_of for item in plan.bill.items)
    lines = overall(plan.bill.items, plan.scenario.cloud)
    return f"Prices of {dates} ({words.one_line(plan.book)}){lines and f': {lines}'}."


def sections(plan: Plan) -> list[Section]:
    """Return the report's tables; their cells are single lines of plain text."""
    return [
        _fleet(plan),
        _figures(plan),
        *_by_action(plan),
        _band(plan),
        _denominators(plan),
        *_coverage(plan),
        *_upfront(plan),
        *_currency(plan),
        Section("Outside the bill", (), tuple((words.one_line(each),) for each in plan.bill.not_priced)),
        Section("Gates", (), tuple((words.gate_line(verdict),) for verdict in plan.verdicts)),
        _findings(plan),
    ]


def _fleet(plan: Plan) -> Section:
    return Section(
        "Fleet",
        (
            "tier",
            "group",
            "shape",
            "vCPU/GiB",
            "floor",
            "avg",
            "peak",
            "ceil",
            "paid",
            "not requested",
            "busy at peak",
            "USD/month",
        ),
        tuple(_group_row(plan, group) for group in plan.groups),
        (3, 4, 5, 6, 7, 9, 10, 11),
        (3, 8, 4, 7, 0, 9, 10),
    )


def _group_row(plan: Plan, group: NodeGroup) -> tuple[str, ...]:
    cost = facts.group_cost(plan, group)
    name = f"{group.name}, multi-AZ" if "multi_zone" in group.offer.options else group.name
    return (
        group.tier,
        name,
        words.one_line(group.shape.name),
        f"{group.shape.vcpu}/{words.count(group.shape.memory_gib)}",
        *_counts(group.count),
        facts.paid(group),
        facts.unrequested(group),
        facts.busy(plan, group),
        "no price" if cost is None else words.usd(cost),
    )


def _counts(band: Band) -> tuple[str, ...]:
    return tuple(words.count(level) for level in band)


def _figures(plan: Plan) -> Section:
    """Return every figure but those that have tables of their own: costs, node counts, what commitments cover."""
    rows = tuple(
        (name, words.ends(figure), words.one_line(figure.unit))
        for name, figure in sorted(plan.figures.items())
        if not name.startswith(("cost_", "action_latency_"))
        and ".node_count" not in name
        and ".commitment_" not in name
    )
    return Section("Figures", ("figure", "value", "unit"), rows, (1,), (2,))


def _by_action(plan: Plan) -> Iterator[Section]:
    """Yield the latency of each action under each load, where there are several actions."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for name, figure in plan.figures.items():
        if name.startswith("action_latency_ms_"):
            family, load, action = name.split(".")
            found.setdefault((load, action), {})[family.rpartition("_")[2]] = words.count(figure.value)
    if found:
        rows = tuple(
            (words.one_line(load), words.one_line(action), *(cells[each] for each in PERCENTILES))
            for (load, action), cells in found.items()
        )
        headers = ("load", "action", *(f"{each} ms" for each in PERCENTILES))
        yield Section("Latency by action", headers, rows, (2, 3, 4))


def _band(plan: Plan) -> Section:
    chosen = plan.scenario.budget.users
    users = getattr(plan.scenario.users, chosen)
    rows = []
    for level, meaning in facts.LEVELS.items():
        cost = getattr(plan.bill.effective_usd, level)
        listed = getattr(plan.bill.list_usd, level)
        per_1000 = _total(plan, cost * 1000 / users)
        rows.append((level, _total(plan, cost), _total(plan, listed), per_1000, meaning))
    return Section(
        "Cost a month",
        ("level", "effective", "list price", f"per 1000 {chosen} users", "meaning"),
        tuple(rows),
        (1, 2, 3),
    )


def _total(plan: Plan, amount: Decimal) -> str:
    """Return a sum over the bill's lines in dollars, marked where a line has no price."""
    return _least(plan) + words.usd(amount)


def _least(plan: Plan) -> str:
    return "" if plan.bill.complete else "≥ "


def _denominators(plan: Plan) -> Section:
    budget, rows = plan.scenario.budget, []
    for name, meaning in facts.USERS.items():
        figure = plan.figures.get(f"cost_usd_per_1000_{name}_users_month")
        if figure is not None:
            judged = "by the budget" if name == budget.users else ""
            users = words.count(getattr(plan.scenario.users, name))
            rows.append((meaning, users, _total(plan, facts.money(figure.value)), judged))
    title = f"Cost a month per 1000 users ({budget.level} level)"
    return Section(title, ("divided by", "users", "per 1000", ""), tuple(rows), (1, 2))


def _coverage(plan: Plan) -> Iterator[Section]:
    """Yield what commitments cover of the instance hours, and how much of them is used."""
    if rows := facts.coverage(plan):
        title = "Commitments: share of instance hours that they cover, and of them that is used"
        yield Section(title, facts.COVERAGE_HEADERS, tuple(rows), (2, 3, 4, 5))


def _upfront(plan: Plan) -> Iterator[Section]:
    """Yield what is paid on the first day, where anything is committed."""
    if facts.is_committed(plan):
        rows = tuple(
            (
                words.one_line(item.name),
                facts.bought(item),
                _upfront_cell(item.upfront_usd),
                _upfront_cell(total),
            )
            for item in plan.bill.items
            if item.bought_count
            for total in (item.upfront_total_usd,)
        )
        whole = ("total", "", "", facts.upfront_total(plan))
        title = f"Paid upfront, once ({facts.SPREAD})"
        yield Section(title, ("line", "bought", "of one", "upfront"), (*rows, whole), (1, 2, 3))


def _upfront_cell(amount: Decimal | None) -> str:
    return "not known" if amount is None else words.usd(amount)


def _currency(plan: Plan) -> Iterator[Section]:
    """Yield the totals in the scenario's other currency, where it has one."""
    if (currency := plan.scenario.currency) is None:
        return
    budget, rows = plan.scenario.budget, []
    users = getattr(plan.scenario.users, budget.users)
    for level in facts.LEVELS:
        costs = (getattr(plan.bill.effective_usd, level), getattr(plan.bill.list_usd, level))
        amounts = (*costs, costs[0] * 1000 / users)
        rows.append((level, *(_least(plan) + facts.foreign(currency, amount) for amount in amounts)))
    title = f"Cost a month in {currency.code} ({facts.rate(currency)}); gates and budget are judged in USD"
    headers = ("level", "effective", "list price", f"per 1000 {budget.users} users")
    yield Section(title, headers, tuple(rows), (1, 2, 3))


def _findings(plan: Plan) -> Section:
    rows = tuple(
        (words.one_line(f"{finding.severity}: {finding.words} ({finding.where})"),)
        for finding in facts.warnings_first(plan)
    )
    return Section("Findings", (), rows)
