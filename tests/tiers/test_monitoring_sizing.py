"""The sizing of Prometheus, where it ends."""

from __future__ import annotations

import pytest

from cascade_plan.errors import InfeasibleError
from cascade_plan.inputs.scenarios import read
from cascade_plan.planning.pipeline import plan


def test_a_server_that_no_shape_is_large_enough_for_is_refused_in_words() -> None:
    found = read("cascade", [("--set", "tiers.monitoring.memory_kib_per_series", "1000000000")])
    with pytest.raises(InfeasibleError, match=r"no priced vm shape .* the largest priced has"):
        plan(found.scenario, found.book, predicted=False)
