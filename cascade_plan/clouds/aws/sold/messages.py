"""Messages between parts of a system."""

from __future__ import annotations

from typing import Final

from cascade_plan.clouds.aws.product import HERE, Product
from cascade_plan.model.offer import Offer
from cascade_plan.prices.products import Section

QUEUES: Final = Section("queue", "SQS requests to standard queues, in tiers a month")

PRODUCTS: Final[tuple[Product, ...]] = (
    Product(
        section=QUEUES,
        service="sqs",
        item="requests",
        unit="million_requests",
        offer=Offer("queue_requests"),
        is_tiered=True,
        code="AWSQueueService",
        filters=HERE | {"productFamily": "API Request", "queueType": "Standard"},
        usage="Requests-(?:Tier1|RBP)",
        billed="Requests-RBP",
        collected=("AWSQueueService", "Requests-RBP (standard queue; first tier above the free million)"),
        ranges={"": "0-100000"},  # the first tier ends at 100 billion requests, https://aws.amazon.com/sqs/pricing/
    ),
)
