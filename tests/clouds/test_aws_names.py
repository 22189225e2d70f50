"""Names for AWS: accepted by its rules, kept where they can be, never merged."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.clouds.aws.names import LIMITS, aws_name

NAMES = st.from_regex(r"[a-z]([-a-z0-9]{0,60}[a-z0-9])?", fullmatch=True)


@given(st.text() | NAMES, st.sampled_from(sorted(LIMITS)))
def test_every_text_becomes_a_name_that_aws_takes(text: str, kind: str) -> None:
    name = aws_name(text, kind)
    assert re.fullmatch(r"[a-z](-?[a-z0-9])*", name)
    assert len(name) <= LIMITS[kind]
    assert aws_name(name, kind) == name


@given(NAMES, NAMES, st.sampled_from(sorted(LIMITS)))
def test_two_names_stay_two(one: str, two: str, kind: str) -> None:
    assert (aws_name(one, kind) == aws_name(two, kind)) == (one == two)


@pytest.mark.parametrize("name", ["cascade-db", "a", "x1"])
def test_a_good_name_is_kept(name: str) -> None:
    assert aws_name(name, "database") == name
