"""Terraform for what AWS runs: databases, caches, queues, the load balancer, roles, and an alarm on the budget."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from cascade_plan.emitters._heading import heading
from cascade_plan.emitters.terraform import (
    _access_of_pods,
    _aurora,
    _balancer,
    _budget,
    _cache,
    _cluster,
    _database,
    _endpoints,
    _instances,
    _monitoring,
    _network,
    _nodes,
    _objects,
    _pods,
    _proxy,
    _queue,
    _registry,
    _secrets,
    _settings,
)
from cascade_plan.emitters.terraform._file import File
from cascade_plan.errors import UsageError
from cascade_plan.languages.hcl import Block, comment
from cascade_plan.languages.hcl import render as hcl
from cascade_plan.model.artefact import Artefact
from cascade_plan.model.plan import Plan

COMMAND = "infra"
"""The emit- command that writes these files, and their directory."""
APPLIED_AFTER: tuple[str, ...] = ("eks",)
"""The emitters whose files are applied before these."""
SERVES: tuple[str, ...] = ("plan",)
"""What there is nothing to do without."""
CLOUDS: tuple[str, ...] = ("aws",)
"""The only clouds it writes for; empty for any."""
PROVIDER: Final = "~> 6.62"
"""What is written here is checked against 6.62; passwords_wo of a cache's users came in 2026.
Source: https://github.com/hashicorp/terraform-provider-aws/pull/45988"""
TERRAFORM: Final = "~> 1.11"
"""Which brought write-only attributes, https://developer.hashicorp.com/terraform/language/manage-sensitive-data"""


def render(plan: Plan) -> tuple[Artefact, ...]:
    """Return the Terraform files: versions, variables, those of what the plan has, budget and outputs.

    Raises UsageError where names of tiers lead to two things of one name.
    """
    parts = (
        _network,
        _secrets,
        _database,
        _aurora,
        _proxy,
        _cache,
        _cluster,
        _nodes,
        _pods,
        _instances,
        _queue,
        _objects,
        _registry,
        _access_of_pods,
        _balancer,
        _monitoring,
        _budget,
    )
    found = [file for part in parts for file in part.files(plan)]
    variables = _each_once(block for file in found for block in file.variables)
    outputs = _each_once(block for file in found for block in file.outputs)
    outputs = (*outputs, *_endpoints.output(plan, outputs))
    _each_once(block for file in found for block in file.blocks)
    files = [
        File("versions.tf", "Versions, region, account, a tag on everything.", _versions(plan)),
        File("variables.tf", "What no scenario says: the certificate, addresses.", variables),
        *found,
        File("outputs.tf", "The addresses that the application is configured with.", outputs),
    ]
    sized = ["what only you know is in variables.tf; terraform init, then terraform plan"]
    head = heading(plan, sized, comment)
    return (
        *_settings.artefacts(plan, head, variables),
        *(
            Artefact(
                file.path,
                f"{head}\n{hcl(file.blocks)}",
                file.purpose,
                deploys=file.deploys,
                steps=file.steps,
                by_hand=file.by_hand.strip(),
            )
            for file in files
            if file.blocks
        ),
    )


def _versions(plan: Plan) -> tuple[Block, ...]:
    tags = {"application": plan.application, "scenario": plan.scenario.name, "managed-by": "terraform"}
    return (
        Block(
            "terraform",
            (),
            {"required_version": TERRAFORM},
            (Block("required_providers", (), {"aws": {"source": "hashicorp/aws", "version": PROVIDER}}),),
        ),
        Block("provider", ("aws",), {"region": plan.scenario.region}, (Block("default_tags", (), {"tags": tags}),)),
        Block("data", ("aws_caller_identity", "current")),
        Block("data", ("aws_partition", "current")),
    )


def _each_once(blocks: Iterable[Block]) -> tuple[Block, ...]:
    """Return the blocks, of equal ones the first; Terraform takes a name once."""
    found: dict[tuple[str, ...], Block] = {}
    for block in blocks:
        if (known := found.setdefault((block.kind, *block.labels), block)) != block:
            what = " ".join(known.labels)
            raise UsageError(f"tiers: two would make Terraform's {known.kind} {what}: give one another name")
    return tuple(found.values())
