"""The gates for continuous integration."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from xml.etree import ElementTree

from factories import make_plan, with_text
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_plan.model.plan import Plan, Verdict
from cascade_plan.reports.plans import junit


def suite(made: Plan) -> ElementTree.Element:
    found = ElementTree.fromstring(junit.render(made)).findall("testsuite")
    assert len(found) == 1
    return found[0]


def test_each_gate_is_a_test_case() -> None:
    made = make_plan()
    cases = suite(made).findall("testcase")
    assert [case.get("name") for case in cases] == [
        "cost_usd_per_1000_users_month < 50",
        "latency_ms_p95.normal < 200",
        "websocket.connection_count_per_node >= 50000",
    ]
    assert [[child.tag for child in case] for case in cases] == [["failure"], ["skipped"], []]


def test_the_suite_counts_its_outcomes() -> None:
    made = make_plan(missing=["cluster"], budget__usd_per_1000_users_month=1e6)
    found = suite(made)
    assert {name: found.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "3", "failures": "0", "errors": "1", "skipped": "1",
    }  # fmt: skip
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert found.get(name) == str(len(found.findall(f"testcase/{tag}")))


def test_a_missing_price_is_an_error() -> None:
    error = suite(make_plan(missing=["cluster"], budget__usd_per_1000_users_month=1e6)).find("testcase/error")
    assert error is not None
    assert error.get("type") == "price-missing"
    assert "the bill is incomplete" in str(error.get("message"))


def test_a_limit_that_is_broken_in_any_case_is_a_failure() -> None:
    assert suite(make_plan(missing=["cluster"])).find("testcase/failure") is not None


def test_the_findings_are_in_the_output() -> None:
    made = make_plan()
    text = suite(made).findtext("system-out")
    assert text is not None
    assert text.startswith("✗ Over budget ")
    assert len(text.splitlines()) == 1 + len(made.findings)


@settings(max_examples=50)
@given(st.text(), st.text())
def test_any_text_is_valid_xml(text: str, figure: str) -> None:
    made = with_text(make_plan(missing=["cluster"]), text)
    verdict = Verdict(figure, "<", Decimal(1), None, "unjudged", text)
    found = suite(replace(made, verdicts=(*made.verdicts, verdict)))
    assert len(found.findall("testcase")) == len(made.verdicts) + 1
    assert junit.render(made).encode("utf-8")


def test_it_is_the_same_twice_and_ends_in_one_newline() -> None:
    text = junit.render(make_plan())
    assert text == junit.render(make_plan())
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n')
    assert text.endswith(">\n")
