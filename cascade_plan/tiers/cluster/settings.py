"""What a scenario may say of the Kubernetes cluster."""

from typing import Annotated, ClassVar

from pydantic import Field

from cascade_plan.model import tier
from cascade_plan.model.defaults import default
from cascade_plan.units import CoresOrZero, Count, MibOrZero, Share


class Settings(tier.Settings):
    """Kubernetes: the control plane, what every node loses before the first pod, and its root volume."""

    KIND: ClassVar[str] = "cluster"

    version: Annotated[str, Field(pattern=r"^1\.[0-9]{2}$")] = default(
        "1.36",
        "cited",
        "EKS's own default in October 2026, https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html",
        examples=["1.36"],
    )
    """Version of Kubernetes, in quotes."""
    daemonset_cpu_cores: CoresOrZero = default(
        0.23, "assumption", "requests of aws-node 0.05, kube-proxy 0.1, ebs-csi-node 0.03, node-exporter 0.05"
    )
    """CPU that the per-node agents request on every node."""
    daemonset_memory_mib: MibOrZero = default(
        150, "assumption", "requests of ebs-csi-node 120 MiB and node-exporter 30 MiB"
    )
    """Memory that they request."""
    daemonset_pods: Annotated[int, Field(ge=0, le=50)] = default(
        4, "assumption", "aws-node, kube-proxy, ebs-csi-node and node-exporter"
    )
    """How many of them a node runs."""
    vm_overhead_ratio: Share = default(
        0.075, "cited", "Karpenter's vm-memory-overhead-percent, https://karpenter.sh/docs/reference/settings/"
    )
    """Share of the advertised memory that the hypervisor and firmware keep."""
    prefix_delegation: bool = default(
        False,
        "cited",
        "off by default, ENABLE_PREFIX_DELEGATION, "
        "https://docs.aws.amazon.com/eks/latest/userguide/cni-increase-ip-addresses.html",
    )
    """Whether a node's interfaces hold blocks of 16 addresses for pods, not single ones: more small pods fit a node."""
    disk_gib: Count = default(
        20, "cited", "default of an EKS managed node group, https://docs.aws.amazon.com/eks/latest/APIReference/"
    )
    """Root volume of each node."""
    disk_operations_per_s: Annotated[int, Field(ge=3000, le=16_000)] = default(
        3000, "cited", "what gp3 includes, https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html"
    )
    """What that volume does; what is more than it includes is paid for."""
    disk_mib_per_s: Annotated[int, Field(ge=125, le=1000)] = default(
        125, "cited", "what gp3 includes, https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html"
    )
    """Its throughput, likewise."""
