"""AWS's own products, by each way they are published: what a book makes of them, and what it takes for none of them."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import aws_server
import aws_world
import genuine_offers as genuine
import offer_world as world
import pytest
from offer_world import Listed, Price, Term

from cascade_plan.clouds.aws.prices import offer_csv, offer_json, query_api, savings_csv
from cascade_plan.clouds.aws.prices.client import Patience
from cascade_plan.clouds.aws.product import PUBLISHED
from cascade_plan.clouds.aws.products import CODES
from cascade_plan.model.price import PriceKey
from cascade_plan.prices.products import price_list
from cascade_plan.prices.rates import Choice, Rate, Request, choose

AWS = price_list("aws")
TODAY = aws_world.TODAY
ITEMS = {
    "ec2": frozenset({"m5.large", "r5n.8xlarge", "c5n.18xlarge"}),
    "rds": frozenset({"db.t4g.small", "db.t4g.medium", *(key.item for *_, key in genuine.PLAN_RECORDS if key)}),
    "elasticache": frozenset({"cache.c7gn.large", "cache.m7g.16xlarge"}),
}
Reader = Callable[[list[Listed], Request], Iterable[Rate]]


def request(region: str) -> Request:
    return Request(AWS, region, frozenset(CODES), ITEMS, TODAY)


def by_csv(listed: list[Listed], wanted: Request) -> Iterable[Rate]:
    for offer in sorted({product.offer for product in listed}):
        yield from offer_csv.rates(io.StringIO(world.offer_csv(offer, listed), newline="\n"), wanted, offer)


def by_json(listed: list[Listed], wanted: Request) -> Iterable[Rate]:
    for offer in sorted({product.offer for product in listed}):
        # A whole offer has products with every attribute: one of each that is not sold here.
        others = [*listed, *(each for each in world.products("us-west-2") if each.offer == offer)]
        yield from offer_json.rates(io.BytesIO(world.offer_json(offer, others).encode()), wanted, offer)


READERS = pytest.mark.parametrize("reader", [by_csv, by_json], ids=["csv", "json"])


def chosen(reader: Reader, listed: list[Listed], region: str) -> Choice:
    return choose(list(reader(listed, request(region))), TODAY, AWS, PUBLISHED)


def prices(choice: Choice) -> dict[PriceKey, Decimal]:
    assert choice.problems == ()
    return {key: Decimal(row[1]) for key, row in choice.rows.items()}


def on_demand(listed: list[Listed]) -> dict[PriceKey, Decimal]:
    return {product.key: Decimal(product.terms[0].prices[0].amount) for product in listed if product.key}


@READERS
@pytest.mark.parametrize(
    ("listed", "region"),
    [
        (genuine.BALANCERS, "us-east-1"),
        (genuine.GATEWAYS, "eu-west-1"),
        (genuine.DATABASES, "ap-southeast-1"),
        (genuine.METERED, "ap-southeast-1"),
    ],
    ids=["balancers", "gateways", "databases", "metered"],
)
def test_a_genuine_offer_has_these_prices_and_no_other(reader: Reader, listed: list[Listed], region: str) -> None:
    assert prices(chosen(reader, listed, region)) == on_demand(listed)
    assert prices(chosen(reader, listed, "eu-central-1")) == {}


def test_multi_az_gp3_of_singapore_is_the_one_for_any_engine() -> None:
    found = prices(chosen(by_csv, genuine.DATABASES, "ap-southeast-1"))
    assert found[PriceKey("rds", "storage-gp3", "single_az")] == Decimal("0.138")
    assert found[PriceKey("rds", "storage-gp3", "multi_az")] == Decimal("0.276")
    assert found[PriceKey("rds", "backup-storage")] == Decimal("0.095")


@READERS
@pytest.mark.parametrize("listed", [genuine.INSTANCES], ids=["sql server, reserved capacity"])
def test_other_software_and_capacity_that_is_reserved_are_no_linux_on_demand(
    reader: Reader, listed: list[Listed]
) -> None:
    assert prices(chosen(reader, listed, "eu-west-1")) == {}


@READERS
def test_a_genuine_instance_has_its_standard_reservations(reader: Reader) -> None:
    found = prices(chosen(reader, [genuine.M5], "us-east-1"))
    assert {key.term for key in found} == genuine.M5_USD.keys()
    for term, usd in genuine.M5_USD.items():
        assert abs(found[PriceKey("ec2", "m5.large", "linux", term)] - usd) < Decimal("1e-11")


@READERS
def test_a_genuine_node_has_its_reservations(reader: Reader) -> None:
    found = prices(chosen(reader, genuine.CACHE, "us-east-1"))
    for term, usd in genuine.CACHE_USD.items():
        assert abs(found.pop(PriceKey("elasticache", "cache.c7gn.large", "valkey", term)) - usd) < Decimal("1e-11")
    assert not found


ELSEWHERE: dict[str, dict[str, str]] = {
    "outpost": {"locationType": "AWS Outposts", "usagetype": "Outposts-BoxUsage:m5.large"},
    "local zone": {"locationType": "AWS Local Zone", "regionCode": "us-east-1-chi-2"},
    "local zone under its region": {"locationType": "AWS Local Zone", "usagetype": "CHI2-BoxUsage:m5.large"},
    "wavelength": {"locationType": "AWS Wavelength Zone", "regionCode": "us-east-1-wl1-bos1"},
    "dedicated": {"tenancy": "Dedicated", "usagetype": "DedicatedUsage:m5.large"},
    "host": {"tenancy": "Host", "usagetype": "HostBoxUsage:m5.large"},
    "windows": {"operatingSystem": "Windows", "operation": "RunInstances:0002"},
    "own windows licence": {"operatingSystem": "Windows", "licenseModel": "Bring your own license"},
    "red hat": {"operatingSystem": "RHEL", "operation": "RunInstances:0010"},
    "sql server": {"preInstalledSw": "SQL Web", "operation": "RunInstances:0200"},
    "unused reservation": {"capacitystatus": "UnusedCapacityReservation", "usagetype": "UnusedBox:m5.large"},
    "another region": {"regionCode": "us-east-2", "usagetype": "USE2-BoxUsage:m5.large"},
}  # fmt: skip


@READERS
@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_is_sold_beside_an_instance_is_another(reader: Reader, name: str) -> None:
    decoy = genuine.M5._replace(
        sku="DECOY", attributes=genuine.M5.attributes | ELSEWHERE[name], terms=world.demand("0.011"), key=None
    )
    whole = prices(chosen(reader, [genuine.M5, decoy], "us-east-1"))
    assert whole == prices(chosen(reader, [genuine.M5], "us-east-1"))


GP3 = next(product for product in genuine.DATABASES if product.sku == "GP3single_az")


@READERS
@pytest.mark.parametrize(
    "changes",
    [
        {"databaseEngine": "Any"},
        {"databaseEngine": "MySQL"},
        {"databaseEngine": "PostgreSQL (on-premise for Outpost)", "locationType": "AWS Outposts"},
        {"deploymentOption": "Multi-AZ (readable standbys)", "usagetype": "APS1-RDS:Multi-AZCluster-GP3-Storage"},
        {"databaseEngine": "SQL Server", "licenseModel": "Bring your own license", "deploymentOption": "Single-AZ"},
        {"volumeType": "General Purpose", "usagetype": "APS1-RDS:GP2-Storage"},
    ],
    ids=lambda changes: ", ".join(changes.values()),
)
def test_the_price_of_postgres_itself_is_never_another_engines(reader: Reader, changes: dict[str, str]) -> None:
    decoy = GP3._replace(sku="AAA", attributes=GP3.attributes | changes, terms=world.demand("0.5", "GB-Mo"), key=None)
    assert prices(chosen(reader, [decoy, GP3], "ap-southeast-1")) == on_demand([GP3])


@READERS
def test_two_prices_for_any_engine_are_a_problem(reader: Reader) -> None:
    anyone = GP3._replace(attributes=GP3.attributes | {"databaseEngine": "Any"})
    other = anyone._replace(sku="OTHER", terms=world.demand("0.5", "GB-Mo"))
    choice = chosen(reader, [anyone, other], "ap-southeast-1")
    assert [problem.key for problem in choice.problems] == [GP3.key]


@READERS
def test_a_price_of_postgres_that_is_still_to_come_leaves_the_one_for_any_engine(reader: Reader) -> None:
    later = GP3._replace(terms=(Term("JRTCKXETXF", (Price("0.2", "GB-Mo"),), effective="2027-01-01"),))
    anyone = GP3._replace(sku="ANY", attributes=GP3.attributes | {"databaseEngine": "Any"})
    assert prices(chosen(reader, [later, anyone], "ap-southeast-1")) == on_demand([GP3])


@READERS
def test_a_price_to_come_beside_todays_is_passed_over_and_a_newer_one_counts(reader: Reader) -> None:
    (alb,) = (product for product in genuine.BALANCERS if product.key == PriceKey("elb", "alb"))
    later = alb._replace(sku="LATER", terms=(Term("JRTCKXETXF", (Price("0.9"),), effective="2026-12-01"),))
    newer = alb._replace(sku="NEWER", terms=(Term("JRTCKXETXF", (Price("0.03"),), effective="2026-11-20"),))
    assert prices(chosen(reader, [alb, later], "us-east-1")) == on_demand([alb])
    assert prices(chosen(reader, [later, newer, alb], "us-east-1")) == {PriceKey("elb", "alb"): Decimal("0.03")}


@READERS
def test_the_same_price_twice_is_one_and_two_are_a_problem(reader: Reader) -> None:
    (alb,) = (product for product in genuine.BALANCERS if product.key == PriceKey("elb", "alb"))
    assert prices(chosen(reader, [alb, alb._replace(sku="TWIN")], "us-east-1")) == on_demand([alb])
    choice = chosen(reader, [alb, alb._replace(sku="TWIN", terms=world.demand("0.5"))], "us-east-1")
    assert [problem.key for problem in choice.problems] == [PriceKey("elb", "alb")]


TIERS = (Price("0.0250000000", "GB-Mo", "0", "51200"), Price("0.0240000000", "GB-Mo", "51200", "512000"))
LAST = Price("0.0230000000", "GB-Mo", "512000", "Inf")


def objects(*tiers: Price) -> list[Listed]:
    """Return S3 Standard of Singapore, AmazonS3 of 2026-09-18; its later tiers from AWS's pricing page, 2025-10-22."""
    attributes = {"productFamily": "Storage", "locationType": "AWS Region", "regionCode": "ap-southeast-1"}
    said = {"volumeType": "Standard", "storageClass": "General Purpose", "usagetype": "APS1-TimedStorage-ByteHrs"}
    return [Listed("AmazonS3", "STANDARD", attributes | said, (Term("JRTCKXETXF", tiers),))]


