"""The comment on a pull request: what it says first, what it leaves out, and that no text in it acts."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

import pytest
from factories import make_plan, with_text
from hypothesis import given
from hypothesis import strategies as st
from rendered import NO_WIDTH, acts, by_another, by_github, commands

from cascade_plan.choosing.differences import compare
from cascade_plan.model.derivation import Finding
from cascade_plan.model.difference import Change
from cascade_plan.model.plan import Plan
from cascade_plan.reports._marked import inert
from cascade_plan.reports._words import one_line
from cascade_plan.reports.differences.markdown import Comment, Room, comment, render

PLAN = make_plan()
DEARER = make_plan(tiers__database__replicas=2)
ROOM = Room("GitHub", 65_536)
MARKER = "<!-- cascade-plan: a.yaml -->"
OURS = {
    "h3", "p", "strong", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "details", "summary", "sub", "code",
    "em",
}  # fmt: skip
HOSTILE = (
    "@octocat", "cc @org/team now", "a@b.example", "#1", "org/repo#12", "!7", "GH-3", "~bug", '%"v1"', "&9",
    "https://evil.example", "see HTTP://evil.example/?a=b", "www.evil.example", "irc://x", "mailto:a@b.example",
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "</details></sub>", "<!-- -->", "-->",
    "![x](https://evil.example/a.png)", "[x](javascript:alert(1))", "[x]: https://evil.example", "<https://evil.example>",
    "`code`", "``", "```\nfence", "| a | b |", "\n\n# heading", "\n/close", "/merge", "::error::x", "\n- [ ] task",
    ":100:", ":tada:", "$x$", "$$", "**bold**", "_it_", "~~gone~~", "[^1]", "> [!NOTE]", "\\@octocat", "&#64;octocat",
    "&commat;octocat", "\u202eevil", "\x00\x1b[31m", "a\r\nb", "@", "#", "1. x", "===", "---", "\t\tcode",
)  # fmt: skip


def changed(before: Plan | None, after: Plan | None, called: str = "a.yaml", **more: str) -> Change:
    both = None if before is None or after is None else compare(before, after)
    return Change(called, before, after, both, **more)


def said(*changes: Change, room: Room = ROOM) -> str:
    return comment(Comment(MARKER, changes, "commit 0123456789ab", "cascade-plan 0.1.0"), room)


def missed(plan: Plan) -> Plan:
    """Return the plan with its first verdict failed, and the others kept."""
    first, *others = plan.verdicts
    kept = (replace(each, status="pass") for each in others)
    return replace(plan, verdicts=(replace(first, status="fail"), *kept))


def kept(plan: Plan) -> Plan:
    """Return the plan with every verdict kept."""
    return replace(plan, verdicts=tuple(replace(each, status="pass") for each in plan.verdicts))


# What it says


def test_one_scenario_is_its_headline_its_tiers_and_folds() -> None:
    text = said(changed(PLAN, DEARER))
    first, heading, *_ = text.splitlines()
    assert first == MARKER
    assert re.fullmatch(
        r"### [✓✗?] a\.yaml: \+\$740\.00 a month \(\+19\.2 %\): a second read replica \+\$740\.00", heading
    )
    assert "| database |" in text
    (row,) = (line for line in text.splitlines() if line.startswith("| database | $"))
    assert row.split(" | ")[3:] == ["+$740.00", "a second read replica |"]
    assert text.count("<details>") == text.count("</details>") == 2
    assert text.endswith("<sub>Compared with commit 0123456789ab. cascade-plan 0.1.0.</sub>\n")


def test_the_tiers_add_up_to_the_total() -> None:
    text = said(changed(PLAN, DEARER))
    lines = text[text.index("| tier |") :].partition("\n\n")[0].splitlines()[2:]
    table = [line.removeprefix("| ").split(" | ") for line in lines]
    assert table[-1][0] == "total"
    amounts = [[Decimal(re.sub(r"[$,+]", "", cell)) for cell in row[1:4]] for row in table]
    for *parts, total in zip(*amounts, strict=True):
        assert abs(sum(parts) - total) <= Decimal("0.05")


def test_a_gate_that_is_newly_missed_is_named_and_comes_first() -> None:
    worse = changed(kept(PLAN), missed(PLAN), "worse.yaml")
    dearer = changed(kept(PLAN), kept(DEARER), "dearer.yaml")
    text = said(dearer, worse)
    assert text.index("worse.yaml") < text.index("dearer.yaml")
    assert "**Gates that changed**" in text
    assert re.search(r"- ✗ .*: met → missed", text)


@pytest.mark.parametrize(
    ("change", "heading"),
    [
        (changed(None, PLAN), r"[✓✗?] a\.yaml: \$[\d,.]+ a month, new"),
        (changed(PLAN, None), r"- a\.yaml: removed, -\$[\d,.]+ a month"),
        (changed(PLAN, PLAN), r"[✓✗?] a\.yaml: Nothing changed\."),
        (changed(PLAN, None, problem_after="a.yaml:3:1: no"), "✗ a.yaml: the scenario cannot be planned"),
    ],
)
def test_what_became_of_a_scenario_is_the_heading(change: Change, heading: str) -> None:
    assert re.fullmatch(f"### {heading}", said(change).splitlines()[1])


def test_why_a_side_cannot_be_planned_is_said() -> None:
    text = said(changed(PLAN, None, problem_after="a.yaml:3:1: users.peak: must be at least 1"))
    assert "a.yaml:3:1: users.peak: must be at least 1" in by_github(text).read
    assert "| tier |" not in text
    text = said(changed(None, PLAN, problem_before="a.yaml:9:1: unknown field"))
    assert "What it was before cannot be planned: a.yaml:9:1: unknown field" in by_github(text).read
    assert ", new" not in text


def test_several_scenarios_have_an_overview_and_a_total() -> None:
    same = changed(PLAN, PLAN, "same.yaml")
    text = said(changed(PLAN, DEARER, "b.yaml"), same, changed(None, PLAN, "c.yaml"), changed(PLAN, None, "d.yaml"))
    assert re.match(r"### [✓✗?] 3 of 4 scenarios change, \+\$740\.00 a month$", text.splitlines()[1])
    assert "Unchanged: same.yaml" in text
    assert "### ✓ same.yaml" not in text
    assert len(re.findall(r"^### ", text, re.MULTILINE)) == 4
    assert said(same, same).splitlines()[1] == "### No change of cost, figures or gates in 2 scenarios"


def test_a_missing_price_makes_the_total_inexact() -> None:
    lacking = make_plan(missing=["nat-gateway"])
    heading = said(changed(PLAN, lacking, "a.yaml"), changed(PLAN, DEARER, "b.yaml")).splitlines()[1]
    assert heading.endswith("as far as it is known")
    assert "| not exact |" in said(changed(PLAN, lacking, "a.yaml"), changed(PLAN, DEARER, "b.yaml"))


# How long it is


def long(number: int) -> tuple[Change, ...]:
    findings = tuple(Finding("warning", f"code{index}", "x" * 500, f"place.{index}") for index in range(40))
    after = replace(DEARER, findings=(*DEARER.findings, *findings))
    return tuple(changed(PLAN, after, f"plans/{index:04}.yaml") for index in range(number))


@pytest.mark.parametrize("most", [4_000, 20_000, 65_536, 1_000_000])
@pytest.mark.parametrize("number", [1, 3, 60])
def test_it_is_never_longer_than_a_host_takes(number: int, most: int) -> None:
    text = said(*long(number), room=Room("GitHub", most))
    assert len(text.encode("utf-16-le")) // 2 <= most
    assert text.startswith(MARKER)
    assert text.endswith("</sub>\n")
    assert text.count("<details>") == text.count("</details>")
    whole = said(*long(number), room=Room("GitHub", 10**9))
    is_cut = f"left out, as the rest fills the {most:,} characters that GitHub takes in a comment" in text
    assert is_cut == (len(whole.encode("utf-16-le")) // 2 > most)
    assert is_cut or text == whole


def test_details_are_left_out_before_what_matters() -> None:
    whole = said(*long(3), room=Room("GitHub", 10**9))
    text = said(*long(3), room=Room("GitHub", len(whole) - 1))
    assert "1 part is left out" in text
    assert text.count("figures that changed") == 2
    short = said(*long(3), room=Room("GitHub", 5_000))
    assert short.count("| tier | before |") == 3
    assert "**Findings" not in short


def test_a_list_is_cut_and_counted() -> None:
    (change,) = long(1)
    assert change.differences is not None
    number = len(change.differences.findings_new) + len(change.differences.findings_gone)
    assert number >= 40
    assert f"- and {number - 20} more\n" in said(change)


# That no text in it acts


def hostile(text: str) -> list[Change]:
    before, after = (with_text(plan, text) for plan in (PLAN, missed(DEARER)))
    finding = Finding("warning", text, text, text)
    after = replace(
        after,
        findings=(*after.findings, finding),
        scenario=after.scenario.model_copy(update={"name": text}),
        verdicts=tuple(replace(verdict, figure=text, reason=text) for verdict in after.verdicts),
    )
    problem = changed(None, None, text, problem_after=text)
    return [changed(before, after, text), changed(None, after, text), changed(before, None, text), problem]


def inspected(markdown: str) -> None:
    for rendered in (by_github(markdown), by_another(markdown)):
        assert rendered.tags <= OURS
        assert {name for name, _ in rendered.attributes} <= {"align", "style"}
        assert acts(rendered) == []
        assert len(rendered.comments) <= 1
    assert commands(markdown) == []


@pytest.mark.parametrize("text", HOSTILE)
def test_known_tricks_do_nothing(text: str) -> None:
    changes = hostile(text)
    inspected(said(*changes))
    for change in changes:
        inspected(said(change))
        if change.differences is not None:
            inspected(render(change.differences))


TRICKS = st.lists(st.sampled_from(HOSTILE) | st.text(max_size=12), max_size=4).map("".join)


@given(TRICKS)
def test_no_text_acts_and_every_text_can_be_read(text: str) -> None:
    shown = one_line(text).replace(NO_WIDTH, "")
    for markdown in (
        f"- {inert(text, begins=True)}\n",
        f"it is {inert(text)} there\n",
        f"**{inert(f'a {text} b')}**\n",
    ):
        inspected(markdown)
        for rendered in (by_github(markdown), by_another(markdown)):
            assert " ".join(shown.split()) in " ".join(rendered.read.split())


@given(TRICKS)
def test_no_text_of_a_scenario_acts_in_a_comment(text: str) -> None:
    inspected(said(*hostile(text)))


def test_what_is_looked_for_is_found() -> None:
    for text in ("@octocat", "#1", "see https://a.example", "www.a.example", ":tada:", "GH-3", "~bug", "a@b.example"):
        rendered = by_github(text)
        assert acts(rendered) or "a" in rendered.tags
    assert by_another("<b>x</b> [a](b)").tags == {"p", "b", "a"}
    assert commands("x\n/close\n ::error::y") == ["/close", " ::error::y"]
