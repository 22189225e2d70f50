"""The output that holds all addresses of what is made here, as lines that the pods' ConfigMap is made of."""

from __future__ import annotations

from collections.abc import Iterable

from cascade_plan.emitters._endpoints import OUTPUT, Endpoint, endpoints
from cascade_plan.languages.hcl import Block, Expression, Value
from cascade_plan.model.plan import Plan


def output(plan: Plan, outputs: Iterable[Block]) -> tuple[Block, ...]:
    """Return the output, made of others' expressions; none where no pods ask for addresses."""
    known = {block.labels[0]: (block.attributes or {})["value"] for block in outputs}
    lines = ", ".join(_line(each, known[each.output]) for each in endpoints(plan))
    if not lines:
        return ()
    words = "The same addresses by the names that pods know them by, a line each."
    return (Block("output", (OUTPUT,), {"description": words, "value": Expression(f'join("", [{lines}])')}),)


def _line(endpoint: Endpoint, value: Value) -> str:
    assert isinstance(value, Expression)
    address = value.text if endpoint.index is None else f"({value.text})[{endpoint.index}]"
    return f'"{endpoint.name}={endpoint.before}${{{address}}}{endpoint.after}\\n"'
