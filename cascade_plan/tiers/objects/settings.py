"""What a scenario may say of an object store."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from cascade_plan.model import tier
from cascade_plan.model.defaults import default
from cascade_plan.units import GibOrZero, Months, PerOne, PerOneOrZero


class Settings(tier.Settings):
    """The object store of what actions upload (`object_bytes`): what is kept there, and for how long."""

    KIND: ClassVar[str] = "objects"
    OPTIONAL: ClassVar[str] = "the object store of uploads"

    moved_by: Literal["pods", "clients"] = default(
        "pods", "assumption", "a form that is posted to the API, as the load test does"
    )
    """Who moves objects to and from the store: pods, which pass them on, or clients, by signed URLs."""
    stored_gib: GibOrZero = default(0.0, "assumption", "the store is empty at first")
    """What is there when the first month begins, and stays."""
    infrequent_after_months: Months | None = Field(default=None, examples=[3])
    """After so many months objects move to storage for infrequent access; left out, never."""
    deleted_after_months: Months | None = Field(default=None, examples=[24])
    """After so many months objects are deleted; left out, never."""
    requests_per_write: PerOne = default(
        1.0,
        "cited",
        "one PUT, https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html; an upload in parts has more",
    )
    """Requests that store one object."""
    read_count_per_write: PerOneOrZero = default(
        0.0, "assumption", "no action of a scenario reads an object: say so here where users do"
    )
    """How often an object is read, in the mean, in the month in which it is written: a request, and its bytes to the
    internet."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        moved, deleted = self.infrequent_after_months, self.deleted_after_months
        if moved is not None and deleted is not None and moved >= deleted:
            raise ValueError(
                f"infrequent_after_months ({moved}) must be below deleted_after_months ({deleted}): what is deleted by "
                "then never moves"
            )
        return self
