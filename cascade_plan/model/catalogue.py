"""What exists to choose from: shapes of instances, apart from what they cost, and what a cloud makes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

from cascade_plan.errors import did_you_mean
from cascade_plan.model.offer import Offer

WHAT: Final = ("vm", "database", "cache")
"""What instances there are to choose: machines that pods run on, databases, caches."""
UNBOUNDED: Final = 1_000_000_000
"""A limit that none is: of pods on a machine without Kubernetes."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A type of instance of a cloud."""

    what: str
    """One of WHAT."""
    name: str
    vcpu: float
    """A part of one where it is a pod's own."""
    memory_gib: float
    """Memory the provider advertises: of a cache its maxmemory, before what is reserved of it."""
    architecture: str = ""
    """arm64 or x86_64; empty where the provider does not say."""
    burstable: bool = False
    """CPU credits: the vCPUs are not sustained."""
    usable_memory_gib: float | None = None
    """What the program has of it: a database what the provider's own agents leave, a cache what it keeps keys in; None
    where that is not known, as of all below."""
    connection_count_max: int | None = None
    """Connections that it accepts: a database unless it is told otherwise, a cache in any case."""
    interface_count: int = 0
    """Network interfaces of a machine that have addresses for pods; 0 where it is no node."""
    address_count_per_interface: int = 0
    takes_prefixes: bool = False
    """Whether an interface can hold a block of addresses in the place of one."""
    network_bytes_per_s: float | None = None
    """What its network carries all the time, in each direction."""
    network_burst_bytes_per_s: float | None = None
    """What it carries for a while; no more than all the time where it does not burst."""
    network_burst_s: float | None = None
    """For how long it does at least, once it is rested."""
    disk_bytes_per_s: float | None = None
    """What passes between it and its network storage all the time."""
    disk_burst_bytes_per_s: float | None = None
    disk_operations_per_s: float | None = None
    """Operations on its network storage all the time."""
    disk_burst_operations_per_s: float | None = None
    disk_burst_s: float | None = None
    """For how long operations and bytes do more, at least once a day."""
    cpu_baseline_ratio: float | None = None
    """Of a burstable one, the share of its vCPUs that it earns credits for."""
    speed_ratio: float | None = None
    """How fast a vCPU is when all are busy, over one of the catalogue's reference; in a plan, over one of the machine
    that the scenario's CPU times were measured on."""

    @property
    def cores(self) -> int:
        """How many things it does at a time: its vCPUs, of which a part is one."""
        return max(1, int(self.vcpu))

    @property
    def speed(self) -> float:
        """How fast a vCPU is, in a plan over those that CPU times were measured on: as fast where nobody knows."""
        return 1.0 if self.speed_ratio is None else self.speed_ratio

    @property
    def program_gib(self) -> float:
        """What the program may take of the memory: all of it where the provider is not known to take any."""
        return self.memory_gib if self.usable_memory_gib is None else self.usable_memory_gib


class Catalogue:
    """The shapes of one cloud."""

    __slots__ = ("_shapes",)

    def __init__(self, shapes: Mapping[tuple[str, str], Shape]) -> None:
        """Take the shapes by what they are and their name."""
        self._shapes = shapes

    def find(self, what: str, name: str) -> Shape | None:
        """Return the shape of that name, or None."""
        return self._shapes.get((what, name))

    def unknown(self, what: str, name: str) -> str:
        """Return what is wrong with a shape's name, or "" where there is a shape of that name."""
        if self.find(what, name) is not None:
            return ""
        return f"no {what} shape named {name!r}{did_you_mean(name, [shape.name for shape in self.of(what)])}"

    def of(self, what: str) -> Iterator[Shape]:
        """Yield the shapes of one of WHAT in the catalogue's order."""
        return (shape for (shape_what, _), shape in self._shapes.items() if shape_what == what)

    def __len__(self) -> int:
        return len(self._shapes)

    def cheapest(
        self, what: str, fits: Callable[[Shape], bool], rates: Mapping[str, Decimal], passed: int = 0
    ) -> Shape | None:
        """Return the first shape of `rates` that fits, the cheapest as `Book.rates` has them; None without one.

        So many as are `passed` over are left out, the cheapest first.

        A shape without a price in `rates` is no candidate: it cannot be shown to be the cheapest.
        """
        for name in rates:
            shape = self._shapes.get((what, name))
            if shape is not None and fits(shape):
                if not passed:
                    return shape
                passed -= 1
        return None


