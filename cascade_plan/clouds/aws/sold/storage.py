"""Disks of machines, objects, container images and secrets."""

from __future__ import annotations

from typing import Final

from cascade_plan.clouds.aws.product import HERE, Product
from cascade_plan.model.offer import Offer
from cascade_plan.prices.products import Section

EBS: Final = Section("ebs", "EBS gp3: storage, IOPS and throughput above the baseline")
OBJECTS: Final = Section("object_storage", "S3 Standard in tiers a month, Standard-Infrequent Access, and requests")
IMAGES: Final = Section("image_storage", "ECR: container images stored")
SECRETS: Final = Section("secrets", "Secrets Manager: secrets and requests to it")

PRODUCTS: Final[tuple[Product, ...]] = (
    *(
        Product(
            section=EBS,
            service="ebs",
            item=item,
            unit=unit,
            offer=offer,
            code="AmazonEC2",
            filters=HERE | {"productFamily": family, "volumeApiName": "gp3"},
            usage=usage,
            operation="CreateVolume-Gp3",
            collected=("AmazonEC2", collected),
        )
        for item, unit, offer, family, usage, collected in (
            ("gp3-storage", "gib_month", Offer("disk"), "Storage", r"EBS:VolumeUsage\.gp3", "EBS-gp3-GB-Mo"),
            (
                "gp3-iops",
                "iops_month",
                Offer("disk_operations"),
                "System Operation",
                r"EBS:VolumeP-IOPS\.gp3",
                "EBS-gp3-IOPS-Mo",
            ),
            (
                "gp3-throughput",
                "mibps_month",
                Offer("disk_throughput"),
                "Provisioned Throughput",
                r"EBS:VolumeP-Throughput\.gp3",
                "EBS-gp3-MiBps-Mo",
            ),
        )
    ),
    Product(
        section=OBJECTS,
        service="s3",
        item="storage",
        unit="gib_month",
        offer=Offer("object_storage"),
        is_tiered=True,
        code="AmazonS3",
        filters=HERE | {"productFamily": "Storage", "volumeType": "Standard"},
        usage="TimedStorage-ByteHrs",
        collected=("AmazonS3", "S3-Standard-Storage"),
        ranges={"0-50TB": "0-51200", "50-500TB": "51200-512000", "500TB+": "512000-"},
    ),
    Product(
        section=OBJECTS,
        service="s3",
        item="storage-infrequent",
        unit="gib_month",
        offer=Offer("object_storage", options=("infrequent",)),
        code="AmazonS3",
        filters=HERE | {"productFamily": "Storage"},
        usage="TimedStorage-SIA-ByteHrs",
        collected=("AmazonS3", "S3-StandardIA-Storage"),
    ),
    *(
        Product(
            section=OBJECTS,
            service="s3",
            item=item,
            unit="million_requests",
            offer=Offer(what),
            code="AmazonS3",
            filters=HERE | {"productFamily": "API Request"},
            usage=usage,
            collected=("AmazonS3", collected),
        )
        for what, item, usage, collected in (
            ("object_writes", "requests-write", "Requests-Tier1", "S3-Requests-Tier1 (PUT, COPY, POST, LIST)"),
            ("object_reads", "requests-read", "Requests-Tier2", "S3-Requests-Tier2 (GET and all other)"),
        )
    ),
    Product(
        section=IMAGES,
        service="ecr",
        item="storage",
        unit="gib_month",
        offer=Offer("image_storage"),
        code="AmazonECR",
        filters=HERE,
        usage="TimedStorage-ByteHrs",
        collected=("AmazonECR", "ECR-TimedStorage-ByteHrs"),
    ),
    Product(
        section=SECRETS,
        service="secretsmanager",
        item="secret",
        unit="secret_month",
        offer=Offer("secret"),
        code="AWSSecretsManager",
        filters=HERE | {"productFamily": "Secret"},
        usage="AWSSecretsManager-Secrets?",
        billed="AWSSecretsManager-Secrets",
        always_prefixed=True,
        collected=("AWSSecretsManager", "AWSSecretsManager-Secrets"),
    ),
    Product(
        section=SECRETS,
        service="secretsmanager",
        item="requests",
        unit="million_requests",
        offer=Offer("secret_requests"),
        code="AWSSecretsManager",
        filters=HERE | {"productFamily": "API Request"},
        usage="AWSSecretsManager(?:APIRequest|-APIRequests)",  # the latter in eu-west-1
        billed="AWSSecretsManagerAPIRequest",
        always_prefixed=True,
        collected=("AWSSecretsManager", "AWSSecretsManagerAPIRequest"),
    ),
)
