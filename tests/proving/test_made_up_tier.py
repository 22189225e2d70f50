"""A kind of tier that nobody else knows is predicted, explained and proved like any other, by what it declares."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from factories import make_plan
from made_up import registered

from cascade_plan import registry, tiers
from cascade_plan.model.plan import Plan
from cascade_plan.model.tier import settings_class
from cascade_plan.planning.latencies import chain_for
from cascade_plan.planning.predicting import predict
from cascade_plan.proving.requests import checked, run
from cascade_plan.reports.explanation import explain

REMEMBERED = (registry.names, registry.ordered, settings_class)
BUSY = "busy share of audit"


@pytest.fixture(autouse=True)
def audit() -> Iterator[None]:
    """Register the kind of the folder audit/ as if it stood in the package."""
    with registered(tiers, Path(__file__).parent, "audit", REMEMBERED):
        yield


def planned(**audit: float) -> Plan:
    changes: dict[str, Any] = {
        "behaviour.actions.write.write_count": 2,
        "tiers.audit": audit or "off",
        "loads.normal.users": 6000,
        "tiers.pool.process_count": 1,
    }
    return make_plan(predicted=True, **changes)


def test_it_is_in_the_percentiles() -> None:
    without, quick, slow = (planned(**audit) for audit in ({}, {"entry_ms": 0.2}, {"entry_ms": 0.5}))
    for figure in ("latency_ms_p95.normal", "latency_ms_p99.normal"):
        assert without.figure(figure) < quick.figure(figure) < slow.figure(figure), figure


def test_its_busy_share_is_explained() -> None:
    made = planned(entry_ms=0.2)
    # 6,000 users send nearly 3,000 requests/s, a quarter of which enter two writes of 0.2 ms.
    (busy,) = (float(given.value) for given in made.figures["latency_ms_p95.normal"].inputs if given.name == BUSY)
    assert busy == pytest.approx(6000 / 2 * 0.25 * 2 * 0.0002, rel=0.01)
    assert BUSY in explain(made, "latency_ms_p95.normal")


def test_it_is_the_bottleneck_where_it_is_fullest() -> None:
    notes = {ms: planned(entry_ms=ms).figures["latency_ms_p95.normal"].note for ms in (0.01, 0.6)}
    assert notes[0.01] == "the fullest place is pool processes"
    assert notes[0.6].startswith("the fullest place is audit")
    load = (made := planned(entry_ms=0.6)).scenario.loads["normal"]
    assert chain_for(made.scenario, made.fleet, load).bottleneck == "audit"


@pytest.mark.parametrize("law", [{"entry_ms": 0.2}, {"entry_ms": 0.45}, {"entry_ms": 0.3, "service_scv": 4.0}])
def test_requests_one_by_one_agree_with_its_formulas(law: dict[str, float]) -> None:
    for row in checked(planned(**law), 100_000, 5):
        assert abs(row.predicted - row.simulated) <= 0.06 * row.simulated + row.half_width, row


def test_requests_one_by_one_meet_it() -> None:
    """Of what the log adds, the simulation shows as much as the formula says."""
    chains = [
        chain_for(of.scenario, of.fleet, of.scenario.loads["normal"]) for of in (planned(), planned(entry_ms=0.4))
    ]
    without, with_it = (predict(on, 6000).latency_ms_mean for on in chains)
    simulated_without, simulated_with = (run(on, 6000, 60_000, 5).latency_ms_mean.value for on in chains)
    assert simulated_with - simulated_without == pytest.approx(with_it - without, rel=0.15)
    assert with_it - without > 2 * 0.25 * (0.4 + 0.5)
