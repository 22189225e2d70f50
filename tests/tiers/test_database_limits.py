"""What a database can do at most, by hand, and as laws of its plans."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.clouds.aws import cloud
from cascade_plan.inputs.scenarios import read
from cascade_plan.model.plan import Plan
from cascade_plan.planning.pipeline import plan
from cascade_plan.planning.sizing import places
from cascade_plan.tiers.database.settings import Settings
from cascade_plan.tiers.database.work import pages_gib, read_wait

SHAPES = ("db.t4g.medium", "db.r6g.large", "db.r6g.xlarge", "db.r6g.2xlarge", "db.r6g.4xlarge")
"""Each with more memory than the one before."""


def planned(name: str = "cascade", **values: object) -> Plan:
    given = [(f"--set {path}", path.replace("__", "."), str(value)) for path, value in values.items()]
    made = read(name, given)
    return plan(made.scenario, made.book, predicted=False)


def database(**values: object) -> Plan:
    """Return a plan whose database differs; a commit flushes in 1 ms, whatever the default."""
    return planned(**{f"tiers__database__{name}": value for name, value in {"commit_ms": 1, **values}.items()})


def said(made: Plan, code: str) -> list[str]:
    return [finding.message for finding in made.findings if finding.code == code]


# --------------------------------------------------------------------------------------------------------------- disk


def test_the_disk_is_asked_what_the_arithmetic_says() -> None:
    """10,000 users at 2 s: 5,000 requests/s, of which a half lists (2 reads) and a half writes (1 read, 1 write).

    2,500 writes: 1,000 flushes and 1,150 pages. 0.15 reads of a request miss the cache: 750/s x 2 pages x the 0.5 of
    200 GiB that 21.84 GiB without skew do not hold, 0.8908.
    """
    made = database(data_gib=200, storage_gib=200, hot_data_ratio=0.8, replicas=1)
    assert made.figure("database.memory_hit_ratio") == pytest.approx(21.84 / 200, abs=1e-4)
    reads = 750 * 2 * (1 - 21.84 / 200)
    assert made.figure("database.disk_read_operations_per_s_peak") == pytest.approx(reads, rel=1e-4)
    assert made.figure("database.disk_operations_per_s_peak") == pytest.approx(reads + 2150, rel=1e-4)
    # The log has twice the 183.33 bytes a request stores; 8 KiB for each page that is read or flushed.
    log = 5000 * 2 * (2 * 400 + 300) / 6
    assert made.figure("database.wal_bytes_per_s_peak") == pytest.approx(log)
    assert made.figure("database.disk_bytes_per_s_peak") == pytest.approx(log + 8192 * (reads + 1150), rel=1e-4)


def test_data_that_is_asked_for_most_and_does_not_fit_the_memory_is_said() -> None:
    """Three quarters of the 7.28 GiB that PostgreSQL has of a db.t4g.large keep pages: 5.46; a fifth of 30 is 6."""
    (message,) = said(database(shape="db.t4g.large", data_gib=30), "working-set")
    assert message.startswith("four fifths of its reads ask for 6 of 30 GiB, and db.t4g.large keeps 5.46 in memory: ")
    assert not said(database(shape="db.t4g.large", data_gib=27), "working-set")


def test_replicas_share_the_reads_and_each_replays_every_write() -> None:
    two, one, none = (
        database(data_gib=200, storage_gib=200, replicas=count).figure("database.disk_read_operations_per_s_peak")
        for count in (2, 1, 0)
    )
    assert one == none == pytest.approx(2 * two)


def test_a_disk_that_is_full_is_said_with_what_does_more() -> None:
    """Where what is provisioned is said; left out, it is what is asked."""
    full = {"data_gib": 290, "storage_gib": 399, "hot_data_ratio": 0.8, "replicas": 1}
    (message,) = said(database(**full, provisioned_operations_per_s=3000), "disk-operations")
    assert message == (
        "each replica is asked 3,537 disk operations/s; 399 GiB of gp3 do 3,000: more replicas share the reads, or "
        "provision more, tiers.database.provisioned_operations_per_s"
    )
    assert not said(database(**full), "disk-operations")
    assert not said(database(**full | {"storage_gib": 400}), "disk-operations")


def test_an_instance_that_does_less_than_its_storage_is_what_binds() -> None:
    """A db.t4g.medium does 2,000 operations/s all the time, its 100 GiB of gp3 would do 3,000."""
    made = database(shape="db.t4g.medium", data_gib=2)
    (message,) = said(made, "disk-operations")
    assert message == (
        "the primary is asked 2,150 disk operations/s; db.t4g.medium does all the time 2,000: "
        "a larger one does more, set tiers.database.shape; a burst of 3,000 lasts 30 minutes, load peak 5 minutes: "
        "once it has rested, that carries it"
    )


def test_a_burst_that_is_shorter_than_a_load_or_too_small_is_said() -> None:
    """Of a db.t4g.medium for 30 minutes: 11,800 operations/s, which its gp3 makes 3,000; 2,000 all the time."""
    long = planned(
        tiers__database__shape="db.t4g.medium", tiers__database__data_gib=2, tiers__database__commit_ms=1,
        loads__peak__duration_s=7200,
    )  # fmt: skip
    (message,) = said(long, "disk-operations")
    assert message.endswith("; a burst of 3,000 lasts 30 minutes, load peak 2 hours: then it is slowed")
    (message,) = said(database(shape="db.t4g.medium", data_gib=2, commit_ms=0), "disk-operations")
    assert message.endswith("; even in a burst it does 3,000")


def test_provisioned_operations_are_held_against_and_billed_for_each_instance() -> None:
    made = planned("whale-1m")
    assert not said(made, "disk-operations")
    # 26,896 operations/s are asked, 12,000 of them included: x $0.04 of the multi-AZ primary, x $0.02 of five replicas.
    items = {item.name: item for item in made.bill.items}
    assert float(items["database primary disk operations"].cost_usd.average) == pytest.approx(14_896 * 0.04)
    assert float(items["read replicas disk operations"].cost_usd.average) == pytest.approx(14_896 * 0.02 * 5)
    (message,) = said(planned("whale-1m", tiers__database__provisioned_operations_per_s=20_000), "disk-operations")
    assert "its provisioned storage does 20,000" in message


def test_where_a_disk_takes_no_more_the_size_that_includes_it_is_bought() -> None:
    small = database(provisioned_operations_per_s=11_000, data_gib=10)
    assert small.figure("database.storage_gib") == 400
    assert not [item.name for item in small.bill.items if "disk operations" in item.name]
    more = database(provisioned_operations_per_s=13_000, data_gib=10)
    (line,) = [item for item in more.bill.items if item.name == "database primary disk operations"]
    assert line.quantity.average == 1000


def test_throughput_beyond_what_the_size_includes_is_bought_with_the_operations_it_needs() -> None:
    """RDS wants four operations a second for each MiB/s: 4,000 MiB/s are 16,000."""
    made = database(provisioned_mib_per_s=4000, storage_gib=400, data_gib=10)
    items = {item.name: item for item in made.bill.items}
    assert items["database primary disk throughput"].quantity.average == 3500
    assert items["database primary disk operations"].quantity.average == 4000
    assert made.figure("database.disk_bytes_per_s_max") == 4000 * 2**20


def test_what_an_instance_cannot_use_is_not_bought() -> None:
    """A db.r6g.large does 3,600 operations/s all the time, whatever is asked of it."""
    made = planned(
        "whale-1m", tiers__database__provisioned_operations_per_s="null", tiers__database__shape="db.r6g.large"
    )
    assert made.figure("database.disk_operations_per_s_max") == 12_000
    assert not [item.name for item in made.bill.items if "disk operations" in item.name]


def test_data_beyond_its_storage_make_it_grow() -> None:
    assert database(data_gib=150).figure("database.storage_gib") > 150 / 0.9
    assert database(data_gib=150).figure("database.data_gib") == 150


@pytest.mark.parametrize(("given", "gib"), [("null", 100.0), (40.0, 40.0)])
def test_the_data_are_as_given_or_a_years_growth_as_far_as_the_storage_holds_it(given: object, gib: float) -> None:
    """67.3 GiB are added a month."""
    assert database(data_gib=given).figure("database.data_gib") == gib
    assert database(data_gib="null", storage_gib=2000).figure("database.data_gib") == pytest.approx(
        12 * 67.31, rel=1e-4
    )


def test_a_log_that_fills_max_wal_size_at_once_is_said() -> None:
    """20 GiB of storage: max_wal_size 2 GiB. 500,000 bytes x 2 x 833/s: 1.3 s until 2 GiB / 1.9 are written."""
    made = planned(tiers__database__storage_gib=20, behaviour__actions__upload_resource__database_bytes=500_000)
    (message,) = said(made, "checkpoints")
    assert "a checkpoint begins every 1.35 s" in message
    assert not said(planned(), "checkpoints")


# ---------------------------------------------------------------------------------------------------------------- CPU


def test_credits_beyond_the_baseline_are_billed_and_said() -> None:
    """Twelve thousand of 300,000 users' requests... a database 50% busy on 20% of 2 vCPU: 0.3 x 2 x 730 h x $0.075."""
    made = planned(
        tiers__database__shape="db.t4g.medium",
        tiers__database__replicas=0,
        tiers__database__read_ms=0.001,
        behaviour__actions__list_workrooms__read_ms="null",
        tiers__database__parse_ms=0,
        tiers__database__write_ms=10,
    )
    busy = made.figure("database.busy_ratio_average")
    writes = made.traffic.requests_per_s.average / 2
    assert busy == pytest.approx(writes * 0.010 / 2, rel=1e-3)
    (message,) = said(made, "cpu-credits")
    hours = (busy - 0.2) * 2 * 730
    assert message == (
        f"db.t4g.medium earns credits for 20% of its 2 vCPU and is {busy:.0%} busy on average: {hours:,.0f} vCPU-hours "
        f"a month are billed at $0.075, ${hours * 0.075:,.2f}"
    )
    (line,) = [item for item in made.bill.items if "CPU credits" in item.name]
    assert float(line.cost_usd.average) == pytest.approx(hours * 0.075, abs=1e-4)


