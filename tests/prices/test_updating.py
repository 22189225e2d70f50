"""prices update, show and verify as a user runs them, against servers that speak AWS's protocols, right and wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import aws_server
import offer_server
import offer_world
import pytest

from cascade_plan.model.price import PriceKey
from cascade_plan.prices import books, bundled, cache
from cascade_plan.prices.products import price_list

AWS = price_list("aws")

Run = Callable[..., tuple[int, str, str]]
FIVE = ("ap-southeast-1", "eu-central-1", "eu-west-1", "us-east-1", "us-west-2")


@pytest.fixture
def offers() -> Iterator[offer_server.OfferServer]:
    """Give a server of bulk offer files."""
    with offer_server.OfferServer() as server:
        yield server


def files(directory: Path) -> dict[str, bytes]:
    """Return what the cache holds, locks apart."""
    return {path.name: path.read_bytes() for path in directory.rglob("*") if path.is_file() and path.suffix != ".lock"}


# --------------------------------------------------------------------------------------------------------- what it does


def test_five_regions_of_every_service_from_the_bulk_offers(
    cascade: Run, offers: offer_server.OfferServer, price_cache: Path
) -> None:
    status, out, err = cascade("prices", "update", "--endpoint-url", offers.url)
    assert status == 0
    # The world has three types of instances: the others of the bundled books are missed, and nothing else.
    assert [line.partition(": ")[2].partition(":")[0] for line in err.splitlines()] == list(FIVE)
    assert all("were looked for and not found: an older one stands in for each" in line for line in err.splitlines())
    assert sorted(files(price_cache)) == [f"{region}.yaml" for region in FIVE]
    for region in FIVE:
        assert f"{region}: " in out
        book = cache.read("aws", region)
        assert book is not None
        found = {price.key: price.usd for price in book}
        for key, usd in offer_world.expected(region).items():
            if key.item in wanted(key):
                # The world's effective rates of reservations are rounded.
                assert abs(found[key] - usd) < Decimal("1e-7")


def wanted(key: PriceKey) -> set[str]:
    """Return the items of a key's service that an update keeps: all but instances no plan can choose."""
    if not price_list("aws").is_instance(key):
        return {key.item}
    what = {"ec2": "vm", "rds": "database", "elasticache": "cache"}[key.service]
    return {shape.name for shape in bundled.catalogue("aws").of(what)}


def test_five_regions_of_every_service_from_the_query_api(cascade: Run, aws: aws_server.Server) -> None:
    status, _, err = cascade("prices", "update", "--source", "api", "--endpoint-url", aws.url)
    assert status == 0
    assert len(err.splitlines()) == len(FIVE)
    for region in FIVE:
        book = cache.read("aws", region)
        assert book is not None
        assert {price.key.service for price in book} == {
            "ec2", "rds", "elasticache", "eks", "elb", "vpc", "ebs", "transfer", "sqs", "fargate", "s3", "ecr",
            "secretsmanager", "cloudwatch", "prometheus",
        }  # fmt: skip
        assert {"on_demand", "spot", "reserved_1y_no_upfront", "compute_sp_1y_no_upfront"} <= {
            price.key.term for price in book
        }
        assert all(price.origin == "cache" for price in book)


def test_plans_use_the_cache_and_name_it(cascade: Run, offers: offer_server.OfferServer) -> None:
    _, before, _ = cascade("size", "--format", "json")
    assert cascade("prices", "update", "--region", "us-east-1", "--endpoint-url", offers.url)[0] == 0
    today = cache.read("aws", "us-east-1")
    assert today is not None
    status, after, _ = cascade("size", "--format", "json")
    assert status == 0
    plan = json.loads(after)
    assert "retrieved" in plan["book"]
    assert {item["origin"] for item in plan["items"]} >= {"cache"}
    assert plan["figures"]["cost_usd_per_month"] != json.loads(before)["figures"]["cost_usd_per_month"]
    for item in plan["items"]:
        if item["origin"] == "cache":
            assert item["sku"]
    _, report, _ = cascade("report", "--relaxations", "none")
    assert "retrieved" in report
    assert cascade("check")[0] in (0, 1)
    assert cascade("size", "--no-price-cache", "--format", "json")[1] == before


