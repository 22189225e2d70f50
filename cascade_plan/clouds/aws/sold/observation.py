"""Metrics, logs and alarms that the cloud keeps."""

from __future__ import annotations

from typing import Final

from cascade_plan.clouds.aws.product import HERE, Product
from cascade_plan.model.offer import Offer
from cascade_plan.prices.products import Section

PROMETHEUS: Final = Section("prometheus", "Amazon Managed Service for Prometheus")
CLOUDWATCH: Final = Section("cloudwatch", "CloudWatch: logs, metrics in tiers a month, and alarms")

PRODUCTS: Final[tuple[Product, ...]] = (
    Product(
        section=PROMETHEUS,
        service="prometheus",
        item="samples-ingested",
        unit="million_samples",
        offer=Offer("metric_samples"),
        is_tiered=True,
        code="AmazonPrometheus",
        filters=HERE,
        usage="AMP:MetricSampleCount",
        always_prefixed=True,
        collected=("AmazonPrometheus", "AMP-samples-ingested"),
        ranges={"0-2B": "0-2000", "2B-252B": "2000-252000", "252B+": "252000-"},
    ),
    *(
        Product(
            section=PROMETHEUS,
            service="prometheus",
            item=item,
            unit=unit,
            offer=Offer(what),
            code="AmazonPrometheus",
            filters=HERE,
            usage=f"AMP:{usage}",
            always_prefixed=True,
            collected=("AmazonPrometheus", name),
        )
        for what, item, unit, usage, name in (
            ("metric_storage", "storage", "gib_month", "MetricStorageByteHrs", "AMP-storage (above 10 GB)"),
            (
                "metric_queries",
                "query-samples",
                "million_samples",
                "QuerySamplesProcessed",
                "AMP-query-samples-processed",
            ),
        )
    ),
    *(
        Product(
            section=CLOUDWATCH,
            service="cloudwatch",
            item=item,
            unit=unit,
            offer=Offer(what),
            code="AmazonCloudWatch",
            filters=HERE,
            usage=usage,
            collected=("AmazonCloudWatch", collected),
        )
        for what, item, unit, usage, collected in (
            ("log_traffic", "logs-ingested", "gib", "DataProcessing-Bytes", "Logs-DataProcessing-Bytes"),
            ("log_storage", "logs-stored", "gib_month", "TimedStorage-ByteHrs", "Logs-TimedStorage-ByteHrs"),
            (
                "alarm",
                "alarm",
                "alarm_month",
                "CW:AlarmMonitorUsage",
                "AlarmMonitorUsage (standard resolution)",
            ),
        )
    ),
    Product(
        section=CLOUDWATCH,
        service="cloudwatch",
        item="metric",
        unit="metric_month",
        offer=Offer("metric"),
        is_tiered=True,
        code="AmazonCloudWatch",
        filters=HERE,
        usage="CW:MetricMonitorUsage",
        collected=("AmazonCloudWatch", "MetricMonitorUsage"),
        ranges={
            "0-10000": "0-10000",
            "10000-250000": "10000-250000",
            "250000-1000000": "250000-1000000",
            "1000000+": "1000000-",
        },
    ),
)