def test_credits_are_spent_by_what_an_action_says_of_its_own_queries() -> None:
    """A write of 10 ms is as dear where its action says so as where its database does; and so is a read."""
    of_all = {
        "tiers__database__write_ms": 10, "tiers__database__read_ms": 20,
        "behaviour__actions__list_workrooms__read_ms": "null",
    }  # fmt: skip
    of_each = {
        f"behaviour__actions__{action}__{leaf}": ms
        for action in ("list_workrooms", "create_message", "upload_resource")
        for leaf, ms in (("write_ms", 10), ("read_ms", 20))
    }
    shape = {"tiers__database__shape": "db.t4g.medium", "tiers__database__replicas": 0}
    first, second = planned(**shape, **of_all), planned(**shape, **of_each)
    billed = [
        [item.cost_usd.average for item in made.bill.items if "CPU credits" in item.name] for made in (first, second)
    ]
    assert len(billed[0]) == 1
    assert billed[0] == billed[1]
    assert second.figure("database.busy_ratio_average") == pytest.approx(first.figure("database.busy_ratio_average"))


def test_credits_that_a_long_load_spends_are_said() -> None:
    values = {
        "tiers__database__shape": "db.t4g.medium", "tiers__database__replicas": 0, "tiers__database__write_ms": 1,
        "tiers__database__read_ms": 0.001, "tiers__database__parse_ms": 0,
        "behaviour__actions__list_workrooms__read_ms": "null",
    }  # fmt: skip
    # All 10,000 users: 2,500 writes of 1 ms on 2 vCPU are 125%, so 100%: a day's credits last 6 hours of it.
    assert not said(planned(**values), "cpu-credits")
    (message,) = said(planned(**values, loads__peak__duration_s=7 * 3600), "cpu-credits")
    assert message.endswith("load peak keeps it 125% busy, and a day's credits last 6.0 hours: then more is billed")