def test_what_changed_since_last_time_is_said(cascade: Run, offers: offer_server.OfferServer) -> None:
    arguments = ("prices", "update", "--region", "us-east-1", "--endpoint-url", offers.url, "--services", "eks,elb")
    assert "cheaper" in cascade(*arguments)[1]
    _, out, _ = cascade(*arguments)
    summary = out.partition("\n\n")[0]
    (eks,) = [line.split()[1:] for line in summary.splitlines() if line.startswith("eks")]
    assert eks[:5] == ["0", "0", "0", "0", "0"]


def test_an_update_is_told_as_json(cascade: Run, offers: offer_server.OfferServer) -> None:
    update = ("prices", "update", "--region", "us-east-1", "--endpoint-url", offers.url, "--format", "json")
    first, again = (json.loads(cascade(*update)[1]) for _ in range(2))
    told = first["regions"]["us-east-1"]
    assert (first["source"], told["failure"], told["kept"]) == ("bulk", None, [])
    # What is gone are ranges of tiers that the world has elsewhere.
    assert {"new", "gone", "dearer", "cheaper"} == {change["kind"] for change in told["changes"]}
    gone = {tuple(change["key"][:2]) for change in told["changes"] if change["kind"] == "gone"}
    assert gone <= offer_world.TIERED
    assert 0 < len(told["changes"]) <= told["renewed"]
    assert all((change["before"] is None) == (change["kind"] == "new") for change in told["changes"])
    assert all(entry["in_its_place"] for entry in told["not_found"])
    assert again["regions"]["us-east-1"]["changes"] == []


def test_a_service_alone_leaves_the_others(cascade: Run, offers: offer_server.OfferServer) -> None:
    base = ("prices", "update", "--region", "us-east-1", "--endpoint-url", offers.url)
    assert cascade(*base)[0] == 0
    whole = cache.read("aws", "us-east-1")
    assert cascade(*base, "--services", "eks")[0] == 0
    again = cache.read("aws", "us-east-1")
    assert whole is not None
    assert again is not None
    assert again.rows == whole.rows


def test_spot_prices_survive_an_update_of_the_offers(
    cascade: Run, aws: aws_server.Server, offers: offer_server.OfferServer
) -> None:
    base = ("prices", "update", "--region", "us-east-1")
    assert cascade(*base, "--source", "api", "--services", "spot", "--endpoint-url", aws.url)[0] == 0
    book = cache.read("aws", "us-east-1")
    assert book is not None
    spot = {price.key for price in book}
    assert {key.term for key in spot} == {"spot"}
    assert cascade(*base, "--services", "ec2", "--endpoint-url", offers.url)[0] == 0
    again = cache.read("aws", "us-east-1")
    assert again is not None
    assert spot <= {price.key for price in again}


def test_a_region_that_no_book_is_bundled_for(cascade: Run, aws: aws_server.Server) -> None:
    moved = {"us-east-1": "eu-north-1"}
    aws.products = [
        replace(product, attributes={name: moved.get(value, value) for name, value in product.attributes.items()})
        for product in aws.products
    ]
    arguments = ("prices", "update", "--source", "api", "--region", "eu-north-1", "--services", "eks,elb,vpc")
    assert cascade(*arguments, "--endpoint-url", aws.url)[0] == 0
    assert "eu-north-1" in books.regions("aws")
    assert "eu-north-1" in cascade("prices", "show")[1]


def test_show_tells_where_a_price_is_from(cascade: Run, offers: offer_server.OfferServer) -> None:
    cascade("prices", "update", "--region", "us-east-1", "--endpoint-url", offers.url)
    _, out, _ = cascade("prices", "show", "--region", "us-east-1", "--shape", "cluster")
    assert "fetched" in out
    _, out, _ = cascade("prices", "show", "--region", "us-east-1", "--shape", "cluster", "--no-price-cache")
    assert "collected from public copies" in out


