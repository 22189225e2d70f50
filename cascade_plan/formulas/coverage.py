"""The hourly commitment that makes a day's use cheapest: one for all of it, in whatever it is used."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor
from typing import NamedTuple


class Use(NamedTuple):
    """Instances of one price that run in each hour of a day, or all day as many: one number then."""

    hourly_count: Sequence[float]
    on_demand_usd: float
    """What an hour of one costs on demand."""
    plan_usd: float
    """What an hour of one takes of a commitment."""


class Cover(NamedTuple):
    """A commitment, and what an hour costs with it in the mean of the day."""

    committed_usd: float
    """What is paid for every hour, whatever runs."""
    usd: float
    """That, and what runs beyond it on demand."""
    on_demand_usd: float
    """What would be paid with no commitment."""


def least(uses: Sequence[Use], step_usd: float = 0.0) -> Cover:
    """Return the commitment of which an hour costs least in the mean of the day, the smallest of equals.

    All uses have as many hours. In each hour the commitment pays first for what it makes cheapest against on demand, as
    a Savings Plan does. What a dollar more of it saves falls as it grows, in every hour and so in their sum: the least
    cost lies where a dollar more saves no more than a dollar. Where it is bought in steps, such as whole instances, the
    least cost lies at the step before that or the next one, as it only rises away from there. Both are exact for a day
    whose hours repeat.

    Source: https://docs.aws.amazon.com/savingsplans/latest/userguide/sp-applying.html (the highest savings percentage
    first); the argument is that of the newsvendor, Arrow, Harris & Marschak 1951.

    >>> least([Use([1.0, 3.0], 1.0, 0.75)])
    Cover(committed_usd=0.75, usd=1.75, on_demand_usd=2.0)
    >>> least([Use([1.5], 1.0, 0.5)], step_usd=0.5)
    Cover(committed_usd=0.5, usd=1.0, on_demand_usd=1.5)
    """
    ordered = sorted(uses, key=lambda use: use.plan_usd / use.on_demand_usd)
    best = _where_it_saves_no_more(ordered)
    if not step_usd:
        return _priced(ordered, best)
    below = floor(best / step_usd + 1e-9)
    return min((_priced(ordered, step * step_usd) for step in (below, below + 1)), key=lambda cover: cover.usd)


def _where_it_saves_no_more(ordered: Sequence[Use]) -> float:
    """Return the commitment from which on a dollar more saves no more than a dollar."""
    hours = len(ordered[0].hourly_count)
    falls: list[tuple[float, float]] = []
    saving = 0.0
    for hour in range(hours):
        reached, before = 0.0, 0.0
        for use in ordered:
            if (count := use.hourly_count[hour]) > 0:
                ratio = use.on_demand_usd / use.plan_usd
                if before:
                    falls.append((reached, ratio - before))
                else:
                    saving += ratio
                before, reached = ratio, reached + count * use.plan_usd
        if before:
            falls.append((reached, -before))
    committed = 0.0
    for place, change in sorted(falls):
        if saving <= hours * (1 + 1e-12):
            break
        committed, saving = place, saving + change
    return committed


def _priced(ordered: Sequence[Use], committed_usd: float) -> Cover:
    """Return what an hour costs with a commitment of so much, of uses in the order in which it pays for them."""
    hours = len(ordered[0].hourly_count)
    beyond = whole = 0.0
    for hour in range(hours):
        left = committed_usd
        for use in ordered:
            count = use.hourly_count[hour]
            asked = count * use.plan_usd
            paid = min(left, asked)
            left -= paid
            beyond += (asked - paid) * (use.on_demand_usd / use.plan_usd)
            whole += count * use.on_demand_usd
    return Cover(committed_usd, committed_usd + beyond / hours, whole / hours)
