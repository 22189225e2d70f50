"""S3 buckets: named after the account, closed to the world, encrypted, and asked only through TLS."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from cascade_plan.clouds.aws.names import aws_name
from cascade_plan.languages.hcl import Block, Call, Expression, Value
from cascade_plan.model.plan import Plan

ACCOUNT: Final = "data.aws_caller_identity.current.account_id"
CLOSED: Final = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")


def arn(label: str) -> str:
    """Return a bucket's ARN, as an expression."""
    return f"aws_s3_bucket.{label}.arn"


def objects_of(label: str) -> Expression:
    """Return the ARN of all its objects."""
    return Expression(f'"${{{arn(label)}}}/*"')


def bucket(plan: Plan, label: str, statements: Sequence[Value] = ()) -> Iterator[Block]:
    """Yield a bucket whose name no other in the world has, and who may do what with it besides the account's roles."""
    of: dict[str, Value] = {"bucket": Expression(f"aws_s3_bucket.{label}.id")}
    name = aws_name(f"{plan.application}-{label.replace('_', '-')}", "bucket")
    yield Block("resource", ("aws_s3_bucket", label), {"bucket": Expression(f'"{name}-${{{ACCOUNT}}}"')})
    yield Block("resource", ("aws_s3_bucket_public_access_block", label), {**of, **dict.fromkeys(CLOSED, True)})
    # The keys are S3's own: others cost, and keep nobody out who may read the bucket.
    by_default = Block("apply_server_side_encryption_by_default", (), {"sse_algorithm": "AES256"})
    yield Block(
        "resource",
        ("aws_s3_bucket_server_side_encryption_configuration", label),
        of,
        (Block("rule", (), {}, (by_default,)),),
    )
    in_clear: dict[str, Value] = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [Expression(arn(label)), objects_of(label)],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    policy: dict[str, Value] = {"Version": "2012-10-17", "Statement": [in_clear, *statements]}
    yield Block("resource", ("aws_s3_bucket_policy", label), {**of, "policy": Call("jsonencode", policy)})


def lifecycle(label: str, *parts: Block) -> Block:
    """Return what becomes of all objects of a bucket as they age."""
    rule = Block("rule", (), {"id": "kept", "status": "Enabled"}, (Block("filter", (), {}), *parts))
    of: dict[str, Value] = {"bucket": Expression(f"aws_s3_bucket.{label}.id")}
    return Block("resource", ("aws_s3_bucket_lifecycle_configuration", label), of, (rule,))
