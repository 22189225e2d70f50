"""Terraform for what AWS runs: the database, the cache, the nodes, the load balancer, and an alarm on the budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from cascade_plan.clouds.aws.names import aws_name
from cascade_plan.emitters._heading import application, heading
from cascade_plan.emitters._nodes import LABEL, Nodes, node_groups
from cascade_plan.languages.hcl import Block, Expression, Value, comment
from cascade_plan.languages.hcl import render as hcl
from cascade_plan.model.artefact import Artefact
from cascade_plan.model.fleet import NodeGroup
from cascade_plan.model.plan import Plan

COMMAND = "infra"
"""The emit- command that writes these files, and their directory."""
APPLIED_AFTER: tuple[str, ...] = ()
"""The emitters whose files are applied before these."""


CENT: Final = Decimal("0.01")
POSTGRESQL_VERSION: Final = "16"
"""A major version RDS offers; the minor one is RDS's choice (assumption: var.postgresql_version changes it)."""
ENGINE_VERSIONS: Final = {"redis": "7.1", "valkey": "8.0"}
"""Sharded pub/sub needs Redis 7; https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/engine-versions.html"""
PARAMETER_GROUPS: Final = {"redis": "default.redis7.cluster.on", "valkey": "default.valkey8.cluster.on"}
STORAGE_GIB_MOST: Final = 65_536
"""Of gp3 for PostgreSQL, https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Storage.html"""
AMI_TYPES: Final = {"arm64": "AL2023_ARM_64_STANDARD", "x86_64": "AL2023_x86_64_STANDARD"}
"""https://docs.aws.amazon.com/eks/latest/APIReference/API_Nodegroup.html"""


def render(plan: Plan) -> tuple[Artefact, ...]:
    """Return the Terraform files: versions, variables, database, cache, nodes, balancer, budget and outputs."""
    head = heading(plan, ["what only you know is in variables.tf; terraform init, then terraform plan"], comment)
    files: tuple[tuple[str, Sequence[Block], str], ...] = (
        (
            "versions.tf",
            _versions(plan),
            "Versions, region, a tag on everything: `terraform init && terraform apply`.",
        ),
        ("variables.tf", _variables(plan), "What the plan cannot know: networks, roles, the certificate, addresses."),
        ("database.tf", _database(plan), "The PostgreSQL primary, its standby and the read replicas."),
        ("cache.tf", _cache(plan), "The Redis or Valkey cluster."),
        ("nodes.tf", _nodes(plan), "The EKS node groups, between the plan's floor and ceiling."),
        ("balancer.tf", _balancer(plan), "The load balancer in front of the API."),
        ("budget.tf", _budget(plan), "An alarm when the month's cost nears or passes the scenario's budget."),
        ("outputs.tf", _outputs(plan), "The addresses that the application is configured with."),
    )
    return tuple(Artefact(name, f"{head}\n{hcl(blocks)}", purpose) for name, blocks, purpose in files)


def _versions(plan: Plan) -> list[Block]:
    tags = {"application": application(plan), "scenario": plan.scenario.name, "managed-by": "terraform"}
    return [
        Block(
            "terraform",
            (),
            {"required_version": ">= 1.11"},
            (Block("required_providers", (), {"aws": {"source": "hashicorp/aws", "version": "~> 6.0"}}),),
        ),
        Block("provider", ("aws",), {"region": plan.scenario.region}, (Block("default_tags", (), {"tags": tags}),)),
    ]


def _variables(plan: Plan) -> list[Block]:
    cluster = aws_name(application(plan), "cluster")
    secret = Block(
        "variable",
        ("database_password",),
        {
            "description": "The owner's password: give it as TF_VAR_database_password. It is kept in no state file.",
            "type": Expression("string"),
            "sensitive": True,
            "ephemeral": True,
        },
    )
    return [
        *([secret] if int(plan.figure("database.replica_count")) else []),
        _variable("vpc_id", "The VPC of everything below."),
        _variable("private_subnet_ids", "Private subnets, one in each zone.", "list(string)"),
        _variable("public_subnet_ids", "Public subnets for the load balancer, one in each zone.", "list(string)"),
        _variable("database_subnet_group_name", "The DB subnet group of the primary and the replicas."),
        _variable("cache_subnet_group_name", "The ElastiCache subnet group."),
        _variable("database_security_group_ids", "Who reaches PostgreSQL.", "list(string)"),
        _variable("cache_security_group_ids", "Who reaches the cache.", "list(string)"),
        _variable("balancer_security_group_ids", "Who reaches the load balancer.", "list(string)"),
        _variable("node_role_arn", "The IAM role of the nodes."),
        _variable("certificate_arn", "The ACM certificate of the load balancer."),
        _variable("budget_email_addresses", "Who is told when the budget is nearly spent.", "list(string)"),
        _variable("cluster_name", "The EKS cluster that the nodes join.", default=cluster),
        _variable("database_name", "The database made at the start.", default="app"),
        _variable("database_username", "The owner of the database.", default="app_owner"),
        _variable("database_parameter_group_name", "With the emitted settings; null takes RDS's own.", default=None),
        _variable(
            "cache_parameter_group_name",
            "With the emitted parameters; the default takes ElastiCache's own.",
            default=PARAMETER_GROUPS[plan.scenario.tiers.cache.engine],
        ),
        _variable("postgresql_version", "PostgreSQL's major version.", default=POSTGRESQL_VERSION),
        _variable("backup_retention_days", "Days that backups are kept.", "number", default=7),
    ]


