"""A document for programs: JSON with sorted keys, the same bytes for the same data."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from math import isfinite
from typing import Any

from cascade_plan.languages.json import dump
from cascade_plan.units import decimal_text


def written(data: Mapping[str, Any]) -> str:
    """Return a mapping as JSON: money as decimal text; what is no finite number as null."""
    text = dump(_plain(data), sort_keys=True)
    # Lone surrogates, which a hostile name can hold, have no place in UTF-8.
    return text.encode("utf-8", "replace").decode()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, Decimal):
        return decimal_text(value)
    return None if isinstance(value, float) and not isfinite(value) else value
