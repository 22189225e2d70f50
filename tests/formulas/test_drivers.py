"""What drives an outcome, against functions whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest

from cascade_plan.formulas.drivers import expected, first_order, of_all, sobol, worth

ALONE = (0.3139, 0.4424, 0.0)
"""First-order and total indices of Ishigami's function with a = 7 and b = 0.1: Ishigami and Homma 1990."""
IN_ALL = (0.5576, 0.4424, 0.2437)


def ishigami(u: np.ndarray) -> np.ndarray:
    x = (2 * u - 1) * np.pi
    return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


def test_sobol_indices_of_ishigami_lie_in_their_intervals() -> None:
    generator = np.random.default_rng(3)
    one, other = generator.random((4096, 3)), generator.random((4096, 3))
    exchanged = {}
    for at in range(3):
        mixed = one.copy()
        mixed[:, at] = other[:, at]
        exchanged[str(at)] = ishigami(mixed)
    found = sobol(ishigami(one), ishigami(other), exchanged)
    for at in range(3):
        alone, in_all = found[str(at)]
        assert alone.ratio == pytest.approx(ALONE[at], abs=max(0.02, 1.5 * alone.error_ratio))
        assert in_all.ratio == pytest.approx(IN_ALL[at], abs=max(0.02, 1.5 * in_all.error_ratio))
        assert 0 < in_all.error_ratio < 0.06


def test_ranks_tell_the_first_order_from_plain_draws() -> None:
    draws = np.random.default_rng(4).random((20_000, 4))
    outcome = ishigami(draws)
    for at, share in enumerate((*ALONE, 0.0)):
        assert first_order(draws[:, at], outcome) == pytest.approx(share, abs=0.025)


def test_what_never_varies_explains_nothing() -> None:
    draws = np.random.default_rng(4).random(1000)
    assert first_order(draws, np.ones(1000)) == 0
    assert first_order(np.ones(1000), draws) == 0


def test_the_worth_of_knowing_is_the_closed_form() -> None:
    # Choose nothing, or what is worth x + y with x and y normal: knowing x is worth E[max(0, x)] = s / sqrt(2 pi).
    generator = np.random.default_rng(5)
    x, y, z = 3 * generator.standard_normal(8192), generator.standard_normal(8192), generator.standard_normal(8192)
    of = np.stack([np.zeros(8192), x + y - (x + y).mean()], axis=1)
    assert worth(of, [x]) == pytest.approx(3 / np.sqrt(2 * np.pi), rel=0.04)
    assert worth(of, [x, y]) == pytest.approx(np.sqrt(10 / (2 * np.pi)), rel=0.06)
    assert worth(of, [z]) < 0.02
    assert of_all(of) == pytest.approx(np.sqrt(10 / (2 * np.pi)), rel=0.04)


def test_an_expectation_is_a_smooth_function_of_what_is_known() -> None:
    generator = np.random.default_rng(6)
    x = generator.random(4096)
    found = expected((x**2 + generator.standard_normal(4096) * 0.1)[:, None], [x])[:, 0]
    assert np.abs(found - x**2).max() < 0.05
