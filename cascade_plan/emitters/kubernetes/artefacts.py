"""Kubernetes: for every service its autoscaler, Deployment, Service and budget, for workers and sockets theirs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from textwrap import wrap
from typing import Any, Final

from cascade_plan.emitters._databases import Pool, pooled
from cascade_plan.emitters._heading import heading
from cascade_plan.emitters._nodes import LABEL, STAYS, counts_of, is_shared, is_tainted, off_spot, serving_class
from cascade_plan.emitters._secrets import pool_secret, secrets
from cascade_plan.emitters._targets import targets
from cascade_plan.emitters._topology import NGINX_PORT, PROXY, pods_name, queue_name
from cascade_plan.emitters.kubernetes import beside, hpa_rules, overlay, policies
from cascade_plan.emitters.kubernetes import objects as built
from cascade_plan.emitters.kubernetes import secrets as copied
from cascade_plan.emitters.kubernetes.environment import environment
from cascade_plan.emitters.kubernetes.names import INT32_MAX, is_dns_1035_label
from cascade_plan.errors import InfeasibleError, UsageError, did_you_mean
from cascade_plan.formulas.rollouts import unavailable_percent
from cascade_plan.languages.yaml import comment, dump
from cascade_plan.model.artefact import Artefact, is_for
from cascade_plan.model.fleet import Workload
from cascade_plan.model.plan import Instance, Plan
from cascade_plan.model.titles import called
from cascade_plan.tiers.websocket.settings import Settings as Sockets

COMMAND = "k8s"
"""The emit- command that writes these files, and their directory."""
APPLIED_AFTER: tuple[str, ...] = ("eks", "pgbouncer")
"""The emitters whose files are applied before these."""
SERVES: tuple[str, ...] = ("cluster",)
"""What there is nothing to do without."""
CLOUDS: tuple[str, ...] = ()
"""The only clouds it writes for; empty for any."""

WIDTH: Final = 120
FIRST_APPLY: Final = (
    "it has no replica count. Applied over a Deployment that was applied with one, it falls to 1 pod until the "
    "autoscaler adds more: first take `spec.replicas` out of what kubectl remembers, `kubectl apply edit-last-applied "
    "deployment/{name} -n {namespace}`, or apply with `--server-side` once the autoscaler owns the count."
)
"""Source: https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/, migrating Deployments"""
AWS: Final = ("aws",)
"""The cloud whose queues can be asked for their length here, whose balancer can be bound, whose secrets be copied."""
SERVING: Final = 1_000_000
"""Above 0, which pods have that say none, and below those of the system: 2 billion.
Source: https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/"""
COPYING: Final = ("Namespace", "SecretStore", "ExternalSecret")
"""What is applied before all else: others' steps, too, need the secrets."""
SHUTDOWN_S: Final = 30
"""Time after SIGTERM for requests under way: Kubernetes' own default of a whole grace period."""


@dataclass(frozen=True, slots=True)
class Part:
    """An object, and what it is called on the command line and as a file."""

    name: str
    document: dict[str, Any]
    purpose: str
    scales: bool = False
    """Whether it is an autoscaler: what is printed when nothing else is asked for."""
    deploys: tuple[str, ...] = ()
    clouds: tuple[str, ...] = ()
    by_hand: str = ""
    """What applying it breaks, and what to do about it."""


def render(plan: Plan) -> tuple[Artefact, ...]:
    """Return a YAML file of every object, below base/, and the overlay that is applied."""
    head = header(plan)
    files = tuple(
        Artefact(
            f"base/{part.name}.yaml",
            head + _by_hand((part,)) + dump([part.document]),
            part.purpose,
            kustomized=True,
            deploys=part.deploys,
            clouds=part.clouds,
            by_hand=part.by_hand,
        )
        for part in parts(plan)
    )
    copying = [f"base/{part.name}.yaml" for part in parts(plan) if part.document["kind"] in COPYING]
    has_secrets = len(copying) > 1 and is_for(AWS, plan.scenario.cloud)
    return (*files, overlay.production(plan, head, images(plan), copying if has_secrets else ()))


def images(plan: Plan) -> tuple[str, ...]:
    """Return every image that pods are made of, each once."""
    found: dict[str, None] = {}
    for part in parts(plan):
        pod = part.document.get("spec", {}).get("template", {}).get("spec", {})
        found |= dict.fromkeys(each["image"] for each in pod.get("containers", ()))
    return tuple(found)


