"""Documents for the tests of files/: drawn at random, or made from text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from cascade_plan.errors import Problem, ScenarioError
from cascade_plan.files.assignments import set_values
from cascade_plan.files.documents import Document
from cascade_plan.files.parsing import parse_yaml


def outcome(read: Callable[[], Any]) -> tuple[Any, list[Problem]]:
    """Return (what a function returns, []) or (None, the problems it raises). Any other exception passes."""
    try:
        return read(), []
    except ScenarioError as error:
        return None, error.problems


keys = st.text(max_size=20)
leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(10**99) + 1, 10**99)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=40)
    | st.from_regex(r"[-+]?[0-9._:eExob]{1,8}", fullmatch=True)
    | st.sampled_from(["yes", "NO", "on", "true", "Null", "~", "<<", "=", ".inf", ".iNF", "-.5", "1e3", "12:30", "1_0"])
)
json_values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=25
)
documents = st.dictionaries(keys, json_values, min_size=1, max_size=5)
relaxed = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


soup = st.lists(
    st.sampled_from(
        [*"[]{}:,-?&*!|>'\"%@`#~ \n\t", "a", "b: ", "&a ", "*a", "<<: ", "- ", "---\n", "\\x", "!!int ", "9"]
    ),
    max_size=60,
).map("".join)


BASE = "users:\n  peak: 10\n  profile: [1, 2]\ntiers:\ngates: {a.b: ['< 1']}\n"


def with_set(*pairs: tuple[str, str], text: str = BASE) -> Document:
    return set_values(parse_yaml(text, "f"), [(f"--set {path}={raw}", path, raw) for path, raw in pairs])
