"""AWS's price list files from a server: every region's right rates, and one clear message for whatever goes wrong."""

from __future__ import annotations

import base64
import socket
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path
from typing import Literal

import offer_world as world
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from offer_server import Fault, OfferServer

from cascade_plan.clouds.aws.prices import bulk
from cascade_plan.clouds.aws.product import PUBLISHED
from cascade_plan.clouds.aws.products import LISTED
from cascade_plan.errors import CloudError, UsageError
from cascade_plan.model.price import PriceKey
from cascade_plan.prices.products import price_list
from cascade_plan.prices.rates import Rate, Request, choose

AWS = price_list("aws")

TODAY = date(2026, 11, 25)
HURRIED = bulk.Patience(connect_s=2, read_s=0.3, retry_count=3, backoff_s=0.001)
EVERYTHING = Request(AWS, "us-west-2", world.SERVICES, world.ITEMS, TODAY)
RDS = replace(EVERYTHING, services=frozenset({"rds"}))
EC2 = replace(EVERYTHING, services=frozenset({"ec2"}))
FILE = r"/AmazonRDS/\d+/us-west-2/index"
Layout = Literal["csv", "json"]
LAYOUTS: tuple[Layout, ...] = ("csv", "json")


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "aws_ca_bundle"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def server() -> Iterator[OfferServer]:
    with OfferServer() as running:
        yield running


def rates(server: OfferServer, request: Request = RDS, layout: Layout = "csv") -> list[Rate]:
    return list(bulk.rates(request, server.url, HURRIED, layout))


def failure(server: OfferServer, request: Request = RDS, layout: Layout = "csv") -> str:
    with pytest.raises(CloudError) as caught:
        rates(server, request, layout)
    message = str(caught.value)
    assert "\n" not in message
    return message


# ---------------------------------------------------------------------------------------------------------- right files


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("region", world.REGIONS)
def test_a_region_comes_to_its_prices_and_nothing_else(server: OfferServer, region: str, layout: Layout) -> None:
    choice = choose(rates(server, replace(EVERYTHING, region=region), layout), TODAY, AWS, PUBLISHED)
    assert choice.problems == ()
    wanted = world.expected(region) | world.expected_discounts(region)
    assert choice.rows.keys() == wanted.keys()
    for key, usd in wanted.items():
        assert abs(Decimal(choice.rows[key][1]) - usd) < Decimal("1e-7"), key


def test_the_world_has_every_kind_of_product() -> None:
    keys = {product.key for product in world.products("us-east-1") if product.key}
    for kind in LISTED:
        assert any(key[::2] == (kind.service, kind.variant) and kind.item in ("", key.item) for key in keys), kind


def test_both_layouts_have_the_same_rates(server: OfferServer) -> None:
    in_csv, in_json = (Counter(rates(server, EVERYTHING, layout)) for layout in LAYOUTS)
    assert in_csv == in_json
    assert len(in_csv) > 60


def test_a_rate_says_where_it_is_from(server: OfferServer) -> None:
    found = next(rate for rate in rates(server) if rate.key == PriceKey("rds", "db.r7g.large", "multi_az"))
    assert found.source == f"AWS price list AmazonRDS {world.VERSION}"
    assert (found.as_of, found.effective, found.sku[:2]) == ("2026-11-20", "2026-11-01", "PG")


@pytest.mark.parametrize("is_compressing", [False, True])
def test_every_byte_is_told(server: OfferServer, is_compressing: bool) -> None:
    told: Counter[str] = Counter()
    expected: Counter[str] = Counter()
    server.is_compressing = is_compressing
    counting = replace(
        EVERYTHING,
        progress=lambda what, count: told.update({what: count}),
        expected=lambda what, count: expected.update({what: count}),
    )
    found = rates(server, counting)
    assert choose(found, TODAY, AWS, PUBLISHED).rows.keys() >= world.expected("us-west-2").keys()
    assert told.keys() == {*world.OFFERS, *world.PLANS}
    assert told.total() == server.sent_byte_count
    # The server says how long its files are: what comes is as much as was expected, compressed or not.
    assert expected == told


