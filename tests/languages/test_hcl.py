"""HCL text is what Terraform's own formatter writes, and every text comes back from Terraform as it was."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import hcl2
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from servers import program

from cascade_plan.languages.hcl import Block, Expression, Value, literal, render

HOSTILE = st.text(
    st.one_of(
        st.characters(codec="utf-8", exclude_characters="\0"),
        st.sampled_from("\"\\$%{}#/*\n\r\t<>=,\u2028\u200b'`"),
    ),
    max_size=30,
)
NAMES = st.from_regex(r"[a-z_][a-z0-9_-]{0,12}", fullmatch=True)
KEYS = NAMES | st.text(st.characters(codec="ascii", min_codepoint=32, exclude_characters="\x7f"), max_size=12)
"""Terraform counts columns in grapheme clusters: other letters it would align elsewhere, and reads them alike."""
SCALARS: st.SearchStrategy[Value] = st.one_of(
    HOSTILE, st.booleans(), st.integers(-1000, 1000), st.just(Expression("var.a"))
)
VALUES: st.SearchStrategy[Value] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=6,
)
BLOCKS = st.recursive(
    st.builds(Block, NAMES, st.lists(NAMES, max_size=2).map(tuple), st.dictionaries(NAMES, VALUES, max_size=4)),
    lambda inner: st.builds(
        Block,
        NAMES,
        st.just(()),
        st.dictionaries(NAMES, VALUES, max_size=3),
        st.lists(inner, max_size=2).map(tuple),
        st.sampled_from(["", "a comment", "two\nlines"]),
    ),
    max_leaves=4,
)


def terraform(*arguments: str, directory: str) -> str:
    """Return what a terraform command prints. Fails the test, showing its message, when it fails."""
    command = [program("terraform"), f"-chdir={directory}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"HOME": directory, "PATH": ""})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@settings(max_examples=25)
@given(st.lists(BLOCKS, min_size=5, max_size=20))
def test_terraform_would_format_it_the_same(blocks: list[Block]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "main.tf").write_text(render(blocks), encoding="utf-8")
        terraform("fmt", "-check", directory=directory)


@settings(max_examples=8)
@given(st.lists(HOSTILE, min_size=10, max_size=40), st.dictionaries(HOSTILE, HOSTILE, max_size=10))
def test_terraform_reads_back_every_text(texts: list[str], mapping: dict[str, str]) -> None:
    value: dict[str, Any] = {"texts": texts, "mapping": mapping}
    with tempfile.TemporaryDirectory() as directory:
        blocks = [Block("output", (name,), {"value": item}) for name, item in value.items()]
        Path(directory, "main.tf").write_text(render(blocks), encoding="utf-8")
        terraform("apply", "-auto-approve", "-no-color", directory=directory)
        found = json.loads(terraform("output", "-json", directory=directory))
    assert [normal(text) for text in found["texts"]["value"]] == [normal(text) for text in texts]
    assert {normal(k): normal(v) for k, v in found["mapping"]["value"].items()} == {
        normal(k): normal(v) for k, v in mapping.items()
    }


def normal(text: str) -> str:
    """Return a text in Unicode's composed form, into which Terraform brings every string."""
    import unicodedata

    return unicodedata.normalize("NFC", text)


def has_one_of_each_name(block: Block) -> bool:
    """Return whether no name is both an attribute's and a block's of one body, which HCL's schemas have no word for."""
    names = {inner.kind for inner in block.blocks}
    return names.isdisjoint(block.attributes or {}) and all(has_one_of_each_name(inner) for inner in block.blocks)


@settings(max_examples=30)
@given(st.lists(BLOCKS.filter(has_one_of_each_name), max_size=3))
def test_another_parser_reads_it(blocks: list[Block]) -> None:
    text = render(blocks)
    # It takes an escaped %{ for the start of a template; Terraform itself reads these texts back above.
    assume("%%{" not in text)
    hcl2.loads(text)


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_what_hcl_cannot_hold_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no text"):
        literal(text)


@pytest.mark.parametrize("name", ["", "1a", "a b", "a\n", 'a"', "é"])
def test_a_name_is_checked(name: str) -> None:
    for block in (Block(name), Block("a", (name,)), Block("a", (), {name: 1})):
        with pytest.raises(ValueError, match="no name"):
            render([block])
