"""What of a service is watched: its pods' latency, as the autoscaler reads it, the autoscaler, and its requests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cascade_plan.languages.promql import duration, exactly, literal, quantile, rate, ratio, select
from cascade_plan.model.ask import Site
from cascade_plan.model.fleet import Workload
from cascade_plan.model.observation import (
    CORES,
    PODS,
    REQUESTS_PER_S,
    RESPONSE_MS_MEAN,
    RESPONSE_MS_P50,
    RESPONSE_MS_P95,
    RESPONSE_MS_P99,
    ROUTE_REQUESTS_PER_S,
    THROTTLED_SHARE,
    Measure,
)
from cascade_plan.model.series import (
    ACTION_REQUESTS,
    CPU_OF_PROCESS,
    QUERY,
    REQUEST,
    SHORTEST_S,
    Scope,
    bucket_rates,
    is_alone,
    is_first,
    is_watched,
    observed_window_s,
    own,
    querying_count,
    scope_of_pods,
    window_s,
)
from cascade_plan.model.titles import called, title
from cascade_plan.model.watch import Alarm, Chart, Line, Observed, Watch
from cascade_plan.tiers.api.settings import Settings

CEILING_S: Final = 900
"""Longer than the HPA takes to reach its maximum and nodes to start, so that it is not the ramp that is told of."""
HPA: Final = "kube_horizontalpodautoscaler_"


def watches(site: Site[Settings]) -> tuple[Watch, ...]:
    """Return the pods' p95, their CPU, the autoscaler, and where there are several services this one's requests."""
    if not is_watched(site):
        return ()
    (workload,) = site.sized.workloads
    found = [_latency(site, workload), _cpu(site, workload)]
    # Without a cluster nothing scales pods, and nothing tells of them.
    if site.scenario.of("cluster"):
        found += [_rate(site, workload), _autoscaler(site, workload)]
    if not is_alone(site):
        found.append(_requests(site, workload))
    if not site.settings_of("monitoring").label_by_tenant:
        found.append(_dropped(site, workload))
    return tuple(found)


def _latency(site: Site[Settings], workload: Workload) -> Watch:
    """Return the p95 of each pod's queries, of its requests where there is no database to query.

    A pod that answered nothing has no percentile: histogram_quantile gives NaN, or nothing. The HPA would take a pod
    without a value for one at its target and not scale down while there is one; an idle pod's latency is 0.
    Source: kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#algorithm-details, missing metrics.
    """
    queries = bool(site.scenario.of("database"))
    metric = own(site.scenario, QUERY if queries else REQUEST)
    scope = scope_of_pods(site, workload, querying_count(site) == 1 if queries else is_alone(site))
    p95 = f"pod:{metric}:p95"
    up = scope.total(f"{_pods(site, workload).select('up')} == 1", "pod")
    idle_too = f"({quantile(0.95, scope.select(bucket_rates(metric)))}) or 0 * {up}"
    is_scaled = bool(site.scenario.of("cluster"))
    of_each = (
        scope.served(p95, idle_too, f"{metric}_p95", "latency")
        if is_scaled
        else scope.recorded(p95, idle_too, is_of_pods=True)
    )
    is_read = is_scaled and "latency" in workload.scaled_by
    return Watch(
        "latency",
        recorded=(scope.buckets_of_pods(metric, window_s(site)), of_each),
        charts=(_of_each(site, "Query p95" if queries else "Response time p95", scope.select(p95), is_read),),
    )


def _rate(site: Site[Settings], workload: Workload) -> Watch:
    """Return the requests/s of each pod, 0 of an idle one: served whatever the autoscaler reads now.

    One can then be changed for the other with `emit-k8s --policy` alone.
    """
    scope, name = scope_of_pods(site, workload, is_alone(site)), f"pod:{own(site.scenario, 'requests')}:rate"
    counted = scope.total(rate(scope.select(f"{scope.own(REQUEST)}_count"), window_s(site)), "pod")
    up = scope.total(f"{_pods(site, workload).select('up')} == 1", "pod")
    idle_too = f"{counted} or 0 * {up}"
    return Watch("requests", recorded=(scope.served(name, idle_too, scope.own("requests_per_second"), "requests"),))


def _cpu(site: Site[Settings], workload: Workload) -> Watch:
    """Return the CPU time of a request, which decides how many a pod answers, and what else a calibration asks.

    Of a pod with several processes the emitted module counts all of them under the same name. The exporters' own
    processes have the same series: hence the job, whatever the scope of the requests.
    """
    counted, scope = scope_of_pods(site, workload, is_alone(site)), _pods(site, workload)
    cpu = f"{'namespace' if is_alone(site) else 'job'}:{scope.own('request_cpu_seconds')}:ratio_rate5m"
    used = f"sum by (namespace) ({rate(scope.select(CPU_OF_PROCESS), SHORTEST_S)})"
    answered = f"sum by (namespace) ({rate(counted.select(f'{scope.own(REQUEST)}_count'), SHORTEST_S)})"
    return Watch(
        _subject(site, "cpu"),
        recorded=(counted.recorded(cpu, f"{used} / ({answered} > 0)"),),
        observed=tuple(_observed(site, workload, counted, scope)),
        charts=(Chart(_titled(site, "CPU time of a request"), "s", (Line(counted.select(cpu), "mean"),)),),
    )


def _observed(site: Site[Settings], workload: Workload, counted: Scope, pods: Scope) -> Iterator[Observed]:
    """Yield what a calibration asks of a service; `counted` finds its requests, `pods` what is of its pods."""

    def of(what: str, expression: str, by: str = "") -> Observed:
        return Observed(Measure(what, site.name), expression, by)

    def rates(series: str) -> str:
        return rate(series, observed_window_s(site))

    request = counted.own(REQUEST)
    count = f"sum({rates(counted.select(f'{request}_count'))})"
    buckets = f"sum by (le) ({rates(counted.select(f'{request}_bucket'))})"
    yield of(CORES, f"sum({rates(pods.select(CPU_OF_PROCESS))})")
    yield of(PODS, f"sum({pods.select('up')})")
    yield of(THROTTLED_SHARE, _throttled(site, workload))
    yield of(REQUESTS_PER_S, count)
    yield of(RESPONSE_MS_MEAN, f"1000 * sum({rates(counted.select(f'{request}_sum'))}) / {count}")
    for what, share in ((RESPONSE_MS_P50, 0.5), (RESPONSE_MS_P95, 0.95), (RESPONSE_MS_P99, 0.99)):
        yield of(what, f"1000 * histogram_quantile({share:g}, {buckets})")
    if is_first(site):
        actions = rates(select(f"{counted.own(ACTION_REQUESTS)}_total", namespace=counted.namespace))
        yield Observed(Measure(ROUTE_REQUESTS_PER_S), f"sum by (action) ({actions})", "action")


def _throttled(site: Site[Settings], workload: Workload) -> str:
    """Return the share of the scheduler's periods in which pods were throttled, as cAdvisor counts them."""
    throttled, periods = (
        f"sum(rate({select(f'container_cpu_cfs_{what}periods_total', namespace=site.application)[:-1]},"
        f"pod=~{literal(exactly(workload.name) + '-.+')}}}[{duration(observed_window_s(site))}]))"
        for what in ("throttled_", "")
    )
    return f"{throttled} / {periods}"


