"""The cheapest fleet with what lies beside it: the next best of each tier, what one less breaks, and unknown prices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, Final, cast

from cascade_plan import registry
from cascade_plan.choosing.candidates import NOTHING, Candidate, World
from cascade_plan.choosing.search import Fit, Found, Search, fit
from cascade_plan.errors import CascadePlanError, InfeasibleError
from cascade_plan.model.cloud import Cloud
from cascade_plan.model.optimum import Gaps, NextBest, Optimum, Part, Proof, Rejected
from cascade_plan.model.plan import Plan
from cascade_plan.model.price import Book, PriceKey, Row
from cascade_plan.model.scenario import Scenario
from cascade_plan.model.terms import commitment_of
from cascade_plan.model.tier import Bought, Settings
from cascade_plan.planning import pipeline
from cascade_plan.planning.sizing import Brief
from cascade_plan.planning.traffic import traffic_of

TRIED: Final = 12
"""Ways to have a tier that are looked at for the next best one."""
SMALLER: Final = 1
"""Struck shapes that are shown of each tier."""
FAILED: Final = 20
"""Cheaper fleets that a proof lists."""


def brief_of(scenario: Scenario, book: Book, origins: Mapping[str, str], as_of: date | None = None) -> Brief:
    """Return what a search starts from: the scenario by the method slo, in the last month of its horizon."""
    month = max(scenario.month, scenario.optimize.horizon_months) if scenario.optimize.horizon_months > 1 else None
    update: dict[str, Any] = {"method": "slo"} | ({"month": month} if month is not None else {})
    searched = scenario.model_copy(update=update)
    cloud = cast(Cloud, registry.load("clouds", scenario.cloud, "cloud"))
    return Brief(searched, traffic_of(searched), cloud, book, origins, as_of or book.day)


def optimum(scenario: Scenario, book: Book, origins: Mapping[str, str], as_of: date | None = None) -> Optimum:
    """Return the cheapest fleet that keeps every promise of a scenario, with its proof.

    Raises UsageError for an unknown shape, and InfeasibleError saying what binds where no fleet keeps them.
    """
    found = Search(brief_of(scenario, book, origins, as_of)).run()
    if found.best is None:
        raise InfeasibleError(f"no fleet keeps every promise: {found.reason}")
    best = found.best
    world = found.worlds[best.layout]
    pinned = best.scenario.model_copy(update={"month": scenario.month})
    plan = pipeline.plan(pinned, book, origins, as_of)
    return Optimum(
        plan=plan,
        today=pipeline.plan(scenario, book, origins, as_of, with_margins=False, by_action=False),
        slo_usd_per_month=_by_slo(scenario, book, origins, as_of),
        cost_usd_per_month=best.cost_usd,
        horizon_months=scenario.optimize.horizon_months,
        upfront_usd=best.upfront_usd,
        parts=tuple(_parts(found, best, world, plan)),
        proof=Proof(
            combination_count=float(found.combinations),
            struck_count=dict(sorted(found.tally.struck.items())),
            popped_count=found.popped,
            prediction_count=found.tally.calls,
            bound_usd_per_month=found.bound_usd,
            failed=tuple(
                (", ".join(each.option.words for each in failure.candidates.values()), failure.reason)
                for failure in found.failures[:FAILED]
            ),
        ),
        gaps=_gaps(found, scenario, book, origins, as_of),
    )


def _by_slo(scenario: Scenario, book: Book, origins: Mapping[str, str], as_of: date | None) -> Decimal | None:
    try:
        plan = pipeline.plan(scenario.model_copy(update={"method": "slo"}), book, origins, as_of, predicted=False)
    except InfeasibleError:
        return None
    cost: Decimal = getattr(plan.bill.effective_usd, scenario.budget.level)
    return cost


# --------------------------------------------------------------------------------------------------- beside the best


def _parts(found: Found, best: Fit, world: World, plan: Plan) -> Iterator[Part]:
    level, costs = plan.scenario.budget.level, dict.fromkeys(plan.fleet.tiers, NOTHING)
    for item in plan.bill.items:
        costs[item.tier] = costs.get(item.tier, NOTHING) + getattr(item.cost_usd, level)
    for name in world.order:
        chosen = best.candidates.get(name)
        if chosen is None:
            yield Part(name, "", costs[name], None, ())
            continue
        yield Part(
            name,
            words_of(chosen, best.fleet.tiers[name].levers[0].base_count if chosen.option.is_scaled else chosen.low),
            costs[name],
            _next_best(found, best, world, name),
            tuple(_rejected(found, best, world, name)),
        )


def words_of(candidate: Candidate, base: int) -> str:
    """Return a way to have a tier in words: 6-11 x t4g.small."""
    option, low = candidate.option, candidate.low
    if option.each is None:
        return option.words
    if option.beside is not None:
        return f"{option.words}, {low} replica{'' if low == 1 else 's'}" if low else option.words
    count = low * option.each_count
    span = f"{count}-{base * option.each_count}" if option.is_scaled and base > low else f"{count}"
    return f"{span} x {option.words}"


def _next_best(found: Found, best: Fit, world: World, name: str) -> NextBest | None:
    """Return the next best way to have a tier that is another one, with the rest of the fleet as it is."""
    stream, chosen = found.streams[best.layout][name], best.candidates[name]
    for rank in range(TRIED):
        candidate = stream[rank]
        if candidate is None:
            return None
        if candidate.option.words == chosen.option.words:
            continue
        other, _ = fit(world, best.layout, {**best.candidates, name: candidate})
        if other is not None:
            base = other.fleet.tiers[name].levers[0].base_count if candidate.option.is_scaled else candidate.low
            return NextBest(words_of(candidate, base), other.cost_usd - best.cost_usd)
    return None


def _rejected(found: Found, best: Fit, world: World, name: str) -> Iterator[Rejected]:
    """Yield what one less of a tier breaks, and what the dearest of the smaller shapes does."""
    chosen = best.candidates[name]
    if chosen.low > chosen.option.count_min:
        fewer = _at(world, chosen, chosen.low - 1)
        if fewer is not None and (why := _broken(world, best, fewer)):
            yield _as_rejected(best, fewer, f"{words_of(fewer, fewer.low)}", why)
    cheaper = [
        (price, option)
        for option in world.options[name]
        if (name, option.words) in found.tally.reasons
        and not option.unfit
        and option.words != chosen.option.words
        and (price := world.price(option, max(option.count_min, min(chosen.low, option.count_max)))) is not None
        and price < chosen.cost_usd
    ]
    for _, option in sorted(cheaper, key=lambda each: (-each[0], each[1].words))[:SMALLER]:
        low = max(option.count_min, min(chosen.low, option.count_max))
        smaller = _at(world, replace(chosen, option=option), low)
        if smaller is not None and (why := _broken(world, best, smaller)):
            yield _as_rejected(best, smaller, words_of(smaller, low), why)


def _at(world: World, chosen: Candidate, low: int) -> Candidate | None:
    """Return a candidate with another count at the least load, paid alike."""
    base = max(low, chosen.base)
    settings = chosen.option.at(low, base)
    if isinstance(settings, Bought) and isinstance(chosen.settings, Bought):
        settings = settings.model_copy(update={"purchase": chosen.settings.purchase})
    try:
        own = world.sized(chosen.tier, settings, world.slight, is_host=True)
    except CascadePlanError:
        return None
    usd, upfront, missing = world.cost({chosen.tier: own})
    if missing:
        return None
    return replace(chosen, low=low, base=base, settings=settings, sized=own, cost_usd=usd, upfront_usd=upfront)


def _broken(world: World, best: Fit, candidate: Candidate) -> str:
    """Return which promise the fleet breaks with a candidate in the place of its own, "" where it breaks none."""
    try:
        other, why = fit(world, best.layout, {**best.candidates, candidate.tier: candidate})
    except CascadePlanError as error:
        return str(error)
    return "" if other is not None else why


def _as_rejected(best: Fit, candidate: Candidate, words: str, why: str) -> Rejected:
    pinned = best.scenario.tiers[candidate.tier]
    saving = best.candidates[candidate.tier].cost_usd - candidate.cost_usd
    return Rejected(candidate.tier, words, why, overrides(candidate.tier, pinned, candidate.settings), saving)


def overrides(name: str, before: Settings, after: Settings) -> dict[str, Any]:
    """Return what to set of a tier's settings to make others of them: dotted path -> value."""
    old, new = before.model_dump(), after.model_dump()
    return {f"tiers.{name}.{field}": new[field] for field in new if old.get(field) != new[field]}


