"""Terminal charts of a simulation, and the points and scales of all charts of it: spikes survive, scales hold."""

from __future__ import annotations

import re
from math import inf, isfinite, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from timelines import HOSTILE, day, made_simulation, made_timeline

from cascade_plan.errors import UsageError
from cascade_plan.reports import _story as story
from cascade_plan.reports import characters as charts
from cascade_plan.reports._fitting import cell_width, fitted

amounts = st.floats(0, 1e9) | st.just(inf)
latencies = st.floats(0, 1e6) | st.sampled_from([inf, nan, 1e300, 0.0])


def columns(text: str) -> int:
    return sum(map(cell_width, text))


# Decimation


@given(st.lists(st.floats(-1e9, 1e9), max_size=400), st.integers(4, 60))
def test_decimation_keeps_each_buckets_extremes_and_both_ends(values: list[float], most: int) -> None:
    kept = story.decimated(values, most)
    indexes = [index for index, _ in kept]
    assert len(kept) <= max(most, 0)
    assert indexes == sorted(set(indexes))
    assert all(values[index] == value for index, value in kept)
    if len(values) <= most:
        assert indexes == list(range(len(values)))
        return
    assert {0, len(values) - 1} <= set(indexes)
    buckets = (most - 2) // 2
    for bucket in range(buckets):
        first, end = bucket * len(values) // buckets, (bucket + 1) * len(values) // buckets
        inside = [value for index, value in kept if first <= index < end]
        assert (min(inside), max(inside)) == (min(values[first:end]), max(values[first:end]))


def test_a_line_of_fewer_than_four_points_is_refused() -> None:
    with pytest.raises(ValueError, match="4 points"):
        story.decimated([1.0, 2.0], 3)


# Scales


@given(st.lists(latencies, max_size=30), st.floats(0.1, 1e4))
def test_a_latency_scale_rises_and_holds_the_slo_and_every_finite_value(values: list[float], slo: float) -> None:
    scale = story.latency_scale(values, slo)
    finite = [value for value in values if value < story.OFF_SCALE]
    assert list(scale.marks) == sorted(set(scale.marks))
    assert 1 < len(scale.marks) <= 9
    assert scale.high >= max([*finite, slo]) * (1 - 1e-6)
    assert scale.logarithmic == (max(finite, default=0.0) > story.LOG_FROM * slo)
    shares = [scale.share(value) for value in sorted(finite)]
    assert shares == sorted(shares)
    assert all(0 <= scale.share(value) <= 1 for value in (*values, slo))


@given(st.lists(amounts, max_size=20))
def test_a_linear_scale_holds_every_finite_value_in_few_marks(values: list[float]) -> None:
    scale = story.linear_scale(values)
    assert scale.low == 0 == scale.marks[0]
    assert scale.high >= max((value for value in values if isfinite(value)), default=0.0) * (1 - 1e-6)
    assert 1 < len(scale.marks) <= 7


def test_nodes_are_counted_in_whole_ones() -> None:
    assert story.linear_scale([1, 2, 1], 4, whole=True).marks == (0, 1, 2)


def test_an_endless_latency_stands_above_the_largest_finite_one() -> None:
    scale = story.latency_scale([150.0, 400.0, inf], 200)
    assert scale.share(400.0) < 0.9
    assert scale.share(inf) == scale.share(nan) == 1


@pytest.mark.parametrize(
    ("value", "label"),
    [
        (0, "0"),
        (0.5, "0.5"),
        (999, "999"),
        (9999, "9,999"),
        (12_500, "12.5k"),
        (3e6, "3M"),
        (2e9, "2G"),
        (5e14, "500T"),
    ],
)
def test_an_axis_label_is_short(value: float, label: str) -> None:
    assert story.axis_label(value) == label


@pytest.mark.parametrize(
    ("duration_s", "marks", "first", "last"),
    [
        (86_400, 13, "0 h", "24 h"),
        (7 * 86_400, 14, "day 1", "12 h"),
        (2 * 86_400, 8, "day 1", "18 h"),
        (15, 4, "0 s", "15 s"),
        (1800, 6, "0 min", "30 min"),
        (366 * 86_400, 10, "day 1", "day 337"),
    ],
)
def test_time_is_marked_in_the_unit_that_fits(duration_s: float, marks: int, first: str, last: str) -> None:
    found = story.time_marks(duration_s, marks)
    assert (found[0], found[-1][1]) == ((0, first), last)
    assert len(found) <= marks + 1
    assert found[-1][0] <= duration_s


@given(st.floats(1, 1e9), st.integers(1, 20))
def test_time_marks_are_few_and_within_the_time(duration_s: float, marks: int) -> None:
    found = story.time_marks(duration_s, marks)
    assert 1 <= len(found) <= marks + 1
    assert all(0 <= at <= duration_s * (1 + 1e-6) for at, _ in found)


# Text


