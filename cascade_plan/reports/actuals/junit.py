"""The gates of a month's bill for continuous integration."""

from __future__ import annotations

from cascade_plan.model.actuals import Actuals
from cascade_plan.model.plan import Verdict
from cascade_plan.reports._test_suite import Case, written
from cascade_plan.reports._words import one_line
from cascade_plan.reports.actuals._words import invoice_words, judged, money, month_words, parts_words

FORMAT: str = "JUnit XML: a test case for each gate on the bill"


def render(actuals: Actuals) -> str:
    """Return the gates as a JUnit suite; one that the bill cannot answer is a failure too."""
    said = "\n".join(
        (
            f"{actuals.scenario}, {month_words(actuals)}: plan {money(actuals.plan_usd)}, actual "
            f"{money(actuals.actual_usd)}, {judged(actuals.difference_usd, actuals.plan_usd)}",
            "  ".join(parts_words(actuals.parts_usd)),
            invoice_words(actuals),
        )
    )
    name = one_line(f"{actuals.scenario}.{actuals.month}")
    return written("actuals", name, [_case(verdict) for verdict in actuals.verdicts], one_line_each(said))


def one_line_each(text: str) -> str:
    """Return text whose lines hold nothing that XML cannot."""
    return "\n".join(one_line(line) for line in text.splitlines())


def _case(verdict: Verdict) -> Case:
    outcome = "" if verdict.status == "pass" else "failure"
    return Case(verdict, outcome, "not-judged" if verdict.status == "unjudged" else "")
