"""What a scenario may say of the log."""

from typing import ClassVar

from cascade_plan.model import tier
from cascade_plan.model.defaults import default
from cascade_plan.units import Milliseconds, MillisecondsOrZero, Variability


class Settings(tier.Settings):
    """How long an entry takes, one after the other."""

    KIND: ClassVar[str] = "audit"

    entry_ms: Milliseconds = default(0.2, "assumption", "made up")
    """Time of one entry."""
    service_scv: Variability = default(1.0, "assumption", "made up")
    """Squared coefficient of variation of it."""
    round_trip_ms: MillisecondsOrZero = default(0.5, "assumption", "made up")
    """Network time of one entry."""
