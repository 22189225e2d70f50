"""The load balancer in front of the services: a target group for each, and which paths go where."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from cascade_plan.clouds.aws.names import aws_name
from cascade_plan.emitters._topology import NGINX_HEALTH, NGINX_PORT, by_proxy_protocol
from cascade_plan.emitters.terraform._file import File, all_of, output, variable
from cascade_plan.languages.hcl import Block, Expression, Value
from cascade_plan.model.fleet import Workload
from cascade_plan.model.plan import Instance, Plan
from cascade_plan.tiers.gateway.settings import Settings

IDLE_S: Final = (60, 4000)
"""Least (AWS's default) and most idle time-out of an application load balancer;
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html"""
HEARTBEATS: Final = 3
PATTERN_CHARACTERS: Final = 128
PATTERN_WILDCARDS: Final = 5
"""Limits of a path pattern and of the wildcards in a rule;
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html"""
FILLED_IN: Final = re.compile(r"(\{[^{}/]*\}|[^A-Za-z0-9_.$/~@:+-])")
"""What of a request's path is filled in, or is a character that no pattern takes."""
PORT: Final = 443


def files(plan: Plan) -> Iterator[File]:
    """Yield the file of the load balancer, where there are one and a service behind it."""
    services = _services(plan)
    for gateway in plan.of(Settings):
        if services:
            yield File(
                "balancer.tf",
                "The load balancer, a target group for each service, and which requests go to which.",
                tuple(_resources(plan, gateway, services)),
                (*_variables(gateway), *_routes(plan, gateway, services)),
                (output(f"{gateway.name}_address", "The load balancer's name in DNS.", f"{_lb(gateway)}.dns_name"),),
                all_of(gateway.sized),
            )


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


def _services(plan: Plan) -> list[Workload]:
    return [workload for workload in plan.fleet.workloads if workload.serves == "requests"]


def _lb(gateway: Instance[Settings]) -> str:
    return f"aws_lb.{gateway.name}"


def _variables(gateway: Instance[Settings]) -> Iterator[Block]:
    name = gateway.name
    yield variable(f"{name}_security_group_ids", "Who reaches the load balancer.", "list(string)")
    yield variable(f"{name}_certificate_arn", "The ACM certificate of the load balancer.")


def _resources(plan: Plan, gateway: Instance[Settings], services: list[Workload]) -> Iterator[Block]:
    is_alb = gateway.settings.balancer == "alb"
    balancer, own = _balancer(gateway, plan.application), _own_sockets(plan, gateway)
    beats_s = [sized.streams.heartbeat_interval_s for sized in plan.fleet.tiers.values() if sized.streams is not None]
    if is_alb and beats_s:
        # Longer than the heartbeat, or the balancer closes connections that are only silent.
        least, most = IDLE_S
        balancer["idle_timeout"] = min(most, max(least, round(max(beats_s) * HEARTBEATS)))
    if own:
        apart = _balancer(gateway, f"{plan.application}-connections") | {
            name: balancer.pop(name) for name in ("idle_timeout",) if name in balancer
        }
        yield Block("resource", ("aws_lb", _apart(gateway)), apart)
    yield Block("resource", ("aws_lb", gateway.name), balancer)
    yield from (_target_group(plan, workload, is_alb) for workload in services)
    yield from _listeners(gateway, services, is_alb)
    if own:
        for number, sockets in enumerate(own):
            yield _proxy_group(plan, sockets, is_alb)
            yield _listener(gateway, sockets.tier, PORT + number, target(sockets), is_alb, _apart(gateway))
    elif by_proxy_protocol(plan):
        for number, sockets in enumerate(_sockets(plan), len(services)):
            yield _proxy_group(plan, sockets, is_alb=False)
            yield _listener(gateway, sockets.tier, PORT + number, target(sockets), is_alb=False)
    if is_alb and len(services) > 1:
        yield _rules(services)


def _balancer(gateway: Instance[Settings], name: str) -> dict[str, Value]:
    return {
        "name": aws_name(name, "balancer"),
        "load_balancer_type": "application" if gateway.settings.balancer == "alb" else "network",
        "security_groups": Expression(f"var.{gateway.name}_security_group_ids"),
        "subnets": Expression("local.public_subnet_ids"),
        "enable_deletion_protection": True,
    }


def _own_sockets(plan: Plan, gateway: Instance[Settings]) -> list[Workload]:
    """Return the workloads whose open connections have a balancer of their own."""
    return [] if gateway.settings.shared else _sockets(plan)


def _apart(gateway: Instance[Settings]) -> str:
    return f"{gateway.name}_connections"


def _target_group(plan: Plan, workload: Workload, is_alb: bool) -> Block:
    counts: dict[str, Value] = {"healthy_threshold": 2, "unhealthy_threshold": 2, "interval": 10, "timeout": 5}
    return Block(
        "resource",
        ("aws_lb_target_group", workload.tier),
        {
            "name": aws_name(workload.name, "balancer"),
            "port": workload.port,
            "protocol": "HTTP" if is_alb else "TCP",
            # Pods have addresses of their own; instances are found by their scaling groups.
            "target_type": "ip" if plan.fleet.of("cluster") else "instance",
            "vpc_id": Expression("local.vpc_id"),
        },
        (Block("health_check", (), {"protocol": "HTTP", "path": workload.ready_path or "/", **counts}),),
    )


def _sockets(plan: Plan) -> list[Workload]:
    return [workload for workload in plan.fleet.workloads if workload.serves == "connections"]


def _proxy_group(plan: Plan, sockets: Workload, is_alb: bool) -> Block:
    """Return the target group of nginx before the WebSocket nodes, which is told its clients' addresses.

    An application load balancer tells them in a header, a network one by the PROXY protocol.

    The emitted nginx.conf reads the PROXY protocol, and refuses a connection that begins without it.
    """
    checks: dict[str, Value] = {"healthy_threshold": 2, "unhealthy_threshold": 2, "interval": 10, "timeout": 5}
    return Block(
        "resource",
        ("aws_lb_target_group", sockets.tier),
        {
            "name": aws_name(f"{sockets.name}-nginx", "balancer"),
            "port": NGINX_PORT,
            "protocol": "HTTP" if is_alb else "TCP",
            "target_type": "ip" if plan.fleet.of("cluster") else "instance",
            "vpc_id": Expression("local.vpc_id"),
            **({} if is_alb else {"proxy_protocol_v2": True}),
        },
        (Block("health_check", (), {"protocol": "HTTP", "path": NGINX_HEALTH, **checks}),),
        comment="nginx, before the WebSocket nodes"
        + ("." if is_alb else ": it reads the PROXY protocol, as its nginx.conf is emitted."),
    )


def _listeners(gateway: Instance[Settings], services: list[Workload], is_alb: bool) -> Iterator[Block]:
    """Yield the listener, or where a balancer reads no paths a port for each service."""
    for number, workload in enumerate(services[:1] if is_alb else services):
        yield _listener(gateway, "https" if is_alb else workload.tier, PORT + number, target(workload), is_alb)


def _listener(gateway: Instance[Settings], name: str, port: int, group: str, is_alb: bool, balancer: str = "") -> Block:
    forward: dict[str, Value] = {"type": "forward", "target_group_arn": Expression(f"{group}.arn")}
    return Block(
        "resource",
        ("aws_lb_listener", name),
        {
            "load_balancer_arn": Expression(f"aws_lb.{balancer or gateway.name}.arn"),
            "port": port,
            "protocol": "HTTPS" if is_alb else "TLS",
            "ssl_policy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
            "certificate_arn": Expression(f"var.{gateway.name}_certificate_arn"),
        },
        (Block("default_action", (), forward),),
    )


def _rules(services: list[Workload]) -> Block:
    groups = ", ".join(f'"{workload.tier}" = {target(workload)}.arn' for workload in services)
    return Block(
        "resource",
        ("aws_lb_listener_rule", "route"),
        {
            "for_each": Expression("{ for index, route in var.routes : index => route }"),
            "listener_arn": Expression("aws_lb_listener.https.arn"),
            "priority": Expression("each.key + 1"),
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


def _routes(plan: Plan, gateway: Instance[Settings], services: list[Workload]) -> Iterator[Block]:
    if gateway.settings.balancer != "alb" or len(services) < 2:
        return
    scenario = plan.scenario
    found = dict.fromkeys(
        (pattern(action.request), scenario.service(action)) for action in scenario.behaviour.actions.values()
    )
    # A path without wildcards is tried before one that has some and would take it too.
    ordered = sorted(found, key=lambda route: (route[0].count("*") + route[0].count("?"), -len(route[0]), route))
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
