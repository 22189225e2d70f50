"""States in many worlds -> the laws of the responses, and which limits they keep: `planning.predicting` in arrays."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from cascade_plan.choosing.drawn.chain import Chains, Way
from cascade_plan.choosing.drawn.states import States
from cascade_plan.formulas.arrays.laws import Law, Waits, nobody, work
from cascade_plan.formulas.arrays.numbers import Array, Mask
from cascade_plan.formulas.arrays.sharing import classes, wait_of
from cascade_plan.formulas.arrays.tails import Path, Stage, chosen, surely, tail
from cascade_plan.planning.predicting import SLIGHT


def paths(on: Chains, state: States) -> list[Path]:
    """Return what each kind of request passes, with how long it takes."""
    stops = {name: _stopped(on, name, state) for name in {way.service for way in on.ways}}
    return [path for index, way in enumerate(on.ways) for path in _paths(on, index, state, stops[way.service])]


def _paths(on: Chains, index: int, state: States, stop: Waits) -> Iterator[Path]:
    """Yield the paths of a way: one, or where the service is shared one for each class of length of its requests.

    Waits that add next to nothing are counted with the time that keeps nobody busy.
    """
    way, own = on.ways[index], state.service_waits[index]
    one = np.ones(on.count)
    is_shared = way.cpu is not None and way.service in on.spots and on.spots[way.service].discipline == "sharing"
    waits = [(state.waits[step.place], step.times) for step in way.steps]
    waits += [(state.held_waits[hold.place], hold.times) for hold in way.holds]
    waits += [(stop, one)] if is_shared else [(stop, one), (own, one)]
    stages, rest = _stages(way, waits, SLIGHT * (way.fixed_s + own.mean_s))
    last = [(rest, one)] if rest.mean_s.any() else []
    if way.cpu is None:
        yield _path(way.share, [*stages, *last])
    elif not is_shared:
        yield _path(way.share, [*stages, (way.cpu, one), *last])
    else:
        busy, law = state.requests_per_s * on.load_s[way.service], on.laws[way.service]
        queue, servers = state.queues[way.service], on.spots[way.service].servers
        for share, length in classes(way.cpu):
            wait = wait_of(length.mean_s, law.mean_s, queue, busy, servers)
            yield _path(way.share * share, [*stages, (wait, one), (length, one), *last])


def _stages(way: Way, waits: Sequence[tuple[Waits, Array]], slight_s: Array) -> tuple[list[tuple[Stage, Array]], Law]:
    """Return the waits and services of a way, and the sum of all that is slight or keeps nobody busy."""
    stages: list[tuple[Stage, Array]] = []
    small_s, small_s2 = np.zeros_like(way.share), np.zeros_like(way.share)
    for times, law in way.rest:
        small_s, small_s2 = small_s + times * law.mean_s, small_s2 + times * law.variance_s2
    for wait, times in waits:
        mean_s = np.where(times > 0, wait.mean_s, 0.0)
        slight = mean_s * times <= slight_s
        small_s = small_s + np.where(slight, times * mean_s, 0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            variance = mean_s**2 * np.where(wait.chance > 0, 2 / wait.chance - 1, 0.0)
        small_s2 = small_s2 + np.where(slight, times * variance, 0.0)
        if not slight.any():
            stages.append((wait, times))
        elif not slight.all():
            stages.append((wait._replace(chance=np.where(slight, 0.0, wait.chance)), np.where(slight, 0.0, times)))
    for step in way.steps:
        steady = step.service.scv <= 1
        small_s = small_s + np.where(steady, step.times * step.service.mean_s, 0.0)
        small_s2 = small_s2 + np.where(steady, step.times * step.service.variance_s2, 0.0)
        if not steady.all():
            stages.append((step.service, np.where(steady, 0.0, step.times)))
    return stages, Law(small_s, small_s2 / np.where(small_s > 0, small_s, 1.0) ** 2, False, True)


def _path(share: Array, stages: Sequence[tuple[Stage, Array]]) -> Path:
    total_s, total_s2 = np.zeros_like(share), np.zeros_like(share)
    for stage, times in stages:
        met = times > 0
        total_s = total_s + np.where(met, times * stage.mean_s, 0.0)
        total_s2 = total_s2 + np.where(met, times * _variance_s2(stage), 0.0)
    return Path(share, tuple(stages), total_s, total_s2 + total_s**2)


def _variance_s2(law: Stage) -> Array:
    if isinstance(law, Waits):
        with np.errstate(invalid="ignore"):
            return law.second_s2 - law.mean_s**2
    assert isinstance(law, Law), "a stage is a wait or a service"
    return law.variance_s2


def _stopped(on: Chains, name: str, state: States) -> Waits:
    """Return the time that a request waits because its pod has used up its CPU time: none without a limit."""
    if name not in on.spots or on.spots[name].quota is None:
        return nobody(on.count)
    spot, law, quota = on.spots[name], on.laws[name], on.spots[name].quota
    most_s = spot.servers * quota.period_s
    work_s = state.requests_per_s * on.load_s[name] * most_s
    spread_s = np.sqrt(work_s * law.mean_s * (1 + law.scv))
    far = (most_s - work_s) / spread_s
    beyond = np.array([math.erfc(each / math.sqrt(2)) / 2 for each in far])
    over = np.exp(-far * far / 2) / math.sqrt(2 * math.pi) - far * beyond
    chance = np.minimum(1.0, over * spread_s / work_s)
    return work(chance, np.full(on.count, (1 - quota.cores) * quota.period_s / 2), np.full(on.count, 0.34))


def missed(found: Sequence[Path], limit_s: float, share: float) -> Mask:
    """Return in which worlds more than `share` of the requests take longer than a limit.

    What mean and variance tell for sure is not inverted.
    """
    kept, broken = surely(found, limit_s, share)
    worlds = np.flatnonzero(~kept & ~broken)
    result = broken.copy()
    if worlds.size:
        result[worlds] = tail(chosen(found, worlds), limit_s) >= share
    return result
