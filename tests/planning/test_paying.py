"""How instances are paid: shares of terms, upfront cash, break-even, discounts and another currency."""

from __future__ import annotations

import doctest
import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from factories import make_book, make_plan, make_scenario
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cascade_plan import registry
from cascade_plan.choosing.differences import compare
from cascade_plan.clouds.aws import cloud as aws
from cascade_plan.clouds.aws.terms import SOLD
from cascade_plan.errors import ScenarioError
from cascade_plan.model import commitments, terms
from cascade_plan.model.bill import Amounts, Item
from cascade_plan.model.catalogue import Shape
from cascade_plan.model.commitments import Size, break_even, lot
from cascade_plan.model.fleet import LEVELS, Band, Fleet, NodeGroup, Sized
from cascade_plan.model.offer import Offer
from cascade_plan.model.plan import Plan
from cascade_plan.model.price import Book, Price, PriceKey, Row
from cascade_plan.model.scenario import Scenario
from cascade_plan.model.terms import Commitment, TermShare, commitment_of
from cascade_plan.prices import bundled
from cascade_plan.prices.reading import override
from cascade_plan.reports.differences._summary import notes
from cascade_plan.reports.explanation import explain
from cascade_plan.reports.plans import csv, markdown, table
from cascade_plan.reports.plans._sections import sections
from cascade_plan.units import HOURS_PER_MONTH, quantity

SHAPE = Shape("vm", "test.xlarge", 4, 16)
TERMS = SOLD["vm"][1:]
ALMOST = Decimal("0.00001")
"""Spot's hours are rounded to a millionth."""


def book_of(prices: dict[str, str], upfronts: dict[str, str] | None = None) -> Book:
    """Return the synthetic book with prices of test.xlarge by term."""
    rows: dict[PriceKey, Row] = {
        PriceKey("ec2", "test.xlarge", "linux", term): (
            ("hour", usd, (upfronts or {}).get(term, ""), "2020-01-02", "synthetic", "SKU1", "", "", "bundled")
        )
        for term, usd in prices.items()
    }
    return make_book().without([("ec2", "test.large", "reserved_3y_all_upfront")]).overridden(rows, "more")


def group_of(count: Band, shares: dict[str, float]) -> NodeGroup:
    parts = tuple(TermShare(term, shares[term]) for term in SOLD["vm"] if term in shares)
    return NodeGroup("api", "api nodes", "nodes", SHAPE, Offer("vm", SHAPE.name), count, parts)


def lines(count: Band, shares: dict[str, float], book: Book) -> list[Item]:
    found = list(aws.lines(Fleet({"api": Sized("api", "api", (group_of(count, shares),))}), book))
    priced = [line for line in found if isinstance(line, Item)]
    assert len(priced) == len(found)
    return priced


def levels(amounts: Amounts) -> Iterator[Decimal]:
    return (getattr(amounts, level) for level in LEVELS)


def costs(count: Band, shares: dict[str, float], book: Book) -> list[Decimal]:
    """Return a group's cost at each level."""
    bands = [levels(item.cost_usd) for item in lines(count, shares, book)]
    return [sum(found, Decimal(0)) for found in zip(*bands, strict=True)]


@st.composite
def counts(draw: st.DrawFn) -> Band:
    floor, more, still_more = (draw(st.integers(low, 300)) for low in (1, 0, 0))
    average = draw(st.floats(floor, floor + more))
    return Band(floor, average, floor + more, floor + more + still_more)


@st.composite
def mixes(draw: st.DrawFn) -> dict[str, float]:
    """Shares above 0 that sum to at most 1, some of them to exactly 1."""
    names = draw(st.lists(st.sampled_from(TERMS), min_size=1, max_size=4, unique=True))
    parts = [draw(st.integers(1, 1000)) for _ in names]
    left = draw(st.sampled_from([0, 0, 1, 100, 1000]))
    return {name: part / (sum(parts) + left) for name, part in zip(names, parts, strict=True)}


rates = st.fixed_dictionaries(
    {term: st.integers(1, 400).map(lambda mills: str(Decimal(mills) / 1000)) for term in ("on_demand", *TERMS)}
)

# ---------------------------------------------------------------------------------------------------------------- laws


