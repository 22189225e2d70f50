"""Charts are valid, say what their noun says, are legible without colour, and nothing in them runs."""

from __future__ import annotations

import gzip
import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import cache
from itertools import pairwise
from math import inf, nan
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
import vl_convert
from factories import make_outlook, make_plan
from hypothesis import example, given, settings
from hypothesis import strategies as st
from timelines import HOSTILE, day, made_simulation, made_timeline

from cascade_plan import registry
from cascade_plan.choosing.differences import compare
from cascade_plan.choosing.forecast import forecast
from cascade_plan.choosing.latency_curve import latency_curve
from cascade_plan.cli.app import run
from cascade_plan.errors import UsageError
from cascade_plan.inputs.choice import chosen
from cascade_plan.model.calibrating import Calibrating, Trial
from cascade_plan.model.calibration import Calibration
from cascade_plan.model.forecast import Band, Forecast
from cascade_plan.model.latency_curve import LatencyCurve, LatencyLimit, LatencyPoint
from cascade_plan.model.measurement import Comparison, Measurement, Verification
from cascade_plan.model.outlook import Point
from cascade_plan.model.plan import Plan
from cascade_plan.model.risk import CostHistogram, Driver, LatencyHistogram, PromiseRisk, Risk
from cascade_plan.reports import _marks as marks
from cascade_plan.reports import pictures
from cascade_plan.reports.charts import calibration, cost_over_months, cost_over_users, latency, uncertainty, waterfall
from cascade_plan.reports.charts import day as day_chart

SCHEMA = Path(__file__).parent.parent / "vega-lite-schema.json.gz"
"""Of vega-lite 6.4.1, build/vega-lite-schema.json of its npm package."""
UNFIT = "[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]"


def made_driver(name: str, cost: float, broken: float) -> Driver:
    return Driver(name, "assumption", 0.7, 1.4, cost, broken, None, None, None, None, 10.0, "a load test")


def made_risk(scenario: str = "Shop", name: str = "behaviour.actions.*.cpu_ms", budget: float | None = 50.0) -> Risk:
    cost = CostHistogram((2700.0, 2900.0, 3100.0, 3300.0), (20, 70, 10))
    late = LatencyHistogram((20.0, 220.0, 420.0), (90, 10))
    promise = PromiseRisk("users.peak", "p95", 300.0, "peak", 0.08, (30.0, 60.0, 250.0), late)
    never = PromiseRisk("normal", "p95", 200.0, "as scaled", 0.0, None, None)
    return Risk(
        1, scenario, "us-east-1", "book", 10_000, "average", 100, 1, 0.92, None if budget is None else 1.0, budget,
        2950.0, (2800.0, 2950.0, 3150.0), (280.0, 295.0, 315.0), cost, (never, promise), (),
        (made_driver(name, 0.8, 0.1), made_driver("users.active_share", 0.1, 0.6)),
        2950.0, 3, "as it is", 100.0, (),
    )  # fmt: skip


def made_calibrating(run_name: str = "runs/low") -> Calibrating:
    calibration_ = Calibration(calibration_version=1, scenario="shop", values={})
    trials = (
        Trial(run_name, 500, 0.4, "latency_ms_p95", 42.0, 40.0, 45.0, 44.0, False),
        Trial(run_name, 500, 0.4, "latency_ms_p95", 39.0, 36.0, 43.0, 44.0, True),
        Trial(run_name, 500, 0.4, "requests_per_s", 250.0, 250.0, 250.0, 248.0, True),
    )
    return Calibrating(calibration_, {}, (), trials, ())


def made_verification(figure: str = "latency_ms_p95.peak") -> Verification:
    measured = Measurement("k6", "a summary", "out.json", 10, {})
    compared = (
        Comparison(figure, "ms", 40.0, 44.0, 0.1, False),
        Comparison("requests_per_s.peak", "requests/s", 250.0, 240.0, -0.04, False),
    )
    return Verification("Shop", "peak", measured, (), (), compared, ())


@cache
def planned(peak: int = 10_000) -> Plan:
    return make_plan(users={"peak": peak, "average": 3_000})