# ------------------------------------------------------------------------------------------------- prices not known


def _gaps(found: Found, scenario: Scenario, book: Book, origins: Mapping[str, str], as_of: date | None) -> Gaps:
    tally = found.tally
    if not tally.terms_unpriced:
        return Gaps(len(tally.unpriced), 0, None)
    least = Search(brief_of(scenario, _with_best_discounts(book), origins, as_of)).run()
    return Gaps(len(tally.unpriced), tally.terms_unpriced, None if least.best is None else least.best.cost_usd)


def _with_best_discounts(book: Book) -> Book:
    """Return the book in which every instance has every commitment, at the best discount known of its service."""
    best: dict[tuple[str, str], Decimal] = {}
    on_demand = {key: Decimal(row[1]) for key, row in book.rows.items() if key.term == "on_demand"}
    for key, row in book.rows.items():
        listed = on_demand.get(key._replace(term="on_demand"))
        if commitment_of(key.term) is not None and listed:
            place = key.service, key.term
            best[place] = min(best.get(place, Decimal(1)), Decimal(row[1]) / listed)
    rows: dict[PriceKey, Row] = {}
    for key, listed in on_demand.items():
        for (service, term), ratio in best.items():
            if service == key.service and (made := key._replace(term=term)) not in book.rows:
                unit, _, _, as_of, *rest = book.rows[key]
                rows[made] = (unit, f"{listed * ratio:f}", "0", as_of, *rest)  # type: ignore[assignment]
    return book.overridden(rows, "best known discounts")