@settings(max_examples=40)
@given(
    st.lists(st.tuples(amounts, latencies, amounts, st.integers(0, 10**6)), max_size=60),
    st.integers(40, 160),
    st.integers(3, 20),
)
def test_a_chart_keeps_to_its_columns_and_rows(
    ticks: list[tuple[float, float, float, int]], width: int, height: int
) -> None:
    load, latency, capacity, nodes = zip(*ticks, strict=True) if ticks else ((), (), (), ())
    timeline = made_timeline(load, latency, capacity, nodes)
    lines = charts.text(made_simulation(timeline), "cpu", width, height).splitlines()
    assert max(map(columns, lines)) <= width
    assert len(lines) == 9 + height + 2 * max(2, height // 2) + any(timeline.missed)


def test_a_chart_shows_the_day() -> None:
    timeline = made_timeline(
        [10.0] * 8 + [80.0] * 8, [50.0] * 8 + [100.0] * 4 + [300.0] * 4, [50.0] * 12 + [100.0] * 4, [1] * 12 + [2] * 4,
        tick_s=5400,
    )  # fmt: skip
    assert charts.text(made_simulation(timeline), "cpu", 40, 4) == (
        "Shop: cpu\n"
        "SLO missed 360.0 min, 25.00% of the time\n"
        "a day · run 1 of 3, seed 7\n"
        "\n"
        "Load and capacity (requests/s): █ load,…\n"
        "   100 │                ▂▂▂▂▂▂▂▂╭───────\n"
        "       │────────────────────────╯███████\n"
        "       │                ████████████████\n"
        "     0 │▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃████████████████\n"
        "API nodes (1 to 2)\n"
        "     2 │                        ████████\n"
        "     0 │████████████████████████████████\n"
        "Latency p95 (ms); ┄ SLO 200 ms\n"
        "   300 │┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄████████\n"
        "     0 │▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▅▅▅▅▅▅▅▅████████\n"
        "missed │                        ▲▲▲▲▲▲▲▲\n"
        "       └┴───────────────┴──────────────┴\n"
        "        0 h             12 h        24 h\n"
    )


@pytest.mark.parametrize("tick", [0, 1000, 5759])
def test_one_missed_tick_is_seen_in_a_chart(tick: int) -> None:
    latency = [50.0] * 5760
    latency[tick] = 900.0
    chart = charts.text(made_simulation(made_timeline([1.0] * 5760, latency)), "cpu").splitlines()
    missed = next(line for line in chart if line.startswith("missed"))
    assert missed.count("▲") == 1
    first = next(index for index, line in enumerate(chart) if line.startswith("Latency")) + 1
    panel = [line.ljust(100) for line in chart[first : first + 6]]
    tall = [
        column for column in range(charts.GUTTER, 100) if sum(line[column] in charts.BLOCKS[1:] for line in panel) > 1
    ]
    assert tall == [missed.index("▲")]


def test_an_endless_latency_is_an_arrow_in_a_chart() -> None:
    chart = charts.text(made_simulation(made_timeline([1.0] * 4, [50.0, 50.0, inf, 50.0])), "cpu")
    assert chart.count("↑") == 72 // 4
    assert "off the scale where overloaded" in chart


@pytest.mark.parametrize("size", [(39, 12), (100, 2), (0, 0)])
def test_too_small_a_chart_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(UsageError, match="at least 40 columns wide and 3 rows high"):
        charts.text(made_simulation(day()), "cpu", *size)


@pytest.mark.parametrize(
    ("text", "width", "cut"), [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("漢字漢字", 5, "漢字…"), ("a" * 9, 0, "")]
)
def test_text_is_cut_to_columns(text: str, width: int, cut: str) -> None:
    assert fitted(text, width) == cut


# Several services


def test_services_have_a_chart_each() -> None:
    quiet = made_timeline([1.0] * 4, [50.0] * 4)
    chart = charts.text(made_simulation(day(), quiet, services="api search"), "cpu")
    assert [line for line in chart.splitlines() if line.startswith("Shop")] == ["Shop, api: cpu", "Shop, search: cpu"]
    second = chart[chart.index("Shop, search") :].replace("Shop, search", "Shop").replace("search nodes", "API nodes")
    assert second == charts.text(made_simulation(quiet), "cpu")


@pytest.mark.parametrize("field", ["policy", "scenario", "traffic"])
def test_a_hostile_name_stays_text(field: str) -> None:
    simulation = made_simulation(day(), **{field: HOSTILE})
    chart = charts.text(simulation, HOSTILE if field == "policy" else "cpu")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", chart)
    assert max(map(columns, chart.splitlines())) <= 100


def test_a_hostile_service_stays_in_its_place() -> None:
    both = made_simulation(day(), day(), services=f"api {HOSTILE.replace(' ', '')}")
    assert not re.search("[\x00-\x09\x0b-\x1f\ud800-\udfff\u202e]", charts.text(both, "cpu"))


def test_a_policy_without_a_timeline_is_refused() -> None:
    with pytest.raises(UsageError, match=r"'cpi'; did you mean 'cpu'\?; policies are cpu"):
        charts.text(made_simulation(day()), "cpi")


def test_the_same_replay_is_the_same_bytes() -> None:
    assert charts.text(made_simulation(day()), "cpu") == charts.text(made_simulation(day()), "cpu")
