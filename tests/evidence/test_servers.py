"""What a server is taken for, what its measurement becomes, and when a variability is told."""

from __future__ import annotations

import pytest

from cascade_plan.evidence.measuring import _pace
from cascade_plan.evidence.servers import Found, Reading, Server, Step, measured
from cascade_plan.model.calibration import Calibrated, Calibration

CACHE = Server("redis", "cache", "redis://h", "redis://h")


def told(*readings: Reading, **unknown: str) -> Found:
    return Found("Redis 7", readings, unknown)


def test_a_value_has_four_digits_and_is_whole_where_it_is() -> None:
    made = measured("cascade", [CACHE], [told(Reading("command_ms", 0.00612345, 0.004, 4.0, "GETs"))], None)
    found = made.values["tiers.cache.command_ms"]
    assert (found.value, found.low, found.high) == (0.006123, 0.004, 4)
    assert isinstance(found.high, int)
    assert found.method == "measure redis://h: GETs"


def test_what_is_not_known_is_left_unless_it_was_known_before() -> None:
    before = Calibration(
        calibration_version=1,
        scenario="cascade",
        values={"tiers.cache.command_ms": Calibrated(value=0.006, method="calibrate")},
        left={"tiers.cache.round_trip_ms": "no run tells it"},
    )
    found = told(
        Reading("round_trip_ms", 0.4, 0.3, 0.5, "PINGs"), command_ms="no INFO", round_trip_scv="stalls", memory="?"
    )
    made = measured("cascade", [CACHE], [found], before)
    assert made.left == {"tiers.cache.round_trip_scv": "stalls"}
    assert {path: each.value for path, each in made.values.items()} == {
        "tiers.cache.command_ms": 0.006, "tiers.cache.round_trip_ms": 0.4,
    }  # fmt: skip


def test_a_variability_that_one_value_decides_is_not_told() -> None:
    unknown: dict[str, str] = {}
    assert list(_pace.variability("round_trip_scv", [1.0] * 299 + [500.0], "PINGs", unknown)) == []
    assert unknown["round_trip_scv"].endswith("a few of PINGs decide it")
    (steady,) = _pace.variability("round_trip_scv", [1.0, 1.1] * 150, "PINGs", unknown)
    assert (steady.value, steady.spread) == (pytest.approx((0.05 / 1.05) ** 2), "")
    (stalling,) = _pace.variability("round_trip_scv", ([1.0] * 29 + [400.0]) * 30, "PINGs", unknown)
    assert (stalling.value > 10, stalling.spread) == (True, "a few, up to 400 ms, decide it")


def test_a_step_is_run_as_often_and_as_long_as_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(100))
    monkeypatch.setattr(_pace, "monotonic", lambda: next(clock))
    assert list(_pace.turns(Step("PING", 3, 0, ""))) == [0, 1, 2]
    # A second passes at each look: begun at 0, it ends once 4 are over.
    clock = iter(range(100))
    assert len(list(_pace.turns(Step("PING", 50, 4, "")))) == 4
    assert list(_pace.turns(Step("PING", 50, 0.0001, ""))) == [0]
