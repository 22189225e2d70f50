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
from cascade_plan.model.ceiling import Ceiling
from cascade_plan.model.cloud import Cloud
from cascade_plan.model.fleet import Fleet
from cascade_plan.model.optimum import Decides, Gaps, MonthFleet, NextBest, Optimum, Part, Proof, Rejected
from cascade_plan.model.option import Option
from cascade_plan.model.plan import Plan
from cascade_plan.model.price import Book, PriceKey, Row
from cascade_plan.model.scenario import Scenario
from cascade_plan.model.terms import commitment_of
from cascade_plan.model.tier import Bought, Housed, Settings
from cascade_plan.planning import pipeline
from cascade_plan.planning.cases import all_left
from cascade_plan.planning.sizing import Brief
from cascade_plan.planning.traffic import traffic_of

TRIED: Final = 12
"""Ways to have a tier that are looked at for the next best one."""
SMALLER: Final = 1
"""Struck shapes that are shown of each tier."""
FAILED: Final = 20
"""Cheaper fleets that a proof lists."""


def brief_of(scenario: Scenario, book: Book, origins: Mapping[str, str], as_of: date | None = None) -> Brief:
    """Return what a search starts from: the scenario by the method slo."""
    searched = scenario.model_copy(update={"method": "slo"})
    cloud = cast(Cloud, registry.load("clouds", scenario.cloud, "cloud"))
    return Brief(searched, traffic_of(searched), cloud, book, origins, as_of or book.day)


def found(scenario: Scenario, book: Book, origins: Mapping[str, str], as_of: date | None = None) -> Found:
    """Return what a search finds: one fleet for all months of the horizon, whose limits hold in the busiest."""
    return search(scenario, book, origins, as_of).run()


def search(
    scenario: Scenario,
    book: Book,
    origins: Mapping[str, str],
    as_of: date | None = None,
    like: Found | None = None,
) -> Search:
    """Return the search of one fleet for all months of the horizon; `like` as for `Search`."""
    horizon = scenario.optimize.horizon_months
    if horizon == 1:
        return Search(brief_of(scenario, book, origins, as_of), like=like)
    months = [brief_of(scenario.in_month(month), book, origins, as_of) for month in range(1, horizon + 1)]
    busiest = max(months, key=lambda month: (month.scenario.users.peak, month.scenario.month))
    return Search(busiest, months, like)


def optimum(
    scenario: Scenario,
    book: Book,
    origins: Mapping[str, str],
    as_of: date | None = None,
    is_fixed: bool = True,
) -> Optimum:
    """Return the cheapest fleet that keeps every promise of a scenario, with its proof.

    Over several months that is one fleet for all of them if it `is_fixed`; else the cheapest of each. Where a
    confidence is asked for it is kept in so many of the drawn worlds.
    Raises UsageError for an unknown shape, and InfeasibleError saying what binds where no fleet keeps them.
    """
    horizon = scenario.optimize.horizon_months
    if horizon > 1 and not is_fixed:
        each = tuple(_months(scenario, book, origins, as_of))
        mean = sum((month.cost_usd_per_month for month in each), NOTHING) / len(each)
        first = optimum(_in_month(scenario, 1), book, origins, as_of)
        return replace(first, cost_usd_per_month=mean, horizon_months=horizon, months=each)
    result, sureness = _result(scenario, book, origins, as_of)
    if result.best is None:
        raise InfeasibleError(f"no fleet keeps every promise: {result.reason}")
    best = result.best
    world = result.worlds[best.layout]
    pinned = best.scenario.model_copy(update={"month": scenario.month, "users": scenario.users})
    plan = pipeline.plan(pinned, book, origins, as_of)
    return Optimum(
        plan=plan,
        today=pipeline.plan(scenario, book, origins, as_of, with_margins=False, by_action=False),
        slo_usd_per_month=_by_slo(scenario, book, origins, as_of),
        cost_usd_per_month=best.cost_usd,
        horizon_months=scenario.optimize.horizon_months,
        upfront_usd=best.upfront_usd,
        parts=tuple(_parts(result, best, world, plan)),
        proof=Proof(
            combination_count=float(result.combinations),
            struck_count=dict(sorted(result.tally.struck.items())),
            popped_count=result.popped,
            prediction_count=result.tally.calls,
            bound_usd_per_month=result.bound_usd,
            failed=tuple(
                (", ".join(each.option.words for each in failure.candidates.values()), failure.reason)
                for failure in result.failures[:FAILED]
            ),
        ),
        gaps=_gaps(result, scenario, book, origins, as_of),
        decides=tuple(_decides(result, best, world)),
        **sureness,
    )


def _result(
    scenario: Scenario, book: Book, origins: Mapping[str, str], as_of: date | None
) -> tuple[Found, dict[str, Any]]:
    """Return what the search finds, and in how many of the drawn worlds that is kept."""
    from cascade_plan.choosing.sure import ladder
    from cascade_plan.choosing.worlds import FIRST_LOOK, Worlds

    plain, asked = found(scenario, book, origins, as_of), scenario.optimize.confidence
    if plain.best is None:
        return plain, {}
    drawn = Worlds.of(plain.best.scenario, book, origins, FIRST_LOOK)
    share = drawn.outcome(plain.best.fleet, plain.best.scenario).kept_ratio
    if asked is None:
        return plain, {"kept_share": share, "world_count": drawn.count}
    result, rungs = ladder(search(scenario, book, origins, as_of), plain, drawn, asked, share)
    own = next((rung.kept_share for rung in rungs if rung.asked_share == asked), 0.0)
    return result, {"kept_share": own, "world_count": drawn.count, "ladder": rungs}


