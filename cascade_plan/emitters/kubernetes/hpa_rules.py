"""What the Kubernetes API server says of a HorizontalPodAutoscaler, before any cluster is asked.

Source: Kubernetes v1.28 pkg/apis/autoscaling/validation/validation.go, and of 1.33 and later the tolerance of each
direction. Two things differ from the server on purpose: metric selectors are checked here (the server stores a bad
one and the controller then fails on every pass), and fields nobody reads are refused (as `kubectl apply` does).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from cascade_plan.emitters.kubernetes.fields import (
    ANY,
    INT32_TYPE,
    METADATA,
    QUANTITY,
    SELECTOR,
    STRING,
    Errors,
    decode_errors,
    forbidden,
    invalid,
    metadata_errors,
    quoted,
    required,
    selector_errors,
    unsupported,
)
from cascade_plan.emitters.kubernetes.names import (
    container_resource_problems,
    dns_label_problems,
    parse_quantity,
    path_segment_problems,
)

PERIOD_S_MAX: Final = 1800
WINDOW_S_MAX: Final = 3600

API_VERSION: Final = "autoscaling/v2"
KIND: Final = "HorizontalPodAutoscaler"

_REFERENCE: Final = {"apiVersion": STRING, "kind": STRING, "name": STRING}
_IDENTIFIER: Final = {"name": STRING, "selector": SELECTOR}
_TARGET: Final = {"type": STRING, "value": QUANTITY, "averageValue": QUANTITY, "averageUtilization": INT32_TYPE}
_METRIC: Final = {
    "type": STRING,
    "object": {"describedObject": _REFERENCE, "metric": _IDENTIFIER, "target": _TARGET},
    "external": {"metric": _IDENTIFIER, "target": _TARGET},
    "pods": {"metric": _IDENTIFIER, "target": _TARGET},
    "resource": {"name": STRING, "target": _TARGET},
    "containerResource": {"name": STRING, "container": STRING, "target": _TARGET},
}
_POLICY: Final = {"type": STRING, "value": INT32_TYPE, "periodSeconds": INT32_TYPE}
_RULES: Final = {
    "stabilizationWindowSeconds": INT32_TYPE,
    "selectPolicy": STRING,
    "policies": [_POLICY],
    "tolerance": QUANTITY,
}
_SHAPE: Final = {
    "apiVersion": STRING,
    "kind": STRING,
    "metadata": METADATA,
    "spec": {
        "scaleTargetRef": _REFERENCE,
        "minReplicas": INT32_TYPE,
        "maxReplicas": INT32_TYPE,
        "metrics": [_METRIC],
        "behavior": {"scaleUp": _RULES, "scaleDown": _RULES},
    },
    "status": ANY,
}


def validate(hpa: Mapping[str, Any], *, scale_to_zero: bool = False) -> list[str]:
    """Return the field errors of an autoscaling/v2 HorizontalPodAutoscaler, in the server's order; empty when valid.

    The rules apply as on the server before defaulting: `behavior.scaleUp` without policies is an error here, though
    a real request never meets it, because the defaults come first. `scale_to_zero` is the feature gate
    HPAScaleToZero, which allows `minReplicas: 0`. A field of the wrong type ends the check, as decoding ends it on
    the server; those errors have words of our own. The same error is never listed twice.
    Servers of 1.35 and later also demand an API group in `scaleTargetRef.apiVersion`; this follows 1.28 and does not.
    """
    errors = decode_errors(hpa, _SHAPE, "") or _type_errors(hpa)
    if not errors:
        errors = metadata_errors(hpa.get("metadata") or {}, "metadata")
        errors += _spec(hpa.get("spec") or {}, "spec", 0 if scale_to_zero else 1)
    return list(dict.fromkeys(errors))


def _type_errors(hpa: Mapping[str, Any]) -> Errors:
    """Return the errors of an object of another kind or version; both may be left out."""
    version, kind = hpa.get("apiVersion") or API_VERSION, hpa.get("kind") or KIND
    if version != API_VERSION:
        return [f"the API version in the data ({version}) does not match the expected API version ({API_VERSION})"]
    return [] if kind == KIND else [f"no kind {quoted(kind)} is registered for version {quoted(version)}"]


def _spec(spec: Mapping[str, Any], path: str, replicas_min: int) -> Errors:
    """Return the errors of the spec; `replicas_min` is the least `minReplicas` the server allows (0 or 1)."""
    errors: Errors = []
    low, high = spec.get("minReplicas"), spec.get("maxReplicas") or 0
    if low is not None and low < replicas_min:
        errors.append(invalid(f"{path}.minReplicas", low, f"must be greater than or equal to {replicas_min}"))
    if high < 1:
        errors.append(invalid(f"{path}.maxReplicas", high, "must be greater than 0"))
    if low is not None and high < low:
        errors.append(invalid(f"{path}.maxReplicas", high, "must be greater than or equal to `minReplicas`"))
    errors += _reference(spec.get("scaleTargetRef") or {}, f"{path}.scaleTargetRef")
    errors += _metrics(spec.get("metrics") or [], f"{path}.metrics", low)
    behavior = spec.get("behavior") or {}
    for direction in ("scaleUp", "scaleDown"):
        if behavior.get(direction) is not None:
            errors += _scaling_rules(behavior[direction], f"{path}.behavior.{direction}")
    return errors


def _reference(reference: Mapping[str, Any], path: str) -> Errors:
    """Return the errors of a reference: kind and name are path segments, the version is free."""
    errors: Errors = []
    for key in ("kind", "name"):
        value = reference.get(key) or ""
        if not value:
            errors.append(required(f"{path}.{key}"))
        errors += [invalid(f"{path}.{key}", value, text) for text in path_segment_problems(value)]
    return errors


def _metrics(metrics: Sequence[Mapping[str, Any] | None], path: str, replicas_min: int | None) -> Errors:
    """Return the errors of every metric, then of scaling to zero without a metric that works at zero."""
    specs = [metric or {} for metric in metrics]
    errors = [error for index, spec in enumerate(specs) for error in _metric(spec, f"{path}[{index}]")]
    # Pods and resource metrics come from running pods: at zero replicas nothing could wake the workload.
    if replicas_min == 0 and not {"Object", "External"} & {spec.get("type") for spec in specs}:
        detail = "must specify at least one Object or External metric to support scaling to zero replicas"
        errors.append(forbidden(path, detail))
    return errors


def _metric(spec: Mapping[str, Any], path: str) -> Errors:
    """Return the errors of one metric. Several superfluous sources are named in API order (at random on the server)."""
    errors: Errors = []
    kind = spec.get("type") or ""
    if not kind:
        errors.append(required(f"{path}.type", "must specify a metric source type"))
    if kind not in _FIELD_OF_TYPE:
        errors.append(unsupported(f"{path}.type", kind, list(_FIELD_OF_TYPE)))
    present = [field for field in _SOURCES if spec.get(field) is not None]
    if present:
        errors += _SOURCES[present[0]](spec[present[0]], f"{path}.{present[0]}")
    expected = _FIELD_OF_TYPE.get(kind)
    if expected and expected not in present:
        errors.append(required(f"{path}.{expected}", "must populate information for the given metric source"))
    if len(present) > 1:
        superfluous = [field for field in present if field != expected]
        errors += [forbidden(f"{path}.{field}", "must populate the given metric source only") for field in superfluous]
    return errors


def _object_source(source: Mapping[str, Any], path: str) -> Errors:
    """Return the errors of a metric of another object: a value of it, or an average over the pods."""
    target = source.get("target") or {}
    errors = _reference(source.get("describedObject") or {}, f"{path}.describedObject")
    errors += _identifier(source.get("metric") or {}, f"{path}.metric")
    errors += _target(target, f"{path}.target")
    if target.get("value") is None and target.get("averageValue") is None:
        errors.append(required(f"{path}.target.averageValue", "must set either a target value or averageValue"))
    return errors


def _external_source(source: Mapping[str, Any], path: str) -> Errors:
    """Return the errors of a metric from outside the cluster: a value or an average, not both."""
    target = source.get("target") or {}
    errors = _identifier(source.get("metric") or {}, f"{path}.metric")
    errors += _target(target, f"{path}.target")
    given = [target.get(key) is not None for key in ("value", "averageValue")]
    if not any(given):
        detail = "must set either a target value for metric or a per-pod target"
        errors.append(required(f"{path}.target.averageValue", detail))
    if all(given):
        detail = "may not set both a target value for metric and a per-pod target"
        errors.append(forbidden(f"{path}.target.value", detail))
    return errors


def _pods_source(source: Mapping[str, Any], path: str) -> Errors:
    """Return the errors of a metric of each pod: only an average makes sense."""
    target = source.get("target") or {}
    errors = _identifier(source.get("metric") or {}, f"{path}.metric")
    errors += _target(target, f"{path}.target")
    if target.get("averageValue") is None:
        errors.append(required(f"{path}.target.averageValue", "must specify a positive target averageValue"))
    return errors


def _resource_source(source: Mapping[str, Any], path: str) -> Errors:
    """Return the errors of a resource metric; the server takes any name here, and only misses the metric later."""
    errors = [] if source.get("name") else [required(f"{path}.name", "must specify a resource name")]
    return errors + _resource_target(source.get("target") or {}, f"{path}.target")


def _container_resource_source(source: Mapping[str, Any], path: str) -> Errors:
    """Return the errors of one container's resource metric; here the resource's name is checked."""
    name, container = source.get("name") or "", source.get("container") or ""
    if name:
        errors = [invalid(f"{path}.name", name, text) for text in container_resource_problems(name)]
    else:
        errors = [required(f"{path}.name", "must specify a resource name")]
    if container:
        errors += [invalid(f"{path}.container", container, text) for text in dns_label_problems(container)]
    else:
        errors.append(required(f"{path}.container", "must specify a container"))
    return errors + _resource_target(source.get("target") or {}, f"{path}.target")


_SOURCES: Final[dict[str, Callable[[Mapping[str, Any], str], Errors]]] = {
    "object": _object_source,
    "external": _external_source,
    "pods": _pods_source,
    "resource": _resource_source,
    "containerResource": _container_resource_source,
}
_FIELD_OF_TYPE: Final = {field[0].upper() + field[1:]: field for field in _SOURCES}


def _resource_target(target: Mapping[str, Any], path: str) -> Errors:
    """Return the errors of a resource's target: a utilization or an average value, not both."""
    errors = _target(target, path)
    given = [target.get(key) is not None for key in ("averageUtilization", "averageValue")]
    if not any(given):
        detail = "must set either a target raw value or a target utilization"
        errors.append(required(f"{path}.averageUtilization", detail))
    if all(given):
        detail = "may not set both a target raw value and a target utilization"
        errors.append(forbidden(f"{path}.averageValue", detail))
    return errors


