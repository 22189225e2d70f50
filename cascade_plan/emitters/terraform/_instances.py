"""The nodes of a plan without Kubernetes: EC2 instances of an image that holds what they run, in scaling groups."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.clouds.aws.names import aws_name
from cascade_plan.emitters._nodes import Nodes, counts_of, node_groups
from cascade_plan.emitters.terraform import _access_of_pods, _balancer, _roles
from cascade_plan.emitters.terraform._file import File, variable
from cascade_plan.emitters.terraform._templates import subnet_ids, template
from cascade_plan.languages.hcl import Block, Expression, Value
from cascade_plan.model.fleet import Workload
from cascade_plan.model.plan import Plan


def files(plan: Plan) -> Iterator[File]:
    """Yield the file of the scaling groups, where there are nodes and no cluster that runs them."""
    groups = node_groups(plan)
    if plan.fleet.of("cluster") or not groups:
        return
    run = tuple(workload.name for nodes in groups for workload in _run_on(plan, nodes))
    yield File(
        "nodes.tf",
        "The instances, in scaling groups between floor and ceiling of the fleet.",
        (*_profiles(plan, groups), *(block for nodes in groups for block in _resources(plan, nodes))),
        tuple(_image(plan, nodes) for nodes in groups),
        deploys=tuple(dict.fromkeys((*(nodes.group.name for nodes in groups), *run))),
    )


def _run_on(plan: Plan, nodes: Nodes) -> tuple[Workload, ...]:
    return tuple(workload for workload in plan.fleet.workloads if workload.group == nodes.group.name)


def _image(plan: Plan, nodes: Nodes) -> Block:
    tier, run = nodes.group.tier, [workload.name for workload in _run_on(plan, nodes)]
    started = " and ".join(run) if len(run) > 1 else "what its instances run"
    words = f"The machine image of {tier}, for {nodes.group.shape.architecture}: it starts {started}."
    return variable(f"{tier}_image_id", words)


def _profiles(plan: Plan, groups: tuple[Nodes, ...]) -> Iterator[Block]:
    """Yield the role of each tier's instances: they read the application's secrets, and do what their work asks."""
    for tier in dict.fromkeys(nodes.group.tier for nodes in groups):
        run = {each.name: each for nodes in groups if nodes.group.tier == tier for each in _run_on(plan, nodes)}
        may = (statement for each in run.values() for statement in _access_of_pods.statements(plan, each))
        taken = _roles.service("ec2.amazonaws.com")
        yield from _roles.role(plan, tier, taken, [_access_of_pods.all_secrets(plan), *may])
        of: dict[str, Value] = {"role": Expression(f"aws_iam_role.{tier}.name")}
        yield Block("resource", ("aws_iam_instance_profile", tier), {**of, "name": of["role"]})


def _resources(plan: Plan, nodes: Nodes) -> Iterator[Block]:
    spot = (Block("instance_market_options", (), {"market_type": "spot"}),) if nodes.spot else ()
    attributes: dict[str, Value] = {
        "image_id": Expression(f"var.{nodes.group.tier}_image_id"),
        "instance_type": nodes.group.shape.name,
        "vpc_security_group_ids": [Expression("local.workload_security_group_id")],
    }
    profile = Block("iam_instance_profile", (), {"arn": Expression(f"aws_iam_instance_profile.{nodes.group.tier}.arn")})
    yield template(plan, nodes, attributes, *spot, profile)
    reached = [workload for workload in _run_on(plan, nodes) if _balancer.reaches(plan, workload)]
    yield _scaling_group(plan, nodes, [_balancer.target(workload) for workload in reached])
    for workload in reached if _balancer.reads_requests(plan) else ():
        yield _policy(plan, nodes, workload, is_only=len(reached) == 1)


def _scaling_group(plan: Plan, nodes: Nodes, targets: list[str]) -> Block:
    label = nodes.label
    attached: dict[str, Value] = {"health_check_type": "EC2"}
    if targets:
        arns = [Expression(f"{target}.arn") for target in targets]
        attached = {"health_check_type": "ELB", "target_group_arns": arns}
    moves = nodes.count_min < nodes.count_max
    is_moved = bool(targets) and _balancer.reads_requests(plan)
    return Block(
        "resource",
        ("aws_autoscaling_group", label),
        {
            "name": aws_name(f"{plan.application}-{nodes.name}", "scaling_group"),
            "min_size": nodes.count_min,
            "desired_capacity": nodes.count_base,
            "max_size": nodes.count_max,
            "vpc_zone_identifier": subnet_ids(plan),
            **attached,
        },
        (
            Block(
                "launch_template",
                (),
                {
                    "id": Expression(f"aws_launch_template.{label}.id"),
                    "version": Expression(f"aws_launch_template.{label}.latest_version"),
                },
            ),
            Block(
                "lifecycle",
                (),
                {"ignore_changes": [Expression("desired_capacity")]},
                comment="The autoscaler owns the count: a later apply must not shrink a scaled fleet.",
            ),
        ),
        comment="Nothing here moves the count between its bounds: give it a policy." if moves and not is_moved else "",
    )


def _policy(plan: Plan, nodes: Nodes, workload: Workload, is_only: bool) -> Block:
    """Return the policy by which a group's count follows a service's requests: the base at the peak.

    Of several policies the one that asks for most decides,
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scale-based-on-demand.html#multiple-scaling-policy-resolution
    """
    _, base, _ = counts_of(plan, nodes.group)
    a_minute = plan.traffic.requests_of(workload.tier).peak * 60 / base
    metric: dict[str, Value] = {
        "predefined_metric_type": "ALBRequestCountPerTarget",
        "resource_label": Expression(_balancer.resource_label(plan, workload)),
    }
    return Block(
        "resource",
        ("aws_autoscaling_policy", nodes.label if is_only else f"{nodes.label}_{workload.tier}"),
        {
            "name": "requests" if is_only else f"requests-{workload.tier}",
            "autoscaling_group_name": Expression(f"aws_autoscaling_group.{nodes.label}.name"),
            "policy_type": "TargetTrackingScaling",
        },
        (
            Block(
                "target_tracking_configuration",
                (),
                {"target_value": round(max(a_minute, 1.0), 1)},
                (Block("predefined_metric_specification", (), metric),),
            ),
        ),
    )
