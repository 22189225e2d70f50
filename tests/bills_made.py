"""Made-up bills: what a plan would be billed, in each form that a bill is handed out in, with faults planted.

Amounts are exact products, so that what a comparison must find is known to the cent. Forms are those of the genuine
files: CUR 2.0, its legacy form, FOCUS with and without AWS's own columns.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from io import BytesIO, StringIO
from pathlib import Path
from typing import Final

from cascade_plan.choosing.met import suggestions
from cascade_plan.clouds.aws.usage_types import usage_type
from cascade_plan.evidence.actuals import Asked, held_against, plans_of, span_of, users_of
from cascade_plan.evidence.bill_file import BillFile
from cascade_plan.evidence.billed import billed as read_bill
from cascade_plan.evidence.billed import of_month
from cascade_plan.evidence.scope import scope_of, tags_read
from cascade_plan.inputs.scenarios import Given, read
from cascade_plan.model.actuals import Actuals
from cascade_plan.model.plan import Plan
from cascade_plan.planning.pipeline import plan

REGION, HOURS, ACCOUNT = "us-east-1", 744, "111122223333"
START, END = datetime(2027, 1, 1), datetime(2027, 2, 1)  # noqa: DTZ001 a bill's times have no zone but UTC
MINE: Final = {"application": "cascade"}
TAG: Final = ("application=cascade",)
RESERVATION: Final = "arn:aws:elasticache:us-east-1:111122223333:reserved-instance:ri-1"
UNITS: Final = {
    "hour": ("Hrs", Decimal(1)),
    "lcu_hour": ("LCU-Hrs", Decimal(1)),
    "gib": ("GB", Decimal(1)),
    "gib_month": ("GB-Mo", Decimal(1)),
    "million_requests": ("Requests", Decimal(1_000_000)),
}
"""A unit of the book -> what a bill calls its own, and how many of it one is."""
IN_FOCUS: Final = {"Hrs": "Hours", "GB-Mo": "GB-Months", "LCU-Hrs": "LCU-Hours"}
NONE: Final = Decimal(0)


@dataclass(frozen=True)
class Row:
    """A line of a bill, for the whole month."""

    code: str
    usage: str
    operation: str
    quantity: Decimal
    unit: str
    price: Decimal
    kind: str = "Usage"
    tags: dict[str, str] = field(default_factory=lambda: dict(MINE))
    region: str = REGION
    billed: Decimal | None = None
    effective: Decimal | None = None
    unused: Decimal = NONE
    account: str = ACCOUNT
    currency: str = "USD"

    @property
    def listed(self) -> Decimal:
        """What it costs at the list price."""
        return self.quantity * self.price

    @property
    def cash(self) -> Decimal:
        """What is billed for it."""
        return self.listed if self.billed is None else self.billed

    @property
    def accrual(self) -> Decimal:
        """What it costs with commitments spread."""
        return self.cash if self.effective is None else self.effective


def given(*assignments: tuple[str, str, str]) -> Given:
    """Return the scenario that the bills are of."""
    return read("cascade", assignments)


def planned(peak: int = 10_000, average: int = 3000, hours: int = HOURS) -> Plan:
    """Return its plan for some users and a month's hours."""
    found = given()
    scenario = found.scenario.with_users(peak, average).model_copy(update={"hours_per_month": hours})
    return plan(scenario, found.book, predicted=False)


def billed(made: Plan) -> list[Row]:
    """Return the rows of a bill for just what a plan has."""
    rows = []
    for item in made.bill.items:
        usage = usage_type(item.key, REGION)
        assert usage is not None, item.key
        unit, factor = UNITS[item.unit]
        if item.quantity.average:
            rows.append(Row(*usage, item.quantity.average * factor, unit, item.list_price_usd / factor))
    return rows


def changed(rows: Iterable[Row], usage: str, change: Callable[[Row], Row | None]) -> list[Row]:
    """Return the rows with those of a usage type changed, or left out where nothing is left. At least one is."""
    found, met = [], 0
    for row in rows:
        if row.usage != usage:
            found.append(row)
            continue
        met += 1
        if (new := change(row)) is not None:
            found.append(new)
    assert met, usage
    return found


def plain(value: Decimal) -> str:
    """Return a number as AWS writes it: no exponent, one decimal at least."""
    text = f"{value:f}"
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals.rstrip('0') or '0'}"


