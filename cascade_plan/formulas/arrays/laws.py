"""Laws of times in many worlds: services and waits, their moments and their transforms, as `transforms` has them."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from cascade_plan.formulas import backlogs
from cascade_plan.formulas.arrays.numbers import (
    Array,
    Complex,
    Indices,
    Mask,
    Number,
    cut_of,
    erfcx_complex,
    erfcx_real,
)
from cascade_plan.formulas.percentiles import SCV_LEAST, ServiceTime
from cascade_plan.formulas.transforms import CONSTANT_SCV, GRAIN_SCV, NODES


class Law(NamedTuple):
    """A service time in each world, by its mean and its SCV."""

    mean_s: Array
    scv: Array
    is_hyper: Mask | bool = False
    """Whether it is two exponentials with balanced means."""
    is_gamma: bool = False
    """Whether it is a gamma law also where its SCV is above 1."""

    @property
    def is_lognormal(self) -> Mask:
        """Whether it is lognormal: above an SCV of 1, where nothing else is said."""
        found: Mask = (self.scv > 1) & ~np.asarray(self.is_hyper) & (not self.is_gamma)
        return found

    def third_moment(self) -> Array:
        """Return E[S^3] in s^3."""
        s = self.scv
        lognormal = (1 + s) ** 3
        gamma = (1 + s) * (1 + 2 * s)
        share, other = _shares(np.maximum(s, 1.0))
        hyper = 6 * (share / (2 * share) ** 3 + other / (2 * other) ** 3)
        found = np.where(self.is_hyper, hyper, np.where(self.is_lognormal, lognormal, gamma))
        return self.mean_s**3 * np.where(s < SCV_LEAST, 1.0, found)

    @property
    def variance_s2(self) -> Array:
        """Its variance."""
        return self.mean_s**2 * self.scv

    @property
    def constant_s(self) -> Array:
        """All of it where it is constant, else 0."""
        return np.where(self.scv < CONSTANT_SCV, self.mean_s, 0.0)

    def transform(self, s: Complex) -> Complex:
        """Return E[exp(-s T)] of the part that varies; `s` has a column a world."""
        value = np.ones_like(s)
        for worlds, parts in self._mixtures():
            total = np.zeros_like(s[:, worlds])
            for share, mean_s, scv in parts:
                total += share * _gamma(s[:, worlds], mean_s, scv)
            value[:, worlds] = total
        return value

    def left(self, s: Complex) -> Complex:
        """Return the transform of what an observer finds left of a service."""
        x = s * self.mean_s
        value = (1 - np.exp(-x)) / x
        for worlds, parts in self._mixtures():
            total = np.zeros_like(s[:, worlds])
            for share, mean_s, scv in parts:
                total += share * (1 - _gamma(s[:, worlds], mean_s, scv))
            value[:, worlds] = total / (s[:, worlds] * self.mean_s[worlds])
        return value

    def _mixtures(self) -> list[tuple[Indices, list[tuple[Number, Array, Array]]]]:
        """Return (which worlds, the (share, mean, SCV) of gamma laws that their mixture is) of those that vary."""
        varies = self.scv >= CONSTANT_SCV
        hyper = varies & np.asarray(self.is_hyper)
        lognormal = varies & self.is_lognormal
        found: list[tuple[Indices, list[tuple[Number, Array, Array]]]] = []
        if (worlds := np.flatnonzero(varies & ~hyper & ~lognormal)).size:
            found.append((worlds, [(1.0, self.mean_s[worlds], self.scv[worlds])]))
        if (worlds := np.flatnonzero(hyper)).size:
            mean_s, (share, other) = self.mean_s[worlds], _shares(self.scv[worlds])
            one = np.ones_like(mean_s)
            found.append((worlds, [(share, mean_s / (2 * share), one), (other, mean_s / (2 * other), one)]))
        if (worlds := np.flatnonzero(lognormal)).size:
            found.append((worlds, _lognormal(self.mean_s[worlds], self.scv[worlds])))
        return found


def law_of(service: ServiceTime, count: int) -> Law:
    """Return a law that is the same in so many worlds."""
    return Law(
        np.full(count, service.mean_s),
        np.full(count, service.scv),
        service.family == "hyperexponential",
        service.law == "gamma",
    )


def _shares(scv: Array) -> tuple[Array, Array]:
    share = (1 + np.sqrt((scv - 1) / (scv + 1))) / 2
    return share, 1 - share


def _gamma(s: Complex, mean_s: Array, scv: Array) -> Complex:
    if (scv == 1).all():
        return 1 / (1 + s * mean_s)
    return np.exp(np.log(1 + s * (mean_s * scv)) * (-1 / scv))


def _lognormal(mean_s: Array, scv: Array) -> list[tuple[Number, Array, Array]]:
    """Return the gamma laws whose mixture a lognormal one is: `transforms.gammas`."""
    grain = np.minimum(GRAIN_SCV, scv / 2)
    spread = np.sqrt(np.log((1 + scv) / (1 + grain)))
    weights = [math.exp(-node * node / 2) for node in NODES]
    total = math.fsum(weights)
    means = [np.exp(spread * node) for node in NODES]
    mean = sum(weight * each for weight, each in zip(weights, means, strict=True)) / total
    return [(weight / total, mean_s * each / mean, grain) for weight, each in zip(weights, means, strict=True)]


def backlog_transform(s: Complex, mean: Array, scv: Array) -> Complex:
    """Return E[exp(-s B)] of what is above its constant part: `backlogs.Backlog` in each world."""
    value = 1 / (1 + s * mean)
    worlds = np.flatnonzero(scv <= backlogs.EXPONENTIAL_FROM)
    if worlds.size:
        own_mean, own_scv = mean[worlds], scv[worlds]
        normal = own_scv < backlogs.NORMAL_UNTIL
        edge, excess = cut_of(np.maximum(own_scv, backlogs.NORMAL_UNTIL))
        edge = np.where(normal, -backlogs.REACH / math.sqrt(2), edge)
        width = np.where(normal, own_mean * np.sqrt(own_scv / 2), own_mean / excess)
        value[:, worlds] = erfcx_complex(edge + s[:, worlds] * width) / erfcx_real(edge)
    return value


class Waits(NamedTuple):
    """A wait in each world: none with probability 1 - `chance`, else of a law.

    That law is an amount of work, by its mean and SCV, or in worlds of `compound` what is left of the services under
    way and a number of further ones.
    """

    chance: Array
    own_mean_s: Array
    """Of those who wait."""
    scv: Array
    compound: Mask | None = None
    first_mean_s: Array | None = None
    """None where the first part is as each further one is."""
    first_scv: Array | None = None
    each: Law | None = None
    speed: int = 1
    further: Array | None = None
    """Mean number of further services."""
    further_scv: Array | None = None

    @property
    def mean_s(self) -> Array:
        """Mean over all requests."""
        with np.errstate(invalid="ignore"):
            return np.where(self.chance > 0, self.chance * self.own_mean_s, 0.0)

    @property
    def second_s2(self) -> Array:
        """Second moment over all requests."""
        second = self.own_mean_s**2 * (1 + self.scv)
        if self.compound is not None and self.compound.any():
            second = np.where(self.compound, self._compound_second(), second)
        with np.errstate(invalid="ignore"):
            return np.where(self.chance > 0, self.chance * second, 0.0)

    def _parts(self) -> tuple[Law, Array, Array]:
        """Return a further service, and mean and SCV of their number."""
        if self.each is None or self.further is None or self.further_scv is None:
            raise ValueError("a wait that is compound has its parts")
        return self.each, self.further, self.further_scv

    def _compound_second(self) -> Array:
        each, count, count_scv = self._parts()
        left_s = each.mean_s * (1 + each.scv) / 2 / self.speed
        left_s2 = each.third_moment() / (3 * each.mean_s) / self.speed**2
        first_s, first_var = left_s, left_s2 - left_s**2
        if self.first_mean_s is not None and self.first_scv is not None:
            first_s, first_var = self.first_mean_s, self.first_mean_s**2 * self.first_scv
        variance = first_var + count * left_s2 + count**2 * count_scv * left_s**2
        return variance + (first_s + count * left_s) ** 2

    @property
    def constant_s(self) -> Array:
        """What all wait at least, where next to all wait long."""
        normal = (self.scv < backlogs.NORMAL_UNTIL) & (self.chance > 0)
        if self.compound is not None:
            normal &= ~self.compound
        return np.where(normal, self.own_mean_s * (1 - backlogs.REACH * np.sqrt(self.scv)), 0.0)

    def transform(self, s: Complex) -> Complex:
        """Return E[exp(-s T)] of the part that varies; `s` has a column a world."""
        law = np.ones_like(s)
        some = self.chance > 0
        plain = some if self.compound is None else some & ~self.compound
        if (worlds := np.flatnonzero(plain)).size:
            law[:, worlds] = backlog_transform(s[:, worlds], self.own_mean_s[worlds], self.scv[worlds])
        if self.compound is not None and (worlds := np.flatnonzero(some & self.compound)).size:
            law[:, worlds] = self._compound_transform(s[:, worlds], worlds)
        return 1 - self.chance + self.chance * law

    def _compound_transform(self, s: Complex, worlds: Indices) -> Complex:
        each, count, count_scv = self._parts()
        hyper = np.broadcast_to(np.asarray(each.is_hyper), each.scv.shape)[worlds]
        left = Law(each.mean_s[worlds], each.scv[worlds], hyper, each.is_gamma).left(s / self.speed)
        value = left
        if self.first_mean_s is not None and self.first_scv is not None:
            value = _gamma(s, self.first_mean_s[worlds], self.first_scv[worlds])
        mean, scv = count[worlds], count_scv[worlds]
        behind = backlog_transform(1 - left, np.where(mean > 0, mean, 1.0), np.where(mean > 0, scv, 1.0))
        return value * np.where(mean > 0, behind, 1.0)


def nobody(count: int) -> Waits:
    """Return that nobody waits, in so many worlds."""
    return Waits(np.zeros(count), np.zeros(count), np.ones(count))


def work(chance: Array, mean_s: Array, scv: Array) -> Waits:
    """Return the wait of a probability, whose mean and SCV over those who wait are given; no SCV above 1."""
    some = (chance > 0) & (mean_s > 0)
    return Waits(np.where(some, chance, 0.0), np.where(some, mean_s, 0.0), np.where(some, np.minimum(1.0, scv), 1.0))
