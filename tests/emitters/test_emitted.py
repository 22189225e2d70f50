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
from custom_resources import is_custom
from hypothesis import given, settings
from hypothesis import strategies as st
from servers import program
from test_properties import document_of, planned, scenarios, without

from cascade_plan.emitters import directory as emitting
from cascade_plan.errors import InfeasibleError, UsageError
from cascade_plan.inputs.scenarios import read
from cascade_plan.model.artefact import Artefact
from cascade_plan.model.scenario import Scenario

KUBERNETES = "1.34"
OWN_CHECKS = (".sql", ".conf", ".md", ".txt", ".js", ".promql")
"""Read by their own programs in tests/real: psql, nginx, redis-server, node, promtool."""
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=12).filter(str.isprintable)
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)


@st.composite
def named(draw: st.DrawFn) -> Scenario:
    """Scenarios whose actions, loads, paths, tables, tiers and application are called anything the schema accepts.

    Some tiers are off, and there may be a second service, database and cache.
    """
    scenario = draw(scenarios())
    off = [name for name in scenario.tiers if draw(st.integers(0, 4)) == 0]
    document = document_of(without(scenario, off))
    segment = st.from_regex(r"[A-Za-z0-9._~%:@+,=&?{}-]{1,10}", fullmatch=True)
    document["application"] = draw(st.from_regex(r"[a-z]([-a-z0-9]{0,20}[a-z0-9])?", fullmatch=True))
    document["behaviour"]["actions"] = {
        draw(NAMES): {**action, "request": f"{draw(st.sampled_from(['GET', 'POST']))} /{draw(segment)}"}
        for action in document["behaviour"]["actions"].values()
    }
    document["loads"] = {draw(NAMES): load for load in document.get("loads", {}).values()}
    document["gates"] = {}
    for kind in draw(st.sets(st.sampled_from(["api", "database", "cache"]))):
        document["tiers"].setdefault(draw(NAMES), {"kind": kind})
    tables = draw(st.lists(TEXT, min_size=2, max_size=2, unique=True))
    for name, tier in document["tiers"].items():
        if tier.get("kind", name) == "database":
            tier["tables"] = dict(zip(("resources", "activity_logs"), tables, strict=True))
    return Scenario.model_validate(document)


def parse(artefact: Artefact) -> None:
    """Read a file as what its name says it is. Raises what the parser raises."""
    kind = Path(artefact.path.removesuffix(".example")).suffix
    if kind in (".yaml", ".yml"):
        documents = list(yaml.safe_load_all(artefact.text))
        assert documents
        if artefact.kustomized:
            for document in documents:
                # What KEDA reads, its own schema checks: tests/emitters/test_emitting.py.
                if not is_custom(document):
                    kubernetes_validate.validate(document, KUBERNETES, strict=True)
    elif kind == ".json":
        json.loads(artefact.text)
    elif kind in (".tf", ".tfvars"):
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


@settings(max_examples=15)
@given(named())
def test_each_parser_accepts_what_any_scenario_yields(scenario: Scenario) -> None:
    try:
        made = planned(scenario, predicted=False)
        files = emitting.everything(made).files
    except (InfeasibleError, UsageError):
        return
    for artefact in files:
        parse(artefact)
    commands = {Path(artefact.path).parts[0] for artefact in files}
    assert "infra" in commands
    assert ("k8s" in commands) == bool(made.fleet.of("cluster"))
    assert ("monitoring" in commands) == bool(made.fleet.of("monitoring"))


def test_pods_on_a_services_nodes_stay_where_they_are_and_are_what_kubernetes_takes() -> None:
    sets = {"websocket.nodes_of": "api", "monitoring.nodes_of": "api", "monitoring.label_by_tenant": "false"}
    sets["api.purchase"] = "{spot: 0.4}"
    found = read("cascade", [("--set", f"tiers.{path}", value) for path, value in sets.items()])
    files = {artefact.path: artefact for artefact in emitting.everything(planned(found.scenario)).files}
    for artefact in files.values():
        parse(artefact)
    (sockets,) = yaml.safe_load_all(files["k8s/base/websocket.yaml"].text)
    server = next(yaml.safe_load_all(files["monitoring/prometheus-values.yaml"].text))["server"]
    template = sockets["spec"]["template"]
    stays = {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false", "karpenter.sh/do-not-disrupt": "true"}
    assert template["metadata"]["annotations"] == server["podAnnotations"] == stays
    assert template["spec"]["nodeSelector"] == server["nodeSelector"] == {"cascade-plan/tier": "api"}
    # Two may stand on a node where no other has room, and a zone may have none.
    affinity = template["spec"]["affinity"]
    assert list(affinity["podAntiAffinity"]) == ["preferredDuringSchedulingIgnoredDuringExecution"]
    # Nor on nodes that the cloud takes back, while there are others.
    assert affinity["nodeAffinity"] == server["affinity"]["nodeAffinity"]
    (term,) = affinity["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert [each["values"] for each in term["matchExpressions"]] == [["SPOT"], ["spot"]]
    spread = template["spec"]["topologySpreadConstraints"]
    assert {each["whenUnsatisfiable"] for each in spread} == {"ScheduleAnyway"}
    # Pods that come and go do not take its place.
    (served,) = yaml.safe_load_all(files["k8s/base/priorityclass.yaml"].text)
    assert template["spec"]["priorityClassName"] == server["priorityClassName"] == served["metadata"]["name"]
    # nginx sends to the pods by the names that they have.
    assert files["cluster/nginx.conf"].text.count("server ws-node-") == sockets["spec"]["replicas"] == 3