@given(counts(), mixes(), rates)
def test_the_lines_of_a_group_are_all_its_hours_at_every_level(
    count: Band, shares: dict[str, float], prices: dict[str, str]
) -> None:
    found = lines(count, shares, book_of(prices))
    totals = [sum(hours, Decimal(0)) for hours in zip(*(levels(item.quantity) for item in found), strict=True)]
    assert totals == list(levels(Amounts(*(quantity(level) for level in count.times(HOURS_PER_MONTH)))))
    assert all(hours >= 0 for item in found for hours in levels(item.quantity))
    for item in found:
        for hours, cost in zip(levels(item.quantity), levels(item.cost_usd), strict=True):
            assert cost == hours * item.price_usd


@given(counts(), mixes(), rates)
def test_a_mix_costs_no_more_than_its_dearest_and_no_less_than_its_cheapest_term(
    count: Band, shares: dict[str, float], prices: dict[str, str]
) -> None:
    book = book_of(prices)
    alone = [costs(count, {}, book), *(costs(count, {term: 1.0}, book) for term in shares)]
    for mixed, *each in zip(costs(count, shares, book), *alone, strict=True):
        assert min(each) - ALMOST <= mixed <= max(each) + ALMOST


@pytest.mark.parametrize("term", TERMS)
def test_the_share_1_is_the_plain_term(term: str) -> None:
    plain, whole = (
        make_plan(tiers__api__purchase=value, tiers__api__shape="test.xlarge") for value in (term, {term: 1})
    )
    assert plain.bill == whole.bill
    assert plain.groups == whole.groups
    assert plain.findings == whole.findings


@given(st.integers(1, 9999), st.sampled_from(["ec2", "rds", "elasticache", "vpc"]))
def test_a_discount_scales_exactly_what_its_service_costs(hundredths: int, service: str) -> None:
    percent = Decimal(hundredths) / 100
    before = make_plan(tiers__api__purchase="spot", tiers__database__purchase="reserved_1y_all_upfront")
    after = make_plan(before.scenario, make_book().discounted({service: percent}, "deal.yaml"))
    kept = 1 - percent / 100
    for old, new in zip(before.bill.items, after.bill.items, strict=True):
        factor = kept if old.key.service == service else 1
        assert new.price_usd == old.price_usd * factor
        assert list(levels(new.cost_usd)) == [cost * factor for cost in levels(old.cost_usd)]
        assert (new.list_price_usd, new.list_cost_usd) == (old.list_price_usd, old.list_cost_usd)
    assert before.bill.list_usd == after.bill.list_usd


# -------------------------------------------------------------------------------------------------------------- shares


def test_doctests() -> None:
    assert doctest.testmod(terms).failed == doctest.testmod(commitments).failed == 0
    assert doctest.testmod(terms).attempted > 0 < doctest.testmod(commitments).attempted


def test_a_reservation_is_bought_whole_and_a_savings_plan_by_the_fraction() -> None:
    prices = {"reserved_1y_no_upfront": "0.1", "compute_sp_1y_no_upfront": "0.12", "spot": "0.05"}
    shares = {"reserved_1y_no_upfront": 0.5, "compute_sp_1y_no_upfront": 0.25, "spot": 0.1}
    found = {item.key.term: item for item in lines(Band(5, 6.5, 8, 10), shares, book_of(prices))}
    assert [found[term].bought_count for term in found] == [2, Decimal("1.25"), 0, 0]
    assert list(levels(found["reserved_1y_no_upfront"].quantity)) == [2 * 730] * 4
    assert list(levels(found["compute_sp_1y_no_upfront"].quantity)) == [Decimal("912.5")] * 4
    assert list(levels(found["spot"].quantity)) == [365, Decimal("474.5"), 584, 730]
    assert list(levels(found["on_demand"].quantity)) == [912.5, 1898, 2883.5, 4197.5]
    assert [item.name for item in found.values()] == [
        "api nodes (test.xlarge), reserved_1y_no_upfront",
        "api nodes (test.xlarge), compute_sp_1y_no_upfront",
        "api nodes (test.xlarge), spot",
        "api nodes (test.xlarge), on demand",
    ]


def test_a_share_is_counted_as_the_decimal_it_was_written() -> None:
    sizes = [Size(Offer("vm", "test.xlarge"), Fraction(1))]
    assert lot(TermShare("reserved_1y_no_upfront", 0.29), 100, sizes).count == 29
    assert lot(TermShare("reserved_1y_no_upfront", 0.6), 5, sizes).count == 3


