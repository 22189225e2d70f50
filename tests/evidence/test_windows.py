"""Series of several files stand on one clock: what was measured is neither lost nor made up."""

from __future__ import annotations

from math import isnan, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.errors import UsageError
from cascade_plan.evidence.naming import meant, measure, settled
from cascade_plan.evidence.windows import joined, metrics, window_of
from cascade_plan.model.observation import BUSY_SHARE, CORES, REQUESTS_PER_S, RESPONSE_MS_P95, Measure, Metrics

API, ALL = Measure(CORES, "api"), Measure(REQUESTS_PER_S)


def told(of: Measure, window_s: float, first: float, values: list[float], name: str = "a") -> Metrics:
    return metrics({of: [(first + window_s * place, value) for place, value in enumerate(values)]}, window_s, name)


# ------------------------------------------------------------------------------------------------------------- windows


def test_a_window_is_the_step_between_times() -> None:
    assert window_of([30.0, 0.0, 15.0, 75.0], "a") == 15.0


def test_times_that_no_step_leads_to_are_refused() -> None:
    with pytest.raises(UsageError, match=r"^a: its times are 15 s apart, and others 22 s, which is no multiple of it"):
        window_of([0.0, 15.0, 37.0], "a")
    with pytest.raises(UsageError, match=r"^a: one moment only"):
        window_of([15.0, 15.0], "a")


def test_a_missing_window_is_not_measured() -> None:
    found = metrics({API: [(0.0, 1.0), (30.0, nan)], ALL: [(15.0, 5.0), (30.0, 6.0)]}, 15.0, "a")
    assert found.starts_s == (0.0, 15.0, 30.0)
    assert found.series[API][0] == 1.0
    assert all(map(isnan, found.series[API][1:]))
    assert found.series[ALL][1:] == (5.0, 6.0)
    assert found.sources == {API: "a", ALL: "a"}


@pytest.mark.parametrize(
    ("of", "values", "message"),
    [
        (API, [1.0, -0.5], "a: cores of api is -0.5, and cannot be less than 0"),
        (Measure(BUSY_SHARE, "api"), [0.4, 42.0], "a: busy_share of api is 42, and is a share from 0 to 1: divide a "),
    ],
)
def test_values_that_cannot_be_are_refused(of: Measure, values: list[float], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        told(of, 15.0, 0.0, values)
    assert str(caught.value).startswith(message)


def test_two_values_at_one_time_are_refused() -> None:
    with pytest.raises(UsageError, match="cores of api is 1 and 2 at the same time"):
        metrics({API: [(0.0, 1.0), (0.0, 2.0)]}, 15.0, "a")


# ----------------------------------------------------------------------------------------------------------- one clock


def test_series_of_one_step_stay_as_they_are() -> None:
    found = joined([told(API, 60.0, 60.0, [1.0, 2.0]), told(ALL, 60.0, 180.0, [30.0, 40.0], "b")])
    assert found.starts_s == (60.0, 120.0, 180.0, 240.0)
    assert found.series[API][:2] == (1.0, 2.0)
    assert found.series[ALL][2:] == (30.0, 40.0)
    assert isnan(found.series[API][2])
    assert found.sources == {API: "a", ALL: "b"}
    assert found.remarks == ()


def test_shorter_windows_become_means_over_the_longest() -> None:
    fine = told(API, 15.0, 7.0, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 9.0])
    found = joined([fine, told(ALL, 60.0, 0.0, [10.0, 20.0, 30.0], "b")])
    assert found.starts_s == (0.0, 60.0, 120.0)
    # Its second minute has the last 7 s of one window, three whole ones, and the first 8 s of another.
    assert found.series[API][1] == pytest.approx((7 * 4 + 15 * (5 + 6 + 7) + 8 * 8) / 60)
    assert isnan(found.series[API][0])
    assert found.remarks == ("a: windows of 15 s, taken over those of 60 s of b",)


