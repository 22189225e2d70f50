"""prometheus-adapter: the recorded p95 of each pod under the name the HPA asks for."""

from __future__ import annotations

from typing import Any

from cascade_plan.emitters._heading import application
from cascade_plan.emitters._scaling import DEFAULT_METRIC
from cascade_plan.emitters.prometheus._recordings import P95_OF_POD
from cascade_plan.languages.promql import literal
from cascade_plan.model.plan import Plan


def adapter_rules(plan: Plan) -> dict[str, Any]:
    """Return the adapter's configuration: one metric, by namespace and pod.

    `max` gives one value a pod also while two copies of the series overlap, as after a server's replacement.
    Source: https://github.com/kubernetes-sigs/prometheus-adapter/blob/master/docs/config.md
    """
    return {
        "rules": [
            {
                "seriesQuery": f'{P95_OF_POD}{{namespace={literal(application(plan))},pod!=""}}',
                "resources": {"overrides": {"namespace": {"resource": "namespace"}, "pod": {"resource": "pod"}}},
                "name": {"matches": f"^{P95_OF_POD}$", "as": DEFAULT_METRIC},
                "metricsQuery": "max by (<<.GroupBy>>) (<<.Series>>{<<.LabelMatchers>>})",
            }
        ]
    }