def test_the_policy_names_three_actions(cascade: Run) -> None:
    status, out, _ = cascade("prices", "update", "--print-policy")
    assert status == 0
    (statement,) = json.loads(out)["Statement"]
    assert statement["Action"] == [
        "pricing:GetProducts",
        "ec2:DescribeSpotPriceHistory",
        "savingsplans:DescribeSavingsPlansOfferingRates",
    ]


# ------------------------------------------------------------------------------------------------- what is not found

NAT = ("prices", "update", "--region", "us-west-2", "--services", "vpc", "--endpoint-url")
RENAMED = {
    r"AmazonEC2/\d+/us-west-2": (b"NatGateway-Bytes", b"RegionalNatGateway-Bytes"),
    r"AmazonVPC/\d+/us-west-2": (b"PublicIPv4:InUseAddress", b"PublicIPv4:ContiguousBlock"),
}


def rename(offers: offer_server.OfferServer) -> None:
    """Rename two of the three meters of a region's network."""
    for path, (old, new) in RENAMED.items():
        offers.faults[path] = offer_server.Fault(change=lambda body, old=old, new=new: body.replace(old, new))  # type: ignore[misc]


def test_a_renamed_meter_is_named_with_the_price_that_stands_in(cascade: Run, offers: offer_server.OfferServer) -> None:
    rename(offers)
    status, out, err = cascade(*NAT, offers.url)
    assert (status, err) == (
        0,
        "warning: us-west-2: 2 prices were looked for and not found: an older one stands in for each\n",
    )
    bundle = bundled.book("aws", "us-west-2")
    for item in ("nat-gateway-data", "public-ipv4"):
        price = bundle.find("vpc", item)
        assert price is not None
        (line,) = [line for line in out.splitlines() if line.startswith(f"vpc {item} ")]
        assert line.split(maxsplit=2)[2] == f"{price.usd} of {price.as_of} (bundled)"
    book = cache.read("aws", "us-west-2")
    assert [price.key.item for price in book or ()] == ["nat-gateway"]
    told = json.loads(cascade(*NAT, offers.url, "--format", "json")[1])["regions"]["us-west-2"]
    assert [entry["key"][1] for entry in told["not_found"]] == ["nat-gateway-data", "public-ipv4"]
    assert [entry["in_its_place"][0]["origin"] for entry in told["not_found"]] == ["bundled", "bundled"]


def test_a_meter_that_disappears_keeps_the_price_that_was_fetched(
    cascade: Run, offers: offer_server.OfferServer
) -> None:
    assert cascade(*NAT, offers.url)[0::2] == (0, "")
    whole = cache.read("aws", "us-west-2")
    rename(offers)
    _, out, _ = cascade(*NAT, offers.url)
    assert out.count("of 2026-11-20 (cache)") == 2
    again = cache.read("aws", "us-west-2")
    assert whole is not None
    assert again is not None
    assert again.rows == whole.rows


def test_strict_writes_nothing_where_a_price_is_not_found(
    cascade: Run, offers: offer_server.OfferServer, price_cache: Path
) -> None:
    assert cascade(*NAT, offers.url, "--strict")[0::2] == (0, "")
    before = files(price_cache)
    rename(offers)
    status, out, err = cascade(*NAT, offers.url, "--strict")
    assert (status, out) == (3, "")
    assert "--strict was given, so nothing was written: 2 prices were looked for and not found" in err
    assert "vpc nat-gateway-data" in err
    assert files(price_cache) == before


