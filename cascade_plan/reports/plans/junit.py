"""The gates for continuous integration."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from cascade_plan.model.plan import Plan, Verdict
from cascade_plan.reports.plans import _words as words

FORMAT: str = "JUnit XML: a test case for each gate"


def render(plan: Plan) -> str:
    """Return the gates as a JUnit suite.

    A missed gate is a failure, one without verdict for want of a price an error, for any other reason skipped.
    """
    outcomes = [_outcome(verdict) for verdict in plan.verdicts]
    counts = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    numbers = {name: str(outcomes.count(outcome)) for name, outcome in counts.items()}
    name = words.one_line(plan.scenario.name)
    root = Element("testsuites")
    suite = SubElement(root, "testsuite", {"name": f"cascade-plan {name}", "tests": str(len(outcomes)), **numbers})
    for verdict, outcome in zip(plan.verdicts, outcomes, strict=True):
        _case(suite, name, verdict, outcome)
    SubElement(suite, "system-out").text = _findings(plan)
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _outcome(verdict: Verdict) -> str:
    if verdict.price_is_missing:
        return "error"
    return {"pass": "", "fail": "failure", "unjudged": "skipped"}[verdict.status]


def _case(suite: Element, name: str, verdict: Verdict, outcome: str) -> None:
    gate = f"{words.one_line(verdict.figure)} {words.limit_text(verdict)}"
    case = SubElement(suite, "testcase", {"classname": f"cascade-plan.{name}", "name": gate})
    if outcome:
        kind = {"failure": "gate-missed", "error": "price-missing", "skipped": "not-judged"}[outcome]
        SubElement(case, outcome, {"type": kind, "message": words.gate_line(verdict)})


def _findings(plan: Plan) -> str:
    lines = [
        words.one_line(f"{finding.severity}: {finding.where}: {finding.message}")
        for finding in words.warnings_first(plan)
    ]
    return "\n".join([words.verdict_sentence(plan), *lines])
