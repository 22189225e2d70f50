"""Processor sharing in many worlds: `sharing` in arrays."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np

from cascade_plan.formulas.arrays.laws import Law, Waits, work
from cascade_plan.formulas.arrays.numbers import Array
from cascade_plan.formulas.arrays.stations import Queues, log_gamma
from cascade_plan.formulas.sharing import CLASSES, POINTS, WITHIN_SCV
from cascade_plan.formulas.transforms import CONSTANT_SCV

KNOTS: Final = 65
"""SCVs between which the mean of a class is taken as straight: to 1e-4 of it."""


def classes(law: Law) -> list[tuple[float, Law]]:
    """Return (share, length) of classes of length of a service: what is long is slowed down for longer."""
    means = np.ones((len(CLASSES), law.scv.size))
    hyper = np.broadcast_to(np.asarray(law.is_hyper), law.scv.shape)
    varies, lognormal = law.scv >= CONSTANT_SCV, law.is_lognormal
    for mask in (varies & hyper, varies & lognormal, varies & ~hyper & ~lognormal):
        worlds = np.flatnonzero(mask)
        if worlds.size:
            scv = law.scv[worlds]
            knots = np.unique(np.geomspace(scv.min(), scv.max(), KNOTS))
            knots[0], knots[-1] = scv.min(), scv.max()
            columns = _means(Law(np.ones_like(knots), knots, bool(hyper[worlds[0]]), law.is_gamma))
            means[:, worlds] = [np.interp(scv, knots, column) for column in columns]
    scv = np.minimum(law.scv, WITHIN_SCV)
    return [(share, Law(law.mean_s * mean, scv)) for share, mean in zip(CLASSES, means, strict=True)]


def _means(law: Law) -> list[Array]:
    """Return the mean length in each class, in worlds whose services are of one family and of mean 1."""
    steps = (np.arange(POINTS)[:, None] + 0.5) / POINTS
    grid = 40 * (1 + law.scv) * steps**4
    ((_, parts),) = law._mixtures()
    masses = sum(share * _density(grid, mean, scv) for share, mean, scv in parts) * steps**3
    below, lengths = np.cumsum(masses, axis=0), np.cumsum(masses * grid, axis=0)
    firsts = [np.zeros_like(law.scv)]
    for end in np.cumsum(CLASSES[:-1]):
        at = np.argmax(below >= end * below[-1], axis=0)[None]
        over = np.take_along_axis(below, at, axis=0) - end * below[-1]
        first = np.take_along_axis(lengths, at, axis=0) - over * np.take_along_axis(grid, at, axis=0)
        firsts.append(first[0] / lengths[-1])
    firsts.append(np.ones_like(law.scv))
    return [(to - of) / share for share, (of, to) in zip(CLASSES, pairwise(firsts), strict=True)]


def _density(x: Array, mean: Array, scv: Array) -> Array:
    shape = 1 / scv
    # The logarithm of the gamma function is known from 1 on.
    constant = log_gamma(shape + 1) - np.log(shape)
    found: Array = np.exp((shape - 1) * np.log(x) - x / (mean * scv) - constant - shape * np.log(mean * scv))
    return found


def wait_of(length_s: Array, mean_s: Array, queue: Queues, utilisation: Array, servers: int) -> Waits:
    """Return how much longer requests take for sharing, whose own services are `length_s` long."""
    total_s = queue.chance * (1 + queue.mean) * length_s / servers
    found = np.where(queue.chance > 0, queue.chance, 0.5)
    with np.errstate(divide="ignore"):
        free = np.log1p(-found)
    chance = -np.expm1(free - utilisation * servers * length_s / mean_s * found)
    return work(np.where(queue.chance > 0, chance, 0.0), total_s / chance, queue.work_scv)
