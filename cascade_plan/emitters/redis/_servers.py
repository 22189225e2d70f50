"""The servers of a cache that you run yourself, as pods: a StatefulSet in each zone, and an address for all.

A zone has a StatefulSet of its own, so that each master and its replica are in the zones that were planned for them.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from cascade_plan.emitters._certificates import secret_name
from cascade_plan.emitters._config_map import config_map
from cascade_plan.emitters._network import zone_names
from cascade_plan.emitters._nodes import LABEL, NAME_LABEL, TAINT_EFFECT, is_tainted
from cascade_plan.emitters._secrets import METRICS, Secret, cache_secret, cache_servers_secret
from cascade_plan.emitters._topology import CACHE_PORT, Cache
from cascade_plan.emitters.redis._scripts import tls_options
from cascade_plan.emitters.redis._settings import CA_FILE, DIRECTORY, node_timeout_ms
from cascade_plan.languages.plain import name as plain
from cascade_plan.model.plan import Plan

IMAGES: Final = {"redis": "redis", "valkey": "valkey/valkey"}
"""Of the engine's own makers: https://hub.docker.com/_/redis, https://hub.docker.com/r/valkey/valkey"""
OF_AWS: Final = {"7.1": "7.0"}
"""A version of Redis that AWS alone has -> what its makers released that it is compatible with:
https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/engine-versions.html"""
USER: Final = 999
"""The user redis of these images."""
BUS: Final = CACHE_PORT + 10_000
"""The port of the cluster's bus, https://redis.io/docs/latest/operate/oss_and_stack/management/scaling/"""
STATE: Final = "/var/lib/redis"
SCRIPTS: Final = "/scripts"
ZONE: Final = "cascade-plan/zone"
"""The label by which a zone's StatefulSet knows its pods."""
VOLUME: Final = "1Gi"
ELECTION_S: Final = 2
"""How much longer than cluster-node-timeout a failover takes: measured 1 to 2 s, Redis 7.0.15."""


def objects(plan: Plan, cache: Cache, conf: str, users: str) -> list[dict[str, Any]]:
    """Return the Kubernetes objects of a cache's servers, which run with these settings and write these users."""
    files = {"redis.conf": conf, "redis-users.sh": users}
    zones = dict.fromkeys(node.zone for node in cache.nodes)
    return [
        *([_storage_class(plan, cache)] if _keeps_state(plan, cache) else []),
        config_map(plan, cache.called, files),
        _service(plan, cache),
        *(_stateful_set(plan, cache, zone) for zone in zones),
        _disruption_budget(plan, cache),
        _network_policy(plan, cache),
    ]


def start(plan: Plan, cache: Cache) -> str:
    """Return the command that applies these objects and waits for their pods."""
    wait = f"kubectl wait -n {plan.application} --timeout=10m"
    lines = [f"kubectl apply -f cluster/{cache.prefix}redis-servers.yaml"]
    for zone, count in sorted(Counter(node.zone for node in cache.nodes).items()):
        lines.append(f"{wait} --for=jsonpath='{{.status.readyReplicas}}'={count} statefulset/{cache.called}-{zone}")
    return "\n".join(lines)


def create(plan: Plan, cache: Cache, path: str) -> str:
    """Return the command that runs the script which makes a cluster, in one of the pods."""
    script = 'REDIS_USER=admin REDISCLI_AUTH="$ADMIN_PASSWORD" exec sh -s'
    return f"kubectl exec -i -n {plan.application} {cache.nodes[0].name} -c redis -- sh -c '{script}' < cluster/{path}"


def _labels(plan: Plan, cache: Cache) -> dict[str, str]:
    return {
        NAME_LABEL: cache.called,
        "app.kubernetes.io/component": "cache",
        "app.kubernetes.io/part-of": plan.application,
        "app.kubernetes.io/managed-by": "cascade-plan",
    }


