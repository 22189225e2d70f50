"""A cache without nodes: what is stored by the hour, and what is asked by the processing unit.

Nothing of it is sized: it is in several zones and scales by itself. The cloud says what it does at most.
"""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.errors import UsageError
from cascade_plan.model.ask import Ask, Site
from cascade_plan.model.catalogue import ServerlessCache
from cascade_plan.model.ceiling import Ceiling, Demand
from cascade_plan.model.derivation import Derivation, Input
from cascade_plan.model.fleet import NONE, Band, Sized, Streams, Usage
from cascade_plan.model.offer import Offer
from cascade_plan.model.place import Place, Visit, trip_time
from cascade_plan.model.scenario import Action
from cascade_plan.model.traffic import busiest_requests_per_s
from cascade_plan.tiers.cache import state
from cascade_plan.tiers.cache.limits import Work
from cascade_plan.tiers.cache.settings import Settings
from cascade_plan.units import MILLION


def size(ask: Ask[Settings], work: Work) -> Sized:
    """Return what is stored and asked at each level of the band.

    Raises UsageError where the cloud has no such cache.
    """
    sold = ask.cloud.serverless_cache(ask.settings.engine)
    if sold is None:
        place = ask.own("serverless")
        raise UsageError(
            f"{place.origin}: {place.name}: {ask.scenario.cloud} sells no serverless {ask.settings.engine}"
        )
    stored, units = _stored_gib(ask, work), _units_per_s(ask, sold)
    engine, name = (ask.settings.engine,), ask.name.replace("_", " ")
    hours = stored.each(lambda gib: max(sold.stored_gib_least, gib) * ask.hours)
    month = ask.monthly(units).times(1 / MILLION)
    return Sized(
        ask.name,
        "cache",
        usages=(
            Usage(ask.name, f"{name} storage", Offer("cache_storage", "", engine), hours, "gib_hour"),
            Usage(ask.name, f"{name} requests", Offer("cache_requests", "", engine), month, "million_requests"),
        ),
        figures=tuple(_figures(ask, work, sold, units)),
        ceilings=tuple(_ceilings(ask, work, sold)),
    )


def places(site: Site[Settings]) -> tuple[Place, ...]:
    """Return that a command takes a trip: nobody queues where there is more as soon as it is asked for."""
    settings, scenario = site.settings, site.scenario
    trip = trip_time(settings.round_trip_ms, settings.round_trip_scv)

    def visits(action: Action) -> tuple[Visit, ...]:
        if scenario.cache(action) != site.name:
            return ()
        return (Visit(scenario.all_reads(action), 1.0, trip_count=1, trip=trip),)

    return (Place(site.name, site.name, 1, 0, visits=visits),)


def _stored_gib(ask: Ask[Settings], work: Work) -> Band:
    """Return what is stored: what is cached whatever the hour, and the state of the connections that are open."""
    opened = sum((each.connections for each in state.carried(ask)), start=NONE)
    return opened.each(lambda connections: work.kept_gib + state.mib(connections) / 1024)


def _per_request(ask: Ask[Settings], sold: ServerlessCache) -> float:
    """Return the processing units of a request's look-ups in the mean of the mix.

    A hit moves what was kept, its part of the response; a miss moves nothing, and what is found elsewhere is written.
    """
    scenario, hits, total = ask.scenario, ask.settings.hit_ratio, 0.0
    for share, action in scenario.behaviour.mix:
        if scenario.cache(action) == ask.name and (reads := scenario.all_reads(action)):
            moved = sold.units(action.response_bytes / reads)
            total += share * reads * (hits * moved + (1 - hits) * (1 + moved))
    return total


def _units_per_s(ask: Ask[Settings], sold: ServerlessCache) -> Band:
    """Return the processing units a second at each level."""
    found = ask.traffic.requests_per_s.times(_per_request(ask, sold))
    for each in state.carried(ask):
        found += each.messages_per_s.times(_per_message(sold, each))
        found += each.connections.times(ask.settings.processing_units_per_renewal / each.heartbeat_interval_s)
    return found


def _per_message(sold: ServerlessCache, streams: Streams) -> float:
    """Return the units of a message: it comes once, and goes to every node that holds a reader."""
    return (1 + streams.listener_count) * sold.units(streams.message_bytes)


def _demand(ask: Ask[Settings], sold: ServerlessCache) -> Demand:
    """Return the processing units by the requests, and those of the heartbeats whatever the requests."""
    requests = ask.traffic.requests_per_s.peak
    carried = state.carried(ask)
    messages = sum(each.messages_per_s.peak * _per_message(sold, each) for each in carried)
    renewed = sum(each.connections.peak / each.heartbeat_interval_s for each in carried)
    return Demand(
        shared_units_per_request=_per_request(ask, sold) + (messages / requests if requests else 0.0),
        flat_units=renewed * ask.settings.processing_units_per_renewal,
    )


def _figures(ask: Ask[Settings], work: Work, sold: ServerlessCache, units: Band) -> Iterator[Derivation]:
    yield work.stored_figure(ask)
    yield from (state.figure(ask, each) for each in state.carried(ask))
    yield ask.figure(
        "stored_gib_least",
        sold.stored_gib_least,
        "GiB",
        f"charged at least, of {ask.settings.engine}",
        (ask.own("engine"),),
        sold.source,
    )
    busiest = busiest_requests_per_s(ask.scenario, ask.traffic)
    yield work.connection_figure(ask)
    words = (
        f"look-ups x max(1, bytes / {sold.bytes_per_unit:g}), of a miss 1 and what is then written"
        + (", + messages x (1 + nodes that hold a reader)" if state.carried(ask) else "")
        + (", + processing_units_per_renewal at each heartbeat" if state.carried(ask) else "")
    )
    of_state = (ask.own("processing_units_per_renewal"),) if state.carried(ask) else ()
    yield ask.figure(
        "processing_units_per_s_peak",
        _demand(ask, sold).at(busiest, 1.0),
        "units/s",
        f"{words}; at the busier of the day's peak and the named loads",
        (Input("requests/s", busiest, "computed"), ask.own("hit_ratio"), *of_state),
        sold.source,
    )
    yield ask.figure(
        "processing_units_per_s_average",
        units.average,
        "units/s",
        f"{words}; in the mean of the day",
        (Input("requests/s", ask.traffic.requests_per_s.average, "computed"), ask.own("hit_ratio"), *of_state),
        sold.source,
    )


def _ceilings(ask: Ask[Settings], work: Work, sold: ServerlessCache) -> Iterator[Ceiling]:
    name, shards = ask.name, "share the keys between several caches"
    yield Ceiling(
        f"{name}.processing_units_per_s_peak", "cache-commands", f"{name} is asked", "a serverless cache does",
        "processing units/s", _demand(ask, sold), sold.units_per_s_most, shards,
        rests_on=ask.assumed(f"tiers.{name}.processing_units_per_renewal"),
    )  # fmt: skip
    yield Ceiling(
        f"{name}.data_gib", "cache-memory", f"{name} is to keep", "a serverless cache holds", "GiB",
        Demand(flat_units=work.stored_gib), sold.stored_gib_most, shards,
        rests_on=ask.assumed(f"tiers.{name}.data_gib"),
    )  # fmt: skip
    yield work.connection_ceiling(ask, name, sold.connection_count_most)
