"""The whole plan for programs, and what all reports of a plan have in common."""

from __future__ import annotations

import json
import re
from decimal import Decimal

import pytest
from factories import make_plan

from cascade_plan import registry
from cascade_plan.model.plan import from_json
from cascade_plan.reports.plans import json as report

NAMES = registry.names("reports/plans")


def test_it_reads_back_to_the_same_plan() -> None:
    for outlook in (False, True):
        made = make_plan(outlook=outlook)
        assert from_json(report.render(made)) == made


def test_money_is_text_and_figures_are_nested() -> None:
    made = make_plan()
    document = json.loads(report.render(made))
    assert document["figures"]["cost_usd_per_month"]["average"] == str(made.bill.effective_usd.average)
    assert document["figures"]["api"]["node_count"]["base"] == 3
    assert document["outlook"] is None
    assert document["items"][0]["name"] == made.bill.items[0].name


@pytest.mark.parametrize("name", NAMES)
def test_every_report_is_the_same_again_and_a_text_ends_in_one_newline(name: str) -> None:
    module = registry.load("reports/plans", name)
    text = module.render(make_plan(outlook=True))
    if isinstance(text, str):
        assert text.endswith("\n")
        assert not text.endswith("\n\n")
    assert text == module.render(make_plan(outlook=True))


def test_the_reports_are_known() -> None:
    assert {"csv", "json", "junit", "markdown", "table"} <= {*NAMES}


def test_the_answer_stands_at_the_top() -> None:
    made = make_plan()
    document = json.loads(report.render(made))
    cost = made.bill.effective_usd.average
    assert document["status"] == "over_budget"
    assert [*document][:4] == ["status", "cost_usd_per_month", "budget_usd_per_month", "over_budget_usd"]
    assert Decimal(document["cost_usd_per_month"]) == cost
    assert Decimal(document["over_budget_usd"]) == cost - Decimal(document["budget_usd_per_month"])
    free = json.loads(report.render(make_plan(budget__usd_per_1000_users_month=None)))
    assert (free["status"], free["budget_usd_per_month"], free["over_budget_usd"]) == ("no_budget", None, None)
    unknown = make_plan(missing=["cluster"], budget__usd_per_1000_users_month=1e6)
    assert json.loads(report.render(unknown))["status"] == "not_judged"


def test_no_amount_has_more_digits_than_are_known() -> None:
    text = report.render(make_plan(users__average=2999, users__registered=70_001))
    assert not re.findall(r'"-?\d+\.\d{13,}"', text)
    assert not re.findall(r'"-0(?:\.0*)?"', text)
