"""The plan on one screen, in full, and its verdict."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from factories import make_plan, with_text
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_plan.clouds.aws.terms import SOLD
from cascade_plan.inputs.scenarios import bundled_scenarios, read
from cascade_plan.model.derivation import Finding
from cascade_plan.model.plan import Plan, Verdict
from cascade_plan.planning.pipeline import plan as planned
from cascade_plan.reports._fitting import shown_width
from cascade_plan.reports.plans import _screen as screen
from cascade_plan.reports.plans import table
from cascade_plan.reports.plans._sections import sections
from cascade_plan.reports.plans._tiers import cells, tiers

HOSTILE = ["\x1b[31mred\n\r\t", "a|b", "x" * 500, "", " ", "\u202egnp", "é" * 40, "\ud800", "::error::x"]
WIDTHS = st.integers(60, 200)
MADE = make_plan()
COMMAND = "cascade-plan explain cost --peak 10000 --avg 3000"


def bundled(name: str) -> Plan:
    given = read(name)
    return planned(given.scenario, given.book, given.origins)


BUNDLED = {name: bundled(name) for name in bundled_scenarios()}


@pytest.mark.parametrize("full", [False, True])
def test_it_ends_in_one_newline_and_has_no_trailing_spaces(full: bool) -> None:
    text = table.render(MADE, full=full)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert [line for line in text.splitlines() if line != line.rstrip()] == []


@pytest.mark.parametrize("full", [False, True])
def test_the_same_plan_is_the_same_text(full: bool) -> None:
    assert table.render(make_plan(), full=full) == table.render(MADE, full=full)


# ---------------------------------------------------------------------------------------------------- the first screen


@pytest.mark.parametrize("name", bundled_scenarios())
def test_every_bundled_scenario_fits_a_terminal_that_nobody_has_enlarged(name: str) -> None:
    lines = table.render(BUNDLED[name], 80, command=COMMAND).splitlines()
    assert len(lines) <= 24
    assert max(map(shown_width, lines)) <= 80


def test_what_does_not_fit_is_counted_or_joined() -> None:
    gates = tuple(Verdict(f"api.figure_{index}", "<", Decimal(1), 2, "fail") for index in range(7))
    said = tuple(Finding("warning", "code", f"finding {index}", "api") for index in range(9))
    made = replace(BUNDLED["cascade"], verdicts=gates, findings=said)
    lines = table.render(made, 80, command=COMMAND).splitlines()
    assert len(lines) <= 24
    assert "gates  7 missed" in lines
    assert "    and 5 more" in lines
    assert "findings  9 warnings (--full)" in lines
    assert sum(line.startswith("  ! finding") for line in lines) == 1
    fewer = table.render(replace(made, verdicts=gates[:1]), 80, command=COMMAND).splitlines()
    assert sum(line.startswith("  ! finding") for line in fewer) == 2
    many = screen.bill(made, 80, 5).splitlines()
    assert len(many) == 1 + 5 + 1
    assert many[-2].startswith("5 others")
    assert many[-1].split() == screen.bill(made, 80).splitlines()[-1].split()


@pytest.mark.parametrize("name", bundled_scenarios())
@pytest.mark.parametrize("most", [None, 3])
def test_rows_add_up_to_the_whole_bill(name: str, most: int | None) -> None:
    made = BUNDLED[name]
    *rows, total = cells(made, most)
    amounts = [Decimal(row[3].removeprefix("≥ ").replace(",", "")) for row in rows if row[3] != "no price"]
    assert sum(amounts) == made.bill.effective_usd.average.quantize(Decimal("0.01"))
    assert Decimal(total[3].removeprefix("≥ ").replace(",", "")) == sum(amounts)
    assert total[3].startswith("≥ ") != made.bill.complete
    shares = [int(row[4].removesuffix("%")) for row in rows if row[4]]
    assert sum(shares) == (100 if made.bill.complete else 0)


def test_every_tier_on_the_bill_has_a_row_the_dearest_first() -> None:
    made = BUNDLED["chat-40k"]
    found = tiers(made)
    assert {tier.name for tier in found} == {line.tier for line in (*made.bill.items, *made.bill.unpriced)}
    assert [tier.cost_usd for tier in found] == sorted((tier.cost_usd for tier in found), reverse=True)
    assert all(tier.is_complete for tier in found)
    given = read("chat-40k")
    book = given.book.without({("vpc", "nat-gateway", "on_demand"), ("rds", "storage-gp3", "on_demand")})
    lacking = tiers(planned(given.scenario, book))
    assert {tier.name for tier in lacking if not tier.is_complete} == {"database", "network"}


def test_a_tier_says_what_it_runs_on() -> None:
    fleets = {tier.name: (", ".join(tier.fleet), tier.nodes) for tier in tiers(BUNDLED["cascade"])}
    assert fleets["database"] == ("db.r5.xlarge multi-AZ, 1 replica", "2")
    assert fleets["api"] == ("c6g.xlarge, 10-32 pods", "2-5")
    assert fleets["cluster"] == ("EKS control plane", "")
    spot = next(tier for tier in tiers(BUNDLED["api-batch"]) if tier.name == "worker")
    assert spot.fleet == ("c6g.xlarge", "6-24 pods", "spot")


@settings(max_examples=60)
@given(st.sampled_from(bundled_scenarios()), WIDTHS)
def test_no_word_is_broken_at_any_width(name: str, width: int) -> None:
    words = {*table.render(BUNDLED[name], 1000, True).split(), *table.render(BUNDLED[name], 1000).split()}
    for full in (False, True):
        text = table.render(BUNDLED[name], width, full)
        assert [word for word in text.split() if word.rstrip(":,;") not in {each.rstrip(":,;") for each in words}
                and set(word) > {"-", "…"}] == []  # fmt: skip
        assert max(map(shown_width, text.splitlines())) <= width


@settings(max_examples=50)
@given(st.text() | st.sampled_from(HOSTILE), st.booleans())
def test_any_text_stays_within_its_lines(words: str, full: bool) -> None:
    text = table.render(with_text(make_plan(missing=["cluster"]), words), full=full)
    widest = max((shown_width(word) for word in text.split()), default=0)
    assert max(map(shown_width, text.splitlines())) <= max(80, widest + 60)
    assert not {character for character in text if ord(character) < 32} - {"\n"}
    assert not [line for line in text.splitlines() if line.lstrip().startswith("::")]
    assert text.encode()


def test_a_million_users_and_a_name_without_end_fit() -> None:
    text = table.render(make_plan(users__peak=1_000_000, users__average=900_000, users__registered=10**9), 120)
    assert "1,000,000,000 registered" in text
    assert "registered" not in table.render(make_plan(users__peak=1_000_000, users__registered=10**9), 60)


def test_findings_that_cost_most_come_first_and_notes_without_an_amount_not_at_all() -> None:
    def finding(severity: str, message: str, usd: str | None) -> Finding:
        return Finding(severity, "code", message, "api", None if usd is None else Decimal(usd))

    said = (
        finding("info", "a note", None),
        finding("warning", "a warning", None),
        finding("info", "ten dollars", "10"),
        finding("warning", "two dollars", "2"),
    )
    shown = screen.findings(replace(MADE, findings=said), 80, 3)
    assert shown == ["findings  2 warnings, 2 notes (--full)", "  ! ten dollars", "  ! two dollars", "  ! a warning"]


# --------------------------------------------------------------------------------------------------------- in full


@pytest.mark.parametrize("term", sorted({term for sold in SOLD.values() for term in sold}))
def test_all_of_it_fits_80_columns(term: str) -> None:
    known = {"database": SOLD["database"], "api": SOLD["vm"], "websocket": SOLD["vm"]}
    made = make_plan(
        missing=["nat-gateway"],
        tiers__database__shape="db.r7g.xlarge",
        **{f"tiers.{tier}.purchase": term for tier in known if term in known[tier]},
    )
    for size in (made, replace(made, findings=made.findings * 3)):
        assert max(map(len, table.render(size, full=True).splitlines())) <= 80


def test_all_of_it_is_there() -> None:
    text = table.render(BUNDLED["cascade"], 160, full=True)
    flat = " ".join(text.split())
    for finding in BUNDLED["cascade"].findings:
        assert " ".join(finding.message.split()) in flat
    for verdict in BUNDLED["cascade"].verdicts:
        assert f"{verdict.figure} {verdict.operator} " in flat
    for figure in BUNDLED["cascade"].figures:
        if figure.startswith("action_latency_"):
            _, load, action = figure.split(".")
            assert f"{load} {action} " in flat
        else:
            assert figure.startswith("cost_") or ".node_count" in figure or figure in flat
    assert "prices of" in flat.lower()
    assert text.splitlines()[-1].startswith("✗ Over budget 5.6 x: ")


def test_the_sections_have_equal_rows() -> None:
    for section in sections(MADE):
        assert {len(row) for row in section.rows} <= {len(section.headers) or 1}
        assert all(index < len(section.headers) for index in (*section.right, *section.dropped))
        assert all("\n" not in cell for row in section.rows for cell in row)


def test_the_fleet_shows_every_group() -> None:
    fleet = sections(MADE)[0]
    assert [row[1].removesuffix(", multi-AZ") for row in fleet.rows] == [group.name for group in MADE.groups]
    api = dict(zip(fleet.headers, fleet.rows[0], strict=True))
    counts = ("floor", "avg", "peak", "ceil")
    assert [Decimal(api[name]) for name in counts] == [Decimal(str(round(count, 2))) for count in MADE.groups[0].count]


def test_a_group_without_price_says_so() -> None:
    fleet = sections(make_plan(missing=["rds"]))[0]
    assert "no price" in {row[-1] for row in fleet.rows}


def test_every_total_of_an_incomplete_bill_is_at_least() -> None:
    band, denominators = sections(make_plan(missing=["cluster"]))[2:4]
    assert all(cell.startswith("≥ $") for row in band.rows for cell in row[1:4])
    assert all(row[2].startswith("≥ $") for row in denominators.rows)


def test_the_denominators_are_named_and_the_budget_s_marked() -> None:
    scenario: dict[str, Any] = {"users.registered": 50_000, "budget.users": "registered"}
    rows = sections(make_plan(**scenario))[3].rows
    assert [row[0] for row in rows] == ["peak concurrent users", "average concurrent users", "registered users"]
    assert [row[3] for row in rows] == ["", "", "by the budget"]


def test_warnings_come_before_the_rest() -> None:
    severities = [row[0].partition(":")[0] for row in sections(MADE)[-1].rows]
    assert severities == sorted(severities, key=lambda severity: severity != "warning")
    assert {*severities} == {"warning", "info"}


# ------------------------------------------------------------------------------------------------------- the verdict


def test_the_verdict_has_each_gate_that_is_not_met_once_and_the_total() -> None:
    lines = table.verdict(BUNDLED["cascade"], 120).splitlines()
    assert lines[0] == "✗ cascade: 2 of 8 gates missed, 1 not judged"
    assert sum("cost_usd_per_1000_users_month < 50" in line for line in lines) == 1
    assert sum("pool.connection_count_per_10000_users < 100" in line for line in lines) == 1
    assert sum("cache.hit_ratio > 0.9" in line for line in lines) == 1
    assert not [line for line in lines if "latency" in line]
    bill = BUNDLED["cascade"].bill
    cost, over = bill.effective_usd, bill.effective_usd.average - 500
    year = sum(month.average for month in bill.first_year_usd)
    assert lines[-2:] == [
        f"  total {cost.average:,.2f} USD a month, {cost.floor:,.0f} to {cost.ceiling:,.0f} with the autoscaler",
        f"✗ Over budget {cost.average / 500:.1f} x: ${over:,.0f} a month too much; ${year:,.0f} in year 1.",
    ]
    assert "✗ cost" not in table.verdict(BUNDLED["cascade"], 120, ())


def test_gates_that_are_all_met_are_counted() -> None:
    assert table.verdict(BUNDLED["saas-300"]).splitlines()[0] == "✓ saas-300: all 3 gates met"
    assert table.verdict(replace(MADE, verdicts=())).splitlines()[0] == "test: no gates"
    unjudged = replace(MADE, verdicts=(Verdict("a.b", "<", Decimal(1), None, "unjudged", "no idea"),))
    assert table.verdict(unjudged).splitlines()[:2] == [
        "? test: 1 of 1 gates not judged",
        "  ? a.b < 1 not judged: no idea",
    ]


def test_only_failed_gates_are_failures() -> None:
    lines = table.failures(MADE)
    assert len(lines) == sum(verdict.status == "fail" for verdict in MADE.verdicts)
    assert all(re.match(r"✗ \S", line) for line in lines)
    assert table.failures(make_plan(budget__usd_per_1000_users_month=1e6)) == []
