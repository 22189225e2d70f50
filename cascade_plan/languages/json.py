"""JSON text: what a person may open, in which nothing moves a cursor or turns the reading direction."""

from __future__ import annotations

import json
import re
from typing import Any, Final

UNSEEN: Final = re.compile("[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\uffff]")
"""What cannot be seen and JSON does not escape of itself: control characters, and marks of line and direction."""


def dump(document: Any, sort_keys: bool = False, indent: int | None = 2) -> str:
    r"""Return a document as JSON, indented or on one line; what cannot be seen is escaped: the same text to parsers.

    >>> print(dump({"name": "\x9b31mé"}), end="")
    {
      "name": "\u009b31mé"
    }

    Raises ValueError for a number that JSON does not have (infinity, not a number).
    """
    text = json.dumps(document, indent=indent, sort_keys=sort_keys, ensure_ascii=False, allow_nan=False)
    # Outside texts JSON has no such characters.
    return UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"
