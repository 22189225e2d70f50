"""What GitHub Actions shows: annotations beside the build, and the report as the step's summary."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from cascade_plan.model.plan import Plan
from cascade_plan.reports.plans import markdown, table


def announce(plan: Plan) -> None:
    """Write an annotation for each failed gate and missing price to stderr; append the report to the step's summary.

    Workflow commands: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
    """
    for line in table.failures(plan):
        sys.stderr.write(f"::error title=cascade-plan {plan.scenario.name}::{_escaped(line)}\n")
    for missing in plan.bill.unpriced:
        text = f"no price for {missing.name}: the bill is at least what it says"
        sys.stderr.write(f"::warning title=cascade-plan {plan.scenario.name}::{_escaped(text)}\n")
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(markdown.render(plan))


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