def test_runs_one_after_the_other_keep_their_own_windows() -> None:
    found = joined([told(API, 60.0, 0.0, [1.0, 2.0]), told(API, 60.0, 137.0, [3.0, 4.0], "b")])
    assert found.starts_s == (0.0, 60.0, 137.0, 197.0)
    assert found.series[API] == (1.0, 2.0, 3.0, 4.0)
    assert found.remarks == ()


def test_windows_of_one_time_that_start_at_other_seconds_are_averaged() -> None:
    found = joined([told(API, 60.0, 0.0, [1.0, 2.0, 3.0]), told(ALL, 60.0, 15.0, [40.0, 80.0, 120.0], "b")])
    assert found.starts_s == (0.0, 60.0, 120.0)
    assert found.series[ALL][1:] == (15 / 60 * 40 + 45 / 60 * 80, 15 / 60 * 80 + 45 / 60 * 120)
    assert found.remarks == ("b: windows of 60 s, taken over those of 60 s of a, which start at other seconds",)


def test_that_a_percentile_was_averaged_is_said() -> None:
    fine = told(Measure(RESPONSE_MS_P95), 30.0, 0.0, [1.0, 3.0])
    found = joined([fine, told(ALL, 60.0, 0.0, [10.0, 20.0], "b")])
    assert found.series[Measure(RESPONSE_MS_P95)][0] == 2.0
    assert found.remarks[0].endswith("of b; a percentile of a longer window is the mean of those it covers")


@given(
    st.lists(st.one_of(st.integers(0, 50), st.just(None)), min_size=2, max_size=30),
    st.integers(1, 12),
    st.integers(0, 40),
    st.integers(12, 40),
)
def test_a_mean_over_a_window_is_that_of_its_seconds(
    values: list[int | None], window_s: int, first: int, longest_s: int
) -> None:
    """Against the same second by second, which knows no windows."""
    fine = told(API, float(window_s), float(first), [nan if each is None else float(each) for each in values])
    found = joined([fine, told(ALL, float(longest_s), 0.0, [1.0] * 20, "b")])
    seconds = {
        first + window_s * place + second: each
        for place, each in enumerate(values)
        for second in range(window_s)
        if each is not None
    }
    for start, mean in zip(found.starts_s, found.series.get(API, ()), strict=True):
        within = [seconds.get(int(start) + second) for second in range(longest_s)]
        there = [each for each in within if each is not None]
        if len(there) == longest_s:
            assert mean == pytest.approx(sum(there) / longest_s)
        else:
            assert isnan(mean)


def test_what_two_files_tell_differently_is_refused() -> None:
    one, other = told(API, 60.0, 0.0, [1.0, 2.0]), told(API, 60.0, 60.0, [3.0, 4.0], "b")
    with pytest.raises(UsageError, match="b: cores of api is also in a, with other values"):
        joined([one, other])
    same = joined([one, told(API, 60.0, 60.0, [2.0, 4.0], "b")])
    assert same.series[API] == (1.0, 2.0, 4.0)
    assert same.sources[API] == "a, b"


def test_nothing_is_joined_to_nothing() -> None:
    assert joined([]) == Metrics()
    assert joined([Metrics(remarks=("empty",))]).remarks == ("empty",)


# --------------------------------------------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("core:api", "'core' is nothing that is measured; did you mean 'cores'?"),
        ("", "'' is nothing that is measured"),
        ("api", "'api' is nothing that is measured"),
    ],
)
def test_a_name_that_is_none_is_refused(name: str, message: str) -> None:
    with pytest.raises(ValueError, match="nothing that is measured") as caught:
        measure(name)
    assert str(caught.value) == message


def test_a_misspelt_measure_is_no_tier() -> None:
    assert meant("search") == Measure("", "search")
    for name in ("connection", "core:api"):
        with pytest.raises(UsageError, match="did you mean"):
            meant(name)


def test_two_sayings_complete_each_other_and_must_not_contradict() -> None:
    assert settled(Measure(CORES), Measure("", "api"), "here") == API
    assert settled(API, API, "here") == API
    with pytest.raises(UsageError, match="here is cores of api by itself, and cores of web by what is said of it"):
        settled(API, Measure(CORES, "web"), "here")
