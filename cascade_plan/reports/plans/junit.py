"""The gates for continuous integration."""

from __future__ import annotations

from cascade_plan.model.plan import Plan, Verdict
from cascade_plan.reports import _words as words
from cascade_plan.reports._test_suite import Case, written
from cascade_plan.reports.plans import _facts as facts
from cascade_plan.reports.plans._answer import sentence

FORMAT: str = "JUnit XML: a test case for each gate"


def render(plan: Plan) -> str:
    """Return the gates as a JUnit suite.

    A missed gate is a failure, one without verdict for want of a price an error, for any other reason skipped.
    """
    cases = [Case(verdict, _outcome(verdict)) for verdict in plan.verdicts]
    return written("", words.one_line(plan.scenario.name), cases, _findings(plan))


def _outcome(verdict: Verdict) -> str:
    if verdict.price_is_missing:
        return "error"
    return {"pass": "", "fail": "failure", "unjudged": "skipped"}[verdict.status]


def _findings(plan: Plan) -> str:
    lines = [
        words.one_line(f"{finding.severity}: {finding.where}: {finding.message}")
        for finding in facts.warnings_first(plan)
    ]
    return "\n".join([f"{sentence(plan)} Gates: {facts.gate_counts(plan)}.", *lines])
