"""Terraform for what AWS runs: databases, caches, nodes, queues, the load balancer, and an alarm on the budget."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from cascade_plan.emitters._heading import heading
from cascade_plan.emitters.terraform import (
    _aurora,
    _balancer,
    _budget,
    _cache,
    _cluster,
    _database,
    _instances,
    _monitoring,
    _network,
    _nodes,
    _objects,
    _pods,
    _proxy,
    _queue,
)
from cascade_plan.emitters.terraform._file import File
from cascade_plan.errors import UsageError
from cascade_plan.languages.hcl import Block, comment
from cascade_plan.languages.hcl import render as hcl
from cascade_plan.model.artefact import Artefact, Step
from cascade_plan.model.plan import Plan

COMMAND = "infra"
"""The emit- command that writes these files, and their directory."""
APPLIED_AFTER: tuple[str, ...] = ("eks",)
"""The emitters whose files are applied before these."""
SERVES: tuple[str, ...] = ("plan",)
"""What there is nothing to do without."""
CLOUDS: tuple[str, ...] = ("aws",)
"""The only clouds it writes for; empty for any."""

APPLIED: Final = (Step("cloud", "Make what AWS runs", "terraform -chdir=infra init\nterraform -chdir=infra apply"),)


def render(plan: Plan) -> tuple[Artefact, ...]:
    """Return the Terraform files: versions, variables, those of what the plan has, budget and outputs.

    Raises UsageError where names of tiers lead to two things of one name.
    """
    parts = (
        _network,
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
        _balancer,
        _monitoring,
        _budget,
    )
    found = [file for part in parts for file in part.files(plan)]
    variables = _each_once(block for file in found for block in file.variables)
    outputs = _each_once(block for file in found for block in file.outputs)
    _each_once(block for file in found for block in file.blocks)
    files = [
        File(
            "versions.tf",
            "Versions, region, a tag on everything.",
            _versions(plan),
        ),
        File("variables.tf", "What no scenario says: networks, roles, the certificate, addresses.", variables),
        *found,
    ]
    if outputs:
        files.append(File("outputs.tf", "The addresses that the application is configured with.", outputs))
    head = heading(plan, ["what only you know is in variables.tf; terraform init, then terraform plan"], comment)
    return tuple(
        Artefact(
            file.path,
            f"{head}\n{hcl(file.blocks)}",
            file.purpose,
            deploys=file.deploys,
            steps=APPLIED if file.path == "versions.tf" else file.steps,
            by_hand=file.by_hand.strip(),
        )
        for file in files
    )


def _versions(plan: Plan) -> tuple[Block, ...]:
    tags = {"application": plan.application, "scenario": plan.scenario.name, "managed-by": "terraform"}
    return (
        Block(
            "terraform",
            (),
            {"required_version": ">= 1.11"},
            (Block("required_providers", (), {"aws": {"source": "hashicorp/aws", "version": "~> 6.0"}}),),
        ),
        Block("provider", ("aws",), {"region": plan.scenario.region}, (Block("default_tags", (), {"tags": tags}),)),
    )


def _each_once(blocks: Iterable[Block]) -> tuple[Block, ...]:
    """Return the blocks, of equal ones the first; Terraform takes a name once."""
    found: dict[tuple[str, ...], Block] = {}
    for block in blocks:
        if (known := found.setdefault((block.kind, *block.labels), block)) != block:
            what = " ".join(known.labels)
            raise UsageError(f"tiers: two would make Terraform's {known.kind} {what}: give one another name")
    return tuple(found.values())
