"""A document that is no model: one problem in plain words for each thing that is wrong."""

from __future__ import annotations

import time
from statistics import median
from typing import Annotated, Any, Literal, Self

import pytest
import yaml
from documents_drawn import json_values, outcome, relaxed, with_set
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from cascade_plan.errors import ScenarioError
from cascade_plan.files.documents import value_at
from cascade_plan.files.parsing import parse_yaml
from cascade_plan.files.validating import fields_of, validate

Name = Annotated[str, StringConstraints(pattern=r"^[a-z]+$", max_length=8)]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Users(Part):
    peak: Annotated[int, Field(ge=1, le=1000)]
    average: Annotated[int, Field(ge=1)]
    share: Annotated[float, Field(gt=0, lt=1.0, allow_inf_nan=False)] = 0.5
    profile: Literal["weekday", "flat"] | Annotated[list[float], Field(min_length=2, max_length=3)] = "flat"

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.average > self.peak:
            raise ValueError(f"average ({self.average}) must not exceed peak ({self.peak})")
        return self


class Need(Part):
    vcpu: Annotated[int, Field(ge=1)] = 1
    memory_gib: float


class Tier(Part):
    shape: Name | Need = "small"
    shapes: list[Name | Need] = []
    nodes: int | None = None
    direction: Literal["up", "down"] = "up"
    multi_az: bool = False


class Model(Part):
    version: Literal[1] = 1
    users: Users
    tiers: dict[Name, Tier] = {}
    tags: dict[str, Annotated[list[str], Field(min_length=1)]] = {}
    only: int | bool = 1


GOOD = "users: {peak: 10, average: 5}\n"


def invalid(text: str, *pairs: tuple[str, str]) -> list[str]:
    """Return the problems of validating a text as lines."""
    with pytest.raises(ScenarioError) as caught:
        validate(Model, with_set(*pairs, text=text))
    return [str(problem) for problem in caught.value.problems]


def test_a_valid_document_is_a_model() -> None:
    text = GOOD + "tiers: {a: {shape: {vcpu: 2, memory_gib: 4}, shapes: [x, {memory_gib: 1.5}]}}\ntags: {x.y: [z]}\n"
    model = validate(Model, parse_yaml(text, "f"))
    assert model.tiers["a"].shape == Need(vcpu=2, memory_gib=4.0)
    assert model.users.peak == 10


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("peak: 0", "peak: must be at least 1, got 0"),
        ("peak: 1001", "peak: must be at most 1000, got 1001"),
        ("peak: ten thousand", "peak: must be a whole number, got 'ten thousand'"),
        ("peak: '10'", "peak: must be a whole number, got '10'; remove the quotes"),
        ("peak: 1e3", "peak: must be a whole number, got '1e3'; write 1000"),
        ("peak: 10.0", "peak: must be a whole number, got 10.0"),
        ("peak: 10.5", "peak: must be a whole number, got 10.5"),
        ("peak: true", "peak: must be a whole number, got true"),
        ("peak:", "peak: must be a whole number, got nothing"),
        ("peak: [1]", "peak: must be a whole number, got a list"),
        ("share: 0", "share: must be more than 0, got 0"),
        ("share: 1", "share: must be less than 1, got 1"),
        ("share: yes", "share: must be a number, got 'yes'"),
        ("share: true", "share: must be a number, got true"),
        ("profile: weekly", "must be one of 'weekday', 'flat' or a list, got 'weekly'; did you mean 'weekday'?"),
        ("profile: {a: 1}", "profile: must be one of 'weekday', 'flat' or a list, got a mapping"),
        ("profile: [1]", "profile: must have at least 2 items, got 1"),
        ("profile: [1, 2, 3, 4]", "profile: must have at most 3 items, got 4"),
        ("profile: [1, x]", "profile[1]: must be a number, got 'x'"),
    ],
)
def test_one_value_is_one_problem(text: str, message: str) -> None:
    name = text.partition(":")[0]
    rest = "".join(f"  {key}: {value}\n" for key, value in (("peak", 10), ("average", 5)) if key != name)
    (found,) = invalid(f"users:\n{rest}  {text}\n")
    assert found.endswith(message)
    line = 3 if name == "peak" else 4
    assert found.startswith(f"f:{line}:")


def test_unions_collapse_to_one_problem_each() -> None:
    text = (
        GOOD
        + """\
tiers:
  a:
    shape: 5
  b:
    shape: X1
  c:
    shape: {vcpu: 2}
  d:
    shape: {memory_gib: x, vcpus: 0}
    shapes: [x, {memory_gib: 1, vcpu: 0}, 7]
only: x
"""
    )
    assert invalid(text) == [
        "f:4:12: tiers.a.shape: must be text or a mapping, got 5",
        "f:6:12: tiers.b.shape: must match ^[a-z]+$, got 'X1'",
        "f:8:5: tiers.c.shape.memory_gib: required field is missing",
        "f:10:25: tiers.d.shape.memory_gib: must be a number, got 'x'",
        "f:10:28: tiers.d.shape.vcpus: unknown field; did you mean 'vcpu'? allowed: memory_gib, vcpu",
        "f:11:39: tiers.d.shapes[1].vcpu: must be at least 1, got 0",
        "f:11:43: tiers.d.shapes[2]: must be text or a mapping, got 7",
        "f:12:7: only: must be a whole number or true or false, got 'x'",
    ]


