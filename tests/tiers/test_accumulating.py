"""What accumulates on the bill: objects, logs, storage and backups, month by month, and the year they make."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.choosing.relaxations import relaxations
from cascade_plan.formulas import postgres
from cascade_plan.inputs.scenarios import read
from cascade_plan.model.plan import Plan
from cascade_plan.planning.pipeline import plan
from cascade_plan.tiers.database.growth import FULL, grown_gib

SECONDS = 730 * 3600
PER_S = 3000 * 0.1 / 2
"""Requests/s of cascade on average: 3,000 users, a tenth of whom act, 2 s apart."""
UPLOADED_GIB = PER_S / 6 * 102_400 * SECONDS / 2**30
"""A sixth of them upload 100 KiB."""


def planned(*changes: tuple[str, str], name: str = "cascade") -> Plan:
    made = read(name, [(f"--set {path}", path, value) for path, value in changes])
    return plan(made.scenario, made.book, predicted=False)


def amount(made: Plan, line: str) -> float:
    """Return how much of a line there is in the mean of the month at the mean load, its tiers together."""
    found = [item.quantity.average for item in made.bill.items if item.name.partition(" (")[0] == line]
    assert found, f"no line {line}"
    return float(sum(found))


# ------------------------------------------------------------------------------------------------------------- objects


def test_the_uploads_of_a_month_are_what_the_field_test_found() -> None:
    assert pytest.approx(6266, abs=1) == UPLOADED_GIB
    assert planned().figure("objects.added_gib_per_month") == pytest.approx(UPLOADED_GIB)


@pytest.mark.parametrize(("month", "months"), [(1, 0.5), (2, 1.5), (12, 11.5), (36, 35.5)])
def test_objects_accumulate_and_are_metered_in_the_mean_of_the_month(month: int, months: float) -> None:
    made = planned(("month", str(month)))
    assert amount(made, "stored objects") == pytest.approx(UPLOADED_GIB * months, rel=1e-6)


def test_a_lifecycle_moves_and_deletes() -> None:
    lifecycle = "{stored_gib: 10, infrequent_after_months: 3, deleted_after_months: 6}"
    made = planned(("month", "12"), ("tiers.objects", lifecycle))
    assert amount(made, "stored objects") == pytest.approx(10 + 3 * UPLOADED_GIB)
    assert amount(made, "stored objects, infrequent access") == pytest.approx(3 * UPLOADED_GIB)
    assert any("infrequent access" in words for words in made.bill.not_priced)


def test_what_is_written_and_read_are_requests_and_what_is_read_leaves() -> None:
    never, twice = planned(), planned(("tiers.objects.read_count_per_write", "2"))
    writes = PER_S / 6 * SECONDS / 1e6
    assert amount(never, "object writes") == pytest.approx(writes)
    assert amount(twice, "object reads") == pytest.approx(2 * writes)
    more = amount(twice, "traffic to the internet") - amount(never, "traffic to the internet")
    assert more == pytest.approx(2 * UPLOADED_GIB)


def test_objects_pass_nat_where_pods_move_them_and_there_is_no_endpoint() -> None:
    """The field test's figure: 6,266 GiB x 0.045 = $281.95."""
    through = planned(("tiers.network.object_endpoint", "false"))
    (line,) = (item for item in through.bill.items if item.name == "objects through NAT")
    assert line.cost_usd.average == pytest.approx(Decimal("281.95"), abs=Decimal("0.05"))
    for changes in (
        (),
        (("tiers.network.object_endpoint", "false"), ("tiers.objects.moved_by", "clients")),
        (("tiers.network.object_endpoint", "false"), ("tiers.network.nat", "false")),
        (("tiers.network.object_endpoint", "false"), ("tiers.objects", "off")),
    ):
        assert not [item for item in planned(*changes).bill.items if item.name == "objects through NAT"]


def test_an_endpoint_is_offered_where_it_saves() -> None:
    for made, expected in ((planned(("tiers.network.object_endpoint", "false")), True), (planned(), False)):
        listed = relaxations(made.scenario, made.fleet)
        assert any("tiers.network.object_endpoint" in each.overrides for each in listed) == expected


def test_without_the_store_the_bill_says_what_it_would_cost() -> None:
    (said,) = (words for words in planned(("tiers.objects", "off")).bill.not_priced if "object store" in words)
    stored, writes = (
        Decimal(str(UPLOADED_GIB / 2)) * Decimal("0.023"),
        Decimal(str(PER_S / 6 * SECONDS)) * Decimal("5e-6"),
    )
    assert (
        said == f"the object store of uploads: about ${stored + writes:,.0f} a month by the defaults of tiers.objects"
    )


# ------------------------------------------------------------------------------------------------------------ database


