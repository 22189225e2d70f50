"""Each line of the plan beside the bill, its difference split into causes that add up to it exactly.

calendar = the plan at the month's hours less the plan;   users = the plan at the actual users less that;
usage = (actual amount - that plan's) x its mean price;   mix = other shapes for the same amount, at planned prices;
price = list price of what there was less the planned;    commitments = what is paid below list, less what was planned
below list.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from cascade_plan.evidence.matching import Match, Matcher, Pool
from cascade_plan.model.actuals import NOTHING, Line, Shape, Used, Variance
from cascade_plan.model.bill import Item
from cascade_plan.model.plan import Plan
from cascade_plan.model.price import Book, PriceKey

_IN_BRACKETS: Final = re.compile(r" \([^()]*\)")
Planned = Mapping[Pool, Mapping[PriceKey, Used]]


def planned_by_pool(made: Plan, matcher: Matcher, level: str, share: Decimal) -> Planned:
    """Return what a plan has of each key of each pool, in a month or a share of it."""
    found: dict[Pool, dict[PriceKey, Used]] = defaultdict(dict)
    for item in made.bill.items:
        key = matcher.plain(item.key)
        of_pool = found[matcher.pool(key)]
        amounts = Used(
            getattr(item.quantity_used, level), getattr(item.cost_usd, level), getattr(item.list_cost_usd, level)
        )
        of_pool[key] = of_pool.get(key, Used()).plus(amounts.times(share))
    return found


def variances_of(
    planned: Sequence[Planned],
    matched: Sequence[tuple[Line, Match]],
    made: Sequence[Plan],
    matcher: Matcher,
    covered_hours: int,
) -> list[Variance]:
    """Return each line of the plans beside the bill, `planned` being as planned, for the month, and for its users."""
    base, longer, flexed = planned
    actual: dict[Pool, dict[PriceKey, Used]] = defaultdict(dict)
    vague: set[Pool] = {pool for each in planned for pool in each if matcher.by_service}
    for line, match in matched:
        if match.pool is None:
            continue
        if match.quantity is None:
            vague.add(match.pool)
        key = match.key or PriceKey(*match.pool)
        amounts = Used(match.quantity or NOTHING, line.effective_usd, line.listed_usd)
        actual[match.pool][key] = actual[match.pool].get(key, Used()).plus(amounts)
    named = _named(made, matcher)
    found = []
    for pool in dict.fromkeys((*base, *flexed)):
        was, long = summed(base.get(pool, {})), summed(longer.get(pool, {}))
        then, now = flexed.get(pool, {}), actual.get(pool, {})
        parts = {"calendar": long.cost_usd - was.cost_usd, "users": summed(then).cost_usd - long.cost_usd}
        if pool in vague:
            parts["unsplit"] = summed(now).cost_usd - summed(then).cost_usd
        else:
            parts |= _split(then, now, matcher.book)
        shapes = _shapes(then, now, covered_hours) if named[pool].is_instances and pool not in vague else ()
        found.append(
            replace(named[pool], plan=was, flexed=summed(then), actual=summed(now), parts_usd=parts, shapes=shapes)
        )
    return found


def _split(then: Mapping[PriceKey, Used], now: Mapping[PriceKey, Used], book: Book) -> dict[str, Decimal]:
    """Return what other amounts, shapes, prices and commitments add to a plan for these users: exactly all of it."""
    flexed, actual = summed(then), summed(now)
    at_plan = total(amounts.unit_count * _plan_price(key, then, amounts, book) for key, amounts in now.items())
    if flexed.unit_count:
        usage = (actual.unit_count - flexed.unit_count) * flexed.listed_usd / flexed.unit_count
    else:
        usage = at_plan - flexed.listed_usd
    price = actual.listed_usd - at_plan
    commitments = (actual.cost_usd - actual.listed_usd) - (flexed.cost_usd - flexed.listed_usd)
    # What remains, and not a product of rounded quotients, so that the parts add up to the last digit.
    mix = (actual.cost_usd - flexed.cost_usd) - usage - price - commitments
    return {"usage": usage, "mix": mix, "price": price, "commitments": commitments}


def _plan_price(key: PriceKey, then: Mapping[PriceKey, Used], amounts: Used, book: Book) -> Decimal:
    """Return what one of something costs at the plan's list prices: the mean of its tiers; as billed where unknown."""
    if key in then and then[key].unit_count:
        return then[key].listed_usd / then[key].unit_count
    tiers = book.variants(key.service, key.item)
    listed = book.listed(key) or (book.listed(tiers[0].key) if tiers and not key.variant else None)
    if listed is not None:
        return listed
    return amounts.listed_usd / amounts.unit_count if amounts.unit_count else NOTHING


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Return the sum of amounts, exact."""
    return sum(amounts, NOTHING)


def summed(of: Mapping[PriceKey, Used]) -> Used:
    """Return all of a pool together."""
    found = Used()
    for amounts in of.values():
        found = found.plus(amounts)
    return found


def _shapes(then: Mapping[PriceKey, Used], now: Mapping[PriceKey, Used], covered_hours: int) -> tuple[Shape, ...]:
    """Return how many instances of each shape ran on average, as planned and in fact."""
    hours = Decimal(covered_hours)
    names = sorted({key.item for key in (*then, *now)})

    def count(of: Mapping[PriceKey, Used], name: str) -> Decimal:
        return total(amounts.unit_count for key, amounts in of.items() if key.item == name) / hours

    return tuple(Shape(name, count(then, name), count(now, name)) for name in names)


def _named(plans: Sequence[Plan], matcher: Matcher) -> dict[Pool, Variance]:
    """Return each pool's line, without its amounts."""
    items: dict[Pool, list[Item]] = defaultdict(list)
    for made in plans:
        for item in made.bill.items:
            items[matcher.pool(matcher.plain(item.key))].append(item)
    return {pool: _line_of(pool, found, matcher) for pool, found in items.items()}


def _line_of(pool: Pool, items: Sequence[Item], matcher: Matcher) -> Variance:
    keys = [matcher.plain(item.key) for item in items]
    variants = {key.variant for key in keys}
    offer = matcher.sold.offer_of(keys[0])
    return Variance(
        name=(matcher.service_name(keys[0]) if matcher.by_service else "") or called([item.name for item in items]),
        tiers=tuple(dict.fromkeys(item.tier for item in items)),
        unit=items[0].unit,
        is_instances=all(matcher.sold.is_instance(key) for key in keys),
        plan=Used(),
        flexed=Used(),
        actual=Used(),
        parts_usd={},
        what=offer.what if offer else "",
        items=frozenset((key.service, key.item) for key in keys),
        variant=variants.pop() if len(variants) == 1 else "",
    )


def called(names: Sequence[str]) -> str:
    """Return one name for lines of a plan: what their names end in alike, or all of them.

    >>> called(["api nodes (c6g.xlarge)", "websocket nodes (m6g.large)"]), called(["NAT traffic"]), called(["a", "b"])
    ('nodes', 'NAT traffic', 'a, b')
    """
    plain = list(dict.fromkeys(_IN_BRACKETS.sub("", name) for name in names))
    if len(plain) == 1:
        return plain[0]
    ends: list[str] = []
    for words in zip(*(name.split()[::-1] for name in plain), strict=False):
        if len(set(words)) > 1:
            break
        ends.insert(0, words[0])
    return " ".join(ends) or ", ".join(plain)