def _of_each(site: Site[Settings], words: str, p95: str, is_read: bool) -> Chart:
    mean, each = f"avg by (namespace) ({p95})", Line(p95, "{{pod}}")
    if not is_read:
        return Chart(_titled(site, f"{words} of each pod"), "s", (Line(mean, "mean of the pods"), each))
    return Chart(
        _titled(site, f"{words} of each pod, and the autoscaler's target"),
        "s",
        (Line(mean, "mean of the pods, as the HPA reads it"), each),
        "<=",
        site.scenario.autoscaling.target_latency_s_p95,
    )


def _pods(site: Site[Settings], workload: Workload) -> Scope:
    """Return what finds the series that Prometheus itself makes of the service's scrapes."""
    return scope_of_pods(site, workload, is_alone=False)


def _titled(site: Site[Settings], words: str) -> str:
    return words if is_alone(site) else f"{title(site.name)}: {words[0].lower()}{words[1:]}"


def _who(site: Site[Settings]) -> str:
    return "the API" if site.name == "api" else f"the service {called(site.name)}"


def _subject(site: Site[Settings], subject: str) -> str:
    return subject if site.name == "api" else f"{site.name}-{subject}"


def _autoscaler(site: Site[Settings], workload: Workload) -> Watch:
    namespace, most = site.application, workload.replica_count_max
    by_name = Scope(site.scenario, {"horizontalpodautoscaler": workload.name})
    current, least, ceiling = (
        by_name.select(f"{HPA}{field}")
        for field in ("status_current_replicas", "spec_min_replicas", "spec_max_replicas")
    )
    inactive = by_name.select(f"{HPA}status_condition", condition="ScalingActive", status="false")
    worse = ": with the database as the bottleneck they make it worse" if site.scenario.of("database") else ""
    subject = _subject(site, "autoscaler")
    full = Alarm(
        "AutoscalerAtCeiling",
        f"{current} >= on (namespace, horizontalpodautoscaler) {ceiling}",
        CEILING_S,
        "page",
        f"{_who(site)}'s autoscaler is at its maximum",
        f"{{value}} pods run, as many as may (the planned maximum is {most}).",
        "If latency is within its limits, plan a higher ceiling. If not, find out whether pods are the remedy" + worse
        + ".",
    )  # fmt: skip
    blind = Alarm(
        "AutoscalerWithoutMetric",
        f"{inactive} == 1",
        CEILING_S,
        "page",
        f"{_who(site)}'s autoscaler cannot read its metrics",
        "The HPA's condition ScalingActive is false: the fleet stays as large as it is.",
        f"kubectl -n {namespace} describe hpa {workload.name} names the metric. For latency and requests, ask the "
        "adapter (kubectl get --raw /apis/custom.metrics.k8s.io/v1beta1), then Prometheus; for CPU and memory, "
        "metrics-server.",
    )
    bounds = Chart(
        f"{title(site.name)} replicas between the autoscaler's bounds",
        "short",
        (Line(current, "running"), Line(least, "minimum"), Line(ceiling, "maximum")),
    )
    # An autoscaler whose bounds are one number is always at its maximum.
    moves = workload.replica_count_min < most
    return Watch(subject, sign="replicas", alarms=(full, blind) if moves else (blind,), charts=(bounds,))


