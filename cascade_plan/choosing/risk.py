"""A plan -> how sure it is: what is missed in how many worlds, what drives it, and what is worth measuring."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from cascade_plan.choosing.beliefs import Belief
from cascade_plan.choosing.fleets import alternatives
from cascade_plan.choosing.instruments import instrument
from cascade_plan.formulas import drivers
from cascade_plan.model.plan import Plan
from cascade_plan.model.price import Book
from cascade_plan.model.risk import (
    RISK_SCHEMA_VERSION,
    CeilingRisk,
    CostHistogram,
    Driver,
    LatencyHistogram,
    PromiseRisk,
    Risk,
    Three,
)

if TYPE_CHECKING:
    from cascade_plan.choosing.worlds import Outcome, Worlds

SHOWN: Final = 256
"""Worlds whose percentiles of latency are computed: a p10 or p90 of them is within 4 in a hundred of its rank."""
CHOSEN: Final = 1024
"""Worlds in which the fleets are compared that could be chosen instead."""
BINS: Final = 30
"""Of a histogram."""
SOBOL: Final = 2048
"""Worlds of each of the two samples of Saltelli's, or all there are."""
SOBOL_MOST: Final = 8
"""Inputs whose totals are computed: those that explain most alone. Each is another sample."""


def risk_of(
    plan: Plan,
    book: Book,
    origins: Mapping[str, str],
    draws: int,
    seed: int,
    with_totals: bool = False,
    loss_usd: float | None = None,
) -> Risk:
    """Return how sure the fleet of a plan is, in so many worlds.

    `loss_usd` is what a month loses in a world where a promise is broken; left out, what the fleet costs: a month that
    breaks its promises is taken to be worth nothing.
    """
    from cascade_plan.choosing.worlds import Worlds

    worlds = Worlds.of(plan.scenario, book, origins, draws, seed)
    outcome = worlds.outcome(plan.fleet)
    level = plan.scenario.budget.level
    plan_usd = float(getattr(plan.bill.effective_usd, level))
    loss = plan_usd if loss_usd is None else loss_usd
    fleets = _compared(worlds, plan, loss)
    totals = _totals(worlds, plan, outcome, seed) if with_totals else {}
    is_judged = outcome.budget_usd_per_1000_users_month is not None
    return Risk(
        RISK_SCHEMA_VERSION,
        plan.scenario.name,
        plan.scenario.region,
        book.name,
        plan.scenario.users.peak,
        level,
        draws,
        seed,
        outcome.kept_ratio,
        outcome.over_budget_ratio if is_judged else None,
        outcome.budget_usd_per_1000_users_month,
        plan_usd,
        three(outcome.cost_usd),
        three(outcome.cost_usd_per_1000_users_month),
        CostHistogram(*histogram(outcome.cost_usd)),
        tuple(_promises(worlds, plan, outcome)),
        tuple(CeilingRisk(figure, float(mask.mean())) for figure, mask in outcome.broken.items()),
        tuple(_drivers(worlds, outcome, fleets.worth, totals, seed)),
        loss,
        fleets.count,
        fleets.best,
        drivers.of_all(fleets.worth),
        outcome.one_by_one,
    )


def three(values: Any) -> Three:
    """Return the tenth, fiftieth and ninetieth percentile."""
    import numpy as np

    low, middle, high = np.percentile(values, [10, 50, 90])
    return float(low), float(middle), float(high)


