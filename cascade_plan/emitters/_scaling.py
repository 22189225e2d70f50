"""What the API's autoscaler scales on: the name under which one program serves the metric, and another asks for it."""

from __future__ import annotations

from typing import Final

DEFAULT_METRIC: Final = "cascade_query_duration_seconds_p95"