def test_what_is_not_known_of_a_shape_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from cascade_plan.model.catalogue import Catalogue

    known = cloud.catalogue()
    shapes = {
        (what, shape.name): replace(shape, network_bytes_per_s=None) if what == "database" else shape
        for what in ("vm", "database", "cache")
        for shape in known.of(what)
    }
    monkeypatch.setattr(cloud, "catalogue", lambda: Catalogue(shapes))
    (message,) = said(planned(), "limit-unknown")
    assert message == "what db.r5.xlarge does all the time is not known of its network: nothing judges that"


# --------------------------------------------------------------------------------------------------------------- laws


@given(st.floats(1, 90), st.floats(1, 10))
def test_more_data_is_never_more_in_memory_and_never_asks_less_of_the_disk(gib: float, times: float) -> None:
    less, more = (database(data_gib=min(size, 100)) for size in (gib, gib * times))
    assert more.figure("database.memory_hit_ratio") <= less.figure("database.memory_hit_ratio") + 1e-9
    for figure in ("disk_read_operations_per_s_peak", "disk_operations_per_s_peak", "disk_bytes_per_s_peak"):
        assert more.figure(f"database.{figure}") >= less.figure(f"database.{figure}") - 1e-6


def test_a_larger_shape_is_no_worse() -> None:
    plans = [database(shape=shape, data_gib=90) for shape in SHAPES]
    ratios = [made.figure("database.memory_hit_ratio") for made in plans]
    assert ratios == sorted(ratios)
    warned = [len([finding for finding in made.findings if finding.code.startswith("disk")]) for made in plans]
    assert warned == sorted(warned, reverse=True)


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_read_waits_for_what_is_not_in_memory(one: float, other: float) -> None:
    low, high = sorted((one, other))
    less, more = (read_wait(Settings(disk_read_ms=1), ratio) for ratio in (high, low))
    assert less is None or (more is not None and less.mean_s <= more.mean_s)


