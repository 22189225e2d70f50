"""What commitments over a horizon take to be solved, beside HiGHS on the integer programme of the same pools.

First `cascade` over 36 months at several growths, its primary with the next size where the method slo says it is full:
what its instances cost by each way to buy, and made again each month for a growth that is assumed. Then a most that is
paid upfront, where the answer has a gap. Then pools that chance draws, and savings plans for several of them. Exits 1
where HiGHS finds a cheaper schedule of what is said to be exact, or one below a bound.
"""

# ruff: noqa: T201

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from itertools import pairwise

import highspy

from cascade_plan.choosing.buying import Market
from cascade_plan.choosing.pools import Calendar, Former, Stock, Way, later, pico
from cascade_plan.choosing.purchases import NO_LIMITS, schedule
from cascade_plan.formulas.reservations import Level, Levels, Term, bound, cheapest
from cascade_plan.inputs.scenarios import read
from cascade_plan.model.offer import Offer
from cascade_plan.model.plan import Plan
from cascade_plan.model.price import Price, PriceKey
from cascade_plan.model.purchases import Limits, Owned
from cascade_plan.model.terms import Commitment
from cascade_plan.planning.pipeline import plan

START, MONTHS = date(2027, 1, 1), 36
GROWTHS = (0.0, 4.0, 8.0, 12.0)
PRIMARIES = {53_720: "db.r5.xlarge", 108_394: "db.r6g.2xlarge", 10**12: "db.r6g.4xlarge"}
"""The most users of `cascade` that a primary is enough for by the method slo (bisected) -> the primary. The last is
kept where it is full, from 215,788 users on: at 12 % a month from month 29 on."""
MOSTS = (0, 1_000, 5_000, 20_000)
SIZES = (100, 1_000, 10_000)
CENT = 0.01
PICO = 1e-12


@dataclass(frozen=True, slots=True)
class Month:
    """A month of the horizon."""

    start: date
    hours: int
    plan: Plan


def main() -> int:
    """Print the tables, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=600, help="pools that are drawn (default %(default)s)")
    parser.add_argument(
        "--assumed", type=float, default=8.0, help="growth bought for, %% a month (default %(default)s)"
    )
    arguments = parser.parse_args()
    lost = ways(arguments.assumed)
    lost |= upfront()
    lost |= chance(arguments.cases)
    lost |= plans(arguments.cases // 4)
    large()
    return int(lost)


@cache
def planned(peak: int) -> Plan:
    """Return `cascade` for so many users."""
    given = read("cascade")
    scenario = given.scenario.with_users(peak, max(1, peak * 3 // 10))
    shape = next(shape for most, shape in PRIMARIES.items() if peak <= most)
    tiers = {**scenario.tiers, "database": scenario.tiers["database"].model_copy(update={"shape": shape})}
    return plan(scenario.model_copy(update={"tiers": tiers}), given.book, predicted=False, with_margins=False)


def months(growth: float, count: int = MONTHS, first: int = 10_000, start: date = START) -> list[Month]:
    """Return `cascade` over so many months."""
    days = [later(start, month) for month in range(count + 1)]
    peaks = [max(1, round(first * (1 + growth / 100) ** month)) for month in range(count)]
    return [
        Month(day, (after - day).days * 24, planned(peak))
        for (day, after), peak in zip(pairwise(days), peaks, strict=True)
    ]


def ways(assumed: float) -> bool:
    """Print what each way to buy costs, and return whether HiGHS found a cheaper one."""
    book, lost = read("cascade").book, False
    print(f"cascade, {MONTHS} months from {START:%Y-%m}, instances in USD; made again monthly for {assumed:g} % growth")
    heads = (
        "growth",
        "on demand",
        "all now",
        "yearly",
        "monthly",
        "ski",
        "re-made",
        "least",
        "above",
        "whole",
        "after",
    )
    print(("{:>7}" + "{:>10}" * 10 + "{:>5}{:>6}{:>7}").format(*heads, "ms", "flow", "HiGHS"))
    for growth in GROWTHS:
        horizon = months(growth)
        began = time.perf_counter()
        found = schedule(horizon, book)
        took = time.perf_counter() - began
        stocks = Former(horizon, book, NO_LIMITS).stocks()
        market = Market(stocks, tuple(stock.held for stock in stocks))
        began = time.perf_counter()
        market.deal()
        flow = time.perf_counter() - began
        began = time.perf_counter()
        solved = by_highs([stock.levels for stock in stocks], [stock.held for stock in stocks])
        solver = time.perf_counter() - began
        cost = float(found.cost_usd)
        lost |= abs(cost - solved) > CENT or found.gap_usd != 0
        again = remade(growth, assumed)
        usd = [float(each) for each in found.rules_usd.values()]
        row = [*usd, again, cost]
        print(
            f"{growth:>6g}%" + "".join(f"{each:>10,.0f}" for each in row) + f"{again / cost - 1:>10.1%}"
            f"{float(found.zero.cost_usd):>10,.0f}{float(found.liability_usd):>10,.0f}"
            f"{took * 1e3:>5.0f}{flow * 1e3:>6.1f}{solver * 1e3:>7.0f}",
            flush=True,
        )
    return lost


def remade(real: float, assumed: float) -> float:
    """Return what instances cost where each month only that month's orders are made, for an assumed growth."""
    book, orders, spent = read("cascade").book, list[Owned](), Decimal(0)
    for now in range(MONTHS):
        first = max(1, round(10_000 * (1 + real / 100) ** now))
        ahead = months(assumed, MONTHS - now, first, later(START, now))
        found = schedule(ahead, book, owned=orders)
        orders += [Owned(each.start, each.offer, each.term, each.count) for each in found.orders]
        spent += sum((each.effective_usd for each in found.orders), Decimal(0))
    left = schedule(months(real), book, Limits(term_years_max=0), owned=orders)
    return float(left.cost_usd + spent)


