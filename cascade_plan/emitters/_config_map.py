"""A ConfigMap of files that a program of the plan mounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cascade_plan.model.plan import Plan


def config_map(
    plan: Plan, component: str, data: Mapping[str, str], labels: Mapping[str, str] | None = None, name: str = ""
) -> dict[str, Any]:
    """Return the object that holds these files, in the namespace of what they are about.

    It is called after the application and the component, where its user does not ask for another name.
    """
    metadata = {
        "name": name or f"{plan.application}-{component}",
        "namespace": plan.application,
        "labels": {
            "app.kubernetes.io/name": component,
            "app.kubernetes.io/part-of": plan.application,
            "app.kubernetes.io/managed-by": "cascade-plan",
            **(labels or {}),
        },
    }
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {**data}}
