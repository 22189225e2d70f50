"""The Kubernetes control plane."""

from __future__ import annotations

from typing import Final

from cascade_plan.clouds.aws.product import HERE, Product
from cascade_plan.model.offer import Offer
from cascade_plan.prices.products import Section

EKS: Final = Section("eks", "EKS control plane; extended support is what an old version costs on top of it")

PRODUCTS: Final[tuple[Product, ...]] = (
    Product(
        section=EKS,
        service="eks",
        item="cluster",
        unit="hour",
        offer=Offer("kubernetes"),
        code="AmazonEKS",
        filters=HERE | {"productFamily": "Compute"},
        usage="AmazonEKS-Hours:perCluster",
        operation="CreateOperation",
        always_prefixed=True,
        collected=("AmazonEKS", "EKS-cluster-hours"),
    ),
    Product(
        section=EKS,
        service="eks",
        item="cluster-extended-support",
        unit="hour",
        offer=Offer("kubernetes_support"),
        code="AmazonEKS",
        filters=HERE | {"productFamily": "Compute"},
        usage="AmazonEKS-Hours:extendedSupport",
        operation="ExtendedSupport",
        always_prefixed=True,
        collected=("AmazonEKS", "AmazonEKS-Hours:extendedSupport"),
    ),
)
