"""What an instance of a tier is sized from, and the questions every tier asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from math import ceil, floor
from typing import Any, Generic, TypeVar

from cascade_plan.errors import InfeasibleError, TooSmallError, UsageError
from cascade_plan.formulas.accumulation import MONTHS_PER_YEAR, held, held_of
from cascade_plan.formulas.draws import whole
from cascade_plan.model.catalogue import UNBOUNDED, WHAT, Allocatable, DiskRate, Shape
from cascade_plan.model.cloud import Cloud
from cascade_plan.model.derivation import Derivation, Finding, Input
from cascade_plan.model.fleet import Band, Guest, NodeGroup, Sized, Streams
from cascade_plan.model.offer import Offer
from cascade_plan.model.part import Need
from cascade_plan.model.place import Place
from cascade_plan.model.price import Book
from cascade_plan.model.scenario import Scenario, default_at, value_at
from cascade_plan.model.solution import Solution
from cascade_plan.model.tier import Settings
from cascade_plan.model.traffic import Traffic
from cascade_plan.units import SECONDS_PER_HOUR

S = TypeVar("S", bound=Settings)
VM_OVERHEAD_RATIO = 0.075
"""Of a node outside a cluster too: Karpenter's vm-memory-overhead-percent, https://karpenter.sh/docs/reference/settings/"""
ROOT_DISK_GIB = 8
"""Of a node outside a cluster: the root volume of Amazon Linux 2023's image."""


@dataclass(frozen=True, slots=True)
class Site(Generic[S]):
    """An instance of a tier within its scenario and fleet."""

    name: str
    settings: S
    scenario: Scenario
    fleet: Mapping[str, Sized]
    """The instances sized so far, by name; all of them once a fleet stands."""

    @property
    def sized(self) -> Sized:
        """The instance itself, once it is sized. Raises KeyError before."""
        return self.fleet[self.name]

    def of(self, kind: str) -> tuple[Sized, ...]:
        """Return the sized instances of a kind; none where it is off."""
        return tuple(sized for sized in self.fleet.values() if sized.kind == kind)

    def settings_of(self, kind: str) -> Any:
        """Return the settings of the first instance of a kind, or None where it is off."""
        name = self.scenario.first(kind)
        return self.scenario.tiers[name] if name else None

    @property
    def streams(self) -> tuple[Streams, ...]:
        """What keeps connections open, of the instances sized so far."""
        return tuple(sized.streams for sized in self.fleet.values() if sized.streams is not None)

    @property
    def application(self) -> str:
        """What emitted objects are called after."""
        return self.scenario.application_name

    @property
    def workload(self) -> str:
        """What its pods are called in Kubernetes and in metrics."""
        return f"{self.application}-{self.name.replace('_', '-')}"


def nodes_of(name: str) -> str:
    """Return what the group of an instance's nodes is called."""
    return f"{name} nodes"


def connections_held(site: Site[Any], before: tuple[Place, ...]) -> int:
    """Return how many connections the units of all services at these places may open together."""
    each = {sized.name: load.connection_count_per_pod for sized in site.fleet.values() for load in sized.workloads}
    return sum(place.unit_count * each.get(place.tier, 0) for place in before if place.is_scaled)


