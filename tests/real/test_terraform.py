"""The real AWS provider takes what is emitted: `terraform validate`, where there is a provider to ask.

A plan goes further: indices, functions, values that only a provider checks, and what is looked up. It asks moto.

No package index has it: TF_PLUGIN_DIR names a directory of plug-ins, as `terraform providers mirror` makes one. What
the emitted release has and an older one there lacks is told to it in the older words; everywhere else the schema in
`terraform_schema.json` says as much of names, and nothing of types and references.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from factories import make_plan
from servers import free_port, listening, program, running

from cascade_plan.emitters import _network as network
from cascade_plan.emitters._controllers import cluster_name
from cascade_plan.emitters.terraform import artefacts as infra
from cascade_plan.emitters.terraform.artefacts import PROVIDER
from cascade_plan.files.assignments import Assignment
from cascade_plan.inputs.scenarios import bundled_scenarios, read
from cascade_plan.model.plan import Plan
from cascade_plan.planning.pipeline import plan

PLUGINS = os.environ.get("TF_PLUGIN_DIR", "")
pytestmark = pytest.mark.skipif(not PLUGINS, reason="TF_PLUGIN_DIR names no directory of Terraform's plug-ins")

OTHERS = {
    "of everything": {
        "tiers__search": {"kind": "api"},
        "tiers__reports": {"kind": "database", "shape": "db.test.large", "version": "17"},
        "tiers__queue": {},
        "tiers__worker": {},
        "tiers__objects": {},
        "tiers__registry": {},
        "tiers__pool": {"managed": True},
        "tiers__gateway": {"access_log_days": 30},
    },
    "Terraform's cluster": {"emit__nodes": "terraform"},
    "without a cluster": {"tiers__cluster": "off", "tiers__gateway": {"balancer": "nlb", "access_log_days": 30}},
}


def write(made: Plan, directory: Path) -> None:
    """Write the files of Terraform's language, in the words of the provider that is there."""
    for file in infra.render(made):
        if file.path.endswith(".tf"):
            text = file.text.replace(f'"{PROVIDER}"', '">= 5.100"')
            text = re.sub(r"^ *passwords_wo_version .*\n", "", text, flags=re.M)
            text = re.sub(r"passwords_wo += .*", 'passwords = ["0123456789abcdef"]', text)
            (directory / file.path).write_text(text, encoding="utf-8")