def test_a_share_that_buys_none_is_a_finding_and_no_line() -> None:
    made = make_plan(tiers__api__purchase={"reserved_1y_all_upfront": 0.2}, tiers__api__shape="test.xlarge")
    finding = next(finding for finding in made.findings if finding.code == "share-buys-none")
    assert (finding.severity, finding.where) == ("warning", "tiers.api.purchase")
    assert "0.2 of the 2 api nodes that run all month buys none" in finding.message
    assert {item.key.term for item in made.bill.items if item.tier == "api"} == {"on_demand"}


def test_a_commitment_dearer_than_on_demand_is_a_finding() -> None:
    book = book_of({"reserved_1y_all_upfront": "0.21"})
    made = make_plan(
        make_scenario(tiers__api__purchase="reserved_1y_all_upfront", tiers__api__shape="test.xlarge"), book
    )
    assert [finding.where for finding in made.findings if finding.code == "commitment-dearer"] == ["tiers.api.purchase"]
    assert "never: dearer than on demand" in markdown.render(made)
    assert "commitment-dearer" not in {finding.code for finding in make_plan().findings}


def test_what_terms_cost_does_not_depend_on_the_order_they_are_written_in() -> None:
    one, other = (
        make_plan(tiers__api__purchase=dict(pairs), tiers__api__shape="test.xlarge").bill
        for pairs in (
            [("spot", 0.2), ("reserved_1y_all_upfront", 0.5)],
            [("reserved_1y_all_upfront", 0.5), ("spot", 0.2)],
        )
    )
    assert one.items == other.items
    assert [item.key.term for item in one.items if item.tier == "api" and item.unit == "hour"] == [
        "reserved_1y_all_upfront",
        "spot",
        "on_demand",
    ]


@pytest.mark.parametrize("shares", [[0.1] * 2 + [0.8], [1 / 3, 1 / 3, 1 / 3], [0.7, 0.2, 0.1], [0.6, 0.3, 0.1 + 1e-12]])
def test_what_floats_round_is_no_share_above_1(shares: list[float]) -> None:
    names = ("spot", "reserved_1y_no_upfront", "compute_sp_3y_all_upfront")
    assert make_scenario(tiers__api__purchase=dict(zip(names, shares, strict=True)))
    with pytest.raises(ValidationError, match="sum to"):
        make_scenario(tiers__api__purchase=dict(zip(names, [share * 1.01 for share in shares], strict=True)))


def test_a_database_plan_covers_databases_and_valkey() -> None:
    plan = "database_sp_1y_no_upfront"
    assert make_scenario(
        tiers__database__purchase={plan: 0.5},
        tiers__database__shape="db.r7g.xlarge",
        tiers__cache__purchase=plan,
        tiers__cache__engine="valkey",
    )
    with pytest.raises(ValidationError, match=r"cover Valkey on cache\.m7g and cache\.r7g, not Redis"):
        make_scenario(tiers__cache__purchase=plan, tiers__cache__engine="redis")


# ------------------------------------------------------------------------------------------------- upfront, break-even


def price(term: str, usd: str, upfront_usd: str | None = None) -> Price:
    known = None if upfront_usd is None else Decimal(upfront_usd)
    return Price(PriceKey("ec2", "a.b", "linux", term), "hour", Decimal(usd), "", "", upfront_usd=known)


@pytest.mark.parametrize(
    ("term", "known", "expected"),
    [
        ("on_demand", None, "0"),
        ("spot", None, "0"),
        ("reserved_3y_no_upfront", None, "0"),
        ("database_sp_1y_no_upfront", None, "0"),
        ("reserved_1y_all_upfront", None, "876.00"),
        ("reserved_3y_all_upfront", None, "2628.00"),
        ("reserved_1y_all_upfront", "875", "875"),
        ("reserved_1y_partial_upfront", None, None),
        ("reserved_1y_partial_upfront", "400", "400"),
        ("compute_sp_1y_partial_upfront", None, "438.00"),
        ("ec2_instance_sp_3y_all_upfront", None, "2628.00"),
    ],
)
def test_what_the_first_day_costs(term: str, known: str | None, expected: str | None) -> None:
    found = price(term, "0.1", known).first_day_usd
    assert found == (None if expected is None else Decimal(expected))


