"""Values set by their path: put where they belong, or refused where they were given."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from documents_drawn import BASE, documents, json_values, outcome, relaxed, soup, with_set
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.errors import ScenarioError
from cascade_plan.files.assignments import set_values
from cascade_plan.files.documents import field_name, value_at
from cascade_plan.files.parsing import parse_yaml


def test_set_values_and_their_origins() -> None:
    before = parse_yaml(BASE, "f")
    document = with_set(
        ("users.peak", "20_000"),
        ("users.profile[1]", "2.5"),
        ("users.profile.0", "7"),
        ("tiers.api.shape", "{vcpu: 2}"),
        ("tiers.api.shape.vcpu", "4"),
        ('gates."a.b"[0]', '"< 2"'),
        ("name", ""),
    )
    assert document.data == {
        "users": {"peak": 20_000, "profile": [7, 2.5]},
        "tiers": {"api": {"shape": {"vcpu": 4}}},
        "gates": {"a.b": ["< 2"]},
        "name": None,
    }
    assert before.data["users"] == {"peak": 10, "profile": [1, 2]}
    assert document.place(("users", "peak")) == ("--set users.peak=20_000", 0, 0)
    assert document.key_place(("users", "peak")) == ("--set users.peak=20_000", 0, 0)
    assert document.place(("users", "profile", 1, "below")) == ("--set users.profile[1]=2.5", 0, 0)
    assert document.place(("users",)) == ("f", 1, 1)
    assert document.place(("tiers", "api")) == ("--set tiers.api.shape={vcpu: 2}", 0, 0)
    assert document.place(("tiers", "api", "shape", "vcpu")) == ("--set tiers.api.shape.vcpu=4", 0, 0)
    assert document.place(("gates", "a.b", 0))[1:] == (0, 0)
    assert not any(trail[:2] == ("users", "peak") for trail in document.marks)


def test_a_later_value_replaces_all_below_it() -> None:
    document = with_set(("users.peak", "1"), ("users", "{average: 2}"))
    assert document.data["users"] == {"average": 2}
    assert document.place(("users", "peak")) == ("--set users={average: 2}", 0, 0)
    assert not any(trail[:1] == ("users",) for trail in document.marks)


@pytest.mark.parametrize(
    ("path", "raw", "message"),
    [
        ("users.peak.x", "1", "users.peak.x: 'x' cannot be set inside the value 10"),
        ("users.profile.x", "1", "users.profile.x: a list is indexed by numbers, not 'x'"),
        ("users.profile[2]", "1", "users.profile[2]: there is no item 2: the list holds 2, counted from 0"),
        ("users[0]", "1", "users[0]: [0] needs a list, but there is a mapping"),
        ("users..peak", "1", "users..peak: not a path such as users.peak, users.profile[3] or"),
        ("", "1", "not a path such as"),
        ("users.", "1", "users.: not a path"),
        ("users.peak", "[1", "users.peak: a ',' or ']' is missing"),
        ("users.peak", "{a: .nan}", "users.peak.a: must be a finite number, got .nan"),
        ("users.peak", "[.nan]", "users.peak[0]: must be a finite number, got .nan"),
        ("users.peak", "!x 1", "users.peak: the tag !x is not supported; remove it"),
        ("users.peak", "a: b", "users.peak: must be a plain value, [..] or {..}; put text that holds ': '"),
        ("users.peak", "- a", "users.peak: must be a plain value, [..] or {..}; put text that holds ': '"),
        ("users.peak", "\x00", "users.peak: the character U+0000 is not allowed"),
    ],
)
def test_set_values_refuses(path: str, raw: str, message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        with_set((path, raw))
    (problem,) = caught.value.problems
    assert str(problem).startswith(f"--set {path}={raw}: {message}")
    assert (problem.line, problem.column) == (0, 0)


def test_set_values_names_all_that_is_wrong() -> None:
    with pytest.raises(ScenarioError) as caught:
        with_set(("users.peak.x", "1"), ("users.peak", "5"), ("a..b", "1"))
    assert len(caught.value.problems) == 2


@relaxed
@given(st.text(max_size=30) | soup, st.text(max_size=30) | soup)
def test_random_assignments_are_set_or_refused(path: str, raw: str) -> None:
    document, found = outcome(lambda: with_set((path, raw)))
    assert found or isinstance(document.data, dict)


@relaxed
@given(documents, json_values)
def test_a_field_name_is_a_path_to_the_same_place(data: dict[str, Any], value: Any) -> None:
    document = parse_yaml(yaml.safe_dump(data), "f")
    raw = yaml.safe_dump(value, default_flow_style=True, width=10**6).removesuffix("\n...\n")
    for trail in list(document.marks)[1:]:
        name = field_name(trail)
        if all(isinstance(step, int) or (step and step.isprintable() and '"' not in step) for step in trail):
            changed = set_values(document, [("--set", name, raw)])
            assert value_at(changed.data, trail) == value
