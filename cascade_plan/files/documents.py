"""A document as YAML held it, with the place of each value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Trail: TypeAlias = tuple[str | int, ...]
"""The way to a value: keys and list indexes from the top of the document. () is the document itself."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Document:
    """A mapping as YAML held it, and where each of its values and keys stands."""

    data: dict[str, Any]
    marks: Mapping[Trail, tuple[int, int]]
    """1-based (line, column) of each value."""
    name: str
    """The file, as the user named it."""
    key_marks: Mapping[Trail, tuple[int, int]] = field(default_factory=dict)
    """1-based (line, column) of the key of each value in a mapping."""
    origins: Mapping[Trail, str] = field(default_factory=dict)
    """What gave a value that is not from the file, such as "--set users.peak=20000"; also for all below it."""

    def place(self, trail: Trail) -> tuple[str, int, int]:
        """Return (file or origin, line, column) of a value, or of the nearest place around it that the document has.

        A mapping or list stands where its key does; line and column are 0 for what is not from the file.
        """
        while trail:
            if trail in self.origins:
                return self.origins[trail], 0, 0
            if trail in self.marks:
                nested = isinstance(value_at(self.data, trail), dict | list)
                mark = self.key_marks.get(trail) if nested else None
                return self.name, *(mark or self.marks[trail])
            trail = trail[:-1]
        return self.name, *self.marks.get((), (0, 0))

    def key_place(self, trail: Trail) -> tuple[str, int, int]:
        """Return (file or origin, line, column) of a value's key, else what `place` returns."""
        name, line, column = self.place(trail)
        return (name, *self.key_marks[trail]) if line and trail in self.key_marks else (name, line, column)


def field_name(trail: Trail) -> str:
    """Return the dotted name of a place, which --set takes too: users.profile[3], gates."latency_ms_p95.normal"."""
    name = ""
    for step in trail:
        if isinstance(step, int):
            name += f"[{step}]"
        else:
            name += ("." if name else "") + (step if re.fullmatch(r"[\w-]+", step) else _quoted(step))
    return name


def _quoted(key: str) -> str:
    return f'"{key}"' if key.isprintable() and '"' not in key and len(key) <= 60 else shown(key)


def shown(value: object) -> str:
    """Return a value as a message quotes it: as YAML spells it, short, and without control characters."""
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def trails_below(data: Any, trail: Trail) -> Iterator[Trail]:
    """Yield a trail and those of everything within the value it leads to."""
    yield trail
    value = value_at(data, trail)
    if isinstance(value, dict):
        for key in value:
            yield from trails_below(data, (*trail, key))


def value_at(data: Any, trail: Trail) -> Any:
    """Return the value that a trail leads to. Raises KeyError or IndexError when it leads nowhere."""
    for step in trail:
        data = data[step]
    return data