def _by_hand(printed: Sequence[Part]) -> str:
    """Return what is to be done by hand for some parts, as a comment, each once."""
    said = dict.fromkeys(part.by_hand for part in printed if part.by_hand)
    texts = ("\n".join(wrap(words.replace("`", ""), WIDTH - 2, break_on_hyphens=False)) for words in said)
    return "".join(comment(text) for text in texts)


def stream(plan: Plan, extra: Sequence[str] = ()) -> str:
    """Return one YAML stream of the autoscalers and the parts in `extra`.

    Raises UsageError naming the plan's parts when one is none of them, and when there is nothing to print.
    """
    found = [part for part in parts(plan) if is_for(part.clouds, plan.scenario.cloud)]
    names = [part.name for part in found]
    for name in extra:
        if name not in names:
            known = f"the parts of this scenario are {', '.join(names)}"
            raise UsageError(f"--with {name}: {known}{did_you_mean(name, names)}")
    printed = [part for part in found if part.scales or part.name in extra]
    if not printed:
        raise UsageError(f"nothing here scales: say what to print, --with {','.join(names)}")
    return header(plan) + _by_hand(printed) + dump([part.document for part in printed])


def header(plan: Plan) -> str:
    """Return the comment that says from what the objects were sized."""
    scaled = [workload for workload in plan.fleet.workloads if workload.serves != "connections"]
    lines = []
    for workload in scaled:
        group = plan.fleet.group_of(workload)
        least, _, most = counts_of(plan, group)
        whose = f"{called(workload.tier)}: " if len(scaled) > 1 else ""
        nodes = f"{least} to {most} nodes of {group.shape.name} with {workload.pod_count_per_node} pods each"
        if not group.is_nodes:
            nodes = f"{least} to {most} pods of {group.shape.name}, on no node of yours"
        if is_shared(plan, workload):
            counts = f"{workload.replica_count_min} to {workload.replica_count_max}"
            nodes = f"{counts} pods on the nodes of {called(group.tier)}"
        lines.append(f"{whose}sized for {nodes}")
    return heading(plan, lines)


def objects(plan: Plan) -> dict[str, dict[str, Any]]:
    """Return part -> object for every part, in order of application."""
    return {part.name: part.document for part in parts(plan)}


def parts(plan: Plan) -> tuple[Part, ...]:
    """Return every part, in the order a cluster accepts them. Parts of the only service are called by what they are.

    Raises UsageError for a workload whose name Kubernetes cannot take, InfeasibleError for more pods than it counts.
    """
    return (
        Part("namespace", built.namespace(plan.application, _of_namespace(plan)), "The namespace of everything else."),
        *_priorities(plan),
        *_secrets(plan),
        *(part for pool in pooled(plan) for part in _pool(plan, pool)),
        *(part for workload in plan.fleet.workloads for part in _SERVES[workload.serves](plan, workload)),
        *(part for sockets in plan.of(Sockets) for part in _proxy(plan, sockets)),
        *_policies(plan),
    )


def _of_namespace(plan: Plan) -> dict[str, str]:
    """Return the label by which pods count as ready only once the load balancer has them too."""
    return {"elbv2.k8s.aws/pod-readiness-gate-inject": "enabled"} if _is_bound(plan) else {}


def _is_bound(plan: Plan) -> bool:
    return bool(targets(plan)) and is_for(AWS, plan.scenario.cloud)


def _priorities(plan: Plan) -> Iterator[Part]:
    """Yield the class of pods that users wait for: where nodes are full, workers make room for them."""
    if any(workload.serves != "jobs" for workload in plan.fleet.workloads):
        purpose = "Whose pods go first where nodes are full: those that users wait for, before workers."
        yield Part("priorityclass", built.priority_class(plan.application, serving_class(plan), SERVING), purpose)


def _secrets(plan: Plan) -> Iterator[Part]:
    """Yield what copies the secrets that pods read out of Secrets Manager."""
    of_pools = [pool_secret(plan, pool) for pool in pooled(plan)]
    read = [secret for secret in secrets(plan) if secret not in of_pools]
    if not read:
        return
    yield Part("secretstore", copied.store(plan), "Where secrets are copied from: Secrets Manager.", clouds=AWS)
    for secret in read:
        name = secret.kubernetes_name.removeprefix(f"{plan.application}-")
        purpose = f"Copies the secret {secret.name} into the Secret {secret.kubernetes_name}."
        yield Part(f"externalsecret-{name}", copied.external_secret(plan, secret), purpose, clouds=AWS)


