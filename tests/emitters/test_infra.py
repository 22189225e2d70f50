"""The Terraform is the plan's, formatted and parsed by Terraform, with no secret in it."""

from __future__ import annotations

import re
import subprocess
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import hcl2
import pytest
from factories import make_plan
from hypothesis import given
from hypothesis import strategies as st
from servers import program
from terraform_schema import problems

from cascade_plan.emitters._targets import targets
from cascade_plan.emitters.terraform import artefacts as infra
from cascade_plan.emitters.terraform._balancer import pattern
from cascade_plan.errors import UsageError
from cascade_plan.inputs.scenarios import bundled_scenarios, read
from cascade_plan.model.plan import Plan
from cascade_plan.planning.pipeline import plan


def planned(name: str, nodes: str = "eksctl") -> Plan:
    given = read(name, [("--set", "emit.nodes", nodes)])
    return plan(given.scenario, given.book, given.origins, predicted=False)


@cache
def parsed(text: str) -> list[dict[str, Any]]:
    """Return the resources of a file; its heading, which differs from plan to plan, is no part of it."""
    found: list[dict[str, Any]] = hcl2.loads(text).get("resource", [])
    return found


def resources(made: Plan, ending: str = ".tf") -> dict[tuple[str, str], dict[str, Any]]:
    """Return (type, name) -> attributes of every resource in files of an ending, texts without their quotes."""
    found = {}
    for artefact in infra.render(made):
        text = re.sub(r"(?m)\A(#.*\n)+", "", artefact.text)
        for resource in parsed(text) if artefact.path.endswith(ending) else ():
            for kind, named in resource.items():
                for name, attributes in named.items():
                    found[bare(kind), bare(name)] = bare(attributes)
    return found


def bare(value: Any) -> Any:
    """Return a parsed value without the quotes that the parser keeps around its texts."""
    if isinstance(value, dict):
        return {bare(key): bare(item) for key, item in value.items()}
    if isinstance(value, list):
        return [bare(item) for item in value]
    return value[1:-1] if isinstance(value, str) and value[:1] == '"' else value


def texts(made: Plan) -> dict[str, str]:
    return {artefact.path: artefact.text for artefact in infra.render(made)}


def variables(made: Plan) -> dict[str, Any]:
    """Return name -> attributes of every variable."""
    parsed = hcl2.loads(texts(made)["variables.tf"])["variable"]
    return {bare(name): bare(attributes) for each in parsed for name, attributes in each.items()}


SMALL = {"tiers__websocket": "off", "tiers__cache": "off", "gates": {}}
TWO_OF_ALL = {
    "tiers__search": {"kind": "api"},
    "tiers__reports": {"kind": "database", "shape": "db.test.large", "version": "17", "replicas": 0},
    "tiers__sessions": {"kind": "cache", "engine": "valkey", "minimum_nodes": 1, "replicas_per_master": 1},
    "tiers__queue": {},
    "tiers__worker": {},
    "tiers__nightly": {"kind": "queue", "delivery_count_max": 2.0},
}
PODS = {"tiers__api": {"serverless": True}, "tiers__monitoring": "off"}
SCENES: dict[str, dict[str, Any]] = {
    "standard": {},
    "small": SMALL,
    "two of all": TWO_OF_ALL,
    "two of all, network balancer": {**TWO_OF_ALL, "tiers__gateway": {"balancer": "nlb"}},
    "no cluster": {"tiers__cluster": "off", "tiers__api__purchase": {"spot": 0.4}},
    "no cluster, network balancer": {"tiers__cluster": "off", "tiers__gateway": {"balancer": "nlb"}},
    "a cluster by Terraform": {**TWO_OF_ALL, "emit": {"nodes": "terraform"}},
    "Fargate by Terraform": {**SMALL, **PODS, "emit": {"nodes": "terraform"}},
    "nothing in front": {"tiers__gateway": "off", "tiers__cluster": "off"},
    "no database": {"tiers__database": "off", "tiers__pool": "off"},
    "no replicas": {"tiers__database__replicas": 0},
    "replicas of the cache": {"tiers__cache": {"replicas_per_master": 2, "minimum_nodes": 1}},
}


