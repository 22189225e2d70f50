"""Prometheus rules: what is watched as the documents of rule files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from cascade_plan.emitters._watches.collected import Groups
from cascade_plan.languages.promql import annotation, duration
from cascade_plan.model.plan import Plan
from cascade_plan.model.watch import LABELS, Alarm, Recorded

Rule = dict[str, Any]


def pod_rules(plan: Plan) -> dict[str, Any]:
    """Return the rule file of what is recorded of each pod, where the pod is scraped."""
    found = [recorded for watch in plan.watches for recorded in watch.recorded if recorded.is_of_pods]
    return _file(plan, [("pods", [_recording(recorded) for recorded in found])])


def fleet_rules(plan: Plan, watched: Groups) -> dict[str, Any]:
    """Return the rule file of what is recorded of the whole fleet."""
    return _file(
        plan,
        (
            (name, [_recording(each) for watch in watches for each in watch.recorded if not each.is_of_pods])
            for name, watches in watched.items()
        ),
    )


def alarms(plan: Plan, watched: Groups) -> dict[str, Any]:
    """Return the rule file of the alarms."""
    return _file(
        plan,
        (
            (name, [_alert(plan, watch.subject, alarm) for watch in watches for alarm in watch.alarms])
            for name, watches in watched.items()
        ),
    )


def _file(plan: Plan, found: Iterable[tuple[str, Sequence[Rule]]]) -> dict[str, Any]:
    return {"groups": [{"name": f"{plan.application}-{name}", "rules": rules} for name, rules in found if rules]}


def _recording(recorded: Recorded) -> Rule:
    labels = {"labels": {**recorded.labels}} if recorded.labels else {}
    return {"record": recorded.name, "expr": recorded.expression, **labels}


def _alert(plan: Plan, subject: str, alarm: Alarm) -> Rule:
    description = annotation(alarm.description).replace("{value}", f"{{{{ $value | {alarm.unit} }}}}")
    for label in LABELS:
        description = description.replace(f"{{{label}}}", f"{{{{ $labels.{label} }}}}")
    return {
        "alert": alarm.name,
        "expr": alarm.expression,
        **({"for": duration(alarm.held_s)} if alarm.held_s else {}),
        "labels": {"severity": alarm.severity, "subject": subject, **alarm.labels},
        "annotations": {
            "summary": annotation(f"{plan.application}: {alarm.summary}"),
            "description": description,
            "runbook": annotation(alarm.runbook),
        },
    }
