"""The report for finance."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from factories import make_plan, make_why_not, with_text
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from cascade_plan.model.plan import Plan
from cascade_plan.model.titles import title
from cascade_plan.reports import _marked as marked
from cascade_plan.reports import _words as words
from cascade_plan.reports._relaxed import section
from cascade_plan.reports.plans import _facts as facts
from cascade_plan.reports.plans import markdown
from cascade_plan.reports.plans._answer import sentence

HOSTILE = [
    "a|b", "a\\|b", "`code`", "<script>alert(1)</script>", "<!-- ", "a\nb", "| --- |", "**bold** _it_ ~~gone~~",
    "[link](javascript:x)", "![image](x)", "```\nfence", "# head", "&lt;", "\\", "$x$", "x\\", "``|``", "\x00", "",
]  # fmt: skip
PLAN = replace(make_plan(outlook=True), why_not=make_why_not())
INCOMPLETE = make_plan(outlook=True, missing=["cluster", "nat-gateway"])


def tables(text: str) -> Iterator[list[list[str]]]:
    """Yield the cells' text of each table as a Markdown reader sees it."""
    rows: list[list[str]] = []
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
    for index, token in enumerate(tokens):
        if token.type == "tr_open":
            rows.append([])
        elif token.type in ("th_open", "td_open"):
            inline = tokens[index + 1].children or []
            rows[-1].append("".join(child.content for child in inline))
        elif token.type == "table_close":
            yield rows
            rows = []


def raw_rows(text: str) -> Iterator[tuple[int, int]]:
    """Yield (cells of a table's row, cells of its header) by counting unescaped pipes, as GitHub does."""
    header = 0
    for line in text.splitlines():
        if not line.startswith("|"):
            header = 0
            continue
        cells = len(re.findall(r"(?<!\\)(?:\\\\)*\|", line))
        header = header or cells
        yield cells, header


def table_under(text: str, heading: str) -> list[list[str]]:
    return next(tables(text.split(f"## {heading}\n", 1)[1]))


def test_it_ends_in_one_newline() -> None:
    for made in (PLAN, INCOMPLETE, replace(PLAN, outlook=None)):
        text = markdown.render(made)
        assert text.endswith("\n")
        assert not text.endswith("\n\n")


def test_the_same_plan_is_the_same_text() -> None:
    assert markdown.render(replace(make_plan(outlook=True), why_not=make_why_not())) == markdown.render(PLAN)


@pytest.mark.parametrize(
    "text",
    ["# Approved", "## x", "::error::x", "- a", "+ a", "1. a", "2) a", "=====", "---", "> a", "* a", "##[error]x", ""],
)
def test_a_description_begins_nothing_but_a_paragraph(text: str) -> None:
    shown = markdown.render(replace(PLAN, scenario=PLAN.scenario.model_copy(update={"description": text})))
    first = [token.type for token in MarkdownIt("commonmark").parse(shown)][6:9] if text else []
    assert first in ([], ["paragraph_open", "inline", "paragraph_close"])
    assert not re.search(r"^\s*::|^\s*# Approved|##\[", shown, re.MULTILINE)
    inline = [token for token in MarkdownIt("commonmark").parse(shown) if token.type == "inline"]
    assert not text or "".join(child.content for child in inline[2].children or []) == text


def test_the_verdict_is_the_first_sentence() -> None:
    title, empty, verdict, *_ = markdown.render(PLAN).splitlines()
    assert (title, empty) == ("# Cost report: test", "")
    assert verdict == f"**{sentence(PLAN)}** Gates: {facts.gate_counts(PLAN)}."


@settings(max_examples=40)
@given(st.text() | st.sampled_from(HOSTILE))
def test_any_text_leaves_the_tables_whole(text: str) -> None:
    rendered = markdown.render(with_text(INCOMPLETE, text))
    assert all(cells == header for cells, header in raw_rows(rendered))
    expected = [[len(row) for row in rows] for rows in tables(markdown.render(INCOMPLETE))]
    read = [[len(row) for row in rows] for rows in tables(rendered)]
    assert len(read) >= len(expected)
    assert all(len({*lengths}) == 1 for lengths in read)


@given(st.text(min_size=1) | st.sampled_from(HOSTILE))
def test_a_cell_reads_as_its_text(text: str) -> None:
    rendered = "\n".join(marked.table(("a", "b"), [(text, "end")]))
    (_, row), *others = tables(rendered)
    assert others == []
    assert [" ".join(cell.split()) for cell in row] == [" ".join(words.one_line(text).split()), "end"]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_html_comes_from_text(text: str) -> None:
    rendered = markdown.render(with_text(INCOMPLETE, text))
    assert {*re.findall(r"<[^ >]+>?", re.sub(r"`[^`]*`", "", rendered))} <= {"<br>"}


