"""metrics.py: the metrics of what the plan has, as a module that the application imports, with its labels bounded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from textwrap import fill
from typing import Final

from cascade_plan.emitters._heading import heading
from cascade_plan.emitters.prometheus import _metric_parts as parts
from cascade_plan.emitters.prometheus._config import monitoring
from cascade_plan.formulas.latency_buckets import bounds_s, request_bounds_s
from cascade_plan.model.plan import Plan
from cascade_plan.model.series import own
from cascade_plan.tiers.cache.settings import Settings as CacheSettings
from cascade_plan.tiers.database.settings import Settings as DatabaseSettings
from cascade_plan.tiers.pool.settings import Settings as PoolSettings
from cascade_plan.tiers.queue.settings import Settings as QueueSettings
from cascade_plan.tiers.worker.settings import Settings as WorkerSettings

AGES_S: Final = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)
"""Bounds of the histograms of jobs, beside the plan's own limits: a tenth of a second to an hour (assumption)."""
WIDTH: Final = 120
"""Of the module's lines."""
ALWAYS: Final = (
    "os",
    "typing.Final",
    "prometheus_client.multiprocess",
    "prometheus_client.REGISTRY",
    "prometheus_client.CollectorRegistry",
    "prometheus_client.disable_created_metrics",
)


ASKED: Final = (
    "Answer /metrics with generate_latest(scraped()). Where a pod has several processes, name an empty directory that "
    "they share in PROMETHEUS_MULTIPROC_DIR before they start: any of them then answers for all."
)


def query_types(plan: Plan) -> tuple[str, ...]:
    """Return the values of query_type: each action's reads and writes, as many as the budget has beside "other"."""
    scenario, databases = plan.scenario, tuple(plan.scenario.all_of(DatabaseSettings))
    named = [
        f"{name}_{kind}"
        for name, action in scenario.behaviour.actions.items()
        for kind, count in (("read", scenario.reads), ("write", scenario.writes))
        if any(count(action, database) for database in databases)
    ]
    named += [
        f"{worker.name}_{kind}"
        for worker in plan.of(WorkerSettings)
        for kind, count in (("read", worker.settings.read_count), ("write", worker.settings.write_count))
        if count
    ]
    return (*named[: monitoring(plan).settings.query_types - 1], parts.OTHER)


def has_tenants(plan: Plan) -> bool:
    """Return whether a metric carries the label tenant_id: queries and open connections do where the plan says so."""
    labelled = (*plan.of(DatabaseSettings), *(each for each in plan.fleet.tiers.values() if each.streams))
    return monitoring(plan).settings.label_by_tenant and bool(labelled)


def metrics_source(plan: Plan) -> str:
    """Return the module's source; "" where the plan has nothing that would count."""
    found = tuple(_parts(plan))
    if not found:
        return ""
    uses = {*ALWAYS, *(name for part in found for name in part.uses)}
    uses |= {"contextvars.ContextVar"} if has_tenants(plan) else set()
    text = "".join(
        (
            _docstring(found, query_types(plan)[0]),
            _imports(uses),
            _constants(plan, found),
            parts.SCRAPED,
            parts.CLASS,
            *(part.declared for part in found),
            *(part.children for part in found),
            _children(plan),
            *(part.methods for part in found),
            parts.TENANT_METHOD if has_tenants(plan) else "",
        )
    )
    marks = parts.TENANT_MARKS if has_tenants(plan) else parts.COMMON_MARKS
    for mark, value in {**marks, "@PREFIX@_": own(plan.scenario, "")}.items():
        text = text.replace(mark, value)
    return heading(plan, _sized(plan)) + text


def _parts(plan: Plan) -> Iterator[parts.Part]:
    """Yield the metrics of what there is."""
    served = {workload.serves for workload in plan.fleet.workloads}
    caches = len(plan.of(CacheSettings))
    pairs = (
        (parts.QUERIES, plan.of(DatabaseSettings)),
        (parts.REQUESTS, "requests" in served),
        (parts.CACHE, caches == 1),
        (parts.CACHES, caches > 1),
        (parts.POOL, plan.of(PoolSettings)),
        (parts.SOCKETS, any(sized.streams for sized in plan.fleet.tiers.values())),
        (parts.ASKED_JOBS, plan.of(QueueSettings)),
        (parts.DONE_JOBS, "jobs" in served),
        (parts.CPU, served & {"requests", "jobs"}),
    )
    return (part for part, there_is in pairs if there_is)


