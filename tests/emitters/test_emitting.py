"""What is emitted is what was sized, and what Kubernetes accepts."""

from __future__ import annotations

import kubernetes_validate
import pytest
import yaml

from cascade_plan.emitters.directory import artefacts
from cascade_plan.emitters.kubernetes import artefacts as k8s
from cascade_plan.emitters.kubernetes import hpa_rules
from cascade_plan.errors import UsageError
from cascade_plan.inputs.scenarios import bundled_scenarios, read
from cascade_plan.model.plan import Plan
from cascade_plan.planning.pipeline import plan

KUBERNETES = "1.34"


def planned(name: str) -> Plan:
    given = read(name)
    return plan(given.scenario, given.catalogue, given.book, given.origins)


@pytest.mark.parametrize("name", bundled_scenarios())
def test_every_object_of_every_bundled_scenario_is_valid(name: str) -> None:
    parsed = list(yaml.safe_load_all(k8s.stream(planned(name), k8s.PARTS)))
    assert [item["kind"] for item in parsed] == [
        "Namespace",
        "Deployment",
        "Service",
        "HorizontalPodAutoscaler",
        "PodDisruptionBudget",
        "Service",
        "StatefulSet",
        "PodDisruptionBudget",
    ]
    for item in parsed:
        kubernetes_validate.validate(item, KUBERNETES, strict=True)
    assert hpa_rules.validate(parsed[3]) == []


def test_hpa_is_the_plans() -> None:
    hpa = k8s.objects(planned("cascade"))["hpa"]
    pods, memory = hpa["spec"]["metrics"]
    assert pods["pods"] == {
        "metric": {"name": "cascade_query_duration_seconds_p95"},
        "target": {"type": "AverageValue", "averageValue": "200m"},
    }
    assert memory["resource"] == {"name": "memory", "target": {"type": "Utilization", "averageUtilization": 70}}
    up, down = hpa["spec"]["behavior"]["scaleUp"], hpa["spec"]["behavior"]["scaleDown"]
    assert up["stabilizationWindowSeconds"] == 60
    assert up["policies"] == [{"type": "Percent", "value": 100, "periodSeconds": 60}]
    assert down["stabilizationWindowSeconds"] == 300


def test_hpa_bounds_of_the_plan_as_written() -> None:
    spec = k8s.objects(planned("cascade-as-written"))["hpa"]["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (10, 100)


def test_pods_request_what_was_sized() -> None:
    made = planned("cascade")
    (container,) = k8s.objects(made)["deployment"]["spec"]["template"]["spec"]["containers"]
    assert container["resources"]["requests"]["cpu"] == "500m"
    assert container["resources"]["requests"]["memory"] == "768Mi"
    assert container["resources"]["limits"]["memory"] == "768Mi"


def test_files_hold_what_the_stream_holds() -> None:
    made = planned("cascade")
    files = {artefact.path: artefact.text for artefact in k8s.render(made)}
    assert sorted(files) == sorted(f"{part}.yaml" for part in k8s.PARTS)
    assert files["hpa.yaml"] == k8s.stream(made)


def test_websocket_nodes_are_the_plans_and_answer_to_the_names_nginx_knows() -> None:
    made = planned("cascade")
    built = k8s.objects(made)
    spec = built["websocket"]["spec"]
    assert (spec["replicas"], spec["ordinals"]) == (3, {"start": 1})
    (artefact,) = [file for file in artefacts(made, "cluster") if file.path == "nginx.conf"]
    for number in range(1, 4):
        assert f"server {built['websocket']['metadata']['name']}-{number}:8000 " in artefact.text
    assert spec["serviceName"] == built["websocket-service"]["metadata"]["name"]
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    # What 50,000 connections take, of the plan's 8 GB.
    assert container["resources"]["requests"] == {"cpu": "1", "memory": "3541Mi"}
    assert container["resources"]["limits"] == {"memory": "8Gi"}
    assert container["readinessProbe"]["tcpSocket"] == {"port": "http"}
    # The node label that eksctl, Karpenter and Terraform give.
    assert pod["nodeSelector"] == {"cascade-plan/tier": "websocket"}
    labels = spec["template"]["metadata"]["labels"]
    assert labels["app.kubernetes.io/component"] == "websocket"
    assert labels["app.kubernetes.io/part-of"] == "cascade"


def test_unknown_part() -> None:
    with pytest.raises(UsageError, match="did you mean 'service'"):
        k8s.stream(planned("cascade"), ["servce"])
