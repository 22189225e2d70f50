"""Fields of Kubernetes objects: decoding, metadata and selectors, and the API server's words for what is wrong.

An error is one line, "path: kind of error: value: detail", as in the server's answer.
Source: Kubernetes v1.28, k8s.io/apimachinery pkg/util/validation/field, pkg/api/validation and
pkg/apis/meta/v1/validation.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from cascade_plan.emitters.kubernetes.names import (
    Quantity,
    QuantityError,
    byte_count,
    dns_label_problems,
    dns_subdomain_problems,
    label_value_problems,
    parse_quantity,
    qualified_name_problems,
)

ANNOTATIONS_BYTES_MAX: Final = 256 * 1024
INT32: Final = range(-(2**31), 2**31)

Errors = list[str]

# The leaves of a shape: a shape is a leaf, a dict of field -> shape, or a list of one shape.
ANY: Final = "any"
STRING: Final = "string"
INT32_TYPE: Final = "int32"
QUANTITY: Final = "quantity"
STRINGS: Final = "map of strings"

METADATA: Final = {
    **dict.fromkeys(("name", "generateName", "namespace", "uid", "resourceVersion", "selfLink"), STRING),
    **dict.fromkeys(("labels", "annotations"), STRINGS),
    **dict.fromkeys(("generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"), ANY),
    **dict.fromkeys(("ownerReferences", "finalizers", "managedFields"), ANY),
}
_REQUIREMENT: Final = {"key": STRING, "operator": STRING, "values": [STRING]}
SELECTOR: Final = {"matchLabels": STRINGS, "matchExpressions": [_REQUIREMENT]}


def required(path: str, detail: str = "") -> str:
    """Return the error of a value that is missing or empty."""
    return f"{path}: Required value: {detail}" if detail else f"{path}: Required value"


def forbidden(path: str, detail: str) -> str:
    """Return the error of a value that may not stand there."""
    return f"{path}: Forbidden: {detail}"


def invalid(path: str, value: object, detail: str) -> str:
    """Return the error of a bad value: texts quoted, numbers plain, quantities in canonical form without quotes."""
    shown = value.canonical() if isinstance(value, Quantity) else quoted(value)
    return f"{path}: Invalid value: {shown}: {detail}"


def unsupported(path: str, value: str, supported: Sequence[str]) -> str:
    """Return the error of a word outside a closed list, with the list in alphabetical order."""
    known = ", ".join(quoted(name) for name in sorted(supported))
    return f"{path}: Unsupported value: {quoted(value)}: supported values: {known}"


def quoted(value: object) -> str:
    """Return a text in double quotes with its control characters escaped; anything else as Python shows it."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def decode_errors(value: object, shape: object, path: str) -> Errors:
    """Return the errors of decoding `value` into `shape`: wrong types, unknown fields; null is always absence.

    The words for a wrong type are ours; the server's name Go's types.
    """
    if value is None or shape == ANY:
        return []
    if isinstance(shape, dict):
        if not isinstance(value, Mapping):
            return [invalid(path or "object", value, "must be an object")]
        return [error for key, item in value.items() for error in _decode_field(key, item, shape, path)]
    if isinstance(shape, list):
        if not isinstance(value, list | tuple):
            return [invalid(path, value, "must be an array")]
        items = ((f"{path}[{index}]", item) for index, item in enumerate(value))
        return [error for name, item in items for error in decode_errors(item, shape[0], name)]
    detail = _SCALARS[str(shape)](value)
    return [invalid(path, value, detail)] if detail else []


def _decode_field(key: object, item: object, shape: dict[str, Any], path: str) -> Errors:
    """Return the errors of one field of an object, an unknown one included."""
    name = f"{path}.{key}" if path else str(key)
    if key not in shape:
        return [f"strict decoding error: unknown field {quoted(name)}"]
    return decode_errors(item, shape[str(key)], name)