def test_a_service_that_a_region_does_not_have_fails_only_where_it_was_named(
    cascade: Run, offers: offer_server.OfferServer
) -> None:
    elsewhere = offer_world.offer_index("AmazonPrometheus", ["us-east-1"]).encode()
    offers.faults["AmazonPrometheus/current"] = offer_server.Fault(change=lambda _: elsewhere)
    base = ("prices", "update", "--region", "us-west-2", "--endpoint-url", offers.url)
    status, out, _ = cascade(*base)
    assert status == 0
    assert "prometheus samples-ingested" in out
    status, _, err = cascade(*base, "--services", "eks,prometheus")
    assert status == 5
    assert "us-west-2: the source has no price of prometheus: leave it out with --services eks" in err
    status, _, err = cascade(*base, "--services", "prometheus")
    assert status == 5
    assert "AWS makes no offer of prometheus in us-west-2: take a region it has, such as us-east-1" in err


def test_what_is_not_found_fits_a_screen(cascade: Run, offers: offer_server.OfferServer) -> None:
    _, out, err = cascade("prices", "update", "--region", "us-east-1", "--endpoint-url", offers.url)
    table = out[out.index("looked for and not found") :].partition("\n\n")[0].splitlines()
    assert len(table) == 2 + 20 + 1
    assert max(map(len, table)) <= 80
    counted = [int(line.partition("(")[2].partition(")")[0]) for line in table[2:22]]
    assert sum(counted) + int(table[-1].split()[1].replace(",", "")) == int(err.split()[2].replace(",", ""))


def test_a_source_without_a_kind_of_price_erases_none(cascade: Run, aws: aws_server.Server) -> None:
    base = ("prices", "update", "--source", "api", "--region", "us-east-1", "--services", "ec2,rds", "--endpoint-url")
    assert cascade(*base, aws.url)[0] == 0
    whole = cache.read("aws", "us-east-1")
    aws.products = [
        replace(product, terms=tuple(term for term in product.terms if not term.lease)) for product in aws.products
    ]
    aws.plan_rates = []
    told = json.loads(cascade(*base, aws.url, "--format", "json")[1])["regions"]["us-east-1"]
    again = cache.read("aws", "us-east-1")
    assert whole is not None
    assert again is not None
    assert again.rows == whole.rows
    assert {"reserved_1y_no_upfront", "compute_sp_1y_no_upfront", "database_sp_1y_no_upfront"} <= {
        key.term for key in again.rows
    }
    missed = [tuple(entry["key"]) for entry in told["not_found"]]
    assert PriceKey("ec2", "m5.large", "linux", "reserved_1y_no_upfront") in missed


def test_who_was_told_that_a_price_was_not_found_is_not_told_to_look_again(
    cascade: Run, offers: offer_server.OfferServer
) -> None:
    rename(offers)
    cascade(*NAT, offers.url)
    dated = ("--as-of", "2026-11-25", "--max-price-age", "1")
    _, _, err = cascade("size", "--region", "us-west-2", "--strict-prices", *dated)
    missed = [line for line in err.splitlines() if "the last update found no newer price" in line]
    assert missed == [
        "error: the last update found no newer price of vpc nat-gateway-data on_demand, vpc public-ipv4 on_demand: "
        "give them in a file with --prices"
    ]


# ----------------------------------------------------------------------------------------------------------- what fails


FAULTS = {
    "two prices": (b"0.", b"1."),
    "negative": (b'"USD": "0', b'"USD": "-0'),
    "no currency": (b'"USD"', b'"CNY"'),
    "unit": (b'"unit": "Hrs"', b'"unit": "Fortnights"'),
}


