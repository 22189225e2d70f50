"""The images that nobody has named yet, and how whoever deploys them does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cascade_plan.model.plan import Plan

PLACEHOLDER: Final = "registry.example.com/"
"""Where images come from that nobody has named (RFC 2606)."""


def unnamed(plan: Plan) -> Mapping[str, str]:
    """Return placeholder image -> the variable in the environment that names the one to run."""
    return {
        workload.image: f"{workload.tier.upper()}_IMAGE"
        for workload in plan.fleet.workloads
        if workload.image.startswith(PLACEHOLDER)
    }
