"""Amazon Managed Service for Prometheus: the workspace that keeps the samples."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.emitters.terraform._file import File, all_of, output
from cascade_plan.languages.hcl import Block, Expression
from cascade_plan.model.plan import Instance, Plan
from cascade_plan.tiers.monitoring.settings import Settings


def files(plan: Plan) -> Iterator[File]:
    """Yield the file of the workspace, where there is one."""
    found = [tier for tier in plan.of(Settings) if tier.settings.managed]
    if found:
        yield File(
            "monitoring.tf",
            "The workspace of the managed Prometheus.",
            tuple(block for tier in found for block in _resources(plan, tier)),
            outputs=tuple(
                output(f"{tier.name}_workspace_id", "What prometheus.yml calls WORKSPACE_ID.", f"{_of(tier)}.id")
                for tier in found
            ),
            deploys=tuple(name for tier in found for name in all_of(tier.sized)),
        )


def _of(tier: Instance[Settings]) -> str:
    return f"aws_prometheus_workspace.{tier.name}"


def _resources(plan: Plan, tier: Instance[Settings]) -> Iterator[Block]:
    yield Block("resource", ("aws_prometheus_workspace", tier.name), {"alias": plan.application})
    yield Block(
        "resource",
        ("aws_prometheus_workspace_configuration", tier.name),
        {
            "workspace_id": Expression(f"{_of(tier)}.id"),
            "retention_period_in_days": tier.settings.retention_days,
        },
    )
