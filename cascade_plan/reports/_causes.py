"""Why a bill changed, in words: a second read replica, no WebSocket tier, traffic 775 → 930 GiB."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from cascade_plan.model.difference import Cause, Difference, Differences, Value
from cascade_plan.model.titles import called
from cascade_plan.reports._words import count, one_line

ORDINALS: Final = ("", "a", "a second", "a third", "a fourth", "a fifth", "a sixth", "a seventh", "an eighth")
STANDBY: Final = "multi_zone"
ZONES: Final = {STANDBY, "single_zone"}


def said(cause: Cause) -> str:
    """Return what a cause is, in a few words."""
    words = {"tier": _tier, "group": _group, "use": _use}[cause.what](cause)
    return one_line(f"{words}, {_unpriced(cause)}" if cause.unpriced else words)


def by_tier(differences: Differences) -> list[tuple[str, Decimal]]:
    """Return what the month's cost changes by in each tier, what falls most first: the sum is the whole change."""
    found: dict[str, Decimal] = {}
    for cause in differences.causes:
        found[cause.tier] = found.get(cause.tier, Decimal(0)) + cause.change_usd
    return sorted(found.items(), key=lambda each: (each[1], each[0]))


def arrow(before: str, after: str) -> str:
    """Return two values as one that became the other."""
    return f"{before} → {after}"


def _unpriced(cause: Cause) -> str:
    if len(cause.unpriced) > 1:
        return "of which prices are missing"
    return "of which a price is missing" if cause.unpriced[0] == "after" else "of which a price was missing"


def _tier(cause: Cause) -> str:
    name = called(cause.tier)
    return f"no {name} tier" if cause.cost_usd_after is None else f"{name} tier added"


def _group(cause: Cause) -> str:
    number = cause.feature("count")
    if number is not None and number.value_after is None:
        return f"no {cause.subject}"
    if number is not None and number.value_before is None:
        return _several(number.value_after, cause.subject)
    counted = _counted(cause)
    parts = [*_replaced(cause)]
    if parts and not counted:
        parts[0] = f"{cause.subject} {parts[0]}"
    return ", ".join((*counted, *parts)) or cause.subject


def _several(number: Value, name: str) -> str:
    return f"a {_one(name)}" if number == 1 else f"{_number(number)} {name}"


def _one(name: str) -> str:
    return name.removesuffix("s")


def _number(value: Value) -> str:
    return "0" if value is None else value if isinstance(value, str) else count(value)


def _counted(cause: Cause) -> list[str]:
    """Return how many more or fewer instances there are, in words; nothing where there are as many."""
    number = cause.feature("count")
    if number is None or (shown := _shown(number)) is None:
        return []
    old, new = (float(str(value)) for value in (number.value_before, number.value_after))
    if new == old + 1 and new.is_integer() and new < len(ORDINALS):
        return [f"{ORDINALS[int(new)]} {_one(cause.subject)}"]
    return [f"{shown[1]} {cause.subject} instead of {shown[0]}"]


def _shown(difference: Difference) -> tuple[str, str] | None:
    """Return both values as numbers are shown, or None where they show alike."""
    old, new = _number(difference.value_before), _number(difference.value_after)
    return None if old == new else (old, new)


def _replaced(cause: Cause) -> Iterator[str]:
    """Yield what became of the instances, after their name: shape, engine, standby, terms, price and storage."""
    if shape := cause.feature("shape"):
        yield f"on {shape.value_after} instead of {shape.value_before}"
    if options := cause.feature("options"):
        yield from _optional(str(options.value_before).split(), str(options.value_after).split())
    if terms := cause.feature("terms"):
        old, new = (str(each) or "on_demand" for each in (terms.value_before, terms.value_after))
        yield f"paid {new} instead of {old}"
    yield from _priced(cause, "price_usd", "price")
    storage = cause.feature("storage_gib")
    if storage and not cause.feature("count") and (shown := _shown(storage)):
        yield f"storage {arrow(*shown)} GiB"
    if not cause.feature("options"):
        yield from _priced(cause, "storage_price_usd", "storage price")


def _optional(before: list[str], after: list[str]) -> Iterator[str]:
    gone = [option for option in before if option not in after]
    come = [option for option in after if option not in before]
    if STANDBY in come:
        yield "with a standby in another zone"
    elif STANDBY in gone:
        yield "without standby"
    old, new = (" ".join(option for option in options if option not in ZONES) for options in (gone, come))
    if old or new:
        yield f"on {_engine(new)} instead of {_engine(old)}"


def _engine(name: str) -> str:
    return name.capitalize() or "none"


def _priced(cause: Cause, feature: str, words: str) -> Iterator[str]:
    if price := cause.feature(feature):
        old, new = (Decimal(str(each)) for each in (price.value_before, price.value_after))
        change = f"{(new - old) / old * 100:+,.1f} %" if old else arrow(f"${old:f}", f"${new:f}")
        yield f"{words} {change}"


def _use(cause: Cause) -> str:
    amount = cause.feature("amount")
    if amount is not None and amount.value_after is None:
        return f"no {cause.subject}"
    if amount is not None and amount.value_before is None:
        of = f"{amount.unit} of " if amount.unit else ""
        return f"{_number(amount.value_after)} {of}{cause.subject}"
    shown = None if amount is None else _shown(amount)
    parts = [] if amount is None or shown is None else [f"{arrow(*shown)} {amount.unit}".rstrip()]
    return f"{cause.subject} {', '.join((*parts, *_priced(cause, 'price_usd', 'price')))}".rstrip()