def formatted(made: Plan, directory: Path) -> tuple[int, str]:
    """Return what Terraform's own formatter says of the files, which are of what the AWS provider has."""
    for path, text in texts(made).items():
        (directory / path).write_text(text, encoding="utf-8")
        if path.endswith(".tf"):
            assert not [*problems(hcl2.loads(text))]
    done = subprocess.run(
        [program("terraform"), "fmt", "-check", str(directory)],
        capture_output=True,
        text=True,
        check=False,
        env={"HOME": str(directory), "PATH": ""},
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("name", bundled_scenarios())
def test_terraform_formats_and_parses_it(name: str, tmp_path: Path) -> None:
    assert formatted(planned(name), tmp_path) == (0, "")


@pytest.mark.parametrize("scene", SCENES)
def test_terraform_formats_and_parses_every_scene(scene: str, tmp_path: Path) -> None:
    assert formatted(make_plan(**SCENES[scene]), tmp_path) == (0, "")


def test_shapes_and_counts_are_the_plans() -> None:
    made = planned("cascade", "terraform")
    found = resources(made)
    primary, replica = found["aws_db_instance", "database"], found["aws_db_instance", "database_replica"]
    assert (primary["instance_class"], primary["multi_az"], primary["allocated_storage"]) == ("db.r5.xlarge", True, 100)
    assert (replica["count"], replica["instance_class"]) == (1, "db.r5.xlarge")
    cache = found["aws_elasticache_replication_group", "cache"]
    assert (cache["node_type"], cache["num_node_groups"]) == ("cache.r6g.large", 3)
    (scaling,) = found["aws_eks_node_group", "api"]["scaling_config"]
    assert (scaling["min_size"], scaling["desired_size"], scaling["max_size"]) == (2, 3, 5)
    assert found["aws_eks_node_group", "api"]["instance_types"] == ["c6g.xlarge"]
    assert found["aws_eks_node_group", "websocket"]["scaling_config"][0]["min_size"] == 3


@pytest.mark.parametrize("version", ["14", "17"])
def test_the_server_is_of_the_version_that_its_settings_are_for(version: str) -> None:
    made = make_plan(tiers__database__version=version)
    found = resources(made)
    assert found["aws_db_instance", "database"]["engine_version"] == version
    assert found["aws_db_parameter_group", "database"]["family"] == f"postgres{version}"
    assert found["aws_db_instance", "database_replica"]["parameter_group_name"] == (
        "${aws_db_parameter_group.database.name}"
    )


def test_replicas_of_the_cache() -> None:
    made = make_plan(tiers__cache__replicas_per_master=1)
    cache = resources(made)["aws_elasticache_replication_group", "cache"]
    assert (cache["num_node_groups"], cache["replicas_per_node_group"], cache["multi_az_enabled"]) == (3, 1, True)
    assert resources(made)["aws_elasticache_parameter_group", "cache"]["family"] == "redis7"


@pytest.mark.parametrize(("copies", "has_another"), [(0, False), (1, True)])
def test_one_master_is_no_cluster(copies: int, has_another: bool) -> None:
    made = make_plan(tiers__cache={"minimum_nodes": 1, "replicas_per_master": copies, "engine": "valkey"})
    cache = resources(made)["aws_elasticache_replication_group", "cache"]
    assert (cache["num_cache_clusters"], cache["automatic_failover_enabled"]) == (1 + copies, has_another)
    assert "num_node_groups" not in cache
    assert resources(made)["aws_elasticache_parameter_group", "cache"]["family"] == "valkey8"
    assert "cache.primary_endpoint_address" in texts(made)["outputs.tf"]


def test_every_group_of_the_plan_is_there() -> None:
    made = planned("whale-1m", "terraform")
    found = resources(made)
    tiers = {group.tier for group in made.groups if group.is_nodes}
    assert {name for kind, name in found if kind == "aws_eks_node_group"} == tiers


def test_several_of_a_kind_are_resources_of_their_own() -> None:
    found = resources(make_plan(**TWO_OF_ALL, emit={"nodes": "terraform"}))
    assert {name for kind, name in found if kind == "aws_db_instance"} == {"database", "database_replica", "reports"}
    assert found["aws_db_instance", "reports"]["engine_version"] == "17"
    assert found["aws_db_instance", "reports"]["identifier"] == "test-reports"
    assert found["aws_elasticache_replication_group", "sessions"]["num_cache_clusters"] == 2
    assert {name for kind, name in found if kind == "aws_lb_target_group"} == {"api", "search", "websocket"}
    assert {name for kind, name in found if kind == "aws_eks_node_group"} >= {"api", "search", "worker"}


def test_a_queue_puts_aside_what_was_delivered_too_often() -> None:
    found = resources(make_plan(**TWO_OF_ALL))
    queue = found["aws_sqs_queue", "nightly"]
    assert queue["name"] == "test-nightly"
    assert "aws_sqs_queue.nightly_dead.arn" in queue["redrive_policy"]
    assert re.search(r"maxReceiveCount\W+2\b", queue["redrive_policy"])
    assert found["aws_sqs_queue", "nightly_dead"]["name"] == "test-nightly-dead"


def test_what_is_off_leaves_no_file_no_variable_and_no_output() -> None:
    everything = {"database.tf", "cache.tf", "nodes.tf", "balancer.tf"}
    for off, file, words in (
        (("database", "pool"), "database.tf", "database"),
        (("cache",), "cache.tf", "cache|redis|valkey"),
        (("gateway",), "balancer.tf", "balancer|gateway|certificate"),
        (("cluster", "api", "websocket", "monitoring"), "nodes.tf", "node|public_access|private_subnet"),
    ):
        without: dict[str, Any] = {f"tiers__{name}": "off" for name in off}
        made = texts(make_plan(gates={}, loads={}, emit={"nodes": "terraform"}, **without))
        assert file not in made
        assert everything - {file, "balancer.tf"} <= made.keys()
        assert not re.findall(words, made["variables.tf"] + made["outputs.tf"], re.IGNORECASE)


def test_a_scenario_of_nothing_but_extra_costs_has_the_budget_and_no_outputs() -> None:
    made = make_plan(loads={}, gates={}, tiers={"extra": {"lines": {"support": {"usd_per_month": 100.0}}}})
    assert {path for path in texts(made) if path.endswith(".tf")} == {"versions.tf", "variables.tf", "budget.tf"}


def test_without_a_cluster_nodes_are_instances_in_scaling_groups() -> None:
    made = make_plan(**SCENES["no cluster"], tiers__api__nodes={"min": 4, "base": 5, "max": 10})
    found = resources(made)
    assert not [name for kind, name in found if kind == "aws_eks_node_group"]
    groups = {name: each for (kind, name), each in found.items() if kind == "aws_autoscaling_group"}
    assert set(groups) == {"api", "api_spot", "websocket", "monitoring"}
    bounds = [
        [groups[name][key] for key in ("min_size", "desired_capacity", "max_size")] for name in sorted(groups)[:2]
    ]
    assert bounds == [[3, 3, 6], [1, 2, 4]]
    assert groups["api"]["name"] == "test-api"
    assert groups["api"]["target_group_arns"] == ["${aws_lb_target_group.api.arn}"]
    assert found["aws_lb_target_group", "api"]["target_type"] == "instance"
    template = found["aws_launch_template", "api_spot"]
    assert template["instance_market_options"][0]["market_type"] == "spot"
    assert template["instance_type"] == made.fleet.tiers["api"].group("nodes").shape.name


def test_a_scaling_group_follows_the_requests_as_the_plan_does() -> None:
    made = make_plan(**SCENES["no cluster"])
    (policy,) = [
        each for (kind, name), each in resources(made).items() if (kind, name) == ("aws_autoscaling_policy", "api")
    ]
    (tracked,) = policy["target_tracking_configuration"]
    # At the peak the base's nodes get that much each.
    a_minute = made.traffic.requests_per_s.peak * 60 / made.fleet.tiers["api"].lever("node_count").base_count
    assert tracked["target_value"] == pytest.approx(a_minute, abs=0.1)
    unmoved = texts(make_plan(**SCENES["no cluster, network balancer"]))["nodes.tf"]
    assert "aws_autoscaling_policy" not in unmoved
    assert unmoved.count("give it a policy") == 1


def test_requests_go_to_the_service_that_answers_them() -> None:
    actions = {
        "find": {"weight": 1.0, "request": "GET /things/{id}/similar", "at": "search"},
        "read": {"weight": 1.0, "request": "GET /things/popular", "at": "api"},
        "any": {"weight": 1.0, "request": "GET /{kind}/{id}", "at": "search"},
    }
    made = make_plan(**TWO_OF_ALL, behaviour={"actions": actions})
    routes = variables(made)["routes"]["default"]
    # What is filled in is tried after what is not, so that /{kind}/{id} does not take /things/popular.
    assert routes == [
        {"path": "/things/popular", "service": "api"},
        {"path": "/things/*/similar", "service": "search"},
        {"path": "/*/*", "service": "search"},
    ]
    found = resources(made)
    rule = found["aws_lb_listener_rule", "route"]
    assert rule["priority"] == "${each.key + 10}"
    for service in ("api", "search"):
        assert f"aws_lb_target_group.{service}.arn" in rule["action"][0]["target_group_arn"]
    assert found["aws_lb_listener", "https"]["default_action"][0]["target_group_arn"] == (
        "${aws_lb_target_group.api.arn}"
    )


def test_one_service_needs_no_routes_and_a_network_balancer_takes_a_port_for_each() -> None:
    assert ("aws_lb_listener_rule", "route") not in resources(make_plan())
    made = make_plan(**SCENES["two of all, network balancer"])
    ports = {name: each["port"] for (kind, name), each in resources(made).items() if kind == "aws_lb_listener"}
    assert ports == {"api": 443, "search": 444, "websocket": 445}
    assert "routes" not in variables(made)


def test_a_cluster_by_terraform_is_kept_in_standard_support_and_closed_to_the_world() -> None:
    made = make_plan(emit={"nodes": "terraform"}, tiers__cluster={"version": "1.35"})
    found = resources(made)
    cluster = found["aws_eks_cluster", "cluster"]
    assert cluster["version"] == "1.35"
    assert [policy["support_type"] for policy in cluster["upgrade_policy"]] == ["STANDARD"]
    assert cluster["access_config"][0]["authentication_mode"] == "API"
    # Who reaches it is said by the reader, or by the scenario: there is no default.
    assert cluster["vpc_config"][0]["public_access_cidrs"] == "${var.public_access_cidrs}"
    assert "default" not in variables(made)["public_access_cidrs"]
    named = make_plan(emit={"nodes": "terraform"}, tiers__cluster={"public_access_cidrs": ["203.0.113.0/24"]})
    assert resources(named)["aws_eks_cluster", "cluster"]["vpc_config"][0]["public_access_cidrs"] == ["203.0.113.0/24"]
    assert "public_access_cidrs" not in variables(named)
    (step,) = [step for file in infra.render(made) for step in file.steps if step.stage == "access"]
    assert step.command == "aws eks update-kubeconfig --name 'test' --region 'us-east-1'"
    assert not [step for file in infra.render(make_plan()) for step in file.steps if step.stage == "access"]


@pytest.mark.parametrize("cluster", [{}, "off"])
def test_tags_reach_instances_and_their_disks_which_are_encrypted(cluster: Any) -> None:
    made = make_plan(tiers__cluster=cluster, emit={"nodes": "terraform"})
    templates = {name: each for (kind, name), each in resources(made).items() if kind == "aws_launch_template"}
    assert set(templates) == {"api", "websocket", "monitoring"}
    for name, template in templates.items():
        tagged = {each["resource_type"]: each["tags"]["application"] for each in template["tag_specifications"]}
        assert tagged == dict.fromkeys(("instance", "volume", "network-interface"), "test")
        assert template["metadata_options"][0]["http_tokens"] == "required"
        (disk,) = template["block_device_mappings"][0]["ebs"]
        group = next(group for group in made.groups if group.tier == name)
        assert (disk["encrypted"], disk["volume_size"]) == (True, group.root_gib)


def test_controllers_may_do_only_what_they_do() -> None:
    """By the agent of the nodes, and by tokens where no node runs one."""
    found = resources(make_plan(emit={"nodes": "terraform"}))
    bound = {name for kind, name in found if kind == "aws_eks_pod_identity_association"}
    assert {"cluster_autoscaler", "aws_load_balancer_controller", "external_secrets"} == bound
    policy = found["aws_iam_role_policy", "cluster_autoscaler"]["policy"]
    look, move = policy.split("autoscaling:SetDesiredCapacity")
    assert "k8s.io/cluster-autoscaler/test" in move
    assert "eks:DescribeNodegroup" in look
    assert "Condition" not in look
    without = make_plan(**SCENES["Fargate by Terraform"])
    assert not [name for kind, name in resources(without) if kind == "aws_eks_pod_identity_association"]
    assert "system:serviceaccount:kube-system:aws-load-balancer-controller" in texts(without)["access.tf"]
    assert 'output "aws_load_balancer_controller_role_arn"' in texts(without)["outputs.tf"]


@given(st.from_regex(r"(GET|POST) /[A-Za-z0-9._~/{}=&?%:@+,-]{0,300}", fullmatch=True))
def test_a_path_is_a_pattern_that_a_rule_takes_and_that_matches_it(request: str) -> None:
    made = pattern(request)
    assert re.fullmatch(r"/[A-Za-z0-9_.$/~@:+*?-]*", made)
    assert len(made) <= 128
    assert made.count("*") + made.count("?") <= 5
    asked = request.partition(" ")[2].partition("?")[0]
    matching = re.escape(made).replace(r"\*", ".*").replace(r"\?", ".")
    assert re.fullmatch(matching, asked)


@pytest.mark.parametrize(
    ("tiers", "what"),
    [
        ({"tiers__database_replica": {"kind": "database"}}, "resource aws_cloudwatch_log_group database_replica"),
    ],
)
def test_two_things_of_one_name_are_refused(tiers: dict[str, Any], what: str) -> None:
    made = make_plan(**tiers)
    with pytest.raises(UsageError, match=f"two would make Terraform's {what}: give one another name"):
        infra.render(made)


def test_the_alarm_is_at_the_scenarios_budget() -> None:
    (budget,) = [found for (kind, _), found in resources(planned("cascade")).items() if kind == "aws_budgets_budget"]
    # $50 for each 1000 of 10,000 users.
    assert (budget["limit_amount"], budget["limit_unit"]) == ("500.00", "USD")
    assert [(n["notification_type"], n["threshold"]) for n in budget["notification"]] == [
        ("FORECASTED", 100),
        ("ACTUAL", 80),
        ("ACTUAL", 100),
    ]


@given(st.integers(1, 2_000_000), st.sampled_from(["peak", "average"]))
def test_the_budget_is_the_unit_budget_times_the_users(peak: int, users: str) -> None:
    made = make_plan(users__peak=peak, users__average=max(1, peak // 3), budget__users=users)
    count = made.scenario.users.peak if users == "peak" else made.scenario.users.average
    (alarm,) = [found for (kind, _), found in resources(made, "budget.tf").items() if kind == "aws_budgets_budget"]
    assert Decimal(alarm["limit_amount"]) == (50 * count / Decimal(1000)).quantize(Decimal("0.01"))


@pytest.mark.parametrize(
    ("budget", "limit"),
    [
        ({"usd_per_month": 450.0}, "450.00"),
        ({"usd_per_month": 450.0, "usd_per_1000_users_month": 40.0}, "400.00"),
        ({"users": "peak"}, None),
        (None, None),
    ],
)
def test_the_alarm_is_at_the_lower_limit_and_there_is_none_without(
    budget: dict[str, object] | None, limit: str | None
) -> None:
    made = resources(make_plan(budget=budget))
    assert made.get(("aws_budgets_budget", "month"), {}).get("limit_amount") == limit


def test_no_secret_is_written_and_no_state_keeps_one() -> None:
    """Passwords are drawn for an apply, and go only where Terraform stores nothing."""
    text = "\n".join(texts(make_plan(**TWO_OF_ALL)).values())
    assert not re.search(r'(?i)(password|secret)\w*\s*=\s*"', text)
    drawn = [line.split("=")[0].strip() for line in text.splitlines() if "ephemeral." in line]
    assert drawn
    kept = {name for name in drawn if not re.fullmatch(r"(\w+_)?password(s)?_wo|(\w+_)?password", name)}
    assert not kept
    for name in ("database", "reports", "cache", "sessions", "database_admin", "reports_admin"):
        block = re.search(rf'resource "aws_secretsmanager_secret_version" "{name}" \{{(.*?)\n\}}', text, re.S)
        assert block is not None
        assert "secret_string_wo = jsonencode" in block[1]
    users = {name for kind, name in resources(make_plan(**TWO_OF_ALL)) if kind == "aws_elasticache_user"}
    assert users == {f"{cache}{user}" for cache in ("cache", "sessions") for user in ("", "_metrics", "_default")}


def test_only_the_balancer_is_open_to_the_world() -> None:
    for scene in SCENES.values():
        for (kind, name), rule in resources(make_plan(**scene)).items():
            if kind == "aws_vpc_security_group_ingress_rule" and "cidr_ipv4" in rule:
                assert rule["security_group_id"] == "${aws_security_group.gateway.id}", name


def test_what_no_service_answers() -> None:
    found = resources(make_plan(tiers__websocket__path="/live/"))
    nginx, metrics = (found["aws_lb_listener_rule", name] for name in ("websocket", "metrics"))
    patterns = [bare(rule["condition"][0]["path_pattern"][0]["values"]) for rule in (nginx, metrics)]
    assert patterns == [["/live", "/live/*"], ["/metrics", "/metrics/*"]]
    assert nginx["action"][0]["target_group_arn"] == "${aws_lb_target_group.websocket.arn}"
    assert found["aws_lb_listener", "http"]["default_action"][0]["type"] == "redirect"
    assert found["aws_lb_target_group", "websocket"]["name"] == targets(make_plan())[1].name


def test_a_log_of_requests_is_kept_where_a_scenario_asks_for_it() -> None:
    for balancer in ("alb", "nlb"):
        found = resources(make_plan(tiers__gateway={"balancer": balancer, "access_log_days": 9}))
        assert found["aws_lb", "gateway"]["access_logs"][0]["enabled"] is True
        (rule,) = found["aws_s3_bucket_lifecycle_configuration", "gateway_logs"]["rule"]
        assert rule["expiration"][0]["days"] == 9
    assert ("aws_s3_bucket", "gateway_logs") not in resources(make_plan())


def test_pods_may_do_what_their_work_asks_for() -> None:
    actions = {
        "post": {"weight": 1.0, "request": "POST /a", "object_bytes": 9.0, "jobs": {"worker": 1.0}},
        "find": {"weight": 1.0, "request": "GET /b", "at": "search"},
    }
    text = texts(make_plan(**TWO_OF_ALL, tiers__objects={}, behaviour={"actions": actions}))["access.tf"]
    said = dict(re.findall(r'"aws_iam_role_policy" "(\w+)" \{(.*?)\n\}', text, re.S))
    assert {name: set(re.findall(r'"(\w+:\w+)"', body)) for name, body in said.items()} == {
        "api": {"s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload", "sqs:SendMessage", "sqs:GetQueueUrl"},
        "worker": {f"sqs:{name}" for name in ("ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility",
                                              "GetQueueAttributes", "GetQueueUrl")},
        "external_secrets": {"secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"},
        "keda": {"sqs:GetQueueAttributes", "sqs:GetQueueUrl"},
    }  # fmt: skip
    assert "nightly" not in text
    assert '"*"' not in text


def test_what_the_reader_gives_is_what_no_default_says() -> None:
    for scene in SCENES.values():
        made = infra.render(make_plan(**scene))
        asked = {name for name, each in variables(make_plan(**scene)).items() if "default" not in each}
        assert {given.name.lower() for file in made for given in file.gives} == asked
        (example,) = (file.text for file in made if file.path == "terraform.tfvars.example")
        assert set(re.findall(r"^(\w+) =", example, re.M)) == asked


def test_each_image_has_a_repository_of_as_many_versions_as_are_paid_for() -> None:
    found = resources(make_plan(tiers__registry={"version_count": 7}))
    assert {name for kind, name in found if kind == "aws_ecr_repository"} == {"api", "websocket"}
    assert re.search(r"countNumber\W+7\b", str(found["aws_ecr_lifecycle_policy", "api"]["policy"]))


@pytest.mark.parametrize("scene", SCENES)
def test_every_variable_that_is_used_is_declared_and_every_declared_one_is_used(scene: str) -> None:
    text = "\n".join(texts(make_plan(**SCENES[scene])).values())
    declared = re.findall(r'^variable "(\w+)"', text, re.MULTILINE)
    assert len({*declared}) == len(declared)
    assert {*declared} == set(re.findall(r"\bvar\.(\w+)", text))


@pytest.mark.parametrize("scene", SCENES)
def test_every_resource_that_is_referred_to_is_there(scene: str) -> None:
    made = make_plan(**SCENES[scene])
    text = "\n".join(texts(made).values())
    named = set(re.findall(r"\b(?:(data|ephemeral)\.)?(aws_\w+)\.(\w+)", text))
    there = re.findall(r'^(data|ephemeral|resource) "(\w+)" "(\w+)"', text, re.M)
    assert {(kind or "resource", *name) for kind, *name in named} <= {*there}


def test_the_balancer_waits_longer_than_the_heartbeat() -> None:
    made = make_plan(tiers__websocket={"heartbeat_interval_s": 50.0})
    assert resources(made)["aws_lb", "gateway"]["idle_timeout"] == 150
    assert "idle_timeout" not in resources(make_plan(**SMALL))["aws_lb", "gateway"]
