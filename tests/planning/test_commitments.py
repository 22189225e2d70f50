"""What reservations of another size pay for, what is covered and used of commitments, and what is refused."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from factories import make_book, make_plan, make_scenario
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.clouds.aws import cloud as aws
from cascade_plan.clouds.aws.sizes import UNITS, sizes
from cascade_plan.errors import InfeasibleError
from cascade_plan.model.bill import Amounts, Bill, Item
from cascade_plan.model.catalogue import Shape
from cascade_plan.model.commitments import Size, lot
from cascade_plan.model.fleet import LEVELS, Band, Fleet, NodeGroup, Sized
from cascade_plan.model.offer import Offer
from cascade_plan.model.plan import Plan
from cascade_plan.model.price import Book, PriceKey, Row
from cascade_plan.model.terms import TermShare
from cascade_plan.planning import billing, commitments
from cascade_plan.planning.pipeline import plan
from cascade_plan.prices import bundled
from cascade_plan.reports.explanation import explain
from cascade_plan.reports.plans import markdown, table

RESERVED = "reserved_1y_no_upfront"
NAMES = ("nano", "micro", "small", "medium", "large", "xlarge", "2xlarge", "4xlarge", "9xlarge", "16xlarge", "24xlarge")


def postgres(name: str, zones: str = "single_zone") -> Offer:
    return Offer("database", name, ("postgres", zones))


# ------------------------------------------------------------------------------------------------------------- units


def test_units_are_those_of_the_table() -> None:
    # The table of https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithReservedDBInstances.html.
    table = "micro .5 small 1 medium 2 large 4 xlarge 8 2xlarge 16 4xlarge 32 6xlarge 48 8xlarge 64 10xlarge 80"
    names, values = table.split()[::2], table.split()[1::2]
    assert [UNITS[name] for name in names] == [Fraction(value) for value in values]
    assert [UNITS[name] for name in ("12xlarge", "16xlarge", "24xlarge", "32xlarge")] == [96, 128, 192, 256]


def test_what_pays_for_an_instance_is_its_family_s_and_no_larger() -> None:
    found = {
        (size.offer.name, size.offer.options[1]): size.ratio for size in sizes(postgres("db.r5.xlarge", "multi_zone"))
    }
    assert found["db.r5.xlarge", "multi_zone"] == 1
    assert found["db.r5.large", "multi_zone"] == Fraction(1, 2)
    assert found["db.r5.xlarge", "single_zone"] == Fraction(1, 2)
    assert found["db.r5.large", "single_zone"] == Fraction(1, 4)
    assert {name.rpartition(".")[0] for name, _ in found} == {"db.r5"}
    assert max(found.values()) == 1
    assert [size.offer.name for size in sizes(Offer("vm", "m5.metal"))] == ["m5.metal"]
    assert {size.offer.options for size in sizes(Offer("cache", "cache.r6g.xlarge", ("redis",)))} == {("redis",)}


def units(offer: Offer) -> Fraction:
    return UNITS[offer.name.rpartition(".")[2]] * (2 if "multi_zone" in offer.options else 1)


@given(st.integers(1, 1000), st.integers(1, 4), st.sampled_from(NAMES), st.sets(st.sampled_from(NAMES)), st.booleans())
def test_no_other_lot_pays_for_more(thousandths: int, running: int, size: str, priced: set[str], standby: bool) -> None:
    """Adding one instance after the other of each size: none pays for more within the share, and units are kept."""
    own = postgres(f"db.x.{size}", "multi_zone" if standby else "single_zone")
    known = [each for each in sizes(own) if each.offer.name.rpartition(".")[2] in priced] or [Size(own, Fraction(1))]
    found = lot(TermShare(RESERVED, thousandths / 1000), running, known)
    wanted, best = units(own) * running * thousandths / 1000, Fraction(0)
    for each in known:
        total = Fraction(0)
        while total + units(each.offer) <= wanted:
            total += units(each.offer)
        best = max(best, total)
    assert found.count == int(found.count)
    assert int(found.count) * units(found.offer) == best
    assert abs(Fraction(found.covered_count) - best / units(own)) < Fraction(1, 10**20)


# ------------------------------------------------------------------------------------------------------------- bills


def book_of(usd: dict[str, str], term_usd: dict[str, str], term: str = RESERVED) -> Book:
    """Return the synthetic book with prices of EC2 instances on demand and by a term."""
    prices = {("on_demand", name): each for name, each in usd.items()} | {(term, n): e for n, e in term_usd.items()}
    rows: dict[PriceKey, Row] = {
        PriceKey("ec2", name, "linux", by): ("hour", each, "", "2020-01-02", "synthetic", "", "", "", "bundled")
        for (by, name), each in prices.items()
    }
    return make_book().overridden(rows, "more")


PROPORTIONAL = book_of(
    {"x.large": "0.1", "x.xlarge": "0.2", "x.2xlarge": "0.4"},
    {"x.large": "0.06", "x.xlarge": "0.12", "x.2xlarge": "0.24"},
)


def group_of(size: str, count: Band, term: TermShare | None, hourly: tuple[float, ...] = ()) -> NodeGroup:
    shape, terms = Shape("vm", f"x.{size}", 4, 16), () if term is None else (term,)
    return NodeGroup("api", "api nodes", "nodes", shape, Offer("vm", shape.name), count, terms, hourly_count=hourly)


def bill_of(group: NodeGroup, book: Book = PROPORTIONAL) -> Bill:
    return billing.bill_of(Fleet({"api": Sized("api", "api", (group,))}), book)


def ratios(bill: Bill, group: NodeGroup, leaf: str) -> list[float]:
    found = {figure.figure: float(figure.value) for figure in commitments.figures(bill, (group,))}
    return [found[f"api.{leaf}.{level}"] for level in LEVELS]


days = st.lists(st.integers(1, 9), min_size=24, max_size=24).map(tuple)
levels = st.sampled_from(LEVELS)
terms = st.sampled_from([RESERVED, "compute_sp_1y_no_upfront"])


def band_of(day: tuple[int, ...]) -> Band:
    return Band(min(day), sum(day) / len(day), max(day), max(day) + 2)


@given(days, st.sampled_from(["large", "xlarge", "2xlarge"]), st.integers(1, 100), levels)
def test_the_month_costs_what_every_hour_of_its_day_costs(
    day: tuple[int, ...], size: str, percent: int, level: str
) -> None:
    """An oracle that goes hour by hour: what is bought is paid in each, and what runs beyond it is on demand."""
    band, own = band_of(day), UNITS[size]
    group = group_of(size, band, TermShare(RESERVED, percent / 100, level), tuple(map(float, day)))
    bill = bill_of(group)
    # The smallest that has a price is an x.large, of 4 units: 0.06 an hour reserved, 0.1 on demand.
    at = Fraction(Decimal(str(getattr(band, level))))
    bought = Fraction(percent, 100) * at * own // 4
    hours = [bought * Fraction("0.06") + max(Fraction(0), hour * own / 4 - bought) / 10 for hour in day]
    cost = float(sum(hours) / len(hours) * 730)
    assert float(bill.effective_usd.average) == pytest.approx(cost, abs=1e-4)
    for name in LEVELS:
        running = Fraction(Decimal(str(getattr(band, name)))) * own / 4
        if name != "average":
            cost = float((bought * Fraction("0.06") + max(Fraction(0), running - bought) / 10) * 730)
            assert float(getattr(bill.effective_usd, name)) == pytest.approx(cost, abs=1e-4)
        assert getattr(bill.effective_usd, name) == sum(
            (getattr(item.quantity, name) * item.price_usd for item in bill.items), Decimal(0)
        )


@given(days, st.integers(1, 100), levels, terms)
def test_what_is_covered_and_used_are_shares(day: tuple[int, ...], percent: int, level: str, term: str) -> None:
    group = group_of("xlarge", band_of(day), TermShare(term, percent / 100, level), tuple(map(float, day)))
    bill = bill_of(group, book_of({"x.large": "0.1", "x.xlarge": "0.2"}, {"x.large": "0.06", "x.xlarge": "0.12"}, term))
    covered = ratios(bill, group, commitments.COVERAGE)
    assert all(0 <= ratio <= 1 + 1e-9 for ratio in covered)
    if bill.items[0].key.term == term:
        used = ratios(bill, group, commitments.UTILIZATION)
        assert all(0 < ratio <= 1 + 1e-9 for ratio in used)
        paid_for = sum(min(hour, float(bill.items[0].covered_count)) for hour in day) / 24
        assert used[1] == pytest.approx(paid_for / float(bill.items[0].covered_count), abs=1e-6)
        assert covered[1] == pytest.approx(paid_for / (sum(day) / 24), abs=1e-6)
        if level == "floor":
            assert used == pytest.approx([1.0] * 4)
            assert not list(
                filter(lambda found: found.code == "commitment-unused", commitments.findings(bill, (group,)))
            )


@given(st.integers(1, 50), st.integers(1, 100), levels)
def test_a_commitment_of_what_always_runs_is_used_all_the_time(count: int, percent: int, level: str) -> None:
    group = group_of("2xlarge", Band.constant(count), TermShare(RESERVED, percent / 100, level))
    bill = bill_of(group)
    if bill.items[0].key.term == RESERVED:
        assert ratios(bill, group, commitments.UTILIZATION) == pytest.approx([1.0] * 4)
        bought = bill.items[0]
        units_bought = bought.bought_count * Decimal(int(UNITS[bought.key.item.rpartition(".")[2]]))
        assert units_bought == bought.covered_count * 16


def test_no_commitment_has_no_figures_and_changes_nothing() -> None:
    group = group_of("xlarge", Band.constant(3), None)
    assert list(commitments.figures(bill_of(group), (group,))) == []
    too_small = group_of("large", Band.constant(3), TermShare(RESERVED, 0.01))
    bought, plain = bill_of(too_small), bill_of(group_of("large", Band.constant(3), None))
    assert (bought.effective_usd, bought.upfront_usd) == (plain.effective_usd, plain.upfront_usd)
    assert [found.code for found in commitments.findings(bought, (too_small,))] == ["share-buys-none"]
    assert ratios(bought, too_small, commitments.COVERAGE) == [0.0] * 4


def test_half_of_three_xlarge_is_three_large() -> None:
    group = group_of("xlarge", Band.constant(3), TermShare(RESERVED, 0.5))
    reserved, rest = bill_of(group).items
    assert reserved.name == f"api nodes (3 x x.large cover 1.5 x x.xlarge), {RESERVED}"
    assert (reserved.bought_count, reserved.covered_count, reserved.key.item) == (3, Decimal("1.5"), "x.large")
    assert reserved.cost_usd.average == 3 * 730 * Decimal("0.06")
    assert (rest.name, rest.quantity.average) == ("api nodes (x.xlarge), on demand", Decimal("1.5") * 730)
    assert ratios(bill_of(group), group, commitments.COVERAGE) == [0.5] * 4


def test_without_a_price_of_the_smaller_size_whole_ones_are_bought() -> None:
    book = book_of({"x.large": "0.1", "x.xlarge": "0.2"}, {"x.xlarge": "0.12"})
    reserved, _ = bill_of(group_of("xlarge", Band.constant(3), TermShare(RESERVED, 0.5)), book).items
    assert (reserved.bought_count, reserved.key.item) == (1, "x.xlarge")


@pytest.mark.parametrize("region", ["us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-1"])
def test_the_books_price_half_of_a_database_and_of_a_cache(region: str) -> None:
    made = plan(
        make_bundled(region, tiers__database__purchase={RESERVED: 0.5}, tiers__cache__purchase={RESERVED: 0.5}),
        bundled.book("aws", region),
        predicted=False,
    )
    bought = {item.group: (item.bought_count, item.key.item) for item in made.bill.items if item.bought_count}
    assert bought == {
        "database primary": (1, "db.r5.large"),
        "read replicas": (1, "db.r5.large"),
        "cache nodes": (3, "cache.r6g.large"),
    }
    assert [made.figure(f"database.{commitments.COVERAGE}.{level}") for level in LEVELS] == pytest.approx([0.5] * 4)


def make_bundled(region: str, **overrides: Any) -> Any:
    fixed = {"tiers.cache.shape": "cache.r6g.xlarge", "tiers.database.shape": "db.r5.xlarge"}
    return make_scenario(region=region, **fixed, **overrides)


# ---------------------------------------------------------------------------------------------- findings and reports


def peak_committed(**overrides: Any) -> Plan:
    return make_plan(
        **{"tiers.api.shape": "test.xlarge", "tiers.api.purchase": "reserved_1y_all_upfront"},
        tiers__api__commitment_level="peak",
        **overrides,
    )


def test_what_is_paid_and_not_used_is_a_finding_with_the_money() -> None:
    made = peak_committed()
    item = next(item for item in made.bill.items if item.key.term == "reserved_1y_all_upfront")
    (found,) = (finding for finding in made.findings if finding.code == "commitment-unused")
    lost = (item.quantity.average - item.quantity_used.average) * item.price_usd
    assert found.cost_usd_per_month == lost > 0
    assert f"costs ${lost:,.2f} a month for nothing" in found.message
    ratio = made.figure(f"api.{commitments.UTILIZATION}.average")
    assert ratio == pytest.approx(float(item.quantity_used.average / item.quantity.average))
    text = table.render(made, full=True)
    row = next(line for line in text.splitlines() if line.startswith("api ") and "utilization" in line)
    assert f"{ratio:.0%}" in row
    assert "Coverage is the share of the instance hours" in markdown.render(made)
    assert "commitments pay for" in explain(made, f"api.{commitments.COVERAGE}.peak")


def test_spot_above_on_demand_is_a_finding() -> None:
    dear = make_book().overridden(
        {PriceKey("ec2", "test.xlarge", "linux", "spot"): ("hour", "0.25", "", "2020", "s", "", "", "", "bundled")}, "x"
    )
    scenario = make_scenario(**{"tiers.api.shape": "test.xlarge", "tiers.api.purchase": "spot"})
    made = make_plan(scenario, dear)
    (found,) = (finding for finding in made.findings if finding.code == "spot-dearer")
    assert "0.25 USD an hour, more than on demand (0.2)" in found.message
    hours = next(item for item in made.bill.items if item.key.term == "spot").quantity.average
    assert found.cost_usd_per_month == hours * Decimal("0.05")
    assert "spot-dearer" not in {finding.code for finding in make_plan(scenario).findings}


def test_a_savings_plan_is_dollars_an_hour() -> None:
    term = "compute_sp_1y_no_upfront"
    book = book_of({"test.xlarge": "0.2"}, {"test.xlarge": "0.136"}, term)
    made = make_plan(make_scenario(**{"tiers.api.shape": "test.xlarge", "tiers.api.purchase": {term: 0.5}}), book)
    item = next(item for item in made.bill.items if item.key.term == term)
    assert item.committed_usd_per_hour == item.bought_count * Decimal("0.136") == Decimal("0.136")
    for text in (markdown.render(made), table.render(made, full=True)):
        assert "$0.136 an hour" in text


# ---------------------------------------------------------------------------------------------------------- needs


def test_a_need_takes_a_shape_that_is_sold_by_the_term() -> None:
    need = {"memory_gib": 8}
    plain, planned = (
        make_plan(tiers__cache__engine="valkey", tiers__cache__shape=need, tiers__cache__purchase=term)
        for term in ("on_demand", "database_sp_1y_no_upfront")
    )
    shapes = [next(group.shape.name for group in made.groups if group.tier == "cache") for made in (plain, planned)]
    assert shapes == ["cache.test.large", "cache.r7g.large"]


def test_a_need_that_no_shape_sold_by_the_term_meets_is_refused() -> None:
    with pytest.raises(InfeasibleError, match=r"sold by database_sp_1y_no_upfront has 1 vCPU and 100 GiB"):
        make_plan(
            tiers__cache__engine="valkey",
            tiers__cache__shape={"memory_gib": 100},
            tiers__cache__purchase="database_sp_1y_no_upfront",
        )


@given(st.sampled_from(["on_demand", RESERVED, "database_sp_1y_no_upfront", "spot"]))
def test_the_cloud_says_the_same_of_a_shape_as_of_its_term(term: str) -> None:
    for offer in (postgres("db.r5.large"), postgres("db.r8g.large"), Offer("vm", "m5.large")):
        expected = term in ("on_demand", RESERVED) or (
            (term == "spot") is (offer.what == "vm") and offer.name in ("db.r8g.large", "m5.large")
        )
        assert aws.sells(offer, term) is expected


def test_a_bill_s_parts_are_its_total() -> None:
    bill = peak_committed().bill
    parts = Amounts(*(Decimal(0),) * 4)
    for item in bill.items:
        assert isinstance(item, Item)
        parts = parts.plus(item.quantity.times(item.price_usd))
    assert parts == bill.effective_usd
