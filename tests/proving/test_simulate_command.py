"""The command simulate: several services in every format, and words where there is nothing to simulate."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from cascade_plan.cli.app import run
from cascade_plan.planning.predicting import predict
from cascade_plan.proving import requests

HEAD = """\
schema_version: 1
name: shop
users: {peak: 20000, average: 6000}
behaviour:
  actions:
    list: {weight: 3, request: GET /things, read_count: 2}
    find: {weight: 1, request: GET /found, cpu_ms: 2}
loads:
  peak: {users: 20000, spawn_rate_per_s: 100, duration_s: 600, latency_ms_p95: 200}
"""
TWO = HEAD.replace("cpu_ms: 2}", "cpu_ms: 2, at: search}") + "tiers: {cluster: {}, api: {}, search: {kind: api}}\n"
NONE = HEAD + "tiers: {database: {}}\n"
NOTHING = HEAD + "tiers: {gateway: {}}\n"


def called(capsys: pytest.CaptureFixture[str], scenario: str, path: Path, *flags: str) -> tuple[int, str, str]:
    path.write_text(scenario, encoding="utf-8")
    status = run(["simulate", str(path), *flags])
    return status, *capsys.readouterr()


def test_services_come_one_after_the_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chart = tmp_path / "days.svg"
    status, out, err = called(capsys, TWO, tmp_path / "two.yaml", "--chart", str(chart))
    assert (status, err) == (0, f"wrote {chart}\n")
    assert 0 < out.index("\napi: 75% of the requests\n") < out.index("\nsearch: 25% of the requests\n")
    assert out.splitlines()[-1].startswith("Whole fleet, every service scaled as recommended: $")
    shown = {element.text for element in ElementTree.parse(chart).getroot().iter() if element.text}
    assert {"api: Load and capacity (requests/s)", "search: Load and capacity (requests/s)"} <= shown
    status, out, _ = called(capsys, TWO, tmp_path / "two.yaml", "--format", "json")
    assert [each["service"] for each in json.loads(out)["services"]] == ["api", "search"]


def test_a_policy_that_nobody_knows_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = called(capsys, TWO, tmp_path / "two.yaml", "--policy", "cpi")
    assert (status, out) == (2, "")
    assert "no policy 'cpi': known are latency, cpu, requests, fixed-peak, fixed-average" in err


@pytest.mark.parametrize(
    ("scenario", "flags", "message"),
    [
        (NONE, (), "shop: no days to simulate: nothing of it is scaled, as no service of it answers requests"),
        (NOTHING, ("--requests", "100"), "shop: no requests to simulate: they visit nothing that it has"),
    ],
)
def test_where_there_is_nothing_to_simulate_it_is_said(
    scenario: str, flags: tuple[str, ...], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert called(capsys, scenario, tmp_path / "none.yaml", *flags) == (2, "", f"error: {message}\n")


def test_a_prediction_that_is_far_off_is_said_to_be(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    line = ["simulate", "--requests", "20000"]
    assert run(line) == 0
    assert "predictions are off" not in capsys.readouterr().err
    monkeypatch.setattr(requests, "predict", lambda on, users: predict(on, round(2.5 * users)))
    assert run(line) == 0
    told = capsys.readouterr().err
    assert "warning: load peak: predictions are off by more than 20%: believe what is simulated" in told
    assert "load normal" not in told, "a fleet that is nearly idle answers 2,500 users as it does 1,000"


@pytest.mark.parametrize("count", ["0", "99"])
def test_too_few_requests_for_an_interval_are_refused(count: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simulate", "--requests", count]) == 2
    assert capsys.readouterr().err == f"error: --requests {count}: must be between 100 and 10,000,000\n"


def test_a_hundred_requests_are_enough_for_an_interval(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simulate", "--requests", "100"]) == 0
    assert "requests/s" in capsys.readouterr().out
