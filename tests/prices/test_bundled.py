"""The bundled books and catalogue: what they hold, how they are read, and how a file lies over them."""

from __future__ import annotations

import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import pytest

from cascade_plan.clouds.aws.eks import max_pods
from cascade_plan.errors import PriceError, ScenarioError, UsageError
from cascade_plan.files.data_root import data_root
from cascade_plan.model.catalogue import WHAT, Shape
from cascade_plan.model.price import UNITS, Book, Price, PriceKey
from cascade_plan.prices import bundled, layout, reading
from cascade_plan.prices.products import price_list

AWS = price_list("aws")

REGIONS = ("ap-southeast-1", "eu-central-1", "eu-west-1", "us-east-1", "us-west-2")


@pytest.fixture(params=REGIONS)
def book(request: pytest.FixtureRequest) -> Book:
    region: str = request.param
    return bundled.book("aws", region)


def usd(region: str, *key: str) -> Decimal | None:
    price = bundled.book("aws", region).find(*key)
    return price.usd if price else None


# -------------------------------------------------------------------------------------------------------- the figures


def test_every_bundled_region_is_listed() -> None:
    assert bundled.regions("aws") == REGIONS


@pytest.mark.parametrize(
    ("region", "key", "expected"),
    [
        # Also in the AWS offer files of 2026-10-06, by way of another project's snapshot of them.
        ("us-east-1", ("ec2", "m5.xlarge", "linux"), "0.192"),
        ("us-east-1", ("ec2", "r5.large", "linux"), "0.126"),
        ("us-east-1", ("rds", "db.r5.xlarge", "single_az"), "0.5"),
        ("us-east-1", ("rds", "db.r5.xlarge", "multi_az"), "1"),
        ("us-east-1", ("rds", "storage-gp3", "single_az"), "0.115"),
        ("us-east-1", ("eks", "cluster"), "0.1"),
        ("us-east-1", ("elb", "alb"), "0.0225"),
        ("us-east-1", ("transfer", "internet-out", "0-10240"), "0.09"),
        ("us-east-1", ("transfer", "inter-zone"), "0.01"),
        ("us-east-1", ("ec2", "m5.large", "linux", "reserved_1y_no_upfront"), "0.06"),
        ("us-east-1", ("ec2", "m7g.large", "linux", "compute_sp_1y_no_upfront"), "0.0599"),
        # 0.90 USD per ten million samples.
        ("us-west-2", ("prometheus", "samples-ingested", "0-2000"), "0.09"),
        ("eu-central-1", ("vpc", "nat-gateway"), "0.052"),
        ("ap-southeast-1", ("ebs", "gp3-storage"), "0.096"),
        # 0.0000004 USD a request.
        ("us-east-1", ("sqs", "requests", "0-100000"), "0.4"),
        # AWS's own descriptions in the offers of 2026-09 and 2026-10, as several public copies have them.
        ("us-east-1", ("secretsmanager", "secret"), "0.4"),
        ("eu-west-1", ("secretsmanager", "requests"), "5"),
        ("us-east-1", ("rds", "cpu-credits-t4g"), "0.075"),
        ("us-west-2", ("rds", "proxy"), "0.015"),
        ("ap-southeast-1", ("rds", "proxy"), "0.018"),
        ("us-east-1", ("rds", "aurora-storage", "aurora_io_optimized"), "0.225"),
        ("us-east-1", ("rds", "aurora-io", "aurora_standard"), "0.2"),
        ("ap-southeast-1", ("rds", "aurora-capacity", "aurora_standard"), "0.2"),
        ("eu-central-1", ("fargate", "cpu", "arm64"), "0.03725"),
        # https://aws.amazon.com/ec2/pricing/on-demand/: the same in all regions.
        *((region, ("ec2", "cpu-credits-t3", "linux"), "0.05") for region in REGIONS),
        *((region, ("ec2", "cpu-credits-t4g", "linux"), "0.04") for region in REGIONS),
        # Beside the 0.10 of the cluster: AmazonEKS-Hours:extendedSupport.
        *((region, ("eks", "cluster-extended-support"), "0.5") for region in REGIONS),
    ],
)
def test_known_prices(region: str, key: tuple[str, ...], expected: str) -> None:
    assert usd(region, *key) == Decimal(expected)


