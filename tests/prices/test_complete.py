"""The bundled scenarios in every region that has a book: no line without a price, and a verdict of the gates."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cascade_plan.files.assignments import Assignment
from cascade_plan.inputs.scenarios import bundled_scenarios, read
from cascade_plan.planning.pipeline import plan
from cascade_plan.prices import bundled

SCENARIOS = ("cascade", "startup-1k", "growth-100k", "whale-1m")


@pytest.mark.parametrize("region", bundled.regions("aws"))
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_bundled_scenario_has_every_price_in_every_region(name: str, region: str) -> None:
    given = read(name, [Assignment("--region", "region", region)], cached=False)
    made = plan(given.scenario, given.book, predicted=False, with_margins=False, by_action=False)
    assert made.scenario.region == region
    assert not made.bill.unpriced
    assert len(made.bill.items) > 10


REGIONAL = [name for name in bundled_scenarios() if name.startswith("cascade") and name != "cascade-as-written"]


def test_each_region_has_a_scenario_of_its_own() -> None:
    assert {read(name, cached=False).scenario.region for name in REGIONAL} == set(bundled.regions("aws"))


@pytest.mark.parametrize("name", REGIONAL)
def test_a_regional_scenario_is_judged(name: str, cascade: Callable[..., tuple[int, str, str]]) -> None:
    status, out, err = cascade("check", name, "--no-price-cache")
    assert status in (0, 1)
    assert "no price" not in out + err
