"""What is bought in no cloud's words has one price key in each cloud that sells it."""

from __future__ import annotations

from collections import Counter

import pytest

from cascade_plan import registry
from cascade_plan.errors import UsageError
from cascade_plan.inputs.scenarios import bundled_scenarios, read
from cascade_plan.model.catalogue import UNBOUNDED, WHAT, Allocatable
from cascade_plan.model.offer import Offer
from cascade_plan.model.price import UNITS, PriceKey
from cascade_plan.planning.pipeline import plan
from cascade_plan.prices import bundled
from cascade_plan.prices.products import price_list

AWS = registry.load("clouds", "aws", "cloud")
CLOUDS = registry.names("clouds")


@pytest.mark.parametrize(
    ("offer", "term", "key"),
    [
        (Offer("vm", "m7g.large"), "spot", ("ec2", "m7g.large", "linux", "spot")),
        (Offer("disk"), "on_demand", ("ebs", "gp3-storage")),
        (
            Offer("database", "db.r5.large", ("postgres", "single_zone")),
            "on_demand",
            ("rds", "db.r5.large", "single_az"),
        ),
        (Offer("database", "db.r5.large", ("postgres", "multi_zone")), "on_demand", ("rds", "db.r5.large", "multi_az")),
        (Offer("database_storage", "", ("postgres", "multi_zone")), "on_demand", ("rds", "storage-gp3", "multi_az")),
        (Offer("database_operations", "", ("postgres", "single_zone")), "on_demand", ("rds", "iops-gp3", "single_az")),
        (Offer("database_backup"), "on_demand", ("rds", "backup-storage")),
        (Offer("cache", "cache.m6g.large", ("valkey",)), "on_demand", ("elasticache", "cache.m6g.large", "valkey")),
        (Offer("kubernetes"), "on_demand", ("eks", "cluster")),
        (Offer("balancer", "nlb"), "on_demand", ("elb", "nlb")),
        (Offer("balancer_capacity", "alb"), "on_demand", ("elb", "alb-lcu")),
        (Offer("nat_gateway"), "on_demand", ("vpc", "nat-gateway")),
        (Offer("nat_traffic"), "on_demand", ("vpc", "nat-gateway-data")),
        (Offer("public_address"), "on_demand", ("vpc", "public-ipv4")),
        (Offer("zone_traffic"), "on_demand", ("transfer", "inter-zone")),
        (Offer("internet_traffic"), "on_demand", ("transfer", "internet-out")),
        (Offer("queue_requests"), "on_demand", ("sqs", "requests")),
    ],
)
def test_the_keys_of_aws(offer: Offer, term: str, key: tuple[str, ...]) -> None:
    assert AWS.sells(offer)
    assert AWS.key(offer, term) == PriceKey(*key)._replace(term=term)


@pytest.mark.parametrize(
    ("offer", "words"),
    [
        (Offer("quantum"), "aws does not sell quantum"),
        (Offer("balancer", "clb"), "aws does not sell balancer clb: as balancer it sells alb or nlb"),
        (
            Offer("database", "db.r5.large", ("oracle", "multi_zone")),
            "aws does not sell database db.r5.large oracle multi_zone: as database it sells aurora io_optimized or "
            "aurora standard or postgres multi_zone or postgres single_zone",
        ),
        (Offer("cache", "cache.m6g.large"), "as cache it sells redis or valkey"),
    ],
)
def test_what_is_not_sold_is_said_with_what_is(offer: Offer, words: str) -> None:
    assert not AWS.sells(offer)
    with pytest.raises(UsageError) as caught:
        AWS.key(offer)
    assert words in str(caught.value)


@pytest.mark.parametrize("name", bundled_scenarios())
def test_every_offer_of_a_bundled_scenario_is_sold(name: str) -> None:
    given = read(name, cached=False)
    made = plan(given.scenario, given.book, predicted=False)
    cloud = registry.load("clouds", given.scenario.cloud, "cloud")
    bought = [
        *(group.offer for group in made.fleet.groups),
        *(usage.offer for usage in made.fleet.usages if not usage.price_usd),
    ]
    assert all(cloud.sells(offer) for offer in bought)
    assert {item.group for item in made.bill.items} - {""} <= {group.name for group in made.fleet.groups}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_products_agree_about_sections_keys_and_units(cloud: str) -> None:
    products = price_list(cloud).products
    services = Counter(name for name, _ in {(s.name, p.service) for p in products for s in p.sections})
    assert set(services.values()) == {1}, "a section is of one service: its rows do not say of which"
    units = Counter(key for key, _ in {((p.service, p.item, p.variant), p.unit) for p in products})
    assert set(units.values()) == {1}
    assert {p.unit for p in products} <= UNITS.keys()
    offers = Counter(p.offer for p in products if p.offer is not None)
    assert set(offers.values()) == {1}
    for product in products:
        is_instance = product.offer is not None and product.offer.what in WHAT
        assert is_instance == (not product.item)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_every_row_of_a_bundled_book_is_of_a_product_in_its_unit(cloud: str) -> None:
    prices = price_list(cloud)
    units = {(product.service, product.item): product.unit for product in prices}
    for region in bundled.regions(cloud):
        for price in bundled.book(cloud, region):
            item = "" if prices.is_instance(price.key) else price.key.item
            assert units[price.key.service, item] == price.unit, price.key


def test_units_have_words_of_their_own() -> None:
    assert len({*UNITS.values()}) == len(UNITS)
    assert all(words.strip() for words in UNITS.values())


def test_what_a_node_of_eks_leaves_and_a_machine_without_kubernetes() -> None:
    shape = AWS.catalogue().find("vm", "m7g.large")
    assert AWS.allocatable(shape, 0.075, 0, 0, 0) == Allocatable(1930, 6903, 29)
    alone = AWS.allocatable(shape, 0.075, 0.5, 500, 10, in_cluster=False)
    assert alone == Allocatable(2000, 7577, UNBOUNDED)
    assert alone.pods_of(500, 1024) == 4


def test_capacity_units() -> None:
    assert AWS.capacity_unit("alb")[:3] == (25, 3000, 1)
    assert AWS.capacity_unit("nlb")[:3] == (50, 3000, 1)
    assert AWS.capacity_unit("clb") is None
