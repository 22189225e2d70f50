"""HCL text, as `terraform fmt` writes it: blocks and attributes from values, so that no text can leave its quotes.

Source: the HCL native syntax, https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from cascade_plan.languages._characters import is_storable, printable
from cascade_plan.languages._lines import commented

Value: TypeAlias = "str | bool | int | float | Expression | Call | Sequence[Value] | Mapping[str, Value]"
NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*", re.ASCII)
_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


@dataclass(frozen=True, slots=True)
class Expression:
    """HCL that stands as it is, such as var.vpc_id. Never made from anything a scenario holds."""

    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function of one argument, such as jsonencode of an object; the function is never anything a scenario holds."""

    function: str
    argument: Value


@dataclass(frozen=True, slots=True)
class Block:
    """A block: its type, its labels, its attributes and the blocks within, in order."""

    kind: str
    labels: tuple[str, ...] = ()
    attributes: Mapping[str, Value] | None = None
    blocks: tuple[Block, ...] = ()
    comment: str = ""
    """Lines above the block."""


def render(blocks: Sequence[Block]) -> str:
    """Return the blocks as a file, an empty line between them. Raises ValueError for a name that HCL cannot hold."""
    return "\n".join("\n".join(_block(block, "")) + "\n" for block in blocks)


def literal(value: str | bool | int | float) -> str:
    """Return a value as HCL that evaluates to it; of text a template without interpolation or directive, on one line.

    Raises ValueError for what HCL cannot write: a NUL or a lone surrogate.

    >>> print(literal('a "b" ${c} %{d}'))
    "a \\"b\\" $${c} %%{d}"
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return str(value)
    if not is_storable(value):
        raise ValueError(f"no text that HCL can hold: {value!r}")
    escaped = re.sub(r"([$%])(?=\{)", r"\1\1", value)
    return '"' + "".join(_ESCAPES.get(character) or printable(character) for character in escaped) + '"'


def comment(text: str) -> str:
    """Return text as comment lines."""
    return commented(text, "#")


def _block(block: Block, indent: str) -> Iterator[str]:
    labels = "".join(f' "{name(label)}"' for label in block.labels)
    attributes, inner = block.attributes or {}, indent + "  "
    yield from (f"{indent}{line}" for line in comment(block.comment).splitlines())
    if not attributes and not block.blocks:
        yield f"{indent}{name(block.kind)}{labels} {{}}"
        return
    yield f"{indent}{name(block.kind)}{labels} {{"
    yield from _attributes({name(key): value for key, value in attributes.items()}, inner)
    for position, child in enumerate(block.blocks):
        if attributes or position:
            yield ""
        yield from _block(child, inner)
    yield f"{indent}}}"


def _attributes(attributes: Mapping[str, Value], indent: str) -> Iterator[str]:
    """Yield the lines of attributes. The signs of neighbours on one line stand below each other."""
    chain: list[tuple[str, str]] = []
    for key, value in attributes.items():
        first, *rest = _lines(value, indent)
        if rest:
            yield from _aligned(chain, indent)
            chain = []
            yield f"{indent}{key} = {first}"
            yield from rest
        else:
            chain.append((key, first))
    yield from _aligned(chain, indent)


def _aligned(chain: Sequence[tuple[str, str]], indent: str) -> Iterator[str]:
    width = max((len(key) for key, _ in chain), default=0)
    return (f"{indent}{key:<{width}} = {text}" for key, text in chain)


def _lines(value: Value, indent: str) -> Iterator[str]:
    """Yield the lines of a value; the first stands behind the equals sign."""
    inner = indent + "  "
    if isinstance(value, Call):
        *before, last = _lines(value.argument, indent)
        first, *between = [*before, f"{last})"]
        yield f"{name(value.function)}({first}"
        yield from between
    elif isinstance(value, Mapping):
        if not value:
            yield "{}"
            return
        yield "{"
        yield from _attributes({_key(key): item for key, item in value.items()}, inner)
        yield f"{indent}}}"
    elif isinstance(value, Sequence) and not isinstance(value, str):
        items = [list(_lines(item, inner)) for item in value]
        if all(len(item) == 1 for item in items):
            yield f"[{', '.join(item[0] for item in items)}]"
            return
        yield "["
        for first, *rest in items:
            lines = [f"{inner}{first}", *rest]
            yield from lines[:-1]
            yield f"{lines[-1]},"
        yield f"{indent}]"
    else:
        yield value.text if isinstance(value, Expression) else literal(value)


def name(text: str) -> str:
    """Return a name unchanged. Raises ValueError for one that HCL cannot hold."""
    if not NAME.fullmatch(text):
        raise ValueError(f"no name that HCL can hold: {text!r}")
    return text


def _key(text: str) -> str:
    """Return the key of an object: bare where it is a name, else quoted."""
    return text if NAME.fullmatch(text) else literal(text)
