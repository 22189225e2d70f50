"""A month of a bill against the plan: each planted fault is found, in every form, to the cent, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache

import bills_made as made
import pytest
from bills_made import FORMS, HOURS, TAG, Row, billed, changed, compared, file_of, planned, scenario
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.errors import UsageError
from cascade_plan.evidence.actuals import Asked, held_against, plans_of, span_of, users_of
from cascade_plan.evidence.billed import billed as read_bill
from cascade_plan.evidence.billed import of_month
from cascade_plan.evidence.scope import scope_of
from cascade_plan.model.actuals import PARTS, Actuals

CENT = Decimal("0.005")


def told(found: Actuals) -> dict[str, Decimal]:
    """Return the causes that add more than half a cent."""
    return {part: usd for part, usd in found.parts_usd.items() if abs(usd) > CENT}


@cache
def as_planned(peak: int = 10_000, average: int = 3000) -> tuple[Row, ...]:
    return tuple(billed(planned(peak, average)))


@cache
def calendar() -> Decimal:
    """What the month's own hours add."""
    return planned().bill.effective_usd.average - planned(hours=730).bill.effective_usd.average


@pytest.mark.parametrize("form", FORMS)
def test_a_bill_for_just_what_is_planned_differs_by_the_month_s_hours_alone(form: str) -> None:
    found = compared(as_planned(), form)
    assert told(found).keys() == {"calendar"}
    assert abs(found.parts_usd["calendar"] - calendar()) < CENT
    assert not found.unplanned
    assert found.unused_usd == 0
    assert found.row_count > 300


@dataclass(frozen=True)
class Fault:
    """A fault, and what must be found of it."""

    rows: Callable[[], Sequence[Row]]
    parts: dict[str, Decimal] = field(default_factory=dict)
    invoice: dict[str, Decimal] = field(default_factory=dict)
    users: tuple[int, int | None] | None = None


def of(usage: str, change: Callable[[Row], Row | None]) -> Callable[[], Sequence[Row]]:
    return lambda: changed(as_planned(), usage, change)


def more(**fields: object) -> Callable[[], Sequence[Row]]:
    return lambda: made.with_row(as_planned(), **fields)


def users_cost() -> Decimal:
    return planned(12_000, 3600).bill.effective_usd.average - planned().bill.effective_usd.average


def reserved(row: Row) -> Row:
    hour = Decimal("0.141")
    return made.replace(row, kind="DiscountedUsage", billed=Decimal(0), effective=row.quantity * hour)


def websocket_as(shape: str, price: str) -> Callable[[], Sequence[Row]]:
    """The four m6g.large are three of WebSocket and one of monitoring: three are another shape."""

    def rows() -> Sequence[Row]:
        kept = changed(
            as_planned(),
            "BoxUsage:m6g.large",
            lambda row: (
                row if row.quantity == HOURS else made.replace(row, usage=f"BoxUsage:{shape}", price=Decimal(price))
            ),
        )
        assert sum(row.usage == f"BoxUsage:{shape}" for row in kept) == 1
        return kept

    return rows


