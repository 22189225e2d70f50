"""What a tier is given to size itself, and the questions every tier asks of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import ceil, floor
from operator import attrgetter

from cascade_plan.clouds.aws.eks import Allocatable, allocatable, max_pods
from cascade_plan.errors import InfeasibleError, UsageError, did_you_mean
from cascade_plan.model.catalogue import Catalogue, Shape
from cascade_plan.model.defaults import DEFAULTS
from cascade_plan.model.derivation import Derivation, Input
from cascade_plan.model.fleet import TierFleet
from cascade_plan.model.load import Load
from cascade_plan.model.price import Book
from cascade_plan.model.scenario import Need, Scenario
from cascade_plan.model.solution import Solution


@dataclass(frozen=True, slots=True)
class Brief:
    """Scenario, load, catalogue, prices, and the tiers sized so far."""

    scenario: Scenario
    load: Load
    catalogue: Catalogue
    book: Book
    origins: Mapping[str, str]
    """Where a scenario value was given (file:line or a flag), by dotted path; absent for defaults."""
    solution: Solution | None = None
    """What the method slo found; None while the rules size."""
    sized: dict[str, TierFleet] = field(default_factory=dict)

    def given(self, path: str) -> Input:
        """Return a scenario value with its origin: where it was given, or the default's source."""
        value = attrgetter(path)(self.scenario)
        origin = self.origins.get(path)
        if origin is None:
            default = DEFAULTS.get(path)
            origin = f"default ({default.kind}): {default.source}" if default else "not given"
        return Input(path, value, origin)

    def computed(self, figure: str) -> Input:
        """Return a figure of a tier sized before as an input."""
        return Input(figure, self.figure(figure).value, "computed")

    def figure(self, name: str) -> Derivation:
        """Return a figure of a tier sized before. Raises KeyError when there is none of that name."""
        for derivation in self.sized[name.split(".")[0]].figures:
            if derivation.figure == name:
                return derivation
        raise KeyError(name)

    def nodes_for(self, users: float, users_per_node: float) -> int:
        """Return users / users per node, rounded as the scenario says (up, or down as the plan is written)."""
        return (ceil if self.scenario.rounding == "up" else floor)(users / users_per_node)

    def rounding_note(self, users: float, users_per_node: float, least: int) -> str:
        """Return a sentence where rounding up and down lead to different counts, else ""."""
        up, down = max(least, ceil(users / users_per_node)), max(least, floor(users / users_per_node))
        if up == down:
            return ""
        left = round(users - down * users_per_node)
        if self.scenario.rounding == "up":
            return (
                f"the plan's floor division gives {down} and leaves {left:,} users without a share; rounded up to {up}"
            )
        return f"rounded down as the plan is written: {left:,} users have no share; rounding up gives {up}"

    def average(self, count: Callable[[float], float]) -> float:
        """Return the mean over the day of a count that follows the connected users of each hour."""
        hours = self.load.hourly_users
        return sum(count(users) for users in hours) / len(hours)

    def shape(self, path: str, service: str, variant: str) -> Shape:
        """Return the shape a scenario names at `path`, or the cheapest that meets the need it states there.

        Raises UsageError for an unknown name and InfeasibleError when no priced shape meets the need.
        """
        wanted = attrgetter(path)(self.scenario)
        if isinstance(wanted, Need):
            return self.cheapest(path, service, variant, wanted)
        if (shape := self.catalogue.find(service, wanted)) is None:
            known = [shape.name for shape in self.catalogue.of(service)]
            where = self.origins.get(path, "default")
            raise UsageError(f"{where}: {path}: no {service} shape named {wanted!r}{did_you_mean(wanted, known)}")
        return shape

    def cheapest(self, path: str, service: str, variant: str, need: Need) -> Shape:
        """Return the cheapest on-demand shape with at least the CPU and memory of `need`.

        Raises InfeasibleError naming the need and what the largest priced shape has.
        """

        def fits(shape: Shape) -> bool:
            return (
                shape.vcpu >= need.vcpu
                and shape.memory_gib >= need.memory_gib
                and (need.burstable or not shape.burstable)
                and (service != "ec2" or need.architecture in ("any", shape.architecture))
            )

        rates = self.book.rates(service, variant)
        if (shape := self.catalogue.cheapest(service, fits, rates)) is None:
            largest = max((s.memory_gib for s in self.catalogue.of(service) if s.name in rates), default=0)
            raise InfeasibleError(
                f"{path}: no priced {service} shape in {self.book.region} has {need.vcpu} vCPU and "
                f"{need.memory_gib:g} GiB (architecture {need.architecture}); the largest priced has {largest:g} GiB"
            )
        return shape

    def allocatable(self, shape: Shape) -> Allocatable:
        """Return what a node of an EC2 shape leaves for pods, after the kubelet's and the daemonsets' share."""
        cluster = self.scenario.tiers.cluster
        return allocatable(
            shape.vcpu,
            shape.memory_gib,
            max_pods(shape.eni_count, shape.ipv4_count_per_eni),
            cluster.vm_overhead_ratio,
            cluster.daemonset_cpu_cores,
            cluster.daemonset_memory_mib,
            cluster.daemonset_pods,
        )
