"""A plan's month in FOCUS: its columns, what each way of paying becomes, and the laws that hold of every month."""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import duckdb
import pytest
from factories import make_plan, with_text
from focus_rows import (
    EVERY_KIND,
    JANUARY,
    LAWS,
    MORE_THAN_RUNS,
    UNITS,
    Line,
    broken,
    every_term,
    paid,
    read_back,
    total,
    written,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_plan.choosing.forecast import forecast
from cascade_plan.clouds.aws import billed
from cascade_plan.clouds.aws.usage_types import in_units, product_of
from cascade_plan.errors import UsageError
from cascade_plan.inputs.scenarios import bundled_scenarios, read
from cascade_plan.model.calendar import Month, following
from cascade_plan.model.fleet import LEVELS
from cascade_plan.model.forecast import Forecast
from cascade_plan.model.plan import Plan
from cascade_plan.model.price import PriceKey
from cascade_plan.model.terms import commitment_of
from cascade_plan.planning.pipeline import plan
from cascade_plan.prices.products import price_list
from cascade_plan.reports import _focus as focus
from cascade_plan.reports.forecasts import focus as forecasts
from cascade_plan.reports.plans import focus as report

COLUMNS = """
BilledCost BillingAccountId BillingAccountName BillingCurrency BillingPeriodEnd BillingPeriodStart
ChargeCategory ChargeClass ChargeDescription ChargeFrequency ChargePeriodEnd ChargePeriodStart
CommitmentDiscountCategory CommitmentDiscountId CommitmentDiscountName CommitmentDiscountQuantity
CommitmentDiscountStatus CommitmentDiscountType CommitmentDiscountUnit ConsumedQuantity ConsumedUnit
ContractedCost ContractedUnitPrice EffectiveCost {0} InvoiceId InvoiceIssuerName ListCost ListUnitPrice
PricingCategory PricingQuantity PricingUnit {1} RegionId RegionName ServiceCategory ServiceName {2}
ServiceSubcategory Tags x_Forecast x_Level x_Line x_PriceAsOf x_PriceOrigin x_PriceSource x_Scenario
x_ServiceCode x_Tier x_UsageType x_Users
"""
"""As the specification has them, in order; {0} to {2} are where a version's own stand."""
DOCS = Path(__file__).parent.parent.parent / "docs"
TIERS = ("api", "websocket", "database", "cache")
SAVED = st.sampled_from(
    [f"compute_sp_{years}y_{paid}_upfront" for years in (1, 3) for paid in ("no", "partial", "all")]
)
RESERVED = st.sampled_from([f"reserved_{years}y_{paid}_upfront" for years in (1, 3) for paid in ("partial", "all")])
SHARES = st.sampled_from([0.0, 0.1, 0.25, 0.4])
MONTHS = st.builds(Month, st.integers(2025, 2030), st.integers(1, 12))


def rows(made: Plan, month: Month | None = JANUARY, version: str = "1.2") -> list[Line]:
    return read_back(report.render(made, month, version))


def cost(made: Plan) -> Decimal:
    found: Decimal = getattr(made.bill.effective_usd, made.scenario.budget.level)
    return found


def everything(**others: str) -> Plan:
    return paid("cascade", EVERY_KIND, **MORE_THAN_RUNS | others)


# ------------------------------------------------------------------------------------------------------------- columns


@pytest.mark.parametrize(
    ("version", "own"),
    [("1.2", ("", "ProviderName PublisherName", "")), ("1.4", ("HostProviderName", "", "ServiceProviderName"))],
)
def test_the_columns_are_those_of_the_version_by_name_and_then_the_plans_own(
    version: str, own: tuple[str, str, str]
) -> None:
    header = report.render(everything(), JANUARY, version).partition("\n")[0].split(",")
    assert header == COLUMNS.format(*own).split()
    assert len(header) == 37 + 2 + 11


def test_versions_differ_in_the_providers_alone() -> None:
    made = everything()
    older, newer = rows(made, version="1.2"), rows(made, version="1.4")
    for one, other in zip(older, newer, strict=True):
        shared = one.keys() & other.keys()
        assert {name: one[name] for name in shared} == {name: other[name] for name in shared}
        assert {*one.values()} == {*other.values()}


# ---------------------------------------------------------------------------------------------------------------- laws


@pytest.mark.parametrize("name", bundled_scenarios())
def test_every_bundled_scenario_keeps_the_laws(name: str) -> None:
    made = paid(name, {})
    found = rows(made)
    assert broken(found, cost(made)) == []
    assert {row["x_Line"] for row in found} <= {item.name for item in made.bill.items}
    assert all(row["x_UsageType"] for row in found if row["ChargeCategory"] == "Usage" and row["RegionId"])


def test_every_way_of_paying_keeps_the_laws() -> None:
    made = everything()
    found = rows(made)
    assert broken(found, cost(made)) == []
    kinds = {
        (row["ChargeCategory"], row["ChargeFrequency"], row["PricingCategory"], row["CommitmentDiscountStatus"])
        for row in found
    }
    assert kinds == {
        ("Usage", "Usage-Based", "Standard", ""),
        ("Usage", "Usage-Based", "Dynamic", ""),
        ("Usage", "Usage-Based", "Committed", "Used"),
        ("Usage", "Usage-Based", "Committed", "Unused"),
        ("Purchase", "One-Time", "Standard", ""),
        ("Purchase", "Recurring", "Standard", ""),
    }
    types = {(row["CommitmentDiscountType"], row["CommitmentDiscountCategory"]) for row in found}
    assert types == {("", ""), ("Reserved Instance", "Usage"), ("Savings Plan", "Spend")}


@settings(max_examples=25)
@given(st.data())
def test_whatever_is_bought_in_whatever_month_the_laws_hold(data: st.DataObject) -> None:
    purchases = {
        tier: f"{{{data.draw(SAVED if tier == 'websocket' else RESERVED)}: {share}}}"
        for tier in TIERS
        if (share := data.draw(SHARES))
    }
    month, level = data.draw(MONTHS), data.draw(st.sampled_from(LEVELS))
    made = paid("cascade", purchases, month, **MORE_THAN_RUNS, **{"budget.level": level})
    found = rows(made, month)
    assert broken(found, cost(made)) == []
    assert {row["x_Level"] for row in found} == {level}
    assert Fraction(total(found, "BilledCost")) == cash(made, month)


def cash(made: Plan, month: Month) -> Fraction:
    """Return what is paid in the first month, from the bill itself: what recurs is in millionths of dollars."""
    found = Fraction(0)
    for item in made.bill.items:
        term = commitment_of(item.key.term)
        if term is None:
            found += Fraction(getattr(item.cost_usd, made.scenario.budget.level))
            continue
        upfront = Fraction(item.upfront_usd or 0)
        recurring = Fraction(item.price_usd) - upfront / term.hours if term.upfront != "all" else Fraction(0)
        recurring = Fraction(round(recurring * 10**6), 10**6)
        count = Fraction(item.bought_count)
        found += Fraction(round(count * upfront * 100), 100) + count * recurring * month.hours
    return found


@pytest.mark.parametrize("years", [1, 3])
def test_over_a_term_what_is_paid_for_a_commitment_is_what_it_costs(years: int) -> None:
    """Months of 2027 over and over, as a term is 365 days a year: no leap day."""
    plans: dict[int, Plan] = {}
    costs: dict[str, Decimal] = defaultdict(Decimal)
    bills: dict[str, Decimal] = defaultdict(Decimal)
    for life in range(12 * years):
        month = Month(2027, life % 12 + 1)
        if month.hours not in plans:
            plans[month.hours] = paid("cascade", EVERY_KIND, month, **MORE_THAN_RUNS)
        made = plans[month.hours]
        items, basis = made.bill.items, focus.Basis.of(made, month)
        for row in focus.rows(basis, items, focus.held(items, basis.level, life + 1)):
            if name := row.get("CommitmentDiscountId"):
                costs[name] += Decimal(row["EffectiveCost"])
                bills[name] += Decimal(row["BilledCost"])
    terms = {name: name.rpartition("/")[2] for name in costs}
    whole = [name for name, term in terms.items() if f"_{years}y_" in term or years == 3]
    assert len(whole) >= 4
    for name in whole:
        # The book's upfront is in cents, and its rate in millionths of a dollar.
        assert bills[name] == pytest.approx(costs[name], abs=Decimal("0.05") * years), name


# ------------------------------------------------------------------------------------------------------------- planted


def planted() -> Iterator[tuple[str, str, Callable[[list[Line]], None]]]:
    """Yield a law, what is wrong with the rows, and what makes it so."""

    def put(column: str, value: str, **where: str) -> Callable[[list[Line]], None]:
        def change(found: list[Line]) -> None:
            next(row for row in found if all(row[name] == text for name, text in where.items()))[column] = value

        return change

    purchase, used = {"ChargeCategory": "Purchase"}, {"CommitmentDiscountStatus": "Used"}
    on_demand = {"PricingCategory": "Standard", "ChargeCategory": "Usage"}
    yield "price_times_quantity", "a list cost that is none", put("ListCost", "1.0", **on_demand)
    yield "price_times_quantity", "a contracted cost that is none", put("ContractedCost", "1.0", **on_demand)
    yield "known_units", "a unit nobody knows", put("PricingUnit", "hrs")
    yield "known_units", "no unit", put("ConsumedUnit", "", **on_demand)
    yield "charge_within_billing", "a charge after its period", put("ChargePeriodEnd", "2027-03-01T00:00:00Z")
    yield "charge_within_billing", "a charge before it", put("ChargePeriodStart", "2026-12-01T00:00:00Z")
    yield "instants", "a time without a zone", put("BillingPeriodStart", "2027-01-01T00:00:00")
    yield "numbers_with_a_fraction", "an integer", put("PricingQuantity", "744")
    yield "numbers_with_a_fraction", "a negative price", put("ListUnitPrice", "-0.1")
    yield "numbers_with_a_fraction", "an exponent", put("ConsumedQuantity", "1E+2")
    yield "one_view_of_a_payment", "a purchase that costs", put("EffectiveCost", "1.0", **purchase)
    yield "one_view_of_a_payment", "covered use that is billed", put("BilledCost", "1.0", **used)
    yield "one_view_of_a_payment", "use that is billed otherwise", put("BilledCost", "1.0", **on_demand)
    yield "committed_is_said", "a commitment without a name", put("CommitmentDiscountId", "", **used)
    yield "committed_is_said", "a purchase with a status", put("CommitmentDiscountStatus", "Used", **purchase)
    yield "planned_and_no_more", "a row that is no forecast", put("x_Forecast", "")
    yield "planned_and_no_more", "an account", put("BillingAccountId", "111122223333")
    yield "planned_and_no_more", "an invoice", put("InvoiceId", "1")
    yield "tags_are_json", "tags that are not JSON", put("Tags", "application=cascade")
    yield "one_company", "a third party", put("InvoiceIssuerName", "Somebody")
    yield "the costs are not the bill", "a cent too much", put("EffectiveCost", "0.01", **purchase)
    yield "hours", "an hour used twice", put("CommitmentDiscountQuantity", "1.0", **used)


@pytest.mark.parametrize(("law", "words", "plant"), [pytest.param(*each, id=each[1]) for each in planted()])
def test_a_breach_is_found(law: str, words: str, plant: Callable[[list[Line]], None]) -> None:
    made = everything()
    found = rows(made)
    plant(found)
    assert any(problem.startswith(law) for problem in broken(found, cost(made))), words


def test_every_law_is_shown_a_breach() -> None:
    assert {law.__name__ for law in LAWS} <= {law for law, _, _ in planted()}


# ------------------------------------------------------------------------------------------------------------- amounts


def test_on_demand_spot_covered_unused_and_payments_have_their_amounts() -> None:
    made = paid("cascade", {"cache": "reserved_1y_partial_upfront", "websocket": "spot"})
    found = rows(made)
    node = every_term().find("elasticache", "cache.r6g.large", "redis")
    reserved = every_term().find("elasticache", "cache.r6g.large", "redis", "reserved_1y_partial_upfront")
    assert node is not None
    assert reserved is not None
    assert reserved.upfront_usd is not None
    (used,) = [row for row in found if row["x_Tier"] == "cache" and row["CommitmentDiscountStatus"] == "Used"]
    assert used["PricingQuantity"] == used["ConsumedQuantity"] == used["CommitmentDiscountQuantity"] == "2232.0"
    assert Decimal(used["EffectiveCost"]) == 2232 * reserved.usd
    assert Decimal(used["ListCost"]) == Decimal(used["ContractedCost"]) == 2232 * node.usd
    once, monthly = [row for row in found if row["x_Tier"] == "cache" and row["ChargeCategory"] == "Purchase"]
    assert Decimal(once["BilledCost"]) == 3 * reserved.upfront_usd
    assert (once["PricingUnit"], once["CommitmentDiscountQuantity"]) == ("Units", "26280.0")
    assert Decimal(monthly["PricingQuantity"]) == 3 * 744
    assert Decimal(monthly["ListUnitPrice"]) == pytest.approx(reserved.usd / 2, abs=Decimal("1e-6"))
    assert not once["x_UsageType"]
    (spot,) = [row for row in found if row["PricingCategory"] == "Dynamic"]
    assert Decimal(spot["EffectiveCost"]) == Decimal(spot["ListCost"]) * Decimal("0.4")


def test_what_is_committed_and_not_used_costs_and_has_no_list_price() -> None:
    made = everything()
    found = [row for row in rows(made) if row["CommitmentDiscountStatus"] == "Unused"]
    assert found
    level = made.scenario.budget.level
    assert total(found, "EffectiveCost") == sum(getattr(item.unused_usd, level) for item in made.bill.items)
    assert total(found, "ListCost") == total(found, "PricingQuantity") == 0
    assert {row["ConsumedQuantity"] for row in found} == {""}


def test_a_contract_is_below_the_list_and_above_nothing() -> None:
    given = paid("cascade", {})
    key = PriceKey("eks", "cluster")
    contract = every_term().overridden(
        {key: ("hour", "0.09", "", "2026-01-01", "our contract", "", "", "", "override")}, "contract"
    )
    made = plan(given.scenario, contract, predicted=False)
    (row,) = [row for row in rows(made) if row["x_Line"] == "EKS control plane"]
    assert (row["ListUnitPrice"], row["ContractedUnitPrice"]) == ("0.1", "0.09")
    assert Decimal(row["EffectiveCost"]) == Decimal(row["ContractedCost"]) == Decimal("66.96")
    assert Decimal(row["ListCost"]) == Decimal("74.4")
    assert row["x_PriceOrigin"] == "override"


def test_an_upfront_that_nobody_knows_is_taken_to_recur_and_said() -> None:
    made = paid("cascade", {})
    made_up = {
        PriceKey("rds", "db.r5.xlarge", zones, "reserved_3y_partial_upfront"): (
            "hour", "0.3", "", "2026-01-01", "somewhere", "", "", "", "cache",
        )
        for zones in ("single_az", "multi_az")
    }  # fmt: skip
    given = read("cascade", [("a test", "tiers.database.purchase", "reserved_3y_partial_upfront")])
    made = plan(given.scenario.model_copy(update={"hours_per_month": 744}), every_term().overridden(made_up, "x"))
    bought = [row for row in rows(made) if row["ChargeCategory"] == "Purchase"]
    assert {row["ChargeFrequency"] for row in bought} == {"Recurring"}
    assert all("which is not known" in row["ChargeDescription"] for row in bought)
    assert total(bought, "BilledCost") == 744 * Decimal("0.3") * 2


@pytest.mark.parametrize(("life", "once"), [(1, 6), (2, 0), (13, 4), (37, 6)])
def test_commitments_are_bought_in_the_first_month_and_again_when_their_term_has_ended(life: int, once: int) -> None:
    """Six are paid for upfront: two of three years, and four of one, two of these for primary and replica."""
    made = everything(month=str(life))
    found = [row for row in rows(made) if row["ChargeFrequency"] == "One-Time"]
    assert len(found) == once
    assert broken(rows(made), cost(made)) == []


def test_a_line_by_hand_names_no_provider_and_no_region() -> None:
    made = paid("cascade", {}, **{"tiers.extra": "{lines: {support: {usd_per_month: 100}}}"})
    (row,) = [row for row in rows(made) if row["x_Tier"] == "extra"]
    assert (row["ServiceName"], row["EffectiveCost"], row["PricingUnit"]) == ("support", "100.0", "Months")
    assert (row["ProviderName"], row["ServiceSubcategory"]) == ("not named in the scenario", "Other (Other)")
    assert row["RegionId"] == row["RegionName"] == row["x_UsageType"] == row["x_ServiceCode"] == ""


# --------------------------------------------------------------------------------------------------------------- joins


@pytest.mark.parametrize("name", bundled_scenarios())
def test_a_row_is_found_in_a_bill_by_what_the_bill_calls_it(name: str) -> None:
    made = paid(name, {})
    keys = {item.name: item.key for item in made.bill.items}
    units = {item.name: item.unit for item in made.bill.items}
    amounts = {item.name: getattr(item.quantity_used, made.scenario.budget.level) for item in made.bill.items}
    for row in rows(made):
        if row["ChargeCategory"] != "Usage" or not row["RegionId"] or row["CommitmentDiscountStatus"] == "Unused":
            continue
        key = keys[row["x_Line"]]
        named = billed.usage_type(key, row["RegionId"])
        assert named is not None
        found = product_of(row["x_ServiceCode"], row["x_UsageType"], named.operation, row["RegionId"])
        assert found is not None
        assert (found.service, found.item) == (key.service, key.item)
        counted = in_units(key, Decimal(row["PricingQuantity"]), row["PricingUnit"])
        assert counted == amounts[row["x_Line"]], (key, units[row["x_Line"]])


def test_every_product_of_aws_has_a_service_and_a_unit_that_its_bill_is_read_by() -> None:
    for product in price_list("aws"):
        key = PriceKey(product.service, product.item or "m5.large", product.variant)
        found = billed.billed(key, product.unit, "eu-west-1")
        assert product.service in billed.SERVICES
        assert found.unit in UNITS, (product.unit, found.unit)
        if product.code and in_units(key, Decimal(1), "") is not None:
            assert in_units(key, found.unit_count, found.unit) == 1, (key, found.unit)
    assert {*billed.SERVICES} == {*price_list("aws").services}


def test_tags_say_application_and_tier() -> None:
    made = paid("cascade", {}, application="shop")
    assert {json.loads(row["Tags"])["application"] for row in rows(made)} == {"shop"}
    assert all(json.loads(row["Tags"])["tier"] == row["x_Tier"] for row in rows(made))


# ------------------------------------------------------------------------------------------------------------- forecast


def forecast_of(months: int, percent: float, purchases: Mapping[str, str], **others: str) -> Forecast:
    """Return a forecast from January 2027 on, at the prices of every way to pay."""
    values = {f"tiers.{tier}.purchase": terms for tier, terms in purchases.items()} | others
    values["growth.percent_per_month"] = str(percent)
    given = read("cascade", [("a test", path, value) for path, value in values.items()])
    return forecast(given.scenario, every_term(), given.origins, JANUARY.first, months)


def by_month(found: Forecast, version: str = "1.2") -> list[list[Line]]:
    """Return a forecast's rows, a list for each month."""
    lists: dict[str, list[Line]] = {f"{month.start}T00:00:00Z": [] for month in found.months}
    for row in read_back(forecasts.render(found, version)):
        lists[row["ChargePeriodStart"]].append(row)
    return [*lists.values()]


@settings(max_examples=12)
@given(st.data())
def test_whatever_the_horizon_both_views_are_the_forecasts_own(data: st.DataObject) -> None:
    """Of each month and of all: users may become fewer, so that what was committed to outlasts its use."""
    purchases = {
        tier: f"{{{data.draw(SAVED if tier == 'websocket' else RESERVED)}: {share}}}"
        for tier in TIERS
        if (share := data.draw(SHARES))
    }
    months, percent = data.draw(st.integers(1, 15)), data.draw(st.sampled_from([-20.0, 0.0, 8.0, 30.0]))
    found = forecast_of(months, percent, purchases)
    lists = by_month(found)
    for month, own in zip(found.months, lists, strict=True):
        assert broken(own, month.effective_usd) == []
        assert total(own, "BilledCost") == month.cash_usd
        assert {row["x_Users"] for row in own} == {str(month.users_peak)}
    together = [row for own in lists for row in own]
    assert total(together, "EffectiveCost") == found.effective_usd
    assert total(together, "BilledCost") == found.cash_usd == found.effective_usd + found.prepaid_usd


@pytest.mark.parametrize("percent", [-10.0, 0.0, 6.0])
def test_over_whole_terms_both_views_of_a_forecast_agree_to_the_cent(percent: float) -> None:
    """Thirty-six months are three terms of a year and one of three, where nothing more is bought on the way."""
    found = forecast_of(36, percent, EVERY_KIND)
    costs: dict[str, Decimal] = defaultdict(Decimal)
    bills: dict[str, Decimal] = defaultdict(Decimal)
    bought: dict[str, set[int]] = defaultdict(set)
    for month, own in zip(found.months, by_month(found), strict=True):
        for row in own:
            if name := row["CommitmentDiscountId"]:
                costs[name] += Decimal(row["EffectiveCost"])
                bills[name] += Decimal(row["BilledCost"])
                if row["ChargeFrequency"] == "One-Time":
                    bought[name].add(month.number)
    ended = [
        name for name in costs if all(number % 12 == 1 if "_1y_" in name else number == 1 for number in bought[name])
    ]
    assert len(ended) >= 4
    assert {name: bills[name] for name in ended} == {name: costs[name] for name in ended}


def test_what_outlasts_its_use_is_unused_and_still_paid() -> None:
    users = {"users.peak": "100000", "users.average": "30000"}
    found = forecast_of(3, -40.0, {"api": "reserved_1y_no_upfront"}, **users)
    lists = by_month(found)
    hours = [
        [total([row for row in own if row[of] == value], "CommitmentDiscountQuantity") for own in lists]
        for of, value in (
            ("ChargeFrequency", "Recurring"),
            ("CommitmentDiscountStatus", "Used"),
            ("CommitmentDiscountStatus", "Unused"),
        )
    ]
    paid_for, used, unused = (
        [amount / month.hours for amount, month in zip(each, found.months, strict=True)] for each in hours
    )
    assert paid_for == [paid_for[0]] * 3
    assert used[0] == paid_for[0] > used[1] > used[2] > 0
    assert unused == [paid_for[0] - each for each in used]


def test_the_first_month_of_a_forecast_is_the_month_of_a_report() -> None:
    """But for what is paid upfront, which a forecast uses up by the hours of its term, a leap day among them."""
    found = forecast_of(1, 0.0, EVERY_KIND, **MORE_THAN_RUNS)
    (first,) = by_month(found)
    report_rows = rows(everything())
    assert [row["x_Line"] for row in first] == [row["x_Line"] for row in report_rows]
    for one, other in zip(first, report_rows, strict=True):
        alike = {name for name in one if name not in ("EffectiveCost", "CommitmentDiscountQuantity")}
        assert {name: one[name] for name in alike} == {name: other[name] for name in alike}
        assert Decimal(one["EffectiveCost"]) == pytest.approx(Decimal(other["EffectiveCost"]), rel=Decimal("0.001"))


# -------------------------------------------------------------------------------------------------------------- months


def test_the_month_is_the_one_after_the_newest_price() -> None:
    made = make_plan(hours_per_month=696)
    assert {item.as_of for item in made.bill.items} == {"2020-01-02"}
    assert {row["ChargePeriodStart"] for row in rows(made, None)} == {"2020-02-01T00:00:00Z"}
    assert {row["ChargePeriodEnd"] for row in rows(made, None)} == {"2020-03-01T00:00:00Z"}


def test_a_plan_of_other_hours_is_no_plan_of_the_month() -> None:
    with pytest.raises(UsageError, match="2027-02 has 672 hours, the plan is of 730"):
        report.render(make_plan(), Month(2027, 2))


def test_where_no_price_has_a_date_no_month_follows() -> None:
    with pytest.raises(UsageError, match="name the month with --month YYYY-MM"):
        following(None)


@given(MONTHS)
def test_a_months_hours_are_those_until_the_next_begins(month: Month) -> None:
    assert Month.parse(str(month)) == month == Month.of(month.first)
    assert month.hours == (month.plus(1).first - month.first).days * 24
    assert month.plus(1).plus(-1) == month
    assert month.after == month.plus(1).first


@pytest.mark.parametrize(
    "text", ["2027", "2027-1", "2027-13", "2027-00", "0000-01", "9999-12", "2027-01-01", "x", "２０２７-01"]
)
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="must be a year and a month, such as 2027-01"):
        Month.parse(text)