@given(st.integers(20, 60_000), st.floats(0, 60_000))
def test_a_disk_that_grew_holds_its_data_and_no_step_too_many(storage: int, data: float) -> None:
    gib = grown_gib(storage, data)
    assert gib >= storage
    assert data <= FULL * gib
    before = gib - max(10, -(-gib // 11))
    assert gib == storage or data > FULL * min(before, gib / 1.1) * (1 - 0.02) - 10


def test_the_disk_grows_as_data_fills_it_and_with_it_the_bill() -> None:
    """67.3 GiB a month fill nine tenths of 100 GiB in the second month."""
    growth = planned().figure("database.growth_gib_per_month")
    assert growth == pytest.approx(67.3, abs=0.1)
    sizes = {month: planned(("month", str(month))).figure("database.storage_gib") for month in (1, 2, 12)}
    assert sizes == {month: grown_gib(100, growth * month) for month in (1, 2, 12)}
    year = planned(("month", "12"))
    assert amount(year, "database primary storage") == sizes[12] == year.figure("database.storage_gib_month_12")
    assert sizes[12] * FULL >= growth * 12


@pytest.mark.parametrize("engine", ["postgres", "aurora"])
def test_rows_that_are_deleted_no_longer_grow(engine: str) -> None:
    kept = (("tiers.database.engine", engine), ("tiers.database.retention_months", "3"))
    early, late = (planned(("month", month), *kept) for month in ("3", "12"))
    line = "database primary storage" if engine == "postgres" else "database storage"
    figure = "database.storage_gib" if engine == "postgres" else "database.data_gib"
    assert late.figure(figure) == early.figure(figure) < planned(("month", "12"), *kept[:1]).figure(figure)
    assert amount(late, line) < amount(planned(("month", "12"), *kept[:1]), line)
    assert any("deleted by the application" in words for words in late.fleet.tiers["database"].not_emitted)


def test_backups_are_free_up_to_the_storage() -> None:
    roomy = planned(("tiers.database.storage_gib", "1000"))
    assert not [item for item in roomy.bill.items if item.name == "database backup"]
    data, days = ("tiers.database.data_gib", "890"), ("tiers.database.backup_retention_days", "35")
    kept = planned(("tiers.database.storage_gib", "1000"), data, days)
    growth = kept.figure("database.growth_gib_per_month")
    log = growth * postgres.WAL_BYTES_PER_ROW_BYTE * 35 / (365 / 12)
    size = kept.figure("database.storage_gib")
    assert amount(kept, "database backup") == pytest.approx(890 + growth + log - size, abs=1e-5)
    none = planned(("tiers.database.backup_retention_days", "0"), ("tiers.database.snapshot_gib", "30"))
    assert amount(none, "database backup") == 30


# ------------------------------------------------------------------------------------------------------------ the year


@pytest.mark.parametrize("name", ["cascade", "growth-100k", "whale-1m", "startup-1k"])
def test_the_year_on_a_bill_is_that_of_twelve_bills(name: str) -> None:
    months = [planned(("month", str(month)), name=name) for month in range(1, 13)]
    costs = [made.bill.effective_usd for made in months]
    assert list(months[0].bill.first_year_usd) == costs == list(months[6].bill.first_year_usd)
    mean = sum((cost.average for cost in costs), Decimal(0)) / 12
    assert float(months[0].figure("cost_usd_per_month.first_year")) == pytest.approx(float(mean))
    assert months[0].figures["cost_usd_per_month.month_12"].value == costs[-1].average


@given(st.integers(1, 60))
def test_no_month_costs_less_than_the_one_before(month: int) -> None:
    before, after = (planned(("month", str(each))).bill.effective_usd for each in (month, month + 1))
    assert before.average <= after.average


def test_logs_are_kept_for_their_days() -> None:
    telemetry = ("tiers.telemetry", "{log_bytes_per_request: 1000, log_retention_days: 73, stored_ratio: 0.5}")
    written = PER_S * 1000 * SECONDS / 2**30
    made = planned(telemetry, ("month", "12"))
    assert amount(made, "logs written") == pytest.approx(written, rel=1e-6)
    assert amount(made, "logs stored") == pytest.approx(written * 0.5 * 73 * 12 / 365, rel=1e-6)
    assert amount(made, "alarms") == 10


# ----------------------------------------------------------------------------------------------------------- the month


@pytest.mark.parametrize("hours", [672, 720, 730, 744])
def test_hours_and_rates_follow_the_month_and_stored_bytes_do_not(hours: int) -> None:
    made, usual = planned(("hours_per_month", str(hours))), planned()
    for item, other in zip(made.bill.items, usual.bill.items, strict=True):
        assert item.key == other.key
        is_kept = item.unit in ("gib_month", "iops_month") or item.name == "NAT traffic"
        scaled = other.quantity.average if is_kept else other.quantity.average * hours / 730
        assert float(item.quantity.average) == pytest.approx(float(scaled), abs=2e-6)
