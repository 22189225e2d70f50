"""What engineers and auditors read of a plan: every line of the bill, assumption, requirement, gate, price and task."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

from cascade_plan.model.bill import NOTHING, Amounts, Item, Missing, Unpriced
from cascade_plan.model.fleet import NodeGroup
from cascade_plan.model.margin import CPU, CPU_MS, DATABASE
from cascade_plan.model.outlook import Outlook, Point, Sensitivity
from cascade_plan.model.paper import Paper
from cascade_plan.model.plan import Plan, Verdict
from cascade_plan.model.price import UNITS, caveat
from cascade_plan.model.terms import BreakEven
from cascade_plan.model.titles import title
from cascade_plan.reports import _words as words
from cascade_plan.reports._marked import bars, code, escaped, paragraph, table, xychart
from cascade_plan.reports._relaxed import section
from cascade_plan.reports.plans import _facts as facts
from cascade_plan.reports.plans._answer import sentence
from cascade_plan.reports.plans._details import details
from cascade_plan.reports.plans._rollout import phases
from cascade_plan.reports.provenance import overall, where_from
from cascade_plan.units import HOURS_PER_MONTH

FIRST_FINDINGS: Final = 3
CHART_STEP: Final = 2
"""Every second point of the curve is drawn: more categories than ten would print over each other."""
CHART_REACH: Final = 4
"""The chart goes from the scenario's own users over this to as many times them: beyond, the ends squash the rest."""


def appendix(plan: Plan, paper: Paper | None) -> list[str]:
    """Return the lines of what engineers and auditors read: every line of the bill, assumption, gate and price.

    Below a first page its decisions are here in detail.
    """
    parts = (
        _head, _unit_cost, _band, _currency, _tiers, _items, _unrequested, _commitments, _outlook, _prices, _unpriced,
        _gates, _findings, _rollout, _found,
    )  # fmt: skip
    name = "Cost report" if paper is None else "Appendix"
    title_ = f"# {name}: {escaped(plan.scenario.name)}"
    detailed = [] if paper is None else details(paper)
    return [title_, "", *detailed, *(line for part in parts for line in part(plan))]


def _head(plan: Plan) -> Iterator[str]:
    scenario, users = plan.scenario, plan.scenario.users
    yield from (f"**{escaped(sentence(plan))}** Gates: {facts.gate_counts(plan)}.", "")
    if margin := _margin(plan):
        yield from (escaped(margin), "")
    if scenario.description:
        yield from (paragraph(scenario.description), "")
    registered = f", {words.count(users.registered)} registered" if users.registered else ""
    yield escaped(
        f"Planned for {words.count(users.peak)} users at peak and {words.count(users.average)} on average{registered}, "
        f"in {scenario.cloud} {scenario.region}, at prices of {_dates(plan)} from the book {plan.book}. "
        f"All amounts are US dollars for a month of {scenario.hours_per_month} hours, before taxes."
    )
    yield ""
    if growth := facts.first_year_words(plan):
        yield from (escaped(growth), "")


def _margin(plan: Plan) -> str:
    """Return up to what CPU time and database time every load keeps its limits; "" where none has any."""
    if (cpu := plan.figures.get(CPU)) is None:
        return ""
    database = plan.figures.get(DATABASE)
    beside = f", or {words.count(database.value)} times the database time" if database is not None else ""
    assumed = "" if _is_measured(plan) else "; what is planned with is an assumption, to be measured"
    return (
        f"Every load keeps its limits up to {words.count(plan.figures[CPU_MS].value)} ms of CPU a request, "
        f"{words.count(cpu.value)} times what is planned with{beside}{assumed}."
    )


def _is_measured(plan: Plan) -> bool:
    """Return whether the CPU time of any action was measured on the system itself."""
    known = plan.scenario.calibration
    return isinstance(known, dict) and any(path.endswith(".cpu_ms") for path in known)


def _dates(plan: Plan) -> str:
    return words.date_span(item.as_of for item in plan.bill.items)