def test_a_commitment_breaks_even_where_both_ways_cost_the_same() -> None:
    one_year = Commitment("reserved", 1, "partial")
    even = break_even(one_year, price("reserved_1y_partial_upfront", "0.15", "438"), Decimal("0.2"))
    assert even.hours_per_month * Decimal("0.2") == 730 * Decimal("0.15")
    # 438 first and 73 a month, against 146 a month: equal after six.
    assert even.upfront_months == 6
    assert break_even(one_year, price("reserved_1y_partial_upfront", "0.15"), Decimal("0.2")).upfront_months is None
    # All of 0.3 an hour for a year is never saved at 0.2 an hour.
    never = break_even(Commitment("reserved", 1, "all"), price("reserved_1y_all_upfront", "0.3"), Decimal("0.2"))
    assert (never.hours_per_month, never.upfront_months) == (1095, None)


@given(st.integers(1, 1000), st.integers(1, 1000), st.sampled_from(TERMS))
def test_a_commitment_that_breaks_even_within_its_term_is_cheaper(mills: int, on_demand_mills: int, term: str) -> None:
    commitment = commitment_of(term)
    if commitment is None:
        return
    committed, on_demand = price(term, str(Decimal(mills) / 1000)), Decimal(on_demand_mills) / 1000
    even = break_even(commitment, committed, on_demand)
    assert (even.hours_per_month <= 730) == (committed.usd <= on_demand)
    if even.upfront_months is not None:
        assert committed.usd <= on_demand
        assert even.upfront_months <= commitment.years * 12


def committed(**overrides: Any) -> Plan:
    upfronts = {"reserved_1y_partial_upfront": "700"}
    prices = {"reserved_1y_partial_upfront": "0.16", "reserved_3y_partial_upfront": "0.1", "spot": "0.05"}
    fixed = {"tiers.api.shape": "test.xlarge", "tiers.api.nodes": {"min": 4, "base": 5, "max": 6}}
    return make_plan(make_scenario(**fixed, **overrides), book_of(prices, upfronts))


def test_the_upfront_is_a_figure_that_gates_judge() -> None:
    mix = {"reserved_1y_partial_upfront": 0.5, "spot": 0.25}
    made = committed(tiers__api__purchase=mix, gates={"cost_usd_upfront": ["< 1401", "< 1400"]})
    assert made.figure("cost_usd_upfront") == made.bill.upfront_usd == 1400
    judged = {verdict.limit: verdict.status for verdict in made.verdicts if verdict.figure == "cost_usd_upfront"}
    assert judged == {Decimal(1401): "pass", Decimal(1400): "fail"}
    text = explain(made, "cost_usd_upfront")
    assert "cost_usd_upfront = $1,400.00\n" in text
    assert "api nodes (test.xlarge), reserved_1y_partial_upfront: 2 x $700.00 = $1,400.00" in text
    assert "spread over its term in the monthly cost" in text
    sku = next(item.sku for item in made.bill.items if item.sku)
    assert f'"{sku}"' in registry.load("reports/plans", "json").render(made)


def test_an_upfront_that_is_not_known_makes_the_total_at_least() -> None:
    mix = {"reserved_1y_partial_upfront": 0.5, "reserved_3y_partial_upfront": 0.25}
    made = committed(tiers__api__purchase=mix, gates={"cost_usd_upfront": ["< 1401", "< 1400"]})
    assert made.bill.complete
    assert made.bill.upfront_unknown == ("api nodes (test.xlarge), reserved_3y_partial_upfront",)
    judged = {verdict.limit: verdict for verdict in made.verdicts if verdict.figure == "cost_usd_upfront"}
    assert [judged[Decimal(limit)].status for limit in (1401, 1400)] == ["unjudged", "fail"]
    assert "no upfront is known for api nodes" in judged[Decimal(1401)].reason
    assert "at least: no upfront" in explain(made, "cost_usd_upfront")
    for text in (markdown.render(made), table.render(made, full=True)):
        assert "at least $1,400.00" in text
        assert "not known" in text


def test_a_committed_line_without_any_price_has_no_known_upfront() -> None:
    made = make_plan(tiers__database__purchase="reserved_3y_all_upfront")
    assert {*made.bill.upfront_unknown} == {
        "database primary (db.r5.xlarge, multi-AZ), reserved_3y_all_upfront",
        "read replicas (db.r5.xlarge), reserved_3y_all_upfront",
    }


