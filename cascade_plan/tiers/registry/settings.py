"""What a scenario may say of the registry of container images."""

from typing import ClassVar

from cascade_plan.model import tier
from cascade_plan.model.defaults import default
from cascade_plan.units import Count, Gib


class Settings(tier.Settings):
    """The registry of the images that pods run."""

    KIND: ClassVar[str] = "registry"
    OPTIONAL: ClassVar[str] = "the registry of container images"

    image_gib: Gib = default(0.2, "assumption", "a Python service with its libraries, compressed")
    """Size of one image."""
    version_count: Count = default(10, "assumption", "enough to roll back; a lifecycle policy deletes older ones")
    """Versions of each image that are kept; layers that they share are counted once for each."""