@cache
def explored() -> Plan:
    return replace(planned(), outlook=make_outlook())


@cache
def forecasted() -> Forecast:
    """Return three months of a bundled scenario."""
    sets = ["forecast.months=3", "forecast.start=2027-01", "growth.percent_per_month=10"]
    told = chosen({"scenario": "startup-1k", "set_": sets}, None, lambda note: None).read()
    return forecast(told.scenario, told.book, told.origins)


def banded() -> Forecast:
    """Return the same with a band."""
    ends = tuple(
        (each.effective_usd * Decimal("0.9"), each.effective_usd, each.effective_usd * 2)
        for each in forecasted().months
    )
    return replace(forecasted(), band=Band(10, 1, ends, (), ends[0]))


def made_curve(scenario: str = "Shop", load: str = "peak", ms: float = 900.0) -> LatencyCurve:
    points = tuple(
        LatencyPoint(users, users / 3, late, late * 1.2) for users, late in ((500, 20.0), (900, 60.0), (1000, ms))
    )
    return LatencyCurve(scenario, 800, points, (LatencyLimit(load, 800, 300.0, None),), 300.0, 950)


def every() -> Iterator[tuple[str, Any]]:
    """Yield (what it is of, specification) of every chart, and of what is at the edge of each."""
    yield "day", day_chart.draw(made_simulation(day()), "cpu")
    yield "day of two", day_chart.draw(made_simulation(day(), day((50.0, 60.0)), services="api search"), "cpu")
    yield "day without end", day_chart.draw(made_simulation(made_timeline([1.0] * 4, [50.0, inf, nan, 9e9])), "cpu")
    yield "empty day", day_chart.draw(made_simulation(made_timeline([], [])), "cpu")
    yield "cost-over-months", cost_over_months.draw(forecasted())
    yield "cost-over-months with all", cost_over_months.draw(banded(), [each.effective_usd for each in banded().months])
    yield "cost-over-users", cost_over_users.draw(explored())
    yield "waterfall", waterfall.draw(compare(planned(), planned(40_000)))
    yield "latency", latency.draw(made_curve())
    yield "latency without end", latency.draw(made_curve(ms=inf))
    yield "latency of nothing", latency.draw(LatencyCurve("Shop", 1, (), (), 200.0, None))
    yield "uncertainty", uncertainty.draw(made_risk())
    yield "uncertainty without budget", uncertainty.draw(made_risk(budget=None))
    yield "calibration", calibration.draw(made_calibrating())
    yield "verification", calibration.draw(made_verification())


EVERY = dict(every())


def rows(spec: Any, *fields: str) -> Iterator[Mapping[str, Any]]:
    """Yield every row of data that has these fields, layer by layer."""
    for layer in layers(spec):
        for row in layer.get("data", {}).get("values", ()):
            if all(field in row for field in fields):
                yield row


def layers(spec: Any) -> Iterator[Mapping[str, Any]]:
    for part in ("vconcat", "concat", "layer"):
        for each in spec.get(part, ()):
            yield each
            yield from layers(each)


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for each in value.values():
            yield from texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)
    elif isinstance(value, str):
        yield value


def test_every_chart_is_looked_at_here() -> None:
    assert {name.split(" ")[0] for name in EVERY} >= {*registry.names("reports/charts")}


@cache
def validator() -> jsonschema.Draft7Validator:
    return jsonschema.Draft7Validator(json.loads(gzip.decompress(SCHEMA.read_bytes())))


@pytest.mark.parametrize("name", EVERY)
def test_a_chart_is_valid(name: str) -> None:
    problems = [error.message[:300] for error in validator().iter_errors(EVERY[name])]
    assert not problems


def test_what_is_no_chart_is_not_valid() -> None:
    spec = {**EVERY["day"], "vconcat": [{"mark": "no-such-mark", "encoding": {}}]}
    assert [*validator().iter_errors(spec)]


