"""What a scenario may say of the Kubernetes cluster."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from cascade_plan.model import tier
from cascade_plan.model.defaults import default
from cascade_plan.units import CoresOrZero, Count, MibOrZero, Share, matching

PublicCidr = Annotated[
    str,
    matching(
        r"^((25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(25[0-5]|2[0-4]\d|1?\d?\d)/(3[0-2]|[12]?\d)$",
        "a block of IPv4 addresses, 203.0.113.7/32",
        18,
    ),
]


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
    public_access_cidrs: Annotated[list[PublicCidr], Field(min_length=1, max_length=40)] | None = Field(
        default=None, examples=[["203.0.113.7/32"]]
    )
    """Who reaches the API server from outside the network; left out, whoever deploys the files says so."""
    log_types: list[Literal["api", "audit", "authenticator", "controllerManager", "scheduler"]] = default(
        ["api", "audit", "authenticator"],
        "assumption",
        "who did what, and who was let in; what they cost is not priced",
    )
    """Logs of the control plane that CloudWatch keeps; `[]` for none."""
    log_retention_days: Literal[1, 3, 5, 7, 14, 30, 60, 90, 180, 365] = default(
        30, "assumption", "a month to look back"
    )
    """For how long."""
    node_image_release: Annotated[str, matching(r"^v20[0-9]{6}$", "a release such as v20260903", 9)] = default(
        "v20260903", "cited", "https://github.com/awslabs/amazon-eks-ami/releases/tag/v20260903"
    )
    """Release of the Amazon Linux 2023 image that Karpenter starts nodes from: a newer one replaces every node."""
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
    system_cpu_cores: CoresOrZero = default(
        1.9,
        "assumption",
        "requests of CoreDNS 2 x 0.1, metrics-server 2 x 0.1, ebs-csi-controller 2 x 0.06, the load balancer's "
        "controller 2 x 0.1, an autoscaler 0.1, External Secrets 3 x 0.01; PgBouncer 2 x 0.42, nginx 2 x 0.1, as for "
        "10,000 users: more users need more of these two",
    )
    """CPU that pods beside the application's request, in all: they stand on the nodes of the first service."""
    system_memory_mib: MibOrZero = default(
        2500,
        "assumption",
        "requests of CoreDNS 2 x 70 MiB, metrics-server 2 x 200, ebs-csi-controller 2 x 240, the load balancer's "
        "controller 2 x 128, an autoscaler 300, External Secrets 3 x 32, PgBouncer 2 x 75, nginx 2 x 293",
    )
    """Memory that they request."""
    system_pods: Annotated[int, Field(ge=0, le=200)] = default(
        17, "assumption", "the sum of these, and KEDA's three in place of nginx"
    )
    """How many of them there are."""
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
