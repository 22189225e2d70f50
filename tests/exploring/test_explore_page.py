"""The page in a real browser: each control changes what it should, and nobody but its user changes anything.

Every test ends with what the browser complained of and whom it asked: nothing, and nobody but the page's own server.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import quote

import pytest
from explored import Running, running
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, expect, sync_playwright
from servers import program

Result = tuple[int, str, str]
Act = Callable[[Page], None]
HOSTILE = "<img src=x onerror='window.hit=1'>"
WAIT_MS = 20_000
expect.set_options(timeout=WAIT_MS)


@pytest.fixture(scope="module")
def explored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("explored"), "cascade") as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = program("chromium")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield found
        found.close()


@contextmanager
def watched(browser: Browser, server: Running, width: int = 1280, scheme: str = "light") -> Iterator[Page]:
    """Yield a page; at the end it has complained of nothing and asked nobody but its server."""
    complaints: list[str] = []
    asked: list[str] = []

    def complained(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    def went(request: Request) -> None:
        if not request.url.startswith("blob:"):
            asked.append(request.url)

    dark = scheme == "dark"
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if dark else "light",
        permissions=["clipboard-read", "clipboard-write"],
        accept_downloads=True,
    )
    context.set_default_timeout(WAIT_MS)
    context.on("request", went)
    page = context.new_page()
    page.on("console", complained)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    try:
        yield page
    finally:
        context.close()
    assert complaints == []
    assert asked
    assert not [url for url in asked if not url.startswith(server.address)]


@pytest.fixture
def page(browser: Browser, explored: Running) -> Iterator[Page]:
    with watched(browser, explored) as found:
        opened(found, explored)
        yield found


@pytest.fixture(scope="module")
def shared(browser: Browser, explored: Running) -> Iterator[Page]:
    """A page that many tests use one after the other: each leaves it as it was."""
    with watched(browser, explored) as found:
        opened(found, explored)
        yield found


def opened(page: Page, server: Running, fragment: str = "") -> None:
    """Open a server's page and wait for its first plan."""
    page.goto(server.address + fragment)
    expect(page.locator("#tiers tfoot")).to_be_visible()


def command(page: Page) -> str:
    """Return the command line that makes the plan on the page."""
    return page.locator("#command").inner_text()


def field(page: Page, label: str) -> Act:
    """Return nothing: open the group of a labelled field, so that it can be seen."""
    found = page.get_by_label(label, exact=True).first
    found.evaluate("element => { for (let at = element.closest('details'); at; at = null) at.open = true }")
    return lambda _: None


# ----------------------------------------------------------------------------------------------------------- controls


def typed(label: str, value: str) -> Act:
    """Return what types a value into a field and leaves it."""

    def act(page: Page) -> None:
        field(page, label)
        page.get_by_label(label, exact=True).fill(value)
        page.get_by_label(label, exact=True).press("Tab")

    return act


def chosen(label: str, value: str) -> Act:
    """Return what chooses from a list."""

    def act(page: Page) -> None:
        field(page, label)
        page.get_by_label(label, exact=True).select_option(value)

    return act


def within(group: str, act: Callable[[Page], None]) -> Act:
    """Return what does something after a group of controls was opened."""

    def done(page: Page) -> None:
        page.locator(f"details[data-key=group-{group}]").evaluate("element => { element.open = true }")
        act(page)

    return done


def switched(label: str) -> Act:
    """Return what turns a switch."""
    return within("tiers", lambda page: page.get_by_role("switch", name=label, exact=True).click())


def of_tier(tier: str, field_: str, value: str) -> Act:
    """Return what chooses something of a tier."""
    return within(f"tier-{tier}", lambda page: _set(page, f"#field-tiers-{tier}-{field_}", value))


def _set(page: Page, selector: str, value: str) -> None:
    found = page.locator(selector)
    if found.evaluate("element => element.tagName") == "SELECT":
        found.select_option(value)
    else:
        found.fill(value)
        found.press("Tab")


