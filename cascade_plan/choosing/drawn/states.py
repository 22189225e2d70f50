"""Chains and their users in many worlds -> throughput, and what is waited where: `planning.states` in arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from cascade_plan.choosing.drawn.chain import Chains, Hold, Way
from cascade_plan.choosing.drawn.not_covered import NotCovered
from cascade_plan.formulas.arrays.laws import Waits, nobody, work
from cascade_plan.formulas.arrays.numbers import Array, Indices, Mask, taken
from cascade_plan.formulas.arrays.roots import Bracket
from cascade_plan.formulas.arrays.sharing import wait_of
from cascade_plan.formulas.arrays.stations import Queues, closed_station, erlang_c, open_queue, waiting
from cascade_plan.planning.predicting import UNSURE_FROM, UNSURE_WHOLE
from cascade_plan.planning.states import NEARLY

SETTLED: Final = 1e-8
"""How near a wait must be to what it is found to be, against the time that a user is away: 1e-5 of the response."""
PRECISE: Final = 1e-5
"""How near, against itself."""
INSTANT_S: Final = 1e-7
"""A wait whose shape does not matter: next to any request it is a slight one."""
STEPS_MOST: Final = 60
"""Of the search for it: false position with the Illinois rule needs some ten."""
KEPT_MOST: Final = 0.7
"""Of the worlds that are looked at, the share that may go on before those that are done are left out."""


@dataclass(frozen=True)
class States:
    """The steady state of the chain in each world."""

    requests_per_s: Array
    waits: Mapping[str, Waits]
    service_waits: tuple[Waits, ...]
    held_waits: Mapping[str, Waits]
    held_count: Mapping[str, Array]
    queues: Mapping[str, Queues]


def steady_states(on: Chains, users: Array) -> States:
    """Return the steady state in each world, of users who think and wait in turn.

    Raises NotCovered for what arrays do not know.
    """
    if not on.laws:
        raise NotCovered("requests that keep no place busy")
    return _shaped(on, users, _balanced(on, users, _settled(on, users)))


def worst_states(on: Chains, users: Array, most: float) -> list[tuple[Indices, Chains, States]]:
    """Return (which worlds, their chains, their states); where a p95 is an interval, of its slower end.

    `most` is the share by which the service at a full place may be longer: `predicting.slower_end` in each world.
    """
    busy = {name: users / on.away_s * load for name, load in on.load_s.items()}
    unsure = np.max(np.stack(list(busy.values())), axis=0) > UNSURE_FROM
    found = []
    if (sure := np.flatnonzero(~unsure)).size:
        chosen = on.of(sure) if unsure.any() else on
        found.append((sure, chosen, steady_states(chosen, users[sure])))
    if (worlds := np.flatnonzero(unsure)).size:
        slow = on.of(worlds)
        for name, shares in busy.items():
            off = np.clip((shares[worlds] - UNSURE_FROM) / (UNSURE_WHOLE - UNSURE_FROM), 0.0, 1.0)
            if off.any():
                slow = slow.slower(name, 1 + most * off)
        found.append((worlds, slow, steady_states(slow, users[worlds])))
    return found


def _of(state: States, worlds: Indices) -> States:
    return States(**{name: taken(getattr(state, name), worlds) for name in States.__dataclass_fields__})


def _joined(on: Chains, parts: list[tuple[Indices, States]]) -> States:
    """Return one state of all worlds from those of its parts."""
    first = parts[0][1]

    def numbers(of: list[Array]) -> Array:
        found = np.empty(on.count, dtype=of[0].dtype)
        for (worlds, _), values in zip(parts, of, strict=True):
            found[worlds] = values
        return found

    def waits(of: list[Waits]) -> Waits:
        return _joined_waits(on.count, [worlds for worlds, _ in parts], of)

    return States(
        numbers([state.requests_per_s for _, state in parts]),
        {name: waits([state.waits[name] for _, state in parts]) for name in first.waits},
        tuple(waits([state.service_waits[at] for _, state in parts]) for at in range(len(first.service_waits))),
        {name: waits([state.held_waits[name] for _, state in parts]) for name in first.held_waits},
        {name: numbers([state.held_count[name] for _, state in parts]) for name in first.held_count},
        {
            name: Queues(
                *(numbers(list(each)) for each in zip(*(state.queues[name] for _, state in parts), strict=True))
            )
            for name in first.queues
        },
    )


def _joined_waits(count: int, worlds: list[Indices], parts: list[Waits]) -> Waits:
    """Return one wait of all worlds; a part that is work only is one where nothing is compound."""
    return Waits(*(_joined_field(count, worlds, [part[at] for part in parts]) for at in range(len(parts[0]))))


def _joined_field(count: int, worlds: list[Indices], values: list[Any]) -> Any:
    known = [value for value in values if value is not None]
    if not known or not isinstance(known[0], np.ndarray | tuple):
        return known[0] if known else None
    if isinstance(known[0], tuple):
        fields = zip(*(each if each is not None else (None,) * len(known[0]) for each in values), strict=True)
        return type(known[0])(*(_joined_field(count, worlds, list(field)) for field in fields))
    found = np.ones(count, dtype=known[0].dtype) if known[0].dtype != bool else np.zeros(count, dtype=bool)
    for at, value in zip(worlds, values, strict=True):
        if value is not None:
            found[at] = value
    return found


# ------------------------------------------------------------------------------------------------------ the fixed point


def _settled(on: Chains, users: Array) -> States:
    """Return the state in which the time that users are away from the fullest place is what it is found to be.

    The wait elsewhere w is as long as g(w) says, which falls as w rises. Only worlds that have not settled yet are
    asked again.
    """
    least_s = _least_s(on)
    state = _state(on, users, least_s)
    others_s, held_s, spare = _elsewhere(on, state, least_s)
    is_pressed = spare <= 0
    longest = others_s + held_s
    settled = ~is_pressed & (longest <= SETTLED * least_s)
    if settled.all():
        return state
    guess = np.where(is_pressed, _held_up_s(on, users, state) - least_s, longest)
    first = np.where(settled, 0.0, np.maximum(guess, SETTLED * least_s))
    state = _state(on, users, least_s + first)
    over = _too_long(on, state, first, least_s, is_pressed)
    left = np.flatnonzero(~settled & ~_is_settled(first, over, least_s, is_pressed))
    if not left.size:
        return state
    bracket = Bracket.above_zero(first[left]).narrowed(first[left], over[left])
    chosen = on.of(left)
    wait = _searched(chosen, users[left], least_s[left], bracket, is_pressed[left])
    kept = np.ones(on.count, dtype=bool)
    kept[left] = False
    again = _state(chosen, users[left], least_s[left] + wait)
    there = np.flatnonzero(kept)
    return _joined(on, [(there, _of(state, there)), (left, again)]) if there.size else again


def _too_long(on: Chains, state: States, wait: Array, least_s: Array, is_pressed: Mask) -> Array:
    """Return how much too long a wait elsewhere is against what it is found to be: below 0 where it is too short.

    w / g(w) - 1. Where more would be held than there is at no wait, g has no end there and is far too steep: the same
    by the share that is not held is about straight, as that is of the throughput.
    """
    others_s, held_s, spare = _elsewhere(on, state, least_s)
    usual = np.where(spare > 0, wait / np.maximum(others_s + held_s, 1e-300) - 1, -1.0)
    left_s = wait - others_s
    pressed = np.where(left_s > 0, spare * (1 - held_s / np.where(left_s > 0, left_s, 1.0)), -1.0)
    return np.where(is_pressed, pressed, usual)


def _is_settled(wait: Array, over: Array, least_s: Array, is_pressed: Mask) -> Mask:
    """Return whether a wait is so near to what it is found to be that the rest does not matter."""
    near: Mask = np.abs(over) * np.where(is_pressed, wait + least_s, wait) <= SETTLED * least_s + PRECISE * wait
    return near


def _held_up_s(on: Chains, users: Array, state: States) -> Array:
    """Return about how long users are away where all is held that can be, from what it lets through."""
    per_s = state.requests_per_s
    for name, servers in on.held.items():
        count = state.held_count[name]
        per_s = np.minimum(
            per_s, np.where(count > 0, state.requests_per_s * servers / np.maximum(count, 1e-300), np.inf)
        )
    found: Array = users / (per_s * on.at_fullest.visits) - on.at_fullest.law.mean_s
    return found


def _searched(on: Chains, users: Array, least: Array, bracket: Bracket, is_pressed: Mask) -> Array:
    """Return the wait elsewhere in each world."""
    result, left = bracket.newest.copy(), np.arange(on.count)
    for _ in range(STEPS_MOST):
        wait = bracket.next
        over = _too_long(on, _state(on, users, least + wait), wait, least, is_pressed)
        result[left] = wait
        bracket = bracket.narrowed(wait, over)
        going = ~_is_settled(wait, over, least, is_pressed)
        if not going.any():
            return result
        # To choose worlds costs more than to ask a few of them once more.
        if going.sum() <= KEPT_MOST * going.size:
            on, users, least = on.of(np.flatnonzero(going)), users[going], least[going]
            left, bracket, is_pressed = left[going], bracket.of(going), is_pressed[going]
    return result


def _least_s(on: Chains) -> Array:
    least: Array = np.maximum(1e-12, on.away_s / on.at_fullest.visits - on.at_fullest.law.mean_s)
    return least


def _state(on: Chains, users: Array, away_s: Array) -> States:
    """Return what is waited where if the users are away from the fullest place for so long."""
    at = on.at_fullest
    per_s, queue = closed_station(users, away_s, at.servers, at.law.mean_s, at.spread)
    ratio = (1 + (at.law.scv - 1) * on.steadiness) / at.spread
    queue = queue._replace(variance=queue.variance * (1 + (ratio - 1) * (1 - queue.scv)))
    requests_per_s = per_s / at.visits
    queues = {}
    for name, each in on.laws.items():
        most = np.minimum(users, on.admitted.get(name, np.inf))
        load = requests_per_s * on.visits[name] * (most - 1) / most * each.mean_s
        servers, is_fullest = on.spots[name].servers, at.place == name
        if is_fullest.all():
            queues[name] = queue
            continue
        other = open_queue(erlang_c(servers, load), np.minimum(load / servers, 1 - 1e-12))
        if is_fullest.any():
            other = Queues(*(np.where(is_fullest, own, each) for own, each in zip(queue, other, strict=True)))
        queues[name] = other
    return _waited(on, requests_per_s, queues, users)


def _waited(on: Chains, requests_per_s: Array, queues: Mapping[str, Queues], users: Array) -> States:
    busy = {name: requests_per_s * load for name, load in on.load_s.items()}
    waits = {
        name: waiting(on.spots[name].servers, on.servers[name], queue, busy[name]) for name, queue in queues.items()
    }
    service_waits = [nobody(on.count)] * len(on.ways)
    for index, way in enumerate(on.ways):
        if way.service in waits and way.service not in on.loops:
            service_waits[index] = waits[way.service]
            if on.spots[way.service].discipline == "sharing" and way.cpu is not None:
                service_waits[index] = wait_of(
                    way.cpu.mean_s, on.laws[way.service].mean_s, queues[way.service], busy[way.service],
                    on.spots[way.service].servers,
                )  # fmt: skip
    for name, (loop, indices) in on.loops.items():
        own = loop.waits(queues[name], busy[name], on.spots[name].servers, on.laws[name].mean_s)
        for index, wait in zip(indices, own, strict=True):
            service_waits[index] = wait
    held_waits, held_count = {}, {}
    for name, servers in on.held.items():
        held_waits[name], held_count[name] = _held(on, name, servers, requests_per_s, waits, service_waits, users)
    return States(requests_per_s, waits, tuple(service_waits), held_waits, held_count, queues)


def _held(
    on: Chains,
    name: str,
    servers: int,
    requests_per_s: Array,
    waits: Mapping[str, Waits],
    service_waits: list[Waits],
    users: Array,
) -> tuple[Waits, Array]:
    """Return the wait for a server that is held while its request is elsewhere, and how many are held."""
    times, times_s, seconds_s2 = on.held_times[name], np.zeros(on.count), np.zeros(on.count)
    for way, wait in zip(on.ways, service_waits, strict=True):
        for hold in way.holds:
            if hold.place == name:
                mean_s, scv = _holding(on, way, wait, hold, waits)
                rate = way.share * hold.times
                times_s = times_s + rate * mean_s
                seconds_s2 = seconds_s2 + rate * mean_s**2 * (1 + scv)
    count = times_s * requests_per_s
    some, over = (users > servers) & (count > 0), count >= servers
    safe = np.where(some & ~over, count, servers / 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        scv = seconds_s2 * times / times_s**2 - 1
        waiting_s = times_s / times * (1 + scv) / 2 / (servers - safe)
    fine = work(np.where(some, erlang_c(servers, safe), 0.0), np.where(some, waiting_s, 0.0), np.ones(on.count))
    # More than there is would be held: a wait below 0 tells by how much, so that a search finds back from there.
    pressed = some & over
    with np.errstate(invalid="ignore", divide="ignore"):
        short_s = times_s / times * (1 + scv) / 2 / np.minimum(servers - count, -1e-9)
    return fine._replace(
        chance=np.where(pressed, 1.0, fine.chance), own_mean_s=np.where(pressed, short_s, fine.own_mean_s)
    ), count


def _holding(on: Chains, way: Way, service_wait: Waits, hold: Hold, waits: Mapping[str, Waits]) -> tuple[Array, Array]:
    """Return the mean in s and the SCV of how long one way holds a server once."""
    each_s = burst_s = np.zeros(on.count)
    if way.service in on.loops:
        comings = 1 + sum((times for times, _ in way.awaits), np.zeros(on.count))
        each_s, burst_s = service_wait.mean_s / comings, on.spots[way.service].await_s
    looped_s = hold.trip_count * each_s
    mean_s, variance_s2 = hold.rest_s + hold.trip_count * (each_s + burst_s), looped_s**2
    for step in hold.steps:
        wait_s = waits[step.place].mean_s if step.place in waits else 0.0
        mean_s = mean_s + step.times * (wait_s + step.service.mean_s)
        variance_s2 = variance_s2 + step.times * (wait_s**2 + step.service.variance_s2)
    safe = np.where(mean_s > 0, mean_s, 1.0)
    return mean_s, np.where(mean_s > 0, variance_s2 / safe**2, 0.0)


def _elsewhere(on: Chains, state: States, least_s: Array) -> tuple[Array, Array, Array]:
    """Return how much longer than at least a user is away from the fullest place: for places, and for what is held.

    The latter is below 0 where more would be held than there is. With the least share of anything held that is free.
    """
    at = on.at_fullest
    total_s, there_s = on.away_s.copy(), np.zeros(on.count)
    held_s, spare = np.zeros(on.count), np.ones(on.count)
    for name, times in on.steps.items():
        total_s += state.waits[name].mean_s * times
    for index, way in enumerate(on.ways):
        own_s = way.share * state.service_waits[index].mean_s
        total_s += own_s
        there_s += np.where(at.place == way.service, own_s, 0.0)
    for name, wait in state.held_waits.items():
        held_s += wait.chance * wait.own_mean_s * on.held_times[name]
        own = 1 - state.held_count[name] / on.held[name]
        spare = np.where(wait.chance > 0, np.minimum(spare, own), spare)
    for name, wait in state.waits.items():
        there_s += np.where((at.place == name) & ~at.is_service, wait.mean_s, 0.0)
    there_s = np.where(at.is_service, there_s / np.where(at.share > 0, at.share, 1.0), there_s)
    others_s = np.maximum(0.0, total_s / at.visits - there_s - at.law.mean_s - least_s)
    return others_s, held_s / at.visits, spare


def mean_s(way: Way, index: int, state: States) -> Array:
    """Return the mean time of a way."""
    total = way.fixed_s + state.service_waits[index].mean_s
    for step in way.steps:
        total = total + state.waits[step.place].mean_s * step.times
    for hold in way.holds:
        total = total + state.held_waits[hold.place].mean_s * hold.times
    return total


def _balanced(on: Chains, users: Array, state: States) -> States:
    """Return the state with the wait for what is held that X (Z + R) = N leaves it, where next to all is held."""
    if not on.held:
        return state
    shares = np.stack([state.held_count[name] / servers for name, servers in on.held.items()])
    fullest, full = np.argmax(shares, axis=0), np.max(shares, axis=0) > NEARLY
    if not full.any():
        return state
    means_s = sum(way.share * mean_s(way, index, state) for index, way in enumerate(on.ways))
    held = dict(state.held_waits)
    for index, name in enumerate(on.held):
        old, times = held[name], on.held_times[name]
        with np.errstate(invalid="ignore", divide="ignore"):
            wait_s = old.mean_s + (users / state.requests_per_s - on.think_s - means_s) / times
        chosen = full & (fullest == index) & (wait_s > 0)
        held[name] = old._replace(
            chance=np.where(chosen, 1.0, old.chance),
            own_mean_s=np.where(chosen, wait_s, old.own_mean_s),
            scv=np.where(chosen, 1.0, old.scv),
        )
    return replace(state, held_waits=held)


def _shaped(on: Chains, users: Array, state: States) -> States:
    """Return the state with the shape that the waits for what is held have where N users share each place."""
    held = dict(state.held_waits)
    for name, wait in state.held_waits.items():
        per_s = state.requests_per_s * on.held_times[name]
        with np.errstate(invalid="ignore", divide="ignore"):
            held_s = state.held_count[name] / per_s
            away_s = users / per_s - held_s - wait.mean_s
        some = (wait.chance > 0) & (per_s > 0) & (users > on.held[name]) & (away_s > 0) & np.isfinite(away_s)
        worlds = np.flatnonzero(some & (wait.mean_s > INSTANT_S))
        if not worlds.size:
            continue
        ones = np.ones(worlds.size)
        _, queue = closed_station(users[worlds], away_s[worlds], ones * on.held[name], held_s[worlds], ones)
        scv = wait.scv.copy()
        scv[worlds] = np.minimum(1.0, queue.work_scv)
        held[name] = wait._replace(scv=scv)
    return replace(state, held_waits=held)
