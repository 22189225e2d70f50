"""A small world to plan in: a few shapes and plainly synthetic prices. None of these figures is anybody's price."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any
from unittest.mock import patch

from cascade_plan.clouds.aws import cloud
from cascade_plan.inputs.scenarios import bundled_scenarios, read
from cascade_plan.model.catalogue import Catalogue, Shape
from cascade_plan.model.fleet import Sized
from cascade_plan.model.outlook import Outlook
from cascade_plan.model.plan import Plan
from cascade_plan.model.price import Book, PriceKey, Row
from cascade_plan.model.relaxation import Relaxed, WhyNot
from cascade_plan.model.scenario import Scenario
from cascade_plan.planning.pipeline import plan as planned

AS_OF = "2020-01-02"
SOURCE = "synthetic"
EC2 = {
    # name: vCPU, GiB, architecture, USD an hour
    "test.large": (2, 8, "x86_64", "0.1"),
    "test.xlarge": (4, 16, "x86_64", "0.2"),
    "test.2xlarge": (8, 32, "x86_64", "0.4"),
    "test.16xlarge": (64, 256, "x86_64", "3.2"),
    "arm.xlarge": (4, 16, "arm64", "0.25"),
}
RDS = {
    "db.r5.xlarge": (4, 32, "1"),
    "db.r7g.xlarge": (4, 32, "1.1"),
    "db.test.large": (2, 16, "0.25"),
    "db.test.xlarge": (4, 32, "0.5"),
}
CACHE = {"cache.r7g.large": (2, 13, "0.3"), "cache.test.large": (2, 8, "0.25"), "cache.test.xlarge": (4, 16, "0.5")}
SUSTAINED = {"network_bytes_per_s": 1e9, "disk_bytes_per_s": 1e9, "disk_operations_per_s": 100_000.0}
"""Bytes/s of every shape's network and disk, and its disk operations: more than anything here asks for."""
METERED: tuple[tuple[PriceKey, str, str], ...] = (
    (PriceKey("eks", "cluster"), "hour", "0.1"),
    (PriceKey("elb", "alb"), "hour", "0.01"),
    (PriceKey("elb", "alb-lcu"), "lcu_hour", "0.01"),
    (PriceKey("elb", "nlb"), "hour", "0.01"),
    (PriceKey("elb", "nlb-lcu"), "lcu_hour", "0.01"),
    (PriceKey("vpc", "nat-gateway"), "hour", "0.1"),
    (PriceKey("vpc", "nat-gateway-data"), "gib", "0.1"),
    (PriceKey("vpc", "public-ipv4"), "hour", "0.01"),
    (PriceKey("ebs", "gp3-storage"), "gib_month", "0.1"),
    (PriceKey("rds", "storage-gp3", "single_az"), "gib_month", "0.1"),
    (PriceKey("rds", "storage-gp3", "multi_az"), "gib_month", "0.2"),
    (PriceKey("rds", "backup-storage"), "gib_month", "0.1"),
    (PriceKey("transfer", "inter-zone"), "gib", "0.01"),
    (PriceKey("transfer", "internet-out", "0-10240"), "gib", "0.1"),
    (PriceKey("transfer", "internet-out", "10240-"), "gib", "0.05"),
)
COMMITTED: tuple[tuple[PriceKey, str], ...] = (
    (PriceKey("ec2", "test.xlarge", "linux", "spot"), "0.05"),
    (PriceKey("ec2", "test.xlarge", "linux", "reserved_1y_all_upfront"), "0.15"),
    (PriceKey("ec2", "test.large", "linux", "reserved_3y_all_upfront"), "0.04"),
    (PriceKey("rds", "db.r5.xlarge", "single_az", "reserved_1y_all_upfront"), "0.8"),
    (PriceKey("rds", "db.r5.xlarge", "multi_az", "reserved_1y_all_upfront"), "1.6"),
    (PriceKey("elasticache", "cache.test.large", "redis", "reserved_1y_no_upfront"), "0.2"),
    (PriceKey("elasticache", "cache.test.large", "valkey", "reserved_1y_no_upfront"), "0.15"),
)


