"""Offer files in CSV: what is read, whatever stands in the other fields, and that nothing is lost in silence."""

from __future__ import annotations

import csv
import io
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import chain, repeat

import offer_world as world
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.clouds.aws.prices import offer_csv
from cascade_plan.clouds.aws.prices.offers import Wanted, usage_mark
from cascade_plan.clouds.aws.product import PUBLISHED
from cascade_plan.clouds.aws.products import LISTED as KINDS
from cascade_plan.errors import CloudError
from cascade_plan.model.price import PriceKey
from cascade_plan.prices.products import price_list
from cascade_plan.prices.rates import Rate, Request, choose

AWS = price_list("aws")

TODAY = date(2026, 11, 25)
REGION = "eu-west-1"
REQUEST = Request(AWS, REGION, world.SERVICES, world.ITEMS, TODAY)
LISTED = world.products(REGION)
EC2 = world.offer_csv("AmazonEC2", LISTED)


def read(text: str, offer: str = "AmazonEC2", request: Request = REQUEST) -> list[Rate]:
    return list(offer_csv.rates(io.StringIO(text, newline="\n"), request, offer))


def parts(text: str) -> tuple[str, list[list[str]]]:
    """Return a file's first six lines, and its records as fields."""
    lines = text.splitlines(keepends=True)
    return "".join(lines[:6]), list(csv.reader(lines[6:]))


HEAD, RECORDS = parts(EC2)
NAMES = world.HEADINGS["AmazonEC2"].split(",")
RIGHT = Counter(read(EC2))
FREE = [
    NAMES.index(name) for name in ("Instance Family", "Location", "Memory", "Group Description", "VPCNetworkingSupport")
]
"""Columns that decide nothing."""


# -------------------------------------------------------------------------------------------------------------- layouts


def test_the_world_is_read() -> None:
    # Two instances on demand, reserved for one year and, in two parts, for three; eight metered products.
    assert RIGHT.total() == len(RIGHT) == 2 * 4 + 8


def test_fields_may_stand_without_quotes() -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([*csv.reader(io.StringIO(HEAD)), *RECORDS])
    assert Counter(read(text.getvalue())) == RIGHT


@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
def test_the_end_of_the_file_may_have_lines_or_not(end: str) -> None:
    assert Counter(read(EC2.rstrip("\n") + end)) == RIGHT


def test_a_further_line_and_further_columns_change_nothing() -> None:
    head = HEAD.replace('"Version"', '"Something New","x","y"\n"Version"').replace('"SKU"', '"SKU","New"')
    records = [[record[0], "new", *record[1:]] for record in RECORDS]
    assert Counter(read(head + "".join(map(world.quoted, records)))) == RIGHT


def test_the_layout_of_2020_names_what_it_lacks() -> None:
    names = [name for name in NAMES if name not in ("Region Code", "From Region Code")]
    with pytest.raises(CloudError, match="AmazonEC2: the layout has changed, there is no 'Region Code'"):
        read(world.offer_csv("AmazonEC2", LISTED, ",".join(names)))


@pytest.mark.parametrize("missing", ["SKU", "TermType", "PricePerUnit", "Tenancy", "usageType", "Instance Type"])
def test_a_missing_heading_is_named(missing: str) -> None:
    with pytest.raises(CloudError, match=f"'{missing}'|no line of headings"):
        read(EC2.replace(f'"{missing}"', '"Something"', 1))


def test_a_heading_that_stands_there_twice_is_damage_where_it_is_needed() -> None:
    with pytest.raises(CloudError, match="damaged or cut short: the heading 'Tenancy' stands there twice"):
        read(EC2.replace('"Memory",', '"Tenancy",', 1))
    assert Counter(read(EC2.replace('"Memory",', '"Location",', 1))) == RIGHT
    with pytest.raises(CloudError, match=f"a record of {len(NAMES)} fields under {len(NAMES) + 1} headings"):
        read(EC2.replace('"Memory",', '"Memory","Location",', 1))


def test_a_heading_that_no_wanted_product_needs_may_be_missing() -> None:
    request = replace(REQUEST, services=frozenset({"ebs"}))
    names = ",".join(name for name in NAMES if name not in ("Tenancy", "Instance Type", *world.LEASE.split(",")))
    assert len(read(world.offer_csv("AmazonEC2", LISTED, names), request=request)) == 3


def test_a_heading_of_what_a_region_does_not_sell_may_be_missing() -> None:
    names = world.HEADINGS["AmazonRDS"].replace("Extended Support Pricing Year,", "")
    found = {rate.key.item for rate in read(world.offer_csv("AmazonRDS", LISTED, names), "AmazonRDS")}
    whole = {rate.key.item for rate in read(world.offer_csv("AmazonRDS", LISTED), "AmazonRDS")}
    assert whole - found == {"extended-support-year1-2", "extended-support-year3"}


def test_reservations_without_the_headings_of_leases_are_no_silence() -> None:
    names = ",".join(name for name in NAMES if name not in world.LEASE.split(","))
    with pytest.raises(CloudError, match="there is no 'LeaseContractLength', 'OfferingClass', 'PurchaseOption'"):
        read(world.offer_csv("AmazonEC2", LISTED, names))


@pytest.mark.parametrize(
    ("right", "wrong", "words"),
    [
        ('"v1.0"', '"v2.0"', "not an offer file of layout v1.0, but 'v2.0'"),
        ('"OfferCode","AmazonEC2"', '"OfferCode","AmazonS3"', "the file is the offer 'AmazonS3', not 'AmazonEC2'"),
        ('"Publication Date","2026-11-20T18:44:47Z"', '"Publication Date","soon"', "does not say when .*'soon'"),
    ],
)
def test_what_the_file_says_of_itself(right: str, wrong: str, words: str) -> None:
    with pytest.raises(CloudError, match=words):
        read(EC2.replace(right, wrong, 1))