@pytest.mark.parametrize("name", EVERY)
def test_a_chart_compiles_without_a_warning_and_is_drawn(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    vl_convert.vegalite_to_vega(EVERY[name], show_warnings=True)
    svg = pictures.svg(EVERY[name])
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")
    root = ElementTree.fromstring(svg)
    assert float(root.get("width", "0")) <= 860
    assert not re.search(r"\bNaN\b|undefined|Infinity", svg)


def test_a_warning_would_be_seen(capfd: pytest.CaptureFixture[str]) -> None:
    spec = {
        "data": {"values": [{"a": 1}]},
        "mark": "bar",
        "encoding": {"x": {"field": "a", "type": "quantitative", "scale": {"type": "band"}}},
    }
    vl_convert.vegalite_to_vega(spec, show_warnings=True)
    assert "".join(capfd.readouterr())


@pytest.mark.parametrize("name", EVERY)
def test_a_chart_says_in_words_what_it_shows(name: str) -> None:
    spec = EVERY[name]
    assert len(spec["description"]) > 30
    assert spec["title"]["text"]
    assert all(spec["title"]["subtitle"])
    assert not re.search(UNFIT, json.dumps(spec, ensure_ascii=False))


# What it says


def test_a_day_has_the_values_of_its_timeline() -> None:
    timeline = made_timeline([10.0, 20.0, 30.0], [50.0, 250.0, 60.0], [40.0] * 3, [1, 2, 2], tick_s=3600)
    spec = day_chart.draw(made_simulation(timeline), "cpu")
    found = [
        [(row["t"], row["value"]) for row in layer["data"]["values"]]
        for layer in layers(spec)
        if rows(layer) and "t" in (layer.get("data", {}).get("values") or [{}])[0]
    ]
    assert found == [
        [(0.0, 10.0), (1.0, 20.0), (2.0, 30.0), (3.0, 30.0)],
        [(0.0, 40.0), (1.0, 40.0), (2.0, 40.0), (3.0, 40.0)],
        [(0.0, 1.0), (1.0, 2.0), (2.0, 2.0), (3.0, 2.0)],
        [(0.0, 50.0), (1.0, 250.0), (2.0, 60.0), (3.0, 60.0)],
    ]
    assert {(row["from"], row["to"]) for row in rows(spec, "from")} == {(1.0, 2.0)}
    assert [row["value"] for row in rows(spec, "words")] == [200.0, 200.0]


@settings(max_examples=25)
@given(st.lists(st.booleans(), min_size=1, max_size=300))
def test_just_the_missed_ticks_are_shaded(missed: list[bool]) -> None:
    timeline = made_timeline([1.0] * len(missed), [300.0 if late else 100.0 for late in missed], tick_s=3600)
    spec = day_chart.draw(made_simulation(timeline), "cpu")
    unit = 24 if len(missed) > 36 else 1 if len(missed) > 2 else 1 / 60
    shaded = [(row["from"] * unit, row["to"] * unit) for row in rows(spec["vconcat"][0], "from")]
    assert [any(first <= tick + 0.5 < end for first, end in shaded) for tick in range(len(missed))] == missed
    assert all(end < following for (_, end), (following, _) in pairwise(shaded))


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(
            st.floats(0, 1e9) | st.just(inf),
            st.floats(0, 1e6) | st.sampled_from([inf, nan, 1e300]),
            st.integers(0, 10**6),
        ),
        max_size=40,
    ),
    st.sampled_from([0.5, 15.0, 3600.0]),
    st.sampled_from([0.0, 200.0, inf]),
)
@example([(inf, 5e-324, 1)], 15.0, 0.0)
def test_any_day_is_valid_and_on_its_scales(ticks: list[tuple[float, float, int]], tick_s: float, slo: float) -> None:
    load, late, nodes = zip(*ticks, strict=True) if ticks else ((), (), ())
    spec = day_chart.draw(made_simulation(made_timeline(load, late, load, nodes, tick_s, slo)), "cpu")
    assert not [*validator().iter_errors(json.loads(json.dumps(spec, allow_nan=False)))]
    for layer in layers(spec):
        y = layer.get("encoding", {}).get("y", {})
        if domain := y.get("scale", {}).get("domain"):
            values = [row["value"] for row in layer["data"]["values"]]
            assert all(domain[0] * (1 - 1e-9) <= value <= domain[1] * (1 + 1e-9) for value in values)


