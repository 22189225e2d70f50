"""What is emitted is what was sized, and what Kubernetes accepts."""

from __future__ import annotations

from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml
from custom_resources import custom_resource, document, is_custom, needs_schemas
from factories import bundled_systems, make_plan

from cascade_plan.emitters._nodes import LABEL, node_groups
from cascade_plan.emitters.directory import everything
from cascade_plan.emitters.eks import artefacts as eks
from cascade_plan.emitters.kubernetes import artefacts as k8s
from cascade_plan.emitters.kubernetes import hpa_rules
from cascade_plan.emitters.nginx import artefacts as nginx
from cascade_plan.emitters.prometheus import artefacts as prometheus
from cascade_plan.emitters.terraform import artefacts as terraform
from cascade_plan.errors import InfeasibleError, UsageError
from cascade_plan.inputs.scenarios import bundled_scenarios, read
from cascade_plan.model.plan import Plan
from cascade_plan.planning.pipeline import plan

KUBERNETES = ("1.33", "1.34", "1.35", "1.36")
"""What EKS runs in standard support, or will: fields come and go."""
WHOLE = ["namespace", "priorityclass", "secretstore", "externalsecret-database", "networkpolicy-default"]
ONE_SERVICE = ["serviceaccount", "deployment", "service", "targetgroupbinding", "hpa", "pdb"]
POOL = [
    "database-service", "networkpolicy-pgbouncer",
    *(f"pgbouncer-{part}" for part in ("externalsecret", "serviceaccount", "deployment", "service", "pdb")),
]  # fmt: skip
SOCKETS = [
    *("websocket-serviceaccount", "websocket-service", "websocket", "websocket-pdb", "networkpolicy-ws-node"),
    *(f"ws-proxy-{part}" for part in ("serviceaccount", "deployment", "service", "pdb", "targetgroupbinding")),
    "networkpolicy-ws-proxy",
]
BATCH = {"tiers__queue": {}, "tiers__worker": {"age_s_p99": 600.0, "scheduled_jobs_per_s": 20.0}}


def planned(name: str) -> Plan:
    given = read(name)
    return plan(given.scenario, given.book, given.origins, predicted=False)


def stream(made: Plan) -> list[dict[str, Any]]:
    """Return every object as it is printed."""
    return list(yaml.safe_load_all(k8s.stream(made, list(k8s.objects(made)))))


@pytest.mark.parametrize("name", bundled_systems())
def test_every_object_of_every_bundled_scenario_is_valid(name: str) -> None:
    parsed = stream(planned(name))
    # All versions once, and the newest of every scenario.
    versions = KUBERNETES if name in ("cascade", "api-batch") else KUBERNETES[-1:]
    for item in parsed:
        for version in () if is_custom(item) else versions:
            kubernetes_validate.validate(item, version, strict=True)
        if item["kind"] == "HorizontalPodAutoscaler":
            assert hpa_rules.validate(item) == []
    assert {"Namespace", "Deployment", "Service", "HorizontalPodAutoscaler"} <= {item["kind"] for item in parsed}


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        (
            "cascade",
            [*POOL, *SOCKETS, "database-replica-1-service", "externalsecret-cache", "networkpolicy-cascade-api"],
        ),
        ("saas-300", ["networkpolicy-saas-300-api"]),
        (
            "api-batch",
            [
                *POOL,
                *(f"worker-{part}" for part in ("serviceaccount", "deployment", "scaledobject", "pdb")),
                *(f"networkpolicy-api-batch-{name}" for name in ("api", "worker")),
            ],
        ),
    ],
)
def test_the_parts_are_those_of_what_the_scenario_has(name: str, parts: list[str]) -> None:
    made = planned(name)
    assert sorted(k8s.objects(made)) == sorted([*WHOLE, *ONE_SERVICE, *parts])
    *files, overlay = (artefact.path for artefact in k8s.render(made))
    assert files == [f"base/{part}.yaml" for part in k8s.objects(made)]
    assert overlay == "overlays/production/kustomization.yaml"


