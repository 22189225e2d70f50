"""Prices laid over a book: every row prices something, tiers replace tiers, and what is missing can be written."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.errors import ScenarioError
from cascade_plan.inputs.scenarios import read
from cascade_plan.model.price import PriceKey
from cascade_plan.planning.pipeline import plan
from cascade_plan.prices import bundled, reading
from cascade_plan.prices.layout import unsafe

Result = tuple[int, str, str]
HEAD = "format: 1\ncloud: aws\nregion: us-east-1\n"
SHORT = HEAD + "source: contract\nas_of: 2026-11-01\nprices:\n"


def section(name: str, *rows: str, source: str = "contract") -> str:
    lines = "".join(f"      {row}\n" for row in ("item,variant,term,unit,usd,as_of,source,note", *rows))
    return f"{HEAD}sections:\n  {name}:\n    sources: {{c: {source}}}\n    rows: |\n{lines}"


def problems(text: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        reading.override(bundled.book("aws", "us-east-1"), text, "p.yaml")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("name", "row", "message"),
    [
        ("ec2_on_demand", "c6g.xlarge,Linux,on_demand,hour,1,2026,c,",
         "variant: must be 'linux', got 'Linux'; did you mean 'linux'?"),
        ("ec2_on_demand", "c6g.xlarge,,on_demand,hour,1,2026,c,",
         "variant: must be 'linux', got ''"),
        ("ec2_on_demand", "c6g.xlarge,linux,ondemand,hour,1,2026,c,",
         "term: c6g.xlarge is not sold 'ondemand'; did you mean 'on_demand'? it is sold on_demand and by 19 "
         "other terms"),
        ("ec2_on_demand", "c6g.xlarg,linux,on_demand,hour,1,2026,c,",
         "item: aws sells no 'c6g.xlarg' as ec2; did you mean 'c6g.xlarge'?"),
        ("rds", "c6g.xlarge,single_az,on_demand,hour,1,2026,c,",
         "item: aws sells no 'c6g.xlarge' as rds; did you mean 'db.r6g.xlarge'?"),
        ("rds", "db.r5.xlarge,,on_demand,hour,1,2026,c,",
         "variant: must be 'single_az' or 'multi_az' or 'aurora_standard' or 'aurora_io_optimized', got ''"),
        ("elasticache", "cache.r6g.large,memcached,on_demand,hour,1,2026,c,",
         "variant: must be 'redis' or 'valkey', got 'memcached'"),
        ("rds", "db.r5.xlarge,multi_az,spot,hour,1,2026,c,",
         "term: db.r5.xlarge is not sold 'spot'; it is sold on_demand and by 6 other terms"),
        ("eks", "cluster,,spot,hour,1,2026,c,",
         "term: cluster is not sold 'spot'; it is sold on_demand"),
        ("eks", "cluster,linux,on_demand,hour,1,2026,c,",
         "variant: must be empty, got 'linux'"),
        ("eks", "clusters,,on_demand,hour,1,2026,c,",
         "item: aws sells no 'clusters' as eks; did you mean 'cluster'?"),
        ("ec2_spot", "c8g.large,linux,spot,gib,1,2026,c,",
         "unit: c8g.large is priced per hour, got gib"),
        ("ec2_on_demand", "c6g.xlarge,linux,on_demand,gib,1,2026,c,",
         "unit: the book prices ec2 c6g.xlarge linux on_demand per hour, got gib"),
        ("transfer", "internet-out,,on_demand,gib,1,2026,c,",
         "variant: internet-out is priced in tiers, each with its range, such as 0- for one price of any "
         "amount, or 0-10240 and 10240-, got ''"),
        ("transfer", "internet-out,all,on_demand,gib,1,2026,c,",
         "variant: internet-out is priced in tiers, each with its range, such as 0- for one price of any "
         "amount, or 0-10240 and 10240-, got 'all'"),
        ("transfer", "internet-out,5-,on_demand,gib,1,2026,c,",
         "variant: no tier prices 0-5; a tier begins where the one below it ends"),
        ("transfer", "internet-out,0-0,on_demand,gib,1,2026,c,",
         "variant: the tier 0-0 ends before it begins"),
        ("eks", "cluster,,on_demand,hour,?,2026,c,",
         "usd: a price is still to be written in place of ?"),
        ("eks", "cluster,,on_demand,hour,1,2026,c,\\u001b[31m",
         "note: must be one line without control characters, got '\\x1b[31m'"),
        ("eks", "cluster,,on_demand,hour,1,2026,c,a \\u202eb",
         "note: must be one line without control characters, got 'a \\u202eb'"),
        ("eks", "cluster,,on_demand,hour,1,2026,c,weak: ::error::pwned",
         "note: must not hold a command to a build's log (::...::), got 'weak: ::error::pwned'"),
        ("eks", "cluster,,on_demand,hour,1,2026,c,x ##[error]pwned",
         "note: must not hold a command to a build's log (::...::), got 'x ##[error]pwned'"),
    ],
)  # fmt: skip
def test_a_row_that_prices_nothing_is_refused_where_it_stands(name: str, row: str, message: str) -> None:
    assert problems(section(name, row)) == [f"p.yaml:9:7: sections.{name}.rows: {message}"]


def test_a_unit_is_checked_where_the_book_has_no_price() -> None:
    book = bundled.book("aws", "eu-central-1")
    assert book.find("ecr", "storage") is None
    text = section("image_storage", "storage,,on_demand,gib,0.1,2026,c,").replace("us-east-1", "eu-central-1")
    with pytest.raises(ScenarioError, match=r"p\.yaml:9:7: .*unit: storage is priced per gib_month, got gib"):
        reading.override(book, text, "p.yaml")


def test_a_source_is_a_text_that_a_report_can_hold() -> None:
    for source, words in (
        ('"a \\e[31m"', "must be one line without control characters, got 'a \\x1b[31m'"),
        ('"a\\n::error::x"', "must be one line without control characters, got 'a\\n::error::x'"),
        ('"::add-mask::x"', "must not hold a command to a build's log (::...::), got '::add-mask::x'"),
    ):
        text = section("eks", "cluster,,on_demand,hour,1,2026,c,", source=source)
        assert problems(text) == [f"p.yaml:6:15: sections.eks.sources.c: {words}"]
    for harmless in ("arn:aws:s3:::bucket/x", "2001:db8::1", "a :: b", "C++ std::string"):
        assert unsafe(harmless) == ""


def test_all_rows_are_checked_at_once() -> None:
    text = section(
        "eks", "cluster,,spot,hour,0,2026,c,", "clusters,,on_demand,hour,1,2026,c,", "cluster,x,on_demand,gib,1,26,c,"
    )
    assert [problem.split(": ")[2] for problem in problems(text)] == ["term", "usd", "item", "as_of", "unit", "variant"]


# --------------------------------------------------------------------------------------------------------------- tiers


def traffic(text: str) -> list[tuple[str, Decimal, Decimal]]:
    """Return (name, average GiB, USD) of the bill's lines of traffic to the internet under a file's prices."""
    given = read("cascade")
    book = reading.override(bundled.book("aws", "us-east-1"), text, "p.yaml")
    made = plan(given.scenario, book, given.origins, predicted=False)
    return [
        (item.name, item.quantity.average, item.price_usd)
        for item in made.bill.items
        if item.key.item == "internet-out"
    ]


def test_a_flat_price_replaces_the_list_s_tiers() -> None:
    before = traffic(section("eks", "cluster,,on_demand,hour,1,2026,c,"))
    ((name, gib, usd),) = traffic(section("transfer", "internet-out,0-,on_demand,gib,0.05,2026,c,"))
    assert (name, usd) == ("traffic to the internet", Decimal("0.05"))
    assert gib == sum(amount for _, amount, _ in before)


def test_other_tiers_replace_the_list_s_and_the_list_s_own_are_priced_singly() -> None:
    book = bundled.book("aws", "us-east-1")
    rows = ("internet-out,0-100,on_demand,gib,0.08,2026,c,", "internet-out,100-,on_demand,gib,0.04,2026,c,")
    ((_, first, at_first), (_, second, at_second)) = traffic(section("transfer", *rows))
    assert (first, at_first, at_second) == (100, Decimal("0.08"), Decimal("0.04"))
    assert second > 0
    one = reading.override(book, section("transfer", "internet-out,0-10240,on_demand,gib,0.08,2026,c,"), "p.yaml")
    assert [price.usd for price in one.variants("transfer", "internet-out")] == [
        Decimal("0.08"),
        *[price.usd for price in book.variants("transfer", "internet-out")][1:],
    ]


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=6, unique=True))
def test_tiers_that_follow_each_other_bill_each_unit_once(ends: list[int]) -> None:
    bounds = [0, *sorted(ends)]
    ranges = [*(f"{low}-{high}" for low, high in pairwise(bounds)), f"{bounds[-1]}-"]
    lines = "".join(f"  transfer internet-out {each}: {{usd: 0.05}}\n" for each in ranges)
    flat = traffic(SHORT + "  transfer internet-out 0-: {usd: 0.05}\n")
    assert sum(amount for _, amount, _ in traffic(SHORT + lines)) == sum(amount for _, amount, _ in flat)


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        (("0-10", "20-"), "variant: no tier prices 10-20"),
        (("0-10", "5-"), "variant: the tier 5- overlaps the one below it"),
        (("0-", "5-"), "variant: the tier 5- overlaps the one below it"),
        (("10-20",), "variant: no tier prices 0-10"),
    ],
)
def test_tiers_with_holes_or_overlaps_are_refused(ranges: tuple[str, ...], message: str) -> None:
    (found,) = problems(SHORT + "".join(f"  transfer internet-out {each}: {{usd: 1}}\n" for each in ranges))
    assert message in found


# -------------------------------------------------------------------------------------------------------- short prices


def test_a_price_by_its_words() -> None:
    text = SHORT + (
        "  eks cluster: {usd: 0.09, per: hour}\n  rds db.r5.xlarge multi_az: {usd: 1}\n"
        "  ec2 c8g.large linux spot: {usd: 0.0000004}\n  ec2 c6g.xlarge linux reserved_1y_no_upfront: {usd: '0.08'}\n"
    )
    book = reading.override(bundled.book("aws", "us-east-1"), text, "p.yaml")
    for key, usd in (
        (PriceKey("eks", "cluster"), "0.09"),
        (PriceKey("rds", "db.r5.xlarge", "multi_az"), "1"),
        (PriceKey("ec2", "c8g.large", "linux", "spot"), "0.0000004"),
        (PriceKey("ec2", "c6g.xlarge", "linux", "reserved_1y_no_upfront"), "0.08"),
    ):
        price = book.find(*key)
        assert price is not None
        assert (price.usd, price.unit, price.source, price.as_of) == (Decimal(usd), "hour", "contract", "2026-11-01")
        assert price.origin == "override"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('eks cluster: {usd: "?", per: hour}', "usd: a price is still to be written in place of ?"),
        ("eks cluster: {usd: 0}", "usd: must be a decimal number above 0, such as 0.192, got '0'"),
        ("eks cluster: {usd: true}", "usd: must be a decimal number above 0, such as 0.192, got 'True'"),
        ("eks cluster: {usd: 1, per: gib}", "unit: the book prices eks cluster on_demand per hour, got gib"),
        ("eks cluster: 5", "must be {usd: 0.005, per: hour}: the price, and per what it is"),
        ("eks cluster: {per: hour}", "must be {usd: 0.005, per: hour}: the price, and per what it is"),
        ("eks cluster: {usd: 1, unit: hour}", "must be {usd: 0.005, per: hour}: the price, and per what it is"),
        ("ekz cluster: {usd: 1}", "must be a service, an item and what else tells it apart; services are "),
        ("eks: {usd: 1}", "must be a service, an item and what else tells it apart; services are "),
        ("eks clustr: {usd: 1}", "item: aws sells no 'clustr' as eks; did you mean 'cluster'?"),
        ("ec2 c6g.xlarge linux sport: {usd: 1}", "must be a service, an item and what else"),
    ],
)
def test_a_mistake_of_a_short_price_is_said_where_it_stands(line: str, message: str) -> None:
    (found,) = problems(f"{SHORT}  {line}\n")
    assert found.startswith("p.yaml:7:3: prices.")
    assert message in found


def test_what_short_prices_need_beside_them() -> None:
    assert problems(HEAD + "prices: {eks cluster: {usd: 1}}\n") == [
        "p.yaml:1:1: as_of: is missing: of the short prices",
        "p.yaml:1:1: source: is missing: of the short prices",
    ]
    assert problems(SHORT.replace("prices:\n", "prices: []\n"))[0].startswith("p.yaml:6:1: prices: must be a mapping")
    assert "as_of: must be YYYY" in problems(SHORT.replace("2026-11-01", "soon") + "  eks cluster: {usd: 1}\n")[0]
    twice = section("eks", "cluster,,on_demand,hour,1,2026,c,").removeprefix(HEAD)
    (found,) = problems(SHORT + "  eks cluster: {usd: 1}\n" + twice)
    assert "priced before" in found


# -------------------------------------------------------------------------------------------------------- init-override


def test_what_a_plan_lacks_is_written_refused_and_then_read(cascade: Callable[..., Result]) -> None:
    of = ("cascade", "--region", "eu-central-1", "--set", "tiers.registry={}")
    line = ("size", *of, "--prices", "p.yaml")
    asked = ("prices", "init-override", *of, "--as-of", "2026-11-01", "-o", "p.yaml")
    status, out, err = cascade(*asked, "--missing")
    assert (status, out) == (0, "")
    assert "next: write a price in place of each ?, then use it with --prices p.yaml" in err
    text = Path("p.yaml").read_text(encoding="utf-8")
    assert text.count('usd: "?"') == 1
    assert '  # container images: 4 GiB-months in an average month\n  ecr storage: {usd: "?", per: gib_month}\n' in text
    status, out, err = cascade(*line)
    assert (status, out) == (2, "")
    assert err.splitlines() == [
        f'error: p.yaml:{number}:3: prices."{words}": usd: a price is still to be written in place of ?'
        for number, words in ((11, "ecr storage"),)
    ]
    Path("p.yaml").write_text(text.replace('"?"', "0.005"), encoding="utf-8")
    status, out, err = cascade(*line, "--format", "csv")
    assert (status, "no price" in err) == (0, False)
    assert 'ecr storage on_demand,2026-11-01,"given by hand, of 2026-11-01",override' in out
    refusal = "error: p.yaml exists: choose another name, or overwrite it with --force\n"
    assert cascade(*asked) == (2, "", refusal)
    assert cascade(*asked, "--force")[0] == 0


@pytest.mark.parametrize("scenario", ["cascade", "chat-40k", "api-batch", "whale-1m"])
def test_a_whole_plan_s_prices_give_the_same_bill(cascade: Callable[..., Result], scenario: str) -> None:
    cascade("prices", "init-override", scenario, "-o", "all.yaml")
    text = Path("all.yaml").read_text(encoding="utf-8")
    Path("all.yaml").write_text(text.replace('"?"', "0.005"), encoding="utf-8")
    alone, again = read(scenario), read(scenario, prices="all.yaml")
    before = plan(alone.scenario, alone.book, alone.origins, predicted=False).bill
    after = plan(again.scenario, again.book, again.origins, predicted=False).bill
    assert after.complete
    usd = {item.name: item.cost_usd for item in after.items}
    assert {item.name: item.cost_usd for item in before.items}.items() <= usd.items()


def test_nothing_is_written_where_nothing_is_missing(cascade: Callable[..., Result]) -> None:
    words = "nothing to write: pricing/aws/us-east-1.yaml has every price that cascade needs\n"
    assert cascade("prices", "init-override", "cascade", "--missing", "-o", "p.yaml") == (0, "", words)
    assert not Path("p.yaml").exists()
