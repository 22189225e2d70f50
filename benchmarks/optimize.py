"""What the search for the cheapest fleet takes, and that a solver finds nothing cheaper.

The solver is HiGHS on the naive model of the same options: a binary for each option of each tier at each of some
counts, one of each tier, the least sum of costs; the fleet that it picks is judged as the search judges it, and where
it breaks a promise a cut forbids it and the model is solved again. Exits 1 where that ends below the search.
"""

# ruff: noqa: T201

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import highspy

from cascade_plan.choosing.candidates import Candidate, Stream, World
from cascade_plan.choosing.optimum import brief_of
from cascade_plan.choosing.search import Found, Search, fit
from cascade_plan.inputs.scenarios import bundled_scenarios, read
from cascade_plan.model.scenario import Scenario

COPIES = re.compile(r".+-(us|eu|ap)-[a-z]+-[0-9]")
"""Bundled scenarios that are another in another region."""
PURCHASES: Mapping[str, Mapping[str, Any]] = {
    "on demand": {},
    "any": {"commitment_years_max": 3},
    "cap $1000": {"commitment_years_max": 3, "upfront_usd_max": 1000.0},
}
PEAKS = (1_000, 10_000, 100_000, 1_000_000)
SHOWN = "{:<24}{:<11}{:>7}{:>8}{:>8}{:>10}{:>12}{:>9}{:>8}{:>8}  {}"


def main() -> int:
    """Print a line for each search, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenarios", nargs="*", help="bundled scenarios (default all)")
    parser.add_argument("--counts", type=int, default=4, help="counts of each option for HiGHS (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=60, help="fleets that HiGHS may pick (default %(default)s)")
    arguments = parser.parse_args()
    names = arguments.scenarios or [name for name in bundled_scenarios() if not COPIES.fullmatch(name)]
    heads = ("scenario", "purchase", "s", "asked", "popped", "fleets", "USD/month", "HiGHS s", "times", "rounds")
    print(SHOWN.format(*heads, "HiGHS' answer"))
    lost = False
    for name, purchase, scenario in cases(names):
        lost |= compared(name, purchase, scenario, arguments.counts, arguments.rounds)
    return int(lost)


def cases(names: Sequence[str]) -> Iterator[tuple[str, str, Scenario]]:
    """Yield each scenario with each way to pay, and cascade with fewer and more users."""
    for name in names:
        scenario = read(name).scenario
        for purchase, free in PURCHASES.items():
            yield name, purchase, scenario.model_copy(update={"optimize": scenario.optimize.model_copy(update=free)})
    if "cascade" in names:
        for peak in PEAKS:
            yield f"cascade, {peak:,} users", "on demand", read("cascade").scenario.with_users(peak, peak * 3 // 10)


def compared(name: str, purchase: str, scenario: Scenario, counts: int, rounds: int) -> bool:
    """Print what a search and HiGHS take, and return whether HiGHS found a cheaper fleet."""
    given = read(name.partition(",")[0])
    start = time.perf_counter()
    found = Search(brief_of(scenario, given.book, given.origins)).run()
    seconds = time.perf_counter() - start
    usd = "none" if found.best is None else f"{found.best.cost_usd:,.2f}"
    figures = [f"{seconds:.2f}", found.tally.calls, found.popped, f"{found.combinations:.0e}", usd]
    if found.best is None:
        print(SHOWN.format(name, purchase, *figures, "", "", "", ""), flush=True)
        return False
    start = time.perf_counter()
    answer, tried, bound = by_highs(found, counts, rounds)
    solver_s = time.perf_counter() - start
    said = f"at least {bound:,.2f} after all rounds" if answer is None else f"{answer:,.2f}"
    ratios = [f"{solver_s:.1f}", f"{solver_s / seconds:.0f}x", tried]
    print(SHOWN.format(name, purchase, *figures, *ratios, said), flush=True)
    return answer is not None and answer < found.best.cost_usd - Decimal("0.01")


def by_highs(found: Found, counts: int, rounds: int) -> tuple[Decimal | None, int, float]:
    """Return what the cheapest fleet costs that HiGHS finds in the layout of the answer, the fleets it picked, and the
    last bound; None in the place of the cost where it has not found one within the rounds.
    """
    assert found.best is not None
    layout, world = found.best.layout, found.worlds[found.best.layout]
    ways = [(name, list(listed(world, name, counts))) for name in world.options]
    solver = model(ways)
    free, bound = world.scenario.optimize, 0.0
    if free.upfront_usd_max is not None:
        flat = [each for _, own in ways for each in own]
        at = [place for place, each in enumerate(flat) if each.upfront_usd]
        solver.addRow(0, free.upfront_usd_max, len(at), at, [float(flat[place].upfront_usd) for place in at])
    for tried in range(1, rounds + 1):
        solver.run()
        if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None, tried, bound
        bound, picked = solver.getInfo().objective_function_value, [x > 0.5 for x in solver.getSolution().col_value]
        chosen, at = {}, 0
        for name, own in ways:
            chosen[name] = next(each for place, each in enumerate(own) if picked[at + place])
            at += len(own)
        best, _ = fit(world, layout, chosen)
        if best is not None:
            return best.cost_usd, tried, bound
        columns = [place for place, is_picked in enumerate(picked) if is_picked]
        solver.addRow(0, len(columns) - 1, len(columns), columns, [1.0] * len(columns))
    return None, rounds, bound


def listed(world: World, name: str, counts: int) -> Iterator[Candidate]:
    """Yield a tier's options at some counts, from the fewest that keep the load by themselves, by each way to pay."""
    stream = Stream(world, name)
    for option in world.options[name]:
        least = None if option.unfit else stream.least_of(option, option.count_min)
        least = None if least is None else stream.least_of(option, least)
        if least is not None:
            for low in range(least, min(option.count_max, least + counts - 1) + 1):
                yield from stream.candidates(option, low)


def model(ways: Sequence[tuple[str, Sequence[Candidate]]]) -> Any:
    """Return the naive model: the least sum of costs, one way of each tier."""
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("mip_rel_gap", 0.0)
    for _, own in ways:
        first = solver.getNumCol()
        for each in own:
            solver.addVar(0, 1)
            at = solver.getNumCol() - 1
            solver.changeColCost(at, float(each.total_usd))
            solver.changeColIntegrality(at, highspy.HighsVarType.kInteger)
        columns = list(range(first, solver.getNumCol()))
        solver.addRow(1, 1, len(columns), columns, [1.0] * len(columns))
    return solver


if __name__ == "__main__":
    sys.exit(main())