def test_pgbouncers_pods_have_each_its_share_of_the_pool_and_there_is_never_one_more() -> None:
    made = planned("cascade")
    spec = k8s.objects(made)["pgbouncer-deployment"]["spec"]
    assert spec["replicas"] == made.figure("pool.process_count") == 2
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 1, "maxSurge": 0}
    pod = spec["template"]["spec"]
    server, exporter = pod["containers"]
    assert server["lifecycle"]["preStop"]["exec"]["command"][-1].startswith("sleep 10; kill -INT 1;")
    # Its longest statement ends within the grace period.
    assert pod["terminationGracePeriodSeconds"] >= 10 + 30
    assert [port["name"] for each in (server, exporter) for port in each["ports"]] == ["pgbouncer", "metrics"]


def test_whom_pods_may_ask_is_what_their_environment_names() -> None:
    made = planned("cascade")
    built = k8s.objects(made)
    (container,) = built["deployment"]["spec"]["template"]["spec"]["containers"]
    values = {each["name"]: each.get("value", each.get("valueFrom")) for each in container["env"]}
    assert values["DATABASE_HOST"] == "pgbouncer.cascade.svc.cluster.local"
    assert values["DATABASE_PORT"] == "6432"
    assert values["DATABASE_PASSWORD"] == {"secretKeyRef": {"name": "cascade-database", "key": "password"}}
    assert values["CACHE_URL"] == {"configMapKeyRef": {"name": "cascade-endpoints", "key": "CACHE_URL"}}
    egress = built["networkpolicy-cascade-api"]["spec"]["egress"]
    asked = {(str(rule["to"]), port["port"]) for rule in egress for port in rule["ports"]}
    pool, network = built["networkpolicy-pgbouncer"]["spec"]["podSelector"], {"cidr": made.scenario.emit.cidr}
    assert (str([{"podSelector": pool}]), 6432) in asked
    assert (str([{"ipBlock": network}]), 6379) in asked
    assert 5432 not in {port for _, port in asked}
    # Pods of Helm charts, which ask the API server, are none of those that are refused everything.
    refused = built["networkpolicy-default"]["spec"]["podSelector"]["matchLabels"]
    assert refused["app.kubernetes.io/managed-by"] == "cascade-plan"


def test_zones_are_kept_apart_as_far_as_full_nodes_can_be() -> None:
    built = k8s.objects(planned("cascade"))
    spread = {
        part: built[part]["spec"]["template"]["spec"]["topologySpreadConstraints"][0]
        for part in ("deployment", "websocket", "ws-proxy-deployment")
    }
    assert {each["whenUnsatisfiable"] for each in spread.values()} == {"DoNotSchedule"}
    # Five nodes of seven pods in three zones: 14, 14 and 7, of which the cluster's own pods may take four.
    assert [each["maxSkew"] for each in spread.values()] == [11, 1, 1]
    alone = k8s.objects(make_plan(tiers__api__nodes={"min": 1, "base": 1, "max": 5}))["deployment"]["spec"]["template"][
        "spec"
    ]
    assert alone["topologySpreadConstraints"][0]["whenUnsatisfiable"] == "ScheduleAnyway"


@pytest.mark.parametrize("name", ["cascade", "api-batch"])
def test_every_workload_has_an_account_of_its_own(name: str) -> None:
    built = k8s.objects(planned(name)).values()
    accounts = {each["metadata"]["name"] for each in built if each["kind"] == "ServiceAccount"}
    pods = [each for each in built if "template" in each.get("spec", {})]
    assert len(pods) == (4 if name == "cascade" else 3)
    for each in pods:
        assert each["spec"]["template"]["spec"]["serviceAccountName"] == each["metadata"]["name"]
    assert accounts == {each["metadata"]["name"] for each in pods}


