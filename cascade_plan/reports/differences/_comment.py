"""The comment on a pull request: what becomes of each scenario, the most important first, as long as a host allows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from cascade_plan.model.difference import Change, Differences, paid_usd
from cascade_plan.model.plan import Plan
from cascade_plan.reports._causes import said
from cascade_plan.reports._marked import inert, table
from cascade_plan.reports._words import MARKS, count, gate_line, one_line, usd
from cascade_plan.reports.differences import _rows as rows
from cascade_plan.reports.differences import _summary as summary

LONGEST: Final = 400
"""Characters of a text that is not ours; what is longer is cut, so that no part is too long for every comment."""
LISTED: Final = 20
"""Gates or findings of a scenario that are listed."""
TIERS: Final = 12
"""Tiers of a scenario that have a row."""
WHY: Final = 2
"""Causes that a tier's row names."""
OVERVIEW_SHARE: Final = 2
"""The overview takes one half of the comment at most."""
GONE: Final = "-"
WORST: Final = (*(MARKS[status] for status in ("fail", "unjudged", "pass")), GONE)
STATES: Final = {"new": "new", "gone": "removed", "wrong": "cannot be planned", "same": "unchanged"}


@dataclass(frozen=True, slots=True)
class Room:
    """How much a host takes in one comment."""

    host: str
    most_characters: int


@dataclass(frozen=True, slots=True)
class Comment:
    """What a comment is about."""

    marker: str
    """By which it is found again; an HTML comment that no reader sees."""
    changes: tuple[Change, ...]
    against: str
    """What the scenarios are compared with, in words."""
    made_by: str


@dataclass(frozen=True, slots=True)
class _Block:
    """A part that is shown whole or not at all."""

    rank: int
    """What is left out first has the highest."""
    of: str
    """The scenario; empty for the comment's own."""
    text: str


