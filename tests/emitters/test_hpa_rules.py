"""Every rule of the API server on a HorizontalPodAutoscaler, both sides of every bound."""

from __future__ import annotations

import json
import os
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.emitters.kubernetes.hpa_rules import validate

ABSENT = object()

CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}}
CONTAINER = {
    "type": "ContainerResource",
    "containerResource": {
        "name": "cpu",
        "container": "main",
        "target": {"type": "Utilization", "averageUtilization": 70},
    },
}
PODS = {
    "type": "Pods",
    "pods": {"metric": {"name": "rate"}, "target": {"type": "AverageValue", "averageValue": "200m"}},
}
OBJECT = {
    "type": "Object",
    "object": {
        "describedObject": {"kind": "Service", "name": "web"},
        "metric": {"name": "rate"},
        "target": {"type": "Value", "value": "2k"},
    },
}
EXTERNAL = {"type": "External", "external": {"metric": {"name": "rate"}, "target": {"type": "Value", "value": 30}}}
POLICY = {"type": "Pods", "value": 1, "periodSeconds": 60}

METRICS = {"resource": CPU, "containerResource": CONTAINER, "pods": PODS, "object": OBJECT, "external": EXTERNAL}


def hpa(**changes: Any) -> dict[str, Any]:
    """A valid HPA with every kind of metric, changed at dotted paths ("__" for ".", "_0" for an index)."""
    document: dict[str, Any] = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "minReplicas": 2,
            "maxReplicas": 10,
            "metrics": deepcopy(list(METRICS.values())),
            "behavior": {"scaleUp": {"policies": [dict(POLICY)]}, "scaleDown": {"policies": [dict(POLICY)]}},
        },
    }
    for path, value in changes.items():
        put(document, path.replace("__", "."), value)
    return document


def put(document: Any, path: str, value: object) -> None:
    """Set, or with ABSENT remove, what stands at a dotted path; numbers are indices."""
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in parents:
        document = document[part]
    if value is ABSENT:
        del document[last]
    else:
        document[last] = value


def at(path: str, value: object) -> dict[str, Any]:
    """The valid HPA with one value changed."""
    document = hpa()
    put(document, path, value)
    return document


def test_the_base_is_valid() -> None:
    assert validate(hpa()) == []


def test_the_least_hpa_is_valid() -> None:
    metadata = {"name": "web", "namespace": "default"}
    assert (
        validate({"metadata": metadata, "spec": {"maxReplicas": 1, "scaleTargetRef": {"kind": "D", "name": "d"}}}) == []
    )


def test_an_empty_hpa_misses_its_names_and_bounds() -> None:
    assert validate({}) == [
        "metadata.name: Required value: name or generateName is required",
        "metadata.namespace: Required value",
        "spec.maxReplicas: Invalid value: 0: must be greater than 0",
        "spec.scaleTargetRef.kind: Required value",
        "spec.scaleTargetRef.name: Required value",
    ]


