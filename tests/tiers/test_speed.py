"""CPU times are those of the machine they were measured on: a vCPU that is faster takes as much less."""

from __future__ import annotations

import pytest

from cascade_plan.errors import UsageError
from cascade_plan.files.assignments import Assignment
from cascade_plan.inputs.scenarios import read
from cascade_plan.model.place import Place
from cascade_plan.model.plan import Plan
from cascade_plan.planning.pipeline import plan
from cascade_plan.planning.sizing import places

SHAPES = {"tiers__api__shape": "c6g.xlarge", "tiers__database__shape": "db.r6g.xlarge", "tiers__websocket": "off"}
"""All of Graviton2, the catalogue's 1; so is the cache.r6g.large that is taken."""


def planned(**values: object) -> Plan:
    given = [Assignment(f"--set {path}", path.replace("__", "."), str(value)) for path, value in values.items()]
    made = read("cascade", given)
    return plan(made.scenario, made.book, made.origins, predicted=False)


def cpu_s(made: Plan) -> dict[str, float]:
    """Return the CPU time of one create_message at each place that is asked."""
    found = {}
    for place in places(made.scenario, made.fleet, {}):
        found[place.name] = _first_s(made, place)
    return {name: seconds for name, seconds in found.items() if seconds}


def _first_s(made: Plan, place: Place) -> float:
    visits = place.visits(made.scenario.behaviour.actions["create_message"])
    return next((visit.service.mean_s for visit in visits if visit.service is not None and visit.try_count), 0.0)


def test_times_on_the_machine_they_were_measured_on_are_as_they_are() -> None:
    times = {"api": 0.001, "primary": 0.0003, "replicas": 0.0001, "cache": 6e-6}
    assert cpu_s(planned(**SHAPES)) == pytest.approx(times)
    measured = planned(
        **SHAPES | {"tiers__api__shape": "m6i.xlarge", "tiers__database__shape": "db.m6i.xlarge"},
        behaviour__measured_on="m6i.xlarge", tiers__cache__shape="cache.r7g.large",
    )  # fmt: skip
    assert cpu_s(measured) == pytest.approx(times | {"cache": 6e-6 * 1.07 / 1.25})


def test_a_faster_machine_takes_less_of_everything() -> None:
    slow, fast = (
        planned(
            **SHAPES
            | {"tiers__api__shape": f"c{generation}.xlarge", "tiers__database__shape": f"db.r{generation}.xlarge"},
            tiers__cache__shape=f"cache.r{min(generation, '7g')}.large",
        )
        for generation in ("5", "8g")
    )
    speeds = (
        {"api": 0.9, "primary": 0.82, "replicas": 0.82, "cache": 0.82},
        {"api": 1.62, "primary": 1.62, "replicas": 1.62, "cache": 1.25},
    )
    base = cpu_s(planned(**SHAPES))
    for made, of in zip((slow, fast), speeds, strict=True):
        assert cpu_s(made) == pytest.approx({name: seconds / of[name] for name, seconds in base.items()})
    assert not [finding for finding in slow.findings if finding.code == "speed-unknown"]


def test_a_name_that_is_no_instance_type_is_refused() -> None:
    with pytest.raises(UsageError, match=r"behaviour\.measured_on: no vm shape named 'c6g\.xlrge'; did you mean"):
        planned(behaviour__measured_on="c6g.xlrge")


def test_busy_credits_and_threads_go_by_the_speed() -> None:
    """20 ms a request at 150/s keep 3 cores of Graviton2 busy, and 3 / 0.82 of a t3."""
    slow = {
        f"behaviour__actions__{name}__cpu_ms": 20 for name in ("list_workrooms", "create_message", "upload_resource")
    }
    (line,) = [
        item
        for item in planned(
            **slow, tiers__api__shape="t3.medium", tiers__api__nodes="{min: 2, base: 2, max: 2}"
        ).bill.items
        if item.name == "api nodes CPU credits"
    ]
    assert float(line.quantity.average) == pytest.approx((3 / 0.82 - 4 * 0.2) * 730)
    threads = [
        planned(tiers__websocket__shape=shape).figure("websocket.busy_ratio") for shape in ("m6g.large", "m8g.large")
    ]
    assert threads[0] / threads[1] == pytest.approx(1.62)
