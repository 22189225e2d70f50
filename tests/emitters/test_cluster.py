"""The cluster's files say what was sized, and refuse what no parser should see."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from factories import make_plan
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.emitters import directory as emitting
from cascade_plan.emitters._cache_parameters import cache_parameters
from cascade_plan.emitters._network import zone_names
from cascade_plan.emitters._topology import caches, websocket_hosts
from cascade_plan.errors import InfeasibleError, UsageError
from cascade_plan.languages.plain import name as plain
from cascade_plan.model.plan import Plan
from cascade_plan.tiers.websocket.settings import Settings as WebSocketSettings

CONTROLLERS = {
    f"controllers/{name}.yaml" for name in ("aws-load-balancer-controller", "cluster-autoscaler", "external-secrets")
}


def own(**changes: Any) -> Plan:
    """Return a plan whose cache's servers are run by whoever deploys it."""
    return make_plan(emit__cache="self", **changes)


def emitted(made: Plan) -> dict[str, str]:
    return {artefact.path: artefact.text for artefact in emitting.emitted(made, "cluster").files}


def directives(text: str) -> dict[str, str]:
    """Return the directives of a redis.conf."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return dict(line.split(" ", 1) for line in lines)


def test_the_architecture_is_the_plans_as_sized() -> None:
    made = make_plan(users__peak=150_001, tiers__cache__replicas_per_master=1)
    document = yaml.safe_load(emitted(made)["websocket_cluster.yaml"])["websocket_cluster"]
    assert [list(node) for node in document["nodes"]] == [[f"ws-node-{n}"] for n in (1, 2, 3, 4)]
    assert document["nodes"][0]["ws-node-1"]["max_connections"] == 50_000
    assert document["load_balancer"]["sticky_sessions"] == "consistent_hash"
    assert document["load_balancer"]["health_checks"] == {"type": "passive", "interval": "5s", "timeout": "2s"}
    assert document["message_broker"]["pub_sub_channels"] == [
        "tenant:{<tenant_id>}:broadcast",
        "room:{<room_id>}:updates",
    ]
    assert len(document["message_broker"]["nodes"]) == made.figure("cache.node_count")


@pytest.mark.parametrize(("zones", "masters", "copies"), [(3, 3, 1), (3, 50, 2), (2, 4, 1), (6, 7, 5)])
def test_no_zone_holds_a_master_and_its_replica(zones: int, masters: int, copies: int) -> None:
    made = make_plan(availability__zones=zones, tiers__cache={"minimum_nodes": masters, "replicas_per_master": copies})
    (cache,) = caches(made)
    nodes = cache.nodes
    assert len(nodes) == masters * (1 + copies)
    for master in nodes[:masters]:
        shard = [node.zone for node in nodes if master.name in (node.name, node.master)]
        assert len(set(shard)) == 1 + copies
    counts = [[node.zone for node in nodes[:masters]].count(zone) for zone in range(1, zones + 1)]
    assert max(counts) - min(counts) <= 1


def test_settings_follow_the_sizing() -> None:
    loud = own(
        users={"peak": 1_000_000, "average": 300_000, "active_share": 1.0},
        tiers__websocket={"message_bytes": 2000.0, "heartbeat_interval_s": 7.5},
    )
    settings = directives(emitted(loud)["redis.conf"])
    assert settings["maxmemory"] == f"{int(loud.figure('cache.memory_mib_per_pod') * 0.75)}mb"
    buffer_mib = loud.figure("cache.pubsub_buffer_mib_per_subscriber")
    assert buffer_mib > 32
    assert settings["client-output-buffer-limit"] == f"pubsub {buffer_mib}mb {int(buffer_mib) // 4}mb 60"
    assert settings["tcp-keepalive"] == "8"
    assert "proxy_read_timeout 22500ms;" in emitted(loud)["nginx.conf"]
    assert directives(emitted(own())["redis.conf"])["client-output-buffer-limit"] == "pubsub 32mb 8mb 60"


def test_a_buffer_never_exceeds_the_memory_that_is_left() -> None:
    made = make_plan(tiers__websocket={"message_bytes": 1e12})
    figure = made.figures["cache.pubsub_buffer_mib_per_subscriber"]
    assert figure.value == 2048
    assert "MiB are needed" in figure.note


def test_elasticache_takes_the_parameters() -> None:
    made = make_plan(tiers__cache__engine="valkey")
    found = cache_parameters(made, *caches(made))
    assert (found.name, found.family) == ("test-valkey8", "valkey8")
    assert found.values["reserved-memory-percent"] == "25"
    assert found.values["client-output-buffer-limit-pubsub-hard-limit"] == str(32 * 2**20)


@pytest.mark.parametrize("masters", [1, 3])
def test_the_module_passes_a_linter(masters: int, tmp_path: Path) -> None:
    path = tmp_path / "connection_state.py"
    made = make_plan(tiers__cache={"minimum_nodes": masters})
    path.write_text(emitted(made)["connection_state.py"], encoding="utf-8")
    command = ["ruff", "check", "--isolated", "--select", "E,F,W,I,UP,B,ANN", "--line-length", "120", str(path)]
    ran = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout


def test_more_nodes_than_a_cluster_may_have() -> None:
    with pytest.raises(InfeasibleError, match=r"1,001 Redis nodes: at most 1,000 .* \(tiers\.cache\.users_per_node\)"):
        emitting.emitted(make_plan(tiers__cache={"nodes": 1001}), "cluster")
    with pytest.raises(InfeasibleError, match=r"WebSocket nodes: .* \(tiers\.websocket\.connections_per_node\)"):
        emitting.emitted(make_plan(tiers__websocket__connections_per_node=1), "cluster")


@given(st.one_of(st.text(), st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,40}", fullmatch=True)))
def test_a_name_is_refused_or_comes_back_from_every_parser(name: str) -> None:
    try:
        word = plain(name)
    except UsageError:
        assert not (name.isascii() and name.replace("-", "").isalnum() and name[0] != "-" and len(name) <= 253)
        return
    assert word == name
    assert shlex.split(f"user {word} on") == ["user", name, "on"]
    assert not set(word) & set(" \t\r\n\"'\\;{}$#`")


@pytest.mark.parametrize("hostile", ["a; }", 'a"', "a\nb", "$host", "a{{b}}", "ä", "a b", ""])
def test_a_domain_that_passed_the_schema_by_is_refused(hostile: str) -> None:
    made = make_plan()
    (sockets,) = made.of(WebSocketSettings)
    settings = sockets.settings.model_copy(update={"domain": hostile or " "})
    with pytest.raises(UsageError, match="cannot stand in a configuration file"):
        websocket_hosts(made, replace(sockets, settings=settings))


def test_a_cache_alone_says_nothing_of_connections() -> None:
    assert set(emitted(make_plan(tiers__websocket="off", gates={}))) == {"eksctl.yaml", *CONTROLLERS}
    files = emitted(own(tiers__websocket="off", gates={}))
    assert set(files) == {
        "eksctl.yaml", *CONTROLLERS, "redis.conf", "redis-users.sh", "redis-servers.yaml", "create-cluster.sh",
    }  # fmt: skip
    settings = directives(files["redis.conf"])
    assert settings["cluster-node-timeout"] == "15000"
    assert settings["tcp-keepalive"] == "300"
    assert not settings.keys() & {"client-output-buffer-limit", "hash-max-listpack-entries"}
    for text in files.values():
        assert not re.search(r"(?i)socket|heartbeat|pub/?sub|channel|connection.state|nginx", text)


def test_connections_without_a_cache_have_no_broker() -> None:
    files = emitted(make_plan(tiers__cache="off", gates={}))
    assert set(files) == {"eksctl.yaml", *CONTROLLERS, "nginx.conf", "websocket_cluster.yaml"}
    document = yaml.safe_load(files["websocket_cluster.yaml"])["websocket_cluster"]
    assert set(document) == {"load_balancer", "nodes"}
    for text in files.values():
        assert not re.search(r"(?i)redis|valkey|\bcache\b|pub/?sub|channel|connection_state", text)


@pytest.mark.parametrize("copies", [0, 2])
def test_one_master_is_no_cluster(copies: int) -> None:
    made = own(tiers__cache={"minimum_nodes": 1, "replicas_per_master": copies})
    files = emitted(made)
    assert "create-cluster.sh" not in files
    settings = directives(files["redis.conf"])
    assert settings["cluster-enabled"] == "no"
    assert not [name for name in settings if name.startswith("cluster-") and name != "cluster-enabled"]
    assert ("min-replicas-to-write" in settings) == (copies > 0)
    assert ("replicaof" in files["redis-users.sh"]) == (copies > 0)
    assert "redis.cluster" not in files["connection_state.py"]
    assert "cluster-enabled" not in cache_parameters(made, *caches(made)).values
    broker = yaml.safe_load(files["websocket_cluster.yaml"])["websocket_cluster"]["message_broker"]
    assert (broker["type"], len(broker["nodes"]), broker["pub_sub"]) == ("redis", 1 + copies, "plain")


def test_two_masters_share_out_the_keys() -> None:
    files = emitted(own(tiers__cache={"minimum_nodes": 2}))
    assert directives(files["redis.conf"])["cluster-enabled"] == "yes"
    assert "MASTERS=2" in files["create-cluster.sh"]


def test_several_caches_have_files_of_their_own_and_one_holds_the_state() -> None:
    made = own(tiers__page_cache={"kind": "cache", "engine": "valkey", "minimum_nodes": 1})
    files = emitted(made)
    for prefix in ("cache-", "page-cache-"):
        assert {f"{prefix}redis.conf", f"{prefix}redis-users.sh"} <= set(files)
    assert "cache-create-cluster.sh" in files
    assert "page-cache-create-cluster.sh" not in files
    domain = "cache.test.svc.cluster.local:6379"
    assert f"HOSTS:-cache-1-1.{domain} cache-2-1.{domain} cache-3-1.{domain}" in files["cache-create-cluster.sh"]
    assert "valkey-server" in files["page-cache-redis.conf"]
    assert "client-output-buffer-limit" in directives(files["cache-redis.conf"])
    assert "client-output-buffer-limit" not in directives(files["page-cache-redis.conf"])
    assert "cache-redis.conf and connection_state.py" in files["websocket_cluster.yaml"]


@pytest.mark.parametrize("masters", [1, 3])
def test_own_servers_are_pods_where_their_masters_and_replicas_were_planned(masters: int) -> None:
    made = own(tiers__cache={"minimum_nodes": masters, "replicas_per_master": 1, "tls": True})
    files = emitted(made)
    objects = list(yaml.safe_load_all(files["redis-servers.yaml"]))
    for version in ("1.31", kubernetes_validate.latest_version()):
        for each in objects:
            kubernetes_validate.validate(each, version, strict=True)
    sets = [each for each in objects if each["kind"] == "StatefulSet"]
    named = {
        f"{each['metadata']['name']}-{number}": each["spec"]["template"]["spec"]["nodeSelector"]
        for each in sets
        for number in range(1, each["spec"]["replicas"] + 1)
    }
    zones = zone_names(made)
    (cache,) = caches(made)
    assert named == {
        node.name: {"cascade-plan/tier": "cache", "topology.kubernetes.io/zone": zones[node.zone - 1]}
        for node in cache.nodes
    }
    # The machines are bought as any other nodes, and no ElastiCache is.
    assert made.fleet.tiers["cache"].group("nodes").offer.what == "vm"
    assert not [item for item in made.bill.items if "cache." in item.name]
    volumes = [usage.amount.peak for usage in made.fleet.usages if usage.name == "cache cluster state volumes"]
    assert volumes == ([6] if masters == 3 else [])
    assert "infra/cache.tf" not in {file.path for file in emitting.everything(made).files}
    scripts = [container["command"][2] for each in sets for container in containers(each)]
    for script in scripts:
        subprocess.run(["sh", "-n"], input=script, text=True, check=True)
    assert any("MASTER=redis-1-1.redis.test.svc.cluster.local:6379" in script for script in scripts) == (masters == 1)


def containers(of: dict[str, Any]) -> list[dict[str, Any]]:
    spec = of["spec"]["template"]["spec"]
    return [*spec["initContainers"], *spec["containers"]]


def test_a_cache_without_servers_cannot_be_run_by_hand() -> None:
    with pytest.raises(UsageError, match=r"tiers\.cache\.serverless: there are no servers to run yourself"):
        own(tiers__cache={"serverless": True})
