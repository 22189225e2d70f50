"""All that a plan has stands in a file of emit-all, or is said to be left out; what it has not stands in none."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

import hcl2
import pytest
import yaml

from cascade_plan import registry
from cascade_plan.emitters import directory as emitting
from cascade_plan.emitters.directory import Emitted
from cascade_plan.inputs.scenarios import bundled_scenarios, read
from cascade_plan.model.artefact import Artefact
from cascade_plan.model.fleet import NodeGroup, Usage
from cascade_plan.model.plan import Plan
from cascade_plan.planning.pipeline import plan

SETS: dict[str, tuple[str, ...]] = {
    "as it is": (),
    "no WebSockets, no cache": ("tiers.websocket=off", "tiers.cache=off"),
    "no cluster": ("tiers.cluster=off",),
    "no database": ("tiers.database=off", "tiers.pool=off"),
    "no gateway, no network": ("tiers.gateway=off", "tiers.network=off"),
    "no monitoring": ("tiers.monitoring=off",),
    "a second service": ("tiers.search={kind: api}", "behaviour.actions.list_workrooms.at=search"),
    "two services on the same nodes": (
        "tiers.search={kind: api, nodes_of: api}",
        "behaviour.actions.list_workrooms.at=search",
    ),
    "one pool": ("tiers.websocket.nodes_of=api", "tiers.monitoring={nodes_of: api, label_by_tenant: false}"),
    "one pool, bought by Karpenter": (
        "tiers.websocket.nodes_of=api",
        "tiers.monitoring={nodes_of: api, label_by_tenant: false}",
        "emit.nodes=karpenter",
    ),
    "pods and a cache without nodes": ("tiers.api={serverless: true}", "tiers.cache={serverless: true}"),
    "a pool that the cloud runs": ("tiers.pool={managed: true}",),
    "a managed Prometheus": ("tiers.monitoring={managed: true}",),
    "Aurora": ("tiers.database={engine: aurora, tables: {}}",),
    "Aurora without instances": ("tiers.database={engine: aurora, serverless: true}", "tiers.pool={managed: true}"),
    "servers of a cache of our own": ("emit.cache=self", "tiers.cache.replicas_per_master=1"),
    "the same on machines without a cluster": ("emit.cache=self", "tiers.cluster=off"),
    "NAT by instances": ("tiers.network={nat: instance}",),
    "no node at all": ("tiers.api={serverless: true}", "tiers.websocket=off", "tiers.monitoring=off"),
    "no node at all, by Terraform": (
        "tiers.api={serverless: true}",
        "tiers.websocket=off",
        "tiers.monitoring=off",
        "emit.nodes=terraform",
    ),
    "nodes by Terraform": ("emit.nodes=terraform",),
    "nodes by Karpenter": ("emit.nodes=karpenter",),
    "the same without a cluster": (
        "tiers.search={kind: api, nodes_of: api}",
        "behaviour.actions.list_workrooms.at=search",
        "tiers.cluster=off",
    ),
}
CASES = [
    *((name, "as it is") for name in bundled_scenarios()),
    *(("cascade", case) for case in SETS if case != "as it is"),
    ("api-batch", "nodes by Karpenter"),
]
BOUGHT = {
    "kubernetes": 'managedNodeGroups|fargateProfiles|resource "aws_eks_cluster"',
    "pod_cpu": 'namespace(: | = ")kube-system',
    "pod_memory": 'namespace(: | = ")kube-system',
    "metric_samples": '"aws_prometheus_workspace"',
    "metric_storage": '"aws_prometheus_workspace"',
    "metric_queries": '"aws_prometheus_workspace"',
    "database_proxy": '"aws_db_proxy"',
    "cache_storage": '"aws_elasticache_serverless_cache"',
    "cache_requests": '"aws_elasticache_serverless_cache"',
    "nat_gateway": 'HighlyAvailable|Single|"aws_nat_gateway"',
    "nat_traffic": 'HighlyAvailable|Single|"aws_nat_gateway"',
    "balancer": '"aws_lb"',
    "balancer_capacity": '"aws_lb"',
    "database_storage": '"aws_db_instance"|"aws_rds_cluster"',
    "database_requests": '"aws_rds_cluster"',
    "database_operations": "iops",
    "database_throughput": "storage_throughput",
    "database_backup": "backup_retention_period",
    "object_storage": '"aws_s3_bucket"',
    "object_writes": '"aws_s3_bucket"',
    "object_reads": '"aws_s3_bucket"',
    "queue_requests": '"aws_sqs_queue"',
    "disk": "volumeClaimTemplates|persistentVolume",
}
"""What is bought by the metre -> what stands in a file that makes it."""
RESOURCES = {
    "vm": ("aws_eks_node_group", "aws_launch_template"),
    "database": ("aws_db_instance", "aws_rds_cluster_instance"),
    "database_capacity": ("aws_rds_cluster_instance",),
    "cache": ("aws_elasticache_replication_group",),
}
"""What instances are to a cloud -> the resources that make them."""


def planned(name: str, case: str = "as it is") -> Plan:
    given = read(name, tuple(("--set", *each.partition("=")[::2]) for each in SETS[case]))
    return plan(given.scenario, given.book, given.origins, predicted=False)


# ------------------------------------------------------------------------------------------------------------ coverage


def resources(files: Iterable[Artefact]) -> Iterator[tuple[str, str, str]]:
    """Yield (type, name, text) of every resource in the Terraform files."""
    for file in files:
        for each in hcl2.loads(file.text).get("resource", []) if file.path.endswith(".tf") else ():
            for kind, named in each.items():
                yield from ((kind.strip('"'), name.strip('"'), str(body)) for name, body in named.items())


def by_eksctl(files: Iterable[Artefact]) -> Iterator[tuple[str, str, str]]:
    """Yield (type, name, text) of what eksctl and Karpenter make, as if Terraform did."""
    for file in files:
        if file.path in ("cluster/eksctl.yaml", "cluster/karpenter.yaml"):
            for found in yaml.safe_load_all(file.text):
                for nodes in found.get("managedNodeGroups", []):
                    yield "aws_eks_node_group", nodes["labels"]["cascade-plan/tier"], str(nodes)
                for pods in found.get("fargateProfiles", []):
                    yield "aws_eks_fargate_profile", pods["name"].replace("-", "_"), str(pods)
                if found["kind"] == "NodePool":
                    template = found["spec"]["template"]
                    yield "aws_eks_node_group", template["metadata"]["labels"]["cascade-plan/tier"], str(template)


def has_group(built: Iterable[tuple[str, str, str]], group: NodeGroup) -> bool:
    """Return whether there is a resource of the instances' shape, called after their tier, for what they are."""
    if group.shape.what == "pod":
        return any(kind == "aws_eks_fargate_profile" and name == group.tier for kind, name, _ in built)
    names = {f"{group.tier}_replica"} if group.role == "replicas" else {group.tier, f"{group.tier}_spot"}
    kinds = RESOURCES[group.offer.what]
    shape = "db.serverless" if group.offer.what == "database_capacity" else group.shape.name
    return any(kind in kinds and name in names and shape in body for kind, name, body in built)


