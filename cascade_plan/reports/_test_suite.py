"""Gates as a test suite: JUnit XML, which continuous integration reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from cascade_plan.model.plan import Verdict
from cascade_plan.reports._words import gate_line, limit_text, one_line

KINDS: Final = {"failure": "gate-missed", "error": "price-missing", "skipped": "not-judged"}
COUNTS: Final = {"failure": "failures", "error": "errors", "skipped": "skipped"}


class Case(NamedTuple):
    """A gate and how it ended."""

    verdict: Verdict
    outcome: str
    """failure, error or skipped; "" for a gate that is kept."""
    kind: str = ""
    """What kind of failure it is; "" for the outcome's own."""


def written(command: str, name: str, cases: Sequence[Case], said: str) -> str:
    """Return the gates of a plan or a run as a suite; `said` is what stands under them."""
    numbers = {word: str(sum(case.outcome == outcome for case in cases)) for outcome, word in COUNTS.items()}
    root = Element("testsuites")
    title = " ".join(part for part in ("cascade-plan", command, name) if part)
    suite = SubElement(root, "testsuite", {"name": title, "tests": str(len(cases)), **numbers})
    place = ".".join(part for part in ("cascade-plan", command, name) if part)
    for case in cases:
        gate = f"{one_line(case.verdict.figure)} {limit_text(case.verdict)}"
        element = SubElement(suite, "testcase", {"classname": place, "name": gate})
        if case.outcome:
            kind = case.kind or KINDS[case.outcome]
            SubElement(element, case.outcome, {"type": kind, "message": gate_line(case.verdict)})
    SubElement(suite, "system-out").text = said
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'
