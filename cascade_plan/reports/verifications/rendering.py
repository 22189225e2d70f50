"""A verified run as text: its gates, and the plan's predictions beside what was measured."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from cascade_plan.errors import UsageError, did_you_mean
from cascade_plan.evidence.verifying import TOLERANCE
from cascade_plan.model.derivation import Finding
from cascade_plan.model.measurement import Comparison, Verification
from cascade_plan.reports import _marked as marked
from cascade_plan.reports.plans._words import count, gate_line, limit_text, one_line

HEADERS: Final = ("figure", "predicted", "measured", "difference", "unit")
NUMBERS: Final = (1, 2, 3)


def render(verification: Verification, name: str) -> str:
    """Return the run as table, markdown, json or junit. Raises UsageError for another format."""
    if name not in FORMATS:
        known = sorted(FORMATS)
        raise UsageError(f"no format {name!r} for verify{did_you_mean(name, known)}: known are {', '.join(known)}")
    return FORMATS[name](verification)


def headline(verification: Verification) -> str:
    """Return whether the run is verified, and what it was."""
    run = verification.measurement
    users = "" if run.user_count is None else f"{run.user_count:,} users"
    held = "" if run.held_s is None else f"{count(run.held_s)} s"
    facts = [users, held, f"{run.request_count:,} requests", f"{run.failure_count:,} of them failed"]
    lead = "Verified" if verification.verified else "Not verified"
    where = f"{verification.scenario}, load {verification.load}, by {run.tool} ({run.source})"
    return one_line(f"{lead}: {where}: {', '.join(fact for fact in facts if fact)}")


def _row(comparison: Comparison) -> tuple[str, ...]:
    return (
        comparison.figure,
        count(comparison.value_predicted),
        count(comparison.value_measured),
        f"{comparison.difference_ratio:+.0%}{' !' if comparison.beyond_tolerance else ''}",
        comparison.unit,
    )


def _finding(finding: Finding) -> str:
    return one_line(f"{finding.severity}: {finding.message}")


def _table(verification: Verification) -> str:
    from tabulate import tabulate

    parts = [headline(verification), "\n".join(["Gates", *map(gate_line, verification.verdicts)])]
    if verification.comparisons:
        rows = [_row(comparison) for comparison in verification.comparisons]
        align = ["right" if index in NUMBERS else "left" for index in range(len(HEADERS))]
        table = tabulate(rows, HEADERS, tablefmt="simple", colalign=align, disable_numparse=True)
        parts.append(f"Predicted and measured (! beyond {TOLERANCE:.0%})\n{table}")
    if verification.findings:
        parts.append("\n".join(["Findings", *map(_finding, verification.findings)]))
    return "\n\n".join(parts) + "\n"


def _markdown(verification: Verification) -> str:
    lines = [f"# {marked.escaped(headline(verification))}", "", "## Gates", ""]
    lines += [f"- {marked.escaped(gate_line(verdict))}" for verdict in verification.verdicts]
    if verification.comparisons:
        lines += ["", f"## Predicted and measured (! beyond {TOLERANCE:.0%})", ""]
        lines += marked.table(HEADERS, map(_row, verification.comparisons), NUMBERS)
    if verification.findings:
        lines += ["", "## Findings", ""]
        lines += [f"- {marked.escaped(_finding(finding))}" for finding in verification.findings]
    return "\n".join(lines).rstrip("\n") + "\n"


def _json(verification: Verification) -> str:
    document: dict[str, Any] = {"schema_version": 1, "verified": verification.verified, **asdict(verification)}
    document["measurement"]["failure_ratio"] = verification.measurement.failure_ratio
    for verdict in document["verdicts"]:
        verdict["limit"] = float(verdict["limit"])
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _junit(verification: Verification) -> str:
    """Return a test case for each gate; one that the results do not show to be kept is a failure too."""
    missed = [verdict for verdict in verification.verdicts if verdict.status != "pass"]
    numbers = {"tests": str(len(verification.verdicts)), "failures": str(len(missed))}
    name = one_line(f"{verification.scenario}.{verification.load}")
    root = Element("testsuites")
    suite = SubElement(root, "testsuite", {"name": f"cascade-plan verify {name}", **numbers})
    for verdict in verification.verdicts:
        title = f"{verdict.figure} {limit_text(verdict)}"
        case = SubElement(suite, "testcase", {"classname": f"cascade-plan.verify.{name}", "name": title})
        if verdict in missed:
            kind = "gate-missed" if verdict.status == "fail" else "not-judged"
            SubElement(case, "failure", {"type": kind, "message": gate_line(verdict)})
    SubElement(suite, "system-out").text = "\n".join([headline(verification), *map(_finding, verification.findings)])
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


FORMATS: Final[dict[str, Callable[[Verification], str]]] = {
    "table": _table,
    "markdown": _markdown,
    "json": _json,
    "junit": _junit,
}
