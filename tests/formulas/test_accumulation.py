"""What accumulates, against a numerical integral of what is there at every moment."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.formulas.accumulation import held

MONTHS = st.integers(1, 120)
KEPT = st.none() | st.floats(0.01, 120)


@given(MONTHS, KEPT)
def test_it_is_the_mean_of_what_is_there(month: int, kept: float | None) -> None:
    moments = np.linspace(month - 1, month, 20_001)
    there = moments if kept is None else np.minimum(moments, kept)
    assert held(month, kept) == pytest.approx(np.trapezoid(there, moments), abs=1e-6)


@given(MONTHS, KEPT, KEPT)
def test_what_is_kept_longer_is_never_less(month: int, kept: float | None, longer: float | None) -> None:
    if longer is None or (kept is not None and kept <= longer):
        assert held(month, kept) <= held(month, longer) + 1e-12


@given(MONTHS, KEPT)
def test_it_never_falls_from_month_to_month(month: int, kept: float | None) -> None:
    assert held(month, kept) <= held(month + 1, kept) + 1e-12


def test_there_is_no_month_before_the_first() -> None:
    with pytest.raises(ValueError, match="the first month is 1, got 0"):
        held(0)
