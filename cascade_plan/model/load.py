"""Load: what the users of a scenario do to the system, at each level of the band."""

from __future__ import annotations

from dataclasses import dataclass

from cascade_plan.model.fleet import Band


@dataclass(frozen=True, slots=True)
class Load:
    """Users and the traffic they make. Rates are means over the month at each level of the band."""

    hourly_users: tuple[float, ...]
    """Users connected in each hour of the day; their mean is the scenario's average."""
    users: Band
    """The quietest hour, the mean, the peak, the peak."""
    requests_per_s: Band
    request_bytes_per_s: Band
    response_bytes_per_s: Band
    connections: Band
    """Open WebSocket connections."""
    messages_per_s: Band
    """Messages published to workrooms."""
    deliveries_per_s: Band
    """Messages delivered to members: published x recipients."""
    websocket_out_bytes_per_s: Band
    websocket_in_bytes_per_s: Band
    database_growth_bytes_per_s: Band
    object_growth_bytes_per_s: Band
