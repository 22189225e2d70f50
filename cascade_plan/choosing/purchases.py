"""What to commit to over a horizon: the cheapest purchases within limits, what proves it, and what they come to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import Final

from cascade_plan.choosing.buying import Deal, Market
from cascade_plan.choosing.pools import Former, Stock, Way, later, pico, usd, without
from cascade_plan.choosing.several import Terms
from cascade_plan.formulas.reservations import (
    Bought,
    Level,
    cheapest,
    cost_of,
    left_cost,
    look_back,
    ski_rental,
    units_active,
)
from cascade_plan.model.price import Book
from cascade_plan.model.purchases import (
    Limits,
    Months,
    Outlay,
    Owned,
    Pool,
    Purchase,
    Schedule,
    Stopped,
    Valuation,
)
from cascade_plan.units import HOURS_PER_MONTH

NO_LIMITS: Final = Limits()
LOOKING_BACK: Final = {"look back each year": 12, "look back each month": 1}
"""The clouds' own rule -> after how many months it looks back again."""
NEVER: Final = 1 << 20
"""Months after which nobody looks again."""


def schedule(
    months: Months,
    book: Book,
    limits: Limits = NO_LIMITS,
    owned: Sequence[Owned] = (),
    bought_for: Months | None = None,
) -> Schedule:
    """Return the purchases by which the instances of the months cost least, at the prices of a book.

    What a scenario's own `purchase` commits to and what is `owned` pays for its instances first and is not bought
    again. With `bought_for`, months planned for other users (such as those of a lower quantile of their growth),
    purchases are the best for these, and all costs are what they come to in `months`: the gap is then what caution
    costs beside the least that would be possible.

    Exact: the purchases of each pool alone, by terms of one family. Bounded, with the gap said: a most that is paid
    upfront, and savings plans that pay for several families, of which one is bought for what their reservations leave,
    or each for one pool, whichever costs less. A term is taken as calendar months; the hours that an instance runs are
    those of its mean over the day, or where the budget judges another level of the band, all of the month.
    Raises UsageError for an offer that the cloud does not sell.
    """
    former = Former(months, book, limits, owned, bought_for or ())
    stocks = former.stocks()
    most = None if limits.upfront_usd_per_month is None else pico(limits.upfront_usd_per_month)
    held = Market(stocks, tuple(stock.held for stock in stocks), most)
    deal = held.deal(joins=bought_for is None)
    bought, cost = deal.bought, deal.cost
    if bought_for is not None:
        others = {other.key: other for other in Former(bought_for, book, limits, owned, months).stocks()}
        wanted = tuple(replace(stock, levels=others[stock.key].levels) for stock in stocks)
        bought = Market(wanted, held.terms, most).deal(joins=False).bought
        cost = sum(_cost(*each) for each in zip(stocks, held.terms, bought, strict=True))
    strict = Market(stocks, tuple(stock.charged for stock in stocks), most, is_whole=True).deal()
    pools = [_pool(stock) for stock in deal.stocks]
    purchases = _purchases(deal.stocks, pools, bought)
    on_demand = sum(sum(stock.on_demand) for stock in stocks)
    return Schedule(
        pools=tuple(pools),
        purchases=purchases,
        months=tuple(_outlays(months, deal.stocks, deal.terms, bought, purchases)),
        on_demand_usd=usd(on_demand),
        cost_usd=usd(cost),
        bound_usd=usd(deal.bound),
        liability_usd=sum((each.after_usd for each in purchases), Decimal(0)),
        owed_usd_after=sum((each.owed_usd_after for each in purchases), Decimal(0)),
        zero=_valuation(strict),
        stopped=_stopped(held, deal.stocks, deal.terms, bought),
        rules_usd={"on demand": usd(on_demand), **_by_rules(stocks, held.terms)},
        not_offered=former.said(),
    )


def _valuation(deal: Deal) -> Valuation:
    pools = [_pool(stock) for stock in deal.stocks]
    return Valuation(_purchases(deal.stocks, pools, deal.bought), usd(deal.cost), usd(deal.bound))


def _cost(stock: Stock, terms: Terms, bought: Sequence[Bought]) -> int:
    return sum(stock.kept) + cost_of(stock.levels, terms, bought)


def _pool(stock: Stock) -> Pool:
    return Pool(stock.unit, stock.tiers, tuple(map(usd, stock.on_demand)))


# ------------------------------------------------------------------------------------------------------ what is bought


def _purchases(
    stocks: Sequence[Stock], pools: Sequence[Pool], bought: Sequence[Sequence[Bought]]
) -> tuple[Purchase, ...]:
    """Return all purchases by month, in each those of the first pools first."""
    found = [
        _purchase(stock, pool, each, replaced)
        for stock, pool, own in zip(stocks, pools, bought, strict=True)
        for each, replaced in zip(own, _replaced(stock, own), strict=True)
    ]
    return tuple(sorted(found, key=lambda purchase: purchase.month))


