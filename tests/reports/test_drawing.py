"""Pictures and terminal charts of a simulation: spikes survive, nothing escapes its place, the bytes repeat."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import pairwise
from math import inf, isfinite, nan
from xml.etree import ElementTree

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cascade_plan.errors import UsageError
from cascade_plan.model.replay import Replay, Simulation, Timeline
from cascade_plan.reports import drawing as charts
from cascade_plan.reports._fitting import cell_width, fitted

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "</title><script>alert('&\"')</script>\x00\x1b[31m\ud800\u202e\n漢字" + "x" * 300
amounts = st.floats(0, 1e9) | st.just(inf)
latencies = st.floats(0, 1e6) | st.sampled_from([inf, nan, 1e300, 0.0])


def made_timeline(
    load: Sequence[float],
    latency: Sequence[float],
    capacity: Sequence[float] | None = None,
    nodes: Sequence[int] | None = None,
    tick_s: float = 15,
    slo: float = 200,
) -> Timeline:
    counts = tuple(nodes) if nodes is not None else (3,) * len(load)
    able = tuple(capacity) if capacity is not None else (1000.0,) * len(load)
    return Timeline(tick_s, tuple(load), able, counts, counts, counts, tuple(latency), tuple(latency), slo)


def made_simulation(
    *timelines: Timeline, policy: str = "cpu", scenario: str = "Shop", traffic: str = "a day", services: str = "api"
) -> Simulation:
    """Return a simulation of a service for each timeline, named by the words of `services`."""
    share = 1 / len(timelines)
    replays = tuple(
        Replay(name, share, (), policy, "", ((policy, timeline),))
        for name, timeline in zip(services.split(" "), timelines, strict=True)
    )
    return Simulation(scenario, traffic, 1.0, 3, 7, replays, Decimal(0))


def drawn(timeline: Timeline, width: int = 1200, height: int = 720) -> str:
    return charts.svg(made_simulation(timeline), "cpu", width, height)


def day(latency: Sequence[float] = (50.0, 80.0, 400.0, 60.0), repeat: int = 1440) -> Timeline:
    size = len(latency) * repeat
    return made_timeline(
        [100.0 + tick % 37 for tick in range(size)],
        [value for value in latency for _ in range(repeat)],
        [200.0 + 100 * (tick > size // 2) for tick in range(size)],
        [2 + (tick > size // 2) for tick in range(size)],
    )


def words(document: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(document).iter(f"{SVG}text")]


def line(document: str, stroke_width: str, colour: str) -> str:
    """Return the d of the one line without a fill that has the thickness and the colour."""
    paths = [
        path.attrib["d"]
        for path in ElementTree.fromstring(document).findall(f"{SVG}path")
        if path.get("fill") == "none" and path.get("stroke-width") == stroke_width and path.get("stroke") == colour
    ]
    assert len(paths) == 1
    return paths[0]


def latency_line(document: str) -> str:
    return line(document, "1.3", charts.INK)


def heights(path: str) -> list[float]:
    return [float(number) for number in re.findall(r"(?:M[\d.]+,|V)([\d.]+)", path)]


def columns(text: str) -> int:
    return sum(map(cell_width, text))


# Decimation


@given(st.lists(st.floats(-1e9, 1e9), max_size=400), st.integers(4, 60))
def test_decimation_keeps_each_buckets_extremes_and_both_ends(values: list[float], most: int) -> None:
    kept = charts.decimated(values, most)
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
        charts.decimated([1.0, 2.0], 3)


@pytest.mark.parametrize("tick", [0, 1, 2879, 50_001, 100_799])
def test_one_spike_in_weeks_of_ticks_reaches_its_height_in_the_picture(tick: int) -> None:
    latency = [50.0] * 100_800
    latency[tick] = 800.0
    path = latency_line(drawn(made_timeline([10.0] * len(latency), latency)))
    scale = charts.latency_scale(latency, 200)
    panel = charts._panels(1200, 720)[2]
    expected = [panel.y(scale.share(value)) for value in (800.0, 50.0)]
    assert {min(heights(path)), max(heights(path))} == {float(height) for height in expected}


@pytest.mark.parametrize("tick", [1, 2500, 5000])
def test_what_is_no_number_survives_as_a_spike_too(tick: int) -> None:
    latency = [50.0 + number % 7 for number in range(5760)]
    latency[tick] = nan
    path = latency_line(drawn(made_timeline([10.0] * 5760, latency)))
    assert min(heights(path)) == charts._panels(1200, 720)[2].top


def test_a_picture_of_weeks_stays_small() -> None:
    size = 100_800
    noise = [float((tick * 7919) % 1009) for tick in range(size)]
    document = drawn(made_timeline(noise, noise, noise, [int(value) for value in noise]))
    assert len(document) < 150_000
    assert len(heights(latency_line(document))) <= charts.POINTS


# Scales


@given(st.lists(latencies, max_size=30), st.floats(0.1, 1e4))
def test_a_latency_scale_rises_and_holds_the_slo_and_every_finite_value(values: list[float], slo: float) -> None:
    scale = charts.latency_scale(values, slo)
    finite = [value for value in values if value < charts.OFF_SCALE]
    assert list(scale.marks) == sorted(set(scale.marks))
    assert 1 < len(scale.marks) <= 9
    assert scale.high >= max([*finite, slo]) * (1 - 1e-6)
    assert scale.logarithmic == (max(finite, default=0.0) > charts.LOG_FROM * slo)
    shares = [scale.share(value) for value in sorted(finite)]
    assert shares == sorted(shares)
    assert all(0 <= scale.share(value) <= 1 for value in (*values, slo))


@given(st.lists(amounts, max_size=20))
def test_a_linear_scale_holds_every_finite_value_in_few_marks(values: list[float]) -> None:
    scale = charts.linear_scale(values)
    assert scale.low == 0 == scale.marks[0]
    assert scale.high >= max((value for value in values if isfinite(value)), default=0.0) * (1 - 1e-6)
    assert 1 < len(scale.marks) <= 7


def test_nodes_are_counted_in_whole_ones() -> None:
    assert charts.linear_scale([1, 2, 1], 4, whole=True).marks == (0, 1, 2)


@pytest.mark.parametrize(("factor", "logarithmic"), [(20.0, False), (20.1, True)])
def test_latency_is_logarithmic_from_above_20_times_the_slo(factor: float, logarithmic: bool) -> None:
    document = drawn(made_timeline([1.0, 1.0], [100.0, 200.0 * factor]))
    assert any("logarithmic" in text for text in words(document)) == logarithmic


def test_an_endless_latency_stands_above_the_largest_finite_one() -> None:
    scale = charts.latency_scale([150.0, 400.0, inf], 200)
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
    assert charts.axis_label(value) == label


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
    found = charts.time_marks(duration_s, marks)
    assert (found[0], found[-1][1]) == ((0, first), last)
    assert len(found) <= marks + 1
    assert found[-1][0] <= duration_s


@given(st.floats(1, 1e9), st.integers(1, 20))
def test_time_marks_are_few_and_within_the_time(duration_s: float, marks: int) -> None:
    found = charts.time_marks(duration_s, marks)
    assert 1 <= len(found) <= marks + 1
    assert all(0 <= at <= duration_s * (1 + 1e-6) for at, _ in found)


# The picture


def test_the_picture_says_what_it_shows() -> None:
    simulation = made_simulation(day())
    document = charts.svg(simulation, "cpu")
    root = ElementTree.fromstring(document)
    assert (root.get("width"), root.get("height"), root.get("viewBox")) == ("1200", "720", "0 0 1200 720")
    shown = words(document)
    assert root.findtext(f"{SVG}title") == shown[0] == "Shop: cpu"
    assert shown[1].startswith("SLO missed 360.0 min, 25.00% of the time")
    assert shown[2] == "a day · run 1 of 3, seed 7"
    assert {"Load and capacity (requests/s)", "API nodes (2 to 3)", "Latency p95 (ms)", "SLO 200 ms", "24 h"} < {*shown}


def shades(document: str) -> list[str]:
    """Return the shapes that shade missed ticks, the legend's left out."""
    paths = ElementTree.fromstring(document).findall(f"{SVG}path")
    return [path.attrib["d"] for path in paths if path.get("fill") == charts.MISSED]


