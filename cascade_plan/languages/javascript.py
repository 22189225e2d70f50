"""JavaScript source: the one way a value of a scenario, or a remark, gets into it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from cascade_plan.languages._lines import commented

Value: TypeAlias = "str | int | float | Sequence[Value] | Mapping[str, Value] | None"


def literal(value: Value, indent: int | None = None) -> str:
    """Return a value as the JavaScript literal that evaluates to it: ASCII only, safe within a <script> too.

    JSON is JavaScript except for U+2028 and U+2029, which are escaped as everything beyond ASCII is (ECMA-404, and
    ECMAScript 2019's JSON superset). `</` is escaped, so that no string ends an HTML element it may be pasted into.
    Raises ValueError for a number that JSON does not have (infinity, not a number).
    """
    return json.dumps(value, indent=indent, allow_nan=False).replace("</", "<\\/")


def comment(text: str) -> str:
    """Return text as comment lines."""
    return commented(text, "//")
