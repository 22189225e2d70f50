"""Where a price is from: plain words wherever people read it, and the copy it was read in where programs do."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from io import StringIO

import pytest
from factories import make_plan

from cascade_plan.inputs.scenarios import read
from cascade_plan.model.bill import Item
from cascade_plan.model.plan import Plan, from_json, to_json
from cascade_plan.planning.pipeline import plan
from cascade_plan.reports import explanation
from cascade_plan.reports.plans import csv as spreadsheet
from cascade_plan.reports.plans import markdown, table
from cascade_plan.reports.provenance import overall, where_from

COST = "cost_usd_per_month.average"


def item(**changed: object) -> Item:
    return replace(make_plan().bill.items[0], **changed)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def bundled() -> Plan:
    given = read("cascade")
    return plan(given.scenario, given.book, given.origins)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, "AWS price list of 2026-02-17, collected from public copies; one source"),
        (
            {"confirmed_by": "one@2025-01-01"},
            "AWS price list of 2026-02-17, collected from public copies; confirmed by 1 source",
        ),
        (
            {"confirmed_by": "one@2025-01-01; two (2024);"},
            "AWS price list of 2026-02-17, collected from public copies; confirmed by 2 sources",
        ),
        ({"as_of": "2026-02"}, "AWS price list of 2026-02, collected from public copies; one source"),
        ({"as_of": "undated"}, "AWS price list, quoted without a date, collected from public copies; one source"),
        ({"origin": "cache", "source": "aws-query-api"}, "AWS price list of 2026-02-17, fetched from AWS"),
        ({"origin": "override", "source": "our contract"}, "our contract, of 2026-02-17"),
        ({"origin": "override", "source": "our contract", "as_of": "undated"}, "our contract"),
        ({"origin": "scenario", "source": "scenario", "as_of": "undated"}, "given by the scenario"),
        ({"origin": "scenario", "source": "our CDN's offer", "as_of": "undated"}, "our CDN's offer"),
    ],
)
def test_it_says_whose_list_of_when_and_who_else_says_so(changed: dict[str, str], expected: str) -> None:
    given = {"as_of": "2026-02-17", "source": "owner/name@abc1234 data.json", "confirmed_by": "", "origin": "bundled"}
    assert where_from(item(**given | changed), "aws") == expected


@pytest.mark.parametrize(("origin", "expected"), [("bundled", "collected"), ("cache", "fetched from AWS")])
def test_a_spot_price_is_no_list_price(origin: str, expected: str) -> None:
    spot = item(key=item().key._replace(term="spot"), as_of="2026-02-17", origin=origin)
    words = where_from(spot, "aws")
    assert words.startswith("AWS spot prices of 2026-02-17, ")
    assert expected in words


def test_another_cloud_has_its_own_name() -> None:
    assert where_from(item(as_of="2026-02-17"), "harbour").startswith("Harbour price list of 2026-02-17, ")


def test_a_bill_is_told_by_its_lines() -> None:
    items = [
        item(confirmed_by="one@2025"),
        item(),
        item(origin="cache"),
        item(origin="override"),
        item(origin="scenario"),
    ]
    assert overall(items, "aws") == (
        "2 from AWS price lists collected from public copies, 1 of them confirmed by other sources; "
        "1 fetched from AWS; 1 given with --prices; 1 given by the scenario"
    )
    assert "all of them confirmed" in overall(items[:1], "aws")
    assert overall([], "aws") == ""


def test_the_copies_stand_in_the_appendix_alone(bundled: Plan) -> None:
    body, appendix = markdown.render(bundled).split("\n## Where each price was found\n")
    for line in bundled.bill.items:
        assert line.source not in body
        assert not line.sku or line.sku not in body
        assert line.source.replace("_", "") in appendix.replace("\\", "").replace("_", "")
        assert line.sku in appendix
    assert "\n## " not in appendix


def test_the_body_says_it_in_words(bundled: Plan) -> None:
    said = {where_from(line, "aws") for line in bundled.bill.items}
    body = markdown.render(bundled)
    assert all(words in body for words in said)
    cells = {row["source"] for row in csv.DictReader(StringIO(spreadsheet.render(bundled)))}
    assert cells == said
    screen = " ".join(table.render(bundled, full=True).split())
    assert overall(bundled.bill.items, "aws") in screen
    told = " ".join(explanation.explain(bundled, COST, 80).split())
    assert all(words in told for words in said)
    for text in (screen, told, *cells):
        assert not any(line.source in text for line in bundled.bill.items)


def test_a_program_reads_the_copy_the_sku_and_the_confirmations(bundled: Plan) -> None:
    written = json.loads(to_json(bundled))["items"]
    lines = explanation.document(bundled.figures[COST], bundled)["lines"]
    for line, held, explained in zip(bundled.bill.items, written, lines, strict=True):
        for read_back in (held, explained):
            assert read_back["source"] == line.source
            assert read_back["sku"] == line.sku
            assert read_back["confirmed_by"] == line.confirmed_by
        assert explained["price_from"] == where_from(line, "aws")
    assert from_json(to_json(bundled)) == bundled


def test_a_plan_written_before_there_were_confirmations_is_read(bundled: Plan) -> None:
    document = json.loads(to_json(bundled))
    for line in document["items"]:
        del line["confirmed_by"]
    assert all(line.confirmed_by == "" for line in from_json(json.dumps(document)).bill.items)
