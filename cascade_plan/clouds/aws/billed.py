"""How AWS's own bill words what a book prices: its service and category, its unit, its usage type, its region's name.

Services, categories and units are as AWS's FOCUS exports have them, but for what bears the name of EC2 there and is
none (NAT gateways, disks, traffic): https://docs.aws.amazon.com/cur/latest/userguide/table-dictionary-focus-1-2-aws.html.
Names of regions: https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from cascade_plan.clouds.aws.usage_types import usage_type
from cascade_plan.model.billed import OTHER, Billed, unit_words
from cascade_plan.model.price import PriceKey

PROVIDER: Final = "Amazon Web Services"
SERVICES: Final[Mapping[str, tuple[str, str, str]]] = {
    "ec2": ("Amazon Elastic Compute Cloud", "Compute", "Virtual Machines"),
    "fargate": ("AWS Fargate", "Compute", "Containers"),
    "eks": ("Amazon Elastic Kubernetes Service", "Compute", "Containers"),
    "ecr": ("Amazon Elastic Container Registry", "Compute", "Containers"),
    "ebs": ("Amazon Elastic Block Store", "Storage", "Block Storage"),
    "s3": ("Amazon Simple Storage Service", "Storage", "Object Storage"),
    "rds": ("Amazon Relational Database Service", "Databases", "Relational Databases"),
    "elasticache": ("Amazon ElastiCache", "Databases", "Caching"),
    "elb": ("Elastic Load Balancing", "Networking", "Application Networking"),
    "vpc": ("Amazon Virtual Private Cloud", "Networking", "Network Infrastructure"),
    "transfer": ("AWS Data Transfer", "Networking", "Network Connectivity"),
    "sqs": ("Amazon Simple Queue Service", "Integration", "Messaging"),
    "secretsmanager": ("AWS Secrets Manager", "Security", "Secret Management"),
    "prometheus": ("Amazon Managed Service for Prometheus", "Management and Governance", "Observability"),
    "cloudwatch": ("Amazon CloudWatch", "Management and Governance", "Observability"),
}
"""Service of a book -> ServiceName, ServiceCategory, ServiceSubcategory."""
_MILLION: Final = Decimal(1_000_000)
UNITS: Final[Mapping[str, tuple[str, Decimal]]] = {
    "gib": ("GB", Decimal(1)),
    "gib_hour": ("GB-Hours", Decimal(1)),
    "gib_month": ("GB-Months", Decimal(1)),
    "mibps_month": ("MiBps-Months", Decimal(1)),
    "million_requests": ("Requests", _MILLION),
    "million_samples": ("Metric Datapoints", _MILLION),
    "metric_month": ("Metrics", Decimal(1)),
    "alarm_month": ("Alarms", Decimal(1)),
    "secret_month": ("Secrets", Decimal(1)),
}
"""Unit of a book -> the bill's, and how many of it one is, where the bill has a word of its own. GB is 2^30 bytes."""
REQUESTS: Final = {"serverless-ecpu": "ECPUs", "aurora-io": "IOs"}
"""Item of a book -> what the bill calls its requests, where it does not call them so."""
REGIONS: Final[Mapping[str, str]] = {
    "af-south-1": "Africa (Cape Town)",
    "ap-east-1": "Asia Pacific (Hong Kong)",
    "ap-east-2": "Asia Pacific (Taipei)",
    "ap-northeast-1": "Asia Pacific (Tokyo)",
    "ap-northeast-2": "Asia Pacific (Seoul)",
    "ap-northeast-3": "Asia Pacific (Osaka)",
    "ap-south-1": "Asia Pacific (Mumbai)",
    "ap-south-2": "Asia Pacific (Hyderabad)",
    "ap-southeast-1": "Asia Pacific (Singapore)",
    "ap-southeast-2": "Asia Pacific (Sydney)",
    "ap-southeast-3": "Asia Pacific (Jakarta)",
    "ap-southeast-4": "Asia Pacific (Melbourne)",
    "ap-southeast-5": "Asia Pacific (Malaysia)",
    "ap-southeast-6": "Asia Pacific (New Zealand)",
    "ap-southeast-7": "Asia Pacific (Thailand)",
    "ca-central-1": "Canada (Central)",
    "ca-west-1": "Canada West (Calgary)",
    "eu-central-1": "Europe (Frankfurt)",
    "eu-central-2": "Europe (Zurich)",
    "eu-north-1": "Europe (Stockholm)",
    "eu-south-1": "Europe (Milan)",
    "eu-south-2": "Europe (Spain)",
    "eu-west-1": "Europe (Ireland)",
    "eu-west-2": "Europe (London)",
    "eu-west-3": "Europe (Paris)",
    "il-central-1": "Israel (Tel Aviv)",
    "me-central-1": "Middle East (UAE)",
    "me-south-1": "Middle East (Bahrain)",
    "mx-central-1": "Mexico (Central)",
    "sa-east-1": "South America (Sao Paulo)",
    "us-east-1": "US East (N. Virginia)",
    "us-east-2": "US East (Ohio)",
    "us-gov-east-1": "AWS GovCloud (US-East)",
    "us-gov-west-1": "AWS GovCloud (US-West)",
    "us-west-1": "US West (N. California)",
    "us-west-2": "US West (Oregon)",
}


def billed(key: PriceKey, unit: str, region: str) -> Billed:
    """Return how a bill words what a key prices: its own code where a region has no name, no usage type where unknown.

    >>> found = billed(PriceKey("rds", "db.r5.xlarge", "multi_az"), "hour", "eu-west-1")
    >>> found.service_code, found.usage_type, found.unit, found.region
    ('AmazonRDS', 'EU-Multi-AZUsage:db.r5.xl', 'Hours', 'Europe (Ireland)')
    """
    service, category, subcategory = SERVICES.get(key.service, (key.service, *OTHER))
    counted, unit_count = UNITS.get(unit, (unit_words(unit), Decimal(1)))
    usage = usage_type(key, region)
    return Billed(
        provider=PROVIDER,
        service=service,
        category=category,
        subcategory=subcategory,
        unit=REQUESTS.get(key.item, counted) if unit == "million_requests" else counted,
        unit_count=unit_count,
        region=REGIONS.get(region, region),
        service_code=usage.service if usage else "",
        usage_type=usage.usage_type if usage else "",
    )
