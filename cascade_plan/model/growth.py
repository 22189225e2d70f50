"""How users become more, or fewer, month by month.

Annotations are evaluated here, at definition: pydantic would evaluate postponed ones at every start.
"""

from datetime import date
from math import ceil
from typing import Annotated, NamedTuple, Self

from pydantic import Field, model_validator

from cascade_plan.errors import UsageError
from cascade_plan.model.defaults import default
from cascade_plan.model.part import Part, Text
from cascade_plan.units import Users, matching

PercentAMonth = Annotated[float, Field(ge=-50, le=200, allow_inf_nan=False)]
Month = Annotated[str, matching(r"^20[0-9]{2}-(0[1-9]|1[0-2])$", "a month, YYYY-MM", 40)]
CALENDAR = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
CalendarMonth = Annotated[str, matching(rf"^({'|'.join(CALENDAR)})$", "a calendar month, jan to dec", 3)]
Factor = Annotated[float, Field(ge=0.01, le=100, allow_inf_nan=False)]
Points = Annotated[float, Field(ge=0, le=50, allow_inf_nan=False)]
MONTHS_PER_YEAR = 12
USERS_MOST = 1_000_000_000
"""As in a scenario."""


class Connected(NamedTuple):
    """The users of one month."""

    peak: int
    average: int
    registered: int | None = None
    """None where they follow those at peak."""


class Step(Part):
    """What changes the number of users in one month and stays from then on: a launch, a customer, a country."""

    month: Month = Field(examples=["2027-09"])
    """The first month with it, YYYY-MM."""
    users: Users | None = Field(default=None, examples=[20_000])
    """Users at peak from then on, before the season; the average follows."""
    factor: Factor | None = Field(default=None, examples=[1.4])
    """In place of users, by what those there would be are multiplied."""
    note: Text = Field(default="", examples=["launch in Japan"])
    """What it is, as the forecast names it."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.users is None) == (self.factor is None):
            raise ValueError("give users or factor, and not both")
        return self


class Growth(Part):
    """What becomes of the number of users after the first month."""

    percent_per_month: PercentAMonth = default(0.0, "assumption", "as many users every month unless the scenario says")
    """By how many percent of a month's users the next month has more; fewer where it is below 0."""
    seasonality: dict[CalendarMonth, Factor] = Field(default_factory=dict, examples=[{"nov": 1.3, "dec": 1.5}])
    """Calendar month -> by what its users are multiplied, of what growth alone would give: {nov: 1.3}."""
    steps: Annotated[list[Step], Field(max_length=100)] = Field(
        default_factory=list, examples=[[{"month": "2027-09", "factor": 1.4, "note": "launch in Japan"}]]
    )
    """What changes the users in one month and stays: a launch, a large customer."""
    deviation_percent: Points | None = default(
        None, "assumption", "a quarter of the percent a month: of 8 % that is 6 to 10 % in two of three cases"
    )
    """How unsure the percent a month is: the standard deviation, in percentage points. Only a band is made of it."""
    noise_percent: Points = default(3.0, "assumption", "one month differs from the trend by 3 % in two of three cases")
    """How far one month's users are from the trend: the standard deviation, in percent. Only a band is made of it."""

    @property
    def is_by_calendar(self) -> bool:
        """Whether it hangs on which calendar month the first one is."""
        return bool(self.seasonality or self.steps)

    @property
    def points(self) -> float:
        """The standard deviation of the percent a month, in percentage points."""
        return abs(self.percent_per_month) / 4 if self.deviation_percent is None else self.deviation_percent

    def factors(self, count: int, peak: int, start: date | None = None) -> tuple[float, ...]:
        """Return what the users of each of so many months are multiplied by, of those at peak in the first one.

        A step in the month of `start` or later counts; an earlier one is in the users already. Raises UsageError where
        growth is by the calendar and no first month is given.

        >>> Growth(percent_per_month=10.0).factors(3, 100)
        (1.0, 1.1, 1.2100000000000002)
        >>> season = Growth.model_validate({"seasonality": {"feb": 1.5}, "steps": [{"month": "2027-03", "users": 300}]})
        >>> season.factors(4, 100, date(2027, 1, 1))
        (1.0, 1.5, 3.0, 3.0)
        """
        if start is None:
            if self.is_by_calendar:
                raise UsageError(
                    "growth.seasonality and growth.steps are by the calendar: give forecast.start, YYYY-MM"
                )
            return tuple((1 + self.percent_per_month / 100) ** index for index in range(count))
        found, trend = [], 1.0
        for index in range(count):
            month = later(start, index)
            trend *= 1 + self.percent_per_month / 100 if index else 1.0
            for step in self.steps:
                if step.month == f"{month:%Y-%m}":
                    trend = step.users / peak if step.users is not None else trend * (step.factor or 1.0)
            found.append(trend * self.seasonality.get(CALENDAR[month.month - 1], 1.0))
        return tuple(found)

    def months(self, count: int, peak: int, average: int, start: date | None = None) -> tuple[Connected, ...]:
        """Return the users of each of so many months; at least one. Raises as `factors` does, and for too many users.

        >>> Growth(percent_per_month=8.0).months(13, 10_000, 3000)[-1]
        Connected(peak=25182, average=7555, registered=None)
        """
        found = []
        for number, each in enumerate(self.factors(count, peak, start), start=1):
            if peak * each > USERS_MOST:
                raise UsageError(
                    f"growth: in month {number} there are {peak * each:,.0f} users at peak, more than {USERS_MOST:,}: "
                    "look at fewer months, or give a lower growth"
                )
            found.append(Connected(_times(peak, each), _times(average, each)))
        return tuple(found)


def _times(users: int, factor: float) -> int:
    return max(1, ceil(round(users * factor, 6)))


def later(start: date, months: int) -> date:
    """Return the first day of the month so many months after another.

    >>> later(date(2027, 11, 1), 3)
    datetime.date(2028, 2, 1)
    """
    year, month = divmod(start.month - 1 + months, MONTHS_PER_YEAR)
    return date(start.year + year, month + 1, 1)


def month_of(text: str) -> date:
    """Return the first day of a month that is written as YYYY-MM."""
    return date.fromisoformat(f"{text}-01")