def _pool(plan: Plan, pool: Pool) -> Iterator[Part]:
    """Yield PgBouncer as pods that share the pool, behind an address, and who may log in to it."""
    found, name = beside.pool_of(plan, pool, _serving_of(plan)), pool.workload_name
    purpose = "Who may log in to PgBouncer, as userlist.txt, and how its exporter does."
    yield Part(f"{name}-externalsecret", copied.userlist(plan, pool), purpose, clouds=AWS)
    database = pool.database
    if database.is_named_by_service:
        for number, service in enumerate((database.service, *database.replica_services)):
            known = f"{'A replica' if number else 'The database'} under a name that is known before its address is."
            yield Part(f"{service}-service", built.external_service(plan.application, service), known)
    ports = {beside.PGBOUNCER_PORT_NAME: pool.instance.settings.port}
    yield from _beside(found, ports, f"PgBouncer: {found.replica_count} processes that share the pool's connections.")


def _proxy(plan: Plan, sockets: Instance[Sockets]) -> Iterator[Part]:
    """Yield nginx before the WebSocket nodes, behind an address that the load balancer is bound to."""
    found = beside.proxy(plan, sockets, _serving_of(plan))
    yield from _beside(found, {built.PORT_NAME: NGINX_PORT}, "nginx before the WebSocket nodes.")
    (workload,) = [each for each in plan.fleet.workloads if each.tier == sockets.name]
    yield from _binding(plan, workload, found.identity, PROXY)


def _beside(found: beside.Beside, ports: dict[str, int], purpose: str) -> Iterator[Part]:
    identity, name = found.identity, found.identity.name
    yield _account(identity, f"{name}-serviceaccount", name)
    made = built.deployment(
        identity, found.pod, found.placement, replica_count=found.replica_count, is_shared_out=found.is_shared_out
    )
    yield Part(f"{name}-deployment", made, purpose)
    yield Part(f"{name}-service", built.service(identity, ports), f"The address of {name} within the cluster.")
    if found.replica_count > 1:
        budget = built.pod_disruption_budget(identity, found.replica_count, 1)
        yield Part(f"{name}-pdb", budget, f"Drains take one pod of {name} at a time.")


def _binding(plan: Plan, workload: Workload, identity: built.Identity, prefix: str) -> Iterator[Part]:
    """Yield what puts the pods of a Service into the load balancer's target group."""
    for target in targets(plan):
        if target.workload == workload:
            purpose = f"Puts the pods of {identity.name} into the load balancer's target group {target.name}."
            name = f"{prefix}-targetgroupbinding" if prefix else "targetgroupbinding"
            yield Part(name, built.target_group_binding(identity, target.name), purpose, clouds=AWS)


def _serving_of(plan: Plan) -> str:
    return serving_class(plan) if any(workload.serves != "jobs" for workload in plan.fleet.workloads) else ""


def _policies(plan: Plan) -> Iterator[Part]:
    """Yield who may talk to whom, where there are pods at all."""
    if plan.fleet.workloads:
        for policy in policies.policies(plan):
            name = policy["metadata"]["name"]
            whose = f"what pods of {name} may be asked by, and whom they ask."
            purpose = f"Says {whose}" if name != "default" else "Refuses what no other policy allows, but names."
            yield Part(f"networkpolicy-{name}", policy, purpose)