def histogram(values: Any) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Return rising edges and in how many worlds a number lies between them: its 0.5th to 99.5th percentile."""
    import numpy as np

    low, high = np.percentile(values, [0.5, 99.5])
    # Numbers that are all the same have one place, as wide as nothing else.
    span = (low, high) if high > low * (1 + 1e-9) else (low * 0.995, low * 1.005 or 1.0)
    counts, edges = np.histogram(np.clip(values, *span), bins=BINS, range=span)
    return tuple(edges.tolist()), tuple(counts.tolist())


def _promises(worlds: Worlds, plan: Plan, outcome: Outcome) -> Iterator[PromiseRisk]:
    found = worlds.first(SHOWN).percentiles_ms(plan.fleet)
    for promise, missed in outcome.missed.items():
        values = found.get(promise)
        yield PromiseRisk(
            promise.load,
            promise.limit,
            promise.latency_ms,
            promise.counts,
            float(missed.mean()),
            None if values is None else three(values),
            None if values is None else LatencyHistogram(*histogram(values)),
        )


class _Fleets:
    """Fleets that could be chosen: what each is worth in each world, less what it costs."""

    def __init__(self, names: list[str], worth: Any) -> None:
        self.worth = worth
        self.count = len(names)
        self.best = names[int(worth.mean(axis=0).argmax())]


def _compared(worlds: Worlds, plan: Plan, loss_usd: float) -> _Fleets:
    import numpy as np

    few = worlds.first(CHOSEN)
    names, columns = [], []
    for name, scenario, fleet in alternatives(plan, worlds.book):
        found = few.outcome(fleet, scenario)
        names.append(name)
        columns.append(-found.cost_usd - loss_usd * ~found.kept)
    return _Fleets(names, np.stack(columns, axis=1))


def _drivers(
    worlds: Worlds, outcome: Outcome, worth: Any, totals: Mapping[str, tuple[drivers.Share, drivers.Share]], seed: int
) -> Iterator[Driver]:
    """Yield every unsure number, first what explains or is worth most."""
    broken = (~outcome.kept).astype(float)
    found = []
    for belief in worlds.believed:
        given = worlds.values[belief.members[0][0].path]
        low, _, high = three(given / belief.members[0][0].value)
        cost, both = totals.get(belief.name, (None, None))
        found.append(
            Driver(
                belief.name,
                belief.kind,
                low,
                high,
                drivers.first_order(given, outcome.cost_usd),
                drivers.first_order(given, broken),
                None if cost is None else cost.ratio,
                None if both is None else both.ratio,
                None if cost is None else cost.error_ratio,
                None if both is None else both.error_ratio,
                drivers.worth(worth, [given[: worth.shape[0]]], seed),
                instrument(belief.name),
            )
        )
    most = max((driver.worth_usd_per_month for driver in found), default=0.0) or 1.0
    found.sort(key=lambda each: (-max(each.cost_share, each.broken_share, each.worth_usd_per_month / most), each.name))
    yield from found


def _totals(worlds: Worlds, plan: Plan, outcome: Outcome, seed: int) -> dict[str, tuple[drivers.Share, drivers.Share]]:
    """Return input -> the totals of the cost and of what is broken, of the inputs that explain most alone."""
    import numpy as np

    from cascade_plan.choosing.worlds import drawn

    broken = (~outcome.kept).astype(float)

    def alone(belief: Belief) -> float:
        given = worlds.values[belief.members[0][0].path]
        return max(drivers.first_order(given, outcome.cost_usd), drivers.first_order(given, broken))

    chosen = sorted(worlds.believed, key=lambda belief: (-alone(belief), belief.name))[:SOBOL_MOST]
    count = min(SOBOL, worlds.count)
    one, other = (drawn(worlds.believed, plan.scenario, count, seed, stream) for stream in (1, 2))

    samples = [one, other, *(one | {path: other[path] for path in _paths(belief, other)} for belief in chosen)]
    # All samples are worlds of the same fleet: they are asked together.
    values = {path: np.concatenate([sample[path] for sample in samples]) for path in one}
    found = replace(worlds, values=values, count=count * len(samples)).outcome(plan.fleet)
    both = []
    for outcomes in (found.cost_usd, (~found.kept).astype(float)):
        ends = outcomes.reshape(len(samples), count)
        mixed = {belief.name: ends[at + 2] for at, belief in enumerate(chosen)}
        both.append(drivers.sobol(ends[0], ends[1], mixed, seed))
    return {belief.name: (both[0][belief.name][1], both[1][belief.name][1]) for belief in chosen}


def _paths(belief: Belief, values: Mapping[str, Any]) -> list[str]:
    """Return the paths that a belief decides: users on average too, where they follow those at peak."""
    own = [number.path for number, _ in belief.members]
    return [*own, "users.average"] if "users.peak" in own and "users.average" in values else own
