"""What an outcome of many worlds hangs on: shares of its variance, and what knowing an input would be worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

DEGREE: Final = 5
"""Of the polynomials that an expectation is fitted by."""
BOOTSTRAPS: Final = 200
Z975: Final = 1.959963984540054
NULLS: Final = 8
"""Shufflings of an input by which it is seen what one would seem worth that says nothing."""


class Share(NamedTuple):
    """A share of a variance, with half of its 95 % interval."""

    ratio: float
    error_ratio: float = 0.0


def first_order(given: Array, outcome: Array) -> float:
    """Return the share of an outcome's variance that one input explains alone, from any draws of all of them.

    Neighbours in the order of the input have about its value in common and nothing else: what they agree in is its.
    Source: Gamboa, Gremaud, Klein, Lagnoux, Global sensitivity analysis: a novel generation of mighty estimators based
    on rank statistics, Bernoulli 28 (2022), the estimator after Chatterjee.
    """
    import numpy as np

    variance = float(outcome.var())
    if not variance or not float(given.std()):
        return 0.0
    ordered = outcome[np.argsort(given, kind="stable")]
    # What an input that says nothing would explain by chance is nothing.
    chance = Z975 / float(np.sqrt(given.size))
    alike = float((ordered * np.roll(ordered, -1)).mean() - outcome.mean() ** 2)
    ratio = alike / variance
    return min(1.0, ratio) if ratio > chance else 0.0


def sobol(one: Array, other: Array, exchanged: Mapping[str, Array], seed: int = 1) -> dict[str, tuple[Share, Share]]:
    """Return input -> (share that it explains alone, share that is gone once all others are known), with intervals.

    `one` and `other` are the outcomes of two independent samples, `exchanged` those of the first with one input of the
    second. Intervals are of a bootstrap. Source: Saltelli et al., Variance based sensitivity analysis of model output,
    Computer Physics Communications 181 (2010), estimators (b) and (f), the latter Jansen's.
    """
    import numpy as np

    generator = np.random.default_rng(seed)
    picks = [generator.integers(one.size, size=one.size) for _ in range(BOOTSTRAPS)]
    found = {}
    for name, mixed in exchanged.items():
        values = np.array([_indices(one[pick], other[pick], mixed[pick]) for pick in picks])
        errors = Z975 * values.std(axis=0)
        alone, in_all = _indices(one, other, mixed)
        found[name] = Share(alone, float(errors[0])), Share(in_all, float(errors[1]))
    return found


def _indices(one: Array, other: Array, mixed: Array) -> tuple[float, float]:
    import numpy as np

    variance = float(np.concatenate([one, other]).var())
    if not variance:
        return 0.0, 0.0
    return float((other * (mixed - one)).mean()) / variance, float(((one - mixed) ** 2).mean()) / 2 / variance


def expected(of: Array, given: Sequence[Array]) -> Array:
    """Return the mean of each column of `of` if the inputs are known, in each world; of its shape.

    By least squares on polynomials of the inputs' ranks. Source: Strong, Oakley, Brennan, Estimating multiparameter
    partial expected value of perfect information from a probabilistic sensitivity analysis sample, Medical Decision
    Making 34 (2014).
    """
    import numpy as np

    count = of.shape[0]
    ranks = []
    for each in given:
        rank = np.empty(count)
        rank[np.argsort(each, kind="stable")] = (np.arange(count) + 0.5) / count
        ranks.append(2 * rank - 1)
    basis = [[np.polynomial.Legendre.basis(power)(rank) for power in range(DEGREE + 1)] for rank in ranks]
    columns = [
        np.prod([own[power] for own, power in zip(basis, powers, strict=True)], axis=0)
        for powers in product(range(DEGREE + 1), repeat=len(ranks))
        if sum(powers) <= DEGREE
    ]
    design = np.stack(columns, axis=1)
    found: Array = design @ np.linalg.lstsq(design, of, rcond=None)[0]
    return found


def worth(of: Array, given: Sequence[Array], seed: int = 1) -> float:
    """Return what it is worth to know inputs before one chooses, in the unit of `of`: with them less without.

    `of` is what each choice (a column) is worth in each world. What an input that says nothing would seem worth, by
    chance, is taken off: the mean over shufflings of these; no more than the most of them is nothing.
    """
    import numpy as np

    generator = np.random.default_rng(seed)
    base = float(of.mean(axis=0).max())

    def seeming(inputs: Sequence[Array]) -> float:
        return float(expected(of, inputs).max(axis=1).mean()) - base

    nothing = [seeming([each[generator.permutation(each.size)] for each in given]) for _ in range(NULLS)]
    found = seeming(given)
    return found - sum(nothing) / NULLS if found > max(nothing) else 0.0


def of_all(of: Array) -> float:
    """Return what it would be worth to know everything before one chooses."""
    return float(of.max(axis=1).mean() - of.mean(axis=0).max())
