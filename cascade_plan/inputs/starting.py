"""A scenario to start from, written from a few answers."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cascade_plan.errors import UsageError

SCHEMA_FILE = "cascade-plan.schema.json"
AVERAGE_SHARE = 0.3
"""Users on average over users at peak: as in the case study (3,000 of 10,000)."""
SPAWNED_IN_S = 60
"""A load test's users arrive within a minute (assumption)."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What is asked of someone who starts."""

    name: str = "my-service"
    users: int = 1000
    """At the same time, at the peak."""
    has_websockets: bool = False
    has_cache: bool = False
    has_database: bool = True
    has_workers: bool = False
    budget_usd_per_month: float | None = None
    """For all users together; None where there is none yet."""
    region: str = "us-east-1"


def checked(answers: Answers) -> Answers:
    """Return the answers. Raises UsageError for a name or a region that a scenario cannot have."""
    from cascade_plan.prices import books, bundled

    if not re.fullmatch(r"[a-z]([-a-z0-9]{0,51}[a-z0-9])?", answers.name):
        raise UsageError(f"--name {answers.name}: lower-case letters, digits and dashes, starting with a letter")
    known = list(books.regions("aws"))
    if answers.region not in known:
        raise UsageError(f"--region {answers.region}: {bundled.unknown_region('aws', answers.region, known)}")
    return answers


def scenario_yaml(answers: Answers) -> str:
    """Return a scenario of at most 30 lines, commented, without the parts that are not wanted."""
    users = answers.users
    lines = [
        f"# yaml-language-server: $schema={SCHEMA_FILE}",
        "# Size it: cascade-plan size FILE. Every field is in docs/scenario.md; what is left out has a default.",
        "schema_version: 1",
        f"name: {answers.name}",
        f"region: {answers.region}",
        "method: slo # the least fleet that keeps the limits of `loads`; rules: so many users a node",
        f"users: {{peak: {users}, average: {max(1, round(users * AVERAGE_SHARE))}, active_share: 0.2}}",
        "behaviour:",
        "  think_time_s: {min: 5, max: 15} # a user's pause between two requests",
        "  actions: # what users do; cpu_ms decides most: measure yours",
        f"    read: {{weight: 4, request: GET /items, response_bytes: 4000, cpu_ms: 5{_reads(answers, 2)}}}",
        "    write:",
        f"      {{weight: 1, request: POST /items, request_bytes: 800, cpu_ms: 6{_writes(answers)}}}",
        "loads: # every one is a test that emit-loadtest writes, and a gate",
        f"  peak: {{share: 1.0, ramp_s: {SPAWNED_IN_S}, duration_s: 600, latency_ms_p95: 300}} # share of users.peak",
        "tiers: # what is there; what is not named is not there",
        *_tiers(answers),
        "availability: standard # minimal, standard or critical",
        *_budget(answers),
    ]
    return "\n".join(lines) + "\n"


def _reads(answers: Answers, count: int) -> str:
    return f", read_count: {count}" if answers.has_database or answers.has_cache else ", read_count: 0"


def _writes(answers: Answers) -> str:
    parts = [_reads(answers, 1)]
    if answers.has_database:
        parts.append(", write_count: 1,\n       database_bytes: 600")
    if answers.has_websockets:
        parts.append(", publishes: true")
    if answers.has_workers:
        parts.append(", jobs: {worker: 1}")
    return "".join(parts)


def _tiers(answers: Answers) -> list[str]:
    tiers = [
        ("  cluster: {}", True),
        ("  api: {} # one service; a second one: search: {kind: api}, and `at: search` in its actions", True),
        ("  websocket: {} # one open connection a user", answers.has_websockets),
        ("  cache: {engine: valkey, hit_ratio: 0.9} # the share of reads it answers: measure it", answers.has_cache),
        ("  database: {shape: {vcpu: 2, memory_gib: 8}, storage_gib: 100} # PostgreSQL", answers.has_database),
        ("  queue: {}", answers.has_workers),
        ("  worker: {cpu_ms: 100, age_s_p99: 60} # a job's CPU time, and how old it may get", answers.has_workers),
        ("  gateway: {} # the load balancer", True),
        ("  network: {}", True),
        ("  monitoring: {label_by_tenant: false}", True),
    ]
    return [line for line, is_wanted in tiers if is_wanted]


def _budget(answers: Answers) -> list[str]:
    if answers.budget_usd_per_month is None:
        return []
    return [f"budget: {{usd_per_month: {answers.budget_usd_per_month:.12g}}}"]
