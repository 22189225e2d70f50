"""A grid in arrays is to the cent what each of its points is when it is planned by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_plan.choosing.portfolio.grid import Grid, followed
from cascade_plan.inputs.scenarios import bundled_scenarios, read
from cascade_plan.model.fleet import LEVELS
from cascade_plan.model.scenario import Scenario
from cascade_plan.planning.pipeline import plan

BY_RULES = [name for name in bundled_scenarios() if read(name, cached=False).scenario.method == "rules"]
RANGES = {
    "users.peak": (50, 300_000),
    "users.active_share": (0.01, 1.0),
    "behaviour.header_bytes": (100, 5000),
    "tiers.api.users_per_node": (500, 20_000),
    "tiers.cache.hit_ratio": (0.0, 1.0),
    "tiers.database.read_ms": (0.1, 5.0),
}


def has(scenario: Scenario, path: str) -> bool:
    part: Any = scenario
    for step in path.split("."):
        part = part.get(step) if isinstance(part, dict) else getattr(part, step, None)
    return isinstance(part, int | float)


@st.composite
def grids(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """Return a bundled scenario sized by rules, and values for some numbers of it at some points."""
    name = draw(st.sampled_from(BY_RULES))
    scenario = read(name, cached=False).scenario
    count = draw(st.integers(2, 40))
    paths = draw(st.sets(st.sampled_from([path for path in RANGES if has(scenario, path)]), min_size=1, max_size=3))
    values = {}
    for path in sorted(paths):
        low, high = RANGES[path]
        number = st.integers(low, high) if isinstance(low, int) else st.floats(low, high)
        values[path] = np.array(draw(st.lists(number, min_size=count, max_size=count)), dtype=float)
    return name, followed(values, scenario, count)


@given(drawn=grids())
@settings(max_examples=40)
def test_each_point_costs_what_it_does_by_itself(drawn: tuple[str, dict[str, Any]]) -> None:
    name, values = drawn
    base = read(name, cached=False)
    count = len(next(iter(values.values())))
    grid = Grid(base.scenario, base.book, values, count)
    found = grid.costs()
    for point in range(count):
        if point in found.failures:
            continue
        made = plan(grid.at(point), base.book, predicted=False, with_margins=False)
        for level in LEVELS:
            assert found.usd[level][point] == pytest.approx(float(getattr(made.bill.effective_usd, level)), abs=0.005)
        counts = {lever.name: lever.base_count for lever in made.fleet.levers}
        assert {figure: each[point] for figure, each in found.counts.items() if not np.isnan(each[point])} == counts


@pytest.mark.parametrize("name", ["cascade", "startup-1k", "serverless-500"])
def test_users_are_swept_in_arrays_and_not_one_by_one(name: str) -> None:
    base = read(name, cached=False)
    values = followed({"users.peak": np.linspace(1000, 100_000, 1000).round()}, base.scenario, 1000)
    found = Grid(base.scenario, base.book, values, 1000).costs()
    assert found.alone_count == 0
    assert found.part_count == found.checked_count < 150
    assert np.isfinite(found.usd["average"]).all()


def test_what_is_committed_to_is_planned_point_by_point() -> None:
    base = read("growth-100k", cached=False)
    values = followed({"users.peak": np.array([50_000.0, 100_000.0])}, base.scenario, 2)
    found = Grid(base.scenario, base.book, values, 2).costs()
    assert found.alone_count == 2
    own = plan(base.scenario, base.book, predicted=False).bill.effective_usd
    assert found.usd["average"][1] == pytest.approx(float(own.average), abs=0.005)


def test_arrays_that_say_another_cent_are_our_own_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    base = read("cascade", cached=False)
    values = followed({"users.peak": np.array([5000.0, 9000.0])}, base.scenario, 2)
    grid = Grid(base.scenario, base.book, values, 2)
    genuine = Grid._of_usage
    monkeypatch.setattr(Grid, "_of_usage", lambda self, *given: genuine(self, *given) + 0.01)
    with pytest.raises(AssertionError, match="in arrays"):
        grid.costs()