def test_every_name_of_a_workload_is_deployed() -> None:
    for name in bundled_scenarios():
        made = planned(name)
        deployed = [workload for artefact in k8s.render(made) for workload in artefact.deploys]
        assert sorted(deployed) == sorted(workload.name for workload in made.fleet.workloads)


def test_hpa_is_the_plans() -> None:
    hpa = k8s.objects(planned("cascade-as-written"))["hpa"]
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
    # The plan says nothing of it: slower than the API's default, all of them within 15 s.
    assert down["policies"] == [{"type": "Percent", "value": 10, "periodSeconds": 60}]


@pytest.mark.parametrize("policy", ["latency", "requests", "requests+memory+latency+cpu", "cpu", "memory"])
@pytest.mark.parametrize("without", [{}, {"tiers__database": "off", "tiers__pool": "off"}])
def test_the_autoscaler_asks_for_what_the_monitoring_serves(policy: str, without: dict[str, Any]) -> None:
    metrics = policy.split("+")
    made, unchanged = make_plan(autoscaling__metrics=metrics, **without), make_plan(**without)
    found = k8s.objects(made)["hpa"]["spec"]["metrics"]
    assert len(found) == len(metrics)
    asked = {metric["pods"]["metric"]["name"] for metric in found if metric["type"] == "Pods"}
    resources = {metric["resource"]["name"] for metric in found if metric["type"] == "Resource"}
    assert resources == {"cpu", "memory"} & {*metrics}
    # Whatever the scenario's autoscaler reads, the adapter serves them all: the policy can be changed alone.
    for each in (made, unchanged):
        (adapter,) = [file.text for file in prometheus.render(each) if file.path == "prometheus-adapter.yaml"]
        (document,) = yaml.safe_load_all(adapter)
        served = {
            rule["name"]["as"]: rule["seriesQuery"].partition("{")[0]
            for rule in yaml.safe_load(document["data"]["config.yaml"])["rules"]
        }
        assert asked <= served.keys()
        (rules,) = [file.text for file in prometheus.render(each) if file.path == "pod_rules.yml"]
        recorded = {rule["record"] for group in yaml.safe_load(rules)["groups"] for rule in group["rules"]}
        assert {*served.values()} <= recorded


def test_where_nothing_serves_a_metric_the_autoscaler_goes_by_what_every_cluster_has() -> None:
    def read(*metrics: str) -> tuple[list[str], list[str]]:
        made = make_plan(tiers__monitoring="off", autoscaling__metrics=[*metrics])
        found = k8s.objects(made)["hpa"]["spec"]["metrics"]
        said = [finding.message for finding in made.findings if finding.code == "hpa-metric-not-served"]
        return [metric["resource"]["name"] for metric in found], said

    assert read("cpu") == (["cpu"], [])
    assert read("latency", "memory") == (
        ["memory"],
        ["api: nothing serves its autoscaler latency, as monitoring is off: it goes by memory"],
    )
    assert read("requests", "latency")[0] == ["cpu"]


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
    assert files["base/hpa.yaml"] == k8s.stream(made)


def test_websocket_nodes_are_the_plans_and_answer_to_the_names_nginx_knows() -> None:
    made = planned("cascade")
    built = k8s.objects(made)
    spec = built["websocket"]["spec"]
    assert (spec["replicas"], spec["ordinals"]) == (3, {"start": 1})
    (artefact,) = [file for file in nginx.render(made) if file.path == "nginx.conf"]
    for number in range(1, 4):
        assert (
            f"server {built['websocket']['metadata']['name']}-{number}.ws-node.cascade.svc.cluster.local:8000 "
            in artefact.text
        )
    assert spec["serviceName"] == built["websocket-service"]["metadata"]["name"]
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    # What a node's share of the connections that there are takes, not what the 50,000 of the gate would.
    assert container["resources"]["requests"] == {"cpu": "330m", "memory": "760Mi"}
    # What the node leaves to pods, and no more: else the node's own killer of processes would decide.
    assert container["resources"]["limits"] == {"memory": "6753Mi"}
    assert container["readinessProbe"]["httpGet"] == {"path": "/health/ready", "port": "http"}
    assert (pod["terminationGracePeriodSeconds"], spec["minReadySeconds"]) == (310, 30)
    # The node label that eksctl, Karpenter and Terraform give.
    assert pod["nodeSelector"] == {"cascade-plan/tier": "websocket"}
    labels = spec["template"]["metadata"]["labels"]
    assert labels["app.kubernetes.io/component"] == "websocket"
    assert labels["app.kubernetes.io/part-of"] == "cascade"


