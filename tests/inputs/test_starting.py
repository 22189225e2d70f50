"""The scenario that `init` writes: short, commented, valid and planned, whatever is wanted in it."""

from __future__ import annotations

from itertools import product

import pytest

from cascade_plan.files.parsing import parse_yaml
from cascade_plan.files.validating import validate
from cascade_plan.inputs.starting import Answers, scenario_yaml
from cascade_plan.model.scenario import Scenario
from cascade_plan.planning.pipeline import plan
from cascade_plan.prices import books

KINDS = ("websocket", "cache", "database", "worker")


@pytest.mark.parametrize("wanted", list(product((False, True), repeat=4)))
def test_what_is_written_is_short_and_has_what_was_asked_for(wanted: tuple[bool, bool, bool, bool]) -> None:
    text = scenario_yaml(Answers("shop", 2000, *wanted, budget_usd_per_month=1500.0, region="us-east-1"))
    assert len(text.splitlines()) <= 30
    assert max(map(len, text.splitlines())) <= 121
    assert sum("#" in line for line in text.splitlines()) >= 8
    scenario = validate(Scenario, parse_yaml(text, "shop.yaml"))
    assert {kind for kind in KINDS if scenario.of(kind)} == {
        kind for kind, is_wanted in zip(KINDS, wanted, strict=True) if is_wanted
    }
    made = plan(scenario, books.book("aws", "us-east-1", cached=False))
    assert made.bill.complete
    assert not [
        verdict for verdict in made.verdicts if verdict.figure.startswith("latency") and verdict.status != "pass"
    ]
    assert {sized.kind for sized in made.fleet.tiers.values()} >= {"api", "cluster", "gateway", "network", "monitoring"}
    assert made.scenario.budget.usd_per_month == 1500
