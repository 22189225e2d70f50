"""What one emitted file uses, another defines: names, databases, roles and versions across all files of a plan."""

from __future__ import annotations

import re
from typing import Any

import joints
import pytest
from factories import make_plan
from hypothesis import given, settings
from hypothesis import strategies as st
from joints import Files, objects, resources, word

from cascade_plan.emitters import directory as emitting
from cascade_plan.inputs.scenarios import bundled_scenarios, read
from cascade_plan.model.plan import Plan
from cascade_plan.planning.pipeline import plan


def emitted(made: Plan) -> Files:
    return {file.path: file.text for file in emitting.everything(made).files}


def bundled(name: str) -> Files:
    found = read(name)
    return emitted(plan(found.scenario, found.book, found.origins, predicted=False))


# ----------------------------------------------------------------------------------------------------------- the joints


def unknown_hosts(files: Files) -> set[str]:
    """Return the hosts that nginx passes connections to and that no pod answers to."""
    text = files.get("cluster/nginx.conf", "")
    used = set(re.findall(r"^\s+server (\S+:\d+) max_conns", text, re.M))
    assert used or not text
    known = set()
    services = {(each["metadata"]["namespace"], each["metadata"]["name"]): each for each in objects(files, "Service")}
    for pods in objects(files, "StatefulSet"):
        spec, (name, space) = pods["spec"], (pods["metadata"]["name"], pods["metadata"]["namespace"])
        service = services.get((space, spec["serviceName"]))
        if service is None or service["spec"]["clusterIP"] != "None":
            continue
        containers = spec["template"]["spec"]["containers"]
        ports = {port["containerPort"] for each in containers for port in each.get("ports", [])}
        numbers = range(spec["ordinals"]["start"], spec["ordinals"]["start"] + spec["replicas"])
        domain = f"{spec['serviceName']}.{space}.svc.cluster.local"
        known |= {f"{name}-{number}.{domain}:{port}" for number in numbers for port in ports}
    return used - known


def unmade_databases(files: Files) -> set[str]:
    """Return the databases that pools connect to and that no server is made with."""
    kinds = (("aws_db_instance", "db_name"), ("aws_rds_cluster", "database_name"))
    made = {word(each[key]) for kind, key in kinds for each in resources(files, kind) if key in each}
    texts = [text for path, text in files.items() if path.endswith("pgbouncer.ini")]
    used = {name for text in texts for name in re.findall(r"dbname=(\S+)", text)}
    assert used or not texts
    return {name.strip("'") for name in used} - made


def masters_that_are_roles(files: Files) -> set[str]:
    """Return the master users that the SQL makes roles of, which none can be a member of itself."""
    kinds = (("aws_db_instance", "username"), ("aws_rds_cluster", "master_username"))
    masters = {word(each[key]) for kind, key in kinds for each in resources(files, kind) if key in each}
    texts = [text for path, text in files.items() if path.endswith(("tenancy.sql", "roles.sql"))]
    roles = {role for text in texts for role in re.findall(r'CREATE ROLE "((?:[^"]|"")+)"', text)}
    assert roles or not texts
    return masters & roles


def versions(files: Files) -> tuple[set[str], set[str]]:
    """Return the versions of the servers, and those that their parameters are for."""
    servers = {word(each["engine_version"]) for each in resources(files, "aws_db_instance") if "engine_version" in each}
    groups = {word(each["family"]).removeprefix("postgres") for each in resources(files, "aws_db_parameter_group")}
    return servers, groups


def undeclared(files: Files) -> tuple[set[str], set[str]]:
    """Return the variables that Terraform's files use and none declares, and the other way round."""
    texts = [text for path, text in files.items() if path.endswith(".tf")]
    used = {name for text in texts for name in re.findall(r"\bvar\.(\w+)", text)}
    declared = {name for text in texts for name in re.findall(r'^variable "(\w+)"', text, re.M)}
    return used - declared, declared - used


GENERAL = (
    joints.undefined_references,
    joints.loose_services,
    joints.loose_ends,
    joints.homeless,
    joints.unset,
    joints.absent_files,
    joints.missing_outputs,
    joints.unnamed,
    joints.unkept,
)
"""What is asked of any files, whatever is in them."""


def assert_joined(files: Files) -> None:
    assert not unknown_hosts(files)
    assert not unmade_databases(files)
    assert not masters_that_are_roles(files)
    servers, parameters = versions(files)
    assert servers == parameters
    assert undeclared(files) == (set(), set())
    for found in GENERAL:
        assert not found(files), found.__name__


