"""A PDF with its objects in one order: what draws it numbers and writes them in an order of chance."""

from __future__ import annotations

import re
from typing import Final

OBJECT: Final = re.compile(rb"^(\d+) 0 obj\n(.*?)\nendobj$", re.DOTALL | re.MULTILINE)
REFERENCE: Final = re.compile(rb"\b(\d+) 0 R\b")
ENTRIES: Final = re.compile(rb"(?:^ +/[a-zA-Z]+\d+ \d+ 0 R\n){2,}", re.MULTILINE)
"""Lines of a dictionary of resources, such as /f0 3 0 R."""
STREAM: Final = b"\nstream\n"


def ordered(pdf: bytes) -> bytes:
    """Return a PDF as it is written with cross-references as a table, its objects numbered as they are referred to.

    The same drawing is the same bytes then. Raises ValueError for what is no such PDF.
    """
    head, trailer = pdf[:16].partition(b"\n")[0], pdf[pdf.rindex(b"trailer\n") :]
    found = {int(number): body for number, body in OBJECT.findall(pdf)}
    if not found or b"\nxref\n" not in pdf:
        raise ValueError("the PDF has no table of cross-references")
    order: dict[int, int] = {}
    bodies: list[bytes] = []
    waiting = [int(number) for number in REFERENCE.findall(trailer)]
    while waiting:
        number = waiting.pop(0)
        if number in order:
            continue
        order[number] = len(order) + 1
        text, mark, stream = found[number].partition(STREAM)
        text = ENTRIES.sub(lambda each: b"".join(sorted(each[0].splitlines(keepends=True))), text)
        bodies.append(text + mark + stream)
        waiting += [int(each) for each in REFERENCE.findall(text)]
    return _written(head, [_renumbered(body, order) for body in bodies], _renumbered(trailer, order))


def _renumbered(body: bytes, order: dict[int, int]) -> bytes:
    text, mark, stream = body.partition(STREAM)
    return REFERENCE.sub(lambda each: b"%d 0 R" % order[int(each[1])], text) + mark + stream


def _written(head: bytes, bodies: list[bytes], trailer: bytes) -> bytes:
    """Return objects numbered from 1 with the table of where each begins (ISO 32000-1, 7.5)."""
    written, places = head + b"\n%\xe2\xe3\xcf\xd3\n", []
    for number, body in enumerate(bodies, 1):
        places.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    begin = len(written)
    size = len(bodies) + 1
    kept = re.sub(rb"/Size \d+", b"/Size %d" % size, trailer[: trailer.index(b"startxref")])
    return written + b"xref\n0 %d\n0000000000 65535 f \n%s%sstartxref\n%d\n%%%%EOF\n" % (size, table, kept, begin)