def test_missed_ticks_are_shaded_where_they_are() -> None:
    across = 1200 - charts.LEFT - charts.RIGHT
    found = [re.fullmatch(r"M(\d+),[\d.]+h(\d+)v[\d.]+h-\2z", shade) for shade in shades(drawn(day()))]
    assert len(found) == 4
    for shade in found:
        assert shade is not None
        assert int(shade[1]) == charts.LEFT + across // 2
        assert int(shade[2]) == pytest.approx(across / 4, abs=1)


def test_a_day_that_keeps_the_slo_has_no_shade() -> None:
    assert shades(drawn(day((50.0, 200.0)))) == []


@given(st.lists(st.booleans(), max_size=200), st.integers(1, 60))
def test_shaded_columns_are_those_that_hold_a_missed_tick(missed: list[bool], column_count: int) -> None:
    runs = charts._missed_columns(missed, column_count)
    columns_shaded = {column for first, end in runs for column in range(first, end)}
    size = len(missed)
    held = {
        column
        for column in range(column_count)
        for tick, late in enumerate(missed)
        # Tick and column overlap, both as parts of the same whole.
        if late and tick * column_count < (column + 1) * size and (tick + 1) * column_count > column * size
    }
    assert columns_shaded == held
    assert all(end < following for (_, end), (following, _) in pairwise(runs))