def slid(label: str, key: str, times: int = 1) -> Act:
    """Return what moves a slider by keys."""

    def act(page: Page) -> None:
        for _ in range(times):
            page.get_by_label(label, exact=True).press(key)

    return act


CONTROLS: tuple[tuple[Act, str, str, str], ...] = (
    (typed("Users at peak", "50000"), "--peak 50000", "#title", "50,000 users at peak, 15,000 on average"),
    (slid("Users at peak, slider", "ArrowRight", 5), "--peak 13200", "#title", "13,200 users at peak"),
    (typed("Users on average", "9000"), "--set users.average=9000", "#title", "9,000 on average"),
    (typed("Think time, least", "2"), "--set behaviour.think_time_s.min=2", "#headline", "requests/s"),
    (typed("Think time, most", "10"), "--set behaviour.think_time_s.max=10", "#headline", "1,81"),
    (typed("CPU of list workrooms", "8"), "--set behaviour.actions.list_workrooms.cpu_ms=8", "#busy", "100%"),
    (slid("CPU of every action", "ArrowRight", 10), "cpu_ms=1.39", "#busy", "%"),
    (typed("For 1000 users", "500"), "--set budget.usd_per_1000_users_month=500", "#sentence", "Within budget"),
    (within("limits", typed("Peak, p95", "10")), "--set loads.peak.latency_ms_p95=10", "#latencies", "✗ 15.5 ms"),
    (chosen("Zones", "2"), "--set availability.zones=2", "#tiers", "NAT gateways"),
    (chosen("Availability", "minimal"), "--set availability.level=minimal", "#tiers", "database"),
    (chosen("Sized by", "slo"), "--set method=slo", "#tiers", "api"),
    (chosen("Region", "eu-west-1"), "--set region=eu-west-1", "#title", "aws eu-west-1"),
    (switched("Worker"), "--set 'tiers.worker={}'", "#tiers", "database"),
    (of_tier("cache", "engine", "valkey"), "--set tiers.cache.engine=valkey", "#tiers", "360.91"),
    (of_tier("database", "shape", "db.r6g.xlarge"), "--set tiers.database.shape=db.r6g.xlarge", "#tiers", "db.r6g"),
    (of_tier("api", "purchase", "spot"), "--set tiers.api.purchase=spot", "#tiers", "spot"),
    (of_tier("gateway", "balancer", "nlb"), "--set tiers.gateway.balancer=nlb", "#tiers", "NLB"),
)


@pytest.mark.parametrize(("act", "flag", "place", "shown"), CONTROLS, ids=[each[1] for each in CONTROLS])
def test_each_control_changes_what_it_should(shared: Page, act: Act, flag: str, place: str, shown: str) -> None:
    page = shared
    before = page.locator("#results").inner_text()
    act(page)
    expect(page.locator("#command")).to_contain_text(flag)
    expect(page.locator(place)).to_contain_text(shown)
    expect(page.locator("#trouble")).to_be_hidden()
    assert page.locator("#results").inner_text() != before
    page.get_by_role("button", name="Start over").click()
    expect(page.locator("#command")).to_have_text("cascade-plan size cascade")


def test_the_first_plan_is_the_one_that_size_prints(page: Page, cascade: Callable[..., Result]) -> None:
    _, out, _ = cascade("size", "cascade")
    assert page.locator("#sentence").inner_text() in out
    assert page.locator("#tiers tfoot").inner_text().split()[-2] in out
    for name in ("database", "cache", "api", "websocket"):
        expect(page.locator("#tiers tbody")).to_contain_text(name)
    assert page.get_by_role("button", name="Undo", exact=True).is_disabled()