def _unit_cost(plan: Plan) -> Iterator[str]:
    budget, rows = plan.scenario.budget, []
    for name, meaning in facts.USERS.items():
        figure = plan.figures.get(f"cost_usd_per_1000_{name}_users_month")
        if figure is not None:
            users = words.count(getattr(plan.scenario.users, name))
            judged = "yes" if name == budget.users else ""
            rows.append((meaning, users, facts.total(plan, facts.money(figure.value)), judged))
    yield from ("## Cost per 1000 users", "")
    yield from (
        f"The month's cost at the {budget.level} level ({facts.level_words(plan)}), divided by thousands of users.",
        "",
    )
    yield from table(("Divided by", "Users", "Cost per 1000 a month", "Judged by the budget"), rows, (1, 2))


def _band(plan: Plan) -> Iterator[str]:
    yield from ("## Cost a month", "", "Effective is what is paid after commitments; list is all on demand.", "")
    chosen = plan.scenario.budget.users
    users = getattr(plan.scenario.users, chosen)
    rows = []
    for level, meaning in facts.LEVELS.items():
        cost, listed = getattr(plan.bill.effective_usd, level), getattr(plan.bill.list_usd, level)
        per_1000 = facts.total(plan, cost * 1000 / users)
        rows.append((level, meaning, facts.total(plan, cost), facts.total(plan, listed), per_1000))
    headers = ("Level", "Meaning", "Effective", "List price", f"Effective per 1000 {facts.USERS[chosen]}")
    yield from table(headers, rows, (2, 3, 4))


def _currency(plan: Plan) -> Iterator[str]:
    if (currency := plan.scenario.currency) is None:
        return
    chosen = plan.scenario.budget.users
    users = getattr(plan.scenario.users, chosen)
    yield from (f"## Cost a month in {currency.code}", "")
    yield from (
        escaped(
            f"At {facts.rate(currency)}. Every other amount here is US dollars; gates and budget are judged in them."
        ),
        "",
    )
    rows = []
    for level in facts.LEVELS:
        costs = (getattr(plan.bill.effective_usd, level), getattr(plan.bill.list_usd, level))
        amounts = (*costs, costs[0] * 1000 / users)
        rows.append((level, *(facts.at_least(plan) + facts.foreign(currency, amount) for amount in amounts)))
    headers = ("Level", "Effective", "List price", f"Effective per 1000 {facts.USERS[chosen]}")
    yield from table(headers, rows, (1, 2, 3))


def _tiers(plan: Plan) -> Iterator[str]:
    whole = plan.bill.effective_usd
    missing = {part.tier: part for part in plan.bill.missing("average")}
    costs = _largest_first(facts.tier_costs(plan), missing)
    yield from ("## Cost by tier", "")
    before = whole.average + sum((part.usd_per_month or 0 for part in missing.values()), Decimal(0))
    is_known = all(part.share is not None for part in missing.values())
    rows = []
    for tier, cost in costs.items():
        lacks = missing.get(tier)
        least = "" if lacks is None else "at least "
        floor, average, peak, ceiling = (
            "no price" if lacks and not level else least + words.usd(level)
            for level in (cost.floor, cost.average, cost.peak, cost.ceiling)
        )
        share = facts.share_cell(
            cost.average / before if before and is_known else None, None if lacks is None else lacks.share
        )
        rows.append((title(tier), floor, average, share, peak, ceiling))
    levels = (whole.floor, whole.average, whole.peak, whole.ceiling)
    floor, average, peak, ceiling = (facts.total(plan, level) for level in levels)
    lacked = sum(part.share or 0.0 for part in missing.values())
    share = facts.share_cell(whole.average / before if before and is_known else None, lacked)
    yield from table(
        ("Tier", "Floor", "Average", "Share of average", "Peak", "Ceiling"),
        [*rows, ("Total", floor, average, share, peak, ceiling)],
        range(1, 6),
    )
    if missing:
        named = ", ".join(map(str, missing.values()))
        yield from (escaped(f"Not priced: {named}. Shares count it at on-demand prices, where they are known."), "")
    if whole.average > 0:
        chart = "Cost by tier, the average column of the table"
        priced = {tier: each.average for tier, each in costs.items() if each.average}
        yield from bars(chart, [title(tier) for tier in priced], "USD a month", [*priced.values()])


