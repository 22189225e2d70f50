"""Files that are given as a trace and are something else, each by its name."""

from __future__ import annotations

import re
from typing import Final

LOG: Final = re.compile(r"^\S+ \S+ \S+ \[\d{1,2}/[A-Za-z]{3}/\d{4}:[^\]]+\] \"", re.MULTILINE)
KINDS: Final = (
    (re.compile(r"\A\s*<(?:!doctype html|html)", re.IGNORECASE), "a web page (was the file fetched without a login?)"),
    (re.compile(r"\A\s*<"), "XML"),
    (re.compile(r"\A# (?:HELP|TYPE) \S+", re.MULTILINE), "what a /metrics endpoint shows at one moment"),
    (LOG, "a web server's log, a line for each request (count its lines by the minute: "
        "`cut -d[ -f2 LOG | cut -c1-17 | sort | uniq -c`)"),
    (re.compile(r"\APK\x03\x04"), "a workbook or a zip archive (save the sheet as CSV)"),
    (re.compile(r"\0"), "no text, or UTF-16 without its mark (save it as UTF-8)"),
)  # fmt: skip
LOOKED_AT: Final = 4096
"""Characters from the start by which a file is known."""


def foreign(text: str) -> str:
    """Return what a text is that is no trace, "" where nothing shows it."""
    start = text[:LOOKED_AT]
    return next((what for pattern, what in KINDS if pattern.search(start)), "")
