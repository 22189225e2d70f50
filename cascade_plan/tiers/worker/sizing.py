"""Workers: the pods that keep jobs young enough, and the nodes that hold them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from math import ceil

from cascade_plan.errors import InfeasibleError
from cascade_plan.formulas.losses import after_loss, least_count
from cascade_plan.formulas.percentiles import ServiceTime
from cascade_plan.formulas.queueing import Station
from cascade_plan.formulas.transforms import Path, Response, Service, wait_at
from cascade_plan.model.ask import Ask, nodes_of
from cascade_plan.model.derivation import Derivation, Finding, Input
from cascade_plan.model.fleet import Band, Guest, Lever, Sized, Workload
from cascade_plan.tiers.worker.settings import Settings

AFTER: tuple[str, ...] = ()
MODEL = "docs/model.md: multi-server queue, transform inversion"
BUSY_MOST = 0.95
"""Pods are never planned busier than this: a queue that is nearly full empties too slowly (assumption)."""
PODS_MOST = 1_000_000
OLDER = 0.01
"""Share of the jobs that may be older."""
CLOSE = 1.05
"""A share nearer to it than this is decided by the percentile, as the figure has it: each is inverted to a precision of
its own."""


def size(ask: Ask[Settings]) -> Sized:
    """Return the nodes between their bounds, the pods on them, and how old a job gets at the peak.

    Pods on a service's nodes are counted by themselves: they have no nodes that they would fill.
    Raises InfeasibleError when no number of pods does a job within its age.
    """
    if ask.host:
        return _in_pods(ask)
    settings, pod = ask.settings, ask.settings.pod
    shape = ask.shape("vm")
    per_node = ask.pods_per_node(shape, pod.cpu_cores, pod.memory_mib)
    node = ask.allocatable(shape)
    cores = min(1.0, node.cpu_m / 1000 / per_node)
    jobs = _jobs_per_s(ask)
    peak = max(jobs.peak, *_of_loads(ask), 0.0)
    job = ServiceTime(settings.cpu_ms / 1000 / (cores * shape.speed), settings.service_scv)
    least, given_least = ask.least("minimum_nodes", ask.scenario.availability.asked.node_count)
    base = _nodes(ask, job, peak, per_node, least)
    most = max(base, ceil(base * settings.headroom_ratio - 1e-9))
    floor = min(base, _nodes(ask, job, jobs.average, per_node, least))
    running = ask.hourly(lambda users: _nodes(ask, job, _at(ask, users), per_node, least))
    count = Band(floor, min(max(floor, sum(running) / len(running)), base), base, most)
    free = node.unrequested_share(per_node, pod.cpu_cores * 1000, pod.memory_mib)
    group = ask.nodes(shape, count, free, hourly_count=running)
    age_s = _age_s(job, base * per_node, peak)
    lever = Lever(
        f"{ask.name}.node_count", floor, base, most, "rules" if ask.scenario.method == "rules" else "method", True,
        settings.node_provisioning_s + settings.pod_startup_s, offer=group.offer,
    )  # fmt: skip
    workload = _workload(ask, group.name, per_node, cores, job, lever)
    return Sized(
        ask.name,
        "worker",
        groups=(group,),
        figures=tuple(_figures(ask, lever, workload, peak, age_s, job, given_least)),
        findings=(
            *_findings(ask, peak),
            *ask.pod_limit_findings(shape, pod.cpu_cores, pod.memory_mib),
            *ask.speed_findings(shape),
        ),
        levers=(lever,),
        workloads=(workload,),
        goals={f"{ask.name}.age_s_p99": f"< {settings.age_s_p99:g}"},
    )


def _in_pods(ask: Ask[Settings]) -> Sized:
    """Return the pods on a service's nodes, whose places are kept for the most of them; each has what it requests."""
    settings, pod = ask.settings, ask.settings.pod
    cores, jobs, least = min(1.0, pod.cpu_cores), _jobs_per_s(ask), ask.scenario.availability.asked.node_count
    peak = max(jobs.peak, *_of_loads(ask), 0.0)
    job = ServiceTime(settings.cpu_ms / 1000 / (cores * ask.host_speed), settings.service_scv)

    def pods(jobs_per_s: float) -> int:
        return _nodes(ask, job, jobs_per_s, 1, least)

    base = pods(peak)
    most, floor = max(base, ceil(base * settings.headroom_ratio - 1e-9)), min(base, pods(jobs.average))
    average = min(max(floor, ask.average(lambda users: pods(_at(ask, users)))), base)
    set_by = "rules" if ask.scenario.method == "rules" else "method"
    lever = Lever(f"{ask.name}.replica_count", floor, base, most, set_by, True, settings.pod_startup_s)
    workload = _workload(ask, nodes_of(ask.host), 1, cores, job, lever)
    given = Input("pods at least", least, "as many as availability asks for")
    guest = Guest(
        ask.name, "pods", ask.host, pod.cpu_cores, pod.memory_mib, Band(floor, average, base, most),
        jobs.times(settings.cpu_ms / 1000),
    )  # fmt: skip
    return Sized(
        ask.name,
        "worker",
        figures=tuple(_figures(ask, lever, workload, peak, _age_s(job, base, peak), job, given)),
        findings=tuple(_findings(ask, peak)),
        levers=(lever,),
        workloads=(workload,),
        guests=(guest,),
        goals={f"{ask.name}.age_s_p99": f"< {settings.age_s_p99:g}"},
    )