def _largest_first(costs: Mapping[str, Amounts], missing: Mapping[str, Missing]) -> dict[str, Amounts]:
    """Return the cost of each tier, the largest first with what it would cost on demand; unknown ones before all."""

    def place(tier: str) -> tuple[bool, Decimal]:
        lacks = missing.get(tier)
        known = Decimal(0) if lacks is None else lacks.usd_per_month
        return known is not None, -(costs.get(tier, NOTHING).average + (known or 0))

    return {tier: costs.get(tier, NOTHING) for tier in sorted({**costs, **dict.fromkeys(missing)}, key=place)}


def _items(plan: Plan) -> Iterator[str]:
    yield from ("## Line items", "")
    yield from ("Quantity x unit price = cost, exactly; amounts are shown rounded to cents.", "")
    rows = [_item_row(item) for item in plan.bill.items]
    rows.append(("Total", "", "", "", "", facts.total(plan, plan.bill.effective_usd.average), ""))
    headers = ("Item", "Quantity at average", "Unit", "Unit price", "List price", "Cost at average", "Price as of")
    yield from table(headers, rows, (1, 3, 4, 5))


def _item_row(item: Item) -> tuple[str, ...]:
    return (
        item.name,
        words.count(item.quantity.average),
        UNITS.get(item.unit, item.unit),
        words.unit_price(item.price_usd),
        words.unit_price(item.list_price_usd),
        words.usd(item.cost_usd.average),
        item.as_of,
    )


def _unrequested(plan: Plan) -> Iterator[str]:
    yield from ("## Capacity that nothing requests", "")
    groups = [group for group in plan.groups if facts.unrequested(group)]
    if not groups:
        yield from ("No group of this plan has a share that is known.", "")
        return
    yield from (
        "For information: the share of each group's CPU or memory, whichever is fuller, that nothing requests at the "
        "scenario's peak, and what that share costs: headroom for a lost node as much as waste. How busy the servers "
        f"are when every user at peak acts is another thing, and stands beside it.{_managed(plan)}",
        "",
    )
    rows = []
    for group in groups:
        cost = facts.group_cost(plan, group)
        share = None if cost is None else cost * Decimal(str(group.unrequested_share))
        rows.append((group.name, facts.unrequested(group), facts.busy(plan, group), _cost(cost), _cost(share)))
    headers = ("Group", "Not requested", "Busy at peak", "Instances a month", "Not requested part of it")
    yield from table(headers, rows, (1, 2, 3, 4))


def _managed(plan: Plan) -> str:
    """Return a sentence on the groups whose share is not known, where there are some."""
    kinds = dict.fromkeys(f"{group.offer.what}s" for group in plan.groups if not facts.unrequested(group))
    return f" For managed {' and '.join(sorted(kinds, reverse=True))} the rules do not compute it." if kinds else ""


def _cost(amount: Decimal | None) -> str:
    return "no price" if amount is None else words.usd(amount)


def _commitments(plan: Plan) -> Iterator[str]:
    yield from ("## Commitments", "")
    if any(group.terms for group in plan.groups):
        yield from (
            "A commitment is to a share of the instances at a level of the autoscaler, of those that run all month "
            "(the floor) unless the scenario says otherwise. A reservation is bought for whole instances of the "
            "running size or a smaller one, a savings plan for dollars an hour; spot is a share of what runs; the "
            f"rest is on demand. Costs are a month's share of the term's price: {facts.SPREAD}.",
            "",
        )
    else:
        yield from ("Nothing is committed: every instance is paid on demand.", "")
    headers = (
        "Group",
        "Paid",
        "Committed instances",
        "Not committed at average",
        "Cost at average",
        "Saved against list",
    )
    yield from table(headers, [_commitment_row(plan, group) for group in plan.groups], (2, 3, 4, 5))
    if facts.is_committed(plan):
        yield from _covered(plan)
        yield from _bought(plan)


