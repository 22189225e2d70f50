"""JSON text: the same document to a parser, and nothing in it that a terminal acts on."""

from __future__ import annotations

import doctest
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.languages import json as json_text
from cascade_plan.languages.json import dump

TEXTS = st.text(st.characters(exclude_categories=["Cs"])) | st.text('ab\n\x1b\x7f\x9b\u2028\u202e\u2066\ufeffé😀\\"')
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def test_the_worked_example() -> None:
    assert doctest.testmod(json_text).failed == 0


@given(JSON)
def test_what_goes_in_comes_out_and_can_be_seen(document: Any) -> None:
    text = dump(document)
    assert json.loads(text) == document
    assert not [each for each in text if each in "\x1b\x7f\x9b\u2028\u202e\u2066\ufeff"]


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        dump({"cost": float("nan")})
