"""The YAML reader: nothing silently misread, every mistake named where it stands."""

from __future__ import annotations

import time
from typing import Any

import pytest
import yaml
from documents_drawn import documents, outcome, relaxed, soup
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.errors import ScenarioError
from cascade_plan.files import parsing
from cascade_plan.files.parsing import parse_yaml

LOADERS = sorted({yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)}, key=lambda loader: loader.__name__)


@pytest.fixture(params=LOADERS, ids=lambda loader: loader.__name__)
def each_loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a test with libyaml and with PyYAML's own parser, which read_text's user may or may not have."""
    monkeypatch.setattr(parsing, "_LOADER", request.param)


def problems(text: str) -> list[str]:
    """Return the problems of a text as lines, "f:1:1: ..."."""
    with pytest.raises(ScenarioError) as caught:
        parse_yaml(text, "f")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.usefixtures("each_loader")
def test_scalars_without_surprises() -> None:
    text = """
    bools: [true, False, TRUE]
    words: [yes, no, on, off, y, n]
    times: [12:30, 2024-01-01, 2024-01-01T00:00:00Z]
    texts: [010, 0x10, 0b1, 1e3, 1_, "10", '1.5', "true", "", =, -, 1.2.3]
    ints: [0, -1, +7, 10_000, 12345678901234567890]
    floats: [1.5, -0.25, 1., .5, 1.0e+3, 10_0.5]
    nulls: [~, null, NULL, ]
    empty:
    """
    assert parse_yaml(text, "f").data == {
        "bools": [True, False, True],
        "words": ["yes", "no", "on", "off", "y", "n"],
        "times": ["12:30", "2024-01-01", "2024-01-01T00:00:00Z"],
        "texts": ["010", "0x10", "0b1", "1e3", "1_", "10", "1.5", "true", "", "=", "-", "1.2.3"],
        "ints": [0, -1, 7, 10_000, 12345678901234567890],
        "floats": [1.5, -0.25, 1.0, 0.5, 1000.0, 100.5],
        "nulls": [None, None, None],
        "empty": None,
    }
    data = parse_yaml("{a: 1, b: 1.0, c: true}", "f").data
    assert [type(value) for value in data.values()] == [int, float, bool]


@pytest.mark.usefixtures("each_loader")
def test_core_tags_are_taken_at_their_word() -> None:
    text = 'a: !!str 10\nb: !!int "10"\nc: !!float 1\nd: !!map {e: !!seq [1]}\nf: !!null ""\ng: [! 12, ! "12"]\n'
    assert parse_yaml(text, "f").data == {"a": "10", "b": 10, "c": 1, "d": {"e": [1]}, "f": None, "g": ["12", "12"]}


@pytest.mark.usefixtures("each_loader")
def test_marks() -> None:
    document = parse_yaml("users:\n  peak: 10\n  'profile': [1,\n    2]\ntiers: {api: &a {shape: x}, b: *a}\n", "f")
    assert document.name == "f"
    assert document.marks == {
        (): (1, 1),
        ("users",): (2, 3),
        ("users", "peak"): (2, 9),
        ("users", "profile"): (3, 14),
        ("users", "profile", 0): (3, 15),
        ("users", "profile", 1): (4, 5),
        ("tiers",): (5, 8),
        ("tiers", "api"): (5, 14),  # where the anchor stands
        ("tiers", "api", "shape"): (5, 25),
        ("tiers", "b"): (5, 14),
        ("tiers", "b", "shape"): (5, 25),
    }
    assert document.key_marks["users",] == (1, 1)
    assert document.key_marks["tiers", "b"] == (5, 29)
    assert document.place(("users", "peak")) == ("f", 2, 9)
    assert document.key_place(("users", "peak")) == ("f", 2, 3)
    assert document.place(("users",)) == ("f", 1, 1)
    assert document.place(("users", "absent", 3)) == ("f", 1, 1)
    assert document.place(("absent",)) == ("f", 1, 1)


def test_aliases_are_copies() -> None:
    data = parse_yaml("a: &x {n: [1]}\nb: *x\nc: *x\n", "f").data
    assert data["b"] == data["c"] == {"n": [1]}
    assert data["b"] is not data["c"]


@pytest.mark.usefixtures("each_loader")
def test_every_problem_at_once_in_file_order() -> None:
    text = """\