def _commitment_row(plan: Plan, group: NodeGroup) -> tuple[str, ...]:
    lines: list[Item | Unpriced] = [*plan.bill.items, *plan.bill.unpriced]
    committed = sum((line.covered_count for line in lines if line.group == group.name), Decimal(0))
    cost = facts.group_cost(plan, group)
    listed = sum((item.list_cost_usd.average for item in facts.group_items(plan, group)), Decimal(0))
    return (
        f"{group.name} ({group.shape.name})",
        facts.paid(group),
        words.count(committed),
        words.count(max(Decimal(0), Decimal(str(group.count.average)) - committed)),
        _cost(cost),
        "" if cost is None else words.usd(listed - cost),
    )


def _covered(plan: Plan) -> Iterator[str]:
    """Yield what share of the running hours is committed to, and how much of the commitments is used."""
    rows = facts.coverage(plan)
    if rows:
        yield from (
            "Coverage is the share of the instance hours that commitments pay for, utilization the share of the "
            "commitments that is used; both are weighed at on-demand prices.",
            "",
        )
        yield from table(facts.COVERAGE_HEADERS, rows, range(2, 6))


def _bought(plan: Plan) -> Iterator[str]:
    """Yield what each commitment costs upfront and when it breaks even."""
    yield from (
        f"Paid upfront, once: {facts.upfront_total(plan)}. A commitment is cheaper than on demand when an instance "
        "runs at least the hours a month below (of 730); what is paid upfront has been saved after the months below, "
        "for an instance that runs all month. Where the book has no upfront, it follows from the effective rate.",
        "",
    )
    headers = (
        "Commitment",
        "Bought",
        "Upfront of one",
        "Upfront",
        "Breaks even at hours a month",
        "Upfront saved after",
    )
    rows = [
        _bought_row(item, item.break_even)
        for item in plan.bill.items
        if item.break_even is not None and item.bought_count
    ]
    yield from table(headers, rows, (1, 2, 3, 4, 5))


def _bought_row(item: Item, even: BreakEven) -> tuple[str, ...]:
    never = even.hours_per_month > HOURS_PER_MONTH
    total = item.upfront_total_usd
    if item.upfront_usd == 0:
        months = "nothing upfront"
    elif even.upfront_months is None:
        months = "not known" if item.upfront_usd is None else "not within its term"
    else:
        months = f"{words.count(even.upfront_months)} months"
    return (
        item.name,
        facts.bought(item),
        "not known" if item.upfront_usd is None else words.usd(item.upfront_usd),
        "not known" if total is None else words.usd(total),
        "never: dearer than on demand" if never else words.count(even.hours_per_month),
        months,
    )


# The outlook: assumptions, requirements, users


def _outlook(plan: Plan) -> Iterator[str]:
    if plan.outlook is not None:
        yield from _sensitivities(plan, plan.outlook)
        yield from _relaxed(plan)
        yield from _curve(plan, plan.outlook.curve)


def _relaxed(plan: Plan) -> Iterator[str]:
    if plan.why_not is not None:
        yield from section(plan.why_not)


def _sensitivities(plan: Plan, outlook: Outlook) -> Iterator[str]:
    yield from ("## Assumptions that most change the answer", "")
    if not outlook.sensitivities:
        yield from ("No single value of the scenario changes the cost when it is halved or doubled.", "")
        return
    yield from ("The cost per 1000 users a month when one value is halved or doubled and all others stay.", "")
    headers = ("Value", "Now", "Halved", "Doubled", "Swing", "Kind", "Source")
    yield from table(headers, [_sensitivity_row(plan, row) for row in outlook.sensitivities], (1, 2, 3, 4))


