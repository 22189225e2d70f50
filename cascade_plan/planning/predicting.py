"""A chain and its users -> the law of their responses, and whether it keeps its limits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from cascade_plan.formulas.percentiles import ServiceTime
from cascade_plan.formulas.sharing import WITHIN_SCV, lengths, wait_of
from cascade_plan.formulas.transforms import NONE, Law, Path, Response, Service, Wait, added, work
from cascade_plan.model.scenario import Scenario
from cascade_plan.planning.chain import Chain, Prediction, Way, percentiles_ms, slower
from cascade_plan.planning.states import State, steady_state

BEYOND_P95: Final = 0.05
BEYOND_P99: Final = 0.01
"""Share of the requests that may take longer than the limit of a p95, and of a p99."""
CLOSE: Final = 1.05
"""A share of requests nearer to what may be than this is decided by the percentile itself, as a figure has it: both are
inverted to a precision of their own."""
OF_FIGURES: Final = (0.5, 0.95, 0.99)
"""The percentiles of a prediction."""
UNSURE_FROM: Final = 0.8
UNSURE_WHOLE: Final = 0.85
"""Between these utilisations a p95 becomes an interval: above, 1 % of the CPU time is more than 5 % of it. Gradually,
so that no fleet is refused for being a hair busier than another that is not."""
UNSURE: Final = 0.05
"""How far a service time that nobody measured may be from what it is taken for, at its best (assumption)."""
MEASURED: Final = 0.04
"""How far one that was measured may be from the next run's: 2 to 4 % on a real stack (measured)."""
RISE_MOST: Final = 0.02
MONOTONE_BELOW: Final = 0.995
"""By how much a p95 or a p99 rises at most with more or faster of anything, or fewer users, while the fullest place is
less busy than that. Above, a queue may move from a place that all requests pass to one that few pass, or whose long
requests wait the longest: the mean falls then and the tail does not (measured: benchmarks/monotone.py)."""
SLIGHT: Final = 1e-4
"""A wait that adds less than this to the mean of a way is counted with the time that keeps nobody busy."""


@dataclass(frozen=True, slots=True)
class Question:
    """So many users of a chain: the same as any other that is asked alike, so that an answer can be kept for both."""

    users: int
    asked: tuple[object, ...]
    on: Chain = field(compare=False)

    @classmethod
    def of(cls, on: Chain, users: int) -> Question:
        """Return the question of so many users of a chain."""
        return cls(users, on.asked, on)


def response(on: Chain, state: State) -> Response:
    """Return the law of the response, of every way."""
    stop = {name: _stopped(on, name, state) for name in {way.service for way in on.ways} if name}
    return Response(
        tuple(
            path for index, way in enumerate(on.ways) for path in _paths(on, index, state, stop.get(way.service, NONE))
        )
    )


def _paths(on: Chain, index: int, state: State, stop: Wait) -> list[Path]:
    """Return the paths of a way: one, or where the service is shared one for each class of length of its requests."""
    way, own = on.ways[index], state.service_waits[index]
    mean_s = on.fixed_s[index] + own.mean_s
    stages: list[tuple[Law, float]] = []
    small: list[tuple[float, ServiceTime]] = [(1.0, way.rest)] if way.rest else []

    def add(law: Wait, times: float) -> None:
        """Add a wait; a slight one to what keeps nobody busy."""
        if law.mean_s * times > SLIGHT * mean_s and law.mean_s:
            stages.append((law, times))
        elif law.mean_s:
            small.append((times, ServiceTime(law.mean_s, 2 / law.chance - 1)))

    for step in way.steps:
        add(state.waits[step.place], step.times)
        if step.service.scv <= 1:
            small.append((step.times, step.service))
        else:
            stages.append((Service(step.service), step.times))
    for hold in way.holds:
        add(state.held_waits[hold.place], hold.times)
    add(stop, 1.0)
    if way.cpu is not None and way.service in state.waits and on.place(way.service).discipline == "sharing":
        return _shared(on, way, state, stages, small)
    add(own, 1.0)
    if way.cpu is not None:
        stages.append((Service(way.cpu), 1.0))
    return [Path(way.share, (*stages, *_summed(small)), way.action)]


