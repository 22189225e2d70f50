"""Whatever the schema accepts, each emitted file is accepted by a parser of its language."""

from __future__ import annotations

import ast
import configparser
import json
import subprocess
from pathlib import Path

import hcl2
import kubernetes_validate
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from servers import program
from test_properties import planned, scenarios

from cascade_plan.emitters import directory as emitting
from cascade_plan.errors import InfeasibleError
from cascade_plan.model.artefact import Artefact
from cascade_plan.model.scenario import Scenario

KUBERNETES = "1.34"
OWN_CHECKS = (".sql", ".conf", ".md", ".txt", ".js")
"""Read by their own programs in tests/real: psql, nginx, redis-server, node."""
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=12)
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)


@st.composite
def named(draw: st.DrawFn) -> Scenario:
    """Scenarios whose actions, loads, paths, tables and application are called anything the schema accepts."""
    scenario = draw(scenarios())
    document = scenario.model_dump(exclude_unset=True)
    segment = st.from_regex(r"[A-Za-z0-9._~%:@+,=&?{}-]{1,10}", fullmatch=True)
    document["application"] = draw(st.from_regex(r"[a-z]([-a-z0-9]{0,30}[a-z0-9])?", fullmatch=True))
    document["behaviour"]["actions"] = {
        draw(NAMES): {**action, "request": f"{draw(st.sampled_from(['GET', 'POST']))} /{draw(segment)}"}
        for action in document["behaviour"]["actions"].values()
    }
    document["loads"] = {draw(NAMES): load for load in document.get("loads", {}).values()}
    document["gates"] = {}
    tables = draw(st.lists(TEXT, min_size=2, max_size=2, unique=True))
    document.setdefault("tiers", {})["database"] = {
        **document.get("tiers", {}).get("database", {}),
        "tables": dict(zip(("resources", "activity_logs"), tables, strict=True)),
    }
    return Scenario.model_validate(document)


def parse(artefact: Artefact) -> None:
    """Read a file as what its name says it is. Raises what the parser raises."""
    kind = Path(artefact.path).suffix
    if kind in (".yaml", ".yml"):
        documents = list(yaml.safe_load_all(artefact.text))
        assert documents
        if artefact.kustomized:
            for document in documents:
                kubernetes_validate.validate(document, KUBERNETES, strict=True)
    elif kind == ".json":
        json.loads(artefact.text)
    elif kind == ".tf":
        hcl2.loads(artefact.text)
    elif kind == ".py":
        ast.parse(artefact.text)
    elif kind == ".ini":
        configparser.ConfigParser(interpolation=None, strict=True).read_string(artefact.text)
    elif kind == ".sh":
        shell = program("bash" if "bash" in artefact.text.partition("\n")[0] else "sh")
        subprocess.run([shell, "-n"], input=artefact.text, text=True, check=True)
    else:
        assert kind in OWN_CHECKS, artefact.path


@settings(max_examples=20, deadline=None)
@given(named())
def test_each_parser_accepts_what_any_scenario_yields(scenario: Scenario) -> None:
    try:
        made = emitting.everything(planned(scenario))
    except InfeasibleError:
        return
    for artefact in made:
        parse(artefact)
    assert {Path(artefact.path).parts[0] for artefact in made} >= {"cluster", "database", "infra", "k8s", "monitoring"}