def test_every_report_shows_the_upfront_and_that_it_is_spread() -> None:
    made = committed(tiers__api__purchase={"reserved_1y_partial_upfront": 0.5, "spot": 0.25})
    for text in (markdown.render(made), table.render(made, 160, full=True)):
        assert "spread over its term in the monthly cost" in text
        assert "$1,400.00" in text
        assert "50% 1 year" in text
    # 730 x 0.16 / 0.2 hours; 700 / (146 - (116.8 - 700 / 12)) months.
    assert "| 2 | $700.00 | $1,400.00 | 584 | 8 months |" in markdown.render(made)
    row = next(line for line in csv.render(made).splitlines() if "reserved_1y_partial_upfront" in line)
    assert row.endswith(",SKU1,2,2,1460,1460,1460,1460,700,1400")


def test_no_commitment_shows_no_upfront() -> None:
    made = committed(tiers__api__purchase="spot")
    assert "upfront" not in table.render(made, full=True)
    assert "Breaks even" not in markdown.render(made)
    assert made.figure("cost_usd_upfront") == 0


# ----------------------------------------------------------------------------------------------------------- discounts

HEAD = "format: 1\ncloud: aws\nregion: us-east-1\n"
ROW = (
    "sections:\n  ec2_on_demand:\n    sources: {s: contract}\n    rows: |\n"
    "      item,variant,unit,usd,as_of,source\n      c6g.xlarge,linux,hour,0.1,2026-11-01,s\n"
)


def discounted(text: str) -> Book:
    return override(bundled.book("aws", "us-east-1"), HEAD + text, "deal.yaml")


@pytest.mark.parametrize("sections", ["", "sections: {}\n", "sections:\n"])
def test_a_file_may_hold_discounts_only(sections: str) -> None:
    public, book = bundled.book("aws", "us-east-1"), discounted("discounts: {ec2: 12, rds: 2.5}\n" + sections)
    for key, kept in (
        (PriceKey("ec2", "m6g.large", "linux"), "0.88"),
        (PriceKey("ec2", "m6g.large", "linux", "reserved_1y_all_upfront"), "0.88"),
        (PriceKey("rds", "db.r5.xlarge", "multi_az"), "0.975"),
        (PriceKey("eks", "cluster"), "1"),
    ):
        before, after = public.find(*key), book.find(*key)
        assert before is not None is not after
        assert after.usd == before.usd * Decimal(kept)
        assert (after.origin, "% off by deal.yaml" in after.note) == (
            ("bundled", False) if kept == "1" else ("override", True)
        )
    assert book.name == "pricing/aws/us-east-1.yaml + deal.yaml"


def test_what_the_file_itself_prices_is_not_discounted_and_the_list_price_stays_public() -> None:
    book = discounted("discounts: {ec2: 12}\n" + ROW)
    own, other = (PriceKey("ec2", name, "linux") for name in ("c6g.xlarge", "m6g.large"))
    assert [price.usd for key in (own, other) if (price := book.find(*key))] == [Decimal("0.1"), Decimal("0.06776")]
    assert [book.listed(key) for key in (own, other)] == [Decimal("0.136"), Decimal("0.077")]
    assert book.listed(own._replace(term="spot")) == Decimal("0.136")


def test_a_known_upfront_is_discounted_and_a_note_stays_in_front() -> None:
    key = PriceKey("ec2", "m5.large", "linux", "reserved_3y_partial_upfront")
    found = discounted("discounts: {ec2: 10}\n").find(*key)
    assert found is not None
    assert found.upfront_usd == Decimal("454.5")
    noted = discounted("discounts: {ec2: 10}\n").find("ec2", "c6g.xlarge", "linux", "reserved_3y_all_upfront")
    assert noted is not None
    assert noted.note == "looks like standard RI; 10% off by deal.yaml"


