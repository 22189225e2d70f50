"""A chain and its users -> how many requests they get through, and what each waits where.

One closed system at every load, with no switch between few users and many: the fullest place is solved exactly as the
station that N users share who think, and are elsewhere, in between; the others are sent what it lets through; what is
held while its request is elsewhere is held for as long as that takes at this throughput.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from cascade_plan.formulas.closed_station import Queue, closed_station, open_queue
from cascade_plan.formulas.queueing import erlang_c
from cascade_plan.formulas.roots import root
from cascade_plan.formulas.sharing import wait_of
from cascade_plan.formulas.transforms import NONE, Wait, waiting, work
from cascade_plan.planning.chain import Chain, Hold, Way

_INSTANT: Final = 1e-12
"""A time in s that is none."""
_FAR_OFF: Final = 1.0
"""A logarithm beyond which a root is looked for as if it were this."""
NEARLY: Final = 0.99
"""Share of what can be held, above which a wait for it follows from the users and the throughput alone."""


@dataclass(frozen=True, slots=True)
class State:
    """The steady state of a chain and its users."""

    requests_per_s: float
    waits: Mapping[str, Wait]
    """Of one visit to each place, first come first served."""
    service_waits: tuple[Wait, ...]
    """Of each way, all that it waits for the service that answers it."""
    held_waits: Mapping[str, Wait]
    held_count: Mapping[str, float]
    queues: Mapping[str, Queue]


def steady_state(on: Chain, users: int) -> State:
    """Return the steady state of users who think and wait in turn.

    The time that the users are away from the fullest place is the one unknown: the longer it is the fewer requests
    there are, and the sooner the other places are done with one. Source: the method of layers, Rolia and Sevcik, IEEE
    Transactions on Software Engineering 21 (1995), for what is held; Denning and Buzen 1978 for the rest.
    """
    if not on.bottleneck:
        rest_s = sum(way.share * fixed_s for way, fixed_s in zip(on.ways, on.fixed_s, strict=True))
        return State(users / (on.think_s + rest_s), {}, (NONE,) * len(on.ways), {}, {}, {})
    name = on.bottleneck
    states: dict[float, State] = {}
    least_s = _least_s(on, name)

    def waited_s(away_s: float) -> float:
        """Return how much longer than at least a user is away, if that is what the fullest place is sent by."""
        state = _state(on, users, name, away_s)
        found_s = _away_s(on, state, name)
        if found_s < math.inf:
            states[away_s] = state
        return found_s - least_s

    @cache
    def too_long(log_s: float) -> float:
        """Return by what factor a wait is longer than what it is found to be, as a logarithm, within bounds."""
        found_s = waited_s(least_s + math.exp(log_s))
        if found_s == math.inf:
            return -_FAR_OFF
        return min(_FAR_OFF, max(-_FAR_OFF, log_s - math.log(max(found_s, _INSTANT))))

    # Waits elsewhere are the longer the sooner users come back from there: this is the longest there can be.
    longest_s = waited_s(least_s)
    if longest_s > _INSTANT:
        high = math.log(longest_s) if longest_s < math.inf else math.log(least_s / 100)
        low = high - 1
        while too_long(high) < 0:
            low, high = high, high + 1
        while too_long(low) > 0:
            low, high = low - 2 * (high - low), low
        least_s += math.exp(root(too_long, low, high, 1e-9, 1e-6))
        waited_s(least_s)
    found = states[min(states, key=lambda away_s: abs(away_s - least_s))]
    return _shaped(on, users, _balanced(on, users, found))


def _balanced(on: Chain, users: int, state: State) -> State:
    """Return the state with the wait for what is held that X (Z + R) = N leaves it.

    Where next to all of it is held, the wait hangs on the difference of two nearly equal numbers; the law does not.
    Source: Denning and Buzen, Computing Surveys 10 (1978), the interactive response time law.
    """
    full = [name for name, count in state.held_count.items() if count > NEARLY * on.held[name]]
    if not full:
        return state
    means_s = sum(way.share * _mean_s(on, way, index, state) for index, way in enumerate(on.ways))
    name = max(full, key=lambda name: state.held_count[name] / on.held[name])
    due_s = users / state.requests_per_s - on.think_s - means_s
    wait_s = state.held_waits[name].mean_s + due_s / on.held_times[name]
    return replace(state, held_waits={**state.held_waits, name: work(1.0, wait_s, 1.0)}) if wait_s > 0 else state


def _least_s(on: Chain, name: str) -> float:
    """Return how long a user is away from one queue of a place if nobody waits anywhere."""
    whole_s = on.think_s + sum(way.share * fixed_s for way, fixed_s in zip(on.ways, on.fixed_s, strict=True))
    return max(1e-12, whole_s / on.visits[name] - on.stations[name].service.mean_s)


def _state(on: Chain, users: int, fullest: str, away_s: float) -> State:
    """Return what is waited where if the users are away from the fullest place for so long."""
    station = on.stations[fullest]
    loop = on.loops.get(fullest)
    sharing = on.place(fullest).discipline == "sharing"
    spread = loop[0].spread if loop else 1.0 if sharing else (1 + station.service.scv) / 2
    per_s, queue = closed_station(users, away_s, station.servers, station.service.mean_s, spread)
    queue = _steadied(queue, (1 + (station.service.scv - 1) * on.think_steadiness) / spread)
    requests_per_s = per_s / on.visits[fullest]
    # Any other place is sent what the others ask who can be there: nobody waits for himself (Schweitzer 1979).
    queues = {fullest: queue}
    for name, each in on.stations.items():
        if name != fullest:
            most = min(users, on.admitted.get(name, users))
            rate = requests_per_s * on.visits[name] * (most - 1) / most
            busy = each.utilisation(rate)
            queues[name] = open_queue(erlang_c(each.servers, each.offered_load(rate)), busy)
    return _waited(on, requests_per_s, queues, users)


def _steadied(queue: Queue, ratio: float) -> Queue:
    """Return the queue with the variance that it has where most users are in it.

    Those who think are then fed by the station itself, and vary by 1 + (s - 1) E[min(Z, Z')] / E[Z] times a Poisson
    number, not by the (1 + s) / 2 of a queue that is now and then empty. Source: Whitt, Heavy-traffic approximations
    for service systems with blocking, AT&T Bell Laboratories Technical Journal 63 (1984), peakedness.
    """
    return replace(queue, variance=queue.variance * (1 + (ratio - 1) * (1 - queue.scv)))


def _waited(on: Chain, requests_per_s: float, queues: Mapping[str, Queue], users: int) -> State:
    """Return what is waited where behind what a request finds at each place."""
    busy = on.utilisation_ratio(requests_per_s)
    waits = {name: waiting(on.stations[name], queue, busy[name]) for name, queue in queues.items()}
    service_waits = _service_waits(on, queues, waits, busy)
    held_waits, held_count = {}, {}
    for name, servers in on.held.items():
        held_waits[name], held_count[name] = _held(on, name, servers, requests_per_s, waits, service_waits, users)
    return State(requests_per_s, waits, service_waits, held_waits, held_count, queues)


def _service_waits(
    on: Chain, queues: Mapping[str, Queue], waits: Mapping[str, Wait], busy: Mapping[str, float]
) -> tuple[Wait, ...]:
    """Return what each way waits for the service that answers it, in all its comings."""
    found = [NONE] * len(on.ways)
    for index, way in enumerate(on.ways):
        if way.service in waits and way.service not in on.loops:
            found[index] = waits[way.service]
            if on.place(way.service).discipline == "sharing" and way.cpu is not None:
                station = on.stations[way.service]
                found[index] = wait_of(
                    way.cpu.mean_s, station.service.mean_s, queues[way.service], busy[way.service], station.servers
                )
    for name, (loop, indices) in on.loops.items():
        station = on.stations[name]
        own = loop.waits(queues[name], busy[name], station.servers, station.service.mean_s)
        for index, wait in zip(indices, own, strict=True):
            found[index] = wait
    return tuple(found)


def _held(
    on: Chain,
    name: str,
    servers: int,
    requests_per_s: float,
    waits: Mapping[str, Wait],
    service_waits: tuple[Wait, ...],
    users: int,
) -> tuple[Wait, float]:
    """Return the wait for a server that is held while its request is elsewhere, and how many are held.

    Infinite where more are asked for than there are: the throughput is less, then.
    """
    times, times_s, seconds_s2 = on.held_times[name], 0.0, 0.0
    for way, wait in zip(on.ways, service_waits, strict=True):
        for hold in way.holds:
            if hold.place == name:
                mean_s, scv = _holding(on, way, wait, hold, waits)
                rate = way.share * hold.times
                times_s += rate * mean_s
                seconds_s2 += rate * mean_s**2 * (1 + scv)
    count = times_s * requests_per_s
    if users <= servers or not count:
        return NONE, count
    if count >= servers:
        return work(1.0, math.inf, 1.0), count
    scv = seconds_s2 * times / times_s**2 - 1
    waiting_s = times_s / times * (1 + scv) / 2 / (servers - count)
    return work(erlang_c(servers, count), waiting_s, 1.0), count


def _holding(on: Chain, way: Way, service_wait: Wait, hold: Hold, waits: Mapping[str, Wait]) -> tuple[float, float]:
    """Return the mean in s and the SCV of how long one way holds a server once."""
    each_s, burst_s = 0.0, 0.0
    if way.service in on.loops:
        comings = 1 + sum(gap.times for gap in way.awaits)
        each_s, burst_s = service_wait.mean_s / comings, on.place(way.service).await_s
    looped_s = hold.trip_count * each_s
    mean_s, variance_s2 = hold.rest_s + hold.trip_count * (each_s + burst_s), looped_s**2
    for step in hold.steps:
        wait_s = waits[step.place].mean_s if step.place in waits else 0.0
        mean_s += step.times * (wait_s + step.service.mean_s)
        variance_s2 += step.times * (wait_s**2 + step.service.mean_s**2 * step.service.scv)
    return mean_s, variance_s2 / mean_s**2 if mean_s else 0.0


def _away_s(on: Chain, state: State, fullest: str) -> float:
    """Return how long a user is away from one queue of the fullest place, between two visits to it."""
    total_s = on.think_s + sum(way.share * _mean_s(on, way, index, state) for index, way in enumerate(on.ways))
    if fullest in on.loops or on.place(fullest).is_scaled:
        own = [index for index, way in enumerate(on.ways) if way.service == fullest]
        share = sum(on.ways[index].share for index in own)
        there_s = sum(on.ways[index].share * state.service_waits[index].mean_s for index in own) / share
        return max(1e-12, total_s / on.visits[fullest] - there_s - on.stations[fullest].service.mean_s)
    return max(1e-12, total_s / on.visits[fullest] - state.waits[fullest].mean_s - on.stations[fullest].service.mean_s)


def _mean_s(on: Chain, way: Way, index: int, state: State) -> float:
    """Return the mean time of a way."""
    waited_s = sum(state.waits[step.place].mean_s * step.times for step in way.steps)
    held_s = sum(state.held_waits[hold.place].mean_s * hold.times for hold in way.holds)
    return on.fixed_s[index] + state.service_waits[index].mean_s + waited_s + held_s


def _shaped(on: Chain, users: int, state: State) -> State:
    """Return the state with the shape that the waits have where N users share each place, their means unchanged.

    With all but the fullest place sent what endless users would, a wait is exponential. Where most users are in one of
    them it is nearly constant, as it is the others that they wait for.
    """
    held = dict(state.held_waits)
    for name, wait in state.held_waits.items():
        per_s = state.requests_per_s * on.held_times[name]
        if wait.chance <= 0 or wait.law is None or not per_s or users <= on.held[name]:
            continue
        held_s = state.held_count[name] / per_s
        away_s = users / per_s - held_s - wait.mean_s
        if away_s > 0:
            _, queue = closed_station(users, away_s, on.held[name], held_s)
            held[name] = work(wait.chance, wait.law.mean_s, queue.work_scv)
    return replace(state, held_waits=held)
