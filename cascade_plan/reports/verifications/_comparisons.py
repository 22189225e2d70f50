"""A verified run, as every report of it words it."""

from __future__ import annotations

from typing import Final

from cascade_plan.model.derivation import Finding
from cascade_plan.model.measurement import TOLERANCE, Comparison, Verification
from cascade_plan.reports._words import count, one_line

HEADERS: Final = ("figure", "predicted", "measured", "difference", "unit")
NUMBERS: Final = (1, 2, 3)
TITLE: Final = f"Predicted and measured (! beyond {TOLERANCE:.0%})"


def headline(verification: Verification) -> str:
    """Return whether the run is verified, and what it was."""
    run = verification.measurement
    users = "" if run.user_count is None else f"{run.user_count:,} users"
    held = "" if run.held_s is None else f"{count(run.held_s)} s"
    facts = [users, held, f"{run.request_count:,} requests", f"{run.failure_count:,} of them failed"]
    lead = "Verified" if verification.verified else "Not verified"
    where = f"{verification.scenario}, load {verification.load}, by {run.tool} ({run.source})"
    return one_line(f"{lead}: {where}: {', '.join(fact for fact in facts if fact)}")


def row(comparison: Comparison) -> tuple[str, ...]:
    """Return a comparison as cells under HEADERS."""
    return (
        comparison.figure,
        count(comparison.value_predicted),
        count(comparison.value_measured),
        f"{comparison.difference_ratio:+.0%}{' !' if comparison.beyond_tolerance else ''}",
        comparison.unit,
    )


def finding_line(finding: Finding) -> str:
    """Return a finding on one line."""
    return one_line(f"{finding.severity}: {finding.message}")
