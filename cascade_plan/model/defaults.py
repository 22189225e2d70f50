"""Every default of the scenario schema, with its source: the one place where a figure enters without being given.

A table in Python rather than YAML, because every start reads it and parsing YAML would cost a tenth of the start.
`kind` says how far to trust a figure: "plan" (stated in the CASCADE performance plan), "cited" (published by the
maker of the thing), "measured" (measured by this project, docs/model.md), "assumption" (nobody's figure: override it).
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple


class Default(NamedTuple):
    """A default value and why it is what it is."""

    value: Any
    kind: str
    source: str


PLAN: Final = "CASCADE performance plan"
NASA_WEEKDAY: Final = (
    0.415, 0.343, 0.309, 0.262, 0.226, 0.232, 0.262, 0.434, 0.684, 0.820, 0.845, 0.922,
    0.972, 0.986, 1.000, 0.996, 0.954, 0.753, 0.598, 0.532, 0.501, 0.512, 0.497, 0.488,
)  # fmt: skip
"""Mean requests of each weekday hour over the busiest one, NASA-HTTP log of July 1995 (Arlitt & Williamson 1996)."""

DEFAULTS: Final[dict[str, Default]] = {
    "method": Default("rules", "plan", f"{PLAN}, cost calculator"),
    "rounding": Default("up", "assumption", "rounding down leaves up to 4,999 users without a node; see docs/seed.md"),
    "users.tenants": Default(100, "assumption", "the plan is multi-tenant and gives no number of tenants"),
    "users.active_share": Default(1.0, "plan", f"{PLAN}, load test: every simulated user acts all the time"),
    "users.profile": Default(
        "weekday", "measured", "hourly means of the NASA-HTTP log, weekdays of July 1995 (Arlitt & Williamson 1996)"
    ),
    "behaviour.think_time_s.min": Default(1.0, "plan", f"{PLAN}, load test: wait_time = between(1, 3)"),
    "behaviour.think_time_s.max": Default(3.0, "plan", f"{PLAN}, load test: wait_time = between(1, 3)"),
    "behaviour.header_bytes": Default(
        400, "assumption", "request or response headers after HPACK, with a bearer token; measure yours"
    ),
    "behaviour.cache_hit_ratio": Default(0.9, "plan", f"{PLAN}, success metric: the target, to be measured"),
    "action.request_bytes": Default(200, "assumption", "a small JSON body"),
    "action.response_bytes": Default(500, "assumption", "a small JSON body"),
    "action.database_bytes": Default(0, "assumption", "an action stores nothing unless the scenario says so"),
    "action.object_bytes": Default(0, "assumption", "an action stores no object unless the scenario says so"),
    "action.audience": Default("workroom", "plan", f"{PLAN}, channels: workroom:{{workroom_id}}:updates"),
    "action.cpu_ms": Default(
        1.0, "assumption", "5,000 users at 2 s think time on the 3.69 cores a 4 vCPU node leaves: 68 % busy at 1 ms"
    ),
    "action.read_count": Default(1, "assumption", "one query that reads"),
    "action.write_count": Default(0, "assumption", "an action writes nothing unless the scenario says so"),
    "action.n_plus_one_query_count": Default(0, "assumption", "no rows fetched one by one unless the scenario says so"),
    "load.failure_ratio_max": Default(
        0.01, "cited", "k6's own example, rate<0.01, https://grafana.com/docs/k6/latest/using-k6/thresholds/"
    ),
    "timing.api_scv": Default(1.0, "assumption", "exponential: as variable as its mean, measure yours"),
    "timing.read_ms": Default(
        0.1, "assumption", "three times a key look-up: 8 vCPU answer 263,000 a second (Azure, pgbench select-only)"
    ),
    "timing.scan_ms": Default(20.0, "assumption", "some ten thousand rows read without index"),
    "timing.scan_ratio": Default(0.0, "assumption", "the plan's indexes serve every frequent query"),
    "timing.write_ms": Default(
        0.3, "assumption", "8 vCPU do 9,513 TPC-B transactions a second (Azure): 0.84 ms for five statements, doubled"
    ),
    "timing.parse_ms": Default(0.05, "assumption", "parse and plan of a short query; measure with EXPLAIN (SUMMARY)"),
    "timing.prepared_statements": Default(True, "plan", f"{PLAN}, optimisation 1: prepared statement caching"),
    "timing.n_plus_one": Default(False, "plan", f"{PLAN}, optimisation 2: the lateral join in place of N+1 queries"),
    "timing.commit_ms": Default(1.0, "assumption", "one flush to network storage; multi-AZ adds a zone's round trip"),
    "timing.database_scv": Default(1.0, "assumption", "exponential: as variable as its mean"),
    "timing.cache_ms": Default(0.006, "measured", "170,000 commands a second on one core, Redis 7.0.15"),
    "timing.round_trip_ms": Default(0.5, "assumption", "a round trip that may cross zones"),
    "timing.pod_startup_s": Default(30.0, "assumption", "image on the node, a Python service up and ready"),
    "timing.node_provisioning_s": Default(90.0, "assumption", "an instance from launch to ready, with an EKS image"),
    "websocket.connections_per_user": Default(1.0, "assumption", "one open browser tab a user"),
    "websocket.recipients_per_message": Default(
        5.0, "assumption", "other members of a workroom who are online when a message is posted"
    ),
    "websocket.message_bytes": Default(300, "assumption", "a chat message as a JSON frame"),
    "websocket.heartbeat_interval_s": Default(
        20.0, "cited", "ping_interval of the websockets library, https://websockets.readthedocs.io/"
    ),
    "websocket.heartbeat_bytes": Default(
        120, "cited", "ping and pong: two frames of 2-6 bytes in TCP/IP packets of 40-60 bytes (RFC 6455, RFC 9293)"
    ),
    "websocket.connection_lifetime_s": Default(3600.0, "plan", f"{PLAN}, connection state: key expires after 3600 s"),
    "websocket.memory_kib_per_connection": Default(
        68.5, "measured", "FastAPI on uvicorn with permessage-deflate, 4,000 connections after an echo"
    ),
    "websocket.kernel_kib_per_connection": Default(
        4.0, "measured", "kernel slab of one end of a connection on loopback (7.5 KiB for both ends)"
    ),
    "availability.zones": Default(3, "assumption", "one zone can be lost; EKS asks for at least two"),
    "availability.multi_az": Default(True, "assumption", "the primary must survive the loss of its zone"),
    "availability.lost_zone_count": Default(1, "assumption", "the loss of one zone must not break the SLO"),
    "availability.lost_node_count": Default(1, "assumption", "nor that of one node more, meanwhile"),
    "tiers.api.users_per_node": Default(5000, "plan", f"{PLAN}, cost calculator: 5k users per node"),
    "tiers.api.minimum_nodes": Default(3, "plan", f"{PLAN}, cost calculator: max(3, peak / 5000)"),
    "tiers.api.minimum_nodes_scaled_in": Default(2, "plan", f"{PLAN}, cost calculator: max(2, average / 5000)"),
    "tiers.api.headroom_ratio": Default(1.5, "plan", f"{PLAN}, cost calculator: 50 % headroom"),
    "tiers.api.shape": Default(
        {"vcpu": 4, "memory_gib": 8}, "assumption", "the plan names no API instance: 4 vCPU and 8 GiB for 5,000 users"
    ),
    "tiers.api.image": Default(
        "registry.example.com/api:1.0.0", "assumption", "a placeholder (RFC 2606): give the image that is deployed"
    ),
    "tiers.api.port": Default(8000, "cited", "uvicorn's default port, https://www.uvicorn.org/settings/"),
    "tiers.api.ready_path": Default("/health/ready", "assumption", "the plan names no health endpoints"),
    "tiers.api.live_path": Default("/health/live", "assumption", "the plan names no health endpoints"),
    "tiers.api.pod.cpu_cores": Default(0.5, "assumption", "one single-threaded worker at half a core when busy"),
    "tiers.api.pod.memory_mib": Default(768, "assumption", "a Python API worker with its libraries and caches"),
    "tiers.cluster.daemonset_cpu_cores": Default(
        0.23, "assumption", "requests of aws-node 0.05, kube-proxy 0.1, ebs-csi-node 0.03, node-exporter 0.05"
    ),
    "tiers.cluster.daemonset_memory_mib": Default(
        150, "assumption", "requests of ebs-csi-node 120 MiB and node-exporter 30 MiB"
    ),
    "tiers.cluster.daemonset_pods": Default(4, "assumption", "aws-node, kube-proxy, ebs-csi-node and node-exporter"),
    "tiers.cluster.vm_overhead_ratio": Default(
        0.075, "cited", "Karpenter's vm-memory-overhead-percent, https://karpenter.sh/docs/reference/settings/"
    ),
    "tiers.cluster.disk_gib": Default(
        20, "cited", "default of an EKS managed node group, https://docs.aws.amazon.com/eks/latest/APIReference/"
    ),
    "tiers.websocket.connections_per_node": Default(50_000, "plan", f"{PLAN}, success metric: 50k connections a node"),
    "tiers.websocket.minimum_nodes": Default(3, "plan", f"{PLAN}, websocket_cluster.yaml: three nodes"),
    "tiers.websocket.shape": Default(
        {"vcpu": 2, "memory_gib": 8}, "plan", f"{PLAN}, websocket_cluster.yaml: memory_limit 8GB; 2 vCPU (assumption)"
    ),
    "tiers.websocket.sticky": Default(
        "consistent_hash", "measured", "ip_hash put 40 of 40 clients of one /24 on one node (nginx 1.22); docs/seed.md"
    ),
    "tiers.websocket.connections_per_address": Default(
        1000, "assumption", "an office behind one address: ten times the mean tenant of 10,000 users"
    ),
    "tiers.websocket.health_interval_s": Default(5.0, "plan", f"{PLAN}, websocket_cluster.yaml: interval 5s"),
    "tiers.websocket.health_timeout_s": Default(2.0, "plan", f"{PLAN}, websocket_cluster.yaml: timeout 2s"),
    "tiers.websocket.image": Default(
        "registry.example.com/websocket:1.0.0",
        "assumption",
        "a placeholder (RFC 2606): give the image that is deployed",
    ),
    "tiers.websocket.port": Default(8000, "cited", "uvicorn's default port, https://www.uvicorn.org/settings/"),
    "tiers.database.shape": Default("db.r5.xlarge", "plan", f"{PLAN}, cost calculator: primary db.r5.xlarge"),
    "tiers.database.users_per_replica": Default(10_000, "plan", f"{PLAN}, cost calculator: max(1, peak / 10000)"),
    "tiers.database.minimum_replicas": Default(1, "plan", f"{PLAN}, cost calculator: max(1, peak / 10000)"),
    "tiers.database.storage_gib": Default(100, "assumption", "rows of the first months; the plan gives no data size"),
    "tiers.database.backup_gib": Default(
        0, "cited", "backup up to the size of the database is free, https://aws.amazon.com/rds/postgresql/pricing/"
    ),
    "tiers.database.version": Default("15", "assumption", "the version the emitted SQL is tested on; 14 to 18 take it"),
    "tiers.database.host": Default(
        "primary.db.example.com", "assumption", "a placeholder (RFC 2606): give the endpoint"
    ),
    "tiers.database.port": Default(5432, "cited", "PostgreSQL's default port, https://www.postgresql.org/docs/"),
    "tiers.database.schema_name": Default("public", "plan", f"{PLAN}, queries: tables without a schema"),
    "tiers.database.tables.users": Default("users", "plan", f"{PLAN}, query optimisation"),
    "tiers.database.tables.user_settings": Default("user_settings", "plan", f"{PLAN}, query optimisation"),
    "tiers.database.tables.resources": Default("resources", "plan", f"{PLAN}, index strategy"),
    "tiers.database.tables.activity_logs": Default("activity_logs", "plan", f"{PLAN}, index strategy"),
    "tiers.database.columns.tenant": Default("tenant_id", "plan", f"{PLAN}, index strategy"),
    "tiers.database.columns.id": Default("id", "plan", f"{PLAN}, query optimisation: u.id"),
    "tiers.database.columns.user": Default("user_id", "plan", f"{PLAN}, query optimisation: user_id = u.id"),
    "tiers.database.columns.settings": Default("settings", "plan", f"{PLAN}, query optimisation: json_agg(settings)"),
    "tiers.database.columns.is_active": Default("is_active", "plan", f"{PLAN}, index strategy"),
    "tiers.database.columns.created_at": Default("created_at", "plan", f"{PLAN}, index strategy"),
    "tiers.database.columns.timestamp": Default("timestamp", "plan", f"{PLAN}, index strategy"),
    "tiers.database.roles.owner": Default("app_owner", "assumption", "the plan names no roles"),
    "tiers.database.roles.app": Default("app_user", "assumption", "the plan names no roles"),
    "tiers.database.roles.readonly": Default("app_readonly", "assumption", "the plan names no roles"),
    "tiers.database.tenant_type": Default("text", "plan", f"{PLAN}, tenant_id: str"),
    "tiers.database.statement_timeout_s": Default(
        30.0, "assumption", "sixty times the plan's slowest limit (p99 < 500 ms): nobody waits for the answer any more"
    ),
    "tiers.database.other_connections": Default(
        20, "assumption", "an exporter and a migration at a time, with psql and the provider's own agents"
    ),
    "tiers.pool.connections_per_pod": Default(
        15, "cited", "SQLAlchemy's pool_size 5 + max_overflow 10, https://docs.sqlalchemy.org/en/20/core/pooling.html"
    ),
    "tiers.pool.tenant_class_share": Default({"standard": 1.0}, "assumption", "the plan knows one kind of tenant"),
    "tiers.pool.pgbouncer_version": Default(
        "1.23", "assumption", "a version with prepared statements (1.21 and later)"
    ),
    "tiers.pool.port": Default(6432, "cited", "PgBouncer's default listen_port, https://www.pgbouncer.org/config.html"),
    "tiers.pool.users_per_connection": Default(100, "plan", f"{PLAN}, cost calculator: peak / 100"),
    "tiers.cache.engine": Default("redis", "plan", f"{PLAN}: message broker redis_cluster"),
    "tiers.cache.users_per_node": Default(20_000, "plan", f"{PLAN}, cost calculator: max(3, peak / 20000)"),
    "tiers.cache.minimum_nodes": Default(3, "plan", f"{PLAN}, cost calculator: max(3, peak / 20000)"),
    "tiers.cache.shape": Default({"memory_gib": 8}, "plan", f"{PLAN}, cost calculator: memory_per_node 8GB"),
    "tiers.cache.replicas_per_master": Default(0, "plan", f"{PLAN}, cost calculator: redis_nodes, without replicas"),
    "tiers.gateway.balancer": Default("alb", "assumption", "terminates TLS, speaks WebSocket and health-checks pods"),
    "tiers.network.nat_gateway_per_zone": Default(
        True, "cited", "one a zone, so that a zone's loss cuts off only itself, https://docs.aws.amazon.com/vpc/"
    ),
    "tiers.network.nat_gib_per_node_month": Default(
        20.0, "assumption", "image pulls, package and third-party calls of one node"
    ),
    "tiers.network.database_bytes_per_request": Default(
        4000.0, "assumption", "query text and rows between API, database and cache for one request"
    ),
    "tiers.monitoring.query_types": Default(10, "assumption", "distinct values of the plan's label query_type"),
    "tiers.monitoring.label_by_tenant": Default(True, "plan", f"{PLAN}, metrics: labels tenant_id, query_type"),
    "tiers.monitoring.series_per_node": Default(
        10_000_000, "assumption", "about 80 GiB of memory at 8 KiB a series: as large as one Prometheus should get"
    ),
    "tiers.monitoring.other_series_per_pod": Default(
        700, "assumption", "kubelet, cAdvisor, process and HTTP series of one pod"
    ),
    "tiers.monitoring.scrape_interval_s": Default(
        15.0, "cited", "the interval of Prometheus's own starter configuration, https://prometheus.io/docs/"
    ),
    "tiers.monitoring.retention_days": Default(
        15, "cited", "Prometheus's default retention, https://prometheus.io/docs/prometheus/latest/storage/"
    ),
    "tiers.monitoring.bytes_per_sample": Default(
        2.0, "cited", "upper end of 1-2 bytes a sample, https://prometheus.io/docs/prometheus/latest/storage/"
    ),
    "tiers.monitoring.memory_kib_per_series": Default(
        8.0, "measured", "3.3 KiB resident in a quiet server (Prometheus 2.42, 204,000 series), doubled for queries"
    ),
    "tiers.monitoring.nodes": Default(1, "assumption", "one Prometheus; two for a monitoring that survives a zone"),
    "autoscaling.target_latency_s_p95": Default(0.2, "plan", f'{PLAN}, HPA: averageValue "0.2"'),
    "autoscaling.target_memory_percent": Default(70, "plan", f"{PLAN}, HPA: memory averageUtilization 70"),
    "autoscaling.scale_up_window_s": Default(60, "plan", f"{PLAN}, HPA: scaleUp stabilizationWindowSeconds 60"),
    "autoscaling.scale_up_percent": Default(100, "plan", f"{PLAN}, HPA: Percent 100"),
    "autoscaling.scale_up_period_s": Default(60, "plan", f"{PLAN}, HPA: periodSeconds 60"),
    "autoscaling.scale_down_window_s": Default(300, "plan", f"{PLAN}, HPA: scaleDown stabilizationWindowSeconds 300"),
    "budget.usd_per_1000_users_month": Default(50.0, "plan", f"{PLAN}, success metric: < $50 a month"),
    "budget.users": Default("peak", "assumption", "the plan does not say which users; peak concurrent ones"),
    "budget.level": Default("average", "assumption", "the bill of a month as the load moves over the day"),
}


def value(path: str) -> Any:
    """Return the default value at a dotted path of the scenario. Raises KeyError for a path without default."""
    return DEFAULTS[path].value
