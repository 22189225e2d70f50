"""ECR: a repository for the image of each workload, which keeps as many versions as the plan pays for."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.clouds.aws.names import aws_name
from cascade_plan.emitters.terraform._file import File, all_of, output
from cascade_plan.languages.hcl import Block, Call, Expression, Value
from cascade_plan.model.plan import Instance, Plan
from cascade_plan.tiers.registry.settings import Settings

BY_HAND = (
    "Push the images to the repositories that `terraform -chdir=infra output` names, and give their names as `image`."
)


def files(plan: Plan) -> Iterator[File]:
    """Yield the file of the repositories, where there is a registry and something that runs images."""
    for registry in plan.of(Settings):
        tiers = tuple(dict.fromkeys(workload.tier for workload in plan.fleet.workloads))
        if tiers:
            yield File(
                "registry.tf",
                "The repositories of the images that pods run.",
                tuple(block for tier in tiers for block in _resources(plan, registry, tier)),
                outputs=tuple(_output(tier) for tier in tiers),
                deploys=all_of(registry.sized),
                by_hand=BY_HAND,
            )


def _resources(plan: Plan, registry: Instance[Settings], tier: str) -> Iterator[Block]:
    yield Block(
        "resource",
        ("aws_ecr_repository", tier),
        {
            "name": aws_name(f"{plan.application}-{tier.replace('_', '-')}", "repository"),
            "image_tag_mutability": "IMMUTABLE",
        },
        (Block("image_scanning_configuration", (), {"scan_on_push": True}),),
    )
    kept: dict[str, Value] = {
        "rulePriority": 1,
        "description": "As many as the plan pays for",
        "selection": {
            "tagStatus": "any",
            "countType": "imageCountMoreThan",
            "countNumber": registry.settings.version_count,
        },
        "action": {"type": "expire"},
    }
    yield Block(
        "resource",
        ("aws_ecr_lifecycle_policy", tier),
        {
            "repository": Expression(f"aws_ecr_repository.{tier}.name"),
            "policy": Call("jsonencode", {"rules": [kept]}),
        },
    )


def _output(tier: str) -> Block:
    return output(f"{tier}_repository", f"Where the image of {tier} is.", f"aws_ecr_repository.{tier}.repository_url")