def _replaced(stock: Stock, bought: Sequence[Bought]) -> list[list[int]]:
    """Return what the units of each purchase would cost on demand in each month: the first bought has the dearest."""
    found = [[0] * stock.horizon for _ in bought]
    for month, ladder in enumerate(stock.levels):
        left: Sequence[Level] = ladder
        for at, (first, way, count) in enumerate(bought):
            if first <= month < first + stock.ways[way].months:
                rest = without(left, count)
                found[at][month] = left_cost(left, 0) - left_cost(rest, 0)
                left = rest
    return found


def _purchase(stock: Stock, pool: Pool, bought: Bought, replaced: Sequence[int]) -> Purchase:
    first, index, count = bought
    way, calendar, horizon = stock.ways[index], stock.calendar, stock.horizon
    end = first + way.months
    until = [way.spread(calendar, first, min(max(first, month), end)) * count for month in range(horizon + 1)]
    effective = [after - before for before, after in pairwise(until)]
    recurring = [
        way.recurring_pico * count * calendar.of(month) if first <= month < end else 0 for month in range(horizon)
    ]
    upfront = way.upfront_pico * count
    paid = [each + (upfront if month == first else 0) for month, each in enumerate(recurring)]
    return Purchase(
        month=first + 1,
        start=later(calendar.start, first),
        pool=pool,
        offer=way.offer,
        term=way.name,
        count=count * way.count_per_unit,
        price=way.price,
        upfront_usd=usd(upfront),
        usd_per_month=usd(way.recurring_pico * count * HOURS_PER_MONTH),
        saves_usd=usd(sum(replaced) - sum(effective)),
        paid_back_months=_paid_back(upfront, replaced[first:], recurring[first:], way),
        effective_usd_monthly=tuple(map(usd, effective)),
        cash_usd_monthly=tuple(map(usd, paid)),
        replaced_usd_monthly=tuple(map(usd, replaced)),
        after_usd=usd(way.whole(calendar, first) * count - sum(effective)),
        owed_usd_after=usd(way.recurring_pico * count * calendar.between(horizon, max(horizon, end))),
    )


def _paid_back(upfront: int, replaced: Sequence[int], recurring: Sequence[int], way: Way) -> int | None:
    """Return the months until what is replaced, less what is still paid, has brought the upfront back."""
    back = 0
    for month in range(way.months):
        if back >= upfront:
            return month
        at = min(month, len(replaced) - 1)
        back += replaced[at] - recurring[at]
    return way.months if back >= upfront else None


def _outlays(
    months: Months,
    stocks: Sequence[Stock],
    terms: Sequence[Terms],
    bought: Sequence[Sequence[Bought]],
    purchases: Sequence[Purchase],
) -> Iterator[Outlay]:
    """Yield each month's costs."""
    active = [units_active(stock.horizon, own, each) for stock, own, each in zip(stocks, terms, bought, strict=True)]
    for at, month in enumerate(months):
        rest = usd(sum(s.kept[at] + left_cost(s.levels[at], own[at]) for s, own in zip(stocks, active, strict=True)))
        effective = sum((each.effective_usd_monthly[at] for each in purchases), rest)
        cash = sum((each.cash_usd_monthly[at] for each in purchases), rest)
        alone = usd(sum(stock.on_demand[at] for stock in stocks))
        yield Outlay(month.start, month.hours, alone, rest, effective, cash)


# --------------------------------------------------------------------------------------------------- other ways to buy


def _by_rules(stocks: Sequence[Stock], terms: Sequence[Terms]) -> Mapping[str, Decimal]:
    """Return what the horizon costs bought all at once, and by rules that know no forecast."""
    costs = dict.fromkeys(("all now, deepest discount", *LOOKING_BACK, "ski rental"), 0)
    for stock, own in zip(stocks, terms, strict=True):
        wholes = [way.whole(stock.calendar, 0) for way in stock.ways]
        rates = [whole // way.months for whole, way in zip(wholes, stock.ways, strict=True)]
        bought = {"all now, deepest discount": look_back(stock.levels, own, NEVER, rates)}
        for name, every in LOOKING_BACK.items():
            bought[name] = look_back(stock.levels, own, every, rates)
        bought["ski rental"] = ski_rental(stock.levels, own, wholes)
        for name, each in bought.items():
            costs[name] += _cost(stock, own, each)
    return {name: usd(cost) for name, cost in costs.items()}


def _stopped(
    market: Market, stocks: Sequence[Stock], terms: Sequence[Terms], bought: Sequence[Sequence[Bought]]
) -> Stopped:
    """Return what the purchases come to where as much runs in every month as in the first."""
    still_market = replace(market, stocks=tuple(stock.stopped for stock in market.stocks), upfront_most=None)
    least, on_demand, orders, blindly = still_market.deal().cost, 0, 0, 0
    for stock, own, each in zip(stocks, terms, bought, strict=True):
        still = stock.stopped
        on_demand += sum(still.on_demand)
        now = [one for one in each if one.month == 0]
        active = units_active(still.horizon, own, now)
        rest = [without(ladder, covered) for ladder, covered in zip(still.levels, active, strict=True)]
        spent = sum(one.units * own[one.term].costs[0] for one in now)
        orders += sum(still.kept) + spent + cheapest(rest, own).cost
        blindly += _cost(still, own, each)
    return Stopped(usd(on_demand), usd(least), usd(orders), usd(blindly))
