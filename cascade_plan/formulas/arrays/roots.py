"""The roots of rising functions in many worlds: a bracket in each, and what was asked last."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cascade_plan.formulas.arrays.numbers import Array, Mask, taken


class Bracket(NamedTuple):
    """Between what a root lies in each world, by Chandrupatla's method: inverse quadratic where that is safe.

    Source: Chandrupatla, A new hybrid quadratic/bisection algorithm, Advances in Engineering Software 28 (1997).
    """

    newest: Array
    at_newest: Array
    other: Array
    """The end across the root; infinite until one is found above it."""
    at_other: Array
    before: Array
    at_before: Array
    next: Array

    @classmethod
    def above_zero(cls, first: Array) -> Bracket:
        """Return the bracket of functions that are -1 at 0 and rise, to be asked at `first` first."""
        zero, endless = np.zeros_like(first), np.full(first.size, np.inf)
        return cls(zero, -np.ones_like(first), endless, endless, endless, endless, first)

    def narrowed(self, at: Array, value: Array) -> Bracket:
        """Return the bracket after a value was found, and where to ask next.

        Values far from 0 count by their logarithm, so that one steep end does not hold the other.
        """
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            value = np.where(np.abs(value) > 1, np.sign(value) * (1 + np.log(np.abs(value))), value)
            same = (value < 0) == (self.at_newest < 0)
            before, at_before = np.where(same, self.newest, self.other), np.where(same, self.at_newest, self.at_other)
            other, at_other = np.where(same, self.other, self.newest), np.where(same, self.at_other, self.at_newest)
            xi, phi = (at - other) / (before - other), (value - at_other) / (at_before - at_other)
            safe = (phi**2 < xi) & ((1 - phi) ** 2 < 1 - xi) & np.isfinite(before)
            quadratic = value / (at_other - value) * at_before / (at_other - at_before) + (before - at) / (
                other - at
            ) * value / (at_before - value) * at_other / (at_before - at_other)
            part = np.clip(np.where(safe & np.isfinite(quadratic), quadratic, 0.5), 1e-9, 1 - 1e-9)
            further = np.where(np.isfinite(other), at + part * (other - at), at * 4)
        return Bracket(at, value, other, at_other, before, at_before, further)

    def of(self, worlds: Mask) -> Bracket:
        """Return the brackets of some worlds."""
        return taken(self, worlds)  # type: ignore[no-any-return]
