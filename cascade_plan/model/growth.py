"""How users become more, or fewer, month by month.

Annotations are evaluated here, at definition: pydantic would evaluate postponed ones at every start.
"""

from math import ceil
from typing import Annotated

from pydantic import Field

from cascade_plan.model.defaults import default
from cascade_plan.model.part import Part

PercentAMonth = Annotated[float, Field(ge=-50, le=200, allow_inf_nan=False)]


class Growth(Part):
    """What becomes of the number of users after the first month."""

    percent_per_month: PercentAMonth = default(0.0, "assumption", "as many users every month unless the scenario says")
    """By how many percent of a month's users the next month has more; fewer where it is below 0."""

    def users_in(self, month: int, users: int) -> int:
        """Return the users of a month, of so many in the first one: at least one.

        >>> Growth(percent_per_month=8.0).users_in(13, 10_000), Growth().users_in(13, 10_000)
        (25182, 10000)
        """
        return max(1, ceil(round(users * (1 + self.percent_per_month / 100) ** (month - 1), 6)))