@dataclass(frozen=True, slots=True)
class Ask(Site[S]):
    """An instance that is to be sized, with the traffic, the prices and the method's findings."""

    traffic: Traffic
    cloud: Cloud
    book: Book
    origins: Mapping[str, str]
    """Where a scenario value was given (file:line or a flag), by dotted path; absent for defaults."""
    solution: Solution | None = None
    """What the method slo found; None while the rules size."""
    day: date | None = None
    """By which versions are supported or not; None where nothing says what day it is."""
    guests: tuple[Guest, ...] = ()
    """The pods of other kinds that stand on its nodes."""
    passed_count: int = 0
    """How many of the cheapest shapes that meet its need are passed over, as too small for what no count helps."""
    is_whole: bool = True
    """Whether all is said: findings, and each month of the first year of what accumulates. Where not, what a bill and a
    load need of the month of the bill."""

    @property
    def months(self) -> range:
        """The months that what accumulates is counted for, the first being 1."""
        month = self.scenario.month
        return range(1, MONTHS_PER_YEAR + 1) if self.is_whole else range(month, month + 1)

    def added(self, month: int) -> tuple[float, ...]:
        """Return what each month up to one adds of what accumulates, over what the month of the bill adds.

        As much as that where nothing says how many users an earlier month had; a later one is as this one.
        """
        before, now = self.scenario.users.average_before, self.scenario.users.average
        if before is None:
            return (1.0,) * month
        known = (*(each / now for each in before), 1.0)
        return (*known[:month], *(1.0 for _ in range(month - len(known))))

    def held(self, month: int, kept_months: float | None = None) -> float:
        """Return how many months' additions, at the rate of the bill's month, are there in the mean of a month."""
        if self.scenario.users.average_before is None:
            return held(month, kept_months)
        return held_of(self.added(month), kept_months)

    @property
    def hours(self) -> int:
        """The hours of the month that the bill is of."""
        return self.scenario.hours_per_month

    def monthly(self, per_s: Band) -> Band:
        """Return what a rate comes to in the month that the bill is of."""
        return per_s.times(self.hours * SECONDS_PER_HOUR)

    def given(self, path: str) -> Input:
        """Return a scenario value with its origin: where it was given, or the default's source."""
        origin = self.origins.get(path)
        if origin is None:
            default = default_at(self.scenario, path)
            origin = f"built-in default ({default.kind}): {default.source}" if default else "not given"
        return Input(path, value_at(self.scenario, path), origin)

    def own(self, leaf: str) -> Input:
        """Return a value of its own settings with its origin."""
        return self.given(f"tiers.{self.name}.{leaf}")

    def assumed(self, *paths: str) -> tuple[str, ...]:
        """Return which of some values of the scenario nobody gave or measured, so that they are assumptions.

        One without a default is: something is computed in its place.
        """
        return tuple(path for path in paths if self._is_assumed(path))

    def _is_assumed(self, path: str) -> bool:
        if path in self.origins:
            return False
        default, value = default_at(self.scenario, path), value_at(self.scenario, path)
        return value is None if default is None else default.kind == "assumption" and value == default.value

    def least(self, leaf: str, asked: int) -> tuple[int, Input]:
        """Return a least count: that of its own settings, or where none is given what the availability asks for."""
        value = getattr(self.settings, leaf)
        if value is not None:
            return value, self.own(leaf)
        word = self.given("availability.level")
        return asked, Input(f"tiers.{self.name}.{leaf}", asked, f"availability {word.value} ({word.origin})")

    def computed(self, figure: str) -> Input:
        """Return a figure of an instance sized before as an input. Raises KeyError when there is none."""
        name, _, leaf = figure.partition(".")
        for derivation in self.fleet[name].figures:
            if derivation.figure == figure:
                return Input(figure, derivation.value, "computed")
        raise KeyError(leaf)

    def figure(
        self,
        leaf: str,
        value: int | float,
        unit: str,
        formula: str,
        inputs: tuple[Input, ...] = (),
        source: str = "",
        note: str = "",
    ) -> Derivation:
        """Return a figure of this instance: the one place that joins an instance's name and a figure."""
        return Derivation(f"{self.name}.{leaf}", value, unit, formula, inputs, source, note)

    def solved(self, leaf: str) -> int | None:
        """Return the count that the method slo found for a figure of this instance, or None while the rules size."""
        return None if self.solution is None else self.solution.counts.get(f"{self.name}.{leaf}")

    def nodes_for(self, users: float, users_per_node: float) -> int:
        """Return users / users per node, rounded as the scenario says (up, or down as the plan is written)."""
        return (ceil if self.scenario.rounding == "up" else floor)(users / users_per_node)

    def rounding_note(self, users: float, users_per_node: float, least: int) -> str:
        """Return a sentence where rounding up and down lead to different counts, else ""."""
        if not self.is_whole:
            return ""
        up, down = max(least, ceil(users / users_per_node)), max(least, floor(users / users_per_node))
        if up == down:
            return ""
        left = round(users - down * users_per_node)
        if self.scenario.rounding == "up":
            return f"rounding down gives {down} and leaves {left:,} users without a share; rounded up to {up}"
        return f"rounded down, as `rounding: down` asks: {left:,} users have no share; rounding up gives {up}"

    def hourly(self, count: Callable[[float], float]) -> tuple[float, ...]:
        """Return a count that follows the connected users, in each hour of the average day."""
        return tuple(count(users) for users in self.traffic.hourly_users)

    def average(self, count: Callable[[float], float]) -> float:
        """Return the mean over the day of such a count."""
        hours = self.hourly(count)
        return sum(hours) / len(hours)

    def usd(self, offer: Offer) -> Decimal | None:
        """Return the price of one of an offer on demand; None where the book has none."""
        price = self.book.find(*self.cloud.key(offer))
        return None if price is None else price.usd

    def shape(self, what: str, options: tuple[str, ...] = ()) -> Shape:
        """Return the shape that its settings name, or the cheapest that meets the need they state.

        Raises UsageError for an unknown name and InfeasibleError when no priced shape meets the need.
        """
        path, wanted = f"tiers.{self.name}.shape", getattr(self.settings, "shape")  # noqa: B009
        if isinstance(wanted, Need):
            return self.cheapest(path, what, wanted, options, self.passed_count)
        catalogue = self.cloud.catalogue()
        if (shape := catalogue.find(what, wanted)) is None:
            where = self.origins.get(path, "default")
            raise UsageError(f"{where}: {path}: {catalogue.unknown(what, wanted)}")
        return self._beside_measured(shape)

    def cheapest(self, path: str, what: str, need: Need, options: tuple[str, ...] = (), passed_count: int = 0) -> Shape:
        """Return the cheapest on-demand shape with at least the CPU and memory of `need`, sold by the tier's terms.

        So many of the cheapest are passed over. Raises InfeasibleError naming the need and what the largest priced
        shape has.
        """
        terms = [part.term for part in getattr(self.settings, "terms", ())]

        def is_sold(shape: Shape) -> bool:
            return all(self.cloud.sells(Offer(what, shape.name, options), term) for term in terms)

        def fits(shape: Shape) -> bool:
            return (
                shape.vcpu >= need.vcpu
                and shape.memory_gib >= need.memory_gib
                and (need.burstable or not shape.burstable)
                and (what != "vm" or need.architecture in ("any", shape.architecture))
                and is_sold(shape)
            )

        key, catalogue = self.cloud.key(Offer(what, "", options)), self.cloud.catalogue()
        rates = self.book.rates(key.service, key.variant)
        if (shape := catalogue.cheapest(what, fits, rates, passed_count)) is None:
            sold = [shape for shape in catalogue.of(what) if shape.name in rates and is_sold(shape)]
            largest = max((shape.memory_gib for shape in sold), default=0)
            by = f" that is sold by {', '.join(terms)}" if terms else ""
            raise InfeasibleError(
                f"{path}: no priced {what} shape in {self.book.region}{by} has {need.vcpu} vCPU and "
                f"{need.memory_gib:g} GiB (architecture {need.architecture}); the largest priced has {largest:g} GiB"
            )
        return self._beside_measured(shape)

    def _beside_measured(self, shape: Shape) -> Shape:
        """Return a shape with its speed over the one that CPU times were measured on. Raises UsageError."""
        measured_on, path = self.scenario.behaviour.measured_on, "behaviour.measured_on"
        if measured_on is None:
            return shape
        catalogue = self.cloud.catalogue()
        known = next((found for what in WHAT if (found := catalogue.find(what, measured_on))), None)
        if known is None:
            where = self.origins.get(path, "default")
            raise UsageError(f"{where}: {path}: {catalogue.unknown('vm', measured_on)}")
        if measured_on == shape.name:
            return replace(shape, speed_ratio=1.0)
        both = known.speed_ratio is not None and shape.speed_ratio is not None
        return replace(shape, speed_ratio=shape.speed / known.speed if both else None)

    def speed_findings(self, shape: Shape) -> Iterator[Finding]:
        """Yield that nobody says how fast a shape is beside the one that CPU times were measured on."""
        if shape.speed_ratio is None:
            beside = self.scenario.behaviour.measured_on or "the catalogue's reference"
            words = f"how fast a vCPU of {shape.name} is beside {beside} is not known: CPU times are taken as they are"
            yield Finding("info", "speed-unknown", words, f"tiers.{self.name}.shape")

    def allocatable(self, shape: Shape, prefix_delegation: bool = False) -> Allocatable:
        """Return what a node leaves for pods, less what a cluster keeps of it; also as if it delegated prefixes."""
        cluster = self.settings_of("cluster")
        if cluster is None:
            return self.cloud.allocatable(shape, VM_OVERHEAD_RATIO, 0.0, 0.0, 0, in_cluster=False)
        return self.cloud.allocatable(
            shape,
            cluster.vm_overhead_ratio,
            cluster.daemonset_cpu_cores,
            cluster.daemonset_memory_mib,
            cluster.daemonset_pods,
            cluster.prefix_delegation or prefix_delegation,
        )

    @property
    def host(self) -> str:
        """The service on whose nodes its pods stand; empty where it has nodes of its own.

        Raises UsageError where there is no cluster, without which nothing places pods.
        """
        name: str = getattr(self.settings, "nodes_of") or ""  # noqa: B009
        if name and not self.scenario.of("cluster"):
            given, words = self.own("nodes_of"), "a cluster places pods on nodes of others, and this scenario has none"
            raise UsageError(f"{given.origin}: {given.name}: {words} (cluster: {{}})")
        return name

    @property
    def host_speed(self) -> float:
        """The speed of a vCPU of the nodes that its pods stand on, which are those of another service."""
        owner: Ask[Any] = replace(self, name=self.host, settings=self.scenario.tiers[self.host])  # type: ignore[arg-type]
        return owner.shape("vm").speed

    def pods_per_node(self, shape: Shape, cpu_cores: float, memory_mib: float) -> int:
        """Return how many pods of its kind a node holds. Raises TooSmallError when not even one fits."""
        node = self.allocatable(shape)
        if count := node.pods_of(cpu_cores * 1000, memory_mib):
            return count
        raise TooSmallError(
            self.name,
            f"tiers.{self.name}.pod: a pod of {cpu_cores:g} cores and {memory_mib:g} MiB does not fit a "
            f"{shape.name}, which leaves {node.cpu_m / 1000:g} cores and {node.memory_mib} MiB",
        )

    def pod_limit_findings(self, shape: Shape, cpu_cores: float, memory_mib: float) -> Iterator[Finding]:
        """Yield that a node's addresses or its kubelet hold fewer pods than its CPU and memory do."""
        node, size = self.allocatable(shape), (cpu_cores * 1000, memory_mib)
        held, fits = node.pods, replace(node, pods=UNBOUNDED).pods_of(*size)
        if held >= fits:
            return
        words = f"a {shape.name} runs at most {held} pods beside its agents; its CPU and memory hold {fits}"
        if (more := self.allocatable(shape, prefix_delegation=True).pods_of(*size)) > held:
            words += f": {more} with addresses in blocks, set tiers.{self.scenario.first('cluster')}.prefix_delegation"
        yield Finding("info", "pod-limit", words, f"tiers.{self.name}.shape")

    def nodes(
        self,
        shape: Shape,
        count: Band,
        unrequested_share: float,
        data_gib: int = 0,
        hourly_count: tuple[float, ...] = (),
    ) -> NodeGroup:
        """Return the group of the machines of its own that its pods run on, with `data_gib` for each beside.

        Pods of a cluster claim that as volumes of their own; without one it is on the root volume.
        """
        cluster = self.settings_of("cluster")
        root_gib = ROOT_DISK_GIB if cluster is None else whole(cluster.disk_gib)
        # Kubernetes counts single addresses by itself, and has to be told of blocks.
        is_told = cluster is not None and cluster.prefix_delegation
        pods = self.allocatable(shape).pods + cluster.daemonset_pods if is_told else 0
        return NodeGroup(
            tier=self.name,
            name=nodes_of(self.name),
            role="nodes",
            shape=shape,
            offer=Offer("vm", shape.name),
            count=count,
            terms=getattr(self.settings, "terms"),  # noqa: B009
            disk_gib=root_gib + data_gib,
            claimed_gib=0 if cluster is None else data_gib,
            disk_rate=self._node_disk(),
            pod_count_max=pods,
            unrequested_share=unrequested_share,
            lever=f"{self.name}.node_count",
            hourly_count=hourly_count,
        )

    def _node_disk(self) -> DiskRate | None:
        """Return what the root volume of a node does: what it includes, or what more the cluster asks of it."""
        included, cluster = self.cloud.node_disk(), self.settings_of("cluster")
        if included is None or cluster is None:
            return included
        asked = DiskRate(float(cluster.disk_operations_per_s), float(cluster.disk_mib_per_s * 2**20))
        return DiskRate(*map(max, included, asked))