def test_a_tier_that_is_off_is_gone_and_comes_back(page: Page) -> None:
    of_tier("cache", "engine", "valkey")(page)
    expect(page.locator("#command")).to_contain_text("valkey")
    switched("Cache")(page)
    expect(page.locator("#command")).to_have_text("cascade-plan size cascade --set tiers.cache=off")
    expect(page.locator("#tiers tbody tr th", has_text=re.compile("^cache"))).to_have_count(0)
    expect(page.locator("details[data-key=group-tier-cache]")).to_have_count(0)
    switched("Cache")(page)
    expect(page.locator("#command")).to_have_text("cascade-plan size cascade")
    expect(page.locator("#tiers tbody tr th", has_text=re.compile("^cache"))).to_have_count(1)


# ------------------------------------------------------------------------------------------------- undo, share, compare


def test_undo_and_redo_go_through_every_step_and_a_drag_is_one(page: Page) -> None:
    undo, redo = (page.get_by_role("button", name=name, exact=True) for name in ("Undo", "Redo"))
    slider = page.get_by_label("Users at peak, slider", exact=True)
    box = slider.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    for step in range(1, 9):
        page.mouse.move(box["x"] + box["width"] * (0.5 + step / 40), box["y"] + box["height"] / 2)
    page.mouse.up()
    expect(page.locator("#command")).to_contain_text("--peak")
    dragged = command(page)
    typed("For 1000 users", "500")(page)
    expect(page.locator("#sentence")).to_contain_text("Within budget")
    changed = command(page)
    undo.click()
    expect(page.locator("#command")).to_have_text(dragged)
    expect(page.get_by_label("For 1000 users", exact=True)).to_have_value("50")
    undo.click()
    expect(page.locator("#command")).to_have_text("cascade-plan size cascade")
    expect(page.get_by_label("Users at peak", exact=True)).to_have_value("10000")
    expect(undo).to_be_disabled()
    redo.click()
    page.locator("body").press("Control+Shift+Z")
    expect(page.locator("#command")).to_have_text(changed)
    page.locator("body").press("Control+Z")
    expect(page.locator("#command")).to_have_text(dragged)


def test_a_link_opens_the_same_plan(page: Page, browser: Browser, explored: Running) -> None:
    typed("Users at peak", "25000")(page)
    of_tier("cache", "engine", "valkey")(page)
    page.get_by_role("button", name="Pin as A").click()
    of_tier("api", "purchase", "spot")(page)
    expect(page.locator("#tiers")).to_contain_text("spot")
    expect(page.locator("#difference")).to_contain_text("spot")
    page.get_by_role("button", name="Copy link").click()
    link = page.evaluate("navigator.clipboard.readText()")
    assert page.url == link
    with watched(browser, explored) as other:
        opened(other, explored, link.removeprefix(explored.address))
        assert command(other) == command(page)
        assert other.locator("#tiers").inner_text() == page.locator("#tiers").inner_text()
        assert other.locator("#headline").inner_text() == page.locator("#headline").inner_text()
        assert other.get_by_role("button", name="Unpin A").is_visible()


def test_two_plans_stand_side_by_side(page: Page) -> None:
    total = page.locator("#tiers tfoot td.number").first.inner_text().removesuffix("why").strip()
    page.get_by_role("button", name="Pin as A").click()
    switched("WebSocket")(page)
    rows = page.locator("#tiers")
    expect(rows).to_contain_text("not there")
    expect(rows.locator("tfoot td.number").nth(1)).to_contain_text(total)
    expect(rows.locator("tfoot .change")).to_have_class(re.compile("less"))
    expect(page.locator("#headline")).to_contain_text("A: $2,792.11")
    expect(page.locator("#difference")).to_contain_text("websocket")
    expect(page.locator("#findings")).to_contain_text("gone")
    page.get_by_role("button", name="Unpin A").click()
    expect(page.locator("#difference-card")).to_be_hidden()
    expect(rows).not_to_contain_text("not there")


def test_what_is_taken_home_is_what_the_server_gives(page: Page, explored: Running) -> None:
    typed("Users at peak", "25000")(page)
    expect(page.locator("#title")).to_contain_text("25,000")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save YAML").click()
    assert download.value.suggested_filename == "cascade.yaml"
    saved = Path(download.value.path()).read_text(encoding="utf-8")
    assert saved == explored.ask("scenario", set=[["users.peak", "25000"]])["text"]
    page.get_by_role("button", name="Copy command").click()
    assert page.evaluate("navigator.clipboard.readText()") == "cascade-plan size cascade --peak 25000"


