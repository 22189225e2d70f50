"""A number that is another one in each of many worlds, so that code for one number answers for all of them at once.

Arithmetic is done in every world. A comparison has one answer only where all worlds agree: where they do not it raises
`Divided`, and `apart` asks those that say yes and those that say no separately. What cannot be asked of many worlds,
such as `float`, raises TypeError: nothing is ever answered for one world and taken for all.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Indices = NDArray[np.intp]
    Mask = NDArray[np.bool_]

T = TypeVar("T")
WHOLE_MOST: Final = 32
"""Whole numbers that worlds are asked apart by."""
KNOTS: Final = 65
"""Points between which a smooth function is taken as straight: to 1e-4 of it, or better."""


class Divided(Exception):  # noqa: N818
    """Worlds that answer a comparison in two ways."""

    def __init__(self, mask: Mask) -> None:
        super().__init__("worlds differ")
        self.mask = mask


class Flag:
    """A comparison in each world."""

    __slots__ = ("mask",)

    def __init__(self, mask: Mask) -> None:
        self.mask = mask

    def __bool__(self) -> bool:
        first = bool(self.mask[0])
        if (self.mask == first).all():
            return first
        raise Divided(self.mask)


class Draws:
    """A number in each world; `values` has one entry a world."""

    __slots__ = ("values",)

    def __init__(self, values: Array) -> None:
        self.values = values

    def __bool__(self) -> bool:
        return bool(Flag(self.values != 0))

    def __float__(self) -> float:
        raise TypeError("a number of many worlds is no float")

    def __int__(self) -> int:
        """Return it as a whole number where all worlds agree; few that differ are asked apart."""
        import numpy as np

        whole = np.trunc(self.values)
        if (whole == whole[0]).all():
            return int(whole[0])
        if np.unique(whole).size > WHOLE_MOST:
            raise TypeError("a number of many worlds is no one whole number")
        raise Divided(whole == whole[0])

    def __hash__(self) -> int:
        return id(self)

    def __format__(self, spec: str) -> str:
        """Return it in the first world: words are for people, who read those of the plan itself."""
        first = float(self.values[0])
        return format(int(first) if spec.endswith("d") else first, spec)

    def __repr__(self) -> str:
        return f"Draws of {self.values.size} worlds"

    def least_above(self, larger: Callable[[int], int], first: int, part: float) -> Any:
        """Return the first of rising sizes of which `part` holds each number; `larger` gives the next size."""
        import numpy as np

        sizes, most = [first], float(self.values.max())
        while most > part * sizes[-1]:
            sizes.append(larger(sizes[-1]))
        found = np.array(sizes, dtype=float)
        return Draws(found[np.searchsorted(part * found, self.values)])

    def __neg__(self) -> Draws:
        return Draws(-self.values)

    def __abs__(self) -> Draws:
        return Draws(abs(self.values))

    def __ceil__(self) -> Draws:
        import numpy as np

        return Draws(np.ceil(self.values))

    def __floor__(self) -> Draws:
        import numpy as np

        return Draws(np.floor(self.values))

    def __round__(self, digits: int = 0) -> Draws:
        import numpy as np

        return Draws(np.round(self.values, digits))

    def __add__(self, other: Any) -> Any:
        return _both(operator.add, self, other)

    def __radd__(self, other: Any) -> Any:
        return _both(operator.add, other, self)

    def __sub__(self, other: Any) -> Any:
        return _both(operator.sub, self, other)

    def __rsub__(self, other: Any) -> Any:
        return _both(operator.sub, other, self)

    def __mul__(self, other: Any) -> Any:
        return _both(operator.mul, self, other)

    def __rmul__(self, other: Any) -> Any:
        return _both(operator.mul, other, self)

    def __truediv__(self, other: Any) -> Any:
        return _both(operator.truediv, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return _both(operator.truediv, other, self)

    def __floordiv__(self, other: Any) -> Any:
        return _both(operator.floordiv, self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return _both(operator.floordiv, other, self)

    def __mod__(self, other: Any) -> Any:
        return _both(operator.mod, self, other)

    def __rmod__(self, other: Any) -> Any:
        return _both(operator.mod, other, self)

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __pow__(self, other: Any) -> Any:
        return _both(operator.pow, self, other)

    def __rpow__(self, other: Any) -> Any:
        return _both(operator.pow, other, self)

    def __lt__(self, other: Any) -> Any:
        return _compared(operator.lt, self, other)

    def __le__(self, other: Any) -> Any:
        return _compared(operator.le, self, other)

    def __gt__(self, other: Any) -> Any:
        return _compared(operator.gt, self, other)

    def __ge__(self, other: Any) -> Any:
        return _compared(operator.ge, self, other)

    def __eq__(self, other: Any) -> Any:
        return _compared(operator.eq, self, other)

    def __ne__(self, other: Any) -> Any:
        return _compared(operator.ne, self, other)


def whole(value: Any) -> Any:
    """Return a number without its fraction: one whole number, or one in each world.

    >>> whole(2.9), whole(Draws(__import__("numpy").array([2.9, 1.0]))).values.tolist()
    (2, [2.0, 1.0])
    """
    if not isinstance(value, Draws):
        return int(value)
    import numpy as np

    return Draws(np.trunc(value.values))


def largest(first: Any, *others: Any) -> Any:
    """Return the largest of some numbers, in each world where they are of many: worlds are not asked apart by it.

    >>> largest(1.0, 3.0, 2.0), largest(Draws(__import__("numpy").array([2.0, 1.0])), 1.5).values.tolist()
    (3.0, [2.0, 1.5])
    """
    if not any(isinstance(each, Draws) for each in (first, *others)):
        return max(first, *others) if others else first
    import numpy as np

    found = _plain(first)
    for each in others:
        found = np.maximum(found, _plain(each))
    return Draws(found)


def smallest(first: Any, *others: Any) -> Any:
    """Return the smallest of some numbers, in each world where they are of many.

    >>> smallest(1.0, 3.0), smallest(Draws(__import__("numpy").array([2.0, 1.0])), 1.5).values.tolist()
    (1.0, [1.5, 1.0])
    """
    found: Any = -largest(-first, *(-each for each in others))
    return found


def _plain(value: Any) -> Any:
    return value.values if isinstance(value, Draws) else value


def _both(operation: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    if isinstance(left, int | float | Draws) and isinstance(right, int | float | Draws):
        return Draws(operation(_plain(left), _plain(right)))
    return NotImplemented


def _compared(operation: Callable[[Any, Any], Any], left: Draws, right: Any) -> Any:
    if not isinstance(right, int | float | Draws):
        return NotImplemented
    return Flag(operation(left.values, _plain(right)))


def apart(count: int, asked: Callable[[Indices], T]) -> list[tuple[Indices, T]]:
    """Return (which worlds, what was found) for parts of so many worlds that answer every comparison alike.

    `asked` is called with the indices of the worlds that it shall answer for, and again where it raises Divided.
    """
    import numpy as np

    found, waiting = [], [np.arange(count)]
    while waiting:
        worlds = waiting.pop()
        try:
            found.append((worlds, asked(worlds)))
        except Divided as divided:
            waiting += [worlds[~divided.mask], worlds[divided.mask]]
    return found


def together(count: int, parts: Iterable[tuple[Indices, Any]]) -> Any:
    """Return one number of so many worlds from those of its parts: a plain one where all have the same."""
    import numpy as np

    listed = list(parts)
    first = listed[0][1]
    if not isinstance(first, Draws) and all(not isinstance(value, Draws) and value == first for _, value in listed):
        return first
    values = np.empty(count)
    for worlds, value in listed:
        values[worlds] = _plain(value)
    return Draws(values)


def tabulated(function: Callable[[float], Sequence[float]], at: Draws) -> list[Draws]:
    """Return each of the numbers that a smooth function of one number has, straight between KNOTS points."""
    import numpy as np

    low, high = float(at.values.min()), float(at.values.max())
    knots = np.linspace(low, high, KNOTS if high > low else 1)
    columns = np.array([function(float(knot)) for knot in knots]).T
    return [Draws(np.interp(at.values, knots, column)) for column in columns]
