"""What all languages have in common: the same names for the same things, and comments that nothing in them ends."""

from __future__ import annotations

import doctest
from importlib import import_module
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan import registry

LANGUAGES: dict[str, ModuleType] = {
    name: import_module(f"cascade_plan.languages.{name}") for name in registry.names("languages")
}
MARKS = {"hcl": "#", "ini": ";", "javascript": "//", "python": "#", "shell": "#", "sql": "--", "yaml": "#"}
hostile = st.text() | st.lists(st.sampled_from(["a", "\n", "\r", "\u2028", "\x0b", "-->", "*/", "#", " ", "é"])).map(
    "".join
)


@pytest.mark.parametrize("name", LANGUAGES)
def test_doctests(name: str) -> None:
    assert doctest.testmod(LANGUAGES[name]).failed == 0


@pytest.mark.parametrize("name", LANGUAGES)
def test_a_language_has_a_literal_a_name_a_comment_or_documents(name: str) -> None:
    assert any(
        hasattr(LANGUAGES[name], each) for each in ("literal", "name", "comment", "dump", "text", "line", "component")
    )


def test_every_comment_that_ends_with_its_line_is_known_by_its_mark() -> None:
    assert {name for name, module in LANGUAGES.items() if hasattr(module, "comment")} == {*MARKS, "markdown"}


@pytest.mark.parametrize("name", MARKS)
@given(hostile)
def test_every_line_of_a_comment_is_one(name: str, text: str) -> None:
    lines = LANGUAGES[name].comment(text).splitlines()
    assert len(lines) == len(text.splitlines())
    assert all(line.startswith(MARKS[name]) for line in lines)


@given(hostile)
def test_a_comment_of_markdown_ends_where_it_should(text: str) -> None:
    comment = LANGUAGES["markdown"].comment(text)
    assert comment.startswith("<!--\n")
    assert comment.index("-->") == len(comment) - len("-->\n")