def test_a_code_span_holds_only_what_it_can() -> None:
    assert marked.code("a.b < 5") == "`a.b < 5`"
    assert marked.code("a`|b") == r"a\`\|b"


def test_the_line_items_are_all_there_and_sum_to_the_total() -> None:
    header, *rows, total = table_under(markdown.render(PLAN), "Line items")
    assert header == [
        "Item", "Quantity at average", "Unit", "Unit price", "List price", "Cost at average", "Price as of",
    ]  # fmt: skip
    assert [row[0] for row in rows] == [item.name for item in PLAN.bill.items]
    assert total[5] == words.usd(PLAN.bill.effective_usd.average)
    shown = sum(Decimal(row[5].replace("$", "").replace(",", "")) for row in rows)
    assert abs(shown - PLAN.bill.effective_usd.average) < Decimal("0.01") * len(rows)


def test_the_tiers_sum_to_the_total() -> None:
    _, *rows, total = table_under(markdown.render(PLAN), "Cost by tier")
    assert total == ["Total", *total[1:]]
    for column in (1, 2, 4, 5):
        shown = sum(Decimal(row[column].replace("$", "").replace(",", "")) for row in rows)
        assert abs(shown - Decimal(total[column].replace("$", "").replace(",", ""))) < Decimal("0.1")


def test_an_incomplete_bill_is_at_least_everywhere_and_lists_what_is_missing() -> None:
    text = markdown.render(INCOMPLETE)
    assert all(cell.startswith("at least $") for row in table_under(text, "Cost a month")[1:] for cell in row[2:])
    assert all(row[2].startswith("at least $") for row in table_under(text, "Cost per 1000 users")[1:])
    assert table_under(text, "Line items")[-1][5].startswith("at least $")
    by_tier = {row[0]: row[1:] for row in table_under(text, "Cost by tier")[1:]}
    assert by_tier["Cluster"] == ["no price", "no price", "", "no price", "no price"]
    assert by_tier["Network"][1].startswith("at least $")
    missing = table_under(text, "What the bill leaves out")[1:]
    assert [row[0] for row in missing] == ["EKS control plane", "NAT gateways"]
    assert [row[1] for row in missing] == ["730", "2,190"]


def test_what_is_never_priced_is_listed() -> None:
    text = markdown.render(PLAN)
    for left_out in PLAN.bill.not_priced:
        assert f"- {left_out}" in text


def test_commitments_split_reserved_and_on_demand() -> None:
    made = make_plan(
        tiers__api__purchase="reserved_1y_all_upfront",
        tiers__api__nodes={"min": 2, "base": 4, "max": 6},
        users__peak=20_000,
        users__average=15_000,
    )
    row = next(row for row in table_under(markdown.render(made), "Commitments") if row[0].startswith("api nodes"))
    api = made.groups[0]
    assert row[1:4] == ["1 year, all upfront", "2", words.count(api.count.average - 2)]
    assert row[5] != "$0.00"


def test_nothing_committed_says_so() -> None:
    assert "Nothing is committed: every instance is paid on demand." in markdown.render(PLAN)


def test_the_outlook_is_left_out_when_nobody_asked() -> None:
    text = markdown.render(replace(PLAN, outlook=None, why_not=None))
    assert "## What each requirement costs" not in text
    assert text.count("```mermaid") == 1
    assert "## Rollout" in text


def test_what_requirements_cost_is_said_alone_and_together() -> None:
    text = markdown.render(PLAN)
    rows = table_under(text, "What each requirement costs")[1:]
    assert [row[:4] for row in rows] == [
        ["a zone may be lost", "$100.00", "$600.00", "$0.00"],
        ["rows are kept", "", "no fleet", ""],
        ["limits half as long", "$8.00 more", "$708.00", "$0.00"],
    ]
    assert "costs $700.00 a month. The budget is $500.00." in text
    assert "though all others be given up: a zone may be lost; rows are kept." in text
    assert "| a zone may be lost<br>nothing is committed for a year | $450.00 | $900.00 |" in text
    assert "7 more sets were not looked at." in text
    assert "is met from about 17,900 users at peak on." in text


@pytest.mark.parametrize(
    ("changes", "said", "unsaid"),
    [
        ({"cost_usd_per_month": Decimal(400)}, "costs $400.00 a month", "More sets"),
        ({"cost_usd_per_month": None}, "No fleet keeps all that is required.", "costs $"),
        (
            {"irreducible": (), "sets": ()},
            "Even with all of them given up the cheapest fleet costs $400.00.",
            "together",
        ),
        ({"crossing_users": None}, "up to 40,000 at peak, costs less than the budget per 1000.", "17,900"),
    ],
)
def test_what_a_budget_lacks_is_said_only_where_it_is_not_met(changes: Any, said: str, unsaid: str) -> None:
    text = "\n".join(section(make_why_not(**changes)))
    assert said in text
    assert unsaid not in text.partition("## What each")[0] + text.partition("\n|")[0]


