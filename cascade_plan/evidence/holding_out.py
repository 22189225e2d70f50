"""A calibration that checks itself: each load in turn is left out, predicted from the others, and compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from cascade_plan.evidence.deployed import System
from cascade_plan.evidence.estimates import Estimated
from cascade_plan.evidence.estimating import estimated, predicted
from cascade_plan.evidence.steady import Run
from cascade_plan.model.calibrating import Trial
from cascade_plan.model.measurement import PERCENTILES
from cascade_plan.planning.chain import Prediction

P95_WITHIN: Final = 0.15
"""What a p95 that was predicted from other loads may be off by."""
RATE_WITHIN: Final = 0.03
"""And a throughput."""
BETWEEN_RUNS: Final = 0.03
"""Share by which the CPU time moves from run to run of one load beyond chance: 2 to 4 % in three repeats of four loads
(a small stack on loopback, docs/model.md)."""
LIMITS: Final = {"requests_per_s": RATE_WITHIN, "latency_ms_p95": P95_WITHIN}


def trials(system: System, runs: Sequence[Run], found: Estimated) -> tuple[Trial, ...]:
    """Return what was measured at each load beside what is predicted with and without having seen it.

    Loads of which no load test tells users, rate and percentiles take no part. One load alone cannot be left out.
    """
    result: list[Trial] = []
    told = [each for each in runs if each.user_count and each.measurement is not None]
    for each in told:
        result += _compared(each, system, found, is_held_out=False)
        others = [other for other in runs if other is not each]
        if len(told) > 1:
            result += _compared(each, system, estimated(system, others), is_held_out=True)
    return tuple(result)


def trusted_to(held_out: Sequence[Trial]) -> float | None:
    """Return the busy share up to which every load that was left out was predicted within the limits.

    None where the lowest of them was not, or nothing was left out.
    """
    found = None
    for share, kept in sorted(_verdicts(held_out).items()):
        if not kept:
            break
        found = share
    return found


def _verdicts(held_out: Sequence[Trial]) -> Mapping[float, bool]:
    """Return busy share -> whether all of a load's figures that have a limit kept it."""
    found: dict[float, bool] = {}
    for each in held_out:
        if each.is_held_out and each.busy_share is not None and each.figure in LIMITS:
            kept = abs(each.difference_ratio) <= LIMITS[each.figure]
            found[each.busy_share] = found.get(each.busy_share, True) and kept
    return found


def _compared(run: Run, system: System, found: Estimated, is_held_out: bool) -> Iterator[Trial]:
    users = run.user_count or 1
    middle = predicted(system, found, users, run.load)
    half = _half_width(found)
    low, high = (predicted(system, found, users, run.load, factor) for factor in (1 - half, 1 + half))
    busy = max((middle.utilisation_ratio[name] for name in found.laws), default=None)
    for figure, measured in _measured(run).items():
        least, most = sorted((_figure(low, figure), _figure(high, figure)))
        yield Trial(run.name, users, busy, figure, _figure(middle, figure), least, most, measured, is_held_out)


def _half_width(found: Estimated) -> float:
    """Return the relative half-width of the CPU time: chance, and what it moves from run to run."""
    widths = [(each.ms.high - each.ms.value) / each.ms.value for each in found.demands if each.tier in found.laws]
    known = [width for width in widths if 0 <= width < 1]
    return float(((max(known, default=0.0)) ** 2 + BETWEEN_RUNS**2) ** 0.5)


def _measured(run: Run) -> dict[str, float]:
    found = {}
    measurement = run.measurement
    if measurement is not None:
        if measurement.requests_per_s is not None and not measurement.rate_includes_ramp:
            found["requests_per_s"] = measurement.requests_per_s
        for name in PERCENTILES:
            if name in measurement.percentiles:
                found[f"latency_ms_{name}"] = measurement.percentiles[name].latency_ms
    return found


def _figure(prediction: Prediction, figure: str) -> float:
    return float(getattr(prediction, figure))