def has_usage(files: Iterable[Artefact], usage: Usage) -> bool:
    """Return whether a file makes what is metered."""
    wanted = BOUGHT.get(usage.offer.what)
    return wanted is not None and any(re.search(wanted, file.text) for file in files)


def workloads(files: Iterable[Artefact]) -> set[str]:
    """Return the names of what runs: of Deployments, of StatefulSets by their component, of scaling groups."""
    found = set()
    for file in files:
        for document in yaml.safe_load_all(file.text) if file.kustomized else ():
            if document["kind"] == "Deployment":
                found.add(document["metadata"]["name"])
            elif document["kind"] == "StatefulSet":
                labels = document["metadata"]["labels"]
                found.add(f"{labels['app.kubernetes.io/part-of']}-{labels['app.kubernetes.io/component']}")
        for name in re.findall(r'"aws_autoscaling_group" "\w+" {\n +name += "([^"]+)"', file.text):
            found.add(name)
        for names in re.findall(r'"The machine image of [^"]+: it starts ([^"]+)\."', file.text):
            found.update(names.split(" and "))
    return found


def alarms(files: Iterable[Artefact]) -> set[str]:
    """Return the names of every alert."""
    groups = [group for file in files if file.path.endswith("alerting_rules.yml") for group in _groups(file)]
    return {rule["alert"] for group in groups for rule in group["rules"]}


