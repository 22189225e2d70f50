"""The first page of the report: what finance approves, decides and signs, in words that need no engineer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final

from cascade_plan.model.difference import Differences
from cascade_plan.model.paper import CHANGE, COMMIT, KEEP_LESS, Decision, Paper, PaperYear
from cascade_plan.model.plan import Plan
from cascade_plan.model.titles import called
from cascade_plan.reports import _words as words
from cascade_plan.reports._marked import escaped, table
from cascade_plan.reports.plans import _facts as facts
from cascade_plan.reports.plans._answer import times
from cascade_plan.reports.provenance import overall

Draw = Callable[[str], Iterator[str]]
"""Name of a chart -> the lines that show it."""
MONTHS, WATERFALL, USERS = CHARTS = ("cost-over-months", "waterfall", "cost-over-users")
CAUSES: Final = 3
"""Parts of the system that are named as causes."""
DECISIONS: Final = 3
ASSUMPTIONS: Final = 3
OWNERS: Final = ("owner", "team")
"""Tags of a scenario that say who answers for the money."""
PLAIN: Final = {
    "active_share": "share of the users who are active at once",
    "average": "users on average",
    "peak": "users at the busiest time",
    "think_time_s": "pause between two actions of a user",
    "cpu_ms": "computing time of a request",
    "object_bytes": "size of what users upload",
    "hit_ratio": "share that is answered from memory",
    "minimum_nodes": "fewest machines",
    "users_per_node": "users that a machine serves",
    "hours_per_month": "hours of a month",
}
"""A name in a value's path -> what it is for who does not know the system."""


def page(plan: Plan, paper: Paper, draw: Draw) -> Iterator[str]:
    """Yield the page's lines in Markdown; `draw` yields those of a chart."""
    yield from (f"# {escaped(plan.scenario.name)}: what it costs and what to decide", "")
    for part in (_ask, _verdict, _years, _causes, _decided, _unit, _sure, _basis):
        yield from part(plan, paper)
    drawn = [line for name in CHARTS for line in draw(name)]
    if drawn:
        yield from ("## Charts", "", *drawn)


def dollars(amount: Decimal) -> str:
    """Return whole dollars."""
    return words.dollars(f"{amount:z,.0f}")


def asked(paper: Paper) -> tuple[PaperYear, Decimal]:
    """Return the first whole fiscal year, or else the first, and what to approve for it: the forecast and a buffer."""
    year = next((each for each in paper.years if each.month_count == 12), paper.years[0])
    buffer = Decimal(str(paper.forecast.scenario.forecast.buffer_percent)) / 100
    hundreds = (year.effective_usd * (1 + buffer) / 100).to_integral_value("ROUND_CEILING")
    return year, hundreds * 100


def year_name(paper: Paper, year: PaperYear) -> str:
    """Return what a fiscal year is called: FY2027, with its months where not all of them are here."""
    if year.year is None:
        return f"{year.month_count} months"
    return f"FY{year.year}" + ("" if year.month_count == 12 else f" ({year.month_count} months)")


def owner(plan: Plan) -> str:
    """Return who answers for the money."""
    tags = plan.scenario.tags
    found = next((tags[name] for name in OWNERS if name in tags), "")
    return found or "not named (the scenario's tags.owner)"


def _ask(plan: Plan, paper: Paper) -> Iterator[str]:
    year, amount = asked(paper)
    buffer = f"{paper.forecast.scenario.forecast.buffer_percent:g} %"
    upfront = sum((each.upfront_usd for each in paper.schedule.orders), Decimal(0))
    first = paper.months[0].start
    is_within = not upfront or year.year == paper.years[0].year
    where = f" ({dollars(upfront)} of it at once, in {first:%B %Y})" if upfront and is_within else ""
    before = "" if is_within else f" {dollars(upfront)} more is paid before it, in {first:%B %Y}."
    yield (
        f"**Approve {dollars(amount)} for {escaped(year_name(paper, year))}:** {dollars(year.effective_usd)} forecast "
        f"with the commitments below, and {buffer} in reserve. What is paid in that year is {dollars(year.cash_usd)}"
        f"{where}.{before}"
    )
    yield ""
    yield (
        f"Owner: {escaped(owner(plan))}. Plan {paper.identifier}, by cascade-plan {paper.version}. "
        f"{escaped(plan.scenario.description)}".rstrip()
    )
    yield ""


def _verdict(plan: Plan, paper: Paper) -> Iterator[str]:
    answer, users = plan.answer, plan.scenario.users
    month = dollars(answer.cost_usd_per_month)
    people = f"{words.count(users.peak)} users at the busiest time"
    yield from ("## Verdict", "")
    if (most := answer.budget_usd_per_month) is None:
        yield f"There is no budget to hold it against. Today it costs {month} a month, for {people}."
    elif answer.cost_usd_per_month >= most:
        over = dollars(answer.cost_usd_per_month - most)
        factor = f"{times(answer.cost_usd_per_month, most)} times as much" if most else "more"
        yield (
            f"**Over budget.** Today it costs {month} a month, for {people}; the budget is {dollars(most)}. That is "
            f"{factor}: {over} a month unfavourable."
        )
    elif answer.status == "not_judged":
        yield f"**Not judged.** A price is missing: {month} a month is the least, and the budget is {dollars(most)}."
    else:
        spare = dollars(most - answer.cost_usd_per_month)
        yield (
            f"**Within budget.** Today it costs {month} a month, for {people}; the budget is {dollars(most)}: "
            f"{spare} a month favourable."
        )
    yield ""