def comment(about: Comment, room: Room) -> str:
    """Return the comment as GitHub-flavoured Markdown of as many characters as a host takes at most.

    What does not fit is left out, details first, and a sentence says so. Texts that are not ours do nothing in it: they
    mention nobody, link nowhere and are no HTML.
    """
    changes = sorted(about.changes, key=_urgency)
    told = [change for change in changes if _state(change) != "same"]
    blocks = [_Block(0, "", f"{about.marker}\n{_heading(changes, told)}\n")]
    if len(changes) > 1:
        blocks.append(_Block(0, "", _overview(changes, told, room.most_characters // OVERVIEW_SHARE)))
    for change in told if len(changes) > 1 else changes:
        blocks += _blocks(change, is_alone=len(changes) == 1)
    foot = f"<sub>{inert(f'Compared with {_short(about.against)}. {about.made_by}.')}</sub>\n"
    return _fitted(blocks, foot, room)


# What it says first


def _heading(changes: Sequence[Change], told: Sequence[Change]) -> str:
    if len(changes) == 1:
        (change,) = changes
        return _title(change)
    if not told:
        return f"### No change of cost, figures or gates in {len(changes)} scenarios"
    wrong = sum(_state(change) == "wrong" for change in told)
    total = sum((change.change_usd for change in told), Decimal(0))
    money = f"{summary.signed(total)} a month" if summary.shows(total) else "the bills stay as they are together"
    if not all(_is_exact(change) for change in told):
        money += " as far as it is known"
    parts = [f"{len(told)} of {len(changes)} scenarios change", money]
    if wrong:
        parts.append(f"{wrong} cannot be planned")
    mark = min((_mark(change) for change in told), key=WORST.index)
    return f"### {mark} {', '.join(parts)}"


def _title(change: Change) -> str:
    return f"### {_mark(change)} {inert(f'{_short(change.called)}: {_short(_headline(change))}')}"


def _headline(change: Change) -> str:
    if change.problem_after:
        return "the scenario cannot be planned"
    if change.differences is not None:
        return summary.headline(change.differences)
    if change.after is not None:
        return f"{_amount(change.after)} a month{', new' if change.is_new else ''}"
    return f"removed, {summary.signed(change.change_usd)} a month"


def _overview(changes: Sequence[Change], told: Sequence[Change], room: int) -> str:
    headers = ("scenario", "before", "after", "change", "gates")
    found = [_row(change) for change in told]
    used, kept = sum(map(len, headers)), 0
    for row in found:
        used += sum(len(cell) + 3 for cell in row) + 2
        if used > room:
            break
        kept += 1
    lines = [*table(headers, found[:kept], (1, 2, 3))] if found else []
    if more := len(found) - kept:
        lines += [f"and {more:,} more", ""]
    same = [_short(change.called) for change in changes if _state(change) == "same"]
    if same and told:
        names = ", ".join(same[:LISTED]) + (f" and {len(same) - LISTED:,} more" if len(same) > LISTED else "")
        lines += [f"Unchanged: {inert(names)}", ""]
    return "\n".join(lines)


def _row(change: Change) -> tuple[str, ...]:
    before, after = ("" if plan is None else _amount(plan) for plan in (change.before, change.after))
    delta = summary.signed(change.change_usd) if _is_exact(change) else "not exact"
    state = _state(change)
    if state == "wrong":
        delta = ""
    gates = STATES[state] if change.after is None else _gates_end(change)
    return tuple(inert(cell) for cell in (_short(change.called), before, after, delta, gates))


def _gates_end(change: Change) -> str:
    assert change.after is not None
    missed = sum(verdict.status == "fail" for verdict in change.after.verdicts)
    ends = f"{_mark(change)} {missed} of {len(change.after.verdicts)} missed" if change.after.verdicts else "none"
    return f"{ends}, new" if change.is_new else ends


# Each scenario


def _blocks(change: Change, is_alone: bool) -> Iterator[_Block]:
    """Yield what is said of a scenario, the most important first."""
    name = change.called
    top = [] if is_alone else [_title(change), ""]
    yield _Block(1, name, "\n".join([*top, *_first(change)]))
    for rank, part in enumerate((_gates, _findings, _details, _figures), 2):
        if lines := [*part(change)]:
            yield _Block(rank, name, "\n".join(lines))


def _first(change: Change) -> Iterator[str]:
    for problem, words in (
        (change.problem_after, "Why"),
        (change.problem_before, "What it was before cannot be planned"),
    ):
        if problem:
            yield from (inert(f"{words}: {_short(problem)}"), "")
    if change.differences is not None:
        for note in summary.notes(change.differences):
            yield from (f"- {inert(_short(note), begins=True)}", "")
        if summary.is_nothing(change.differences):
            return
        yield from (f"Verdict: {inert(summary.verdicts(change.differences))}", "")
    elif change.after is not None:
        yield from (f"Verdict: {inert(summary.verdict(change.after))}", "")
    if not (change.problem_after or change.problem_before):
        yield from _tiers(change)


def _tiers(change: Change) -> Iterator[str]:
    """Yield the table of what each tier costs before and after, the largest change first."""
    sides = (change.before, change.after)
    level = _level(change)
    costs = [{} if plan is None else _tier_costs(plan, level) for plan in sides]
    names = sorted({*costs[0], *costs[1]}, key=lambda name: (-abs(_delta(costs, name)), -_cost(costs[1], name), name))
    if not names:
        return
    changed = [name for name in names if summary.shows(_delta(costs, name))]
    shown = changed[: TIERS if len(changed) <= TIERS else TIERS - 1]
    found = [_tier_row(name, costs, _why(change, name)) for name in shown]
    if rest := [name for name in names if name not in shown]:
        text = f"{len(rest)} {'other' if len(rest) == 1 else 'others'}"
        found.append(
            _tier_row(text, [{text: sum((_cost(each, name) for name in rest), Decimal(0))} for each in costs], "")
        )
    totals = ["" if plan is None else _amount(plan, level) for plan in sides]
    found.append(tuple(inert(cell) for cell in ("total", *totals, summary.signed(change.change_usd), "")))
    yield from table(("tier", "before", "after", "change", "why"), found, (1, 2, 3))


def _tier_row(name: str, costs: Sequence[dict[str, Decimal]], why: str) -> tuple[str, ...]:
    amounts = [usd(each[name]) if name in each else "" for each in costs]
    cells = (name, *amounts, summary.signed(_delta(costs, name)), why)
    return tuple(inert(_short(cell)) for cell in cells)


def _tier_costs(plan: Plan, level: str) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for item in plan.bill.items:
        found[item.tier] = found.get(item.tier, Decimal(0)) + getattr(item.cost_usd, level)
    return found


def _cost(costs: dict[str, Decimal], name: str) -> Decimal:
    return costs.get(name, Decimal(0))


def _delta(costs: Sequence[dict[str, Decimal]], name: str) -> Decimal:
    return _cost(costs[1], name) - _cost(costs[0], name)


def _why(change: Change, tier: str) -> str:
    if change.differences is None:
        return ""
    causes = [cause for cause in change.differences.causes if cause.tier == tier and summary.shows(cause.change_usd)]
    more = f" and {len(causes) - WHY} more" if len(causes) > WHY else ""
    return "; ".join(said(cause) for cause in causes[:WHY]) + more


def _gates(change: Change) -> Iterator[str]:
    if change.differences is not None:
        yield from _listed("Gates that changed", rows.gates(change.differences))
    elif change.after is not None:
        failed = (verdict for verdict in change.after.verdicts if verdict.status == "fail")
        yield from _listed("Gates that are missed", map(gate_line, failed))


def _findings(change: Change) -> Iterator[str]:
    if change.differences is not None:
        title = f"Findings: {rows.finding_counts(change.differences)}"
        yield from _listed(title, rows.findings(change.differences))
    elif change.after is not None:
        found = change.after.findings
        lines = (f"{one_line(each.message)} ({one_line(each.where)})" for each in found if each.severity == "warning")
        yield from _listed("Findings", lines)


def _listed(title: str, texts: Iterable[str]) -> Iterator[str]:
    lines = [f"- {inert(_short(text), begins=True)}" for text in texts]
    if not lines:
        return
    more = [f"- and {len(lines) - LISTED:,} more"] if len(lines) > LISTED else []
    yield from (f"**{inert(title)}**", "", *lines[:LISTED], *more, "")


def _details(change: Change) -> Iterator[str]:
    """Yield the fold of what was changed and each cause of the change of cost."""
    differences = change.differences
    if differences is None or summary.is_nothing(differences):
        return
    yield from _folded("Inputs that changed, and every cause", _causes(differences))


def _causes(differences: Differences) -> Iterator[str]:
    yield f"- before: {inert(_short(summary.title(differences.before)))}"
    yield f"- after: {inert(_short(summary.title(differences.after)))}"
    yield from (f"- input: {inert(_short(summary.inputs([each], full=True)))}" for each in differences.inputs)
    yield from (f"- given up: {inert(_short(text))}" for text in rows.given_up(differences))
    yield ""
    yield from _part(rows.money(differences, True))


def _figures(change: Change) -> Iterator[str]:
    """Yield the fold of every figure that changed."""
    if change.differences is None or summary.is_nothing(change.differences):
        return
    part = rows.changed_figures(change.differences, True)
    if part.rows:
        yield from _folded(f"{count(len(part.rows))} figures that changed", _part(part))


def _part(part: rows.Part) -> Iterator[str]:
    if part.rows:
        cells = [[inert(_short(cell)) for cell in row] for row in part.rows]
        yield from (f"**{inert(part.title)}**", "", *table(part.headers, cells, part.right))


def _folded(title: str, lines: Iterable[str]) -> Iterator[str]:
    yield from (f"<details><summary>{title}</summary>", "", *lines, "</details>", "")


# What of it there is room for


def _fitted(blocks: Sequence[_Block], foot: str, room: Room) -> str:
    """Return as many blocks as there is room for, in their order, with the foot and a sentence on what is left out."""
    everything = "\n".join([*(block.text for block in blocks if block.text), foot])
    if _length(everything) <= room.most_characters:
        return everything
    left = room.most_characters - _length(foot) - _length(_left_out(len(blocks), room)) - 2
    kept: set[int] = set()
    heads: set[str] = set()
    for index, block in sorted(enumerate(blocks), key=lambda each: (each[1].rank, each[0])):
        length = _length(block.text) + 1
        if length <= left and (block.rank < 2 or block.of in heads):
            left -= length
            kept.add(index)
            heads |= {block.of} if block.rank == 1 else set()
    texts = [block.text for index, block in enumerate(blocks) if index in kept]
    return "\n".join([*texts, _left_out(len(blocks) - len(kept), room), foot])


def _left_out(number: int, room: Room) -> str:
    parts = "1 part is" if number == 1 else f"{number:,} parts are"
    limit = f"{room.most_characters:,} characters that {room.host} takes in a comment"
    return f"_{parts} left out, as the rest fills the {limit}; `cascade-plan diff` prints all of it._\n"


def _length(text: str) -> int:
    """Return the length as a host counts it that takes what is beyond the basic plane for two characters."""
    return len(text.encode("utf-16-le", errors="surrogatepass")) // 2


def _short(text: str) -> str:
    text = one_line(text)
    return text if len(text) <= LONGEST else f"{text[:LONGEST].rstrip()}…"


# How it ends


def _state(change: Change) -> str:
    if change.problem_after:
        return "wrong"
    if change.is_gone:
        return "gone"
    if change.differences is not None:
        return "same" if summary.is_nothing(change.differences) else "changed"
    return "new"


def _urgency(change: Change) -> tuple[int, Decimal, str]:
    """Return by what scenarios are sorted: what cannot be planned, newly missed gates, then the size of the change."""
    if change.problem_after:
        return 0, Decimal(0), change.called
    gates = () if change.differences is None else change.differences.gates
    missed = any(gate.verdict_after is not None and gate.verdict_after.status == "fail" for gate in gates)
    return 1 if missed else 2, -abs(change.change_usd), change.called


def _mark(change: Change) -> str:
    if change.after is None:
        return MARKS["fail"] if change.problem_after else GONE
    ends = {verdict.status for verdict in change.after.verdicts}
    return next((MARKS[status] for status in ("fail", "unjudged") if status in ends), MARKS["pass"])


def _is_exact(change: Change) -> bool:
    if change.differences is not None:
        return change.differences.is_exact
    return (
        all(plan is None or plan.bill.complete for plan in (change.before, change.after)) and not change.problem_before
    )


def _level(change: Change) -> str:
    if change.differences is not None:
        return change.differences.level
    plan = change.after or change.before
    return "average" if plan is None else str(plan.scenario.budget.level)


def _amount(plan: Plan, level: str = "") -> str:
    cost = getattr(plan.bill.effective_usd, level) if level else paid_usd(plan)
    return usd(cost) if plan.bill.complete else f"at least {usd(cost)}"