def _groups(file: Artefact) -> list[dict[str, list[dict[str, str]]]]:
    groups: list[dict[str, list[dict[str, str]]]] = yaml.safe_load(file.text)["groups"]
    return groups


def uncovered(made: Plan, emitted: Emitted) -> list[str]:
    """Return what of a plan is in no file, by looking for it there, and is not said to be left out either."""
    files, left_out = emitted.files, {line.partition(": ")[0] for line in emitted.left_out}
    run, told, built = workloads(files), alarms(files), [*resources(files), *by_eksctl(files)]
    missing = [group.name for group in made.groups if not has_group(built, group)]
    missing += [workload.name for workload in made.fleet.workloads if workload.name not in run]
    missing += [usage.name for usage in made.fleet.usages if not has_usage(files, usage)]
    missing += [alarm.name for watch in made.watches for alarm in watch.alarms if alarm.name not in told]
    return [name for name in missing if name not in left_out]


@pytest.mark.parametrize(("name", "case"), CASES)
def test_all_of_a_plan_is_emitted_or_said_to_be_left_out(name: str, case: str) -> None:
    made = planned(name, case)
    emitted = emitting.everything(made)
    assert uncovered(made, emitted) == []
    # On the cloud of these scenarios nothing is left out without a reason.
    assert [line for line in emitted.left_out if line.endswith("no file here makes it")] == []


def cut(path: str, resource: str) -> Callable[[Artefact], Artefact | None]:
    """Return what takes a resource out of a file, or the whole file where none is named."""

    def change(file: Artefact) -> Artefact | None:
        if file.path != path:
            return file
        blocks = re.split(r"\n(?=resource )", file.text)
        kept = "\n".join(block for block in blocks if not block.startswith(f"resource {resource} "))
        return Artefact(path, kept, file.purpose) if resource and kept != file.text else None

    return change


@pytest.mark.parametrize(
    ("missing", "change"),
    [
        ("api nodes", cut("cluster/eksctl.yaml", "")),
        ("database primary", cut("infra/database.tf", '"aws_db_instance" "database"')),
        ("database primary storage", cut("infra/database.tf", "")),
        ("queue requests", cut("infra/queue.tf", "")),
        ("ALB load balancer", cut("infra/balancer.tf", "")),
        ("Kubernetes control plane", cut("cluster/eksctl.yaml", "")),
        ("NAT gateways", cut("cluster/eksctl.yaml", "")),
        ("api-batch-worker", cut("k8s/base/worker-deployment.yaml", "")),
        ("AutoscalerAtCeiling", cut("monitoring/alerting_rules.yml", "")),
    ],
)
def test_what_is_dropped_is_found_missing(missing: str, change: Callable[[Artefact], Artefact | None]) -> None:
    made = planned("api-batch")
    emitted = emitting.everything(made)
    assert missing not in uncovered(made, emitted)
    kept = tuple(file for file in map(change, emitted.files) if file is not None)
    assert missing in uncovered(made, Emitted(kept, emitted.left_out))


@pytest.mark.parametrize(("name", "nodes"), [("api nodes", "api"), ("worker nodes", "worker_spot")])
def test_nodes_that_are_dropped_are_found_missing(name: str, nodes: str) -> None:
    made = planned("api-batch", "nodes by Terraform")
    emitted, change = emitting.everything(made), cut("infra/nodes.tf", f'"aws_eks_node_group" "{nodes}"')
    kept = tuple(file for file in map(change, emitted.files) if file is not None)
    assert uncovered(made, Emitted(kept, emitted.left_out)) == [name]


