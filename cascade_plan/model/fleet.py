"""What a load needs: instances of tiers with their groups of nodes, metered use, levers, workloads, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from cascade_plan.formulas import rollouts
from cascade_plan.formulas.draws import whole
from cascade_plan.formulas.packing import Room
from cascade_plan.model.catalogue import DiskRate, Shape
from cascade_plan.model.ceiling import Ceiling, Demand
from cascade_plan.model.derivation import Derivation, Finding
from cascade_plan.model.offer import Offer
from cascade_plan.model.solution import Rejection
from cascade_plan.model.terms import TermShare
from cascade_plan.units import HOURS_PER_MONTH

UNNAMED: Final = "registry.example.com/"
"""Where images come from that nobody has named (RFC 2606)."""
LEVELS = ("floor", "average", "peak", "ceiling")
"""The band of a bill: the autoscaler at its minimum in the quietest hour, the day's mean, the peak all month, and
the autoscaler at its maximum at peak load."""


@dataclass(frozen=True, slots=True)
class Band:
    """One amount at the four levels of the band."""

    floor: float
    average: float
    peak: float
    ceiling: float

    @classmethod
    def constant(cls, amount: float) -> Band:
        """Return the band of an amount that does not move with the load."""
        return cls(amount, amount, amount, amount)

    def each(self, change: Callable[[float], float]) -> Band:
        """Return the band with `change` applied at every level."""
        return Band(change(self.floor), change(self.average), change(self.peak), change(self.ceiling))

    def times(self, factor: float) -> Band:
        """Return the band multiplied by a factor."""
        return Band(self.floor * factor, self.average * factor, self.peak * factor, self.ceiling * factor)

    def scaled(self, factors: Band) -> Band:
        """Return the level-wise product of two bands."""
        return Band(*(amount * factor for amount, factor in zip(self, factors, strict=True)))

    def plus(self, other: Band) -> Band:
        """Return the level-wise sum of two bands."""
        return Band(
            self.floor + other.floor, self.average + other.average, self.peak + other.peak, self.ceiling + other.ceiling
        )

    def __add__(self, other: Band) -> Band:
        return self.plus(other)

    def __iter__(self) -> Iterator[float]:
        return iter((self.floor, self.average, self.peak, self.ceiling))


NONE = Band(0, 0, 0, 0)
NOTHING_SENT: Final = Demand()


@dataclass(frozen=True, slots=True)
class Portion:
    """A part of an instance that has a price of its own, where the whole has none: such as the CPU of a pod."""

    name: str
    """What it is called behind the group's name."""
    offer: Offer
    amount: Band
    """What one instance has of it, in the mean of an hour at each level."""
    unit: str
    """Of what an hour of it is priced by, such as vcpu_hour."""


@dataclass(frozen=True, slots=True)
class NodeGroup:
    """Instances of one shape that do one job."""

    tier: str
    """The name of the tier's instance."""
    name: str
    """The stable name a bill shows, such as "api nodes"; no two groups of a plan share one."""
    role: str
    """What its instances are to their tier: nodes, primary or replicas."""
    shape: Shape
    offer: Offer
    count: Band
    """Instances running, averaged over the month at each level; the floor's count runs all month."""
    terms: tuple[TermShare, ...] = ()
    """How shares of the instances are paid; what they leave is on demand."""
    disk_gib: int = 0
    """Block storage of each instance."""
    claimed_gib: int = 0
    """Of that storage, what pods claim as volumes of their own; the rest is each node's root volume."""
    disk_rate: DiskRate | None = None
    """What that storage does all the time; None where nothing limits it."""
    pod_count_max: int = 0
    """Pods that Kubernetes is told to run on each, of agents too; 0 where it finds that out by itself."""
    unrequested_share: float = 0.0
    """Share of the group's allocatable capacity (CPU or memory, whichever is fuller) that nothing requests."""
    lever: str = ""
    """The lever that counts its nodes; empty where the count does not move."""
    portions: tuple[Portion, ...] = ()
    """What an instance is priced by; empty where an hour of it has a price."""
    hourly_count: tuple[float, ...] = ()
    """Instances running in each hour of the average day; empty where always as many."""

    @property
    def is_nodes(self) -> bool:
        """Whether its instances are virtual machines that pods run on."""
        return self.offer.what == "vm"

    @property
    def root_gib(self) -> int:
        """Size of each instance's root volume."""
        return self.disk_gib - self.claimed_gib

    @property
    def units(self) -> frozenset[str]:
        """The units of the bill's lines that are of its instances, and not of what belongs to them."""
        return frozenset(portion.unit for portion in self.portions) or frozenset({"hour"})


