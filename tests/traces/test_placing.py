"""A trace is time, not rows: laws that hold for every file, and what is said where times are unclear."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from traced import DIALECTS, counts_of, read

from cascade_plan.formulas.profile import hourly_means
from cascade_plan.model.trace import Trace

START = datetime(2024, 3, 5, tzinfo=UTC)
"""A Tuesday: no clocks are set until Sunday."""


def file(rows: list[tuple[int, int]], start: datetime = START) -> str:
    """Return CSV of (second, count)."""
    lines = [f"{start + timedelta(seconds=second):%Y-%m-%d %H:%M:%S},{count}" for second, count in rows]
    return "\n".join(["time,requests", *lines]) + "\n"


def same(one: Trace, other: Trace) -> bool:
    """Return whether two traces are the same but for their names and words."""
    return (one.step_s, one.starts_s, one.ends_s, one.requests) == (
        other.step_s, other.starts_s, other.ends_s, other.requests,
    )  # fmt: skip


ROWS = st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 10**6)), min_size=2, max_size=40).filter(
    lambda rows: len({second for second, _ in rows}) > 1 and any(count for _, count in rows)
)
"""In any order, and with times that come more than once."""


@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_rows_is_nothing(rows: list[tuple[int, int]], random: object) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = read(file(rows)), read(file(shuffled))
    assert same(one, other)
    assert one.words == other.words


@given(ROWS, st.integers(0, 4 * 86_400))
def test_when_it_was_is_nothing(rows: list[tuple[int, int]], seconds: int) -> None:
    assert same(read(file(rows)), read(file(rows, START + timedelta(seconds=seconds))))


@given(ROWS)
def test_no_request_is_lost_and_none_made_up(rows: list[tuple[int, int]]) -> None:
    trace = read(file(rows))
    total = sum(count for _, count in rows)
    assert sum(trace.requests) == pytest.approx(total)
    for width_s in (15.0, 60.0, 7.0):
        assert sum(counts_of(trace, width_s)) == pytest.approx(total, rel=1e-6, abs=1e-3)


@given(ROWS, st.data())
def test_a_row_in_two_parts_is_the_row(rows: list[tuple[int, int]], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(rows) - 1))
    second, count = rows[index]
    part = data.draw(st.integers(0, count))
    parts = [*rows[:index], (second, part), *rows[index + 1 :], (second, count - part)]
    assert same(read(file(rows)), read(file(parts)))


STEPS = st.sampled_from((1, 5, 15, 60, 300, 3600))
GRID = st.lists(st.integers(0, 1000), min_size=3, max_size=60)


@given(STEPS, GRID)
def test_rows_of_nothing_can_be_left_out(step: int, counts: list[int]) -> None:
    """The first two and the last one stay: they tell the step, and where the trace begins and ends."""
    rows = [(step * index, count) for index, count in enumerate(counts)]
    kept = [row for index, row in enumerate(rows) if row[1] or index in (0, 1, len(rows) - 1)]
    assume(any(counts))
    whole, sparse = read(file(rows)), read(file(kept))
    assert whole.span_s == sparse.span_s
    assert counts_of(whole, step) == counts_of(sparse, step) == counts
    absent = len(rows) - len(kept)
    assert (f"{absent} interval" in sparse.words) is (absent > 0)


@given(st.lists(st.integers(0, 1000), min_size=30, max_size=120), st.integers(0, 14))
def test_which_second_of_a_tick_a_request_came_in_is_nothing(counts: list[int], phase: int) -> None:
    """The requests of a tick in one of its seconds, or in another one."""
    assume(any(counts))
    rows = [(second, counts[second // 15] if second % 15 == phase else 0) for second in range(15 * len(counts))]
    assert counts_of(read(file(rows)), 15) == counts


# -------------------------------------------------------------------------------------------------------------- words


def test_a_gap_is_nothing_and_is_said() -> None:
    trace = read(file([(0, 1), (300, 2), (600, 3), (21_900, 4)]))
    assert trace.span_s == 22_200
    assert trace.words == (
        "4 counts of 5 minutes from 2024-03-05 00:00 to 2024-03-05 06:10, 6 h 10 min, 70 intervals without a row taken "
        "as 0 (longest 5 h 50 min); times without zone read as they stand"
    )


def test_rows_of_one_time_are_added_and_said() -> None:
    trace = read(file([(0, 1), (60, 2), (60, 3), (120, 4)]))
    assert trace.requests == (1, 5, 4)
    assert "1 time with several rows, which are added (2024-03-05 00:01)" in trace.words


def test_rates_of_one_time_are_averaged() -> None:
    trace = read("time,req/s\n2024-03-05 00:00,1\n2024-03-05 00:01,2\n2024-03-05 00:01,4\n")
    assert trace.requests == (60, 180)
    assert "1 time with several rows, which are averaged" in trace.words


@pytest.mark.parametrize(
    ("day", "hour"), [("2024-11-03", 1), ("2024-10-27", 2), ("2024-10-27", 1), ("2006-10-29", 1), ("2024-04-07", 2)]
)
@pytest.mark.parametrize("step", [60, 15])
def test_an_hour_that_comes_twice_lasts_two_hours(day: str, hour: int, step: int) -> None:
    hours = [0, 1, 2, 3, 4]
    hours.insert(hour, hour)
    rows = [(h, minute, 60 + h) for h in hours for minute in range(0, 60, step)]
    trace = read("time,n\n" + "".join(f"{day} {h:02}:{minute:02},{n}\n" for h, minute, n in rows))
    assert trace.span_s == 6 * 3600
    assert counts_of(trace, step * 60) == [60 + h for h in hours for _ in range(0, 60, step)]
    assert f"the hour from {day} {hour:02}:00 comes twice, as when clocks are set back" in trace.words
    assert "taken as 0" not in trace.words
    assert "several rows" not in trace.words


@pytest.mark.parametrize(("day", "hour"), [("2024-03-10", 2), ("2024-03-31", 2), ("2024-03-31", 1), ("2024-10-06", 2)])
@pytest.mark.parametrize("step", [60, 15])
def test_an_hour_that_is_skipped_lasts_no_time(day: str, hour: int, step: int) -> None:
    hours = [h for h in range(6) if h != hour]
    rows = [(h, minute) for h in hours for minute in range(0, 60, step)]
    trace = read("time,n\n" + "".join(f"{day} {h:02}:{minute:02},{60 + h}\n" for h, minute in rows))
    assert trace.span_s == 5 * 3600
    assert counts_of(trace, step * 60) == [60 + h for h, _ in rows]
    assert f"the hour from {day} {hour:02}:00 is skipped, as when clocks are set forward" in trace.words
    assert trace.clocks_s[-1] == rows[-1][0] * 3600 + rows[-1][1] * 60


@pytest.mark.parametrize("day", ["2024-11-05", "2024-06-02"])
def test_rows_that_come_twice_on_another_day_are_added(day: str) -> None:
    text = "time,n\n" + "".join(f"{day} {h:02}:{m:02},1\n" for h in (0, 1, 1, 2) for m in range(0, 60, 15))
    trace = read(text)
    assert trace.span_s == 3 * 3600
    assert "4 times with several rows, which are added" in trace.words


def test_a_file_whose_rows_all_come_twice_was_not_written_when_clocks_were_set() -> None:
    text = "time,n\n" + "".join(f"2024-11-03 {h:02}:{m:02},1\n" for h in (0, 1, 2) for m in range(0, 60, 15)) * 2
    trace = read(text)
    assert trace.span_s == 3 * 3600
    assert counts_of(trace, 900) == [2] * 12


def test_an_hour_without_requests_on_another_day_is_one() -> None:
    trace = read("time,n\n" + "".join(f"2024-03-05 {h:02}:{m:02},1\n" for h in (0, 1, 3) for m in range(0, 60, 15)))
    assert trace.span_s == 4 * 3600
    assert "4 intervals without a row taken as 0 (longest 1 hour)" in trace.words


def test_times_with_zones_are_not_taken_for_clocks_that_were_set() -> None:
    hours = ("00:00-04:00", "01:00-04:00", "01:00-05:00", "02:00-05:00")
    trace = read("time,n\n" + "".join(f"2024-11-03T{hour},{n}\n" for n, hour in enumerate(hours)))
    assert trace.requests == (0, 1, 2, 3)
    assert trace.span_s == 4 * 3600
    assert "times of several zones, hours are those of UTC-04:00" in trace.words


# ------------------------------------------------------------------------------------------------------------- bounds


@pytest.mark.parametrize(
    ("second", "words"),
    [
        ("9025-01-01 00:00", "line 3 is 2,556,697 days after line 2: a trace spans 366 days at most"),
        ("2026-01-01 00:00", "line 3 is 365 days after line 2: rows of a trace are a day apart at most"),
        ("2025-01-03 00:00", "line 3 is 2 days after line 2: rows of a trace are a day apart at most"),
    ],
)
def test_a_long_gap_is_refused_with_its_line(second: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read(f"time,n\n2025-01-01 00:00,1\n{second},1\n")


def test_a_year_of_days_is_read_and_no_day_more() -> None:
    days = [(86_400 * day, 1) for day in range(367)]
    assert read(file(days[:366])).span_s == 366 * 86_400
    with pytest.raises(ValueError, match="a trace spans 366 days at most"):
        read(file(days))


# ----------------------------------------------------------------------------------------------------------- profiles


def profile(trace: Trace) -> list[float]:
    """Return the mean of a step in each hour of the day."""
    return [round(mean, 6) for mean in hourly_means(*trace.spans(), trace.step_s)]


def test_an_hour_with_a_row_is_a_mean_over_the_hour() -> None:
    """One row of 600 in each of the first six hours, and then one every five minutes."""
    sparse = [(3600 * hour, 600) for hour in range(6)] + [(300 * index, 600) for index in range(72, 288)]
    complete = [(300 * index, dict(sparse).get(300 * index, 0)) for index in range(288)]
    assert profile(read(file(sparse))) == profile(read(file(complete))) == [50] * 6 + [600] * 18


def test_an_hour_without_a_row_is_nothing() -> None:
    rows = [(300 * index, 12) for index in range(288) if not 60 <= index < 72]
    assert profile(read(file(rows))) == [12] * 5 + [0] + [12] * 18


def test_a_day_on_which_clocks_are_set_has_every_hour_at_its_own_height() -> None:
    hours = [0, 1, 1, *range(2, 24)]
    rows = "".join(f"2024-11-03 {hour:02}:{minute:02},{hour}\n" for hour in hours for minute in (0, 30))
    assert profile(read(f"time,n\n{rows}")) == list(range(24))
    rows = "".join(
        f"2024-03-{day} {hour:02}:00,{hour}\n" for day in (30, 31) for hour in range(24) if (day, hour) != (31, 2)
    )
    assert profile(read(f"time,n\n{rows}")) == list(range(24))


def test_hours_are_those_of_the_zone_that_is_written() -> None:
    rows = "".join(f"2024-03-05T{hour:02}:00:00+05:30,{hour}\n" for hour in range(24))
    assert profile(read(f"time,n\n{rows}")) == list(range(24))


def test_a_part_of_a_day_is_no_profile() -> None:
    with pytest.raises(ValueError, match="no data for the hours 23"):
        profile(read(file([(3600 * hour, 1) for hour in range(23)])))


def test_every_dialect_gives_the_same_day() -> None:
    counts = [index % 7 for index in range(288)]
    profiles = {name: profile(read(write(counts))) for name, write in DIALECTS.items() if "rate" not in name}
    expected = profiles["csv"]
    for name, found in profiles.items():
        scaled = [value * max(expected) / max(found) for value in found]
        assert scaled == pytest.approx(expected), name
