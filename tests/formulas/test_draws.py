"""A number of many worlds is computed with as one number is, and never taken for one."""

from __future__ import annotations

from math import ceil, floor, sqrt

import numpy as np
import pytest

from cascade_plan.formulas.draws import Divided, Draws, apart, tabulated, together


def rounded(x: float) -> float:
    """Return what code does with a number: arithmetic, a loop, branches."""
    total = 3 - 2 / x + x**2
    while total > 10:
        total -= max(2.5, x)
    return -ceil(total) + floor(x) if x > 2 else round(abs(total - 5), 2) * 2


def test_code_for_one_number_answers_for_all_worlds() -> None:
    values = np.random.default_rng(1).random(500) * 6 + 0.1
    parts = apart(500, lambda worlds: rounded(Draws(values[worlds])))  # type: ignore[arg-type]
    found = together(500, parts).values
    assert len(parts) < 40
    assert found == pytest.approx([rounded(float(value)) for value in values])


def test_what_all_worlds_agree_in_is_one_number() -> None:
    parts = apart(9, lambda worlds: 7 + 0 * bool(Draws(np.arange(9.0)[worlds]) > 3))
    assert len(parts) == 2
    assert together(9, parts) == 7


def test_worlds_that_differ_are_never_answered_as_one() -> None:
    draws = Draws(np.array([1.0, 2.0]))
    with pytest.raises(Divided) as divided:
        bool(draws > 1.5)
    assert divided.value.mask.tolist() == [False, True]
    for ask in (float, sqrt, range):
        with pytest.raises(TypeError):
            ask(draws)  # type: ignore[arg-type]


def test_a_smooth_function_is_read_off_a_table() -> None:
    draws = Draws(np.linspace(0.2, 0.4, 1000))
    (found,) = tabulated(lambda x: [x**3], draws)
    assert found.values == pytest.approx(draws.values**3, rel=3e-4)
    (constant,) = tabulated(lambda x: [x**3], Draws(np.full(5, 0.3)))
    assert constant.values == pytest.approx([0.027] * 5)
