"""Bills against those that `recomputed` works out from the scenario and the price rows, line by line."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Mapping
from datetime import date
from fractions import Fraction
from functools import cache
from typing import Any

import pytest
import recomputed
from recomputed import LEVELS, Recomputed, planned

from cascade_plan.inputs.scenarios import bundled_scenarios
from cascade_plan.model.bill import Bill
from cascade_plan.model.plan import Plan

MICRO = Fraction(1, 10**6)
"""A millionth of a dollar: what a price of a dollar makes of an amount that is rounded the other way."""
NO_SIZE = {"tiers.cache": "{engine: valkey, serverless: true}"}
AURORA = {"tiers.database.engine": "aurora", "tiers.database.shape": "db.r6g.xlarge"}
HALF_OF_THREE = "{reserved_1y_no_upfront: 0.5}"

VARIANTS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "the seventh month": ("cascade", {"month": "7"}),
    "the seventh month of a full disk": ("whale-1m", {"month": "7"}),
    "a month of 744 hours": ("cascade", {"hours_per_month": "744"}),
    "744 hours without machines": ("serverless-500", {"hours_per_month": "744", "month": "7"}),
    "744 hours of logs": ("cascade", {"hours_per_month": "744", "tiers.telemetry": "{log_retention_days: 20}"}),
    "pods without NAT": ("serverless-500", {"tiers.network.nat": "off"}),
    "everything that is optional": (
        "cascade",
        {
            "tiers.telemetry": "{metric_count: 12000}",
            "tiers.registry": "{}",
            "tiers.secrets": "{}",
            "tiers.proxy": "{}",
        },
    ),
    "logs that are kept for a year": (
        "growth-100k",
        {"tiers.telemetry": "{log_retention_days: 365}", "month": "11", "users.profile": "flat"},
    ),
    "objects through NAT": (
        "cascade",
        {"tiers.network.object_endpoint": "false", "tiers.objects.read_count_per_write": "3"},
    ),
    "objects with a lifecycle": (
        "cascade",
        {
            "month": "9",
            "tiers.objects": "{stored_gib: 60000, infrequent_after_months: 2, deleted_after_months: 5, "
            "read_count_per_write: 0.5, requests_per_write: 3}",
        },
    ),
    "credits of nodes at the peak": (
        "startup-1k",
        {"tiers.api.shape": "t4g.medium", "behaviour.actions.list_workrooms.cpu_ms": "90"},
    ),
    "credits of a database": (
        "startup-1k",
        {"tiers.database.read_ms": "300", "behaviour.actions.list_workrooms.read_ms": "null"},
    ),
    "credits by an action's own time": (
        "cascade",
        {"tiers.database.shape": "db.t4g.medium", "behaviour.actions.create_message.write_ms": "5"},
    ),
    "reserved and spot": ("cascade", {"tiers.api.purchase": "{reserved_1y_no_upfront: 0.5, spot: 0.3}"}),
    "half of three xlarge": (
        "cascade",
        {"tiers.websocket.purchase": HALF_OF_THREE, "tiers.websocket.shape": "m6g.xlarge"},
    ),
    "half of a primary with a standby": ("cascade", {"tiers.database.purchase": HALF_OF_THREE}),
    "half of three, all upfront": (
        "cascade",
        {"tiers.websocket.purchase": "{reserved_3y_all_upfront: 0.5}", "tiers.websocket.shape": "m5.xlarge"},
    ),
    "a savings plan": (
        "cascade",
        {"tiers.websocket.purchase": "{compute_sp_1y_no_upfront: 0.37}", "tiers.websocket.shape": "m7g.large"},
    ),
    "part of it upfront": (
        "cascade",
        {"tiers.database.purchase": "reserved_1y_partial_upfront", "tiers.cache.purchase": "reserved_3y_all_upfront"},
    ),
    "two commitments and spot, at the average": (
        "growth-100k",
        {
            "tiers.api.purchase": "{reserved_1y_no_upfront: 0.41, reserved_3y_no_upfront: 0.37, spot: 0.22}",
            "tiers.api.commitment_level": "average",
        },
    ),
    "commitments to the most nodes": (
        "api-batch",
        {"tiers.worker.purchase": "{reserved_1y_no_upfront: 0.9}", "tiers.worker.commitment_level": "ceiling"},
    ),
    "commitments that run by the hour": (
        "growth-100k",
        {"tiers.api.purchase": "{reserved_1y_no_upfront: 0.8}", "tiers.api.commitment_level": "peak"},
    ),
    "NAT instances": ("cascade", {"tiers.network.nat": "instance"}),
    "no NAT": ("cascade", {"tiers.network.nat": "off"}),
    "two network balancers": ("cascade", {"tiers.gateway.shared": "false", "tiers.gateway.balancer": "nlb"}),
    "short connections": (
        "cascade",
        {"tiers.websocket.connection_lifetime_s": "30", "behaviour.actions.upload_resource.request_bytes": "0"},
    ),
    "short connections through a network balancer": (
        "cascade",
        {
            "tiers.gateway.balancer": "nlb",
            "tiers.websocket.connection_lifetime_s": "30",
            "behaviour.actions.upload_resource.request_bytes": "0",
        },
    ),
    "messages to a tenant": (
        "cascade",
        {
            "behaviour.actions.create_message.audience": "tenant",
            "behaviour.actions.upload_resource.request_bytes": "0",
            "tiers.websocket.message_bytes": "150",
        },
    ),
    "managed pool and Prometheus": ("cascade", {"tiers.pool.managed": "true", "tiers.monitoring.managed": "true"}),
    "Aurora with I/O in its price": ("cascade", {**AURORA, "tiers.database.io_mode": "io_optimized", "month": "8"}),
    "Aurora with a managed pool": ("cascade", {**AURORA, "tiers.pool.managed": "true"}),
    "Aurora by capacity": (
        "serverless-500",
        {"users.peak": "30000", "users.average": "9000", "users.registered": "90000", "users.profile": "weekday"},
    ),
    "a cache without nodes": ("chat-40k", NO_SIZE),
    "no cache": ("cascade", {"tiers.cache": "off"}),
    "no WebSocket": ("cascade", {"tiers.websocket": "off"}),
    "a large database": (
        "cascade",
        {
            "tiers.database.data_gib": "3000",
            "tiers.database.storage_gib": "350",
            "tiers.database.snapshot_gib": "1000",
            "tiers.database.backup_retention_days": "35",
        },
    ),
    "snapshots alone": (
        "cascade",
        {"tiers.database.backup_retention_days": "0", "tiers.database.snapshot_gib": "50"},
    ),
    "throughput that is bought": (
        "cascade",
        {"tiers.database.storage_gib": "500", "tiers.database.provisioned_mib_per_s": "4000"},
    ),
    "long jobs, and some by the clock": (
        "api-batch",
        {"tiers.queue.job_bytes": "200000", "tiers.worker.scheduled_jobs_per_s": "40"},
    ),
    "the least availability": ("cascade", {"availability": "minimal"}),
    "lines by hand": (
        "cascade",
        {
            "tiers.extra": "{lines: {support: {usd_per_month: 100}, mail: {units_per_month: 1000000, "
            "usd_per_unit: 0.0001}, seats: {usd_per_user_month: 0.05}}}",
        },
    ),
}
YEARS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "all that accumulates": (
        "cascade",
        {
            "tiers.telemetry": "{log_retention_days: 100}",
            "tiers.objects": "{infrequent_after_months: 3, deleted_after_months: 8}",
            "tiers.database.data_gib": "20",
            "tiers.database.pages_per_write": "2",
        },
    ),
    "disk operations": ("whale-1m", {}),
    "Aurora by capacity": ("serverless-500", {}),
}
OLD = (
    ("database", '"14"', date(2027, 4, 1), "database primary, extended support of PostgreSQL 14", 0.10 * 4 * 2 * 730),
    ("database", '"14"', date(2029, 3, 1), "database primary, extended support of PostgreSQL 14", 0.20 * 4 * 2 * 730),
    ("cluster", '"1.34"', date(2026, 12, 3), "extended support of Kubernetes 1.34", 0.50 * 730),
)


def money(band: Any) -> dict[str, Fraction]:
    """Return what a plan says something costs at each level."""
    return {level: Fraction(getattr(band, level)) for level in LEVELS}


@cache
def unchanged(name: str) -> Bill:
    """Return the bill of a bundled scenario as it is."""
    bill: Bill = planned(name, {})[0].bill
    return bill


def different(made: Plan, again: Recomputed) -> Iterator[str]:
    """Yield each line, and the total, that differs by more than a millionth of a dollar."""
    mine = {line.name: line.usd for line in again.lines()}
    theirs = {item.name: money(item.cost_usd) for item in made.bill.items}
    nothing = dict.fromkeys(LEVELS, Fraction(0))
    pairs = {name: (mine.get(name, nothing), theirs.get(name, nothing)) for name in {*mine, *theirs}}
    pairs["total"] = again.total(), money(made.bill.effective_usd)
    for name, (recomputed_usd, planned_usd) in sorted(pairs.items()):
        for level in LEVELS:
            if abs(off := recomputed_usd[level] - planned_usd[level]) > MICRO:
                yield f"{name}, {level}: {float(recomputed_usd[level]):.6f}, off by {float(off):.6f}"


def same(made: Plan, again: Recomputed) -> None:
    """Check that a plan's money is what is worked out again; a bill of less traffic than is sent is not comparable."""
    assert made.bill.complete
    assert "not-answered" not in {finding.code for finding in made.findings}
    assert len({item.name for item in made.bill.items}) == len(made.bill.items)
    assert list(different(made, again)) == []
    assert abs(again.upfront_usd() - Fraction(made.bill.upfront_usd)) <= MICRO
    for users in ("peak", "average", "registered"):
        if again.scenario["users"][users]:
            stated = made.figure(f"cost_usd_per_1000_{users}_users_month")
            assert abs(again.per_1000_users(users) - Fraction(stated)) <= MICRO


