"""S3: the bucket of uploads with its lifecycle, and the endpoint by which pods reach it without a NAT gateway."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cascade_plan.emitters.terraform import _buckets
from cascade_plan.emitters.terraform._file import File, all_of, output
from cascade_plan.languages.hcl import Block, Expression, Value
from cascade_plan.model.plan import Instance, Plan
from cascade_plan.tiers.network.settings import Settings as Network
from cascade_plan.tiers.objects.settings import Settings

DAYS_PER_MONTH: Final = 30
"""S3's lifecycle counts in days; a month of storage is never cut short by what a rule rounds."""
PARTS_DAYS: Final = 7
"""Parts of an upload that nobody finished are paid for until they are deleted (assumption)."""


def files(plan: Plan) -> Iterator[File]:
    """Yield the file of the object store, where there is one."""
    for store in plan.of(Settings):
        has_endpoint = any(network.settings.object_endpoint for network in plan.of(Network))
        yield File(
            "objects.tf",
            "The bucket of uploads, and how long it keeps them.",
            (*_bucket(plan, store), *(_endpoint(plan) if has_endpoint else ())),
            outputs=(
                output(f"{store.name}_bucket", "Where uploads are stored.", f"aws_s3_bucket.{store.name}.bucket"),
            ),
            deploys=tuple(all_of(store.sized)),
        )


def _bucket(plan: Plan, store: Instance[Settings]) -> Iterator[Block]:
    """Yield the bucket. Versions are not kept: the plan pays for one of each object."""
    yield from _buckets.bucket(plan, store.name)
    yield _buckets.lifecycle(store.name, *_lifecycle(store.settings))


def _lifecycle(settings: Settings) -> Iterator[Block]:
    if settings.infrequent_after_months is not None:
        days: dict[str, Value] = {"days": settings.infrequent_after_months * DAYS_PER_MONTH}
        yield Block("transition", (), {**days, "storage_class": "STANDARD_IA"})
    if settings.deleted_after_months is not None:
        yield Block("expiration", (), {"days": settings.deleted_after_months * DAYS_PER_MONTH})
    yield Block("abort_incomplete_multipart_upload", (), {"days_after_initiation": PARTS_DAYS})


def _endpoint(plan: Plan) -> tuple[Block, ...]:
    return (
        Block(
            "resource",
            ("aws_vpc_endpoint", "objects"),
            {
                "vpc_id": Expression("local.vpc_id"),
                "service_name": f"com.amazonaws.{plan.scenario.region}.s3",
                "vpc_endpoint_type": "Gateway",
                "route_table_ids": Expression("local.private_route_table_ids"),
            },
        ),
    )
