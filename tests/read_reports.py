"""What a person reads of a report, whatever its format."""

from __future__ import annotations

import io
import re
import zipfile


def words_of(report: str | bytes) -> str:
    """Return the text of a report: of a page without its scripts and styles, of a workbook what its cells say."""
    if isinstance(report, str):
        return re.sub(r"<(script|style)\b.*?</\1>", "", report, flags=re.DOTALL)
    with zipfile.ZipFile(io.BytesIO(report)) as book:
        parts = [name for name in book.namelist() if name.startswith(("xl/sharedStrings", "xl/worksheets/"))]
        assert parts
        return "\n".join(book.read(name).decode() for name in parts)