def test_steps_stand_where_the_values_change() -> None:
    path = line(drawn(made_timeline([1.0] * 4, [1.0] * 4, nodes=[1, 1, 2, 2])), "2.2", charts.NODES)
    middle = charts.LEFT + (1200 - charts.LEFT - charts.RIGHT) // 2
    top = charts._panels(1200, 720)[1].top
    bottom = charts._panels(1200, 720)[1].y(0.5)
    assert path == f"M{charts.LEFT},{bottom}H{middle}V{charts._pixels(top)}H{1200 - charts.RIGHT}"


@settings(max_examples=40)
@given(
    st.lists(st.tuples(amounts, latencies, amounts, st.integers(0, 10**6)), max_size=40),
    st.sampled_from([0.5, 15.0, 3600.0]),
    st.sampled_from([0.0, 200.0, inf]),
    st.sampled_from([(480, 360), (1200, 720), (3000, 400)]),
)
@example([(inf, 0.0, inf, 1), (inf, 5e-324, inf, 1)], 15.0, 0.0, (480, 360))  # below the least normal number
def test_any_timeline_is_drawn_within_the_picture(
    ticks: list[tuple[float, float, float, int]], tick_s: float, slo: float, size: tuple[int, int]
) -> None:
    load, latency, capacity, nodes = zip(*ticks, strict=True) if ticks else ((), (), (), ())
    document = drawn(made_timeline(load, latency, capacity, nodes, tick_s, slo), *size)
    root = ElementTree.fromstring(document)
    assert not re.search(r"\b(?:nan|inf)\b", document)
    for path in root.findall(f"{SVG}path"):
        if path.get("fill") == "none":
            found = heights(path.attrib["d"])
            assert min(found) >= charts.TOP
            assert max(found) <= size[1] - charts.BOTTOM - charts.RUG
            across = [float(x) for x in re.findall(r"[MH]([\d.]+)", path.attrib["d"])]
            assert min(across) == charts.LEFT
            assert max(across) == size[0] - charts.RIGHT
    for text in root.iter(f"{SVG}text"):
        assert 0 < float(text.get("y", "1")) < size[1]


def test_a_picture_without_ticks_says_so() -> None:
    shown = words(drawn(made_timeline([], [])))
    assert "no ticks were simulated" in shown
    assert "API nodes" in shown


def test_one_tick_is_a_line_across_the_picture() -> None:
    path = latency_line(drawn(made_timeline([5.0], [100.0])))
    assert re.fullmatch(rf"M{charts.LEFT},[\d.]+H{1200 - charts.RIGHT}", path)


def test_a_constant_day_is_three_level_lines() -> None:
    document = drawn(made_timeline([5.0] * 5760, [100.0] * 5760))
    assert len({*heights(latency_line(document))}) == 1
    assert "SLO never missed" in document


def test_an_endless_latency_lies_on_the_upper_edge_and_is_told() -> None:
    document = drawn(made_timeline([1.0] * 3, [100.0, inf, 100.0]))
    panel = charts._panels(1200, 720)[2]
    assert min(heights(latency_line(document))) == panel.top
    assert any("off the scale where overloaded" in text for text in words(document))
    assert "off the scale" not in drawn(made_timeline([1.0], [100.0]))


