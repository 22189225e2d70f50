"""Counters add up and subtract as the values that they counted do, and series are cut by whole windows."""

from __future__ import annotations

from math import nan
from statistics import fmean, pstdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.model.observation import (
    BUSY_SHARE,
    CORES,
    COUNTED,
    REQUESTS_PER_S,
    SERIES,
    Measure,
    Metrics,
    Statistic,
)

TIMES = st.lists(st.floats(0.01, 1000), min_size=1, max_size=30)
API, ALL = Measure(CORES, "api"), Measure(REQUESTS_PER_S)


def of(times_ms: list[float]) -> Statistic:
    return Statistic(len(times_ms), fmean(times_ms), pstdev(times_ms))


def close(found: Statistic, expected: Statistic) -> None:
    assert found.count == expected.count
    assert found.mean_ms == pytest.approx(expected.mean_ms, rel=1e-9)
    # A difference of squares of up to 1000 ms keeps about half of a float's digits.
    assert found.stddev_ms == pytest.approx(expected.stddev_ms, rel=1e-5, abs=1e-3)


@given(TIMES, TIMES)
def test_counters_are_those_of_all_values_and_of_the_later_ones(earlier: list[float], later: list[float]) -> None:
    close(of(earlier).plus(of(later)), of(earlier + later))
    close(of(earlier + later).minus(of(earlier)), of(later))


def test_nothing_between_two_readings_is_no_time() -> None:
    assert of([3.0, 5.0]).minus(of([3.0, 5.0])) == Statistic(0.0, 0.0)
    assert of([3.0]).plus(Statistic(0.0, 0.0)) == of([3.0])


@pytest.mark.parametrize("before", [Statistic(3, 1.0, 0.0), Statistic(2, 9.0, 0.0)])
def test_counters_that_fell_have_no_difference(before: Statistic) -> None:
    with pytest.raises(ValueError, match="fell"):
        Statistic(2, 1.0, 0.0).minus(before)


def test_a_deviation_that_one_reading_does_not_tell_is_not_told() -> None:
    assert Statistic(2, 4.0, 1.0).minus(Statistic(1, 3.0)) == Statistic(1, 5.0)


def test_the_scv_is_the_variance_over_the_squared_mean() -> None:
    assert Statistic(2, 4.0, 2.0).scv == 0.25
    assert Statistic(2, 4.0).scv is None
    assert Statistic(0, 0.0, 0.0).scv is None


METRICS = Metrics(
    (0.0, 60.0, 120.0, 240.0),
    60.0,
    {API: (1.0, nan, 3.0, 4.0), ALL: (10.0, 20.0, 30.0, 40.0), Measure(BUSY_SHARE, "database"): (0.1, 0.2, 0.3, 0.4)},
    sources={Measure(BUSY_SHARE, "database"): "rds.json"},
)


def test_windows_are_kept_whole() -> None:
    cut = METRICS.within(30.0, 240.0)
    assert cut.starts_s == (60.0, 120.0)
    assert cut.series[ALL] == (20.0, 30.0)
    assert METRICS.within(0.0, 300.0).starts_s == METRICS.starts_s
    assert METRICS.within(0.0, 59.0).starts_s == ()


def test_windows_that_lack_a_value_are_left_out_together() -> None:
    assert METRICS.together(API, ALL) == ((1.0, 3.0, 4.0), (10.0, 30.0, 40.0))
    assert METRICS.within(60.0, 120.0).together(API, ALL) == ()
    with pytest.raises(KeyError):
        METRICS.together(Measure(CORES, "cache"))


def test_a_busy_share_becomes_cores_where_the_cores_are_known() -> None:
    cores = METRICS.with_cores({"database": 8.0, "cache": 2.0})
    assert cores.series[Measure(CORES, "database")] == pytest.approx((0.8, 1.6, 2.4, 3.2))
    assert cores.sources[Measure(CORES, "database")] == "rds.json"
    assert cores.of(CORES).keys() == {"api", "database"}
    assert METRICS.with_cores({"cache": 2.0}).series == METRICS.series


def test_cores_that_were_measured_stay() -> None:
    both = Metrics((0.0,), 60.0, {API: (1.0,), Measure(BUSY_SHARE, "api"): (0.5,)})
    assert both.with_cores({"api": 4.0}).series[API] == (1.0,)


def test_a_measure_says_what_it_is_of() -> None:
    assert (str(API), str(ALL)) == ("cores of api", "requests_per_s")
    assert not SERIES.keys() & COUNTED.keys()
