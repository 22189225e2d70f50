"""Arrays of one number a world, or a plain number where all worlds have the same."""

from __future__ import annotations

import math
from functools import cache
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cascade_plan.formulas import backlogs, erfcx

Array: TypeAlias = NDArray[np.float64]
Complex: TypeAlias = NDArray[np.complex128]
Indices: TypeAlias = NDArray[np.intp]
Mask: TypeAlias = NDArray[np.bool_]
Number: TypeAlias = Any
"""A float, or an array of one a world."""
_ROOT_PI: Final = math.sqrt(math.pi)
_TABLE: Final = 4000
"""Points of the table of cuts: between them a straight line is within 1e-6."""
_DEEPEST: Final = -26.0
"""Below it exp(z^2) is more than a float holds."""


def full(value: Number, count: int) -> Array:
    """Return a number as an array of so many worlds."""
    return np.full(count, float(value)) if np.ndim(value) == 0 else np.asarray(value, dtype=float)


def taken(value: Any, worlds: Any, known: dict[int, Any] | None = None) -> Any:
    """Return what some worlds have of a number, or of a structure of numbers: of tuples, lists and mappings.

    What stands in it several times is taken once; `known` remembers that over several calls.
    """
    known = {} if known is None else known
    if not isinstance(value, np.ndarray | dict | list | tuple):
        return value
    if id(value) not in known:
        known[id(value)] = _taken(value, worlds, known)
    return known[id(value)]


def _taken(value: Any, worlds: Any, known: dict[int, Any]) -> Any:
    if isinstance(value, np.ndarray):
        return value[worlds]
    if isinstance(value, dict):
        return {key: taken(each, worlds, known) for key, each in value.items()}
    parts = [taken(each, worlds, known) for each in value]
    if isinstance(value, list):
        return parts
    return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)


def erfcx_complex(z: Complex) -> Complex:
    """Return exp(z^2) erfc(z), to a relative 1e-10, as the scalar `erfcx` does and by its series."""
    left = z.real < 0
    if left.any():
        turned = erfcx_complex(np.where(left, -z, z))
        with np.errstate(over="ignore", invalid="ignore"):
            return np.where(left, 2 * np.exp(np.where(left, z, 0) ** 2) - turned, turned)
    scale, coefficients = erfcx.series()
    far = scale + z
    ratio = (scale - z) / far
    total = np.full_like(z, coefficients[0])
    for coefficient in coefficients[1:]:
        total *= ratio
        total += coefficient
    return 2 * total / (far * far) + 1 / _ROOT_PI / far


def erfcx_real(x: Array) -> Array:
    """Return exp(x^2) erfc(x) of real numbers above about -26."""
    return erfcx_complex(np.maximum(x, _DEEPEST).astype(complex)).real


@cache
def _cuts() -> tuple[Array, Array, Array]:
    """Return (SCV, where a normal law is cut off, its mean above the cut), by rising SCV."""
    edges = np.linspace(backlogs.EDGE_LEAST, 1.0, _TABLE)
    edges = np.concatenate([edges, 1.0 + np.expm1(np.linspace(0, math.log(backlogs.EDGE_MOST), _TABLE))[1:]])
    means = np.array([backlogs.excess(float(edge)) for edge in edges])
    return (2 - 2 * edges * means) / means**2 - 1, edges, means


def cut_of(scv: Array) -> tuple[Array, Array]:
    """Return where a normal law is cut off whose rest has this SCV, and the mean of that rest, in root-two deviations.

    The same as `backlogs.Backlog` finds by looking for the root.
    """
    scvs, edges, means = _cuts()
    return np.interp(scv, scvs, edges), np.interp(scv, scvs, means)