# ------------------------------------------------------------------------------------------------------------- hostile


FORMULAS = ["=cmd|'/c calc'!A1", "+1", "-1", "@SUM(A1)", "\t=1", "\n=1", " =1", "\r@x", "a\n=b,c", "=1\u2028,2"]


@pytest.mark.parametrize("text", FORMULAS)
def test_text_is_no_formula_and_stays_in_its_cell(text: str) -> None:
    for row in rows(everywhere(make_plan(), text), None):
        for value in row.values():
            assert value[:1] not in {*"=+-@\t\r\n "}
            assert "\n" not in value


@settings(max_examples=40)
@given(st.text())
def test_any_text_stays_in_its_cell(text: str) -> None:
    made = everywhere(make_plan(missing=["cluster"]), text)
    rendered = report.render(made)
    table = list(csv.reader(rendered.splitlines(keepends=True)))
    assert {len(row) for row in table} == {37 + 2 + 11}
    assert len(table) == 1 + len([item for item in made.bill.items if item.quantity.average])
    assert rendered.encode()
    for row in read_back(rendered):
        assert isinstance(json.loads(row["Tags"]), dict)
        assert row["BillingAccountId"].startswith("plan:")
        assert not row["x_Line"].startswith(("=", "+", "-", "@"))


def everywhere(made: Plan, text: str) -> Plan:
    """Return the plan with a text wherever a file could bring it, but for the dates of prices, and in its names."""
    found = with_text(made, text)
    items = tuple(replace(item, as_of="2020-01-02") for item in found.bill.items)
    scenario = found.scenario.model_copy(update={"name": text, "application": text})
    return replace(found, scenario=scenario, bill=replace(found.bill, items=items))


