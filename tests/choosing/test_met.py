"""Values that would have met a bill: planned with them, what was used and what ran differ by nothing."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import bills_made as made
import pytest
from bills_made import HOURS, Row, billed, changed, compared, planned

from cascade_plan.choosing.met import calibration
from cascade_plan.inputs.scenarios import read
from cascade_plan.model.actuals import Actuals
from cascade_plan.planning.pipeline import plan

CENT = Decimal("0.01")


def explained(rows: Sequence[Row]) -> Actuals:
    return compared(rows, explained=True)


def cost_with(found: Actuals) -> Decimal:
    """Return what the plan for the month costs with what was suggested."""
    assignments = [("--set", *each.assignment.split("=", 1)) for each in found.suggestions]
    given = read("cascade", [("--set", "hours_per_month", str(HOURS)), *assignments])
    return plan(given.scenario, given.book, predicted=False).bill.effective_usd.average


def quantity(usage: str, amount: str) -> list[Row]:
    return changed(billed(planned()), usage, lambda row: made.replace(row, quantity=Decimal(amount)))


@pytest.mark.parametrize(
    ("usage", "amount", "path"),
    [
        ("NatGateway-Bytes", "3100", "tiers.network.nat_gib_per_node_month"),
        ("NatGateway-Bytes", "7", "tiers.network.nat_gib_per_node_month"),
        ("DataTransfer-Regional-Bytes", "9000", "tiers.network.bytes_per_query"),
        ("DataTransfer-Out-Bytes", "500", "behaviour.actions.list_workrooms.response_bytes"),
        ("Requests-Tier1", "120000000", "tiers.objects.requests_per_write"),
        ("TimedStorage-ByteHrs", "8000", "tiers.objects.stored_gib"),
    ],
)
def test_an_amount_is_met_by_the_value_that_decides_it(usage: str, amount: str, path: str) -> None:
    rows = quantity(usage, amount)
    found = explained(rows)
    assert path in {each.path for each in found.suggestions}
    assert all(each.is_measured for each in found.suggestions)
    other = {"DataTransfer-Out-Bytes": Decimal(3)}  # load balancers count these bytes too
    assert abs(cost_with(found) - sum(row.listed for row in rows)) < other.get(usage, CENT)


def test_what_ran_all_month_is_pinned() -> None:
    rows = [row for row in billed(planned()) if row.usage != "InstanceUsage:db.r5.xl"]
    rows = changed(
        rows,
        "BoxUsage:m6g.large",
        lambda row: row if row.quantity == HOURS else made.replace(row, usage="BoxUsage:m5.large"),
    )
    rows = changed(rows, "BoxUsage:c6g.xlarge", lambda row: made.replace(row, quantity=Decimal(4 * HOURS)))
    rows = changed(rows, "NodeUsage:cache.r6g.large", lambda row: made.replace(row, quantity=Decimal(5 * HOURS)))
    found = explained(rows)
    assert {each.assignment for each in found.suggestions if not each.is_measured} == {
        "tiers.websocket.shape=m5.large",
        "tiers.api.nodes={base: 4, min: 4, max: 4}",
        "tiers.cache.nodes=5",
        "tiers.database.replicas=0",
    }


def test_a_node_that_ran_half_the_month_is_no_choice() -> None:
    rows = changed(
        billed(planned()), "NodeUsage:cache.r6g.large", lambda row: made.replace(row, quantity=Decimal(HOURS * 5 / 2))
    )
    assert explained(rows).suggestions == ()


def test_a_bill_as_planned_suggests_nothing() -> None:
    assert explained(billed(planned())).suggestions == ()


def test_an_amount_that_no_value_gives_is_not_guessed() -> None:
    found = explained(quantity("TimedStorage-ByteHrs", "1"))
    assert "tiers.objects.stored_gib" not in {each.path for each in found.suggestions}


def test_nothing_is_learnt_from_a_part_of_a_month() -> None:
    until = made.datetime(2027, 1, 16)
    found = compared(quantity("NatGateway-Bytes", "3100"), until=until, to_date=True, explained=True)
    assert found.suggestions == ()


def test_a_calibration_holds_what_is_measured_and_no_choice() -> None:
    rows = [row for row in quantity("NatGateway-Bytes", "3100") if row.usage != "InstanceUsage:db.r5.xl"]
    found = explained(rows)
    assert {each.path for each in found.suggestions} >= {"tiers.database.replicas"}
    values = calibration(found, "cascade-plan test").values
    assert "tiers.network.nat_gib_per_node_month" in values
    assert "tiers.database.replicas" not in values
    assert values["tiers.network.nat_gib_per_node_month"].method == "bill of 2027-01, 10,000 users at peak: NAT traffic"
