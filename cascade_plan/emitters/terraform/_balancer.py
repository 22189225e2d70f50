"""The load balancer: a target group for each service and for nginx, which paths go where, and who reaches whom."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from cascade_plan.clouds.aws.names import aws_name
from cascade_plan.emitters._targets import Target, targets
from cascade_plan.emitters._topology import HEARTBEATS
from cascade_plan.emitters.terraform import _access_logs
from cascade_plan.emitters.terraform._access import WORKLOADS, group_id, rule, security_group
from cascade_plan.emitters.terraform._file import File, all_of, output, variable
from cascade_plan.languages.hcl import Block, Expression, Value
from cascade_plan.model.fleet import Workload
from cascade_plan.model.plan import Instance, Plan
from cascade_plan.tiers.gateway.settings import Settings

IDLE_S: Final = (60, 4000)
"""Least (AWS's default) and most idle time-out of an application load balancer;
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html"""
PATTERN_CHARACTERS: Final = 128
PATTERN_WILDCARDS: Final = 5
"""Limits of a path pattern and of the wildcards in a rule;
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html"""
FILLED_IN: Final = re.compile(r"(\{[^{}/]*\}|[^A-Za-z0-9_.$/~@:+-])")
"""What of a request's path is filled in, or is a character that no pattern takes."""
PORT: Final = 443
CLEAR_PORT: Final = 80
METRICS_PATH: Final = "/metrics"
"""Where pods tell of tenants to whoever scrapes them, which is nobody else's business."""
FIRST_ROUTE: Final = 10
"""The priority of the first rule of a service; those before it are for what no service answers."""
CERTIFICATE: Final = "^arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/"
WEB_ACL: Final = "^arn:aws[a-z-]*:wafv2:[a-z0-9-]+:[0-9]{12}:regional/webacl/"
NAMED: Final = "Point your name in DNS, the certificate's, at {of}."
CLEAR_METRICS: Final = (
    "A network load balancer reads no paths: what the services answer at /metrics is open to the world, unless the "
    "application asks who is there."
)
NO_PODS: Final = "Register the instances that run nginx with the target group {name}: no file here starts it on any."


def files(plan: Plan) -> Iterator[File]:
    """Yield the file of the load balancer, where there are one and something behind it."""
    found = targets(plan)
    for gateway in plan.of(Settings):
        if found:
            yield File(
                "balancer.tf",
                "The load balancer, a target group for each service, and which requests go to which.",
                tuple(_resources(plan, gateway, found)),
                (*_variables(gateway), *_routes(plan, gateway, found)),
                tuple(_outputs(gateway, found)),
                all_of(gateway.sized),
                by_hand=" ".join(_by_hand(plan, gateway, found)),
            )


def _outputs(gateway: Instance[Settings], found: tuple[Target, ...]) -> Iterator[Block]:
    yield output(f"{gateway.name}_address", "The load balancer's name in DNS.", f"{_lb(gateway)}.dns_name")
    if _own_sockets(gateway, found):
        words = "The name in DNS of the load balancer of open connections."
        yield output(f"{_apart(gateway)}_address", words, f"aws_lb.{_apart(gateway)}.dns_name")


def _by_hand(plan: Plan, gateway: Instance[Settings], found: tuple[Target, ...]) -> Iterator[str]:
    outputs = [f"`terraform -chdir=infra output {each.labels[0]}`" for each in _outputs(gateway, found)]
    yield NAMED.format(of=" and ".join(outputs))
    if gateway.settings.balancer == "nlb":
        yield CLEAR_METRICS
    if not plan.fleet.of("cluster"):
        yield from (NO_PODS.format(name=each.name) for each in found if each.is_proxy)


def reaches(plan: Plan, workload: Workload) -> bool:
    """Return whether the load balancer sends requests to a workload."""
    return bool(plan.of(Settings)) and workload.serves == "requests"


def reads_requests(plan: Plan) -> bool:
    """Return whether the load balancer sees requests, and not only connections."""
    return any(gateway.settings.balancer == "alb" for gateway in plan.of(Settings))


def target(workload: Workload) -> str:
    """Return the target group of a service, as an expression names it."""
    return f"aws_lb_target_group.{workload.tier}"


def resource_label(plan: Plan, workload: Workload) -> str:
    """Return the expression by which a scaling policy names the load balancer and a service behind it."""
    (gateway,) = plan.of(Settings)
    return f'"${{{_lb(gateway)}.arn_suffix}}/${{{target(workload)}.arn_suffix}}"'


def _lb(gateway: Instance[Settings]) -> str:
    return f"aws_lb.{gateway.name}"


def _is_alb(gateway: Instance[Settings]) -> bool:
    return gateway.settings.balancer == "alb"


def _variables(gateway: Instance[Settings]) -> Iterator[Block]:
    name = f"{gateway.name}_certificate_arn"
    yield variable(name, "The ACM certificate of the load balancer, in its region.", pattern=CERTIFICATE)
    if _is_alb(gateway):
        words = "A web ACL of WAF that looks at every request first; null for none."
        yield variable(f"{gateway.name}_web_acl_arn", words, default=None, pattern=WEB_ACL)


def _resources(plan: Plan, gateway: Instance[Settings], found: tuple[Target, ...]) -> Iterator[Block]:
    own = _own_sockets(gateway, found)
    shared = [each for each in found if each not in own]
    if (days := gateway.settings.access_log_days) is not None:
        yield from _access_logs.resources(plan, gateway, days)
    yield from _reached(plan, gateway, found)
    for label, behind in ((_apart(gateway), own), (gateway.name, shared)):
        if behind:
            yield _balancer(plan, gateway, label, behind)
            yield from _listeners(gateway, label, behind)
            if _is_alb(gateway):
                yield _firewall(gateway, label)
    yield from (_target_group(plan, each, _is_alb(gateway)) for each in found)
    if _is_alb(gateway):
        yield from _rules(shared)


def _own_sockets(gateway: Instance[Settings], found: tuple[Target, ...]) -> list[Target]:
    """Return the targets whose open connections have a balancer of their own, beside that of services."""
    if gateway.settings.shared or all(each.is_proxy for each in found):
        return []
    return [each for each in found if each.is_proxy]


def _apart(gateway: Instance[Settings]) -> str:
    return f"{gateway.name}_connections"


def _balancer(plan: Plan, gateway: Instance[Settings], label: str, behind: list[Target]) -> Block:
    name = plan.application if label == gateway.name else f"{plan.application}-connections"
    log: tuple[Block, ...] = ()
    if gateway.settings.access_log_days is not None:
        # The policy's, so that the bucket admits the balancer before it is told to write there.
        where = Expression(f"aws_s3_bucket_policy.{_access_logs.label(gateway)}.bucket")
        log = (Block("access_logs", (), {"bucket": where, "prefix": label, "enabled": True}),)
    return Block(
        "resource",
        ("aws_lb", label),
        {
            "name": aws_name(name, "balancer"),
            "load_balancer_type": "application" if _is_alb(gateway) else "network",
            "security_groups": [Expression(group_id(gateway.name))],
            "subnets": Expression("local.public_subnet_ids"),
            "enable_deletion_protection": True,
            **({"drop_invalid_header_fields": True, **_idle(plan, behind)} if _is_alb(gateway) else {}),
        },
        log,
    )


def _idle(plan: Plan, behind: list[Target]) -> dict[str, Value]:
    """Return a time-out longer than the heartbeat, or the balancer closes connections that are only silent."""
    beats_s = [sized.streams.heartbeat_interval_s for sized in plan.fleet.tiers.values() if sized.streams is not None]
    if not beats_s or not any(each.is_proxy for each in behind):
        return {}
    least, most = IDLE_S
    return {"idle_timeout": min(most, max(least, round(max(beats_s) * HEARTBEATS)))}


def _reached(plan: Plan, gateway: Instance[Settings], found: tuple[Target, ...]) -> Iterator[Block]:
    """Yield who passes: the world to the listeners, the balancer to the ports of what stands behind it."""
    label = gateway.name
    yield security_group(plan, label, "The load balancer")
    own = _own_sockets(gateway, found)
    count = 1 if _is_alb(gateway) else max(len(found) - len(own), len(own))
    for port in (*((CLEAR_PORT,) if _is_alb(gateway) else ()), *range(PORT, PORT + count)):
        yield rule("ingress", f"{label}_{port}", group_id(label), port)
    for port in sorted({each.port for each in found}):
        yield rule("egress", f"{label}_{port}", group_id(label), port, peer=WORKLOADS)
        yield rule("ingress", f"{label}_to_workloads_{port}", WORKLOADS, port, peer=group_id(label))


def _target_group(plan: Plan, of: Target, is_alb: bool) -> Block:
    """Return a target group; that of nginx tells it its clients' addresses.

    An application load balancer tells them in a header, a network one by the PROXY protocol, which the emitted
    nginx.conf reads, and refuses a connection that begins without it.
    """
    checks: dict[str, Value] = {"healthy_threshold": 2, "unhealthy_threshold": 2, "interval": 10, "timeout": 5}
    words = "nginx, before the WebSocket nodes" + (
        "." if is_alb else ": it reads the PROXY protocol, as its nginx.conf is emitted."
    )
    return Block(
        "resource",
        ("aws_lb_target_group", of.workload.tier),
        {
            "name": of.name,
            "port": of.port,
            "protocol": "HTTP" if is_alb else "TCP",
            # Pods have addresses of their own; instances are found by their scaling groups.
            "target_type": "ip" if plan.fleet.of("cluster") else "instance",
            "vpc_id": Expression("local.vpc_id"),
            "deregistration_delay": of.leaving_s,
            **({"proxy_protocol_v2": True} if of.is_proxy and not is_alb else {}),
        },
        (Block("health_check", (), {"protocol": "HTTP", "path": of.health_path, **checks}),),
        comment=words if of.is_proxy else "",
    )


def _listeners(gateway: Instance[Settings], label: str, behind: list[Target]) -> Iterator[Block]:
    """Yield the listener, or where a balancer reads no paths a port for each service, and that of who asks in clear."""
    is_alb = _is_alb(gateway)
    for number, each in enumerate(behind[:1] if is_alb else behind):
        forward: dict[str, Value] = {
            "type": "forward",
            "target_group_arn": Expression(f"{target(each.workload)}.arn"),
        }
        yield Block(
            "resource",
            ("aws_lb_listener", _https(gateway, label) if is_alb else each.workload.tier),
            {
                "load_balancer_arn": Expression(f"aws_lb.{label}.arn"),
                "port": PORT + number,
                "protocol": "HTTPS" if is_alb else "TLS",
                "ssl_policy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
                "certificate_arn": Expression(f"var.{gateway.name}_certificate_arn"),
            },
            (Block("default_action", (), forward),),
        )
    if is_alb:
        there = {"port": str(PORT), "protocol": "HTTPS", "status_code": "HTTP_301"}
        yield Block(
            "resource",
            ("aws_lb_listener", "http" if label == gateway.name else f"{label}_http"),
            {"load_balancer_arn": Expression(f"aws_lb.{label}.arn"), "port": CLEAR_PORT, "protocol": "HTTP"},
            (Block("default_action", (), {"type": "redirect"}, (Block("redirect", (), {**there}),)),),
        )


def _https(gateway: Instance[Settings], label: str) -> str:
    return "https" if label == gateway.name else f"{label}_https"


def _firewall(gateway: Instance[Settings], label: str) -> Block:
    acl = f"var.{gateway.name}_web_acl_arn"
    return Block(
        "resource",
        ("aws_wafv2_web_acl_association", label),
        {
            "count": Expression(f"{acl} == null ? 0 : 1"),
            "resource_arn": Expression(f"aws_lb.{label}.arn"),
            "web_acl_arn": Expression(acl),
        },
    )


def _rules(behind: list[Target]) -> Iterator[Block]:
    """Yield which paths no service answers, and which service answers the others where there are several."""
    metrics: dict[str, Value] = {"type": "fixed-response"}
    answer: dict[str, Value] = {"content_type": "text/plain", "status_code": "404"}
    services = [each for each in behind if not each.is_proxy]
    if services:
        yield _rule(
            "metrics",
            1,
            Block("action", (), metrics, (Block("fixed_response", (), answer),)),
            _below(METRICS_PATH),
            "Whoever scrapes metrics asks the pods themselves.",
        )
    for number, each in enumerate((each for each in behind if each.is_proxy and services), 2):
        yield _rule(each.workload.tier, number, _forward(each), _below(each.path), "")
    if len(services) > 1:
        yield _service_rules(services)


def _forward(to: Target) -> Block:
    arn = Expression(f"{target(to.workload)}.arn")
    return Block("action", (), {"type": "forward", "target_group_arn": arn})


def _below(path: str) -> list[Value]:
    """Return the patterns of a path and all below it; of / alone, which all are below, of itself."""
    above = path.rstrip("/")
    return [above, f"{above}/*"] if above else ["/"]


def _rule(name: str, priority: int, action: Block, paths: list[Value], words: str) -> Block:
    return Block(
        "resource",
        ("aws_lb_listener_rule", name),
        {"listener_arn": Expression("aws_lb_listener.https.arn"), "priority": priority},
        (action, Block("condition", (), {}, (Block("path_pattern", (), {"values": paths}),))),
        comment=words,
    )


def _service_rules(services: list[Target]) -> Block:
    groups = ", ".join(f'"{each.workload.tier}" = {target(each.workload)}.arn' for each in services)
    return Block(
        "resource",
        ("aws_lb_listener_rule", "route"),
        {
            "for_each": Expression("{ for index, route in var.routes : index => route }"),
            "listener_arn": Expression("aws_lb_listener.https.arn"),
            "priority": Expression(f"each.key + {FIRST_ROUTE}"),
        },
        (
            Block(
                "action",
                (),
                {
                    "type": "forward",
                    "target_group_arn": Expression(f"{{ {groups} }}[each.value.service]"),
                },
            ),
            Block("condition", (), {}, (Block("path_pattern", (), {"values": [Expression("each.value.path")]}),)),
        ),
        comment="The first that matches is taken; what matches none goes to the first service.",
    )


def _routes(plan: Plan, gateway: Instance[Settings], found: tuple[Target, ...]) -> Iterator[Block]:
    if not _is_alb(gateway) or sum(not each.is_proxy for each in found) < 2:
        return
    scenario = plan.scenario
    routes = dict.fromkeys(
        (pattern(action.request), scenario.service(action)) for action in scenario.behaviour.actions.values()
    )
    # A path without wildcards is tried before one that has some and would take it too.
    ordered = sorted(routes, key=lambda route: (route[0].count("*") + route[0].count("?"), -len(route[0]), route))
    yield variable(
        "routes",
        "Which service answers which paths: the first that matches is taken.",
        "list(object({ path = string, service = string }))",
        default=[{"path": path, "service": service} for path, service in ordered],
    )


def pattern(request: str) -> str:
    """Return the path of a request as a pattern of a listener's rule: * for what is filled in, ? for what is not taken.

    >>> pattern("GET /rooms/{room_id}/messages?limit=10")
    '/rooms/*/messages'
    """
    path = request.partition(" ")[2].partition("?")[0]
    made, wildcards = "", 0
    for part in FILLED_IN.split(path):
        is_wild = bool(FILLED_IN.fullmatch(part))
        wildcards += is_wild
        if wildcards == PATTERN_WILDCARDS or len(made) + len(part) > PATTERN_CHARACTERS - 1:
            return f"{(made + ('' if is_wild else part))[: PATTERN_CHARACTERS - 1]}*"
        made += part if not is_wild else "*" if len(part) > 1 else "?"
    return made
