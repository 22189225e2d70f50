"""A page is one file that draws its charts, loads nothing and runs nothing that is not its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from browsers import Browser, browser
from timelines import HOSTILE, day, made_simulation

from cascade_plan.files.scripts import drawing
from cascade_plan.reports import pages
from cascade_plan.reports.charts import day as day_chart

ROWS = (("b", "$1,000.00"), ("a", "$20.50"), ("c", "no price"), ("Total", "$1,020.50"))
FIGURE = '<main><h1>Shop</h1><figure data-chart="day"></figure>{table}</main>'


def made(name: str = "Shop") -> str:
    spec = day_chart.draw(made_simulation(day(), scenario=name, traffic=name), "cpu")
    table = pages.table(("Item", "Cost"), [*ROWS[:3], (name, "$0.00"), ROWS[3]], (1,), is_total=True)
    return pages.page(name, FIGURE.format(table=table), {"day": spec}, drawing())


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as found:
        yield found


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "page.html").write_text(made(), encoding="utf-8")
    return tmp_path / "page.html"


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_draws_without_a_request_or_an_error(chromium: Browser, file: Path, width: int, scheme: str) -> None:
    with chromium.opened(file, width, scheme) as (page, seen):
        assert page.locator("figure svg.marks").count() == 1
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert "Load and capacity (requests/s)" in page.locator("figure svg.marks").text_content()
    assert seen.requests == [file.as_uri()]
    assert seen.errors == []


def test_a_chart_is_legible_in_the_dark(chromium: Browser, file: Path) -> None:
    for scheme in ("light", "dark"):
        with chromium.opened(file, 1280, scheme) as (page, _):
            title = page.locator("figure svg.marks text", has_text="Shop: cpu").first
            ink = title.evaluate("each => getComputedStyle(each).fill")
            paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        one, other = (sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in (ink, paper))
        assert abs(one - other) > 500


def test_a_table_is_sorted_by_numbers_and_the_total_stays(chromium: Browser, file: Path) -> None:
    with chromium.opened(file) as (page, _):
        page.get_by_role("button", name="Cost").click()
        assert page.locator("td:nth-child(1)").all_text_contents() == ["c", "Shop", "a", "b", "Total"]
        assert page.locator("th").nth(1).get_attribute("aria-sort") == "ascending"
        page.get_by_role("button", name="Cost").press("Enter")
        assert page.locator("td:nth-child(1)").all_text_contents() == ["b", "a", "Shop", "c", "Total"]
        page.get_by_role("button", name="Item").click()
        assert page.locator("td:nth-child(1)").all_text_contents() == ["a", "b", "c", "Shop", "Total"]


def test_hostile_words_are_text(chromium: Browser, tmp_path: Path) -> None:
    name = HOSTILE + "</script><img src=x onerror=alert(1)><!--"
    file = tmp_path / "page.html"
    file.write_text(made(name), encoding="utf-8")
    with chromium.opened(file) as (page, seen):
        assert page.locator("img").count() == 0
        assert "<script>alert('&\"')</script>" in page.title()
        assert page.locator("figure svg.marks").count() == 1
    assert seen.requests == [file.as_uri()]
    assert (seen.errors, seen.dialogs) == ([], [])


def test_a_script_that_got_in_would_not_run(chromium: Browser, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    text = made().replace(
        "<h1>Shop</h1>", "<h1 onclick='alert(1)'>x</h1><script>alert(2)</script><img src='https://a.example/'>"
    )
    file.write_text(text, encoding="utf-8")
    with chromium.opened(file) as (page, seen):
        page.locator("h1").click()
    assert seen.dialogs == []
    assert seen.requests == [file.as_uri()]
    assert seen.blocked == ["https://a.example/"]
    assert len(seen.errors) >= 3


class Elements(HTMLParser):
    """The elements of a page, with their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, Any]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_a_page_names_nothing_outside_itself() -> None:
    elements = Elements()
    elements.feed(made())
    assert not [tag for tag, given in elements.found if {"src", "href", "srcset", "style"} & set(given)]
    policy = next(given["content"] for tag, given in elements.found if given.get("http-equiv"))
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in policy
    assert policy.count("'sha256-") == sum(tag == "script" and "type" not in given for tag, given in elements.found)


def test_the_same_page_is_the_same_bytes() -> None:
    assert made() == made()