def _prices() -> Iterator[tuple[PriceKey, str, str]]:
    yield from METERED
    for name, (_, _, _, usd) in EC2.items():
        yield PriceKey("ec2", name, "linux"), "hour", usd
    for name, (_, _, usd) in RDS.items():
        yield PriceKey("rds", name, "single_az"), "hour", usd
        yield PriceKey("rds", name, "multi_az"), "hour", str(2 * float(usd))
    for name, (_, _, usd) in CACHE.items():
        yield PriceKey("elasticache", name, "redis"), "hour", usd
        yield PriceKey("elasticache", name, "valkey"), "hour", str(0.8 * float(usd))
    yield from ((key, "hour", usd) for key, usd in COMMITTED)


def make_book(region: str = "us-east-1", missing: Collection[str] = ()) -> Book:
    """Return a book of synthetic prices, without those whose service, item or whole key is in `missing`."""
    rows: dict[PriceKey, Row] = {
        key: (unit, usd, "", AS_OF, SOURCE, "", "", "", "bundled")
        for key, unit, usd in _prices()
        if not {key.service, key.item, str(key)} & {*missing}
    }
    return Book("aws", region, rows, "synthetic prices")


def make_catalogue() -> Catalogue:
    """Return the shapes that `make_book` prices."""
    shapes: dict[tuple[str, str], Shape] = {
        ("vm", name): Shape(
            "vm", name, vcpu, gib, architecture, interface_count=4, address_count_per_interface=15, **SUSTAINED
        )
        for name, (vcpu, gib, architecture, _) in EC2.items()
    }
    # What is left to the program: nine tenths of a database's memory, three quarters of a cache's.
    for what, named, left in (("database", RDS, 0.9), ("cache", CACHE, 0.75)):
        shapes |= {
            (what, name): Shape(
                what, name, vcpu, gib, usable_memory_gib=left * gib, connection_count_max=5000, **SUSTAINED
            )
            for name, (vcpu, gib, _) in named.items()
        }
    return Catalogue(shapes)


@contextmanager
def small_world() -> Iterator[None]:
    """Make AWS have the shapes of `make_catalogue` and no others, for as long as the block runs."""
    with patch.object(cloud, "catalogue", make_catalogue):
        yield


def make_scenario(**overrides: Any) -> Scenario:
    """Return a small scenario with the values at dotted paths replaced: make_scenario(**{"users.peak": 20_000}).

    Two underscores stand for a dot: make_scenario(users__peak=20_000). None removes a value; "off" turns a tier off.
    It has the standard tiers with the floors of the performance plan: three nodes of each, one replica.
    """
    document: dict[str, Any] = {
        "schema_version": 1,
        "name": "test",
        "users": {"peak": 10_000, "average": 3000, "active_share": 0.1},
        "behaviour": {
            "login": {"request": "POST /login"},
            "actions": {
                "read": {"weight": 3.0, "request": "GET /things", "response_bytes": 2000.0},
                "write": {"weight": 1.0, "request": "POST /things", "database_bytes": 100.0, "publishes": True},
            },
        },
        "loads": {
            "normal": {"users": 1000, "spawn_rate_per_s": 10.0, "duration_s": 600.0, "latency_ms_p95": 200.0},
        },
        "gates": {"latency_ms_p95.normal": ["< 200"], "websocket.connection_count_per_node": [">= 50000"]},
        "budget": {"usd_per_1000_users_month": 50.0},
        "availability": {"level": "critical"},
        "tiers": {
            "cluster": {},
            "api": {"minimum_nodes": 3, "minimum_nodes_scaled_in": 2},
            "websocket": {"minimum_nodes": 3},
            "database": {"shape": "db.r5.xlarge", "minimum_replicas": 1, "tables": {"others": ["rooms"]}},
            "pool": {},
            "cache": {"minimum_nodes": 3, "replicas_per_master": 0},
            "gateway": {},
            "network": {},
            "monitoring": {},
        },
    }
    for path, value in overrides.items():
        *branches, leaf = path.replace("__", ".").split(".")
        place = document
        for branch in branches:
            place = place.setdefault(branch, {})
        if value is None:
            place.pop(leaf, None)
        else:
            place[leaf] = value
    return Scenario.model_validate(document)


def bundled_with(kind: str) -> tuple[str, ...]:
    """Return the bundled scenarios that have a tier of a kind."""
    return tuple(name for name in bundled_scenarios() if read(name).scenario.of(kind))


def bundled_systems() -> tuple[str, ...]:
    """Return the bundled scenarios but for the copies of one in other regions, which emit the same with other names."""
    return tuple(name for name in bundled_scenarios() if not re.search(r"-(us|eu|ap)-[a-z]+-[0-9]$", name))