@pytest.mark.parametrize(
    ("region", "key"),
    [
        ("us-west-2", ("elb", "nlb-lcu")),
        ("eu-west-1", ("rds", "proxy")),
        ("eu-central-1", ("ecr", "storage")),
        ("ap-southeast-1", ("sqs", "requests", "0-100000")),
        ("us-east-1", ("ec2", "m8g.large", "linux", "spot")),
        ("us-east-1", ("rds", "db.r5.large", "single_az", "reserved_3y_no_upfront")),
    ],
)
def test_what_is_not_known_has_no_price(region: str, key: tuple[str, ...]) -> None:
    assert usd(region, *key) is None


def test_every_row_is_a_positive_price_with_unit_date_and_source(book: Book) -> None:
    assert len(book) > 1000
    for price in book:
        assert 0 < price.usd < 1000, price
        assert price.unit in UNITS, price
        assert layout.is_as_of(price.as_of), price
        assert price.source, price
        assert price.origin == "bundled"
        assert price.note.startswith("weak: ") == price.weak


def test_discounts_are_discounts(book: Book) -> None:
    discounted = [price for price in book if price.key.term != "on_demand"]
    assert {"spot", "reserved_3y_no_upfront"} <= {price.key.term for price in discounted}
    for price in discounted:
        on_demand = book.find(*price.key._replace(term="on_demand"))
        assert on_demand is not None
        assert price.usd < on_demand.usd, price.key


def test_a_cache_node_costs_a_fifth_less_with_valkey(book: Book) -> None:
    redis = book.rates("elasticache", "redis")
    valkey = book.rates("elasticache", "valkey")
    assert redis.keys() == valkey.keys()
    nodes = [name for name in redis if name.startswith("cache.")]
    assert len(nodes) > 40
    assert all(abs(valkey[name] / redis[name] - Decimal("0.8")) < Decimal("0.001") for name in nodes)


def test_two_zones_cost_about_twice_one(book: Book) -> None:
    single = book.rates("rds", "single_az")
    for name, price in book.rates("rds", "multi_az").items():
        if name.startswith("db.") and name in single:
            assert abs(price - 2 * single[name]) <= Decimal("0.0011"), name


def test_the_tiers_of_transfer_are_in_order_and_fall(book: Book) -> None:
    tiers = book.variants("transfer", "internet-out")
    assert [tier.key.variant for tier in tiers] == ["0-10240", "10240-51200", "51200-153600", "153600-"]
    assert sorted((tier.usd for tier in tiers), reverse=True) == [tier.usd for tier in tiers]


@pytest.mark.parametrize(
    ("region", "key", "words"),
    [
        ("us-west-2", ("elb", "nlb"), "one source"),
        ("eu-west-1", ("rds", "aurora-capacity", "aurora_standard"), "two code comments"),
        ("eu-west-1", ("elasticache", "serverless-ecpu", "valkey"), "one source"),
        ("ap-southeast-1", ("ec2", "m7g.xlarge", "linux", "spot"), "one reading of a price that moves hourly"),
        ("ap-southeast-1", ("elb", "nlb-lcu"), "one source"),
        ("us-west-2", ("rds", "storage-gp3", "multi_az"), "one source"),
        ("eu-central-1", ("rds", "backup-storage"), "one source"),
        ("us-west-2", ("rds", "db.r8g.large", "single_az"), "region label not on the page"),
        ("eu-west-1", ("prometheus", "query-samples"), "quoted without a date"),
    ],
)
def test_weak_prices_say_so(region: str, key: tuple[str, ...], words: str) -> None:
    price = bundled.book("aws", region).find(*key)
    assert price is not None
    assert price.weak
    assert words in price.note


@pytest.mark.parametrize(
    ("region", "key"),
    [
        ("eu-central-1", ("eks", "cluster")),
        ("eu-central-1", ("elb", "alb")),
        ("eu-west-1", ("elb", "alb")),
        ("eu-west-1", ("elb", "alb-lcu")),
        ("eu-west-1", ("vpc", "nat-gateway")),
        ("eu-west-1", ("rds", "storage-gp3", "single_az")),
        ("us-west-2", ("eks", "cluster")),
    ],
)
def test_a_second_dated_source_ends_the_weakness(region: str, key: tuple[str, ...]) -> None:
    price = bundled.book("aws", region).find(*key)
    assert price is not None
    assert not price.weak
    assert price.confirmed_by