def _shared(
    on: Chain, way: Way, state: State, stages: list[tuple[Law, float]], small: list[tuple[float, ServiceTime]]
) -> list[Path]:
    """Return a path for each class of length of the requests: what is long is slowed down for longer."""
    station, queue = on.stations[way.service], state.queues[way.service]
    busy = min(1.0, on.utilisation_ratio(state.requests_per_s)[way.service])
    assert way.cpu is not None, "a service that is shared has a length"
    found = []
    for share, length in lengths(way.cpu.scv, way.cpu.family):
        length_s = way.cpu.mean_s * length
        wait = wait_of(length_s, station.service.mean_s, queue, busy, station.servers)
        service = Service(ServiceTime(length_s, min(way.cpu.scv, WITHIN_SCV)))
        found.append(Path(way.share * share, (*stages, (wait, 1.0), (service, 1.0), *_summed(small)), way.action))
    return found


def _summed(small: list[tuple[float, ServiceTime]]) -> tuple[tuple[Law, float], ...]:
    law = added(small)
    return ((Service(law), 1.0),) if law else ()


def _stopped(on: Chain, name: str, state: State) -> Wait:
    """Return the time that a request waits because its pod has used up its CPU time: none without a limit.

    What all pods are asked in a period is about normal, of Poisson requests that come to the least busy; what of it is
    beyond their quotas waits for the next period, half of the time that a pod is stopped on average.
    """
    place = on.place(name)
    if place.quota is None or name not in on.stations:
        return NONE
    station, quota = on.stations[name], place.quota
    most_s = station.servers * quota.period_s
    work_s = on.utilisation_ratio(state.requests_per_s)[name] * most_s
    spread_s = math.sqrt(work_s * station.service.mean_s * (1 + station.service.scv))
    if not spread_s:
        return NONE
    far = (most_s - work_s) / spread_s
    over = math.exp(-far * far / 2) / math.sqrt(2 * math.pi) - far * math.erfc(far / math.sqrt(2)) / 2
    return work(min(1.0, over * spread_s / work_s), (1 - quota.cores) * quota.period_s / 2, 0.34)


# ---------------------------------------------------------------------------------------------------- what is asked


def predict(on: Chain, users: int) -> Prediction:
    """Return throughput, utilisation and response percentiles for acting users."""
    state = steady_state(on, users)
    law = response(on, state)
    p50, p95, p99 = percentiles_ms(law, OF_FIGURES)
    return Prediction(
        users,
        state.requests_per_s,
        law.mean_s * 1000,
        p50,
        p95,
        p99,
        on.utilisation_ratio(state.requests_per_s)
        | {name: min(1.0, count / on.held[name]) for name, count in state.held_count.items()},
        state.held_count,
        law,
    )


def interval_of(on: Chain, users: int) -> tuple[tuple[float, float], ...] | None:
    """Return the (low, high) of p50, p95 and p99 in ms that service times a little off would give; None where it does
    not matter: near saturation dp95 / p95 = dD / D / (1 - rho).
    """
    off = _off(on, users)
    if not off:
        return None
    low, high = (
        predict(slower(on, {name: 1 + sign * share for name, share in off.items()}), users) for sign in (-1, 1)
    )
    return (
        (low.latency_ms_p50, high.latency_ms_p50),
        (low.latency_ms_p95, high.latency_ms_p95),
        (low.latency_ms_p99, high.latency_ms_p99),
    )


def _off(on: Chain, users: int) -> dict[str, float]:
    """Return by what share the service may be off at each place that is so busy that it matters.

    How busy is taken at the rate of users who wait nowhere: what relieves one place leaves the doubt of the others.
    """
    alone_s = sum(way.share * fixed_s for way, fixed_s in zip(on.ways, on.fixed_s, strict=True))
    busy = on.utilisation_ratio(users / (on.think_s + alone_s))
    most = off_at_most(on.scenario)
    return {
        name: most * min(1.0, (share - UNSURE_FROM) / (UNSURE_WHOLE - UNSURE_FROM))
        for name, share in busy.items()
        if share > UNSURE_FROM
    }


def off_at_most(scenario: Scenario) -> float:
    """Return by what share the service may be off at a place that is full."""
    calibrated = scenario.calibration if isinstance(scenario.calibration, dict) else {}
    known = [
        max(MEASURED, (each.high - each.low) / 2 / each.value)
        for path, each in calibrated.items()
        if path.endswith(".cpu_ms") and each.low is not None and each.high is not None and each.value
    ]
    return max(known, default=UNSURE)