def _jobs_per_s(ask: Ask[Settings]) -> Band:
    return ask.traffic.jobs_per_s[ask.name].plus(Band.constant(ask.settings.scheduled_jobs_per_s))


def _asked_by_a_request(ask: Ask[Settings]) -> float:
    return sum(share * action.jobs.get(ask.name, 0.0) for share, action in ask.scenario.behaviour.mix)


def _of_loads(ask: Ask[Settings]) -> list[float]:
    """Return the jobs a second of each named load, whose users all act."""
    think_s, each = ask.scenario.behaviour.think_time_s.mean, _asked_by_a_request(ask)
    beside = ask.settings.scheduled_jobs_per_s
    return [load.users / think_s * each + beside for load in ask.scenario.driven.values()]


def _at(ask: Ask[Settings], users: float) -> float:
    scenario = ask.scenario
    requests = users * scenario.users.active_share / scenario.behaviour.think_time_s.mean
    return requests * _asked_by_a_request(ask) + ask.settings.scheduled_jobs_per_s


def _nodes(ask: Ask[Settings], job: ServiceTime, jobs_per_s: float, per_node: int, least: int) -> int:
    """Return the least nodes whose pods keep jobs young enough; with the method slo after a zone's and nodes' loss."""
    goal_s, asked = ask.settings.age_s_p99, ask.scenario.availability.asked

    def young(pods: int) -> bool:
        return jobs_per_s * job.mean_s <= BUSY_MOST * pods and _is_young(job, pods, jobs_per_s, goal_s)

    guess = max(1, ceil(jobs_per_s * job.mean_s / BUSY_MOST))
    pods = least_count(young, PODS_MOST, guess)
    if pods == PODS_MOST and not young(pods):
        raise InfeasibleError(
            f"tiers.{ask.name}: no number of pods does 99 of 100 jobs of {ask.settings.cpu_ms:g} ms within "
            f"{goal_s:g} s at {jobs_per_s:,.0f} jobs/s"
        )
    needed = ceil(pods / per_node)
    if ask.scenario.method == "rules":
        return max(least, needed)

    def holds(nodes: int) -> bool:
        left = after_loss(nodes, asked.zones, asked.lost_zone_count, asked.lost_node_count)
        return nodes >= least and left >= needed

    return least_count(holds, PODS_MOST, needed)


@lru_cache(maxsize=4096)
def _age_s(job: ServiceTime, pods: int, jobs_per_s: float) -> float:
    """Return the 99th percentile of a job's wait and work."""
    return _age(job, pods, jobs_per_s).percentile_s(1 - OLDER)


def _age(job: ServiceTime, pods: int, jobs_per_s: float) -> Response:
    wait = wait_at(Station(pods, job), jobs_per_s)
    return Response((Path(1.0, ((wait, 1.0), (Service(job), 1.0))),))


@lru_cache(maxsize=4096)
def _is_young(job: ServiceTime, pods: int, jobs_per_s: float, goal_s: float) -> bool:
    """Return whether the 99th percentile of a job's age is below a goal: from the tail there, where that is clear."""
    older = _age(job, pods, jobs_per_s).tail(goal_s) / OLDER
    return older < 1 if not 1 / CLOSE < older < CLOSE else _age_s(job, pods, jobs_per_s) < goal_s