def _in_month(scenario: Scenario, month: int) -> Scenario:
    """Return a month of a scenario by itself: nothing is committed to whose fleet may be another one next month."""
    free = scenario.optimize.model_copy(update={"horizon_months": 1, "commitment_years_max": 0})
    return scenario.in_month(month).model_copy(update={"optimize": free})


def _months(scenario: Scenario, book: Book, origins: Mapping[str, str], as_of: date | None) -> Iterator[MonthFleet]:
    """Yield the cheapest fleet of each month of the horizon. Raises InfeasibleError where a month has none."""
    before: dict[str, str] = {}
    for month in range(1, scenario.optimize.horizon_months + 1):
        of_month = _in_month(scenario, month)
        best = found(of_month, book, origins, as_of).best
        if best is None:
            raise InfeasibleError(f"in month {month}, with {of_month.users.peak:,} users, no fleet keeps every promise")
        words = {name: words_of(each, _base(best, name)) for name, each in best.candidates.items()}
        words |= {
            name: f"on the nodes of {each.nodes_of}"
            for name, each in best.scenario.tiers.items()
            if isinstance(each, Housed) and each.nodes_of is not None
        }
        changes = tuple(
            f"{name}: {before[name]} to {own}" for name, own in words.items() if before.get(name, own) != own
        )
        yield MonthFleet(month, of_month.users.peak, best.cost_usd, changes)
        before = words


def _base(best: Fit, name: str) -> int:
    """Return how many of a tier stand at the peak."""
    candidate = best.candidates[name]
    return best.fleet.tiers[name].levers[0].base_count if candidate.option.is_scaled else candidate.low


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
            words_of(chosen, _base(best, name)),
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
        other, _, _ = fit(world, best.layout, {**best.candidates, name: candidate})
        if other is not None:
            return NextBest(words_of(candidate, _base(other, name)), other.cost_usd - best.cost_usd)
    return None


def _rejected(found: Found, best: Fit, world: World, name: str) -> Iterator[Rejected]:
    """Yield what one less of a tier breaks, and what the dearest of the smaller shapes does."""
    chosen = best.candidates[name]
    if chosen.low > chosen.option.count_min:
        fewer = _at(world, chosen, chosen.low - 1)
        if fewer is not None and (why := _broken(world, best, fewer)):
            yield _as_rejected(best, fewer, f"{words_of(fewer, fewer.low)}", why)
    for option, low in reversed(_cheaper(found, world, chosen)[-SMALLER:]):
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
        other, why, _ = fit(world, best.layout, {**best.candidates, candidate.tier: candidate})
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


# ---------------------------------------------------------------------------------------------- what decides the answer


def _decides(found: Found, best: Fit, world: World) -> Iterator[Decides]:
    """Yield of each tier the cheapest way that assumptions alone strike, the largest saving first."""
    struck = []
    for name, chosen in best.candidates.items():
        for option, low in _cheaper(found, world, chosen):
            candidate = _at(world, replace(chosen, option=option), low)
            paths = () if candidate is None else _rests_on(world, best, candidate)
            if candidate is not None and paths and candidate.cost_usd < chosen.cost_usd:
                saving = chosen.cost_usd - candidate.cost_usd
                struck.append(Decides(paths, name, words_of(candidate, low), saving))
                break
    yield from sorted(struck, key=lambda each: (-each.saving_usd_per_month, each.tier))


def _cheaper(found: Found, world: World, chosen: Candidate) -> list[tuple[Option, int]]:
    """Return the options of a tier that are cheaper than the chosen one and were struck, the cheapest first."""
    priced = []
    for option in world.options[chosen.tier]:
        if (
            option.unfit
            or option.words == chosen.option.words
            or (chosen.tier, option.words) not in found.tally.reasons
        ):
            continue
        low = max(option.count_min, min(chosen.low, option.count_max))
        price = world.price(option, low)
        if price is not None and price < chosen.cost_usd:
            priced.append((price, option.words, option, low))
    return [(option, low) for _, _, option, low in sorted(priced, key=lambda each: each[:2])]


def _rests_on(world: World, best: Fit, candidate: Candidate) -> tuple[str, ...]:
    """Return the assumptions on which every ceiling rests that a candidate breaks; nothing where one rests on none."""
    own = Fleet({candidate.tier: candidate.sized})
    broken: list[Ceiling] = []
    for cases, level in ((world.floor(best.fleet), "floor_count"), (world.base, "base_count")):
        levers = [lever for lever in own.levers if lever.spread]
        kept = all_left(world.scenario, levers, {lever.name: getattr(lever, level) for lever in levers})
        per_s = max(case.users for case in cases) / world.scenario.behaviour.think_time_s.mean
        rates = {"average": world.average_per_s, "peak": per_s}
        broken += [ceiling for ceiling in own.ceilings if ceiling.broken(rates[ceiling.rate], kept)]
    if not all(each.rests_on for each in broken):
        return ()
    return tuple(dict.fromkeys(path for each in broken for path in each.rests_on))


# ------------------------------------------------------------------------------------------------- prices not known


def _gaps(result: Found, scenario: Scenario, book: Book, origins: Mapping[str, str], as_of: date | None) -> Gaps:
    tally = result.tally
    if not tally.terms_unpriced:
        return Gaps(len(tally.unpriced), 0, None)
    least = found(scenario, _with_best_discounts(book), origins, as_of)
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
