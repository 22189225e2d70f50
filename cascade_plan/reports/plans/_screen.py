"""The first screen of a plan: the bill by tier, what is missed, what to know, and the answer last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from cascade_plan.model.derivation import Finding
from cascade_plan.model.plan import Plan
from cascade_plan.reports import _names as names
from cascade_plan.reports import _words as words
from cascade_plan.reports._fitting import fitted, folded, shown_width
from cascade_plan.reports.columns import GAP, aligned
from cascade_plan.reports.plans import _facts as facts
from cascade_plan.reports.plans._answer import sentence
from cascade_plan.reports.plans._tiers import HEADERS, NUMBERS, cells, tiers

HEIGHT: Final = 24
"""Lines of a terminal that nobody has enlarged."""
FINDINGS: Final = 3
MISSED: Final = 3
"""Gates that are listed; of more, how many."""
NARROWEST: Final = 12
"""Columns of a tier's fleet in words at least: what of it does not fit is left out, from its end."""
LONGEST: Final = 40
"""Columns of a word in it at most."""
DROPPED: Final = (4, 2)
"""What a narrow page does without, the first of them first."""
BLANK: Final = 3
"""Empty lines of the screen."""


def screen(plan: Plan, width: int, command: str) -> str:
    """Return the first screen: at most 24 lines where the page has 80 columns.

    Where there is more to say, findings are left out first, then the cheapest tiers are one row; of more gates that
    are missed than three, the rest is counted.
    """
    top, end = all_folded([title(plan, width)], width), all_folded(closing(plan, command), width)
    missed = all_folded([*gates(plan, MISSED), *facts.margin(plan), *facts.growth(plan)], width)
    free = HEIGHT - BLANK - len(top) - len(end) - len(missed)
    head_and_total = 2
    # What matters most is said before the cheapest tiers are.
    least = 1
    most = max(least, min(FINDINGS, free - head_and_total - len(tiers(plan)) - 1))
    said = findings(plan, width, max(0, most))
    table = bill(plan, width, max(1, free - len(said) - head_and_total))
    return "\n".join([*top, "", table, "", *missed, *said, "", *end]) + "\n"


def title(plan: Plan, width: int) -> str:
    """Return what is planned, for how many users, and where; users who are registered where the page has room."""
    users = plan.scenario.users
    registered = f", {words.count(users.registered)} registered" if users.registered else ""
    texts = [
        f"{words.one_line(plan.scenario.name)}  {words.count(users.peak)} users at peak, "
        f"{words.count(users.average)} on average{more}  {plan.scenario.cloud} {plan.scenario.region}"
        for more in (registered, "")
    ]
    return texts[0] if shown_width(texts[0]) <= width else texts[1]


def bill(plan: Plan, width: int, most: int | None = None) -> str:
    """Return the bill by tier as a table; of more tiers than `most` the cheapest are one row."""
    rows = cells(plan, most)
    beside = [HEADERS, *((name, "", *rest) for name, _, *rest in rows)]
    others = sum(max(shown_width(row[index]) for row in beside) + GAP for index in (0, *NUMBERS))
    room = max(NARROWEST, width - others)
    shown = [(name, _fitted(fleet, room), *rest) for name, fleet, *rest in rows]
    if not any(row[-1] for row in shown):
        return aligned(HEADERS[:-1], [row[:-1] for row in shown], NUMBERS, width, DROPPED[1:], ruled=False)
    return aligned(HEADERS, shown, NUMBERS, width, DROPPED, ruled=False)


def _fitted(parts: Sequence[str], width: int) -> str:
    """Return a list without what of its end does not fit its column."""
    shown = parts[0] if parts else ""
    for part in parts[1:]:
        if shown_width(f"{shown}, {part}") > width:
            break
        shown = f"{shown}, {part}"
    return " ".join(fitted(word, LONGEST) for word in shown.split(" "))


def gates(plan: Plan, most: int) -> list[str]:
    """Return how many gates are met, and those that are missed in words with their limits: `most` of them at most."""
    failed = [names.missed(plan, verdict) for verdict in plan.verdicts if verdict.status == "fail"]
    listed = failed if len(failed) <= most else failed[: most - 1]
    width = max((shown_width(name) for name, _ in listed), default=0)
    lines = [f"  ✗ {name}{' ' * (width - shown_width(name))}  {value}" for name, value in listed]
    more = [f"    and {len(failed) - len(listed)} more"] if len(listed) < len(failed) else []
    return [f"gates  {facts.gate_counts(plan)}", *lines, *more] if plan.verdicts else []


def findings(plan: Plan, width: int, most: int) -> list[str]:
    """Return how many findings there are, and the first of them: those that cost most, then warnings."""
    if not plan.findings:
        return []
    warnings = sum(finding.severity == "warning" for finding in plan.findings)
    counts = ((warnings, "warning"), (len(plan.findings) - warnings, "note"))
    said = ", ".join(f"{number} {name}{'s' * (number != 1)}" for number, name in counts if number)
    shown = facts.first_findings(plan)[:most]
    return [f"findings  {said} (--full)", *(f"  ! {_shortened(finding, width - 4)}" for finding in shown)]


def _shortened(finding: Finding, width: int) -> str:
    """Return a finding on one line: its clauses that fit, or its words that fit and an ellipsis."""
    text = words.one_line(finding.words)
    if shown_width(text) <= width:
        return text
    kept = folded(text, width - 2)[0]
    for end in ("; ", ": ", " ("):
        clause = text[: len(kept) + 2].rpartition(end)[0]
        if 2 * shown_width(clause) > width:
            return clause
    return f"{kept.rstrip(',;:')} …"


def closing(plan: Plan, command: str) -> list[str]:
    """Return the answer, and the command to go on with, a line each."""
    return [sentence(plan), f"  next: {command}"] if command else [sentence(plan)]


def all_folded(lines: Iterable[str], width: int) -> list[str]:
    """Return lines, each folded to the page."""
    return [part for line in lines for part in folded(line, width, "    ")]
