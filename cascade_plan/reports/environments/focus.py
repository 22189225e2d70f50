"""Several environments' charges in FOCUS."""

from __future__ import annotations

from collections.abc import Sequence

from cascade_plan.model.plan import Plan

FORMAT: str = "FOCUS: every environment's rows in one table, each an account of its own"


def render(plans: Sequence[Plan], rendered: Sequence[str]) -> str:
    """Return the plans' own rows under one header: a row's account says which environment it is of."""
    header = rendered[0].splitlines(keepends=True)[0]
    return header + "".join(row for text in rendered for row in text.splitlines(keepends=True)[1:])