def _variable(name: str, description: str, kind: str = "string", **extra: str | int | None) -> Block:
    attributes: dict[str, Value] = {"description": description, "type": Expression(kind)}
    if "default" in extra:
        default = extra["default"]
        attributes["default"] = Expression("null") if default is None else default
    return Block("variable", (name,), attributes)


def _database(plan: Plan) -> list[Block]:
    tier, name = plan.scenario.tiers.database, f"{application(plan)}-db"
    primary, replica_count = _group(plan, "database primary"), int(plan.figure("database.replica_count"))
    shared: dict[str, Value] = {
        "instance_class": primary.shape.name,
        "storage_type": "gp3",
        "storage_encrypted": True,
        "vpc_security_group_ids": Expression("var.database_security_group_ids"),
        "parameter_group_name": Expression("var.database_parameter_group_name"),
        "auto_minor_version_upgrade": True,
        "deletion_protection": True,
    }
    blocks = [
        Block(
            "resource",
            ("aws_db_instance", "primary"),
            {
                "identifier": aws_name(name, "database"),
                "engine": "postgres",
                "engine_version": Expression("var.postgresql_version"),
                "db_name": Expression("var.database_name"),
                "username": Expression("var.database_username"),
                **_password(replica_count),
                "multi_az": primary.variant == "multi_az",
                "allocated_storage": tier.storage_gib,
                "max_allocated_storage": _storage_ceiling(plan),
                "db_subnet_group_name": Expression("var.database_subnet_group_name"),
                "backup_retention_period": Expression("var.backup_retention_days"),
                "copy_tags_to_snapshot": True,
                "skip_final_snapshot": False,
                "final_snapshot_identifier": f"{aws_name(name, 'database')}-final",
                **shared,
            },
        )
    ]
    if replica_count:
        blocks.append(
            Block(
                "resource",
                ("aws_db_instance", "replica"),
                {
                    "count": replica_count,
                    "identifier": Expression('"${aws_db_instance.primary.identifier}-replica-${count.index + 1}"'),
                    "replicate_source_db": Expression("aws_db_instance.primary.identifier"),
                    "skip_final_snapshot": True,
                    **shared,
                },
            )
        )
    return blocks


def _password(replica_count: int) -> dict[str, Value]:
    """Return how the owner gets a password that no file holds.

    RDS keeps it in Secrets Manager by itself only where there are no read replicas, which it then refuses to make:
    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html#rds-secrets-manager-limitations
    """
    if not replica_count:
        return {"manage_master_user_password": True}
    return {"password_wo": Expression("var.database_password"), "password_wo_version": 1}


