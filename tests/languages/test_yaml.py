"""YAML text: what goes in comes out, whatever it looks like."""

from __future__ import annotations

import doctest
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.languages import yaml as yaml_text
from cascade_plan.languages.yaml import dump

TEXTS = st.text(st.characters(exclude_categories=["Cs"])) | st.text("ab \n\t#:-|>'\"\\%\x07\x85\u2028\ufeffé😀")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)

WORDS = (
    "yes no on off true false y n Y N True NULL null ~ 1e3 1E3 0x1f 0o17 017 0b11 1_000 12:30:45 1.5 .5 -.inf .nan +1",
    "2024-02-30 2024-01-01 2024-01-01T00:00:00Z = << * & ! | > % @ ` - ? : # [] {} [a] 200m 1Gi 10% 0.2",
)
LOOKALIKES = ["", "{a: b}", "- a", "a: b", "a #b", " a", "a ", *(word for line in WORDS for word in line.split())]


def test_the_worked_examples() -> None:
    assert doctest.testmod(yaml_text).failed == 0


@given(st.lists(st.dictionaries(TEXTS, JSON, max_size=4), max_size=3))
def test_parsing_gives_the_objects_back(objects: list[dict[str, Any]]) -> None:
    text = dump(objects)
    assert list(yaml.safe_load_all(text)) == objects
    assert dump(objects) == text


@given(st.lists(TEXTS, min_size=1, max_size=3).map("\n".join))
def test_texts_of_lines_come_back(text: str) -> None:
    assert yaml.safe_load(dump([{"text": text, "after": 1}])) == {"text": text, "after": 1}


@pytest.mark.parametrize("text", LOOKALIKES)
def test_a_text_that_looks_like_something_else_stays_a_text(text: str) -> None:
    objects = [{"value": text, "list": [text], text: "key"}]
    assert list(yaml.safe_load_all(dump(objects))) == objects


@pytest.mark.parametrize(
    "text", ["1e3", "1E3", "0o17", "12e03", "y", "N", "2024-01-01", "0x1f", "1_000", "+.INF", "~", ""]
)
def test_what_another_parser_would_take_for_something_else_is_quoted(text: str) -> None:
    assert dump([{"value": text}]) == f'---\nvalue: "{text}"\n'


@pytest.mark.parametrize("text", ["200m", "1Gi", "10%", "v2", "apps/v1", "e3", "/ready", "a-1", "Always", "nobody"])
def test_plain_words_stay_plain(text: str) -> None:
    assert dump([{"value": text}]) == f"---\nvalue: {text}\n"


def test_documents_fields_and_lists_keep_their_order_and_long_lines_are_not_folded() -> None:
    long = "word " * 100 + "end"
    assert dump([{"b": 1, "a": [long]}, {}]) == f"---\nb: 1\na:\n- {long}\n--- {{}}\n"


def test_files_of_lines_are_readable_blocks() -> None:
    assert dump([{"conf": "a:\n  b # café\n\nc\n"}]) == "---\nconf: |\n  a:\n    b # café\n\n  c\n"


def test_a_shared_object_is_written_twice() -> None:
    shared = {"a": [1]}
    assert dump([{"b": shared, "c": shared}]) == "---\nb:\n  a:\n  - 1\nc:\n  a:\n  - 1\n"


def test_nothing_is_an_empty_stream() -> None:
    assert dump([]) == ""


@pytest.mark.parametrize("value", [{1, 2}, object(), b"bytes", date(2024, 1, 1), Decimal(1)])
def test_what_json_cannot_hold_is_refused(value: object) -> None:
    with pytest.raises(yaml.YAMLError):
        dump([{"value": value}])