def test_a_spike_in_weeks_of_ticks_is_kept_and_the_chart_stays_small() -> None:
    late = [50.0] * 100_800
    late[50_001] = 800.0
    spec = day_chart.draw(made_simulation(made_timeline([float(tick % 997) for tick in range(100_800)], late)), "cpu")
    assert max(row["value"] for row in rows(spec["vconcat"][2], "t")) == 800.0
    assert len(json.dumps(spec)) < 400_000


def test_a_policy_without_a_timeline_is_refused() -> None:
    with pytest.raises(UsageError, match=r"'cpi'; did you mean 'cpu'\?; policies are cpu"):
        day_chart.draw(made_simulation(day()), "cpi")


def test_the_months_areas_add_up_to_what_each_costs() -> None:
    found = banded()
    spec = EVERY["cost-over-months with all"]
    areas = [*rows(spec["vconcat"][0], "tier")]
    for month in found.months:
        own = [row for row in areas if row["month"] == f"{month.start:%Y-%m-%d}"]
        assert sum(row["usd"] for row in own) == pytest.approx(float(month.effective_usd))
        assert [row["from"] for row in own] == pytest.approx([0.0, *(row["to"] for row in own[:-1])])
    lines = [row["usd"] for row in rows(spec["vconcat"][0], "usd") if "tier" not in row]
    budgets = [month.plan.scenario.budget.usd_per_month_most(month.plan.scenario.users) for month in found.months]
    assert lines == [float(each or 0) for each in [*(month.effective_usd for month in found.months), *budgets]]
    between = [(row["from"], row["to"]) for row in rows(spec["vconcat"][0], "to") if "tier" not in row]
    assert between[:3] == [(float(low), float(high)) for low, _, high in found.band.monthly_usd]  # type: ignore[union-attr]


def test_cost_over_users_has_the_points_of_the_curve_and_the_crossing() -> None:
    spec = EVERY["cost-over-users"]
    outlook = explored().outlook
    assert outlook is not None
    expected = [(point.users_peak, float(point.cost_usd_per_month)) for point in outlook.curve]
    first = next(layer for layer in layers(spec["vconcat"][0]) if "data" in layer)
    assert [(row["users"], row["month"]) for row in first["data"]["values"]] == expected
    second = next(layer for layer in layers(spec["vconcat"][1]) if "data" in layer)
    assert [row["per_1000"] for row in second["data"]["values"]] == [
        float(point.cost_usd_per_1000_users_month) for point in outlook.curve
    ]