def spans(row: Row, until: datetime) -> list[tuple[datetime, datetime, Decimal]]:
    """Return the days of a row, and what of it each has: hours are billed by the hour, the rest once."""
    if row.unit != "Hrs" or row.kind in ("RIFee", "Tax"):
        return [(START, END if row.unit != "Hrs" else until, Decimal(1))]
    days = (until - START).days
    return [(START + timedelta(day), START + timedelta(day + 1), Decimal(1) / 31) for day in range(days)]


def _exact(row: Row, part: Decimal, amount: Decimal) -> str:
    """Return a part of an amount; thirty-one of them add up to it to a billionth of a cent, as bills' do."""
    return plain((amount * part).quantize(Decimal("1e-13")) if part != 1 else amount)


def cur2(rows: Sequence[Row], until: datetime = END) -> list[dict[str, str]]:
    """Return a bill as CUR 2.0."""
    return [_cur(row, *span) for row in rows for span in spans(row, until)]


def _cur(row: Row, start: datetime, end: datetime, part: Decimal) -> dict[str, str]:
    covered, is_usage = row.kind == "DiscountedUsage", row.kind in ("Usage", "DiscountedUsage")
    fee = row.kind == "RIFee"
    return {
        "bill_payer_account_id": row.account,
        "bill_billing_period_start_date": f"{START:%Y-%m-%dT%H:%M:%S.000Z}",
        "line_item_usage_account_id": row.account,
        "line_item_line_item_type": row.kind,
        "line_item_usage_start_date": f"{start:%Y-%m-%dT%H:%M:%S.000Z}",
        "line_item_usage_end_date": f"{end:%Y-%m-%dT%H:%M:%S.000Z}",
        "line_item_product_code": row.code,
        "line_item_usage_type": row.usage,
        "line_item_operation": row.operation,
        "line_item_usage_amount": _exact(row, part, row.quantity),
        "line_item_currency_code": row.currency,
        "line_item_unblended_cost": _exact(row, part, row.cash),
        "pricing_public_on_demand_cost": _exact(row, part, row.listed) if is_usage else "",
        "pricing_unit": row.unit,
        "product_region_code": row.region,
        "reservation_reservation_a_r_n": RESERVATION if covered or fee else "",
        "reservation_effective_cost": _exact(row, part, row.accrual) if covered else "",
        "reservation_unused_amortized_upfront_fee_for_billing_period": "0.0" if fee else "",
        "reservation_unused_recurring_fee": plain(row.unused) if fee else "",
        "resource_tags": json.dumps({f"user_{name}": value for name, value in row.tags.items()}) if row.tags else "",
    }


LEGACY: Final = {
    "bill_payer_account_id": "bill/PayerAccountId",
    "bill_billing_period_start_date": "bill/BillingPeriodStartDate",
    "line_item_usage_account_id": "lineItem/UsageAccountId",
    "line_item_line_item_type": "lineItem/LineItemType",
    "line_item_usage_start_date": "lineItem/UsageStartDate",
    "line_item_usage_end_date": "lineItem/UsageEndDate",
    "line_item_product_code": "lineItem/ProductCode",
    "line_item_usage_type": "lineItem/UsageType",
    "line_item_operation": "lineItem/Operation",
    "line_item_usage_amount": "lineItem/UsageAmount",
    "line_item_currency_code": "lineItem/CurrencyCode",
    "line_item_unblended_cost": "lineItem/UnblendedCost",
    "pricing_public_on_demand_cost": "pricing/publicOnDemandCost",
    "pricing_unit": "pricing/unit",
    "product_region_code": "product/regionCode",
    "reservation_reservation_a_r_n": "reservation/ReservationARN",
    "reservation_effective_cost": "reservation/EffectiveCost",
    "reservation_unused_amortized_upfront_fee_for_billing_period": (
        "reservation/UnusedAmortizedUpfrontFeeForBillingPeriod"
    ),
    "reservation_unused_recurring_fee": "reservation/UnusedRecurringFee",
}


def legacy(rows: Sequence[Row], until: datetime = END) -> list[dict[str, str]]:
    """Return a bill as the legacy report: other names, and a column for each tag."""
    found = []
    for line in cur2(rows, until):
        tags = json.loads(line.pop("resource_tags") or "{}")
        named = {LEGACY[name]: value for name, value in line.items()}
        found.append(named | {"resourceTags/user:application": tags.get("user_application", "")})
    return found


