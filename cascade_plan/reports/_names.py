"""What a reader who has no list of figures calls them."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from cascade_plan.model.plan import Plan, Verdict
from cascade_plan.model.titles import called
from cascade_plan.reports import _words as words
from cascade_plan.units import trimmed

LOADS: Final = re.compile(r"(?:(?:action_)?latency_ms_(p\d+)|(requests_per_s))\.(\w+)(?:\.(\w+))?")
COSTS: Final = re.compile(r"cost_usd_(?:per_1000_(?:(\w+)_)?users_month|per_month\.(\w+)|upfront)")
LEAF: Final = (
    (re.compile(r"_count_per_10000_users"), "s per 10,000 users"),
    (re.compile(r"replicas?_count"), "replicas"),
    (re.compile(r"_count"), "s"),
    (re.compile(r"_per_s(?=_|$)"), "/s"),
    (re.compile(r"_(?:gib|mib|ms|usd)(?=_|\.|$)"), ""),
    (re.compile(r"\."), ", "),
    (re.compile(r"_"), " "),
)
"""How the end of a figure's name becomes words: its unit stands with its value."""


def spoken(figure: str) -> str:
    """Return a figure's name in words.

    >>> spoken("cost_usd_per_1000_users_month"), spoken("latency_ms_p95.peak")
    ('cost per 1000 users', 'p95 latency of peak')
    >>> spoken("pool.connection_count_per_10000_users"), spoken("websocket.connection_count_per_node")
    ('pool connections per 10,000 users', 'WebSocket connections per node')
    """
    if found := LOADS.fullmatch(figure):
        percentile, _, load, action = found.groups()
        who = "all users at peak" if load == "users_peak" else words.one_line(load)
        who = f"{words.one_line(action)} under {who}" if action else who
        return f"{percentile} latency of {who}" if percentile else f"requests/s of {who}"
    if found := COSTS.fullmatch(figure):
        users, level = found.groups()
        if figure.endswith("upfront"):
            return "paid upfront"
        return f"cost a month, {level}" if level else f"cost per 1000 {users} users" if users else "cost per 1000 users"
    tier, _, leaf = words.one_line(figure).partition(".")
    for pattern, words_ in LEAF:
        leaf = pattern.sub(words_, leaf)
    return f"{called(tier)} {leaf}".strip()


def missed(plan: Plan, verdict: Verdict) -> tuple[str, str]:
    """Return a gate that failed in words: its figure, and what that is beside its limit."""
    unit = plan.figures[verdict.figure].unit if verdict.figure in plan.figures else ""
    value, limit = words.measured(verdict), trimmed(f"{verdict.limit:,f}")
    if unit.startswith("USD"):
        more, _, number = value.rpartition(" ")
        value = f"{more} {words.dollars(_grouped(number))}".strip()
        limit = words.dollars(limit)
    elif unit:
        ends = value.split(" to ") if verdict.interval is not None else [value]
        value = f"{' to '.join(map(_grouped, ends))} {words.one_line(unit)}"
    return spoken(verdict.figure), f"{value}, limit {verdict.operator} {limit}"


def _grouped(number: str) -> str:
    whole, point, fraction = number.partition(".")
    return f"{Decimal(whole):,}{point}{fraction}"
