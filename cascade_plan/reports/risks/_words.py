"""What a risk says in words, the same in every format."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cascade_plan.model.risk import Driver, PromiseRisk, Risk, Three

PROMISES: Final = ("limit, after a zone and a node are lost", "missed", "p10", "p50", "p90 ms")
DRIVERS: Final = ("what is unsure", "p10-p90", "of cost", "of misses", "worth $/month", "measure it by")
LISTED: Final = 6
"""Drivers on a screen."""
MATTERS: Final = 0.03
"""A share of a variance below which nothing is said on a screen."""


def headline(risk: Risk) -> str:
    """Return whose risk it is."""
    return (
        f"{risk.scenario}: {risk.users_peak:,} users at peak, {risk.region}; its fleet in {risk.draw_count:,} worlds "
        f"(seed {risk.seed})"
    )


def verdict(risk: Risk) -> str:
    """Return in how many worlds all is kept, and the budget."""
    kept = f"Every limit is kept in {percent(risk.kept_ratio)} of the worlds."
    if risk.over_budget_ratio is None:
        return kept
    budget = f"${risk.budget_usd_per_1000_users_month:g} per 1000 users"
    return f"{kept} The budget of {budget} is missed in {percent(risk.over_budget_ratio)}."


def cost(risk: Risk) -> str:
    """Return what a month costs."""
    low, middle, high = risk.cost_usd_per_month
    per = " / ".join(f"${usd:,.2f}" for usd in risk.cost_usd_per_1000_users_month)
    return (
        f"A month costs ${low:,.0f} / ${middle:,.0f} / ${high:,.0f} (p10 / p50 / p90; {risk.level}), {per} per 1000 "
        f"users; the plan says ${risk.plan_usd_per_month:,.0f}."
    )


def promise(risk: PromiseRisk) -> str:
    """Return a limit in words."""
    load = risk.load.removeprefix("users.")
    when = "" if risk.counts == "peak" else f", {risk.counts}"
    return f"{load}{when}: {risk.limit} < {risk.limit_ms:g} ms"


def promise_rows(risk: Risk, every: bool = True) -> Iterator[list[str]]:
    """Yield (limit, missed in, p10, p50, p90) of every promise, or of those that are missed in some world."""
    for each in risk.promises:
        if every or each.missed_ratio:
            yield [promise(each), percent(each.missed_ratio), *three(each.latency_ms)]


def never_missed(risk: Risk) -> str:
    """Return which limits are kept in every world, in words; "" where none is."""
    kept = [promise(each) for each in risk.promises if not each.missed_ratio]
    return f"Never missed: {'; '.join(kept)}." if kept else ""


def ceilings(risk: Risk, every: bool = False) -> str:
    """Return which ceilings are broken in some world, in words; "" where none is."""
    broken = [f"{each.figure} in {percent(each.broken_ratio)}" for each in risk.ceilings if each.broken_ratio or every]
    return f"More is asked than instances do: {'; '.join(broken)}." if broken else ""


def driver_rows(risk: Risk, every: bool = True) -> Iterator[list[str]]:
    """Yield (name, spread, share of cost, share of misses, worth, how it is measured) of what drives them."""
    for each in risk.drivers:
        if every or matters(each):
            yield [
                short(each.name),
                f"x {each.low_ratio:.2g}-{each.high_ratio:.2g}",
                _share(each.cost_share, each.cost_total_share, each.cost_error_share),
                _share(each.broken_share, each.broken_total_share, each.broken_error_share),
                f"{each.worth_usd_per_month:,.0f}",
                each.measured_by,
            ]


def matters(driver: Driver) -> bool:
    """Return whether a number is worth a line on a screen."""
    shares = (driver.cost_share, driver.broken_share, driver.cost_total_share or 0.0, driver.broken_total_share or 0.0)
    return max(shares) >= MATTERS or driver.worth_usd_per_month >= 1


def worth(risk: Risk) -> str:
    """Return by what the worth of measuring is meant."""
    return (
        f"Worth: what knowing it first would save, choosing among {risk.fleet_count} fleets at "
        f"${risk.loss_usd_per_month:,.0f} lost in a month that breaks a limit (--loss-usd); knowing all: "
        f"${risk.knowing_all_usd_per_month:,.0f}. Best now: {risk.best_fleet}."
    )


def slow(risk: Risk) -> str:
    """Return what was asked world by world, in words; "" where nothing was."""
    return f"Asked world by world, which is slow: {'; '.join(risk.one_by_one)}." if risk.one_by_one else ""


def short(name: str) -> str:
    """Return a path without what all of them begin with."""
    return name.removeprefix("behaviour.").removeprefix("tiers.")


def percent(share: float) -> str:
    """Return a share as a person reads it: never 0 of what happens, never all of what may not.

    >>> percent(0.0), percent(0.0004), percent(0.0885), percent(0.9996), percent(1.0)
    ('0 %', '< 0.1 %', '8.8 %', '> 99.9 %', '100 %')
    """
    if 0 < share < 0.001:
        return "< 0.1 %"
    if 0.999 < share < 1:
        return "> 99.9 %"
    return f"{share * 100:.1f} %" if 0 < share < 0.0995 or 0.9 < share < 1 else f"{share * 100:.0f} %"


def three(values: Three | None) -> list[str]:
    """Return three percentiles as cells."""
    return ["-"] * 3 if values is None else [f"{value:,.0f}" if value >= 100 else f"{value:.3g}" for value in values]


def _share(alone: float, total: float | None, error: float | None) -> str:
    if total is None or error is None:
        return f"{alone:.0%}" if alone >= 0.005 else "-"
    return f"{alone:.0%}, all {total:.0%}±{error:.0%}"