def focus(rows: Sequence[Row], until: datetime = END) -> list[dict[str, str]]:
    """Return a bill as FOCUS 1.2 with AWS's own columns: what a commitment costs, and what of it is unused, apart."""
    found = []
    for row in rows:
        parts = [(row.kind, row.quantity, row.cash, row.accrual, row.listed)]
        if row.kind == "RIFee":
            parts = [
                ("Purchase", row.quantity, row.cash, NONE, row.listed),
                ("Unused", Decimal(1), NONE, row.unused, NONE),
            ]
        found += [_focus(row, part, *span) for part in parts for span in spans(row, until)]
    return found


def _focus(
    row: Row, of: tuple[str, Decimal, Decimal, Decimal, Decimal], start: datetime, end: datetime, part: Decimal
) -> dict[str, str]:
    kind, quantity, cash, accrual, listed = of
    charge = kind if kind in ("Tax", "Credit", "Purchase") else "Usage"
    committed = kind in ("DiscountedUsage", "Unused")
    return {
        "BilledCost": _exact(row, part, cash),
        "BillingAccountId": row.account,
        "BillingCurrency": row.currency,
        "BillingPeriodStart": f"{START:%Y-%m-%d %H:%M:%S}",
        "BillingPeriodEnd": f"{END:%Y-%m-%d %H:%M:%S}",
        "ChargeCategory": charge,
        "ChargeClass": "Correction" if kind == "Refund" else "",
        "ChargeDescription": row.usage or charge,
        "ChargePeriodStart": f"{start:%Y-%m-%d %H:%M:%S}",
        "ChargePeriodEnd": f"{end:%Y-%m-%d %H:%M:%S}",
        "CommitmentDiscountId": RESERVATION if committed or kind == "Purchase" else "",
        "CommitmentDiscountStatus": {"DiscountedUsage": "Used", "Unused": "Unused"}.get(kind, ""),
        "EffectiveCost": _exact(row, part, accrual),
        "ListCost": _exact(row, part, listed),
        "PricingCategory": "Committed" if committed else "Standard",
        "PricingQuantity": _exact(row, part, quantity),
        "PricingUnit": IN_FOCUS.get(row.unit, row.unit),
        "RegionId": row.region,
        "ServiceName": "Amazon Elastic Compute Cloud",
        "SubAccountId": row.account,
        "Tags": json.dumps(row.tags) if row.tags else "",
        "x_Operation": row.operation,
        "x_ServiceCode": row.code,
        "x_UsageType": row.usage,
    }


FORMS: Final = {"cur2": cur2, "legacy": legacy, "focus": focus}


def text(lines: Sequence[dict[str, str]]) -> str:
    """Return lines as CSV."""
    out = StringIO()
    writer = csv.DictWriter(out, list(lines[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return out.getvalue()


def written(path: Path, lines: Sequence[dict[str, str]]) -> Path:
    """Return a file with lines as CSV, gzipped where its name says so."""
    data = text(lines).encode()
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
    return path


def with_row(rows: Sequence[Row], **fields: object) -> list[Row]:
    """Return the rows with one more, like an instance's but for some fields."""
    base = Row("AmazonEC2", "BoxUsage:m5.2xlarge", "RunInstances", Decimal(HOURS), "Hrs", Decimal("0.384"))
    return [*rows, replace(base, **fields)]  # type: ignore[arg-type]


def file_of(content: str, name: str = "bill.csv") -> BillFile:
    data = content.encode()
    return BillFile(name, lambda: BytesIO(data))


@cache
def scenario() -> Given:
    return given()


def compared(
    rows: Sequence[Row],
    form: str = "cur2",
    users: tuple[int, int | None] | None = None,
    tags: Sequence[str] = TAG,
    until: datetime = END,
    to_date: bool = False,
    gates: Sequence[str] = (),
    accounts: Sequence[str] = (),
    explained: bool = False,
) -> Actuals:
    """Return a made-up bill, in some form, held against the plan."""
    asked = Asked(scope_of(tags, accounts), users, to_date, gates=tuple(gates))
    bill = read_bill([file_of(text(FORMS[form](rows, until)))], tags_read(asked.scope))
    month, lines = of_month(bill, None)
    own = scenario()
    span = span_of(month, lines, to_date)
    plans = plans_of(own.scenario, own.book, own.origins, span.hours, users_of(own.scenario, users))
    found = held_against(plans, own.book, bill, month, lines, span, asked)
    return suggestions(found, plans.flexed, own.book, own.origins) if explained else found