def test_what_is_unknown_makes_costs_at_least() -> None:
    text = markdown.render(make_plan(outlook=True, missing=["rds storage-gp3 multi_az on_demand"]))
    for row in table_under(text, "Assumptions that most change the answer")[1:]:
        assert all(cell == "" or cell.startswith("at least $") for cell in row[2:4])


def charts(text: str) -> list[list[str]]:
    return [block.splitlines() for block in re.findall(r"```mermaid\n(.*?)```", text, re.DOTALL)]


def test_the_bars_are_the_tiers_the_dearest_first_as_in_the_table_above() -> None:
    text = markdown.render(PLAN)
    bars, _ = charts(text)
    assert bars[1] == "xychart-beta horizontal"
    names = re.findall(r'"([^"]+)"', next(line for line in bars if "x-axis" in line))
    amounts = re.findall(r"[0-9.]+", bars[-1])
    costs = facts.tier_costs(PLAN)
    assert dict(zip(names, amounts, strict=True)) == {
        title(tier): f"{cost.average:.2f}" for tier, cost in costs.items()
    }
    assert [Decimal(amount) for amount in amounts] == sorted(map(Decimal, amounts), reverse=True)
    rows = table_under(text, "Cost by tier")[1:-1]
    assert [(row[0], row[2].replace("$", "").replace(",", "")) for row in rows] == [*zip(names, amounts, strict=True)]


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour (WCAG 2.1)."""
    shares = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_lines_are_seen_on_a_white_page_and_on_a_dark_one() -> None:
    # WCAG 2.1, 1.4.11: graphics need a contrast of 3 to 1. GitHub's dark page is #0d1117.
    for page in ("#ffffff", "#0d1117"):
        for colour in marked.COLOURS:
            dark, light = sorted((luminance(page), luminance(colour)))
            assert (light + 0.05) / (dark + 0.05) >= 3, (page, colour)
    for chart in charts(markdown.render(PLAN)):
        settings_ = json.loads(chart[0].removeprefix("%%{init: ").removesuffix("}%%"))
        assert settings_["themeVariables"]["xyChart"]["plotColorPalette"] == ", ".join(marked.COLOURS)


def test_the_chart_has_the_curve_and_the_limit() -> None:
    text = markdown.render(PLAN)
    _, chart = charts(text)
    assert chart[1] == "xychart-beta"
    axis = next(line for line in chart if "x-axis" in line)
    curve, limit = ([Decimal(value) for value in re.findall(r"[0-9.]+", line)] for line in chart[-2:])
    labels = re.findall(r'"([^"]+)"', axis)[1:]
    assert "(logarithmic)" in axis
    assert labels == ["2.5k", "3.54k", "5k", "7.07k", "10k", "14.1k", "20k", "28.3k", "40k"]
    assert len(curve) == len(limit) == len(labels)
    assert {*limit} == {Decimal(50)}
    # The same numbers stand below the chart for those who see its source.
    rows = table_under(text, "Cost per 1000 users over the number of users")[1:]
    assert [Decimal(row[2].replace("$", "").replace(",", "")) for row in rows] == curve
    top = Decimal(next(line for line in chart if "y-axis" in line).rpartition(" ")[2])
    assert max(curve) <= top


@given(st.text())
def test_a_mermaid_label_cannot_leave_its_quotes(text: str) -> None:
    label = marked.label(text)
    assert label[0] == label[-1] == '"'
    assert not {*label[1:-1]} & {*'"`;<>{}[]|#\n%'}


@pytest.mark.parametrize(
    ("limit", "text"),
    [
        (1.0, "is never kept; the lowest cost is $"),
        (1e6, "is kept from 1,250 users at peak (375 on average) on."),
    ],
)
def test_the_curve_says_where_the_limit_is_kept(limit: float, text: str) -> None:
    assert text in markdown.render(make_plan(outlook=True, budget__usd_per_1000_users_month=limit))


def test_a_limit_kept_in_places_says_so() -> None:
    assert PLAN.outlook is not None
    first, second, third = PLAN.outlook.curve[:3]
    costs = (Decimal(60), Decimal(40), Decimal(55))
    curve = tuple(
        replace(point, cost_usd_per_1000_users_month=cost)
        for point, cost in zip((first, second, third), costs, strict=True)
    )
    text = markdown.render(replace(PLAN, outlook=replace(PLAN.outlook, curve=curve)))
    assert f"is kept in places, first at {second.users_peak:,} users at peak" in text


def rollout(made: Plan) -> str:
    return markdown.render(made).split("## Rollout\n", 1)[1].split("\n## ", 1)[0]


def test_the_rollout_has_three_phases_of_tasks_with_this_plan_s_figures() -> None:
    text = rollout(PLAN)
    phases = re.findall(r"^### (.*)$", text, re.MULTILINE)
    assert [phase.partition(":")[0] for phase in phases] == ["Phase 1", "Phase 2", "Phase 3"]
    assert "(hours 1-2)" in phases[0]
    assert "(hours 3-4)" in phases[1]
    assert "(hours 5-6)" in phases[2]
    low, high = (PLAN.figure(f"api.replica_count.{bound}") for bound in ("min", "max"))
    for expected in (
        "a pool of 100 connections",
        f"the HPA keeps {low} to {high} pods on 2 to 5 nodes",
        "cache nodes 3 x cache.test.large",
        "10,000 at once over 3 nodes",
        "`normal`: 1,000 users, 10 more a second, for 600 s, p95 below 200 ms",
    ):
        assert expected in text
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert all(re.match(r"(  )?- \[ \] ", line) for line in lines)


def test_a_scenario_without_loads_has_a_rollout() -> None:
    assert rollout(make_plan(loads={}, gates={})).count("the scenario names no load") == 2


@pytest.mark.parametrize(
    ("off", "phases", "gone"),
    [
        ({"websocket"}, ["database optimisation", "scaling", "monitoring and validation"], "socket|sticky|pub/sub"),
        ({"cache"}, ["database optimisation", "WebSocket scaling", "monitoring and validation"], "redis|cache|pub/sub"),
        ({"pool"}, ["database optimisation", "WebSocket scaling", "monitoring and validation"], "a pool of"),
        ({"database", "pool"}, ["WebSocket scaling", "monitoring and validation"], "database|index|replica"),
        (
            {"database", "pool", "websocket", "cache", "gateway"},
            ["monitoring and validation"],
            "database|socket|redis|cache|balanc",
        ),
        ({"monitoring"}, ["database optimisation", "WebSocket scaling", "monitoring and validation"], "prometheus"),
        ({"cluster"}, ["database optimisation", "WebSocket scaling", "monitoring and validation"], "hpa"),
    ],
)
def test_the_rollout_says_nothing_of_what_is_off(off: set[str], phases: list[str], gone: str) -> None:
    text = rollout(make_plan(gates={}, **{f"tiers.{name}": "off" for name in off}))
    found = re.findall(r"^### Phase (\d): (.*) \(hours (\d+)-(\d+)\)$", text, re.MULTILINE)
    assert [title for _, title, *_ in found] == phases
    assert [(int(number), int(first), int(last)) for number, _, first, last in found] == [
        (number, 2 * number - 1, 2 * number) for number in range(1, len(phases) + 1)
    ]
    assert not re.search(gone, text, re.IGNORECASE)


def test_each_instance_has_its_steps_and_workers_have_theirs() -> None:
    made = make_plan(
        tiers__search={"kind": "api"},
        tiers__reports={"kind": "database"},
        tiers__worker={},
        tiers__queue={},
        behaviour__actions__find={"weight": 1.0, "request": "GET /found", "at": "search", "jobs": {"worker": 1}},
    )
    text = rollout(made)
    for expected in (
        "Deploy optimised query patterns (reports): ",
        "Create performance-oriented indexes (database): ",
        "Configure the autoscaling policies (search): ",
        "Configure the autoscaling policies (API): ",
        "Deploy the worker pods: ",
        ", scaled by the jobs that wait in queue",
        "search nodes ",
    ):
        assert expected in text


@pytest.mark.parametrize(
    ("off", "sentence"),
    [
        ((), " For managed databases and caches the rules do not compute it."),
        (("cache",), " For managed databases the rules do not compute it."),
        (("database", "pool"), " For managed caches the rules do not compute it."),
        (("database", "pool", "cache"), "acts is another thing, and stands beside it.\n"),
    ],
)
def test_what_has_no_idle_share_is_named_where_it_is(off: tuple[str, ...], sentence: str) -> None:
    text = markdown.render(make_plan(gates={}, **{f"tiers.{name}": "off" for name in off}))
    assert sentence in text
    assert text.count("the rules do not compute it") == ("managed" in sentence)


@pytest.mark.parametrize(
    "overrides",
    [{"tiers.cache.engine": "valkey"}, {"tiers.gateway.balancer": "nlb"}, {"tiers.database.replicas": 0}],
)
def test_variants_render(overrides: dict[str, Any]) -> None:
    assert markdown.render(make_plan(**overrides))
