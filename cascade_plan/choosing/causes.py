"""Where two bills part: each group of instances, metered use or whole tier whose cost differs."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Final

from cascade_plan.choosing import giving_up
from cascade_plan.model.bill import Item, Unpriced
from cascade_plan.model.difference import Cause, Difference, Value
from cascade_plan.model.fleet import NodeGroup
from cascade_plan.model.plan import Plan
from cascade_plan.model.price import UNITS
from cascade_plan.units import HOURS_PER_MONTH

RANGE: Final = re.compile(r"\d+-\d*")
"""The variant of a price that is one of several tiers of a metered use."""
Part = tuple[Hashable, ...]
"""What tells a part of the bill from the others: its tier alone, with a group, or with what is metered."""
Lines = list[Item | Unpriced]
Sides = tuple[Lines, Lines]
"""A part's lines before and after; none where it is not there."""


def causes(before: Plan, after: Plan, level: str) -> tuple[Cause, ...]:
    """Return the parts of two bills whose cost differs or is not known in both, the largest change first.

    The changes are exact and add up to the change of the bills' totals at a level of the band.
    """
    once = {*before.fleet.tiers} ^ {*after.fleet.tiers}
    sides = [_parts(plan, once) for plan in (before, after)]
    found = [
        cause
        for part in dict.fromkeys((*sides[0], *sides[1]))
        if (cause := _cause(part, (before, after), (sides[0].get(part, []), sides[1].get(part, [])), level)) is not None
    ]
    ranked = sorted(found, key=lambda cause: (-abs(cause.change_usd), cause.tier, cause.subject))
    said: set[str] = set()
    return tuple(_with_what_it_gives_up(cause, (before, after), said) for cause in ranked)


def _with_what_it_gives_up(cause: Cause, plans: tuple[Plan, Plan], said: set[str]) -> Cause:
    """Return a cause that saves with what is given up for that; of a tier as a whole with the first of its causes."""
    if cause.change_usd >= 0:
        return cause
    words = list(giving_up.of_group(*(_group(plan, cause.subject) for plan in plans))) if cause.what == "group" else []
    if cause.tier not in said:
        said.add(cause.tier)
        words += giving_up.of_tier(plans, cause.tier)
    return replace(cause, gives_up=tuple(words))


def _parts(plan: Plan, once: set[str]) -> dict[Part, Lines]:
    """Return the lines of a bill by the part they are of; a tier that only one plan has is one part."""
    parts: dict[Part, Lines] = {}
    lines: Lines = [*plan.bill.items, *plan.bill.unpriced]
    for line in lines:
        part: Part = (line.tier,)
        if line.tier not in once:
            part = (line.tier, line.group) if line.group else (line.tier, line.key.service, line.key.item)
        parts.setdefault(part, []).append(line)
    return parts


def _cause(part: Part, plans: tuple[Plan, Plan], sides: Sides, level: str) -> Cause | None:
    old, new = (_cost(lines, level) if lines else None for lines in sides)
    lacking = [any(isinstance(line, Unpriced) for line in lines) for lines in sides]
    unpriced = tuple(name for name, lacks in zip(("before", "after"), lacking, strict=True) if lacks)
    tier = str(part[0])
    if len(part) == 1:
        what, subject, features = "tier", tier, tuple[Difference, ...]()
    elif len(part) == 2:
        what, subject = "group", str(part[1])
        features = tuple(_of_group(_group(plans[0], subject), _group(plans[1], subject), sides, level))
    else:
        what, subject = "use", _name(sides[1] or sides[0])
        features = tuple(_of_use(sides, level))
    cause = Cause(tier, subject, what, old, new, features, unpriced)
    return cause if cause.change_usd or _is_unknown(sides, level) else None


def _is_unknown(sides: Sides, level: str) -> bool:
    """Return whether the bills lack prices for different amounts."""
    lacking = [
        sorted((line.key, getattr(line.quantity, level)) for line in lines if isinstance(line, Unpriced))
        for lines in sides
    ]
    return lacking[0] != lacking[1]


def _cost(lines: Lines, level: str) -> Decimal:
    return sum((getattr(line.cost_usd, level) for line in lines if isinstance(line, Item)), Decimal(0))


def _name(lines: Lines) -> str:
    """Return what metered use is called: the range of one of its price tiers is no part of its name."""
    name = lines[0].name
    return name.rpartition(" (")[0] if RANGE.fullmatch(lines[0].key.variant) else name


def _group(plan: Plan, name: str) -> NodeGroup | None:
    return next((group for group in plan.groups if group.name == name), None)


def _of_group(before: NodeGroup | None, after: NodeGroup | None, sides: Sides, level: str) -> Iterator[Difference]:
    old, new = ({} if group is None else _features(group, level) for group in (before, after))
    yield from differing(old, new)
    if all(old.get(name) == new.get(name) for name in ("shape", "options", "terms")):
        yield from _prices(sides, "hour")
    yield from (replace(price, name="storage_price_usd") for price in _prices(sides, "gib_month"))
    storage, more = (
        sum(getattr(line.quantity, level) for line in lines if line.unit == "gib_month") for lines in sides
    )
    if storage != more:
        yield Difference("storage_gib", "GiB", storage, more)


def _prices(sides: Sides, unit: str) -> Iterator[Difference]:
    """Yield the prices of a part's first lines that are metered by a unit, where these differ."""
    old, new = (
        next((line.price_usd for line in lines if isinstance(line, Item) and line.unit == unit), None)
        for lines in sides
    )
    if old is not None and new is not None and old != new:
        yield Difference("price_usd", unit, old, new)


def _features(group: NodeGroup, level: str) -> dict[str, tuple[Value, str]]:
    terms = ", ".join(
        part.term if part.share == 1 else f"{part.term} on {part.share * 100:g} %" for part in group.terms
    )
    return {
        "count": (getattr(group.count, level), ""),
        "shape": (group.shape.name, ""),
        "options": (" ".join(group.offer.options), ""),
        "terms": (terms, ""),
    }


def _of_use(sides: Sides, level: str) -> Iterator[Difference]:
    unit = (sides[1] or sides[0])[0].unit
    old, new = (_amount(lines, unit, level) for lines in sides)
    if old != new:
        yield Difference("amount", "" if unit.endswith("hour") else UNITS.get(unit, unit), old, new)
    yield from _prices(sides, unit)


def _amount(lines: Lines, unit: str, level: str) -> Decimal | None:
    """Return how much is used in a month; of what is paid by the hour how many there are on average."""
    if not lines:
        return None
    total: Decimal = sum((getattr(line.quantity, level) for line in lines), Decimal(0))
    return total / HOURS_PER_MONTH if unit.endswith("hour") else total


def differing(before: Mapping[str, tuple[Value, str]], after: Mapping[str, tuple[Value, str]]) -> Iterator[Difference]:
    """Yield what differs of two mappings of names to values with their units, in the order they come."""
    nothing: tuple[Value, str] = (None, "")
    for name in dict.fromkeys((*before, *after)):
        (old, old_unit), (new, new_unit) = before.get(name, nothing), after.get(name, nothing)
        if old != new:
            yield Difference(name, new_unit or old_unit, old, new)