def make_plan(
    scenario: Scenario | None = None,
    book: Book | None = None,
    *,
    missing: Collection[str] = (),
    outlook: bool = False,
    predicted: bool = False,
    origins: Mapping[str, str] | None = None,
    **overrides: Any,
) -> Plan:
    """Return the plan of a scenario (or of `make_scenario(**overrides)`) in the synthetic world."""
    wanted = make_scenario(**overrides) if scenario is None else scenario
    prices = make_book(wanted.region, missing) if book is None else book
    with small_world():
        made = planned(wanted, prices, origins or {}, predicted=predicted)
    return replace(made, outlook=make_outlook(wanted, prices, origins)) if outlook else made


def make_outlook(
    scenario: Scenario | None = None,
    book: Book | None = None,
    origins: Mapping[str, str] | None = None,
    *,
    missing: Collection[str] = (),
    **overrides: Any,
) -> Outlook:
    """Return what would change the cost of a scenario in the synthetic world."""
    from cascade_plan.choosing.outlook import outlook as explored

    wanted = make_scenario(**overrides) if scenario is None else scenario
    with small_world():
        return explored(wanted, make_book(wanted.region, missing) if book is None else book, origins or {})


def make_why_not(**changes: Any) -> WhyNot:
    """Return what requirements cost of a made-up fleet of $700 with a budget of $500."""
    change = "availability={zones: 1}"
    zone = Relaxed(("a zone may be lost",), Decimal(600), Decimal(0), Decimal(100), ("a zone",), (change,), "loss")
    pair = replace(
        zone,
        names=("a zone may be lost", "nothing is committed for a year"),
        cost_usd_per_month=Decimal(450),
        upfront_usd=Decimal(900),
        saves_usd=Decimal(250),
        gives_up=("a zone", "less use"),
        overrides=("availability={zones: 1}", "optimize.commitment_years_max=1"),
    )
    faster = replace(zone, names=("limits half as long",), saves_usd=Decimal(-8), cost_usd_per_month=Decimal(708))
    none = replace(zone, names=("rows are kept",), saves_usd=None, cost_usd_per_month=None, upfront_usd=None)
    found = WhyNot(
        budget_usd_per_month=Decimal(500),
        cost_usd_per_month=Decimal(700),
        marginal=(zone, none, replace(faster, kind="stricter")),
        irreducible=("a zone may be lost", "rows are kept"),
        least_usd_per_month=Decimal(400),
        sets=(pair,),
        sets_left_count=7,
        crossing_users=17_900,
        looked_at_users=40_000,
    )
    return replace(found, **changes)


def with_text(plan: Plan, text: str) -> Plan:
    """Return the plan with `text` wherever a price file, a trace or a message could bring text of its own."""
    items = tuple(
        replace(
            item, name=text, source=text, sku=text, confirmed_by=text, note=f"weak: {text}", as_of=text, origin=text
        )
        for item in plan.bill.items
    )
    unpriced = tuple(replace(line, name=text) for line in plan.bill.unpriced)
    outlook = plan.outlook
    if outlook is not None:
        rows = tuple(replace(row, source=text) for row in outlook.sensitivities)
        outlook = replace(outlook, sensitivities=rows)
    why_not = plan.why_not
    if why_not is not None:
        given_up = [
            replace(each, names=(text,), gives_up=(text,), overrides=(text,))
            for each in (*why_not.marginal, *why_not.sets)
        ]
        why_not = replace(why_not, marginal=tuple(given_up), sets=tuple(given_up), irreducible=(text,))
    return replace(
        plan,
        scenario=plan.scenario.model_copy(update={"description": text}),
        book=text,
        bill=replace(plan.bill, items=items, unpriced=unpriced, not_priced=(text,)),
        fleet=replace(plan.fleet, tiers={name: _with_shapes(sized, text) for name, sized in plan.fleet.tiers.items()}),
        verdicts=tuple(replace(verdict, reason=verdict.reason and text) for verdict in plan.verdicts),
        findings=tuple(replace(finding, message=text, where=text) for finding in plan.findings),
        outlook=outlook,
        why_not=why_not,
    )


def _with_shapes(sized: Sized, text: str) -> Sized:
    return replace(sized, groups=tuple(replace(group, shape=replace(group.shape, name=text)) for group in sized.groups))