a: !!python/object/apply:os.system [ls]
b: !mine 2
c: .nan
a: 3
1: one
~: none
<<: {a: 1}
? [x]
: list
nested: {d: -.INF, d: [1.0e+999], e: 1}
long: %s
wrong: !!int ten
t: !!timestamp 2024-01-01
""" % ("9" * 5000)
    assert problems(text) == [
        "f:1:4: a: the tag !!python/object/apply:os.system is not supported; remove it",
        "f:2:4: b: the tag !mine is not supported; remove it",
        "f:3:4: c: must be a finite number, got .nan",
        "f:4:1: a: duplicate key; first given on line 1",
        "f:5:1: a key must be text, got 1; put it in quotes",
        "f:6:1: a key must be text, got nothing; put it in quotes",
        "f:7:1: merge keys (<<) are not supported; write the fields out",
        "f:8:3: a key must be text, got a mapping or list; quote it if it is meant as text",
        "f:10:13: nested.d: must be a finite number, got -.INF",
        "f:10:20: nested.d: duplicate key; first given on line 10",
        "f:11:7: long: a number may have at most 100 characters, got 5000",
        "f:12:8: wrong: 'ten' is no int, which its tag says it is",
        "f:13:4: t: the tag !!timestamp is not supported; remove it",
    ]


@pytest.mark.usefixtures("each_loader")
@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("", "1:1", "the document is empty"),
        ("# only a comment\n", "1:1", "the document is empty"),
        ("---\n...\n", "1:1", "the document is empty"),
        ("- 1", "1:1", "the document must be a mapping of fields, got a list"),
        ("ten", "1:1", "the document must be a mapping of fields, got 'ten'"),
        ("a: 1\n---\nb: 2", "2:1", "a second document starts here; one file holds one document"),
        ("a: *x", "1:4", "the alias *x has no anchor &x above it"),
        ("a: &x [*x]", "1:8", "the alias *x stands inside what it refers to"),
        ("a: " + "[" * 60, "1:53", "nested deeper than 50 levels"),
        ("a:\n\tb: 1", None, "indent with spaces, not tabs"),
        ("a: @x", "1:4", "a value cannot start with '@'; quote it"),
        ("a: b: c", "1:5", "a ':' cannot stand here; check the indentation, or quote text that holds ': '"),
        ("a: [1\nb: 2", None, "a ',' or ']' is missing (in the list that starts on line 1)"),
        ("a: {b: 1\nc: [", None, "(in the mapping that starts on line 1)"),
        ("a: 'x\n\n", None, "the quote opened on line 1 is never closed"),
        ('a: "\\q"', None, "unknown escape in double quotes; use single quotes, or double the backslash"),
        ('a: "b" c', None, "unexpected here; check the indentation and the quotes"),
        ("a: 1\n\nb: \x07", "3:4", "the character U+0007 is not allowed; in double quotes, write it as an escape"),
        ("a: \ud800", "1:4", "the character U+D800 is not allowed; in double quotes, write it as an escape"),
    ],
)
def test_what_ends_the_search(text: str, place: str | None, message: str) -> None:
    (found,) = problems(text)
    assert found.endswith(message)
    assert place is None or found == f"f:{place}: {message}"


@pytest.mark.usefixtures("each_loader")
def test_bounds_on_aliases_values_and_depth() -> None:
    anchor = "a: &x 1\nb: ["
    assert len(parse_yaml(anchor + "*x, " * 100 + "]", "f").data["b"]) == 100
    assert problems(anchor + "*x, " * 101 + "]")[0].endswith("more than 100 aliases")
    laughs = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)
    )
    started = time.perf_counter()
    assert problems(laughs)[0].endswith("more than 20,000 values, aliases included")
    assert time.perf_counter() - started < 2
    assert problems("a: [" + "1," * 20_000 + "]")[0].endswith("more than 20,000 values, aliases included")
    assert len(parse_yaml("a: [" + "1," * 20_000 + "]", "f", max_nodes=30_000).data["a"]) == 20_000
    deep = "a: &a " + "[" * 30 + "]" * 30 + "\nb: " + "[" * 30 + "*a" + "]" * 30
    assert problems(deep)[0].endswith("nested deeper than 50 levels")
    assert parse_yaml("a: " + "[" * 49 + "]" * 49, "f").data
    for bomb in ("[" * 500_000, "{a: " * 200_000, "- " * 300_000, "? " * 300_000):
        assert problems(bomb)


@pytest.mark.usefixtures("each_loader")
@relaxed
@given(documents, st.sampled_from([None, True, False]), st.booleans())
def test_what_yaml_dumps_parses_back_equal(data: dict[str, Any], style: bool | None, is_wide: bool) -> None:
    text = yaml.safe_dump(data, default_flow_style=style, sort_keys=False, width=1000 if is_wide else 20)
    document = parse_yaml(text, "f")
    assert document.data == data
    assert repr(document.data) == repr(data)  # 1, 1.0 and True are equal
    lines = text.splitlines()
    assert all(0 < line <= len(lines) + 1 and column > 0 for line, column in document.marks.values())
    assert set(document.key_marks) <= set(document.marks)


@pytest.mark.usefixtures("each_loader")
@relaxed
@given(st.text(st.characters(), max_size=80) | soup)
def test_random_text_is_a_document_or_a_scenario_error(text: str) -> None:
    document, found = outcome(lambda: parse_yaml(text, "f"))
    assert found or isinstance(document.data, dict)
    assert all(problem.file == "f" and problem.line >= 1 and problem.column >= 1 for problem in found)
    assert all("\n" not in str(problem) for problem in found)