def test_every_gap_named_by_key_is_one() -> None:
    for region in REGIONS:
        named = {gap for texts in bundled.gaps("aws", region).values() for gap in texts if gap.startswith("no price: ")}
        assert named.isdisjoint(f"no price: {price.key}" for price in bundled.book("aws", region))
    assert "no price: elb nlb-lcu on_demand" in bundled.gaps("aws", "us-west-2")["load_balancer"]


# ---------------------------------------------------------------------------------------------------------- the shapes


@pytest.mark.parametrize(
    ("name", "pods"),
    # awslabs/amazon-eks-ami nodeadm/internal/kubelet/eni-max-pods.txt
    [
        ("t3.medium", 17),
        ("t3.xlarge", 58),
        ("t4g.nano", 4),
        ("m5.large", 29),
        ("m5.4xlarge", 234),
        ("m7g.large", 29),
        ("m7i.48xlarge", 737),
        ("m8g.medium", 8),
        ("c8g.4xlarge", 234),
        ("r8g.48xlarge", 737),
    ],
)
def test_pods_of_a_node(name: str, pods: int) -> None:
    shape = bundled.catalogue("aws").find("vm", name)
    assert shape is not None
    assert max_pods(shape, prefix_delegation=False) == pods


def rates(
    network: tuple[float, float],
    disk: tuple[float, float],
    operations: tuple[float, float],
    cpu: float | None = None,
    speed: float = 1.0,
) -> dict[str, float | None]:
    """Return the rates of a shape from Gbit/s, Mbit/s and operations/s, each all the time and in bursts."""
    return {
        "network_bytes_per_s": network[0] * 1e9 / 8,
        "network_burst_bytes_per_s": network[1] * 1e9 / 8,
        "network_burst_s": 300,
        "disk_bytes_per_s": disk[0] * 1e6 / 8,
        "disk_burst_bytes_per_s": disk[1] * 1e6 / 8,
        "disk_operations_per_s": operations[0],
        "disk_burst_operations_per_s": operations[1],
        "disk_burst_s": 1800,
        "cpu_baseline_ratio": cpu,
        "speed_ratio": speed,
    }


def test_known_shapes() -> None:
    find = bundled.catalogue("aws").find
    addresses = {"interface_count": 3, "address_count_per_interface": 10, "takes_prefixes": True}
    m7g = rates((0.937, 12.5), (630, 10_000), (3600, 40_000), speed=1.25)
    assert find("vm", "m7g.large") == Shape("vm", "m7g.large", 2, 8.0, "arm64", **addresses, **m7g)
    r5 = rates((1.25, 10), (1150, 4750), (6000, 18_750), speed=0.82)
    left = {"usable_memory_gib": 29.12, "connection_count_max": 3280}
    assert find("database", "db.r5.xlarge") == Shape("database", "db.r5.xlarge", 4, 32.0, **left, **r5)
    medium = rates((0.256, 5), (347, 2085), (2000, 11_800), 0.2, speed=0.82)
    left = {"burstable": True, "usable_memory_gib": 2.3174, "connection_count_max": 46_000}
    assert find("cache", "cache.t3.medium") == Shape("cache", "cache.t3.medium", 2, 3.09, **left, **medium)


def test_speeds_are_what_their_sources_say() -> None:
    """AWS: Graviton3 25 % above 2, 4 another 30 %. Netflix: GHz x instructions a cycle, where a core is 1.5 threads."""
    catalogue = bundled.catalogue("aws")

    def speed(name: str) -> float:
        shape = catalogue.find("vm", name)
        assert shape is not None
        return shape.speed

    assert speed("t4g.medium") == speed("m6g.large") == 1
    assert speed("c7g.large") == 1.25
    assert speed("r8g.large") == pytest.approx(1.25 * 1.3, abs=0.005)
    for name, ghz_times_ipc in (
        ("m5.large", 3.1),
        ("c5.large", 3.4),
        ("c6i.large", 3.5 * 1.15),
        ("m7i.large", 3.2 * 1.288),
    ):
        assert 0 <= ghz_times_ipc / (2.5 * 1.5) - speed(name) < 0.01
    assert all(shape.speed_ratio for what in ("vm", "database", "cache") for shape in catalogue.of(what))


