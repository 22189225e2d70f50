"""CPU credits of burstable instances: what they earn all the time, and how long they last above it."""

from __future__ import annotations

from math import inf
from typing import Final

from cascade_plan.formulas.draws import largest

KEPT_H: Final = 24
"""Hours of what is earned that can be kept. Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/burstable-credits-baseline-concepts.html"""


def lasting_s(busy_ratio: float, baseline_ratio: float) -> float:
    """Return how long a full balance lasts at so busy a CPU; infinite up to the baseline.

    A credit is a vCPU for a minute; the balance is what KEPT_H hours earn, and goes on being earned while it is spent.

    >>> lasting_s(0.2, 0.2), lasting_s(1.0, 0.2) / 3600
    (inf, 6.0)
    """
    above = busy_ratio - baseline_ratio
    return KEPT_H * 3600 * baseline_ratio / above if above > 1e-12 else inf


def surplus_vcpu_hours(busy_ratio: float, baseline_ratio: float, vcpu: float, hours: float) -> float:
    """Return what so many hours use beyond what is earned, in vCPU-hours, of a CPU that is so busy on average.

    >>> round(surplus_vcpu_hours(0.25, 0.20, 2, 730), 9)
    73.0
    """
    found: float = largest(0.0, busy_ratio - baseline_ratio) * vcpu * hours
    return found
