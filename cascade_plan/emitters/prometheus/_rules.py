"""Prometheus rules as typed objects, and the file that holds them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from cascade_plan.languages.promql import annotation, duration

Severity = Literal["page", "ticket"]
"""page: someone gets up for it. ticket: someone looks within the working day."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A series recorded from an expression. Names are level:metric:operation."""

    record: str
    expr: str
    labels: dict[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return the rule as the rule file holds it."""
        return {"record": self.record, "expr": self.expr, **({"labels": self.labels} if self.labels else {})}


@dataclass(frozen=True, slots=True)
class Alert:
    """A condition someone is told of, with what to do."""

    alert: str
    expr: str
    for_s: int
    severity: Severity
    subject: str
    """What it is about, such as latency; a page on a subject silences its tickets."""
    summary: str
    description: str
    """What is measured against what; {value}, {pod} and {job} stand for what the alert was raised with."""
    runbook: str
    unit: str = "humanize"
    """The template function that shows the value."""
    labels: dict[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return the rule as the rule file holds it."""
        description = annotation(self.description).replace("{value}", f"{{{{ $value | {self.unit} }}}}")
        for label in ("pod", "job"):
            description = description.replace(f"{{{label}}}", f"{{{{ $labels.{label} }}}}")
        return {
            "alert": self.alert,
            "expr": self.expr,
            **({"for": duration(self.for_s)} if self.for_s else {}),
            "labels": {"severity": self.severity, "subject": self.subject, **self.labels},
            "annotations": {
                "summary": annotation(self.summary),
                "description": description,
                "runbook": annotation(self.runbook),
            },
        }


@dataclass(frozen=True, slots=True)
class Group:
    """Rules evaluated one after the other, each seeing what those before it recorded."""

    name: str
    rules: Sequence[Recording | Alert]


def rule_file(groups: Sequence[Group]) -> dict[str, Any]:
    """Return the document of a rule file."""
    return {
        "groups": [
            {"name": group.name, "rules": [rule.document() for rule in group.rules]} for group in groups if group.rules
        ]
    }
