"""What users or assumptions do to the cost of a plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cascade_plan.choosing.curve import curve
from cascade_plan.choosing.sensitivities import sensitivities
from cascade_plan.errors import InfeasibleError
from cascade_plan.model.outlook import Outlook
from cascade_plan.model.plan import Plan
from cascade_plan.model.price import Book
from cascade_plan.model.scenario import Scenario
from cascade_plan.planning import pipeline

NEVER_OLD: Final = 100_000
"""Days: that a price is old changes no cost."""


def outlook(scenario: Scenario, book: Book, origins: Mapping[str, str]) -> Outlook:
    """Return the cost over users, and the values that change it most.

    Raises UsageError and InfeasibleError where the scenario itself has no plan.
    """
    present = pipeline.plan(scenario, book, origins)

    def attempt(other: Scenario) -> Plan | None:
        try:
            # Only the bill is looked at: what is left out here is no part of it.
            return pipeline.plan(
                other,
                book,
                origins,
                predicted=False,
                with_margins=False,
                is_whole=False,
                max_price_age_days=NEVER_OLD,
            )
        except InfeasibleError:
            return None

    return Outlook(
        curve=tuple(curve(scenario, attempt)),
        sensitivities=sensitivities(present, attempt, origins),
    )
