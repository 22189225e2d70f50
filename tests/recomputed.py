"""Bills worked out again from a scenario's values and the rows of a price book, by no code of cascade_plan.

Taken from the plan are counts and shapes of instances, their pods, and what sizing finds out: how many series there
are, what a database keeps in memory, and what its disk is asked. Every amount of use, unit, tier of a price, term and
sum is worked out here, in fractions.

usage: python tests/recomputed.py      prints every bundled scenario: recomputed, plan, difference
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from fractions import Fraction
from functools import cache, cached_property
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

import yaml

LEVELS = ("floor", "average", "peak", "ceiling")
Band = Mapping[str, Fraction]
Key = tuple[str, str, str, str]
"""Section, item, variant and term of a row."""

GIB = 2**30
MIB = 2**20
MILLION = 10**6
HOURS_OF_A_MEAN_MONTH = 730
EC2 = ("ec2_on_demand", "ec2_spot", "ec2_reserved")
UNITS = {
    "gib": "GiB", "gib_month": "GiB-months", "million_requests": "million requests",
    "million_samples": "million samples", "metric_month": "metric-months",
}  # fmt: skip
WEEKDAY = (
    0.415, 0.343, 0.309, 0.262, 0.226, 0.232, 0.262, 0.434, 0.684, 0.820, 0.845, 0.922,
    0.972, 0.986, 1.000, 0.996, 0.954, 0.753, 0.598, 0.532, 0.501, 0.512, 0.497, 0.488,
)  # fmt: skip
"""The day of the NASA-HTTP log of July 1995 (Arlitt & Williamson 1996), relative to its busiest hour."""
AVAILABILITY = {"minimal": (2, False, False), "standard": (2, True, True), "critical": (3, True, True)}
"""Zones, a standby, a NAT gateway in each zone: docs/scenario.md."""
STEPS = ("nano", "micro", "small", "medium", "large", "xlarge")
EKS_STANDARD_UNTIL = {"1.33": date(2026, 7, 29), "1.34": date(2026, 12, 2), "1.36": date(2027, 8, 2)}
"""https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html"""


def exact(value: float | str) -> Fraction:
    """Return a number as the decimal it is written as."""
    return Fraction(str(value))


def rounded(amount: Fraction) -> Fraction:
    """Return an amount of use as a bill shows it: six decimals, half to even."""
    return Fraction(round(amount * MILLION), MILLION)


def constant(amount: Fraction | int) -> Band:
    """Return an amount that is the same at each level."""
    return dict.fromkeys(LEVELS, Fraction(amount))


def held(month: int, kept: Fraction | None) -> Fraction:
    """Return the mean over a month of what is there of 1 that is added each month and taken away after `kept`."""

    def integral(t: Fraction) -> Fraction:
        return t * t / 2 if kept is None or t <= kept else kept * kept / 2 + kept * (t - kept)

    return integral(Fraction(month)) - integral(Fraction(month - 1))


class Row(NamedTuple):
    """A row of a price book."""

    usd: Fraction
    unit: str
    upfront_usd: Fraction | None
    as_of: str


class Line(NamedTuple):
    """A line of a bill, or what several lines are made of where its price has tiers."""

    name: str
    amount: Band
    key: Key
    usd: Fraction | None = None
    """Its price, where the scenario gives it."""


class Total(NamedTuple):
    """What a line, or a bill, costs."""

    name: str
    usd: Band


@cache
def rows_of(region: str) -> Mapping[Key, Row]:
    """Return the rows of a region's book, those of virtual machines under ec2."""
    path = Path(__file__).parents[1] / "pricing" / "aws" / f"{region}.yaml"
    book = yaml.load(path.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    found = {}
    for section, table in book["sections"].items():
        for row in csv.DictReader(io.StringIO(table["rows"])):
            upfront = Fraction(row["upfront_usd"]) if row["upfront_usd"] else None
            key = ("ec2" if section in EC2 else section, row["item"], row["variant"], row["term"])
            found[key] = Row(Fraction(row["usd"]), row["unit"], upfront, row["as_of"])
    return found


class Recomputed:
    """A bill worked out again.

    `scenario` is its values with all defaults, `plan` the plan's JSON, `as_of` the day that versions are as old as.
    """

    def __init__(self, scenario: Mapping[str, Any], plan: Mapping[str, Any], as_of: date | None = None) -> None:
        """Take what a bill is worked out from."""
        self.scenario, self.plan, self.month = scenario, plan, scenario["month"]
        self.hours = Fraction(scenario["hours_per_month"])
        self.seconds = self.hours * 3600
        self.rows = rows_of(scenario["region"])
        dated = [row.as_of for row in self.rows.values() if row.as_of[:1].isdigit()]
        self.day = as_of or date.fromisoformat(f"{max(dated)}-01-01"[:10])
        level = scenario["availability"]
        zones, standby, per_zone = AVAILABILITY[level["level"]]
        self.zones = level["zones"] or zones
        self.has_standby = standby if level["multi_az"] is None else level["multi_az"]
        self.nat_per_zone = per_zone
        self.tiers = plan["fleet"]["tiers"]

    # ------------------------------------------------------------------------------------------------ the scenario

    def of(self, kind: str) -> Mapping[str, Any]:
        """Return the settings of each tier of a kind."""
        return {name: each for name, each in self.scenario["tiers"].items() if each["kind"] == kind}

    def first(self, kind: str) -> str:
        """Return the name of the first tier of a kind, empty where there is none."""
        return next(iter(self.of(kind)), "")

    @cached_property
    def mix(self) -> list[tuple[Fraction, Mapping[str, Any]]]:
        """Each action with its share of the requests."""
        actions = self.scenario["behaviour"]["actions"].values()
        whole = sum(exact(action["weight"]) for action in actions)
        return [(exact(action["weight"]) / whole, action) for action in actions]

    def mean(self, count: Callable[[Mapping[str, Any]], Fraction]) -> Fraction:
        """Return the mean over the requests of what an action has."""
        return sum((share * count(action) for share, action in self.mix), Fraction(0))

    @cached_property
    def hourly_users(self) -> list[Fraction]:
        """The users of each hour, to a millionth: the day's shape to the power that gives their mean."""
        users = self.scenario["users"]
        peak, mean = users["peak"], users["average"]
        named = {"weekday": WEEKDAY, "flat": (1.0,) * 24}
        weights = named[users["profile"]] if isinstance(users["profile"], str) else users["profile"]
        weights = [max(weight / max(weights), 1e-6) for weight in weights]
        low, high = 0.0, 12.0
        for _ in range(60):
            middle = (low + high) / 2
            is_high = sum(weight**middle for weight in weights) / len(weights) > mean / peak
            low, high = (middle, high) if is_high else (low, middle)
        curve = [weight**high for weight in weights]
        return [min(Fraction(peak), rounded(Fraction(mean * len(curve) * each / sum(curve)))) for each in curve]

    @cached_property
    def users(self) -> Band:
        """The users at each level."""
        users = self.scenario["users"]
        peak = Fraction(users["peak"])
        return {
            "floor": min(self.hourly_users), "average": Fraction(users["average"]), "peak": peak, "ceiling": peak,
        }  # fmt: skip

    def sent(self, users: Fraction) -> Fraction:
        """Return the requests a second of so many users."""
        think = self.scenario["behaviour"]["think_time_s"]
        pause = (exact(think["min"]) + exact(think["max"])) / 2
        return users * exact(self.scenario["users"]["active_share"]) / pause

    def by(self, count: Callable[[str], Fraction]) -> Band:
        """Return an amount of each level."""
        return {level: count(level) for level in LEVELS}

    @cached_property
    def requests(self) -> Band:
        """Requests a second at each level."""
        return self.by(lambda level: self.sent(self.users[level]))

    def per_request(self, each: Fraction, factor: Fraction | int = 1) -> Band:
        """Return what a month's requests come to of something that each has so much of."""
        return self.by(lambda level: self.requests[level] * each * self.seconds * factor)

    # -------------------------------------------------------------------------------------------------- the queries

    def cache_of(self, action: Mapping[str, Any]) -> str:
        """Return the cache that an action's reads ask first."""
        named = action["cache"]
        return self.first("cache") if named is None else "" if named == "off" else str(named)

    def missed(self, action: Mapping[str, Any]) -> Fraction:
        """Return the share of an action's reads that no cache answers."""
        found = self.cache_of(action)
        return 1 - exact(self.scenario["tiers"][found]["hit_ratio"]) if found else Fraction(1)

    def meant(self, action: Mapping[str, Any]) -> Mapping[str, int]:
        """Return an action's reads by database, those of single rows left out."""
        return {self.first("database"): action["read_count"]} if action["reads"] is None else action["reads"]

    def rows_singly(self, action: Mapping[str, Any], database: str) -> int:
        """Return an action's reads of single rows."""
        is_first = database == next(iter(self.meant(action)), "")
        is_single = is_first and self.of("database")[database]["n_plus_one"]
        return int(action["n_plus_one_query_count"]) if is_single else 0

    def reads(self, action: Mapping[str, Any], database: str) -> int:
        """Return all reads of an action that are meant for a database."""
        return self.meant(action).get(database, 0) + self.rows_singly(action, database)

    def all_reads(self, action: Mapping[str, Any]) -> int:
        """Return the reads of an action, of whatever database, or of a cache alone."""
        return sum(self.reads(action, name) for name in self.of("database")) or (
            0 if self.of("database") else action["read_count"]
        )

    def writes(self, action: Mapping[str, Any], database: str) -> int:
        """Return the writes of an action to a database."""
        if action["writes"] is not None:
            return int(action["writes"].get(database, 0))
        return int(action["write_count"]) if database == self.first("database") else 0

    def of_jobs(self, action: Mapping[str, Any], leaf: str, database: str | None = None) -> Fraction:
        """Return the reads or writes of an action's jobs, in a database or in all."""
        found = Fraction(0)
        for worker, jobs in action["jobs"].items():
            settings = self.scenario["tiers"][worker]
            if database in (None, settings["database"] or self.first("database")):
                found += exact(jobs) * settings[leaf]
        return found

    def stored(self, database: str) -> Fraction:
        """Return the bytes that a request stores in a database."""

        def of(action: Mapping[str, Any]) -> Fraction:
            where = next(iter(action["writes"] or {}), self.first("database"))
            return exact(action["database_bytes"]) if where == database else Fraction(0)

        return self.mean(of)

    # ---------------------------------------------------------------------------------------------------- the fleet

    def groups(self, *kinds: str) -> list[Mapping[str, Any]]:
        """Return the groups of instances of all tiers of some kinds, or of all."""
        return [group for tier in self.tiers.values() if not kinds or tier["kind"] in kinds for group in tier["groups"]]

    def count(self, group: Mapping[str, Any]) -> Band:
        """Return how many instances of a group run at each level."""
        return self.by(lambda level: exact(group["count"][level]))

    def workloads(self, *serves: str) -> list[Mapping[str, Any]]:
        """Return the pods that serve something."""
        found = [run for tier in self.tiers.values() for run in tier["workloads"]]
        return [run for run in found if not serves or run["serves"] in serves]

    def figure(self, name: str) -> Fraction:
        """Return a figure of the plan by its dotted name."""
        part: Any = self.plan["figures"]
        for step in name.split("."):
            part = part[step]
        return exact(part)

    def key(self, group: Mapping[str, Any], term: str = "on_demand", shape: str = "", zones: str = "") -> Key:
        """Return where the price of an instance stands."""
        settings, kind = self.scenario["tiers"][group["tier"]], group["shape"]["what"]
        name = shape or group["shape"]["name"]
        if kind == "vm":
            return ("ec2", name, "linux", term)
        if kind == "cache":
            return ("elasticache", name, settings["engine"], term)
        if settings["engine"] == "aurora":
            return ("aurora", name, f"aurora_{settings['io_mode']}", term)
        return ("rds", name, zones or self.zoned(group), term)

    def zoned(self, group: Mapping[str, Any]) -> str:
        """Return whether a database has a standby, in the book's words."""
        return "multi_az" if group["role"] == "primary" and self.has_standby else "single_az"

    def instances(self) -> Iterator[Line]:
        """Yield the hours of instances and their disks."""
        for group in self.groups():
            if group["portions"]:
                yield from self.portions(group)
            else:
                yield from Terms(self, group).lines()
            if gib := group["disk_gib"]:
                amount = {level: count * gib for level, count in self.count(group).items()}
                yield Line(f"{group['name']} volumes (gp3)", amount, ("ebs", "gp3-storage", "", "on_demand"))

    def portions(self, group: Mapping[str, Any]) -> Iterator[Line]:
        """Yield the hours of what has no price as a whole: pods by CPU and memory, a database by its capacity."""
        shape, count = group["shape"], self.count(group)

        def line(what: str, each: Band, key: Key) -> Line:
            amount = self.by(lambda level: count[level] * each[level] * self.hours)
            return Line(f"{group['name']} {what} ({shape['name']})", amount, key)

        if shape["what"] == "database":
            mode = self.scenario["tiers"][group["tier"]]["io_mode"]
            key = ("aurora_storage", "aurora-capacity", f"aurora_{mode}", "on_demand")
            yield line("capacity", self.capacity(group["tier"]), key)
            return
        for what, each in (("CPU", shape["vcpu"]), ("memory", shape["memory_gib"])):
            key = ("fargate", what.lower(), shape["architecture"], "on_demand")
            yield line(what, constant(exact(each)), key)

    # ---------------------------------------------------------------------------------------------------- databases

    def busy_vcpu(self, database: str, requests: Fraction, part: Fraction) -> Fraction:
        """Return the busy vCPU of an instance that has a part of the reads and every write."""
        settings = self.scenario["tiers"][database]
        parse = Fraction(0) if settings["prepared_statements"] else exact(settings["parse_ms"])
        scans = exact(settings["scan_ratio"])

        def read_ms(own: float | None) -> Fraction:
            each = exact(settings["read_ms"] if own is None else own)
            return (1 - scans) * each + scans * exact(settings["scan_ms"]) + parse

        def write_ms(own: float | None) -> Fraction:
            return exact(settings["write_ms"] if own is None else own) + parse

        def of(action: Mapping[str, Any]) -> Fraction:
            reads = self.meant(action).get(database, 0) * read_ms(action["read_ms"])
            reads += self.rows_singly(action, database) * read_ms(None)
            reads = reads * self.missed(action) + self.of_jobs(action, "read_count", database) * read_ms(None)
            writes = self.writes(action, database) * write_ms(action["write_ms"])
            return part * reads + writes + self.of_jobs(action, "write_count", database) * write_ms(None)

        return requests * self.mean(of) / 1000

    def capacity(self, database: str) -> Band:
        """Return the capacity units of an instance, each a quarter of a vCPU, in halves of a unit."""
        settings, replicas = self.scenario["tiers"][database], self.figure(f"{database}.replica_count")

        def units(users: Fraction) -> Fraction:
            busy = self.busy_vcpu(database, self.sent(users), 1 / max(replicas, Fraction(1)))
            wanted = Fraction(ceil(busy * 4 / exact(settings["capacity_busy_ratio"]) * 2), 2)
            return min(exact(settings["capacity_units_max"]), max(exact(settings["capacity_units_min"]), wanted))

        band = {level: units(users) for level, users in self.users.items()}
        return {**band, "average": sum(map(units, self.hourly_users), Fraction(0)) / len(self.hourly_users)}

    def growth_gib(self, database: str) -> Fraction:
        """Return what a mean month adds to a database."""
        return self.requests["average"] * self.stored(database) * HOURS_OF_A_MEAN_MONTH * 3600 / GIB

    def data_gib(self, database: str, month: int) -> Fraction:
        """Return the data at the end of a month."""
        return exact(self.scenario["tiers"][database]["data_gib"] or 0) + self.growth_gib(database) * month

    def disk(self, group: Mapping[str, Any]) -> tuple[int, Fraction, Fraction]:
        """Return the GiB of a disk, and the operations/s and MiB/s that are paid beside it.

        3,000 and 125 are included below 400 GiB, 12,000 and 500 from there on; below 400 none can be bought; 64,000 and
        4,000 at most; four operations/s for each MiB/s. It grows by a tenth, 10 GiB at least, when nine tenths are
        full.
        https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Storage.html#gp3-storage
        """
        name, shape = group["tier"], group["shape"]
        settings, data = self.scenario["tiers"][name], self.data_gib(name, self.month)
        gib = settings["storage_gib"]
        while data * 10 > gib * 9:
            gib += max(10, -(-gib // 10))
        asked = min(self.figure(f"{name}.disk_operations_per_s_peak"), exact(shape["disk_operations_per_s"]))
        moved = min(self.figure(f"{name}.disk_bytes_per_s_peak"), exact(shape["disk_bytes_per_s"]))
        operations = Fraction(settings["provisioned_operations_per_s"] or ceil(min(asked, Fraction(64_000))))
        throughput = Fraction(settings["provisioned_mib_per_s"] or ceil(min(moved / MIB, Fraction(4000))))
        if gib < 400 and (operations > 3000 or throughput > 125):
            gib = 400
        included = (3000, 125) if gib < 400 else (12_000, 500)
        if throughput > included[1]:
            operations = max(operations, 4 * throughput)
        return gib, max(Fraction(0), operations - included[0]), max(Fraction(0), throughput - included[1])

    def databases(self) -> Iterator[Line]:
        """Yield what databases are charged beside their instances."""
        for name, settings in self.of("database").items():
            yield from self.aurora(name) if settings["engine"] == "aurora" else self.rds(name)
            for group in self.tiers[name]["groups"]:
                yield from self.database_credits(group)
            yield from self.backups(name)

    def aurora(self, name: str) -> Iterator[Line]:
        """Yield the storage that all instances share, and its requests where they are paid."""
        settings, called = self.scenario["tiers"][name], name.replace("_", " ")
        variant, gib = (
            f"aurora_{settings['io_mode']}",
            max(Fraction(10), (self.data_gib(name, self.month - 1) + self.data_gib(name, self.month)) / 2),
        )
        key = ("aurora_storage", "aurora-storage", variant, "on_demand")
        yield Line(f"{called} storage", constant(gib), key)
        if settings["io_mode"] != "standard":
            return
        missed, scans = 1 - self.figure(f"{name}.memory_hit_ratio"), exact(settings["scan_ratio"])
        by_read = (1 - scans) * exact(settings["pages_per_read"]) + scans * 500
        reads = self.mean(
            lambda action: self.reads(action, name) * self.missed(action) + self.of_jobs(action, "read_count", name)
        )
        writes = self.mean(lambda action: self.writes(action, name) + self.of_jobs(action, "write_count", name))
        pages = (reads * by_read + writes * exact(settings["pages_per_write"])) * missed
        each = pages + max(writes, self.stored(name) * 2 / 4096)
        key = ("aurora_storage", "aurora-io", variant, "on_demand")
        yield Line(f"{called} I/O requests", self.per_request(each, Fraction(1, MILLION)), key)

    def rds(self, name: str) -> Iterator[Line]:
        """Yield each instance's disk and extended support."""
        for group in self.tiers[name]["groups"]:
            gib, operations, throughput = self.disk(group)
            called = "read replica" if group["name"] == "read replicas" else group["name"]
            for words, item, each in (
                (f"{called} storage", "storage-gp3", Fraction(gib)),
                (f"{group['name']} disk operations", "iops-gp3", operations),
                (f"{group['name']} disk throughput", "throughput-gp3", throughput),
            ):
                amount = {level: count * each for level, count in self.count(group).items()}
                yield Line(words, amount, ("rds_storage", item, self.zoned(group), "on_demand"))
            yield from self.support(group)

    def support(self, group: Mapping[str, Any]) -> Iterator[Line]:
        """Yield the extended support of a version: from the March of its last year on, dearer from the third year.

        https://docs.aws.amazon.com/AmazonRDS/latest/PostgreSQLReleaseNotes/postgresql-release-calendar.html
        """
        version = self.scenario["tiers"][group["tier"]]["version"]
        year = 2013 + int(version)
        if self.day < date(year, 3, 1):
            return
        item = "extended-support-year3" if self.day >= date(year + 2, 3, 1) else "extended-support-year1-2"
        vcpu = exact(group["shape"]["vcpu"]) * (2 if self.zoned(group) == "multi_az" else 1)
        amount = {level: count * vcpu * self.hours for level, count in self.count(group).items()}
        name = f"{group['name']}, extended support of PostgreSQL {version}"
        yield Line(name, amount, ("rds_other", item, "", "on_demand"))

    def database_credits(self, group: Mapping[str, Any]) -> Iterator[Line]:
        """Yield the CPU time of a burstable class above what it earns credits for."""
        shape, name = group["shape"], group["tier"]
        if not shape["burstable"] or shape["cpu_baseline_ratio"] is None:
            return
        replicas = self.figure(f"{name}.replica_count")
        part = 1 / replicas if group["role"] == "replicas" else Fraction(0 if replicas else 1)

        def above(level: str) -> Fraction:
            busy = min(exact(shape["vcpu"]), self.busy_vcpu(name, self.requests[level], part))
            earned = exact(shape["vcpu"]) * exact(shape["cpu_baseline_ratio"])
            return max(Fraction(0), busy - earned) * self.hours * exact(group["count"][level])

        family = shape["name"].split(".")[1]
        yield Line(
            f"{group['name']} CPU credits", self.by(above), ("rds_other", f"cpu-credits-{family}", "", "on_demand")
        )

    def backups(self, name: str) -> Iterator[Line]:
        """Yield what backups take beyond what is free: the size of the disk, or of Aurora's data."""
        settings, data = self.scenario["tiers"][name], self.data_gib(name, self.month)
        is_aurora = settings["engine"] == "aurora"
        free = data if is_aurora else Fraction(self.disk(self.tiers[name]["groups"][0])[0])
        days, snapshot = settings["backup_retention_days"], exact(settings["snapshot_gib"])
        changed = self.growth_gib(name) * 2 * 12 / 365 * days
        kept = max(Fraction(0), data + changed + snapshot - free) if days else snapshot
        if settings["backup_gib"] is not None:
            kept = exact(settings["backup_gib"])
        section, item = ("aurora_storage", "aurora-backup") if is_aurora else ("rds_storage", "backup-storage")
        yield Line(f"{name.replace('_', ' ')} backup", constant(kept), (section, item, "", "on_demand"))

    def proxies(self) -> Iterator[Line]:
        """Yield managed pools, by the vCPU behind them, two of an instance at least."""
        for name, settings in self.of("pool").items():
            database = settings["database"] or self.first("database")
            behind = self.tiers[database]["groups"]
            if not settings["managed"] or behind[0]["portions"]:
                continue
            if self.scenario["tiers"][database]["engine"] != "aurora":
                behind = [group for group in behind if group["role"] == "primary"]
            vcpu = sum(
                max(Fraction(2), exact(group["shape"]["vcpu"])) * exact(group["count"]["average"]) for group in behind
            )
            key = ("rds_other", "proxy", "", "on_demand")
            yield Line(f"{name.replace('_', ' ')} proxy", constant(vcpu * self.hours), key)

    # -------------------------------------------------------------------------------------- caches and open connections

    def opened(self, level: str) -> Fraction:
        """Return the connections that stay open."""
        each = sum(exact(settings["connections_per_user"]) for settings in self.of("websocket").values())
        return self.users[level] * each

    def streamed(self, level: str) -> Fraction:
        """Return the bytes/s that open connections carry, in and out."""
        return self.beats(level) + self.delivered(level)

    def beats(self, level: str) -> Fraction:
        """Return the bytes/s of heartbeats, half of which are answers."""
        return sum(
            (
                self.users[level] * exact(each["connections_per_user"]) * exact(each["heartbeat_bytes"])
                / exact(each["heartbeat_interval_s"])
                for each in self.of("websocket").values()
            ),
            Fraction(0),
        )  # fmt: skip

    def delivered(self, level: str) -> Fraction:
        """Return the bytes/s of messages that are delivered: to a room's others, or to all of a tenant."""
        found = Fraction(0)
        for settings in self.of("websocket").values():
            each = exact(settings["connections_per_user"])
            heard = {
                "room": exact(settings["recipients_per_message"]) * each,
                "tenant": self.users[level] * each / self.scenario["users"]["tenants"],
            }
            count = self.mean(lambda action, heard=heard: action["publishes"] * heard[action["audience"]])  # type: ignore[misc]
            found += self.requests[level] * count * exact(settings["message_bytes"])
        return found

    @cached_property
    def published(self) -> Fraction:
        """The share of requests that publish a message."""
        return self.mean(lambda action: Fraction(action["publishes"]))

    @cached_property
    def listeners(self) -> Fraction:
        """The nodes that a message goes to in the mean: n less those n (1 - 1/n)^k where none of its k readers is."""
        nodes = sum(int(group["count"]["ceiling"]) for group in self.groups("websocket"))
        if not nodes or not self.published:
            return Fraction(0)
        (settings,) = self.of("websocket").values()
        each = exact(settings["connections_per_user"])
        readers = {
            "room": (exact(settings["recipients_per_message"]) + 1) * each,
            "tenant": self.users["peak"] * each / self.scenario["users"]["tenants"],
        }
        empty = {name: Fraction((1 - 1 / nodes) ** float(max(1, count))) for name, count in readers.items()}
        missed = self.mean(lambda action: action["publishes"] * empty[action["audience"]])
        return nodes * (1 - missed / self.published)

    def caches(self) -> Iterator[Line]:
        """Yield what a cache without nodes stores and is asked.

        At least 1 GB of Redis and 0.1 of Valkey; a unit moves 1 KiB: https://aws.amazon.com/elasticache/pricing/. The
        state of a connection is 266 bytes and 167 of index, measured on Redis 7.0.15.
        """
        for name, settings in self.of("cache").items():
            if not settings["serverless"]:
                continue
            carries = name == self.first("cache")
            least = Fraction(1) if settings["engine"] == "redis" else Fraction(1, 10)
            kept = self.cached_bytes(name) / GIB if settings["data_gib"] is None else exact(settings["data_gib"])

            def stored(level: str, kept: Fraction = kept, least: Fraction = least, carries: bool = carries) -> Fraction:
                state = self.opened(level) * 433 / GIB if carries else 0
                return max(least, kept + state) * self.hours

            def units(level: str, name: str = name, carries: bool = carries) -> Fraction:
                each = self.requests[level] * self.mean(lambda action: self.look_up_units(action, name))
                return (each + (self.stream_units(level, name) if carries else 0)) * self.seconds / MILLION

            called, engine = name.replace("_", " "), settings["engine"]
            section = "elasticache_serverless"
            yield Line(f"{called} storage", self.by(stored), (section, "serverless-storage", engine, "on_demand"))
            yield Line(f"{called} requests", self.by(units), (section, "serverless-ecpu", engine, "on_demand"))

    def cached_bytes(self, name: str) -> Fraction:
        """Return an answer of each action that asks a cache, for each user at peak."""
        asking = [action for _, action in self.mix if self.cache_of(action) == name and self.all_reads(action)]
        return self.users["peak"] * sum(exact(action["response_bytes"]) for action in asking)

    def look_up_units(self, action: Mapping[str, Any], name: str) -> Fraction:
        """Return the processing units of an action's look-ups: a miss asks once, and writes what it found."""
        reads = self.all_reads(action)
        if self.cache_of(action) != name or not reads:
            return Fraction(0)
        moved = max(Fraction(1), exact(action["response_bytes"]) / reads / 1024)
        return reads * (moved + self.missed(action))

    def stream_units(self, level: str, name: str) -> Fraction:
        """Return the processing units a second of messages, once in and once to each node, and of heartbeats."""
        found = Fraction(0)
        for settings in self.of("websocket").values():
            each = max(Fraction(1), exact(settings["message_bytes"]) / 1024)
            found += self.requests[level] * self.published * (1 + self.listeners) * each
            renewed = exact(self.scenario["tiers"][name]["processing_units_per_renewal"])
            found += self.opened(level) * renewed / exact(settings["heartbeat_interval_s"])
        return found

    # ------------------------------------------------------------------------------------------ balancers and network

    def part(self, leaf: str, level: str) -> Fraction:
        """Return the bytes/s of requests or of responses."""
        header = exact(self.scenario["behaviour"]["header_bytes"])
        return self.requests[level] * (header + self.mean(lambda action: exact(action[leaf])))

    def gateways(self) -> Iterator[Line]:
        """Yield load balancers and their capacity units: the largest of three, of each balancer.

        An ALB's unit is 25 new connections/s, 3,000 open ones, 1 GiB an hour, an NLB's of TLS 50, 3,000, 1:
        https://aws.amazon.com/elasticloadbalancing/pricing/. Beside an open connection each user keeps one alive.
        """
        for settings in self.of("gateway").values():
            kind = settings["balancer"]
            new_per_s = 25 if kind == "alb" else 50
            balancers = self.balancers(settings)
            many = "s" if len(balancers) > 1 else ""
            hours = constant(len(balancers) * self.hours)
            yield Line(f"{kind.upper()} load balancer{many}", hours, ("load_balancer", kind, "", "on_demand"))

            def units(
                level: str, balancers: list[tuple[Band, Fraction, Band]] = balancers, new_per_s: int = new_per_s
            ) -> Fraction:
                return self.hours * sum(
                    max(open_[level] / lasting / new_per_s, open_[level] / 3000, moved[level] * 3600 / GIB)
                    for open_, lasting, moved in balancers
                )

            key = ("load_balancer", f"{kind}-lcu", "", "on_demand")
            yield Line(f"{kind.upper()} capacity units", self.by(units), key)

    def balancers(self, settings: Mapping[str, Any]) -> list[tuple[Band, Fraction, Band]]:
        """Return the open connections, how long they last, and the bytes/s of each balancer."""
        sockets = self.of("websocket").values()
        lasting = [exact(each["connection_lifetime_s"]) for each in sockets]
        opened, streamed = self.by(self.opened), self.by(self.streamed)
        answered = self.by(lambda level: self.part("request_bytes", level) + self.part("response_bytes", level))
        if settings["shared"] or not sockets:
            both = self.by(lambda level: answered[level] + streamed[level])
            users = self.by(lambda level: self.users[level] + opened[level])
            return [(users, lasting[-1] if lasting else Fraction(3600), both)]
        return [(self.users, Fraction(3600), answered), (opened, lasting[-1], streamed)]

    @property
    def objects_read(self) -> Fraction:
        """How often an object is read."""
        return sum((exact(each["read_count_per_write"]) for each in self.of("objects").values()), Fraction(0))

    @cached_property
    def object_bytes(self) -> Fraction:
        """The bytes of objects that a request writes."""
        return self.mean(lambda action: exact(action["object_bytes"]))

    def networks(self) -> Iterator[Line]:
        """Yield NAT, addresses and traffic."""
        for settings in self.of("network").values():
            given = settings["nat_gateway_per_zone"]
            nats = (
                0 if settings["nat"] == "off" else self.zones if (self.nat_per_zone if given is None else given) else 1
            )
            yield from self.nat(settings, nats)
            balancers = sum(len(self.balancers(each)) for each in self.of("gateway").values())
            behind = self.by(self.nodes) if settings["nat"] == "off" else constant(nats)
            addresses = {level: (count + balancers * self.zones) * self.hours for level, count in behind.items()}
            yield Line("public IPv4 addresses", addresses, ("network", "public-ipv4", "", "on_demand"))
            crossing = self.by(lambda level, settings=settings: self.crossing(settings, level))  # type: ignore[misc]
            yield Line("traffic between zones", crossing, ("transfer", "inter-zone", "", "on_demand"))

            def out(level: str) -> Fraction:
                objects = self.requests[level] * self.object_bytes * self.objects_read
                streams = self.delivered(level) + self.beats(level) / 2
                return (self.part("response_bytes", level) + streams + objects) * self.seconds / GIB

            yield Line("traffic to the internet", self.by(out), ("transfer", "internet-out", "tiered", "on_demand"))

    def nat(self, settings: Mapping[str, Any], count: int) -> Iterator[Line]:
        """Yield gateways and what passes them, or machines, of which what passes costs nothing."""
        if settings["nat"] == "instance":
            offers = [usage["offer"] for usage in self.tiers[self.first("network")]["usages"]]
            shape = next(name for what, name, _ in offers if what == "vm")
            key = ("ec2", shape, "linux", "on_demand")
            yield Line(f"NAT instances ({shape})", constant(count * self.hours), key)
            yield Line("NAT instances volumes", constant(count * 8), ("ebs", "gp3-storage", "", "on_demand"))
        if settings["nat"] != "gateway":
            return
        yield Line("NAT gateways", constant(count * self.hours), ("network", "nat-gateway", "", "on_demand"))
        each = exact(settings["nat_gib_per_node_month"])
        passed = self.by(lambda level: self.nodes(level) * each)
        key = ("network", "nat-gateway-data", "", "on_demand")
        yield Line("NAT traffic", passed, key)
        store = next(iter(self.of("objects").values()), None)
        if store and store["moved_by"] == "pods" and not settings["object_endpoint"]:
            moved = self.per_request(self.object_bytes * (1 + self.objects_read), Fraction(1, GIB))
            yield Line("objects through NAT", moved, key)

    def nodes(self, level: str) -> Fraction:
        """Return the machines that reach the internet, pods without a node among them."""
        there = (exact(group["count"][level]) for group in self.groups() if group["shape"]["what"] in ("vm", "pod"))
        return sum(there, Fraction(0))

    def crossing(self, settings: Mapping[str, Any], level: str) -> Fraction:
        """Return the GiB a month between zones, as often as they are charged: of a cache on one side, else on both."""
        query = exact(settings["bytes_per_query"])
        queries = self.mean(self.queries)
        look_ups = self.mean(lambda action: Fraction(self.all_reads(action) if self.cache_of(action) else 0))
        message = sum(exact(each["message_bytes"]) for each in self.of("websocket").values())
        published = self.requests[level] * self.published * message * self.listeners
        scraped = sum(
            (
                self.figure(f"{name}.series_count") * exact(settings["scrape_bytes_per_series"])
                / exact(each["scrape_interval_s"])
                for name, each in self.of("monitoring").items()
            ),
            Fraction(0),
        )  # fmt: skip
        both = self.requests[level] * queries * query + self.streamed(level) + scraped
        one = self.requests[level] * look_ups * query
        if self.of("cache"):
            one += published
        else:
            both += published
        return (2 * both + one) * self.seconds / GIB * (1 - Fraction(1, self.zones))

    def queries(self, action: Mapping[str, Any]) -> Fraction:
        """Return the queries of databases that an action makes, and its jobs."""
        own = sum(
            self.reads(action, name) * self.missed(action) + self.writes(action, name) for name in self.of("database")
        )
        return own + self.of_jobs(action, "read_count") + self.of_jobs(action, "write_count")

    # ------------------------------------------------------------------------------------------------ what is kept

    def objects(self) -> Iterator[Line]:
        """Yield what is stored in the mean of a month, by its class, and the requests."""
        for settings in self.of("objects").values():
            added = self.by(lambda level: self.requests[level] * self.object_bytes * HOURS_OF_A_MEAN_MONTH * 3600 / GIB)
            moved, deleted = (
                None if settings[leaf] is None else Fraction(settings[leaf])
                for leaf in ("infrequent_after_months", "deleted_after_months")
            )
            near = held(self.month, min((each for each in (moved, deleted) if each is not None), default=None))
            far = held(self.month, deleted) - near
            first = exact(settings["stored_gib"])
            stored = {level: gib * near + first for level, gib in added.items()}
            yield Line("stored objects", stored, ("object_storage", "storage", "tiered", "on_demand"))
            kept = {level: gib * far for level, gib in added.items()}
            key = ("object_storage", "storage-infrequent", "", "on_demand")
            yield Line("stored objects, infrequent access", kept, key)
            written = self.mean(lambda action: Fraction(bool(action["object_bytes"])))
            for words, item, each in (
                ("object writes", "requests-write", exact(settings["requests_per_write"])),
                ("object reads", "requests-read", exact(settings["read_count_per_write"])),
            ):
                amount = self.per_request(written * each, Fraction(1, MILLION))
                yield Line(words, amount, ("object_storage", item, "", "on_demand"))

    def telemetry(self) -> Iterator[Line]:
        """Yield logs, custom metrics and alarms."""
        for settings in self.of("telemetry").values():
            written = self.per_request(exact(settings["log_bytes_per_request"]), Fraction(1, GIB))
            yield Line("logs written", written, ("cloudwatch", "logs-ingested", "", "on_demand"))
            there = held(self.month, Fraction(settings["log_retention_days"] * 12, 365)) * exact(
                settings["stored_ratio"]
            )
            # What accumulates does so by the average month, whatever hours a budget counts.
            stored = {level: gib * there * 730 / exact(self.hours) for level, gib in written.items()}
            yield Line("logs stored", stored, ("cloudwatch", "logs-stored", "", "on_demand"))
            metrics, alarms = constant(settings["metric_count"]), constant(settings["alarm_count"])
            yield Line("metrics", metrics, ("cloudwatch", "metric", "tiered", "on_demand"))
            yield Line("alarms", alarms, ("cloudwatch", "alarm", "", "on_demand"))

    def prometheus(self) -> Iterator[Line]:
        """Yield the samples of a managed Prometheus: the series of the pods that run, once every interval."""
        for name, settings in self.of("monitoring").items():
            if not settings["managed"]:
                continue
            per_s = self.by(lambda level, name=name: self.series(name, level))  # type: ignore[misc]
            per_s = {level: series / exact(settings["scrape_interval_s"]) for level, series in per_s.items()}
            samples = {level: rate * self.seconds / MILLION for level, rate in per_s.items()}
            kept_bytes = settings["retention_days"] * 86_400 * exact(settings["bytes_per_sample"])
            kept = {level: rate * kept_bytes / GIB for level, rate in per_s.items()}
            read = {level: amount * exact(settings["read_ratio"]) for level, amount in samples.items()}
            yield Line("metric samples", samples, ("prometheus", "samples-ingested", "tiered", "on_demand"))
            yield Line("metric storage", kept, ("prometheus", "storage", "", "on_demand"))
            yield Line("metric queries", read, ("prometheus", "query-samples", "", "on_demand"))

    def series(self, name: str, level: str) -> Fraction:
        """Return the series of the pods that run at a level, from the plan's count of those of all pods at the most."""
        settings = self.scenario["tiers"][name]
        tenants = self.scenario["users"]["tenants"] if settings["label_by_tenant"] else 1
        others = sum(run["replica_count_max"] for run in self.workloads("requests", "jobs"))
        queries = self.figure(f"{name}.query_series_count") / others if self.of("database") and others else 0
        of_a_pod = queries + (1 if self.of("pool") else 0)
        groups = {group["name"]: group for group in self.groups()}
        found = Fraction(0)
        for run in self.workloads():
            nodes = exact(groups[run["group"]]["count"][level])
            least, most = run["replica_count_min"], run["replica_count_max"]
            pods = min(
                Fraction(most), max(Fraction(least), nodes * run["pod_count_per_node"] - run["reserved_pod_count"])
            )
            own = tenants if run["serves"] == "connections" else of_a_pod
            found += pods * (own + settings["other_series_per_pod"])
        return found

    # ------------------------------------------------------------------------------------------------- all the others

    def node_credits(self) -> Iterator[Line]:
        """Yield the CPU time of requests above what burstable nodes earn credits for."""
        for group in self.groups("api"):
            shape, count = group["shape"], self.count(group)
            if not shape["burstable"] or shape["cpu_baseline_ratio"] is None:
                continue
            services = [name for name, each in self.of("api").items() if (each["nodes_of"] or name) == group["tier"]]
            ms = self.mean(
                lambda action, services=services: (
                    exact(action["cpu_ms"])  # type: ignore[misc]
                    * ((action["at"] or self.first("api")) in services)
                )
            )

            def above(level: str, shape: Any = shape, count: Band = count, ms: Fraction = ms) -> Fraction:
                cores = exact(shape["vcpu"]) * count[level]
                busy = min(cores, self.requests[level] * ms / 1000)
                return max(Fraction(0), busy - cores * exact(shape["cpu_baseline_ratio"])) * self.hours

            key = ("ec2_credits", f"cpu-credits-{shape['name'].split('.')[0]}", "linux", "on_demand")
            yield Line(f"{group['name']} CPU credits", self.by(above), key)

    def clusters(self) -> Iterator[Line]:
        """Yield control planes, and where they have no node the pods of their own."""
        for settings in self.of("cluster").values():
            version, hours = settings["version"], constant(self.hours)
            yield Line("EKS control plane", hours, ("eks", "cluster", "", "on_demand"))
            if version in EKS_STANDARD_UNTIL and self.day >= EKS_STANDARD_UNTIL[version]:
                name = f"extended support of Kubernetes {version}"
                yield Line(name, hours, ("eks", "cluster-extended-support", "", "on_demand"))
            kinds = ("api", "websocket", "worker", "monitoring")
            if not any(group["shape"]["what"] == "vm" for group in self.groups(*kinds)):
                # Two of CoreDNS and two of metrics-server, each in the smallest pod of Fargate.
                for what, each in (("CPU", Fraction(1, 4)), ("memory", Fraction(1, 2))):
                    amount = constant(4 * each * self.hours)
                    yield Line(f"cluster pods {what}", amount, ("fargate", what.lower(), "x86_64", "on_demand"))

    def queues(self) -> Iterator[Line]:
        """Yield the requests of jobs, each 64 KiB one, and of idle workers that ask for some."""
        for name, settings in self.of("queue").items():
            each = exact(settings["requests_per_job"]) * max(1, ceil(exact(settings["job_bytes"]) / 65_536))
            takers = [run for run in self.workloads("jobs") if run["queue"] == name]
            groups = {group["name"]: group for group in self.groups("worker")}

            def asked(
                level: str, each: Fraction = each, takers: Any = takers, groups: Any = groups, settings: Any = settings
            ) -> Fraction:
                found = Fraction(0)
                for run in takers:
                    worker = run["tier"]
                    jobs = self.mean(lambda action: exact(action["jobs"].get(worker, 0)))  # noqa: B023
                    scheduled = exact(self.scenario["tiers"][worker]["scheduled_jobs_per_s"])
                    pods = exact(groups[run["group"]]["count"][level]) * run["pod_count_per_node"]
                    found += (self.requests[level] * jobs + scheduled) * each + pods / exact(settings["poll_s"])
                return found * self.seconds / MILLION

            yield Line(f"{name} requests", self.by(asked), ("queue", "requests", "tiered", "on_demand"))

    def small(self) -> Iterator[Line]:
        """Yield images, secrets, and lines by hand."""
        for settings in self.of("registry").values():
            images = len({run["image"] for run in self.workloads()})
            gib = images * settings["version_count"] * exact(settings["image_gib"])
            yield Line("container images", constant(gib), ("image_storage", "storage", "", "on_demand"))
        for settings in self.of("secrets").values():
            yield Line("secrets", constant(settings["count"]), ("secrets", "secret", "", "on_demand"))
            asked = constant(exact(settings["million_requests_per_month"]))
            yield Line("requests for secrets", asked, ("secrets", "requests", "", "on_demand"))
        for settings in self.of("extra").values():
            for name, line in settings["lines"].items():
                amount, usd = self.by_hand(line)
                yield Line(name.replace("_", " "), constant(amount), ("", "", "", ""), usd=usd)

    def by_hand(self, line: Mapping[str, Any]) -> tuple[Fraction, Fraction]:
        """Return the amount and the price of a line by hand."""
        if line["usd_per_user_month"] is not None:
            return Fraction(self.scenario["users"][line["users"]]), exact(line["usd_per_user_month"])
        if line["units_per_month"] is not None:
            return exact(line["units_per_month"]), exact(line["usd_per_unit"])
        return Fraction(1), exact(line["usd_per_month"])

    # ---------------------------------------------------------------------------------------------------- the money

    def used(self) -> Iterator[Line]:
        """Yield all use of the month."""
        parts = (
            self.instances(), self.node_credits(), self.clusters(), self.databases(), self.proxies(), self.caches(),
            self.gateways(), self.networks(), self.objects(), self.telemetry(), self.prometheus(), self.queues(),
            self.small(),
        )  # fmt: skip
        for part in parts:
            yield from part

    def priced(self, line: Line) -> Iterator[Total]:
        """Yield what a line costs, of a tiered price each tier that is reached."""
        amount = {level: rounded(each) for level, each in line.amount.items()}
        section, item, variant, term = line.key
        if line.usd is not None:
            yield Total(line.name, {level: each * line.usd for level, each in amount.items()})
        elif variant != "tiered":
            if any(amount.values()):
                usd = self.rows[line.key].usd
                yield Total(line.name, {level: each * usd for level, each in amount.items()})
        else:
            for key, row in self.rows.items():
                if (*key[:2], key[3]) == (section, item, term):
                    yield from tier(line.name, amount, key[2], row)

    def lines(self) -> list[Total]:
        """Return the lines of the bill."""
        priced = (total for line in self.used() for total in self.priced(line))
        return [total for total in priced if any(total.usd.values())]

    def total(self) -> Band:
        """Return what the month costs at each level."""
        lines = self.lines()
        return self.by(lambda level: sum((line.usd[level] for line in lines), Fraction(0)))

    def per_1000_users(self, users: str) -> Fraction:
        """Return the cost of 1000 users at the level that the budget is of."""
        return self.total()[self.scenario["budget"]["level"]] * 1000 / int(self.scenario["users"][users])

    def upfront_usd(self) -> Fraction:
        """Return what is paid on the first day for all commitments."""
        return sum((Terms(self, group).upfront_usd() for group in self.groups()), Fraction(0))


def tier(name: str, amount: Band, bounds: str, row: Row) -> Iterator[Total]:
    """Yield what lies within a tier, if anything does."""
    begin, _, end = bounds.partition("-")
    start = Fraction(begin)
    part = {
        level: max(Fraction(0), (each if not end else min(each, Fraction(end))) - start)
        for level, each in amount.items()
    }
    if any(part.values()):
        words = f"{int(begin):,}-{int(end):,}" if end else f"above {int(begin):,}"
        yield Total(f"{name} ({words} {UNITS[row.unit]})", {level: each * row.usd for level, each in part.items()})


class Bought(NamedTuple):
    """What is bought for a share of a group."""

    term: str
    instances: Fraction
    covered: Fraction
    """How many of the running instances it pays for."""
    key: Key
    label: str


class Terms:
    """How a group of instances is paid."""

    def __init__(self, bill: Recomputed, group: Mapping[str, Any]) -> None:
        """Take the purchase of the group's tier."""
        self.bill, self.group = bill, group
        settings = bill.scenario["tiers"][group["tier"]]
        given = settings.get("purchase", "on_demand")
        shares = {given: 1} if isinstance(given, str) else given
        self.shares = {} if group["portions"] else {name: exact(each) for name, each in shares.items()}
        self.shares.pop("on_demand", None)
        self.level = settings.get("commitment_level", "floor")

    def described(self, name: str, zones: str) -> str:
        """Return an instance as a line names it."""
        is_database = self.group["shape"]["what"] == "database"
        return f"{name}, multi-AZ" if is_database and zones == "multi_az" else name

    def zones(self) -> str:
        """Return whether its instances have a standby, in the book's words; empty where that is no question."""
        settings = self.bill.scenario["tiers"][self.group["tier"]]
        is_rds = self.group["shape"]["what"] == "database" and settings["engine"] == "postgres"
        return self.bill.zoned(self.group) if is_rds else ""

    def sizes(self, term: str) -> Iterator[tuple[Fraction, str, str]]:
        """Yield what may be reserved: its part of a running instance, name and zones, where both prices are known.

        A size is twice the one before, by the tables of normalised units:
        https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/apply_ri.html
        """
        own, zones = self.group["shape"]["name"], self.zones()
        family, _, size = own.rpartition(".")
        units = {f"{family}.{name}": weight for name in sizes_of_book() if (weight := weight_of(name))}
        others = sorted(((weight, name) for name, weight in units.items()), reverse=True)
        yield Fraction(1), own, zones
        if not weight_of(size):
            return
        for other in [zones, *(["single_az"] if zones == "multi_az" else [])]:
            half = 1 if other == zones else 2
            for weight, name in others:
                known = [self.bill.key(self.group, each, name, other) in self.bill.rows for each in (term, "on_demand")]
                if weight <= units[own] and (name, other) != (own, zones) and all(known):
                    yield weight / units[own] / half, name, other

    def bought(self) -> Iterator[Bought]:
        """Yield what each commitment buys."""
        running, name, zones = exact(self.group["count"][self.level]), self.group["shape"]["name"], self.zones()
        label = f"{self.group['name']} ({self.described(name, zones)})"
        for term, share in self.shares.items():
            wanted = share * running
            if term == "spot":
                continue
            if not term.startswith("reserved"):
                key = self.bill.key(self.group, term)
                yield Bought(term, wanted, wanted, key, label)
                continue
            best: tuple[Fraction, Fraction, str, str] | None = None
            for ratio, other, in_zones in self.sizes(term):
                covered = wanted // ratio * ratio
                if best is None or covered > best[0]:
                    best = covered, ratio, other, in_zones
            assert best is not None
            covered, ratio, other, in_zones = best
            count, words = covered / ratio, label
            if (other, in_zones) != (name, zones):
                verb = "covers" if count == 1 else "cover"
                words = (
                    f"{self.group['name']} ({int(count):,} x {self.described(other, in_zones)} {verb} "
                    f"{float(covered):.6g} x {self.described(name, zones)})"
                )
            yield Bought(term, count, covered, self.bill.key(self.group, term, other, in_zones), words)

    def running(self, count: Fraction) -> Band:
        """Return the hours that the first so many instances run: at the average, in each hour of the day."""
        hours, group = self.bill.hours, self.group
        first = {level: min(each, count) * hours for level, each in self.bill.count(group).items()}
        if group["hourly_count"]:
            mean = sum(min(exact(each), count) for each in group["hourly_count"]) / len(group["hourly_count"])
            first["average"] = min(first["average"], Fraction(mean) * hours)
        return first

    def lines(self) -> Iterator[Line]:
        """Yield commitments, which are paid whether they run or not, then spot, then what is left on demand."""
        hours = self.bill.hours
        left = {level: each * hours for level, each in self.bill.count(self.group).items()}
        covered = Fraction(0)
        for each in self.bought():
            before, after = self.running(covered), self.running(covered + each.covered)
            covered += each.covered
            taken = {level: min(left[level], after[level] - before[level]) for level in LEVELS}
            left = {level: left[level] - taken[level] for level in LEVELS}
            if taken["ceiling"]:
                yield Line(f"{each.label}, {each.term}", constant(each.instances * hours), each.key)
        label = f"{self.group['name']} ({self.described(self.group['shape']['name'], self.zones())})"
        if "spot" in self.shares:
            all_hours = {level: each * hours for level, each in self.bill.count(self.group).items()}
            taken = {level: min(left[level], all_hours[level] * self.shares["spot"]) for level in LEVELS}
            left = {level: left[level] - taken[level] for level in LEVELS}
            yield Line(f"{label}, spot", taken, self.bill.key(self.group, "spot"))
        is_whole = list(self.shares.values()) == [1] and next(iter(self.shares)).startswith("reserved")
        rest = "" if not self.shares else ", above the reservation" if is_whole else ", on demand"
        yield Line(f"{label}{rest}", left, self.bill.key(self.group))

    def upfront_usd(self) -> Fraction:
        """Return what is paid on the first day: what the book says, or all of the term, or half of a savings plan."""
        found = Fraction(0)
        for each in self.bought():
            row = self.bill.rows[each.key]
            part = Fraction(1) if "_all_" in each.term else Fraction(1, 2) if "_partial_" in each.term else Fraction(0)
            hours = 8760 * (3 if "_3y_" in each.term else 1)
            known = Fraction(round(row.usd * hours * part * 100), 100) if row.upfront_usd is None else row.upfront_usd
            found += each.instances * known
        return found


def sizes_of_book() -> list[str]:
    """Return the sizes of a family that count for reservations."""
    return [*STEPS, *(f"{times}xlarge" for times in (2, 3, 4, 6, 8, 9, 10, 12, 16, 18, 24, 32, 48))]


def weight_of(size: str) -> Fraction | None:
    """Return what a size weighs: nano a quarter, small 1, large 4, xlarge 8 and each multiple of it."""
    if size in STEPS:
        return Fraction(2) ** (STEPS.index(size) - 2)
    times = size.removesuffix("xlarge")
    return Fraction(8 * int(times)) if times.isdigit() else None


def planned(name: str, changes: Mapping[str, str], as_of: date | None = None) -> tuple[Any, Recomputed]:
    """Return the plan of a bundled scenario with some values set, and its bill worked out again."""
    from cascade_plan.files.assignments import Assignment
    from cascade_plan.inputs.scenarios import read
    from cascade_plan.model.plan import to_json
    from cascade_plan.planning.pipeline import plan

    given = read(name, [Assignment("--set", path, value) for path, value in changes.items()], cached=False)
    found = plan(given.scenario, given.book, given.origins, as_of, predicted=False, with_margins=False)
    return found, Recomputed(given.scenario.model_dump(mode="json"), json.loads(to_json(found)), as_of)


def main() -> None:
    """Print every bundled scenario at each level: recomputed, plan, difference."""
    from cascade_plan.inputs.scenarios import bundled_scenarios

    write = sys.stdout.write
    write(f"{'scenario':24} {'level':8} {'recomputed':>16} {'plan':>16} {'difference':>12}\n")
    for name in bundled_scenarios():
        plan, again = planned(name, {})
        for level, usd in again.total().items():
            theirs = getattr(plan.bill.effective_usd, level)
            off = float(usd - Fraction(theirs))
            write(f"{name:24} {level:8} {float(usd):16,.6f} {theirs:16,.6f} {off:12.6f}\n")


if __name__ == "__main__":
    main()