# ------------------------------------------------------------------------------------------------------------ problems


def test_bad_values_are_said_at_their_fields_and_the_last_plan_stays(page: Page) -> None:
    before = page.locator("#tiers").inner_text()
    typed("Users at peak", "many")(page)
    typed("For 1000 users", "-3")(page)
    for label, words in (("Users at peak", "must be a whole number, got 'many'"), ("For 1000 users", "got -3")):
        box = page.get_by_label(label, exact=True)
        expect(box).to_have_attribute("aria-invalid", "true")
        said = page.locator(f"#{box.get_attribute('aria-describedby')}")
        expect(said).to_contain_text(words)
    expect(page.locator("#trouble")).to_have_text("2 values need another look.")
    expect(page.locator("#stale")).to_be_visible()
    assert page.locator("#tiers").inner_text() == before
    typed("Users at peak", "12000")(page)
    typed("For 1000 users", "60")(page)
    expect(page.locator("#trouble")).to_be_hidden()
    expect(page.locator("#stale")).to_be_hidden()
    expect(page.locator("#title")).to_contain_text("12,000")
    assert page.locator("[aria-invalid]").count() == 0


def test_a_value_without_a_control_can_be_set_and_its_mistakes_are_said(page: Page) -> None:
    page.locator("#others").evaluate("element => { element.open = true }")
    other = page.get_by_label("Any other value of the scenario")
    other.fill("users.tenats=5")
    other.press("Enter")
    expect(page.locator("#general")).to_contain_text("unknown field; did you mean 'tenants'?")
    page.get_by_role("button", name="Undo the change of users.tenats").click()
    expect(page.locator("#general")).to_be_hidden()
    other.fill('gates."cost_usd_per_1000_users_month"=["< 300"]')
    other.press("Enter")
    expect(page.locator("#gates")).to_contain_text("cost_usd_per_1000_users_month < 300 = 279.21")


def test_a_scenario_without_a_plan_says_what_binds(page: Page) -> None:
    chosen("Sized by", "slo")(page)
    typed("Share of users who act", "1")(page)
    typed("Users at peak", "50000")(page)
    expect(page.locator("#trouble")).to_contain_text("tiers.database.shape: db.r5.xlarge is too small")
    expect(page.locator("#stale")).to_be_visible()


def test_hostile_text_is_text(browser: Browser, tmp_path: Path) -> None:
    name = f"{HOSTILE.replace('/', '')}.yaml"
    source = Path(__file__).parents[2].joinpath("scenarios", "cascade.yaml").read_text(encoding="utf-8")
    (tmp_path / name).write_text(source, encoding="utf-8")
    with running(tmp_path, f"./{name}") as server, watched(browser, server) as page:
        changes = [f"description={HOSTILE}", f"users.peak={HOSTILE}", f"{HOSTILE}=1", f'tiers.api.image="{HOSTILE}"']
        page.goto(server.address + "#" + "&".join(f"set={quote(each, safe='')}" for each in changes))
        expect(page.locator("#general")).to_contain_text("<img src")
        expect(page.locator("#changes")).to_contain_text(HOSTILE)
        page.get_by_role("button", name="Start over").click()
        expect(page.locator("#tiers tfoot")).to_be_visible()
        expect(page.locator("#command")).to_contain_text("<img src=x onerror=")
        page.get_by_role("button", name=re.compile("^Why cost per 1000 users")).click()
        expect(page.locator("#why-text")).to_contain_text("cost_usd_per_1000_users_month = ")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="What is Users at peak?").click()
        expect(page.locator("#why-text")).to_contain_text("onerror='window.hit=1'")
        assert page.locator("img").count() == 0
        assert page.evaluate("window.hit") is None


# ---------------------------------------------------------------------------------------------------------------- why