def _workload(ask: Ask[Settings], group: str, per_node: int, cores: float, job: ServiceTime, lever: Lever) -> Workload:
    settings = ask.settings
    queue = settings.queue or ask.scenario.first("queue")
    asks = bool(ask.scenario.of("database")) and settings.read_count + settings.write_count > 0
    return Workload(
        tier=ask.name,
        kind="worker",
        name=ask.workload,
        image=settings.image,
        port=settings.port,
        cpu_cores=settings.pod.cpu_cores,
        memory_mib=settings.pod.memory_mib,
        memory_mib_max=settings.pod.memory_mib,
        replica_count_min=lever.floor_count * per_node,
        replica_count_max=lever.most_count * per_node,
        pod_count_per_node=per_node,
        pod_count_max=lever.most_count * per_node,
        cores_per_pod=cores,
        group=group,
        serves="jobs",
        connection_count_per_pod=settings.connections_per_pod if asks else 0,
        queue=queue,
        # As many as a pod does in half the age that is left once a node and a pod have started.
        jobs_per_pod=max(1.0, (settings.age_s_p99 - lever.reaction_s) / 2 / job.mean_s),
    )


def _figures(
    ask: Ask[Settings],
    lever: Lever,
    workload: Workload,
    peak: float,
    age_s: float,
    job: ServiceTime,
    given_least: Input,
) -> Iterator[Derivation]:
    settings, fills = ask.settings, not ask.settings.nodes_of
    counted, unit = ("node_count", "nodes") if fills else ("replica_count", "pods")
    queries = peak * (settings.read_count + settings.write_count)
    counts = (("base", lever.base_count), ("min", lever.floor_count), ("max", lever.most_count))
    inputs = (ask.own("cpu_ms"), ask.own("age_s_p99"), given_least, Input("jobs/s at the peak", peak, "computed"))
    busy = peak * job.mean_s / (lever.base_count * workload.pod_count_per_node)
    yield ask.figure(
        "jobs_per_s_peak",
        peak,
        "jobs/s",
        "jobs of the busier of the day's peak and the named loads + scheduled_jobs_per_s",
        (ask.given("users.peak"), ask.given("users.active_share"), ask.own("scheduled_jobs_per_s")),
    )
    for level, count in counts:
        yield ask.figure(
            f"{counted}.{level}",
            count,
            unit,
            f"least {'whose pods do' if fills else 'that do'} 99 of 100 jobs within age_s_p99"
            if level != "max"
            else "base x headroom_ratio",
            inputs if level != "max" else (ask.own("headroom_ratio"),),
            MODEL,
        )
    if fills:
        yield ask.figure(
            "pod_count_per_node",
            workload.pod_count_per_node,
            "pods",
            "least of allocatable CPU / pod CPU, memory / pod memory, pod limit",
            (ask.own("pod.cpu_cores"), ask.own("pod.memory_mib")),
        )
        for level, count in (("min", workload.replica_count_min), ("max", workload.replica_count_max)):
            yield ask.figure(f"replica_count.{level}", count, "pods", f"{ask.name}.node_count.{level} x pods a node")
    yield ask.figure("age_s_p99", age_s, "s", "99th percentile of wait and work at the peak", inputs, MODEL)
    yield ask.figure("busy_ratio", busy, "", "jobs/s x time of a job / pods at the peak", inputs[:1])
    yield ask.figure(
        "database_queries_per_s_peak",
        queries,
        "queries/s",
        "jobs/s at the peak x (read_count + write_count)",
        (ask.own("read_count"), ask.own("write_count")),
    )


def _findings(ask: Ask[Settings], peak: float) -> list[Finding]:
    where = f"tiers.{ask.name}"
    findings = []
    if not ask.scenario.of("queue"):
        message = f"{ask.name} takes jobs from a queue, and this scenario has none: give it one (queue: {{}})"
        findings.append(Finding("warning", "worker-without-queue", message, where))
    if not peak:
        message = f"no action leaves a job to {ask.name}: give one `jobs: {{{ask.name}: 1}}`, or turn it off"
        findings.append(Finding("warning", "worker-unused", message, where))
    return findings