@dataclass(frozen=True, slots=True)
class Usage:
    """A metered amount a month that is not an instance."""

    tier: str
    name: str
    offer: Offer
    amount: Band
    """Amount a month at each level, in the price's unit."""
    unit: str
    price_usd: Decimal | None = None
    """The price of one, where the scenario itself gives it; otherwise the book has it."""
    source: str = ""
    """Where that price comes from, as the scenario says it."""
    group: str = ""
    """The name of the group of instances it is a part of, such as the storage of a database; empty where of none."""
    amount_monthly: tuple[Band, ...] = ()
    """The amount in each of the first twelve months, where it accumulates; empty where every month is the same."""


COUNT_MOST: Final = 100_000
"""No search for a count goes beyond this."""


@dataclass(frozen=True, slots=True)
class Lever:
    """A count that something decides: the one truth of bill, autoscaler, search for the least fleet and emitters."""

    name: str
    """Its figure without the level, such as api.node_count."""
    floor_count: int
    base_count: int
    """At the scenario's peak."""
    most_count: int
    set_by: str
    """rules, method (the least that meets every load), or pinned (in the scenario)."""
    is_scaled: bool = False
    """Whether an autoscaler moves it between floor and most."""
    reaction_s: float = 0.0
    """From a count that is asked for to one that answers."""
    is_searched: bool = False
    """Whether the method slo looks for the least of it that keeps every load's latency."""
    spread: str = ""
    """What the loss of zones takes of it: "nodes" (zones and nodes), "zones" (zones alone), "" nothing."""
    least_count: int = 0
    """Fewer of it are never tried."""
    count_max: int = COUNT_MOST
    """More of it cannot be had."""
    left_least_count: int = 0
    """Fewer of it that zones and nodes lost leave do not hold what must stand on them."""
    offer: Offer | None = None
    """What one more of it buys."""

    @property
    def tried_count_max(self) -> int:
        """The most that is tried: what can be had, or what is asked for at least."""
        return max(self.count_max, self.least_count)

    def at(self, users: float, users_peak: float) -> int:
        """Return the count that an autoscaler holds for so many users: it follows them as the base follows the peak."""
        if not self.is_scaled:
            return self.base_count
        wanted: int = -whole(-self.base_count * users // users_peak)
        return min(self.most_count, max(self.floor_count, wanted))


@dataclass(frozen=True, slots=True)
class Target:
    """What an autoscaler aims for in the mean over the pods."""

    metric: str
    value: float
    unit: str
    """s, % of the request, or requests/s a pod."""


@dataclass(frozen=True, slots=True)
class Workload:
    """Pods of one image: Kubernetes objects, scrape job, series and clients of pools follow from it."""

    tier: str
    kind: str
    name: str
    """What its Deployment or StatefulSet is called, and the job that scrapes it."""
    image: str
    """What it runs; one that begins as UNNAMED nobody has named yet."""
    port: int
    cpu_cores: float
    """CPU a pod requests."""
    memory_mib: int
    """Memory a pod requests."""
    memory_mib_max: int
    """Memory a pod may take."""
    replica_count_min: int
    replica_count_max: int
    pod_count_per_node: int
    pod_count_max: int
    """Pods of it that its nodes hold when there are most of them."""
    cores_per_pod: float
    """Cores a single-threaded pod gets when all pods of a node are busy; at most 1."""
    group: str
    """The name of the node group it runs on."""
    serves: str
    """requests, connections or jobs: what its metrics count."""
    cpu_cores_max: float | None = None
    """Most CPU a pod may use; None where nothing limits it."""
    ready_path: str = ""
    live_path: str = ""
    connection_count_per_pod: int = 0
    """Most connections one pod opens to each address of a pool or a database; 0 where it asks none."""
    queue: str = ""
    """The queue whose length it is scaled by; empty where it is scaled by latency, or not at all."""
    jobs_per_pod: float = 0.0
    """Jobs waiting for each pod at which the autoscaler adds one."""
    scaled_by: tuple[str, ...] = ()
    """The metrics of its pods that its autoscaler reads; empty where it reads none of them."""
    targets: Mapping[str, Target] = field(default_factory=dict)
    """What an autoscaler would aim for by each metric, those that it does not read among them."""
    room: Room | None = None
    """What its nodes have for it, and what stands on them before it; None where it has as many places as there are."""
    reserved_pod_count: int = 0
    """Pods of it whose places on its fewest nodes are taken by what stands there before it."""
    cores_per_node: float = 0.0
    """Cores of a node that its pods have together when all pods are busy, the others' requests not yet taken."""
    beside_cpu_cores: float = 0.0
    """Cores that pods of other tiers request on all its nodes together."""

    @property
    def is_unnamed(self) -> bool:
        """Whether nobody has named its image."""
        return self.image.startswith(UNNAMED)

    def held(self, node_count: int) -> int:
        """Return how many pods of it so many nodes hold: one at least, where there is a node."""
        return node_count * self.pod_count_per_node if self.room is None else self.room.held(node_count)

    @property
    def running_count_max(self) -> int:
        """Pods that run at once at most, those that a rollout adds among them."""
        return rollouts.running_count_most(self.replica_count_max, self.pod_count_max)


@dataclass(frozen=True, slots=True)
class Guest:
    """Pods of one size that a tier has on the nodes of a service, and not on nodes of its own."""

    tier: str
    name: str
    """What they are to the tier, in words such as "pods" or "programs beside it"."""
    host: str
    """The service on whose nodes they stand."""
    cpu_cores: float
    """CPU that each requests."""
    memory_mib: int
    """Memory that each requests, and may take."""
    count: Band
    """How many there are at each level: their places are kept for the most of them at all times."""
    busy_cores: Band
    """CPU that they use together."""
    sent: Demand = NOTHING_SENT
    """Bytes a second that they send."""

    @property
    def count_max(self) -> int:
        """The most of them there are."""
        return round(max(self.count))

    def asks_more(self, than: Guest) -> bool:
        """Return whether more or larger pods are asked for than by another."""
        return self.count_max > than.count_max or self.memory_mib > than.memory_mib or self.cpu_cores > than.cpu_cores


@dataclass(frozen=True, slots=True)
class Streams:
    """Connections that a tier keeps open, and what they carry; rates at each level of the band."""

    connections: Band
    connection_lifetime_s: float
    heartbeat_interval_s: float
    messages_per_s: Band
    """Messages published."""
    message_bytes: float
    listener_count: float
    """Nodes that a message comes to, in the mean: those that hold one of its readers."""
    out_bytes_per_s: Band
    in_bytes_per_s: Band


@dataclass(frozen=True, slots=True)
class Sized:
    """What one instance of a tier needs, and why."""

    name: str
    kind: str
    groups: tuple[NodeGroup, ...] = ()
    usages: tuple[Usage, ...] = ()
    figures: tuple[Derivation, ...] = ()
    findings: tuple[Finding, ...] = ()
    not_priced: tuple[str, ...] = ()
    """What this tier will cost that the bill leaves out, in words."""
    levers: tuple[Lever, ...] = ()
    workloads: tuple[Workload, ...] = ()
    guests: tuple[Guest, ...] = ()
    """Its pods that stand on the nodes of another tier."""
    streams: Streams | None = None
    """Connections it keeps open, if it does."""
    ceilings: tuple[Ceiling, ...] = ()
    """What its instances do at most, that no queue of its places tells."""
    goals: Mapping[str, str] = field(default_factory=dict)
    """Figure -> the limit its settings ask for, such as "< 60": a gate where the scenario gives none of its own."""
    not_emitted: tuple[str, ...] = ()
    """What of it no emitter deploys, in words: a group's, usage's or workload's name, a colon, and why."""

    def value(self, leaf: str) -> float:
        """Return a figure's value by the end of its name: "node_count" of api.node_count. Raises KeyError."""
        wanted = f"{self.name}.{leaf}"
        for figure in self.figures:
            if figure.figure == wanted:
                return float(figure.value) if isinstance(figure.value, int | Decimal) else figure.value
        raise KeyError(wanted)

    def count(self, leaf: str) -> int:
        """Return a figure's value as a count. Raises KeyError."""
        found: int = whole(self.value(leaf))
        return found

    def group(self, role: str) -> NodeGroup:
        """Return the group of a role. Raises KeyError when there is none."""
        for group in self.groups:
            if group.role == role:
                return group
        raise KeyError(role)

    def has(self, role: str) -> bool:
        """Return whether there is a group of a role."""
        return any(group.role == role for group in self.groups)

    def lever(self, leaf: str) -> Lever:
        """Return a lever by the end of its name. Raises KeyError when there is none."""
        for lever in self.levers:
            if lever.name == f"{self.name}.{leaf}":
                return lever
        raise KeyError(leaf)


@dataclass(frozen=True, slots=True)
class Fleet:
    """Every instance of a tier, sized, by name in sizing order."""

    tiers: Mapping[str, Sized] = field(default_factory=dict)
    hours_per_month: int = HOURS_PER_MONTH
    """Hours that an instance runs which runs all month."""
    rejections: tuple[Rejection, ...] = ()
    """Smaller counts that the method slo tried, and the load each fails."""

    def of(self, kind: str) -> tuple[Sized, ...]:
        """Return every instance of a kind; none where the scenario has it off."""
        return tuple(sized for sized in self.tiers.values() if sized.kind == kind)

    @property
    def groups(self) -> tuple[NodeGroup, ...]:
        """All groups of nodes."""
        return tuple(group for tier in self.tiers.values() for group in tier.groups)

    def group_of(self, workload: Workload) -> NodeGroup:
        """Return the group of nodes that pods run on. Raises KeyError when there is none."""
        return {group.name: group for group in self.groups}[workload.group]

    def lever_of(self, workload: Workload) -> Lever:
        """Return the count of the nodes that pods run on. Raises KeyError when nothing decides it."""
        return {lever.name: lever for lever in self.levers}[self.group_of(workload).lever]

    def speed_of(self, tier: str) -> float:
        """Return how fast a vCPU of what a tier runs on is, over one that the scenario's CPU times are of."""
        sized = self.tiers[tier]
        shapes = [group.shape for group in sized.groups] or [self.group_of(run).shape for run in sized.workloads]
        return shapes[0].speed if shapes else 1.0

    @property
    def usages(self) -> tuple[Usage, ...]:
        """All metered use."""
        return tuple(usage for tier in self.tiers.values() for usage in tier.usages)

    @property
    def figures(self) -> tuple[Derivation, ...]:
        """All sized figures."""
        return tuple(figure for tier in self.tiers.values() for figure in tier.figures)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings."""
        return tuple(finding for tier in self.tiers.values() for finding in tier.findings)

    @property
    def ceilings(self) -> tuple[Ceiling, ...]:
        """All that instances do at most."""
        return tuple(ceiling for tier in self.tiers.values() for ceiling in tier.ceilings)

    @property
    def not_priced(self) -> tuple[str, ...]:
        """All that the bill leaves out, each once."""
        return tuple(dict.fromkeys(words for tier in self.tiers.values() for words in tier.not_priced))

    @property
    def levers(self) -> tuple[Lever, ...]:
        """All counts that something decides."""
        return tuple(lever for tier in self.tiers.values() for lever in tier.levers)

    @property
    def goals(self) -> Mapping[str, str]:
        """All limits that settings ask for, by figure."""
        return {figure: limit for tier in self.tiers.values() for figure, limit in tier.goals.items()}

    @property
    def workloads(self) -> tuple[Workload, ...]:
        """All pods that are run."""
        return tuple(workload for tier in self.tiers.values() for workload in tier.workloads)
