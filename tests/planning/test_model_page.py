"""The request that docs/model.md adds up is the one that is predicted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cascade_plan.inputs.scenarios import read
from cascade_plan.planning.chain import Chain
from cascade_plan.planning.latencies import chain_for
from cascade_plan.planning.pipeline import plan
from cascade_plan.planning.predicting import predict

PAGE = (Path(__file__).parents[2] / "docs" / "model.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def on() -> Chain:
    given = read("cascade", [])
    made = plan(given.scenario, given.book, predicted=False)
    return chain_for(made.scenario, made.fleet, made.scenario.driven["peak"])


def test_the_sums_of_the_page_are_the_time_that_is_no_wait(on: Chain) -> None:
    found: dict[str, list[float]] = {}
    for way, fixed_s in zip(on.ways, on.fixed_s, strict=True):
        entry = found.setdefault(way.action, [0.0, 0.0])
        entry[0], entry[1] = entry[0] + way.share, entry[1] + way.share * fixed_s * 1000
    said = re.search(r"^\| sum \| (.+) \| (.+) \| (.+) \|$", PAGE, re.MULTILINE)
    assert said
    sums = [float(cell) for cell in said.groups()]
    assert sums == pytest.approx([total / share for share, total in found.values()], abs=6e-4)


def test_with_the_waits_of_the_page_it_is_the_predicted_mean(on: Chain) -> None:
    sentence = r"wait ([\d.]+) for\s+PgBouncer.*?, ([\d.]+) for a pod .*?and\s+([\d.]+) elsewhere: ([\d.]+) ms"
    said = re.search(sentence, PAGE, re.DOTALL)
    mix = re.search(r"/ 6 = ([\d.]+)`", PAGE)
    assert said
    assert mix
    *waits, mean = map(float, said.groups())
    assert sum(waits) + float(mix[1]) == pytest.approx(mean, abs=1.5e-3)
    assert predict(on, 10_000).latency_ms_mean == pytest.approx(mean, abs=1e-3)
