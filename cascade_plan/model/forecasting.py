"""From which month on, how far and by which fiscal years a forecast goes.

Annotations are evaluated here, at definition: pydantic would evaluate postponed ones at every start.
"""

from typing import Annotated

from pydantic import Field

from cascade_plan.model.defaults import default
from cascade_plan.model.growth import Month
from cascade_plan.model.part import Part


class Forecasting(Part):
    """What `forecast` looks at."""

    start: Month | None = Field(default=None, examples=["2027-01"])
    """The first month, YYYY-MM; left out, the month after the newest price."""
    months: Annotated[int, Field(ge=1, le=120)] = default(36, "assumption", "the longest commitment that is sold")
    """How many months."""
    fiscal_year_start: Annotated[int, Field(ge=1, le=12)] = default(
        1, "assumption", "the calendar year; set the month yours begins with"
    )
    """Calendar month that a fiscal year begins with; the year is called after the calendar year that it ends in."""
    buffer_percent: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = default(
        10.0, "assumption", "a forecast within 12 % is what the FinOps Foundation's State of FinOps 2024 calls good"
    )
    """By how many percent the amount that the report asks for is above the forecast."""