def _sensitivity_row(plan: Plan, row: Sensitivity) -> tuple[str, ...]:
    return (
        code(row.path),
        words.count(row.value),
        _side(plan, row.value_halved, row.cost_usd_per_1000_users_month_halved),
        _side(plan, row.value_doubled, row.cost_usd_per_1000_users_month_doubled),
        words.usd(row.swing_usd_per_1000_users_month),
        row.kind,
        row.source,
    )


def _side(plan: Plan, value: float | None, cost: Decimal | None) -> str:
    return "" if value is None or cost is None else f"{facts.total(plan, cost)} (at {words.count(value)})"


def _limit(verdict: Verdict) -> str:
    return f"{facts.LIMITS[verdict.operator]} {words.unit_price(verdict.limit)}"


def _curve(plan: Plan, curve: Sequence[Point]) -> Iterator[str]:
    verdict, chosen = facts.cost_verdict(plan), plan.scenario.budget.users
    if len(curve) < 2:
        return
    yield from ("## Cost per 1000 users over the number of users", "")
    drawn = _drawn(curve, plan.scenario.users.peak)
    title, lines = f"Cost per 1000 {chosen} users a month", [[each.cost_usd_per_1000_users_month for each in drawn]]
    if verdict is not None:
        yield from (escaped(_crossing(curve, verdict)), "")
        title, lines = f"{title}, with the limit as the flat line", [*lines, [verdict.limit] * len(drawn)]
    if len(drawn) > 1:
        users = ("users at peak (logarithmic)", [_short(point.users_peak) for point in drawn])
        yield from xychart(title, users, "USD a month per 1000 users", lines)
        headers = ("Users at peak", "On average", "Cost per 1000 a month", "Cost a month")
        yield from table(headers, [_point_row(point) for point in drawn], range(4))


def _crossing(curve: Sequence[Point], verdict: Verdict) -> str:
    """Return where between the curve's ends the limit is kept, at the scenario's ratio of average to peak."""
    ends = f"Between {words.count(curve[0].users_peak)} and {words.count(curve[-1].users_peak)} users at peak"
    limit = f"the limit ({_limit(verdict)})"
    kept = [point for point in curve if point.complete and words.keeps(point.cost_usd_per_1000_users_month, verdict)]
    if not kept:
        lowest = min(curve, key=lambda point: point.cost_usd_per_1000_users_month)
        cost = ("" if lowest.complete else "at least ") + words.usd(lowest.cost_usd_per_1000_users_month)
        return f"{ends} {limit} is never kept; the lowest cost is {cost}, at {words.count(lowest.users_peak)} users."
    first = f"{words.count(kept[0].users_peak)} users at peak ({words.count(kept[0].users_average)} on average)"
    if list(curve[-len(kept) :]) == kept:
        return f"{ends} {limit} is kept from {first} on."
    return f"{ends} {limit} is kept in places, first at {first}: with each further node the cost rises above it again."


def _point_row(point: Point) -> tuple[str, ...]:
    at_least = "" if point.complete else "at least "
    costs = (point.cost_usd_per_1000_users_month, point.cost_usd_per_month)
    return words.count(point.users_peak), words.count(point.users_average), *(at_least + words.usd(c) for c in costs)


def _drawn(curve: Sequence[Point], peak: int) -> list[Point]:
    """Return every second point of those around the scenario's own users."""
    least, most = round(peak / CHART_REACH), peak * CHART_REACH
    near = [point for point in curve if least <= point.users_peak <= most]
    own = next((index for index, point in enumerate(near) if point.users_peak == peak), 0)
    return [point for index, point in enumerate(near) if (index - own) % CHART_STEP == 0]


def _short(users: int) -> str:
    """Return a number of users in three digits: 950, 1.26k, 10k, 1.5M."""
    for factor, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if users >= factor:
            return f"{users / factor:.3g}{letter}"
    return str(users)