def test_an_offer_that_is_not_wanted_is_not_read() -> None:
    assert read("anything", "AmazonGlue") == []
    assert read("anything", request=replace(REQUEST, services=frozenset({"rds"}))) == []


# --------------------------------------------------------------------------------------------------------------- fields

TEXT = st.text(st.sampled_from('"",;\n\r\t\0 aé\u2028\x0b\x85'), max_size=8)


@given(st.lists(TEXT, min_size=len(FREE), max_size=len(FREE)), st.integers(0, len(RECORDS) - 1), st.randoms())
def test_quotes_and_line_breaks_in_fields_change_nothing(texts: list[str], index: int, random) -> None:  # type: ignore[no-untyped-def]
    records = [list(record) for record in RECORDS]
    for record in (records[index], *random.sample(records, 5), records[-1]):
        for column, text in zip(FREE, texts, strict=True):
            record[column] = text
    assert Counter(read(HEAD + "".join(map(world.quoted, records)))) == RIGHT


@given(st.permutations(RECORDS))
def test_the_order_of_records_does_not_matter(records: list[list[str]]) -> None:
    shuffled = read(HEAD + "".join(map(world.quoted, records)))
    assert choose(shuffled, TODAY, AWS, PUBLISHED) == choose(RIGHT, TODAY, AWS, PUBLISHED)


def test_a_file_that_is_cut_within_its_headings_is_refused_though_all_that_are_needed_are_there() -> None:
    with pytest.raises(CloudError, match="it ends within its headings"):
        read(HEAD.rstrip().rpartition(",")[0])


@given(st.integers(0, len(EC2)))
def test_a_file_that_is_cut_never_has_a_wrong_rate(end: int) -> None:
    try:
        rates = read(EC2[:end])
    except CloudError:
        return
    assert Counter(rates) <= RIGHT
    # Without a length to compare with, only a cut at the end of a record, or in its last field, can pass.
    assert EC2[end - 1 : end + 1] in ("\n", '"\n', ',"', ",\n") or EC2[end - 1] == "\n"


@pytest.mark.parametrize("end", [10, 100, 250, -20])
def test_a_last_line_that_is_cut_is_found_though_it_is_not_wanted(end: int) -> None:
    windows = next(record for record in RECORDS if "Windows" in record)
    with pytest.raises(CloudError, match="damaged or cut short"):
        read(EC2 + world.quoted(windows)[:end])


def test_a_quote_that_never_closes_does_not_fill_the_memory() -> None:
    lines = chain(HEAD.splitlines(keepends=True), ['"open'], repeat("x" * 1000 + "\n"))
    with pytest.raises(CloudError, match="a quoted field does not end"):
        list(offer_csv.rates(lines, REQUEST, "AmazonEC2"))


PLACES = ["AWS Region", "AWS Local Zone", ""]
DRAWN = {
    "productFamily": ["Compute Instance", "Storage", "Compute Instance (bare metal)"],
    "locationType": PLACES,
    "regionCode": [REGION, "us-east-1", f"{REGION}-wl1"],
    "instanceType": ["m5.large", "c7g.xlarge", "m5.24xlarge", ""],
    "operatingSystem": ["Linux", "Windows", "Linux/UNIX"],
    "tenancy": ["Shared", "Dedicated"],
    "preInstalledSw": ["NA", "SQL Web"],
    "capacitystatus": ["Used", "UnusedCapacityReservation"],
    "volumeApiName": ["gp3", "gp2", ""],
    "usagetype": ["EU-BoxUsage:m5.large", "EU-HostBoxUsage:m5.large", "EU-EBS:VolumeUsage.gp3", "TS-BoxUsage:m5.large"],
}


@given(st.lists(st.fixed_dictionaries({name: st.sampled_from(values) for name, values in DRAWN.items()}), max_size=8))
def test_passing_lines_over_loses_nothing(drawn: list[dict[str, str]]) -> None:
    listed = [world.Listed("AmazonEC2", f"S{n}", given, world.demand(f"0.{n}1")) for n, given in enumerate(drawn)]
    wanted = Wanted(REQUEST, "AmazonEC2")
    found = [product for product in listed if wanted.find(product.attributes, product.sku)]
    assert [rate.sku for rate in read(world.offer_csv("AmazonEC2", listed))] == [product.sku for product in found]


def test_a_product_of_every_kind_passes() -> None:
    for kind in KINDS:
        mark = usage_mark(kind.usage)
        assert len(mark) > 5, kind
        usages = [
            product.attributes["usagetype"] for product in LISTED if product.key and product.key.service == kind.service
        ]
        assert any(mark in usage for usage in usages), kind


def test_memory_does_not_grow_with_the_file() -> None:
    def lines(count: int) -> Iterator[str]:
        yield from HEAD.splitlines(keepends=True)
        yield from repeat(world.quoted(RECORDS[1]).replace("Linux", "Windows"), count)

    peaks = []
    for count in (1_000, 20_000):
        tracemalloc.start()
        list(offer_csv.rates(lines(count), REQUEST, "AmazonEC2"))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 100_000


def test_another_region_in_the_file_is_not_taken() -> None:
    keys = {rate.key for rate in read(EC2, request=replace(REQUEST, region="sa-east-1"))}
    assert keys == {
        PriceKey("ec2", item, "linux", term)
        for item in world.ITEMS["ec2"]
        for term in ("on_demand", *world.RESERVED_USD)
    }
    assert {rate.sku[:5] for rate in RIGHT} == {"LINUX", "METER"}