@pytest.mark.parametrize(
    ("name", "megabits", "operations"),
    # The table of https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ebs-optimized.html, with the mark of what bursts.
    [
        ("m5.large", (650, 4750), (3600, 18_750)),
        ("m5.4xlarge", (4750, 4750), (18_750, 18_750)),
        ("m6g.medium", (315, 4750), (2500, 20_000)),
        ("m6g.2xlarge", (2375, 4750), (12_000, 20_000)),
        ("m6g.8xlarge", (9500, 9500), (40_000, 40_000)),
        ("t4g.medium", (347, 2085), (2000, 11_800)),
        ("t4g.2xlarge", (695, 2780), (4000, 15_700)),
        ("m6i.large", (650, 10_000), (3600, 40_000)),
    ],
)
def test_disks_do_what_aws_publishes(name: str, megabits: tuple[int, int], operations: tuple[int, int]) -> None:
    shape = bundled.catalogue("aws").find("vm", name)
    assert shape is not None
    assert (shape.disk_bytes_per_s, shape.disk_burst_bytes_per_s) == tuple(rate * 1e6 / 8 for rate in megabits)
    assert (shape.disk_operations_per_s, shape.disk_burst_operations_per_s) == operations
    assert shape.disk_burst_s == (1800 if megabits[0] < megabits[1] else None)


def test_bursts_are_above_what_is_done_all_the_time_and_end() -> None:
    for shape in (shape for what in WHAT for shape in bundled.catalogue("aws").of(what)):
        network = shape.network_bytes_per_s, shape.network_burst_bytes_per_s
        disk = shape.disk_bytes_per_s, shape.disk_burst_bytes_per_s
        operations = shape.disk_operations_per_s, shape.disk_burst_operations_per_s
        for sustained, burst in (network, disk, operations):
            assert sustained <= burst, shape
        assert (shape.network_burst_s is not None) == (network[0] != network[1]), shape
        assert (shape.disk_burst_s is not None) == (disk[0] != disk[1] or operations[0] != operations[1]), shape


@pytest.mark.parametrize(
    ("name", "maxmemory", "maxclients"),
    # Bytes: "Redis OSS node-type specific parameters"; maxclients: the parameters of Redis OSS 2.6.13,
    # https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/ParameterGroups.Engine.html
    [
        ("cache.t3.micro", 536_870_912, 20_000),
        ("cache.t3.small", 1_471_026_299, 46_000),
        ("cache.t3.medium", 3_317_862_236, 46_000),
        ("cache.t4g.micro", 536_870_912, 20_000),
        ("cache.t4g.medium", 3_317_862_236, 65_000),
        ("cache.m5.large", 6_854_542_746, 65_000),
        ("cache.m6g.16xlarge", 225_000_375_228, 65_000),
        ("cache.r6g.large", 14_037_181_030, 65_000),
        ("cache.r6g.12xlarge", 341_206_346_547, 65_000),
        ("cache.r5.24xlarge", 682_485_973_811, 65_000),
    ],
)
def test_a_node_of_a_cache_keeps_what_elasticache_publishes(name: str, maxmemory: int, maxclients: int) -> None:
    shape = bundled.catalogue("aws").find("cache", name)
    assert shape is not None
    assert shape.memory_gib == pytest.approx(maxmemory / 2**30, abs=0.006)
    assert shape.program_gib == pytest.approx(0.75 * shape.memory_gib, abs=1e-4)
    assert shape.connection_count_max == maxclients


def test_a_class_of_a_database_has_less_than_its_memory_and_the_connections_that_follow() -> None:
    for shape in bundled.catalogue("aws").of("database"):
        assert 0.5 * shape.memory_gib <= shape.program_gib < shape.memory_gib, shape
        assert shape.connection_count_max == min(5000, int((shape.program_gib + 0.0001) * 2**30 / 9_531_392)), shape


@pytest.mark.parametrize(
    ("name", "gbit_per_s"),
    [("cache.m7g.large", 0.937), ("cache.m7g.xlarge", 1.876), ("cache.r7g.2xlarge", 3.75), ("cache.r6g.large", 0.75)],
)
def test_a_node_of_a_cache_has_the_baseline_that_elasticache_publishes(name: str, gbit_per_s: float) -> None:
    # https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheNodes.SupportedTypes.html
    shape = bundled.catalogue("aws").find("cache", name)
    assert shape is not None
    assert shape.network_bytes_per_s == gbit_per_s * 1e9 / 8


