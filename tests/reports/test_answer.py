"""Whether the budget is kept, by how much, and what a year costs."""

from __future__ import annotations

import doctest
import re
from decimal import Decimal
from typing import Any

import pytest
from factories import make_plan
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.reports import _names
from cascade_plan.reports.plans import _answer as answers
from cascade_plan.reports.plans import _shares, markdown, table
from cascade_plan.reports.plans._answer import sentence
from cascade_plan.reports.plans._shares import apportioned

MONTH = make_plan().bill.effective_usd.average
"""What the small plan costs: 10,000 users."""


def budgeted(usd_per_month: Decimal, **more: Any) -> str:
    return sentence(make_plan(budget__usd_per_1000_users_month=float(usd_per_month / 10), **more))


@pytest.mark.parametrize("module", [answers, _names, _shares])
def test_doctests(module: Any) -> None:
    tried = doctest.testmod(module)
    assert tried.failed == 0
    assert tried.attempted


def test_over_budget_says_how_often_how_much_and_what_a_year_costs() -> None:
    year = f"{sum(month.average for month in make_plan().bill.first_year_usd):,.0f}"
    assert budgeted(Decimal(500)) == (
        f"✗ Over budget {MONTH / 500:.1f} x: ${MONTH - 500:,.0f} a month too much; ${year} in year 1."
    )
    assert budgeted(MONTH + 1234) == f"✓ Within budget: $1,234 a month to spare; ${year} in year 1."
    assert budgeted(MONTH - Decimal("0.5")).startswith("✗ Over budget 1.0001 x: $0.50 a month too much; ")


def test_a_cost_of_exactly_the_limit_is_not_below_it() -> None:
    made = make_plan(budget__usd_per_1000_users_month=float(MONTH / 10))
    assert made.bill.effective_usd.average == Decimal(str(float(MONTH / 10))) * 10
    assert sentence(made).startswith("✗ Over budget: the limit is below $")
    assert made.answer.status == "over_budget"


def test_a_bill_without_every_price_is_judged_only_where_it_is_over_already() -> None:
    known = make_plan(missing=["cluster"]).bill.effective_usd.average
    over = budgeted(Decimal(500), missing=["cluster"])
    assert over.startswith(f"✗ Over budget {known / 500:.1f} x at least: ${known - 500:,.0f} a month too much")
    unjudged = make_plan(missing=["cluster"], budget__usd_per_1000_users_month=float(known / 10 + 1))
    assert sentence(unjudged).startswith(f"? Not judged: ${known:,.0f} a month at least, of a budget of $")
    assert unjudged.answer.over_budget_usd is None
    assert sentence(unjudged).endswith(" Not priced: cluster (no price on demand is known either).")


def test_what_lacks_a_price_is_named_with_its_share_on_demand() -> None:
    made = make_plan(tiers__database__purchase="reserved_3y_all_upfront")
    whole = make_plan().bill
    lost = sum(
        item.cost_usd.average for item in whole.items if item.name.startswith(("database primary (", "read replicas ("))
    )
    share = lost / whole.effective_usd.average
    assert share > Decimal("0.1")
    assert sentence(made).endswith(
        f" Not priced: database ({share:.0%} of the bill before, ${lost:,.2f} a month on demand)."
    )
    for text in (table.render(made), table.verdict(made), markdown.render(made), markdown.summary(made)):
        assert f"database ({share:.0%} of the bill before" in " ".join(text.split())
    (row,) = (line for line in table.render(made).splitlines() if line.startswith("database "))
    assert f"lacks {share:.0%}" in row
    assert made.figures["cost_usd_per_month.average"].note.endswith(f"${lost:,.2f} a month on demand)")


def test_a_tier_of_which_nothing_is_known_is_said_first_and_takes_the_shares_away() -> None:
    made = make_plan(missing=["rds", "cluster"])
    found = {part.tier: (part.usd_per_month, part.share) for part in made.bill.missing("average")}
    assert found == {"database": (None, None), "cluster": (None, None)}
    bill = table.render(made).split("\n\n")[1]
    assert "%" not in bill
    assert bill.splitlines()[1].startswith(("cluster", "database"))


def test_no_sentence_is_longer_than_a_line_of_a_terminal() -> None:
    for budget in (Decimal(1), Decimal(500), MONTH * 2):
        assert len(budgeted(budget)) <= 80


@given(st.decimals(1, 10**9, places=2), st.decimals(1, 10**9, places=2))
def test_times_is_above_one_exactly_where_the_cost_is_above_the_budget(cost: Decimal, most: Decimal) -> None:
    if cost > most:
        assert Decimal(answers.times(cost, most).replace(",", "")) > 1
        assert re.fullmatch(r"[\d,]+|[1-9]\.\d+|10\.0", answers.times(cost, most))


@given(st.lists(st.decimals(0, 10**6, places=9), min_size=1, max_size=12))
def test_rounded_parts_add_up_and_none_is_a_step_off(parts: list[Decimal]) -> None:
    cent = Decimal("0.01")
    total = sum(parts, Decimal(0)).quantize(cent)
    shown = apportioned(parts, total, cent)
    assert sum(shown) == total
    assert all(abs(one - part) <= cent for one, part in zip(shown, parts, strict=True))
