"""The outputs of every bundled scenario, byte for byte.

CASCADE_PLAN_RECORD=1 records them anew: read the difference before committing it.
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from cascade_plan import registry
from cascade_plan.choosing.differences import compare as differences
from cascade_plan.choosing.forecast import forecast, with_band
from cascade_plan.choosing.outlook import outlook
from cascade_plan.choosing.relaxing import why_not
from cascade_plan.emitters.kubernetes import artefacts as k8s
from cascade_plan.inputs.scenarios import bundled_scenarios, read
from cascade_plan.model.growth import Growth
from cascade_plan.model.plan import Plan
from cascade_plan.planning.pipeline import plan

GOLDEN = Path(__file__).parent / "golden"
FORMATS = {"table": "txt", "csv": "csv"}
REPORTS = {"markdown": "md", "json": "json", "junit": "xml"}
DIFFERENCES = {"table": "diff.txt", "markdown": "diff.md", "json": "diff.json"}
FORECASTS = {"table": "forecast.txt", "markdown": "forecast.md", "csv": "forecast.csv"}
LAUNCH = {"month": "2027-09", "factor": 1.4, "note": "launch in Japan"}
CONFIG_MAPS = "configmaps.yaml"
PROGRAMS = [name for name in registry.names("emitters") if name != "kubernetes"]
"""Whose files of one scenario are kept; those of Kubernetes are kept of several."""
CHARGED = ("growth-100k", "serverless-500")
"""With commitments and spot, and without machines."""
SYSTEMS = ("api-batch", "cascade", "saas-300", "serverless-500")
"""Which differ in what they have; the others differ from these in counts, which the reports show."""


@cache
def planned(name: str, explored: bool = False) -> Plan:
    given = read(name)
    made = plan(given.scenario, given.book, given.origins)
    if explored:
        made = replace(
            made,
            outlook=outlook(given.scenario, given.book, given.origins),
            why_not=why_not(given.scenario, given.book, given.origins),
        )
    return made


def compare(name: str, text: str) -> None:
    golden = GOLDEN / name
    if os.environ.get("CASCADE_PLAN_RECORD"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", bundled_scenarios())
@pytest.mark.parametrize("report", sorted(FORMATS))
def test_report(name: str, report: str) -> None:
    compare(f"{name}.{FORMATS[report]}", registry.load("reports/plans", report).render(planned(name)))


@pytest.mark.parametrize("name", CHARGED)
def test_charges(name: str) -> None:
    compare(f"{name}.focus.csv", registry.load("reports/plans", "focus").render(planned(name)))


@pytest.mark.parametrize("name", bundled_scenarios())
def test_all_that_a_table_says(name: str) -> None:
    compare(f"{name}.full.txt", registry.load("reports/plans", "table").render(planned(name), full=True))


def test_first_page() -> None:
    compare("cascade.summary.md", registry.load("reports/plans", "markdown").summary(planned("cascade")))


@pytest.mark.parametrize("report", sorted(REPORTS))
def test_full_report(report: str) -> None:
    compare(
        f"cascade.{REPORTS[report]}", registry.load("reports/plans", report).render(planned("cascade", explored=True))
    )


@pytest.mark.parametrize("report", sorted(DIFFERENCES))
def test_differences(report: str) -> None:
    found = differences(planned("cascade-as-written"), planned("cascade"))
    compare(f"corrected.{DIFFERENCES[report]}", registry.load("reports/differences", report).render(found))


@pytest.mark.parametrize("name", SYSTEMS)
def test_kubernetes(name: str) -> None:
    made = planned(name)
    compare(f"{name}.k8s.yaml", k8s.stream(made, [*k8s.objects(made)]))


@pytest.mark.parametrize("program", PROGRAMS)
def test_emitted(program: str) -> None:
    # Prometheus's ConfigMaps hold its other files again; tests/emitters/test_monitoring.py compares the two.
    rendered = registry.load("emitters", program, "artefacts").render(planned("cascade"))
    made = [file for file in rendered if file.path != CONFIG_MAPS]
    compare(f"cascade.{program}.txt", "".join(f"==> {file.path}: {file.purpose}\n{file.text}\n" for file in made))


@pytest.mark.parametrize("report", sorted(FORECASTS))
def test_forecast(report: str) -> None:
    given = read("cascade")
    growth = Growth.model_validate({"percent_per_month": 8.0, "seasonality": {"nov": 1.3}, "steps": [LAUNCH]})
    scenario = given.scenario.model_copy(update={"growth": growth})
    found = with_band(forecast(scenario, given.book, given.origins, date(2027, 1, 1), 24), given.book, given.origins)
    compare(f"cascade.{FORECASTS[report]}", registry.load("reports/forecasts", report).render(found))


def test_no_golden_is_left_over() -> None:
    names = {f"{name}.{kind}" for name in bundled_scenarios() for kind in (*FORMATS.values(), "full.txt")}
    names |= {f"{name}.k8s.yaml" for name in SYSTEMS}
    names |= {f"{name}.focus.csv" for name in CHARGED}
    names |= {f"cascade.{kind}" for kind in REPORTS.values()}
    names |= {f"cascade.{kind}" for kind in FORECASTS.values()}
    names |= {f"corrected.{kind}" for kind in DIFFERENCES.values()}
    names |= {f"cascade.{program}.txt" for program in PROGRAMS} | {"cascade.summary.md"}
    assert {path.name for path in GOLDEN.iterdir()} == names