def test_every_figure_says_why_in_the_words_of_explain(page: Page, explored: Running) -> None:
    columns = re.compile(r'"columns":(\d+)')
    with page.expect_request("**/explain") as asked:
        page.get_by_role("button", name=re.compile("^Why cost per 1000 users")).click()
    given = columns.search(asked.value.post_data or "")
    assert given is not None
    answer = explored.ask("explain", set=[], figure="cost_usd_per_1000_users_month", columns=int(given[1]))
    expect(page.locator("#why-text")).to_have_text(answer["text"])
    assert page.locator("#why-text").evaluate("element => element.scrollWidth <= element.clientWidth")
    page.get_by_role("button", name="Close").click()
    page.locator("summary", has_text="All figures").click()
    page.get_by_label("Figures whose name holds").fill("replica_count.max")
    expect(page.locator("#figures tr")).to_have_count(1)
    page.locator("#figures button").click()
    expect(page.locator("#why-text")).to_contain_text("api.replica_count.max = 32 pods")


# ------------------------------------------------------------------------------------------------------------- charts


def test_the_charts_follow_the_plan(page: Page) -> None:
    cost, latency = page.locator("#curve"), page.locator("#reach")
    expect(cost.locator("svg")).to_have_count(1)
    expect(cost).to_contain_text("10,000 users at peak cost $2,792.11 a month")
    expect(latency).to_contain_text("p95 is below 300 ms")
    typed("Users at peak", "20000")(page)
    expect(cost).to_contain_text("20,000 users at peak cost")
    expect(latency).to_contain_text("peak: 20,000")
    expect(cost.locator("svg")).to_have_count(1)
    assert cost.get_by_role("figure").get_attribute("aria-label")
    page.set_viewport_size({"width": 400, "height": 800})
    expect(cost.locator("svg")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") == 400


# --------------------------------------------------------------------------------------------------------------- jobs


def is_done(form: Locator) -> None:
    """Wait until what a form has started is done, and has not failed."""
    expect(form.get_by_role("status")).to_have_text(re.compile(r"Done in [\d.]+ s\."), timeout=60_000)


def test_days_are_simulated_with_progress_and_can_be_cancelled(page: Page) -> None:
    form = page.locator("form[data-kind=simulate]")
    form.get_by_label("Days", exact=True).fill("14")
    form.get_by_label("Runs", exact=True).fill("50")
    form.get_by_role("button", name="Simulate days").click()
    expect(form.get_by_role("status")).to_have_text(re.compile(r"\d+%, \d+ s"))
    expect(form.get_by_role("progressbar")).to_be_visible()
    form.get_by_role("button", name="Cancel").click()
    expect(form.get_by_role("status")).to_have_text("Cancelled.")
    form.get_by_label("Days", exact=True).fill("1")
    form.get_by_label("Runs", exact=True).fill("1")
    form.get_by_role("button", name="Simulate days").click()
    is_done(form)
    expect(page.get_by_label("Simulate days: result")).to_contain_text("SLO")
    expect(page.locator("form[data-kind=simulate] + .chart svg")).to_contain_text("Load and capacity")


def test_months_are_forecast_and_drawn(page: Page) -> None:
    form = page.locator("form[data-kind=forecast]")
    form.get_by_label("Months", exact=True).fill("12")
    form.get_by_role("button", name="Forecast months").click()
    is_done(form)
    expect(page.get_by_label("Forecast months: result")).to_contain_text("12 months from")
    expect(page.locator("form[data-kind=forecast] + .chart svg")).to_contain_text("2027-10")


def test_how_sure_a_plan_is_is_asked_and_drawn(page: Page) -> None:
    form = page.locator("form[data-kind=risk]")
    form.get_by_label("Worlds", exact=True).fill("500")
    form.get_by_role("button", name="Ask how sure it is").click()
    is_done(form)
    expect(page.get_by_label("Ask how sure it is: result")).to_contain_text("500")
    expect(page.locator("form[data-kind=risk] + .chart svg")).to_contain_text("worlds")


def test_the_cheapest_fleet_is_found_and_taken_over(page: Page) -> None:
    form = page.locator("form[data-kind=optimize]")
    form.get_by_role("button", name="Find the cheapest fleet").click()
    is_done(form)
    expect(page.locator("form[data-kind=optimize] + .chart svg")).to_contain_text("cheapest plan")
    form.get_by_role("button", name="Take it over").click()
    expect(page.locator("#command")).to_contain_text("--set method=slo")
    expect(page.locator("#trouble")).to_be_hidden()
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(page.locator("#command")).to_have_text("cascade-plan size cascade")


@pytest.mark.parametrize("name", ["saas-300", "serverless-500"])
def test_systems_of_other_tiers_are_shown_and_changed(browser: Browser, tmp_path: Path, name: str) -> None:
    with running(tmp_path, name) as server, watched(browser, server) as page:
        opened(page, server)
        expect(page.locator("#reach svg")).to_be_visible()
        before = page.locator("#title").inner_text()
        slid("Users at peak, slider", "ArrowRight")(page)
        expect(page.locator("#title")).not_to_have_text(before)
        expect(page.locator("#trouble")).to_be_hidden()
        page.get_by_role("button", name=re.compile("^Why network is")).click()
        expect(page.locator("#why-text")).to_contain_text("network.")


# ---------------------------------------------------------------------------------------------------- reading, keyboard

UNNAMED = """() => [...document.querySelectorAll("button, input, select, summary, textarea, progress")]
  .filter((each) => each.checkVisibility())
  .filter((each) => {
    const labels = [...(each.labels ?? [])].map((label) => label.textContent.trim()).join("");
    return !(labels || each.getAttribute("aria-label") || (each.tagName !== "INPUT" && each.textContent.trim()));
  })
  .map((each) => each.outerHTML)"""


def test_everything_is_reached_by_tab_and_has_a_name(page: Page) -> None:
    expect(page.locator("#reach svg")).to_be_visible()
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true })")
    assert page.evaluate(UNNAMED) == []
    can_be_reached = """() => [...document.querySelectorAll("button, input, select, summary, pre[tabindex]")]
      .filter((each) => each.checkVisibility() && !each.disabled).length"""
    wanted = page.evaluate(can_be_reached)
    page.evaluate("window.reached = new Set(); addEventListener('focusin', (event) => reached.add(event.target))")
    for _ in range(wanted + 5):
        page.keyboard.press("Tab")
    seen = page.evaluate(
        """[...document.querySelectorAll("button, input, select, summary, pre[tabindex]")]
          .filter((each) => each.checkVisibility() && !each.disabled && !reached.has(each))
          .map((each) => each.outerHTML)"""
    )
    assert seen == []
    assert wanted > 80