def _object(plan: Plan, cache: Cache, kind: tuple[str, str], name: str, **parts: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": plan.application, "labels": _labels(plan, cache)}
    return {"apiVersion": kind[0], "kind": kind[1], "metadata": metadata, **parts}


def _keeps_state(plan: Plan, cache: Cache) -> bool:
    """Return whether servers keep who is of their cluster on a disk; a lone master keeps nothing."""
    return cache.is_cluster and plan.scenario.cloud == "aws"


def _storage_class(plan: Plan, cache: Cache) -> dict[str, Any]:
    """Return the class of their disks: EKS has none that is taken by itself."""
    made = _object(
        plan,
        cache,
        ("storage.k8s.io/v1", "StorageClass"),
        f"{plan.application}-{cache.called}",
        provisioner="ebs.csi.aws.com",
        parameters={"type": "gp3", "encrypted": "true"},
        volumeBindingMode="WaitForFirstConsumer",
    )
    del made["metadata"]["namespace"]
    return made


def _service(plan: Plan, cache: Cache) -> dict[str, Any]:
    """Return the address of all servers, and of each: also of those that are not ready, which make up a cluster."""
    ports = [{"name": "redis", "port": CACHE_PORT}, *([{"name": "bus", "port": BUS}] if cache.is_cluster else [])]
    spec = {
        "clusterIP": "None",
        "publishNotReadyAddresses": True,
        "selector": {NAME_LABEL: cache.called},
        "ports": ports,
    }
    return _object(plan, cache, ("v1", "Service"), cache.called, spec=spec)


def _stateful_set(plan: Plan, cache: Cache, zone: int) -> dict[str, Any]:
    """Return the servers of a zone.

    A change reaches a server when its pod is deleted, and not by itself: the sets would restart a master and its
    replica in the other zone at the same time.
    """
    name = f"{cache.called}-{zone}"
    spec: dict[str, Any] = {
        "serviceName": cache.called,
        "replicas": sum(node.zone == zone for node in cache.nodes),
        "ordinals": {"start": 1},
        "podManagementPolicy": "Parallel",
        "updateStrategy": {"type": "OnDelete"},
        "selector": {"matchLabels": {NAME_LABEL: cache.called, ZONE: str(zone)}},
        "template": {
            "metadata": {"labels": {**_labels(plan, cache), ZONE: str(zone)}},
            "spec": _pod(plan, cache, zone_names(plan)[zone - 1]),
        },
    }
    if _keeps_state(plan, cache):
        claim = {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": f"{plan.application}-{cache.called}",
            "resources": {"requests": {"storage": VOLUME}},
        }
        spec["volumeClaimTemplates"] = [{"metadata": {"name": "state"}, "spec": claim}]
    return _object(plan, cache, ("apps/v1", "StatefulSet"), name, spec=spec)


def _pod(plan: Plan, cache: Cache, zone: str) -> dict[str, Any]:
    alone = {"labelSelector": {"matchLabels": {NAME_LABEL: cache.called}}, "topologyKey": "kubernetes.io/hostname"}
    settings = cache.instance.settings
    version = OF_AWS.get(settings.engine_version, settings.engine_version)
    image = settings.image or f"{IMAGES[settings.engine]}:{version}"
    return {
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        **_placed(plan, cache, zone),
        "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [alone]}},
        "initContainers": [_writes_users(plan, cache, image)],
        "containers": [_server(plan, cache, image)],
        "volumes": [*_volumes(plan, cache)],
    }


def _placed(plan: Plan, cache: Cache, zone: str) -> dict[str, Any]:
    group = cache.instance.sized.group("nodes")
    placed: dict[str, Any] = {"nodeSelector": {LABEL: group.tier, "topology.kubernetes.io/zone": zone}}
    if is_tainted(plan, group):
        taint = {"key": LABEL, "operator": "Equal", "value": group.tier, "effect": TAINT_EFFECT}
        placed["tolerations"] = [taint]
    return placed


def _volumes(plan: Plan, cache: Cache) -> list[dict[str, Any]]:
    volumes: list[dict[str, Any]] = [
        {"name": "files", "configMap": {"name": f"{plan.application}-{cache.called}"}},
        {"name": "users", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
    ]
    if cache.instance.settings.tls:
        volumes.append({"name": "tls", "secret": {"secretName": secret_name(plan, cache.called)}})
    if not _keeps_state(plan, cache):
        volumes.append({"name": "state", "emptyDir": {"sizeLimit": VOLUME}})
    return volumes


def _mounts(cache: Cache) -> list[dict[str, Any]]:
    mounts: list[dict[str, Any]] = [
        {"name": "files", "mountPath": SCRIPTS, "readOnly": True},
        {"name": "users", "mountPath": DIRECTORY},
        {"name": "state", "mountPath": STATE},
    ]
    if cache.instance.settings.tls:
        mounts.append({"name": "tls", "mountPath": CA_FILE.rpartition("/")[0], "readOnly": True})
    return mounts


def _writes_users(plan: Plan, cache: Cache, image: str) -> dict[str, Any]:
    """Return the container that writes the users, and on a replica of a lone master whom it copies."""
    first = cache.nodes[0]
    master = f'test "$HOSTNAME" = {first.name} || export MASTER={cache.host(first)}; '
    script = f"{'' if cache.is_cluster or not cache.copy_count else master}exec sh {SCRIPTS}/redis-users.sh {DIRECTORY}"
    return {
        "name": "users",
        "image": image,
        "command": ["sh", "-c", script],
        "env": [*_passwords(plan, cache)],
        "resources": {"requests": {"cpu": "100m", "memory": "32Mi"}, "limits": {"memory": "64Mi"}},
        "securityContext": _confined(),
        "volumeMounts": _mounts(cache),
    }


def _server(plan: Plan, cache: Cache, image: str) -> dict[str, Any]:
    engine, group = cache.instance.settings.engine, cache.instance.sized.group("nodes")
    memory = f"{cache.instance.sized.count('memory_mib_per_pod')}Mi"
    ready = f"{engine}-cli {tls_options(cache)}--user {METRICS} -p {CACHE_PORT} info replication | grep -Eq "
    ready += "'role:master|master_link_status:up'"
    ports = [{"name": "redis", "containerPort": CACHE_PORT}]
    return {
        "name": "redis",
        "image": image,
        "command": ["sh", "-c", _start(plan, cache)],
        # What the script that makes a cluster logs in with, and what readiness asks with.
        "env": [*_passwords(plan, cache)],
        "ports": [*ports, *([{"name": "bus", "containerPort": BUS}] if cache.is_cluster else [])],
        "resources": {
            "requests": {"cpu": "1" if group.shape.vcpu >= 2 else "500m", "memory": memory},
            "limits": {"memory": memory},
        },
        "readinessProbe": {
            "exec": {"command": ["sh", "-c", f'REDISCLI_AUTH="$METRICS_PASSWORD" {ready}']},
            "periodSeconds": 5,
            "timeoutSeconds": 2,
        },
        "securityContext": _confined(),
        "volumeMounts": _mounts(cache),
    }


def _start(plan: Plan, cache: Cache) -> str:
    """Return how a server starts: known by its name, and not before a replica had the time to take its place."""
    command = f"exec {cache.instance.settings.engine}-server {SCRIPTS}/redis.conf"
    if not cache.is_cluster:
        return command
    named = f'--cluster-announce-hostname "$HOSTNAME.{plain(cache.domain)}" --cluster-preferred-endpoint-type hostname'
    wait_s = node_timeout_ms(plan, cache.streams) / 1000 + ELECTION_S
    waits = f"test ! -e {STATE}/nodes.conf || sleep {wait_s:g}; " if cache.copy_count else ""
    return f"{waits}{command} {named}"


def _passwords(plan: Plan, cache: Cache) -> list[dict[str, Any]]:
    clients, servers = cache_secret(plan, cache), cache_servers_secret(plan, cache)

    def password(name: str, secret: Secret, user: str) -> dict[str, Any]:
        key = {"name": secret.kubernetes_name, "key": secret.password_key(user)}
        return {"name": name, "valueFrom": {"secretKeyRef": key}}

    return [
        password("APPLICATION_PASSWORD", clients, ""),
        password("METRICS_PASSWORD", clients, METRICS),
        password("REPLICA_PASSWORD", servers, "replica"),
        password("ADMIN_PASSWORD", servers, "admin"),
    ]


def _confined() -> dict[str, Any]:
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def _disruption_budget(plan: Plan, cache: Cache) -> dict[str, Any]:
    """Return that drains take one server at a time, and the next once that is back with all its master has."""
    selector = {"matchLabels": {NAME_LABEL: cache.called}}
    return _object(
        plan,
        cache,
        ("policy/v1", "PodDisruptionBudget"),
        cache.called,
        spec={"maxUnavailable": 1, "selector": selector},
    )


def _network_policy(plan: Plan, cache: Cache) -> dict[str, Any]:
    """Return that pods of the application speak to the servers, which speak to each other and look names up."""
    servers = [{"podSelector": {"matchLabels": {NAME_LABEL: cache.called}}}]
    among = [{"protocol": "TCP", "port": port} for port in (CACHE_PORT, BUS)]
    spec = {
        "podSelector": {"matchLabels": {NAME_LABEL: cache.called}},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [
            {"from": [{"podSelector": {}}], "ports": [{"protocol": "TCP", "port": CACHE_PORT}]},
            {"from": servers, "ports": among},
        ],
        "egress": [
            {"to": servers, "ports": among},
            {"ports": [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]},
        ],
    }
    return _object(plan, cache, ("networking.k8s.io/v1", "NetworkPolicy"), cache.called, spec=spec)
