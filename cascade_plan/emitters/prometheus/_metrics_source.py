"""metrics.py: the plan's metrics as a module that the application imports, with its labels bounded."""

from __future__ import annotations

from typing import Final

from cascade_plan.emitters._heading import heading
from cascade_plan.formulas.latency_buckets import bounds_s
from cascade_plan.model.plan import Plan

OTHER: Final = "other"


def query_types(plan: Plan) -> tuple[str, ...]:
    """Return the values of query_type: each action's reads and writes, as many as the budget has beside "other"."""
    actions = plan.scenario.behaviour.actions.items()
    named = [
        f"{name}_{kind}"
        for name, action in actions
        for kind, count in (("read", action.read_count), ("write", action.write_count))
        if count
    ]
    return (*named[: plan.scenario.tiers.monitoring.query_types - 1], OTHER)


def metrics_source(plan: Plan) -> str:
    """Return the module's source."""
    by_tenant = plan.scenario.tiers.monitoring.label_by_tenant
    bounds = bounds_s(plan.scenario.latency_limits_ms)
    head = heading(
        plan,
        [
            "buckets: the performance plan's, and every latency limit of the scenario: no verdict is interpolated",
            f"query types: at most {plan.scenario.tiers.monitoring.query_types}, as monitoring.series_count reckons",
        ],
    )
    text = SOURCE
    for mark, part in (TENANT_PARTS if by_tenant else COMMON_PARTS).items():
        text = text.replace(mark, part)
    values = {
        "@BOUNDS@": "\n".join(f"    {bound!r}," for bound in bounds),
        "@TYPES@": "\n".join(f'    "{name}",' for name in query_types(plan)),
        "@TENANTS@": str(plan.scenario.users.tenants),
    }
    for mark, part in values.items():
        text = text.replace(mark, part)
    return head + text


TENANT_PARTS: Final = {
    "@TENANT_IMPORT@": "from contextvars import ContextVar\n",
    "@TENANT_CONSTANTS@": '''
TENANTS_MOST: Final = @TENANTS@
"""Tenants with a label of their own; the series were counted for these. Later ones share "other"."""

tenant: ContextVar[str] = ContextVar("tenant", default="none")
"""The tenant of the request at hand, set by the middleware that authenticates it."""
''',
    "@QUERY_LABELS@": '("tenant_id", "query_type")',
    "@SOCKET_LABELS@": '("tenant_id",)',
    "@CHILDREN@": "        self._tenants: set[str] = set()\n",
    "@QUERY_CHILD@": "self.query_duration.labels(self._tenant(), known)",
    "@SOCKET_CHILD@": "self.websocket_connections.labels(self._tenant())",
    "@TENANT_METHOD@": '''
    def _tenant(self) -> str:
        """Return the tenant's label: its id for the first TENANTS_MOST that are seen, "other" for the rest."""
        name = tenant.get()
        if name not in self._tenants:
            if len(self._tenants) >= TENANTS_MOST:
                return OTHER
            self._tenants.add(name)
        return name
''',
}
"""What stands at each mark of SOURCE with the label tenant_id."""

COMMON_PARTS: Final = {
    "@TENANT_IMPORT@": "",
    "@TENANT_CONSTANTS@": "",
    "@QUERY_LABELS@": '("query_type",)',
    "@SOCKET_LABELS@": "()",
    "@CHILDREN@": """        for query_type in QUERY_TYPES:
            self.query_duration.labels(query_type)
""",
    "@QUERY_CHILD@": "self.query_duration.labels(known)",
    "@SOCKET_CHILD@": "self.websocket_connections",
    "@TENANT_METHOD@": "",
}
"""What stands at each mark without it. The children exist from the start: no rate sees a counter's first value."""

SOURCE: Final = '''\
"""The metrics that the recording rules, the alerts, the autoscaler and the dashboard read.

Make one PerformanceMonitor for each process, decorate what queries with @monitor.track_query("list_workrooms_read"),
and call monitor.request(seconds, ok=...) from the middleware that sees the response.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
@TENANT_IMPORT@from functools import wraps
from typing import Final, ParamSpec, TypeVar, cast

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

P = ParamSpec("P")
R = TypeVar("R")

BUCKETS_S: Final = (
@BOUNDS@
)
QUERY_TYPES: Final = (
@TYPES@
)
OTHER: Final = "other"
"""The label of everything unknown: a label's values are a fixed set, or its series grow without end."""
@TENANT_CONSTANTS@
# One more series for each child of a histogram and each counter, which nothing reads. The library leaves it untyped.
disable_created_metrics()  # type: ignore[no-untyped-call]


class PerformanceMonitor:
    """The application's metrics. Make one for each process."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.query_duration = Histogram(
            "cascade_query_duration_seconds",
            "Database query execution time",
            @QUERY_LABELS@,
            buckets=BUCKETS_S,
            registry=registry,
        )
        self.request_duration = Histogram(
            "cascade_request_duration_seconds",
            "Time from a request to its response; outcome is error for a response the server is to blame for (5xx)",
            ("outcome",),
            buckets=BUCKETS_S,
            registry=registry,
        )
        self.cache_requests = Counter(
            "cascade_cache_requests", "Cache lookups by result: hit or miss", ("result",), registry=registry
        )
        self.connection_pool_usage = Gauge(
            "cascade_connection_pool_usage",
            "Share of this process's database connections in use, 0 to 1",
            ("pool_name",),
            registry=registry,
        )
        self.websocket_connections = Gauge(
            "cascade_websocket_connections",
            "Open WebSocket connections; the scrape adds pod and node",
            @SOCKET_LABELS@,
            registry=registry,
        )
        for outcome in ("ok", "error"):
            self.request_duration.labels(outcome)
        for result in ("hit", "miss"):
            self.cache_requests.labels(result)
@CHILDREN@
    def track_query(self, query_type: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Return a decorator that times a function, plain or async, whether it returns or raises."""

        def decorate(function: Callable[P, R]) -> Callable[P, R]:
            if inspect.iscoroutinefunction(function):

                @wraps(function)
                async def timed_async(*args: P.args, **kwargs: P.kwargs) -> object:
                    with self.query(query_type):
                        return await function(*args, **kwargs)

                return cast("Callable[P, R]", timed_async)

            @wraps(function)
            def timed(*args: P.args, **kwargs: P.kwargs) -> R:
                with self.query(query_type):
                    return function(*args, **kwargs)

            return timed

        return decorate

    @contextmanager
    def query(self, query_type: str) -> Iterator[None]:
        """Time the block as one query, for the tenant of the moment it ends."""
        known = query_type if query_type in QUERY_TYPES else OTHER
        start_s = time.perf_counter()
        try:
            yield
        finally:
            @QUERY_CHILD@.observe(time.perf_counter() - start_s)

    def request(self, seconds: float, *, ok: bool) -> None:
        """Count a request by its duration; not ok when the server is to blame (status 5xx)."""
        self.request_duration.labels("ok" if ok else "error").observe(seconds)

    def cache_lookup(self, *, hit: bool) -> None:
        """Count a lookup in the cache."""
        self.cache_requests.labels("hit" if hit else "miss").inc()

    @contextmanager
    def websocket(self) -> Iterator[None]:
        """Count a WebSocket connection as open while the block runs."""
        connections = @SOCKET_CHILD@
        connections.inc()
        try:
            yield
        finally:
            connections.dec()
@TENANT_METHOD@'''