def test_a_plan_is_changed_and_explained_by_keys_alone(page: Page) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "skip"
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.getAttribute('aria-label')") == "Users at peak, slider":
            break
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(page.locator("#title")).to_contain_text("11,800 users at peak")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Users at peak, slider"
    expect(page.locator("#live")).to_contain_text("Over budget")
    page.locator("#results").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "why"
    page.keyboard.press("Enter")
    expect(page.locator("#why-text")).to_contain_text("cost_usd_per_month.average = ")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.textContent") == "why"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1280])
def test_nothing_is_wider_than_the_page_and_all_can_be_read(
    browser: Browser, explored: Running, width: int, scheme: str
) -> None:
    with watched(browser, explored, width, scheme) as page:
        opened(page, explored, "#set=tiers.cache.engine%3Dvalkey&pin=1")
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true })")
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.evaluate(CONTRAST) == []


CONTRAST = """() => {
  const channel = (value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => 0.2126 * channel(r / 255) + 0.7152 * channel(g / 255) + 0.0722 * channel(b / 255);
  const paper = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const found = numbers(getComputedStyle(at).backgroundColor);
      if (found.length === 3 || found[3] === 1) return found;
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const bad = [];
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !element.checkVisibility() || element.closest(":disabled")) continue;
    const style = getComputedStyle(element);
    const [one, other] = [light(numbers(style.color)), light(paper(element))].sort((a, b) => b - a);
    if ((one + 0.05) / (other + 0.05) < 4.5) bad.push(`${walker.currentNode.textContent}: ${style.color}`);
  }
  return bad;
}"""
"""Texts with less contrast than WCAG 2.2 asks for (1.4.3: 4.5 to 1)."""


