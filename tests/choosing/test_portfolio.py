"""A portfolio's rows are what the commands alone say, and its totals are their sums."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.choosing.portfolio.gates import FIGURES, judged, limit_of
from cascade_plan.choosing.portfolio.questions import QUESTIONS, Asked
from cascade_plan.choosing.portfolio.rows import failure, row
from cascade_plan.choosing.portfolio.sharing import bought, meant, on_demand
from cascade_plan.choosing.portfolio.totals import Totals
from cascade_plan.errors import InfeasibleError, UsageError
from cascade_plan.files.assignments import Assignment
from cascade_plan.inputs.scenarios import bundled_scenarios, read
from cascade_plan.model.bill import Amounts
from cascade_plan.model.portfolio import Portfolio, Row, Total
from cascade_plan.planning.pipeline import plan


def row_of(name: str, question: str = "size") -> Row:
    given = read(name, cached=False)
    answer = QUESTIONS[question][0](Asked(given.scenario, given.book, given.origins))
    return row(name, answer, given.book)


@pytest.mark.parametrize("name", bundled_scenarios())
def test_a_row_says_what_size_says(name: str) -> None:
    given = read(name, cached=False)
    made = plan(given.scenario, given.book, given.origins)
    found = row_of(name)
    assert found.cost_usd_per_month == made.bill.effective_usd
    assert found.judged_usd == made.answer.cost_usd_per_month
    assert found.over_usd == made.answer.over_budget_usd
    assert found.missed == tuple(dict.fromkeys(each.figure for each in made.verdicts if each.status == "fail"))
    assert found.not_judged == tuple(dict.fromkeys(each.figure for each in made.unjudged))
    assert found.exit_code == (1 if made.failed else 0)


@pytest.mark.parametrize("purchase", ["on_demand", "{spot: 0.3}", "{reserved_1y_no_upfront: 0.5}"])
def test_what_runs_on_demand_is_what_the_bill_has_on_demand(purchase: str) -> None:
    given = read("cascade", [Assignment("test", "tiers.api.purchase", purchase)], cached=False)
    made = plan(given.scenario, given.book, given.origins)
    billed = sum(
        float(item.quantity.average)
        for item in made.bill.items
        if item.unit == "hour" and item.key.term == "on_demand" and item.group
    )
    hours = sum(sum(counts) / len(counts) for counts in on_demand(made).values()) * given.scenario.hours_per_month
    assert hours == pytest.approx(billed)


def test_the_method_slo_and_the_cheapest_fleet_are_asked_as_their_commands_are() -> None:
    by_slo, cheapest = row_of("saas-300", "slo"), row_of("saas-300", "optimize")
    given = read("saas-300", [Assignment("test", "method", "slo")], cached=False)
    assert by_slo.cost_usd_per_month == plan(given.scenario, given.book).bill.effective_usd
    saving = Decimal(cheapest.answers["saving_usd_per_month"])
    as_given = Decimal(cheapest.answers["as_given_usd_per_month"])
    assert as_given == round(row_of("saas-300").judged_usd, 2)
    assert abs(as_given - cheapest.judged_usd - saving) < Decimal("0.02")


def test_how_sure_a_system_is_stands_in_its_row() -> None:
    found = row_of("saas-300", "risk").answers
    assert 0 <= float(found["kept_ratio"]) <= 1
    low, middle, high = (float(found[f"cost_usd_per_month_{name}"]) for name in ("p10", "p50", "p90"))
    assert low <= middle <= high


def test_what_its_months_cost_stands_in_its_row() -> None:
    from cascade_plan.choosing.forecast import forecast

    given = read("growth-100k", cached=False)
    own, found = forecast(given.scenario, given.book, given.origins), row_of("growth-100k", "forecast").answers
    assert (found["forecast_months"], found["forecast_usd"]) == (str(len(own.months)), f"{own.effective_usd:.2f}")
    assert found["forecast_last_users_peak"] == str(own.months[-1].users_peak)


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_adds_the_figures_that_it_names(question: str) -> None:
    assert tuple(row_of("saas-300", question).answers) == QUESTIONS[question][1]


# --------------------------------------------------------------------------------------------------------------- totals


def made_up(
    name: str,
    cost: int = 100,
    budget: int | None = None,
    tags: Mapping[str, str] | None = None,
    missed: tuple[str, ...] = (),
) -> Row:
    amounts = Amounts(Decimal(cost), Decimal(2 * cost), Decimal(3 * cost), Decimal(4 * cost))
    most = None if budget is None else Decimal(budget)
    return Row(f"{name}.yaml", name, region="us-east-1", tags=tags or {}, users_peak=1000, users_average=300,
               cost_usd_per_month=amounts, budget_usd_per_month=most, missed=missed)  # fmt: skip


def portfolio(*rows: Row, gates: tuple[str, ...] = ()) -> Portfolio:
    totals = Totals()
    for each in rows:
        totals.add(each)
    return totals.portfolio("size", [limit_of(each) for each in gates], lambda cloud, region: read("cascade").book)


def of(found: Portfolio, by: str) -> dict[str, Total]:
    return {total.name: total for total in found.totals if total.by == by}


def test_totals_are_sums_by_region_and_by_every_tag() -> None:
    found = portfolio(
        made_up("a", 100),
        made_up("b", 200, tags={"team": "web"}),
        failure("c.yaml", "c", {"team": "ops"}, UsageError("broken")),
        made_up("d", 300, tags={"team": "web", "stage": "prod"}),
    )
    assert found.total.judged_usd_per_month == 1200
    assert (found.total.system_count, found.total.failed_count, found.total.users_peak) == (4, 1, 3000)
    assert list(of(found, "team")) == ["web", "ops", ""]
    assert {name: each.judged_usd_per_month for name, each in of(found, "team").items()} == {
        "web": 1000,
        "ops": 0,
        "": 200,
    }
    assert of(found, "stage")[""].system_count == 3
    assert of(found, "region")["us-east-1"].cost_usd_per_month.ceiling == 2400
    assert of(found, "region")[""].failed_count == 1


@given(costs=st.lists(st.integers(1, 10**6), min_size=1, max_size=20), teams=st.integers(1, 4))
def test_the_parts_of_any_tag_sum_to_the_whole(costs: list[int], teams: int) -> None:
    rows = [made_up(f"s{at}", cost, tags={"team": f"t{at % teams}"} if at % 5 else {}) for at, cost in enumerate(costs)]
    totals = Totals()
    for each in rows:
        totals.add(each)
    found = totals.portfolio("size", [], lambda cloud, region: None)  # type: ignore[arg-type,return-value]
    for by in ("region", "team"):
        parts = [total for total in found.totals if total.by == by]
        if parts:
            assert sum(part.judged_usd_per_month for part in parts) == found.total.judged_usd_per_month
            assert sum(part.system_count for part in parts) == len(rows)


def test_the_worst_are_those_furthest_over_and_then_those_that_miss_most() -> None:
    found = portfolio(
        *(made_up(f"fine{at}", 100, 1000) for at in range(20)),
        made_up("over", 100, 150),
        made_up("far", 100, 50),
        made_up("slow", 100, missed=("latency_ms_p95.peak",)),
        *(made_up(f"more{at}", 100, 190) for at in range(20)),
    )
    assert [each.name for each in found.worst][:2] == ["far", "over"]
    assert len(found.worst) == 10
    assert found.total.over_budget_count == 22


def test_failures_are_counted_by_exit_code_with_the_first_of_each() -> None:
    broken = [failure(f"{at}.yaml", "x", {}, UsageError(f"problem {at}")) for at in range(8)]
    found = portfolio(*broken, failure("y", "y", {}, InfeasibleError("none fits")))
    assert [(each.exit_code, each.count, len(each.first)) for each in found.failures] == [(2, 8, 5), (4, 1, 1)]
    assert found.failures[0].first[0] == ("0.yaml", "problem 0")


# ---------------------------------------------------------------------------------------------------------------- gates


@pytest.mark.parametrize(
    ("gate", "status"),
    [
        ("cost_usd_per_month.total < 601", "pass"),
        ("cost_usd_per_month.total<600", "fail"),
        ("cost_usd_per_month.total <= 600", "pass"),
        ("cost_usd_per_month.floor == 300", "pass"),
        ("cost_usd_per_1000_users_month < 299.99", "fail"),
        ("system_count >= 2", "pass"),
        ("over_budget_count == 0", "fail"),
    ],
)
def test_limits_on_the_whole(gate: str, status: str) -> None:
    found = portfolio(made_up("a", 100), made_up("b", 200, 10), gates=(gate,))
    assert [each.status for each in found.verdicts] == [status]


@pytest.mark.parametrize(
    ("gate", "status"),
    [
        ("cost_usd_per_month.total < 1000", "unjudged"),
        ("cost_usd_per_month.total < 200", "fail"),
        ("cost_usd_per_month.total > 100", "pass"),
        ("cost_usd_per_1000_users_month < 1000", "unjudged"),
        ("failed_count == 1", "pass"),
    ],
)
def test_no_limit_is_met_on_the_word_of_systems_that_are_not_there(gate: str, status: str) -> None:
    found = portfolio(made_up("a", 100), failure("b", "b", {}, UsageError("broken")), gates=(gate,))
    assert [each.status for each in found.verdicts] == [status]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cost < 5", "no figure 'cost' of a portfolio"),
        ("cost_usd_per_month.totl < 5", "did you mean 'cost_usd_per_month.total'?"),
        ("cost_usd_per_month.total < lots", "write FIGURE < NUMBER"),
    ],
)
def test_what_is_no_limit_is_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError, match="--gate") as caught:
        limit_of(text)
    assert message in str(caught.value)


@pytest.mark.parametrize("figure", FIGURES)
def test_every_figure_can_be_judged(figure: str) -> None:
    (verdict,) = judged([limit_of(f"{figure} >= 0")], portfolio(made_up("a")).total)
    assert verdict.status == "pass"


# -------------------------------------------------------------------------------------------------------------- sharing

RESERVED = "reserved_1y_no_upfront"


def test_systems_that_are_busy_at_other_hours_share_what_they_buy() -> None:
    book = read("cascade", cached=False).book
    name = "aws us-east-1 vm m7g.large"
    assert meant(name)[2].name == "m7g.large"
    day, night = (4.0,) * 12 + (0.0,) * 12, (0.0,) * 12 + (4.0,) * 12
    alone = [bought({name: counts}, lambda cloud, region: book)[RESERVED] for counts in (day, night)]
    both = bought({name: tuple(a + b for a, b in zip(day, night, strict=True))}, lambda cloud, region: book)[RESERVED]
    assert [each.committed_usd for each in alone] == [0, 0]
    # 4 x 0.054 USD an hour in place of 4 x 0.0816, as the bundled book has them.
    assert both.committed_usd == pytest.approx(4 * 0.054)
    assert both.usd == pytest.approx(4 * 0.054)
    assert sum(each.usd for each in alone) == pytest.approx(4 * 0.0816)


def test_what_is_shared_is_the_sum_of_all_rows() -> None:
    one, other = row_of("startup-1k"), row_of("growth-100k")
    found = {each.term: each for each in portfolio(one, other).shared}
    shared = found[RESERVED]
    assert shared.alone_usd_per_month == pytest.approx(
        730 * (one.alone_usd_per_hour[RESERVED][1] + other.alone_usd_per_hour[RESERVED][1])
    )
    assert shared.together_usd_per_month <= shared.alone_usd_per_month + 1e-6
    assert shared.together_usd_per_month < shared.on_demand_usd_per_month
    assert shared.system_count == 2