def test_only_needed_files_are_read(server: OfferServer) -> None:
    rates(server, replace(EVERYTHING, services=frozenset({"eks", "prometheus"})))
    assert {path.split("/")[4] for path in server.requests} == {"AmazonEKS", "AmazonPrometheus"}
    server.requests.clear()
    rates(server, replace(EC2, items={}))
    assert {path.split("/")[4] for path in server.requests} == {"AmazonEC2"}
    server.requests.clear()
    rates(server, EC2)
    assert {path.split("/")[4] for path in server.requests} == {"AmazonEC2", "AWSComputeSavingsPlan"}


def test_a_region_without_savings_plans_has_no_rates_of_them(server: OfferServer) -> None:
    server.faults["AWSDatabase.*region_index"] = Fault(
        change=lambda _: world.plan_index("AWSDatabaseSavingsPlans", ["eu-west-1"]).encode()
    )
    found = rates(server)
    assert found
    assert not [rate for rate in found if "_sp_" in rate.key.term]


# --------------------------------------------------------------------------------------------------------------- faults


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_server_is_asked_again(server: OfferServer, status: int) -> None:
    server.faults["AmazonRDS/current"] = Fault(times=2, status=status, headers={"Retry-After": "3600"})
    server.faults[FILE] = Fault(times=3, status=status)
    assert choose(rates(server), TODAY, AWS, PUBLISHED).rows
    assert server.requests.count("/offers/v1.0/aws/AmazonRDS/current/region_index.json") == 3


def test_a_server_that_stays_busy_is_given_up(server: OfferServer) -> None:
    server.faults[FILE] = Fault(status=503)
    assert "us-west-2/index.csv answers 503 again and again" in failure(server)
    assert len([path for path in server.requests if path.endswith("us-west-2/index.csv")]) == 1 + HURRIED.retry_count


@pytest.mark.parametrize("status", [400, 403, 404, 418])
def test_a_refusal_is_final(server: OfferServer, status: int) -> None:
    server.faults[FILE] = Fault(status=status)
    assert f"index.csv answers {status}; " in failure(server)
    assert len([path for path in server.requests if path.endswith("csv")]) == 1


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_body_that_is_cut_short(server: OfferServer, layout: Layout) -> None:
    server.faults[FILE] = Fault(sent_share=0.6)
    assert "index." in (message := failure(server, layout=layout))
    assert "broke off" in message


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_body_that_is_cut_short_without_a_length(server: OfferServer, layout: Layout) -> None:
    server.faults[FILE] = Fault(sent_share=0.6, has_length=False)
    assert "AmazonRDS: the file is damaged or cut short" in failure(server, layout=layout)


def test_a_compressed_body_that_is_cut_short_without_a_length(server: OfferServer) -> None:
    server.is_compressing = True
    server.faults[FILE] = Fault(sent_share=0.6, has_length=False)
    for layout in LAYOUTS:
        assert "cut short" in failure(server, layout=layout)


def test_a_damaged_compressed_body(server: OfferServer) -> None:
    server.faults[FILE] = Fault(headers={"Content-Encoding": "gzip"})
    assert "broke off" in failure(server)


def test_a_stall_in_the_middle(server: OfferServer) -> None:
    server.faults[FILE] = Fault(sent_share=0.5, stalls=True)
    message = failure(server)
    assert "broke off" in message
    assert "timed out" in message


