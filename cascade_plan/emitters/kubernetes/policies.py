"""Who may talk to whom: all that is not said here is refused, to and from the plan's own pods.

The pods of Helm charts in the same namespace are none of them, by the label of who made them: they ask the API server.
Source: https://kubernetes.io/docs/concepts/services-networking/network-policies/
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from cascade_plan.emitters._databases import Database, databases, pooled
from cascade_plan.emitters._nodes import SYSTEM
from cascade_plan.emitters._targets import targets
from cascade_plan.emitters._topology import CACHE_PORT, NGINX_PORT, PROXY, caches, pods_name
from cascade_plan.emitters.kubernetes.beside import EXPORTER_PORT
from cascade_plan.emitters.kubernetes.objects import Identity, KubernetesObject, namespaced
from cascade_plan.model.fleet import Workload
from cascade_plan.model.plan import Plan

API: Final = "networking.k8s.io/v1"
NAME: Final = "app.kubernetes.io/name"
PART_OF: Final = "app.kubernetes.io/part-of"
NAMESPACE: Final = "kubernetes.io/metadata.name"
METADATA_SERVICE: Final = "169.254.169.254/32"
"""Of the node's instance, whose role is none of a pod's business."""
POD_IDENTITY: Final = "169.254.170.23/32"
"""Where pods of EKS get the credentials of their ServiceAccount's role, at port 80.
Source: https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html"""

Rule = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Allowed:
    """What some pods may be asked by, and whom they may ask."""

    name: str
    ingress: tuple[Rule, ...]
    egress: tuple[Rule, ...]


def policies(plan: Plan) -> Iterator[KubernetesObject]:
    """Yield the policy that refuses everything but names, and one for each kind of pods that says what they may."""
    ours = {"matchLabels": {PART_OF: plan.application, "app.kubernetes.io/managed-by": "cascade-plan"}}
    dns = {
        "namespaceSelector": {"matchLabels": {NAMESPACE: SYSTEM}},
        "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
    }
    names = {"to": [dns], "ports": [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]}
    spec = {"podSelector": ours, "policyTypes": ["Ingress", "Egress"], "egress": [names]}
    yield namespaced(API, "NetworkPolicy", Identity("default", plan.application, plan.application, "network"), spec)
    for allowed in (*_of_workloads(plan), *_of_proxies(plan), *_of_pools(plan)):
        spec = {
            "podSelector": {"matchLabels": {NAME: allowed.name}},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [*allowed.ingress],
            "egress": [*allowed.egress],
        }
        identity = Identity(allowed.name, plan.application, plan.application, "network")
        yield namespaced(API, "NetworkPolicy", identity, spec)


def _of_workloads(plan: Plan) -> Iterator[Allowed]:
    behind = {target.workload.name for target in targets(plan) if not target.is_proxy}
    for workload in plan.fleet.workloads:
        asked = [_among(plan, [workload.port])]
        if workload.name in behind:
            asked.append(_from_network(plan, workload.port))
        yield Allowed(pods_name(workload), tuple(asked), tuple(_asks(plan, workload)))


def _asks(plan: Plan, workload: Workload) -> Iterator[Rule]:
    """Yield whom a workload's pods ask: pools, or databases, caches, and whatever speaks TLS outside."""
    if workload.connection_count_per_pod:
        found = pooled(plan)
        for pool in found:
            yield _to_pods(pool.workload_name, pool.instance.settings.port)
        behind = [pool.database for pool in found]
        yield from (_to_database(plan, each) for each in databases(plan) if each not in behind)
    for cache in caches(plan):
        yield _to_pods(cache.called, CACHE_PORT) if cache.is_pods else _to_network(plan, [CACHE_PORT])
    yield {
        "to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": [METADATA_SERVICE]}}],
        "ports": [{"protocol": "TCP", "port": 443}],
    }
    yield {"to": [{"ipBlock": {"cidr": POD_IDENTITY}}], "ports": [{"protocol": "TCP", "port": 80}]}


def _of_proxies(plan: Plan) -> Iterator[Allowed]:
    for sockets in (each for each in plan.fleet.workloads if each.serves == "connections"):
        nodes = _to_pods(pods_name(sockets), sockets.port)
        yield Allowed(PROXY, (_from_network(plan, NGINX_PORT),), (nodes,))


def _of_pools(plan: Plan) -> Iterator[Allowed]:
    for pool in pooled(plan):
        clients = [{"podSelector": {"matchLabels": {NAME: pods_name(client)}}} for client in pool.clients]
        ports = [{"protocol": "TCP", "port": pool.instance.settings.port}]
        from_clients = ({"from": clients, "ports": ports},) if clients else ()
        yield Allowed(
            pool.workload_name, (*from_clients, _among(plan, [EXPORTER_PORT])), (_to_database(plan, pool.database),)
        )


def _to_database(plan: Plan, database: Database) -> Rule:
    """Return that a database may be asked: where the cloud runs it, or wherever the scenario says that it is."""
    rule = _to_network(plan, [database.instance.settings.port])
    return rule if database.is_named_by_service else {"ports": rule["ports"]}


def _to_pods(name: str, port: int) -> Rule:
    return {"to": [{"podSelector": {"matchLabels": {NAME: name}}}], "ports": [{"protocol": "TCP", "port": port}]}


def _among(plan: Plan, ports: list[int]) -> Rule:
    """Return that pods of the namespace may ask: each other, and Prometheus all of them."""
    here = {"namespaceSelector": {"matchLabels": {NAMESPACE: plan.application}}}
    return {"from": [here], "ports": [{"protocol": "TCP", "port": port} for port in ports]}


def _from_network(plan: Plan, port: int) -> Rule:
    """Return that the load balancer may ask: it has addresses of the network, and no labels."""
    return {"from": [{"ipBlock": {"cidr": plan.scenario.emit.cidr}}], "ports": [{"protocol": "TCP", "port": port}]}


def _to_network(plan: Plan, ports: list[int]) -> Rule:
    """Return that what the cloud runs in the network may be asked."""
    return {
        "to": [{"ipBlock": {"cidr": plan.scenario.emit.cidr}}],
        "ports": [{"protocol": "TCP", "port": port} for port in dict.fromkeys(ports)],
    }