@pytest.mark.parametrize("name", bundled_scenarios())
def test_a_bundled_bill_is_what_its_rows_and_use_come_to(name: str) -> None:
    same(*planned(name, {}))


@pytest.mark.parametrize(("name", "changes"), VARIANTS.values(), ids=list(VARIANTS))
def test_a_changed_bill_is_what_its_rows_and_use_come_to(name: str, changes: Mapping[str, str]) -> None:
    made, again = planned(name, changes)
    assert made.bill != unchanged(name)
    same(made, again)


@pytest.mark.parametrize(("name", "changes"), YEARS.values(), ids=list(YEARS))
def test_each_month_of_the_first_year_is_what_its_own_bill_comes_to(name: str, changes: Mapping[str, str]) -> None:
    made, again = planned(name, changes)
    months = [planned(name, {**changes, "month": str(month)})[1].total() for month in range(1, 13)]
    for month, stated in zip(months, made.bill.first_year_usd, strict=True):
        assert max(abs(month[level] - usd) for level, usd in money(stated).items()) <= MICRO
    usd = [month[again.scenario["budget"]["level"]] for month in months]
    assert usd[0] < usd[-1]
    assert abs(sum(usd, Fraction(0)) / 12 - Fraction(made.figure("cost_usd_per_month.first_year"))) <= MICRO
    assert abs(usd[-1] - Fraction(made.figure("cost_usd_per_month.month_12"))) <= MICRO