# ------------------------------------------------------------------------------------------------------------ the tests


@pytest.mark.parametrize("name", bundled_scenarios())
def test_every_bundled_scenario_is_joined(name: str) -> None:
    assert_joined(bundled(name))


@pytest.mark.parametrize(
    "sets",
    [
        {"emit.nodes": "terraform"},
        {
            "emit.nodes": "karpenter",
            "tiers.websocket.nodes_of": "api",
            "tiers.monitoring.nodes_of": "api",
            "tiers.monitoring.label_by_tenant": "false",
        },
        {"emit.cache": "self", "tiers.cache.tls": "true", "tiers.pool.client_tls": "require"},
    ],
)
def test_every_way_to_deploy_is_joined(sets: dict[str, str]) -> None:
    found = read("cascade", tuple(("--set", *each) for each in sets.items()))
    assert_joined(emitted(plan(found.scenario, found.book, found.origins, predicted=False)))


names = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,20}", fullmatch=True)


@settings(max_examples=12)
@given(
    st.from_regex(r"[a-z]([-a-z0-9]{0,12}[a-z0-9])?", fullmatch=True),
    st.none() | names,
    st.lists(names, min_size=4, max_size=4, unique_by=str.lower),
    st.sampled_from(["14", "15", "16", "17", "18"]),
)
def test_whatever_the_scenario_calls_them_they_are_joined(
    application: str, database: str | None, roles: list[str], version: str
) -> None:
    if any(role in ("public", "none") or role.startswith("pg_") for role in roles):
        return
    named = dict(zip(("admin", "owner", "app", "readonly"), roles, strict=True))
    given_ = {"version": version, "roles": named, "tables": {}}
    if database is not None:
        given_["database_name"] = database
    assert_joined(emitted(make_plan(application=application, tiers__database=given_)))


@pytest.mark.parametrize(
    ("path", "right", "wrong", "joint"),
    [
        ("cluster/nginx.conf", ".ws-node.cascade.svc.cluster.local", "", unknown_hosts),
        ("infra/database.tf", 'db_name = "cascade"', 'db_name = "app"', unmade_databases),
        ("infra/database.tf", 'username = "app_admin"', 'username = "app_owner"', masters_that_are_roles),
        ("k8s/base/deployment.yaml", "cascade-plan/tier: api", "cascade-plan/tier: web", joints.homeless),
        ("k8s/base/service.yaml", "targetPort: http", "targetPort: web", joints.loose_services),
        ("k8s/base/hpa.yaml", "    name: cascade-api", "    name: api", joints.loose_ends),
        (
            "k8s/base/pdb.yaml",
            "      app.kubernetes.io/name: cascade-api",
            "      app.kubernetes.io/name: api",
            joints.loose_ends,
        ),
        ("README.md", " cluster/eksctl.yaml |", " cluster/cluster.yaml |", joints.absent_files),
        ("k8s/base/externalsecret-cache.yaml", "key: cascade/cache", "key: cascade/redis", joints.unkept),
        ("k8s/base/deployment.yaml", "name: cascade-database", "name: database", joints.undefined_references),
        ("k8s/base/targetgroupbinding.yaml", "targetGroupName: ", "targetGroupName: x", joints.loose_ends),
        ("infra/outputs.tf", 'output "endpoints_env"', 'output "endpoints"', joints.missing_outputs),
        ("README.md", "eksctl create", "$EKSCTL create", joints.unset),
    ],
)
def test_what_was_named_two_ways_is_found(path: str, right: str, wrong: str, joint: Any) -> None:
    """The three joints as they were once emitted: short names, a database and a master user of constants."""
    files = dict(bundled("cascade"))
    assert not joint(files)
    text = re.sub(r" +=", " =", files[path]) if path.endswith(".tf") else files[path]
    assert right in text
    assert joint({**files, path: text.replace(right, wrong)})


def test_pods_that_may_stand_on_the_nodes_of_another_tier_are_found() -> None:
    """As it once was: no selector, and no node with a taint."""
    files = dict(bundled("cascade"))
    for path in ("cluster/eksctl.yaml", "k8s/base/deployment.yaml"):
        files[path] = files[path].replace("taints:", "untainted:").replace("nodeSelector:", "selector:")
    assert joints.homeless(files) == {"Deployment cascade-api"}