def _target(target: Mapping[str, Any], path: str) -> Errors:
    """Return the errors any target can have: its type, and figures that are not positive."""
    errors: Errors = []
    kind = target.get("type") or ""
    if not kind:
        errors.append(required(f"{path}.type", "must specify a metric target type"))
    if kind not in ("Utilization", "Value", "AverageValue"):
        errors.append(invalid(f"{path}.type", kind, "must be either Utilization, Value, or AverageValue"))
    for key in ("value", "averageValue"):
        amount = None if target.get(key) is None else parse_quantity(target[key])
        if amount and amount.value <= 0:
            errors.append(invalid(f"{path}.{key}", amount, "must be positive"))
    percent = target.get("averageUtilization")
    if percent is not None and percent < 1:
        errors.append(invalid(f"{path}.averageUtilization", percent, "must be greater than 0"))
    return errors


def _identifier(identifier: Mapping[str, Any], path: str) -> Errors:
    """Return the errors of a metric's name and selector."""
    name = identifier.get("name") or ""
    errors = [invalid(f"{path}.name", name, text) for text in path_segment_problems(name)]
    if not name:
        errors.append(required(f"{path}.name", "must specify a metric name"))
    return errors + selector_errors(identifier.get("selector") or {}, f"{path}.selector")


def _scaling_rules(rules: Mapping[str, Any], path: str) -> Errors:
    """Return the errors of one direction's rules: window 0-3600 s, at least one policy, tolerance of at least 0."""
    errors: Errors = []
    window = rules.get("stabilizationWindowSeconds") or 0
    if window < 0:
        errors.append(invalid(f"{path}.stabilizationWindowSeconds", window, "must be greater than or equal to zero"))
    if window > WINDOW_S_MAX:
        detail = f"must be less than or equal to {WINDOW_S_MAX}"
        errors.append(invalid(f"{path}.stabilizationWindowSeconds", window, detail))
    select = rules.get("selectPolicy")
    if select is not None and select not in ("Max", "Min", "Disabled"):
        errors.append(unsupported(f"{path}.selectPolicy", select, ("Max", "Min", "Disabled")))
    policies = rules.get("policies") or []
    if not policies:
        errors.append(required(f"{path}.policies", "must specify at least one Policy"))
    for index, policy in enumerate(policies):
        errors += _policy(policy or {}, f"{path}.policies[{index}]")
    tolerance = None if rules.get("tolerance") is None else parse_quantity(rules["tolerance"])
    if tolerance and tolerance.value < 0:
        # A text, hence in quotes on the server too, unlike the quantities of a target.
        errors.append(invalid(f"{path}.tolerance", tolerance.canonical(), "must be greater than or equal to 0"))
    return errors


def _policy(policy: Mapping[str, Any], path: str) -> Errors:
    """Return the errors of one policy: pods or percent, above 0, per 1-1800 s."""
    errors: Errors = []
    kind = policy.get("type") or ""
    if kind not in ("Pods", "Percent"):
        errors.append(unsupported(f"{path}.type", kind, ("Pods", "Percent")))
    for key in ("value", "periodSeconds"):
        amount = policy.get(key) or 0
        if amount <= 0:
            errors.append(invalid(f"{path}.{key}", amount, "must be greater than zero"))
    period = policy.get("periodSeconds") or 0
    if period > PERIOD_S_MAX:
        errors.append(invalid(f"{path}.periodSeconds", period, f"must be less than or equal to {PERIOD_S_MAX}"))
    return errors