# ------------------------------------------------------------------------------------------------------- other pages


def test_another_page_cannot_drive_it_even_if_it_knows_the_address(
    browser: Browser, explored: Running, tmp_path: Path
) -> None:
    (tmp_path / "index.html").write_text("<title>elsewhere</title>", encoding="utf-8")
    serving = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    thread = Thread(target=serving.serve_forever)
    thread.start()
    context = browser.new_context()
    statuses: list[int] = []
    try:
        page = context.new_page()
        page.on(
            "response", lambda found: statuses.append(found.status) if found.url.startswith(explored.origin) else None
        )
        page.goto(f"http://127.0.0.1:{serving.server_port}/")
        outcome = page.evaluate(ATTACK, explored.address)
        assert outcome == {"plain": "failed", "blind": "failed", "script": "failed", "frame": "closed", "form": "done"}
        assert statuses
        # Only the frame's own opening may be answered at all, and the browser shows none of it.
        assert {*statuses} == {403}
    finally:
        context.close()
        serving.shutdown()
        thread.join()
        serving.server_close()


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing of it."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


ATTACK = """async (address) => {
  const body = JSON.stringify({ kind: "simulate", set: [] });
  const headers = { "Content-Type": "application/json" };
  const outcome = {};
  const post = (more) => fetch(`${address}start`, { method: "POST", body, ...more }).then(() => "sent", () => "failed");
  outcome.plain = await post({ headers });
  outcome.blind = await post({ mode: "no-cors" });
  outcome.script = await new Promise((done) => {
    const script = document.createElement("script");
    script.onload = () => done("run");
    script.onerror = () => done("failed");
    script.src = `${address}assets/state.js`;
    document.head.append(script);
  });
  outcome.frame = await new Promise((done) => {
    const frame = document.createElement("iframe");
    frame.onload = () => { try { done(frame.contentDocument ? "open" : "closed"); } catch { done("closed"); } };
    frame.src = address;
    document.body.append(frame);
  });
  outcome.form = await new Promise((done) => {
    const frame = document.createElement("iframe");
    frame.name = "target";
    document.body.append(frame);
    const form = document.createElement("form");
    Object.assign(form, { method: "POST", action: `${address}start`, target: "target", enctype: "text/plain" });
    document.body.append(form);
    frame.onload = () => done("done");
    form.submit();
  });
  return outcome;
}"""


def test_how_long_a_move_takes_to_show(page: Page, capsys: pytest.CaptureFixture[str]) -> None:
    slider = page.get_by_label("Users at peak, slider", exact=True)
    for _ in range(20):
        slider.press("ArrowRight")
        page.wait_for_timeout(60)
    expect(page.locator("#title")).not_to_contain_text("10,000 users")
    took = sorted(page.evaluate("performance.getEntriesByName('redraw').map((each) => each.duration)"))
    assert len(took) > 5
    with capsys.disabled():
        print(f"\nfrom a move to its plan on the page: median {took[len(took) // 2]:.0f} ms of {len(took)}")  # noqa: T201


def test_a_page_whose_server_is_gone_says_so(browser: Browser, tmp_path: Path) -> None:
    with running(tmp_path, "cascade") as server:
        context = browser.new_context()
        page = context.new_page()
        opened(page, server)
        assert server.stop() == 0
        typed("Users at peak", "20000")(page)
        expect(page.locator("#trouble")).to_contain_text("does not answer any more: start it again")
        expect(page.locator("#stale")).to_be_visible()
        context.close()