def upfront() -> bool:
    """Print what a most that is paid upfront costs, and return whether HiGHS undercuts a bound."""
    book, horizon, lost = read("cascade").book, months(8.0), False
    print("\nwith a most that is paid upfront in a month, 8 % growth")
    print(f"{'most':>8}{'cost':>12}{'bound':>12}{'gap':>8}{'s':>7}{'HiGHS':>12}{'s':>7}{'above it':>10}")
    for most in MOSTS:
        stocks = Former(horizon, book, NO_LIMITS).stocks()
        began = time.perf_counter()
        deal = Market(stocks, tuple(stock.held for stock in stocks), pico(Decimal(most))).deal()
        took = time.perf_counter() - began
        kinds = [[way.upfront_pico * PICO for way in stock.ways] for stock in stocks]
        began = time.perf_counter()
        solved = by_highs([s.levels for s in stocks], [s.held for s in stocks], kinds, float(most))
        solver = time.perf_counter() - began
        cost, least = deal.cost * PICO, deal.bound * PICO
        lost |= solved < least - CENT
        print(
            f"{most:>8,}{cost:>12,.0f}{least:>12,.0f}{1 - least / cost:>8.2%}{took:>7.2f}"
            f"{solved:>12,.0f}{solver:>7.2f}{cost / solved - 1:>10.2%}",
            flush=True,
        )
    return lost


def chance(cases: int) -> bool:
    """Print the worst difference from HiGHS over pools that chance draws, and return whether there is one."""
    worst = ours = theirs = 0.0
    unproved = 0
    for seed in range(cases):
        levels, terms = drawn(random.Random(seed))
        began = time.perf_counter()
        found = cheapest(levels, terms)
        ours += time.perf_counter() - began
        unproved += found.cost != bound(levels, terms, found.potentials)
        began = time.perf_counter()
        solved = by_highs([levels], [terms])
        theirs += time.perf_counter() - began
        worst = max(worst, abs(found.cost * PICO - solved))
    print(
        f"\n{cases} pools drawn: worst difference from HiGHS {worst:.1e} USD, {unproved} without a bound equal to the "
        f"cost; {ours / max(1, cases) * 1e3:.2f} ms each, HiGHS {theirs / max(1, cases) * 1e3:.1f} ms "
        f"({theirs / ours if ours else 0:.0f} x)"
    )
    return worst > CENT or unproved > 0


