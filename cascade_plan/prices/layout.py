"""The layout of a price book's file: its fields, its columns, and what a cell of each may hold.

A book is YAML for the header and each section's provenance, and CSV in a literal block for its rows, one a line.
libyaml scans a literal block in C and csv reads it in C, so that a book of 1,400 rows opens in milliseconds. A cell's
control characters, line breaks and backslashes are written as \\uXXXX; any other backslash stands for itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Final

FORMAT: Final = 1
CURRENCY: Final = "USD"

COLUMNS: Final = [
    "item",
    "variant",
    "term",
    "unit",
    "usd",
    "upfront_usd",
    "as_of",
    "source",
    "sku",
    "confirmed_by",
    "note",
]
OPTIONAL_COLUMNS: Final = {
    "variant": "",
    "term": "on_demand",
    "upfront_usd": "",
    "sku": "",
    "confirmed_by": "",
    "note": "",
}
"""Column that a file may leave out -> what its cells then are."""
SHAPE_COLUMNS: Final = [
    *("name", "vcpu", "memory_gib", "architecture", "burstable", "usable_memory_gib", "connection_count_max"),
    *("interface_count", "address_count_per_interface", "takes_prefixes"),
    *("network_bytes_per_s", "network_burst_bytes_per_s", "network_burst_s"),
    *("disk_bytes_per_s", "disk_burst_bytes_per_s"),
    *("disk_operations_per_s", "disk_burst_operations_per_s", "disk_burst_s"),
    *("cpu_baseline_ratio", "speed_ratio"),
]
"""The fields of a Shape, in its own order."""
HEADER: Final = ("format", "cloud", "region", "currency", "generated_from", "retrieved", "retrieved_from", "sections")
RETRIEVED: Final = ("retrieved", "retrieved_from")
"""The fields of the header that say on which day and from where a whole book was last retrieved; both or neither."""
DISCOUNTS: Final = "discounts"
"""Of a file laid over a book: service -> percent off its prices."""
SHORT: Final = "prices"
"""Of a file laid over a book: the words of a price (service, item, variant, term) -> what it is."""
SHORT_HEADER: Final = ("source", "as_of")
"""Who says so, and of which day, for all short prices of a file."""
UNKNOWN: Final = "?"
"""Stands for a figure that is still to be written."""
SECTION_HEADER: Final = ("title", "as_of", "sources", "gaps", "rows")

USD: Final = re.compile(r"(?=[0.]*[1-9])[0-9]{1,9}(?:\.[0-9]{1,12})?", re.ASCII)
"""A price: plain decimal digits, above zero; so neither NaN nor an exponent, and exact in 28-digit arithmetic."""
UPFRONT_USD: Final = re.compile(r"(?:[0-9]{1,9}(?:\.[0-9]{1,12})?)?", re.ASCII)
"""What is paid on the first day, 0 included, or nothing where the source does not say."""
_AS_OF: Final = re.compile(r"20[0-9]{2}(?:-[0-9]{2}(?:-[0-9]{2})?)?", re.ASCII)
NAME: Final = re.compile(r"\S+")
_COMMAND: Final = re.compile(r"::[A-Za-z-]+(?: [^:]*)?::|##\[")
"""What GitHub, Azure and their kin act on in a line of a log,
https://docs.github.com/actions/reference/workflow-commands-for-github-actions"""
_ESCAPE: Final = re.compile(r"\\u([0-9a-f]{4})")


def is_as_of(text: str) -> bool:
    """Return whether text is the date of a price: YYYY, YYYY-MM, YYYY-MM-DD or "undated"."""
    if not _AS_OF.fullmatch(text):
        return text == "undated"
    try:
        date.fromisoformat(f"{text}-01-01"[:10])
    except ValueError:
        return False
    return True


def is_header(columns: Sequence[str]) -> bool:
    """Return whether columns are a section's: each once, in any order, none unknown, only optional ones left out."""
    given = set(columns)
    return len(given) == len(columns) and {*COLUMNS} - OPTIONAL_COLUMNS.keys() <= given <= {*COLUMNS}


def completed(header: Sequence[str], cells: Sequence[str]) -> list[str]:
    """Return a row's cells in the order of COLUMNS. Raises ValueError when there are not as many as in the header."""
    given = dict(zip(header, cells, strict=True))
    return [given.get(column, OPTIONAL_COLUMNS.get(column, "")) for column in COLUMNS]


def tidy(cells: Sequence[str]) -> list[str]:
    """Return a row's cells in the order of COLUMNS with its note on one line."""
    return [*cells[:-1], " ".join(cells[-1].split())]


def unsafe(text: str) -> str:
    """Return why a text of somebody's file must not stand in a report, or "" where it may."""
    if not text.isprintable():
        return "must be one line without control characters"
    return "must not hold a command to a build's log (::...::)" if _COMMAND.search(text) else ""


def unescaped(cells: list[str]) -> list[str]:
    """Return cells with their escapes replaced by the characters they stand for."""
    return [_ESCAPE.sub(lambda match: chr(int(match[1], 16)), cell) for cell in cells]


def is_text(value: object) -> bool:
    """Return whether a value is a text that says something."""
    return isinstance(value, str) and not value.isspace() and value != ""


def is_day(value: object) -> bool:
    """Return whether a value is a day, YYYY-MM-DD."""
    text = str(value)  # YAML's own reader makes a date of one without quotes
    return len(text) == 10 and is_as_of(text)


def is_name(value: object) -> bool:
    """Return whether a value is a name: no spaces."""
    return isinstance(value, str) and NAME.fullmatch(value) is not None