def test_pods_run_on_nodes_that_carry_the_label_they_ask_for() -> None:
    made = planned("api-batch")
    carried = {nodes.group.tier for nodes in node_groups(made)}
    (nodes,) = [file.text for file in eks.render(made) if file.path == "eksctl.yaml"]
    for part in ("deployment", "worker-deployment"):
        asked = k8s.objects(made)[part]["spec"]["template"]["spec"]["nodeSelector"]
        assert set(asked) == {LABEL}
        assert asked[LABEL] in carried
        assert f"{LABEL}: {asked[LABEL]}" in nodes


def test_several_services_have_each_their_parts_and_their_nodes() -> None:
    made = make_plan(tiers__full_text={"kind": "api", "image": "registry.example.com/search:2", "port": 9200})
    built = k8s.objects(made)
    services = [f"{name}-{part}" for name in ("api", "full-text") for part in ONE_SERVICE]
    assert {*services, *SOCKETS} <= {*built}
    deployment = built["full-text-deployment"]
    assert deployment["metadata"]["name"] == "test-full-text"
    pod = deployment["spec"]["template"]["spec"]
    assert pod["nodeSelector"] == {LABEL: "full_text"}
    assert pod["containers"][0]["image"] == "registry.example.com/search:2"
    assert built["full-text-hpa"]["spec"]["scaleTargetRef"]["name"] == "test-full-text"
    assert built["full-text-hpa"]["spec"]["maxReplicas"] == made.figure("full_text.replica_count.max")
    for item in built.values():
        if not is_custom(item):
            kubernetes_validate.validate(item, KUBERNETES[0], strict=True)
    # Both autoscalers are what is printed when nothing else is asked for.
    names = [item["metadata"]["name"] for item in yaml.safe_load_all(k8s.stream(made))]
    assert names == ["test-api", "test-full-text"]


def test_workers_are_counted_by_the_length_of_their_queue() -> None:
    made = make_plan(**BATCH)
    built, (workload,) = k8s.objects(made), [each for each in made.fleet.workloads if each.kind == "worker"]
    assert "replicas" not in built["worker-deployment"]["spec"]
    assert "worker-service" not in built
    spec = built["worker-scaledobject"]["spec"]
    assert (spec["minReplicaCount"], spec["maxReplicaCount"]) == (
        workload.replica_count_min,
        workload.replica_count_max,
    )
    (trigger,) = spec["triggers"]
    assert trigger["metadata"]["queueLength"] == str(int(workload.jobs_per_pod))
    assert int(workload.jobs_per_pod) > 1
    # The queue that Terraform makes.
    (queue,) = [file.text for file in terraform.render(made) if file.path == "queue.tf"]
    assert f'"{trigger["metadata"]["queueURL"]}"' in queue


@needs_schemas
def test_keda_accepts_the_scaled_object_and_its_trigger() -> None:
    made = k8s.objects(make_plan(**BATCH))["worker-scaledobject"]
    validator = jsonschema.Draft202012Validator(custom_resource("ScaledObject"))
    validator.validate(made)
    (trigger,) = made["spec"]["triggers"]
    (scaler,) = [each for each in document("keda_scalers_schema.json")["scalers"] if each["type"] == trigger["type"]]
    known = {each["name"]: each for each in scaler["parameters"]}
    assert set(trigger["metadata"]) <= set(known)
    needed = {name for name, each in known.items() if not each.get("optional") and "default" not in each}
    assert needed <= set(trigger["metadata"])
    made["spec"]["minReplicas"] = 1
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(made)


