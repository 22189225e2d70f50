"""The project file: what a directory, and all below it, give every command.

Annotations are evaluated here, at definition: pydantic would evaluate postponed ones at every start.
"""

from typing import Annotated, Any

from pydantic import Field, field_validator

from cascade_plan.model.part import Part, Text
from cascade_plan.units import Users, matching

Day = Annotated[str, matching(r"^20[0-9]{2}-[0-9]{2}-[0-9]{2}$", "a day, YYYY-MM-DD", 10)]


class Project(Part):
    """Values of the flags of the same names, for whoever gives none."""

    scenario: Text | None = None
    """A scenario file, relative to the project file, or the name of a bundled one."""
    env: Text | None = None
    peak: Users | None = None
    avg: Users | None = None
    region: Text | None = None
    method: Text | None = None
    set: dict[str, Any] | list[str] | None = None
    """Values of the scenario by their dotted paths, or a list of KEY.PATH=VALUE."""
    calibration: Text | None = None
    """A file that `calibrate` or `measure` wrote, relative to the project file."""
    prices: Text | None = None
    """A file of prices, relative to the project file."""
    no_price_cache: bool | None = None
    as_of: Day | None = None
    max_price_age: Annotated[int, Field(ge=0, le=36_500)] | None = None
    """Days."""
    strict_prices: bool | None = None

    @field_validator("set", mode="before")
    @classmethod
    def _one_is_a_list_of_one(cls, given: Any) -> Any:
        return [given] if isinstance(given, str) else given
