"""How instances start, whoever counts them: encrypted disks, tags for the bill, metadata only for who has a token."""

from __future__ import annotations

from typing import Final

from cascade_plan.clouds.aws.names import aws_name
from cascade_plan.emitters import _network as network
from cascade_plan.emitters._nodes import Nodes
from cascade_plan.languages.hcl import Block, Expression, Value
from cascade_plan.model.plan import Plan

ROOT: Final = "/dev/xvda"
"""The root device of Amazon Linux 2023."""
TAGGED: Final = ("instance", "volume", "network-interface")
"""What a provider's default_tags do not reach behind a group: https://github.com/aws/containers-roadmap/issues/608."""


def template(plan: Plan, nodes: Nodes, attributes: dict[str, Value], *blocks: Block) -> Block:
    """Return the launch template of a group, with what else its maker says."""
    rate = nodes.group.disk_rate
    disk: dict[str, Value] = {
        "volume_size": nodes.group.root_gib,
        "volume_type": "gp3",
        **({} if rate is None else {"iops": int(rate.operations_per_s), "throughput": int(rate.bytes_per_s / 2**20)}),
        "encrypted": True,
        "delete_on_termination": True,
    }
    name = f"{plan.application}-{nodes.name}"
    tags: dict[str, Value] = {"Name": name, "application": plan.application}
    return Block(
        "resource",
        ("aws_launch_template", nodes.label),
        {"name": aws_name(name, "scaling_group"), "update_default_version": True, **attributes},
        (
            *blocks,
            Block("block_device_mappings", (), {"device_name": ROOT}, (Block("ebs", (), disk),)),
            Block("metadata_options", (), {"http_endpoint": "enabled", "http_tokens": "required"}),
            *(Block("tag_specifications", (), {"resource_type": kind, "tags": tags}) for kind in TAGGED),
        ),
    )


def subnet_ids(plan: Plan) -> Expression:
    """Return where nodes stand."""
    return Expression(f"local.{'private' if network.is_private(plan) else 'public'}_subnet_ids")