def _sized(plan: Plan) -> list[str]:
    lines = ["buckets: built-in bounds, and every latency limit of the scenario: no verdict is interpolated"]
    if plan.of(DatabaseSettings):
        tier = monitoring(plan)
        most = tier.settings.query_types
        lines.append(f"query types: at most {most}, as {tier.name}.series_count reckons")
    return lines


def _docstring(found: Sequence[parts.Part], query_type: str) -> str:
    steps = [part.step.replace("@FIRST_TYPE@", query_type) for part in found if part.step]
    steps.insert(0, "Make one PerformanceMonitor for each process")
    *most, last = steps
    sentence = f"{', '.join(most)}, and {last}." if most else f"{last}."
    body = "\n\n".join(fill(each, WIDTH, break_long_words=False, break_on_hyphens=False) for each in (sentence, ASKED))
    reads = "The metrics that the recording rules, the alerts, the autoscaler and the dashboard read."
    return f'"""{reads}\n\n{body}\n"""\n\n'


def _imports(uses: Iterable[str]) -> str:
    """Return the import statements of names, as a tidy module has them."""
    own: dict[str, list[str]] = {}
    plain = sorted(name for name in uses if "." not in name)
    for name in uses:
        module, dot, member = name.rpartition(".")
        if dot:
            own.setdefault(module, []).append(member)
    lines = {module: _import(module, sorted(names, key=_as_sorted)) for module, names in own.items()}
    library = lines.pop("prometheus_client")
    standard = "".join(f"import {name}\n" for name in plain) + "".join(lines[module] for module in sorted(lines))
    variables = 'P = ParamSpec("P")\nR = TypeVar("R")\n\n' if "typing.ParamSpec" in uses else ""
    return f"from __future__ import annotations\n\n{standard}\n{library}\n{variables}"


def _import(module: str, names: Sequence[str]) -> str:
    line = f"from {module} import {', '.join(names)}\n"
    if len(line) <= WIDTH + 1:
        return line
    return f"from {module} import (\n" + "".join(f"    {name},\n" for name in names) + ")\n"


def _as_sorted(name: str) -> tuple[int, str]:
    """Return what import lists are sorted by: constants, classes, everything else."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


def _constants(plan: Plan, found: Sequence[parts.Part]) -> str:
    limits_ms, made = tuple(plan.scenario.latency_limits_ms), ""
    if parts.QUERIES in found:
        made += _tuple("BUCKETS_S", map(repr, bounds_s(limits_ms)))
    if parts.REQUESTS in found:
        made += _tuple("REQUEST_BUCKETS_S", map(repr, request_bounds_s(limits_ms)))
    if parts.DONE_JOBS in found:
        made += _tuple("AGES_S", map(repr, ages_s(plan)))
    if parts.QUERIES in found:
        made += _names("QUERY_TYPES", query_types(plan))
    if parts.REQUESTS in found:
        made += _names("ACTIONS", (*plan.scenario.behaviour.actions, parts.OTHER))
    if parts.CACHES in found:
        made += _names("CACHES", [each.name for each in plan.of(CacheSettings)])
    if parts.ASKED_JOBS in found:
        made += _names("QUEUES", [each.name for each in plan.of(QueueSettings)])
    if {parts.QUERIES, parts.REQUESTS, parts.CACHES, parts.ASKED_JOBS} & {*found} or has_tenants(plan):
        made += parts.OTHER_CONSTANT
    if has_tenants(plan):
        made += parts.TENANT_CONSTANTS.replace("@TENANTS@", str(plan.scenario.users.tenants))
    return f"{made}\n" if made else ""


def ages_s(plan: Plan) -> tuple[float, ...]:
    """Return the bounds of the histograms of jobs: every limit to an age is one, so that no verdict is interpolated."""
    limits = {each.settings.age_s_p99 for each in plan.of(WorkerSettings)}
    figures = {f"{each.name}.age_s_p99" for each in plan.of(WorkerSettings)}
    limits |= {float(verdict.limit) for verdict in plan.verdicts if verdict.figure in figures and verdict.limit > 0}
    return tuple(sorted({*AGES_S, *map(float, limits)}))


def _names(constant: str, names: Iterable[str]) -> str:
    return _tuple(constant, (f'"{name}"' for name in names))


def _tuple(constant: str, values: Iterable[str]) -> str:
    first, *others = values
    if not others:
        return f"{constant}: Final = ({first},)\n"
    return f"{constant}: Final = (\n" + "".join(f"    {value},\n" for value in (first, *others)) + ")\n"


def _children(plan: Plan) -> str:
    if has_tenants(plan):
        return parts.TENANT_CHILDREN
    return parts.TYPE_CHILDREN if plan.of(DatabaseSettings) else ""