NAT = "NatGateway-Bytes"
FAULTS = {
    "more users": Fault(lambda: as_planned(12_000, 3600), {"users": Decimal(0)}, users=(12_000, 3600)),
    "other shape": Fault(websocket_as("m5.large", "0.096"), {"mix": 3 * HOURS * (Decimal("0.096") - Decimal("0.077"))}),
    "another price": Fault(
        of("NatGateway-Hours", lambda row: made.replace(row, price=Decimal("0.05"))),
        {"price": 3 * HOURS * Decimal("0.005")},
    ),
    "a missing replica": Fault(of("InstanceUsage:db.r5.xl", lambda row: None), {"usage": -HOURS * Decimal("0.5")}),
    "more traffic": Fault(
        of(NAT, lambda row: made.replace(row, quantity=Decimal(3100))), {"usage": (3100 - 120) * Decimal("0.045")}
    ),
    "reserved": Fault(
        of("NodeUsage:cache.r6g.large", reserved), {"commitments": 3 * HOURS * (Decimal("0.141") - Decimal("0.206"))}
    ),
    "a reservation that nothing used": Fault(
        more(
            code="AmazonElastiCache",
            usage="HeavyUsage:cache.r6g.large",
            kind="RIFee",
            tags={},
            price=Decimal("0.141"),
            billed=Decimal("52.452"),
            unused=Decimal("52.452"),
        ),
        {"unused": Decimal("52.452")},
    ),
    "a service that is not planned": Fault(
        more(
            code="AWSLambda",
            usage="Lambda-GB-Second",
            operation="Invoke",
            quantity=Decimal(10_000_000),
            unit="Lambda-GB-Second",
            price=Decimal("0.0000166667"),
        ),
        {"unplanned": Decimal("166.667")},
    ),
    "without a tag": Fault(
        more(
            usage="EBS:VolumeUsage.gp3",
            operation="CreateVolume-Gp3",
            quantity=Decimal(500),
            unit="GB-Mo",
            price=Decimal("0.08"),
            tags={},
        ),
        invoice={"untagged": Decimal(40)},
    ),
    "another application": Fault(
        more(tags={"application": "billing"}), invoice={"other applications": HOURS * Decimal("0.384")}
    ),
    "tax": Fault(
        more(usage="", operation="", kind="Tax", quantity=Decimal(1), unit="", price=Decimal("211.87"), tags={}),
        invoice={"tax": Decimal("211.87")},
    ),
    "a credit": Fault(
        more(kind="Credit", quantity=Decimal(1), unit="", price=Decimal(-100), tags={}),
        invoice={"credits": Decimal(-100)},
    ),
    "a refund": Fault(
        more(kind="Refund", quantity=Decimal(1), unit="", price=Decimal("-12.34"), tags={}),
        invoice={"refunds and corrections": Decimal("-12.34")},
    ),
    "another region": Fault(
        more(usage="EU-BoxUsage:m5.large", region="eu-west-1", price=Decimal("0.107")),
        {"unplanned": HOURS * Decimal("0.107")},
    ),
    "for nothing": Fault(
        of("NatGateway-Hours", lambda row: made.replace(row, price=Decimal(0))),
        {"price": -3 * HOURS * Decimal("0.045")},
    ),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found_and_nothing_else(name: str, form: str) -> None:
    fault = FAULTS[name]
    found = compared(fault.rows(), form, fault.users)
    wanted = dict(fault.parts)
    if "users" in wanted:
        wanted["users"] = users_of_month()
    parts = {**told(found)}
    assert abs(parts.pop("calendar") - calendar()) < CENT
    assert parts.keys() == wanted.keys()
    assert all(abs(parts[part] - usd) < CENT for part, usd in wanted.items()), (parts, wanted)
    invoice = dict(found.invoice_usd)
    assert abs(invoice.pop("in scope") - found.actual_usd) < CENT
    invoice = {words: usd for words, usd in invoice.items() if abs(usd) > CENT}
    commitments = invoice.pop("commitments paid in another month", Decimal(0))
    assert invoice.keys() == fault.invoice.keys()
    assert all(abs(invoice[words] - usd) < CENT for words, usd in fault.invoice.items())
    assert bool(commitments) == (name == "reserved")  # what they cost is on no bill of this month


def users_of_month() -> Decimal:
    return planned(12_000, 3600).bill.effective_usd.average - planned().bill.effective_usd.average


def test_more_users_without_saying_so_are_use_beyond_the_plan() -> None:
    found = compared(as_planned(12_000, 3600))
    assert found.parts_usd["users"] == 0
    assert abs(found.difference_usd - calendar() - users_of_month()) < CENT


@given(st.data())
def test_parts_add_up_and_every_form_says_the_same(data: st.DataObject) -> None:
    """Whatever is used, paid and listed: the causes are the difference, the way to the invoice is the invoice."""
    factors = st.sampled_from([Decimal(0), Decimal("0.5"), Decimal(1), Decimal("1.37"), Decimal(12)])
    rows = []
    for row in as_planned():
        price, quantity = row.price * data.draw(factors), row.quantity * data.draw(factors)
        tags = data.draw(st.sampled_from([made.MINE, made.MINE, {}, {"application": "other"}]))
        changes = {"price": price, "quantity": quantity, "tags": tags}
        if row.unit == "Hrs" and data.draw(st.booleans()):
            changes |= {"kind": "DiscountedUsage", "billed": Decimal(0), "effective": quantity * price / 2}
        rows.append(made.replace(row, **changes))  # type: ignore[arg-type]
    users = data.draw(st.sampled_from([None, (9000, 2500), (20_000, 6000)]))
    found = [compared(rows, form, users) for form in FORMS]
    for each in found:
        for line in each.variances:
            assert abs(sum(line.parts_usd.values()) - line.difference_usd) < Decimal("1e-9")
        assert abs(sum(each.parts_usd.values()) - each.difference_usd) < Decimal("1e-9")
        assert abs(sum(usd for _, usd in each.invoice_usd) - each.billed_usd) < Decimal("1e-8")
    first = found[0]
    for each in found[1:]:
        assert {part: round(usd, 2) for part, usd in each.parts_usd.items()} == {
            part: round(usd, 2) for part, usd in first.parts_usd.items()
        }
        assert dict(each.invoice_usd).keys() == dict(first.invoice_usd).keys()
        assert round(each.billed_usd, 2) == round(first.billed_usd, 2)


def test_half_a_month_is_refused_unless_it_is_asked_for() -> None:
    until = made.datetime(2027, 1, 16)
    with pytest.raises(UsageError, match=r"to 2027-01-16 00:00, which is 360 of the 744 hours of 2027-01"):
        compared(as_planned(), until=until)
    half = [made.replace(row, quantity=row.quantity * 360 / 744) if row.unit != "Hrs" else row for row in as_planned()]
    found = compared(half, until=until, to_date=True)
    assert (found.hours, found.is_to_date) == (360, True)
    assert abs(found.actual_usd - planned().bill.effective_usd.average * 360 / 744) < 1
    assert abs(found.parts_usd["usage"]) < 1


def test_a_bill_of_another_region_is_no_bill_of_this_plan() -> None:
    rows = [
        made.replace(row, region="eu-west-1", usage=f"EU-{row.usage.removeprefix('USE1-')}") for row in as_planned()
    ]
    with pytest.raises(UsageError, match="usage is in eu-west-1, the plan's in us-east-1: plan it there by --region"):
        compared(rows)


def test_a_bill_in_another_currency_is_not_compared() -> None:
    with pytest.raises(UsageError, match="the bill is in EUR, the plan's prices are in USD"):
        compared([made.replace(row, currency="EUR") for row in as_planned()])


def test_unit_cost_coverage_and_use_of_commitments() -> None:
    rows = changed(as_planned(), "NodeUsage:cache.r6g.large", reserved)
    fee = {"kind": "RIFee", "code": "AmazonElastiCache", "usage": "HeavyUsage:cache.r6g.large", "tags": {}}
    rows = made.with_row(rows, **fee, billed=Decimal("314.712"), unused=Decimal("62.9424"))  # type: ignore[arg-type]
    found = compared(rows)
    hours = sum(row.quantity for row in rows if row.unit == "Hrs" and "Usage:" in row.usage and row.kind != "RIFee")
    assert found.covered_share is not None
    assert abs(found.covered_share - 3 * HOURS / hours) < Decimal("0.001")
    used = 3 * HOURS * Decimal("0.141")
    assert found.used_share is not None
    assert abs(found.used_share - used / (used + Decimal("62.9424"))) < Decimal("0.001")
    assert abs(found.unit_cost_usd[1] - found.actual_usd / 10) < CENT


@pytest.mark.parametrize(
    ("gate", "status"),
    [
        ("variance_percent.total < 12", "pass"),
        ("variance_percent.total < 1", "fail"),
        ("commitment_utilization > 0.9", "unjudged"),
        ("unplanned_usd<=0", "pass"),
        ("variance_usd.calendar > 1000", "fail"),
        ("untagged_share < 0.05", "pass"),
    ],
)
def test_a_gate_is_judged_by_the_bill_and_never_kept_by_what_it_does_not_tell(gate: str, status: str) -> None:
    found = compared(as_planned(), gates=[gate])
    assert [verdict.status for verdict in found.verdicts] == [status]
    assert found.is_within_gates == (status == "pass")


@pytest.mark.parametrize("gate", ["total < 12", "variance_percent.total", "variance_percent.totl < 12", "a b"])
def test_a_gate_on_nothing_is_a_mistake(gate: str) -> None:
    with pytest.raises(UsageError, match="--gate"):
        compared(as_planned(), gates=[gate])


def test_an_account_limits_the_bill_too() -> None:
    rows = made.with_row(as_planned(), account="999988887777")
    found = compared(rows, tags=(), accounts=(made.ACCOUNT,))
    assert dict(found.invoice_usd)["other applications"] == HOURS * Decimal("0.384")
    whole = compared(rows, tags=())
    assert abs(whole.parts_usd["mix"] + whole.parts_usd["usage"] - HOURS * Decimal("0.384")) < CENT
    assert any("--tag application=cascade" in note for note in whole.notes)


def test_every_cause_has_words() -> None:
    assert set(compared(as_planned()).parts_usd) == set(PARTS)


# ---------------------------------------------------------------------------------- bills that say less than they could


DESCRIBED = {
    "BoxUsage:c6g.xlarge": "$0.136 per On Demand Linux c6g.xlarge Instance Hour",
    "BoxUsage:m6g.large": "$0.077 per On Demand Linux m6g.large Instance Hour",
    "NatGateway-Bytes": "$0.045 per GB Data Processed by NAT Gateways",
    "LCUUsage": "$0.008 per used Application load balancer capacity unit-hour (or partial hour)",
}


def test_focus_without_aws_s_columns_is_told_by_sku_and_by_description() -> None:
    """As exports of FOCUS 1.0 have it: NULL for nothing, no usage type; the database's rows have the book's SKU."""
    skus = {item.key: item.sku for item in planned().bill.items}
    sku = next(sku for key, sku in skus.items() if key.variant == "multi_az" and key.item == "db.r5.xlarge")
    rows = [row for row in as_planned() if row.usage in DESCRIBED or row.usage == "Multi-AZUsage:db.r5.xl"]
    lines = made.focus(rows)
    for line in lines:
        usage = line.pop("x_UsageType")
        del line["x_Operation"], line["x_ServiceCode"]
        line["ChargeDescription"] = DESCRIBED.get(usage, "$1.00 per something")
        line["SkuId"] = "" if usage in DESCRIBED else sku
    text = made.text([{name: value or "NULL" for name, value in line.items()} for line in lines])
    found = of_text(text)
    assert not found.unplanned
    for name in ("database primary", "NAT traffic", "nodes", "ALB capacity units"):
        line = next(each for each in found.variances if each.name == name)
        assert {part for part, usd in line.parts_usd.items() if abs(usd) > CENT} <= {"calendar"}, name
    assert any(note.endswith("told by SKU or description") for note in found.notes)


def of_text(text: str, name: str = "bill.csv", users: tuple[int, int | None] | None = None) -> Actuals:
    bill = read_bill([file_of(text, name)], ("application",))
    month, lines = of_month(bill, None)
    own = scenario()
    plans = plans_of(own.scenario, own.book, own.origins, HOURS, users_of(own.scenario, users))
    return held_against(plans, own.book, bill, month, lines, span_of(month, lines, False), Asked(scope_of((), ())))


CONSOLE = (
    '"Service","EC2-Instances($)","Relational Database Service($)","Lambda($)","Total costs($)"\n'
    '"2027-01-01","500","1200","7","1707"\n'
)


def test_totals_of_services_are_held_against_the_plan_s_and_split_no_further() -> None:
    found = of_text(CONSOLE)
    assert {each.name for each in found.variances} >= {"EC2-Instances", "EC2-Other", "S3", "VPC"}
    database = next(each for each in found.variances if each.name == "Relational Database Service")
    assert database.actual.cost_usd == 1200
    assert set(database.parts_usd) == {"calendar", "users", "unsplit"}
    assert [(each.service, each.effective_usd) for each in found.unplanned] == [("Lambda", 7)]
    assert abs(sum(found.parts_usd.values()) - found.difference_usd) < CENT
    assert any("cannot be told apart" in note for note in found.notes)


def test_usage_types_with_amounts_are_split_and_without_are_not() -> None:
    def answer(asked: bool) -> str:
        groups = [
            {
                "Keys": ["EC2 - Other", "NatGateway-Bytes"],
                "Metrics": {
                    "UnblendedCost": {"Amount": "139.5", "Unit": "USD"},
                    **({"UsageQuantity": {"Amount": "3100", "Unit": "GB"}} if asked else {}),
                },
            }
        ]
        return json.dumps(
            {
                "GroupDefinitions": [{"Type": "DIMENSION", "Key": key} for key in ("SERVICE", "USAGE_TYPE")],
                "ResultsByTime": [{"TimePeriod": {"Start": "2027-01-01", "End": "2027-02-01"}, "Groups": groups}],
            }
        )

    for asked, part in ((True, "usage"), (False, "unsplit")):
        line = next(each for each in of_text(answer(asked), "ce.json").variances if each.name == "NAT traffic")
        assert line.actual.cost_usd == Decimal("139.5")
        assert abs(line.parts_usd[part] - (3100 - 120) * Decimal("0.045")) < CENT


def test_what_a_commitment_was_planned_to_save_is_no_variance() -> None:
    """A plan that reserves its cache, and a bill at the reservation's rate: only the month's hours differ."""
    own = made.given(("--set", "tiers.cache.purchase", "reserved_1y_no_upfront"))
    wanted = own.scenario.model_copy(update={"hours_per_month": HOURS})
    rate = next(
        item.price_usd for item in made.plan(wanted, own.book, predicted=False).bill.items if item.tier == "cache"
    )
    assert rate < Decimal("0.206")
    rows = changed(
        as_planned(),
        "NodeUsage:cache.r6g.large",
        lambda row: made.replace(row, kind="DiscountedUsage", billed=Decimal(0), effective=row.quantity * rate),
    )
    bill = read_bill([file_of(made.text(made.cur2(rows)))], ("application",))
    month, lines = of_month(bill, None)
    plans = plans_of(own.scenario, own.book, own.origins, HOURS, (10_000, 3000))
    found = held_against(plans, own.book, bill, month, lines, span_of(month, lines, False), Asked(scope_of(TAG, ())))
    assert told(found).keys() == {"calendar"}
    assert found.used_share == 1


def test_many_tags_that_nobody_asked_for_are_one_line() -> None:
    lines = made.cur2([as_planned()[0]])
    for number, line in enumerate(lines):
        line["resource_tags"] = json.dumps({"user_application": "cascade", "user_pod": f"pod-{number}"})
    read = read_bill([file_of(made.text(lines))], ("application",))
    assert len(lines) > 1
    assert len(read.lines) == 1


def test_a_bill_that_names_no_service_is_no_bill_of_anything() -> None:
    answer = {
        "GroupDefinitions": [{"Type": "DIMENSION", "Key": "REGION"}],
        "ResultsByTime": [
            {
                "TimePeriod": {"Start": "2027-01-01", "End": "2027-02-01"},
                "Groups": [{"Keys": ["us-east-1"], "Metrics": {"UnblendedCost": {"Amount": "5", "Unit": "USD"}}}],
            }
        ],
    }
    with pytest.raises(UsageError, match="group it by SERVICE"):
        of_text(json.dumps(answer), "ce.json")


@given(st.decimals(0, 10**14, places=6), st.decimals(0, 10**14, places=10))
def test_no_amount_is_too_large_to_add_up(quantity: Decimal, usd: Decimal) -> None:
    rows = changed(as_planned(), NAT, lambda row: made.replace(row, quantity=quantity, billed=usd))
    found = compared(rows)
    assert abs(sum(found.parts_usd.values()) - found.difference_usd) < Decimal("1e-9")
    assert abs(sum(usd for _, usd in found.invoice_usd) - found.billed_usd) < Decimal("1e-8")


def test_a_service_s_total_of_another_region_is_not_the_plan_s() -> None:
    answer = {
        "GroupDefinitions": [{"Type": "DIMENSION", "Key": key} for key in ("SERVICE", "REGION")],
        "ResultsByTime": [
            {
                "TimePeriod": {"Start": "2027-01-01", "End": "2027-02-01"},
                "Groups": [
                    {
                        "Keys": ["Amazon ElastiCache", region],
                        "Metrics": {"UnblendedCost": {"Amount": usd, "Unit": "USD"}},
                    }
                    for region, usd in (("us-east-1", "450"), ("eu-west-1", "70"))
                ],
            }
        ],
    }
    found = of_text(json.dumps(answer), "ce.json")
    assert next(each for each in found.variances if each.name == "ElastiCache").actual.cost_usd == 450
    assert [(each.effective_usd, each.why) for each in found.unplanned] == [
        (70, "in eu-west-1, the plan is in us-east-1")
    ]
