"""What GitHub Actions shows: annotations at the lines of a scenario, and the first page as the step's summary."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from cascade_plan.files.documents import field_name
from cascade_plan.model.plan import Plan, Verdict
from cascade_plan.reports.plans import markdown, table

PLACE: Final = re.compile(r"(.+):(\d+)")


def announce(plan: Plan, origins: Mapping[str, str]) -> None:
    """Write an annotation for each failed gate and missing price to stderr; append the first page to the summary.

    `origins` says where values were given.
    """
    annotate(plan, origins)
    summarize(markdown.summary(plan))


def annotate(plan: Plan, origins: Mapping[str, str]) -> None:
    """Write an annotation for each failed gate and missing price to stderr.

    A gate's annotation stands at its line, the budget's at the budget's. `origins` says where values were given.
    Workflow commands: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
    """
    title = f"cascade-plan {plan.scenario.name}"
    for verdict in plan.verdicts:
        if verdict.status == "fail":
            _annotate("error", title, table.gate(verdict), _place(plan, verdict, origins))
    for missing in plan.bill.unpriced:
        _annotate("warning", title, f"no price for {missing.name}: the cost is at least what is said", {})


def summarize(text: str) -> None:
    """Append Markdown to the step's summary, where there is one."""
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(text)


def _annotate(kind: str, title: str, message: str, place: Mapping[str, str]) -> None:
    properties = ",".join(f"{name}={_property(value)}" for name, value in {**place, "title": title}.items())
    sys.stderr.write(f"::{kind} {properties}::{_data(message)}\n")


def _place(plan: Plan, verdict: Verdict, origins: Mapping[str, str]) -> dict[str, str]:
    """Return file and line of what a verdict judges, where that is a file in the workspace."""
    for trail in _trails(plan, verdict):
        found = PLACE.fullmatch(origins.get(field_name(trail), ""))
        if found and Path(found[1]).is_file():
            return {"file": _from_workspace(found[1]), "line": found[2]}
    return {}


def _trails(plan: Plan, verdict: Verdict) -> Iterator[tuple[str | int, ...]]:
    """Yield the places of a scenario that may ask for a verdict, the likeliest first."""
    figure = verdict.figure
    for index, limit in enumerate(plan.scenario.gates.get(figure, ())):
        symbol, _, number = limit.partition(" ")
        if (symbol, float(number)) == (verdict.operator, float(verdict.limit)):
            yield ("gates", figure, index)
    if figure.startswith("cost_usd_per_month"):
        yield ("budget", "usd_per_month")
    if figure.startswith("cost_"):
        yield ("budget", "usd_per_1000_users_month")
    name, _, leaf = figure.partition(".")
    yield from (("loads", leaf, name), ("tiers", name), ("budget",), ("name",))


def _from_workspace(file: str) -> str:
    """Return a file's path from the repository's root, which annotations count from."""
    workspace = os.environ.get("GITHUB_WORKSPACE")
    path = Path(file).resolve()
    if workspace and path.is_relative_to(Path(workspace).resolve()):
        return path.relative_to(Path(workspace).resolve()).as_posix()
    return file


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
