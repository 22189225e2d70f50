"""Two months' plans -> what is different in the later one, in words that need no plan to be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final

from cascade_plan.model.fleet import Fleet, NodeGroup
from cascade_plan.model.forecast import Event
from cascade_plan.model.plan import Plan
from cascade_plan.model.titles import called
from cascade_plan.units import settled

STORAGE_MARKS: Final = (100, 400, 1024, 4096, 16_384, 32_768, 65_536)
"""GiB that are worth a word when a database's disk passes them: RDS stripes gp3 from 400 on and ends at 65,536,
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Storage.html"""


def changes(number: int, start: date, before: Plan, now: Plan, grown: Mapping[str, str]) -> Iterator[Event]:
    """Yield what is different in a month from the one before; `grown` is tier -> why its shape had to change."""
    for tier in now.fleet.tiers:
        yield from _groups(number, start, tier, before.fleet, now.fleet, grown.get(tier, ""))
    yield from _storage(number, start, before, now)
    yield from _lines(number, start, before, now)


def _groups(number: int, start: date, tier: str, before: Fleet, now: Fleet, reason: str) -> Iterator[Event]:
    old = {group.name: group for group in before.groups if group.tier == tier}
    new = {group.name: group for group in now.groups if group.tier == tier}
    because = f": {reason}" if reason else ""
    swapped = {(old[name].shape.name, new[name].shape.name) for name in new if name in old} - {
        (name, name) for name in {group.shape.name for group in new.values()}
    }
    for was, is_ in sorted(swapped):
        yield Event(number, start, "grown", tier, f"{called(tier)} {was} to {is_}{because}")
    for name, group in new.items():
        count = _count(group)
        if name not in old:
            yield Event(number, start, "count", tier, f"{name}: {count}")
        elif (was_count := _count(old[name])) != count:
            yield Event(number, start, "count", tier, f"{name} {was_count} to {count}")


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
    """Yield what is billed that was not before, of no group that is new or has another shape."""
    known = {(item.tier, item.key.item, item.key.variant) for item in before.bill.items}
    groups = {group.name for group in before.fleet.groups}
    for item in now.bill.items:
        is_new = (item.tier, item.key.item, item.key.variant) not in known
        if is_new and (not item.group or item.group in groups) and item.unit != "hour":
            usd = settled(item.cost_usd.average)
            yield Event(number, start, "line", item.tier, f"newly billed: {item.name}, ${usd:,.0f} a month")