@READERS
def test_tiers_join_or_are_a_problem(reader: Reader) -> None:
    found = prices(chosen(reader, objects(*TIERS, LAST), "ap-southeast-1"))
    assert {key.variant: usd for key, usd in found.items()} == {
        "0-51200": Decimal("0.025"), "51200-512000": Decimal("0.024"), "512000-": Decimal("0.023"),
    }  # fmt: skip
    for broken in (TIERS, (TIERS[0], LAST), (*TIERS, LAST, Price("0.5", "GB-Mo", "600000", "Inf"))):
        choice = chosen(reader, objects(*broken), "ap-southeast-1")
        assert not choice.rows
        assert choice.problems[0].key[:2] == ("s3", "storage")


def test_the_api_lists_the_same(signed_in: None) -> None:
    for listed, region in (
        (genuine.BALANCERS, "us-east-1"),
        (genuine.GATEWAYS, "eu-west-1"),
        (genuine.DATABASES, "ap-southeast-1"),
        ([genuine.M5], "us-east-1"),
    ):
        found = prices(choose(list(by_api(listed, region)), TODAY, AWS, PUBLISHED))
        assert found == prices(chosen(by_csv, listed, region))


def by_api(listed: list[Listed], region: str) -> list[Rate]:
    """Return the rates of products, and of the world beside them in another region, that the query API lists."""
    with aws_server.serving("us-west-2") as server:
        server.products += [_sold(product) for product in listed]
        server.products += [
            _moved(product, region) for product in server.products if product.offer not in _codes(listed)
        ]
        services = frozenset(service for service, codes in CODES.items() if {*codes} & _codes(listed))
        few = Request(AWS, region, services, ITEMS, TODAY)
        patience = Patience(connect_s=5, read_s=5, attempt_count=2)
        return [rate for rate in query_api.rates(few, server.url, patience) if rate.amount and rate.sku != "MOVED"]