def drawn(chance: random.Random) -> tuple[list[list[Level]], list[Term]]:
    """Return two to 48 months of up to 12 kinds of units, and one to four terms, some charged whole."""
    horizon = chance.randint(2, 48)
    hour = 730 * 10**12
    terms = []
    for _ in range(chance.randint(1, 4)):
        length, rate, is_whole = chance.randint(1, 40), int(chance.uniform(0.2, 1.1) * hour), chance.random() < 0.5
        costs = [rate * (length if is_whole else min(length, horizon - month)) for month in range(horizon)]
        terms.append(Term(length, tuple(costs)))
    shares = (1.0, 1.0, None)
    levels = [
        [
            Level(chance.randint(1, 20), int((chance.choice(shares) or chance.random()) * hour))
            for _ in range(chance.randint(0, 12))
        ]
        for _ in range(horizon)
    ]
    return levels, terms


def plans(cases: int) -> bool:
    """Print how far plans that pay for several families are from the least, and return whether a bound is above it."""
    above, below, lost = [0.0], [0.0], False
    for seed in range(cases):
        stocks = families(random.Random(seed))
        deal = Market(stocks, tuple(stock.held for stock in stocks)).deal()
        solved = jointly(stocks)
        lost |= deal.bound * PICO > solved + CENT
        above.append(deal.cost * PICO / solved - 1)
        below.append(1 - deal.bound * PICO / solved)
    print(
        f"{cases} cases of plans for several families: {sum(above) / max(1, cases):.1%} above HiGHS in the mean, "
        f"{max(above):.1%} at most; the bound {sum(below) / max(1, cases):.1%} below it, {max(below):.1%} at most"
    )
    return lost


def families(chance: random.Random) -> tuple[Stock, ...]:
    """Return two or three families over half a year to two, paid by a plan for all and some by reservations."""
    horizon, upfront = chance.randint(6, 24), chance.choice(("no", "partial", "all"))
    discount, stocks = chance.uniform(0.5, 0.8), []
    for name in ("one", "two", "three")[: chance.randint(2, 3)]:
        usd = Decimal(chance.randint(500, 5000)).scaleb(-4)
        ways = [way_of(name, "compute_sp", 1, upfront, usd, discount + chance.uniform(-0.05, 0.05))]
        if chance.random() < 0.5:
            ways.append(way_of(name, "reserved", 3, "all", usd, chance.uniform(0.35, 0.7)))
        month = pico(usd * 730)
        levels = [
            [Level(chance.randint(0, 3), month), Level(chance.randint(0, 2), int(chance.random() * month))]
            for _ in range(horizon)
        ]
        calendar = Calendar(START, (730,) * horizon)
        stocks.append(Stock(Offer(name), Offer(name), (), calendar, levels, (0,) * horizon, tuple(ways)))
    return tuple(stocks)


def way_of(name: str, kind: str, years: int, upfront: str, usd: Decimal, ratio: float) -> Way:
    """Return a way to buy at a share of the price on demand."""
    term, commitment = f"{kind}_{years}y_{upfront}_upfront", Commitment(kind, years, upfront)
    rate = (usd * Decimal(f"{ratio:.3f}")).quantize(Decimal("0.00001"))
    price = Price(PriceKey("made", name, "", term), "hour", rate, "", "")
    first = price.first_day_usd or Decimal(0)
    rest = max(Decimal(0), rate - first / commitment.hours) if upfront != "all" else Decimal(0)
    return Way(term, commitment, Offer(name), 1, price, pico(rest), pico(first))


def jointly(stocks: Sequence[Stock]) -> float:
    """Return the least cost by HiGHS: any money an hour for the plan, which pays for whole or parts of all families."""
    solver, calendar, horizon = solver_of(), stocks[0].calendar, stocks[0].horizon
    commitment = stocks[0].ways[0].commitment
    bought: list[list[int]] = [[] for _ in range(horizon)]
    used: list[list[tuple[int, float]]] = [[] for _ in range(horizon)]
    share = float(commitment.upfront_share)
    for month in range(horizon):
        within = calendar.between(month, min(month + 12, horizon))
        spread = share * commitment.hours * within / calendar.between(month, month + 12)
        column = column_of(solver, (1 - share) * within + spread, highspy.kHighsInf, False)
        for later_month in range(month, min(month + 12, horizon)):
            bought[later_month].append(column)
    for stock in stocks:
        covers: list[list[int]] = [[] for _ in range(horizon)]
        for way, term in zip(stock.ways, stock.held, strict=True):
            for month, cost in enumerate(term.costs if way.commitment.is_of_family else ()):
                column = column_of(solver, cost * PICO, highspy.kHighsInf, True)
                for later_month in range(month, min(month + term.months, horizon)):
                    covers[later_month].append(column)
        for month, ladder in enumerate(stock.levels):
            paid = column_of(solver, 0.0, highspy.kHighsInf, False)
            used[month].append((paid, float(stock.ways[0].price.usd)))
            columns = [*covers[month], paid]
            columns += [column_of(solver, level.cost * PICO, level.units, False) for level in ladder]
            need = sum(level.units for level in ladder)
            solver.addRow(need, highspy.kHighsInf, len(columns), columns, [1.0] * len(columns))
    for columns, spent in zip(bought, used, strict=True):
        both = [*columns, *(column for column, _ in spent)]
        solver.addRow(0, highspy.kHighsInf, len(both), both, [1.0] * len(columns) + [-usd for _, usd in spent])
    solver.run()
    return float(solver.getInfo().objective_function_value)