VALID = [
    ("spec.minReplicas", ABSENT),
    ("spec.minReplicas", None),
    ("spec.minReplicas", 1),
    ("spec.minReplicas", 10),
    ("spec.maxReplicas", 2),
    ("spec.maxReplicas", 2**31 - 1),
    ("spec.metrics", []),
    ("spec.metrics", None),
    ("spec.behavior", None),
    ("spec.behavior", {}),
    ("spec.behavior.scaleUp", None),
    ("spec.behavior.scaleUp.stabilizationWindowSeconds", 0),
    ("spec.behavior.scaleUp.stabilizationWindowSeconds", 3600),
    ("spec.behavior.scaleUp.selectPolicy", "Max"),
    ("spec.behavior.scaleUp.selectPolicy", "Min"),
    ("spec.behavior.scaleUp.selectPolicy", "Disabled"),
    ("spec.behavior.scaleUp.policies.0.type", "Percent"),
    ("spec.behavior.scaleUp.policies.0.periodSeconds", 1),
    ("spec.behavior.scaleUp.policies.0.periodSeconds", 1800),
    ("spec.behavior.scaleUp.tolerance", "0"),
    ("spec.behavior.scaleUp.tolerance", "0.05"),
    ("spec.behavior.scaleUp.tolerance", 0.5),
    ("spec.behavior.scaleDown.tolerance", "3"),
    ("spec.scaleTargetRef.apiVersion", ABSENT),
    ("spec.metrics.0.resource.name", "anything at all"),
    ("spec.metrics.0.resource.target.averageUtilization", 1),
    ("spec.metrics.0.resource.target", {"type": "AverageValue", "averageValue": "1Gi"}),
    ("spec.metrics.1.containerResource.name", "nvidia.com/gpu"),
    ("spec.metrics.2.pods.target.averageValue", "1n"),
    ("spec.metrics.2.pods.metric.selector", {"matchLabels": {"a": "b"}}),
    (
        "spec.metrics.2.pods.metric.selector",
        {
            "matchExpressions": [
                {"key": "a", "operator": "In", "values": ["b"]},
                {"key": "a", "operator": "DoesNotExist"},
            ]
        },
    ),
    ("spec.metrics.3.object.target", {"type": "AverageValue", "averageValue": "1"}),
    ("spec.metrics.3.object.target.averageValue", "1"),
    ("spec.metrics.4.external.target", {"type": "AverageValue", "averageValue": "1"}),
    ("metadata.name", "a." * 126 + "a"),
    ("metadata.labels", {"example.com/a": "b", "c": ""}),
    ("metadata.annotations", {"Example.com/Any": "any text \n at all"}),
    ("metadata.annotations", {"a": "x" * (256 * 1024 - 1)}),
    ("metadata.creationTimestamp", None),
    ("metadata.finalizers", ["example.com/a"]),
    ("status", {"anything": 1}),
    ("apiVersion", ABSENT),
    ("kind", ABSENT),
]


@pytest.mark.parametrize(("path", "value"), VALID)
def test_valid(path: str, value: object) -> None:
    assert validate(at(path, value)) == []