def test_a_stall_before_the_answer_is_given_up(server: OfferServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(CloudError, match=r"cannot reach .*timed out"):
        list(bulk.rates(RDS, f"http://127.0.0.1:{silent.getsockname()[1]}", replace(HURRIED, retry_count=1)))


def test_no_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(CloudError, match=r"cannot reach http://127.0.0.1:\d+/offers/.*refused; check the network"):
        list(bulk.rates(RDS, f"http://127.0.0.1:{port}", HURRIED))


def test_a_server_without_tls(server: OfferServer) -> None:
    with pytest.raises(CloudError, match=r"cannot reach https://127.*check the network"):
        list(bulk.rates(RDS, server.url.replace("http", "https"), replace(HURRIED, retry_count=0)))


@pytest.mark.parametrize("address", ["pricing.us-east-1.amazonaws.com", "ftp://x.y", "https://", "file:///etc/hosts"])
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(UsageError, match="no address of a price list server, such as https://pricing"):
        list(bulk.rates(RDS, address))


@pytest.mark.parametrize("where", ["AmazonRDS/current", FILE])
def test_a_page_instead_of_a_file(server: OfferServer, where: str) -> None:
    headers = {"Content-Type": "text/html; charset=utf-8"}
    server.faults[where] = Fault(headers=headers, change=lambda _: b"<html>Please log in")
    assert "is a page (text/html; charset=utf-8), no price list; is there a proxy" in failure(server)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("body", [b"<html>\nPlease log in", b"", b"{}", b"\xff\xfe\x00", b'"a\n'])
def test_something_else_instead_of_a_file(server: OfferServer, body: bytes, layout: Layout) -> None:
    server.faults[FILE] = Fault(change=lambda _: body)
    assert failure(server, layout=layout).startswith("AmazonRDS: ")


def test_a_redirect_is_not_followed(server: OfferServer) -> None:
    server.faults[FILE] = Fault(status=302, headers={"Location": "http://me:secret@login.example/x?token=secret"})
    message = failure(server)
    assert "redirects to http://login.example/x, " in message
    assert "secret" not in message


def test_an_offer_that_the_region_lacks(server: OfferServer) -> None:
    regions = ["us-east-1", "us-west-1", "eu-west-1"]
    server.faults["AmazonRDS/current"] = Fault(change=lambda _: world.offer_index("AmazonRDS", regions).encode())
    assert "AWS makes no offer of rds in us-west-2: take a region it has, such as us-west-1, us-east-1" in failure(
        server
    )
    # Of several services the others are read: what is not sold there is not found, and named.
    assert "rds" not in {rate.key.service for rate in rates(server, EVERYTHING) if "_sp_" not in rate.key.term}


@pytest.mark.parametrize(
    "index",
    [
        "{",
        "[]",
        "{}",
        '{"regions": []}',
        '{"regions": {"us-west-2": {}}}',
        '{"regions": {"us-west-2": {"currentVersionUrl": "https://elsewhere.example/index.json"}}}',
        '{"regions": {"us-west-2": {"currentVersionUrl": "//elsewhere.example/index.json"}}}',
    ],
)
def test_an_index_that_is_none(server: OfferServer, index: str) -> None:
    server.faults["AmazonRDS/current"] = Fault(change=lambda _: index.encode())
    if "//elsewhere" in index and "https" not in index:
        # A path of this server, whatever it looks like.
        assert "answers 404" in failure(server)
    else:
        assert "/AmazonRDS/current/region_index.json is no index of regions" in failure(server)


@pytest.mark.parametrize("index", ['{"regions": {}}', '{"regions": [1]}', '{"regions": [{"regionCode": "us-west-2"}]}'])
def test_an_index_of_plans_that_is_none(server: OfferServer, index: str) -> None:
    server.faults["AWSDatabaseSavingsPlans/current"] = Fault(change=lambda _: index.encode())
    assert "is no index of regions" in failure(server)


def test_a_missing_heading(server: OfferServer) -> None:
    server.faults[FILE] = Fault(change=lambda body: body.replace(b'"Database Engine"', b'"Engine"'))
    assert "the layout has changed, there is no 'Database Engine'" in failure(server)


def test_a_missing_attribute(server: OfferServer) -> None:
    server.faults[FILE] = Fault(change=lambda body: body.replace(b'"databaseEngine"', b'"engine"'))
    assert "the layout has changed, there is no 'databaseEngine'" in failure(server, layout="json")


def test_another_offer_under_the_address(server: OfferServer) -> None:
    for layout in LAYOUTS:
        server.faults[FILE] = Fault(change=lambda body: body.replace(b"AmazonRDS", b"AmazonDocDB"))
        assert "the file is the offer 'AmazonDocDB', not 'AmazonRDS'" in failure(server, layout=layout)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    ("right", "wrong", "words"),
    [
        (b'"0.24"', b'"-0.24"', "a negative price"),
        (b'"Hrs"', b'"Fortnights"', "unknown unit 'Fortnights'"),
        (b'"0.24"', b'""', "no price: ''"),
        (b'"USD"', b'"CNY"', "priced in CNY"),
    ],
)
def test_a_wrong_price_is_a_problem(
    server: OfferServer, right: bytes, wrong: bytes, words: str, layout: Layout
) -> None:
    server.faults[FILE] = Fault(change=lambda body: body.replace(right, wrong))
    choice = choose(rates(server, layout=layout), TODAY, AWS, PUBLISHED)
    key = PriceKey("rds", "db.r7g.large", "multi_az")
    assert words in next(problem.message for problem in choice.problems if problem.key == key)
    assert key not in choice.rows


