"""The fleet that ran, where it is another than the planned one: a test has its own pods, cores and database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from cascade_plan.errors import UsageError, did_you_mean
from cascade_plan.model.fleet import Fleet
from cascade_plan.model.place import Place
from cascade_plan.model.scenario import Scenario, with_values
from cascade_plan.planning.chain import Chain, chain
from cascade_plan.planning.latencies import scale_for, steady
from cascade_plan.planning.sizing import places


@dataclass(frozen=True, slots=True)
class Deployed:
    """What ran of each tier, by its name; what is not said is as it was planned."""

    pods: Mapping[str, int] = field(default_factory=dict)
    """Pods of a service."""
    cores: Mapping[str, float] = field(default_factory=dict)
    """Cores that all pods of a service have together: their limits, or what their machines leave them."""
    database_vcpu: Mapping[str, int] = field(default_factory=dict)
    """vCPU of each instance of a database."""

    @property
    def is_planned(self) -> bool:
        """Whether nothing is said, so that it is the planned fleet."""
        return not (self.pods or self.cores or self.database_vcpu)


@dataclass(frozen=True, slots=True)
class System:
    """A scenario, its planned fleet, and what really ran."""

    scenario: Scenario
    fleet: Fleet
    deployed: Deployed = field(default_factory=Deployed)

    def chain(self, scenario: Scenario, users: int, load: str = "") -> Chain:
        """Return the chain of a scenario's requests on what ran under so many users, or under a load of that name."""
        own = scenario.driven.get(load)
        peak = scenario.users.peak
        scale = steady(self.fleet, users, peak) if own is None else scale_for(scenario, self.fleet, own)
        return chain(scenario, tuple(self._real(place) for place in places(scenario, self.fleet, scale)))

    def database_cores(self, users: int, load: str = "") -> dict[str, float]:
        """Return the vCPU of all instances of each database that answer; under "" too where there is one database."""
        asked = self.chain(self.scenario, users, load).places
        found = {
            name: float(sum(place.server_count for place in asked if place.tier == name and not place.stands_before))
            for name in self.scenario.of("database")
        }
        return {**found, "": next(iter(found.values()))} if len(found) == 1 else found

    def capacity_cores(self, service: str, users: int, load: str = "") -> float:
        """Return the cores at which a service would be busy all the time. Raises KeyError where nobody asks it."""
        if service in self.deployed.cores:
            return self.deployed.cores[service]
        return _capacity(self.chain(self.scenario, users, load), service) / self.fleet.speed_of(service)

    def _real(self, place: Place) -> Place:
        if (vcpu := self.deployed.database_vcpu.get(place.tier)) is not None:
            return replace(place, server_count=vcpu * place.unit_count)
        if place.name != place.tier:
            return place
        units = self.deployed.pods.get(place.name, place.unit_count)
        if units == place.unit_count and place.name not in self.deployed.cores:
            return place
        each = place.server_count * place.speed_ratio / place.unit_count
        cores = self.deployed.cores.get(place.name, units * each)
        servers = max(1, round(min(cores, units)))
        return replace(place, unit_count=units, server_count=servers, speed_ratio=cores / servers)


def _capacity(on: Chain, service: str) -> float:
    """Return the cores of a service's place, of the speed that CPU times are of: what a request costs over how busy one
    a second makes it."""
    cost_s = sum(share * action.cpu_ms for share, action in on.mix if on.scenario.service(action) == service) / 1000
    return cost_s / on.utilisation_ratio(1.0)[service]


def slowed(scenario: Scenario, factors: Mapping[str, float]) -> Scenario:
    """Return the scenario with so many times the CPU time a request at each of these services."""
    values = {
        f"behaviour.actions.{name}.cpu_ms": action.cpu_ms * factors[scenario.service(action)]
        for name, action in scenario.behaviour.actions.items()
        if factors.get(scenario.service(action), 1.0) != 1.0
    }
    return with_values(scenario, values)


def deployed(scenario: Scenario, pods: Sequence[str], cores: Sequence[str], database_vcpu: Sequence[str]) -> Deployed:
    """Return what flags say that ran. Raises UsageError for a tier that is not there, and for what is no number."""
    services, databases = tuple(scenario.of("api")), tuple(scenario.of("database"))
    return Deployed(
        {name: max(1, round(number)) for name, number in named(pods, "--pods", services).items()},
        named(cores, "--cores", services),
        {name: max(1, round(vcpu)) for name, vcpu in named(database_vcpu, "--database-vcpu", databases).items()},
    )


def busy_shares(scenario: Scenario, given: Sequence[str]) -> dict[str, float]:
    """Return service -> the share of its CPU that was in use, by what --busy gives. Raises UsageError as `deployed`."""
    shares = named([_share(text) for text in given], "--busy", tuple(scenario.of("api")))
    for name, share in shares.items():
        if share > 1:
            raise UsageError(f"--busy {name}={share:g}: must be a share from 0 to 1, or a percentage such as 55%")
    return shares


def _share(text: str) -> str:
    """Return what a flag gives with its percentage as a share.

    >>> _share("api=55%"), _share("0.5")
    ('api=0.55', '0.5')
    """
    name, equals, number = text.rpartition("=")
    try:
        return f"{name}{equals}{float(number[:-1]) / 100:g}" if number.endswith("%") else text
    except ValueError:
        return text


def named(given: Sequence[str], flag: str, known: tuple[str, ...]) -> dict[str, float]:
    """Return tier -> number of what a flag gives: NUMBER where there is one such tier, or NAME=NUMBER.

    Raises UsageError for what is neither, and for a tier that the scenario does not have.
    """
    found: dict[str, float] = {}
    for text in given:
        name, equals, number = text.rpartition("=")
        if not equals:
            if len(known) != 1:
                raise UsageError(f"{flag} {text}: write NAME=NUMBER: the scenario has {', '.join(known) or 'none'}")
            name = known[0]
        if name not in known:
            raise UsageError(
                f"{flag} {text}: the scenario has {', '.join(known) or 'none'}{did_you_mean(name, [*known])}"
            )
        try:
            found[name] = float(number)
        except ValueError:
            found[name] = 0.0
        if not 0 < found[name] < 1e6:
            raise UsageError(f"{flag} {text}: must be a number above 0, got {number!r}")
    return found
