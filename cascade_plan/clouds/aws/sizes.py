"""What a reservation on AWS pays for beside its own size: every size of its family, by normalised units."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from cascade_plan.model.commitments import Size
from cascade_plan.model.offer import Offer

UNITS: Final = {"nano": Fraction(1, 4), "micro": Fraction(1, 2), "small": Fraction(1), "medium": Fraction(2)} | {
    "large": Fraction(4),
    "xlarge": Fraction(8),
    **{f"{times}xlarge": Fraction(8 * times) for times in (2, 3, 4, 6, 8, 9, 10, 12, 16, 18, 24, 32, 48)},
}
"""Normalised units an hour by size. A bare-metal instance has none: it is reserved for itself alone. Sources:
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/apply_ri.html (regional, Linux, shared tenancy),
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithReservedDBInstances.html (PostgreSQL, Aurora),
https://aws.amazon.com/blogs/database/new-size-flexibility-for-amazon-elasticache-reserved-nodes (all engines)."""
ZONES: Final = {"single_zone": 1, "multi_zone": 2}
"""How often the units count of a database that has a standby: the page on RDS has both columns."""


def sizes(offer: Offer) -> Iterator[Size]:
    """Yield what may be reserved to pay for an instance: itself, then its family's smaller sizes, the largest first.

    Of a database with a standby the sizes without one come last: a reservation of either pays for the other.
    """
    yield Size(offer, Fraction(1))
    family, _, size = offer.name.rpartition(".")
    own = UNITS.get(size)
    if own is None:
        return
    zones = next((zones for zones in offer.options if zones in ZONES), "")
    smaller = sorted((units, name) for name, units in UNITS.items() if units <= own)
    for other in (zones, *(["single_zone"] if zones == "multi_zone" else [])):
        options = tuple(other if option == zones else option for option in offer.options)
        ratio = Fraction(ZONES.get(other, 1), ZONES.get(zones, 1))
        for units, name in reversed(smaller):
            found = offer._replace(name=f"{family}.{name}", options=options)
            if found != offer:
                yield Size(found, units / own * ratio)
