"""SQS: each queue of jobs, and where jobs are put aside that were delivered too often."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Final

from cascade_plan.emitters._topology import queue_name
from cascade_plan.emitters.terraform._file import File, all_of, output
from cascade_plan.languages.hcl import Block, Call, Expression, Value
from cascade_plan.model.plan import Instance, Plan
from cascade_plan.tiers.queue.settings import Settings

HIDDEN_S_MOST: Final = 43_200
WAIT_S_MOST: Final = 20
RETENTION_S_MOST: Final = 1_209_600
DELIVERIES_MOST: Final = 1000
"""https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html"""


def files(plan: Plan) -> Iterator[File]:
    """Yield the file of the queues, where there are some."""
    queues = plan.of(Settings)
    if queues:
        yield File(
            "queue.tf",
            "The queues of jobs, each with one for those that fail.",
            tuple(block for queue in queues for block in _resources(plan, queue)),
            outputs=tuple(
                output(f"{queue.name}_url", "Where jobs are sent to.", f"aws_sqs_queue.{queue.name}.url")
                for queue in queues
            ),
            deploys=tuple(name for queue in queues for name in all_of(queue.sized)),
        )


def _resources(plan: Plan, queue: Instance[Settings]) -> Iterator[Block]:
    label, settings = queue.name, queue.settings
    aside: dict[str, Value] = {
        "deadLetterTargetArn": Expression(f"aws_sqs_queue.{label}_dead.arn"),
        "maxReceiveCount": min(DELIVERIES_MOST, ceil(settings.delivery_count_max)),
    }
    yield Block(
        "resource",
        ("aws_sqs_queue", label),
        {
            "name": queue_name(plan, label),
            "visibility_timeout_seconds": min(HIDDEN_S_MOST, ceil(settings.visibility_timeout_s)),
            "receive_wait_time_seconds": min(WAIT_S_MOST, ceil(settings.poll_s)),
            "sqs_managed_sse_enabled": True,
            "redrive_policy": Call("jsonencode", aside),
        },
    )
    yield Block(
        "resource",
        ("aws_sqs_queue", f"{label}_dead"),
        {
            "name": queue_name(plan, label, "-dead"),
            "message_retention_seconds": RETENTION_S_MOST,
            "sqs_managed_sse_enabled": True,
        },
        comment="Jobs that were delivered too often: somebody looks at them.",
    )
