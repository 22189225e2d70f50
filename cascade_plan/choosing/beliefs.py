"""A scenario -> how unsure each of its numbers is, and draws of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING, Any, Final

from cascade_plan.choosing.sensitivities import origin_of
from cascade_plan.model.calibration import CALIBRATED, Calibrated
from cascade_plan.model.scenario import Scenario, numbers
from cascade_plan.model.uncertainty import (
    OF_A_RUN,
    QUANTITIES,
    SPREADS,
    Z90,
    Z975,
    Numeric,
    Spread,
    matches,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

PEAK: Final = "users.peak"
AVERAGE: Final = "users.average"


@dataclass(frozen=True)
class Belief:
    """Numbers that are off together: one draw of it is how far all of them are."""

    name: str
    """A dotted path, or a pattern of several."""
    kind: str
    """Where what is known of it comes from: uncertainty, calibrated, scenario, or the kind of a default."""
    members: tuple[tuple[Numeric, Spread], ...]

    def draw(self, count: int, seed: int, stream: int = 0) -> Iterator[tuple[str, Array]]:
        """Yield (path, value in each world); the first worlds are the same whatever their number."""
        for number, spread in self.members:
            yield number.path, _bounded(number, _drawn(number, spread, self._generator(seed, stream), count))

    def _generator(self, seed: int, stream: int) -> Any:
        """Return a generator of its own: what else is unsure changes no draw of it."""
        import numpy as np

        return np.random.default_rng([seed, stream, *self.name.encode()])


def beliefs(scenario: Scenario, origins: Mapping[str, str]) -> tuple[Belief, ...]:
    """Return what is unsure of a scenario, each number once: as it says, as it was calibrated, else by its kind."""
    left = {number.path: number for number in numbers(scenario)}
    found = []
    for pattern, law in scenario.uncertainty.items():
        own = [left.pop(path) for path in list(left) if matches(pattern, path)]
        if own and isinstance(law, Spread):
            found.append(Belief(pattern, "uncertainty", tuple((number, law) for number in own)))
    found += [belief for path in list(left) if (belief := _calibrated(scenario, left[path])) and left.pop(path)]
    for pattern in QUANTITIES:
        own = [left.pop(path) for path in list(left) if matches(pattern, path)]
        own = [number for number in own if number.value and not (number.is_share and number.value == 1)]
        if pattern.startswith("behaviour."):
            found += [_by_kind(scenario, pattern, own, origins)] if own else []
        else:
            found += [_by_kind(scenario, number.path, [number], origins) for number in own]
    return tuple(found)


def _by_kind(scenario: Scenario, name: str, own: list[Numeric], origins: Mapping[str, str]) -> Belief:
    kinds = [origin_of(number.path, scenario, origins)[0] for number in own]
    spreads = [Spread(lognormal=SPREADS[kind]) for kind in kinds]
    widest = max(kinds, key=lambda kind: SPREADS[kind])
    return Belief(name, widest, tuple(zip(own, spreads, strict=True)))


def _calibrated(scenario: Scenario, number: Numeric) -> Belief | None:
    """Return how unsure a measured value is: by its interval, and by what lies between two runs at least."""
    known = scenario.calibration.get(number.path) if isinstance(scenario.calibration, dict) else None
    if not isinstance(known, Calibrated) or not number.value or (number.is_share and number.value == 1):
        return None
    spread = OF_A_RUN
    if known.low and known.high and known.high > known.low:
        ends = [
            _odds(end) if number.is_share else end
            for end in (known.low, min(known.high, 1 - 1e-9) if number.is_share else known.high)
        ]
        spread = max(spread, log(ends[1] / ends[0]) / (2 * Z975))
    return Belief(number.path, CALIBRATED, ((number, Spread(lognormal=min(3.0, spread))),))


def _odds(share: float) -> float:
    return share / (1 - share)


def draws(believed: tuple[Belief, ...], scenario: Scenario, count: int, seed: int, stream: int = 0) -> dict[str, Array]:
    """Return dotted path -> its value in each world. Users on average follow those at peak unless they are said too."""
    found = {path: values for belief in believed for path, values in belief.draw(count, seed, stream)}
    if PEAK in found and AVERAGE not in found:
        import numpy as np

        users = scenario.users
        found[AVERAGE] = np.maximum(1.0, np.rint(found[PEAK] * (users.average / users.peak)))
    return found


def _drawn(number: Numeric, spread: Spread, generator: Any, count: int) -> Array:
    import numpy as np

    if spread.samples is not None:
        chosen: Array = np.asarray(spread.samples)[generator.integers(len(spread.samples), size=count)]
        return chosen
    if spread.uniform is not None:
        least, most = spread.uniform
        return least + (most - least) * np.asarray(generator.random(count))
    if spread.triangular is not None:
        return np.asarray(generator.triangular(*spread.triangular, size=count))
    if spread.beta is not None:
        return np.asarray(generator.beta(*spread.beta, size=count))
    median, deviation = number.value, spread.lognormal or 0.0
    if spread.p10 is not None and spread.p90 is not None:
        low, high = (log(_odds(end) if number.is_share else end) for end in (spread.p10, spread.p90))
        middle, deviation = (low + high) / 2, (high - low) / (2 * Z90)
    else:
        middle = log(_odds(median) if number.is_share else median)
    multiple: Array = np.exp(middle + deviation * generator.standard_normal(count))
    return multiple / (1 + multiple) if number.is_share else multiple


def _bounded(number: Numeric, values: Array) -> Array:
    import numpy as np

    bounded: Array = np.clip(values, number.least, number.most)
    return np.rint(bounded) if number.is_whole else bounded
