"""The bucket that a load balancer writes a line into for every request, where a scenario asks for it."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.emitters.terraform import _buckets
from cascade_plan.languages.hcl import Block, Expression, Value
from cascade_plan.model.plan import Instance, Plan
from cascade_plan.tiers.gateway.settings import Settings


def label(gateway: Instance[Settings]) -> str:
    """Return what Terraform's resources of the bucket are labelled."""
    return f"{gateway.name}_logs"


def resources(plan: Plan, gateway: Instance[Settings], days: int) -> Iterator[Block]:
    """Yield the bucket, for how many days it keeps what, and that the load balancer may write into it.

    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html and
    https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-access-logs.html
    """
    name, is_alb = label(gateway), gateway.settings.balancer == "alb"
    writer = "logdelivery.elasticloadbalancing.amazonaws.com" if is_alb else "delivery.logs.amazonaws.com"
    by: dict[str, Value] = {
        "Effect": "Allow",
        "Principal": {"Service": writer},
        "Condition": {"StringEquals": {"aws:SourceAccount": Expression(_buckets.ACCOUNT)}},
    }
    writes: dict[str, Value] = {**by, "Action": "s3:PutObject", "Resource": _buckets.objects_of(name)}
    looks: dict[str, Value] = {**by, "Action": "s3:GetBucketAcl", "Resource": Expression(_buckets.arn(name))}
    yield from _buckets.bucket(plan, name, [writes] if is_alb else [writes, looks])
    yield _buckets.lifecycle(name, Block("expiration", (), {"days": days}))