@pytest.mark.parametrize("layout", LAYOUTS)
def test_two_prices_are_a_problem_and_a_product_without_a_price_is_none(server: OfferServer, layout: Layout) -> None:
    twice, never = PriceKey("rds", "db.r7g.large", "multi_az"), PriceKey("rds", "db.r7g.large", "single_az")
    listed = world.products("us-west-2")
    index = next(index for index, product in enumerate(listed) if product.key == never)
    listed[index] = listed[index]._replace(terms=())
    (other,) = (product for product in listed if product.key == twice)
    listed.append(other._replace(sku="ANOTHER", terms=world.demand("0.25")))
    text = (world.offer_csv if layout == "csv" else world.offer_json)("AmazonRDS", listed)
    server.faults[FILE] = Fault(change=lambda _: text.encode())
    choice = choose(rates(server, layout=layout), TODAY, AWS, PUBLISHED)
    assert never not in choice.rows
    assert twice not in choice.rows
    assert [problem.key for problem in choice.problems] == [twice]
    assert "ANOTHER" in choice.problems[0].message


# ----------------------------------------------------------------------------------------- trust, proxies and packages


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file with a key and the certificate it has signed itself, for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    begin = datetime.now(UTC) - timedelta(hours=1)
    certificate = (
        x509.CertificateBuilder(
            name, name, key.public_key(), x509.random_serial_number(), begin, begin + timedelta(days=1)
        )
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "identity.pem"
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(key.private_bytes(*plain) + certificate.public_bytes(serialization.Encoding.PEM))
    return file


def test_a_server_is_trusted_only_with_its_certificate(identity: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with OfferServer(identity) as server:
        with pytest.raises(CloudError, match=r"cannot reach https://127.0.0.1:.*certificate verify failed"):
            list(bulk.rates(RDS, server.url, replace(HURRIED, retry_count=0)))
        assert server.requests == []
        monkeypatch.setenv("AWS_CA_BUNDLE", str(identity))
        assert choose(rates(server), TODAY, AWS, PUBLISHED).rows
    monkeypatch.setenv("AWS_CA_BUNDLE", str(identity / "nothing"))
    with pytest.raises(UsageError, match=r"AWS_CA_BUNDLE is .*, which is no file"):
        rates(server)


def test_a_proxy_of_the_environment_is_used(server: OfferServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", server.url.replace("//", "//me:p%40ss@"))
    monkeypatch.setenv("http_proxy", server.url.replace("//", "//me:p%40ss@"))
    assert list(bulk.rates(RDS, "http://pricing.invalid", HURRIED))
    assert {base64.b64decode(login.removeprefix("Basic ")) for login in server.proxy_logins} == {b"me:p@ss"}
    monkeypatch.setenv("no_proxy", "pricing.invalid")
    with pytest.raises(CloudError, match=r"cannot reach http://pricing.invalid/offers"):
        list(bulk.rates(RDS, "http://pricing.invalid", replace(HURRIED, retry_count=0)))


def test_a_proxy_that_cannot_be_reached_keeps_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("http_proxy", f"http://me:secret@127.0.0.1:{port}")
    with pytest.raises(CloudError, match="check the network and the proxy") as caught:
        list(bulk.rates(RDS, "http://pricing.invalid", HURRIED))
    assert "secret" not in str(caught.value)


def test_a_proxy_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "socks5://me:secret@127.0.0.1:1")
    with pytest.raises(UsageError, match=r"the proxy for http in the environment, 'socks5://.*', is no address"):
        list(bulk.rates(RDS, "http://pricing.invalid", HURRIED))


def test_packages_that_are_not_installed(server: OfferServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ijson", None)
    with pytest.raises(UsageError, match=r"needs ijson: pip install 'cascade-plan\[aws\]'"):
        rates(server, layout="json")
    monkeypatch.setitem(sys.modules, "urllib3", None)
    with pytest.raises(UsageError, match=r"needs urllib3: pip install 'cascade-plan\[aws\]'"):
        rates(server)
