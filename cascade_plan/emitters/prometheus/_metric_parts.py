"""The texts that metrics.py is made of: for each metric how it is made, and what the application calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

OTHER: Final = "other"


@dataclass(frozen=True, slots=True)
class Part:
    """A metric of the application. Marks in its texts, such as @QUERY_LABELS@, are replaced when the module is made."""

    uses: tuple[str, ...]
    """The names it needs, with their modules."""
    declared: str
    """The statements that make it, in the class's __init__."""
    step: str = ""
    """What the application does to count, as a part of a sentence."""
    children: str = ""
    """The statements that make its series exist from the start, so that no rate sees a counter's first value."""
    methods: str = ""
    """What the application calls."""


METHOD: Final = ("contextlib.contextmanager", "collections.abc.Iterator")

QUERIES: Final = Part(
    (
        "inspect",
        "time",
        "collections.abc.Callable",
        "functools.wraps",
        "typing.ParamSpec",
        "typing.TypeVar",
        "typing.cast",
        "prometheus_client.Histogram",
        *METHOD,
    ),
    """\
        self.query_duration = Histogram(
            "@PREFIX@_query_duration_seconds",
            "Database query execution time",
            @QUERY_LABELS@,
            buckets=BUCKETS_S,
            registry=registry,
        )
""",
    'decorate what queries with @monitor.track_query("@FIRST_TYPE@")',
    methods='''
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
        """Time the block as one query@QUERY_OF_TENANT@."""
        known = query_type if query_type in QUERY_TYPES else OTHER
        start_s = time.perf_counter()
        try:
            yield
        finally:
            @QUERY_CHILD@.observe(time.perf_counter() - start_s)
''',
)

REQUESTS: Final = Part(
    ("prometheus_client.Counter", "prometheus_client.Histogram"),
    """\
        self.request_duration = Histogram(
            "@PREFIX@_request_duration_seconds",
            "Time from a request to its response; outcome is error for a response the server is to blame for (5xx)",
            ("outcome",),
            buckets=REQUEST_BUCKETS_S,
            registry=registry,
        )
        self.action_requests = Counter(
            "@PREFIX@_action_requests",
            "Requests by the action that they are of",
            ("action",),
            registry=registry,
        )
""",
    "call monitor.request(seconds, ok=..., action=...) from the middleware that sees the response and knows its route",
    """\
        for outcome in ("ok", "error"):
            self.request_duration.labels(outcome)
        for action in ACTIONS:
            self.action_requests.labels(action)
""",
    '''
    def request(self, seconds: float, *, ok: bool, action: str = OTHER) -> None:
        """Count a request by its duration and its action; not ok when the server is to blame (status 5xx)."""
        self._count_cpu()
        self.request_duration.labels("ok" if ok else "error").observe(seconds)
        self.action_requests.labels(action if action in ACTIONS else OTHER).inc()
''',
)

CACHE: Final = Part(
    ("prometheus_client.Counter",),
    """\
        self.cache_requests = Counter(
            "@PREFIX@_cache_requests",
            "Cache lookups by result: hit or miss",
            ("result",),
            registry=registry,
        )
""",
    children="""\
        for result in ("hit", "miss"):
            self.cache_requests.labels(result)
""",
    methods='''
    def cache_lookup(self, *, hit: bool) -> None:
        """Count a lookup in the cache."""
        self.cache_requests.labels("hit" if hit else "miss").inc()
''',
)

CACHES: Final = Part(
    ("prometheus_client.Counter",),
    """\
        self.cache_requests = Counter(
            "@PREFIX@_cache_requests",
            "Lookups by cache and result: hit or miss",
            ("cache", "result"),
            registry=registry,
        )
""",
    children="""\
        for cache in CACHES:
            for result in ("hit", "miss"):
                self.cache_requests.labels(cache, result)
""",
    methods='''
    def cache_lookup(self, cache: str, *, hit: bool) -> None:
        """Count a lookup in one of the caches."""
        self.cache_requests.labels(cache if cache in CACHES else OTHER, "hit" if hit else "miss").inc()
''',
)

POOL: Final = Part(
    ("prometheus_client.Gauge", *METHOD),
    """\
        self.connection_pool_usage = Gauge(
            "@PREFIX@_connection_pool_usage",
            "Share of a process's database connections in use, 0 to 1; of several processes the fullest's",
            ("pool_name",),
            registry=registry,
            multiprocess_mode="livemax",
        )
""",
    "hold each connection of a pool of the process's own within monitor.connection(pool_name, size)",
    methods='''
    @contextmanager
    def connection(self, pool_name: str, size: int) -> Iterator[None]:
        """Count one of a pool's `size` connections as in use while the block runs."""
        usage = self.connection_pool_usage.labels(pool_name)
        usage.inc(1 / size)
        try:
            yield
        finally:
            usage.dec(1 / size)
''',
)

SOCKETS: Final = Part(
    ("prometheus_client.Gauge", *METHOD),
    """\
        self.websocket_connections = Gauge(
            "@PREFIX@_websocket_connections",
            "Open WebSocket connections; the scrape adds pod and node",
            @SOCKET_LABELS@,
            registry=registry,
            multiprocess_mode="livesum",
        )
""",
    methods='''
    @contextmanager
    def websocket(self) -> Iterator[None]:
        """Count a WebSocket connection as open while the block runs."""
        connections = @SOCKET_CHILD@
        connections.inc()
        try:
            yield
        finally:
            connections.dec()
''',
)