@dataclass(frozen=True, slots=True)
class Allocatable:
    """What is left for pods on one node."""

    cpu_m: int
    """Thousandths of a core."""
    memory_mib: int
    pods: int

    @classmethod
    def whole(cls, shape: Shape, vm_overhead_ratio: float) -> Allocatable:
        """Return what a machine without Kubernetes leaves: all but what the hypervisor takes of the memory."""
        return cls(int(shape.vcpu * 1000), int(shape.memory_gib * 1024 * (1 - vm_overhead_ratio)), UNBOUNDED)

    def pods_of(self, cpu_m: float, memory_mib: float) -> int:
        """Return how many pods of one kind fit: by CPU, by memory and by the pod limit, whichever is least."""
        return max(0, min(self.pods, int(self.cpu_m // cpu_m), int(self.memory_mib // memory_mib)))

    def unrequested_share(self, pods: int, cpu_m: float, memory_mib: float) -> float:
        """Return the share that pods of one kind leave free, of CPU or memory, whichever is fuller."""
        return 1 - max(pods * cpu_m / self.cpu_m, pods * memory_mib / self.memory_mib)


class DiskRate(NamedTuple):
    """What a disk does all the time."""

    operations_per_s: float
    bytes_per_s: float


class StorageRate(NamedTuple):
    """What a database's storage does without being paid apart."""

    called: str
    """What the storage is called."""
    small: DiskRate
    larger_gib: int
    """From this size on it does more; 0 where size changes nothing."""
    larger: DiskRate
    """What it does then."""
    most: DiskRate
    """What it does at most, where more is bought."""
    operations_per_mib: float
    """Operations a second that must be there for each MiB/s that is bought."""
    source: str

    def of(self, gib: float) -> DiskRate:
        """Return what storage of a size does."""
        return self.larger if self.larger_gib and gib >= self.larger_gib else self.small

    def takes_provisioned(self, gib: float) -> bool:
        """Return whether more operations can be bought for storage of a size."""
        return gib >= self.larger_gib


class PodSizes(NamedTuple):
    """What pods may be that run on no node of ours: each is rounded up to the next size, and that is charged."""

    memory_gib: Mapping[float, tuple[float, ...]]
    """vCPU -> what memory it is sold with, both rising."""
    taken_mib: int
    """Memory of each pod that is not its own."""
    architecture: str
    source: str

    def of(self, cpu_cores: float, memory_mib: float) -> Shape | None:
        """Return the smallest size that holds a pod; None where it is larger than all of them."""
        needed = (memory_mib + self.taken_mib) / 1024
        for vcpu, sold in self.memory_gib.items():
            fits = [gib for gib in sold if gib >= needed]
            if vcpu >= cpu_cores and fits:
                return Shape("pod", f"{vcpu:g} vCPU {fits[0]:g} GiB", vcpu, fits[0], self.architecture)
        return None

    @property
    def largest(self) -> tuple[float, float]:
        """The most vCPU and GiB of a pod."""
        vcpu, sold = list(self.memory_gib.items())[-1]
        return vcpu, sold[-1]


class Burst(NamedTuple):
    """What becomes of a burstable instance that has spent its CPU credits."""

    offer: Offer | None
    """What each further vCPU-hour is bought as; None where it is slowed to its baseline instead."""
    source: str

    def words(self, vcpu_hours: float, usd: Decimal | None) -> str:
        """Return what becomes of so many vCPU-hours a month that no credits are earned for; `usd` is the price of one.

        None where it has none.
        """
        if self.offer is None:
            return "it is slowed to that share"
        billed = f"{vcpu_hours:,.0f} vCPU-hours a month are billed"
        return f"{billed} besides" if usd is None else f"{billed} at ${usd:f}, ${vcpu_hours * float(usd):,.2f}"


class CapacityUnit(NamedTuple):
    """What one capacity unit of a load balancer covers; the fullest dimension is charged."""

    new_connections_per_s: float
    active_connections: float
    gib_per_h: float
    source: str


class ServerlessCache(NamedTuple):
    """What a cache without nodes holds and does at most, and how what it is asked is counted."""

    stored_gib_least: float
    """Less than that is charged as much."""
    stored_gib_most: float
    units_per_s_most: float
    """Processing units a second."""
    bytes_per_unit: float
    """A command is a unit for so many bytes that it moves, and at least one."""
    connection_count_most: int
    source: str

    def units(self, moved_bytes: float) -> float:
        """Return the processing units of a command that moves so many bytes.

        >>> ServerlessCache(1, 5000, 15e6, 1024, 65_000, "").units(3277)
        3.2001953125
        """
        return max(1.0, moved_bytes / self.bytes_per_unit)
