"""Load balancers, NAT gateways, addresses and what crosses zones, regions and the internet."""

from __future__ import annotations

from typing import Final

from cascade_plan.clouds.aws.product import HERE, Product
from cascade_plan.model.offer import Offer
from cascade_plan.prices.products import Section

BALANCERS: Final = Section("load_balancer", "Application and Network Load Balancers and their capacity units")
NETWORK: Final = Section("network", "NAT gateways and public IPv4 addresses")
TRANSFER: Final = Section(
    "transfer",
    "Data transfer: to the internet in tiers a month, between zones (each direction), between regions",
)

_FROM_HERE: Final = {"productFamily": "Data Transfer", "fromLocationType": "AWS Region"}
_SENDERS: Final = (
    "AmazonEC2",
    "AWSELB",
    "AmazonVPC",
    "AmazonRDS",
    "AmazonElastiCache",
    "AmazonEKS",
    "AmazonECR",
    "AmazonS3",
    "AWSQueueService",
    "AWSDataTransfer",
)
"""A bill has traffic under the service it came from; CloudFront's has other prices under the same usage type."""

PRODUCTS: Final[tuple[Product, ...]] = (
    *(
        Product(
            section=BALANCERS,
            service="elb",
            item=item,
            unit=unit,
            offer=Offer(what, name),
            code="AWSELB",
            filters=HERE | {"productFamily": f"Load Balancer-{kind}"},
            usage=usage,
            operation=f"LoadBalancing:{kind}",  # LoadBalancing alone is a Classic Load Balancer
            told_by_operation=True,
            collected=("AWSELB", collected),
        )
        for name, kind in (("alb", "Application"), ("nlb", "Network"))
        for what, item, unit, usage, collected in (
            ("balancer", name, "hour", "LoadBalancerUsage", f"{name.upper()}-Hours"),
            ("balancer_capacity", f"{name}-lcu", "lcu_hour", "LCUUsage", f"{name.upper()}-LCU-Hours"),
        )
    ),
    *(
        Product(
            section=NETWORK,
            service="vpc",
            item=item,
            unit=unit,
            offer=Offer(what),
            code="AmazonEC2",
            filters=HERE | {"productFamily": "NAT Gateway"},
            usage=usage,
            operation="NatGateway",
            collected=("AmazonVPC", usage),
        )
        for what, item, unit, usage in (
            ("nat_gateway", "nat-gateway", "hour", "NatGateway-Hours"),
            ("nat_traffic", "nat-gateway-data", "gib", "NatGateway-Bytes"),
        )
    ),
    Product(
        section=NETWORK,
        service="vpc",
        item="public-ipv4",
        unit="hour",
        offer=Offer("public_address"),
        code="AmazonVPC",
        filters=HERE,
        usage="PublicIPv4:InUseAddress",
        operation="AllocateAddressVPC",
        always_prefixed=True,
        collected=("AmazonVPC", "PublicIPv4-InUse-Hours"),
    ),
    Product(
        section=TRANSFER,
        service="transfer",
        item="internet-out",
        unit="gib",
        offer=Offer("internet_traffic"),
        is_tiered=True,
        code="AWSDataTransfer",
        filters=_FROM_HERE | {"transferType": "AWS Outbound"},
        usage="DataTransfer-Out-Bytes",
        billed_by=_SENDERS,
        region_attribute="fromRegionCode",
        collected=("AWSDataTransfer", "DataTransfer-Out-Bytes"),
        ranges={"0-10TB": "0-10240", "10-50TB": "10240-51200", "50-150TB": "51200-153600", "150TB+": "153600-"},
    ),
    Product(
        section=TRANSFER,
        service="transfer",
        item="inter-zone",
        unit="gib",
        offer=Offer("zone_traffic"),
        code="AWSDataTransfer",
        filters=_FROM_HERE | {"transferType": "IntraRegion"},
        usage="DataTransfer-Regional-Bytes",
        billed_by=_SENDERS,
        region_attribute="fromRegionCode",
        collected=("AWSDataTransfer", "DataTransfer-Regional-Bytes"),
    ),
    Product(
        section=TRANSFER,
        service="transfer",
        item="inter-region",
        unit="gib",
        collected=("AWSDataTransfer", "DataTransfer-InterRegion-Other"),
    ),
)