def test_the_crossing_is_where_cost_and_budget_meet() -> None:
    plan = make_plan(users={"peak": 2_000, "average": 1_000}, budget={"usd_per_1000_users_month": 100})
    # $200 a month, then $200 for 4,000 users: the cost for 1000 falls from $200 to $50, and is $100 at 2,000.
    points = [Point(users, users // 2, Decimal(200_000) / users, Decimal(200), True) for users in (1_000, 4_000)]
    spec = cost_over_users.draw(replace(plan, outlook=replace(make_outlook(), curve=tuple(points))))
    (crossing,) = {(row["users"], round(row["month"], 6)) for row in rows(spec, "within")}
    assert crossing == (2_000, 200.0)
    assert "the budget is kept above about 2,000 users" in spec["title"]["subtitle"][0]


def test_a_waterfall_adds_up_to_both_bills() -> None:
    differences = compare(planned(), planned(40_000))
    bars = [*rows(EVERY["waterfall"]["vconcat"][0]["layer"][0], "kind")] or [
        *EVERY["waterfall"]["vconcat"][0]["layer"][0]["data"]["values"]
    ]
    first, *changes, last = bars
    assert (first["from"], first["to"]) == (0.0, float(differences.cost_usd_before))
    assert (last["from"], last["to"]) == (0.0, float(differences.cost_usd_after))
    assert changes[0]["from"] == first["to"]
    assert all(one["to"] == other["from"] for one, other in pairwise(changes))
    assert changes[-1]["to"] == pytest.approx(last["to"], abs=1e-6)
    assert len(bars) <= waterfall.MOST + 3
    assert {bar["kind"] for bar in changes} <= {"costs less", "costs more"}
    assert all((bar["to"] >= bar["from"]) == (bar["kind"] == "costs more") for bar in changes)


def test_a_latency_chart_has_the_points_and_the_limit() -> None:
    spec = latency.draw(made_curve())
    p95 = [*rows({"layer": [spec["vconcat"][0]["layer"][1]]}, "ms")]
    assert p95 == [{"users": 500, "ms": 20.0}, {"users": 900, "ms": 60.0}, {"users": 1000, "ms": 900.0}]
    assert "below 300 ms up to 950 users who act, 1.2 times the peak" in spec["title"]["subtitle"][0]


def test_a_latency_curve_breaks_where_the_plan_says() -> None:
    curve = latency_curve(planned())
    assert curve.points == tuple(sorted(curve.points, key=lambda point: point.users))
    most = curve.user_count_max
    assert most is not None
    kept = [point for point in curve.points if point.users <= most]
    assert all(point.latency_ms_p95 < curve.slo_latency_ms_p95 for point in kept)
    first = next(point for point in curve.points if point.users > most)
    assert first.latency_ms_p95 >= curve.slo_latency_ms_p95
    assert first.users - most <= max(1, first.users // 500)


def test_a_latency_curve_has_the_figures_of_the_plan_at_its_peak() -> None:
    plan = make_plan(users={"peak": 10_000, "average": 3_000}, predicted=True)
    curve = latency_curve(plan)
    at_peak = next(point for point in curve.points if point.users == 10_000)
    assert at_peak.latency_ms_p95 == plan.figure("latency_ms_p95.users_peak")


def test_uncertainty_has_the_counts_of_its_worlds() -> None:
    risk = made_risk()
    cost, late, bars = EVERY["uncertainty"]["vconcat"]
    counted = [(row["from"], row["to"], row["worlds"]) for row in rows(cost, "worlds")]
    assert counted == [(2700.0, 2900.0, 20), (2900.0, 3100.0, 70), (3100.0, 3300.0, 10)]
    assert [row["worlds"] for row in rows(late, "worlds")] == [*risk.promises[1].latency_histogram.world_count]  # type: ignore[union-attr]
    assert [row["share"] for row in rows(bars, "share")] == [0.8, 0.1, 0.1, 0.6]


def test_calibration_has_what_was_predicted_and_measured() -> None:
    pairs = {
        (row["predicted"], row["low"], row["high"], row["measured"], row["kind"])
        for row in rows(EVERY["calibration"], "predicted")
    }
    taken, held = calibration.KINDS
    assert pairs == {
        (42.0, 40.0, 45.0, 44.0, taken),
        (39.0, 36.0, 43.0, 44.0, held),
        (250.0, 250.0, 250.0, 248.0, held),
    }
    assert {row["measured"] for row in rows(EVERY["verification"], "measured")} == {44.0, 240.0}


# Who sees no colours, and what is hostile


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour (WCAG 2.2), which is what a grey print keeps."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_neighbours_differ_in_grey() -> None:
    assert all(contrast(one, other) >= 1.35 for one, other in pairwise(marks.NEIGHBOURS))


@pytest.mark.parametrize("kinds", [calibration.KINDS, uncertainty.KINDS])
def test_what_stands_side_by_side_differs_in_grey(kinds: Mapping[str, str]) -> None:
    one, other = kinds.values()
    assert contrast(one, other) >= 1.35


@pytest.mark.parametrize("ink", [marks.INK, marks.GREY])
def test_words_are_legible(ink: str) -> None:
    assert contrast(ink, marks.PAPER) >= 4.5


def hostile() -> Iterator[tuple[str, Any]]:
    yield "day", day_chart.draw(made_simulation(day(), scenario=HOSTILE, traffic=HOSTILE, policy=HOSTILE), HOSTILE)
    yield "latency", latency.draw(made_curve(HOSTILE, HOSTILE))
    yield "uncertainty", uncertainty.draw(made_risk(HOSTILE, HOSTILE))
    yield "calibration", calibration.draw(made_calibrating(HOSTILE))
    yield "verification", calibration.draw(made_verification(HOSTILE))


@pytest.mark.parametrize(("name", "spec"), [*hostile()], ids=lambda each: each if isinstance(each, str) else "")
def test_hostile_words_are_data_and_nothing_else(name: str, spec: Any) -> None:
    assert not [*validator().iter_errors(spec)]
    assert not re.search(UNFIT, "".join(texts(spec)))
    root = ElementTree.fromstring(pictures.svg(spec))
    kinds = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert kinds <= {"svg", "g", "path", "text", "rect", "line", "defs", "clipPath", "tspan", "style", "title"}
    assert not any(key.startswith("on") or key.endswith("href") for element in root.iter() for key in element.attrib)


@pytest.mark.parametrize("name", EVERY)
def test_no_expression_holds_what_a_scenario_says(name: str) -> None:
    found = re.findall(r'"(?:labelExpr|expr|signal|calculate|filter)": "([^"]*)"', json.dumps(EVERY[name]))
    assert all(re.fullmatch(r"(?:abs\(datum\.value-[-+.e\d]+\)<=[-+.e\d]+\?'[^'\\]*':)*''", each) for each in found)
    assert not {"url", "href"} & {key for row in rows(EVERY[name]) for key in row}


# Pictures


@pytest.mark.parametrize("way", [pictures.svg, pictures.png, pictures.pdf, pictures.json])
def test_a_picture_is_the_same_bytes(way: Any) -> None:
    spec = latency.draw(made_curve())
    first = way(spec)
    assert first == way(spec)
    starts = {pictures.png: b"\x89PNG", pictures.pdf: b"%PDF", pictures.svg: "<svg", pictures.json: "{"}
    assert first.startswith(starts[way])


def test_without_the_extra_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(
        UsageError, match=r"PNG charts are drawn by vl-convert-python, .*: pip install 'cascade-plan\[charts\]'"
    ):
        pictures.png(latency.draw(made_curve()))
    assert json.loads(pictures.json(latency.draw(made_curve())))["vconcat"]


def test_pages_draw_by_the_scripts_that_pictures_are_drawn_by() -> None:
    scripts = Path(__file__).parent.parent.parent / "vega"
    versions = {
        "vega": vl_convert.get_vega_version(),
        "vega-lite": max(vl_convert.get_vegalite_versions(), key=lambda each: [*map(int, each.split("."))]),
        "vega-embed": vl_convert.get_vega_embed_version(),
    }
    for name, version in versions.items():
        text = (scripts / f"{name}.min.js").read_text(encoding="utf-8")
        assert re.search(rf'"{re.escape(version)}(\.\d+)?"', text), name
        assert "Redistribution and use" in (scripts / f"LICENSE-{name}").read_text(encoding="utf-8")


# The command


def test_the_command_draws_as_the_file_ends(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for ending, start in (("svg", b"<svg"), ("png", b"\x89PNG"), ("pdf", b"%PDF"), ("json", b"{"), ("html", b"<!DOC")):
        file = tmp_path / f"latency.{ending}"
        assert run(["chart", "latency", "startup-1k", "-o", str(file)]) == 0
        assert file.read_bytes().startswith(start)
    capsys.readouterr()
    assert run(["chart", "latency", "startup-1k"]) == 0
    assert json.loads(capsys.readouterr().out)["$schema"] == marks.SCHEMA


def test_the_command_lists_every_chart(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert run(["chart", "list"]) == 0
    out = capsys.readouterr().out
    assert all(re.search(rf"^{name} ", out, re.M) for name in registry.names("reports/charts"))
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("latencyy",), "no chart named 'latencyy': known are calibration, "),
        (("latency", "-o", "x.gif"), "x.gif: name it .html, .json, .pdf, .png or .svg, or give --format"),
        (("latency", "--format", "sgv"), "--format sgv: must be html, json, pdf, png, svg; did you mean 'svg'?"),
        (("calibration",), "a scenario alone has no chart 'calibration': cascade-plan calibrate RUNS --chart FILE"),
        (("latency", "--policy", "cpu"), "--policy is of the chart day, not of latency"),
    ],
)
def test_what_cannot_be_drawn_is_said(
    arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert run(["chart", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert not [*tmp_path.iterdir()]
