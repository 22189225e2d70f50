"""What a scenario may say of costs that this program does not size."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from cascade_plan.model import tier
from cascade_plan.model.part import Key, Part
from cascade_plan.units import AmountOrZero, UsdOrZero


class Line(Part):
    """A line of the bill by hand: a flat amount, an amount for each user, or a quantity times its price."""

    usd_per_month: UsdOrZero | None = Field(default=None, examples=[100])
    """A flat amount."""
    usd_per_user_month: UsdOrZero | None = Field(default=None, examples=[0.05])
    """An amount for each user."""
    users: Literal["peak", "average", "registered"] = "peak"
    """Which users it is for."""
    units_per_month: AmountOrZero | None = Field(default=None, examples=[1_000_000])
    """A quantity, with the price of one beside it."""
    usd_per_unit: UsdOrZero | None = Field(default=None, examples=[0.0004])
    """The price of one."""
    unit: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9 /_-]{0,39}$")] = "unit"
    """What is counted, in words for the bill."""
    source: Annotated[str, Field(min_length=1, max_length=200)] = "the scenario"
    """Where the price comes from, such as a contract or a price page with its date."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = [self.usd_per_month, self.usd_per_user_month, self.units_per_month]
        if sum(way is not None for way in ways) != 1:
            raise ValueError("give one of usd_per_month, usd_per_user_month, units_per_month")
        if (self.units_per_month is None) != (self.usd_per_unit is None):
            raise ValueError("units_per_month and usd_per_unit go together")
        return self


class Settings(tier.Settings):
    """Costs that are known and not sized here: a support plan, an e-mail service, a model that is paid by the token."""

    KIND: ClassVar[str] = "extra"
    SEVERAL: ClassVar[bool] = True

    lines: Annotated[dict[Key, Line], Field(min_length=1, max_length=50)] = Field(
        examples=[{"support": {"usd_per_month": 100}}]
    )
    """Lines of the bill by name: {support: {usd_per_month: 100}}."""
