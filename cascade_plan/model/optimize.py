"""What the search for the cheapest fleet may choose, and what it must leave as it is.

Annotations are evaluated here, at definition: pydantic would evaluate postponed ones at every start.
"""

import re
from collections.abc import Iterable
from typing import Annotated, Final, Literal

from pydantic import Field

from cascade_plan.model.catalogue import Shape
from cascade_plan.model.defaults import default
from cascade_plan.model.part import Key, Part
from cascade_plan.units import Share, matching

KeptPath = Annotated[
    str, matching(r"^tiers(\.[a-z][a-z0-9_]*)+$", "a tier or one of its settings, tiers.api.shape", 120)
]
FamilyPattern = Annotated[
    str, matching(r"^[a-z][a-z0-9-]*\*?$", "a family such as m7g, or the start of several, c7*", 20)
]
UpfrontUsd = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
FAMILY: Final = re.compile(r"(?:db\.|cache\.)?(?P<family>[a-z0-9-]+)\.[a-z0-9-]+")
"""A shape's name: what it is, its family, its size."""


class Spot(Part):
    """How much of the nodes may be spot, and what must hold when all of them are taken back."""

    share_max: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = default(
        0.5, "assumption", "half of the nodes may go at two minutes' notice"
    )
    """Largest share of a tier's nodes."""
    without_it: Literal["average", "floor"] = default(
        "average", "assumption", "the users of an average hour are served while others come"
    )
    """What the nodes that are not spot must carry alone. average: the users of an average hour. floor: all that the
    scaled-in fleet must, the loads that come too fast to scale for among them."""


class Optimize(Part):
    """What `optimize` may choose: shapes, counts, engines, layout and purchase of all tiers, but what is said here."""

    keep: Annotated[list[KeptPath], Field(max_length=100)] = Field(
        default_factory=list, examples=[["tiers.database.shape", "tiers.cache.engine"]]
    )
    """Tiers, or single settings of them, that stay as the scenario has them."""
    commitment_years_max: Literal[0, 1, 3] | None = Field(default=None, examples=[1])
    """Longest commitment: 0 for none. Left out, every tier is paid as the scenario says."""
    upfront_usd_max: UpfrontUsd | None = Field(default=None, examples=[1000])
    """Most that may be paid on the first day for all commitments together; left out, any amount."""
    spot: Spot | None = Field(default=None, examples=[{"share_max": 0.5, "without_it": "average"}])
    """Left out, no node is spot unless the scenario says so."""
    burstable: Annotated[list[Key], Field(max_length=50)] | None = Field(default=None, examples=[["api"]])
    """Tiers whose instances may be on CPU credits (T families); [] for none, left out for all. Credits are billed, or
    slow an instance down, as AWS has it."""
    pools: Literal["any", "together", "apart"] = default(
        "any", "assumption", "whatever is cheaper: what shares nodes shares their loss too"
    )
    """Whether tiers of pods share nodes. any: where it is cheaper; together: all that can; apart: as the scenario says.
    """
    families: Annotated[list[FamilyPattern], Field(min_length=1, max_length=50)] | None = Field(
        default=None, examples=[["m7g", "c7*"]]
    )
    """Families of shapes that may be taken, of nodes, databases and caches alike; left out for all."""
    architecture: Literal["any", "arm64", "x86_64"] = default(
        "any", "assumption", "images are built for both; a need of a tier that names one is kept"
    )
    """Processors of nodes that may be taken."""
    horizon_months: Annotated[int, Field(ge=1, le=12)] = default(
        1, "assumption", "the month that the bill is of, which the budget judges"
    )
    """Months whose mean cost is made least, from the first on; limits must hold in the last of them."""
    confidence: Annotated[Share, Field(le=0.99)] | None = Field(default=None, examples=[0.9])
    """Least share of the drawn worlds in which every promise is kept; left out, they are kept as planned."""

    def keeps(self, path: str) -> bool:
        """Return whether a setting stays as the scenario has it: it, or what it is a part of, is named."""
        return any(path == kept or path.startswith(f"{kept}.") for kept in self.keep)

    def admits(self, tier: str, shape: Shape) -> bool:
        """Return whether a tier may have a shape."""
        if shape.burstable and self.burstable is not None and tier not in self.burstable:
            return False
        if shape.what == "vm" and self.architecture not in ("any", shape.architecture):
            return False
        return self.families is None or matches(shape.name, self.families)


def matches(name: str, families: Iterable[str]) -> bool:
    """Return whether a shape is of one of some families.

    >>> [matches(name, ["m7g", "c7*"]) for name in ("m7g.large", "db.m7g.large", "c7gd.large", "m7i.large")]
    [True, True, True, False]
    """
    found = FAMILY.fullmatch(name)
    family = found["family"] if found else name
    return any(family == each or (each.endswith("*") and family.startswith(each[:-1])) for each in families)
