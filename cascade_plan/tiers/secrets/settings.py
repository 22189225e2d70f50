"""What a scenario may say of the store of secrets."""

from typing import Annotated, ClassVar

from pydantic import Field

from cascade_plan.model import tier
from cascade_plan.model.defaults import default
from cascade_plan.units import AmountOrZero


class Settings(tier.Settings):
    """The store of passwords and keys that pods are given."""

    KIND: ClassVar[str] = "secrets"
    OPTIONAL: ClassVar[str] = "the store of secrets"

    count: Annotated[int, Field(ge=0, le=100_000)] = default(
        5, "assumption", "the database's owner and application, the cache, a signing key, a third party"
    )
    """Secrets that are kept."""
    million_requests_per_month: AmountOrZero = default(
        0.01, "assumption", "each secret read every twenty minutes by External Secrets, three times over"
    )
    """Requests for them."""
