"""What runs in the cluster beside the application: which charts a plan needs, and that each may do what it must."""

from __future__ import annotations

import re
import subprocess
from typing import Any

import pytest
import yaml
from factories import bundled_with, make_plan
from servers import program

from cascade_plan.emitters import directory as emitting
from cascade_plan.inputs.scenarios import read
from cascade_plan.model.plan import Plan
from cascade_plan.planning.pipeline import plan

SERVERLESS = {"tiers__api": {"serverless": True}, "tiers__websocket": "off", "tiers__monitoring": "off", "gates": {}}
WAYS = [(name, nodes) for name in bundled_with("cluster") for nodes in ("eksctl", "terraform", "karpenter")]


def planned(name: str, nodes: str) -> Plan:
    found = read(name, [("--set", "emit.nodes", nodes)])
    return plan(found.scenario, found.book, found.origins, predicted=False)


def charts(made: Plan) -> dict[str, dict[str, Any]]:
    """Return the values of each chart by its name."""
    files = {file.path: file.text for file in emitting.everything(made).files}
    found = {re.fullmatch(r"cluster/controllers/(.+)\.yaml", path): text for path, text in files.items()}
    return {match[1]: yaml.safe_load(text) for match, text in found.items() if match}


@pytest.mark.parametrize(("name", "nodes"), WAYS)
def test_every_step_reads_a_file_that_is_there_and_a_chart_of_one_version(name: str, nodes: str) -> None:
    files = emitting.everything(planned(name, nodes)).files
    paths = {file.path for file in files}
    steps = [step for file in files for step in file.steps if re.search(r"(?m)^helm ", step.command)]
    assert steps
    for step in steps:
        assert step.stage in ("controllers", "monitoring")
        assert {*re.findall(r"--values (\S+)", step.command)} <= paths
        assert re.search(r"--version \d+\.\d+\.\d+ ", step.command)
        assert step.command.endswith("--wait")
        subprocess.run([program("sh"), "-n"], input=step.command, text=True, check=True)


def test_a_chart_that_is_confined_to_the_namespace_finds_it() -> None:
    made = planned("api-batch", "eksctl")
    files, values = {file.path: file for file in emitting.everything(made).files}, charts(made)
    for name, each in values.items():
        (step,) = files[f"cluster/controllers/{name}.yaml"].steps
        confined = made.application in (each.get("scopedNamespace"), each.get("watchNamespace"))
        found = f"kubectl get namespace '{made.application}' || kubectl create namespace '{made.application}'\n"
        assert step.command.startswith(found) == confined
    assert values["external-secrets"]["scopedNamespace"] == values["keda"]["watchNamespace"] == made.application


def test_nodes_that_scale_have_one_thing_that_scales_them() -> None:
    scaled = {nodes: charts(planned("api-batch", nodes)) for nodes in ("eksctl", "terraform", "karpenter")}
    assert {nodes: "cluster-autoscaler" in found for nodes, found in scaled.items()} == {
        "eksctl": True,
        "terraform": True,
        "karpenter": False,
    }
    pinned = make_plan(tiers__api={"nodes": {"min": 3, "base": 3, "max": 3}})
    assert "cluster-autoscaler" not in charts(pinned)
    # The image is of the cluster's own minor version.
    assert charts(make_plan(tiers__cluster={"version": "1.35"}))["cluster-autoscaler"]["image"] == {"tag": "v1.35.0"}


def test_a_plan_has_the_controllers_of_what_it_has() -> None:
    everything = {"aws-load-balancer-controller", "cluster-autoscaler", "external-secrets", "keda"}
    assert set(charts(planned("api-batch", "eksctl"))) == everything
    bare = make_plan(tiers__gateway="off", tiers__database="off", tiers__pool="off", tiers__cache="off", gates={})
    assert set(charts(bare)) == {"cluster-autoscaler"}
    assert charts(make_plan(tiers__cluster="off")) == {}


@pytest.mark.parametrize("nodes", ["eksctl", "terraform"])
def test_service_accounts_are_those_that_roles_are_given_to(nodes: str) -> None:
    """The chart makes the account where the agent of the nodes knows it by name; else whoever made its role does."""
    values = charts(make_plan(emit={"nodes": nodes}))
    assert values["aws-load-balancer-controller"]["serviceAccount"] == {
        "create": True,
        "name": "aws-load-balancer-controller",
    }
    assert values["cluster-autoscaler"]["rbac"]["serviceAccount"]["name"] == "cluster-autoscaler"
    made = make_plan(emit={"nodes": nodes}, **SERVERLESS)
    assert charts(made)["aws-load-balancer-controller"]["serviceAccount"]["create"] == (nodes == "terraform")
    files = {file.path: file for file in emitting.everything(made).files}
    # Without a node the role of who reads the passwords is told by the ServiceAccount, whoever makes the cluster.
    (step,) = files["cluster/controllers/external-secrets.yaml"].steps
    assert '--set "serviceAccount.annotations.eks\\.amazonaws\\.com/role-arn=$(' in step.command
    assert "output -raw external_secrets_role_arn)" in step.command
    (step,) = files["cluster/controllers/aws-load-balancer-controller.yaml"].steps
    if nodes == "terraform":
        assert "output -raw aws_load_balancer_controller_role_arn" in step.command
        assert 'resource "aws_iam_openid_connect_provider" "cluster"' in files["infra/cluster.tf"].text
        return
    cluster = yaml.safe_load(files["cluster/eksctl.yaml"].text)
    (account,) = cluster["iam"]["serviceAccounts"]
    assert account["metadata"] == {"name": "aws-load-balancer-controller", "namespace": "kube-system"}
    assert "podIdentityAssociations" not in cluster["iam"]
    assert "role-arn" not in step.command
