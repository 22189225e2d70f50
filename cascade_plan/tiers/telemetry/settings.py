"""What a scenario may say of the logs, metrics and alarms that the cloud keeps."""

from typing import Annotated, ClassVar

from pydantic import Field

from cascade_plan.model import tier
from cascade_plan.model.defaults import default
from cascade_plan.units import BytesOrZero, Share

Some = Annotated[int, Field(ge=0, le=1_000_000)]


class Settings(tier.Settings):
    """Logs, custom metrics and alarms that the cloud keeps (CloudWatch); what Prometheus keeps is `monitoring`."""

    KIND: ClassVar[str] = "telemetry"
    OPTIONAL: ClassVar[str] = "logs and alarms that the cloud keeps"

    log_bytes_per_request: BytesOrZero = default(
        500.0, "assumption", "one structured line for each request; what the platform logs itself is little beside it"
    )
    """What services and workers write to the logs for one request."""
    log_retention_days: Annotated[int, Field(ge=1, le=3653)] = default(
        30, "assumption", "a month to look back; without a retention CloudWatch keeps logs for ever"
    )
    """How long logs are kept."""
    stored_ratio: Share = default(
        0.15, "assumption", "logs are stored compressed, and text of this kind to a sixth or a seventh"
    )
    """What a byte of log takes once it is stored."""
    metric_count: Some = default(0, "assumption", "the application's metrics are in Prometheus")
    """Custom metrics."""
    alarm_count: Some = default(10, "assumption", "a few for each of database, cache, balancer and nodes")
    """Alarms of standard resolution, each on one metric."""
