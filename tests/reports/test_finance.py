"""The first page is what finance approves: in its order, in plain words, with figures that are those of the nouns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from html import escape
from pathlib import Path

import pytest
from browsers import Browser, browser
from factories import with_text
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from papers import made
from timelines import HOSTILE
from workbooks import recalculated

from cascade_plan.cli.app import run
from cascade_plan.cli.papering import _charts
from cascade_plan.errors import InfeasibleError, UsageError
from cascade_plan.files.scripts import drawing
from cascade_plan.model.paper import Paper
from cascade_plan.model.plan import Plan
from cascade_plan.reports import _translated as translated
from cascade_plan.reports._marked import bars, code, escaped, paragraph, table
from cascade_plan.reports._words import one_line
from cascade_plan.reports.forecasts import html as forecast_html
from cascade_plan.reports.forecasts import xlsx as forecast_xlsx
from cascade_plan.reports.plans import html, markdown, xlsx

SECTIONS = (
    "Verdict",
    "Month, years and all 14 months",
    "Causes",
    "Decisions",
    "Cost of 1000 users",
    "How sure",
    "Basis",
)
ENGINEERS = (
    r"\bp9[59]\b|\bSLO\b|\bHPA\b|\bpods?\b|\bvCPU\b|\bGiB\b|multi-AZ|[a-z]+[0-9]+[a-z]*\.(?:\d*x?large|medium|small)"
    r"|\breplicas?\b|\b[a-z_]+\.[a-z_]+\.[a-z_]+|\bautoscaler\b|\bgates?\b"
)
"""What an engineer alone reads."""


def page(plan: Plan, paper: Paper) -> str:
    return markdown.render(plan, paper).partition("\n---\n")[0]


def test_the_first_page_is_in_the_order_of_who_signs_it() -> None:
    plan, paper = made()
    text = page(plan, paper)
    assert [name for name in re.findall(r"^## (.*)$", text, re.M) if name != "Charts"] == [*SECTIONS]
    assert text.startswith("# cascade: what it costs and what to decide\n\n**Approve $")
    whole = markdown.render(plan, paper)
    assert whole.index("# Appendix: cascade") > len(text)
    assert "## Line items" in whole[len(text) :]


def test_the_appendix_has_what_the_decisions_are_in_detail() -> None:
    plan, paper = made()
    assert paper.saving is not None
    text = markdown.render(plan, paper).partition("# Appendix")[2]
    lost = [each for cause in paper.saving.causes for each in cause.gives_up]
    assert lost
    assert all(escaped(each) in text for each in lost)
    assert text.count("upfront |") >= len(paper.schedule.orders)
    for order in paper.schedule.orders:
        assert f"| {order.offer.name} |" in text


def test_nobody_needs_an_engineer_to_read_it() -> None:
    plan, paper = made()
    text = re.sub(r"```mermaid.*?```", "", page(plan, paper), flags=re.DOTALL).replace("tags.owner", "")
    assert re.findall(ENGINEERS, text) == []
    assert re.findall(ENGINEERS, markdown.render(plan))


def test_it_asks_for_the_first_whole_year_with_its_reserve() -> None:
    plan, paper = made()
    year = paper.years[0]
    asked = (year.effective_usd * Decimal("1.1") / 100).to_integral_value("ROUND_CEILING") * 100
    text = page(plan, paper)
    assert f"**Approve ${asked:,.0f} for FY2027:** ${year.effective_usd:,.0f} forecast" in text
    assert f"What is paid in that year is ${year.cash_usd:,.0f}" in text
    assert "Owner: Ada." in text
    assert f"Plan {plan.identifier}" in text


def test_amounts_against_the_budget_are_said_in_words() -> None:
    plan, paper = made()
    assert "$2,292 a month unfavourable" in page(plan, paper)
    year = paper.years[0]
    assert year.budget_usd is not None
    assert f"${year.effective_usd - year.budget_usd:,.0f} unfavourable" in page(plan, paper)
    rich = made("cascade", ("budget.usd_per_1000_users_month=900", "forecast.months=2", "forecast.start=2027-01"))
    assert "**Within budget.**" in page(*rich)
    assert "favourable" in page(*rich).replace("unfavourable", "")


def test_without_a_paper_it_is_what_engineers_read() -> None:
    plan, _ = made()
    assert markdown.render(plan).startswith("# Cost report: cascade\n")


# Markdown as HTML


@given(st.text(max_size=60))
def test_text_survives_the_way_through_markdown(text: str) -> None:
    assert translated.spans(escaped(text)) == escape(one_line(text))
    assert translated.html([paragraph(text)]) == (f"<p>{escape(one_line(text))}</p>" if one_line(text) else "")


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=20)), max_size=4))
def test_cells_survive_the_way_through_markdown(rows: list[tuple[str, str]]) -> None:
    rendered = translated.html(list(table(("A", "B"), [(f"x{one}", f"y{other}") for one, other in rows], (1,))))
    cells = re.findall(r"<td[^>]*>(.*?)</td>", rendered, re.DOTALL)
    assert cells == [escape(one_line(each)) for one, other in rows for each in (f"x{one}", f"y{other}")]


def test_every_kind_of_line_has_its_element() -> None:
    lines = [
        "# Title", "", "Some **bold** text", "goes on.", "", "- one", "  - [ ] within", "- two " + code("a < b"), "",
        *table(("Tier", "Cost"), [("api", "$1"), ("Total", "$1")], (1,)), "---", *bars("t", ["a"], "USD", [Decimal(1)]),
        *translated.chart_line("days"),
    ]  # fmt: skip
    text = translated.html(lines)
    assert "<h1>Title</h1>" in text
    assert "<p>Some <strong>bold</strong> text goes on.</p>" in text
    assert "<ul><li>one</li><ul><li>☐ within</li></ul><li>two <code>a &lt; b</code></li></ul>" in text
    assert '<tfoot><tr class="total"><td' in text
    assert "<hr>" in text
    assert text.count("<figure") == 1
    assert "mermaid" not in text


# The page of one file


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as found:
        yield found


def written(plan: Plan, paper: Paper, folder: Path) -> Path:
    file = folder / "report.html"
    file.write_text(html.render(plan, paper, _charts(plan, paper), drawing()), encoding="utf-8")
    return file


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_the_page_loads_nothing_and_draws_all(chromium: Browser, tmp_path: Path, width: int, scheme: str) -> None:
    file = written(*made(), tmp_path)
    with chromium.opened(file, width, scheme) as (shown, seen):
        assert shown.locator("figure svg.marks").count() == 3
        assert shown.evaluate("document.documentElement.scrollWidth") <= width
        assert shown.locator("h2").first.text_content() == "Verdict"
    assert seen.requests == [file.as_uri()]
    assert seen.errors == []


def test_hostile_text_is_inert_in_the_page(chromium: Browser, tmp_path: Path) -> None:
    plan, paper = made()
    evil = HOSTILE + "<img src=x onerror=alert(1)>[a](javascript:alert(1))"
    plan = with_text(plan, evil)
    tagged = plan.scenario.model_copy(update={"tags": {"owner": evil}})
    file = written(replace(plan, scenario=tagged), paper, tmp_path)
    with chromium.opened(file) as (shown, seen):
        assert shown.locator("img, main > p a, main td a, .appendix a").count() == 0
        assert "<script>alert(" in (shown.locator("main").text_content() or "")
    assert (seen.requests, seen.errors, seen.dialogs) == ([file.as_uri()], [], [])


def test_a_forecast_is_a_page_too(chromium: Browser, tmp_path: Path) -> None:
    plan, paper = made()
    file = tmp_path / "forecast.html"
    charts = {"cost-over-months": _charts(plan, paper)["cost-over-months"]}
    file.write_text(forecast_html.render(paper.forecast, charts, drawing()), encoding="utf-8")
    with chromium.opened(file) as (shown, seen):
        assert shown.locator("figure svg.marks").count() == 1
        assert shown.locator("tbody tr").count() > 14
    assert (seen.requests, seen.errors) == ([file.as_uri()], [])


# The workbook


def test_libreoffice_computes_every_value_of_the_report(tmp_path: Path) -> None:
    cells = recalculated(xlsx.render(*made()), tmp_path)
    assert len(cells) > 100
    assert not [cell for cell in cells if cell.differs]
    assert {cell.cell.partition("!")[0] for cell in cells} == {"Summary", "Months", "Commitments", "Line items"}


def test_libreoffice_computes_every_value_of_a_forecast(tmp_path: Path) -> None:
    cells = recalculated(forecast_xlsx.render(made()[1].forecast), tmp_path)
    assert len(cells) > 40
    assert not [cell for cell in cells if cell.differs]


def test_a_wrong_value_would_be_found(tmp_path: Path) -> None:
    plan, paper = made()
    item = replace(plan.bill.items[0], price_usd=plan.bill.items[0].price_usd * 2)
    spoilt = replace(plan, bill=replace(plan.bill, items=(item, *plan.bill.items[1:])))
    one, other = (xlsx.render(each, paper) for each in (plan, spoilt))
    assert one != other
    values = {cell.cell: cell.computed for cell in recalculated(one, tmp_path)}
    (tmp_path / "other").mkdir()
    for cell in recalculated(other, tmp_path / "other"):
        if cell.cell == "Line items!F2":
            assert cell.computed == pytest.approx(2 * float(str(values[cell.cell])))


def test_the_workbook_has_what_the_nouns_say(tmp_path: Path) -> None:
    plan, paper = made()
    (tmp_path / "r.xlsx").write_bytes(xlsx.render(plan, paper))
    book = load_workbook(tmp_path / "r.xlsx", data_only=True)
    assert book.sheetnames == ["Summary", "Months", "Commitments", "Line items", "Assumptions"]
    summary = {row[0]: row[1] for row in book["Summary"].iter_rows(values_only=True)}
    assert summary["Plan"] == plan.identifier
    assert summary["Owner"] == "Ada"
    assert summary["Today, a month"] == pytest.approx(float(plan.answer.cost_usd_per_month))
    years = {row[0]: row for row in book["Summary"].iter_rows(values_only=True)}
    total = years["14 months"]
    expected = [paper.total.without_usd, paper.total.effective_usd, paper.total.cash_usd, paper.total.budget_usd]
    assert list(total[2:6]) == [pytest.approx(float(each or 0)) for each in expected]
    assert total[7] == pytest.approx(float(paper.total.cost_usd_per_1000_users))
    assert {"buffer_percent", "budget_usd_per_1000_users", "users_peak"} <= {*book.defined_names}


def test_the_same_plan_is_the_same_workbook() -> None:
    assert xlsx.render(*made()) == xlsx.render(*made())
    assert forecast_xlsx.render(made()[1].forecast) == forecast_xlsx.render(made()[1].forecast)


@pytest.mark.parametrize("begin", ["=", "+", "-", "@"])
def test_text_that_begins_like_a_formula_stays_text(begin: str, tmp_path: Path) -> None:
    plan, paper = made()
    evil = f"{begin}cmd|' /C calc'!A0"
    plan = with_text(plan, evil)
    (tmp_path / "r.xlsx").write_bytes(xlsx.render(plan, paper))
    book = load_workbook(tmp_path / "r.xlsx")
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value == evil]
    assert len(cells) > 10
    assert {cell.data_type for cell in cells} == {"s"}


def test_without_the_extra_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "xlsxwriter", None)
    with pytest.raises(UsageError, match=r"XlsxWriter, which is not installed: pip install 'cascade-plan\[xlsx\]'"):
        xlsx.render(*made())


# The command


def test_the_command_writes_each_format(tmp_path: Path) -> None:
    sets = ["--set", "forecast.months=2", "--set", "forecast.start=2027-01", "-q"]
    for ending, start in (("html", b"<!DOC"), ("xlsx", b"PK"), ("markdown", b"# startup-1k: what it costs")):
        file = tmp_path / f"r.{ending}"
        assert run(["report", "startup-1k", *sets, "--format", ending, "-o", str(file)]) == 0
        assert file.read_bytes().startswith(start)


def test_without_a_plan_for_every_month_the_appendix_is_written_and_the_reason_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def failed(*_: object) -> Paper:
        raise InfeasibleError("in 2028-02, there is no plan")

    monkeypatch.setattr("cascade_plan.choosing.paper.paper", failed)
    assert run(["report", "startup-1k"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("# Cost report: startup-1k\n")
    assert "warning: the report has no first page: in 2028-02, there is no plan" in err


def test_a_workbook_of_several_environments_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "many.yaml"
    head = "schema_version: 1\nname: shop\nusers: {peak: 100, average: 50}\n"
    file.write_text(head + "environments: {prod: {}, test: {users: {peak: 10, average: 5}}}\n", encoding="utf-8")
    assert run(["report", str(file), "--format", "xlsx", "-o", str(tmp_path / "r.xlsx")]) == 2
    assert "--format xlsx is of one environment: give --env NAME" in capsys.readouterr().err
    assert not (tmp_path / "r.xlsx").exists()
