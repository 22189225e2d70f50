"""How a default stands at its field: its value, how far to trust it, and where it comes from.

A default is one of four kinds: "plan" (of the case study, docs/seed.md), "cited" (published by the maker of the
thing), "measured" (measured by this project, docs/model.md), "assumption" (nobody's figure: override it).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, Final, NamedTuple

from pydantic import BaseModel, Field

PLAN: Final = "case study (docs/seed.md)"
KIND: Final = "default_kind"
SOURCE: Final = "default_source"
"""Names under which a field's JSON Schema carries what is known of its default."""


class Default(NamedTuple):
    """A default value and why it is what it is."""

    value: Any
    kind: str
    source: str


def default(value: Any, kind: str, source: str, **constraints: Any) -> Any:
    """Return a field that has a default with a source. A mapping given for a part is validated as one."""
    extra: dict[str, Any] = {KIND: kind, SOURCE: source}
    return Field(default=value, validate_default=isinstance(value, dict), json_schema_extra=extra, **constraints)


@cache
def default_of(part: type[BaseModel], name: str) -> Default | None:
    """Return the default of a part's field, or None for a field without one that has a source."""
    field = part.model_fields.get(name)
    extra = field.json_schema_extra if field is not None else None
    if field is None or not isinstance(extra, dict) or KIND not in extra:
        return None
    return Default(field.default, str(extra[KIND]), str(extra[SOURCE]))


def defaults_of(part: type[BaseModel]) -> Iterator[tuple[str, Default]]:
    """Yield (name, default) of every field of a part that has a default with a source."""
    for name in part.model_fields:
        if (found := default_of(part, name)) is not None:
            yield name, found
