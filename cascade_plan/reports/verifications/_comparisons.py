"""A verified run, as every report of it words it."""

from __future__ import annotations

from typing import Final

from cascade_plan.model.derivation import Finding
from cascade_plan.model.measurement import TOLERANCE, Comparison, Verification
from cascade_plan.model.plan import Verdict
from cascade_plan.reports._words import count, gate_line, one_line
from cascade_plan.units import counted, times

HEADERS: Final = ("figure", "predicted", "measured", "difference", "unit")
NUMBERS: Final = (1, 2, 3)
TITLE: Final = f"Predicted and measured (! beyond {TOLERANCE:.0%})"


def headline(verification: Verification) -> str:
    """Return whether the run is verified, what it was, and of how many users and requests."""
    run = verification.measurement
    users = "" if run.user_count is None else counted(run.user_count, "user")
    held = "" if run.held_s is None else f"{count(run.held_s)} s"
    failed = "" if run.failure_count is None else f"{run.failure_count:,} of them failed"
    facts = [users, held, counted(run.request_count, "request"), failed]
    lead = "Verified" if verification.verified else "Not verified"
    where = f"{verification.scenario}, load {verification.load}, by {run.tool} ({run.source})"
    return one_line(f"{lead}: {where}: {', '.join(fact for fact in facts if fact)}")


def reasons(verification: Verification) -> tuple[str, ...]:
    """Return why a run is not verified, a line each: what of the load was short, what was missed, what is not shown."""
    ended = {
        status: [verdict.figure for verdict in verification.verdicts if verdict.status == status]
        for status in ("fail", "unjudged")
    }
    lines = (
        ("the load was not applied", verification.applied_with("fail")),
        ("missed", ended["fail"]),
        ("not shown", (*verification.applied_with("unjudged"), *ended["unjudged"])),
    )
    return tuple(one_line(f"{lead}: {', '.join(words)}") for lead, words in lines if words)


def applied_line(verdict: Verdict) -> str:
    """Return one thing that shows whether the load was applied, with the tolerance where one was used."""
    note = f" ({one_line(verdict.reason)})" if verdict.reason and verdict.status != "unjudged" else ""
    return gate_line(verdict) + note


def gates_title(verification: Verification) -> str:
    """Return what the gates were measured under."""
    return "Gates, under less than the load asked" if verification.applied_with("fail") else "Gates"


def row(comparison: Comparison) -> tuple[str, ...]:
    """Return a comparison as cells under HEADERS."""
    return (
        comparison.figure,
        count(comparison.value_predicted),
        count(comparison.value_measured),
        f"{_difference(comparison)}{' !' if comparison.beyond_tolerance else ''}",
        comparison.unit,
    )


def _difference(comparison: Comparison) -> str:
    """Return by how much a measurement is off: in per cent, from twice and from half on in times."""
    ratio = 1 + comparison.difference_ratio
    return f"{comparison.difference_ratio:+z.0%}" if 0.5 < ratio < 2 else times(ratio)


def finding_line(finding: Finding) -> str:
    """Return a finding on one line."""
    return one_line(f"{finding.severity}: {finding.message}")