def terraform(
    directory: Path, *arguments: str, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run Terraform on the files of a directory, with nothing of this process's environment."""
    return subprocess.run(
        [program("terraform"), *arguments],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
        env={"HOME": str(directory), "PATH": "", **(env or {})},
    )


def said(directory: Path, *commands: tuple[str, ...], env: Mapping[str, str] | None = None) -> str:
    """Return what Terraform says where a command fails, the provider made ready before them; "" where none does."""
    for command in (("init", f"-plugin-dir={PLUGINS}"), *commands):
        done = terraform(directory, *command, "-no-color", env=env)
        if done.returncode:
            return done.stdout + done.stderr
    return ""


def validated(made: Plan, directory: Path) -> str:
    """Return what Terraform says of the files, once the provider that is there has looked at them."""
    write(made, directory)
    return said(directory, ("validate",))


@pytest.mark.parametrize("name", bundled_scenarios())
def test_every_bundled_scenario_is_valid(name: str, tmp_path: Path) -> None:
    found = read(name)
    made = plan(found.scenario, found.book, found.origins, predicted=False)
    assert not validated(made, tmp_path)


@pytest.mark.parametrize("name", OTHERS)
def test_other_plans_are_valid(name: str, tmp_path: Path) -> None:
    assert not validated(make_plan(**OTHERS[name]), tmp_path)


# ---------------------------------------------------------------------------------------------------------------- plans

ACCOUNT = "123456789012"
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
GIVEN = {
    "budget_email_address": "someone@example.com",
    "cost_tag_active": "true",
    "gateway_certificate_arn": f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/1",
    "gateway_web_acl_arn": f"arn:aws:wafv2:us-east-1:{ACCOUNT}:regional/webacl/a/1",
    "public_access_cidrs": '["203.0.113.7/32"]',
    **{f"{tier}_image_id": "ami-0a1b2c3d4e5f60718" for tier in ("api", "websocket", "monitoring")},
}
"""Values of the variables, those with a default too, so that what they ask for is planned; a plan looks none of them
up."""
COUNTS = {
    "length(local.zones)": lambda made: len(network.zone_names(made)),
    "var.cost_tag_active ? 1 : 0": lambda made: 1,
    "var.gateway_web_acl_arn == null ? 0 : 1": lambda made: 1,
}
"""What a `count` that is no number comes to, with the values given."""


@dataclass(frozen=True)
class Emulator:
    """A server that answers as AWS does."""

    url: str

    def env(self) -> dict[str, str]:
        """Return what points every service of the provider at it: the files are planned as they are."""
        endpoints = {"AWS_ENDPOINT_URL": self.url, "AWS_EC2_METADATA_DISABLED": "true"}
        return {**KEYS, **endpoints, **{f"TF_VAR_{name}": value for name, value in GIVEN.items()}}

    def client(self, service: str, region: str) -> Any:
        keys = {name.lower(): value for name, value in KEYS.items()}
        return boto3.client(service, region_name=region, endpoint_url=self.url, **keys)


@pytest.fixture
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An AWS with nothing in it."""
    port, log = free_port(), tmp_path_factory.mktemp("moto") / "log"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with running(command, lambda: listening(port), log):
        yield Emulator(f"http://127.0.0.1:{port}")


def bundled(name: str, **emit: str) -> Plan:
    """Return the plan of a bundled scenario, what is emitted of it said otherwise."""
    found = read(name, [Assignment("test", f"emit.{key}", value) for key, value in emit.items()])
    return plan(found.scenario, found.book, found.origins, predicted=False)


def planned(directory: Path, aws: Emulator) -> str:
    """Return what Terraform says where it cannot plan."""
    return said(directory, ("plan", "-input=false", "-out=saved"), env=aws.env())


def added(directory: Path) -> dict[str, dict[str, Any]]:
    """Return what the saved plan makes, by address: all that it does."""
    shown = json.loads(terraform(directory, "show", "-json", "saved").stdout)
    changes = {each["address"]: each["change"] for each in shown["resource_changes"] if each["mode"] == "managed"}
    assert all(change["actions"] == ["create"] for change in changes.values())
    return {address: change["after"] for address, change in changes.items()}


def written(made: Plan, directory: Path) -> int:
    """Return how many resources the files ask for."""
    total = 0
    for path in directory.glob("*.tf"):
        for block in re.findall(r"^resource .*?^}", path.read_text(encoding="utf-8"), flags=re.M | re.S):
            assert "\n  for_each" not in block
            count = re.search(r"^  count += (.*)$", block, flags=re.M)
            expression = count[1] if count else "1"
            total += int(expression) if expression.isdigit() else COUNTS[expression](made)
    return total


MADE = {
    "cascade": lambda: bundled("cascade", nodes="terraform"),
    "saas-300": lambda: bundled("saas-300", nodes="terraform"),
    "without a cluster": lambda: make_plan(**OTHERS["without a cluster"]),
}


@pytest.mark.parametrize("name", MADE)
def test_a_network_and_what_stands_in_it_are_planned_from_nothing(name: str, tmp_path: Path, aws: Emulator) -> None:
    made = MADE[name]()
    write(made, tmp_path)
    assert not planned(tmp_path, aws)
    assert len(added(tmp_path)) == written(made, tmp_path)


@dataclass(frozen=True)
class Cluster:
    """What eksctl leaves behind, by the ids of its parts."""

    group: str
    private: set[str]
    public: set[str]
    tables: set[str]


def make_cluster(made: Plan, aws: Emulator) -> Cluster:
    """Make a cluster in a VPC as eksctl marks one, beside one that is not asked for."""
    region = made.scenario.region
    ec2, eks = aws.client("ec2", region), aws.client("eks", region)
    for name in ("another", cluster_name(made)):
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        group = ec2.create_security_group(VpcId=vpc, GroupName="nodes", Description="Nodes and pods")["GroupId"]
        subnets: dict[str, set[str]] = {kind: set() for kind in network.FOR_BALANCERS}
        tables: dict[str, set[str]] = {kind: set() for kind in network.FOR_BALANCERS}
        blocks = (f"10.0.{third}.0/24" for third in range(256))
        for kind, tag in network.FOR_BALANCERS.items():
            for zone in network.zone_names(made):
                tags = [{"ResourceType": "subnet", "Tags": [{"Key": tag, "Value": "1"}]}]
                place = {"VpcId": vpc, "CidrBlock": next(blocks), "AvailabilityZone": zone}
                subnet = ec2.create_subnet(**place, TagSpecifications=tags)["Subnet"]["SubnetId"]
                table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
                ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
                subnets[kind].add(subnet)
                tables[kind].add(table)
        _answer_with(eks, {"vpcId": vpc, "clusterSecurityGroupId": group})
        every = sorted(set().union(*subnets.values()))
        eks.create_cluster(
            name=name, roleArn=f"arn:aws:iam::{ACCOUNT}:role/cluster", resourcesVpcConfig={"subnetIds": every}
        )
    return Cluster(group, subnets["private"], subnets["public"], tables["private"])


def _answer_with(eks: Any, known: Mapping[str, str]) -> None:
    """Have the emulator know of the next cluster what EKS works out: it only repeats what it was told of the network,
    and a client may not tell it these."""

    def tell(params: dict[str, Any], **_: object) -> None:
        body = json.loads(params["body"])
        body["resourcesVpcConfig"] |= known
        params["body"] = json.dumps(body).encode()

    eks.meta.events.unregister("before-call.eks.CreateCluster", unique_id="network")
    eks.meta.events.register("before-call.eks.CreateCluster", tell, unique_id="network")


def test_the_network_of_a_cluster_that_is_there_is_found(tmp_path: Path, aws: Emulator) -> None:
    made = bundled("cascade")
    found = make_cluster(made, aws)
    write(made, tmp_path)
    assert not planned(tmp_path, aws)
    after = added(tmp_path)
    assert len(after) == written(made, tmp_path)
    assert {*after["aws_db_subnet_group.database"]["subnet_ids"]} == found.private
    assert {*after["aws_elasticache_subnet_group.cache"]["subnet_ids"]} == found.private
    assert {*after["aws_lb.gateway"]["subnets"]} == found.public
    assert {*after["aws_vpc_endpoint.objects"]["route_table_ids"]} == found.tables
    rule = after["aws_vpc_security_group_ingress_rule.database"]
    assert rule["referenced_security_group_id"] == found.group


def test_a_cluster_that_is_not_there_is_missed(tmp_path: Path, aws: Emulator) -> None:
    write(bundled("saas-300"), tmp_path)
    assert "reading EKS Cluster" in planned(tmp_path, aws)


def test_what_is_valid_and_wrong_fails_only_the_plan(tmp_path: Path, aws: Emulator) -> None:
    write(bundled("saas-300", nodes="terraform"), tmp_path)
    path = tmp_path / "network.tf"
    text = path.read_text(encoding="utf-8")
    for right, wrong in (
        ("aws_subnet.public[count.index].id", "aws_subnet.public[count.index + 1].id"),
        ("cidr_block, 4, count.index)", "cidr_block, 4, count.index + 16)"),
    ):
        assert right in text
        text = text.replace(right, wrong)
    path.write_text(text, encoding="utf-8")
    assert not said(tmp_path, ("validate",))
    refused = " ".join(planned(tmp_path, aws).split())
    assert "Invalid index" in refused
    assert "does not accommodate a subnet numbered 16" in refused