M = "spec.metrics"
RESOURCE = "spec.metrics[0].resource.target"
CONTAINER_RESOURCE = "spec.metrics[1].containerResource"
EXPRESSION = "spec.metrics[2].pods.metric.selector.matchExpressions[0]"
OUTSIDE = "spec.metrics[4].external.target"
NO_FIGURE = "must set either a target raw value or a target utilization"
TWO_FIGURES = "may not set both a target raw value and a target utilization"
NOT_STANDARD = "must be a standard resource type or fully qualified"
VALUES_MISSING = "must be specified when `operator` is 'In' or 'NotIn'"
VALUES_SUPERFLUOUS = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
ONE_OF_TYPES = 'supported values: "ContainerResource", "External", "Object", "Pods", "Resource"'
INVALID = [
    ("spec.minReplicas", 0, "spec.minReplicas: Invalid value: 0: must be greater than or equal to 1"),
    ("spec.minReplicas", -1, "spec.minReplicas: Invalid value: -1: must be greater than or equal to 1"),
    ("spec.minReplicas", 11, "spec.maxReplicas: Invalid value: 10: must be greater than or equal to `minReplicas`"),
    ("spec.maxReplicas", 0, "spec.maxReplicas: Invalid value: 0: must be greater than 0"),
    ("spec.maxReplicas", ABSENT, "spec.maxReplicas: Invalid value: 0: must be greater than 0"),
    ("spec.scaleTargetRef.kind", "", "spec.scaleTargetRef.kind: Required value"),
    ("spec.scaleTargetRef.kind", "..", "spec.scaleTargetRef.kind: Invalid value: \"..\": may not be '..'"),
    ("spec.scaleTargetRef.name", "a/b", "spec.scaleTargetRef.name: Invalid value: \"a/b\": may not contain '/'"),
    ("spec.scaleTargetRef.name", "a%", "spec.scaleTargetRef.name: Invalid value: \"a%\": may not contain '%'"),
    ("spec.scaleTargetRef.name", None, "spec.scaleTargetRef.name: Required value"),
    (f"{M}.0.type", "", "spec.metrics[0].type: Required value: must specify a metric source type"),
    (f"{M}.0.type", "Cheese", f'spec.metrics[0].type: Unsupported value: "Cheese": {ONE_OF_TYPES}'),
    (
        f"{M}.0.resource",
        ABSENT,
        "spec.metrics[0].resource: Required value: must populate information for the given metric source",
    ),
    (
        f"{M}.0.type",
        "Pods",
        "spec.metrics[0].pods: Required value: must populate information for the given metric source",
    ),
    (f"{M}.0.pods", PODS["pods"], "spec.metrics[0].pods: Forbidden: must populate the given metric source only"),
    (f"{M}.0.resource.name", "", "spec.metrics[0].resource.name: Required value: must specify a resource name"),
    (
        f"{M}.0.resource.target.averageUtilization",
        0,
        f"{RESOURCE}.averageUtilization: Invalid value: 0: must be greater than 0",
    ),
    (
        f"{M}.0.resource.target.averageUtilization",
        None,
        f"{RESOURCE}.averageUtilization: Required value: {NO_FIGURE}",
    ),
    (
        f"{M}.0.resource.target.averageValue",
        "1",
        f"{RESOURCE}.averageValue: Forbidden: {TWO_FIGURES}",
    ),
    (
        f"{M}.0.resource.target.type",
        "",
        f"{RESOURCE}.type: Required value: must specify a metric target type",
    ),
    (
        f"{M}.0.resource.target.type",
        "boogity",
        f'{RESOURCE}.type: Invalid value: "boogity": must be either Utilization, Value, or AverageValue',
    ),
    (
        f"{M}.1.containerResource.name",
        "",
        f"{CONTAINER_RESOURCE}.name: Required value: must specify a resource name",
    ),
    (
        f"{M}.1.containerResource.name",
        "InvalidResource",
        f'{CONTAINER_RESOURCE}.name: Invalid value: "InvalidResource": {NOT_STANDARD}',
    ),
    (
        f"{M}.1.containerResource.name",
        "pods",
        f'{CONTAINER_RESOURCE}.name: Invalid value: "pods": must be a standard resource for containers',
    ),
    (
        f"{M}.1.containerResource.container",
        "",
        f"{CONTAINER_RESOURCE}.container: Required value: must specify a container",
    ),
    (
        f"{M}.1.containerResource.target.averageValue",
        "1",
        f"{CONTAINER_RESOURCE}.target.averageValue: Forbidden: {TWO_FIGURES}",
    ),
    (f"{M}.2.pods.metric.name", "", "spec.metrics[2].pods.metric.name: Required value: must specify a metric name"),
    (f"{M}.2.pods.metric", None, "spec.metrics[2].pods.metric.name: Required value: must specify a metric name"),
    (f"{M}.2.pods.metric.name", "a/b", "spec.metrics[2].pods.metric.name: Invalid value: \"a/b\": may not contain '/'"),
    (
        f"{M}.2.pods.target.averageValue",
        "0",
        "spec.metrics[2].pods.target.averageValue: Invalid value: 0: must be positive",
    ),
    (
        f"{M}.2.pods.target.averageValue",
        "-0.3",
        "spec.metrics[2].pods.target.averageValue: Invalid value: -300m: must be positive",
    ),
    (
        f"{M}.2.pods.target.averageValue",
        "-1Ki",
        "spec.metrics[2].pods.target.averageValue: Invalid value: -1Ki: must be positive",
    ),
    (
        f"{M}.2.pods.target",
        {"type": "Value", "value": "1"},
        "spec.metrics[2].pods.target.averageValue: Required value: must specify a positive target averageValue",
    ),
    (
        f"{M}.3.object.describedObject.kind",
        "",
        "spec.metrics[3].object.describedObject.kind: Required value",
    ),
    (f"{M}.3.object.metric.name", "", "spec.metrics[3].object.metric.name: Required value: must specify a metric name"),
    (
        f"{M}.3.object.target",
        {"type": "Value"},
        "spec.metrics[3].object.target.averageValue: Required value: must set either a target value or averageValue",
    ),
    (f"{M}.3.object.target.value", "-1", "spec.metrics[3].object.target.value: Invalid value: -1: must be positive"),
    (
        f"{M}.4.external.metric.name",
        "",
        "spec.metrics[4].external.metric.name: Required value: must specify a metric name",
    ),
    (
        f"{M}.4.external.target",
        {"type": "Value"},
        f"{OUTSIDE}.averageValue: Required value: must set either a target value for metric or a per-pod target",
    ),
    (
        f"{M}.4.external.target.averageValue",
        "1",
        f"{OUTSIDE}.value: Forbidden: may not set both a target value for metric and a per-pod target",
    ),
    (
        f"{M}.4.external.target",
        None,
        f"{OUTSIDE}.type: Required value: must specify a metric target type",
    ),
    (
        f"{M}.2.pods.metric.selector",
        {"matchExpressions": [{"key": "a", "operator": "In"}]},
        f"{EXPRESSION}.values: Required value: {VALUES_MISSING}",
    ),
    (
        f"{M}.2.pods.metric.selector",
        {"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]},
        f"{EXPRESSION}.values: Forbidden: {VALUES_SUPERFLUOUS}",
    ),
    (
        f"{M}.2.pods.metric.selector",
        {"matchExpressions": [{"key": "a", "operator": "Like"}]},
        f'{EXPRESSION}.operator: Invalid value: "Like": not a valid selector operator',
    ),
    (
        f"{M}.2.pods.metric.selector",
        {"matchExpressions": [None]},
        f'{EXPRESSION}.operator: Invalid value: "": not a valid selector operator',
    ),
    ("metadata.name", ABSENT, "metadata.name: Required value: name or generateName is required"),
    ("metadata.namespace", "", "metadata.namespace: Required value"),
    (
        "metadata.annotations",
        {"a": "x" * (256 * 1024)},
        "metadata.annotations: Too long: must have at most 262144 bytes",
    ),
    (
        "apiVersion",
        "autoscaling/v1",
        "the API version in the data (autoscaling/v1) does not match the expected API version (autoscaling/v2)",
    ),
    ("kind", "Deployment", 'no kind "Deployment" is registered for version "autoscaling/v2"'),
    ("spec.minReplica", 1, 'strict decoding error: unknown field "spec.minReplica"'),
    ("replicas", 1, 'strict decoding error: unknown field "replicas"'),
    ("spec.minReplicas", "2", 'spec.minReplicas: Invalid value: "2": must be an integer of 32 bits'),
    ("spec.minReplicas", 2.0, "spec.minReplicas: Invalid value: 2.0: must be an integer of 32 bits"),
    ("spec.minReplicas", True, "spec.minReplicas: Invalid value: True: must be an integer of 32 bits"),
    ("spec.maxReplicas", 2**31, "spec.maxReplicas: Invalid value: 2147483648: must be an integer of 32 bits"),
    ("spec.metrics", {}, "spec.metrics: Invalid value: {}: must be an array"),
    ("spec", [], "spec: Invalid value: []: must be an object"),
    ("metadata.name", 5, "metadata.name: Invalid value: 5: must be a string"),
    ("metadata.labels", {"a": True}, "metadata.labels: Invalid value: {'a': True}: must be a map of strings"),
    (
        f"{M}.2.pods.target.averageValue",
        True,
        "spec.metrics[2].pods.target.averageValue: Invalid value: True: must be a quantity",
    ),
    (
        f"{M}.2.pods.target.averageValue",
        [],
        "spec.metrics[2].pods.target.averageValue: Invalid value: []: must be a quantity",
    ),
]


@pytest.mark.parametrize(("path", "value", "error"), INVALID)
def test_invalid(path: str, value: object, error: str) -> None:
    assert validate(at(path, value))[0] == error


STARTS = [
    ("metadata.name", "Web", 'metadata.name: Invalid value: "Web": a lowercase RFC 1123 subdomain must consist'),
    ("metadata.name", "a." * 126 + "ab", "metadata.name: Invalid value: "),
    ("metadata.namespace", "a.b", 'metadata.namespace: Invalid value: "a.b": a lowercase RFC 1123 label must consist'),
    ("metadata.labels", {"-": "b"}, 'metadata.labels: Invalid value: "-": name part must consist'),
    ("metadata.labels", {"a": "b c"}, 'metadata.labels: Invalid value: "b c": a valid label must be an empty string'),
    ("metadata.annotations", {"a/b/c": ""}, 'metadata.annotations: Invalid value: "a/b/c": a qualified name must'),
    (
        f"{M}.1.containerResource.container",
        "---***",
        'spec.metrics[1].containerResource.container: Invalid value: "---***": ',
    ),
    (
        f"{M}.2.pods.metric.selector",
        {"matchLabels": {"a": "-"}},
        'spec.metrics[2].pods.metric.selector.matchLabels: Invalid value: "-"',
    ),
    (
        f"{M}.2.pods.target.averageValue",
        "1.5 s",
        'spec.metrics[2].pods.target.averageValue: Invalid value: "1.5 s": quantities must match',
    ),
    (
        f"{M}.2.pods.target.averageValue",
        "1K",
        'spec.metrics[2].pods.target.averageValue: Invalid value: "1K": unable to parse',
    ),
]


@pytest.mark.parametrize(("path", "value", "start"), STARTS)
def test_names_and_quantities(path: str, value: object, start: str) -> None:
    assert validate(at(path, value))[0].startswith(start)


@pytest.mark.parametrize("direction", ["scaleUp", "scaleDown"])
@pytest.mark.parametrize(
    ("path", "value", "error"),
    [
        (
            "stabilizationWindowSeconds",
            -1,
            ".stabilizationWindowSeconds: Invalid value: -1: must be greater than or equal to zero",
        ),
        (
            "stabilizationWindowSeconds",
            3601,
            ".stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600",
        ),
        ("selectPolicy", "max", '.selectPolicy: Unsupported value: "max": supported values: "Disabled", "Max", "Min"'),
        ("selectPolicy", "", '.selectPolicy: Unsupported value: "": supported values: "Disabled", "Max", "Min"'),
        ("policies", [], ".policies: Required value: must specify at least one Policy"),
        ("policies", ABSENT, ".policies: Required value: must specify at least one Policy"),
        ("policies.0.type", "hm", '.policies[0].type: Unsupported value: "hm": supported values: "Percent", "Pods"'),
        ("policies.0.value", 0, ".policies[0].value: Invalid value: 0: must be greater than zero"),
        ("policies.0.value", -1, ".policies[0].value: Invalid value: -1: must be greater than zero"),
        ("policies.0.value", ABSENT, ".policies[0].value: Invalid value: 0: must be greater than zero"),
        ("policies.0.periodSeconds", 0, ".policies[0].periodSeconds: Invalid value: 0: must be greater than zero"),
        (
            "policies.0.periodSeconds",
            1801,
            ".policies[0].periodSeconds: Invalid value: 1801: must be less than or equal to 1800",
        ),
        ("tolerance", "-0.05", '.tolerance: Invalid value: "-50m": must be greater than or equal to 0'),
        ("tolerance", -1, '.tolerance: Invalid value: "-1": must be greater than or equal to 0'),
    ],
)
def test_rules_of_a_direction(direction: str, path: str, value: object, error: str) -> None:
    where = f"spec.behavior.{direction}"
    assert validate(at(f"{where}.{path}", value)) == [where + error]


def test_an_empty_direction_is_checked_and_an_absent_one_is_not() -> None:
    assert validate(at("spec.behavior.scaleUp", {})) == [
        "spec.behavior.scaleUp.policies: Required value: must specify at least one Policy"
    ]
    assert validate(at("spec.behavior.scaleUp", ABSENT)) == []


@pytest.mark.parametrize("metric", [OBJECT, EXTERNAL])
def test_scaling_to_zero_wants_the_gate_and_a_metric_that_works_at_zero(metric: dict[str, Any]) -> None:
    document = hpa(spec__minReplicas=0, spec__metrics=[CPU, metric])
    assert validate(document, scale_to_zero=True) == []
    assert validate(document) == ["spec.minReplicas: Invalid value: 0: must be greater than or equal to 1"]
    document = hpa(spec__minReplicas=0, spec__metrics=[CPU, PODS])
    refusal = "must specify at least one Object or External metric to support scaling to zero replicas"
    assert validate(document, scale_to_zero=True) == [f"spec.metrics: Forbidden: {refusal}"]
    document = hpa(spec__minReplicas=-1)
    assert validate(document, scale_to_zero=True)[0].endswith("must be greater than or equal to 0")


@pytest.mark.parametrize("given_source", METRICS)
@pytest.mark.parametrize("named", METRICS)
def test_the_source_must_be_the_one_the_type_names(given_source: str, named: str) -> None:
    metric = {**METRICS[given_source], "type": METRICS[named]["type"]}
    missing = f"spec.metrics[0].{named}: Required value: must populate information for the given metric source"
    assert validate(hpa(spec__metrics=[metric])) == ([] if given_source == named else [missing])


def test_only_the_first_of_two_sources_is_looked_into() -> None:
    metric = {**PODS, "object": {}}
    errors = validate(hpa(spec__metrics=[metric]))
    assert errors[0] == "spec.metrics[0].object.describedObject.kind: Required value"
    assert errors[-1] == "spec.metrics[0].object: Forbidden: must populate the given metric source only"


def test_an_empty_metric_is_reported_once() -> None:
    for empty in ({}, None):
        assert validate(hpa(spec__metrics=[empty])) == [
            "spec.metrics[0].type: Required value: must specify a metric source type",
            f'spec.metrics[0].type: Unsupported value: "": {ONE_OF_TYPES}',
        ]


@pytest.mark.parametrize(
    ("prefix", "valid"), [("web-", True), ("web", True), ("Web-", False), ("a" * 251 + "-", True), ("a" * 254, False)]
)
def test_a_generated_name(prefix: str, valid: bool) -> None:
    errors = validate(hpa(metadata={"generateName": prefix, "namespace": "default"}))
    assert (not errors) is valid
    assert all(error.startswith("metadata.generateName: Invalid value") for error in errors)


def test_errors_come_in_the_order_of_the_server() -> None:
    document = hpa(
        metadata__name="",
        spec__minReplicas=0,
        spec__maxReplicas=-1,
        spec__scaleTargetRef={},
        spec__metrics=[{}],
        spec__behavior={"scaleUp": {}, "scaleDown": {}},
    )
    paths = [error.split(":")[0] for error in validate(document)]
    assert list(dict.fromkeys(paths)) == [
        "metadata.name",
        "spec.minReplicas",
        "spec.maxReplicas",
        "spec.scaleTargetRef.kind",
        "spec.scaleTargetRef.name",
        "spec.metrics[0].type",
        "spec.metrics",
        "spec.behavior.scaleUp.policies",
        "spec.behavior.scaleDown.policies",
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
PATHS = [path for path, *_ in [*VALID, *INVALID, *STARTS]]


@given(st.sampled_from(PATHS), JSON)
def test_any_value_anywhere_gives_errors_and_no_exception(path: str, value: object) -> None:
    document = hpa()
    before = deepcopy(document)
    put(document, path, value)
    assert all(isinstance(error, str) and error for error in validate(document))
    assert hpa() == before


@given(
    st.integers(-5, 20),
    st.integers(-5, 20),
    st.booleans(),
)
def test_bounds(low: int, high: int, gate: bool) -> None:
    document = hpa(spec__minReplicas=low, spec__maxReplicas=high)
    assert (not validate(document, scale_to_zero=gate)) is (high >= 1 and high >= low >= (0 if gate else 1))


def conformance_file() -> Path:
    """The Kubernetes project's own cases, where this checkout stands beside them."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "conformance" / "hpa_cases.json"
    given_path = os.environ.get("CASCADE_PLAN_CONFORMANCE")
    path = Path(given_path) if given_path else beside
    return path / "hpa_cases.json" if path.is_dir() else path


@pytest.mark.skipif(not conformance_file().exists(), reason="the conformance cases are not part of this repository")
def test_conformance_to_the_cases_of_kubernetes() -> None:
    document = json.loads(conformance_file().read_text(encoding="utf-8"))
    cases = [case for case in document["cases"] if case["kind"] == "api_validation"]
    failures = []
    for case in cases:
        expected = case["expected"]
        errors = validate(case["input"]["hpa"], scale_to_zero=case["input"]["hpaScaleToZero"])
        agrees = not errors if expected["valid"] else expected["firstErrorContains"] in (errors or [""])[0]
        if not agrees:
            failures.append((case["id"], errors))
    assert failures == []
    assert len(cases) == 88
