"""Two months' plans -> what is different in the later one, in words that need no plan to be read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from cascade_plan.model.fleet import COUNT_MOST, NodeGroup
from cascade_plan.model.forecast import Event
from cascade_plan.model.plan import Plan
from cascade_plan.model.titles import called
from cascade_plan.units import settled

STORAGE_MARKS: Final = (100, 400, 1024, 4096, 16_384, 32_768, 65_536)
"""GiB that are worth a word when a database's disk passes them: RDS stripes gp3 from 400 on and ends at 65,536,
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Storage.html"""


WORTH_SHARE: Final = Decimal("0.01")
"""Share of a month's cost from which a new line is worth a word on a screen."""
HINT: Final = re.compile(r"(: [^:]*)?, set tiers\..*$|: more nodes share it.*$")
"""What a reason ends in that says what to set: here it is set already."""


def changes(number: int, start: date, before: Plan, now: Plan, grown: Mapping[str, str]) -> Iterator[Event]:
    """Yield what is different in a month from the one before; `grown` is tier -> why its shape had to change."""
    for tier in now.fleet.tiers:
        yield from _groups(number, start, tier, before, now, grown.get(tier, ""))
    yield from _storage(number, start, before, now)
    yield from _lines(number, start, before, now)


def _groups(number: int, start: date, tier: str, before: Plan, now: Plan, reason: str) -> Iterator[Event]:
    old = {group.name: group for group in before.groups if group.tier == tier}
    new = {group.name: group for group in now.groups if group.tier == tier}
    because = f" at {now.scenario.users.peak:,} users: {HINT.sub('', reason)}" if reason else ""
    swapped = {(old[name].shape.name, new[name].shape.name) for name in new if name in old} - {
        (name, name) for name in {group.shape.name for group in new.values()}
    }
    for was, is_ in sorted(swapped):
        kind = "grown" if reason else "count"
        yield Event(number, start, kind, tier, f"{called(tier)} {was} to {is_}{because}")
    for name, group in new.items():
        count = _count(group)
        if name not in old:
            yield Event(number, start, "count", tier, f"{name}: {count}")
        elif (was_count := _count(old[name])) != count:
            yield Event(number, start, "count", tier, f"{name} {was_count} to {count}")
        most = _sold_most(now, group)
        if group.role == "replicas" and _most(old.get(name)) < most <= _most(group):
            above = "the most" if _most(group) == most else f"more than the {most}"
            yield Event(number, start, "limit", tier, f"{count} read replicas, {above} that one primary may have")


def _sold_most(plan: Plan, group: NodeGroup) -> int:
    """Return how many of a group can be had."""
    return next((lever.count_max for lever in plan.fleet.levers if lever.name == group.lever), COUNT_MOST)


def _most(group: NodeGroup | None) -> float:
    return 0.0 if group is None else group.count.peak


def _count(group: NodeGroup) -> str:
    """Return how many of a group there are at the peak."""
    return f"{group.count.peak:g}"


def _storage(number: int, start: date, before: Plan, now: Plan) -> Iterator[Event]:
    for tier in now.fleet.tiers:
        name = f"{tier}.storage_gib"
        if name not in now.figures or name not in before.figures:
            continue
        was, gib = float(before.figures[name].value), float(now.figures[name].value)
        if passed := [mark for mark in STORAGE_MARKS if was <= mark < gib]:
            words = f"{called(tier)} storage over {passed[-1]:,} GiB: {gib:,.0f} GiB on each instance"
            yield Event(number, start, "storage", tier, words)


def _lines(number: int, start: date, before: Plan, now: Plan) -> Iterator[Event]:
    """Yield what is billed that was not before, of no group that is new: a tier of a price, or another thing."""
    known = {(item.tier, item.key.service, item.key.item) for item in before.bill.items}
    tiers = {(item.tier, item.key) for item in before.bill.items}
    groups = {group.name for group in before.fleet.groups}
    level = now.scenario.budget.level
    total: Decimal = getattr(now.bill.effective_usd, level)
    found: dict[tuple[str, str], Decimal] = {}
    for item in now.bill.items:
        if (item.group and item.group not in groups) or item.unit == "hour":
            continue
        if (item.tier, item.key.service, item.key.item) not in known:
            key = item.tier, item.name.removeprefix(f"{item.group}, ")
            found[key] = found.get(key, Decimal(0)) + getattr(item.cost_usd, level)
        elif (item.tier, item.key) not in tiers and item.key.variant:
            yield Event(number, start, "storage", item.tier, f"the next price tier: {item.name}")
    for (tier, name), usd in found.items():
        kind = "line" if usd >= WORTH_SHARE * total else "small"
        yield Event(number, start, kind, tier, f"newly billed: {name}, ${settled(usd):,.0f} a month")