@pytest.mark.parametrize(
    ("name", "credits_per_h"),
    [("t3.nano", 6), ("t3.micro", 12), ("t3.small", 24), ("t3.medium", 24), ("t3.large", 36), ("t3.xlarge", 96),
     ("t3.2xlarge", 192), ("t4g.micro", 12), ("t4g.xlarge", 96)],
)  # fmt: skip
def test_the_credits_an_hour_are_those_that_aws_publishes(name: str, credits_per_h: int) -> None:
    # A credit is a vCPU for a minute,
    # https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/burstable-credits-baseline-concepts.html
    shape = bundled.catalogue("aws").find("vm", name)
    assert shape is not None
    assert shape.cpu_baseline_ratio is not None
    assert shape.vcpu * 60 * shape.cpu_baseline_ratio == pytest.approx(credits_per_h)


def test_every_burstable_shape_has_a_baseline_and_every_shape_its_network_and_disk() -> None:
    for what in WHAT:
        for shape in bundled.catalogue("aws").of(what):
            assert shape.burstable == (shape.cpu_baseline_ratio is not None), shape
            assert None not in (shape.network_bytes_per_s, shape.disk_bytes_per_s, shape.disk_operations_per_s), shape


def test_what_is_priced_has_a_shape_and_what_has_a_shape_is_priced_somewhere() -> None:
    books = [bundled.book("aws", region) for region in REGIONS]
    keys = [price.key for book in books for price in book]
    catalogue, called = bundled.catalogue("aws"), {"ec2": "vm", "rds": "database", "elasticache": "cache"}
    priced = {(called[key.service], key.item) for key in keys if price_list("aws").is_instance(key)}
    assert {(shape.what, shape.name) for what in WHAT for shape in catalogue.of(what)} == priced


def test_graviton_is_arm() -> None:
    for shape in bundled.catalogue("aws").of("vm"):
        family = shape.name.partition(".")[0]
        assert (shape.architecture == "arm64") == family.endswith("g"), shape
        assert shape.burstable == family.startswith("t"), shape


# ------------------------------------------------------------------------------------------------------------- opening


def test_an_unknown_region_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"'eu-wset-1'; did you mean 'eu-west-1'\? .*ap-southeast-1"):
        bundled.book("aws", "eu-wset-1")
    with pytest.raises(UsageError, match="regions with prices are"):
        bundled.book("aws", "shapes")


def test_a_book_opens_fast() -> None:
    text = Path(data_root() / "pricing/aws/us-east-1.yaml").read_text(encoding="utf-8")
    best = min(_seconds(text) for _ in range(10))
    assert best < 0.04  # five times the 8 ms it may take on an idle machine


def _seconds(text: str) -> float:
    start = time.perf_counter()
    reading.parse_book(text, "us-east-1")
    return time.perf_counter() - start


def test_opening_a_book_imports_no_pydantic_and_no_numpy() -> None:
    code = (
        "import sys; from cascade_plan.prices import bundled; bundled.book('aws', 'us-east-1');"
        "bundled.catalogue('aws');"
        "sys.exit(bool({'pydantic', 'numpy', 'boto3'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=False).returncode == 0


HEAD = "item,variant,term,unit,usd,as_of,source,confirmed_by,note"


def text_of(*rows: str, region: str = "us-east-1", section: str = "ec2_on_demand", head: str = HEAD) -> str:
    """Return a file of prices with one section."""
    lines = "".join(f"      {line}\n" for line in (head, *rows))
    return (
        f"format: 1\ncloud: aws\nregion: {region}\nsections:\n  {section}:\n    sources:\n      s: contract\n"
        f"    rows: |\n{lines}"
    )


GOOD = "m5.large,linux,on_demand,hour,0.08,2026-03-01,s,,negotiated"


def test_a_damaged_book_says_where() -> None:
    text = text_of(GOOD, GOOD.replace("m5.large", "m5.xlarge").replace("0.08", "0"), "m5.2xlarge,linux")
    with pytest.raises(PriceError) as caught:
        reading.parse_book(text, "mine.yaml")
    lines = str(caught.value).splitlines()[1:]
    assert [line.partition(" ")[0] for line in lines] == ["mine.yaml:11:7:", "mine.yaml:12:7:"]
    assert "usd: must be a decimal number above 0" in lines[0]
    assert "must have 9 cells" in lines[1]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "a: [",
        "format: 1",
        text_of(GOOD, GOOD),
        text_of('m5.large,"x'),
        text_of(GOOD, head="a,b"),
        text_of(GOOD) + "  ec2_spot: 3\n",
        text_of(GOOD) + "currency: EUR\n",
        text_of(GOOD).replace("aws", "gcp"),
        text_of(GOOD).replace("format: 1", "format: 2"),
        text_of(GOOD).replace("region: us-east-1", "region: [x]"),
        text_of(GOOD).replace("    sources:\n      s: contract\n", ""),
        text_of(GOOD).replace("s: contract", "s: ''"),
        text_of(GOOD).replace("s: contract", "s: [1]"),
    ],
)
def test_a_damaged_book_is_a_price_error_that_names_the_file(text: str) -> None:
    with pytest.raises(PriceError, match=r"damaged:\nmine\.yaml:\d+:\d+: "):
        reading.parse_book(text, "mine.yaml")