def test_a_cached_price_is_public_and_a_contract_s_is_not() -> None:
    key = PriceKey("ec2", "test.xlarge", "linux")

    def laid(usd: str, origin: str, over: Book) -> Book:
        return over.overridden({key: ("hour", usd, "", "2020", "s", "", "", "", origin)}, origin)

    cached = laid("0.19", "cache", make_book())
    assert cached.listed(key) == Decimal("0.19")
    assert laid("0.1", "override", cached).listed(key) == Decimal("0.19")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("discounts: {ecc2: 12}", "deal.yaml:4:13: discounts.ecc2: unknown service; known are"),
        ("discounts: {ec2: 0}", "discounts.ec2: must be percent above 0 and below 100"),
        ("discounts: {ec2: 100}", "discounts.ec2: must be percent above 0 and below 100"),
        ("discounts: {ec2: -3}", "discounts.ec2: must be percent"),
        ("discounts: {ec2: twelve}", "discounts.ec2: must be percent"),
        ("discounts: {ec2: true}", "discounts.ec2: must be percent"),
        ("discounts: {ec2: 1.234}", "at most two decimals, got 1.234"),
        ("discounts: [ec2]", "discounts: must be a mapping of services to percent"),
        ("discounts: {}", "discounts: must be a mapping of services to percent"),
        ("discount: {ec2: 12}\nsections: {}", "did you mean 'discounts'?"),
        ("discounts: {ec2: 12}\nsections: [x]", "sections: must be a mapping of sections"),
        ("discounts: {ec2: 12}\ncurrency: EUR", "currency: must be USD"),
    ],
)
def test_a_malformed_discount_says_where(text: str, message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        discounted(text + "\n")
    assert message in str(caught.value)
    assert all(str(problem).startswith("deal.yaml:") for problem in caught.value.problems)


def test_an_unknown_service_has_a_suggestion() -> None:
    with pytest.raises(ScenarioError, match="did you mean 'elasticache'"):
        discounted("discounts: {elasticash: 12}\n")


def test_the_reports_count_and_name_where_prices_come_from() -> None:
    made = make_plan(make_scenario(), make_book().discounted({"ec2": Decimal(12)}, "deal.yaml"))
    counted = "16 from AWS price lists collected from public copies, 0 of them confirmed by other sources; 3 given with"
    assert f"(synthetic prices): {counted} --prices." in " ".join(table.render(made, full=True).split())
    text = markdown.render(made)
    assert f"{counted} --prices" in text
    assert "12% off by deal.yaml" in text


# ------------------------------------------------------------------------------------------------------------ currency

EURO = {"code": "EUR", "units_per_usd": 0.92, "as_of": "2026-11-01", "source": "ECB reference rate"}


def test_totals_are_shown_in_the_other_currency_and_everything_else_stays() -> None:
    plain, made = make_plan(), make_plan(currency=EURO)
    assert (made.bill, made.figures, made.verdicts) == (plain.bill, plain.figures, plain.verdicts)
    assert csv.render(made) == csv.render(plain)
    average = f"EUR {made.bill.effective_usd.average * Decimal('0.92'):,.2f}"
    unit = f"EUR {Decimal(made.figure('cost_usd_per_1000_users_month')) * Decimal('0.92'):,.2f}"
    for text in (table.render(made, full=True), markdown.render(made)):
        assert "1 USD = 0.92 EUR on 2026-11-01, ECB reference rate" in text
        assert average in text
        assert unit in text
        assert "judged in" in text
    assert "EUR" not in table.render(plain, full=True) + markdown.render(plain)


def test_an_incomplete_bill_is_at_least_in_every_currency() -> None:
    section = next(part for part in sections(make_plan(currency=EURO, missing=["cluster"])) if "EUR" in part.title)
    assert all(cell.startswith("≥ EUR ") for row in section.rows for cell in row[1:])


def test_a_difference_is_in_dollars_and_says_so_when_currencies_differ() -> None:
    plain, euro = make_plan(), make_plan(currency=EURO)
    assert not [*notes(compare(plain, plain)), *notes(compare(euro, euro))]
    comparison = compare(plain, euro)
    rendered = registry.load("reports/differences", "table").render(comparison)
    assert "all amounts here are US dollars" in " ".join(rendered.split())
    assert "US dollars" in json.loads(registry.load("reports/differences", "json").render(comparison))["notes"][0]
    rate = euro.scenario.currency
    assert rate is not None
    other = euro.scenario.model_copy(update={"currency": rate.model_copy(update={"units_per_usd": 0.9})})
    assert "US dollars" in " ".join(notes(compare(euro, replace(euro, scenario=other))))


def test_a_scenario_with_mix_and_currency_is_read_back() -> None:
    scenario = make_scenario(currency=EURO, tiers__api__purchase={"spot": 0.5})
    assert Scenario.model_validate_json(scenario.model_dump_json()) == scenario
