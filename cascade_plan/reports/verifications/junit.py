"""The gates of a verified run for continuous integration."""

from __future__ import annotations

from cascade_plan.model.measurement import Verification
from cascade_plan.model.plan import Verdict
from cascade_plan.reports._test_suite import Case, written
from cascade_plan.reports._words import one_line
from cascade_plan.reports.verifications._comparisons import finding_line, headline, reasons

FORMAT: str = "JUnit XML: a test case for each thing that shows the load, and for each gate"


def render(verification: Verification) -> str:
    """Return load and gates as a JUnit suite; what the results do not show to be kept is a failure too."""
    name = one_line(f"{verification.scenario}.{verification.load}")
    said = "\n".join([headline(verification), *reasons(verification), *map(finding_line, verification.findings)])
    verdicts = (*(each.verdict for each in verification.applied), *verification.verdicts)
    return written("verify", name, [_case(verdict) for verdict in verdicts], said)


def _case(verdict: Verdict) -> Case:
    outcome = "" if verdict.status == "pass" else "failure"
    return Case(verdict, outcome, "not-judged" if verdict.status == "unjudged" else "")