def large() -> None:
    """Print the time that large pools take beside HiGHS."""
    chance, hour = random.Random(7), 730 * 10**12
    rates = ((12, 0.62), (12, 0.58), (36, 0.41), (36, 0.38))
    print(f"\n{'units':>7} x 60 months x 4 terms{'ms':>8}{'HiGHS ms':>10}")
    for units in SIZES:
        levels = [
            [Level(min(units, round(units * (0.2 + 0.8 * month / 59) * chance.uniform(0.8, 1.2))), hour)]
            for month in range(60)
        ]
        terms = [
            Term(length, tuple(int(rate * hour) * min(length, 60 - month) for month in range(60)))
            for length, rate in rates
        ]
        began = time.perf_counter()
        found = cheapest(levels, terms)
        took = time.perf_counter() - began
        began = time.perf_counter()
        assert abs(by_highs([levels], [terms]) - found.cost * PICO) < CENT
        print(f"{units:>7,}{'':>24}{took * 1e3:>8.1f}{(time.perf_counter() - began) * 1e3:>10.1f}")


# ------------------------------------------------------------------------------------------------------------- HiGHS


def by_highs(
    levels: Sequence[Levels],
    terms: Sequence[Sequence[Term]],
    upfronts: Sequence[Sequence[float]] | None = None,
    most: float | None = None,
) -> float:
    """Return the least cost of several pools by HiGHS: whole units of each term in each month, the rest on demand."""
    solver = solver_of()
    horizon = max(map(len, levels), default=0)
    paid: list[tuple[list[int], list[float]]] = [([], []) for _ in range(horizon)]
    for at, (own, offered) in enumerate(zip(levels, terms, strict=True)):
        covers: list[list[int]] = [[] for _ in own]
        for kind, term in enumerate(offered):
            for month, cost in enumerate(term.costs):
                column = column_of(solver, cost * PICO, highspy.kHighsInf, True)
                for later_month in range(month, min(month + term.months, len(own))):
                    covers[later_month].append(column)
                if upfronts is not None and upfronts[at][kind]:
                    paid[month][0].append(column)
                    paid[month][1].append(upfronts[at][kind])
        for columns, ladder in zip(covers, own, strict=True):
            columns += [column_of(solver, level.cost * PICO, level.units, False) for level in ladder]
            need = sum(level.units for level in ladder)
            solver.addRow(need, highspy.kHighsInf, len(columns), columns, [1.0] * len(columns))
    if most is not None:
        for columns, amounts in paid:
            solver.addRow(-highspy.kHighsInf, most, len(columns), columns, amounts)
    solver.run()
    return float(solver.getInfo().objective_function_value)


def solver_of() -> highspy.Highs:
    """Return a silent solver that ends at the optimum, or after a minute."""
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("mip_rel_gap", 0.0)
    solver.setOptionValue("time_limit", 60.0)
    return solver


def column_of(solver: highspy.Highs, cost: float, most: float, is_whole: bool) -> int:
    """Add a variable and return its number."""
    solver.addVar(0, most)
    column = int(solver.getNumCol()) - 1
    solver.changeColCost(column, cost)
    if is_whole:
        solver.changeColIntegrality(column, highspy.HighsVarType.kInteger)
    return column


if __name__ == "__main__":
    sys.exit(main())