@pytest.mark.parametrize("field", ["policy", "scenario", "traffic"])
def test_a_hostile_name_stays_text(field: str) -> None:
    simulation = made_simulation(day(), **{field: HOSTILE})
    policy = HOSTILE if field == "policy" else "cpu"
    document = charts.svg(simulation, policy)
    root = ElementTree.fromstring(document.encode("utf-8"))
    allowed = {"svg", "title", "desc", "rect", "text", "path", "g"}
    assert {element.tag.removeprefix(SVG) for element in root.iter()} == allowed
    assert any("<script>alert('&\"')</script>" in text for text in words(document))
    chart = charts.text(simulation, policy)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", chart)
    assert max(map(columns, chart.splitlines())) <= 100


def test_the_picture_refers_to_nothing_and_names_nothing() -> None:
    document = drawn(day())
    assert document.count("http") == 1
    for element in ElementTree.fromstring(document).iter():
        assert not {"id", "class", "style", "href", "onload"} & set(element.attrib)


def test_the_same_replay_is_the_same_bytes() -> None:
    assert drawn(day()) == drawn(day())
    assert charts.text(made_simulation(day()), "cpu") == charts.text(made_simulation(day()), "cpu")


@pytest.mark.parametrize("size", [(479, 720), (1200, 359), (0, 0), (-5, 720)])
def test_too_small_a_picture_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(UsageError, match="at least 480 by 360"):
        drawn(day(), *size)


@pytest.mark.parametrize("draw", [charts.svg, charts.text])
def test_a_policy_without_a_timeline_is_refused(draw: Callable[[Simulation, str], str]) -> None:
    with pytest.raises(UsageError, match=r"'cpi'; did you mean 'cpu'\?; policies are cpu"):
        draw(made_simulation(day()), "cpi")


def test_words_do_not_run_into_the_legend() -> None:
    document = drawn(made_timeline([1.0, 1.0], [1.0, inf]), 480, 360)
    headings = [text for text in words(document) if text.startswith("Latency")]
    assert len(headings) == 1
    assert headings[0].endswith("…")
    assert any(text.startswith("SLO missed") for text in words(document))


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


def test_services_have_a_picture_each_below_each_other() -> None:
    quiet = made_timeline([1.0] * 4, [50.0] * 4)
    both = charts.svg(made_simulation(day(), quiet, services="api search"), "cpu", 800, 400)
    root = ElementTree.fromstring(both)
    assert (root.get("width"), root.get("height"), root.get("viewBox")) == ("800", "800", "0 0 800 800")
    groups = root.findall(f"{SVG}g")
    assert [group.get("transform") for group in groups] == ["translate(0 0)", "translate(0 400)"]
    titles = [group.findtext(f"{SVG}svg/{SVG}title") for group in groups]
    assert titles == ["Shop, api: cpu", "Shop, search: cpu"]
    assert {"api nodes (2 to 3)", "search nodes (3)"} < {*words(both)}
    inner = ElementTree.tostring(groups[1][0], encoding="unicode")
    alone = ElementTree.tostring(ElementTree.fromstring(drawn(quiet, 800, 400)), encoding="unicode")
    assert inner.strip().replace("Shop, search", "Shop").replace("search nodes", "API nodes") == alone.strip()


def test_services_have_a_chart_each() -> None:
    quiet = made_timeline([1.0] * 4, [50.0] * 4)
    chart = charts.text(made_simulation(day(), quiet, services="api search"), "cpu")
    assert [line for line in chart.splitlines() if line.startswith("Shop")] == ["Shop, api: cpu", "Shop, search: cpu"]
    second = chart[chart.index("Shop, search") :].replace("Shop, search", "Shop").replace("search nodes", "API nodes")
    assert second == charts.text(made_simulation(quiet), "cpu")


def test_a_hostile_service_stays_in_its_place() -> None:
    both = made_simulation(day(), day(), services=f"api {HOSTILE.replace(' ', '')}")
    assert "<script" not in charts.svg(both, "cpu")
    for drawing in (charts.svg, charts.text):
        assert not re.search("[\x00-\x09\x0b-\x1f\ud800-\udfff\u202e]", drawing(both, "cpu"))
