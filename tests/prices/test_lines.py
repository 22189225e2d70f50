"""The arithmetic of a bill's lines that every cloud shares: tiers, given prices, what is missing and what is free."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cascade_plan.errors import PriceError, UsageError
from cascade_plan.model.bill import Amounts, Item, Unpriced
from cascade_plan.model.catalogue import Shape
from cascade_plan.model.fleet import Band, Fleet, NodeGroup, Sized, Usage
from cascade_plan.model.offer import Offer
from cascade_plan.model.price import Book, PriceKey, Row
from cascade_plan.model.terms import TermShare
from cascade_plan.prices.lines import Seller, lines
from cascade_plan.prices.products import PriceList, Product, Section

MACHINES, REST = Section("machines", "Machines"), Section("rest", "What is metered")
SOLD = PriceList(
    "made-up",
    (
        Product(section=MACHINES, service="m", unit="hour", offer=Offer("vm")),
        Product(section=REST, service="r", item="disk", unit="gib_month", offer=Offer("disk")),
        Product(section=REST, service="r", item="out", unit="gib", offer=Offer("internet_traffic"), is_tiered=True),
        Product(section=REST, service="r", item="flat", unit="gib", offer=Offer("zone_traffic")),
    ),
)
SELLER = Seller(SOLD, frozenset({"nat_traffic"}), "plain", {"zone_traffic": "between the halls"})


def book(**rows: str) -> Book:
    """Return a book of prices in USD by "item" or "item variant"; machines are in hours."""
    units = {"disk": "gib_month", "out": "gib", "flat": "gib"}
    found: dict[PriceKey, Row] = {}
    for name, usd in rows.items():
        item, _, variant = name.partition("_")
        service, unit = ("r", units[item]) if item in units else ("m", "hour")
        term = variant if service == "m" and variant else "on_demand"
        key = PriceKey(service, item, "" if service == "m" else variant.replace("_", "-"), term)
        found[key] = (unit, usd, "", "2026", "made up", "", "", "", "bundled")
    return Book("made-up", "here", found, "a book")


def of(*needs: NodeGroup | Usage) -> Fleet:
    groups = tuple(need for need in needs if isinstance(need, NodeGroup))
    usages = tuple(need for need in needs if isinstance(need, Usage))
    return Fleet({"t": Sized("t", "t", groups, usages)})


def usage(what: str, amount: float, unit: str = "gib", usd: str | None = None) -> Usage:
    price = None if usd is None else Decimal(usd)
    return Usage("t", what, Offer(what), Band(amount / 2, amount, amount, amount), unit, price_usd=price)


def group(count: float = 2, terms: tuple[TermShare, ...] = (), disk_gib: int = 0) -> NodeGroup:
    shape = Shape("vm", "ox", 2, 8)
    return NodeGroup("t", "t nodes", "nodes", shape, Offer("vm", "ox"), Band.constant(count), terms, disk_gib)


def billed(fleet: Fleet, prices: Book) -> list[tuple[str, str, Decimal | None]]:
    """Return (name, group, average cost or None without a price) of every line."""
    return [
        (line.name, line.group, line.cost_usd.average if isinstance(line, Item) else None)
        for line in lines(fleet, prices, SELLER)
    ]


def test_a_line_names_its_group_and_a_disk_is_the_groups_too() -> None:
    assert billed(of(group(disk_gib=10)), book(ox="0.5", disk="0.1")) == [
        ("t nodes (ox)", "t nodes", Decimal("730.0")),
        ("t nodes volumes (plain)", "t nodes", Decimal("2.0")),
    ]


def test_commitments_come_first_in_whatever_order_they_are_given() -> None:
    terms = (TermShare("spot", 0.5), TermShare("reserved_1y_no_upfront", 0.5))
    found = billed(of(group(4, terms)), book(ox="0.5", ox_spot="0.1", ox_reserved_1y_no_upfront="0.3"))
    assert found == [
        ("t nodes (ox), reserved_1y_no_upfront", "t nodes", 2 * 730 * Decimal("0.3")),
        ("t nodes (ox), spot", "t nodes", 2 * 730 * Decimal("0.1")),
    ]
    assert found == billed(of(group(4, terms[::-1])), book(ox="0.5", ox_spot="0.1", ox_reserved_1y_no_upfront="0.3"))


def test_a_price_that_the_scenario_gives_needs_no_book_and_no_seller() -> None:
    (line,) = lines(of(usage("quantum", 3, "hour", usd="1.25")), book(), SELLER)
    assert isinstance(line, Item)
    assert (line.key, line.origin, line.source, line.as_of) == (
        PriceKey("scenario", "quantum"),
        "scenario",
        "scenario",
        "undated",
    )
    assert (
        line.cost_usd == line.list_cost_usd == Amounts(*(Decimal(text) for text in ("1.875", "3.75", "3.75", "3.75")))
    )
    assert (line.group, line.upfront_total_usd, line.break_even) == ("", 0, None)


def test_what_is_not_charged_has_no_line_unless_the_scenario_prices_it() -> None:
    assert billed(of(usage("nat_traffic", 5)), book()) == []
    assert billed(of(usage("nat_traffic", 5, usd="2")), book()) == [("nat_traffic", "", Decimal(10))]


def test_a_cloud_has_its_own_name_for_a_line() -> None:
    assert billed(of(usage("zone_traffic", 5)), book(flat="2")) == [("between the halls", "", Decimal(10))]


def test_what_has_no_price_is_a_line_without_one() -> None:
    (line,) = lines(of(usage("zone_traffic", 5)), book(), SELLER)
    assert isinstance(line, Unpriced)
    assert (line.key, line.quantity.average) == (PriceKey("r", "flat"), 5)


def test_an_offer_that_is_not_sold_stops_the_bill() -> None:
    with pytest.raises(UsageError, match="made-up does not sell quantum"):
        billed(of(usage("quantum", 1)), book())


TIERS = {"out_0_100": "2", "out_100_300": "1", "out_300_": "0.5"}


@pytest.mark.parametrize(
    ("amount", "costs"),
    [(0, [0]), (100, [200]), (101, [200, 1]), (400, [200, 200, 50])],
)
def test_each_tier_has_its_own_amount_at_its_own_price(amount: float, costs: list[int]) -> None:
    found = billed(of(usage("internet_traffic", amount)), book(**TIERS))
    assert [cost for _, _, cost in found] == costs
    names = [f"internet_traffic ({part} GiB)" for part in ("0-100", "100-300", "above 300")]
    assert [name for name, _, _ in found] == names[: len(costs)]


def test_what_no_tier_of_the_book_covers_has_no_price() -> None:
    first = {"out_0_100": "2"}
    assert [cost for _, _, cost in billed(of(usage("internet_traffic", 100)), book(**first))] == [200]
    assert billed(of(usage("internet_traffic", 150)), book(**first))[1:] == [
        ("internet_traffic (above 100 GiB)", "", None)
    ]
    holed = {"out_0_100": "2", "out_200_": "1"}
    assert billed(of(usage("internet_traffic", 250)), book(**holed)) == [
        ("internet_traffic (0-100 GiB)", "", Decimal(200)),
        ("internet_traffic (100-200 GiB)", "", None),
        ("internet_traffic (above 200 GiB)", "", Decimal(50)),
    ]
    assert billed(of(usage("internet_traffic", 150)), book()) == [("internet_traffic", "", None)]


def test_tiers_that_overlap_are_no_price_list() -> None:
    with pytest.raises(PriceError, match="a book: the tiers of r out on_demand overlap at 50"):
        billed(of(usage("internet_traffic", 1)), book(out_0_100="2", out_50_="1"))


def test_one_price_for_any_amount_replaces_the_tiers() -> None:
    found = billed(of(usage("internet_traffic", 400)), book(**TIERS, out="0.1"))
    assert found == [("internet_traffic", "", Decimal(40))]
