"""The arrows on one screen: scenario -> traffic -> fleet -> bill -> verdicts -> plan. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import cast

from cascade_plan import registry
from cascade_plan.model.cloud import Cloud
from cascade_plan.model.derivation import Derivation, Finding
from cascade_plan.model.fleet import Fleet
from cascade_plan.model.plan import PLAN_SCHEMA_VERSION, Plan
from cascade_plan.model.price import MAX_PRICE_AGE_DAYS, Book
from cascade_plan.model.scenario import Scenario
from cascade_plan.model.solution import Solution
from cascade_plan.model.traffic import Traffic
from cascade_plan.planning import billing, ceilings, commitments, judging, serving, sizing
from cascade_plan.planning.enlarging import fitting
from cascade_plan.planning.latencies import latencies
from cascade_plan.planning.left_out import left_out
from cascade_plan.planning.margins import break_even
from cascade_plan.planning.traffic import traffic_of

NO_ORIGINS: Mapping[str, str] = {}


def plan(
    scenario: Scenario,
    book: Book,
    origins: Mapping[str, str] = NO_ORIGINS,
    as_of: date | None = None,
    predicted: bool = True,
    with_margins: bool = True,
    by_action: bool = True,
    max_price_age_days: int = MAX_PRICE_AGE_DAYS,
    is_whole: bool = True,
    solution: Solution | None = None,
) -> Plan:
    """Return the plan of a scenario at the prices of a book.

    `origins` says where a scenario value was given (file:line), by dotted path, for the derivations. This function has
    no clock: versions are as old as they are at `as_of`, or else on the day of the newest price, and the age of
    prices is counted to `as_of`, or not at all; above `max_price_age_days` it is a
    warning. Without `predicted` no latency is computed, which is nine tenths of the work: a curve of costs does not
    need it. Without `with_margins` it is not said up to what service times the loads keep their limits, nor what the
    bill leaves out; without `by_action` nothing of single actions. One that is not whole has no findings of tiers, and
    of what accumulates the month of the bill alone. A `solution` is taken as it is: nothing is searched.
    Raises UsageError for an unknown shape and InfeasibleError when no shape meets a need or (method slo) no fleet the
    loads; a missing price is no error here, it makes the bill incomplete.
    """
    traffic = traffic_of(scenario)
    cloud = cast(Cloud, registry.load("clouds", scenario.cloud, "cloud"))
    brief = sizing.Brief(scenario, traffic, cloud, book, origins, as_of or book.day, is_whole=is_whole)
    fleet = _fleet(brief) if solution is None else sizing.size(brief, solution)
    share = serving.answered(scenario, fleet, traffic)
    is_short = min(share) < 1
    if is_short:
        fleet = sizing.metered(replace(brief, traffic=serving.of_answered(traffic, share)), fleet)
    bill = billing.bill_of(fleet, book, tuple(left_out(brief, fleet)) if with_margins else ())
    latency_figures, latency_findings = latencies(scenario, fleet, by_action) if predicted else ((), ())
    margins = tuple(break_even(scenario, fleet)) if predicted and with_margins and latency_figures else ()
    money = (*judging.cost_figures(scenario, bill), *commitments.figures(bill, fleet.groups))
    sized, broken = _promised(scenario, fleet, traffic) if predicted else (fleet.figures, ())
    all_figures = (*sized, *latency_figures, *margins, *money)
    figures = {figure.figure: figure for figure in all_figures}
    verdicts = judging.verdicts(scenario, figures, bill, fleet.goals)
    return Plan(
        schema_version=PLAN_SCHEMA_VERSION,
        scenario=scenario,
        book=book.name,
        traffic=traffic,
        figures=figures,
        fleet=fleet,
        bill=bill,
        verdicts=verdicts,
        findings=(
            *fleet.findings,
            *ceilings.findings(scenario, fleet, traffic),
            *broken,
            *((serving.finding(traffic, share),) if is_short else ()),
            *latency_findings,
            *judging.findings(verdicts, bill, fleet.groups, as_of, max_price_age_days),
        ),
    )


def _promised(scenario: Scenario, fleet: Fleet, traffic: Traffic) -> tuple[tuple[Derivation, ...], tuple[Finding, ...]]:
    """Return a fleet's figures, of pinned counts with why not one less, and what by the method slo it does not keep."""
    from cascade_plan.planning.promises import Promises

    is_pinned = any(lever.set_by == "pinned" and lever.spread for lever in fleet.levers)
    if (
        scenario.method != "slo"
        or not is_pinned
        or not all(scenario.service(each) for _, each in scenario.behaviour.mix)
    ):
        return fleet.figures, ()
    promises = Promises(scenario, fleet, traffic.requests_per_s.average)
    why = {each.figure: f"{each.value} would not do: {each.reason}" for each in promises.fewer()}
    figures = tuple(replace(each, note=why[each.figure]) if each.figure in why else each for each in fleet.figures)
    return figures, tuple(promises.findings())


def _fleet(brief: sizing.Brief) -> Fleet:
    if brief.scenario.method == "rules":
        sizes = fitting(brief)
        return sizes.said(sizes.fleet)
    from cascade_plan.planning.least_fleet import least_fleet

    return least_fleet(brief)