# Prices, gates, findings


def _prices(plan: Plan) -> Iterator[str]:
    cloud, items = plan.scenario.cloud, plan.bill.items
    counts = f" Lines of the bill: {overall(items, cloud)}." if items else ""
    yield from ("## Prices", "", escaped(f"The prices are of {_dates(plan)}.{counts}"), "")
    lines = Counter(where_from(item, cloud) for item in items)
    yield from table(("Where the price is from", "Lines"), [(text, str(lines[text])) for text in sorted(lines)], (1,))
    yield from _not_bundled(plan)
    weak = [(item, said) for item in plan.bill.items if (said := caveat(item.note))]
    if weak:
        yield from ("Prices with a caveat:", "")
        yield from table(
            ("Item", "Unit price", "Caveat"),
            [(item.name, words.unit_price(item.price_usd), said) for item, said in weak],
            (1,),
        )


def _not_bundled(plan: Plan) -> Iterator[str]:
    """Yield the lines whose price did not come with the program, by where it came from instead."""
    names: dict[str, list[str]] = {}
    for item in plan.bill.items:
        if item.origin != "bundled":
            names.setdefault(item.origin, []).append(f"{item.name} ({item.note})" if item.note else item.name)
    if names:
        listed = (f"{origin}: {'; '.join(lines)}" for origin, lines in sorted(names.items()))
        yield from (f"- {paragraph(line)}" for line in listed)
        yield ""


def _unpriced(plan: Plan) -> Iterator[str]:
    yield from ("## What the bill leaves out", "")
    if plan.bill.unpriced:
        yield from ("The book has no price for these lines, so every total is at least:", "")
        rows = [
            (
                line.name,
                words.count(line.quantity.average),
                UNITS.get(line.unit, line.unit),
                str(line.key),
            )
            for line in plan.bill.unpriced
        ]
        yield from table(("Item", "Quantity at average", "Unit", "Price wanted"), rows, (1,))
    else:
        yield from ("Every line of the bill has a price. Outside the bill stay:", "")
    if plan.bill.unpriced and plan.bill.not_priced:
        yield from ("Outside the bill stay:", "")
    yield from (f"- {paragraph(words_)}" for words_ in plan.bill.not_priced)
    yield ""


def _gates(plan: Plan) -> Iterator[str]:
    yield from ("## Gates", "")
    results = {"pass": "✓ met", "fail": "✗ missed", "unjudged": "? not judged"}
    rows = [
        (
            results[verdict.status],
            code(f"{verdict.figure} {words.limit_text(verdict)}"),
            words.measured(verdict),
            verdict.reason,
        )
        for verdict in plan.verdicts
    ]
    yield from table(("Result", "Gate", "Figure", "Reason"), rows, (2,))


def _findings(plan: Plan) -> Iterator[str]:
    yield from ("## Findings", "")
    if not plan.findings:
        yield from ("None.", "")
        return
    rows = [(finding.severity, finding.words, finding.where) for finding in facts.warnings_first(plan)]
    yield from table(("Severity", "Finding", "Where"), rows)


def _rollout(plan: Plan) -> Iterator[str]:
    yield from ("## Rollout", "", *phases(plan))


# Appendix


def _listed(sources: str) -> str:
    return "; ".join(part.strip() for part in sources.split(";") if part.strip())


def _found(plan: Plan) -> Iterator[str]:
    """Yield where each line's price can be looked up again, and the sources that give the same figure."""
    if not plan.bill.items:
        return
    yield from ("## Where each price was found", "")
    yield from ("An appendix for who wants to check a price: what it was read in and what else gives the same.", "")
    rows = [
        (item.name, str(item.key), words.unit_price(item.price_usd), item.source, item.sku, _listed(item.confirmed_by))
        for item in plan.bill.items
    ]
    yield from table(("Item", "Price for", "Unit price", "Found in", "SKU", "Confirmed by"), rows, (2,))
