"""Rows of FOCUS as a reader finds them, every way of paying at once, and the laws that no validator checks."""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache
from io import StringIO

from cascade_plan.inputs.scenarios import read
from cascade_plan.model.calendar import Month
from cascade_plan.model.plan import Plan
from cascade_plan.model.price import Book, PriceKey, Row
from cascade_plan.planning.pipeline import plan

Line = dict[str, str]
JANUARY = Month(2027, 1)
UNITS = {
    "Hours", "vCPU-Hours", "ACU-Hours", "GB", "GB-Hours", "GB-Months", "LCU-Hours", "IOPS-Months", "MiBps-Months",
    "Requests", "ECPUs", "IOs", "Metric Datapoints", "Metrics", "Alarms", "Secrets", "Units", "USD", "Months",
}  # fmt: skip
"""What a row may be counted in: what AWS's own rows of FOCUS are, and what a plan has besides."""
KINDS = ("reserved", "compute_sp")
UPFRONT = {"no": "0", "partial": "0.5", "all": "1"}
OFF = {"1": Decimal("0.7"), "3": Decimal("0.5")}
"""What of the price on demand a commitment of so many years costs, in this book alone."""
EVERY_KIND = {
    "api": "{reserved_1y_no_upfront: 0.3, reserved_3y_partial_upfront: 0.3, spot: 0.2}",
    "websocket": "{compute_sp_1y_partial_upfront: 0.4, compute_sp_3y_all_upfront: 0.3, compute_sp_1y_no_upfront: 0.2}",
    "database": "reserved_1y_all_upfront",
    "cache": "{reserved_1y_partial_upfront: 0.7}",
}
"""Tier -> how it is paid: on spot, by reservations and by savings plans, and what these leave on demand."""
MORE_THAN_RUNS = {"tiers.api.nodes": "{min: 2, base: 6, max: 8}", "tiers.api.commitment_level": "ceiling"}
"""Commitments to what runs at the most: in the other hours some of it is not used."""


@cache
def every_term(region: str = "us-east-1") -> Book:
    """Return the bundled book with a price for every way to pay for what `EVERY_KIND` buys."""
    book = read("cascade", [("a test", "region", region)]).book
    rows: dict[PriceKey, Row] = {}
    for key, row in book.rows.items():
        if key.term == "on_demand" and row[0] == "hour" and key.service in ("ec2", "rds", "elasticache"):
            rows |= dict(_terms(key, row))
    return book.overridden(rows, "made up")


def _terms(key: PriceKey, row: Row) -> Iterator[tuple[PriceKey, Row]]:
    unit, usd, _, *others, _ = row
    for kind in KINDS if key.service == "ec2" else KINDS[:1]:
        for years, of in OFF.items():
            for paid, share in UPFRONT.items():
                effective = (Decimal(usd) * of).quantize(Decimal("0.000001"))
                upfront = (effective * 8760 * int(years) * Decimal(share)).quantize(Decimal("0.01"))
                term = f"{kind}_{years}y_{paid}_upfront"
                yield key._replace(term=term), (unit, f"{effective:f}", f"{upfront:f}", *others, "cache")  # type: ignore[misc]
    if key.service == "ec2":
        yield key._replace(term="spot"), (unit, f"{Decimal(usd) * Decimal('0.4'):f}", "", *others, "cache")


def paid(name: str, purchases: Mapping[str, str], charged: Month = JANUARY, **others: str) -> Plan:
    """Return the plan of a bundled scenario in a month, tiers paid as said, other values by dotted path."""
    values = {f"tiers.{tier}.purchase": terms for tier, terms in purchases.items()} | others
    values["hours_per_month"] = str(charged.hours)
    given = read(name, [("a test", path, value) for path, value in values.items()])
    return plan(given.scenario, every_term(given.scenario.region), given.origins, predicted=False)


def read_back(text: str) -> list[Line]:
    """Return the rows of a file."""
    return list(csv.DictReader(StringIO(text, newline="")))


def written(rows: Sequence[Line]) -> str:
    """Return rows as a file again."""
    out = StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def total(rows: Iterable[Line], column: str) -> Decimal:
    """Return the exact sum over a column."""
    return sum((Decimal(row[column]) for row in rows), Decimal(0))


# ---------------------------------------------------------------------------------------------------------------- laws


def broken(rows: Sequence[Line], bill_usd: Decimal) -> list[str]:
    """Return which laws the rows of one month break, by name and row."""
    found = [f"{law.__name__}: row {at}" for at, row in enumerate(rows) for law in LAWS if not law(row)]
    if total(rows, "EffectiveCost") != bill_usd:
        found.append("the costs are not the bill")
    return found + [f"hours: {name}" for name in _other_hours(rows)]