def _decode_quantity(value: object) -> str:
    """Return what keeps `value` from being a quantity (a text or a bare number), or ""."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return "must be a quantity"
    try:
        parse_quantity(value)
    except QuantityError as error:
        return str(error)
    return ""


def _decode_int32(value: object) -> str:
    """Return what keeps `value` from being an int32, or ""; 5.0 is none, as in Go's JSON."""
    whole = isinstance(value, int) and not isinstance(value, bool) and value in INT32
    return "" if whole else "must be an integer of 32 bits"


def _decode_strings(value: object) -> str:
    """Return what keeps `value` from being a map of texts, or "": an unquoted true is the usual mistake."""
    texts = isinstance(value, Mapping) and all(isinstance(text, str) for item in value.items() for text in item)
    return "" if texts else "must be a map of strings"


_SCALARS: Final[dict[str, Callable[[object], str]]] = {
    STRING: lambda value: "" if isinstance(value, str) else "must be a string",
    INT32_TYPE: _decode_int32,
    QUANTITY: _decode_quantity,
    STRINGS: _decode_strings,
}


def metadata_errors(metadata: Mapping[str, Any], path: str) -> Errors:
    """Return the errors of name, generateName, namespace, labels and annotations; the rest is the server's to set."""
    name, prefix, namespace = (metadata.get(key) or "" for key in ("name", "generateName", "namespace"))
    # The server puts five characters behind a prefix, so the prefix alone may end in a dash.
    base = f"{prefix[:-2]}a" if prefix.endswith("-") and len(prefix) > 1 else prefix
    errors = [invalid(f"{path}.generateName", prefix, text) for text in dns_subdomain_problems(base) if prefix]
    if name:
        errors += [invalid(f"{path}.name", name, text) for text in dns_subdomain_problems(name)]
    elif not prefix:
        errors.append(required(f"{path}.name", "name or generateName is required"))
    if namespace:
        errors += [invalid(f"{path}.namespace", namespace, text) for text in dns_label_problems(namespace)]
    else:
        errors.append(required(f"{path}.namespace"))
    errors += labels_errors(metadata.get("labels") or {}, f"{path}.labels")
    return errors + _annotations(metadata.get("annotations") or {}, f"{path}.annotations")


def labels_errors(labels: Mapping[str, str], path: str) -> Errors:
    """Return the errors of a map of labels; as on the server the path names the map, the value the culprit."""
    errors: Errors = []
    for key, value in labels.items():
        errors += [invalid(path, key, text) for text in qualified_name_problems(key)]
        errors += [invalid(path, value, text) for text in label_value_problems(value)]
    return errors


def _annotations(annotations: Mapping[str, str], path: str) -> Errors:
    """Return the errors of annotations: keys are qualified names in any case, 256 KiB in all."""
    errors = [invalid(path, key, text) for key in annotations for text in qualified_name_problems(key.lower())]
    if sum(byte_count(key) + byte_count(value) for key, value in annotations.items()) > ANNOTATIONS_BYTES_MAX:
        errors.append(f"{path}: Too long: must have at most {ANNOTATIONS_BYTES_MAX} bytes")
    return errors


def selector_errors(selector: Mapping[str, Any], path: str) -> Errors:
    """Return the errors of a label selector; an empty one selects everything and is valid."""
    errors = labels_errors(selector.get("matchLabels") or {}, f"{path}.matchLabels")
    for index, requirement in enumerate(selector.get("matchExpressions") or []):
        errors += _requirement(requirement or {}, f"{path}.matchExpressions[{index}]")
    return errors


def _requirement(requirement: Mapping[str, Any], path: str) -> Errors:
    """Return the errors of one selector expression."""
    errors: Errors = []
    operator, values = requirement.get("operator") or "", requirement.get("values") or []
    if operator in ("In", "NotIn"):
        if not values:
            errors.append(required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'"))
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            errors.append(forbidden(f"{path}.values", detail))
    else:
        errors.append(invalid(f"{path}.operator", operator, "not a valid selector operator"))
    key = requirement.get("key") or ""
    return errors + [invalid(f"{path}.key", key, text) for text in qualified_name_problems(key)]
