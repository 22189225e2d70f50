"""The mean of each hour of the day, over the time that is covered."""

from __future__ import annotations

import pytest

from cascade_plan.formulas.profile import hourly_means

HOUR = 3600.0


def test_an_hour_is_a_mean_over_its_time_not_over_its_rows() -> None:
    """One row of 600 in an hour of twelve steps, or twelve rows: 50 a step."""
    starts = [hour * HOUR for hour in range(24)]
    sparse = [part for start in starts for part in (start, start + 300)]
    assert hourly_means(sparse, [300.0, 3300.0] * 24, [600.0, 0.0] * 24, 300) == (50.0,) * 24
    assert hourly_means(starts, [HOUR] * 24, [600.0] * 24, 300) == (50.0,) * 24


def test_days_are_averaged_and_a_part_of_one_counts_as_such() -> None:
    starts = [hour * HOUR for hour in range(36)]
    means = hourly_means(starts, [HOUR] * 36, [1.0] * 24 + [3.0] * 12, HOUR)
    assert means == (2.0,) * 12 + (1.0,) * 12


def test_a_span_over_hours_is_spread_evenly() -> None:
    assert hourly_means([0.0], [24 * HOUR], [240.0], HOUR) == pytest.approx((10.0,) * 24)
    means = hourly_means([1800.0, HOUR], [1800.0, 24 * HOUR], [5.0, 240.0], HOUR)
    assert means[0] == pytest.approx(10.0)


def test_hours_without_time_and_days_without_requests_are_refused() -> None:
    with pytest.raises(ValueError, match="no data for the hours 22, 23: a day's profile needs a whole day"):
        hourly_means([0.0], [22 * HOUR], [1.0], HOUR)
    with pytest.raises(ValueError, match="every count is 0"):
        hourly_means([0.0], [24 * HOUR], [0.0], HOUR)
