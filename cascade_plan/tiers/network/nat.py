"""How what stands in private subnets reaches the internet: gateways, machines of ours, or not at all."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.errors import UsageError
from cascade_plan.model.ask import ROOT_DISK_GIB, Ask
from cascade_plan.model.catalogue import Shape
from cascade_plan.model.ceiling import BurstRate, Ceiling, Demand
from cascade_plan.model.derivation import Derivation, Finding, Input
from cascade_plan.model.fleet import NONE, Band, Usage
from cascade_plan.model.offer import Offer
from cascade_plan.model.part import Need
from cascade_plan.model.traffic import busiest_requests_per_s
from cascade_plan.tiers.network.settings import Settings
from cascade_plan.units import MIB

WORDS = {"gateway": "NAT gateway", "instance": "NAT instance"}


def count(ask: Ask[Settings], kind: str) -> int:
    """Return how many there are of a kind: one a zone or one for all, none of the other kind."""
    if ask.settings.nat != kind:
        return 0
    return ask.scenario.availability.asked.zones if per_zone(ask)[0] else 1


def per_zone(ask: Ask[Settings]) -> tuple[int, Input]:
    """Return whether each zone has one of its own, and what says so: the tier itself, or the availability."""
    return ask.least("nat_gateway_per_zone", ask.scenario.availability.asked.nat_gateway_per_zone)


def usages(ask: Ask[Settings], objects_gib: Band) -> Iterator[Usage]:
    """Yield the hours of gateways and what passes them, or those of machines, which charge nothing for it.

    Raises UsageError for a shape that there is not.
    """
    if gateways := count(ask, "gateway"):
        yield Usage(ask.name, "NAT gateways", Offer("nat_gateway"), Band.constant(gateways * ask.hours), "hour")
        yield Usage(ask.name, "NAT traffic", Offer("nat_traffic"), _passed_gib(ask), "gib")
        if objects_gib.ceiling:
            yield Usage(ask.name, "objects through NAT", Offer("nat_traffic"), objects_gib, "gib")
    if instances := count(ask, "instance"):
        machine = shape(ask)
        hours = Band.constant(instances * ask.hours)
        yield Usage(ask.name, f"NAT instances ({machine.name})", Offer("vm", machine.name), hours, "hour")
        disks = Band.constant(instances * ROOT_DISK_GIB)
        yield Usage(ask.name, "NAT instances volumes", Offer("disk"), disks, "gib_month")


def shape(ask: Ask[Settings]) -> Shape:
    """Return the shape of the machines. Raises UsageError for a name that no shape has."""
    path, wanted = f"tiers.{ask.name}.nat_shape", ask.settings.nat_shape
    if isinstance(wanted, Need):
        return ask.cheapest(path, "vm", wanted)
    catalogue = ask.cloud.catalogue()
    if (found := catalogue.find("vm", wanted)) is None:
        raise UsageError(f"{ask.own('nat_shape').origin}: {path}: {catalogue.unknown('vm', wanted)}")
    return found


def addresses(ask: Ask[Settings]) -> Band:
    """Return how many public addresses there are for want of, or because of, NAT: one a node where there is none."""
    if ask.settings.nat == "off":
        return _behind(ask)
    return Band.constant(count(ask, "gateway") + count(ask, "instance"))


def _passed_gib(ask: Ask[Settings]) -> Band:
    return _behind(ask).times(ask.settings.nat_gib_per_node_month)


def _behind(ask: Ask[Settings]) -> Band:
    """Return the machines that reach the internet through NAT: nodes, and pods that have no node."""
    fleet = ask.fleet.values()
    run_on = {run.group for sized in fleet for run in sized.workloads}
    counts = (group.count for sized in fleet for group in sized.groups if group.is_nodes or group.name in run_on)
    return sum(counts, start=NONE)


def figures(ask: Ask[Settings], objects: Band) -> Iterator[Derivation]:
    """Yield how many gateways there are, or machines."""
    kind, words = ask.settings.nat, "one a zone" if per_zone(ask)[0] else "one for all zones"
    gateways = count(ask, "gateway")
    yield ask.figure(
        "nat_gateway_count",
        gateways,
        "gateways",
        words if gateways else f"NAT is {'off' if kind == 'off' else 'by instances'}",
        (per_zone(ask)[1] if gateways else ask.own("nat"),),
    )
    if kind == "instance":
        yield ask.figure("nat_instance_count", count(ask, kind), "instances", words, (per_zone(ask)[1],))
        yield ask.figure(
            "nat_bytes_per_s_peak",
            passed(ask, objects).at(busiest_requests_per_s(ask.scenario, ask.traffic), 1 / count(ask, kind)),
            "bytes/s",
            "of each NAT instance: object_bytes that pods move, at the busier of the day's peak and the named loads",
        )


def passed(ask: Ask[Settings], objects: Band) -> Demand:
    """Return the bytes that requests make NAT pass on: objects to and from their store."""
    requests = ask.traffic.requests_per_s.peak
    return Demand(shared_units_per_request=objects.peak / requests if requests else 0.0)


def ceilings(ask: Ask[Settings], objects: Band) -> Iterator[Ceiling]:
    """Yield that each NAT instance passes on no more than its network carries all the time."""
    if ask.settings.nat != "instance":
        return
    machine = shape(ask)
    if (most := machine.network_bytes_per_s) is not None:
        yield Ceiling(
            f"{ask.name}.nat_bytes_per_s_peak", "nat-bandwidth", "through each NAT instance uploads send",
            f"{machine.name} passes on all the time", "MiB/s", passed(ask, objects), most,
            f"set tiers.{ask.name}.nat_shape, or object_endpoint", count=count(ask, "instance"), bytes_per_unit=MIB,
            burst=BurstRate.above(most, machine.network_burst_bytes_per_s, machine.network_burst_s),
        )  # fmt: skip


def findings(ask: Ask[Settings]) -> Iterator[Finding]:
    """Yield that the loss of one zone cuts off all, and who mends a machine that passes on."""
    kind, zones = ask.settings.nat, ask.scenario.availability.asked.zones
    if kind == "off":
        return
    served = count(ask, kind)
    if served < zones:
        words = f"one {WORDS[kind]} serves {zones} zones: its zone's loss cuts all of them off from the internet"
        yield Finding("warning", "nat-single", words, f"{ask.name}.nat_{kind}_count")
    if kind == "gateway":
        return
    words = f"a NAT instance that is lost cuts {'its zone' if served > 1 else 'all zones'} off until somebody mends it"
    yield Finding("info", "nat-by-hand", words, f"tiers.{ask.name}.nat")
