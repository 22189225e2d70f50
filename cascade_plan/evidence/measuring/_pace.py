"""How often and how long a step is run, the clock that times it, and how the times lie."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from time import monotonic, perf_counter
from typing import Any, Final

from cascade_plan.evidence.servers import Reading, Step
from cascade_plan.formulas import estimates

APART: Final = 10
"""An interval whose ends are so many times apart tells nothing (assumption)."""


def turns(step: Step) -> Iterator[int]:
    """Yield the turns of a step from 0 on: as many as it may have, and none after its time; the first one always."""
    end = monotonic() + step.seconds
    for turn in range(step.most):
        if turn and step.seconds and monotonic() >= end:
            return
        yield turn


def now_ms() -> float:
    """Return a time in ms whose differences count."""
    return perf_counter() * 1000


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Finish what is short, bounded in time, and clears away, also on Ctrl-C: KeyboardInterrupt comes after it then."""
    pressed: list[int] = []
    before: dict[signal.Signals, Any] = {}
    # Handlers belong to the main thread; elsewhere nothing interrupts.
    with suppress(ValueError):
        for kind in (signal.SIGINT, signal.SIGTERM):
            before[kind] = signal.signal(kind, lambda number, frame: pressed.append(number))
    try:
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
    if pressed:
        raise KeyboardInterrupt


def spread(sample: Sequence[float]) -> str:
    """Return how a sample lies, in words: its percentiles."""
    return ", ".join(f"p{share} {_short(estimates.percentile(sample, share / 100))}" for share in (50, 95, 99))


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= 1000 else f"{number:.3g}"


def variability(name: str, sample: Sequence[float], of: str, unknown: dict[str, str]) -> Iterator[Reading]:
    """Yield the squared coefficient of variation of a sample; where it is not known, `unknown` gets why.

    One time of a hundred usual ones can decide it: no value is left out, so the whole is not told then.
    """
    found = estimates.scv(sample)
    if found.high > 1 and found.high > APART * found.low:
        unknown[name] = f"between {found.low:.2g} and {found.high:.2g}: a few of {of} decide it"
    else:
        # A mean and an SCV have no stalls: whoever reads a large one should know what made it.
        stalls = f"a few, up to {_short(max(sample))} ms, decide it" if found.value > APART else ""
        yield Reading(name, *found, f"variance over squared mean of {of}", stalls)
