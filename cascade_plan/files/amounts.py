"""Numbers as people write them, with their unit: 10k, 10,000, 1e4, 5 %, 200 ms, $50, 8 GiB, and what a field makes of
them.

A flag takes them where the field's own unit, which its name ends in, leaves no doubt; a file is told the number to
write, because an editor's schema and every other reader of YAML would take them for text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from cascade_plan.files.documents import Trail

_KIB: Final = 1024
_TIMES: Final = {"us": "1e-6", "µs": "1e-6", "ms": "1e-3", "s": "1", "min": "60", "h": "3600", "d": "86400"}
_BINARY: Final = {"KiB": _KIB, "MiB": _KIB**2, "GiB": _KIB**3, "TiB": _KIB**4}
_DECIMAL: Final = {"B": 1, "kB": 1000, "MB": 1000**2, "GB": 1000**3, "TB": 1000**4}
_COUNTS: Final = {"k": 1000, "K": 1000, "M": 1_000_000}
_DOLLARS: Final = {"$": 1, "USD": 1, **{f"${suffix}": factor for suffix, factor in _COUNTS.items()}}


@dataclass(frozen=True, slots=True)
class _Unit:
    """The unit of a field."""

    called: str
    """As a hint names it; empty where the number says enough."""
    written: Mapping[str, Decimal]
    """What may stand beside a number -> how many of the field's unit one of it is."""


def _unit(called: str, written: Mapping[str, str | int], one: str | int = 1) -> _Unit:
    return _Unit(called, {name: Decimal(factor) / Decimal(one) for name, factor in written.items()})


_COUNT: Final = _unit("", _COUNTS)
_SHARE: Final = _unit("", {"%": "0.01"})
_UNITS: Final[Mapping[str, _Unit]] = {
    "ms": _unit("milliseconds", _TIMES, _TIMES["ms"]),
    "s": _unit("seconds", _TIMES, _TIMES["s"]),
    "days": _unit("days", _TIMES, _TIMES["d"]),
    "bytes": _unit("bytes", {**_DECIMAL, **_BINARY}),
    "kib": _unit("KiB", _BINARY, _BINARY["KiB"]),
    "mib": _unit("MiB", _BINARY, _BINARY["MiB"]),
    "gib": _unit("GiB", _BINARY, _BINARY["GiB"]),
    "cores": _unit("cores", {"m": "1e-3"}),
    "ratio": _SHARE,
    "share": _SHARE,
    "purchase": _SHARE,
    "percent": _unit("percent", {"%": 1}),
    "usd": _unit("USD", _DOLLARS),
}
"""A part of a field's name -> the unit it says. A field without one is a count."""
_BOUNDS: Final = frozenset(("min", "max", "base"))
"""Fields that are in the unit of what they stand in."""
_AMBIGUOUS: Final[Mapping[str, tuple[str, ...]]] = {
    "m": ("min", "ms"),
    "k": ("kB", "KiB"),
    "K": ("kB", "KiB"),
    "M": ("MB", "MiB"),
    "G": ("GB", "GiB"),
    "T": ("TB", "TiB"),
    "kB": ("KiB",),
    "KB": ("kB", "KiB"),
    "MB": ("MiB",),
    "GB": ("GiB",),
    "TB": ("TiB",),
}
"""What may stand beside a number and says too little -> what may be meant."""
_WRITTEN: Final = re.compile(
    r"(?P<sign>-?)(?P<dollar>\$?) ?(?P<number>[0-9]{1,3}(?:,[0-9]{3}){1,6}(?:\.[0-9]{1,15})?"
    r"|[0-9]{1,25}(?:\.[0-9]{1,15})?(?:[eE][+-]?[0-9]{1,2})?)"
    r" ?(?P<unit>%|[A-Za-zµ]{1,3})?(?P<per>/s)?",
    re.ASCII,
)


def meant(trail: Trail, text: str) -> int | float | None:
    """Return the number that a text means to the field at a place, or None where that is not plain.

    >>> meant(("users", "peak"), "10k"), meant(("loads", "peak", "latency_ms_p95"), "0.2s")
    (10000, 200)
    >>> meant(("tiers", "api", "hit_ratio"), "5%"), meant(("users", "peak"), "5%")
    (0.05, None)
    """
    found = _WRITTEN.fullmatch(text.strip())
    if found is None or (found["per"] and not str(trail[-1]).endswith("_per_s")):
        return None
    written = found["dollar"] + (found["unit"] or "")
    factor = _unit_of(trail).written.get(written) if written else Decimal(1)
    return None if factor is None else _plain(found, factor)


def hint(trail: Trail, text: str) -> str:
    """Return how to write what a text means to the field at a place, such as "write 200 (milliseconds)", or "".

    >>> hint(("timing", "read_ms"), "200ms"), hint(("tiers", "cache", "memory_gib"), "8GB")
    ('write 200 (milliseconds)', 'write 8 (GiB) for 8GiB')
    """
    unit = _unit_of(trail)
    called = f" ({unit.called})" if unit.called else ""
    if (number := meant(trail, text)) is not None:
        return f"write {number}{called}"
    found = _WRITTEN.fullmatch(text.strip())
    if found is None or found["per"]:
        return ""
    meanings = [(other, unit.written.get(other)) for other in _AMBIGUOUS.get(found["unit"] or "", ())]
    spellings = [
        f"{_plain(found, factor)}{called} for {found['number']}{other}"
        for other, factor in meanings
        if factor is not None
    ]
    return f"write {' or '.join(spellings)}" if spellings else ""


def _plain(found: re.Match[str], factor: Decimal) -> int | float:
    value = Decimal(found["sign"] + found["number"].replace(",", "")) * factor
    return int(value) if value == value.to_integral_value() else float(value)


def _unit_of(trail: Trail) -> _Unit:
    """Return the unit of the field at a place: what the last part of its name that is one says, before any "per"."""
    names = [step for step in trail if isinstance(step, str)]
    own = names[-1:] if names and names[-1] not in _BOUNDS else names[-2:-1]
    within = [name for name in names[-2:-1] if name == "purchase"]
    for name in (*own, *within):
        parts = name.partition("_per_")[0].split("_")
        for part in reversed(parts):
            if part in _UNITS:
                return _UNITS[part]
    return _COUNT
