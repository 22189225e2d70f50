"""Virtual machines, what pods on no machine of ours cost, and the CPU credits of those that burst."""

from __future__ import annotations

from typing import Final

from cascade_plan.clouds.aws.product import HERE, Product
from cascade_plan.model.offer import Offer
from cascade_plan.prices.products import Section

EC2: Final = Section("ec2_on_demand", "EC2 on demand: Linux, shared tenancy")
EC2_SPOT: Final = Section("ec2_spot", "EC2 spot: the median of each type's daily values, where below on demand")
EC2_COMMITTED: Final = Section(
    "ec2_reserved",
    "EC2 commitments: effective hourly rates, the upfront spread over the term; the split is not held",
)
CREDITS: Final = Section("ec2_credits", "EC2 CPU credits of T instances in unlimited mode, beyond those they earn")
FARGATE: Final = Section("fargate", "Fargate: CPU and memory of pods with Linux that run on no node of ours")

PRODUCTS: Final[tuple[Product, ...]] = (
    Product(
        section=EC2,
        spot=EC2_SPOT,
        committed=EC2_COMMITTED,
        service="ec2",
        variant="linux",
        unit="hour",
        offer=Offer("vm"),
        code="AmazonEC2",
        filters=HERE
        | {
            "productFamily": "Compute Instance",
            "operatingSystem": "Linux",
            "tenancy": "Shared",
            "preInstalledSw": "NA",
            "capacitystatus": "Used",
        },
        usage=r"BoxUsage:\S+",
        operation="RunInstances",  # RunInstances:0002 is Windows, :0010 RHEL
        told_by_operation=True,
    ),
    *(
        Product(
            section=CREDITS,
            service="ec2",
            item=f"cpu-credits-{family}",
            variant="linux",
            unit="vcpu_hour",
            offer=Offer("vm_credits", family),
            code="AmazonEC2",
            filters=HERE | {"productFamily": "CPU Credits", "operatingSystem": "Linux"},
            usage=f"CPUCredits:{family}",
            collected=("AmazonEC2", f"CPUCredits-{family}"),
        )
        for family in ("t3", "t3a", "t4g")
    ),
    *(
        Product(
            section=FARGATE,
            service="fargate",
            item=item,
            variant=architecture,
            unit=unit,
            offer=Offer(what, options=(architecture,)),
            code="AmazonECS",
            filters=HERE | {"productFamily": "Compute"},
            usage=f"Fargate-{arm}{usage}",
            billed_by=("AmazonEKS", "AmazonECS"),
            operation="FargateTask",
            always_prefixed=True,
            hour_of=hour_of,
            collected=("AmazonECS", f"Fargate-{arm}{usage.partition(':')[0]}"),
        )
        for architecture, arm in (("x86_64", ""), ("arm64", "ARM-"))
        for what, item, unit, usage, hour_of in (
            ("pod_cpu", "cpu", "vcpu_hour", "vCPU-Hours:perCPU", "vCPU"),
            ("pod_memory", "memory", "gib_hour", "GB-Hours", "GB"),
        )
    ),
)