def test_workers_that_nothing_counts_are_as_many_as_the_peak_needs() -> None:
    made = make_plan(tiers__worker=BATCH["tiers__worker"])
    (workload,) = [each for each in made.fleet.workloads if each.kind == "worker"]
    built, base = k8s.objects(made), made.fleet.tiers["worker"].lever("node_count").base_count
    assert "worker-scaledobject" not in built
    assert built["worker-deployment"]["spec"]["replicas"] == base * workload.pod_count_per_node


@pytest.mark.parametrize(
    ("changes", "part", "words"),
    [
        ({}, "servce", "did you mean 'service'"),
        (
            {"tiers__websocket": "off", "gates": {}},
            "websocket",
            "the parts of this scenario are namespace, priorityclass",
        ),
        ({"tiers__search": {"kind": "api"}}, "deployment", "api-deployment, api-service"),
    ],
)
def test_unknown_part(changes: dict[str, Any], part: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        k8s.stream(make_plan(**changes), [part])


def test_nothing_to_scale_is_said() -> None:
    made = make_plan(tiers={"cluster": {}, "websocket": {}}, loads={}, gates={})
    with pytest.raises(UsageError, match="nothing here scales: say what to print, --with namespace,priorityclass"):
        k8s.stream(made)
    assert [item["kind"] for item in yaml.safe_load_all(k8s.stream(made, ["websocket"]))] == ["StatefulSet"]


def test_a_name_that_kubernetes_cannot_take_is_refused() -> None:
    made = make_plan(application="a" * 53, tiers__a_rather_long_name_for_one={"kind": "api"})
    with pytest.raises(UsageError, match=r"tiers\.a_rather_long_name_for_one: .* at most 63 characters"):
        k8s.render(made)


def test_what_applying_does_not_do_is_said_in_the_file_and_in_the_index() -> None:
    found = {file.path: file.text for file in everything(make_plan()).files}
    index = found["README.md"].partition("## By hand")[2]
    assert "RECONNECT" in index
    assert "kubectl apply edit-last-applied deployment/test-api -n test" in index
    for path in ("database/tenant_column.sql", "database/pgbouncer.ini"):
        assert "RECONNECT" in found[path]
        assert "cached plan must not change result type" in " ".join(found[path].split())
    deployment = found["k8s/base/deployment.yaml"]
    assert "falls to 1 pod" in deployment
    assert "edit-last-applied deployment/test-api -n test" in " ".join(deployment.replace("#", "").split())
    assert "falls to 1 pod" in k8s.stream(make_plan(), ["deployment"])
    assert "falls to 1 pod" not in k8s.stream(make_plan())
    # Nothing is prepared where nothing pools.
    unpooled = {file.path: file.text for file in everything(make_plan(tiers__pool="off")).files}
    assert "RECONNECT" not in unpooled["database/tenant_column.sql"]


def test_more_pods_than_kubernetes_counts_are_refused_in_words() -> None:
    small = [
        ("--set", "tiers.api.pod", "{cpu_cores: 0.001, memory_mib: 1}"),
        ("--set", "tiers.api.users_per_node", "1"),
    ]
    crowd = [("--set", "users", "{peak: 1000000000, average: 1000000000}")]
    found = read("cascade", [*small, *crowd, ("--set", "tiers.cache", "off"), ("--set", "gates", "{}")])
    with pytest.raises(InfeasibleError, match=r"pods of api: Kubernetes counts to 2,147,483,647"):
        k8s.parts(plan(found.scenario, found.book, predicted=False))