def price_times_quantity(row: Line) -> bool:
    """Whether list and contracted cost are their unit price by the quantity, exactly."""
    return all(
        Decimal(row[f"{kind}UnitPrice"]) * Decimal(row["PricingQuantity"]) == Decimal(row[f"{kind}Cost"])
        for kind in ("List", "Contracted")
    )


def known_units(row: Line) -> bool:
    """Whether every unit is a known one, and stands beside a quantity."""
    pairs = [(row[f"{what}Quantity"], row[f"{what}Unit"]) for what in ("Pricing", "Consumed", "CommitmentDiscount")]
    return all(unit in UNITS if amount else not unit for amount, unit in pairs) and bool(row["PricingUnit"])


def charge_within_billing(row: Line) -> bool:
    """Whether what is charged lies in the period that is billed."""
    return row["BillingPeriodStart"] <= row["ChargePeriodStart"] < row["ChargePeriodEnd"] <= row["BillingPeriodEnd"]


def instants(row: Line) -> bool:
    """Whether every time is an instant in UTC."""
    times = [value for name, value in row.items() if "Period" in name]
    return len(times) == 4 and all(re.fullmatch(r"\d{4}-\d{2}-01T00:00:00Z", time) for time in times)


def numbers_with_a_fraction(row: Line) -> bool:
    """Whether no number can be taken for an integer, and none is negative."""
    numbers = [row[name] for name in row if name.endswith(("Cost", "UnitPrice", "Quantity"))]
    return all(re.fullmatch(r"\d+\.\d+", number) for number in numbers if number) and bool(row["EffectiveCost"])


def one_view_of_a_payment(row: Line) -> bool:
    """Whether what is purchased is billed and costs nothing, and what a commitment covers costs and is not billed."""
    if row["ChargeCategory"] == "Purchase":
        return Decimal(row["EffectiveCost"]) == 0 < Decimal(row["BilledCost"]) == Decimal(row["ContractedCost"])
    if row["PricingCategory"] == "Committed":
        return Decimal(row["BilledCost"]) == 0 < Decimal(row["EffectiveCost"])
    return row["BilledCost"] == row["EffectiveCost"] and not row["CommitmentDiscountId"]


def committed_is_said(row: Line) -> bool:
    """Whether a commitment's columns are filled together: a status where it is used, none where it is bought."""
    names = [name for name in row if name.startswith("CommitmentDiscount") and name != "CommitmentDiscountStatus"]
    committed = row["PricingCategory"] == "Committed"
    filled = {bool(row[name]) for name in names} == {committed or row["ChargeCategory"] == "Purchase"}
    consumed = bool(row["ConsumedQuantity"]) == (
        row["ChargeCategory"] == "Usage" and row["CommitmentDiscountStatus"] != "Unused"
    )
    return filled and consumed and (row["CommitmentDiscountStatus"] in ("Used", "Unused")) == committed


def planned_and_no_more(row: Line) -> bool:
    """Whether the row says that it is a plan's, and names no account, invoice or resource that somebody could have."""
    return (
        row["x_Forecast"] == "true"
        and row["BillingAccountId"].startswith("plan:")
        and row["InvoiceId"] == row["ChargeClass"] == ""
        and not {"SkuId", "SkuPriceId", "ResourceId"} & row.keys()
    )


def tags_are_json(row: Line) -> bool:
    """Whether the tags are an object of texts."""
    try:
        tags = json.loads(row["Tags"])
    except ValueError:
        return False
    return isinstance(tags, dict) and all(isinstance(value, str) for value in tags.values())


def one_company(row: Line) -> bool:
    """Whether who provides, publishes and invoices is one: otherwise the charge would be a third party's."""
    names = {row[name] for name in row if name.endswith(("ProviderName", "PublisherName", "IssuerName"))}
    return len(names) == 1 and "" not in names


LAWS = (
    price_times_quantity, known_units, charge_within_billing, instants, numbers_with_a_fraction, one_view_of_a_payment,
    committed_is_said, planned_and_no_more, tags_are_json, one_company,
)  # fmt: skip


def _other_hours(rows: Sequence[Line]) -> Iterator[str]:
    """Yield the commitments of which more or less is used and unused than is paid for."""
    used: dict[str, Decimal] = defaultdict(Decimal)
    recurring: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        if row["CommitmentDiscountId"]:
            kind = used if row["ChargeCategory"] == "Usage" else recurring
            if row["ChargeFrequency"] != "One-Time":
                kind[row["CommitmentDiscountId"]] += Decimal(row["CommitmentDiscountQuantity"])
    yield from (name for name, amount in recurring.items() if used[name] != amount)