def _codes(listed: list[Listed]) -> set[str]:
    return {product.offer for product in listed}


def _sold(product: Listed) -> aws_world.Product:
    others = {name: value for name, value in product.attributes.items() if name != "productFamily"}
    terms = tuple(
        aws_world.Term(
            term.code,
            tuple(
                aws_world.Dimension(p.unit, p.amount, p.begin or "0", p.end or "Inf", words=p.words)
                for p in term.prices
            ),
            *term.lease,
            effective=f"{term.effective}T00:00:00Z",
        )
        for term in product.terms
    )
    return aws_world.Product(product.offer, product.sku, product.attributes["productFamily"], others, terms, {})


def _moved(product: aws_world.Product, region: str) -> aws_world.Product:
    """Return a product of another offer in a region, so that the offer is made there."""
    attributes: dict[str, Any] = {**product.attributes, "regionCode": region, "fromRegionCode": region}
    return aws_world.Product(product.offer, "MOVED", product.family, attributes, product.terms, {})


def test_a_genuine_savings_plan_has_these_rates_and_no_other() -> None:
    lines = io.StringIO(genuine.plan_csv(), newline="\n")
    rates = list(savings_csv.rates(lines, request("ap-south-2"), "AWSDatabaseSavingsPlans"))
    wanted = {key._replace(term=genuine.PLAN_TERM): Decimal(rate) for *_, rate, _, key in genuine.PLAN_RECORDS if key}
    assert prices(choose(rates, TODAY, AWS, PUBLISHED)) == wanted
    assert len(wanted) == 5