def _service(plan: Plan, workload: Workload) -> Iterator[Part]:
    """Yield what answers requests: pods that the HPA counts, behind an address."""
    identity, scaling = _identity(plan, workload), _scaling(plan, workload)
    hpa = built.hpa(identity, scaling)
    if problems := hpa_rules.validate(hpa):
        raise AssertionError(f"the HPA would be refused by the API server: {'; '.join(problems)}")
    is_only = sum(each.serves == "requests" for each in plan.fleet.workloads) == 1
    prefix, name = "" if is_only else f"{_part_name(workload)}-", called(workload.tier)
    yield _account(identity, f"{prefix}serviceaccount", name)
    yield Part(
        f"{prefix}deployment",
        _deployment(plan, identity, workload),
        f"The pods of {name}: requests, probes, spread over zones. It has no replica count, the HPA owns it.",
        deploys=(workload.name,),
        by_hand=FIRST_APPLY.format(name=identity.name, namespace=identity.namespace),
    )
    yield Part(f"{prefix}service", built.service(identity), f"The address of {name} within the cluster.")
    yield from _binding(plan, workload, identity, prefix.removesuffix("-"))
    held = "the bounds that the nodes hold" if plan.fleet.group_of(workload).is_nodes else "its bounds"
    purpose = f"The autoscaler of {name} by {' and '.join(workload.scaled_by)}, between {held}."
    yield Part(f"{prefix}hpa", hpa, purpose, scales=True)
    yield Part(f"{prefix}pdb", *_budget(identity, scaling, name))


def _worker(plan: Plan, workload: Workload) -> Iterator[Part]:
    """Yield what does jobs: pods that KEDA counts by the length of their queue, or as many as the peak needs."""
    identity, scaling = _identity(plan, workload), _scaling(plan, workload)
    prefix, name = _part_name(workload), called(workload.tier)
    is_scaled = bool(workload.queue) and plan.scenario.cloud in AWS
    deployment = _deployment(plan, identity, workload)
    if not is_scaled:
        deployment["spec"] = {"replicas": _pods_at_the_peak(plan, workload), **deployment["spec"]}
    counted = "It has no replica count, KEDA owns it." if is_scaled else "As many as the peak needs: nothing scales it."
    purpose = f"The pods of {name}: requests, probes, spread over zones. {counted}"
    by_hand = FIRST_APPLY.format(name=identity.name, namespace=identity.namespace) if is_scaled else ""
    yield _account(identity, f"{prefix}-serviceaccount", name)
    yield Part(f"{prefix}-deployment", deployment, purpose, deploys=(workload.name,), by_hand=by_hand)
    if workload.queue:
        queue = queue_name(plan, workload.queue)
        trigger = built.queue_trigger(queue, plan.scenario.region, max(1, int(workload.jobs_per_pod)))
        yield Part(
            f"{prefix}-scaledobject",
            built.scaled_object(identity, scaling, trigger),
            f"The autoscaler of {name} by the length of its queue; KEDA must run, and its operator may read the queue.",
            scales=True,
            clouds=AWS,
        )
    yield Part(f"{prefix}-pdb", *_budget(identity, scaling, name))


def _pods_at_the_peak(plan: Plan, workload: Workload) -> int:
    """Return how many pods of a worker the peak needs: those that fill its nodes, or are counted by themselves."""
    if is_shared(plan, workload):
        return plan.fleet.tiers[workload.tier].lever("replica_count").base_count
    _, base, _ = counts_of(plan, plan.fleet.group_of(workload))
    return base * workload.pod_count_per_node


def _sockets(plan: Plan, workload: Workload) -> Iterator[Part]:
    """Yield what holds connections: pods by the names that nginx is given, a node each or on a service's nodes."""
    identity = built.Identity(pods_name(workload), plan.application, part_of=plan.application, component=workload.kind)
    pod, prefix, count = _pod(plan, workload), _part_name(workload), workload.replica_count_max
    stays, where = None, "one pod on each node that was bought for them"
    if is_shared(plan, workload):
        host = plan.fleet.group_of(workload).tier
        stays = built.Stay(STAYS, off_spot(plan, host))
        where = f"pods on the nodes of {called(host)}, apart from each other where there is room"
    yield _account(identity, f"{prefix}-serviceaccount", "the WebSocket nodes")
    purpose = "The WebSocket nodes' names, which nginx looks up: ws-node-1.ws-node and so on."
    yield Part(f"{prefix}-service", built.headless_service(identity, pod), purpose)
    yield Part(
        prefix,
        built.stateful_set(identity, pod, count, _placement(plan, workload), stays),
        f"The WebSocket nodes, {where}. One that stops has "
        f"{pod.shutdown_s} s to close its connections: each with code 1012 and after a pause by chance.",
        deploys=(workload.name,),
    )
    budget = built.pod_disruption_budget(identity, count, 1)
    yield Part(f"{prefix}-pdb", budget, "Drains take one WebSocket node at a time.")


def _account(identity: built.Identity, part: str, name: str) -> Part:
    return Part(part, built.service_account(identity), f"Who the pods of {name} are, to whom a cloud's role is given.")