def test_unknown_missing_and_misnamed_fields() -> None:
    text = """\
version: 2
user: {}
users:
  peek: 5
  average: 5
tiers:
  Api: {}
  web:
    direction: don
    multi_az: yes
    zzz: 1
  bare:
tags: {x.y: []}
"""
    fields = "average, peak, profile, share"
    assert invalid(text) == [
        "f:1:10: version: must be 1, got 2",
        "f:2:1: user: unknown field; did you mean 'users'? allowed: only, tags, tiers, users, version",
        "f:3:1: users.peak: required field is missing",
        f"f:4:3: users.peek: unknown field; did you mean 'peak'? allowed: {fields}",
        "f:7:3: tiers.Api: its name must match ^[a-z]+$, got 'Api'; did you mean 'api'?",
        "f:9:16: tiers.web.direction: must be one of 'up', 'down', got 'don'; did you mean 'down'?",
        "f:10:15: tiers.web.multi_az: must be true or false, got 'yes'",
        "f:11:5: tiers.web.zzz: unknown field; allowed: direction, multi_az, nodes, shape, shapes",
        "f:12:8: tiers.bare: must be a mapping, got nothing",
        'f:13:8: tags."x.y": must have at least 1 item, got 0',
    ]


class Piece(Part):
    """A part of a shelf: of the class that its `kind`, or else its name, says."""

    kind: str = ""

    @classmethod
    def class_of(cls, name: str, given: dict[str, Any]) -> type[Part]:
        """Return the class that is meant."""
        return {"cup": Cup, "plate": Plate}[given.get("kind", name)]


class Cup(Piece):
    volume: int = 0


class Plate(Piece):
    width: int = 0


class Room(Part):
    shelf: dict[str, Piece] = {}


def test_the_fields_allowed_may_depend_on_what_the_document_holds() -> None:
    fields = fields_of(Room, {"shelf": {"cup": {}, "other": {"kind": "plate"}}})
    assert fields(()) == ["shelf"]
    assert fields(("shelf", "cup")) == ["kind", "volume"]
    assert fields(("shelf", "other")) == ["kind", "width"]
    with pytest.raises(ScenarioError) as caught:
        validate(Room, parse_yaml("shelf: {other: {kind: plate, widht: 1}}", "f"))
    assert "unknown field; did you mean 'width'? allowed: kind, width" in str(caught.value)


def test_fields_that_are_read_before_are_allowed_too() -> None:
    with pytest.raises(ScenarioError) as caught:
        validate(Room, parse_yaml("wals: {}", "f"), ("walls",))
    assert str(caught.value) == "f:1:1: wals: unknown field; did you mean 'walls'? allowed: shelf, walls"


def test_our_own_validators_speak_for_themselves() -> None:
    assert invalid("users:\n  peak: 5\n  average: 6\n") == ["f:1:1: users: average (6) must not exceed peak (5)"]


def test_problems_of_values_given_elsewhere_name_their_origin() -> None:
    assert invalid(GOOD, ("users.peak", "x"), ("tiers.api.shap", "y"), ("users.peek", "3")) == [
        "--set tiers.api.shap=y: tiers.api.shap: unknown field; did you mean 'shape'? "
        "allowed: direction, multi_az, nodes, shape, shapes",
        "--set users.peak=x: users.peak: must be a whole number, got 'x'",
        "--set users.peek=3: users.peek: unknown field; did you mean 'peak'? allowed: average, peak, profile, share",
    ]
    assert invalid("version: 1\n", ("users.average", "3")) == [
        "--set users.average=3: users.peak: required field is missing"
    ]


def test_a_long_or_strange_value_is_shown_short() -> None:
    (found,) = invalid(f"users: {{peak: {'x' * 500}, average: 1}}")
    assert len(found) < 150
    (found,) = invalid('users: {peak: "a\\nb\\e[31m", average: 1}')
    assert found.endswith(r"got 'a\nb\x1b[31m'")


GOOD_DATA: dict[str, Any] = {
    "version": 1,
    "users": {"peak": 10, "average": 5, "share": 0.5, "profile": [1, 2]},
    "tiers": {"a": {"shape": {"memory_gib": 1}, "shapes": ["x"], "nodes": 3, "direction": "up", "multi_az": True}},
    "tags": {"t": ["x"]},
}


@relaxed
@given(st.data())
def test_random_mutations_are_valid_or_named(data: st.DataObject) -> None:
    document = parse_yaml(yaml.safe_dump(GOOD_DATA), "f")
    assert validate(Model, document)
    trail = data.draw(st.sampled_from(list(document.marks)[1:]))
    value = data.draw(json_values)
    value_at(document.data, trail[:-1])[trail[-1]] = value
    mutated = parse_yaml(yaml.safe_dump(document.data), "f")
    _, found = outcome(lambda: validate(Model, mutated))
    assert all(problem.field.startswith(str(trail[0])) and problem.line > 0 for problem in found)
    assert not any("Input should" in problem.message for problem in found)


def test_a_200_line_document_is_read_within_8_ms() -> None:
    tiers = "".join(
        f"  {chr(97 + n % 26)}{chr(97 + n // 26)}:\n    nodes: {n}\n    multi_az: true\n" for n in range(66)
    )
    text = f"{GOOD}tiers:\n{tiers}"
    assert text.count("\n") == 200
    times = []
    for _ in range(15):
        started = time.perf_counter()
        validate(Model, parse_yaml(text, "f"))
        times.append(time.perf_counter() - started)
    assert median(times) < 0.008
