"""Days through the autoscaler: what scaling buys, laws, traces, and the same bytes for the same seed."""

from __future__ import annotations

from functools import cache

import pytest

from cascade_plan.errors import UsageError
from cascade_plan.inputs.scenarios import read
from cascade_plan.model.replay import Outcome, Replay
from cascade_plan.planning.pipeline import plan
from cascade_plan.proving.days import Order, measured, read_counts, simulate

BUSY = (("--peak", "users.peak", "50000"), ("--avg", "users.average", "12000"))
TRACE = "minute,requests\n" + "\n".join(f"{m},{100 + (m // 60 % 24) * 50}" for m in range(1440))


@cache
def replayed(**order: object) -> Replay:
    given = read("cascade", BUSY)
    made = plan(given.scenario, given.catalogue, given.book, given.origins, predicted=False)
    return simulate(given.scenario, given.catalogue, given.book, made, Order(**order))  # type: ignore[arg-type]


def outcomes(replay: Replay) -> dict[str, Outcome]:
    return {outcome.policy: outcome for outcome in replay.outcomes}


def test_a_peak_sized_fleet_misses_nothing_and_an_average_sized_one_much() -> None:
    found = outcomes(replayed())
    assert found["fixed-peak"].missed_minutes_per_day_mean == 0
    assert found["fixed-average"].missed_minutes_per_day_mean > 60
    assert found["fixed-peak"].cost_usd_per_day > found["cpu"].cost_usd_per_day > 0
    assert found["fixed-average"].node_count_mean == found["fixed-average"].node_count_min


def test_latency_as_a_metric_is_worse_than_one_proportional_to_load() -> None:
    replay = replayed()
    found = outcomes(replay)
    assert found["latency"].missed_minutes_per_day_mean > found["cpu"].missed_minutes_per_day_mean
    assert replay.recommended in ("cpu", "requests")
    assert "not proportional" in replay.reason


def test_same_seed_same_result_and_runs_are_counted() -> None:
    given = read("cascade", BUSY)
    made = plan(given.scenario, given.catalogue, given.book, given.origins, predicted=False)
    again = simulate(given.scenario, given.catalogue, given.book, made, Order())
    assert again == replayed()
    assert replayed(seed=2) != replayed()
    several = outcomes(replayed(run_count=4))
    assert several["latency"].missed_minutes_per_day_max >= several["latency"].missed_minutes_per_day_mean


def test_timelines_are_whole_days_of_ticks() -> None:
    replay = replayed(day_count=2)
    assert replay.day_count == 2
    for _, timeline in replay.timelines:
        assert len(timeline.requests_per_s) == len(timeline.latency_ms_p95) == 2 * 5760


def test_a_trace_is_scaled_to_the_scenarios_peak() -> None:
    replay = replayed(day_count=1, trace=TRACE, trace_name="day.csv")
    assert replay.traffic == "day.csv, scaled so that its 99.9th percentile is 25,000 requests/s"
    rates = dict(replay.timelines)["fixed-peak"].requests_per_s
    assert max(rates) == pytest.approx(25_000, rel=0.02)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "two lines"),
        ("minute,requests\n1,2\nx,3\n", "line 3"),
        ("timestamp,value\n2026-01-01 00:00:00,1\n2026-01-01 00:00:00,1\n", "times must rise"),
        ("minute,requests\n0,-1\n1,5\n", "numbers from 0 up"),
        ("minute,requests\n0,0\n1,0\n", "no requests"),
    ],
)
def test_a_bad_trace_is_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        replayed(trace=text, trace_name="bad.csv")


def test_steps_of_a_trace() -> None:
    assert read_counts("timestamp,value\n2026-01-01 00:04:00,1\n2026-01-01 00:09:00,2\n") == ([1.0, 2.0], 5.0)


def test_requests_one_by_one_agree_with_the_prediction() -> None:
    given = read("cascade")
    for row in measured(given.scenario, given.catalogue, given.book, 20_000, 3):
        assert abs(row.predicted - row.simulated) <= 0.06 * row.simulated + row.half_width, row


def test_every_policy_meets_the_same_traffic() -> None:
    lines = {timeline.requests_per_s for _, timeline in replayed().timelines}
    rounded = {tuple(round(rate, 6) for rate in line) for line in lines}
    assert len(rounded) == 1