@pytest.mark.parametrize(
    "text",
    ["", "sections: 3", "sections:\n  vm:\n    rows: x\n"],
)
def test_a_damaged_catalogue_is_a_price_error(text: str) -> None:
    with pytest.raises(PriceError, match=r"shapes\.yaml"):
        reading.parse_catalogue(text, "shapes.yaml")


@pytest.mark.parametrize(
    "row",
    [
        "m5.large,two,8,x86_64,false,,,3,10,true,,,,,,,,,",
        "m5.large,0,8,x86_64,false,,,3,10,true,,,,,,,,,",
        "m5.large,2",
        ",2,8,x86_64,false,,,3,10,true,,,,,,,,,",
        "m5.large,2,8,x86_64,maybe,,,3,10,true,,,,,,,,,,",
        "m5.large,2,8,x86_64,false,,,3,10,1,,,,,,,,,,",
        "m5.large,2,8,x86_64,false,,,3,10,true",
        "m5.large,2,8,x86_64,false,9,,3,10,true,,,,,,,,,,",
        "m5.large,2,8,x86_64,false,,many,3,10,true,,,,,,,,,,",
        "m5.large,2,8,x86_64,false,,,3,10,true,0,,,,,,,,,",
        "m5.large,2,8,x86_64,false,,,3,10,true,,,,,,nan,,,,",
        "m5.large,2,8,x86_64,false,,,3,10,true,2,1,,,,,,,,",
        "m5.large,2,8,x86_64,false,,,3,10,true,,,,,,2,1,,,",
        "m5.large,2,8,x86_64,false,,,3,10,true,,,,,,,,,1.5,",
        "m5.large,2,8,x86_64,false,,,3,10,true,,,,,,,,,,,",
    ],
)
def test_a_damaged_shape_says_where(row: str) -> None:
    text = f"sections:\n  vm:\n    rows: |\n      {','.join(layout.SHAPE_COLUMNS)}\n      {row}\n"
    with pytest.raises(PriceError, match=r"shapes\.yaml:5:"):
        reading.parse_catalogue(text, "shapes.yaml")


# --------------------------------------------------------------------------------------------------------- overriding


def test_an_override_replaces_and_adds() -> None:
    book = bundled.book("aws", "us-east-1")
    row = "c8g.large,linux,spot,hour,0.03,undated,s,,a newer family"
    mine = reading.override(book, text_of(GOOD, row), "mine.yaml")
    assert mine.find("ec2", "m5.large", "linux") == Price(
        PriceKey("ec2", "m5.large", "linux"),
        "hour",
        Decimal("0.08"),
        "2026-03-01",
        "contract",
        "",
        "negotiated",
        "override",
    )
    newer = ("ec2", "c8g.large", "linux", "spot")
    assert book.find(*newer) is None is not mine.find(*newer)
    assert mine.find("ec2", "m5.xlarge", "linux") == book.find("ec2", "m5.xlarge", "linux")
    assert usd("us-east-1", "ec2", "m5.large", "linux") == Decimal("0.096")
    assert len(mine) == len(book) + 1
    assert mine.name == "pricing/aws/us-east-1.yaml + mine.yaml"


def test_an_override_may_leave_columns_out_and_order_them_as_it_likes() -> None:
    text = text_of("0.08,m5.large,hour,s,2026,S1,12.5", head="usd,item,unit,source,as_of,sku,upfront_usd")
    text = text.replace("m5.large", "gp3-storage").replace("hour", "gib_month").replace("ec2_on_demand", "ebs")
    price = reading.override(bundled.book("aws", "us-east-1"), text, "mine").find("ebs", "gp3-storage")
    assert price is not None
    assert (price.usd, price.sku, price.upfront_usd, price.note) == (Decimal("0.08"), "S1", Decimal("12.5"), "")