@pytest.mark.parametrize(("tier", "version", "day", "line", "usd"), OLD)
def test_the_support_of_an_old_version_is_charged(tier: str, version: str, day: date, line: str, usd: float) -> None:
    made, again = planned("cascade", {f"tiers.{tier}.version": version}, day)
    same(made, again)
    (found,) = [each for each in again.lines() if each.name == line]
    assert float(found.usd["average"]) == pytest.approx(usd)


def test_each_price_that_is_a_ten_thousandth_too_high_is_seen() -> None:
    """Every price that a bill uses is a row's: with one of them dearer, that line and the total differ."""
    made, again = planned("cascade", {})
    rows = again.rows
    for item in made.bill.items:
        same_name = [
            key for key in rows if key[1:] == tuple(item.key)[1:] and rows[key].usd == Fraction(item.price_usd)
        ]
        dearer = {key: rows[key]._replace(usd=rows[key].usd * Fraction(10_001, 10_000)) for key in same_name}
        again.rows = {**rows, **dearer}
        seen = list(different(made, again))
        assert any(line.startswith(f"{item.name}, ") for line in seen) == (item.cost_usd.peak > 0)
        assert any(line.startswith("total, ") for line in seen) == (item.cost_usd.peak > 0)


def test_what_recomputes_takes_no_code_of_what_it_checks() -> None:
    """The package is imported where a plan is made to compare with, and nowhere else."""
    tree = ast.parse(inspect.getsource(recomputed))
    importing = {
        top.name if isinstance(top, ast.FunctionDef | ast.ClassDef) else ast.unparse(top)
        for top in tree.body
        for node in ast.walk(top)
        if isinstance(node, ast.Import | ast.ImportFrom) and "cascade_plan" in ast.unparse(node)
    }
    assert importing == {"planned", "main"}
