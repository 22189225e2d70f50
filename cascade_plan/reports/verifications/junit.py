"""The gates of a verified run for continuous integration."""

from __future__ import annotations

from cascade_plan.model.measurement import Verification
from cascade_plan.model.plan import Verdict
from cascade_plan.reports._test_suite import Case, written
from cascade_plan.reports._words import one_line
from cascade_plan.reports.verifications._comparisons import finding_line, headline

FORMAT: str = "JUnit XML: a test case for each gate"


def render(verification: Verification) -> str:
    """Return the gates as a JUnit suite; one that the results do not show to be kept is a failure too."""
    name = one_line(f"{verification.scenario}.{verification.load}")
    said = "\n".join([headline(verification), *map(finding_line, verification.findings)])
    return written("verify", name, [_case(verdict) for verdict in verification.verdicts], said)


def _case(verdict: Verdict) -> Case:
    outcome = "" if verdict.status == "pass" else "failure"
    return Case(verdict, outcome, "not-judged" if verdict.status == "unjudged" else "")