def _storage_ceiling(plan: Plan) -> int:
    """Return to how many GiB RDS may grow the disk by itself: a year's growth, at least a quarter more."""
    present = plan.scenario.tiers.database.storage_gib
    growth = float(plan.figure("database.growth_gib_per_month")) * 12
    return min(STORAGE_GIB_MOST, max(present + int(growth) + 1, present + present // 4 + 1))


def _cache(plan: Plan) -> list[Block]:
    tier, group = plan.scenario.tiers.cache, _group(plan, "cache nodes")
    masters, replicas = int(plan.figure("cache.master_count")), tier.replicas_per_master
    return [
        Block(
            "resource",
            ("aws_elasticache_replication_group", "cache"),
            {
                "replication_group_id": aws_name(f"{application(plan)}-cache", "cache"),
                "description": f"Cache, pub/sub and connection state of {application(plan)}",
                "engine": tier.engine,
                "engine_version": ENGINE_VERSIONS[tier.engine],
                "parameter_group_name": Expression("var.cache_parameter_group_name"),
                "node_type": group.shape.name,
                "num_node_groups": masters,
                "replicas_per_node_group": replicas,
                # Cluster mode asks for it; without replicas there is nothing to fail over to.
                "automatic_failover_enabled": True,
                "multi_az_enabled": replicas > 0,
                "at_rest_encryption_enabled": True,
                "transit_encryption_enabled": True,
                "subnet_group_name": Expression("var.cache_subnet_group_name"),
                "security_group_ids": Expression("var.cache_security_group_ids"),
            },
        )
    ]


def _nodes(plan: Plan) -> list[Block]:
    return [_node_group(plan, nodes) for nodes in node_groups(plan)]


def _node_group(plan: Plan, nodes: Nodes) -> Block:
    group = nodes.group
    return Block(
        "resource",
        ("aws_eks_node_group", nodes.name.replace("-", "_")),
        {
            "cluster_name": Expression("var.cluster_name"),
            "node_group_name": aws_name(f"{application(plan)}-{nodes.name}", "node_group"),
            "node_role_arn": Expression("var.node_role_arn"),
            "subnet_ids": Expression("var.private_subnet_ids"),
            "ami_type": AMI_TYPES[group.shape.architecture],
            "instance_types": [group.shape.name],
            "capacity_type": "SPOT" if nodes.spot else "ON_DEMAND",
            "disk_size": group.disk_gib,
            "labels": {LABEL: group.tier},
        },
        (
            Block(
                "scaling_config",
                (),
                {"min_size": nodes.count_min, "desired_size": nodes.count_base, "max_size": nodes.count_max},
            ),
            Block("update_config", (), {"max_unavailable": 1}),
            Block(
                "lifecycle",
                (),
                {"ignore_changes": [Expression("scaling_config[0].desired_size")]},
                comment="The autoscaler owns the count: a later apply must not shrink a scaled fleet.",
            ),
        ),
    )


def _balancer(plan: Plan) -> list[Block]:
    api, name = plan.scenario.tiers.api, aws_name(application(plan), "balancer")
    is_alb = plan.scenario.tiers.gateway.balancer == "alb"
    target = Expression("aws_lb_target_group.api.arn")
    listener: dict[str, Value] = {
        "load_balancer_arn": Expression("aws_lb.api.arn"),
        "port": 443,
        "protocol": "HTTPS" if is_alb else "TLS",
        "ssl_policy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
        "certificate_arn": Expression("var.certificate_arn"),
    }
    balancer: dict[str, Value] = {
        "name": name,
        "load_balancer_type": "application" if is_alb else "network",
        "security_groups": Expression("var.balancer_security_group_ids"),
        "subnets": Expression("var.public_subnet_ids"),
        "enable_deletion_protection": True,
    }
    if is_alb:
        # Longer than the heartbeat, or the balancer closes idle WebSockets (its own default is 60 s).
        balancer["idle_timeout"] = min(4000, max(60, round(plan.scenario.websocket.heartbeat_interval_s * 3)))
    counts: dict[str, Value] = {"healthy_threshold": 2, "unhealthy_threshold": 2, "interval": 10, "timeout": 5}
    return [
        Block("resource", ("aws_lb", "api"), balancer),
        Block(
            "resource",
            ("aws_lb_target_group", "api"),
            {
                "name": name,
                "port": api.port,
                "protocol": "HTTP" if is_alb else "TCP",
                "target_type": "ip",
                "vpc_id": Expression("var.vpc_id"),
            },
            (Block("health_check", (), {"protocol": "HTTP", "path": api.ready_path, **counts}),),
        ),
        Block(
            "resource",
            ("aws_lb_listener", "https"),
            listener,
            (Block("default_action", (), {"type": "forward", "target_group_arn": target}),),
        ),
    ]


def budget_usd_per_month(plan: Plan) -> Decimal:
    """Return what a month may cost: the scenario's budget for 1000 users, times its users."""
    budget, users = plan.scenario.budget, plan.scenario.users
    count = {"peak": users.peak, "average": users.average, "registered": users.registered}[budget.users] or 0
    return Decimal(str(budget.usd_per_1000_users_month)) * count / 1000


def _budget(plan: Plan) -> list[Block]:
    def notice(kind: str, percent: int) -> Block:
        return Block(
            "notification",
            (),
            {
                "comparison_operator": "GREATER_THAN",
                "threshold": percent,
                "threshold_type": "PERCENTAGE",
                "notification_type": kind,
                "subscriber_email_addresses": Expression("var.budget_email_addresses"),
            },
        )

    tag = [f"user:application${application(plan)}"]
    return [
        Block(
            "resource",
            ("aws_budgets_budget", "month"),
            {
                "name": aws_name(f"{application(plan)}-month", "budget"),
                "budget_type": "COST",
                "limit_amount": f"{budget_usd_per_month(plan).quantize(CENT):f}",
                "limit_unit": "USD",
                "time_unit": "MONTHLY",
            },
            (
                Block("cost_filter", (), {"name": "TagKeyValue", "values": tag}),
                notice("FORECASTED", 100),
                notice("ACTUAL", 80),
                notice("ACTUAL", 100),
            ),
        )
    ]


def _outputs(plan: Plan) -> list[Block]:
    outputs: Mapping[str, tuple[str, str]] = {
        "database_address": ("The primary, for reads and writes.", "aws_db_instance.primary.address"),
        "cache_address": (
            "The cache's configuration endpoint.",
            "aws_elasticache_replication_group.cache.configuration_endpoint_address",
        ),
        "balancer_address": ("The load balancer's name in DNS.", "aws_lb.api.dns_name"),
    }
    if int(plan.figure("database.replica_count")):
        address = ("The read replicas.", "aws_db_instance.replica[*].address")
        outputs = {**outputs, "replica_addresses": address}
    return [
        Block("output", (name,), {"description": description, "value": Expression(expression)})
        for name, (description, expression) in outputs.items()
    ]


def _group(plan: Plan, name: str) -> NodeGroup:
    return next(group for group in plan.groups if group.name == name)