def worst_state(on: Chain, users: int) -> State:
    """Return the steady state; that of the slower end where a p95 is an interval."""
    return slower_end(on, users)[1]


def held_count(on: Chain, users: int) -> Mapping[str, float]:
    """Return how many servers of what is held acting users hold, of the slower end where a p95 is an interval.

    What was asked already is not again, as a search does for each way to have a tier that no request passes.
    """
    return _held_count(Question.of(on, users))


@lru_cache(maxsize=4096)
def _held_count(question: Question) -> Mapping[str, float]:
    return worst_state(question.on, question.users).held_count


def slower_end(on: Chain, users: int) -> tuple[Chain, State]:
    """Return the chain with the service times at their slower end, and its steady state; or itself if all are sure."""
    off = _off(on, users)
    slow = slower(on, {name: 1 + share for name, share in off.items()}) if off else on
    return slow, steady_state(slow, users)


def worst_response(on: Chain, users: int) -> Response:
    """Return the law of the response that limits are held against: of the slower end where a p95 is an interval."""
    return response(*slower_end(on, users))


def shortfall(on: Chain, users: int, latency_ms_p95: float, latency_ms_p99: float | None) -> float:
    """Return how far the fleet is over its limits for acting users: above 0 where it breaks one.

    The logarithm of the share of requests beyond a limit over the share that may be; of the worse limit. Where a p95 is
    an interval its upper end must keep them.
    """
    on, state = slower_end(on, users)
    law = response(on, state)
    return max(
        math.log(max(law.tail(limit / 1000), 1e-12) / share)
        for share, limit in ((BEYOND_P95, latency_ms_p95), (BEYOND_P99, latency_ms_p99))
        if limit is not None
    )


def keeps(on: Chain, users: int, latency_ms_p95: float, latency_ms_p99: float | None) -> bool:
    """Return whether the fleet keeps the limits for acting users.

    Asks the tail at the limits only, a tenth of the work of the percentiles; and what was asked already not again, as a
    search does for each way to pay for the same fleet.
    """
    return _kept(Question.of(on, users), latency_ms_p95, latency_ms_p99)


@lru_cache(maxsize=4096)
def _kept(question: Question, latency_ms_p95: float, latency_ms_p99: float | None) -> bool:
    on, state = slower_end(question.on, question.users)
    law = response(on, state)
    beyond = law.tail(latency_ms_p95 / 1000)
    limits = [(beyond, BEYOND_P95)]
    # What 99 of 100 keep of a shorter limit they keep of a longer one.
    if latency_ms_p99 is not None and not (beyond < BEYOND_P99 / CLOSE and latency_ms_p99 >= latency_ms_p95):
        limits.append((law.tail(latency_ms_p99 / 1000), BEYOND_P99))
    if any(share > most * CLOSE for share, most in limits):
        return False
    if all(share < most / CLOSE for share, most in limits):
        return True
    _, p95, p99 = percentiles_ms(law, OF_FIGURES)
    return p95 < latency_ms_p95 and (latency_ms_p99 is None or p99 < latency_ms_p99)


def meets(on: Chain, users: int, latency_ms_p95: float, latency_ms_p99: float | None) -> str:
    """Return "" when the fleet keeps the limits for acting users, else which one it breaks and by what.

    The words take the percentiles: a search that needs none asks `keeps`.
    """
    return _met(Question.of(on, users), latency_ms_p95, latency_ms_p99)


@lru_cache(maxsize=4096)
def _met(question: Question, latency_ms_p95: float, latency_ms_p99: float | None) -> str:
    on, users = question.on, question.users
    if _kept(question, latency_ms_p95, latency_ms_p99):
        return ""
    found = predict(on, users)
    ends = interval_of(on, users) or ((0.0, 0.0), (0.0, found.latency_ms_p95), (0.0, found.latency_ms_p99))
    broken = [
        (percent, high, limit)
        for percent, (_, high), limit in ((95, ends[1], latency_ms_p95), (99, ends[2], latency_ms_p99))
        if limit is not None and high >= limit
    ]
    percent, high, limit = broken[0] if broken else (95, ends[1][1], latency_ms_p95)
    said = f"p{percent} {high:,.0f} ms is not below {limit:g} ms for {users:,} users"
    return f"{said}, {found.bottleneck} {found.utilisation_ratio[found.bottleneck]:.0%} busy"