_SERVES: Final = {"requests": _service, "jobs": _worker, "connections": _sockets}


def _budget(identity: built.Identity, scaling: built.Scaling, name: str) -> tuple[dict[str, Any], str]:
    budget = built.pod_disruption_budget(identity, scaling.replica_count_min)
    return budget, f"How many pods of {name} a drained node may take away at a time."


def _part_name(workload: Workload) -> str:
    return workload.tier.replace("_", "-")


def _identity(plan: Plan, workload: Workload) -> built.Identity:
    if not is_dns_1035_label(workload.name):
        raise UsageError(
            f"tiers.{workload.tier}: its pods would be called {workload.name!r}, and Kubernetes takes at most 63 "
            "characters: give the application or the tier a shorter name"
        )
    return built.Identity(workload.name, plan.application, part_of=plan.application, component=workload.kind)


def _placement(plan: Plan, workload: Workload) -> built.Placement | None:
    """Return the nodes that were bought for a workload; None where it needs none."""
    group = plan.fleet.group_of(workload)
    return None if not group.is_nodes else built.Placement(LABEL, group.tier, is_tainted(plan, group))


def _deployment(plan: Plan, identity: built.Identity, workload: Workload) -> dict[str, Any]:
    """Return a workload's Deployment, whose rollouts fit the nodes also when all its pods run."""
    without = unavailable_percent(workload.replica_count_max, workload.pod_count_max)
    return built.deployment(identity, _pod(plan, workload), _placement(plan, workload), without)


def _pod(plan: Plan, workload: Workload) -> built.Pod:
    sockets = next((each.settings for each in plan.of(Sockets) if each.name == workload.tier), None)
    group = plan.fleet.group_of(workload)
    zones, least = plan.scenario.availability.asked.zones, counts_of(plan, group)[0]
    is_even = group.is_nodes and not is_shared(plan, workload) and min(least, zones) > 1
    return built.Pod(
        image=workload.image,
        port=workload.port,
        resources=built.Resources(
            workload.cpu_cores, workload.memory_mib, workload.cpu_cores_max, workload.memory_mib_max
        ),
        ready_path=workload.ready_path or None,
        live_path=workload.live_path or None,
        zone_count=zones,
        # With nodes in two zones at all times no zone holds all pods. A zone may have a node more than another, and
        # with it as many pods as a node holds, and as many more as others take the places of: at one pod more full
        # nodes would leave some pending. Pods on nodes of others stand where these leave room.
        zone_spread="DoNotSchedule" if is_even else "ScheduleAnyway",
        zone_skew=max(1, workload.pod_count_per_node + workload.reserved_pod_count) if group.is_nodes else 1,
        shutdown_s=ceil(sockets.drain_s) if sockets else SHUTDOWN_S,
        drain_path=sockets.drain_path if sockets else None,
        env=environment(plan, workload),
        priority="" if workload.serves == "jobs" else serving_class(plan),
    )


def _scaling(plan: Plan, workload: Workload) -> built.Scaling:
    rules = plan.scenario.autoscaling
    if workload.replica_count_max > INT32_MAX:
        raise InfeasibleError(
            f"{workload.replica_count_max:,} pods of {workload.tier}: Kubernetes counts to {INT32_MAX:,}; take "
            f"larger pods or fewer (tiers.{workload.tier})"
        )
    return built.Scaling(
        replica_count_min=workload.replica_count_min,
        replica_count_max=workload.replica_count_max,
        targets=tuple(
            built.Target(_metric(plan, workload, name), workload.targets[name].value) for name in workload.scaled_by
        ),
        scale_up_window_s=rules.scale_up_window_s,
        scale_up_percent=rules.scale_up_percent,
        scale_up_period_s=rules.scale_up_period_s,
        scale_down_window_s=rules.scale_down_window_s,
        scale_down_percent=rules.scale_down_percent,
        scale_down_period_s=rules.scale_down_period_s,
    )


def _metric(plan: Plan, workload: Workload, name: str) -> str:
    """Return what a metric of a workload's pods is called where autoscalers ask for it, by what watches it."""
    if name in built.RESOURCES:
        return name
    watches = plan.watches_of(workload.tier)
    return next(each.served_as for watch in watches for each in watch.recorded if each.scales_by == name)