ASKED_JOBS: Final = Part(
    ("prometheus_client.Counter",),
    """\
        self.jobs_asked = Counter(
            "@PREFIX@_jobs_asked",
            "Jobs left in a queue",
            ("queue",),
            registry=registry,
        )
""",
    "call monitor.job_asked(queue) where a job is left to the workers",
    """\
        for queue in QUEUES:
            self.jobs_asked.labels(queue)
""",
    '''
    def job_asked(self, queue: str) -> None:
        """Count a job that was left in a queue."""
        self.jobs_asked.labels(queue if queue in QUEUES else OTHER).inc()
''',
)

DONE_JOBS: Final = Part(
    ("prometheus_client.Counter", "prometheus_client.Histogram"),
    """\
        self.jobs = Counter(
            "@PREFIX@_jobs",
            "Jobs done by outcome: ok or error",
            ("outcome",),
            registry=registry,
        )
        self.job_duration = Histogram(
            "@PREFIX@_job_duration_seconds",
            "Time of the work on a job",
            buckets=AGES_S,
            registry=registry,
        )
        self.job_age = Histogram(
            "@PREFIX@_job_age_seconds",
            "Time from when a job was asked for to when it was done",
            buckets=AGES_S,
            registry=registry,
        )
""",
    "call monitor.job(seconds, age_s, ok=...) when a job is done",
    """\
        for outcome in ("ok", "error"):
            self.jobs.labels(outcome)
""",
    '''
    def job(self, seconds: float, age_s: float, *, ok: bool) -> None:
        """Count a job that is done: how long the work took, and how long ago the job was asked for."""
        self._count_cpu()
        self.jobs.labels("ok" if ok else "error").inc()
        self.job_duration.observe(seconds)
        self.job_age.observe(age_s)
''',
)

TENANT_METHOD: Final = '''
    def _tenant(self) -> str:
        """Return the tenant's label: its id for the first TENANTS_MOST that are seen, "other" for the rest."""
        name = tenant.get()
        if name not in self._tenants:
            if len(self._tenants) >= TENANTS_MOST:
                return OTHER
            self._tenants.add(name)
        return name
'''
TENANT_CONSTANTS: Final = '''
TENANTS_MOST: Final = @TENANTS@
"""Tenants with a label of their own; the series were counted for these. Later ones share "other"."""

tenant: ContextVar[str] = ContextVar("tenant", default="none")
"""The tenant of the request at hand, set by the middleware that authenticates it."""
'''
TENANT_CHILDREN: Final = "        self._tenants: set[str] = set()\n"
TYPE_CHILDREN: Final = """\
        for query_type in QUERY_TYPES:
            self.query_duration.labels(query_type)
"""
OTHER_CONSTANT: Final = f'''\
OTHER: Final = "{OTHER}"
"""The label of everything unknown: a label's values are a fixed set, or its series grow without end."""
'''

TENANT_MARKS: Final = {
    "@QUERY_LABELS@": '("tenant_id", "query_type")',
    "@QUERY_OF_TENANT@": ", for the tenant of the moment it ends",
    "@QUERY_CHILD@": "self.query_duration.labels(self._tenant(), known)",
    "@SOCKET_LABELS@": '("tenant_id",)',
    "@SOCKET_CHILD@": "self.websocket_connections.labels(self._tenant())",
}
"""What stands at each mark with the label tenant_id."""

COMMON_MARKS: Final = {
    "@QUERY_LABELS@": '("query_type",)',
    "@QUERY_OF_TENANT@": "",
    "@QUERY_CHILD@": "self.query_duration.labels(known)",
    "@SOCKET_LABELS@": "()",
    "@SOCKET_CHILD@": "self.websocket_connections",
}
"""What stands at each mark without it."""

CPU: Final = Part(
    ("os", "time", "prometheus_client.Counter"),
    """\
        # The library's own collector tells of one process only. This name is its, in a registry that has none of it.
        self.process_cpu = Counter(
            "process_cpu_seconds", "CPU time of all processes of the pod", registry=CollectorRegistry()
        )
        self._counted_s = time.process_time()
""",
    methods='''
    def _count_cpu(self) -> None:
        """Count the CPU time that this process has taken since it last counted, where it is one of several."""
        if SHARED in os.environ:
            now_s = time.process_time()
            self.process_cpu.inc(now_s - self._counted_s)
            self._counted_s = now_s
''',
)
"""What is beside each metric of work: the CPU that it takes."""

SCRAPED: Final = '''\
SHARED: Final = "PROMETHEUS_MULTIPROC_DIR"
"""The environment variable of the directory that the processes of a pod share, empty when it starts."""


def scraped() -> CollectorRegistry:
    """Return what /metrics answers with, for generate_latest: where processes share a directory, that of all."""
    if SHARED not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


def process_ended(pid: int) -> None:
    """Forget what a process held open, once it has ended: call it in Gunicorn's child_exit."""
    if SHARED in os.environ:
        multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]


'''
"""How the metrics are asked for, whether a pod is one process or several."""

CLASS: Final = '''\
# One more series for each child of a histogram and each counter, which nothing reads. The library leaves it untyped.
disable_created_metrics()  # type: ignore[no-untyped-call]


class PerformanceMonitor:
    """The application's metrics. Make one for each process."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
'''