# ----------------------------------------------------------------------------------------------------------------- docs


def test_the_query_of_the_docs_sets_a_plan_beside_its_bill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a bill that is the plan itself, but that the NAT gateways cost a dollar more and something unplanned came."""
    query = re.search(r"```sql\n(.*?)```", (DOCS / "focus.md").read_text(encoding="utf-8"), re.DOTALL)
    assert query is not None
    made = everything()
    text = report.render(made, JANUARY)
    bill = read_back(text)
    (gateway,) = [row for row in bill if row["x_UsageType"] == "NatGateway-Hours"]
    gateway["EffectiveCost"] = str(Decimal(gateway["EffectiveCost"]) + 1)
    bill.append(bill[0] | {"x_ServiceCode": "AWSLambda", "x_UsageType": "Request", "EffectiveCost": "2.5"})
    (tmp_path / "plan.csv").write_text(text, encoding="utf-8")
    (tmp_path / "bill.csv").write_text(written(bill), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    first, second, *others = duckdb.sql(query[1]).fetchall()
    assert first == ("Request", None, 2.5, 2.5)
    assert second[0] == "NatGateway-Hours"
    assert second[3] == pytest.approx(1)
    assert {row[3] for row in others} == {0}
    planned = sum(row[1] for row in (second, *others))
    assert planned == pytest.approx(float(cost(made)))


def test_the_docs_name_every_column_of_the_plans_own() -> None:
    text = (DOCS / "focus.md").read_text(encoding="utf-8")
    assert {name for name in focus.OWN if f"`{name}`" not in text} == set()
