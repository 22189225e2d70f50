"""What a Kubernetes node on EKS leaves for pods."""

from __future__ import annotations

from typing import Final

from cascade_plan.model.catalogue import Allocatable, Shape

LARGE_VCPU: Final = 30
PODS_MOST: Final = 110
PODS_MOST_LARGE: Final = 250
"""A managed node group sets no more pods a node, whatever the network interfaces hold, with prefix delegation or
without: 110 below 30 vCPU, 250 from there on (awsdocs/amazon-eks-user-guide, cni-increase-ip-addresses; an m5a.4xlarge
was seen at 110 where its interfaces hold 234)."""
PREFIX_ADDRESSES: Final = 16
"""Of a /28, which takes the place of one address:
https://docs.aws.amazon.com/eks/latest/userguide/cni-increase-ip-addresses.html"""
EVICTION_MEMORY_MIB: Final = 100
"""Hard eviction threshold memory.available<100Mi, awslabs/amazon-eks-ami nodeadm/internal/kubelet/config.go."""


def max_pods(shape: Shape, prefix_delegation: bool) -> int:
    """Return how many pods the network interfaces of a node have addresses for, with the VPC CNI.

    Interfaces x (IPv4 addresses of each - 1) x 16 with prefix delegation on a shape that takes prefixes, + 2: aws-node
    and kube-proxy have the node's own.
    Source: awslabs/amazon-eks-ami nodeadm/internal/kubelet/eni_max_pods.go; of prefixes, the page above.

    >>> m7g = Shape("vm", "m7g.large", 2, 8, interface_count=3, address_count_per_interface=10, takes_prefixes=True)
    >>> max_pods(m7g, False), max_pods(m7g, True)
    (29, 434)
    """
    each = PREFIX_ADDRESSES if prefix_delegation and shape.takes_prefixes else 1
    return shape.interface_count * (shape.address_count_per_interface - 1) * each + 2


def pods_set(shape: Shape, prefix_delegation: bool) -> int:
    """Return how many pods a managed node group sets for a node: those that have addresses, at most AWS's own limit."""
    most = PODS_MOST if shape.vcpu < LARGE_VCPU else PODS_MOST_LARGE
    return min(max_pods(shape, prefix_delegation), most)


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
    shape: Shape,
    vm_overhead_ratio: float,
    daemonset_cpu_cores: float,
    daemonset_memory_mib: float,
    daemonset_pods: int,
    prefix_delegation: bool = False,
) -> Allocatable:
    """Return what a node leaves for pods: capacity - VM overhead - kube-reserved - eviction threshold - daemonsets.

    Kubelet reserves memory for as many pods as there are addresses without prefixes, and that is too little where
    prefixes let it run more: then as much as those need.

    System-reserved is 0 by default on EKS. The VM overhead is what Karpenter assumes before it has seen a node of the
    type; measured nodes lose a little less.

    >>> m7g = Shape("vm", "m7g.large", 2, 8, interface_count=3, address_count_per_interface=10, takes_prefixes=True)
    >>> allocatable(m7g, 0.075, 0, 0, 0)
    Allocatable(cpu_m=1930, memory_mib=6903, pods=29)
    >>> allocatable(m7g, 0.075, 0, 0, 4, prefix_delegation=True)
    Allocatable(cpu_m=1930, memory_mib=6012, pods=106)
    """
    pods = pods_set(shape, prefix_delegation)
    reserved_mib = kube_reserved_memory_mib(max(pods, max_pods(shape, prefix_delegation=False)))
    memory_mib = shape.memory_gib * 1024 * (1 - vm_overhead_ratio)
    left_mib = memory_mib - reserved_mib - EVICTION_MEMORY_MIB - daemonset_memory_mib
    return Allocatable(
        cpu_m=max(0, int(shape.vcpu * 1000 - kube_reserved_cpu_m(shape.cores) - round(daemonset_cpu_cores * 1000))),
        memory_mib=max(0, int(left_mib)),
        pods=max(0, pods - daemonset_pods),
    )