def _requests(site: Site[Settings], workload: Workload) -> Watch:
    """Return this service's requests, failures and response times; those of all services are the plan's."""
    scope = scope_of_pods(site, workload, is_alone(site))
    metric = scope.own(REQUEST)
    rate_of_all, failed, p95 = (
        f"job:{scope.own('requests')}:rate5m",
        f"job:{scope.own('request_errors')}:ratio_rate5m",
        f"job:{metric}:p95",
    )
    errors = scope.total(rate(scope.select(f"{metric}_count", outcome="error"), SHORTEST_S))
    buckets = scope.total(rate(scope.select(f"{metric}_bucket"), SHORTEST_S), "le")
    return Watch(
        _subject(site, "requests"),
        recorded=(
            scope.recorded(rate_of_all, scope.total(rate(scope.select(f"{metric}_count"), SHORTEST_S))),
            scope.recorded(failed, ratio(errors, scope.select(rate_of_all))),
            scope.recorded(p95, quantile(0.95, buckets)),
        ),
        charts=(
            Chart(_titled(site, "Response time"), "s", (Line(scope.select(p95), "p95"),)),
            Chart(_titled(site, "Requests a second"), "reqps", (Line(scope.select(rate_of_all), "requests"),)),
            Chart(_titled(site, "Failed requests"), "percentunit", (Line(scope.select(failed), "failed"),)),
        ),
    )


def _dropped(site: Site[Settings], workload: Workload) -> Watch:
    pods = _pods(site, workload)
    scraped, kept = (
        pods.select(metric) for metric in ("scrape_samples_scraped", "scrape_samples_post_metric_relabeling")
    )
    monitoring = next(iter(site.scenario.of("monitoring")))
    missing = "queries are" if site.scenario.of("database") else "figures are"
    return Watch(
        "monitoring",
        alarms=(
            Alarm(
                "TenantSeriesDropped",
                f"{scraped} - {kept} > 0",
                300,
                "page",
                "pods expose series by tenant, which are dropped",
                f"{{pod}} exposes {{value}} series with tenant_id: its {missing} missing from every figure.",
                f"Deploy {_who(site)} with the emitted metrics.py, or set tiers.{monitoring}.label_by_tenant and plan "
                "anew.",
                labels={} if is_alone(site) else {"job": workload.name},
            ),
        ),
    )