def test_the_law_of_a_reads_wait_is_that_of_its_pages() -> None:
    """Two pages of which each is missed by chance and then waits 1 ms, exponentially: drawn, beside its moments."""
    random = np.random.default_rng(1)
    drawn = ((random.random((400_000, 2)) < 0.3) * random.exponential(0.001, (400_000, 2))).sum(axis=1)
    wait = read_wait(Settings(disk_read_ms=1, pages_per_read=2), 0.7)
    assert wait is not None
    assert wait.mean_s == pytest.approx(drawn.mean(), rel=0.02)
    assert wait.scv == pytest.approx(drawn.var() / drawn.mean() ** 2, rel=0.02)
    assert read_wait(Settings(), 1.0) is None


def test_three_quarters_of_what_the_provider_leaves_hold_pages() -> None:
    assert pages_gib(29.12) == pytest.approx(29.12 * 0.75, rel=1e-3)


# ------------------------------------------------------------------------------------------------ replicas and losses


def test_replicas_that_a_lost_zone_takes_are_said() -> None:
    """Spread over three zones one or two of them may be in those that go; of two in three zones one is left."""
    (message,) = said(planned(tiers__database__replicas="1"), "replicas-lost")
    assert "2 keep one" in message
    assert not said(planned(tiers__database__replicas="2"), "replicas-lost")
    assert not said(planned(tiers__database__replicas="1", availability="minimal"), "replicas-lost")


def test_the_method_takes_no_replica_where_the_primary_answers_all() -> None:
    """Critical availability asks for one; 0 is asked for by hand, and the primary has the reads' CPU too."""
    none = planned(method="slo", availability="critical", tiers__database__minimum_replicas="0")
    one = planned(method="slo", availability="critical", tiers__database__minimum_replicas="1")
    assert (none.figure("database.replica_count"), one.figure("database.replica_count")) == (0, 1)
    assert not none.fleet.tiers["database"].has("replicas")
    (both,) = [place for place in places(none.scenario, none.fleet, {}) if place.name == "primary"]
    asked = both.visits(none.scenario.behaviour.actions["create_message"])
    assert [visit.service.mean_s * 0.82 for visit in asked if visit.try_count and visit.service] == pytest.approx(
        [0.0003, 0.0001]
    )
    # Twice as long a read leaves no room on one primary: replicas come.
    busy = planned(
        method="slo", tiers__database__minimum_replicas="0", behaviour__actions__list_workrooms__read_ms="12"
    )
    assert busy.figure("database.replica_count") > 0