def _years(plan: Plan, paper: Paper) -> Iterator[str]:
    first, last = paper.months[0], paper.months[-1]
    yield from (f"## Month, years and all {len(paper.months)} months", "")
    rows = [
        (
            f"{first.start:%B %Y}",
            words.count(first.users_peak),
            dollars(first.without_usd),
            dollars(first.effective_usd),
            dollars(first.cash_usd),
            *_against(first.effective_usd, first.budget_usd),
        )
    ]
    rows += [
        (
            year_name(paper, year),
            words.count(year.users_peak),
            dollars(year.without_usd),
            dollars(year.effective_usd),
            dollars(year.cash_usd),
            *_against(year.effective_usd, year.budget_usd),
        )
        for year in (*paper.years, paper.total)
    ]
    headers = ("", "Users at its end", "Nothing bought", "With commitments", "Paid (cash)", "Budget", "Against budget")
    yield from table(headers, rows, range(1, 7))
    yield (
        f"Users go from {words.count(first.users_peak)} to {words.count(last.users_peak)}"
        f"{escaped(_growth(plan))}. With commitments: what is paid at once is spread over the time it is for; what "
        "to buy is decided anew each month. Favourable is below the budget, unfavourable above."
    )
    yield ""


def _growth(plan: Plan) -> str:
    percent = plan.scenario.growth.percent_per_month
    return f", {percent:+g} % a month" if percent else ""


def _against(cost: Decimal, budget: Decimal | None) -> tuple[str, str]:
    if budget is None:
        return "", ""
    off = f"{dollars(cost - budget)} unfavourable" if cost >= budget else f"{dollars(budget - cost)} favourable"
    return dollars(budget), off


def _causes(plan: Plan, paper: Paper) -> Iterator[str]:
    """Yield what most of the money is for, and what makes it rise."""
    found = paper.forecast
    total = found.effective_usd or Decimal(1)
    parts = [f"{called(tier)} {usd / total:.0%}" for tier, usd in list(found.tier_usd.items())[:CAUSES]]
    first, last = paper.months[0].tier_usd, paper.months[-1].tier_usd
    rises = sorted(last, key=lambda tier: first.get(tier, Decimal(0)) - last[tier])
    named = [
        f"{called(tier)} from {dollars(first.get(tier, Decimal(0)))} to {dollars(last[tier])} a month"
        for tier in rises[:CAUSES]
        if last[tier] > first.get(tier, Decimal(0))
    ]
    yield from ("## Causes", "")
    yield f"Of the whole cost: {escaped(', '.join(parts))}."
    if named:
        yield f"What rises most: {escaped('; '.join(named))}. Users become more, and what they leave is kept."
    yield ""


def _decided(plan: Plan, paper: Paper) -> Iterator[str]:
    yield from ("## Decisions", "")
    if not paper.decisions:
        yield from ("Nothing to decide: no commitment, change or limit on what is kept saves anything worth it.", "")
    else:
        months = f"Saves in {len(paper.months)} months"
        headers = ("", "Decide", months, "Paid at once", "Decide by", "Risk")
        rows = [
            (
                str(number),
                what(each, paper),
                dollars(each.saves_usd),
                dollars(each.cash_usd),
                f"{each.by:%Y-%m-%d}",
                risk(each, paper),
            )
            for number, each in enumerate(paper.decisions[:DECISIONS], 1)
        ]
        yield from table(headers, rows, (2, 3))
        if len(rows) > 1:
            yield from ("Each saving is of that decision alone: together they save less than their sum.", "")


def what(decision: Decision, paper: Paper) -> str:
    """Return what is to be decided, in a sentence."""
    if decision.kind == COMMIT:
        orders = paper.schedule.orders
        tiers = dict.fromkeys(called(tier) for order in orders for tier in order.pool.tiers)
        less = sum((order.less_usd_per_month for order in orders), Decimal(0))
        return f"Commit to what runs all the time ({', '.join(tiers)}): {dollars(less)} a month less"
    if decision.kind == KEEP_LESS:
        months = next(iter((decision.overrides or {}).values()), 0)
        return f"Keep what the {called(decision.subject)} stores for {months} months instead of for ever"
    change = paper.saving.change_usd if paper.saving is not None else Decimal(0)
    return f"Change to the cheapest system that keeps every promise: {dollars(-change)} a month less"


