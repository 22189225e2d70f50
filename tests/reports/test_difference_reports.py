"""A comparison as people and programs read it: the answer first, money by size, figures to the digits shown."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from factories import make_book, make_plan, with_text
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.choosing.differences import compare
from cascade_plan.model.difference import Cause, Difference, Differences
from cascade_plan.model.plan import Plan
from cascade_plan.reports._causes import said
from cascade_plan.reports._fitting import shown_width
from cascade_plan.reports.differences import _rows as rows
from cascade_plan.reports.differences import _summary as summary
from cascade_plan.reports.differences import json as as_json
from cascade_plan.reports.differences import markdown, table

PLAN = make_plan()


def against(**overrides: Any) -> Differences:
    return compare(PLAN, make_plan(**overrides))


def with_figure(plan: Plan, name: str, value: float) -> Plan:
    return replace(plan, figures={**plan.figures, name: replace(plan.figures[name], value=value)})


# The headline


@pytest.mark.parametrize(
    ("overrides", "headline"),
    [
        ({"tiers.database.replicas": 2}, "+$740.00 a month (+19.2 %): a second read replica +$740.00"),
        ({"tiers.database.replicas": 4}, "+$2,220.00 a month (+57.7 %): 4 read replicas instead of 1 +$2,220.00"),
        ({"tiers.database.replicas": 0}, "-$740.00 a month (-19.2 %): no read replicas -$740.00"),
        (
            {"tiers.cache.engine": "valkey"},
            "-$109.50 a month (-2.8 %): cache nodes on Valkey instead of Redis -$109.50",
        ),
        (
            {"tiers.cache.shape": "cache.test.xlarge"},
            "+$547.50 a month (+14.2 %): cache nodes on cache.test.xlarge instead of cache.test.large +$547.50",
        ),
        ({"availability.multi_az": False}, "-$740.00 a month (-19.2 %): database primary without standby -$740.00"),
        (
            {"tiers.api.purchase": "spot"},
            "-$219.00 a month (-5.7 %): api nodes paid spot instead of on_demand -$219.00",
        ),
        ({"tiers.network.nat_gateway_per_zone": False}, "-$160.60 a month (-4.2 %): NAT gateways 3 → 1 -$146.00"),
    ],
)
def test_the_headline_says_how_much_and_why(overrides: dict[str, Any], headline: str) -> None:
    assert summary.headline(against(**overrides)) == headline


def test_a_change_that_cancels_out_says_so() -> None:
    found = against()
    cause = Cause("a", "a nodes", "group", Decimal(1), Decimal(3), (Difference("count", "", 1, 2),))
    back = Cause("b", "b nodes", "group", Decimal(3), Decimal(1), (Difference("count", "", 2, 1),))
    assert summary.headline(replace(found, causes=(cause, back))) == (
        "$0.00 a month: a second a node +$2.00, 1 b nodes instead of 2 -$2.00"
    )


def test_without_money_the_bill_stays() -> None:
    found = against(tiers__database__round_trip_ms=5.0)
    assert not found.causes
    assert summary.is_nothing(found)
    predicted = [make_plan(predicted=True, tiers__database__round_trip_ms=wait) for wait in (1.0, 5.0)]
    assert summary.headline(compare(*predicted)) == f"The bill stays at {summary.cell(found.cost_usd_after)} a month."


def test_nothing_changed_only_where_nothing_did() -> None:
    assert table.render(against()) == "Nothing changed.\n"
    assert table.render(against(tiers__api__image="registry.example.com/api:2.0.0")) == (
        "Nothing changed: tiers.api.image has no effect on bill, figures and gates.\n"
    )
    several = against(tiers__api__image="registry.example.com/api:2.0.0", tiers__api__port=9000)
    assert table.render(several) == (
        "Nothing changed: tiers.api.image, tiers.api.port have no effect on bill, figures\n  and gates.\n"
    )


def test_a_price_that_changed_is_named_as_one() -> None:
    dearer = {
        key: (row[0], "0.12" if key.item == "nat-gateway" else row[1], *row[2:])
        for key, row in make_book().rows.items()
    }
    found = compare(PLAN, make_plan(book=make_book().overridden(dearer, "dearer")))
    assert summary.headline(found) == "+$43.80 a month (+1.1 %): NAT gateways price +20.0 % +$43.80"


@pytest.mark.parametrize(
    ("missing", "reverse", "truth"), [(["nat-gateway"], False, "higher"), (["nat-gateway"], True, "lower")]
)
def test_a_missing_price_is_no_saving(missing: list[str], reverse: bool, truth: str) -> None:
    pair = (PLAN, make_plan(missing=missing))
    found = compare(*(reversed(pair) if reverse else pair))
    side = "before" if reverse else "after"
    first, note, *_ = table.render(found, 200).splitlines()
    assert "a month of what has a price, which is not exact: NAT gateways" in first
    assert "%" not in first
    assert note == f"not exact: the bill {side} has no price for NAT gateways: the true change is {truth}"
    assert json.loads(as_json.render(found))["cost_usd_per_month"]["is_exact"] is False


def test_what_both_bills_miss_alike_is_said_and_changes_nothing() -> None:
    lacking = make_plan(missing=["nat-gateway"])
    found = compare(lacking, make_plan(missing=["nat-gateway"], tiers__database__replicas=2))
    first, note, *_ = table.render(found, 200).splitlines()
    assert first.startswith("+$740.00 a month (+")
    assert note == "neither bill has a price for NAT gateways, which both need alike"
    assert "at least $" in table.render(found)


# Digits


@given(st.floats(-1e6, 1e6), st.floats(-1e-4, 1e-4))
def test_what_is_equal_in_the_shown_digits_did_not_change(value: float, noise: float) -> None:
    name = "gateway.capacity_unit_count.peak"
    pair = [with_figure(PLAN, name, each) for each in (value, value + noise)]
    found = compare(*pair)
    if summary.cell(value) == summary.cell(value + noise):
        assert table.render(found) == "Nothing changed.\n"
        assert json.loads(as_json.render(found))["figures"] == []
    else:
        assert name in table.render(found)


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_no_change_is_shown_as_nothing_or_as_a_power_of_ten(before: float, after: float) -> None:
    found = compare(*(with_figure(PLAN, "gateway.capacity_unit_count.peak", each) for each in (before, after)))
    text = table.render(found)
    assert not re.search(r"[0-9]e[-+]?[0-9]", text)
    assert not re.search(r"[-+]0(\.0+)? %", text)


@given(st.decimals("-1e6", "1e6", allow_nan=False), st.decimals("-1e6", "1e6", allow_nan=False))
def test_money_has_a_sign_a_dollar_and_cents(change: Decimal, before: Decimal) -> None:
    assert re.fullmatch(r"([-+]\$(?!0\.00$)|\$0\.00$)[0-9,.]*", summary.signed(change))
    assert re.fullmatch(r"|[-+][0-9,]+\.[0-9] %", summary.share(change, before))


# Tables


def test_the_rows_of_money_add_up_to_the_total() -> None:
    found = against(users__peak=40_000, users__average=9000, tiers__cache__engine="valkey")
    part = rows.money(found, full=True)
    *causes, total = part.rows
    amounts = [Decimal(re.sub(r"[$,+]", "", row[4])) for row in causes]
    assert abs(sum(amounts) - found.change_usd) < Decimal("0.01") * len(causes)
    assert total[1:] == (
        "total", summary.cell(found.cost_usd_before), summary.cell(found.cost_usd_after),
        summary.signed(found.change_usd),
    )  # fmt: skip
    assert [abs(amount) for amount in amounts] == sorted(map(abs, amounts), reverse=True)


def test_many_rows_are_cut_and_all_are_there_in_full() -> None:
    found = against(users__peak=400_000, users__average=90_000, tiers__websocket="off", gates={})
    assert len(found.figures) > rows.MOST
    short, whole = table.render(found), table.render(found, full=True)
    left_out = rows.changed_figures(found, full=False).left_out
    assert f"{left_out} more: --full" in short
    assert "--full" not in whole
    assert all(figure.name in whole for figure in summary.figures(found) if "per_1000_peak" not in figure.name
               and figure.name != "cost_usd_per_month.average")  # fmt: skip
    assert all(said(cause).split()[0] in whole for cause in found.causes)


@pytest.mark.parametrize("width", [40, 60, 80, 100, 140])
def test_no_line_is_wider_than_the_page_and_no_word_is_broken(width: int) -> None:
    found = against(users__peak=40_000, users__average=9000, availability="minimal", tiers__api__purchase="spot")
    lines = table.render(found, width, full=True).splitlines()
    words = {word for line in table.render(found, 500, full=True).splitlines() for word in line.split()}
    assert {word for line in lines for word in line.split() if set(word) != {"-"}} <= words
    if width >= 60:
        assert max(map(shown_width, lines)) <= width


def test_a_flipped_gate_says_from_what_to_what() -> None:
    gates = {"api.node_count.base": ["<= 3"], "database.replica_count": ["<= 1"]}
    before = make_plan(gates=gates)
    found = compare(before, make_plan(gates={"api.node_count.base": ["<= 3"]}, users__peak=20_000))
    assert [*rows.gates(found)] == [
        "✗ api.node_count.base <= 3: met → missed",
        "- database.replica_count <= 1: met → no gate",
    ]


def test_verdicts_say_budget_and_gates() -> None:
    # 385.36 a month per 1000 users, and 459.36 with two read replicas.
    before = make_plan(budget={"usd_per_1000_users_month": 400.0}, gates={})
    after = make_plan(budget={"usd_per_1000_users_month": 400.0}, gates={}, tiers__database__replicas=2)
    assert summary.verdicts(compare(before, before)) == "within budget, 0 of 2 gates missed, as before"
    assert summary.verdicts(compare(before, after)) == (
        "within budget, 0 of 2 gates missed → over budget 1.1 x, 1 of 2 gates missed"
    )


@pytest.mark.parametrize(
    ("gates", "said"),
    [
        ({}, "no budget, 0 of 1 gates missed"),
        ({"cost_usd_upfront": ["> 5"]}, "no budget, 1 of 2 gates missed"),
        ({"cost_usd_per_month.average": ["> 5000"]}, "no budget, 1 of 2 gates missed"),
        ({"cost_usd_per_month.average": ["< 1000"]}, "over budget 3.9 x, 1 of 2 gates missed"),
        ({"cost_usd_per_1000_users_month": ["< 50"], "cost_usd_per_month.peak": ["< 9000"]},
         "over budget 7.7 x, 1 of 3 gates missed"),
    ],
)  # fmt: skip
def test_over_budget_is_said_of_upper_limits_on_the_cost_of_a_month(gates: dict[str, Any], said: str) -> None:
    plan = make_plan(budget={}, gates=gates)
    assert summary.verdicts(compare(plan, plan)) == f"{said}, as before"


# Formats


def test_markdown_is_a_headline_and_a_fold() -> None:
    found = against(tiers__database__replicas=2)
    text = markdown.render(found)
    assert text.splitlines()[0] == f"**{summary.headline(found)}**"
    assert text.count("<details>") == text.count("</details>") == 1
    assert "| database | a second read replica | $740.00 | $1,480.00 | +$740.00 |" in text
    assert markdown.render(against()) == "**Nothing changed.**\n"


def test_json_has_the_headline_the_cost_and_its_causes() -> None:
    found = against(tiers__database__replicas=2)
    document = json.loads(as_json.render(found))
    assert document["headline"] == summary.headline(found)
    cost = document["cost_usd_per_month"]
    assert Decimal(cost["after"]) - Decimal(cost["before"]) == Decimal(cost["change"]) == 740
    assert sum(Decimal(each["change_usd"]) for each in document["causes"]) == Decimal(cost["change"])
    assert [each["words"] for each in document["causes"]] == ["a second read replica"]
    assert {each["name"] for each in document["inputs"]} == {"tiers.database.replicas"}


@given(st.text() | st.sampled_from(["a|b", "<script>", "\x1b[31m", "`x`", "a\nb"]))
def test_text_from_inputs_is_escaped_for_its_format(text: str) -> None:
    found = compare(with_text(PLAN, text), with_text(make_plan(missing=["nat-gateway"], users__peak=20_000), text))
    plain = table.render(found, full=True)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f]", plain)
    marked = markdown.render(found)
    assert {*re.findall(r"<[^ >]+>?", marked)} <= {"<details>", "<summary>", "</summary>", "</details>"}
    assert json.loads(as_json.render(found))["schema_version"] == 1
