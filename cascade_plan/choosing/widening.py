"""A forecast -> between what its costs are, as growth and what else is unsure may turn out.

Nothing is planned a draw: the costs of a few paths of users are tabulated, and each draw is read off between them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from math import exp, log, sqrt
from typing import TYPE_CHECKING, Any, Final

from cascade_plan.errors import InfeasibleError
from cascade_plan.model.forecast import Band, Forecast
from cascade_plan.model.growth import USERS_MOST, Connected
from cascade_plan.model.plan import Plan
from cascade_plan.model.price import Book
from cascade_plan.model.terms import CENT

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

DRAWS: Final = 1000
"""Draws: a tenth or ninetieth percentile of them is within 2 in a hundred of its rank (95 %)."""
PATHS: Final = (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)
"""Standard deviations from the middle at which users are planned for; what is beyond is taken as the last of them."""
EVERY: Final = 3
"""Months from one that is tabulated to the next."""
LOOKS: Final = 2
"""Months in which what else is unsure is looked at: the first, one in the middle, the last."""
PERCENTILES: Final = (10, 50, 90)
PEAK: Final = "users.peak"
Planner = Callable[[Sequence[Connected], Sequence[int]], Sequence[Plan]]
"""What plans some months, by their places, of a path of users."""


def band(
    found: Forecast, book: Book, origins: Mapping[str, str], planner: Planner, draws: int = DRAWS, seed: int = 1
) -> Band:
    """Return the percentiles of each month's, year's and all months' effective cost; the same for the same seed.

    Users are off by how unsure the percent a month is, by each month's own noise, and by what the scenario says of
    users.peak; the cost follows them as tabulated. What else is unsure moves the cost of the fleet as it stands, as
    `risk` has it.
    """
    import numpy as np

    chance = _Chance(found, origins, draws, seed)
    costs = np.exp(_followed(found, planner, chance)) * _else_unsure(found, book, origins, chance)
    costs *= np.array([float(month.effective_usd) for month in found.months])
    years, at = [], 0
    for year in found.fiscal_years:
        years.append(_three(costs[:, at : at + year.month_count].sum(axis=1)))
        at += year.month_count
    monthly = tuple(_three(costs[:, index]) for index in range(len(found.months)))
    return Band(draws, seed, monthly, tuple(years), _three(costs.sum(axis=1)))


class _Chance:
    """How far users are from the forecast, drawn."""

    def __init__(self, found: Forecast, origins: Mapping[str, str], draws: int, seed: int) -> None:
        import numpy as np

        from cascade_plan.choosing.beliefs import beliefs

        law, count = found.scenario.growth, len(found.months)
        self.draws, self.seed = draws, seed
        self.believed = beliefs(found.scenario, origins)
        months = np.arange(count)
        rate = 1 + law.percent_per_month / 100
        generator = np.random.default_rng([seed, *b"growth"])
        drawn = np.maximum(rate + law.points / 100 * generator.standard_normal(draws), 0.01)
        noise = law.noise_percent / 100 * generator.standard_normal((draws, count))
        level, spread = self._level(found)
        self.off = level[:, None] + np.log(drawn / rate)[:, None] * months + noise
        """Log of users over those forecast: draws x months."""
        self.deviations: list[float] = [
            max(1e-3, sqrt((law.points / 100 / rate * month) ** 2 + (law.noise_percent / 100) ** 2 + spread**2))
            for month in range(count)
        ]
        """The standard deviation of it in each month."""

    def _level(self, found: Forecast) -> tuple[Array, float]:
        """Return the log of how many users there are of those said, and its standard deviation; 0 where it is sure."""
        import numpy as np

        for belief in self.believed:
            for path, values in belief.draw(self.draws, self.seed):
                if path == PEAK:
                    level = np.log(np.maximum(values, 1.0) / found.scenario.users.peak)
                    return level, float(level.std())
        return np.zeros(self.draws), 0.0


def _followed(found: Forecast, planner: Planner, chance: _Chance) -> Array:
    """Return the log of the cost over the one forecast, as users are off: draws x months."""
    import numpy as np

    count = len(found.months)
    looked = sorted({*range(0, count, EVERY), count - 1})
    table = np.zeros((len(PATHS), len(looked)))
    middle: list[float] = []
    for row, z in sorted(enumerate(PATHS), key=lambda each: abs(each[1])):
        users = [_times(month.plan, exp(z * chance.deviations[index])) for index, month in enumerate(found.months)]
        try:
            costs = [float(getattr(made.bill.effective_usd, found.level)) for made in planner(users, looked)]
        except InfeasibleError:
            # So many users have no plan: they are taken to cost what the most do that have one.
            table[row] = table[row + (1 if z < 0 else -1)]
            continue
        middle = middle or costs
        table[row] = [log(max(1e-9, cost) / max(1e-9, own)) for cost, own in zip(costs, middle, strict=True)]
    off = np.empty((chance.draws, count))
    for index in range(count):
        column = np.array([np.interp(index, looked, row) for row in table])
        off[:, index] = np.interp(chance.off[:, index] / chance.deviations[index], PATHS, column)
    return off


def _times(plan: Plan, factor: float) -> Connected:
    users = plan.scenario.users
    peak, average = (min(USERS_MOST, max(1, round(count * factor))) for count in (users.peak, users.average))
    return Connected(peak, min(peak, average))


def _else_unsure(found: Forecast, book: Book, origins: Mapping[str, str], chance: _Chance) -> Any:
    """Return by what the cost of the fleet as it stands is off in each draw and month, by all that is no user."""
    import numpy as np

    from cascade_plan.choosing.beliefs import beliefs
    from cascade_plan.choosing.worlds import Worlds, drawn

    count = len(found.months)
    looked = sorted({0, count - 1, *(count * step // LOOKS for step in range(1, LOOKS))})
    columns = []
    for index in looked:
        plan = found.months[index].plan
        # As of the first month: what nobody gave is as unsure in the last one.
        believed = tuple(each for each in beliefs(plan.scenario, origins) if not each.name.startswith("users."))
        if not believed:
            return np.ones((chance.draws, count))
        values = drawn(believed, plan.scenario, chance.draws, chance.seed)
        cost = Worlds(plan.scenario, book, believed, values, chance.draws).cost_usd(plan.fleet)
        columns.append(np.broadcast_to(cost, chance.draws) / float(getattr(plan.bill.effective_usd, found.level)))
    ratios = np.array(columns)
    return np.array(
        [[np.interp(index, looked, ratios[:, draw]) for index in range(count)] for draw in range(chance.draws)]
    )


def _three(values: Array) -> tuple[Decimal, Decimal, Decimal]:
    import numpy as np

    low, middle, high = (Decimal(f"{value:.2f}").quantize(CENT) for value in np.percentile(values, PERCENTILES))
    return low, middle, high