def risk(decision: Decision, paper: Paper) -> str:
    """Return what may go wrong with a decision, in a sentence."""
    if decision.kind == COMMIT:
        after = sum((order.after_usd for order in paper.schedule.orders), Decimal(0))
        stopped = paper.schedule.stopped
        if not stopped.on_demand_usd:
            return "It is owed whether it is used or not."
        off = stopped.orders_usd / stopped.on_demand_usd - 1
        words_ = f"saves {-off:.0%} still" if off < 0 else f"costs {off:.0%} more than nothing bought"
        owed = f" {dollars(after)} is for time after these months." if after else ""
        return f"Owed whether used or not. If users stay as many as now it {words_}.{owed}"
    if decision.kind == KEEP_LESS:
        return "What is older is gone: product and legal must agree."
    assert decision.kind == CHANGE, decision.kind
    return f"Work to change it; {_given_up(paper.saving)}"


def _given_up(saving: Differences | None) -> str:
    lost = saving is not None and any(cause.gives_up for cause in saving.causes)
    return "what is given up for it is in the appendix." if lost else "nothing that is promised is given up."


def _unit(plan: Plan, paper: Paper) -> Iterator[str]:
    name = facts.USERS[plan.scenario.budget.users].replace("concurrent ", "")
    limit = plan.scenario.budget.usd_per_1000_users_month
    yield from ("## Cost of 1000 users", "")
    firsts = [("today", _first_unit(plan))]
    firsts += [(year_name(paper, year), year.cost_usd_per_1000_users) for year in (*paper.years, paper.total)]
    rows = [(when, dollars(usd), "" if limit is None else dollars(Decimal(str(limit)))) for when, usd in firsts]
    yield from table(("", f"A month for 1000 {name}", "Limit"), rows, (1, 2))


def _first_unit(plan: Plan) -> Decimal:
    users: int = getattr(plan.scenario.users, plan.scenario.budget.users)
    return plan.answer.cost_usd_per_month * 1000 / users


def _sure(plan: Plan, paper: Paper) -> Iterator[str]:
    yield from ("## How sure", "")
    if paper.month_usd is not None:
        low, middle, high = paper.month_usd
        yield (
            f"A month costs {dollars(low)} to {dollars(high)} in eight of ten cases ({dollars(middle)} in the middle), "
            f"as what nobody has measured may turn out ({paper.draw_count} cases)."
        )
    if paper.kept_ratio is not None:
        yield (
            f"With a data centre lost the system is as fast as promised in {words.percent(paper.kept_ratio)} of these "
            "cases."
        )
    if (band := paper.forecast.band) is not None:
        low, middle, high = band.total_usd
        yield (
            f"All {len(paper.months)} months: {dollars(low)} to {dollars(high)} in eight of ten cases "
            f"({dollars(middle)} in the middle), growth unsure too."
        )
    yield ""
    found = plan.outlook.sensitivities[:ASSUMPTIONS] if plan.outlook is not None else ()
    if found:
        yield from ("What it rests on most, and what a month for 1000 users costs if it is half or twice that:", "")
        rows = [(plain(each.path), _known(each.kind), *_sides(each)) for each in found]
        yield from table(("Assumption", "Known from", "If half", "If twice"), rows, (2, 3))


def plain(path: str) -> str:
    """Return what a value of the scenario is called by who does not know the system.

    >>> plain("users.active_share"), plain("behaviour.think_time_s.max"), plain("tiers.cache.minimum_nodes")
    ('share of the users who are active at once', 'pause between two actions of a user', 'fewest machines (cache)')
    """
    *above, leaf = path.split(".")
    named = next((part for part in reversed((*above, leaf)) if part in PLAIN), leaf)
    words_ = PLAIN.get(named, named.replace("_", " "))
    of = above[-1] if above and leaf == named else ""
    return f"{words_} ({called(of)})" if of and of not in ("behaviour", "users", "tiers") else words_


def _known(kind: str) -> str:
    said = {"assumption": "nobody measured it", "scenario": "given", "cited": "a source", "plan": "the plan"}
    return said.get(kind, kind)


def _sides(each: object) -> tuple[str, str]:
    half = getattr(each, "cost_usd_per_1000_users_month_halved", None)
    twice = getattr(each, "cost_usd_per_1000_users_month_doubled", None)
    return ("" if half is None else dollars(half)), ("" if twice is None else dollars(twice))


def _basis(plan: Plan, paper: Paper) -> Iterator[str]:
    items = plan.bill.items
    dates = words.date_span(item.as_of for item in items)
    currency = plan.scenario.currency
    rate = f" {facts.rate(currency)}." if currency is not None else ""
    yield from ("## Basis", "")
    sources = f"{plan.scenario.cloud} {plan.scenario.region}; {overall(items, plan.scenario.cloud)}"
    yield escaped(
        f"Public prices of {dates} ({sources}), in US dollars before taxes, by calendar months.{rate} "
        f"Not in it: {_left_out(plan)}."
    )
    yield ""


def _left_out(plan: Plan) -> str:
    missing = [str(part) for part in plan.bill.missing(plan.scenario.budget.level)]
    said = ["taxes", "support contracts", "people"]
    return ", ".join([*said, *(f"{each} (no price)" for each in missing)]) + "; the appendix lists what else"
