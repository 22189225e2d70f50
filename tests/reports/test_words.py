"""How reports word amounts, gates and verdicts."""

from __future__ import annotations

import doctest
import operator
from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from factories import make_plan
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.clouds.aws.terms import SOLD
from cascade_plan.model import titles
from cascade_plan.model.plan import Verdict
from cascade_plan.reports import _words as words
from cascade_plan.reports.plans import _facts as facts

AMOUNTS = st.decimals(min_value=-(10**15), max_value=10**15, places=10, allow_nan=False, allow_infinity=False)
LIMITS = st.decimals(min_value=0, max_value=10**9, places=4, allow_nan=False, allow_infinity=False)
COST = "cost_usd_per_1000_users_month"
OPERATORS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq}


def test_doctests() -> None:
    assert all(doctest.testmod(module).failed == 0 for module in (words, facts, titles))


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("1234.5678", "$1,234.57"),
        ("0.005", "$0.00"),
        ("0.015", "$0.02"),
        ("0.025", "$0.02"),
        ("-1234.5", "-$1,234.50"),
        ("-0.001", "$0.00"),
        ("1000000", "$1,000,000.00"),
    ],
)
def test_dollars(amount: str, text: str) -> None:
    assert words.usd(Decimal(amount)) == text


@given(AMOUNTS)
def test_dollars_are_the_amount_rounded_half_to_even(amount: Decimal) -> None:
    shown = Decimal(words.usd(amount).replace("$", "").replace(",", ""))
    assert shown == amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_EVEN)


@given(AMOUNTS)
def test_a_unit_price_has_all_its_digits(amount: Decimal) -> None:
    text = words.unit_price(amount)
    assert Decimal(text.replace("$", "").replace(",", "")) == amount
    assert len(text.partition(".")[2]) >= 2


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (0.0, "0"),
        (2, "2"),
        (2.4, "2.4"),
        (1e6, "1,000,000"),
        (0.1, "0.1"),
        (-0.001, "-0.001"),
        (1e-9, "0.000000001"),
    ],
)
def test_counts(number: float, text: str) -> None:
    assert words.count(number) == text


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12))
def test_a_count_is_within_rounding(number: float) -> None:
    assert abs(float(words.count(number).replace(",", "")) - number) <= 0.005 + 1e-9 * abs(number)


@given(AMOUNTS, LIMITS, st.sampled_from([*OPERATORS]))
def test_a_figure_is_never_rounded_across_its_limit(value: Decimal, limit: Decimal, symbol: str) -> None:
    shown = Decimal(words.beside(value, limit))
    assert OPERATORS[symbol](shown, limit) == OPERATORS[symbol](value, limit)
    assert words.keeps(value, Verdict("x", symbol, limit, value, "pass")) == OPERATORS[symbol](value, limit)


@given(st.floats(min_value=0, max_value=1e9), LIMITS)
def test_a_physical_figure_is_never_rounded_across_its_limit(value: float, limit: Decimal) -> None:
    exact, shown = Decimal(str(value)), Decimal(words.beside(value, limit))
    assert (shown < limit, shown > limit) == (exact < limit, exact > limit)


@pytest.mark.parametrize(
    ("verdict", "line"),
    [
        (Verdict(COST, "<", Decimal("50"), Decimal("41.2666"), "pass"), f"✓ {COST} < 50 = 41.27"),
        (Verdict(COST, "<", Decimal("50.0"), Decimal("50"), "fail"), f"✗ {COST} < 50 = 50.00"),
        (Verdict(COST, "<", Decimal("50"), Decimal("49.99999"), "pass"), f"✓ {COST} < 50 = 49.99999"),
        (Verdict(COST, "<", Decimal("50"), Decimal("50.0000001"), "fail"), f"✗ {COST} < 50 = 50.0000001"),
        (Verdict("pool.connection_count", "<", Decimal(100), 100.0, "fail"), "✗ pool.connection_count < 100 = 100"),
        (
            Verdict("latency_ms_p95.x", "<", Decimal(200), None, "unjudged", "no latency"),
            "? latency_ms_p95.x < 200 not judged: no latency",
        ),
        (
            Verdict(COST, "<", Decimal(50), Decimal("41.2"), "unjudged", "the bill is incomplete"),
            f"? {COST} < 50 not judged: the bill is incomplete (at least 41.20)",
        ),
        (Verdict(COST, "<", Decimal(50), Decimal(60), "fail", "incomplete"), f"✗ {COST} < 50 = at least 60.00"),
        (Verdict("a", ">=", Decimal("1E+5"), 50000, "fail"), "✗ a >= 100000 = 50000"),
    ],
)
def test_gate_lines(verdict: Verdict, line: str) -> None:
    assert words.gate_line(verdict) == line


@pytest.mark.parametrize(
    ("dates", "text"),
    [
        ([], "no prices"),
        (["undated"], "1 undated"),
        (["2024"], "2024"),
        (["2024-08-09", "2024-08-09"], "2024-08-09"),
        (["2026-10", "2024-08-09", "undated", "undated"], "2024-08-09 to 2026-10, 2 undated"),
    ],
)
def test_date_spans(dates: list[str], text: str) -> None:
    assert words.date_span(dates) == text


def test_every_term_has_words() -> None:
    terms = {term for sold in SOLD.values() for term in sold}
    known = [facts.term(name) for name in terms]
    assert len({*known}) == len(terms)
    assert not any("_" in text for text in known)


@given(st.text())
def test_one_line_is_one_line_of_utf_8(text: str) -> None:
    line = words.one_line(text)
    assert line.splitlines() in ([], [line])
    assert line.encode().decode() == line


def test_the_worst_of_several_limits_leads() -> None:
    made = make_plan(gates={COST: ["< 1000000", "< 1"]})
    assert facts.cost_verdict(made).limit == 1


def test_the_cost_of_a_group_is_that_of_its_lines() -> None:
    made = make_plan(
        tiers__database__purchase="reserved_1y_all_upfront", tiers__api__purchase="reserved_1y_all_upfront"
    )
    for group in made.groups:
        cost = facts.group_cost(made, group)
        assert cost is not None
        assert cost > 0
    instance_lines = [item for item in made.bill.items if item.unit == "hour" and "(" in item.name]
    grouped = sum((facts.group_cost(made, group) or Decimal(0) for group in made.groups), Decimal(0))
    assert grouped == sum(item.cost_usd.average for item in instance_lines)


def test_a_group_with_an_unpriced_line_has_no_cost() -> None:
    made = make_plan(missing=["rds"])
    primary = next(group for group in made.groups if group.name == "database primary")
    assert facts.group_cost(made, primary) is None


def test_the_tiers_sum_to_the_bill() -> None:
    made = make_plan()
    assert sum(cost.average for cost in facts.tier_costs(made).values()) == made.bill.effective_usd.average