@pytest.mark.parametrize("name", [name for name in FAULTS if name != "two prices"])
def test_what_is_not_clear_stops_the_update_and_keeps_the_cache(
    cascade: Run, aws: aws_server.Server, price_cache: Path, name: str
) -> None:
    base = ("prices", "update", "--source", "api", "--region", "us-east-1", "--services", "eks,elb")
    assert cascade(*base, "--endpoint-url", aws.url)[0] == 0
    before = files(price_cache)
    old, new = (text.decode() for text in FAULTS[name])

    def broken(answer: dict[str, object]) -> dict[str, object]:
        # PriceList holds JSON as text: the change is made in that text.
        entries = [json.dumps(json.loads(text)).replace(old, new) for text in answer["PriceList"]]  # type: ignore[attr-defined]
        return {**answer, "PriceList": entries}

    aws.fail(aws_server.PRODUCTS, aws_server.edited(broken))
    status, out, err = cascade(*base, "--endpoint-url", aws.url)
    assert (status, out) == (3, "")
    assert "nothing was written" in err
    assert "--keep-going" in err
    assert "Traceback" not in err
    assert files(price_cache) == before


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (aws_server.error(400, "ExpiredTokenException"), "expired"),
        (aws_server.error(400, "AccessDeniedException"), "--print-policy"),
    ],
)
def test_a_refusal_says_what_to_do_and_keeps_the_cache(
    cascade: Run, aws: aws_server.Server, price_cache: Path, fault: aws_server.Fault, words: str
) -> None:
    base = ("prices", "update", "--source", "api", "--region", "us-east-1", "--services", "eks", "--endpoint-url")
    assert cascade(*base, aws.url)[0] == 0
    before = files(price_cache)
    aws.fail(aws_server.PRODUCTS, fault)
    status, out, err = cascade(*base, aws.url)
    assert (status, out) == (5, "")
    assert words in err
    assert aws_server.SECRET not in err
    assert files(price_cache) == before


def test_keep_going_renews_what_is_clear(cascade: Run, aws: aws_server.Server) -> None:
    base = ("prices", "update", "--source", "api", "--region", "us-east-1", "--services", "eks,elb")
    assert cascade(*base, "--endpoint-url", aws.url)[0] == 0
    before = cache.read("aws", "us-east-1")

    def broken(answer: dict[str, object]) -> dict[str, object]:
        texts: list[str] = answer["PriceList"]  # type: ignore[assignment]
        return {**answer, "PriceList": [t.replace('"USD": "', '"USD": "-') if "EKS" in t else t for t in texts]}

    aws.fail(aws_server.PRODUCTS, aws_server.edited(broken))
    status, out, err = cascade(*base, "--endpoint-url", aws.url, "--keep-going")
    assert status == 0
    assert "eks cluster" in err
    assert "keeps the price it had" in err
    after = cache.read("aws", "us-east-1")
    assert before is not None
    assert after is not None
    assert after.rows == before.rows
    assert "us-east-1: 4 prices" in out


def test_one_region_that_fails_does_not_stop_the_others(
    cascade: Run, offers: offer_server.OfferServer, price_cache: Path
) -> None:
    offers.faults[r".*/eu-west-1/index\.csv"] = offer_server.Fault(status=404)
    status, out, err = cascade("prices", "update", "--services", "eks", "--endpoint-url", offers.url)
    assert status == 5
    assert "eu-west-1" in err
    assert "us-west-2: 2 prices from bulk" in out
    assert sorted(files(price_cache)) == [f"{region}.yaml" for region in FIVE if region != "eu-west-1"]


def test_a_damaged_cache_is_said_and_an_update_replaces_it(cascade: Run, offers: offer_server.OfferServer) -> None:
    base = ("prices", "update", "--region", "us-east-1", "--services", "eks", "--endpoint-url", offers.url)
    assert cascade(*base)[0] == 0
    path = cache.path_of("aws", "us-east-1")
    path.write_bytes(path.read_bytes().replace(b"cluster", b"cluzter"))
    status, out, err = cascade("size")
    assert (status, out) == (3, "")
    assert "prices update --region us-east-1" in err
    assert "--no-price-cache" in err
    assert cascade("size", "--no-price-cache")[0] == 0
    status, _, err = cascade(*base)
    assert status == 0
    assert "damaged" in err
    assert cascade("size")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("update", "--source", "blk"), "did you mean 'bulk'?"),
        (("update", "--services", "elasticach"), "did you mean 'elasticache'?"),
        (("update", "--services", "spot"), "--source api"),
        (("update", "--offline"), "--offline uses no network"),
        (("update", "--region", "../etc"), "is no region"),
        (("verify",), "run `cascade-plan prices update` first"),
        (("verify", "--region", "us-east-1"), "no cached prices of us-east-1"),
        (("verify", "--against", "bulk", "--offline"), "--offline uses no network"),
        (("verify", "--against", "s3"), "no source 's3'"),
        (("verify", "--format", "xml"), "known are table, json"),
        (("show", "--shape", "m5.larg"), "did you mean 'm5.large'?"),
    ],
)
def test_usage(cascade: Run, price_cache: Path, arguments: tuple[str, ...], words: str) -> None:
    status, out, err = cascade("prices", *arguments)
    assert (status, out) == (2, "")
    assert words in err
    assert not files(price_cache)


