"""Kubernetes objects: valid for old and new API servers, and what an operator relies on."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import kubernetes_validate
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_plan.emitters.kubernetes import hpa_rules
from cascade_plan.emitters.kubernetes.names import label_value_problems, parse_quantity, qualified_name_problems
from cascade_plan.emitters.kubernetes.objects import (
    Identity,
    KubernetesObject,
    Placement,
    Pod,
    Resources,
    Scaling,
    Target,
    deployment,
    disruptions_allowed,
    headless_service,
    hpa,
    labels,
    namespace,
    pod_disruption_budget,
    queue_trigger,
    scaled_object,
    selector,
    service,
    stateful_set,
)
from cascade_plan.languages.yaml import dump

IDENTITY = Identity("cascade-api", "cascade", "cascade")
POD = Pod("registry.example/cascade:1", 8080, Resources(0.5, 768), "/ready", "/live")
SPEEDS = {"scale_up_window_s": 60, "scale_up_percent": 100, "scale_up_period_s": 60,
          "scale_down_window_s": 300, "scale_down_percent": 10, "scale_down_period_s": 90}  # fmt: skip
SCALING = Scaling(10, 100, (Target("cascade_query_duration_seconds_p95", 0.2), Target("memory", 70)), **SPEEDS)
NODES = Placement("example.com/tier", "api")

OLD = "1.29"
VERSIONS = [OLD, kubernetes_validate.latest_version()]

NAMES = st.from_regex(r"\A[a-z]([-a-z0-9]{0,61}[a-z0-9])?\Z")
NAMESPACES = st.from_regex(r"\A[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\Z")
IDENTITIES = st.builds(Identity, NAMES, NAMESPACES, NAMES, NAMES)
PODS = st.builds(
    Pod,
    image=st.just("registry.example/cascade@sha256:0"),
    port=st.integers(1, 65535),
    resources=st.builds(Resources, st.floats(0.001, 64), st.integers(1, 2**20), st.none() | st.floats(64, 128)),
    ready_path=st.just("/ready"),
    live_path=st.just("/live"),
    zone_count=st.integers(1, 4),
    zone_spread=st.sampled_from(["ScheduleAnyway", "DoNotSchedule"]),
    startup_s=st.integers(1, 600),
    drain_s=st.integers(1, 60),
    shutdown_s=st.integers(1, 600),
)
SCALINGS = st.builds(
    lambda low, more, targets: Scaling(low, low + more, tuple(targets), **SPEEDS),
    st.integers(1, 1000),
    st.integers(0, 1000),
    st.lists(
        st.builds(Target, st.from_regex(r"\A[a-z_]{3,40}\Z"), st.floats(0.0001, 1e6))
        | st.builds(Target, st.sampled_from(["cpu", "memory"]), st.integers(1, 1000)),
        min_size=1,
        max_size=4,
        unique_by=lambda target: target.metric,
    ),
)


def built(identity: Identity, pod: Pod, scaling: Scaling) -> list[KubernetesObject]:
    """Every object, in the order they are applied."""
    return [
        namespace(identity.namespace),
        deployment(identity, pod, NODES),
        service(identity),
        hpa(identity, scaling),
        pod_disruption_budget(identity, scaling.replica_count_min),
    ]


def pod_spec(pod: Pod = POD) -> dict[str, Any]:
    spec: dict[str, Any] = deployment(IDENTITY, pod, NODES)["spec"]["template"]["spec"]
    return spec


@pytest.mark.parametrize("version", VERSIONS)
@settings(max_examples=15)
@given(IDENTITIES, PODS, SCALINGS)
def test_every_object_fits_the_schema(version: str, identity: Identity, pod: Pod, scaling: Scaling) -> None:
    objects = built(identity, pod, scaling)
    for document in objects:
        kubernetes_validate.validate(document, version, strict=True)
    assert list(yaml.safe_load_all(dump(objects))) == objects
    assert json.loads(json.dumps(objects)) == objects


@given(IDENTITIES, SCALINGS)
def test_every_hpa_passes_the_api_servers_rules(identity: Identity, scaling: Scaling) -> None:
    assert hpa_rules.validate(hpa(identity, scaling)) == []


@given(IDENTITIES, PODS)
def test_every_label_and_selector_is_legal_and_selects_the_pods(identity: Identity, pod: Pod) -> None:
    for key, value in {**labels(identity), **namespace(identity.namespace)["metadata"]["labels"]}.items():
        assert not qualified_name_problems(key)
        assert not label_value_problems(value)
    found = selector(identity).items()
    assert found <= labels(identity).items()
    assert found <= deployment(identity, pod, NODES)["spec"]["template"]["metadata"]["labels"].items()
    assert service(identity)["spec"]["selector"] == selector(identity)
    assert deployment(identity, pod, NODES)["spec"]["selector"]["matchLabels"] == selector(identity)
    assert pod_disruption_budget(identity, 3)["spec"]["selector"]["matchLabels"] == selector(identity)


def test_the_hpa_is_the_plans() -> None:
    spec = hpa(IDENTITY, SCALING)["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (10, 100)
    assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "cascade-api"}
    latency, memory = spec["metrics"]
    assert latency["pods"]["metric"] == {"name": "cascade_query_duration_seconds_p95"}
    assert latency["pods"]["target"] == {"type": "AverageValue", "averageValue": "200m"}
    assert parse_quantity("0.2").canonical() == "200m"
    assert memory["resource"] == {"name": "memory", "target": {"type": "Utilization", "averageUtilization": 70}}
    assert spec["behavior"] == {
        "scaleUp": {
            "stabilizationWindowSeconds": 60,
            "selectPolicy": "Max",
            "policies": [{"type": "Percent", "value": 100, "periodSeconds": 60}],
        },
        "scaleDown": {
            "stabilizationWindowSeconds": 300,
            "selectPolicy": "Max",
            "policies": [{"type": "Percent", "value": 10, "periodSeconds": 90}],
        },
    }


def test_every_metric_is_asked_for_in_its_own_form() -> None:
    targets = (Target("cpu", 150), Target("rate", 0.5))
    made = hpa(IDENTITY, replace(SCALING, targets=targets))
    cpu, rate = made["spec"]["metrics"]
    assert cpu["resource"] == {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 150}}
    assert rate["pods"] == {"metric": {"name": "rate"}, "target": {"type": "AverageValue", "averageValue": "500m"}}
    assert hpa_rules.validate(made) == []


def test_the_hpa_owns_the_replica_count() -> None:
    assert "replicas" not in deployment(IDENTITY, POD, NODES)["spec"]


def test_pods_run_on_the_nodes_that_were_bought_for_them() -> None:
    assert pod_spec()["nodeSelector"] == {"example.com/tier": "api"}
    assert "tolerations" not in pod_spec()
    tainted = deployment(IDENTITY, POD, replace(NODES, is_tainted=True))["spec"]["template"]["spec"]
    assert tainted["nodeSelector"] == {"example.com/tier": "api"}
    tolerated = {"key": "example.com/tier", "operator": "Equal", "value": "api", "effect": "NoSchedule"}
    assert tainted["tolerations"] == [tolerated]


def test_a_scaled_object_is_the_hpas_bounds_and_speeds_with_another_trigger() -> None:
    made, autoscaler = scaled_object(IDENTITY, SCALING, queue_trigger("jobs", "eu-west-1", 5)), hpa(IDENTITY, SCALING)
    spec = made["spec"]
    assert (made["apiVersion"], made["kind"]) == ("keda.sh/v1alpha1", "ScaledObject")
    assert (spec["minReplicaCount"], spec["maxReplicaCount"]) == (10, 100)
    assert spec["scaleTargetRef"] == autoscaler["spec"]["scaleTargetRef"]
    assert spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"] == autoscaler["spec"]["behavior"]
    (trigger,) = spec["triggers"]
    assert trigger["metadata"] == {
        "queueURL": "jobs",
        "queueLength": "5",
        "awsRegion": "eu-west-1",
        "identityOwner": "operator",
    }


def test_a_rollout_never_takes_capacity_away() -> None:
    assert deployment(IDENTITY, POD, NODES)["spec"]["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": 0, "maxSurge": "25%"},
    }


def test_memory_is_limited_to_the_request_and_cpu_is_not_limited() -> None:
    resources = pod_spec()["containers"][0]["resources"]
    assert resources == {"requests": {"cpu": "500m", "memory": "768Mi"}, "limits": {"memory": "768Mi"}}
    limited = pod_spec(replace(POD, resources=Resources(0.5, 1024, 2)))["containers"][0]["resources"]
    assert limited == {"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"cpu": "2", "memory": "1Gi"}}


def test_the_spread_over_zones_and_nodes() -> None:
    zones, nodes = pod_spec(replace(POD, zone_spread="DoNotSchedule"))["topologySpreadConstraints"]
    assert (zones["topologyKey"], zones["whenUnsatisfiable"]) == ("topology.kubernetes.io/zone", "DoNotSchedule")
    assert (nodes["topologyKey"], nodes["whenUnsatisfiable"]) == ("kubernetes.io/hostname", "ScheduleAnyway")
    assert zones["maxSkew"] == nodes["maxSkew"] == 1
    assert zones["labelSelector"]["matchLabels"] == selector(IDENTITY)
    assert len(pod_spec(replace(POD, zone_count=1))["topologySpreadConstraints"]) == 1


def test_the_pod_drains_before_it_is_told_to_stop_and_has_the_time_for_both() -> None:
    spec = pod_spec(replace(POD, drain_s=7, shutdown_s=20))
    assert spec["containers"][0]["lifecycle"]["preStop"] == {"sleep": {"seconds": 7}}
    assert spec["terminationGracePeriodSeconds"] == 27


@pytest.mark.parametrize("startup_s", [1, 59, 60, 61])
def test_a_slow_start_is_not_taken_for_a_dead_process(startup_s: int) -> None:
    container = pod_spec(replace(POD, startup_s=startup_s))["containers"][0]
    probe = container["startupProbe"]
    assert startup_s <= probe["periodSeconds"] * probe["failureThreshold"] < startup_s + probe["periodSeconds"]
    assert container["readinessProbe"]["httpGet"] == {"path": "/ready", "port": "http"}
    assert container["livenessProbe"]["httpGet"] == {"path": "/live", "port": "http"}


def test_the_pod_meets_the_restricted_security_standard_its_namespace_enforces() -> None:
    assert namespace(IDENTITY.namespace)["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    spec = pod_spec()
    assert spec["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert spec["containers"][0]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert [set(volume) for volume in spec["volumes"]] == [{"name", "emptyDir"}]


def test_the_local_volume_does_not_keep_a_node_alive() -> None:
    template = deployment(IDENTITY, POD, NODES)["spec"]["template"]
    spared = template["metadata"]["annotations"]["cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes"]
    assert spared.split(",") == [volume["name"] for volume in template["spec"]["volumes"]]


def test_the_service_finds_the_containers_port_by_name() -> None:
    (port,) = service(IDENTITY, {"http": 8443})["spec"]["ports"]
    (container_port,) = pod_spec()["containers"][0]["ports"]
    assert (port["port"], port["targetPort"]) == (8443, container_port["name"])
    assert container_port["containerPort"] == 8080
    assert service(IDENTITY)["spec"]["type"] == "ClusterIP"


@pytest.mark.parametrize(
    ("replica_count", "max_unavailable", "evictable"),
    [(1, "10%", 1), (2, "10%", 1), (10, "10%", 1), (11, "10%", 2), (100, "10%", 10), (3, 1, 1), (3, "0%", 0)],
)
def test_percentages_round_up(replica_count: int, max_unavailable: int | str, evictable: int) -> None:
    assert disruptions_allowed(replica_count, max_unavailable) == evictable


@given(st.integers(1, 1000), st.integers(1, 99))
def test_a_budget_leaves_an_eviction_possible_and_never_takes_all_of_several(replica_count: int, percent: int) -> None:
    try:
        spec = pod_disruption_budget(IDENTITY, replica_count, f"{percent}%")["spec"]
    except ValueError:
        assert disruptions_allowed(replica_count, f"{percent}%") == replica_count > 1
    else:
        assert 1 <= disruptions_allowed(replica_count, spec["maxUnavailable"]) <= max(1, replica_count - 1)


@pytest.mark.parametrize("max_unavailable", [0, "0%", -1, 3, "100%", "67%", "ten", "10", "%", "1.5%", "٣%", "-1%"])
def test_budgets_that_block_or_empty_the_workload_are_refused(max_unavailable: int | str) -> None:
    with pytest.raises(ValueError, match="max_unavailable"):
        pod_disruption_budget(IDENTITY, 3, max_unavailable)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Cascade"),
        ("name", "1api"),
        ("name", ""),
        ("name", "a" * 64),
        ("namespace", "a.b"),
        ("namespace", ""),
        ("part_of", "a b"),
        ("component", "a" * 64),
    ],
)
def test_illegal_names_are_refused(field: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"{field} '{value}'"):
        replace(IDENTITY, **{field: value})


@pytest.mark.parametrize(
    "change",
    [{"port": 0}, {"port": 65536}, {"ready_path": "ready"}, {"live_path": ""}, {"zone_count": 0}, {"drain_s": 0}],
)
def test_illegal_pods_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must"):
        replace(POD, **change)


@pytest.mark.parametrize(
    "arguments", [(0, 768), (-1, 768), (float("nan"), 768), (0.5, 0), (0.5, 768, 0.4), (0.5, 768, float("nan"))]
)
def test_illegal_resources_are_refused(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match=r"request"):
        Resources(*arguments)


@pytest.mark.parametrize(
    "change",
    [
        {"replica_count_min": 0},
        {"replica_count_max": 9},
    ],
)
def test_illegal_scaling_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"replicas"):
        replace(SCALING, **change)


@pytest.mark.parametrize(
    ("metric", "amount"),
    [("a/b", 1), ("", 1), ("rate", 0), ("rate", float("nan")), ("rate", float("inf")), ("memory", 0), ("cpu", 0.5)],
)
def test_an_illegal_target_is_refused(metric: str, amount: float) -> None:
    with pytest.raises(ValueError, match=r"metric name|targets"):
        Target(metric, amount)


def test_the_same_figures_give_the_same_bytes() -> None:
    assert dump(built(IDENTITY, POD, SCALING)) == dump(built(IDENTITY, POD, SCALING))


@settings(max_examples=30)
@given(IDENTITIES, PODS, st.integers(1, 1000), st.sampled_from(VERSIONS))
def test_stateful_sets_are_valid_and_their_service_finds_them(
    identity: Identity, pod: Pod, count: int, version: str
) -> None:
    built = stateful_set(
        identity, replace(pod, ready_path=None, live_path=None), count, Placement("tier", "x", is_tainted=True)
    )
    named = headless_service(identity, pod)
    for item in (built, named):
        kubernetes_validate.validate(yaml.safe_load(dump([item])), version, strict=True)
    assert named["spec"]["selector"].items() <= built["spec"]["template"]["metadata"]["labels"].items()
    assert named["metadata"]["name"] == built["spec"]["serviceName"]
    (term,) = built["spec"]["template"]["spec"]["affinity"]["podAntiAffinity"][
        "requiredDuringSchedulingIgnoredDuringExecution"
    ]
    assert term["labelSelector"]["matchLabels"] == built["spec"]["selector"]["matchLabels"]


def test_a_stateful_set_has_a_pod_and_a_limit_not_below_its_request() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        stateful_set(IDENTITY, POD, 0, NODES)
    with pytest.raises(ValueError, match="below the request"):
        Resources(1, 512, memory_mib_limit=511)