def test_a_replica_that_is_dropped_is_found_missing() -> None:
    made = planned("cascade")
    emitted, change = emitting.everything(made), cut("infra/database.tf", '"aws_db_instance" "database_replica"')
    kept = tuple(file for file in map(change, emitted.files) if file is not None)
    assert uncovered(made, Emitted(kept, emitted.left_out)) == ["read replicas"]


def test_a_group_that_no_emitter_makes_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    made = planned("cascade")
    for name in ("eks", "terraform"):
        module = registry.load("emitters", name, "artefacts")
        files = tuple(
            Artefact(file.path, file.text, file.purpose, deploys=tuple(n for n in file.deploys if n != "api nodes"))
            for file in module.render(made)
        )
        monkeypatch.setattr(module, "render", lambda plan, files=files: files)
    assert "api nodes: no file here makes it" in emitting.everything(made).left_out


@pytest.mark.parametrize(("name", "case"), CASES)
def test_what_files_say_they_make_is_of_the_plan(name: str, case: str) -> None:
    made = planned(name, case)
    known = {group.name for group in made.groups} | {usage.name for usage in made.fleet.usages}
    known |= {workload.name for workload in made.fleet.workloads}
    known |= {alarm.name for watch in made.watches for alarm in watch.alarms}
    assert {name for file in emitting.everything(made).files for name in file.deploys} <= known


# --------------------------------------------------------------------------------------------------------------- words

WORDS = {
    "websocket": r"web-?sockets?|sockets?|ws-node|nginx|connection_state|pub/?sub|heartbeats?",
    "cache": r"redis|valkey|elasticache|cache[sd]?|caching",
    "cluster": r"kubernetes|kubectl|eks|eksctl|karpenter|hpa",
    "database": r"postgres(ql)?|rds|pgbouncer|psql|databases?|queries",
    "pool": r"pgbouncer",
    "monitoring": r"prometheus|grafana|alertmanager",
    "queue": r"sqs|queues?|keda",
    "worker": r"keda|scaledobject",
    "gateway": r"aws_lb\w*|load.balancer|alb|nlb",
}
"""Kind -> words that are of it, in full."""
NOT_OF_IT = {
    "websocket": ("unix_socket_dir", "No socket file"),
    "cache": (
        "cached plan must not change result type",
        "effective_cache_size",
        "the kernel's cache",
        "The plan's cache",
    ),
    "gateway": ("load_balancer:",),
    "queue": ("asyncio.Queue",),
}
"""Kind -> what its words mean elsewhere: files of processes on one machine, PostgreSQL's and the kernel's own memory
and the plan's statements, what the plan calls nginx, and what tasks of one process hand each other."""


def spoken_of(kind: str, files: Iterable[Artefact]) -> list[str]:
    """Return where the words of a kind stand in files, with what stands around them."""
    wanted, found = re.compile(rf"(?<![A-Za-z0-9])({WORDS[kind]})(?![A-Za-z0-9])", re.IGNORECASE), []
    for file in files:
        text = f"{file.path} {file.purpose} {file.text}"
        for other in NOT_OF_IT.get(kind, ()):
            text = text.replace(other, "")
        around = (text[max(0, match.start() - 40) : match.end() + 20] for match in wanted.finditer(text))
        found += [f"{kind}: {file.path}: {part!r}" for part in around]
    return found


@pytest.mark.parametrize(("name", "case"), CASES)
def test_nothing_is_said_of_what_is_off(name: str, case: str) -> None:
    made = planned(name, case)
    files = emitting.everything(made).files
    assert [where for kind in WORDS if not made.fleet.of(kind) for where in spoken_of(kind, files)] == []


@pytest.mark.parametrize("kind", WORDS)
def test_the_words_of_a_kind_are_found_where_it_is_on(kind: str) -> None:
    made = planned("api-batch" if kind in ("queue", "worker") else "cascade")
    assert spoken_of(kind, emitting.everything(made).files)