def test_a_commitment_says_what_is_paid_on_its_first_day() -> None:
    book = bundled.book("aws", "us-east-1")
    partial = book.find("ec2", "m5.large", "linux", "reserved_3y_partial_upfront")
    assert partial is not None
    # 0.019 an hour and 505 once, over 3 x 8,760 hours (GetProducts, 2021-02-05).
    assert partial.upfront_usd == Decimal("505.0")
    assert abs(partial.usd - (Decimal("0.019") + Decimal(505) / 26_280)) < Decimal("1e-6")
    whole = book.find("ec2", "m5.xlarge", "linux", "on_demand")
    assert whole is not None
    assert whole.upfront_usd is None


def test_an_override_may_span_lines_in_quotes() -> None:
    text = text_of('m5.large,linux,on_demand,hour,0.08,2026,s,,"two', '      lines"')
    price = reading.override(bundled.book("aws", "us-east-1"), text, "mine").find("ec2", "m5.large", "linux")
    assert price is not None
    assert price.note.split() == ["two", "lines"]


def problems_of(text: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        reading.override(bundled.book("aws", "us-east-1"), text, "mine")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    "usd",
    ["0", "-1", "0.0", "NaN", "inf", "1e3", "", " 1", "1 ", "0x1", "1_0", "٣", "1,5", "1234567890", "0.1234567890123"],
)
def test_no_price_that_is_no_positive_decimal(usd: str) -> None:
    cell = f'"{usd}"' if "," in usd else usd
    assert problems_of(text_of(GOOD.replace("0.08", cell)))[0].startswith(
        "mine:10:7: sections.ec2_on_demand.rows: usd:"
    )


def test_all_problems_of_an_override_at_once() -> None:
    rows = (
        GOOD.replace("hour", "hours"),
        GOOD.replace("m5.large", "m5.xlarge").replace("hour", "gib"),
        GOOD.replace(",s,", ",t,").replace("m5.large", "m6g.large"),
        GOOD.replace("2026-03-01", "2026-02-30").replace("m5.large", "m6g.xlarge"),
        GOOD.replace("m5.large", ""),
        GOOD,
    )
    text = text_of(*rows, region="eu-west-1") + "  ec2_spto:\n    rows: 3\ncurency: USD\n"
    found = problems_of(text)
    assert [(problem.split(":")[1], problem.split(": ")[1]) for problem in found] == [
        ("3", "region"),
        *((str(line), "sections.ec2_on_demand.rows") for line in range(10, 16)),
        ("16", "sections.ec2_spto"),
        ("18", "curency"),
    ]
    for problem, words in zip(
        found,
        [
            "must be us-east-1, the region of the scenario",
            "did you mean 'hour'?",
            "per hour, got gib",
            "must be one of the section's sources (s), got 't'",
            "as_of: must be",
            "item: must be a name, got ''",
            "priced before, on line 10",
            "did you mean 'ec2_spot'?",
            "did you mean 'currency'?",
        ],
        strict=True,
    ):
        assert words in problem


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the document is empty"),
        ("format: 1\nformat: 1\n", "duplicate key"),
        ("format: 1\n", "cloud: is missing"),
        (text_of(GOOD).replace("rows: |", "rows: >"), "the first line of a literal block"),
        (text_of(GOOD).replace("sources:\n      s: contract", "sources: []"), "must be a mapping"),
        (text_of(GOOD).replace("      s: contract", "      s: 3"), "must be one of the section's sources"),
        (text_of(GOOD, '"'), "no CSV"),
        (text_of(GOOD) + "    gaps: [3]\n", "must be a list of texts"),
        (text_of(GOOD).replace("rows: |", "lines: |"), "unknown field"),
        (text_of(GOOD, "m5.xlarge,linux"), "must have 9 cells"),
        (text_of(GOOD, region='""'), "must be the name of a region"),
        ("format: 1\ncloud: aws\nregion: us-east-1\nsections: [x]\n", "must be a mapping of sections"),
        ("format: 1\ncloud: aws\nregion: us-east-1\nsections: {ebs: 3}\n", "must be a mapping with sources and rows"),
        ("format: 1\ncloud: aws\nregion: us-east-1\nsections: {ebs: {sources: {}, rows: [1]}}\n", "must be CSV"),
    ],
)
def test_a_malformed_override(text: str, words: str) -> None:
    assert any(words in problem for problem in problems_of(text))
