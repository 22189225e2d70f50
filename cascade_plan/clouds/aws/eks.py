"""What a Kubernetes node on EKS leaves for pods."""

from __future__ import annotations

from cascade_plan.model.catalogue import Allocatable

LARGE_VCPU = 30
PODS_MOST = 110
PODS_MOST_LARGE = 250
"""A managed node group sets no more pods a node, whatever the network interfaces hold, with prefix delegation or
without: 110 below 30 vCPU, 250 from there on (awsdocs/amazon-eks-user-guide, cni-increase-ip-addresses; an m5a.4xlarge
was seen at 110 where its interfaces hold 234)."""
EVICTION_MEMORY_MIB = 100
"""Hard eviction threshold memory.available<100Mi, awslabs/amazon-eks-ami nodeadm/internal/kubelet/config.go."""


def max_pods(eni_count: int, ipv4_count_per_eni: int) -> int:
    """Return the pod limit of a node with the VPC CNI without prefix delegation: ENIs x (IPv4 per ENI - 1) + 2.

    Source: awslabs/amazon-eks-ami nodeadm/internal/kubelet/eni_max_pods.go.

    >>> max_pods(3, 10)  # m7g.large
    29
    """
    return eni_count * (ipv4_count_per_eni - 1) + 2


def kube_reserved_cpu_m(vcpu: int) -> int:
    """Return the CPU kubelet keeps, in thousandths: 6 % of the first core, 1 % of the second, .5 % of two more, .25 %.

    Source: awslabs/amazon-eks-ami nodeadm/internal/kubelet/config.go.

    >>> [kube_reserved_cpu_m(vcpu) for vcpu in (1, 2, 4, 8, 96)]
    [60, 70, 80, 90, 310]
    """
    shares = ((1, 60.0), (1, 10.0), (2, 5.0), (vcpu, 2.5))
    reserved, left = 0, vcpu
    for cores, per_core_m in shares:
        counted = min(left, cores)
        reserved += int(counted * per_core_m)
        left -= counted
    return reserved


def kube_reserved_memory_mib(pods: int) -> int:
    """Return the memory kubelet keeps, in MiB: 11 x max pods + 255 (same source).

    >>> kube_reserved_memory_mib(29)
    574
    """
    return 11 * pods + 255


def allocatable(
    vcpu: int,
    memory_gib: float,
    pods: int,
    vm_overhead_ratio: float,
    daemonset_cpu_cores: float,
    daemonset_memory_mib: float,
    daemonset_pods: int,
) -> Allocatable:
    """Return what a node leaves for pods: capacity - VM overhead - kube-reserved - eviction threshold - daemonsets.

    `pods` are those that the network interfaces hold, by which kubelet's memory is reserved; a managed node group runs
    at most PODS_MOST of them.

    System-reserved is 0 by default on EKS. The VM overhead is what Karpenter assumes before it has seen a node of the
    type; measured nodes lose a little less.

    >>> allocatable(2, 8, 29, 0.075, 0, 0, 0)
    Allocatable(cpu_m=1930, memory_mib=6903, pods=29)
    >>> allocatable(16, 64, 234, 0.075, 0, 0, 4).pods, allocatable(32, 128, 234, 0.075, 0, 0, 4).pods
    (106, 230)
    """
    memory_mib = memory_gib * 1024 * (1 - vm_overhead_ratio)
    left_mib = memory_mib - kube_reserved_memory_mib(pods) - EVICTION_MEMORY_MIB - daemonset_memory_mib
    return Allocatable(
        cpu_m=max(0, int(vcpu * 1000 - kube_reserved_cpu_m(vcpu) - round(daemonset_cpu_cores * 1000))),
        memory_mib=max(0, int(left_mib)),
        pods=max(0, min(pods, PODS_MOST if vcpu < LARGE_VCPU else PODS_MOST_LARGE) - daemonset_pods),
    )