def test_no_server_is_a_clear_failure(cascade: Run, price_cache: Path) -> None:
    status, _, err = cascade("prices", "update", "--region", "us-east-1", "--endpoint-url", "http://127.0.0.1:9")
    assert status == 5
    assert "127.0.0.1:9" in err
    assert "Traceback" not in err
    assert not files(price_cache)


# ---------------------------------------------------------------------------------------------- age, strictness, verify


def test_strict_prices_refuse_the_bundled_book(cascade: Run) -> None:
    status, out, err = cascade("size", "--strict-prices", "--as-of", "2026-11-25")
    assert status == 3
    assert "a month too much" in out
    assert "--strict-prices refuses" in err
    assert cascade("size", "--as-of", "2026-11-25")[0] == 0
    assert cascade("check", "growth-100k", "--strict-prices", "--as-of", "2026-11-25")[0] == 3


def test_fresh_prices_satisfy_the_strict(cascade: Run, aws: aws_server.Server) -> None:
    base = ("prices", "update", "--source", "api", "--region", "us-east-1", "--endpoint-url")
    assert cascade(*base, aws.url)[0] == 0
    # Instances that the synthetic AWS sells.
    shapes = ("api=c6g.xlarge", "websocket=m5.large", "database=db.r5.xlarge", "cache=cache.r6g.large")
    chosen = [part for text in shapes for part in ("--set", "tiers.{}.shape={}".format(*text.split("=")))]
    status, out, err = cascade("size", "--full", "--strict-prices", *chosen)
    assert (status, err) == (0, "")
    assert re.search(r"\): \d+ fetched from AWS", " ".join(out.split()))


def test_an_old_price_is_a_warning_in_the_report(cascade: Run) -> None:
    _, report, _ = cascade("report", "--relaxations", "none", "--as-of", "2026-11-25", "--max-price-age", "100")
    assert "more than the 100 allowed" in report
    _, report, _ = cascade("report", "--relaxations", "none", "--as-of", "2026-11-25", "--max-price-age", "100000")
    assert "the oldest price" in report
    assert "allowed: update" not in report


def test_verify_compares_the_bundled_book_with_the_cache(cascade: Run, offers: offer_server.OfferServer) -> None:
    cascade("prices", "update", "--region", "us-east-1", "--endpoint-url", offers.url)
    status, out, _ = cascade("prices", "verify", "--format", "json", "--max-price-age", "100000")
    assert status == 3
    found = json.loads(out)["regions"]["us-east-1"]
    assert found["failed"] is True
    assert {"price"} <= {deviation["kind"] for deviation in found["deviations"]}
    status, out, _ = cascade("prices", "verify", "--tolerance", "1e12", "--max-price-age", "100000")
    assert status == 0
    assert out.startswith("us-east-1\n")


def test_verify_against_the_live_source(cascade: Run, offers: offer_server.OfferServer, price_cache: Path) -> None:
    arguments = ("prices", "verify", "--region", "us-east-1", "--against", "bulk", "--endpoint-url", offers.url)
    assert cascade(*arguments)[0] == 3
    assert not files(price_cache)
