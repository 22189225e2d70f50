"""prometheus-adapter: what is recorded of each pod, under the names that autoscalers ask for."""

from __future__ import annotations

from typing import Any

from cascade_plan.languages.promql import literal
from cascade_plan.model.plan import Plan


def served(plan: Plan) -> dict[str, str]:
    """Return recorded series -> the name that an autoscaler asks for, each once whatever services record it."""
    return {
        recorded.name: recorded.served_as for watch in plan.watches for recorded in watch.recorded if recorded.served_as
    }


def adapter_rules(plan: Plan) -> dict[str, Any]:
    """Return the adapter's configuration: one rule for each metric, by namespace and pod.

    One rule serves the pods of every service: two of one name would hide each other. `max` gives one value a pod also
    while two copies of the series overlap, as after a server's replacement.
    Source: https://github.com/kubernetes-sigs/prometheus-adapter/blob/master/docs/config.md
    """
    return {
        "rules": [
            {
                "seriesQuery": f'{name}{{namespace={literal(plan.application)},pod!=""}}',
                "resources": {"overrides": {"namespace": {"resource": "namespace"}, "pod": {"resource": "pod"}}},
                "name": {"matches": f"^{name}$", "as": metric},
                "metricsQuery": "max by (<<.GroupBy>>) (<<.Series>>{<<.LabelMatchers>>})",
            }
            for name, metric in served(plan).items()
        ]
    }
