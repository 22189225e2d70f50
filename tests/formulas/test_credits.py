"""CPU credits, against what AWS publishes of them."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.formulas import credits

SHARE = st.floats(0.01, 1)


def test_the_example_that_aws_gives() -> None:
    """A db.t3.small 5% above its baseline for 24 hours: 7.5 cents x 1 vCPU x 5% x 24 h are 9 cents (re:Post)."""
    a_day = credits.surplus_vcpu_hours(0.25, 0.20, 1, 24)
    assert a_day * 0.075 == pytest.approx(0.09)


@pytest.mark.parametrize(
    ("vcpu", "baseline", "kept"),
    # Size: vCPU, baseline, and the most credits that can be kept, as AWS's table has them.
    [(2, 0.10, 288), (2, 0.20, 576), (2, 0.30, 864), (4, 0.40, 2304), (8, 0.40, 4608)],
)
def test_a_full_balance_lasts_as_long_as_its_credits(vcpu: int, baseline: float, kept: int) -> None:
    # All vCPU busy spend vcpu credits a minute and earn vcpu x baseline.
    assert credits.lasting_s(1.0, baseline) == pytest.approx(kept / (vcpu * (1 - baseline)) * 60)


@given(SHARE, SHARE, st.integers(1, 8))
def test_up_to_the_baseline_it_lasts_and_costs_nothing(busy: float, baseline: float, vcpu: int) -> None:
    lasts = credits.lasting_s(busy, baseline)
    assert (lasts == inf) == (busy <= baseline + 1e-12)
    assert (credits.surplus_vcpu_hours(busy, baseline, vcpu, 730) > 0) == (busy > baseline)
    assert credits.lasting_s(busy / 2, baseline) >= lasts
